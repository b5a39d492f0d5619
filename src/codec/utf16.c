/* Texts out of Windows, most of them ASCII: sixteen units at a time while they are. */
#include "codec/utf16.h"

#include "base/banned.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LANES 8

typedef uint16_t utf16_lanes __attribute__((vector_size(2 * LANES)));
typedef uint8_t utf16_bytes __attribute__((vector_size(2 * LANES)));
typedef uint64_t utf16_halves __attribute__((vector_size(2 * LANES)));

static uint32_t unit_at(const uint8_t *bytes, size_t at)
{
    return (uint32_t)bytes[2 * at] | (uint32_t)bytes[2 * at + 1] << 8;
}

/* Takes 2 * LANES units when all are ASCII. */
static bool take_plain(const uint8_t *bytes, char *out)
{
    utf16_lanes low;
    utf16_lanes high;
    utf16_halves rest;
    utf16_bytes packed;

    memcpy(&low, bytes, sizeof(low));
    memcpy(&high, bytes + sizeof(low), sizeof(high));
    rest = (utf16_halves)((low | high) & 0xff80);
    if ((rest[0] | rest[1]) != 0) {
        return false;
    }
    packed = __builtin_shufflevector((utf16_bytes)low, (utf16_bytes)high, 0, 2, 4, 6, 8, 10, 12, 14,
                                     16, 18, 20, 22, 24, 26, 28, 30);
    memcpy(out, &packed, sizeof(packed));
    return true;
}

/* The character at `at`; *at is moved behind it. */
static uint32_t take_rune(const uint8_t *bytes, size_t count, size_t *at)
{
    uint32_t unit = unit_at(bytes, (*at)++);
    uint32_t low;

    if (unit < 0xd800 || unit > 0xdfff) {
        return unit;
    }
    low = unit < 0xdc00 && *at < count ? unit_at(bytes, *at) : 0;
    if (low < 0xdc00 || low > 0xdfff) {
        return 0xfffd;
    }
    (*at)++;
    return 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
}

size_t utf16_decode(const void *units, size_t count, char *out)
{
    const uint8_t *bytes = units;
    size_t len = 0;
    size_t at = 0;

    while (at < count) {
        uint32_t unit;

        if (count - at >= 2 * LANES && take_plain(bytes + 2 * at, out + len)) {
            at += 2 * LANES;
            len += 2 * LANES;
            continue;
        }
        for (size_t end = count - at < 2 * LANES ? count : at + 2 * LANES; at < end;) {
            unit = unit_at(bytes, at);
            if (unit < 0x80) {
                out[len++] = (char)unit;
                at++;
            } else {
                len += utf8_encode(take_rune(bytes, count, &at), out + len);
            }
        }
    }
    return len;
}
