/* Borrowed text. */
#include "base/str.h"

#include "base/banned.h"
#include "base/err.h"

#include <endian.h>

struct str str_from(const char *text)
{
    return (struct str){text, text != NULL ? strlen(text) : 0};
}

bool str_is(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_is_text(struct str a, const char *text)
{
    return str_is(a, str_from(text));
}

static char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_is_nocase(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (str_lower(a.ptr[i]) != str_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool str_has_prefix(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_is(str_of(s.ptr, prefix.len), prefix);
}

bool str_has_suffix(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_is(str_slice(s, s.len - suffix.len, s.len), suffix);
}

int str_compare(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common != 0 ? memcmp(a.ptr, b.ptr, common) : 0;

    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

size_t str_find_byte(struct str s, char byte)
{
    const char *hit = s.len != 0 ? memchr(s.ptr, byte, s.len) : NULL;

    return hit != NULL ? (size_t)(hit - s.ptr) : s.len;
}

#define MISSES_SPARE                                                                               \
    64 /* places that looked like the needle before the search is the library's                    \
        */

static uint64_t load_word(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

/* The places of eight where the needle's ends stand, a bit each; some where they do not. */
static uint64_t mark_ends(const char *at, struct str needle)
{
    const uint64_t ones = 0x0101010101010101ULL;
    uint64_t differs =
        (load_word(at) ^ ones * (unsigned char)needle.ptr[0]) |
        (load_word(at + needle.len - 1) ^ ones * (unsigned char)needle.ptr[needle.len - 1]);

    return (differs - ones) & ~differs & ones * 0x80;
}

/* By the needle's ends, eight places at a time: the library goes byte by byte where the needle is
 * short. It takes over where a text was made of the needle's ends. */
size_t str_find(struct str s, struct str needle)
{
    const char *hit;
    size_t misses = 0;
    size_t at = 0;

    if (needle.len == 0 || s.len < needle.len) {
        return needle.len == 0 ? 0 : s.len;
    }
    for (; s.len - at >= needle.len + 7 && misses <= MISSES_SPARE + at / 16; at += 8) {
        uint64_t marks = mark_ends(s.ptr + at, needle);

        for (; marks != 0; marks &= marks - 1) {
            size_t place = at + (size_t)__builtin_ctzll(marks) / 8;

            if (memcmp(s.ptr + place, needle.ptr, needle.len) == 0) {
                return place;
            }
            misses++;
        }
    }
    hit = memmem(s.ptr + at, s.len - at, needle.ptr, needle.len);
    return hit != NULL ? (size_t)(hit - s.ptr) : s.len;
}

static bool str_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len != 0 && str_is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len != 0 && str_is_space(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool str_cut(struct str *rest, char byte, struct str *ret_part)
{
    size_t at;

    if (rest->ptr == NULL) {
        return false;
    }
    at = str_find_byte(*rest, byte);
    *ret_part = str_of(rest->ptr, at);
    if (at == rest->len) {
        *rest = str_of(NULL, 0);
    } else {
        *rest = str_slice(*rest, at + 1, rest->len);
    }
    return true;
}

int str_to_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (s.len == 0) {
        return -ERR_SYNTAX;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return -ERR_SYNTAX;
        }
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value)) {
            return -ERR_RANGE;
        }
    }
    *ret_value = value;
    return 0;
}

int str_to_i64(struct str s, int64_t *ret_value)
{
    bool is_negative = s.len != 0 && s.ptr[0] == '-';
    uint64_t value;
    int r;

    r = str_to_u64(is_negative ? str_slice(s, 1, s.len) : s, &value);
    if (r < 0) {
        return r;
    }
    if (value > (uint64_t)INT64_MAX + (is_negative ? 1 : 0)) {
        return -ERR_RANGE;
    }
    *ret_value = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}
