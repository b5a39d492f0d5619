/* The words of a search, without dấu and capitals. */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 16

struct words {
    struct str list[WORDS_MAX]; /* folded, none empty; they lie in the arena */
    size_t count;
};

/* Folds text and parts it at spaces. -ERR_LIMIT past WORDS_MAX words, -ERR_NOMEM. */
[[nodiscard]] int words_parse(struct str text, struct arena *arena, struct words *ret_words);
/* Whether each word stands in one of the texts, which are folded. */
bool words_stand_in(const struct words *words, const struct str *texts, size_t count);

#endif
