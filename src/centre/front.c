/* The front process: see centre/front.h. Between the network and centre/core.c or centre/api.c. It
 * holds the server's key and nothing else: no files, no database, no way to open a connection. What
 * a peer can take is bounded before it has proved anything: connections in all and from one
 * address, new ones a minute, time for the handshake, time without a byte. */
#include "centre/front.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/front_stream.h"
#include "centre/peer.h"
#include "centre/protocol.h"
#include "centre/receiver.h"
#include "link/message.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>

#define FRONT_HANDSHAKE_TIME (10 * NS_PER_S)
#define FRONT_IDLE_TIME      (150 * NS_PER_S) /* agents ping each 30 s, live pages hear each 15 s */
#define FRONT_SYSLOG_TIME    (86400 * NS_PER_S) /* who sends logs may be quiet for long */
#define FRONT_TICK           NS_PER_S
#define FRONT_WINDOW         (60 * NS_PER_S)
#define FRONT_PEERS_MAX      65536
#define FRONT_ACCEPT_ROUND   64
#define FRONT_PEM_LIMIT      (64U << 10)
#define FRONT_LOOP_EXTRA     64

/* What is remembered of one address. */
struct front_peer {
    struct peer peer;
    unsigned fresh; /* new connections in the window */
    int64_t window; /* monotonic ns at which it began */
};

struct front {
    const struct centre_settings *settings;
    struct front_channels channels;
    struct loop *loop;
    struct tls_context *tls;
    struct tls_context *syslog_tls;
    struct list streams;
    unsigned count;
    struct map peers;
    uint64_t refused; /* since the last line about it */
    uint64_t failed;  /* handshakes */
};

static const struct tls_alpn front_alpn[] = {
    {LINK_ALPN_AGENT, true}, {LINK_ALPN_ENROL, false}, {LINK_ALPN_BROWSER, false}, {}};

/* Who sends syslog offers none. */
static const struct tls_alpn front_syslog_alpn[] = {{}};

static void front_drop(struct front *front, struct front_stream *stream)
{
    list_remove(&stream->node);
    front->count--;
    stream->peer->peer.count--;
    front_stream_close(stream);
    mem_free(stream);
}

/* Whether this address may have one more connection now; counts it. */
static bool front_admit(struct front *front, struct front_peer *peer)
{
    int64_t now = clock_mono(&clock_real);

    if (now - peer->window > FRONT_WINDOW) {
        peer->window = now;
        peer->fresh = 0;
    }
    peer->fresh++;
    return peer->fresh <= front->settings->new_each &&
           peer->peer.count < front->settings->connections_each &&
           front->count < front->settings->connections;
}

/* Sends one end of the plain stream to whom it concerns. */
static int front_announce(struct front *front, struct front_stream *stream, int far_end)
{
    static struct msg_writer msg;
    struct str alpn = tls_alpn_name(stream->tls);
    bool is_enrolment = str_is_text(alpn, LINK_ALPN_ENROL);
    uint8_t key[32];
    int r;

    if (stream->is_syslog) {
        msg_begin(&msg, RECEIVER_MESSAGE_STREAM);
        msg_put_str(&msg, str_from(stream->address));
        return channel_send(front->channels.receiver, &msg, &far_end, 1);
    }
    if (!is_enrolment && !str_is_text(alpn, LINK_ALPN_AGENT)) {
        msg_begin(&msg, CENTRE_MESSAGE_BROWSER);
        msg_put_str(&msg, str_from(stream->address));
        return channel_send(front->channels.api, &msg, &far_end, 1);
    }
    msg_begin(&msg, CENTRE_MESSAGE_AGENT);
    msg_put_u32(&msg, is_enrolment);
    if (is_enrolment) {
        msg_put_str(&msg, STR(""));
    } else {
        r = tls_peer_key_sha256(stream->tls, key);
        if (r < 0) {
            return r;
        }
        msg_put_str(&msg, str_of((const char *)key, sizeof(key)));
    }
    msg_put_str(&msg, str_from(stream->address));
    return channel_send(front->channels.core, &msg, &far_end, 1);
}

static void front_on_plain(void *context, int fd, unsigned events);

/* The handshake is done: from here on bytes are pumped. */
static int front_open_stream(struct front *front, struct front_stream *stream)
{
    CLEANUP(closep) int far_end = -1;
    int pair[2];
    int r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        return -errno;
    }
    stream->plain = pair[0];
    far_end = pair[1];
    r = loop_add_fd(front->loop, stream->plain, LOOP_READ, front_on_plain, stream,
                    &stream->plain_source);
    return r < 0 ? r : front_announce(front, stream, far_end);
}

static int front_shake(struct front *front, struct front_stream *stream)
{
    int r = tls_handshake(stream->tls);

    if (r == -ERR_AGAIN) {
        r = loop_source_set_events(stream->net_source, tls_wants(stream->tls));
        return r < 0 ? r : -ERR_AGAIN;
    }
    if (r < 0) {
        front->failed++;
        log_debug("handshake failed address=%s reason=%s detail=%s", stream->address, err_name(r),
                  tls_failure(stream->tls));
        return r;
    }
    return front_open_stream(front, stream);
}

