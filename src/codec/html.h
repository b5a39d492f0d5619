/* HTML cut into tokens as browsers cut it, in one lenient pass without a tree: whatever the bytes
 * are, they are a row of tokens. Follows the tokenizer of the HTML standard (WHATWG, 13.2.5) with
 * scripting on, but for foreign content (CDATA ends like any bogus comment) and for <noscript>,
 * whose contents are read. Pure. The bytes are UTF-8 (codec/charset.h) and are borrowed; what is
 * not well formed in them passes through. */
#ifndef CODEC_HTML_H
#define CODEC_HTML_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTML_ATTRIBUTES_MAX 64 /* of a tag; further ones are passed over */

enum html_tag {
    HTML_TAG_OTHER,
#define TAG(constant, traits, ...) HTML_TAG_##constant,
#include "codec/html_tags.def"
#undef TAG
    HTML_TAG_COUNT,
};

enum html_trait {
    HTML_BLOCK = 1 << 0,    /* starts and ends a line of text */
    HTML_VOID = 1 << 1,     /* has no end tag */
    HTML_ITEM = 1 << 2,     /* a sibling or its parent's end ends it: li, td, p … */
    HTML_BARRIER = 1 << 3,  /* end tags of what stands outside do not reach through it */
    HTML_RAW_TEXT = 1 << 4, /* its contents are no tags */
    HTML_ENTITIES = 1 << 5, /* raw, but entities count: title, textarea */
    HTML_UNSHOWN = 1 << 6,  /* browsers never show its contents */
};

enum html_kind {
    HTML_KIND_TEXT,
    HTML_KIND_RAW, /* the contents of the raw element that was opened just before */
    HTML_KIND_OPEN,
    HTML_KIND_CLOSE,
    HTML_KIND_COMMENT, /* also <!doctype>, <?…> and bogus ones */
    HTML_KIND_COUNT,
};

/* A name of tag or attribute as one number: its first seven letters in lower case, and its length
 * in the highest byte. HTML_KEY('h', 'r', 'e', 'f') is a constant. */
#define HTML_KEY(...)                                                                              \
    HTML_KEY_OF(sizeof((const char[]){__VA_ARGS__}), __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define HTML_KEY_OF(len, a, b, c, d, e, f, g, ...)                                                 \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 |              \
     (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(len) << 56)

struct html_attribute {
    uint64_t key;
    struct str name;  /* as written */
    struct str value; /* as written, without quotes: html_decode */
};

struct html_token {
    enum html_kind kind;
    enum html_tag tag;
    uint64_t key;    /* of a tag's name */
    struct str name; /* of a tag, as written */
    struct str text; /* of text, raw text and comments, as written */
    size_t offset;   /* of its first byte */
    bool is_self_closing;
    size_t attribute_count;
    struct html_attribute attributes[HTML_ATTRIBUTES_MAX]; /* the first of a name counts */
};

struct html_reader {
    struct str bytes;
    size_t at;
    enum html_tag raw; /* HTML_TAG_OTHER: not inside a raw element */
    unsigned foreign;  /* depth of <svg> */
    struct html_token token;
};

void html_open(struct html_reader *reader, struct str bytes);
/* The next token, valid until the next call; NULL at the end. */
const struct html_token *html_next(struct html_reader *reader);

uint64_t html_key(struct str name);
enum html_tag html_tag(uint64_t key);
/* Bits of enum html_trait. */
unsigned html_traits(enum html_tag tag);
/* The first attribute of that name, or NULL. */
const struct html_attribute *html_attribute(const struct html_token *token, uint64_t key);

/* A character reference at the front of s ("&eacute;", "&#233;", "&#xe9", "&copy"): how many bytes
 * of s it takes, 0 when '&' is only itself. Writes up to HTML_REFERENCE_MAX bytes of UTF-8. In an
 * attribute, "&copy=" is no reference. */
#define HTML_REFERENCE_MAX 8
size_t html_reference(struct str s, bool is_attribute, char out[HTML_REFERENCE_MAX],
                      size_t *ret_len);
/* The value of an attribute with its references decoded: raw itself when there are none, else in
 * the arena; .ptr is NULL without room there. */
[[nodiscard]] struct str html_decode(struct str raw, struct arena *arena);

#endif
