/* Where JSON's strings may end: bitmaps over a window of the text, 64 bytes a word, so that the
 * walker (codec/ndjson_walk) jumps from quote to quote and knows without looking whether a
 * backslash lay between. The window goes forward. Pure. Sources: Langdale, Lemire, "Parsing
 * gigabytes of JSON per second", VLDB Journal 28, 2019; for runs of backslashes simdjson 3. */
#ifndef CODEC_NDJSON_INDEX_H
#define CODEC_NDJSON_INDEX_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NDJSON_INDEX_WORDS 32
#define NDJSON_INDEX_BYTES (NDJSON_INDEX_WORDS * 64)

/* Which of 64 bytes are quotes, newlines, backslashes. */
struct ndjson_marks {
    uint64_t quotes;
    uint64_t newlines;
    uint64_t slashes;
};

struct ndjson_index {
    struct str text;
    size_t from;         /* of the window in the text */
    size_t next;         /* where the following window starts */
    uint64_t is_escaped; /* 1: its first byte stands behind an odd run of backslashes */
    struct ndjson_marks marks[NDJSON_INDEX_WORDS]; /* made into: */
    uint64_t stops[NDJSON_INDEX_WORDS];   /* quotes that no backslash takes away, and newlines */
    uint64_t slashes[NDJSON_INDEX_WORDS]; /* backslashes */
};

/* Nothing is read yet. The text must outlive the index. */
void ndjson_index_init(struct ndjson_index *index, struct str text);
/* Where the first stop at or behind `at` stands, or the text's length; *ret_is_slashed: a backslash
 * stands between. Going back is for beginnings of records only. */
size_t ndjson_index_seek(struct ndjson_index *index, size_t at, bool *ret_is_slashed);
static inline size_t ndjson_index_stop(struct ndjson_index *index, size_t at, bool *ret_is_slashed)
{
    if (at >= index->from && at < index->next) { /* most stops are in the word of their start */
        size_t word = (at - index->from) / 64;
        uint64_t rest = ~0ULL << ((at - index->from) % 64);
        uint64_t stops = index->stops[word] & rest;

        if (stops != 0) {
            *ret_is_slashed = (index->slashes[word] & rest & ((stops & -stops) - 1)) != 0;
            return index->from + word * 64 + (size_t)__builtin_ctzll(stops);
        }
    }
    return ndjson_index_seek(index, at, ret_is_slashed);
}

/* Marks of words × 64 bytes. The build takes the file that knows the processor; the plain one is
 * what it is tested against. */
typedef void ndjson_marks_fn(const char *bytes, size_t words, struct ndjson_marks *marks);
ndjson_marks_fn *ndjson_marks_best(void);
void ndjson_marks_plain(const char *bytes, size_t words, struct ndjson_marks *marks);

#endif
