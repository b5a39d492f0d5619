/* Folding and wildcard patterns: see detect/sigma/text.h. Neighbours: load_atom.c folds rules'
 * literals, oracle.c and the engine fold values. */
#include "detect/sigma/text.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#include <string.h>

struct case_range {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t delta;
};

#define CASE(first, last, step, delta) {first, last, step, delta},
static const struct case_range case_ranges[] = {
#include "detect/sigma/text_case.def"
};

/* The first look is at the ranges of Vietnamese. */
static uint32_t rune_fold(uint32_t rune)
{
    size_t low = 0;
    size_t high = ARRAY_LEN(case_ranges);

    if ((rune >= 0x1ea0 && rune <= 0x1eff) || (rune >= 0x100 && rune <= 0x12f)) {
        return rune | 1; /* a capital, and its small letter behind it */
    }

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct case_range *range = &case_ranges[middle];

        if (rune > range->last) {
            low = middle + 1;
        } else if (rune < range->first) {
            high = middle;
        } else if ((rune - range->first) % range->step == 0) {
            return (uint32_t)((int32_t)rune + range->delta);
        } else {
            return rune;
        }
    }
    return rune;
}

size_t sigma_fold_char(struct str text, size_t at, char *out, size_t *len)
{
    unsigned char byte = (unsigned char)text.ptr[at];
    uint32_t rune;
    size_t width;

    if (byte < 0x80) {
        out[(*len)++] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
        return 1;
    }
    width = utf8_decode(str_slice(text, at, text.len), &rune);
    if (width == 0) {
        out[(*len)++] = text.ptr[at];
        return 1;
    }
    *len += utf8_encode(rune_fold(rune), out + *len);
    return width;
}

size_t sigma_fold(struct str text, char *out)
{
    size_t len = 0;

    for (size_t at = 0; at < text.len;) {
        at += sigma_fold_char(text, at, out, &len);
    }
    out[len] = '\0';
    return len;
}

/* Length of the character in front; a byte that begins none is one. */
static size_t char_width(struct str text)
{
    uint32_t rune;
    size_t width = utf8_decode(text, &rune);

    return width != 0 ? width : 1;
}

/* Parts without ANY against the front of text: how much they take, or SIZE_MAX. */
static size_t run_matches(const struct sigma_part *parts, size_t count, struct str text)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        struct str rest = str_slice(text, at, text.len);

        if (parts[i].kind == SIGMA_PART_ONE) {
            if (rest.len == 0) {
                return SIZE_MAX;
            }
            at += char_width(rest);
        } else if (str_has_prefix(rest, parts[i].text)) {
            at += parts[i].text.len;
        } else {
            return SIZE_MAX;
        }
    }
    return at;
}

/* The first place at or behind `from` where the run fits (at the very end of text when is_last):
 * the place behind it, or SIZE_MAX. ANY takes whole characters, so a run that begins with ONE is
 * not tried inside of one. */
static size_t run_find(const struct sigma_part *parts, size_t count, struct str text, size_t from,
                       bool is_last)
{
    if (is_last && count == 1 && parts[0].kind == SIGMA_PART_LITERAL) {
        bool is_there = str_has_suffix(str_slice(text, from, text.len), parts[0].text);

        return is_there ? text.len : SIZE_MAX;
    }
    while (from <= text.len) {
        struct str rest = str_slice(text, from, text.len);
        size_t head = 0; /* of the run, that fits */
        size_t len;

        if (parts[0].kind == SIGMA_PART_LITERAL) {
            size_t skip = str_find(rest, parts[0].text);

            if (skip == rest.len) {
                return SIZE_MAX;
            }
            from += skip;
            head = parts[0].text.len;
            rest = str_slice(text, from + head, text.len);
        }
        len = run_matches(parts + (head != 0), count - (head != 0), rest);
        if (len != SIZE_MAX && (!is_last || len == rest.len)) {
            return from + head + len;
        }
        from += head != 0 || rest.len == 0 ? 1 : char_width(rest);
    }
    return SIZE_MAX;
}

bool sigma_pattern_matches(const struct sigma_part *parts, size_t count, struct str text)
{
    size_t at = 0;
    bool is_free = false; /* an ANY stands before the run */

    for (size_t i = 0; i < count;) {
        size_t end = i;

        if (parts[i].kind == SIGMA_PART_ANY) {
            is_free = true;
            i++;
            continue;
        }
        while (end < count && parts[end].kind != SIGMA_PART_ANY) {
            end++;
        }
        if (is_free) {
            at = run_find(parts + i, end - i, text, at, end == count);
        } else {
            at = run_matches(parts + i, end - i, text);
        }
        if (at == SIZE_MAX) {
            return false;
        }
        is_free = false;
        i = end;
    }
    return is_free || at == text.len;
}
