/* A seeded generator for tests, drills and jitter; never for keys (those come from the kernel).
 * xoshiro256** by Blackman and Vigna. Not thread-safe. */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t state[4];
};

void prng_init(struct prng *prng, uint64_t seed);
uint64_t prng_next(struct prng *prng);
/* Even over 0 … bound-1; bound must not be 0. */
uint64_t prng_below(struct prng *prng, uint64_t bound);
void prng_fill(struct prng *prng, void *out, size_t len);

#endif
