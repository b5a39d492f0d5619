/* Agents' streams: bytes from front in, records to core/ingest.c, acknowledgements and actions out.
 * The protocol itself is link/server.h, which holds no socket; this file holds nothing but the
 * socket. Invariants: a host has one stream at most, the newest; a stream that ends says why first.
 */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sys/fd.h"

#include <errno.h>
#include <sys/socket.h>

#define STREAM_READ_SIZE (64U << 10)
#define HOST_POISONS_MAX 3
#define STREAM_PING      (60 * NS_PER_S)
#define STREAM_DEAD      (150 * NS_PER_S)
#define STREAM_GREETING  (30 * NS_PER_S) /* to HELLO, or all of an enrolment */

void core_stream_free(struct core_stream *stream)
{
    struct core_host *host = stream->host;

    if (host != NULL && host->stream == stream) {
        host->stream = NULL;
        if (!stream->core->is_full && core_host_store(stream->core, host) < 0) {
            log_warn("that a host has gone could not be written host=%s", host->name);
        }
    }
    loop_source_free(stream->source);
    link_server_free(stream->server);
    closep(&stream->fd);
    list_remove(&stream->node);
    stream->core->stream_count--;
    mem_free(stream);
}

/* Writes what the socket takes; -ERR_PIPE when the other side is gone. */
static int core_stream_write(struct core_stream *stream)
{
    struct str out = link_server_output(stream->server);

    while (out.len != 0) {
        ssize_t n = send(stream->fd, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN ? 0 : -ERR_PIPE;
        }
        link_server_sent(stream->server, (size_t)n);
        out = link_server_output(stream->server);
    }
    return 0;
}

/* What the stream waits for now: room in its machine, output that is left. */
static int core_stream_arm(struct core_stream *stream)
{
    unsigned events = 0;

    if (!stream->is_ending && link_server_room(stream->server) != 0) {
        events |= LOOP_READ;
    }
    if (link_server_output(stream->server).len != 0) {
        events |= LOOP_WRITE;
    }
    return loop_source_set_events(stream->source, events);
}

/* Never frees: the caller may still hold the stream. What is over is shut down, and the loop then
 * reports it. */
void core_stream_flush(struct core_stream *stream)
{
    if (core_stream_write(stream) < 0 || core_stream_arm(stream) < 0 ||
        (stream->is_ending && link_server_output(stream->server).len == 0)) {
        stream->is_ending = true;
        (void)shutdown(stream->fd, SHUT_RDWR);
    }
}

void core_stream_end(struct core_stream *stream, enum link_bye bye)
{
    if (!stream->is_ending) {
        (void)link_server_bye(stream->server, bye);
        stream->is_ending = true;
    }
    core_stream_flush(stream);
}

void core_streams_end(struct core *core, enum link_bye bye)
{
    LIST_EACH (node, &core->streams) {
        core_stream_end(LIST_ENTRY(node, struct core_stream, node), bye);
    }
}

void core_streams_watch(struct core *core)
{
    int64_t now = clock_mono(core->options.clock);

    LIST_EACH (node, &core->streams) {
        struct core_stream *stream = LIST_ENTRY(node, struct core_stream, node);
        int64_t quiet = now - stream->heard;

        if (quiet > STREAM_DEAD || (!stream->is_open && now - stream->begun > STREAM_GREETING)) {
            core_stream_end(stream, LINK_BYE_END);
            core_stream_free(stream);
        } else if (quiet > STREAM_PING && stream->is_open && !stream->is_ending &&
                   link_server_ping(stream->server) == 0) {
            core_stream_flush(stream);
        }
    }
}

static int core_stream_hello(struct core_stream *stream, const struct link_item *item)
{
    struct core *core = stream->core;
    struct core_host *host = stream->host;
    int64_t now = clock_wall(core->options.clock);
    int r;

    stream->is_open = true;
    host->clock_offset = item->hello.clock - now;
    r = core_batch_commit(core); /* so that what is acknowledged here is all there is */
    if (r < 0) {
        return r;
    }
    r = link_server_acknowledge(stream->server, host->acknowledged, now);
    if (r == 0) {
        r = core_host_store(core, host);
    }
    if (r == 0) {
        core_actions_deliver(core, host);
        log_info("host connected host=%s waiting=%llu dropped=%llu", host->name,
                 (unsigned long long)item->hello.waiting, (unsigned long long)item->hello.dropped);
    }
    return r;
}

static int core_stream_take(struct core_stream *stream, const struct link_item *item)
{
    switch (item->kind) {
    case LINK_ITEM_HELLO:
        return core_stream_hello(stream, item);
    case LINK_ITEM_RECORD:
        return core_ingest(stream->core, stream->host, item->sequence, item->record);
    case LINK_ITEM_BATCH_END:
        return 0;
    case LINK_ITEM_ENROL:
        core_enrol(stream, &item->enrol);
        return 0;
    case LINK_ITEM_BYE:
        stream->is_ending = true;
        return 0;
    default:
        return -ERR_PROTO;
    }
}

