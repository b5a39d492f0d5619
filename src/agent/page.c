/* Shared anonymous memory. */
#include "agent/page.h"

#include "base/banned.h"
#include "base/time.h"

#include <sys/mman.h>

#define WORKER_ECHO_NS (5 * NS_PER_S) /* how long its name events may still come */

struct page *page_new(void)
{
    struct page *page =
        mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return page != MAP_FAILED ? page : NULL;
}

void page_free(struct page *page)
{
    if (page != NULL) {
        (void)munmap(page, sizeof(*page));
    }
}

bool page_is_own(const struct page *page, pid_t pid)
{
    for (size_t i = 0; i < PAGE_OWN_MAX; i++) {
        if (atomic_load(&page->own[i]) == pid) {
            return true;
        }
    }
    if (atomic_load(&page->sensor) == pid) {
        return true;
    }
    for (size_t i = 0; i < PAGE_WORKERS_MAX; i++) {
        int64_t ended = atomic_load(&page->workers[i].ended);

        if (atomic_load(&page->workers[i].pid) == pid &&
            (ended == 0 || clock_mono(&clock_real) - ended < WORKER_ECHO_NS)) {
            return true;
        }
    }
    return false;
}

unsigned page_worker_enter(struct page *page, pid_t pid)
{
    unsigned place = atomic_fetch_add(&page->next_worker, 1) % PAGE_WORKERS_MAX;

    atomic_store(&page->workers[place].ended, 0);
    atomic_store(&page->workers[place].pid, pid);
    return place;
}

void page_worker_leave(struct page *page, unsigned place, int64_t now)
{
    atomic_store(&page->workers[place].ended, now);
}
