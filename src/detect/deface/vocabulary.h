/* The words that stand in the known text of one look, so that new text can be told for strange: in
 * another language, or of things the page never speaks of. Made from the look itself: nothing is
 * stored. On the data's way: diff.h → vocabulary_make → news.c. */
#ifndef DETECT_DEFACE_VOCABULARY_H
#define DETECT_DEFACE_VOCABULARY_H

#include "base/arena.h"
#include "detect/deface/diff.h"
#include "detect/deface/fold.h"

#include <stdbool.h>
#include <stdint.h>

#define VOCABULARY_BITS 65536 /* of a filter: "it does not have it" is always true */

struct vocabulary {
    uint64_t bits[VOCABULARY_BITS / 64];
    size_t count; /* words put in, with repetitions */
};

/* 0: a word that says nothing of a language, such as a number. */
uint32_t vocabulary_hash(const struct fold_word *word);
/* fold: room to work in, overwritten. -ERR_NOMEM. */
[[nodiscard]] int vocabulary_make(const struct diff *diff, struct fold *fold, struct arena *arena,
                                  struct vocabulary **ret_vocabulary);
bool vocabulary_has(const struct vocabulary *vocabulary, uint32_t hash);

#endif
