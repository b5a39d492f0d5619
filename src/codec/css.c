/* Sheets and selectors. On the data's way: <style> and local sheets → css_read_sheet →
 * detect/deface/page_style.c, which asks which rules an element meets. Values are in css_value.c.
 */
#include "codec/css.h"

#include "base/banned.h"
#include "base/err.h"
#include "codec/css_part.h"
#include "codec/html.h"

#include <string.h>

#define XXH_INLINE_ALL /* names of a few bytes: a call costs more than the hash */
#include <xxhash.h>

#define PLAIN_MAX 512 /* of a selector or value that holds comments or escapes */

enum css_class {
    CSS_IS_NAME = 1 << 0,
    CSS_IS_SPACE = 1 << 1,
    CSS_IS_SPECIAL = 1 << 2, /* a scan has to look at it */
};

static const uint8_t css_classes[256] = {
    ['a' ... 'z'] = CSS_IS_NAME, ['A' ... 'Z'] = CSS_IS_NAME, ['0' ... '9'] = CSS_IS_NAME,
    ['-'] = CSS_IS_NAME,         ['_'] = CSS_IS_NAME,         [0x80 ... 0xff] = CSS_IS_NAME,
    [' '] = CSS_IS_SPACE,        ['\t'] = CSS_IS_SPACE,       ['\n'] = CSS_IS_SPACE,
    ['\r'] = CSS_IS_SPACE,       ['\f'] = CSS_IS_SPACE,       ['"'] = CSS_IS_SPECIAL,
    ['\''] = CSS_IS_SPECIAL,     ['('] = CSS_IS_SPECIAL,      [')'] = CSS_IS_SPECIAL,
    ['/'] = CSS_IS_SPECIAL,      ['\\'] = CSS_IS_SPECIAL,     ['{'] = CSS_IS_SPECIAL,
    ['}'] = CSS_IS_SPECIAL,      [';'] = CSS_IS_SPECIAL,      [','] = CSS_IS_SPECIAL,
};

static bool css_is(char byte, unsigned class)
{
    return (css_classes[(unsigned char)byte] & class) != 0;
}

static size_t css_skip_space(struct str text, size_t at)
{
    while (at < text.len && css_is(text.ptr[at], CSS_IS_SPACE)) {
        at++;
    }
    return at;
}

/* Behind a comment or string that begins at `at`, or behind one byte. */
static size_t css_skip_one(struct str text, size_t at)
{
    char c = text.ptr[at];

    if (c == '\\') {
        return at + 2;
    }
    if (c == '/' && at + 1 < text.len && text.ptr[at + 1] == '*') {
        return at + 2 + str_find(str_slice(text, at + 2, text.len), STR("*/")) + 2;
    }
    if (c != '"' && c != '\'') {
        return at + 1;
    }
    for (at++; at < text.len && text.ptr[at] != c && text.ptr[at] != '\n'; at++) {
        at += text.ptr[at] == '\\';
    }
    return at + 1;
}

static bool css_is_stop(char c, const char *stops)
{
    while (*stops != '\0' && *stops != c) {
        stops++;
    }
    return *stops != '\0';
}

size_t css_find(struct str text, size_t at, const char *stops)
{
    unsigned depth = 0;

    while (at < text.len) {
        char c = text.ptr[at];

        if (!css_is(c, CSS_IS_SPECIAL)) {
            at++;
            continue;
        }
        if (depth == 0 && css_is_stop(c, stops)) {
            return at;
        }
        if (c == '{' || c == '}') {
            depth = 0; /* a bracket that was not closed does not swallow the sheet */
        }
        depth += c == '(';
        depth -= c == ')' && depth != 0;
        at = css_skip_one(text, at);
    }
    return text.len;
}

/* "\69" and "\i" are the letter i. */
static size_t css_unescape(struct str raw, size_t at, char *out)
{
    uint32_t rune = 0;
    size_t end = at + 1;

    while (end < raw.len && end < at + 7 && css_digit(raw.ptr[end], 16) >= 0) {
        rune = rune << 4 | (uint32_t)css_digit(raw.ptr[end], 16);
        end++;
    }
    if (end == at + 1) {
        *out = end < raw.len ? raw.ptr[end] : ' ';
        return end + 1;
    }
    *out = rune != 0 && rune < 0x80 ? (char)rune : '?';
    return end < raw.len && css_is(raw.ptr[end], CSS_IS_SPACE) ? end + 1 : end;
}

