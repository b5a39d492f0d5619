/* How a process gives up what it must not have, in the order of house.md §4: user, capabilities,
 * Landlock, seccomp. Entered once, before threads start; nothing of it can be undone. What the
 * kernel lacks is reported in ret_missing, so that it can be shown, never silently skipped. */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sandbox_access {
    SANDBOX_READ = 1,  /* read files and list folders below the path */
    SANDBOX_WRITE = 2, /* read, create, write, rename, remove below it */
    SANDBOX_RUN = 3,   /* read, and execute what lies below it */
};

struct sandbox_path {
    const char *path;
    enum sandbox_access access;
};

/* Families of system calls; every profile also holds what memory, clocks, threads' locks and exit
 * need. */
enum sandbox_calls {
    SANDBOX_CALLS_IO = 1 << 0, /* read write poll on descriptors that are open, pass descriptors */
    SANDBOX_CALLS_FILES = 1 << 1,     /* open stat rename unlink … */
    SANDBOX_CALLS_NETWORK = 1 << 2,   /* socket connect (inet and inet6) */
    SANDBOX_CALLS_ACCEPT = 1 << 3,    /* accept on sockets that listen already */
    SANDBOX_CALLS_SPAWN = 1 << 4,     /* fork execve wait */
    SANDBOX_CALLS_SIGNAL = 1 << 5,    /* pidfd_open pidfd_send_signal kill */
    SANDBOX_CALLS_FANOTIFY = 1 << 6,  /* fanotify_mark name_to_handle_at open_by_handle_at */
    SANDBOX_CALLS_OWNERSHIP = 1 << 7, /* chown chmod setxattr utimensat */
    SANDBOX_CALLS_THREADS = 1 << 8,   /* clone3 for threads, scheduling */
    SANDBOX_CALLS_TRACE = 1 << 9,     /* ptrace as sys/trace.h uses it: no memory is read or
                                         written */
    SANDBOX_CALLS_LOOK = 1 << 10,     /* open to read only, list folders, pidfd_open */
};

struct sandbox {
    const char *user;        /* NULL: stay; a missing user is an error that names the remedy */
    const char *group;       /* NULL, or one that is not there: the user's own */
    const int *capabilities; /* CAP_… kept after the user change, effective and permitted */
    size_t capability_count;
    const struct sandbox_path *paths; /* NULL with path_count 0: no path at all */
    size_t path_count;
    bool
        is_landlock_off; /* for processes whose work is the whole tree (supervisor, sensor reads) */
    unsigned calls;      /* enum sandbox_calls, or'ed; 0: no seccomp filter */
    uint64_t memory_more; /* RLIMIT_AS: bytes beyond what is mapped on entering, 0: no limit */
    uint64_t heap_more;   /* RLIMIT_DATA: of memory of its own, the same way, 0: no limit */
    uint64_t file_limit;  /* RLIMIT_NOFILE, 0: leave */
};

enum sandbox_missing {
    SANDBOX_MISSING_LANDLOCK = 1,
    SANDBOX_MISSING_SECCOMP = 2,
    SANDBOX_MISSING_RLIMIT = 4,
};

/* On failure the process must end: it may be half-way. A call outside the filter ends the process
 * with SIGSYS. ret_missing: enum sandbox_missing, or'ed; may be NULL. */
[[nodiscard]] int sandbox_enter(const struct sandbox *sandbox, unsigned *ret_missing,
                                struct diag *diag);

#endif
