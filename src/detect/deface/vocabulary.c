/* A filter of bits over folded words, so that case, dấu and disguise make no strangers. */
#include "detect/deface/vocabulary.h"

#include "base/banned.h"
#include "base/err.h"

#include <xxhash.h>

#define WORDS_MAX 32768 /* more would fill the filter */

uint32_t vocabulary_hash(const struct fold_word *word)
{
    bool has_letter = false;
    uint32_t hash;

    for (size_t i = 0; i < word->len && !has_letter; i++) {
        has_letter = word->text[i] < '0' || word->text[i] > '9';
    }
    if (!has_letter || word->len < 2) {
        return 0;
    }
    hash = (uint32_t)XXH3_64bits(word->text, word->len);
    return hash != 0 ? hash : 1;
}

static void vocabulary_add(struct vocabulary *vocabulary, const struct fold *fold)
{
    for (size_t i = 0; i < fold->count; i++) {
        uint32_t hash = vocabulary_hash(&fold->words[i]) % VOCABULARY_BITS;

        vocabulary->bits[hash / 64] |= (uint64_t)1 << hash % 64;
    }
    vocabulary->count += fold->count;
}

int vocabulary_make(const struct diff *diff, struct fold *fold, struct arena *arena,
                    struct vocabulary **ret_vocabulary)
{
    struct vocabulary *vocabulary = arena_alloc(arena, 1, sizeof(*vocabulary));

    if (vocabulary == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < diff->page->block_count && vocabulary->count < WORDS_MAX; i++) {
        if (!diff->text_is_new[i]) {
            fold->count = 0;
            fold_add(fold, diff->page->blocks[i].text, 0);
            vocabulary_add(vocabulary, fold);
        }
    }
    *ret_vocabulary = vocabulary;
    return 0;
}

bool vocabulary_has(const struct vocabulary *vocabulary, uint32_t hash)
{
    hash %= VOCABULARY_BITS;
    return (vocabulary->bits[hash / 64] >> hash % 64 & 1) != 0;
}
