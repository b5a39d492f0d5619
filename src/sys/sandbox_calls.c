/* System calls by family. A name that this architecture or libseccomp does not know is passed over:
 * it cannot be called either. clone is allowed for threads only (CLONE_THREAD set) unless a profile
 * may spawn; clone3 answers ENOSYS then, since a filter cannot see its flags, and the C library
 * falls back to clone. */
#include "sys/sandbox_calls.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

struct call_family {
    unsigned family; /* 0: always */
    const char *const *names;
};

static const char *const calls_always[] = {"brk",
                                           "mmap",
                                           "munmap",
                                           "mremap",
                                           "mprotect",
                                           "madvise",
                                           "futex",
                                           "futex_waitv",
                                           "membarrier",
                                           "rseq",
                                           "set_robust_list",
                                           "set_tid_address",
                                           "rt_sigaction",
                                           "rt_sigprocmask",
                                           "rt_sigreturn",
                                           "sigaltstack",
                                           "restart_syscall",
                                           "clock_gettime",
                                           "clock_nanosleep",
                                           "nanosleep",
                                           "gettimeofday",
                                           "time",
                                           "getrandom",
                                           "getpid",
                                           "gettid",
                                           "getppid",
                                           "getuid",
                                           "geteuid",
                                           "getgid",
                                           "getegid",
                                           "getresuid",
                                           "getresgid",
                                           "getgroups",
                                           "getsid",
                                           "getpgrp",
                                           "getpgid",
                                           "getrusage",
                                           "prlimit64",
                                           "getrlimit",
                                           "uname",
                                           "sysinfo",
                                           "sched_yield",
                                           "sched_getaffinity",
                                           "exit",
                                           "exit_group",
                                           "tgkill",
                                           "prctl",
                                           "arch_prctl",
                                           "getcpu",
                                           "close",
                                           "close_range",
                                           NULL};
static const char *const calls_io[] = {"read",
                                       "write",
                                       "readv",
                                       "writev",
                                       "pread64",
                                       "pwrite64",
                                       "preadv",
                                       "pwritev",
                                       "preadv2",
                                       "pwritev2",
                                       "lseek",
                                       "fstat",
                                       "newfstatat",
                                       "statx",
                                       "fcntl",
                                       "dup",
                                       "dup2",
                                       "dup3",
                                       "poll",
                                       "ppoll",
                                       "select",
                                       "pselect6",
                                       "epoll_create1",
                                       "epoll_ctl",
                                       "epoll_wait",
                                       "epoll_pwait",
                                       "epoll_pwait2",
                                       "eventfd2",
                                       "timerfd_create",
                                       "timerfd_settime",
                                       "timerfd_gettime",
                                       "signalfd4",
                                       "pipe2",
                                       "sendmsg",
                                       "recvmsg",
                                       "sendto",
                                       "recvfrom",
                                       "sendmmsg",
                                       "recvmmsg",
                                       "shutdown",
                                       "getsockopt",
                                       "setsockopt",
                                       "getsockname",
                                       "getpeername",
                                       "socketpair",
                                       "fadvise64",
                                       "sendfile",
                                       "splice",
                                       "memfd_create",
                                       NULL};
/* fchown: SQLite as root gives its files to the owner of the database; without CAP_CHOWN that gives
 * nothing away. */
static const char *const calls_files[] = {"open",
                                          "fchown",
                                          "openat",
                                          "openat2",
                                          "creat",
                                          "access",
                                          "faccessat",
                                          "faccessat2",
                                          "stat",
                                          "lstat",
                                          "readlink",
                                          "readlinkat",
                                          "getdents64",
                                          "getcwd",
                                          "chdir",
                                          "fchdir",
                                          "rename",
                                          "renameat",
                                          "renameat2",
                                          "unlink",
                                          "unlinkat",
                                          "rmdir",
                                          "mkdir",
                                          "mkdirat",
                                          "link",
                                          "linkat",
                                          "symlink",
                                          "symlinkat",
                                          "ftruncate",
                                          "truncate",
                                          "fallocate",
                                          "fsync",
                                          "fdatasync",
                                          "syncfs",
                                          "sync_file_range",
                                          "flock",
                                          "copy_file_range",
                                          "umask",
                                          "fchmod",
                                          "fchown",
                                          "chmod",
                                          "fchmodat",
                                          "statfs",
                                          "fstatfs",
                                          "getxattr",
                                          "lgetxattr",
                                          "fgetxattr",
                                          "listxattr",
                                          "llistxattr",
                                          "flistxattr",
                                          "utimensat",
                                          "inotify_init1",
                                          "inotify_add_watch",
                                          "mlock",
                                          "msync",
                                          NULL};
static const char *const calls_network[] = {"socket", "connect", NULL};
static const char *const calls_accept[] = {"accept", "accept4", NULL};
static const char *const calls_spawn[] = {"fork",   "vfork",    "clone", "clone3",
                                          "execve", "execveat", "wait4", "waitid",
                                          "setsid", "setpgid",  NULL};
static const char *const calls_signal[] = {"kill", "pidfd_open", "pidfd_send_signal", NULL};
static const char *const calls_look[] = {"getdents64", "readlink", "readlinkat", "pidfd_open",
                                         "statfs",     "fstatfs",  NULL};
static const char *const calls_fanotify[] = {"fanotify_init", "fanotify_mark", "name_to_handle_at",
                                             "open_by_handle_at", NULL};
