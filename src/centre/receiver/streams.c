/* Syslog over TCP (RFC 6587), and over TLS (RFC 5425) once front has taken that off. While there is
 * no room no stream is read, so that its sender waits; those that wait are read again in the order
 * in which they came to wait. When there are as many as there may be, who has many gives one up for
 * who has few. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/receiver/body.h"
#include "sys/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_ACCEPT 64
#define STREAM_FIRST  (120 * NS_PER_S) /* without one whole message */
#define STREAM_NEW    (5 * NS_PER_S)   /* in which nobody is to be blamed for having said none */
#define STREAM_IDLE                                                                                \
    (86400 * NS_PER_S) /* a sender loses what it writes into a connection that                     \
                          was closed on it: dead peers are the kernel's matter */

static void peer_leave(struct receiver *receiver, struct receiver_peer *peer)
{
    if (peer->peer.count == 0) {
        peer_forget(&receiver->peers, &peer->peer);
    }
}

static void stream_drop(struct receiver_stream *stream)
{
    struct receiver *receiver = stream->receiver;

    loop_source_free(stream->source);
    list_remove(&stream->node);
    syslog_frames_done(&stream->frames);
    closep(&stream->fd);
    receiver->stream_count--;
    receiver_turn_leave(stream);
    stream->peer->peer.count--;
    peer_leave(receiver, stream->peer);
    mem_free(stream);
}

static int on_message(void *context, struct str message, bool is_cut)
{
    struct receiver_stream *stream = context;
    struct receiver *receiver = stream->receiver;
    struct receiver_entry entry = {.via = str_from(stream->address),
                                   .arrival = clock_wall(receiver->queue.clock),
                                   .is_cut = is_cut,
                                   .raw = message};
    int r;

    receiver_say(&entry, entry.arrival);
    if (entry.time % NS_PER_S != 0) { /* so fine a time and these words: no other line has both */
        entry.hash = repeats_hash(&receiver->repeats, 0, &entry);
    }
    r = receiver_put(&receiver->queue, &entry);
    if (r == 0) {
        receiver->counts.of[RECEIVER_COUNT_RECEIVED + stream->way]++;
        receiver_hurry(receiver);
    }
    return r;
}

/* What stands there without its end is the sender's last line. */
static void stream_end(struct receiver_stream *stream)
{
    if (syslog_frames_end(&stream->frames) < 0) {
        log_warn("the last line of a sender was lost address=%s", stream->address);
    }
    stream_drop(stream);
}

static void stream_wait(struct receiver_stream *stream)
{
    loop_source_free(stream->source);
    stream->source = NULL;
    list_remove(&stream->node);
    list_append(&stream->receiver->waiting, &stream->node);
}

static void on_stream(void *context, int fd, unsigned events)
{
    static char bytes[RECEIVER_TURN_BYTES];
    struct receiver_stream *stream = context;
    size_t size;
    ssize_t n;
    int r;

    (void)events;
    if (!receiver_queue_has_room(&stream->receiver->queue) || !stream->receiver->is_knowing) {
        stream_wait(stream);
        return;
    }
    size = receiver_turn(stream->receiver, stream);
    if (size == 0) {
        return;
    }
    n = recv(fd, bytes, size, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        stream_end(stream);
        return;
    }
    stream->heard = clock_mono(stream->receiver->queue.clock);
    r = syslog_frames_feed(&stream->frames, str_of(bytes, (size_t)n));
    if (r < 0) {
        log_warn("a sender was cut off address=%s reason=%s", stream->address,
                 r == -ERR_PROTO ? "its bytes are no syslog" : err_text(r));
        stream_drop(stream);
    }
}

/* Whom to take a place from for one more of the address that has `mine`: the stream that is silent
 * for longest of the address that has most; where nobody has more, one that never said anything.
 * NULL: nobody. */
static struct receiver_stream *stream_to_yield(struct receiver *receiver, unsigned mine)
{
    int64_t now = clock_mono(receiver->queue.clock);
    struct receiver_stream *worst = NULL;

    LIST_EACH (node, &receiver->streams) { /* those that wait for room hold what nobody has read */
        struct receiver_stream *stream = LIST_ENTRY(node, struct receiver_stream, node);
        unsigned count = stream->peer->peer.count;
        bool may =
            count > mine + 1 || (stream->frames.count == 0 && now - stream->heard > STREAM_NEW);

        if (may && (worst == NULL || count > worst->peer->peer.count ||
                    (count == worst->peer->peer.count && stream->heard < worst->heard))) {
            worst = stream;
        }
    }
    return worst;
}

/* Whether this address may have one more, for which another may have to go. */
static bool stream_has_room(struct receiver *receiver, const struct receiver_peer *peer)
{
    struct receiver_stream *yields;

    if (peer->peer.count >= RECEIVER_STREAMS_EACH) {
        return false;
    }
    if (receiver->stream_count < RECEIVER_STREAMS_MAX) {
        return true;
    }
    yields = stream_to_yield(receiver, peer->peer.count);
    if (yields == NULL || yields->peer == peer) {
        return false;
    }
    receiver->counts.of[RECEIVER_COUNT_YIELDED]++;
    stream_end(yields);
    return true;
}

