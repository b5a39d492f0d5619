/* Holding a process of somebody else by ptrace, so that its calls can be let through one at a time.
 * Invisible to its parent and to its terminal, unlike SIGSTOP; undone by trace_release, or by the
 * kernel when the tracer ends. Only the thread that seized may call the rest. Needs CAP_SYS_PTRACE.
 * Source: ptrace(2), PTRACE_SEIZE. */
#ifndef SYS_TRACE_H
#define SYS_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

enum trace_stop {
    TRACE_STOP_ENTRY,  /* before a system call */
    TRACE_STOP_EXIT,   /* after it */
    TRACE_STOP_SIGNAL, /* before .signal is delivered: hand it to trace_next */
    TRACE_STOP_REST,   /* stopped by a signal as any process may be: trace_rest */
    TRACE_STOP_OTHER,  /* interrupted, newly born, or past an exec */
    TRACE_STOP_GONE,   /* ended: not traced any more */
};

struct trace_event {
    pid_t tid;
    enum trace_stop stop;
    int signal;
    bool is_removal; /* ENTRY: a call that may take a name or content away: unlink, rename,
                        truncate by path, or a ring that may hold them */
};

/* Seizes one thread and asks it to stop; threads and children that it makes later come along.
 * -ERR_PERM when somebody else traces it or the kernel refuses; -ERR_NOENT, as errno tells. */
[[nodiscard]] int trace_seize(pid_t tid);
/* Asks a seized thread to stop: TRACE_STOP_OTHER follows. */
[[nodiscard]] int trace_interrupt(pid_t tid);
/* The next stop of any seized thread, without waiting; -ERR_AGAIN when there is none. After it the
 * thread stands until trace_next, trace_rest or trace_release. */
[[nodiscard]] int trace_wait(struct trace_event *ret_event);
/* On to the next call. signal: 0, or what TRACE_STOP_SIGNAL brought. */
[[nodiscard]] int trace_next(pid_t tid, int signal);
/* Leaves it stopped as its signal wants, until another wakes it. */
[[nodiscard]] int trace_rest(pid_t tid);
/* Lets a standing thread go for good. is_entry: it stands before a call; if a stop signal is
 * pending it stops first and makes the call when it goes on. */
[[nodiscard]] int trace_release(pid_t tid, bool is_entry, int signal);

#endif
