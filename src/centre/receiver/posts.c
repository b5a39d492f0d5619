/* What shippers post, as the api hands it on in pieces: cut by post.c, put into the queue, answered
 * when all of it is durable. While there is no room, no pieces are read. One that overruns the
 * queue all the same is refused, to be sent again; what was taken of it stays. A piece that unpacks
 * to much is unpacked in turns, a post after another, so that nobody waits for it. What a post says
 * that was taken of one before it, whose answer reached nobody, is passed over (repeats.h). Numbers
 * are the api's: one that died leaves posts behind whose pieces stop coming. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/receiver/body.h"

#include <stdio.h>
#include <string.h>

#define POST_PATIENCE     (120 * NS_PER_S)
#define POST_REPEAT_LEAST (2 * NS_PER_S) /* no shipper gives up sooner */
#define POST_REST         (192U << 10)   /* packed bytes of a post that wait; more are not read … */
#define POST_REST_MAX     (POST_REST + MSG_SIZE_MAX) /* … but for the piece in hand */

struct post {
    struct list node; /* among those that wait for their answer */
    struct list turn; /* among those of which more is to be unpacked */
    struct buf rest;  /* that waits for it */
    struct receiver *receiver;
    uint64_t number;
    char poster[NET_ADDRESS_SIZE];
    uint64_t batch;        /* the last that holds an entry of it */
    struct buf hashes;     /* of what was taken, in its order; see repeats.h */
    struct repeat *repeat; /* it says again, so far; NULL: it is new */
    size_t place;          /* of the next entry */
    size_t given;          /* so many of the first stand for another post's; see repeats.h */
    struct post_cutter *cutter;
    int64_t heard; /* monotonic */
    bool is_over;  /* answered; further pieces are passed over */
    bool is_last;  /* its last piece has come */
    bool is_again; /* another that is the same took its place while it waited */
};

static void post_free(struct post *post)
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

/* What was taken of it will be known again; of one that said again only a part of what was known
 * before, all of that. */
static void post_keep(struct post *post, bool is_answered)
{
    struct receiver *receiver = post->receiver;
    struct repeat kept = {.number = post->number,
                          .batch = post->batch,
                          .given = post->given,
                          .is_answered = is_answered};
    struct buf *hashes = &post->hashes;

    if (post->repeat != NULL && repeat_count(post->repeat) > post->place) {
        hashes = &post->repeat->hashes;
        kept.given = post->repeat->given > post->place ? post->repeat->given : 0;
    }
    kept.hashes = *hashes;
    buf_init(hashes, 0);
    repeats_keep(&receiver->repeats, &kept, clock_mono(receiver->queue.clock));
}

/* It did not come to its answer. */
static void post_leave(struct post *post)
{
    if (!post->is_again && !post->is_over) { /* one that was refused is kept already */
        post_keep(post, false);
    }
    post_free(post);
}

static int post_answer(struct receiver *receiver, uint64_t number, int result,
                       const struct post_counts *counts)
{
    static const struct post_counts nothing;

    counts = counts != NULL ? counts : &nothing;
    msg_begin(&receiver->msg, RECEIVER_MESSAGE_POSTED);
    msg_put_u64(&receiver->msg, number);
    msg_put_i64(&receiver->msg, result);
    msg_put_u32(&receiver->msg, counts->taken);
    msg_put_str(&receiver->msg, str_from(counts->why));
    msg_put_u32(&receiver->msg, counts->refused);
    for (uint32_t i = 0; i < counts->refused; i++) {
        msg_put_u32(&receiver->msg, counts->refusals[i]);
    }
    return channel_send(receiver->options->api, &receiver->msg, NULL, 0);
}

/* One that failed: should the channel be full, the api's patience ends it. */
static void post_refuse(struct receiver *receiver, uint64_t number, int result,
                        const struct post_counts *counts)
{
    if (post_answer(receiver, number, result, counts) < 0) {
        log_warn("a post could not be answered post=%llu", (unsigned long long)number);
    }
}

/* One that waits for its answer and begins with that entry: whoever posted it may have given up
 * waiting, which the api hears of late, and be posting it again. */
static struct repeat *posts_waiting(struct receiver *receiver, uint64_t first)
{
    int64_t now = clock_mono(receiver->queue.clock);

    LIST_EACH (node, &receiver->answers) {
        struct post *post = LIST_ENTRY(node, struct post, node);

        if (!post->is_again && now - post->heard > POST_REPEAT_LEAST && post->hashes.len != 0 &&
            memcmp(post->hashes.ptr, &first, sizeof(first)) == 0) {
            struct repeat waiting = {.number = post->number,
                                     .batch = post->batch,
                                     .given = post->given,
                                     .hashes = post->hashes};
            struct repeat *copy = repeat_copy(&waiting);

            post->is_again = copy != NULL;
            return copy;
        }
    }
    return NULL;
}

