/* Rows are threads. At most one is being asked about or inside a removal; the others wait in line,
 * so that many workers cannot remove at once. A thread that only computes is let loose again after
 * LEASH_CALLS calls: what it removes later is seen after the fact, and may bring it back. */
#include "agent/leash.h"

#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/sandbox.h"
#include "sys/thread.h"
#include "sys/trace.h"

#include <dirent.h>
#include <linux/capability.h>
#include <signal.h>

#define LEASH_THREADS  256
#define LEASH_CALLS    2000
#define LEASH_STAND_NS (400 * NS_PER_MS) /* that one may stand, or be inside one removal */
#define LEASH_LONG_NS  (5 * NS_PER_S)    /* that one may stand while the sensor is at work */
#define LEASH_TICK_NS  (100 * NS_PER_MS)

enum tether_state {
    TETHER_STATE_FREE,
    TETHER_STATE_RUNS,
    TETHER_STATE_WAITS,   /* stands in line */
    TETHER_STATE_ASKED,   /* stands; the sensor has been asked */
    TETHER_STATE_REMOVES, /* inside the call it was let into */
    TETHER_STATE_RESTS,   /* stopped by a signal */
};

struct tether {
    enum tether_state state;
    pid_t tid;
    pid_t pid;
    uint64_t start;
    bool is_new;     /* has not stood yet since it was seized */
    bool is_entry;   /* stands before a call */
    bool is_leaving; /* let loose at its next stop */
    unsigned calls;  /* since its last removal */
    int64_t since;   /* of the present state, ns */
    uint64_t turn;   /* order in line */
};

struct leash {
    int sensor;
    struct loop *loop;
    struct loop_source *tick;
    struct tether tethers[LEASH_THREADS];
    size_t count;
    uint64_t turns;
    int64_t heard; /* ns, the sensor's last message */
    struct channel_packet packet;
    struct msg_writer msg;
};

static struct tether *leash_find(struct leash *leash, pid_t tid)
{
    for (size_t i = 0; i < LEASH_THREADS; i++) {
        if (leash->tethers[i].state != TETHER_STATE_FREE && leash->tethers[i].tid == tid) {
            return &leash->tethers[i];
        }
    }
    return NULL;
}

static struct tether *leash_of_process(struct leash *leash, pid_t pid)
{
    for (size_t i = 0; i < LEASH_THREADS; i++) {
        if (leash->tethers[i].state != TETHER_STATE_FREE && leash->tethers[i].pid == pid) {
            return &leash->tethers[i];
        }
    }
    return NULL;
}

static void leash_set(struct tether *tether, enum tether_state state)
{
    tether->state = state;
    tether->since = clock_mono(&clock_real);
}

static struct tether *leash_add(struct leash *leash, pid_t tid, pid_t pid, uint64_t start)
{
    for (size_t i = 0; i < LEASH_THREADS; i++) {
        struct tether *tether = &leash->tethers[i];

        if (tether->state == TETHER_STATE_FREE) {
            *tether = (struct tether){.tid = tid, .pid = pid, .start = start};
            leash_set(tether, TETHER_STATE_RUNS);
            if (leash->count++ == 0) {
                (void)!loop_source_set_timer(leash->tick, LEASH_TICK_NS, LEASH_TICK_NS);
            }
            return tether;
        }
    }
    return NULL;
}

static void leash_send(struct leash *leash, enum agent_message type, const struct tether *tether)
{
    msg_begin(&leash->msg, type);
    if (type == AGENT_MESSAGE_STANDS) {
        msg_put_u32(&leash->msg, (uint32_t)tether->tid);
    }
    msg_put_u32(&leash->msg, (uint32_t)tether->pid);
    msg_put_u64(&leash->msg, tether->start);
    (void)!channel_send(leash->sensor, &leash->msg, NULL, 0); /* unheard: the tick lets it go */
}

/* The row is free afterwards; the sensor hears of it with the last thread. */
static void leash_drop(struct leash *leash, struct tether *tether)
{
    struct tether gone = *tether;

    tether->state = TETHER_STATE_FREE;
    if (--leash->count == 0) {
        (void)!loop_source_set_timer(leash->tick, 0, 0);
    }
    if (leash_of_process(leash, gone.pid) == NULL) {
        leash_send(leash, AGENT_MESSAGE_IS_LOOSE, &gone);
    }
}

static bool leash_stands(const struct tether *tether)
{
    return tether->state == TETHER_STATE_WAITS || tether->state == TETHER_STATE_ASKED;
}

/* A standing thread goes for good. */
static void leash_let_loose(struct leash *leash, struct tether *tether, int signal)
{
    (void)!trace_release(tether->tid, tether->is_entry, signal);
    leash_drop(leash, tether);
}

static void leash_loose_process(struct leash *leash, pid_t pid)
{
    for (size_t i = 0; i < LEASH_THREADS; i++) {
        struct tether *tether = &leash->tethers[i];

        if (tether->state == TETHER_STATE_FREE || tether->pid != pid) {
            continue;
        }
        if (leash_stands(tether)) {
            leash_let_loose(leash, tether, 0);
        } else {
            tether->is_leaving = true;
            (void)!trace_interrupt(tether->tid); /* wakes one at rest too */
        }
    }
}

