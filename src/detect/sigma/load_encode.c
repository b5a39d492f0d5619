/* Modifiers that write a value otherwise: dashes of Windows, Base64, UTF-16, placeholders. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "detect/sigma/load_part.h"

#include <string.h>

#define DASHES_MAX 5 /* of one value: each has five writings, so 3,125 values */
#define OFFSETS    3

/* ---- windash ---- */

static bool is_word(unsigned char byte, unsigned char next)
{
    if (byte >= 0x80) {
        return byte != 0xe2 || next > 0x81; /* dashes and their kin: U+2000 … U+207F */
    }
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/* A dash or slash behind no letter and before one begins an option. */
static bool is_option(struct str text, size_t at)
{
    unsigned char next = at + 1 < text.len ? (unsigned char)text.ptr[at + 1] : 0;
    unsigned char second = at + 2 < text.len ? (unsigned char)text.ptr[at + 2] : 0;

    if (text.ptr[at] != '-' && text.ptr[at] != '/') {
        return false;
    }
    return next != 0 && is_word(next, second) &&
           (at == 0 || !is_word((unsigned char)text.ptr[at - 1], 0xff));
}

struct dash {
    size_t part;
    size_t at;
};

static size_t dashes_find(const struct load_value *value, struct dash dashes[DASHES_MAX + 1])
{
    size_t count = 0;

    for (size_t i = 0; i < value->part_count; i++) {
        struct str text = value->parts[i].text;

        for (size_t at = 0; at < text.len && count <= DASHES_MAX; at++) {
            if (is_option(text, at)) {
                dashes[count++] = (struct dash){i, at};
            }
        }
    }
    return count;
}

/* The value with the chosen-th combination of dashes, of 5^count. */
static int dashes_write(struct sigma_loader *loader, const struct load_value *value,
                        const struct dash *dashes, size_t count, size_t chosen,
                        struct load_value *out)
{
    static const struct str writings[] = {
        {"-", 1}, {"/", 1}, {"\xe2\x80\x93", 3}, {"\xe2\x80\x94", 3}, {"\xe2\x80\x95", 3}};
    struct sigma_part *parts =
        arena_alloc(loader->scratch, value->part_count + 2 * count, sizeof(*parts));
    size_t made = 0;
    size_t dash = 0;

    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < value->part_count; i++) {
        struct sigma_part part = value->parts[i];
        size_t from = 0;

        for (; dash < count && dashes[dash].part == i; dash++) {
            parts[made++].text = str_slice(part.text, from, dashes[dash].at);
            parts[made++].text = writings[chosen % 5];
            chosen /= 5;
            from = dashes[dash].at + 1;
        }
        part.text = str_slice(part.text, from, part.text.len);
        parts[made++] = part;
    }
    return load_parts_join(loader, parts, made, out);
}

static int value_windash(struct sigma_loader *loader, const struct load_value *value,
                         struct load_values *out)
{
    struct dash dashes[DASHES_MAX + 1];
    size_t count = value->kind == LOAD_TEXT ? dashes_find(value, dashes) : 0;
    size_t combinations = 1;
    int r = 0;

    if (count > DASHES_MAX) {
        return load_refuse_at(loader, out->at, _("split the value"),
                              _("“windash” takes at most %d dashes in a value"), DASHES_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        combinations *= 5;
    }
    for (size_t i = 0; i < combinations && r >= 0; i++) {
        struct load_value *made = load_values_add(loader, out);

        if (made == NULL) {
            return -ERR_NOMEM;
        }
        if (load_is_full(loader)) {
            return load_refuse_size(loader, out->at);
        }
        *made = *value;
        r = count == 0 ? 0 : dashes_write(loader, value, dashes, count, i, made);
    }
    return r;
}

int load_values_map(struct sigma_loader *loader, struct load_values *values,
                    int (*fn)(struct sigma_loader *loader, const struct load_value *value,
                              struct load_values *out))
{
    struct load_values out = *values;
    int r = 0;

    out.items = NULL;
    out.count = 0;
    out.room = 0;
    for (size_t i = 0; i < values->count && r >= 0; i++) {
        if (load_is_full(loader)) {
            return load_refuse_size(loader, values->at);
        }
        r = fn(loader, &values->items[i], &out);
        if (r >= 0 && out.count > LOAD_VALUES_MAX) {
            r = load_refuse_at(loader, values->at, _("split the rule"), _("too many values"));
        }
    }
    if (r >= 0) {
        *values = out;
    }
    return r;
}

int load_windash(struct sigma_loader *loader, struct load_values *values)
{
    return load_values_map(loader, values, value_windash);
}

/* ---- Base64 ---- */

static int value_literal(struct sigma_loader *loader, const struct load_value *value,
                         const struct load_values *values, struct str *ret_text)
{
    if (value->kind == LOAD_NULL || value->kind > LOAD_NULL || !load_is_literal(value, ret_text)) {
        return load_refuse_at(loader, values->at,
                              _("write the wildcards with a backslash, or use “contains” "
                                "behind the modifier"),
                              _("Base64 can only be made of a text without wildcards"));
    }
    return 0;
}

static int encoded_add(struct sigma_loader *loader, const struct load_value *value, struct str text,
                       struct load_values *out)
{
    struct load_value *made = load_values_add(loader, out);
    struct sigma_part part = {.text = arena_copy(loader->scratch, text)};

