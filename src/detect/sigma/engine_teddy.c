/* Tables of nibbles, and the search that needs no vectors: see engine_teddy.h. */
#include "detect/sigma/engine_teddy.h"

#include "base/banned.h"

#include <string.h>

void teddy_add(struct teddy *teddy, const char bytes[TEDDY_BYTES], uint32_t group)
{
    uint8_t bit = (uint8_t)(1U << group);

    for (unsigned i = 0; i < TEDDY_BYTES; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        teddy->low[i][byte & 15] |= bit;
        teddy->high[i][byte >> 4] |= bit;
        if (byte >= 'a' && byte <= 'z') {
            teddy->high[i][(byte - 0x20) >> 4] |= bit;
        }
    }
}

void teddy_find_plainly(const struct teddy *teddy, struct str text, teddy_fn *fn, void *context)
{
    for (size_t at = 0; at + TEDDY_BYTES <= text.len; at++) {
        unsigned groups = 0xff;

        for (unsigned i = 0; i < TEDDY_BYTES && groups != 0; i++) {
            unsigned char byte = (unsigned char)text.ptr[at + i];

            groups &= (unsigned)teddy->low[i][byte & 15] & teddy->high[i][byte >> 4];
        }
        if (groups != 0) {
            fn(context, at);
        }
    }
}

void sieve_find_plainly(const struct sieve *sieve, struct str text, teddy_fn *fn, void *context)
{
    for (size_t at = 0; at + sieve->width <= text.len; at++) {
        uint32_t word;

        memcpy(&word, text.ptr + at, sizeof(word));
        if (sieve_has(sieve, word)) {
            fn(context, at);
        }
    }
}
