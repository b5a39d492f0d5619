/* Threads that opened protected files lately, each with its /proc files kept open: to know again
 * who waits at the gate costs one short read. Bounded; a newcomer takes the place of another. For
 * the gate's reader alone. Neighbours: agent/shield/glance.c uses it, sys/process.h reads. */
#ifndef AGENT_OPENERS_H
#define AGENT_OPENERS_H

#include "detect/ransom/judge.h"
#include "sys/process.h"

#include <sys/types.h>

#define OPENER_STEP 16U

struct openers;

struct opener {
    pid_t tid; /* 0: empty place */
    struct actor_key who;
    unsigned opens;     /* since it was met */
    unsigned follow_at; /* opens at which its processor is asked for again */
    unsigned follow_step;
    char comm[32];
    struct process_thread thread;
};

[[nodiscard]] int openers_new(struct openers **ret_openers);
void openers_free(struct openers *openers);

/* NULL when the thread was not met, has gone, or runs another program now. Borrowed until the next
 * openers_meet. */
struct opener *openers_find(struct openers *openers, pid_t tid);
/* -ERR_NOENT when it has gone. ret_info: its process, as process_read_group tells. */
[[nodiscard]] int openers_meet(struct openers *openers, pid_t tid, struct process_info *ret_info,
                               struct opener **ret_opener);

#endif
