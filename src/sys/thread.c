/* Threads, by pthread and the scheduler's own calls. */
#include "sys/thread.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define THREAD_NICE 5

int thread_start(const char *name, void *(*body)(void *), void *context, pthread_t *ret_thread)
{
    sigset_t all;
    sigset_t before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(ret_thread, NULL, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0) {
        (void)pthread_setname_np(*ret_thread, name);
    }
    return -r;
}

static int thread_schedule(int policy, int priority)
{
    struct sched_param param = {.sched_priority = priority};

    return sched_setscheduler(0, policy, &param) == 0 ? 0 : -errno;
}

int thread_raise_priority(int priority)
{
    return thread_schedule(SCHED_FIFO, priority);
}

int thread_lower_priority(void)
{
    int r = thread_schedule(SCHED_BATCH, 0);

    return r == 0 && setpriority(PRIO_PROCESS, 0, THREAD_NICE) != 0 ? -errno : r;
}

void thread_mutex_init(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    if (pthread_mutex_init(mutex, &attributes) != 0) {
        pthread_mutex_init(mutex, NULL); /* a kernel without them: only less prompt */
    }
    pthread_mutexattr_destroy(&attributes);
}

int thread_visit_cpu(int cpu)
{
    cpu_set_t all;
    cpu_set_t one;

    if (cpu < 0 || cpu >= CPU_SETSIZE) {
        return -ERR_INVAL;
    }
    if (cpu == sched_getcpu()) {
        return 0;
    }
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    if (sched_getaffinity(0, sizeof(all), &all) != 0 || !CPU_ISSET((size_t)cpu, &all) ||
        sched_setaffinity(0, sizeof(one), &one) != 0) {
        return -ERR_INVAL;
    }
    return sched_setaffinity(0, sizeof(all), &all) == 0 ? 1 : -errno;
}

int thread_clock(void)
{
    clockid_t clock;

    return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? clock : 0;
}

int64_t thread_clock_read(int clock)
{
    struct timespec time;

    if (clock == 0 || clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

bool thread_is_own(pid_t tid)
{
    return syscall(SYS_tgkill, getpid(), tid, 0) == 0;
}
