/* Character references: "&amp;" and 2,124 other names, and numbers. On its way: html.c, page_text.c
 * and page_link.c ask here for each '&'. */
#include "codec/html.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "codec/charset.h"

#include <string.h>

#define NAME_MAX_LEN 31
/* Names that count without a semicolon have two to six letters. */
#define BARE_MAX_LEN 6
#define BARE_MIN_LEN 2

struct html_name {
    char name[NAME_MAX_LEN + 1];
    uint32_t first;
    uint16_t second;
    bool is_bare;
};

static const struct html_name html_names[] = {
#define REFERENCE(name, first, second, is_bare) {name, first, second, is_bare},
#include "codec/html_references.def"
#undef REFERENCE
};

static bool html_is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static const struct html_name *html_name_find(struct str name)
{
    size_t low = 0;
    size_t high = ARRAY_LEN(html_names);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(name, str_from(html_names[middle].name));

        if (order == 0) {
            return &html_names[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static size_t html_put(uint32_t rune, char *out)
{
    size_t len = utf8_encode(rune, out);

    return len != 0 ? len : utf8_encode(0xfffd, out);
}

static int html_digit(char c, unsigned base)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* s begins behind "&#". */
static size_t html_number(struct str s, char *out, size_t *ret_len)
{
    unsigned base = s.len != 0 && (s.ptr[0] | 0x20) == 'x' ? 16 : 10;
    size_t start = base == 16 ? 1 : 0;
    size_t at = start;
    uint32_t rune = 0;

    for (int digit; at < s.len && (digit = html_digit(s.ptr[at], base)) >= 0; at++) {
        rune = rune <= 0x10ffff ? rune * base + (uint32_t)digit : rune;
    }
    if (at == start) {
        return 0;
    }
    rune = rune < 0x100 ? charset_1252((unsigned char)rune) : rune;
    *ret_len = html_put(rune != 0 ? rune : 0xfffd, out);
    return 2 + at + (at < s.len && s.ptr[at] == ';');
}

static size_t html_put_name(const struct html_name *row, char *out)
{
    size_t len = html_put(row->first, out);

    return row->second != 0 ? len + html_put(row->second, out + len) : len;
}

/* The longest name at the front that needs no semicolon. */
static size_t html_bare(struct str name, bool is_attribute, char next, char *out, size_t *ret_len)
{
    for (size_t len = name.len < BARE_MAX_LEN ? name.len : BARE_MAX_LEN; len >= BARE_MIN_LEN;
         len--) {
        const struct html_name *row = html_name_find(str_slice(name, 0, len));

        if (row == NULL || !row->is_bare) {
            continue;
        }
        if (is_attribute && (len < name.len || next == '=')) {
            return 0;
        }
        *ret_len = html_put_name(row, out);
        return len + 1;
    }
    return 0;
}

size_t html_reference(struct str s, bool is_attribute, char out[HTML_REFERENCE_MAX],
                      size_t *ret_len)
{
    const struct html_name *row = NULL;
    struct str name;
    size_t at = 1;

    if (s.len < 2) {
        return 0;
    }
    if (s.ptr[1] == '#') {
        return html_number(str_slice(s, 2, s.len), out, ret_len);
    }
    while (at < s.len && at <= NAME_MAX_LEN && html_is_alnum(s.ptr[at])) {
        at++;
    }
    name = str_slice(s, 1, at);
    if (at < s.len && s.ptr[at] == ';') {
        row = html_name_find(name);
    }
    if (row != NULL) {
        *ret_len = html_put_name(row, out);
        return at + 1;
    }
    return html_bare(name, is_attribute, at < s.len ? s.ptr[at] : '\0', out, ret_len);
}

struct str html_decode(struct str raw, struct arena *arena)
{
    size_t from = str_find_byte(raw, '&');
    size_t len = from;
    char *out;

    if (from == raw.len) {
        return raw.len != 0 ? raw : str_of("", 0);
    }
    /* Two names of five bytes stand for six, so that a quarter more is always enough. */
    out = arena_alloc(arena, raw.len + raw.len / 4 + HTML_REFERENCE_MAX, 1);
    if (out == NULL) {
        return str_of(NULL, 0);
    }
    memcpy(out, raw.ptr, from);
    while (from < raw.len) {
        size_t put = 0;
        size_t taken = raw.ptr[from] == '&'
                           ? html_reference(str_slice(raw, from, raw.len), true, out + len, &put)
                           : 0;

        if (taken == 0) {
            out[len++] = raw.ptr[from++];
            continue;
        }
        from += taken;
        len += put;
    }
    return str_of(out, len);
}
