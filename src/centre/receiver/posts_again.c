/* Posts that come again: what of one was taken before is passed over (repeats.h). One that says
 * what another says whose sender has not heard yet follows that one: was it told, they are two, and
 * this one is refused, to come once more; was it not, this one takes its place. Neighbours: posts.c
 * asks of each entry; core keeps what is noted here, for the process after this one. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "centre/receiver/posts_part.h"

#include <string.h>

#define POST_REPEAT_LEAST (2 * NS_PER_S) /* no shipper gives up sooner */

static int64_t posts_now(const struct receiver *receiver)
{
    return clock_mono(receiver->queue.clock);
}

static struct post *post_follower(struct receiver *receiver, uint64_t number)
{
    size_t cursor = 0;
    struct post *post;

    while ((post = map_next(&receiver->posts, &cursor)) != NULL && post->behind != number) {
    }
    return post;
}

/* Of one that said again only a part of what was known before, all of that is kept. */
void post_keep(struct post *post, bool is_undecided)
{
    struct receiver *receiver = post->receiver;
    struct repeat kept = {.number = post->number,
                          .id = post->id,
                          .batch = post->batch,
                          .heard = post->heard,
                          .given = post->given,
                          .is_undecided = is_undecided,
                          .is_followed = is_undecided && post->is_followed,
                          .is_keyed = post->is_keyed};
    struct buf *hashes = &post->hashes;

    if (post->repeat != NULL && !post->repeat->is_copy &&
        repeat_count(post->repeat) > post->place) {
        hashes = &post->repeat->hashes;
        kept.given = post->repeat->given > post->place ? post->repeat->given : 0;
        kept.given_from =
            post->place > post->repeat->given_from ? post->place : post->repeat->given_from;
    }
    kept.hashes = *hashes;
    buf_init(hashes, 0);
    repeats_keep(&receiver->repeats, &kept, posts_now(receiver));
}

/* Core need not know it any more. */
static void post_let_go(struct receiver *receiver, uint64_t *id)
{
    if (*id != 0) {
        receiver_put_told(&receiver->queue, *id);
        receiver_hurry(receiver); /* the process after this one would take others for it */
        *id = 0;
    }
}

/* That one's sender will come again, or is this one: what is there of it is this one's. */
static void post_inherit(struct post *post, uint64_t id)
{
    post->behind = 0;
    post->borrowed = 0;
    post->id = id;
    if (post->repeat != NULL) {
        post->repeat->is_copy = false;
        post->repeat->id = id;
        post->is_noted = id != 0;
    }
}

/* What it said again is another's. What it said beyond that was taken, and is known when it comes
 * again. */
static void post_keep_own(struct post *post)
{
    post->given = post->borrowed;
    if (post->repeat == NULL && post->place > post->borrowed) {
        post_keep(post, false);
    }
    repeat_free(TAKE_PTR(post->repeat));
}

/* The sender of the one that it follows was told. */
static void post_disinherit(struct post *post)
{
    posts_refuse(post->receiver, post->number, -ERR_FULL, post_cutter_counts(post->cutter));
    post->behind = 0;
    post->is_over = true;
    post->is_followed = false;
    buf_done(&post->rest);
    post_keep_own(post);
}

/* The sender of that one was told: who follows it is another, and so is who follows that. */
static void posts_part_from(struct receiver *receiver, uint64_t number, bool is_followed)
{
    while (is_followed) {
        struct post *post = post_follower(receiver, number);

        if (post == NULL) {
            return;
        }
        number = post->number;
        is_followed = post->is_followed;
        post_disinherit(post);
        if (post->is_last && list_is_empty(&post->turn)) {
            post_free(post);
        }
    }
}

/* Nobody was told of that one. True: who follows it stands for it. */
static bool posts_hand_on(struct receiver *receiver, uint64_t number, bool is_followed, uint64_t id)
{
    struct post *post = is_followed ? post_follower(receiver, number) : NULL;

    if (post != NULL) {
        post_inherit(post, id);
    }
    return post != NULL;
}

/* The one that it follows may be followed again. */
static void post_unfollow(struct post *post)
{
    struct receiver *receiver = post->receiver;
    struct post *ahead = map_get(&receiver->posts, MAP_KEY(post->behind));
    struct repeat *repeat = repeats_undecided(&receiver->repeats, post->behind);

    if (ahead != NULL) {
        ahead->is_followed = false;
    } else if (repeat != NULL) {
        repeat->is_followed = false;
    }
    post->behind = 0;
}

void post_release(struct post *post)
{
    struct receiver *receiver = post->receiver;

    if (post->is_over) { /* it was refused, and is kept */
        return;
    }
    if (post->behind != 0) {
        post_unfollow(post);
        posts_part_from(receiver, post->number, post->is_followed);
        post_keep_own(post);
    } else if (!posts_hand_on(receiver, post->number, post->is_followed, post->id)) {
        post_keep(post, false);
    }
    post->is_followed = false;
}

