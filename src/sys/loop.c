/* epoll with timerfd, signalfd and pidfd behind one kind of source. A source freed inside a
 * callback stays allocated until the round of events is over, so that a stale event never meets
 * freed memory. */
#include "sys/loop.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define LOOP_ROUND 64

enum loop_source_kind {
    LOOP_SOURCE_FD,
    LOOP_SOURCE_TIMER,
    LOOP_SOURCE_SIGNAL,
    LOOP_SOURCE_CHILD,
};

struct loop_source {
    struct list node;
    struct loop *loop;
    enum loop_source_kind kind;
    int fd;
    bool is_own_fd;
    bool is_freed;
    bool is_beating; /* a timer with a period */
    int64_t due;     /* of one without, monotonic ns; 0: it waits for nothing */
    int64_t armed;   /* when its descriptor will tell; 0: never */
    pid_t pid;
    void *context;
    union {
        loop_fd_fn *fd;
        loop_timer_fn *timer;
        loop_signal_fn *signal;
        loop_child_fn *child;
    } fn;
};

struct loop {
    int epoll_fd;
    unsigned limit;
    unsigned count;
    bool is_stopped;
    int result;
    struct list sources;
    struct list freed;
};

int loop_new(unsigned limit, struct loop **ret_loop)
{
    struct loop *loop = mem_alloc(1, sizeof(*loop));

    if (loop == NULL) {
        return -ERR_NOMEM;
    }
    loop->limit = limit;
    list_init(&loop->sources);
    list_init(&loop->freed);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        int r = -errno;

        mem_free(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

static void loop_sweep(struct loop *loop)
{
    LIST_EACH (node, &loop->freed) {
        list_remove(node);
        mem_free(LIST_ENTRY(node, struct loop_source, node));
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    LIST_EACH (node, &loop->sources) {
        loop_source_free(LIST_ENTRY(node, struct loop_source, node));
    }
    loop_sweep(loop);
    closep(&loop->epoll_fd);
    mem_free(loop);
}

void loop_freep(struct loop **loop)
{
    loop_free(*loop);
    *loop = NULL;
}

static uint32_t loop_to_epoll(unsigned events)
{
    return ((events & LOOP_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((events & LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static unsigned loop_from_epoll(uint32_t events)
{
    return ((events & EPOLLIN) != 0 ? (unsigned)LOOP_READ : 0) |
           ((events & EPOLLOUT) != 0 ? (unsigned)LOOP_WRITE : 0) |
           ((events & (EPOLLHUP | EPOLLERR)) != 0 ? (unsigned)LOOP_HANGUP : 0);
}

/* Takes the template's descriptor only on success. */
static int loop_add(struct loop *loop, const struct loop_source *template, unsigned events,
                    struct loop_source **ret_source)
{
    struct epoll_event event = {.events = loop_to_epoll(events)};
    struct loop_source *source;

    if (loop->count >= loop->limit) {
        return -ERR_LIMIT;
    }
    source = mem_alloc(1, sizeof(*source));
    if (source == NULL) {
        return -ERR_NOMEM;
    }
    *source = *template;
    source->loop = loop;
    list_init(&source->node);
    event.data.ptr = source;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) != 0) {
        int r = -errno;

        mem_free(source);
        return r;
    }
    list_append(&loop->sources, &source->node);
    loop->count++;
    if (ret_source != NULL) {
        *ret_source = source;
    }
    return 0;
}

int loop_add_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn, void *context,
                struct loop_source **ret_source)
{
    struct loop_source source = {.kind = LOOP_SOURCE_FD, .fd = fd, .context = context, .fn.fd = fn};

    return loop_add(loop, &source, events, ret_source);
}

int loop_source_set_events(struct loop_source *source, unsigned events)
{
    struct epoll_event event = {.events = loop_to_epoll(events), .data.ptr = source};

    return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) == 0 ? 0 : -errno;
}

/* Adds a source whose descriptor the loop made and therefore closes. */
static int loop_add_own(struct loop *loop, struct loop_source *source,
                        struct loop_source **ret_source)
{
    int r;

    if (source->fd < 0) {
        return -errno;
    }
    source->is_own_fd = true;
    r = loop_add(loop, source, LOOP_READ, ret_source);
    if (r < 0) {
        closep(&source->fd);
    }
    return r;
}

int loop_add_timer(struct loop *loop, loop_timer_fn *fn, void *context,
                   struct loop_source **ret_source)
{
    struct loop_source source = {.kind = LOOP_SOURCE_TIMER, .context = context, .fn.timer = fn};

    source.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return loop_add_own(loop, &source, ret_source);
}

static struct timespec loop_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

/* By the clock that timerfd goes by, which stands still while the machine sleeps. */
static int64_t loop_now(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int loop_arm(const struct loop_source *source, int64_t delay_ns, int64_t period_ns)
{
    struct itimerspec when = {.it_value = loop_timespec(delay_ns),
                              .it_interval = loop_timespec(period_ns)};

    if (delay_ns == 0 && period_ns != 0) {
        when.it_value = when.it_interval;
    }
    return timerfd_settime(source->fd, 0, &when, NULL) == 0 ? 0 : -errno;
}

/* Most timers are put off or dropped before they ring, and telling the kernel so costs a virtual
 * machine microseconds: those are left to ring too early, once. */
int loop_source_set_timer(struct loop_source *source, int64_t delay_ns, int64_t period_ns)
{
    bool must_stop = source->is_beating;
    int64_t now = loop_now();
    int r;

    source->is_beating = period_ns != 0;
    source->due = 0;
    if (!source->is_beating && delay_ns != 0) {
        source->due = delay_ns < INT64_MAX - now ? now + delay_ns : INT64_MAX;
    }
    if (!source->is_beating && !must_stop &&
        (source->due == 0 || (source->armed != 0 && source->armed <= source->due))) {
        return 0;
    }
    r = loop_arm(source, delay_ns, period_ns);
    source->armed = r == 0 ? source->due : 0;
    return r;
}

int loop_add_signal(struct loop *loop, int signal, loop_signal_fn *fn, void *context)
{
    struct loop_source source = {.kind = LOOP_SOURCE_SIGNAL, .context = context, .fn.signal = fn};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) {
        return -ERR_INVAL;
    }
    source.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return loop_add_own(loop, &source, NULL);
}

int loop_add_child(struct loop *loop, pid_t pid, loop_child_fn *fn, void *context)
{
    struct loop_source source = {
        .kind = LOOP_SOURCE_CHILD, .pid = pid, .context = context, .fn.child = fn};

    source.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return loop_add_own(loop, &source, NULL);
}

void loop_source_free(struct loop_source *source)
{
    if (source == NULL || source->is_freed) {
        return;
    }
    source->is_freed = true;
    (void)epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    if (source->is_own_fd) {
        closep(&source->fd);
    }
    source->loop->count--;
    list_remove(&source->node);
    list_append(&source->loop->freed, &source->node);
}

static void loop_dispatch_signal(struct loop_source *source)
{
    struct signalfd_siginfo info;

    while (!source->is_freed && read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        source->fn.signal(source->context, (int)info.ssi_signo);
    }
}

static void loop_dispatch_child(struct loop_source *source)
{
    loop_child_fn *fn = source->fn.child;
    void *context = source->context;
    pid_t pid = source->pid;
    int status = 0;

    if (waitpid(pid, &status, WNOHANG) == 0) {
        return;
    }
    loop_source_free(source);
    fn(context, pid, status);
}

static void loop_dispatch_timer(struct loop_source *source)
{
    uint64_t expirations;
    int64_t early;

    if (read(source->fd, &expirations, sizeof(expirations)) != (ssize_t)sizeof(expirations)) {
        return;
    }
    if (!source->is_beating) {
        source->armed = 0;
        if (source->due == 0) {
            return;
        }
        early = source->due - loop_now();
        if (early > 0 && loop_arm(source, early, 0) == 0) {
            source->armed = source->due;
            return;
        }
        source->due = 0;
    }
    source->fn.timer(source->context);
}

static void loop_dispatch(struct loop_source *source, uint32_t events)
{
    if (source->is_freed) {
        return;
    }
    switch (source->kind) {
    case LOOP_SOURCE_FD:
        source->fn.fd(source->context, source->fd, loop_from_epoll(events));
        break;
    case LOOP_SOURCE_TIMER:
        loop_dispatch_timer(source);
        break;
    case LOOP_SOURCE_SIGNAL:
        loop_dispatch_signal(source);
        break;
    case LOOP_SOURCE_CHILD:
        loop_dispatch_child(source);
        break;
    }
}

int loop_step(struct loop *loop, int timeout_ms)
{
    struct epoll_event events[LOOP_ROUND];
    int count = epoll_wait(loop->epoll_fd, events, LOOP_ROUND, timeout_ms);

    if (count < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    for (int i = 0; i < count; i++) {
        loop_dispatch(events[i].data.ptr, events[i].events);
    }
    loop_sweep(loop);
    return 0;
}

int loop_run(struct loop *loop)
{
    loop->is_stopped = false;
    while (!loop->is_stopped) {
        int r = loop_step(loop, -1);

        if (r < 0) {
            return r;
        }
    }
    return loop->result;
}

void loop_stop(struct loop *loop, int result)
{
    loop->is_stopped = true;
    loop->result = result;
}
