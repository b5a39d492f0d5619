/* Shared anonymous memory. */
#include "agent/page.h"

#include "base/banned.h"
#include "base/time.h"
#include "sys/process.h"

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

/* Numbers come round within seconds where there are few: one that lives must be the very process.
 * 0: it is gone. */
static uint64_t page_start_of(pid_t pid)
{
    struct process_info info;

    return process_read_stat(pid, &info) == 0 ? info.start : 0;
}

static bool page_is_worker(const struct page_worker *worker, pid_t pid)
{
    int64_t ended = atomic_load(&worker->ended);
    uint64_t start;

    if (atomic_load(&worker->pid) != pid ||
        (ended != 0 && clock_mono(&clock_real) - ended >= WORKER_ECHO_NS)) {
        return false;
    }
    start = page_start_of(pid);
    return start == 0 || start == atomic_load(&worker->start);
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
        if (page_is_worker(&page->workers[i], pid)) {
            return true;
        }
    }
    return false;
}

unsigned page_worker_enter(struct page *page, pid_t pid)
{
    unsigned place = atomic_fetch_add(&page->next_worker, 1) % PAGE_WORKERS_MAX;

    atomic_store(&page->workers[place].ended, 0);
    atomic_store(&page->workers[place].start, page_start_of(pid));
    atomic_store(&page->workers[place].pid, pid);
    return place;
}

void page_worker_leave(struct page *page, unsigned place, int64_t now)
{
    atomic_store(&page->workers[place].ended, now);
}

void page_worker_ended(struct page *page, pid_t pid, int64_t now)
{
    for (unsigned i = 0; i < PAGE_WORKERS_MAX; i++) {
        if (atomic_load(&page->workers[i].pid) == pid &&
            atomic_load(&page->workers[i].ended) == 0) {
            page_worker_leave(page, i, now);
        }
    }
}
