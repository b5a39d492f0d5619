/* The centre's side of a connection: see link/server.h. Between centre/front.c's plain stream and
 * centre/core.c. Invariant: in holds at most one frame and what followed it in the same read, so a
 * peer can make the centre keep no more than a frame; nothing is read from a peer whose output is
 * not taken. */
#include "link/server.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "link/frame.h"

#define LINK_SERVER_IN_LIMIT  (FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX)
#define LINK_SERVER_ENROL_MAX (16U << 10) /* of one who has proved nothing yet */
#define LINK_SERVER_OUT_LIMIT (4U << 20)
#define LINK_SERVER_OUT_BUSY  (64U << 10) /* with more than this unsent, nothing new is read */

enum link_server_state {
    LINK_SERVER_STATE_NEW,
    LINK_SERVER_STATE_OPEN,
    LINK_SERVER_STATE_ENDED,
};

struct link_server {
    bool is_enrolment;
    enum link_server_state state;
    struct buf in;
    struct buf out;
    struct buf content; /* of the frame in hand, decompressed */
    struct buf scratch; /* payloads being written */
    size_t in_hand;     /* bytes of in that belong to the frame in hand */
    bool is_in_batch;
    struct link_batch batch;
    uint64_t highest; /* record sequence seen on this connection */
};

int link_server_new(bool is_enrolment, struct link_server **ret_server)
{
    struct link_server *server = mem_alloc(1, sizeof(*server));

    if (server == NULL) {
        return -ERR_NOMEM;
    }
    server->is_enrolment = is_enrolment;
    buf_init(&server->in, is_enrolment ? LINK_SERVER_ENROL_MAX : LINK_SERVER_IN_LIMIT);
    buf_init(&server->out, LINK_SERVER_OUT_LIMIT);
    buf_init(&server->content, is_enrolment ? LINK_SERVER_ENROL_MAX : FRAME_CONTENT_MAX);
    buf_init(&server->scratch, FRAME_CONTENT_MAX);
    *ret_server = server;
    return 0;
}

void link_server_free(struct link_server *server)
{
    if (server == NULL) {
        return;
    }
    buf_done(&server->in);
    buf_done(&server->out);
    buf_done(&server->content);
    buf_done(&server->scratch);
    mem_free(server);
}

void link_server_freep(struct link_server **server)
{
    link_server_free(*server);
    *server = NULL;
}

size_t link_server_room(const struct link_server *server)
{
    if (server->state == LINK_SERVER_STATE_ENDED || server->out.len > LINK_SERVER_OUT_BUSY ||
        server->is_in_batch) {
        return 0; /* a batch in hand may borrow from in, which must not move then */
    }
    return server->in.limit - server->in.len;
}

int link_server_feed(struct link_server *server, struct str bytes)
{
    int r;

    if (bytes.len > server->in.limit - server->in.len || server->is_in_batch) {
        return -ERR_LIMIT;
    }
    r = buf_put_str(&server->in, bytes);
    if (r < 0) {
        buf_reset(&server->in);
    }
    return r;
}

/* Writes a frame whose content stands in scratch. */
static int link_server_put(struct link_server *server, enum frame_type type, uint64_t sequence)
{
    int r = buf_error(&server->scratch);

    if (server->state == LINK_SERVER_STATE_ENDED) {
        return -ERR_PIPE;
    }
    if (r == 0) {
        r = frame_write(&server->out, NULL, type, sequence, buf_str(&server->scratch));
    }
    buf_reset(&server->scratch);
    return r;
}

int link_server_acknowledge(struct link_server *server, uint64_t sequence, int64_t clock)
{
    link_ack_encode(&(struct link_ack){.clock = clock}, &server->scratch);
    return link_server_put(server, FRAME_TYPE_ACK, sequence);
}

int link_server_action(struct link_server *server, struct str request)
{
    buf_put_str(&server->scratch, request);
    return link_server_put(server, FRAME_TYPE_ACTION, 0);
}

int link_server_enrolled(struct link_server *server, const struct link_enrolled *enrolled)
{
    link_enrolled_encode(enrolled, &server->scratch);
    return link_server_put(server, FRAME_TYPE_ENROLLED, 0);
}

int link_server_ping(struct link_server *server)
{
    return link_server_put(server, FRAME_TYPE_PING, 0);
}

int link_server_bye(struct link_server *server, enum link_bye bye)
{
    int r = link_server_put(server, FRAME_TYPE_BYE, bye);

    server->state = LINK_SERVER_STATE_ENDED;
    return r;
}

struct str link_server_output(const struct link_server *server)
{
    return buf_str(&server->out);
}

void link_server_sent(struct link_server *server, size_t len)
{
    buf_consume(&server->out, len);
}

static int link_server_take_hello(struct link_server *server, const struct frame *frame,
                                  struct str content, struct link_item *ret_item)
{
    int r;

