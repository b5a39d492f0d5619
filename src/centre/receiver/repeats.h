/* Posts of which entries were taken and whoever posted was not told so: it will post them again.
 * Of a post that begins as one of these did, entries are passed over for as long as they are the
 * same in the same order; what follows is new. So a post that was cut, or timed out, doubles
 * nothing, and what it had not come to is taken. One that only began alike has what was passed over
 * of it in the other's stead: the other stays known, and when it comes again that much of it is
 * taken. Only posts that were not answered count: two that are alike and were both answered are
 * two. In memory: the receiver's death forgets them. */
#ifndef CENTRE_RECEIVER_REPEATS_H
#define CENTRE_RECEIVER_REPEATS_H

#include "base/buf.h"
#include "base/list.h"
#include "centre/receiver/private.h"

#define REPEATS_ANSWERED 256         /* posts of which a late word may say so; the oldest goes */
#define REPEATS_BEGINS   1024        /* lists by which those that were not answered are found */
#define REPEAT_HASHES    16384       /* entries of one that are known again */
#define REPEATS_SIZE_MAX (16U << 20) /* bytes of all; answered ones go first, then the oldest */
#define REPEATS_KEPT     (600 * NS_PER_S) /* in which shippers try again */

/* What was taken of one post, in its order. */
struct repeat {
    struct list node;
    struct list begin; /* among those that may begin alike; not of answered ones */
    uint64_t number;   /* of the post */
    uint64_t batch;    /* the last that holds an entry of it */
    int64_t kept;      /* monotonic; since then */
    size_t given;      /* so many of the first stand for another post's now: they are taken again */
    bool is_answered;  /* as far as is known */
    bool is_copy;      /* of a post that waits for its answer */
    struct buf hashes;
};

struct repeats {
    struct list answered;   /* oldest first */
    struct list unanswered; /* oldest first */
    struct list begins[REPEATS_BEGINS];
    unsigned answered_count;
    size_t size;
    uint64_t seed; /* nobody can make two entries that look alike */
};

void repeats_init(struct repeats *repeats, uint64_t seed);
void repeats_done(struct repeats *repeats);
/* Of an entry as a post has it: who posts it, whose token, which host, what it says. */
uint64_t repeats_hash(const struct repeats *repeats, struct str poster,
                      const struct receiver_entry *entry);
/* Keeps what was taken of a post; hashes (uint64_t each) are the repeat's from now on, also when
 * there is no room for it. */
void repeats_keep(struct repeats *repeats, const struct repeat *post, int64_t now);
/* It was taken out, and was not it. */
void repeats_put_back(struct repeats *repeats, struct repeat *repeat, int64_t now);
/* The answer of that post reached nobody. */
void repeats_unanswered(struct repeats *repeats, uint64_t number, int64_t now);
/* Takes out the newest that was not answered and begins with that entry; NULL: there is none. */
struct repeat *repeats_take(struct repeats *repeats, uint64_t first, int64_t now);
/* One that nobody keeps, of the same entries, of a post that waits. NULL: no memory. */
struct repeat *repeat_copy(const struct repeat *waiting);
/* Whether its entry at that place is this one. */
bool repeat_has(const struct repeat *repeat, size_t place, uint64_t hash);
size_t repeat_count(const struct repeat *repeat);
void repeat_free(struct repeat *repeat);

#endif
