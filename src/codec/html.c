/* The tokenizer. Bytes are looked at once: runs of text, comments and quoted values are passed over
 * by memchr, the rest by one table of classes. On its way: charset.c → here → detect/deface/page.c.
 */
#include "codec/html.h"

#include "base/banned.h"

#include <string.h>

enum html_class {
    HTML_IS_SPACE = 1 << 0,
    HTML_IS_NAME_END = 1 << 1,  /* of a tag or an attribute */
    HTML_IS_VALUE_END = 1 << 2, /* of one without quotes */
    HTML_IS_LETTER = 1 << 3,
};

#define HTML_SPACE (HTML_IS_SPACE | HTML_IS_NAME_END | HTML_IS_VALUE_END)

static const uint8_t html_classes[256] = {
    ['\t'] = HTML_SPACE,
    ['\n'] = HTML_SPACE,
    ['\f'] = HTML_SPACE,
    ['\r'] = HTML_SPACE,
    [' '] = HTML_SPACE,
    ['/'] = HTML_IS_NAME_END,
    ['='] = HTML_IS_NAME_END,
    ['>'] = HTML_IS_NAME_END | HTML_IS_VALUE_END,
    ['A' ... 'Z'] = HTML_IS_LETTER,
    ['a' ... 'z'] = HTML_IS_LETTER,
};

static const uint8_t html_trait_table[HTML_TAG_COUNT] = {
#define TAG(constant, traits, ...) [HTML_TAG_##constant] = (traits),
#include "codec/html_tags.def"
#undef TAG
};

static bool html_is(char byte, unsigned class)
{
    return (html_classes[(unsigned char)byte] & class) != 0;
}

/* Setting bit 5 turns letters to lower case and leaves digits, '-' and ':' as they are. */
#define HTML_LOWER 0x2020202020202020U

uint64_t html_key(struct str name)
{
    uint64_t letters = 0;
    size_t len = name.len < 7 ? name.len : 7;

    for (size_t i = len; i-- != 0;) {
        letters = letters << 8 | (unsigned char)name.ptr[i] | 0x20;
    }
    return letters | (uint64_t)(name.len < 255 ? name.len : 255) << 56;
}

/* The same for a name inside the reader's bytes, with one load where eight bytes are left. */
static uint64_t html_key_at(struct str bytes, size_t at, size_t len)
{
    uint64_t word;
    uint64_t mask;

    if (len >= 7 || bytes.len - at < sizeof(word) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
        return html_key(str_slice(bytes, at, at + len));
    }
    memcpy(&word, bytes.ptr + at, sizeof(word));
    mask = ((uint64_t)1 << (len * 8)) - 1;
    return ((word | HTML_LOWER) & mask) | (uint64_t)len << 56;
}

enum html_tag html_tag(uint64_t key)
{
    switch (key) {
#define TAG(constant, traits, ...)                                                                 \
    case HTML_KEY(__VA_ARGS__):                                                                    \
        return HTML_TAG_##constant;
#include "codec/html_tags.def"
#undef TAG
    default:
        return HTML_TAG_OTHER;
    }
}

unsigned html_traits(enum html_tag tag)
{
    return tag < HTML_TAG_COUNT ? html_trait_table[tag] : 0;
}

const struct html_attribute *html_attribute(const struct html_token *token, uint64_t key)
{
    for (size_t i = 0; i < token->attribute_count; i++) {
        if (token->attributes[i].key == key) {
            return &token->attributes[i];
        }
    }
    return NULL;
}

static size_t html_find(struct str bytes, size_t from, char byte)
{
    const char *hit = from < bytes.len ? memchr(bytes.ptr + from, byte, bytes.len - from) : NULL;

    return hit != NULL ? (size_t)(hit - bytes.ptr) : bytes.len;
}

static size_t html_skip(struct str bytes, size_t at, unsigned class)
{
    while (at < bytes.len && html_is(bytes.ptr[at], class)) {
        at++;
    }
    return at;
}

static size_t html_skip_until(struct str bytes, size_t at, unsigned class)
{
    while (at < bytes.len && !html_is(bytes.ptr[at], class)) {
        at++;
    }
    return at;
}

void html_open(struct html_reader *reader, struct str bytes)
{
    reader->bytes = bytes;
    reader->at = 0;
    reader->raw = HTML_TAG_OTHER;
    reader->foreign = 0;
}

/* Reads the value behind '='; where the next thing begins, bytes.len when it has no end. */
static size_t html_read_value(struct str bytes, size_t at, struct str *ret_value)
{
    size_t end;

    at = html_skip(bytes, at, HTML_IS_SPACE);
    if (at == bytes.len) {
        return at;
    }
    if (bytes.ptr[at] == '"' || bytes.ptr[at] == '\'') {
        end = html_find(bytes, at + 1, bytes.ptr[at]);
        *ret_value = str_slice(bytes, at + 1, end);
        return end < bytes.len ? end + 1 : end;
    }
    end = html_skip_until(bytes, at, HTML_IS_VALUE_END);
    *ret_value = str_slice(bytes, at, end);
    return end;
}

