/* Process starts and ends as the kernel tells them: eBPF tracepoints where it allows (with the
 * command line of even the shortest process), else the netlink process connector (whose command
 * line is read from /proc, and is missing for what ended at once). Neither asks the watched process
 * for anything. */
#ifndef SYS_PROCWATCH_H
#define SYS_PROCWATCH_H

#include "base/diag.h"
#include "base/str.h"

#include <stdint.h>

struct procwatch;

#define PROCWATCH_FDS 5

enum procwatch_kind {
    PROCWATCH_START, /* a program was executed */
    PROCWATCH_END,
    PROCWATCH_FORK, /* of a process, not of a thread; only pid, ppid and time are told */
};

struct procwatch_event {
    enum procwatch_kind kind;
    int32_t pid; /* thread group */
    int32_t ppid;
    uint32_t uid;
    int64_t time;          /* ns since 1970 UTC */
    int32_t exit_status;   /* as waitpid gives it, for PROCWATCH_END */
    struct str executable; /* "" when it could not be read any more */
    struct str arguments;  /* parted by spaces; may be cut at 1,024 bytes */
};

typedef void procwatch_fn(void *context, const struct procwatch_event *event);

/* What outlives the process that reads: the first two are for procwatch_open, the others only keep
 * the tracepoints attached and may stay with the acquirer. Unused places are -1. Needs CAP_BPF and
 * CAP_PERFMON, or CAP_NET_ADMIN. diag says why eBPF was not used when it falls back, and why
 * neither works when it fails. */
[[nodiscard]] int procwatch_acquire(int ret_fds[PROCWATCH_FDS], struct diag *diag);
/* The descriptors stay the caller's. Before the caller's sandbox; needs no rights of its own. A
 * process that comes after another on the same descriptors goes on where that one stopped. */
[[nodiscard]] int procwatch_open(const int fds[PROCWATCH_FDS], struct procwatch **ret_watch);
void procwatch_close(struct procwatch *watch);
/* "ebpf" or "proc-connector". */
const char *procwatch_name(const struct procwatch *watch);
/* Becomes readable when there are events; never blocks. */
int procwatch_fd(const struct procwatch *watch);
/* Hands out what has come in the order of the kernel, at most limit events. Each is there before
 * the process it is about can do its next act. */
[[nodiscard]] int procwatch_read(struct procwatch *watch, unsigned limit, procwatch_fn *fn,
                                 void *context);
/* Events that the kernel could not hand over; only grows. Wait-free, from any thread. */
uint64_t procwatch_lost(const struct procwatch *watch);

#endif
