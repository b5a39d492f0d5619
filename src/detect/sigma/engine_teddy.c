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

size_t teddy_find_plainly(const struct teddy *teddy, struct str text, size_t *from,
                          uint32_t ret_places[FIND_ROOM])
{
    size_t count = 0;
    size_t at = *from;

    for (; at < text.len && count < FIND_ROOM; at++) {
        unsigned groups = text.len - at < TEDDY_BYTES ? 0 : 0xff;

        for (unsigned i = 0; i < TEDDY_BYTES && groups != 0; i++) {
            unsigned char byte = (unsigned char)text.ptr[at + i];

            groups &= (unsigned)teddy->low[i][byte & 15] & teddy->high[i][byte >> 4];
        }
        ret_places[count] = (uint32_t)at;
        count += groups != 0;
    }
    *from = at;
    return count;
}

size_t sieve_find_plainly(const struct sieve *sieve, struct str text, size_t *from,
                          uint32_t ret_places[FIND_ROOM])
{
    size_t count = 0;
    size_t at = *from;

    for (; at < text.len && count < FIND_ROOM; at++) {
        uint32_t word;

        memcpy(&word, text.ptr + at, sizeof(word));
        ret_places[count] = (uint32_t)at;
        count += text.len - at >= sieve->width && sieve_has(sieve, word);
    }
    *from = at;
    return count;
}
