/* The receiver's process: see centre/receiver.h. Invariants: rights are given up before the first
 * byte is read; every descriptor that it reads was open before that, or came over a channel; a
 * batch is forgotten only when core has said that it is durable. */
#include "centre/receiver.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/confine.h"
#include "centre/protocol.h"
#include "centre/receiver/body.h"
#include "cli/command.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#define MEMORY_MORE  (512ULL << 20) /* beyond what is mapped at the start: queue and streams */
#define FILES_SPARE  64
#define TICK         NS_PER_S
#define HURRY        (5 * NS_PER_MS) /* entries wait for others so long, not to go one by one */
#define END_PATIENCE (3 * NS_PER_S)  /* for what is here to be handed over */

static int receiver_enter(const struct receiver_options *options)
{
    const struct sandbox sandbox = {
        .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_ACCEPT,
        .memory_more = MEMORY_MORE,
        .file_limit = RECEIVER_STREAMS_MAX + FILES_SPARE,
    };

    return confine_parser("receiver", options->user, &sandbox);
}

/* No name is ever given to it: it goes with the process. */
static int receiver_open_overflow(struct receiver *receiver)
{
    const char *folder = receiver->options->folder;
    int fd = folder != NULL ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

    if (fd < 0 && folder != NULL) {
        log_warn("datagrams that find no room in memory will be dropped: no file could be made "
                 "folder=%s reason=%s",
                 folder, err_text(-errno));
    }
    return overflow_init(&receiver->overflow, fd, RECEIVER_OVERFLOW_SIZE);
}

static void receiver_say_hello(struct receiver *receiver)
{
    receiver->is_greeted = false;
    msg_begin(&receiver->msg, RECEIVER_MESSAGE_HELLO);
    msg_put_u64(&receiver->msg, receiver->queue.life);
    receiver->is_hello_due = channel_send(receiver->options->core, &receiver->msg, NULL, 0) < 0;
}

/* Sends what core's channel takes; the rest when it is writable again. */
static void receiver_pump(struct receiver *receiver)
{
    int r = 0;
    bool is_more;

    if (receiver->is_hello_due) {
        receiver_say_hello(receiver);
    }
    while (r == 0 && receiver->is_greeted &&
           receiver_queue_next(&receiver->queue, &receiver->msg)) {
        r = channel_send(receiver->options->core, &receiver->msg, NULL, 0);
        if (r == 0) {
            receiver_queue_sent(&receiver->queue);
        }
    }
    is_more = receiver->is_hello_due || r == -ERR_AGAIN;
    if (loop_source_set_events(receiver->core, LOOP_READ | (is_more ? LOOP_WRITE : 0U)) < 0) {
        loop_stop(receiver->loop, -ERR_IO);
    }
}

static void on_hurry(void *context)
{
    struct receiver *receiver = context;

    receiver->is_hurried = false;
    if (receiver_queue_close(&receiver->queue) < 0) {
        receiver_hurry(receiver); /* no memory: in a moment perhaps */
    }
    receiver_pump(receiver);
}

void receiver_hurry(struct receiver *receiver)
{
    if (!receiver->is_hurried) {
        receiver->is_hurried = loop_source_set_timer(receiver->hurry, HURRY, 0) == 0;
    }
}

static void receiver_end_if_empty(struct receiver *receiver)
{
    if (receiver->is_ending && receiver_queue_kept(&receiver->queue) == 0 &&
        overflow_is_empty(&receiver->overflow)) {
        loop_stop(receiver->loop, 0);
    }
}

/* Whether pieces of posts are read. */
static void receiver_posts_read(struct receiver *receiver, bool is_read)
{
    is_read = is_read && receiver->is_knowing;
    if (receiver->api == NULL || receiver->is_api_waiting == !is_read) {
        return;
    }
    receiver->is_api_waiting = !is_read;
    if (loop_source_set_events(receiver->api, is_read ? LOOP_READ : 0) < 0) {
        loop_stop(receiver->loop, -ERR_IO);
    }
}

static void on_room(void *context)
{
    struct receiver *receiver = context;

    if (!overflow_is_empty(&receiver->overflow)) {
        receiver_datagrams_drain(receiver);
    }
    if (receiver_queue_has_room(&receiver->queue) && receiver->is_knowing) {
        receiver_streams_resume(receiver);
        receiver_posts_turn(receiver);
        receiver_posts_read(receiver, receiver_posts_have_room(receiver));
    }
    receiver_end_if_empty(receiver);
}

static void on_unpack(void *context)
{
    struct receiver *receiver = context;

    receiver_posts_turn(receiver);
    receiver_posts_read(receiver, receiver_queue_has_room(&receiver->queue) &&
                                      receiver_posts_have_room(receiver));
}

