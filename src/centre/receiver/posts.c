/* What shippers post, as the api hands it on in pieces: cut by post.c, put into the queue, answered
 * when all of it is durable. While there is no room, no pieces are read. One that overruns the
 * queue all the same is refused, to be sent again; what was taken of it stays. A piece that unpacks
 * to much is unpacked in turns, a post after another, so that nobody waits for it. What a post says
 * that was taken of one before it, whose answer reached nobody, is passed over (posts_again.c).
 * Numbers are the api's: one that died leaves posts behind whose pieces stop coming. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/receiver/posts_part.h"

#define POST_PATIENCE (120 * NS_PER_S)
#define POST_REST     (192U << 10) /* packed bytes of a post that wait; more are not read … */
#define POST_REST_MAX (POST_REST + MSG_SIZE_MAX) /* … but for the piece in hand */

void post_free(struct post *post)
{
    (void)map_remove(&post->receiver->posts, MAP_KEY(post->number));
    list_remove(&post->node);
    list_remove(&post->turn);
    buf_done(&post->rest);
    buf_done(&post->hashes);
    repeat_free(post->repeat);
    post_cutter_free(post->cutter);
    mem_free(post);
}

/* kept: by which core keeps it until its sender is told; 0: it does not. */
static int post_answer(struct receiver *receiver, uint64_t number, int result, uint64_t kept,
                       const struct post_counts *counts)
{
    static const struct post_counts nothing;

    counts = counts != NULL ? counts : &nothing;
    msg_begin(&receiver->msg, RECEIVER_MESSAGE_POSTED);
    msg_put_u64(&receiver->msg, number);
    msg_put_i64(&receiver->msg, result);
    msg_put_u64(&receiver->msg, kept);
    msg_put_u32(&receiver->msg, counts->taken);
    msg_put_u32(&receiver->msg, counts->refused);
    for (uint32_t i = 0; i < counts->refused; i++) {
        msg_put_u32(&receiver->msg, counts->refusals[i].number);
        msg_put_u32(&receiver->msg, counts->refusals[i].fault);
    }
    return channel_send(receiver->options->api, &receiver->msg, NULL, 0);
}

/* Should the channel be full, the api's patience ends it. */
void posts_refuse(struct receiver *receiver, uint64_t number, int result,
                  const struct post_counts *counts)
{
    if (post_answer(receiver, number, result, 0, counts) < 0) {
        log_warn("a post could not be answered post=%llu", (unsigned long long)number);
    }
}

static int on_entry(void *context, const struct receiver_entry *read)
{
    struct post *post = context;
    struct receiver *receiver = post->receiver;
    struct receiver_entry entry = *read;
    bool is_again = false;
    int r = post_says_again(post, &entry, &is_again);

    if (r < 0) {
        return r;
    }
    if (is_again) {
        receiver->counts.of[RECEIVER_COUNT_REPEATED]++;
    } else {
        r = receiver_put(&receiver->queue, &entry);
        if (r < 0) {
            post_take_back(post);
            return r;
        }
        receiver->counts.of[RECEIVER_COUNT_RECEIVED + RECEIVER_WAY_POST]++;
        post->batch = receiver_queue_last(&receiver->queue);
        receiver_hurry(receiver);
    }
    post->place++;
    return 0;
}

/* What leads a piece. */
struct piece {
    uint64_t number;
    struct str poster; /* its address, or a key */
    struct post_cutter_options options;
    uint32_t marks; /* enum receiver_piece */
    struct str bytes;
};

static struct piece piece_read(struct msg_reader *msg)
{
    struct piece piece = {.number = msg_get_u64(msg)};

    piece.options.token = msg_get_str(msg);
    piece.poster = msg_get_str(msg);
    piece.options.form = (enum receiver_form)msg_get_u32(msg);
    piece.options.host = msg_get_str(msg);
    piece.marks = msg_get_u32(msg);
    piece.options.is_packed = (piece.marks & RECEIVER_PIECE_PACKED) != 0;
    piece.bytes = msg_get_str(msg);
    return piece;
}