/* ---- what a post says */

/* Two at one time are two, but for a key. */
static bool post_may_follow(const struct post *post, const struct repeat *ahead)
{
    return (post->is_keyed || posts_now(post->receiver) - ahead->heard > POST_REPEAT_LEAST) &&
           repeat_begins(ahead, buf_str(&post->hashes));
}

/* One that waits for its answer, or whose answer is on its way, and begins with that entry: whoever
 * posted it may have given up waiting, which the api hears of late, and be posting it again. */
static struct repeat *post_find_ahead(struct post *post)
{
    struct receiver *receiver = post->receiver;
    struct repeat *copy = NULL;

    LIST_EACH (node, &receiver->answers) {
        struct post *ahead = LIST_ENTRY(node, struct post, node);
        const struct repeat waiting = {.number = ahead->number,
                                       .batch = ahead->batch,
                                       .heard = ahead->heard,
                                       .given = ahead->given,
                                       .hashes = ahead->hashes};

        if (!ahead->is_followed && post_may_follow(post, &waiting)) {
            copy = repeat_copy(&waiting);
            ahead->is_followed = copy != NULL;
            return copy;
        }
    }
    LIST_EACH (node, &receiver->repeats.undecided) {
        struct repeat *ahead = LIST_ENTRY(node, struct repeat, node);

        if (!ahead->is_followed && post_may_follow(post, ahead)) {
            copy = repeat_copy(ahead);
            ahead->is_followed = copy != NULL;
            return copy;
        }
    }
    return NULL;
}

/* One that began with the same entry and has gone silent: whoever posted it may have given up,
 * which the api does not see while it holds the connection back, and be posting it again. */
static bool post_is_in_doubt(const struct post *post)
{
    const struct receiver *receiver = post->receiver;
    size_t cursor = 0;
    const struct post *other;

    while ((other = map_next(&receiver->posts, &cursor)) != NULL) {
        if (other != post && !other->is_last && !other->is_over && list_is_empty(&other->turn) &&
            posts_now(receiver) - other->heard > POST_REPEAT_LEAST &&
            str_has_prefix(buf_str(&other->hashes), buf_str(&post->hashes))) {
            return true;
        }
    }
    return false;
}

static void post_begin_repeat(struct post *post)
{
    struct receiver *receiver = post->receiver;

    post->repeat =
        repeats_take(&receiver->repeats, buf_str(&post->hashes), false, posts_now(receiver));
    if (post->repeat != NULL) {
        post->id = post->repeat->id;
        post->is_noted = post->id != 0;
        return;
    }
    post->repeat = post_find_ahead(post);
    post->is_noted = post->repeat == NULL;
    if (post->repeat != NULL) {
        post->behind = post->repeat->number;
        post->id = 0;
    }
}

/* So many entries of it stand for another's now, which core does not know. */
static void post_give(struct receiver *receiver, struct repeat *repeat, size_t count)
{
    repeat->given = count > repeat->given ? count : repeat->given;
    repeat->given_from = 0;
    post_let_go(receiver, &repeat->id);
}

/* Another that was not answered says all that this one has said so far. */
static bool post_change_repeat(struct post *post, bool is_whole)
{
    struct receiver *receiver = post->receiver;
    int64_t now = posts_now(receiver);
    struct repeat *other = NULL;

    if (!post->repeat->is_copy && post->place < REPEAT_HASHES) {
        other = repeats_take(&receiver->repeats, buf_str(&post->hashes), is_whole, now);
    }
    if (other == NULL) {
        return false;
    }
    if (other->given > post->repeat->given ||
        (other->given != 0 && other->given_from < post->repeat->given_from)) {
        /* what was passed over stood for the first */
        post_give(receiver, post->repeat, post->place);
    }
    repeats_put_back(&receiver->repeats, post->repeat, now);
    post->repeat = other;
    post->batch = other->batch > post->batch ? other->batch : post->batch;
    post->id = other->id;
    post->is_noted = post->id != 0;
    return true;
}

/* It only began as the other did. One that nobody was answered may still come again: what was
 * passed over of this one is to be made up for then. One that waits will be answered, and both
 * would be for entries that are there once: this one is refused, and comes again when the other is
 * done. */
static int post_part(struct post *post)
{
    struct receiver *receiver = post->receiver;
    struct repeat *repeat = TAKE_PTR(post->repeat);

    if (!repeat->is_copy) {
        post_give(receiver, repeat, post->place);
        post->id = 0;
        post->is_noted = false;
        repeats_put_back(&receiver->repeats, repeat, posts_now(receiver));
        return 0;
    }
    repeat_free(repeat);
    post->borrowed = post->place; /* nothing of it was taken */
    return -ERR_FULL;
}