static void front_go_on(struct front_stream *stream)
{
    struct front *front = stream->owner;
    bool has_moved = false;
    int r = 0;

    if (stream->plain < 0) {
        r = front_shake(front, stream);
        if (r == -ERR_AGAIN) {
            return;
        }
    }
    if (r == 0) {
        r = front_stream_pump(stream, &has_moved);
    }
    if (r < 0) {
        front_drop(front, stream);
    } else if (has_moved || stream->deadline == 0) {
        stream->deadline =
            clock_mono(&clock_real) + (stream->is_syslog ? FRONT_SYSLOG_TIME : FRONT_IDLE_TIME);
    }
}

static void front_on_net(void *context, int fd, unsigned events)
{
    struct front_stream *stream = context;

    (void)fd;
    if ((events & LOOP_HANGUP) != 0 && (events & LOOP_READ) == 0) {
        front_drop(stream->owner, stream);
        return;
    }
    front_go_on(stream);
}

static void front_on_plain(void *context, int fd, unsigned events)
{
    struct front_stream *stream = context;

    (void)fd;
    if ((events & LOOP_HANGUP) != 0) { /* reported without end; what it left is read by the pump */
        loop_source_free(stream->plain_source);
        stream->plain_source = NULL;
    }
    front_go_on(stream);
}

static int front_add(struct front *front, int fd, struct front_peer *peer,
                     const char address[NET_ADDRESS_SIZE], bool is_syslog)
{
    struct front_stream *stream = mem_alloc(1, sizeof(*stream));
    int r;

    if (stream == NULL) {
        (void)close(fd);
        return -ERR_NOMEM;
    }
    stream->net = fd;
    stream->plain = -1;
    stream->is_syslog = is_syslog;
    stream->owner = front;
    stream->peer = peer;
    stream->deadline = clock_mono(&clock_real) + FRONT_HANDSHAKE_TIME;
    memcpy(stream->address, address, sizeof(stream->address));
    list_append(&front->streams, &stream->node);
    front->count++;
    peer->peer.count++;
    r = tls_new(is_syslog ? front->syslog_tls : front->tls, fd, &stream->tls);
    if (r == 0) {
        r = loop_add_fd(front->loop, fd, LOOP_READ, front_on_net, stream, &stream->net_source);
    }
    if (r < 0) {
        front_drop(front, stream);
    }
    return r;
}

static void front_accept(struct front *front, int fd, bool is_syslog)
{
    for (int i = 0; i < FRONT_ACCEPT_ROUND; i++) {
        char address[NET_ADDRESS_SIZE] = "";
        int net = net_accept(fd, address);
        struct front_peer *peer;

        if (net < 0) {
            return;
        }
        peer = (struct front_peer *)peer_find(&front->peers, str_from(address), sizeof(*peer));
        if (peer == NULL || !front_admit(front, peer)) {
            front->refused++;
            (void)close(net);
        } else if (front_add(front, net, peer, address, is_syslog) < 0) {
            front->refused++;
        }
    }
}

static void front_on_listener(void *context, int fd, unsigned events)
{
    (void)events;
    front_accept(context, fd, false);
}

static void front_on_syslog(void *context, int fd, unsigned events)
{
    (void)events;
    front_accept(context, fd, true);
}

/* Once a second: cuts who is late, forgets addresses that are gone, tells what was refused. */
static void front_on_tick(void *context)
{
    struct front *front = context;
    int64_t now = clock_mono(&clock_real);
    struct front_peer *peer;
    size_t cursor = 0;

    LIST_EACH (node, &front->streams) {
        struct front_stream *stream = LIST_ENTRY(node, struct front_stream, node);

        if (now > stream->deadline) {
            front->failed += stream->plain < 0;
            front_drop(front, stream);
        }
    }
    while ((peer = map_next(&front->peers, &cursor)) != NULL) {
        if (peer->peer.count == 0 && now - peer->window > FRONT_WINDOW) {
            peer_forget(&front->peers, &peer->peer);
        }
    }
    if (front->refused != 0 || front->failed != 0) {
        log_warn("connections refused=%llu handshakes_failed=%llu open=%u",
                 (unsigned long long)front->refused, (unsigned long long)front->failed,
                 front->count);
        front->refused = 0;
        front->failed = 0;
    }
}

static void front_on_supervisor(void *context, int fd, unsigned events)
{
    struct front *front = context;

    (void)fd;
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(front->loop, 0);
    }
}

static void front_on_signal(void *context, int signal)
{
    struct front *front = context;

    (void)signal;
    loop_stop(front->loop, 0);
}