/* Reads the attributes up to and with '>'; false when the bytes end before. */
static bool html_read_attributes(struct html_reader *reader, size_t at)
{
    struct html_token *token = &reader->token;
    struct str bytes = reader->bytes;

    while ((at = html_skip(bytes, at, HTML_IS_SPACE)) < bytes.len) {
        struct html_attribute attribute = {0};
        size_t start = at;

        token->is_self_closing =
            bytes.ptr[at] == '/' && at + 1 < bytes.len && bytes.ptr[at + 1] == '>';
        if (bytes.ptr[at] == '>') {
            reader->at = at + 1;
            return true;
        }
        if (bytes.ptr[at] == '/') {
            at++;
            if (token->is_self_closing) {
                reader->at = at + 1;
                return true;
            }
            continue;
        }
        at = html_skip_until(bytes, at + 1, HTML_IS_NAME_END); /* may begin with '=' */
        attribute.name = str_slice(bytes, start, at);
        attribute.key = html_key_at(bytes, start, at - start);
        attribute.value = str_of(bytes.ptr + at, 0);
        start = html_skip(bytes, at, HTML_IS_SPACE);
        if (start < bytes.len && bytes.ptr[start] == '=') {
            at = html_read_value(bytes, start + 1, &attribute.value);
        }
        if (token->attribute_count < HTML_ATTRIBUTES_MAX) {
            token->attributes[token->attribute_count++] = attribute;
        }
    }
    return false;
}

static bool html_read_tag(struct html_reader *reader, size_t name_at, enum html_kind kind)
{
    struct html_token *token = &reader->token;
    size_t end = name_at;

    while (end < reader->bytes.len &&
           (!html_is(reader->bytes.ptr[end], HTML_IS_NAME_END) || reader->bytes.ptr[end] == '=')) {
        end++;
    }
    token->kind = kind;
    token->name = str_slice(reader->bytes, name_at, end);
    token->key = html_key_at(reader->bytes, name_at, end - name_at);
    token->tag = html_tag(token->key);
    token->text = str_of(NULL, 0);
    if (!html_read_attributes(reader, end)) {
        reader->at = reader->bytes.len; /* a tag without an end is none */
        return false;
    }
    if (token->tag == HTML_TAG_SVG && kind == HTML_KIND_OPEN && !token->is_self_closing) {
        reader->foreign++;
    } else if (token->tag == HTML_TAG_SVG && kind == HTML_KIND_CLOSE && reader->foreign != 0) {
        reader->foreign--;
    }
    /* In SVG an element may end itself; elsewhere "<script/>" is only opened. */
    if (kind == HTML_KIND_OPEN && (html_traits(token->tag) & HTML_RAW_TEXT) != 0 &&
        !(token->is_self_closing && reader->foreign != 0)) {
        reader->raw = token->tag;
    }
    return true;
}

/* Whether the end tag (is_end) or start tag of the raw element stands at '<'. */
static bool html_is_raw_tag(struct str bytes, size_t at, bool is_end, struct str name)
{
    size_t name_at = at + 1 + is_end;

    return name_at + name.len < bytes.len && (!is_end || bytes.ptr[at + 1] == '/') &&
           html_is(bytes.ptr[name_at + name.len], HTML_IS_NAME_END) &&
           bytes.ptr[name_at + name.len] != '=' &&
           str_is_nocase(str_slice(bytes, name_at, name_at + name.len), name);
}

static size_t html_raw_end(struct str bytes, size_t from, struct str name)
{
    size_t at = html_find(bytes, from, '<');

    while (at < bytes.len && !html_is_raw_tag(bytes, at, true, name)) {
        at = html_find(bytes, at + 1, '<');
    }
    return at;
}

/* Inside "<!--" of a script, "<script" begins a part that its "</script" ends (WHATWG 13.2.5.20 and
 * on): old pages hide scripts from older browsers so, and planted ones from careless readers. */
static size_t html_script_end(struct str bytes, size_t from)
{
    size_t at = from;
    size_t escaped_at = 0; /* where the comment's own dashes begin; 0: outside */
    bool is_nested = false;

    while ((at = html_find(bytes, at, '<')) < bytes.len) {
        struct str gap = str_slice(bytes, escaped_at, at);

        if (escaped_at != 0 && str_find(gap, STR("-->")) != gap.len) {
            escaped_at = 0;
            is_nested = false;
        }
        if (html_is_raw_tag(bytes, at, true, STR("script"))) {
            if (!is_nested) {
                return at;
            }
            is_nested = false;
        } else if (escaped_at == 0 &&
                   str_has_prefix(str_slice(bytes, at, bytes.len), STR("<!--"))) {
            escaped_at = at + 2;
        } else if (escaped_at != 0 && html_is_raw_tag(bytes, at, false, STR("script"))) {
            is_nested = true;
        }
        escaped_at = escaped_at != 0 && escaped_at < at ? at : escaped_at;
        at++;
    }
    return at;
}

