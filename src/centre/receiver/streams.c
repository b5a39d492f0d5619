/* Syslog over TCP (RFC 6587), and over TLS (RFC 5425) once front has taken that off. While there is
 * no room no stream is read, so that its sender waits; those that wait are read again in the order
 * in which they came to wait. A turn reads so much of a sender, however many connections it has. */
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

#define STREAM_TURN     (64U << 10) /* bytes of one address in a turn */
#define STREAM_TURN_MIN (4U << 10)
#define STREAM_ACCEPT   64
#define STREAM_FIRST    (120 * NS_PER_S) /* without one whole message */
#define STREAM_IDLE                                                                                \
    (86400 * NS_PER_S) /* a sender loses what it writes into a connection that                     \
                          was closed on it: dead peers are the kernel's matter */

static void peer_leave(struct receiver *receiver, struct receiver_peer *peer)
{
    if (peer->count == 0) {
        (void)map_remove(&receiver->peers, str_from(peer->network));
        mem_free(peer);
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
    stream->peer->count--;
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
    r = receiver_put(&receiver->queue, &entry);
    if (r == 0) {
        receiver->counts.received[stream->way]++;
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
    static char bytes[STREAM_TURN];
    struct receiver_stream *stream = context;
    size_t size = STREAM_TURN / stream->peer->count;
    ssize_t n;
    int r;

    (void)events;
    if (!receiver_queue_has_room(&stream->receiver->queue)) {
        stream_wait(stream);
        return;
    }
    size = size < STREAM_TURN_MIN ? STREAM_TURN_MIN : size;
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

/* Its entry, made when there is none; NULL past the bound. */
static struct receiver_peer *peer_find(struct receiver *receiver, struct str address)
{
    char room[NET_ADDRESS_SIZE];
    struct str network = net_network_of(address, room);
    struct receiver_peer *peer = map_get(&receiver->peers, network);

    if (peer != NULL) {
        return peer;
    }
    peer = mem_alloc(1, sizeof(*peer));
    if (peer == NULL) {
        return NULL;
    }
    (void)snprintf(peer->network, sizeof(peer->network), "%.*s", STR_ARG(network));
    if (map_put(&receiver->peers, str_from(peer->network), peer) < 0) {
        mem_free(peer);
        return NULL;
    }
    return peer;
}

/* Takes the descriptor. */
static int stream_add(struct receiver *receiver, int fd, struct str address, enum receiver_way way)
{
    struct receiver_peer *peer = NULL;
    struct receiver_stream *stream = NULL;
    int r;

    if (receiver->stream_count < RECEIVER_STREAMS_MAX) {
        peer = peer_find(receiver, address);
    }
    if (peer != NULL && peer->count < RECEIVER_STREAMS_EACH) {
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
                                       .heard = clock_mono(receiver->queue.clock)};
    (void)snprintf(stream->address, sizeof(stream->address), "%.*s", STR_ARG(address));
    syslog_frames_init(&stream->frames, RECEIVER_ENTRY_MAX, on_message, stream);
    list_append(&receiver->streams, &stream->node);
    receiver->stream_count++;
    peer->count++;
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
        receiver->counts.refused +=
            stream_add(receiver, stream, str_from(address), RECEIVER_WAY_TCP) < 0;
    }
}

void receiver_streams_accept(struct receiver *receiver, int fd, struct str address)
{
    if (fd >= 0) {
        receiver->counts.refused +=
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
    receiver->counts.streams = receiver->stream_count;
    if (receiver->counts.refused != receiver->refused_told) {
        log_warn("connections of senders were refused refused=%llu open=%u",
                 (unsigned long long)(receiver->counts.refused - receiver->refused_told),
                 receiver->stream_count);
        receiver->refused_told = receiver->counts.refused;
    }
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
    map_done(&receiver->peers);
}
