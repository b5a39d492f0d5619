/* The one page that the agent's processes share, all atomics: who belongs to us, and whether the
 * gate is alive. The watchdog and the gate's reader read it without asking anybody, so that neither
 * can be made to wait. Made by the supervisor before the first fork. */
#ifndef AGENT_PAGE_H
#define AGENT_PAGE_H

#include "agent/outbox.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_OWN_MAX     12
#define PAGE_WORKERS_MAX 16

struct page_worker {
    atomic_int pid;
    atomic_ullong start; /* as /proc has it: tells it from whoever is given its number next */
    atomic_llong
        ended; /* ns, monotonic; 0 while it runs. Its name events come later than its end. */
};

struct page {
    atomic_int own[PAGE_OWN_MAX];                 /* long-lived processes, one place each */
    struct page_worker workers[PAGE_WORKERS_MAX]; /* restorers; a ring */
    atomic_uint next_worker;
    atomic_int sensor;   /* pid, 0 when none */
    atomic_uint numbers; /* its descriptors are below that (agent/numbers.h); 0: not told yet */
    atomic_llong beat;   /* the gate's reader was alive then; 0: there is none */
    atomic_llong busy;   /* it has been at work since then; 0: it waits for opens */
    atomic_llong oldest; /* an open waits without progress since then; 0: none waits */
    atomic_llong ending; /* the sensor began to end then; 0: it does not */
    atomic_bool is_watch_resting; /* the watchdog is to be told (watchdog_stir) */
    atomic_ullong let_go;         /* opens that the watchdog answered */
    atomic_uint stalls;           /* times that it ended a sensor */
    atomic_uint restarts;         /* of child processes, ever */
    struct outbox_counts records; /* from the sensor to the outlet, over all sensors */
};

/* NULL out of memory. Shared by all children forked afterwards. */
[[nodiscard]] struct page *page_new(void);
void page_free(struct page *page);
/* Ours: never held, never judged. Waits for nobody. */
bool page_is_own(const struct page *page, pid_t pid);
/* For a worker about itself. */
unsigned page_worker_enter(struct page *page, pid_t pid);
void page_worker_leave(struct page *page, unsigned place, int64_t now);
/* For the supervisor, of one that may have been killed before it could leave. */
void page_worker_ended(struct page *page, pid_t pid, int64_t now);

#endif
