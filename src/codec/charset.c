/* Character sets. On the data's way: the body as it came → here → html.c. A <meta> is looked for
 * with the tokenizer itself, so that a comment cannot choose how the rest is read. */
#include "codec/charset.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "codec/html.h"

#include <stdint.h>
#include <string.h>

#define META_WITHIN 4096 /* bytes at the front in which a <meta> counts */

struct charset_label {
    const char *label;
    enum charset charset;
};

static const struct charset_label charset_labels[] = {
    {"utf-8", CHARSET_UTF8},
    {"utf8", CHARSET_UTF8},
    {"unicode-1-1-utf-8", CHARSET_UTF8},
    {"us-ascii", CHARSET_1252},
    {"ascii", CHARSET_1252},
    {"iso-8859-1", CHARSET_1252},
    {"iso8859-1", CHARSET_1252},
    {"latin1", CHARSET_1252},
    {"l1", CHARSET_1252},
    {"windows-1252", CHARSET_1252},
    {"cp1252", CHARSET_1252},
    {"x-cp1252", CHARSET_1252},
    {"windows-1258", CHARSET_1258},
    {"cp1258", CHARSET_1258},
    {"x-cp1258", CHARSET_1258},
    {"utf-16", CHARSET_UTF16LE},
    {"utf-16le", CHARSET_UTF16LE},
    {"utf-16be", CHARSET_UTF16BE},
};