struct str css_plain(struct str raw, char *room, size_t size)
{
    size_t len = 0;
    size_t at = 0;

    if (raw.len == 0 ||
        (memchr(raw.ptr, '\\', raw.len) == NULL && str_find(raw, STR("/*")) == raw.len)) {
        return raw;
    }
    while (at < raw.len && len < size) {
        char c = raw.ptr[at];

        if (c == '\\') {
            at = css_unescape(raw, at, &room[len++]);
        } else if (c == '/' && at + 1 < raw.len && raw.ptr[at + 1] == '*') {
            at = css_skip_one(raw, at);
        } else {
            room[len++] = c;
            at++;
        }
    }
    return str_of(room, len);
}

uint64_t css_key(enum css_key_kind kind, struct str name)
{
    return kind == CSS_KEY_TAG ? html_key(name) : XXH3_64bits_withSeed(name.ptr, name.len, kind);
}

/* One key of a compound at the front; its length, 0 for what is not understood. */
static size_t css_read_key(struct str text, uint64_t *ret_key, enum css_key_kind *ret_kind)
{
    size_t start = text.ptr[0] == '.' || text.ptr[0] == '#';
    size_t end = start;

    while (end < text.len && css_is(text.ptr[end], CSS_IS_NAME)) {
        end++;
    }
    if (end == start) {
        return 0;
    }
    *ret_kind = CSS_KEY_TAG;
    if (start != 0) {
        *ret_kind = text.ptr[0] == '.' ? CSS_KEY_CLASS : CSS_KEY_ID;
    }
    *ret_key = css_key(*ret_kind, str_slice(text, start, end));
    return end;
}

/* A compound ("div.a#b") into own; false when it is not understood. The rarest key comes first. */
static bool css_read_compound(struct str text, struct css_rule *rule)
{
    enum css_key_kind best = CSS_KEY_TAG;
    size_t at = text.len != 0 && text.ptr[0] == '*' ? 1 : 0;

    rule->own_count = 0;
    while (at < text.len) {
        enum css_key_kind kind;
        uint64_t key;
        size_t len = css_read_key(str_slice(text, at, text.len), &key, &kind);

        if (len == 0 || rule->own_count == CSS_KEYS_MAX) {
            return false;
        }
        rule->own[rule->own_count++] = key;
        if (kind > best) {
            rule->own[rule->own_count - 1] = rule->own[0];
            rule->own[0] = key;
            best = kind;
        }
        at += len;
    }
    return true;
}

/* What stood to the left becomes a condition on the elements around. */
static bool css_move_outer(struct css_rule *rule)
{
    for (size_t i = 0; i < rule->own_count; i++) {
        if (rule->outer_count == CSS_KEYS_MAX) {
            return false;
        }
        rule->outer[rule->outer_count++] = rule->own[i];
    }
    rule->own_count = 0;
    return true;
}

/* "a > b" is read as "a b". */
static bool css_read_selector(struct str text, struct css_rule *rule)
{
    size_t at = 0;

    *rule = (struct css_rule){0};
    while (at < text.len) {
        size_t end = at;

        while (end < text.len && !css_is(text.ptr[end], CSS_IS_SPACE) && text.ptr[end] != '>') {
            end++;
        }
        if (!css_move_outer(rule) || !css_read_compound(str_slice(text, at, end), rule)) {
            return false;
        }
        at = end;
        while (at < text.len && (css_is(text.ptr[at], CSS_IS_SPACE) || text.ptr[at] == '>')) {
            at++;
        }
    }
    return rule->own_count != 0;
}

static int css_add(struct css_sheet *sheet, const struct css_rule *rule, struct arena *arena)
{
    if (sheet->count == sheet->room) {
        size_t room = sheet->room != 0 ? sheet->room * 2 : 64;
        struct css_rule *rules = arena_alloc(arena, room, sizeof(*rules));

        if (rules == NULL) {
            return -ERR_NOMEM;
        }
        if (sheet->count != 0) {
            memcpy(rules, sheet->rules, sheet->count * sizeof(*rules));
        }
        sheet->rules = rules;
        sheet->room = room;
    }
    sheet->rules[sheet->count++] = *rule;
    return 0;
}

