/* Stopping a group of processes so that each can go on unharmed: SIGSTOP through pidfds, then again
 * for every child that was born meanwhile, until none is new. An opener that waits at the gate gets
 * the signal first and the answer after it, and so stops on its way back to user space. Neighbours:
 * agent/shield/stop.c before; the kernel behind. Needs CAP_KILL. */
#ifndef RESPOND_FREEZE_H
#define RESPOND_FREEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FREEZE_GROUP_MAX 512

struct freeze_member {
    pid_t pid;
    uint64_t start;
};

struct freeze_group {
    struct freeze_member members[FREEZE_GROUP_MAX];
    size_t count;
};

struct freeze_port {
    void *context;
    bool (*is_spared)(void *context, pid_t pid); /* besides pid 1 and kernel threads */
};

/* False when it is a member already, is spared, or the group is full. */
bool freeze_add(struct freeze_group *group, const struct freeze_port *port, pid_t pid,
                uint64_t start);
/* Stops all members and, as new members, their children. Returns how many were signalled now. */
size_t freeze_stop(struct freeze_group *group, const struct freeze_port *port);
/* Waits until every thread of every member has come to rest or is gone; -ERR_TIMEDOUT. */
[[nodiscard]] int freeze_wait(const struct freeze_group *group, int timeout_ms);
/* Each returns how many processes it reached. */
size_t freeze_continue(const struct freeze_group *group);
size_t freeze_kill(const struct freeze_group *group);

#endif