static int front_read_pem(const struct centre_settings *settings, const char *name, struct buf *buf,
                          struct diag *diag)
{
    CLEANUP(closep) int folder = open(settings->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = folder < 0 ? -errno : file_read_all(folder, name, buf);

    return r < 0
               ? diag_set(diag, r, _("cannot read %s/%s: %s"), settings->folder, name, err_text(r))
               : 0;
}

static int front_load_tls(struct front *front, struct diag *diag)
{
    CLEANUP(buf_done) struct buf certificate;
    CLEANUP(buf_done) struct buf key;
    CLEANUP(buf_done) struct buf authority;
    int r;

    buf_init(&certificate, FRONT_PEM_LIMIT);
    buf_init(&key, FRONT_PEM_LIMIT);
    buf_init(&authority, FRONT_PEM_LIMIT);
    r = front_read_pem(front->settings, CENTRE_SERVER_CERT, &certificate, diag);
    if (r == 0) {
        r = front_read_pem(front->settings, CENTRE_SERVER_KEY, &key, diag);
    }
    if (r == 0) {
        r = front_read_pem(front->settings, CENTRE_CA_CERT, &authority, diag);
    }
    if (r == 0) {
        struct tls_server_options options = {.certificate = buf_str(&certificate),
                                             .key = buf_str(&key),
                                             .client_authority = buf_str(&authority),
                                             .alpn = front_alpn};

        r = tls_context_new_server(&options, &front->tls, diag);
        if (r == 0) {
            options.alpn = front_syslog_alpn;
            options.is_older_allowed = true; /* RFC 5425 asks for 1.2, and appliances speak it */
            r = tls_context_new_server(&options, &front->syslog_tls, diag);
        }
    }
    if (key.ptr != NULL) {
        mem_wipe(key.ptr, key.room);
    }
    return r;
}

static int front_listen(struct front *front, enum listener_kind kind, loop_fd_fn *fn)
{
    const struct listeners *listeners = front->channels.listeners;
    int r = 0;

    for (size_t i = 0; r == 0 && i < listeners->counts[kind]; i++) {
        r = loop_add_fd(front->loop, listeners->fds[kind][i], LOOP_READ, fn, front, NULL);
    }
    return r;
}

static int front_start_loop(struct front *front)
{
    struct loop_source *tick;
    int r = loop_new((unsigned)front->settings->connections * 2 + FRONT_LOOP_EXTRA, &front->loop);

    if (r == 0) {
        r = loop_add_timer(front->loop, front_on_tick, front, &tick);
    }
    if (r == 0) {
        r = loop_source_set_timer(tick, FRONT_TICK, FRONT_TICK);
    }
    if (r == 0) {
        r = loop_add_signal(front->loop, SIGTERM, front_on_signal, front);
    }
    if (r == 0) {
        r = loop_add_fd(front->loop, front->channels.supervisor, LOOP_READ, front_on_supervisor,
                        front, NULL);
    }
    r = r < 0 ? r : front_listen(front, LISTENER_TLS, front_on_listener);
    r = r < 0 ? r : front_listen(front, LISTENER_SYSLOG_TLS, front_on_syslog);
    if (r == 0) {
        r = fd_set_nonblocking(front->channels.core, true);
    }
    if (r == 0 && front->channels.receiver >= 0) {
        r = fd_set_nonblocking(front->channels.receiver, true);
    }
    return r < 0 ? r : fd_set_nonblocking(front->channels.api, true);
}

static int front_start(struct front *front, struct diag *diag)
{
    struct sandbox sandbox = {
        .user = front->settings->is_user_kept ? NULL : front->settings->front_user,
        .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_ACCEPT,
        .file_limit = (uint64_t)front->settings->connections * 2 + FRONT_LOOP_EXTRA};
    static struct msg_writer msg;
    unsigned missing = 0;
    uint64_t seed = 0;
    int r;

    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        return -ERR_IO;
    }
    map_init(&front->peers, FRONT_PEERS_MAX, seed);
    r = front_load_tls(front, diag);
    if (r == 0) {
        r = front_start_loop(front);
    }
    if (r == 0) {
        r = sandbox_enter(&sandbox, &missing, diag);
    }
    if (r < 0) {
        return r;
    }
    if (missing != 0) {
        log_warn("this kernel lacks a part of the sandbox missing=%u", missing);
    }
    msg_begin(&msg, CENTRE_MESSAGE_READY);
    msg_put_str(&msg, STR("front"));
    return channel_send(front->channels.supervisor, &msg, NULL, 0);
}

static void front_end(struct front *front)
{
    LIST_EACH (node, &front->streams) {
        front_drop(front, LIST_ENTRY(node, struct front_stream, node));
    }
    peers_done(&front->peers);
    loop_freep(&front->loop);
    tls_context_freep(&front->tls);
    tls_context_freep(&front->syslog_tls);
}

int front_run(const struct centre_settings *settings, struct front_channels channels)
{
    struct front front = {.settings = settings, .channels = channels};
    struct diag diag = {0};
    int r;

    log_init("front", LOG_LEVEL_INFO);
    list_init(&front.streams);
    r = front_start(&front, &diag);
    if (r == 0) {
        r = loop_run(front.loop);
    }
    if (r < 0) {
        log_error("the front process ends reason=%s", diag_text(&diag, r));
    }
    front_end(&front);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
