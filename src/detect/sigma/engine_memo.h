/* What was seen in values that come again: images, users, hashes of files and many command lines
 * do, entry after entry. A value is known only when all of its bytes are the same, so what is said
 * of it is what looking at it would say. Bounded, and a matcher's own. */
#ifndef DETECT_SIGMA_ENGINE_MEMO_H
#define DETECT_SIGMA_ENGINE_MEMO_H

#include "base/str.h"

#define MEMO_TEXT  256 /* bytes of a value */
#define MEMO_CLUES 12  /* seen in it */

struct memo;
struct memo_slot;

/* A value as it was read, and where it was looked at. */
struct memo_key {
    struct str text; /* at most MEMO_TEXT bytes */
    uint32_t plan;
    uint32_t field;
    bool is_escaped;
    uint64_t hash; /* memo_find sets it */
};

[[nodiscard]] int memo_new(struct memo **ret_memo);
void memo_free(struct memo *memo);
/* Where the value is or would be kept. */
struct memo_slot *memo_find(struct memo *memo, struct memo_key *key);
/* The clues that were seen in the value, and how many; NULL: it is not known. */
const uint32_t *memo_clues(const struct memo_slot *slot, const struct memo_key *key,
                           size_t *ret_count);
/* Keeps a value when it comes for the second time, so that those that never come again cost little
 * and push nothing out. */
void memo_learn(struct memo_slot *slot, const struct memo_key *key, const uint32_t *clues,
                size_t count);

#endif
