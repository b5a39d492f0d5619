/* The page says it before the kernel allows it, so that it holds whenever the sensor dies. */
#include "agent/numbers.h"

#include "base/banned.h"

#include <sys/resource.h>

static void numbers_allow(struct page *page, unsigned count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return; /* what holds goes on to hold */
    }
    count = limit.rlim_max < count ? (unsigned)limit.rlim_max : count;
    if (limit.rlim_cur < count) {
        atomic_store(&page->numbers, count);
    }
    limit.rlim_cur = count;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
        atomic_store(&page->numbers, count);
    }
}

void numbers_begin(struct page *page)
{
    atomic_store(&page->numbers, NUMBERS_MAX);
    numbers_allow(page, NUMBERS_FIRST);
}

void numbers_widen(struct page *page, int fd)
{
    unsigned count = atomic_load(&page->numbers);

    if (count != 0 && count < NUMBERS_MAX && (unsigned)fd >= count / 2) {
        numbers_allow(page, count * 2);
    }
}

unsigned numbers_of_dead(const struct page *page)
{
    unsigned count = atomic_load(&page->numbers);

    return count != 0 ? count : NUMBERS_MAX;
}