static void leash_run_on(struct leash *leash, struct tether *tether, int signal)
{
    if (trace_next(tether->tid, signal) < 0) {
        leash_drop(leash, tether); /* killed while it stood: GONE follows and finds no row */
        return;
    }
    leash_set(tether, TETHER_STATE_RUNS);
}

/* Asks about the next in line when nobody is in turn. */
static void leash_ask_next(struct leash *leash)
{
    struct tether *next = NULL;

    for (size_t i = 0; i < LEASH_THREADS; i++) {
        struct tether *tether = &leash->tethers[i];

        if (tether->state == TETHER_STATE_ASKED || tether->state == TETHER_STATE_REMOVES) {
            return;
        }
        if (tether->state == TETHER_STATE_WAITS && (next == NULL || tether->turn < next->turn)) {
            next = tether;
        }
    }
    if (next != NULL) {
        leash_set(next, TETHER_STATE_ASKED);
        leash_send(leash, AGENT_MESSAGE_STANDS, next);
    }
}

static void leash_stand(struct leash *leash, struct tether *tether, bool is_entry)
{
    tether->is_new = false;
    tether->is_entry = is_entry;
    tether->turn = leash->turns++;
    leash_set(tether, TETHER_STATE_WAITS);
}

/* A thread or child that one of ours has just made. */
static struct tether *leash_meet(struct leash *leash, pid_t tid)
{
    struct process_info info;

    if (process_read(tid, &info) < 0) {
        return NULL;
    }
    return leash_add(leash, tid, info.pid, info.start);
}

static void leash_on_entry(struct leash *leash, struct tether *tether, bool is_removal)
{
    if (is_removal) {
        tether->calls = 0;
        leash_stand(leash, tether, true);
    } else if (++tether->calls > LEASH_CALLS) {
        leash_stand(leash, tether, false); /* it has no reason to stop: the call goes on */
        leash_loose_process(leash, tether->pid);
    } else {
        leash_run_on(leash, tether, 0);
    }
}

static void leash_on_stop(struct leash *leash, const struct trace_event *event)
{
    struct tether *tether = leash_find(leash, event->tid);

    if (event->stop == TRACE_STOP_GONE) {
        if (tether != NULL) {
            leash_drop(leash, tether);
        }
        return;
    }
    if (tether == NULL) {
        tether = leash_meet(leash, event->tid);
    }
    if (tether == NULL) { /* no room, or dying: not held */
        (void)!trace_release(event->tid, false, event->signal);
        return;
    }
    if (tether->is_leaving) {
        tether->is_entry = event->stop == TRACE_STOP_ENTRY;
        leash_let_loose(leash, tether, event->signal);
        return;
    }
    switch (event->stop) {
    case TRACE_STOP_ENTRY:
        leash_on_entry(leash, tether, event->is_removal);
        break;
    case TRACE_STOP_REST:
        leash_set(tether, TETHER_STATE_RESTS);
        (void)!trace_rest(tether->tid);
        break;
    case TRACE_STOP_OTHER:
        if (tether->is_new) {
            leash_stand(leash, tether, false);
            break;
        }
        leash_run_on(leash, tether, 0);
        break;
    case TRACE_STOP_EXIT:
    case TRACE_STOP_SIGNAL:
    case TRACE_STOP_GONE:
    default:
        leash_run_on(leash, tether, event->signal);
        break;
    }
}

static void leash_on_child(void *context, int signal)
{
    struct leash *leash = context;
    struct trace_event event;

    (void)signal;
    while (trace_wait(&event) == 0) {
        leash_on_stop(leash, &event);
    }
    leash_ask_next(leash);
}

/* Seizes one thread; false when there is no room for more. */
static bool leash_seize(struct leash *leash, pid_t tid, pid_t pid, uint64_t start)
{
    struct tether *tether;

    if (trace_seize(tid) < 0) {
        return true;
    }
    tether = leash_add(leash, tid, pid, start);
    if (tether == NULL) {
        return false; /* it is let go at its first stop */
    }
    tether->is_new = true;
    return true;
}

/* The first thread at once, since each microsecond counts; then the others. What they make
 * meanwhile comes along by itself. */