bool css_next_selector(struct str *selectors, struct css_rule *ret_rule, struct str *ret_text)
{
    while (selectors->len != 0) {
        size_t end = css_find(*selectors, 0, ",");

        *ret_text = str_trim(str_slice(*selectors, 0, end));
        *selectors = str_slice(*selectors, end + 1, selectors->len);
        if (css_read_selector(*ret_text, ret_rule)) {
            return true;
        }
    }
    return false;
}

struct css_filling {
    struct arena *arena;
    struct css_sheet *sheet;
};

static int css_read_rule(void *context, struct str selectors, struct str body)
{
    const struct css_filling *filling = context;
    struct css_sheet *sheet = filling->sheet;
    struct css_style style = {0};
    struct css_style *kept = NULL;
    struct css_rule rule;
    struct str text;

    if (sheet->count == CSS_RULES_MAX) {
        return 0;
    }
    css_read_declarations(body, &style);
    if (style.known == 0) {
        return 0;
    }
    while (sheet->count < CSS_RULES_MAX && css_next_selector(&selectors, &rule, &text)) {
        int r;

        kept = kept != NULL ? kept : arena_alloc(filling->arena, 1, sizeof(*kept));
        if (kept == NULL) {
            return -ERR_NOMEM;
        }
        *kept = style;
        rule.style = kept;
        r = css_add(sheet, &rule, filling->arena);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

bool css_is_for_all(struct str medium)
{
    medium = str_trim(medium);
    return str_is_nocase(medium, STR("screen")) || str_is_nocase(medium, STR("all")) ||
           str_is_nocase(medium, STR("only screen"));
}

/* Whether the rules of "@media …{" hold on any screen. */
static bool css_is_block_read(struct str prelude)
{
    struct str rest = str_trim(prelude);
    struct str name;

    if (!str_cut(&rest, ' ', &name)) {
        return false;
    }
    return str_is_nocase(name, STR("@supports")) || str_is_nocase(name, STR("@layer")) ||
           (str_is_nocase(name, STR("@media")) && css_is_for_all(rest));
}

/* Behind the '}' that closes the block that is open at `at`. */
static size_t css_skip_block(struct str text, size_t at)
{
    unsigned depth = 1;

    while (at < text.len && depth != 0) {
        at = css_find(text, at, "{}");
        depth = at < text.len && text.ptr[at] == '{' ? depth + 1 : depth - 1;
        at++;
    }
    return at;
}

/* What is left of sheets in pages for browsers of the last century. */
static size_t css_skip_noise(struct str text, size_t at)
{
    for (;;) {
        struct str rest;

        at = css_skip_space(text, at);
        rest = str_slice(text, at, text.len);
        if (str_has_prefix(rest, STR("/*"))) {
            at = css_skip_one(text, at);
        } else if (str_has_prefix(rest, STR("<!--"))) {
            at += 4;
        } else if (str_has_prefix(rest, STR("-->"))) {
            at += 3;
        } else {
            return at < text.len ? at : text.len;
        }
    }
}

int css_each_rule(struct str text, css_rule_fn *rule, void *context)
{
    unsigned nesting = 0; /* of blocks whose rules count */
    size_t at = 0;

    while ((at = css_skip_noise(text, at)) < text.len) {
        size_t open = css_find(text, at, "{};");
        struct str prelude = str_slice(text, at, open);
        char room[PLAIN_MAX];
        size_t close;
        int r;

        at = open + 1;
        if (open == text.len || text.ptr[open] != '{') {
            nesting -= open < text.len && text.ptr[open] == '}' && nesting != 0;
            continue;
        }
        if (prelude.len != 0 && prelude.ptr[0] == '@') {
            if (nesting < CSS_NESTING_MAX && css_is_block_read(prelude)) {
                nesting++;
            } else {
                at = css_skip_block(text, at);
            }
            continue;
        }
        close = css_find(text, at, "{}");
        if (close < text.len && text.ptr[close] == '{') { /* rules inside rules are not read */
            at = css_skip_block(text, at);
            continue;
        }
        r = rule(context, css_plain(prelude, room, sizeof(room)), str_slice(text, at, close));
        if (r < 0) {
            return r;
        }
        at = close + 1;
    }
    return 0;
}

int css_read_sheet(struct str text, struct arena *arena, struct css_sheet *sheet)
{
    struct css_filling filling = {arena, sheet};

    return css_each_rule(text, css_read_rule, &filling);
}
