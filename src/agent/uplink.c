/* The connection of the link process: see agent/uplink.h. Between link/client.c (frames) and
 * sys/tls.c. One line is logged when it comes up, one when it breaks, and one for each new reason
 * why it does not come up. */
#include "agent/uplink.h"

#include "agent/resolver.h"
#include "agent/uplink_remedy.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/prng.h"
#include "sys/fd.h"
#include "sys/net.h"
#include "sys/tls.h"

#include <sys/random.h>

#define UPLINK_PAUSE_FIRST  NS_PER_S
#define UPLINK_PAUSE_LAST   (60 * NS_PER_S)
#define UPLINK_CONNECT_TIME (15 * NS_PER_S) /* resolving, connecting and handshake together */
#define UPLINK_READ_SIZE    (16U << 10)
#define UPLINK_READ_ROUNDS  64

enum uplink_state {
    UPLINK_STATE_PAUSE,
    UPLINK_STATE_RESOLVING,
    UPLINK_STATE_CONNECTING,
    UPLINK_STATE_SHAKING,
    UPLINK_STATE_OPEN,
};

struct uplink {
    struct uplink_options options;
    enum uplink_state state;
    struct tls_context *context;
    struct tls *tls;
    struct link_client *client;
    int fd;
    struct loop_source *source;
    struct loop_source *timer; /* pause, or the time limit of connecting */
    int resolver;              /* channel, -1: the centre is named by its address */
    struct loop_source *resolver_source;
    struct net_target targets[NET_TARGETS_MAX];
    size_t target_count;
    size_t target;
    int64_t pause;
    struct prng prng;
    int last_error;    /* logged last */
    bool is_well;      /* the centre took us in on this connection */
    int64_t good_from; /* our certificate, wall time */
    int64_t good_until;
};

static void uplink_try_next(struct uplink *uplink, int error);

static void uplink_set_timer(struct uplink *uplink, int64_t delay)
{
    int r = loop_source_set_timer(uplink->timer, delay, 0);

    if (r < 0) {
        log_error("the link's timer failed reason=%s", err_text(r));
        loop_stop(uplink->options.loop, r);
    }
}

static void uplink_shut(struct uplink *uplink)
{
    loop_source_free(uplink->source);
    uplink->source = NULL;
    if (uplink->tls != NULL) {
        tls_close(uplink->tls);
    }
    tls_freep(&uplink->tls);
    link_client_freep(&uplink->client);
    closep(&uplink->fd);
}

/* Waits, each time longer, somewhere between half and the whole of the pause. */
static void uplink_rest(struct uplink *uplink)
{
    int64_t half = uplink->pause / 2;

    uplink->state = UPLINK_STATE_PAUSE;
    uplink_set_timer(uplink, half + (int64_t)prng_below(&uplink->prng, (uint64_t)half + 1));
    uplink->pause = uplink->pause * 2 < UPLINK_PAUSE_LAST ? uplink->pause * 2 : UPLINK_PAUSE_LAST;
}

static void uplink_fail(struct uplink *uplink, int error)
{
    const struct uplink_trouble trouble = {.error = error,
                                           .is_by_centre = uplink->state == UPLINK_STATE_OPEN,
                                           .now = clock_wall(uplink->options.clock),
                                           .good_from = uplink->good_from,
                                           .good_until = uplink->good_until};
    char remedy[UPLINK_REMEDY_SIZE];

    if (error != uplink->last_error) {
        uplink_remedy(&trouble, remedy);
        log_warn("cannot reach the centre centre=%s port=%u reason=%s detail=%s hint=%s",
                 uplink->options.identity->centre, uplink->options.identity->port, err_text(error),
                 uplink->tls != NULL ? tls_failure(uplink->tls) : "", remedy);
        uplink->last_error = error;
    }
    uplink_shut(uplink);
    uplink_rest(uplink);
}

void uplink_cut(struct uplink *uplink, const char *why)
{
    if (uplink->state != UPLINK_STATE_OPEN) {
        return;
    }
    log_warn("the connection to the centre ended reason=%s", why);
    uplink->last_error = 0;
    uplink_shut(uplink);
    uplink_rest(uplink);
    uplink->options.owner.closed(uplink->options.owner.context);
}

/* In TLS 1.3 a server refuses a client's certificate when the client takes itself to be connected.
 */
static void uplink_break(struct uplink *uplink, int error)
{
    bool is_refused = error == -ERR_EXPIRED || error == -ERR_UNTRUSTED || error == -ERR_REVOKED;

    if (is_refused && !uplink->is_well) {
        uplink_fail(uplink, error);
        uplink->options.owner.closed(uplink->options.owner.context);
        return;
    }
    uplink_cut(uplink,
               tls_failure(uplink->tls)[0] != '\0' ? tls_failure(uplink->tls) : err_text(error));
}

