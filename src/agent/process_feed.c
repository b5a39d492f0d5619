/* Two buffers take turns: the names thread fills one under the lock, the owner empties the other
 * without it. The programs of running processes lie in a table indexed by the low bits of the pid:
 * a row that was taken by another process costs a look into /proc for a parent, or the end of one
 * process. */
#include "agent/process_feed.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "sys/process.h"
#include "sys/user.h"

#include <pthread.h>

#define FEED_WAITING_MAX (4U << 20) /* bytes */
#define FEED_PROGRAMS    8192U
#define FEED_PATH_MAX    256
#define FEED_TELL_NS     (10 * NS_PER_S) /* what was cut is told no oftener */

struct feed_program {
    int32_t pid; /* 0: none */
    char path[FEED_PATH_MAX];
};

struct process_feed {
    struct process_feed_config config;
    pthread_mutex_t lock; /* waiting, overflow */
    struct buf waiting;
    uint64_t overflow;

    /* owner's thread only */
    struct buf taken;
    int64_t second; /* start of the one that is counted */
    unsigned sent;  /* in it */
    uint64_t cut;
    uint64_t told; /* of process_feed_dropped */
    int64_t told_at;
    char path[PROCESS_PATH_MAX]; /* that /proc told last */
    struct feed_program programs[FEED_PROGRAMS];
};

int process_feed_new(const struct process_feed_config *config, struct process_feed **ret_feed)
{
    struct process_feed *feed = mem_alloc(1, sizeof(*feed));

    if (feed == NULL) {
        return -ERR_NOMEM;
    }
    feed->config = *config;
    feed->second = clock_mono(config->clock);
    feed->told_at = feed->second - FEED_TELL_NS;
    (void)pthread_mutex_init(&feed->lock, NULL);
    buf_init(&feed->waiting, FEED_WAITING_MAX);
    buf_init(&feed->taken, FEED_WAITING_MAX);
    *ret_feed = feed;
    return 0;
}

void process_feed_free(struct process_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    buf_done(&feed->waiting);
    buf_done(&feed->taken);
    (void)pthread_mutex_destroy(&feed->lock);
    mem_free(feed);
}

void process_feed_put(struct process_feed *feed, const struct procwatch_event *event)
{
    size_t size = sizeof(*event) + event->executable.len + event->arguments.len;

    if (event->kind == PROCWATCH_FORK || page_is_own(feed->config.page, event->pid)) {
        return;
    }
    pthread_mutex_lock(&feed->lock);
    if (buf_str(&feed->waiting).len + size >= FEED_WAITING_MAX ||
        buf_reserve(&feed->waiting, size) == NULL) {
        feed->overflow++;
    } else {
        (void)buf_put(&feed->waiting, event, sizeof(*event)); /* its two texts follow */
        (void)buf_put_str(&feed->waiting, event->executable);
        (void)buf_put_str(&feed->waiting, event->arguments);
    }
    pthread_mutex_unlock(&feed->lock);
}

static struct feed_program *feed_program(struct process_feed *feed, int32_t pid)
{
    return &feed->programs[(uint32_t)pid % FEED_PROGRAMS];
}

/* The path by which a program was started may be relative to a folder that only /proc still knows.
 */
static void feed_remember(struct process_feed *feed, const struct procwatch_event *event)
{
    struct feed_program *program = feed_program(feed, event->pid);
    struct str path = event->executable;

    if (!str_has_prefix(path, STR("/"))) {
        process_read_program(event->pid, feed->path);
        path = feed->path[0] != '\0' ? str_from(feed->path) : path;
    }
    program->pid = event->pid;
    (void)snprintf(program->path, sizeof(program->path), "%.*s", STR_ARG(path));
}

/* "" when it is not known any more. */
static struct str feed_path_of(struct process_feed *feed, int32_t pid)
{
    const struct feed_program *program = feed_program(feed, pid);

    if (program->pid == pid) {
        return str_from(program->path);
    }
    if (pid <= 0) {
        return STR("");
    }
    process_read_program(pid, feed->path);
    return str_from(feed->path);
}

static void feed_fill_start(struct process_feed *feed, const struct procwatch_event *from,
                            char user[USER_NAME_MAX], struct event *event)
{
    (void)event_add_text(event, EVENT_FIELD_PROCESS_EXECUTABLE,
                         str_from(feed_program(feed, from->pid)->path));
    (void)event_add_text(event, EVENT_FIELD_PROCESS_COMMAND_LINE, from->arguments);
    (void)event_add_number(event, EVENT_FIELD_USER_ID, from->uid);
    if (user_name(from->uid, user, USER_NAME_MAX) == 0) {
        (void)event_add_text(event, EVENT_FIELD_USER_NAME, str_from(user));
    }
    if (from->ppid != 0) {
        (void)event_add_number(event, EVENT_FIELD_PROCESS_PARENT_PID, from->ppid);
        (void)event_add_text(event, EVENT_FIELD_PROCESS_PARENT_EXECUTABLE,
                             feed_path_of(feed, from->ppid));
    }
}

