/* One post as posts.c (pieces, turns, answers) and posts_again.c (what was taken of it before, what
 * becomes of it) share it; for nobody else. */
#ifndef CENTRE_RECEIVER_POSTS_PART_H
#define CENTRE_RECEIVER_POSTS_PART_H

#include "centre/receiver/body.h"

struct post {
    struct list node; /* among those that wait for their answer */
    struct list turn; /* among those of which more is to be unpacked */
    struct buf rest;  /* that waits for it */
    struct receiver *receiver;
    uint64_t number;
    uint64_t poster; /* a hash of who posts it, or of the key that was given */
    uint64_t id;     /* by which core keeps what was taken of it; 0: it does not */
    uint64_t batch;  /* the last that holds an entry of it */

    struct buf hashes;     /* of what was taken, in its order; see repeats.h */
    struct repeat *repeat; /* it says again, so far; NULL: it is new */
    size_t place;          /* of the next entry */
    size_t given;          /* so many of the first stand for another post's; see repeats.h */
    uint64_t behind;       /* the number of one that it says again, whose fate it shares; 0: none */
    size_t borrowed;       /* entries that stand for it only if that one's sender is not told */

    struct post_cutter *cutter;
    int64_t heard;    /* monotonic */
    bool is_keyed;    /* known also when it was answered */
    bool is_noted;    /* core keeps what is taken of it */
    bool is_followed; /* another says the same, and waits for what becomes of this one */
    bool is_over;     /* answered; further pieces are passed over */
    bool is_last;     /* its last piece has come */
};

/* posts.c: one that failed: the api is told. counts: NULL: nothing of it was looked at. */
void posts_refuse(struct receiver *receiver, uint64_t number, int result,
                  const struct post_counts *counts);
void post_free(struct post *post);

/* posts_again.c */
/* Whether the next entry was taken before. Fills in under what core keeps it when it was not.
 * -ERR_FULL: nothing can be said of that post now. */
[[nodiscard]] int post_says_again(struct post *post, struct receiver_entry *entry,
                                  bool *ret_is_again);
/* The entry that was asked of last could not be taken. */
void post_take_back(struct post *post);
/* No more entries come. As above. */
[[nodiscard]] int post_end_repeat(struct post *post);
/* What was taken of it will be known again. is_undecided: its answer is on its way. */
void post_keep(struct post *post, bool is_undecided);
/* It does not come to its answer: what was taken of it is kept, or is another's. */
void post_release(struct post *post);

#endif
