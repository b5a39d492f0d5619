/* Needles, thousands of them, in one pass: of each the four bytes that are rarest in the needles of
 * all rules stand for it. At each place of a text its four bytes ask a bit set, which says no
 * nearly always; else the few needles with these bytes are compared. So a text costs a fixed number
 * of steps a byte. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_part.h"

#include <stdlib.h>
#include <string.h>

#define SHORT_COUNT    20 /* what has no four bytes is taken to stand so often */
#define SIEVE_TIMES    5  /* bits of the sieve a needle, as a power of two */
#define SIEVE_BITS_MIN 9
#define SIEVE_BITS_MAX 21

static inline uint32_t word_at(const char *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

void grams_add(struct grams *grams, struct str text)
{
    for (size_t at = 0; at + SIEVE_WORD <= text.len; at++) {
        uint16_t *count = &grams->counts[sieve_hash(word_at(text.ptr + at)) >> (32 - GRAM_BITS)];

        *count = (uint16_t)(*count + (*count < UINT16_MAX));
    }
}

uint32_t grams_rarest(const struct grams *grams, struct str text, uint32_t *ret_at)
{
    uint32_t best = SHORT_COUNT;

    *ret_at = 0;
    for (uint32_t at = 0; at + SIEVE_WORD <= text.len; at++) {
        uint32_t count = grams->counts[sieve_hash(word_at(text.ptr + at)) >> (32 - GRAM_BITS)];

        if (at == 0 || count < best) {
            best = count;
            *ret_at = at;
        }
    }
    return best;
}

static uint32_t bits_for(size_t count, unsigned times, uint32_t least, uint32_t most)
{
    uint32_t bits = least;

    while (bits < most && ((size_t)1 << bits) < count << times) {
        bits++;
    }
    return bits;
}

/* Spots in the order of their buckets: counted, placed, and the heads moved back. */
static void scan_place(struct scan *scan, const struct needle_spot *spots, size_t buckets)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < scan->count; i++) {
        scan->heads[sieve_hash(spots[i].word) >> scan->head_shift]++;
    }
    for (size_t i = 0; i <= buckets; i++) {
        uint32_t count = scan->heads[i];

        scan->heads[i] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < scan->count; i++) {
        uint32_t hash = sieve_hash(spots[i].word);

        scan->spots[scan->heads[hash >> scan->head_shift]++] = spots[i];
        scan->sieve.bits[hash >> scan->sieve.shift >> 5] |= 1U << (hash >> scan->sieve.shift & 31);
    }
    for (size_t i = buckets; i > 0; i--) {
        scan->heads[i] = scan->heads[i - 1];
    }
    scan->heads[0] = 0;
}

static int spot_compare(const void *a, const void *b)
{
    const struct needle_spot *left = a;
    const struct needle_spot *right = b;
    uint32_t left_word = __builtin_bswap32(left->word);
    uint32_t right_word = __builtin_bswap32(right->word);

    return (left_word > right_word) - (left_word < right_word);
}

/* Needles that begin alike are of one group: so its tables let less else through. */
static void scan_teddy(struct scan *scan, struct needle_spot *spots)
{
    qsort(spots, scan->count, sizeof(*spots), spot_compare);
    for (uint32_t i = 0; i < scan->count; i++) {
        char bytes[SIEVE_WORD];

        memcpy(bytes, &spots[i].word, sizeof(bytes));
        teddy_add(&scan->teddy, bytes, (uint32_t)((uint64_t)i * TEDDY_GROUPS / scan->count));
    }
    scan->find = teddy_way(0);
}

static int scan_build(struct scan *scan, struct needle_spot *spots)
{
    uint32_t sieve_bits = bits_for(scan->count, SIEVE_TIMES, SIEVE_BITS_MIN, SIEVE_BITS_MAX);
    uint32_t head_bits = bits_for(scan->count, 1, 4, SIEVE_BITS_MAX);

    scan->sieve.shift = 32 - sieve_bits;
    scan->head_shift = 32 - head_bits;
    scan->sieve.bits = mem_alloc(((size_t)1 << sieve_bits) / 32, sizeof(*scan->sieve.bits));
    scan->heads = mem_alloc(((size_t)1 << head_bits) + 1, sizeof(*scan->heads));
    scan->spots = mem_alloc(scan->count, sizeof(*scan->spots));
    if (scan->sieve.bits == NULL || scan->heads == NULL || scan->spots == NULL) {
        return -ERR_NOMEM;
    }
    if (scan->count <= TEDDY_MAX) {
        scan_teddy(scan, spots);
    }
    scan->find_many = sieve_way(0);
    scan_place(scan, spots, (size_t)1 << head_bits);
    return 0;
}

