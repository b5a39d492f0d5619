/* The kernel's process connector: every fork, exec and exit of the machine, in order, as netlink
 * datagrams. Each is queued before the process can do its next act, so whoever reads these first
 * and then the name events knows who did what, even of processes that are gone by then. On its way:
 * kernel → here → sense/processes.c. */
#ifndef SYS_PROC_EVENTS_H
#define SYS_PROC_EVENTS_H

#include <stdint.h>
#include <sys/types.h>

enum proc_event_kind {
    PROC_EVENT_KIND_NONE, /* something else, or of a thread: pass over it */
    PROC_EVENT_KIND_FORK,
    PROC_EVENT_KIND_EXEC,
    PROC_EVENT_KIND_EXIT,
};

struct proc_change {
    enum proc_event_kind kind;
    pid_t pid;
    pid_t parent;      /* of a fork */
    int32_t exit_code; /* as waitpid gives it */
};

/* A subscribed socket, non-blocking. Needs CAP_NET_ADMIN and the first pid and network namespaces:
 * -ERR_PERM, -ERR_CONNREFUSED or -ERR_OPNOTSUPP otherwise. */
[[nodiscard]] int proc_events_open(void);
/* -ERR_AGAIN when there is none; -ERR_LIMIT when the kernel had to drop some. */
[[nodiscard]] int proc_events_read(int fd, struct proc_change *ret_change);

#endif
