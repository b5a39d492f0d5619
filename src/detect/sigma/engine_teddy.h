/* A few needles looked for 32 bytes at a time: tables of nibbles say of each place at which of
 * eight groups of needles may stand there, by three bytes of them ("Teddy", by Geoff Langdale).
 * Letters are found in either case. Pure. */
#ifndef DETECT_SIGMA_ENGINE_TEDDY_H
#define DETECT_SIGMA_ENGINE_TEDDY_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define TEDDY_BYTES  3
#define TEDDY_GROUPS 8
#define TEDDY_MAX    64 /* needles; with more it says yes too often */

struct teddy {
    uint8_t low[TEDDY_BYTES][16];
    uint8_t high[TEDDY_BYTES][16];
};

/* bytes: the needle's, folded; group: below TEDDY_GROUPS. */
void teddy_add(struct teddy *teddy, const char bytes[TEDDY_BYTES], uint32_t group);

typedef void teddy_fn(void *context, size_t at);
/* Calls fn for each place at which one may stand. */
typedef void teddy_find_fn(const struct teddy *teddy, struct str text, teddy_fn *fn, void *context);

void teddy_find_plainly(const struct teddy *teddy, struct str text, teddy_fn *fn, void *context);
/* The fastest for this processor. */
teddy_find_fn *teddy_best(void);

/* For many needles: a set of bits, by a hash of the four bytes that stand for each; or of three,
 * where mask leaves no more. */
#define SIEVE_WORD 4
#define SIEVE_PAD  16 /* bytes behind a text that may be read */

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

/* Calls fn for each place whose bytes are in the set. Behind the text SIEVE_PAD bytes are read. */
typedef void sieve_find_fn(const struct sieve *sieve, struct str text, teddy_fn *fn, void *context);

void sieve_find_plainly(const struct sieve *sieve, struct str text, teddy_fn *fn, void *context);
sieve_find_fn *sieve_best(void);

#endif