static const char *const calls_ownership[] = {
    "chown",       "fchown",       "lchown",       "fchownat", "setxattr", "lsetxattr", "fsetxattr",
    "removexattr", "lremovexattr", "fremovexattr", "mknodat",  "setuid",   "setgid",    "setresuid",
    "setresgid",   "setgroups",    "capget",       "capset",   "setfsuid", "setfsgid",  NULL};
static const char *const calls_threads[] = {"sched_setscheduler",
                                            "sched_getscheduler",
                                            "sched_setparam",
                                            "sched_getparam",
                                            "sched_setattr",
                                            "sched_setaffinity",
                                            "sched_get_priority_max",
                                            "sched_get_priority_min",
                                            "setpriority",
                                            NULL};

static const char *const calls_trace[] = {"wait4", "sched_setscheduler", NULL};

static const struct call_family call_families[] = {
    {0, calls_always},
    {SANDBOX_CALLS_IO, calls_io},
    {SANDBOX_CALLS_FILES, calls_files},
    {SANDBOX_CALLS_NETWORK, calls_network},
    {SANDBOX_CALLS_ACCEPT, calls_accept},
    {SANDBOX_CALLS_SPAWN, calls_spawn},
    {SANDBOX_CALLS_SIGNAL, calls_signal},
    {SANDBOX_CALLS_FANOTIFY, calls_fanotify},
    {SANDBOX_CALLS_OWNERSHIP, calls_ownership},
    {SANDBOX_CALLS_THREADS, calls_threads},
    {SANDBOX_CALLS_TRACE, calls_trace},
    {SANDBOX_CALLS_LOOK, calls_look},
};

static int sandbox_allow_names(scmp_filter_ctx filter, const char *const *names)
{
    for (; *names != NULL; names++) {
        int number = seccomp_syscall_resolve_name(*names);
        int r;

        if (number == __NR_SCMP_ERROR || number < 0) {
            continue;
        }
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        if (r < 0 && r != -EEXIST) {
            return r;
        }
    }
    return 0;
}

/* Threads without processes. */
static int sandbox_allow_threads(scmp_filter_ctx filter)
{
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    if (r < 0) {
        return r;
    }
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

/* ioctl is a family of its own: only what clones files, sizes terminals and counts bytes that wait
 * to be read or sent. */
static int sandbox_allow_ioctls(scmp_filter_ctx filter)
{
    static const uint64_t allowed[] = {FICLONE, FICLONERANGE, FIONREAD, SIOCOUTQ,
                                       TCGETS,  TIOCGWINSZ,   FIONBIO};

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                 SCMP_A1(SCMP_CMP_EQ, allowed[i]));

        if (r < 0 && r != -EEXIST) {
            return r;
        }
    }
    return 0;
}

/* Opens that can change nothing. */
static int sandbox_allow_look(scmp_filter_ctx filter)
{
    const uint64_t mask = O_ACCMODE | O_CREAT | O_TRUNC;
    int r = 0;

#ifdef SYS_open
    r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                         SCMP_A1(SCMP_CMP_MASKED_EQ, mask, O_RDONLY));
#endif
    return r < 0 ? r
                 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                    SCMP_A2(SCMP_CMP_MASKED_EQ, mask, O_RDONLY));
}

/* Registers may be set, to take a call back; memory may not be touched. */
static int sandbox_allow_trace(scmp_filter_ctx filter)
{
    static const uint64_t allowed[] = {PTRACE_SEIZE,     PTRACE_INTERRUPT, PTRACE_SYSCALL,
                                       PTRACE_LISTEN,    PTRACE_DETACH,    PTRACE_GET_SYSCALL_INFO,

                                       PTRACE_GETREGSET, PTRACE_SETREGSET};

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ptrace), 1,
                                 SCMP_A0(SCMP_CMP_EQ, allowed[i]));

        if (r < 0 && r != -EEXIST) {
            return r;
        }
    }
    return 0;
}

static int sandbox_fill_filter(scmp_filter_ctx filter, unsigned families)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < sizeof(call_families) / sizeof(call_families[0]); i++) {
        if (call_families[i].family == 0 || (families & call_families[i].family) != 0) {
            r = sandbox_allow_names(filter, call_families[i].names);
        }
    }
    if (r >= 0 && (families & SANDBOX_CALLS_IO) != 0) {
        r = sandbox_allow_ioctls(filter);
    }
    if (r >= 0 && (families & SANDBOX_CALLS_THREADS) != 0 &&
        (families & SANDBOX_CALLS_SPAWN) == 0) {
        r = sandbox_allow_threads(filter);
    }
    if (r >= 0 && (families & SANDBOX_CALLS_TRACE) != 0) {
        r = sandbox_allow_trace(filter);
    }
    if (r >= 0 && (families & (SANDBOX_CALLS_LOOK | SANDBOX_CALLS_FILES)) == SANDBOX_CALLS_LOOK) {
        r = sandbox_allow_look(filter);
    }
    return r;
}

int sandbox_filter_calls(unsigned families, struct diag *diag)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int r;

    if (filter == NULL) {
        return -ERR_NOMEM;
    }
    r = sandbox_fill_filter(filter, families);
    if (r >= 0) {
        r = seccomp_load(filter);
    }
    seccomp_release(filter);
    return r >= 0 ? 0
                  : diag_set(diag, r, _("the system call filter could not be loaded: %s"),
                             strerror(-r));
}
