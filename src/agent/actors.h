/* Who is who: processes that touched protected files, those above them, and, from the fork events,
 * the parents of processes that were gone before anybody could look. Bounded; the oldest that ended
 * go first. Not thread-safe: the shield's lock guards it. */
#ifndef AGENT_ACTORS_H
#define AGENT_ACTORS_H

#include "base/list.h"
#include "detect/ransom/judge.h"
#include "model/finding.h"
#include "sys/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actors;

struct actor_row {
    struct list order;
    struct actor actor;
    bool is_gone;
    char comm[32];
    char *exe;     /* owned, never NULL */
    char *cmdline; /* owned, never NULL */
};

[[nodiscard]] int actors_new(size_t limit, struct actors **ret_actors);
void actors_free(struct actors *actors);

/* Borrowed until the next put; NULL when unknown. */
struct actor_row *actors_get(struct actors *actors, struct actor_key key);
/* The last process that had this pid. */
struct actor_row *actors_get_pid(struct actors *actors, pid_t pid);
/* Adds it or renews what exec has changed. */
[[nodiscard]] int actors_put(struct actors *actors, const struct process_info *info,
                             struct actor_key parent, struct actor_row **ret_row);
/* A process that was never seen, only its fork: it is like its parent. -ERR_NOENT when not even
 * that. */
[[nodiscard]] int actors_put_unseen(struct actors *actors, pid_t pid, struct actor_row **ret_row);

/* The pid is a new process from now on, or the one that is known by it, has not ended and began at
 * `oldest` (clock ticks since boot) or later: the gate may meet a process before its fork is told.
 */
void actors_forked(struct actors *actors, pid_t pid, pid_t parent, uint64_t oldest);
/* NULL when it was not known. The row stays for its late name events. */
struct actor_row *actors_ended(struct actors *actors, pid_t pid);

/* The program as a whole: the topmost ancestor in a row that runs the same executable. */
struct actor_key actors_instance(struct actors *actors, struct actor_key key);
/* For a finding; texts are copied into the arena. */
void actors_describe(struct actors *actors, struct actor_key key, struct arena *arena,
                     struct finding_process *ret_process);

static inline bool actor_key_is(struct actor_key a, struct actor_key b)
{
    return a.pid == b.pid && a.start == b.start;
}

#endif
