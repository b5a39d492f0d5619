/* xoshiro256**, seeded through splitmix64. Source: prng.di.unimi.it (public domain reference). */
#include "base/prng.h"

#include "base/banned.h"

static uint64_t prng_rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

void prng_init(struct prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15U);

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
        z = (z ^ z >> 27) * 0x94d049bb133111ebU;
        prng->state[i] = z ^ z >> 31;
    }
}

uint64_t prng_next(struct prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = prng_rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = prng_rotate(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    uint64_t threshold = (0 - bound) % bound;
    uint64_t value;

    do {
        value = prng_next(prng);
    } while (value < threshold);
    return value % bound;
}

void prng_fill(struct prng *prng, void *out, size_t len)
{
    char *bytes = out;

    while (len != 0) {
        uint64_t word = prng_next(prng);
        size_t part = len < sizeof(word) ? len : sizeof(word);

        memcpy(bytes, &word, part);
        bytes += part;
        len -= part;
    }
}
