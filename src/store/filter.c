/* The trigram filter of a block. Neighbours: archive/block.c fills it, archive/search.c asks it.
 * The hash is part of the file format: it never changes. */
#include "store/filter.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define FILTER_BITS_EACH 10
#define FILTER_PROBES    7
#define TRIGRAMS         (1U << 24)           /* that there can be */
#define ADDRESS_SIGNS    11U                  /* ten digits and the dot */
#define PIECES           (TRIGRAMS + 161051U) /* with those of addresses: 11 to the fifth */
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

static uint32_t address_sign(char c)
{
    return c >= '0' && c <= '9' ? (uint32_t)(c - '0') : c == '.' ? 10 : ADDRESS_SIGNS;
}

/* A number above all trigrams, 0 when the five bytes are no piece of an address. */
static uint32_t address_at(const char *bytes)
{
    uint32_t number = 0;
    bool has_dot = false;

    for (size_t i = 0; i < ADDRESS_SIZE; i++) {
        uint32_t sign = address_sign(bytes[i]);

        if (sign == ADDRESS_SIGNS) {
            return 0;
        }
        has_dot = has_dot || sign == 10;
        number = number * ADDRESS_SIGNS + sign;
    }
    return has_dot ? TRIGRAMS + number : 0;
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

static int trigrams_note(struct trigrams *set, uint32_t piece)
{
    return (set->bits[piece / WORD_BITS] >> piece % WORD_BITS & 1U) != 0 ? 0
                                                                         : trigrams_put(set, piece);
}

/* Each piece is looked for from its dots: most texts have few. */
static int trigrams_add_addresses(struct trigrams *set, struct str folded)
{
    size_t next = 0; /* pieces before it are in */
    int r = 0;

    for (size_t dot = str_find_byte(folded, '.'); dot < folded.len && r == 0;
         dot += 1 + str_find_byte(str_slice(folded, dot + 1, folded.len), '.')) {
        size_t from = dot < ADDRESS_SIZE - 1 ? 0 : dot - (ADDRESS_SIZE - 1);

        for (from = from < next ? next : from;
             from <= dot && from + ADDRESS_SIZE <= folded.len && r == 0; from++) {
            uint32_t piece = address_at(folded.ptr + from);

            r = piece != 0 ? trigrams_note(set, piece) : 0;
        }
        next = from;
    }
    return r;
}

int trigrams_add(struct trigrams *set, struct str folded)
{
    uint32_t trigram = folded.len >= TRIGRAM_SIZE ? trigram_at(folded.ptr) >> 8 : 0;
    int r = 0;

    if (set->bits == NULL) {
        set->bits = mem_alloc(PIECES / WORD_BITS + 1, sizeof(*set->bits));
    }
    if (set->bits == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t at = TRIGRAM_SIZE - 1; at < folded.len && r == 0; at++) {
        trigram = (trigram << 8 | (unsigned char)folded.ptr[at]) % TRIGRAMS;
        r = trigrams_note(set, trigram);
    }
    return r < 0 ? r : trigrams_add_addresses(set, folded);
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

static bool filter_has_addresses(struct str filter, struct str word)
{
    for (size_t at = 0; at + ADDRESS_SIZE <= word.len; at++) {
        uint32_t piece = address_at(word.ptr + at);

        if (piece != 0 && !filter_has(filter, trigram_hash(piece))) {
            return false;
        }
    }
    return true;
}

bool filter_admits(struct str filter, struct str word, bool has_addresses)
{
    if (filter.len == 0) {
        return word.len < TRIGRAM_SIZE;
    }
    for (size_t at = 0; at + TRIGRAM_SIZE <= word.len; at++) {
        if (!filter_has(filter, trigram_hash(trigram_at(word.ptr + at)))) {
            return false;
        }
    }
    return !has_addresses || filter_has_addresses(filter, word);
}
