/* What /proc tells of a process. Every answer may be stale at once: the pair (pid, start) names a
 * process for good, a pid alone does not. */
#ifndef SYS_PROCESS_H
#define SYS_PROCESS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_PATH_MAX    4096
#define PROCESS_CMDLINE_MAX 1024

struct process_info {
    pid_t pid; /* thread group */
    pid_t ppid;
    pid_t session;
    uint64_t start; /* clock ticks since boot, field 22 of stat */
    uid_t uid;      /* effective */
    uint64_t exe_dev;
    uint64_t exe_ino; /* 0 for a kernel thread or one that has gone */
    uint64_t cgroup;  /* hash of the cgroup path; 0 for the root group or unknown */
    char comm[32];
    char exe[PROCESS_PATH_MAX];        /* "" when unreadable */
    char cmdline[PROCESS_CMDLINE_MAX]; /* arguments parted by spaces, cut at the limit */
};

/* pid may be a thread's id; the answer is its thread group's. -ERR_NOENT when it has gone. */
[[nodiscard]] int process_read(pid_t pid, struct process_info *ret_info);
/* Only pid, ppid, session, start, comm: one file read. */
[[nodiscard]] int process_read_stat(pid_t pid, struct process_info *ret_info);

/* The path of its executable alone: "" when it cannot be read. */
void process_read_program(pid_t pid, char out[PROCESS_PATH_MAX]);

/* Whether no thread of it can act: stopped, dead, or gone. */
bool process_is_at_rest(pid_t pid);

/* The system call a blocked thread sits in, from /proc/TID/syscall. -ERR_AGAIN when the kernel says
 * "running". */
struct process_syscall {
    int64_t number;
    uint64_t args[6];
};
[[nodiscard]] int process_read_syscall(pid_t tid, struct process_syscall *ret_call);
/* Whether that call opens for writing: 1 yes, 0 no, -ERR_AGAIN or -ERR_OPNOTSUPP when it cannot be
 * told (openat2, io_uring): treat as yes. */
[[nodiscard]] int process_syscall_is_write_open(const struct process_syscall *call);

/* The regular file that a thread is about to truncate by its path, as an O_PATH descriptor, when
 * that is the call it stands before. -ERR_NOENT: another call, or no such file. */
[[nodiscard]] int process_open_truncated(pid_t tid);

/* Nice value of this process, and of threads it starts from now on: -20 first … 19 last. -ERR_ACCES
 * without CAP_SYS_NICE for a lower one. */
[[nodiscard]] int process_set_nice(int nice);
/* From now on the calling process may use so many more seconds of processor time (whole ones: up to
 * two less are left of them); then the kernel ends it. For whoever reads hostile bytes: a parser
 * that loops must not live on. Call again before each piece of work. */
void process_limit_work(unsigned seconds);

/* Called for each descriptor of a process that is open for writing. link: a path under /proc that
 * leads to the file, for as long as it stays open there. */
typedef void process_writable_fn(void *context, pid_t pid, const char *link);
void process_each_writable(pid_t pid, process_writable_fn *fn, void *context);
/* A thread whose /proc files are kept open. They answer only while that very thread lives, however
 * often its number is used again, and at a fraction of the price. */
struct process_thread {
    int comm_fd;
    int stat_fd;
    int syscall_fd;
};
/* -ERR_NOENT when it has gone. */
[[nodiscard]] int process_thread_open(pid_t tid, struct process_thread *ret_thread);
void process_thread_close(struct process_thread *thread);
/* The name, which exec changes. -ERR_NOENT when it has gone. */
[[nodiscard]] int process_thread_comm(const struct process_thread *thread, char out[32]);
/* As process_read_syscall. */
[[nodiscard]] int process_thread_syscall(const struct process_thread *thread,
                                         struct process_syscall *ret_call);
/* The processor it ran on last. */
[[nodiscard]] int process_thread_cpu(const struct process_thread *thread);
/* Its process, by the ids that tell it from all others: pid and start. One more file than
 * process_read_stat, for the thread group. */
[[nodiscard]] int process_read_group(pid_t tid, struct process_info *ret_info);

/* Opens a pidfd and checks that it still is the process with that start. */
[[nodiscard]] int process_open(pid_t pid, uint64_t start);
[[nodiscard]] int process_signal(int pidfd, int signal);

#endif
