/* Inline scripts: a hash of what they do rather than of what they were given, and where they send
 * the browser. Not a parser: words, signs and nothing else. On the data's way: page.c → here →
 * page.scripts and links of PAGE_LINK_REFRESH. */
#include "detect/deface/page_part.h"

#include "base/banned.h"
#include "base/err.h"

#include <string.h>
#include <xxhash.h>

static size_t script_skip_space(struct str text, size_t at)
{
    while (at < text.len && (unsigned char)text.ptr[at] <= ' ') {
        at++;
    }
    return at;
}

static bool script_is_word(struct str text, size_t at)
{
    char c = at < text.len ? text.ptr[at] : ' ';

    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static uint64_t script_hash(struct str text)
{
    struct page_words words;
    struct page_word word;
    uint64_t hash = 1;

    page_words_open(&words, text);
    while (page_words_next(&words, &word)) {
        hash = page_word_has_digit(word.text) ? hash : page_mix(hash, word.hash);
    }
    return page_mix(hash, page_count_signs(text));
}

/* The string literal at the front, without its quotes; empty when none stands there. */
static struct str script_literal(struct str text, size_t at)
{
    char quote = at < text.len ? text.ptr[at] : '\0';
    size_t end;

    if (quote != '"' && quote != '\'' && quote != '`') {
        return str_of(NULL, 0);
    }
    for (end = at + 1; end < text.len && text.ptr[end] != quote && text.ptr[end] != '\n'; end++) {
        end += text.ptr[end] == '\\';
    }
    return end < text.len && text.ptr[end] == quote ? str_slice(text, at + 1, end)
                                                    : str_of(NULL, 0);
}

static bool script_skip_word(struct str text, size_t *at, const char *word)
{
    size_t len = strlen(word);

    if (!str_has_prefix(str_slice(text, *at, text.len), str_of(word, len)) ||
        script_is_word(text, *at + len)) {
        return false;
    }
    *at += len;
    return true;
}

/* What stands behind the word location: ".href =", ".replace(", ".assign(", "=", and a literal. */
static struct str script_target(struct str text, size_t at)
{
    at = script_skip_space(text, at);
    if (at < text.len && text.ptr[at] == '.') {
        at = script_skip_space(text, at + 1);
        if (script_skip_word(text, &at, "replace") || script_skip_word(text, &at, "assign")) {
            at = script_skip_space(text, at);
            return at < text.len && text.ptr[at] == '('
                       ? script_literal(text, script_skip_space(text, at + 1))
                       : str_of(NULL, 0);
        }
        if (!script_skip_word(text, &at, "href")) {
            return str_of(NULL, 0);
        }
        at = script_skip_space(text, at);
    }
    if (at + 1 >= text.len || text.ptr[at] != '=' || text.ptr[at + 1] == '=') {
        return str_of(NULL, 0);
    }
    return script_literal(text, script_skip_space(text, at + 1));
}

/* "https:\/\/host" as JSON and careful writers have it. */
static struct str script_unescape(struct page_reader *reader, struct str literal)
{
    char *out;
    size_t len = 0;

    if (str_find_byte(literal, '\\') == literal.len) {
        return literal;
    }
    out = arena_alloc(reader->arena, literal.len, 1);
    if (out == NULL) {
        reader->error = -ERR_NOMEM;
        return str_of("", 0);
    }
    for (size_t i = 0; i < literal.len; i++) {
        if (literal.ptr[i] == '\\' && i + 1 < literal.len) {
            i++;
        }
        out[len++] = literal.ptr[i];
    }
    return str_of(out, len);
}

void page_script_find_targets(struct page_reader *reader, struct str text, size_t offset)
{
    struct str word = STR("location");
    size_t at = 0;

    while (reader->error == 0 && (at += str_find(str_slice(text, at, text.len), word)) < text.len) {
        size_t start = at;
        struct str target;

        at += word.len;
        if ((start != 0 && script_is_word(text, start - 1)) || script_is_word(text, at)) {
            continue;
        }
        target = script_target(text, at);
        if (target.len != 0) {
            target = script_unescape(reader, str_slice(target, 0, PAGE_URL_MAX));
            (void)page_link_add(reader, PAGE_LINK_REFRESH, target, offset + start,
                                reader->stack[reader->depth].hiding);
        }
    }
}

void page_script_add(struct page_reader *reader, struct str text, size_t offset, bool is_data)
{
    struct page *page = &reader->page;
    struct page_script script = {
        .text = str_trim(text), .offset = (uint32_t)offset, .is_data = is_data};

    if (script.text.len == 0) {
        return;
    }
    script.hash =
        is_data ? XXH3_64bits(script.text.ptr, script.text.len) : script_hash(script.text);
    if (!is_data) {
        page_script_find_targets(reader, text, offset);
    }
    reader->scripts = page_grow(reader, reader->scripts, page->script_count, &reader->script_room,
                                sizeof(script), PAGE_SCRIPTS_MAX);
    if (reader->script_room != page->script_count) {
        reader->scripts[page->script_count++] = script;
    }
}