/* Of no other life, and none that core's store does not hold. */
static uint64_t post_next_id(struct receiver *receiver)
{
    receiver->post_id = (receiver->post_id + 1) & INT64_MAX;
    return receiver->post_id != 0 ? receiver->post_id : ++receiver->post_id;
}

static int post_new(struct receiver *receiver, struct piece *piece, struct post **ret_post)
{
    struct post *post;
    int r;

    if (piece->options.form >= RECEIVER_FORM_COUNT) {
        return -ERR_PROTO;
    }
    post = mem_alloc(1, sizeof(*post));
    if (post == NULL) {
        return -ERR_NOMEM;
    }
    *post = (struct post){.receiver = receiver, .number = piece->number};
    post->poster = map_hash(piece->poster, receiver->repeats.seed);
    post->is_keyed = (piece->marks & RECEIVER_PIECE_KEYED) != 0;
    post->id = post_next_id(receiver);
    post->is_noted = true;
    list_init(&post->node);
    list_init(&post->turn);
    buf_init(&post->rest, POST_REST_MAX);
    buf_init(&post->hashes, REPEAT_HASHES * sizeof(uint64_t));
    piece->options.fn = on_entry;
    piece->options.context = post;
    r = map_put(&receiver->posts, MAP_KEY(post->number), post);
    r = r < 0 ? r : post_cutter_new(&piece->options, &post->cutter);
    if (r < 0) {
        post_free(post);
        return r == -ERR_LIMIT ? -ERR_FULL : r;
    }
    *ret_post = post;
    return 0;
}

/* Its next turn comes when others have had theirs. */
static void post_queue(struct post *post)
{
    struct receiver *receiver = post->receiver;

    list_remove(&post->turn);
    list_append(&receiver->unpacking, &post->turn);
    if (loop_source_set_timer(receiver->unpack, 1, 0) < 0) {
        loop_stop(receiver->loop, -ERR_IO);
    }
}

/* Cuts what is there, as much as a turn may cost. */
static int post_feed(struct post *post, struct str *bytes)
{
    post->heard = clock_mono(post->receiver->queue.clock);
    if (post->is_over) {
        *bytes = STR("");
        return 0;
    }
    return post->receiver->is_ending ? -ERR_FULL
                                     : post_cutter_feed(post->cutter, bytes, post->is_last);
}

/* A piece behind others that wait. */
static int post_hold(struct post *post, struct str bytes)
{
    return bytes.len == 0 || buf_put_str(&post->rest, bytes) == 0 ? POST_CUTTER_MORE
                                                                  : buf_error(&post->rest);
}

/* result: of its last turn; what is left of it waits. */
static void post_go_on(struct post *post, int result)
{
    struct receiver *receiver = post->receiver;

    if (result == POST_CUTTER_MORE) {
        post_queue(post);
        return;
    }
    list_remove(&post->turn);
    if (result >= 0 && post->is_last && !post->is_over) {
        result = post_end_repeat(post);
    }
    if (result < 0) {
        posts_refuse(receiver, post->number, result, post_cutter_counts(post->cutter));
        post_release(post);
        post->is_over = true;
        buf_done(&post->rest);
    }
    if (post->is_last && post->is_over) {
        post_free(post);
    } else if (post->is_last) {
        list_append(&receiver->answers, &post->node);
        receiver_posts_settle(receiver); /* it may be empty */
    }
}

void receiver_posts_turn(struct receiver *receiver)
{
    struct post *post;
    struct str bytes;
    int r;

    if (list_is_empty(&receiver->unpacking) ||
        (!receiver_queue_has_room(&receiver->queue) && !receiver->is_ending)) {
        return;
    }
    post = LIST_ENTRY(receiver->unpacking.next, struct post, turn);
    bytes = buf_str(&post->rest);
    r = post_feed(post, &bytes);
    buf_consume(&post->rest, post->rest.len - bytes.len);
    post_go_on(post, r);
    if (!list_is_empty(&receiver->unpacking) && loop_source_set_timer(receiver->unpack, 1, 0) < 0) {
        loop_stop(receiver->loop, -ERR_IO);
    }
}

bool receiver_posts_have_room(const struct receiver *receiver)
{
    LIST_EACH (node, &receiver->unpacking) {
        if (LIST_ENTRY(node, struct post, turn)->rest.len > POST_REST) {
            return false;
        }
    }
    return true;
}