/* What core kept of posts for a process that begins. */
static void receiver_know(struct receiver *receiver, struct msg_reader *msg)
{
    uint64_t life = msg_get_u64(msg);
    uint64_t place = msg_get_u64(msg);
    uint64_t number = msg_get_u64(msg);
    struct str hashes = msg->type == RECEIVER_MESSAGE_KNOWN ? msg_get_str(msg) : STR("");

    if (msg_close(msg) < 0 || receiver->is_knowing || life != receiver->queue.life) {
        return; /* told twice, since it was asked twice; or the one before it was told */
    }
    if (place == 0) { /* core may have died in the midst of telling */
        repeats_clear(&receiver->repeats);
    }
    if (msg->type == RECEIVER_MESSAGE_KNOWN) {
        repeats_add_known(&receiver->repeats, number, hashes, clock_mono(receiver->queue.clock));
        return;
    }
    receiver->is_knowing = true;
    receiver->repeats.seed = number;
}

static void receiver_take(struct receiver *receiver, struct msg_reader *msg)
{
    uint64_t life = msg->type == RECEIVER_MESSAGE_GREETED ? msg_get_u64(msg) : 0;
    uint64_t number = msg_get_u64(msg);

    if (msg_close(msg) < 0) {
        return;
    }
    if (msg->type == RECEIVER_MESSAGE_GREETED &&
        (life != receiver->queue.life || !receiver->is_knowing)) {
        receiver_say_hello(receiver);
    } else if (msg->type == RECEIVER_MESSAGE_GREETED) {
        receiver->is_greeted = true;
        receiver->told = (struct receiver_counts){0}; /* a core that has just started knows none */
        receiver_queue_durable(&receiver->queue, number);
        receiver_queue_rewind(&receiver->queue);
    } else if (msg->type == RECEIVER_MESSAGE_DURABLE && receiver->is_greeted) {
        receiver_queue_durable(&receiver->queue, number);
    }
    receiver_posts_settle(receiver);
    on_room(receiver);
}

static void on_core(void *context, int fd, unsigned events)
{
    struct receiver *receiver = context;

    if ((events & LOOP_READ) != 0 && channel_receive(fd, &receiver->packet) == 0) {
        struct msg_reader *msg = &receiver->packet.msg;

        if (msg->type == RECEIVER_MESSAGE_KNOWN || msg->type == RECEIVER_MESSAGE_ALL_KNOWN) {
            receiver_know(receiver, msg);
        } else {
            receiver_take(receiver, msg);
        }
        channel_packet_done(&receiver->packet);
    }
    receiver_pump(receiver);
}

static void on_api(void *context, int fd, unsigned events)
{
    struct receiver *receiver = context;

    (void)events;
    if ((!receiver_queue_has_room(&receiver->queue) && !receiver->is_ending) ||
        !receiver->is_knowing || !receiver_posts_have_room(receiver)) {
        receiver_posts_read(receiver, false); /* until core has kept some, or some is unpacked */
    } else if (channel_receive(fd, &receiver->packet) == 0) {
        receiver_posts_take(receiver, &receiver->packet.msg);
        channel_packet_done(&receiver->packet);
    }
}

static void on_front(void *context, int fd, unsigned events)
{
    struct receiver *receiver = context;

    (void)events;
    if (channel_receive(fd, &receiver->packet) < 0) {
        return;
    }
    if (receiver->packet.msg.type == RECEIVER_MESSAGE_STREAM && !receiver->is_ending) {
        struct str address = msg_get_str(&receiver->packet.msg);

        receiver_streams_accept(receiver, channel_packet_take(&receiver->packet, 0), address);
    }
    channel_packet_done(&receiver->packet);
}

static void receiver_tell_counts(struct receiver *receiver)
{
    uint64_t *of = receiver->counts.of;

    of[RECEIVER_COUNT_CUT] = receiver->queue.cut;
    of[RECEIVER_COUNT_KEPT] = receiver_queue_kept(&receiver->queue);
    of[RECEIVER_COUNT_KEPT_FILE] = overflow_size(&receiver->overflow);
    if (memcmp(&receiver->counts, &receiver->told, sizeof(receiver->told)) == 0) {
        return;
    }
    msg_begin(&receiver->msg, RECEIVER_MESSAGE_COUNTS);
    msg_put_u32(&receiver->msg, RECEIVER_COUNT_COUNT);
    for (size_t i = 0; i < RECEIVER_COUNT_COUNT; i++) {
        msg_put_u64(&receiver->msg, of[i]);
    }
    if (channel_send(receiver->options->core, &receiver->msg, NULL, 0) == 0) {
        receiver->told = receiver->counts;
    }
}

static void on_tick(void *context)
{
    struct receiver *receiver = context;

    receiver_datagrams_count(receiver);
    receiver_streams_watch(receiver);
    receiver_posts_watch(receiver);
    receiver_tell_counts(receiver);
    receiver_hurry(receiver); /* what was not worth a batch of its own */
    on_room(receiver);
}

/* Nothing more is taken: what senders write now waits in the kernel for the next process. */
static void receiver_end(struct receiver *receiver)
{
    if (receiver->is_ending) {
        return;
    }
    receiver->is_ending = true;
    receiver_datagrams_stop(receiver);
    receiver_streams_stop(receiver);
    receiver_hurry(receiver);
    if (loop_source_set_timer(receiver->end, END_PATIENCE, 0) < 0) {
        loop_stop(receiver->loop, 0);
    }
    receiver_end_if_empty(receiver);
}