/* All of it was said again. */
static void post_finish_repeat(struct post *post)
{
    post->borrowed = post->repeat->is_copy ? post->place : 0;
    repeat_free(TAKE_PTR(post->repeat));
}

static int post_compare(struct post *post, uint64_t hash, bool *ret_is_again)
{
    *ret_is_again = false;
    if (post->place == 0 && post_is_in_doubt(post)) {
        buf_reset(&post->hashes);
        return -ERR_FULL;
    }
    if (post->place == 0) {
        post_begin_repeat(post);
    }
    if (post->repeat == NULL) {
        return 0;
    }
    if (!repeat_has(post->repeat, post->place, hash) && !post_change_repeat(post, false)) {
        if (post->place < repeat_count(post->repeat)) {
            return post_part(post);
        }
        post_finish_repeat(post);
        return 0;
    }
    post->batch = post->repeat->batch > post->batch ? post->repeat->batch : post->batch;
    *ret_is_again = post->place < post->repeat->given_from || post->place >= post->repeat->given;
    return 0;
}

int post_says_again(struct post *post, struct receiver_entry *entry, bool *ret_is_again)
{
    uint64_t hash = repeats_hash(&post->receiver->repeats, post->poster, entry);
    bool is_known = post->place < REPEAT_HASHES;
    int r = is_known ? buf_put(&post->hashes, &hash, sizeof(hash)) : 0;

    r = r < 0 ? r : post_compare(post, hash, ret_is_again);
    if (r == 0 && is_known && post->is_noted) {
        entry->post = post->id;
        entry->hash = hash;
    }
    return r;
}

void post_take_back(struct post *post)
{
    if (post->place < REPEAT_HASHES) {
        post->hashes.len -= sizeof(uint64_t);
    }
}

int post_end_repeat(struct post *post)
{
    if (post->repeat == NULL) {
        return 0;
    }
    if (post->place < repeat_count(post->repeat) && !post_change_repeat(post, true)) {
        return post_part(post);
    }
    post_finish_repeat(post);
    return 0;
}

/* ---- what becomes of it */

/* Its sender knows. */
static void posts_told(struct receiver *receiver, struct repeat *repeat)
{
    repeats_decide(&receiver->repeats, repeat);
    posts_part_from(receiver, repeat->number, repeat->is_followed);
    post_let_go(receiver, &repeat->id);
    repeat_free(repeat);
}

/* It may come again. */
static void posts_await(struct receiver *receiver, struct repeat *repeat)
{
    repeats_decide(&receiver->repeats, repeat);
    if (posts_hand_on(receiver, repeat->number, repeat->is_followed, repeat->id)) {
        repeat_free(repeat);
        return;
    }
    repeat->is_followed = false;
    repeat->kept = posts_now(receiver);
    repeats_put_back(&receiver->repeats, repeat, repeat->kept);
}

void receiver_posts_leave(struct receiver *receiver, uint64_t number)
{
    struct post *post = map_get(&receiver->posts, MAP_KEY(number));
    struct repeat *repeat = repeats_undecided(&receiver->repeats, number);

    if (post != NULL) {
        post_release(post);
        post_free(post);
    } else if (repeat != NULL) {
        posts_await(receiver, repeat);
    }
    receiver_posts_settle(receiver);
}

/* A process before this one answered it. */
static void posts_told_before(struct receiver *receiver, uint64_t id)
{
    struct repeat *repeat = repeats_take_kept(&receiver->repeats, id);

    if (repeat != NULL) {
        post_let_go(receiver, &repeat->id);
        repeat_free(repeat);
    }
}

void receiver_posts_told(struct receiver *receiver, uint64_t number, uint64_t id)
{
    struct repeat *repeat = repeats_undecided(&receiver->repeats, number);

    if (repeat == NULL && id != 0) {
        posts_told_before(receiver, id);
    } else if (repeat != NULL && repeat->is_keyed) {
        posts_await(receiver, repeat);
    } else if (repeat != NULL) {
        posts_told(receiver, repeat);
    }
    receiver_posts_settle(receiver);
}

void receiver_posts_leave_all(struct receiver *receiver)
{
    size_t cursor = 0;
    struct post *post;

    while ((post = map_next(&receiver->posts, &cursor)) != NULL) {
        post_release(post);
        post_free(post);
    }
    while (!list_is_empty(&receiver->repeats.undecided)) {
        posts_await(receiver, LIST_ENTRY(receiver->repeats.undecided.next, struct repeat, node));
    }
}

void receiver_posts_doubt(struct receiver *receiver)
{
    struct repeat *repeat;

    while ((repeat = repeats_overdue(&receiver->repeats, posts_now(receiver))) != NULL) {
        posts_told(receiver, repeat);
    }
}
