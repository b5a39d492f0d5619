/* The trigram filter of a block. Neighbours: archive/block.c fills it, archive/search.c asks it.
 * The hash is part of the file format: it never changes. */
#include "store/filter.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define FILTER_BITS_EACH 10
#define FILTER_PROBES    7
#define TRIGRAMS_ROOM    4096

void trigrams_init(struct trigrams *set)
{
    *set = (struct trigrams){0};
}

void trigrams_done(struct trigrams *set)
{
    mem_free(set->slots);
    *set = (struct trigrams){0};
}

void trigrams_reset(struct trigrams *set)
{
    set->count = 0;
    if (set->slots != NULL) {
        memset(set->slots, 0, set->room * sizeof(*set->slots));
    }
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

/* False when it stands there already. */
static bool trigrams_put(uint32_t *slots, size_t room, uint32_t trigram)
{
    size_t at = (size_t)trigram_hash(trigram) & (room - 1);

    while (slots[at] != 0) {
        if (slots[at] == trigram + 1) {
            return false;
        }
        at = (at + 1) & (room - 1);
    }
    slots[at] = trigram + 1;
    return true;
}

static int trigrams_grow(struct trigrams *set)
{
    size_t room = set->room != 0 ? 2 * set->room : TRIGRAMS_ROOM;
    uint32_t *slots = mem_alloc(room, sizeof(*slots));

    if (slots == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < set->room; i++) {
        if (set->slots[i] != 0) {
            (void)trigrams_put(slots, room, set->slots[i] - 1);
        }
    }
    mem_free(set->slots);
    set->slots = slots;
    set->room = room;
    return 0;
}

int trigrams_add(struct trigrams *set, struct str folded)
{
    for (size_t at = 0; at + TRIGRAM_SIZE <= folded.len; at++) {
        if (2 * (set->count + 1) > set->room) {
            int r = trigrams_grow(set);

            if (r < 0) {
                return r;
            }
        }
        if (trigrams_put(set->slots, set->room, trigram_at(folded.ptr + at))) {
            set->count++;
        }
    }
    return 0;
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
    for (size_t i = 0; i < set->room; i++) {
        for (unsigned probe = 0; set->slots[i] != 0 && probe < FILTER_PROBES; probe++) {
            size_t bit = filter_bit(trigram_hash(set->slots[i] - 1), probe, 8 * len);

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