void uplink_is_well(struct uplink *uplink)
{
    uplink->pause = UPLINK_PAUSE_FIRST;
    uplink->last_error = 0;
    uplink->is_well = true;
    log_info("connected centre=%s port=%u", uplink->options.identity->centre,
             uplink->options.identity->port);
}

static int uplink_await(struct uplink *uplink, unsigned events)
{
    return loop_source_set_events(uplink->source, events);
}

static void uplink_open(struct uplink *uplink)
{
    int r = link_client_new(&uplink->client);

    if (r < 0) {
        uplink_fail(uplink, r);
        return;
    }
    uplink->state = UPLINK_STATE_OPEN;
    uplink->is_well = false;
    uplink_set_timer(uplink, 0);
    uplink->options.owner.opened(uplink->options.owner.context);
    uplink_push(uplink);
}

static void uplink_shake(struct uplink *uplink)
{
    int r = tls_handshake(uplink->tls);

    if (r == -ERR_AGAIN) {
        r = uplink_await(uplink, tls_wants(uplink->tls));
        if (r == 0) {
            return;
        }
    }
    if (r < 0) {
        uplink_fail(uplink, r);
        return;
    }
    uplink_open(uplink);
}

static void uplink_begin_tls(struct uplink *uplink)
{
    int r = net_connected(uplink->fd);

    if (r < 0) {
        uplink_try_next(uplink, r);
        return;
    }
    r = tls_new(uplink->context, uplink->fd, &uplink->tls);
    if (r < 0) {
        uplink_fail(uplink, r);
        return;
    }
    uplink->state = UPLINK_STATE_SHAKING;
    uplink_shake(uplink);
}

/* 1 when the output is empty, 0 when the socket takes no more now. */
static int uplink_write(struct uplink *uplink)
{
    struct str out = link_client_output(uplink->client);

    while (out.len != 0) {
        size_t len = 0;
        int r = tls_write(uplink->tls, out.ptr, out.len, &len);

        if (r == -ERR_AGAIN) {
            return 0;
        }
        if (r < 0) {
            return r;
        }
        link_client_sent(uplink->client, len);
        out = link_client_output(uplink->client);
    }
    return 1;
}

void uplink_push(struct uplink *uplink)
{
    int r;

    if (uplink->state != UPLINK_STATE_OPEN) {
        return;
    }
    r = uplink_write(uplink);
    if (r >= 0) {
        r = uplink_await(uplink, r == 1 ? LOOP_READ : LOOP_READ | LOOP_WRITE);
    }
    if (r < 0) {
        uplink_break(uplink, r);
    }
}

/* Hands every whole answer to the owner, who may cut the connection meanwhile. */
static int uplink_hand_out(struct uplink *uplink)
{
    struct link_answer answer;
    int r = 1;

    while (uplink->state == UPLINK_STATE_OPEN &&
           (r = link_client_next(uplink->client, &answer)) == 1) {
        uplink->options.owner.answered(uplink->options.owner.context, &answer);
    }
    return r < 0 ? r : 0;
}

static int uplink_read(struct uplink *uplink)
{
    static char bytes[UPLINK_READ_SIZE];

    for (int round = 0; round < UPLINK_READ_ROUNDS && uplink->state == UPLINK_STATE_OPEN; round++) {
        size_t len = 0;
        int r = tls_read(uplink->tls, bytes, sizeof(bytes), &len);

        if (r == 0) {
            r = link_client_feed(uplink->client, str_of(bytes, len));
        }
        if (r == 0) {
            r = uplink_hand_out(uplink);
        }
        if (r < 0) {
            return r == -ERR_AGAIN ? 0 : r;
        }
    }
    return 0;
}

static void uplink_carry(struct uplink *uplink, unsigned events)
{
    int r = (events & (LOOP_READ | LOOP_HANGUP)) != 0 ? uplink_read(uplink) : 0;

    if (r < 0) {
        uplink_break(uplink, r);
        return;
    }
    uplink_push(uplink);
    if (uplink->state == UPLINK_STATE_OPEN && link_client_output(uplink->client).len == 0) {
        uplink->options.owner.drained(uplink->options.owner.context);
    }
}

static void uplink_on_socket(void *context, int fd, unsigned events)
{
    struct uplink *uplink = context;

    (void)fd;
    if (uplink->state == UPLINK_STATE_CONNECTING) {
        uplink_begin_tls(uplink);
    } else if (uplink->state == UPLINK_STATE_SHAKING) {
        uplink_shake(uplink);
    } else if (uplink->state == UPLINK_STATE_OPEN) {
        uplink_carry(uplink, events);
    }
}

