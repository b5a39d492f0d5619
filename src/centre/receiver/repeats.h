/* Posts of which entries were taken and whoever posted does not know it: it will post them again.
 * Of a post that begins as one of these did, entries are passed over for as long as they are the
 * same in the same order; what follows is new. So a post that was cut, or timed out, doubles
 * nothing, and what it had not come to is taken. One that only began alike has what was passed over
 * of it in the other's stead: the other stays known, and when it comes again that much of it is
 * taken. Only posts whose sender was not told count, and those that were given a key: two others
 * that are alike are two. Core keeps them beside (core/taken.h), for the process after this one. */
#ifndef CENTRE_RECEIVER_REPEATS_H
#define CENTRE_RECEIVER_REPEATS_H

#include "base/buf.h"
#include "base/list.h"
#include "centre/receiver/private.h"

#define REPEATS_UNDECIDED 512         /* posts whose answer is on its way; the oldest goes */
#define REPEATS_BEGINS    1024        /* lists by which those that were not answered are found */
#define REPEAT_HASHES     16384       /* entries of one that are known again */
#define REPEATS_SIZE_MAX  (16U << 20) /* bytes of all; undecided ones go first, then the oldest */
#define REPEATS_KEPT      (600 * NS_PER_S) /* in which shippers try again */
#define REPEATS_DOUBT     (60 * NS_PER_S)  /* in which the api says whether an answer arrived */

/* What was taken of one post, in its order. */
struct repeat {
    struct list node;
    struct list begin;     /* among those that may begin alike; not of undecided ones */
    struct list kept_node; /* among those that core keeps; the same */
    uint64_t number;       /* of the post */
    uint64_t id;           /* by which core keeps it; 0: it does not */
    uint64_t batch;        /* the last that holds an entry of it */
    int64_t heard;         /* monotonic; when its last piece came */
    int64_t kept;          /* the same; since then */
    size_t given; /* so many of the first stand for another post's now: they are taken again … */
    size_t given_from; /* … but for so many, which were */
    bool is_undecided; /* its answer is on its way */
    bool is_followed;  /* another says the same, and waits for what becomes of this one */
    bool is_copy;      /* of one that waits or is undecided */
    bool is_keyed;     /* known also when it was answered */
    struct buf hashes;
};

struct repeats {
    struct list undecided;  /* oldest first */
    struct list unanswered; /* oldest first */
    struct list begins[REPEATS_BEGINS];
    struct list kept[REPEATS_BEGINS]; /* by the id */
    unsigned undecided_count;
    size_t size;
    uint64_t seed; /* nobody can make two entries that look alike */
};

void repeats_init(struct repeats *repeats, uint64_t seed);
/* Forgets all of them. */
void repeats_clear(struct repeats *repeats);
/* Of an entry as a post has it: who posts it, whose token, which host, what it says. */
uint64_t repeats_hash(const struct repeats *repeats, uint64_t poster,
                      const struct receiver_entry *entry);
/* Keeps what was taken of a post; hashes (uint64_t each) are the repeat's from now on, also when
 * there is no room for it. */
void repeats_keep(struct repeats *repeats, const struct repeat *post, int64_t now);
/* More of one that core kept, of the same as the call before or of the next. */
void repeats_add_known(struct repeats *repeats, uint64_t id, struct str hashes, int64_t now);
/* It was taken out, and was not it, or is to be known on. */
void repeats_put_back(struct repeats *repeats, struct repeat *repeat, int64_t now);

/* An undecided one. NULL: there is none. */
struct repeat *repeats_undecided(struct repeats *repeats, uint64_t number);
/* The oldest, while there are too many of them or it is in doubt for too long; NULL: there is none.
 */
struct repeat *repeats_overdue(struct repeats *repeats, int64_t now);
/* Takes an undecided one out. */
void repeats_decide(struct repeats *repeats, struct repeat *repeat);

/* Takes out the newest that was not answered and begins with these entries (is_whole: and ends with
 * them). NULL: there is none. */
struct repeat *repeats_take(struct repeats *repeats, struct str hashes, bool is_whole, int64_t now);

/* Takes out the one that was not answered and that core keeps as id, not 0. NULL: there is none. */
struct repeat *repeats_take_kept(struct repeats *repeats, uint64_t id);

/* One that nobody keeps, of the same entries. NULL: no memory. */
struct repeat *repeat_copy(const struct repeat *waiting);
/* Whether it begins with these entries. */
bool repeat_begins(const struct repeat *repeat, struct str hashes);
/* Whether its entry at that place is this one. */
bool repeat_has(const struct repeat *repeat, size_t place, uint64_t hash);
size_t repeat_count(const struct repeat *repeat);
void repeat_free(struct repeat *repeat);

#endif