static void on_end(void *context)
{
    struct receiver *receiver = context;

    log_warn("what was received could not be handed over bytes=%zu",
             receiver_queue_kept(&receiver->queue));
    loop_stop(receiver->loop, 0);
}

static void on_supervisor(void *context, int fd, unsigned events)
{
    struct receiver *receiver = context;

    (void)fd;
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(receiver->loop, 0);
    }
}

static void on_signal(void *context, int signal)
{
    (void)signal;
    receiver_end(context);
}

static int receiver_listen(struct receiver *receiver, int fd, loop_fd_fn *fn,
                           struct loop_source **ret_source)
{
    int r = fd < 0 ? 0 : fd_set_nonblocking(fd, true);

    return fd < 0 || r < 0 ? r
                           : loop_add_fd(receiver->loop, fd, LOOP_READ, fn, receiver, ret_source);
}

static int receiver_make_loop(struct receiver *receiver)
{
    struct loop_source *tick = NULL;
    int r = loop_new(RECEIVER_STREAMS_MAX + FILES_SPARE, &receiver->loop);

    r = r < 0 ? r : loop_add_signal(receiver->loop, SIGTERM, on_signal, receiver);
    r = r < 0 ? r : loop_add_timer(receiver->loop, on_hurry, receiver, &receiver->hurry);
    r = r < 0 ? r : loop_add_timer(receiver->loop, on_room, receiver, &receiver->drain);
    r = r < 0 ? r : loop_add_timer(receiver->loop, on_unpack, receiver, &receiver->unpack);
    r = r < 0 ? r : loop_add_timer(receiver->loop, on_end, receiver, &receiver->end);
    r = r < 0 ? r : loop_add_timer(receiver->loop, on_tick, receiver, &tick);
    r = r < 0 ? r : loop_source_set_timer(tick, TICK, TICK);
    r = r < 0 ? r : receiver_listen(receiver, receiver->options->core, on_core, &receiver->core);
    r = r < 0 ? r : receiver_listen(receiver, receiver->options->api, on_api, &receiver->api);
    r = r < 0 ? r : receiver_listen(receiver, receiver->options->front, on_front, NULL);
    return r < 0 || receiver->options->supervisor < 0
               ? r
               : loop_add_fd(receiver->loop, receiver->options->supervisor, LOOP_READ,
                             on_supervisor, receiver, NULL);
}

static int receiver_prepare(struct receiver *receiver)
{
    uint64_t numbers[5]; /* of this life, of the two maps, of repeats, of posts */
    int r;

    if (getrandom(numbers, sizeof(numbers), 0) != (ssize_t)sizeof(numbers)) {
        return -ERR_IO;
    }
    receiver_queue_init(&receiver->queue, RECEIVER_QUEUE_SIZE, numbers[0], &clock_real);
    map_init(&receiver->peers, RECEIVER_PEERS_MAX, numbers[1]);
    map_init(&receiver->posts, RECEIVER_POSTS_MAX, numbers[2]);
    repeats_init(&receiver->repeats, numbers[3]);
    receiver->post_id = numbers[4];
    list_init(&receiver->streams);
    list_init(&receiver->waiting);
    list_init(&receiver->answers);
    list_init(&receiver->unpacking);
    r = receiver_open_overflow(receiver);
    r = r < 0 ? r : receiver_enter(receiver->options);
    r = r < 0 ? r : receiver_make_loop(receiver);
    r = r < 0 ? r : receiver_datagrams_start(receiver);
    return r < 0 ? r : receiver_streams_start(receiver);
}

static int receiver_ready(struct receiver *receiver)
{
    receiver_say_hello(receiver);
    receiver_pump(receiver);
    receiver->is_api_due = receiver->options->api >= 0;
    receiver_posts_greet(receiver);
    if (receiver->options->supervisor < 0) {
        return 0;
    }
    msg_begin(&receiver->msg, CENTRE_MESSAGE_READY);
    msg_put_str(&receiver->msg, STR("receiver"));
    return channel_send(receiver->options->supervisor, &receiver->msg, NULL, 0);
}

int receiver_run(const struct receiver_options *options)
{
    static struct receiver receiver;
    int r;

    log_init("receiver", LOG_LEVEL_INFO);
    receiver.options = options;
    receiver.overflow.fd = -1;
    r = receiver_prepare(&receiver);
    r = r < 0 ? r : receiver_ready(&receiver);
    r = r < 0 ? r : loop_run(receiver.loop);
    if (r < 0) {
        log_error("receiver ends: %s", err_text(r));
    }
    if (receiver.loop != NULL) {
        receiver_posts_done(&receiver);
        receiver_streams_done(&receiver);
        receiver_queue_done(&receiver.queue);
        loop_freep(&receiver.loop);
    }
    overflow_done(&receiver.overflow);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