/* The post of a piece; NULL: it was refused, or its first piece went to a process before this one,
 * and the api knows; or it has had its last piece, and only an api in other hands sends more. */
static struct post *posts_find(struct receiver *receiver, struct piece *piece)
{
    struct post *post = map_get(&receiver->posts, MAP_KEY(piece->number));
    int r;

    if (post != NULL || (piece->marks & RECEIVER_PIECE_FIRST) == 0) {
        return post != NULL && !post->is_last ? post : NULL;
    }
    r = post_new(receiver, piece, &post);
    if (r < 0) {
        posts_refuse(receiver, piece->number, r, NULL);
        return NULL;
    }
    return post;
}

static void posts_piece(struct receiver *receiver, struct msg_reader *msg)
{
    struct piece piece = piece_read(msg);
    struct post *post = msg_close(msg) < 0 ? NULL : posts_find(receiver, &piece);
    bool is_waiting;
    int r;

    if (post == NULL) {
        return;
    }
    is_waiting = !list_is_empty(&post->turn);
    post->is_last = (piece.marks & RECEIVER_PIECE_LAST) != 0;
    r = is_waiting ? POST_CUTTER_MORE : post_feed(post, &piece.bytes);
    if (r == POST_CUTTER_MORE) {
        r = post_hold(post, piece.bytes);
    }
    post_go_on(post, r);
}

void receiver_posts_take(struct receiver *receiver, struct msg_reader *msg)
{
    if (msg->type == RECEIVER_MESSAGE_PIECE) {
        posts_piece(receiver, msg);
    } else if (msg->type == RECEIVER_MESSAGE_LEFT || msg->type == RECEIVER_MESSAGE_TOLD) {
        uint64_t number = msg_get_u64(msg);
        uint64_t kept = msg_get_u64(msg);

        if (msg_close(msg) < 0) {
            return;
        }
        if (number == 0) {
            receiver_posts_leave_all(receiver);
        } else if (msg->type == RECEIVER_MESSAGE_TOLD) {
            receiver_posts_told(receiver, number, kept);
        } else {
            receiver_posts_leave(receiver, number);
        }
    }
}

void receiver_posts_settle(struct receiver *receiver)
{
    LIST_EACH (node, &receiver->answers) {
        struct post *post = LIST_ENTRY(node, struct post, node);

        if (post->batch <= receiver->queue.durable && post->behind == 0) {
            const struct post_counts *counts = post_cutter_counts(post->cutter);
            uint64_t kept = post->is_keyed ? 0 : post->id; /* under a key it is known on */

            if (post_answer(receiver, post->number, 0, kept, counts) < 0) {
                return; /* the channel is full: in a second again */
            }
            post_keep(post, true);
            post_free(post);
        }
    }
}

/* It asks for posts again that were under way, and says again who was told. What the process before
 * this one left in the channel may leave no room. */
void receiver_posts_greet(struct receiver *receiver)
{
    if (receiver->is_api_due) {
        msg_begin(&receiver->msg, RECEIVER_MESSAGE_HELLO);
        msg_put_u64(&receiver->msg, receiver->queue.life);
        receiver->is_api_due = channel_send(receiver->options->api, &receiver->msg, NULL, 0) < 0;
    }
}

void receiver_posts_watch(struct receiver *receiver)
{
    int64_t now = clock_mono(receiver->queue.clock);
    size_t cursor = 0;
    struct post *post;

    while ((post = map_next(&receiver->posts, &cursor)) != NULL) {
        if (!post->is_last && list_is_empty(&post->turn) && now - post->heard > POST_PATIENCE) {
            post_release(post);
            post_free(post);
        }
    }
    receiver_posts_greet(receiver);
    receiver_posts_doubt(receiver);
    receiver_posts_settle(receiver);
}

void receiver_posts_done(struct receiver *receiver)
{
    size_t cursor = 0;
    struct post *post;

    while ((post = map_next(&receiver->posts, &cursor)) != NULL) {
        post_free(post);
    }
    map_done(&receiver->posts);
    repeats_clear(&receiver->repeats);
}
