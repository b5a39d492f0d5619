/* The way that needs no more than vectors of sixteen bytes: see engine_fold.h. What stands as its
 * number goes through the functions that the oracle takes. */
#include "detect/sigma/engine_fold.h"

#include "base/banned.h"
#include "detect/sigma/text.h"

#include <string.h>

typedef uint8_t lane __attribute__((vector_size(16)));
typedef int8_t lane_signed __attribute__((vector_size(16)));

static inline lane lane_load(const char *bytes)
{
    lane loaded;

    memcpy(&loaded, bytes, sizeof(loaded));
    return loaded;
}

/* Of ASCII only; letters are those that come last of all when 'A' is moved to the least number. */
static inline lane lane_fold(lane bytes)
{
    lane_signed moved = (lane_signed)(bytes - (uint8_t)('A' + 0x80));

    return bytes | ((lane)(moved < (int8_t)(-128 + 26)) & 0x20);
}

/* The place of the first byte that is not zero; the lane's size: all are. */
static inline size_t lane_first(lane bytes)
{
    uint64_t halves[2];

    memcpy(halves, &bytes, sizeof(halves));
    if (halves[0] != 0) {
        return (size_t)__builtin_ctzll(halves[0]) / 8;
    }
    return halves[1] != 0 ? 8 + (size_t)__builtin_ctzll(halves[1]) / 8 : sizeof(bytes);
}

static inline char byte_fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* What the letter behind a backslash stands for; 0: more than a letter, or nothing. */
static inline char escape_letter(char letter)
{
    static const char meant[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };

    return meant[(unsigned char)letter];
}

/* Folds while there are lanes and nothing but plain characters; returns how much. */
static inline size_t fold_lanes(struct str text, size_t at, lane slash, char *out)
{
    size_t from = at;
    size_t taken = sizeof(lane);

    for (; taken == sizeof(lane) && text.len - at >= sizeof(lane); at += taken) {
        lane bytes = lane_load(text.ptr + at);
        lane folded = lane_fold(bytes);

        memcpy(out + (at - from), &folded, sizeof(folded));
        taken = lane_first((bytes & 0x80) | (lane)(bytes == slash));
    }
    return at - from;
}

/* The value of a hexadecimal digit; 16: it is none. */
static inline unsigned digit_value(char digit)
{
    unsigned number = (unsigned)(digit - '0');
    unsigned letter = (unsigned)((digit | 0x20) - 'a');

    return number < 10 ? number : letter < 6 ? letter + 10 : 16;
}

/* Of "\u0041" the A; '\0' for another than an ASCII character, and for that one. */
static char escape_ascii(struct str text, size_t at)
{
    unsigned high;
    unsigned low;

    if (text.len - at < 6 || memcmp(text.ptr + at, "\\u00", 4) != 0) {
        return '\0';
    }
    high = digit_value(text.ptr[at + 4]);
    low = digit_value(text.ptr[at + 5]);
    return high < 8 && low < 16 ? byte_fold((char)(high << 4 | low)) : '\0';
}

/* What an escape of one ASCII character stands for; 0: it is another. */
static inline size_t fold_escape(struct str text, size_t at, char *out, size_t *len)
{
    char letter = at + 1 < text.len ? escape_letter(text.ptr[at + 1]) : '\0';
    size_t taken = 2;

    if (letter == '\0') {
        letter = escape_ascii(text, at);
        taken = 6;
    }
    out[*len] = letter;
    *len += letter != '\0';
    return letter != '\0' ? taken : 0;
}

static inline size_t char_fold(struct str text, size_t at, bool is_escaped, char *out, size_t *len)
{
    if ((unsigned char)text.ptr[at] >= 0x80) {
        return sigma_fold_char(text, at, out, len);
    }
    if (is_escaped && text.ptr[at] == '\\') {
        return fold_escape(text, at, out, len);
    }
    out[(*len)++] = byte_fold(text.ptr[at]);
    return 1;
}

size_t fold_char(struct str text, size_t at, bool is_escaped, char *out, size_t *len)
{
    return char_fold(text, at, is_escaped, out, len);
}

bool fold_by_lanes(struct str text, bool is_escaped, char *out, size_t *ret_len, bool *ret_is_plain)
{
    lane slash = (lane){0} + (uint8_t)(is_escaped ? '\\' : 0x80);
    bool is_plain = true;
    size_t len = 0;

    for (size_t at = 0; at < text.len;) {
        size_t plain = fold_lanes(text, at, slash, out + len);
        size_t taken;

        at += plain;
        len += plain;
        if (at == text.len) {
            break;
        }
        is_plain = is_plain && (unsigned char)text.ptr[at] < 0x80;
        taken = char_fold(text, at, is_escaped, out, &len);
        if (taken == 0) {
            return false;
        }
        at += taken;
    }
    *ret_is_plain = is_plain;
    *ret_len = len;
    return true;
}