    if (server->state != LINK_SERVER_STATE_NEW || server->is_enrolment) {
        return -ERR_PROTO;
    }
    r = link_hello_decode(content, &ret_item->hello);
    if (r < 0) {
        return r;
    }
    server->state = LINK_SERVER_STATE_OPEN;
    ret_item->kind = LINK_ITEM_HELLO;
    ret_item->sequence = frame->sequence;
    return 1;
}

static int link_server_take_enrol(struct link_server *server, struct str content,
                                  struct link_item *ret_item)
{
    int r;

    if (server->state != LINK_SERVER_STATE_NEW || !server->is_enrolment) {
        return -ERR_PROTO;
    }
    r = link_enrol_decode(content, &ret_item->enrol);
    if (r < 0) {
        return r;
    }
    server->state = LINK_SERVER_STATE_OPEN;
    ret_item->kind = LINK_ITEM_ENROL;
    return 1;
}

static int link_server_take_batch(struct link_server *server, struct str content)
{
    int r;

    if (server->state != LINK_SERVER_STATE_OPEN || server->is_enrolment) {
        return -ERR_PROTO;
    }
    r = link_batch_open(&server->batch, content);
    server->is_in_batch = r == 0;
    server->batch.sequence = server->highest;
    return r;
}

static int link_server_next_record(struct link_server *server, struct link_item *ret_item)
{
    int r = link_batch_next(&server->batch, &ret_item->sequence, &ret_item->record);

    if (r == 1) {
        server->highest = ret_item->sequence;
        ret_item->kind = LINK_ITEM_RECORD;
    } else if (r == 0) {
        server->is_in_batch = false;
        ret_item->kind = LINK_ITEM_BATCH_END;
        ret_item->sequence = server->highest;
    }
    return r < 0 ? r : 1;
}

static bool link_server_is_bare(enum frame_type type)
{
    return type == FRAME_TYPE_PING || type == FRAME_TYPE_PONG || type == FRAME_TYPE_BYE;
}

/* What a frame means: 1 with an item, 0 when it was dealt with here. */
static int link_server_take(struct link_server *server, const struct frame *frame,
                            struct link_item *ret_item)
{
    struct str content;
    int r = link_server_is_bare(frame->type) && frame->payload.len != 0
                ? -ERR_PROTO /* unpacked for nothing, as often as it is sent */
                : frame_content(frame, &server->content, &content);

    if (r < 0) {
        return r;
    }
    switch (frame->type) {
    case FRAME_TYPE_HELLO:
        return link_server_take_hello(server, frame, content, ret_item);
    case FRAME_TYPE_BATCH:
        r = link_server_take_batch(server, content);
        return r < 0 ? r : link_server_next_record(server, ret_item);
    case FRAME_TYPE_ENROL:
        return link_server_take_enrol(server, content, ret_item);
    case FRAME_TYPE_PING:
        return link_server_put(server, FRAME_TYPE_PONG, frame->sequence);
    case FRAME_TYPE_PONG:
        return 0;
    case FRAME_TYPE_BYE:
        server->state = LINK_SERVER_STATE_ENDED;
        ret_item->kind = LINK_ITEM_BYE;
        return 1;
    case FRAME_TYPE_ACK:
    case FRAME_TYPE_ACTION:
    case FRAME_TYPE_ENROLLED:
    case FRAME_TYPE_END:
        break;
    }
    return -ERR_PROTO;
}

/* Frames until one yields an item: 1, 0 when the next has not arrived whole. */
static int link_server_step(struct link_server *server, struct link_item *ret_item)
{
    struct frame frame;
    int r = 0;

    while (r == 0) {
        if (server->is_in_batch) {
            return link_server_next_record(server, ret_item);
        }
        buf_consume(&server->in, server->in_hand);
        server->in_hand = 0;
        if (server->state == LINK_SERVER_STATE_ENDED || server->out.len > LINK_SERVER_OUT_BUSY) {
            return 0;
        }
        r = frame_read(buf_str(&server->in), &frame, &server->in_hand);
        if (r == 0 && server->in_hand == 0 && server->in.len == server->in.limit) {
            r = -ERR_LIMIT; /* it would never be whole */
        }
        if (r < 0 || server->in_hand == 0) {
            return r;
        }
        r = link_server_take(server, &frame, ret_item);
    }
    return r;
}

int link_server_next(struct link_server *server, struct link_item *ret_item)
{
    struct link_item item = {0};
    int r = link_server_step(server, &item);

    if (r == 1) {
        *ret_item = item;
    } else if (r < 0 && r != -ERR_NOMEM) {
        (void)link_server_bye(server, r == -ERR_VERSION ? LINK_BYE_VERSION : LINK_BYE_PROTOCOL);
    }
    return r;
}