    if (made == NULL || part.text.ptr == NULL) {
        return -ERR_NOMEM;
    }
    *made = *value;
    made->kind = LOAD_TEXT;
    return load_parts_join(loader, &part, 1, made);
}

static int encode_at(struct sigma_loader *loader, const struct load_value *value, size_t offset,
                     bool is_whole, struct load_values *out)
{
    static const size_t starts[OFFSETS] = {0, 2, 3};
    static const size_t ends[OFFSETS] = {0, 3, 2};
    struct str text = STR("");
    struct str encoded;
    struct buf plain;
    struct buf made;
    int r = value_literal(loader, value, out, &text);

    if (r < 0) {
        return r;
    }
    buf_init(&plain, SIGMA_FILE_MAX);
    buf_init(&made, 2 * SIGMA_FILE_MAX);
    (void)buf_put(&plain, "  ", offset);
    (void)buf_put_str(&plain, text);
    base64_encode(buf_str(&plain), &made);
    r = buf_error(&plain) < 0 || buf_error(&made) < 0 ? -ERR_NOMEM : 0;
    if (r >= 0) {
        encoded = buf_str(&made);
        if (!is_whole) {
            size_t end = encoded.len - ends[(text.len + offset) % 3];

            encoded = str_slice(encoded, starts[offset], end);
        }
        r = encoded_add(loader, value, encoded, out);
    }
    buf_done(&plain);
    buf_done(&made);
    return r;
}

static int value_base64(struct sigma_loader *loader, const struct load_value *value,
                        struct load_values *out)
{
    return encode_at(loader, value, 0, true, out);
}

/* As it stands in any Base64 text that holds it: the characters that depend on its neighbours are
 * cut off. */
static int value_base64_offset(struct sigma_loader *loader, const struct load_value *value,
                               struct load_values *out)
{
    int r = 0;

    for (size_t offset = 0; offset < OFFSETS && r >= 0; offset++) {
        r = encode_at(loader, value, offset, false, out);
    }
    return r;
}

int load_base64(struct sigma_loader *loader, struct load_values *values)
{
    return load_values_map(loader, values, value_base64);
}

int load_base64_offset(struct sigma_loader *loader, struct load_values *values)
{
    return load_values_map(loader, values, value_base64_offset);
}

/* ---- UTF-16 ---- */

static size_t unit_put(char *out, uint32_t unit, bool is_big)
{
    out[is_big ? 0 : 1] = (char)(unit >> 8);
    out[is_big ? 1 : 0] = (char)(unit & 0xff);
    return 2;
}

static struct str text_wide(struct arena *arena, struct str text, enum load_wide wide)
{
    char *out = arena_alloc(arena, 2 * text.len + 1, 1);
    bool is_big = wide == LOAD_WIDE_BE;
    size_t len = 0;

    if (out == NULL) {
        return (struct str){0};
    }
    for (size_t at = 0; at < text.len;) {
        uint32_t rune = (unsigned char)text.ptr[at];
        size_t width = utf8_decode(str_slice(text, at, text.len), &rune);

        if (rune > 0xffff) {
            len += unit_put(out + len, 0xd800 + ((rune - 0x10000) >> 10), is_big);
            rune = 0xdc00 + ((rune - 0x10000) & 0x3ff);
        }
        len += unit_put(out + len, rune, is_big);
        at += width != 0 ? width : 1;
    }
    return str_of(out, len);
}

static int value_wide(struct sigma_loader *loader, enum load_wide wide, struct load_value *value)
{
    struct sigma_part *parts = arena_alloc(loader->scratch, value->part_count + 1, sizeof(*parts));
    size_t count = 0;

    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    if (wide == LOAD_WIDE_MARKED) {
        parts[count++].text = STR("\xff\xfe");
    }
    for (size_t i = 0; i < value->part_count; i++) {
        parts[count] = value->parts[i];
        if (parts[count].kind == SIGMA_PART_LITERAL) {
            parts[count].text = text_wide(loader->scratch, parts[count].text, wide);
            if (parts[count].text.ptr == NULL) {
                return -ERR_NOMEM;
            }
        }
        count++;
    }
    value->kind = LOAD_TEXT;
    return load_parts_join(loader, parts, count, value);
}

int load_wide(struct sigma_loader *loader, enum load_wide wide, struct load_values *values)
{
    int r = 0;

    for (size_t i = 0; i < values->count && r >= 0; i++) {
        if (values->items[i].kind > LOAD_BOOL) {
            return load_refuse_at(loader, values->at, _("take the modifier away, or write a text"),
                                  _("UTF-16 can only be made of a text"));
        }
        if (load_is_full(loader)) {
            return load_refuse_size(loader, values->at);
        }
        r = value_wide(loader, wide, &values->items[i]);
    }
    return r;
}
