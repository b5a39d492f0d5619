/* Base64: see codec/base64.h. Neighbours: centre/browser.c, whose browser speaks in it. */
#include "codec/base64.h"

#include "base/banned.h"
#include "base/err.h"

#define PIECE 3072 /* bytes encoded at a time, a multiple of 3 */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 1 to 3 bytes into four characters. */
static void encode_group(const unsigned char *in, size_t len, char out[4])
{
    uint32_t bits = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0) |
                    (len > 2 ? (uint32_t)in[2] : 0);

    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = len > 1 ? alphabet[bits >> 6 & 63] : '=';
    out[3] = len > 2 ? alphabet[bits & 63] : '=';
}

void base64_encode(struct str bytes, struct buf *out)
{
    while (bytes.len != 0) {
        struct str piece = str_slice(bytes, 0, PIECE);
        char *text = buf_reserve(out, (piece.len + 2) / 3 * 4);

        if (text == NULL) {
            return;
        }
        for (size_t i = 0; i < piece.len; i += 3) {
            encode_group((const unsigned char *)piece.ptr + i, piece.len - i, text + i / 3 * 4);
        }
        buf_commit(out, (piece.len + 2) / 3 * 4);
        bytes = str_slice(bytes, piece.len, bytes.len);
    }
}

/* The value of a character, or -1. */
static int decode_char(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+') {
        return 62;
    }
    return c == '/' ? 63 : -1;
}

/* Four characters, of which `used` are no padding, into used - 1 bytes. */
static int decode_group(const char *in, size_t used, unsigned char out[3])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < used ? decode_char(in[i]) : 0;

        if (value < 0) {
            return -ERR_SYNTAX;
        }
        bits = bits << 6 | (uint32_t)value;
    }
    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8);
    out[2] = (unsigned char)bits;
    return (used == 2 && (bits & 0xffff) != 0) || (used == 3 && (bits & 0xff) != 0) ? -ERR_SYNTAX
                                                                                    : 0;
}

int base64_decode(struct str text, struct buf *out)
{
    size_t padding = str_has_suffix(text, STR("=")) ? 1 : 0;

    if (text.len % 4 != 0) {
        return -ERR_SYNTAX;
    }
    padding += str_has_suffix(text, STR("==")) ? 1 : 0;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t used = i + 4 == text.len ? 4 - padding : 4;
        unsigned char bytes[3];
        int r = decode_group(text.ptr + i, used, bytes);

        r = r < 0 ? r : buf_put(out, bytes, used - 1);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}