/* The next address of the centre; error: why the last one was no good. */
static void uplink_try_next(struct uplink *uplink, int error)
{
    while (uplink->target < uplink->target_count) {
        int fd;

        uplink_shut(uplink);
        fd = net_connect(&uplink->targets[uplink->target++]);
        if (fd < 0) {
            error = fd;
            continue;
        }
        uplink->fd = fd;
        uplink->state = UPLINK_STATE_CONNECTING;
        error = loop_add_fd(uplink->options.loop, fd, LOOP_WRITE, uplink_on_socket, uplink,
                            &uplink->source);
        if (error == 0) {
            return;
        }
    }
    uplink_fail(uplink, error);
}

static void uplink_on_resolved(void *context, int fd, unsigned events)
{
    struct uplink *uplink = context;
    int r = resolver_take(fd, uplink->targets, &uplink->target_count);

    (void)events;
    if (r == -ERR_PIPE) {
        log_error("the resolver has gone");
        loop_stop(uplink->options.loop, r);               /* the supervisor starts both again */
    } else if (uplink->state == UPLINK_STATE_RESOLVING) { /* else it comes too late */
        uplink->target = 0;
        uplink->target_count = r < 0 ? 0 : uplink->target_count;
        uplink_try_next(uplink, r < 0 ? r : -ERR_NOENT);
    }
}

static void uplink_begin(struct uplink *uplink)
{
    const struct identity *identity = uplink->options.identity;
    int r;

    uplink_set_timer(uplink, UPLINK_CONNECT_TIME);
    if (uplink->resolver < 0) {
        uplink->target = 0;
        uplink_try_next(uplink, -ERR_NOENT);
        return;
    }
    uplink->state = UPLINK_STATE_RESOLVING;
    r = resolver_ask(uplink->resolver, identity->centre, identity->port);
    if (r < 0) {
        uplink_fail(uplink, r);
    }
}

static void uplink_on_timer(void *context)
{
    struct uplink *uplink = context;

    if (uplink->state == UPLINK_STATE_PAUSE) {
        uplink_begin(uplink);
    } else if (uplink->state == UPLINK_STATE_CONNECTING && uplink->target < uplink->target_count) {
        uplink_set_timer(uplink, UPLINK_CONNECT_TIME);
        uplink_try_next(uplink, -ERR_TIMEDOUT);
    } else if (uplink->state != UPLINK_STATE_OPEN) {
        uplink_fail(uplink, -ERR_TIMEDOUT);
    }
}

static int uplink_find_centre(struct uplink *uplink)
{
    const struct identity *identity = uplink->options.identity;
    int r = net_parse(identity->centre, identity->port, &uplink->targets[0]);

    if (r == 0) {
        uplink->target_count = 1;
        return 0;
    }
    r = resolver_start(uplink->options.resolver_user, &uplink->resolver);
    if (r == 0) {
        r = fd_set_nonblocking(uplink->resolver, true);
    }
    return r < 0 ? r
                 : loop_add_fd(uplink->options.loop, uplink->resolver, LOOP_READ,
                               uplink_on_resolved, uplink, &uplink->resolver_source);
}

int uplink_new(const struct uplink_options *options, struct uplink **ret_uplink, struct diag *diag)
{
    const struct tls_client_options tls = {.alpn = LINK_ALPN_AGENT,
                                           .authority = buf_str(&options->identity->authority),
                                           .certificate = buf_str(&options->identity->certificate),
                                           .key = buf_str(&options->identity->key)};
    CLEANUP(uplink_freep) struct uplink *uplink = mem_alloc(1, sizeof(*uplink));
    uint64_t seed;
    int r;

    if (uplink == NULL) {
        return -ERR_NOMEM;
    }
    uplink->options = *options;
    uplink->fd = -1;
    uplink->resolver = -1;
    uplink->pause = UPLINK_PAUSE_FIRST;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        return -ERR_IO;
    }
    prng_init(&uplink->prng, seed);
    if (identity_validity(options->identity, &uplink->good_from, &uplink->good_until) < 0) {
        log_warn("the end of this host's certificate cannot be read");
    }
    r = tls_context_new_client(&tls, &uplink->context, diag);
    if (r == 0) {
        r = loop_add_timer(options->loop, uplink_on_timer, uplink, &uplink->timer);
    }
    if (r == 0) {
        r = uplink_find_centre(uplink);
    }
    if (r == 0) {
        r = loop_source_set_timer(uplink->timer, 1, 0);
    }
    if (r == 0) {
        *ret_uplink = TAKE_PTR(uplink);
    }
    return r;
}

void uplink_free(struct uplink *uplink)
{
    if (uplink == NULL) {
        return;
    }
    uplink_shut(uplink);
    loop_source_free(uplink->timer);
    loop_source_free(uplink->resolver_source);
    closep(&uplink->resolver);
    tls_context_free(uplink->context);
    mem_free(uplink);
}

void uplink_freep(struct uplink **uplink)
{
    uplink_free(*uplink);
    *uplink = NULL;
}

struct link_client *uplink_client(struct uplink *uplink)
{
    return uplink->state == UPLINK_STATE_OPEN ? uplink->client : NULL;
}