static void leash_hold(struct leash *leash, pid_t pid, uint64_t start)
{
    struct tether stranger = {.pid = pid, .start = start};
    bool has_room = leash_of_process(leash, pid) != NULL || leash_seize(leash, pid, pid, start);
    CLEANUP(closep) int pidfd = process_open(pid, start);
    char path[64];
    const struct dirent *entry;
    DIR *tasks;

    if (pidfd < 0) { /* another with the same number, which was not meant */
        leash_loose_process(leash, pid);
        has_room = false;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    tasks = has_room ? opendir(path) : NULL;
    while (tasks != NULL && has_room && (entry = readdir(tasks)) != NULL) {
        int64_t tid;

        if (str_to_i64(str_from(entry->d_name), &tid) == 0 &&
            leash_find(leash, (pid_t)tid) == NULL) {
            has_room = leash_seize(leash, (pid_t)tid, pid, start);
        }
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    if (leash_of_process(leash, pid) == NULL) {
        leash_send(leash, AGENT_MESSAGE_IS_LOOSE, &stranger);
    }
}

static void leash_go(struct leash *leash, pid_t tid)
{
    struct tether *tether = leash_find(leash, tid);

    if (tether == NULL || tether->state != TETHER_STATE_ASKED) {
        return; /* too late: it was let go already */
    }
    leash_run_on(leash, tether, 0);
    if (tether->state == TETHER_STATE_RUNS && tether->is_entry) {
        leash_set(tether, TETHER_STATE_REMOVES);
    }
}

static void leash_take(struct leash *leash, struct msg_reader *msg)
{
    pid_t pid = (pid_t)msg_get_u32(msg);
    uint64_t start = msg->type != AGENT_MESSAGE_GO ? msg_get_u64(msg) : 0;
    const struct tether *known;

    if (msg_close(msg) < 0) {
        return;
    }
    leash->heard = clock_mono(&clock_real);
    switch (msg->type) {
    case AGENT_MESSAGE_HOLD:
        leash_hold(leash, pid, start);
        break;
    case AGENT_MESSAGE_GO:
        leash_go(leash, pid);
        break;
    case AGENT_MESSAGE_LOOSE:
        known = leash_of_process(leash, pid);
        if (known != NULL && known->start == start) {
            leash_loose_process(leash, pid);
        }
        break;
    case AGENT_MESSAGE_WEIGHS:
    default:
        break;
    }
}

static void leash_on_message(void *context, int fd, unsigned events)
{
    struct leash *leash = context;

    (void)events;
    while (channel_receive(fd, &leash->packet) == 0) {
        leash_take(leash, &leash->packet.msg);
        channel_packet_done(&leash->packet);
    }
    leash_ask_next(leash);
}

/* Nobody answers, or a call takes long: nothing may stand still because of us. On a crowded machine
 * weighing takes long too: whoever is let go meanwhile removes all the rest. */
static void leash_on_tick(void *context)
{
    struct leash *leash = context;
    int64_t now = clock_mono(&clock_real);
    int64_t patience = now - leash->heard < LEASH_STAND_NS ? LEASH_LONG_NS : LEASH_STAND_NS;

    for (size_t i = 0; i < LEASH_THREADS; i++) {
        struct tether *tether = &leash->tethers[i];

        if (tether->state == TETHER_STATE_FREE || now - tether->since < LEASH_STAND_NS) {
            continue;
        }
        if (leash_stands(tether) && now - tether->since >= patience) {
            leash_loose_process(leash, tether->pid);
        } else if (tether->state == TETHER_STATE_REMOVES) {
            tether->state = TETHER_STATE_RUNS;
        }
    }
    leash_ask_next(leash);
}

static void leash_on_end(void *context, int signal)
{
    struct leash *leash = context;

    (void)signal;
    loop_stop(leash->loop, 0); /* the kernel lets go of everything */
}

static int leash_listen(struct leash *leash)
{
    int r = loop_new(8, &leash->loop);

    if (r == 0) {
        r = loop_add_signal(leash->loop, SIGCHLD, leash_on_child, leash);
    }
    if (r == 0) {
        r = loop_add_signal(leash->loop, SIGTERM, leash_on_end, leash);
    }
    if (r == 0) {
        r = loop_add_timer(leash->loop, leash_on_tick, leash, &leash->tick);
    }
    return r == 0
               ? loop_add_fd(leash->loop, leash->sensor, LOOP_READ, leash_on_message, leash, NULL)
               : r;
}

/* Landlock is off: a process inside it may trace only what is inside with it. */
static int leash_drop_rights(const struct leash_config *config, struct diag *diag)
{
    static const int capabilities[] = {CAP_SYS_PTRACE, CAP_SYS_NICE};
    const struct sandbox sandbox = {.user = config->user,
                                    .capabilities = capabilities,
                                    .capability_count = ARRAY_LEN(capabilities),
                                    .is_landlock_off = true,
                                    .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_LOOK |
                                             SANDBOX_CALLS_TRACE};

    return sandbox_enter(&sandbox, NULL, diag);
}

int leash_run(const struct leash_config *config)
{
    struct leash *leash = mem_alloc(1, sizeof(*leash));
    struct diag diag = {0};
    int r = -ERR_NOMEM;

    log_init("leash", LOG_LEVEL_INFO);
    if (leash != NULL) {
        leash->sensor = config->sensor;
        r = leash_drop_rights(config, &diag);
    }
    if (r == 0) {
        (void)!thread_raise_priority(3);
        r = leash_listen(leash);
    }
    if (r == 0) {
        r = loop_run(leash->loop);
    }
    if (r < 0) {
        log_error("%s", diag_text(&diag, r));
    }
    if (leash != NULL) {
        loop_free(leash->loop);
    }
    mem_free(leash);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
