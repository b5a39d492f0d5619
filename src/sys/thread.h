/* Threads of a process that has several: the sensor. */
#ifndef SYS_THREAD_H
#define SYS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Starts a thread with all signals blocked; name: at most 15 bytes, shown by ps -L. -ERR_LIMIT when
 * 32 run. */
[[nodiscard]] int thread_start(const char *name, void *(*body)(void *), void *context,
                               pthread_t *ret_thread);
/* Real-time scheduling (FIFO) of this thread, 1 … 99; -ERR_PERM without CAP_SYS_NICE. */
[[nodiscard]] int thread_raise_priority(int priority);
/* Back to the ordinary, with the nice value that it has. */
[[nodiscard]] int thread_ordinary_priority(void);
/* Work that nobody waits for. Not SCHED_IDLE: a thread that takes locks others wait for must not
 * starve. */
[[nodiscard]] int thread_lower_priority(void);
/* A mutex whose holder runs as urgently as the most urgent that waits for it: between threads of
 * unlike priority. */
void thread_mutex_init(pthread_mutex_t *mutex);
/* Locks one that others hold for some microseconds only: tries for as long before it sleeps, since
 * being woken takes longer. */
void thread_mutex_lock_soon(pthread_mutex_t *mutex);
/* Moves this thread to a processor, once: it may go anywhere afterwards. 1 when it had been on
 * another one. */
[[nodiscard]] int thread_visit_cpu(int cpu);
/* The clock that tells how long the calling thread has had a processor, 0 when there is none; it
 * may be read by all of the process. */
int thread_clock(void);
/* ns; 0 for clock 0, and for one whose thread has ended. */
int64_t thread_clock_read(int clock);
/* Whether a thread id is one that thread_start began in this process; no call to the kernel. */
bool thread_is_own(pid_t tid);

#endif
