/* The agent's side of a connection: see link/client.h. Between link/spool.c and the TLS socket of
 * agent/link.c; canhgac agent enrol uses it for its one question. */
#include "link/client.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "link/frame.h"

#define LINK_CLIENT_IN_LIMIT  (FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX)
#define LINK_CLIENT_OUT_LIMIT (4U << 20)
#define LINK_CLIENT_OUT_BUSY  (1U << 20)

struct link_client {
    struct buf in;
    struct buf out;
    struct buf content;
    struct buf scratch;
    size_t in_hand; /* bytes of in that belong to the frame given last */
    size_t sent;    /* bytes of out that have gone */
    struct frame_packer packer;
};

int link_client_new(struct link_client **ret_client)
{
    struct link_client *client = mem_alloc(1, sizeof(*client));

    if (client == NULL) {
        return -ERR_NOMEM;
    }
    buf_init(&client->in, LINK_CLIENT_IN_LIMIT);
    buf_init(&client->out, LINK_CLIENT_OUT_LIMIT);
    buf_init(&client->content, FRAME_CONTENT_MAX);
    buf_init(&client->scratch, FRAME_CONTENT_MAX);
    *ret_client = client;
    return 0;
}

void link_client_free(struct link_client *client)
{
    if (client == NULL) {
        return;
    }
    buf_done(&client->in);
    buf_done(&client->out);
    buf_done(&client->content);
    buf_done(&client->scratch);
    frame_packer_done(&client->packer);
    mem_free(client);
}

void link_client_freep(struct link_client **client)
{
    link_client_free(*client);
    *client = NULL;
}

size_t link_client_room(const struct link_client *client)
{
    return LINK_CLIENT_IN_LIMIT - client->in.len;
}

int link_client_feed(struct link_client *client, struct str bytes)
{
    int r;

    if (bytes.len > link_client_room(client)) {
        return -ERR_LIMIT;
    }
    r = buf_put_str(&client->in, bytes);
    if (r < 0) {
        buf_reset(&client->in);
    }
    return r;
}

static int link_client_put(struct link_client *client, enum frame_type type, uint64_t sequence)
{
    int r = buf_error(&client->scratch);

    if (r == 0) {
        r = frame_write(&client->out, &client->packer, type, sequence, buf_str(&client->scratch));
    }
    buf_reset(&client->scratch);
    return r;
}

int link_client_hello(struct link_client *client, uint64_t last, const struct link_hello *hello)
{
    link_hello_encode(hello, &client->scratch);
    return link_client_put(client, FRAME_TYPE_HELLO, last);
}

bool link_client_is_busy(const struct link_client *client)
{
    return client->out.len - client->sent > LINK_CLIENT_OUT_BUSY;
}

int link_client_batch(struct link_client *client, uint64_t last, struct str content)
{
    if (link_client_is_busy(client)) {
        return -ERR_AGAIN;
    }
    return frame_write(&client->out, &client->packer, FRAME_TYPE_BATCH, last, content);
}

int link_client_enrol(struct link_client *client, const struct link_enrol *enrol)
{
    link_enrol_encode(enrol, &client->scratch);
    return link_client_put(client, FRAME_TYPE_ENROL, 0);
}

int link_client_ping(struct link_client *client)
{
    return link_client_put(client, FRAME_TYPE_PING, 0);
}

int link_client_bye(struct link_client *client)
{
    return link_client_put(client, FRAME_TYPE_BYE, LINK_BYE_END);
}

struct str link_client_output(const struct link_client *client)
{
    return str_slice(buf_str(&client->out), client->sent, client->out.len);
}

void link_client_sent(struct link_client *client, size_t len)
{
    client->sent += len;
    if (client->sent == client->out.len || client->sent > LINK_CLIENT_OUT_BUSY) {
        buf_consume(&client->out, client->sent);
        client->sent = 0;
    }
}

static int link_client_take_ack(const struct frame *frame, struct str content,
                                struct link_answer *ret_answer)
{
    struct link_ack ack;
    int r = link_ack_decode(content, &ack);

    if (r < 0) {
        return r;
    }
    ret_answer->kind = LINK_ANSWER_ACK;
    ret_answer->sequence = frame->sequence;
    ret_answer->clock = ack.clock;
    return 1;
}

static int link_client_take(struct link_client *client, const struct frame *frame,
                            struct link_answer *ret_answer)
{
    struct str content;
    int r = frame_content(frame, &client->content, &content);

    if (r < 0) {
        return r;
    }
    switch (frame->type) {
    case FRAME_TYPE_ACK:
        return link_client_take_ack(frame, content, ret_answer);
    case FRAME_TYPE_ACTION:
        ret_answer->kind = LINK_ANSWER_ACTION;
        ret_answer->request = content;
        return 1;
    case FRAME_TYPE_ENROLLED:
        ret_answer->kind = LINK_ANSWER_ENROLLED;
        r = link_enrolled_decode(content, &ret_answer->enrolled);
        return r < 0 ? r : 1;
    case FRAME_TYPE_PING:
        return link_client_put(client, FRAME_TYPE_PONG, frame->sequence);
    case FRAME_TYPE_PONG:
        ret_answer->kind = LINK_ANSWER_PONG;
        return 1;
    case FRAME_TYPE_BYE:
        ret_answer->kind = LINK_ANSWER_BYE;
        ret_answer->bye =
            frame->sequence < LINK_BYE_COUNT ? (enum link_bye)frame->sequence : LINK_BYE_PROTOCOL;
        return 1;
    case FRAME_TYPE_HELLO:
    case FRAME_TYPE_BATCH:
    case FRAME_TYPE_ENROL:
    case FRAME_TYPE_END:
        break;
    }
    return -ERR_PROTO;
}

int link_client_next(struct link_client *client, struct link_answer *ret_answer)
{
    struct link_answer answer = {0};
    struct frame frame;
    int r = 0;

    while (r == 0) {
        buf_consume(&client->in, client->in_hand);
        client->in_hand = 0;
        r = frame_read(buf_str(&client->in), &frame, &client->in_hand);
        if (r < 0 || client->in_hand == 0) {
            return r;
        }
        r = link_client_take(client, &frame, &answer);
    }
    if (r == 1) {
        *ret_answer = answer;
    }
    return r;
}