/* 0x80 to 0x9f of windows-1252; windows-1258 leaves four of them empty. 0: the control itself. */
static const uint16_t charset_c1[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

uint32_t charset_1252(unsigned char byte)
{
    return byte >= 0x80 && byte < 0xa0 && charset_c1[byte - 0x80] != 0 ? charset_c1[byte - 0x80]
                                                                       : byte;
}

/* Where windows-1258 differs: the letters of Vietnamese and its five combining marks. */
static uint32_t charset_1258(unsigned char byte)
{
    static const uint16_t differing[256] = {
        [0x8a] = 0x8a,   [0x8e] = 0x8e,   [0x9a] = 0x9a,   [0x9e] = 0x9e,   [0xc3] = 0x0102,
        [0xcc] = 0x0300, [0xd0] = 0x0110, [0xd2] = 0x0309, [0xd5] = 0x01a0, [0xdd] = 0x01af,
        [0xde] = 0x0303, [0xe3] = 0x0103, [0xec] = 0x0301, [0xf0] = 0x0111, [0xf2] = 0x0323,
        [0xf5] = 0x01a1, [0xfd] = 0x01b0, [0xfe] = 0x20ab,
    };

    return differing[byte] != 0 ? differing[byte] : charset_1252(byte);
}

static enum charset charset_of_label(struct str label)
{
    label = str_trim(label);
    for (size_t i = 0; i < ARRAY_LEN(charset_labels); i++) {
        if (str_is_nocase(label, str_from(charset_labels[i].label))) {
            return charset_labels[i].charset;
        }
    }
    return CHARSET_OTHER;
}

struct str charset_in_content(struct str content)
{
    struct str word = STR("charset");
    struct str part;

    while (str_cut(&content, ';', &part)) {
        struct str name;

        part = str_trim(part);
        if (str_cut(&part, '=', &name) && str_is_nocase(str_trim(name), word)) {
            part = str_trim(part);
            if (part.len >= 2 && (part.ptr[0] == '"' || part.ptr[0] == '\'')) {
                part = str_slice(part, 1, part.len - 1);
            }
            return part;
        }
    }
    return str_of(NULL, 0);
}

bool charset_is_label(struct str label)
{
    for (size_t i = 0; i < label.len; i++) {
        char byte = label.ptr[i];

        if (!((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
              (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
              byte == ':' || byte == '+')) {
            return false;
        }
    }
    return label.len != 0 && label.len <= CHARSET_LABEL_MAX;
}

static struct str charset_of_meta(struct str body)
{
    struct html_reader reader;
    const struct html_token *token;

    html_open(&reader, str_slice(body, 0, META_WITHIN));
    while ((token = html_next(&reader)) != NULL) {
        const struct html_attribute *attribute;

        if (token->kind != HTML_KIND_OPEN || token->tag != HTML_TAG_META) {
            continue;
        }
        attribute = html_attribute(token, HTML_KEY('c', 'h', 'a', 'r', 's', 'e', 't'));
        if (attribute != NULL) {
            return attribute->value;
        }
        attribute = html_attribute(token, HTML_KEY('c', 'o', 'n', 't', 'e', 'n', 't'));
        if (attribute != NULL && charset_in_content(attribute->value).len != 0) {
            return charset_in_content(attribute->value);
        }
    }
    return str_of(NULL, 0);
}

/* Whether a body that says nothing reads as UTF-8: a fault here and there, or a cut at its end,
 * does not make it something else. */
static bool charset_is_utf8(struct str body)
{
    size_t faults = 0;
    size_t letters = 0;
    size_t at = 0;

    while (at < body.len) {
        uint32_t rune;
        size_t width = 1;

        if ((unsigned char)body.ptr[at] >= 0x80) {
            width = utf8_decode(str_slice(body, at, body.len), &rune);
            letters += width != 0;
            faults += width == 0;
        }
        at += width != 0 ? width : 1;
    }
    return faults <= letters;
}

enum charset charset_find(struct str body, struct str label)
{
    enum charset charset;

    if (str_has_prefix(body, STR("\xef\xbb\xbf"))) {
        return CHARSET_UTF8;
    }
    if (str_has_prefix(body, STR("\xff\xfe"))) {
        return CHARSET_UTF16LE;
    }
    if (str_has_prefix(body, STR("\xfe\xff"))) {
        return CHARSET_UTF16BE;
    }
    if (label.len != 0) {
        return charset_of_label(label);
    }
    label = charset_of_meta(body);
    if (label.len == 0) {
        return charset_is_utf8(body) ? CHARSET_UTF8 : CHARSET_1258;
    }
    charset = charset_of_label(label);
    /* A <meta> that could be read is not in UTF-16, whatever it says. */
    return charset == CHARSET_UTF16LE || charset == CHARSET_UTF16BE ? CHARSET_UTF8 : charset;
}

static struct str charset_from_bytes(struct str body, uint32_t (*rune_of)(unsigned char byte),
                                     struct arena *arena)
{
    char *out = arena_alloc(arena, body.len + 1, 3);
    size_t len = 0;

    if (out == NULL) {
        return str_of(NULL, 0);
    }
    for (size_t i = 0; i < body.len; i++) {
        if ((unsigned char)body.ptr[i] < 0x80) {
            out[len++] = body.ptr[i];
        } else {
            len += utf8_encode(rune_of((unsigned char)body.ptr[i]), out + len);
        }
    }
    return str_of(out, len);
}

static uint32_t charset_unit(struct str body, size_t at, bool is_big)
{
    uint32_t first = (unsigned char)body.ptr[at];
    uint32_t second = (unsigned char)body.ptr[at + 1];

    return is_big ? first << 8 | second : second << 8 | first;
}

static struct str charset_from_utf16(struct str body, bool is_big, struct arena *arena)
{
    char *out = arena_alloc(arena, body.len / 2 + 1, 3);
    size_t len = 0;

    if (out == NULL) {
        return str_of(NULL, 0);
    }
    for (size_t at = 0; at + 1 < body.len; at += 2) {
        uint32_t rune = charset_unit(body, at, is_big);
        uint32_t low = at + 3 < body.len ? charset_unit(body, at + 2, is_big) : 0;
        size_t width;

        if (rune >= 0xd800 && rune < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
            at += 2;
        }
        width = utf8_encode(rune, out + len);
        len += width != 0 ? width : utf8_encode(0xfffd, out + len);
    }
    return str_of(out, len);
}

struct str charset_decode(struct str body, enum charset charset, struct arena *arena)
{
    if (str_has_prefix(body, STR("\xef\xbb\xbf"))) {
        return str_slice(body, 3, body.len);
    }
    if (charset == CHARSET_UTF16LE || charset == CHARSET_UTF16BE) {
        bool is_marked =
            str_has_prefix(body, STR("\xff\xfe")) || str_has_prefix(body, STR("\xfe\xff"));

        return charset_from_utf16(str_slice(body, is_marked ? 2 : 0, body.len),
                                  charset == CHARSET_UTF16BE, arena);
    }
    if (charset == CHARSET_1252 || charset == CHARSET_1258) {
        return charset_from_bytes(body, charset == CHARSET_1252 ? charset_1252 : charset_1258,
                                  arena);
    }
    return body;
}
