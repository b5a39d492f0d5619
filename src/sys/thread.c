/* Threads, by pthread and the scheduler's own calls. */
#include "sys/thread.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define THREAD_NICE 5
#define THREADS_MAX 32
/* Together about two microseconds. */
#define LOCK_TRIES  40U
#define LOCK_PAUSES 128U

/* The ids of threads that were started here; 0: a free place, negative: one that begins. */
static atomic_int thread_ids[THREADS_MAX];

struct thread_start {
    void *(*body)(void *);
    void *context;
    atomic_int *place;
    char name[16];
};

static void *thread_run(void *context)
{
    struct thread_start start = *(struct thread_start *)context;
    void *result;

    mem_free(context);
    (void)pthread_setname_np(pthread_self(), start.name); /* another's name lies in a file */
    atomic_store(start.place, gettid());
    result = start.body(start.context);
    atomic_store(start.place, 0);
    return result;
}

/* A free place, taken; NULL when there is none. */
static atomic_int *thread_place(void)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        int none = 0;

        if (atomic_compare_exchange_strong(&thread_ids[i], &none, -1)) {
            return &thread_ids[i];
        }
    }
    return NULL;
}

int thread_start(const char *name, void *(*body)(void *), void *context, pthread_t *ret_thread)
{
    struct thread_start *start = mem_alloc(1, sizeof(*start));
    sigset_t all;
    sigset_t before;
    int r;

    if (start == NULL) {
        return -ERR_NOMEM;
    }
    *start = (struct thread_start){.body = body, .context = context, .place = thread_place()};
    snprintf(start->name, sizeof(start->name), "%s", name);
    if (start->place == NULL) {
        mem_free(start);
        return -ERR_LIMIT;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(ret_thread, NULL, thread_run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0) {
        atomic_store(start->place, 0);
        mem_free(start);
        return -r;
    }
    return 0;
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

int thread_ordinary_priority(void)
{
    return thread_schedule(SCHED_OTHER, 0);
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

void thread_mutex_lock_soon(pthread_mutex_t *mutex)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (pthread_mutex_trylock(mutex) == 0) {
            return;
        }
        for (unsigned j = 0; j < LOCK_PAUSES; j++) {
            atomic_signal_fence(memory_order_seq_cst);
        }
    }
    pthread_mutex_lock(mutex);
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
    for (size_t i = 0; i < THREADS_MAX; i++) {
        if (atomic_load_explicit(&thread_ids[i], memory_order_relaxed) == tid) {
            return true;
        }
    }
    return false;
}
