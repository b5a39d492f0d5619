/* Where needles may stand in a text. A few are looked for 32 bytes at a time: tables of nibbles say
 * of each place at which of eight groups of needles may stand there, by three bytes of them
 * ("Teddy", by Geoff Langdale); letters are found in either case. For many there is a set of bits,
 * asked at each place. Pure. */
#ifndef DETECT_SIGMA_ENGINE_TEDDY_H
#define DETECT_SIGMA_ENGINE_TEDDY_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define TEDDY_BYTES  3
#define TEDDY_GROUPS 8
#define TEDDY_MAX    64  /* needles; with more it says yes too often */
#define FIND_PAD     48  /* bytes behind a text that is searched, which are read and say nothing */
#define FIND_ROOM    128 /* places that one search tells */

struct teddy {
    uint8_t low[TEDDY_BYTES][16];
    uint8_t high[TEDDY_BYTES][16];
};

/* bytes: the needle's, folded; group: below TEDDY_GROUPS. */
void teddy_add(struct teddy *teddy, const char bytes[TEDDY_BYTES], uint32_t group);

/* Places from *from on at which one may stand, in their order, and how many they are; *from becomes
 * where to go on, the text's length at its end. */
typedef size_t teddy_find_fn(const struct teddy *teddy, struct str text, size_t *from,
                             uint32_t ret_places[FIND_ROOM]);

size_t teddy_find_plainly(const struct teddy *teddy, struct str text, size_t *from,
                          uint32_t ret_places[FIND_ROOM]);
/* The ways that this processor has; 0 is the fastest, NULL: there is none of that rank. */
teddy_find_fn *teddy_way(unsigned rank);

/* By a hash of the four bytes that stand for each needle; or of three, where mask leaves no more.
 */
#define SIEVE_WORD 4

struct sieve {
    uint32_t *bits;
    uint32_t shift; /* of a hash, that leaves the number of its bit */
    uint32_t mask;  /* of a word */
    uint32_t width; /* bytes that it leaves */
};

static inline uint32_t sieve_hash(uint32_t word)
{
    return word * 0x9e3779b1U;
}

static inline bool sieve_has(const struct sieve *sieve, uint32_t word)
{
    uint32_t bit = sieve_hash(word & sieve->mask) >> sieve->shift;

    return (sieve->bits[bit >> 5] >> (bit & 31) & 1) != 0;
}

/* Places whose bytes are in the set; as teddy_find_fn. */
typedef size_t sieve_find_fn(const struct sieve *sieve, struct str text, size_t *from,
                             uint32_t ret_places[FIND_ROOM]);

size_t sieve_find_plainly(const struct sieve *sieve, struct str text, size_t *from,
                          uint32_t ret_places[FIND_ROOM]);
sieve_find_fn *sieve_way(unsigned rank);

#endif
