/* UUID version 4. */
#include "base/id.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/hex.h"

#include <sys/random.h>

/* Where the hyphens of the text form stand, in bytes before which one comes. */
static bool id_has_hyphen_before(int byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int id_new(struct id *ret_id)
{
    struct id id;

    if (getrandom(id.bytes, sizeof(id.bytes), 0) != (ssize_t)sizeof(id.bytes)) {
        return -ERR_IO;
    }
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    *ret_id = id;
    return 0;
}

void id_format(const struct id *id, char out[ID_TEXT_SIZE])
{
    for (int i = 0; i < 16; i++) {
        if (id_has_hyphen_before(i)) {
            *out++ = '-';
        }
        hex_encode(&id->bytes[i], 1, out);
        out += 2;
    }
}

int id_parse(struct str text, struct id *ret_id)
{
    struct id id;
    size_t at = 0;

    if (text.len != ID_TEXT_SIZE - 1) {
        return -ERR_SYNTAX;
    }
    for (int i = 0; i < 16; i++) {
        if (id_has_hyphen_before(i) && text.ptr[at++] != '-') {
            return -ERR_SYNTAX;
        }
        if (hex_decode(str_slice(text, at, at + 2), &id.bytes[i], 1) < 0) {
            return -ERR_SYNTAX;
        }
        at += 2;
    }
    *ret_id = id;
    return 0;
}

bool id_is(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool id_is_none(const struct id *id)
{
    static const struct id none;

    return id_is(id, &none);
}
