/* One event loop a process: descriptors (epoll), timers (timerfd), signals (signalfd), children
 * (pidfd). Everything here is called on the thread that runs the loop. */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include <stdint.h>
#include <sys/types.h>

struct loop;
struct loop_source; /* one thing waited for; owned by the loop until loop_source_free */

enum loop_events {
    LOOP_READ = 1,
    LOOP_WRITE = 2,
    LOOP_HANGUP = 4, /* reported always, asked for never */
};

typedef void loop_fd_fn(void *context, int fd, unsigned events);
typedef void loop_timer_fn(void *context);
typedef void loop_signal_fn(void *context, int signal);
typedef void loop_child_fn(void *context, pid_t pid, int wait_status);

/* limit: most sources. */
[[nodiscard]] int loop_new(unsigned limit, struct loop **ret_loop);
/* Frees all sources too; closes no descriptor that was handed in. */
void loop_free(struct loop *loop);
void loop_freep(struct loop **loop);

/* ret_source may be NULL when the source lives as long as the loop. */
[[nodiscard]] int loop_add_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn,
                              void *context, struct loop_source **ret_source);
[[nodiscard]] int loop_source_set_events(struct loop_source *source, unsigned events);
/* One shot after delay_ns unless period_ns != 0. Set again with loop_source_set_timer; 0, 0
 * disarms. */
[[nodiscard]] int loop_add_timer(struct loop *loop, loop_timer_fn *fn, void *context,
                                 struct loop_source **ret_source);
[[nodiscard]] int loop_source_set_timer(struct loop_source *source, int64_t delay_ns,
                                        int64_t period_ns);
/* Blocks the signal for the thread and reads it from a signalfd. */
[[nodiscard]] int loop_add_signal(struct loop *loop, int signal, loop_signal_fn *fn, void *context);
/* Reaps one child when it ends, then frees its own source. */
[[nodiscard]] int loop_add_child(struct loop *loop, pid_t pid, loop_child_fn *fn, void *context);
/* Safe inside any callback, its own too; takes NULL. */
void loop_source_free(struct loop_source *source);

/* Runs until loop_stop; returns what that was given, or -errno. */
[[nodiscard]] int loop_run(struct loop *loop);
/* One round, waiting timeout_ms at most (-1: for ever). */
[[nodiscard]] int loop_step(struct loop *loop, int timeout_ms);
void loop_stop(struct loop *loop, int result);

#endif