/* Takes the descriptor. */
static int stream_add(struct receiver *receiver, int fd, struct str address, enum receiver_way way)
{
    struct receiver_peer *peer =
        (struct receiver_peer *)peer_find(&receiver->peers, address, sizeof(*peer));
    struct receiver_stream *stream = NULL;
    int r;

    if (peer != NULL && stream_has_room(receiver, peer)) {
        stream = mem_alloc(1, sizeof(*stream));
    }
    if (stream == NULL) {
        if (peer != NULL) {
            peer_leave(receiver, peer);
        }
        (void)close(fd);
        return -ERR_LIMIT;
    }
    *stream = (struct receiver_stream){.receiver = receiver,
                                       .peer = peer,
                                       .way = way,
                                       .fd = fd,
                                       .round = peer->round - 1,
                                       .heard = clock_mono(receiver->queue.clock)};
    (void)snprintf(stream->address, sizeof(stream->address), "%.*s", STR_ARG(address));
    syslog_frames_init(&stream->frames, RECEIVER_ENTRY_MAX, on_message, stream);
    list_append(&receiver->streams, &stream->node);
    receiver->stream_count++;
    peer->peer.count++;
    r = loop_add_fd(receiver->loop, fd, LOOP_READ, on_stream, stream, &stream->source);
    if (r < 0) {
        stream_drop(stream);
    }
    return r;
}

static void on_listener(void *context, int fd, unsigned events)
{
    struct receiver *receiver = context;

    (void)events;
    for (int i = 0; i < STREAM_ACCEPT; i++) {
        char address[NET_ADDRESS_SIZE] = "";
        int stream = net_accept(fd, address);

        if (stream < 0) {
            return;
        }
        receiver->counts.of[RECEIVER_COUNT_REFUSED] +=
            stream_add(receiver, stream, str_from(address), RECEIVER_WAY_TCP) < 0;
    }
}

void receiver_streams_accept(struct receiver *receiver, int fd, struct str address)
{
    if (fd >= 0) {
        receiver->counts.of[RECEIVER_COUNT_REFUSED] +=
            fd_set_nonblocking(fd, true) < 0 ||
            stream_add(receiver, fd, str_slice(address, 0, NET_ADDRESS_SIZE - 1),
                       RECEIVER_WAY_TLS) < 0;
    }
}

void receiver_streams_resume(struct receiver *receiver)
{
    if (receiver->is_ending) {
        return;
    }
    LIST_EACH (node, &receiver->waiting) {
        struct receiver_stream *stream = LIST_ENTRY(node, struct receiver_stream, node);

        list_remove(node);
        list_append(&receiver->streams, node);
        if (loop_add_fd(receiver->loop, stream->fd, LOOP_READ, on_stream, stream, &stream->source) <
            0) {
            stream_drop(stream);
        }
    }
}

static void streams_tell(struct receiver *receiver)
{
    uint64_t refused = receiver->counts.of[RECEIVER_COUNT_REFUSED];
    uint64_t yielded = receiver->counts.of[RECEIVER_COUNT_YIELDED];

    if (refused + yielded != receiver->refused_told) {
        log_warn("connections of senders were refused, or closed for others since the start "
                 "refused=%llu closed=%llu open=%u",
                 (unsigned long long)refused, (unsigned long long)yielded, receiver->stream_count);
        receiver->refused_told = refused + yielded;
    }
}

/* Those that wait for room are not to blame for it. */
void receiver_streams_watch(struct receiver *receiver)
{
    int64_t now = clock_mono(receiver->queue.clock);

    LIST_EACH (node, &receiver->streams) {
        struct receiver_stream *stream = LIST_ENTRY(node, struct receiver_stream, node);
        int64_t most = stream->frames.count == 0 ? STREAM_FIRST : STREAM_IDLE;

        if (now - stream->heard > most) {
            stream_end(stream);
        }
    }
    receiver->counts.of[RECEIVER_COUNT_STREAMS] = receiver->stream_count;
    streams_tell(receiver);
}

int receiver_streams_start(struct receiver *receiver)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < receiver->options->listeners->counts[LISTENER_SYSLOG_TCP];
         i++) {
        r = loop_add_fd(receiver->loop, receiver->options->listeners->fds[LISTENER_SYSLOG_TCP][i],
                        LOOP_READ, on_listener, receiver, &receiver->listeners[i]);
    }
    return r;
}

void receiver_streams_stop(struct receiver *receiver)
{
    for (size_t i = 0; i < receiver->options->listeners->counts[LISTENER_SYSLOG_TCP]; i++) {
        loop_source_free(receiver->listeners[i]);
        receiver->listeners[i] = NULL;
    }
    LIST_EACH (node, &receiver->streams) {
        struct receiver_stream *stream = LIST_ENTRY(node, struct receiver_stream, node);

        if (syslog_frames_end(&stream->frames) < 0) { /* half a message is better than none */
            log_warn("what had come of a message was lost address=%s", stream->address);
        }
        stream_wait(stream);
    }
}

void receiver_streams_done(struct receiver *receiver)
{
    LIST_EACH (node, &receiver->streams) {
        stream_drop(LIST_ENTRY(node, struct receiver_stream, node));
    }
    LIST_EACH (node, &receiver->waiting) {
        stream_drop(LIST_ENTRY(node, struct receiver_stream, node));
    }
    peers_done(&receiver->peers);
}
