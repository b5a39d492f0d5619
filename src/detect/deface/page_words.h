/* The words of texts and scripts, found 64 bytes at a time, and sums over what they hash to. These
 * loops see most of a page's bytes, so they do without a branch a byte. */
#ifndef DETECT_DEFACE_PAGE_WORDS_H
#define DETECT_DEFACE_PAGE_WORDS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Walks the words of a text: runs of letters, digits, '_', '$' and everything outside ASCII. */
struct page_words {
    struct str text;
    size_t at;      /* of the window of up to 64 bytes that the masks describe */
    uint64_t words; /* bit i: byte at + i belongs to a word that was not handed out yet */
};

struct page_word {
    struct str text;
    uint64_t hash; /* never 0 */
};

void page_words_open(struct page_words *words, struct str text);
/* False at the end. */
bool page_words_next(struct page_words *words, struct page_word *ret_word);

bool page_word_has_digit(struct str word);
/* Bytes that are neither of a word nor white space nor one of "+/=". */
size_t page_count_signs(struct str text);

/* Words as blanks, tabs and line ends part them. */
uint32_t page_count_spaced(struct str text);

/* The end of a run from `at` on that is its own normal form: ASCII but '&', letters of Vietnamese
 * and other Latin alphabets, single spaces between them. `at` itself when no letter stands there.
 */
size_t page_letters_end(struct str text, size_t at);

/* One hash out of two, in their order. */
static inline uint64_t page_mix(uint64_t hash, uint64_t more)
{
    hash = ((hash << 23 | hash >> 41) ^ more) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 29;
}

#define PAGE_SIMHASH_BATCH 8

/* Charikar's sum over features, a binary counter for each of 64 bits, all counted at once: bit i of
 * planes[k] is bit k of counter i. */
struct page_simhash {
    uint64_t planes[32];
    uint64_t batch[PAGE_SIMHASH_BATCH]; /* features that wait to be added together */
    size_t waiting;
    uint64_t count;
};

void page_simhash_add_batch(struct page_simhash *simhash);
uint64_t page_simhash_result(struct page_simhash *simhash);

static inline void page_simhash_add(struct page_simhash *simhash, uint64_t feature)
{
    simhash->batch[simhash->waiting++] = feature;
    if (simhash->waiting == PAGE_SIMHASH_BATCH) {
        page_simhash_add_batch(simhash);
    }
}

#endif