/* All items that are whole. */
static void core_stream_drain(struct core_stream *stream)
{
    struct link_item item;
    int r = 0;

    while (!stream->is_ending && r >= 0) {
        r = link_server_next(stream->server, &item);
        if (r == 0) {
            break;
        }
        if (r > 0) {
            r = core_stream_take(stream, &item);
        } else {
            log_warn("an agent broke the protocol host=%s error=%s hint=%s",
                     stream->host != NULL ? stream->host->name : "-", err_name(r),
                     _("what it sent is no frame that this centre reads, nothing of it was taken, "
                       "and the host sends again; if this repeats, install the same version on "
                       "both sides"));
        }
    }
    if (r < 0) {
        core_stream_end(stream, LINK_BYE_END);
    }
}

static int core_stream_read(struct core_stream *stream)
{
    static char bytes[STREAM_READ_SIZE];
    size_t room = link_server_room(stream->server);
    ssize_t n;

    if (room == 0) {
        return 0;
    }
    n = recv(stream->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes), MSG_DONTWAIT);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -ERR_CONNRESET;
    }
    if (n == 0) {
        return -ERR_PIPE;
    }
    stream->heard = clock_mono(stream->core->options.clock);
    if (stream->host != NULL) {
        core_host_heard(stream->core, stream->host);
    }
    return link_server_feed(stream->server, str_of(bytes, (size_t)n));
}

static void core_stream_on_events(void *context, int fd, unsigned events)
{
    struct core_stream *stream = context;
    int r = 0;

    (void)fd;
    if ((events & (LOOP_READ | LOOP_HANGUP)) != 0 && !stream->is_ending) {
        r = core_stream_read(stream);
        if (r == 0) {
            core_stream_drain(stream);
        }
    }
    if (r == 0) {
        r = core_stream_write(stream);
    }
    if (r == 0 && !stream->is_ending) {
        core_stream_drain(stream); /* output that went out may have made room for what waited */
        r = core_stream_arm(stream);
    }
    if (r < 0 || (stream->is_ending &&
                  ((events & LOOP_HANGUP) != 0 || link_server_output(stream->server).len == 0))) {
        core_stream_free(stream);
    }
}

static int core_stream_new(struct core *core, int *fd, bool is_enrolment,
                           struct core_stream **ret_stream)
{
    struct core_stream *stream;
    int r;

    if (core->stream_count >= CORE_STREAMS_MAX) {
        return -ERR_LIMIT;
    }
    stream = mem_alloc(1, sizeof(*stream));
    if (stream == NULL) {
        return -ERR_NOMEM;
    }
    *stream = (struct core_stream){.core = core, .fd = *fd, .is_enrolment = is_enrolment};
    stream->begun = stream->heard = clock_mono(core->options.clock);
    r = link_server_new(is_enrolment, &stream->server);
    if (r == 0) {
        r = loop_add_fd(core->options.loop, *fd, LOOP_READ, core_stream_on_events, stream,
                        &stream->source);
    }
    if (r < 0) {
        link_server_free(stream->server);
        mem_free(stream);
        return r;
    }
    *fd = -1;
    list_append(&core->streams, &stream->node);
    core->stream_count++;
    *ret_stream = stream;
    return 0;
}

static void core_stream_bind(struct core_stream *stream, struct core_host *host)
{
    struct core *core = stream->core;

    if (host == NULL) {
        core_stream_end(stream, LINK_BYE_UNKNOWN);
        return;
    }
    if (host->is_revoked) {
        core_stream_end(stream, LINK_BYE_REVOKED);
        return;
    }
    if (host->poisons > HOST_POISONS_MAX) { /* each one cost everybody a repeated batch */
        core_stream_end(stream, LINK_BYE_PROTOCOL);
        return;
    }
    if (core->is_full) {
        core_stream_end(stream, LINK_BYE_FULL);
        return;
    }
    if (host->stream != NULL) {
        struct core_stream *older = host->stream;

        older->host = NULL;
        host->stream = NULL;
        core_stream_end(older, LINK_BYE_ELSEWHERE);
    }
    stream->host = host;
    host->stream = stream;
}

void core_stream_accept(struct core *core, struct channel_packet *packet)
{
    bool is_enrolment = msg_get_u32(&packet->msg) != 0;
    struct str key = msg_get_str(&packet->msg);
    struct str address = msg_get_str(&packet->msg);
    CLEANUP(closep) int fd = channel_packet_take(packet, 0);
    struct core_stream *stream;
    int r = msg_close(&packet->msg);

    if (r < 0 || fd < 0 || (!is_enrolment && key.len != 32)) {
        log_error("front sent a connection that makes no sense");
        return;
    }
    r = core_stream_new(core, &fd, is_enrolment, &stream);
    if (r < 0) {
        log_warn("a connection was turned away address=%.*s error=%s", STR_ARG(address),
                 err_name(r));
        return;
    }
    if (!is_enrolment) {
        core_stream_bind(stream, map_get(&core->hosts_by_key, key));
    }
}
