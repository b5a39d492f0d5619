/* Hexadecimal. */
#include "base/hex.h"

#include "base/banned.h"
#include "base/err.h"

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int hex_decode(struct str text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len) {
        return -ERR_SYNTAX;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text.ptr[2 * i]);
        int low = hex_digit(text.ptr[2 * i + 1]);

        if (high < 0 || low < 0) {
            return -ERR_SYNTAX;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}
