/* The loop and the way out. Neighbours: logs.c and journal.c before, agent/link.c behind. */
#include "agent/follower.h"

#include "agent/protocol.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "model/record.h"
#include "sys/channel.h"
#include "sys/process.h"

#include <linux/sockios.h>
#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>

#define FOLLOWER_SOURCES 8
#define FOLLOWER_OUTBOX  (64U << 10)
#define FOLLOWER_NICE    5
#define FOLLOWER_TICK_NS (200 * NS_PER_MS)
#define DRAIN_STEP_MS    20
#define PLACE_ROOM       128 /* of what stands around the records of a message */

void follower_init(struct follower *follower, const char *name, int supervisor, int outlet)
{
    *follower = (struct follower){.name = name, .outlet = outlet};
    buf_init(&follower->record, RECORD_SIZE_MAX);
    outbox_init(&follower->supervisor, supervisor, FOLLOWER_OUTBOX, NULL);
    outbox_init(&follower->numbers, -1, 0, NULL);
}

void follower_done(struct follower *follower)
{
    outbox_done(&follower->supervisor);
    outbox_done(&follower->numbers);
    loop_freep(&follower->loop);
    buf_done(&follower->record);
}

static void follower_take_turn(struct follower *follower)
{
    bool has_more = follower->read(follower->context);

    if (loop_source_set_events(follower->outlet_source,
                               follower->is_full || has_more ? LOOP_WRITE : 0) < 0) {
        loop_stop(follower->loop, -ERR_IO);
    }
}

static void follower_on_outlet(void *context, int fd, unsigned events)
{
    struct follower *follower = context;

    (void)fd;
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(follower->loop, 0);
        return;
    }
    follower->is_full = false;
    follower_take_turn(follower);
}

static void follower_on_supervisor(void *context, int fd, unsigned events)
{
    struct follower *follower = context;

    (void)fd;
    if ((events & LOOP_WRITE) != 0) {
        outbox_flush(&follower->supervisor);
    }
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(follower->loop, 0);
    }
}

static void follower_on_end(void *context, int signal)
{
    struct follower *follower = context;

    (void)signal;
    (void)follower->read(follower->context);
    loop_stop(follower->loop, 0);
}

static void follower_on_tick(void *context)
{
    struct follower *follower = context;

    if (!follower->is_full) {
        follower_take_turn(follower);
    }
}

static int follower_listen(struct follower *follower)
{
    struct loop_source *tick = NULL;
    int r = loop_new(FOLLOWER_SOURCES, &follower->loop);

    if (r == 0) {
        r = loop_add_fd(follower->loop, follower->supervisor.channel, LOOP_READ,
                        follower_on_supervisor, follower, &follower->supervisor.source);
    }
    if (r == 0) {
        r = loop_add_fd(follower->loop, follower->outlet, 0, follower_on_outlet, follower,
                        &follower->outlet_source);
    }
    if (r == 0) {
        r = loop_add_timer(follower->loop, follower_on_tick, follower, &tick);
    }
    if (r == 0) {
        r = loop_source_set_timer(tick, FOLLOWER_TICK_NS, FOLLOWER_TICK_NS);
    }
    return r == 0 ? loop_add_signal(follower->loop, SIGTERM, follower_on_end, follower) : r;
}

int follower_wait_for_outlet(const struct follower *follower)
{
    struct loop *loop = NULL;
    int waiting = 0;
    int r = loop_new(1, &loop);

    while (r >= 0 && ioctl(follower->outlet, SIOCOUTQ, &waiting) == 0 && waiting != 0) {
        r = loop_step(loop, DRAIN_STEP_MS);
    }
    loop_freep(&loop);
    return r < 0 ? r : 0;
}

static void follower_say_ready(struct follower *follower, unsigned missing)
{
    msg_begin(&follower->msg, AGENT_MESSAGE_READY);
    msg_put_str(&follower->msg, str_from(follower->name));
    msg_put_u32(&follower->msg, missing);
    outbox_send(&follower->supervisor, &follower->msg);
}

int follower_start(struct follower *follower, struct sandbox *sandbox, struct diag *diag)
{
    unsigned missing = 0;
    int r = follower_listen(follower);

    (void)!process_set_nice(FOLLOWER_NICE);
    if (geteuid() == 0) {
        sandbox->user = getpwnam(FOLLOWER_USER) != NULL ? FOLLOWER_USER : "nobody";
    }
    r = r < 0 ? r : sandbox_enter(sandbox, &missing, diag);
    if (r == 0) {
        follower_say_ready(follower, missing);
    }
    return r;
}

int follower_run(struct follower *follower)
{
    return loop_run(follower->loop);
}

void follower_end(struct follower *follower)
{
    loop_stop(follower->loop, 0);
}

static int follower_seal(struct follower *follower, struct position *taken)
{
    const struct position *position = &follower->behind;
    int r;

    msg_put_u32(&follower->msg, 0);
    msg_put_u64(&follower->msg, position->log);
    msg_put_u64(&follower->msg, position->dev);
    msg_put_u64(&follower->msg, position->ino);
    msg_put_u64(&follower->msg, position->offset);
    msg_put_u64(&follower->msg, position->mark);
    follower->waiting = 0;
    r = msg_end(&follower->msg);
    r = r < 0 ? r : channel_send(follower->outlet, &follower->msg, NULL, 0);
    if (r == 0) {
        *taken = *position;
    }
    return r;
}

static void follower_begin(struct follower *follower)
{
    msg_begin(&follower->msg, AGENT_MESSAGE_LOG);
    msg_put_u64(&follower->msg, outbox_number(&follower->numbers));
}

int follower_put(struct follower *follower, const struct event *event,
                 const struct position *position, struct position *taken)
{
    const struct record record = {.kind = RECORD_KIND_EVENT, .event = *event};
    int r;

    buf_reset(&follower->record);
    record_encode(&record, &follower->record);
    r = buf_error(&follower->record);
    if (r == 0 && follower->waiting != 0 &&
        follower->msg.len + follower->record.len > MSG_SIZE_MAX - PLACE_ROOM) {
        r = follower_flush(follower, taken);
    }
    if (r < 0) {
        return r;
    }
    if (follower->waiting++ == 0) {
        follower_begin(follower);
    } else {
        (void)outbox_number(&follower->numbers);
    }
    msg_put_u32(&follower->msg, 1);
    msg_put_str(&follower->msg, buf_str(&follower->record));
    follower->behind = *position;
    return 0;
}

int follower_flush(struct follower *follower, struct position *taken)
{
    return follower->waiting != 0 ? follower_seal(follower, taken) : 0;
}

void follower_drop(struct follower *follower)
{
    follower->waiting = 0;
}

int follower_send(struct follower *follower, const struct event *event,
                  const struct position *position)
{
    struct position taken;
    int r = 0;

    follower_drop(follower);
    if (event != NULL) {
        r = follower_put(follower, event, position, &taken);
    } else {
        follower_begin(follower);
        follower->behind = *position;
    }
    return r < 0 ? r : follower_seal(follower, &taken);
}