/* As a shell tells it: the status, or 128 and the signal. */
static int64_t feed_exit_code(int32_t wait_status)
{
    int signal = wait_status & 0x7f;

    return signal != 0 ? 128 + signal : (wait_status >> 8) & 0xff;
}

static bool feed_may_send(struct process_feed *feed)
{
    int64_t now = clock_mono(feed->config.clock);

    if (now - feed->second >= NS_PER_S) {
        feed->second = now;
        feed->sent = 0;
    }
    if (feed->sent == PROCESS_FEED_RATE) {
        feed->cut++;
        return false;
    }
    feed->sent++;
    return true;
}

static void feed_send_event(struct process_feed *feed, const struct procwatch_event *from)
{
    struct feed_program *program = feed_program(feed, from->pid);
    bool is_start = from->kind == PROCWATCH_START;
    struct record record = {.kind = RECORD_KIND_EVENT};
    struct event *event = &record.event;
    char user[USER_NAME_MAX];

    if (!is_start && program->pid != from->pid) {
        return; /* it never started a program of its own, or did before we watched */
    }
    if (feed_may_send(feed)) {
        event_init(event, is_start ? EVENT_KIND_PROCESS_START : EVENT_KIND_PROCESS_END, from->time);
        (void)event_add_number(event, EVENT_FIELD_PROCESS_PID, from->pid);
        if (is_start) {
            feed_remember(feed, from);
            feed_fill_start(feed, from, user, event);
        } else {
            (void)event_add_text(event, EVENT_FIELD_PROCESS_EXECUTABLE, str_from(program->path));
            (void)event_add_number(event, EVENT_FIELD_PROCESS_EXIT_CODE,
                                   feed_exit_code(from->exit_status));
        }
        feed->config.record(feed->config.context, &record);
    } else if (is_start && program->pid == from->pid) {
        program->pid = 0; /* what it ran before is not what it runs now */
    }
    if (!is_start) {
        program->pid = 0;
    }
}

uint64_t process_feed_dropped(const struct process_feed *feed)
{
    struct process_feed *locked = (struct process_feed *)(uintptr_t)feed;
    uint64_t dropped = feed->cut;

    pthread_mutex_lock(&locked->lock);
    dropped += feed->overflow;
    pthread_mutex_unlock(&locked->lock);
    return dropped + (feed->config.watch != NULL ? procwatch_lost(feed->config.watch) : 0);
}

static void feed_tell_loss(struct process_feed *feed)
{
    int64_t now = clock_mono(feed->config.clock);
    uint64_t dropped = process_feed_dropped(feed);
    struct record record = {.kind = RECORD_KIND_EVENT};

    if (dropped == feed->told || now - feed->told_at < FEED_TELL_NS) {
        return;
    }
    event_init(&record.event, EVENT_KIND_AGENT, clock_wall(feed->config.clock));
    (void)event_add_text(&record.event, EVENT_FIELD_EVENT_SOURCE, STR("processes"));
    (void)event_add_number(&record.event, EVENT_FIELD_EVENT_COUNT_LOST,
                           (int64_t)(dropped - feed->told));
    (void)event_add_text(
        &record.event, EVENT_FIELD_MESSAGE,
        str_from(N_("More processes started and ended than can be told; some were left out")));
    feed->config.record(feed->config.context, &record);
    feed->told = dropped;
    feed->told_at = now;
}

void process_feed_send(struct process_feed *feed)
{
    struct buf empty = feed->taken;
    struct str rest;

    pthread_mutex_lock(&feed->lock);
    feed->taken = feed->waiting;
    feed->waiting = empty;
    pthread_mutex_unlock(&feed->lock);
    rest = buf_str(&feed->taken);
    while (rest.len >= sizeof(struct procwatch_event)) {
        struct procwatch_event event;

        memcpy(&event, rest.ptr, sizeof(event));
        event.executable.ptr = rest.ptr + sizeof(event);
        event.arguments.ptr = event.executable.ptr + event.executable.len;
        rest.ptr = event.arguments.ptr + event.arguments.len;
        rest.len -= sizeof(event) + event.executable.len + event.arguments.len;
        feed_send_event(feed, &event);
    }
    buf_reset(&feed->taken);
    feed_tell_loss(feed);
}
