/* Programs in JavaScript as rows of tokens: what is left of one when white space and comments are
 * gone, so that a script that was only set anew is the same script. Lenient, one pass, never fails:
 * a string ends with its line, whatever is not understood is a sign. Where a slash begins a regular
 * expression is told by what stands before it (ECMA-262 §12.9.5), not by a parser. Pure. */
#ifndef CODEC_JS_H
#define CODEC_JS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JS_TEMPLATES_MAX 16 /* inside each other; deeper ones are read as plain code */

enum js_kind {
    JS_NAME, /* also keywords */
    JS_NUMBER,
    JS_STRING,
    JS_TEMPLATE, /* a piece of one: up to "${", or behind its "}" */
    JS_REGEX,
    JS_SIGN, /* one byte */
    JS_KIND_COUNT,
};

struct js_token {
    enum js_kind kind;
    struct str text; /* as written; of strings, templates and regular expressions what is inside */
};

struct js_lexer {
    struct str text;
    size_t at;
    size_t not_regex; /* no regular expression ends before it */
    bool has_operand; /* what came last can be divided */
    bool had_operand; /* what came before that */
    bool is_head;     /* what came last is "if" or the like: its bracket is no operand */
    bool is_member;   /* a dot came last: what follows is no keyword */
    uint64_t heads;   /* of open brackets, the innermost in bit 0 */
    size_t template_count;
    uint32_t braces[JS_TEMPLATES_MAX]; /* open ones in each "${" */
};

/* Borrows the text, any bytes. */
void js_open(struct js_lexer *lexer, struct str text);
/* False at the end. Each call takes at least one byte. */
bool js_next(struct js_lexer *lexer, struct js_token *ret_token);

/* What a string, template or name stands for, its escapes undone: raw itself when it has none, else
 * in room, cut there. */
struct str js_plain(struct str raw, char *room, size_t size);

#endif