static uint32_t spots_of(const struct clue *clues, const struct list_u32 *needles,
                         const struct grams *grams, bool is_short, struct needle_spot *spots)
{
    uint32_t count = 0;

    for (size_t i = 0; i < needles->count; i++) {
        struct str text = clues[needles->items[i]].text;
        uint32_t at = 0;
        uint32_t word = 0;

        if ((text.len < SIEVE_WORD) != is_short) {
            continue;
        }
        (void)grams_rarest(grams, text, &at);
        memcpy(&word, text.ptr + at, is_short ? NEEDLE_MIN : SIEVE_WORD);
        spots[count++] =
            (struct needle_spot){text.ptr, (uint32_t)text.len, at, word, needles->items[i]};
    }
    return count;
}

static int scan_of(const struct clue *clues, const struct list_u32 *needles,
                   const struct grams *grams, bool is_short, struct scan **ret_scan)
{
    struct scan *scan = mem_alloc(1, sizeof(*scan));
    struct needle_spot *spots = mem_alloc(needles->count, sizeof(*spots));
    int r = -ERR_NOMEM;

    *ret_scan = NULL;
    if (scan != NULL && spots != NULL) {
        scan->sieve.width = is_short ? NEEDLE_MIN : SIEVE_WORD;
        memset(&scan->sieve.mask, 0xff, scan->sieve.width);
        scan->count = spots_of(clues, needles, grams, is_short, spots);
        r = scan->count == 0 ? 0 : scan_build(scan, spots);
    }
    mem_free(spots);
    if (r < 0 || scan->count == 0) {
        scan_free(scan);
        return r;
    }
    *ret_scan = scan;
    return 0;
}

int scan_new(const struct clue *clues, const struct list_u32 *needles, const struct grams *grams,
             struct scan **ret_scan)
{
    struct scan *brief = NULL;
    struct scan *scan = NULL;
    int r;

    r = scan_of(clues, needles, grams, true, &brief);
    r = r == 0 ? scan_of(clues, needles, grams, false, &scan) : r;
    if (r < 0) {
        scan_free(brief);
        return r;
    }
    if (scan == NULL) {
        *ret_scan = brief;
        return 0;
    }
    scan->next = brief;
    *ret_scan = scan;
    return 0;
}

void scan_free(struct scan *scan)
{
    while (scan != NULL) {
        struct scan *next = scan->next;

        mem_free(scan->sieve.bits);
        mem_free(scan->heads);
        mem_free(scan->spots);
        mem_free(scan);
        scan = next;
    }
}

size_t scan_size(const struct scan *scan)
{
    size_t size = 0;

    for (; scan != NULL; scan = scan->next) {
        size += sizeof(*scan) + ((size_t)1 << (32 - scan->sieve.shift)) / 8 +
                (((size_t)1 << (32 - scan->head_shift)) + 1) * sizeof(*scan->heads) +
                scan->count * sizeof(*scan->spots);
    }
    return size;
}

/* Reads a word at `at`, maybe one byte past the text. */
static void scan_compare(const struct scan *scan, struct str text, size_t at,
                         const struct scan_teller *teller)
{
    uint32_t word = word_at(text.ptr + at) & scan->sieve.mask;
    size_t bucket = sieve_hash(word) >> scan->head_shift;

    if (scan->find != NULL && !sieve_has(&scan->sieve, word)) {
        return;
    }
    for (uint32_t i = scan->heads[bucket]; i < scan->heads[bucket + 1]; i++) {
        const struct needle_spot *spot = &scan->spots[i];

        if (spot->word == word && teller->seen[spot->clue] != teller->stamp && spot->at <= at &&
            spot->len <= text.len - (at - spot->at) &&
            memcmp(text.ptr + at - spot->at, spot->text, spot->len) == 0) {
            teller->fn(teller->context, spot->clue);
        }
    }
}

static size_t scan_find(const struct scan *scan, struct str text, size_t *from,
                        uint32_t ret_places[FIND_ROOM])
{
    return scan->find != NULL ? scan->find(&scan->teddy, text, from, ret_places)
                              : scan->find_many(&scan->sieve, text, from, ret_places);
}

void scan_text(const struct scan *scan, struct str text, const struct scan_teller *teller)
{
    for (; scan != NULL; scan = scan->next) {
        for (size_t from = 0; from < text.len;) {
            size_t count = scan_find(scan, text, &from, teller->places);

            for (size_t i = 0; i < count; i++) {
                scan_compare(scan, text, teller->places[i], teller);
            }
        }
    }
}
