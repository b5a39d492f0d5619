/* The trigram filter of a block. Neighbours: archive/block.c fills it, archive/search.c asks it.
 * The hash is part of the file format: it never changes. */
#include "store/filter.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define FILTER_BITS_EACH 10
#define FILTER_PROBES    7
#define TRIGRAMS         (1U << 24) /* that there can be */
#define TRIGRAMS_ROOM    4096
#define WORD_BITS        64U

void trigrams_init(struct trigrams *set)
{
    *set = (struct trigrams){0};
}

void trigrams_done(struct trigrams *set)
{
    mem_free(set->bits);
    mem_free(set->list);
    *set = (struct trigrams){0};
}

void trigrams_reset(struct trigrams *set)
{
    for (size_t i = 0; i < set->count; i++) {
        set->bits[set->list[i] / WORD_BITS] = 0;
    }
    set->count = 0;
}

static uint32_t trigram_at(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;

    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

/* The finisher of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t trigram_hash(uint32_t trigram)
{
    uint64_t x = trigram + 0x9e3779b97f4a7c15U;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

/* One that is not in yet. */
static int trigrams_put(struct trigrams *set, uint32_t trigram)
{
    if (set->count == set->room) {
        size_t room = set->room != 0 ? 2 * set->room : TRIGRAMS_ROOM;
        uint32_t *list = mem_resize(set->list, room, sizeof(*list));

        if (list == NULL) {
            return -ERR_NOMEM;
        }
        set->list = list;
        set->room = room;
    }
    set->list[set->count++] = trigram;
    set->bits[trigram / WORD_BITS] |= 1ULL << trigram % WORD_BITS;
    return 0;
}

int trigrams_add(struct trigrams *set, struct str folded)
{
    uint32_t trigram = folded.len >= TRIGRAM_SIZE ? trigram_at(folded.ptr) >> 8 : 0;
    int r = 0;

    if (set->bits == NULL) {
        set->bits = mem_alloc(TRIGRAMS / WORD_BITS, sizeof(*set->bits));
    }
    if (set->bits == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t at = TRIGRAM_SIZE - 1; at < folded.len && r == 0; at++) {
        trigram = (trigram << 8 | (unsigned char)folded.ptr[at]) % TRIGRAMS;
        if ((set->bits[trigram / WORD_BITS] >> trigram % WORD_BITS & 1U) == 0) {
            r = trigrams_put(set, trigram);
        }
    }
    return r;
}

/* The probe-th of a trigram's bits, by double hashing (Kirsch, Mitzenmacher 2008). */
static size_t filter_bit(uint64_t hash, unsigned probe, size_t bits)
{
    uint64_t step = hash >> 32 | 1;

    return (size_t)(((hash & UINT32_MAX) + probe * step) % bits);
}

void filter_write(const struct trigrams *set, struct buf *buf)
{
    size_t len = (set->count * FILTER_BITS_EACH + 7) / 8;
    unsigned char *bytes;

    if (len == 0) {
        return;
    }
    bytes = buf_reserve(buf, len);
    if (bytes == NULL) {
        return;
    }
    memset(bytes, 0, len);
    for (size_t i = 0; i < set->count; i++) {
        uint64_t hash = trigram_hash(set->list[i]);

        for (unsigned probe = 0; probe < FILTER_PROBES; probe++) {
            size_t bit = filter_bit(hash, probe, 8 * len);

            bytes[bit / 8] = (unsigned char)(bytes[bit / 8] | 1U << bit % 8);
        }
    }
    buf_commit(buf, len);
}

static bool filter_has(struct str filter, uint64_t hash)
{
    for (unsigned probe = 0; probe < FILTER_PROBES; probe++) {
        size_t bit = filter_bit(hash, probe, 8 * filter.len);

        if (((unsigned)(unsigned char)filter.ptr[bit / 8] >> bit % 8 & 1U) == 0) {
            return false;
        }
    }
    return true;
}

bool filter_admits(struct str filter, struct str word)
{
    if (filter.len == 0) {
        return word.len < TRIGRAM_SIZE;
    }
    for (size_t at = 0; at + TRIGRAM_SIZE <= word.len; at++) {
        if (!filter_has(filter, trigram_hash(trigram_at(word.ptr + at)))) {
            return false;
        }
    }
    return true;
}