/* It only began as the other did. One that nobody was answered may still come again: what was
 * passed over of this one is to be made up for then. One that waits will be answered, and both
 * would be for entries that are there once: this one is refused, and comes again when the other is
 * done. */
static int post_part(struct post *post)
{
    struct receiver *receiver = post->receiver;
    struct repeat *repeat = TAKE_PTR(post->repeat);
    struct post *waiting = map_get(&receiver->posts, MAP_KEY(repeat->number));

    if (!repeat->is_copy) {
        repeat->given = post->place > repeat->given ? post->place : repeat->given;
        repeats_put_back(&receiver->repeats, repeat, clock_mono(receiver->queue.clock));
        return 0;
    }
    if (waiting != NULL) {
        waiting->is_again = false;
    }
    repeat_free(repeat);
    buf_reset(&post->hashes); /* nothing of it was taken */
    return -ERR_FULL;
}

/* Whether it ends within what it seems to be again. */
static bool post_ends_early(const struct post *post)
{
    return post->repeat != NULL && post->place < repeat_count(post->repeat);
}

/* Whether the next entry of it was taken before: it is durable with the batch that it lies in. */
static int post_says_again(struct post *post, uint64_t hash, bool *ret_is_again)
{
    struct receiver *receiver = post->receiver;

    *ret_is_again = false;
    if (post->place == 0) {
        post->repeat = repeats_take(&receiver->repeats, hash, clock_mono(receiver->queue.clock));
        post->repeat = post->repeat != NULL ? post->repeat : posts_waiting(receiver, hash);
    }
    if (post->repeat == NULL) {
        return 0;
    }
    if (post->place >= repeat_count(post->repeat)) {
        repeat_free(TAKE_PTR(post->repeat)); /* all of it was said again */
        return 0;
    }
    if (!repeat_has(post->repeat, post->place, hash)) {
        return post_part(post);
    }
    post->batch = post->repeat->batch > post->batch ? post->repeat->batch : post->batch;
    *ret_is_again = post->place >= post->repeat->given;
    return 0;
}

static int on_entry(void *context, const struct receiver_entry *entry)
{
    struct post *post = context;
    struct receiver *receiver = post->receiver;
    uint64_t hash = repeats_hash(&receiver->repeats, str_from(post->poster), entry);
    bool is_again;
    int r = post_says_again(post, hash, &is_again);

    if (r < 0) {
        return r;
    }
    if (is_again) {
        receiver->counts.of[RECEIVER_COUNT_REPEATED]++;
    } else {
        r = receiver_put(&receiver->queue, entry);
        if (r < 0) {
            return r;
        }
        receiver->counts.of[RECEIVER_COUNT_RECEIVED + RECEIVER_WAY_POST]++;
        post->batch = receiver_queue_last(&receiver->queue);
        receiver_hurry(receiver);
    }
    if (post->place++ < REPEAT_HASHES) {
        r = buf_put(&post->hashes, &hash, sizeof(hash));
    }
    return r;
}

/* What leads a piece. */
struct piece {
    uint64_t number;
    struct str poster; /* its address */
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
    (void)snprintf(post->poster, sizeof(post->poster), "%.*s", STR_ARG(piece->poster));
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
    if (result >= 0 && post->is_last && !post->is_over && post_ends_early(post)) {
        result = post_part(post);
    }
    if (result < 0) {
        post_refuse(receiver, post->number, result, post_cutter_counts(post->cutter));
        post_keep(post, false);
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
        post_refuse(receiver, piece->number, r, NULL);
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
    } else if (msg->type == RECEIVER_MESSAGE_LEFT) {
        uint64_t number = msg_get_u64(msg);
        struct post *post = map_get(&receiver->posts, MAP_KEY(number));

        if (post != NULL) {
            post_leave(post);
        } else {
            repeats_unanswered(&receiver->repeats, number, clock_mono(receiver->queue.clock));
        }
    }
}

void receiver_posts_settle(struct receiver *receiver)
{
    LIST_EACH (node, &receiver->answers) {
        struct post *post = LIST_ENTRY(node, struct post, node);

        if (post->batch <= receiver->queue.durable) {
            if (post_answer(receiver, post->number, 0, post_cutter_counts(post->cutter)) < 0) {
                return; /* the channel is full: in a second again */
            }
            if (!post->is_again) {
                post_keep(post, true);
            }
            post_free(post);
        }
    }
}

void receiver_posts_watch(struct receiver *receiver)
{
    int64_t now = clock_mono(receiver->queue.clock);
    size_t cursor = 0;
    struct post *post;

    while ((post = map_next(&receiver->posts, &cursor)) != NULL) {
        if (!post->is_last && list_is_empty(&post->turn) && now - post->heard > POST_PATIENCE) {
            post_leave(post);
        }
    }
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
    repeats_done(&receiver->repeats);
}
