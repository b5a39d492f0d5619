/* Bitmaps of quotes and backslashes: see codec/ndjson_index.h. */
#include "codec/ndjson_index.h"

#include "base/banned.h"

#include <string.h>

#define ODD_BITS 0xaaaaaaaaaaaaaaaaULL

void ndjson_index_init(struct ndjson_index *index, struct str text)
{
    index->text = text;
    index->from = 0;
    index->next = 0;
    index->is_escaped = 0;
}

void ndjson_marks_plain(const char *bytes, size_t words, struct ndjson_marks *marks)
{
    for (size_t word = 0; word < words; word++) {
        marks[word] = (struct ndjson_marks){0};
        for (unsigned bit = 0; bit < 64; bit++) {
            char byte = bytes[word * 64 + bit];

            marks[word].quotes |= (uint64_t)(byte == '"') << bit;
            marks[word].newlines |= (uint64_t)(byte == '\n') << bit;
            marks[word].slashes |= (uint64_t)(byte == '\\') << bit;
        }
    }
}

/* The bytes that a backslash takes away. Of a run every second one does, from its first:
 * subtracting the runs from the bytes behind them, with the odd bits set, leaves bits that change
 * places where a run began at an odd one. */
static inline uint64_t index_escaped(uint64_t slashes, uint64_t *is_escaped)
{
    uint64_t behind = *is_escaped;
    uint64_t first = slashes & ~behind;
    uint64_t taken = (((first << 1) | ODD_BITS) - first) ^ ODD_BITS;

    *is_escaped = (taken & slashes) >> 63;
    return taken ^ (slashes | behind);
}

/* Goes on to the window behind this one. */
static void index_advance(struct ndjson_index *index)
{
    struct ndjson_marks *marks = index->marks;
    char tail[64] = {0};
    size_t left = index->text.len - index->next;
    size_t whole = left / 64 < NDJSON_INDEX_WORDS ? left / 64 : NDJSON_INDEX_WORDS;
    ndjson_marks_fn *fill = ndjson_marks_best();

    index->from = index->next;
    fill(index->text.ptr + index->from, whole, marks);
    if (whole < NDJSON_INDEX_WORDS) {
        memcpy(tail, index->text.ptr + index->from + whole * 64, left - whole * 64);
        fill(tail, 1, marks + whole);
        memset(marks + whole + 1, 0, (NDJSON_INDEX_WORDS - whole - 1) * sizeof(*marks));
        index->next = index->text.len;
    } else {
        index->next += NDJSON_INDEX_BYTES;
    }
    left = index->text.len - index->next; /* what comes next may lie in slow memory */
    for (size_t ahead = 0; ahead < left && ahead < NDJSON_INDEX_BYTES; ahead += 64) {
        __builtin_prefetch(index->text.ptr + index->next + ahead);
    }
    for (size_t word = 0; word < NDJSON_INDEX_WORDS; word++) {
        uint64_t escaped = index_escaped(marks[word].slashes, &index->is_escaped);

        index->stops[word] = (marks[word].quotes & ~escaped) | marks[word].newlines;
        index->slashes[word] = marks[word].slashes;
    }
}

size_t ndjson_index_seek(struct ndjson_index *index, size_t at, bool *ret_is_slashed)
{
    uint64_t slashes = 0;

    while (at < index->text.len) {
        size_t word;
        uint64_t stops;
        uint64_t rest;

        if (at < index->from) { /* a record's beginning: nothing before it counts */
            index->next = at;
            index->is_escaped = 0;
        }
        while (at >= index->next) {
            index_advance(index);
        }
        word = (at - index->from) / 64;
        rest = ~0ULL << ((at - index->from) % 64);
        stops = index->stops[word] & rest;
        if (stops != 0) {
            slashes |= index->slashes[word] & rest & ((stops & -stops) - 1);
            *ret_is_slashed = slashes != 0;
            return index->from + word * 64 + (size_t)__builtin_ctzll(stops);
        }
        slashes |= index->slashes[word] & rest;
        at = index->from + (word + 1) * 64;
    }
    *ret_is_slashed = slashes != 0;
    return index->text.len;
}