static bool html_read_raw(struct html_reader *reader)
{
    struct html_token *token = &reader->token;
    struct str bytes = reader->bytes;
    size_t from = reader->at;

    if (reader->raw == HTML_TAG_PLAINTEXT) {
        reader->at = bytes.len;
    } else if (reader->raw == HTML_TAG_SCRIPT) {
        reader->at = html_script_end(bytes, from);
    } else {
        reader->at = html_raw_end(bytes, from, token->name);
    }
    token->kind = HTML_KIND_RAW;
    token->text = str_slice(bytes, from, reader->at);
    token->offset = from;
    token->attribute_count = 0;
    reader->raw = HTML_TAG_OTHER;
    return token->text.len != 0;
}

/* Where a comment that was opened by "<!--" ends, and where what follows it begins. */
static size_t html_comment_end(struct str bytes, size_t from, size_t *ret_next)
{
    size_t at = from;

    if (from < bytes.len && bytes.ptr[from] == '>') {
        *ret_next = from + 1;
        return from;
    }
    if (str_has_prefix(str_slice(bytes, from, bytes.len), STR("->"))) {
        *ret_next = from + 2;
        return from;
    }
    while ((at = html_find(bytes, at, '>')) < bytes.len) {
        struct str before = str_slice(bytes, from, at);

        *ret_next = at + 1;
        if (str_has_suffix(before, STR("--"))) {
            return at - 2;
        }
        if (str_has_suffix(before, STR("--!"))) {
            return at - 3;
        }
        at++;
    }
    *ret_next = bytes.len;
    return bytes.len;
}

static void html_read_comment(struct html_reader *reader, size_t from, bool is_bogus)
{
    size_t end = is_bogus ? html_find(reader->bytes, from, '>') : 0;
    size_t next = end < reader->bytes.len ? end + 1 : end;

    if (!is_bogus) {
        end = html_comment_end(reader->bytes, from, &next);
    }
    reader->token.kind = HTML_KIND_COMMENT;
    reader->token.text = str_slice(reader->bytes, from, end);
    reader->at = next;
}

/* What begins at '<': a tag, a comment, or nothing but a sign. */
static bool html_is_markup(struct str bytes, size_t at)
{
    char next = at + 1 < bytes.len ? bytes.ptr[at + 1] : '\0';

    return html_is(next, HTML_IS_LETTER) || next == '!' || next == '?' ||
           (next == '/' && at + 2 < bytes.len);
}

static void html_read_text(struct html_reader *reader)
{
    size_t end = html_find(reader->bytes, reader->at + 1, '<');

    while (end < reader->bytes.len && !html_is_markup(reader->bytes, end)) {
        end = html_find(reader->bytes, end + 1, '<');
    }
    reader->token.kind = HTML_KIND_TEXT;
    reader->token.text = str_slice(reader->bytes, reader->at, end);
    reader->at = end;
}

/* Reads what stands at '<'; false when it is nothing: an unfinished tag, "</>". */
static bool html_read_markup(struct html_reader *reader)
{
    struct str bytes = reader->bytes;
    size_t at = reader->at;
    char next = bytes.ptr[at + 1];

    if (html_is(next, HTML_IS_LETTER)) {
        return html_read_tag(reader, at + 1, HTML_KIND_OPEN);
    }
    if (next == '/' && html_is(bytes.ptr[at + 2], HTML_IS_LETTER)) {
        return html_read_tag(reader, at + 2, HTML_KIND_CLOSE);
    }
    if (next == '/' && bytes.ptr[at + 2] == '>') {
        reader->at = at + 3;
        return false;
    }
    if (str_has_prefix(str_slice(bytes, at, bytes.len), STR("<!--"))) {
        html_read_comment(reader, at + 4, false);
    } else {
        html_read_comment(reader, at + (next == '?' ? 1 : 2), true);
    }
    return true;
}

const struct html_token *html_next(struct html_reader *reader)
{
    struct html_token *token = &reader->token;

    if (reader->raw != HTML_TAG_OTHER && html_read_raw(reader)) {
        return token;
    }
    while (reader->at < reader->bytes.len) {
        token->tag = HTML_TAG_OTHER;
        token->attribute_count = 0;
        token->is_self_closing = false;
        token->offset = reader->at;
        if (reader->bytes.ptr[reader->at] != '<' || !html_is_markup(reader->bytes, reader->at)) {
            html_read_text(reader);
            return token;
        }
        if (html_read_markup(reader)) {
            return token;
        }
    }
    return NULL;
}
