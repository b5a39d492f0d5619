/* The lexer. On the data's way: a site's script → js_next → detect/deface/script.c. Invariant: `at`
 * only grows and never passes the end, and no byte is looked at more than a few times. */
#include "codec/js.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#include <string.h>

enum js_class {
    JS_IS_LETTER = 1 << 0,
    JS_IS_DIGIT = 1 << 1,
};

static const uint8_t js_classes[256] = {
    ['a' ... 'z'] = JS_IS_LETTER, ['A' ... 'Z'] = JS_IS_LETTER, ['0' ... '9'] = JS_IS_DIGIT,
    ['_'] = JS_IS_LETTER,         ['$'] = JS_IS_LETTER,         ['\\'] = JS_IS_LETTER,
};

void js_open(struct js_lexer *lexer, struct str text)
{
    *lexer = (struct js_lexer){.text = text};
}

static bool js_is(char byte, unsigned class)
{
    return (js_classes[(unsigned char)byte] & class) != 0;
}

static char js_byte(const struct js_lexer *lexer, size_t at)
{
    return at < lexer->text.len ? lexer->text.ptr[at] : '\0';
}

static struct str js_rest(const struct js_lexer *lexer, size_t at)
{
    return str_slice(lexer->text, at, lexer->text.len);
}

static bool rune_is_space(uint32_t rune)
{
    return rune == 0xa0 || rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
           rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000 || rune == 0xfeff;
}

/* Bytes of the white space that stands there, 0: none. */
static size_t js_space(const struct js_lexer *lexer, size_t at)
{
    unsigned char byte = (unsigned char)lexer->text.ptr[at];
    uint32_t rune;
    size_t len;

    if (byte < 0x80) {
        return byte <= ' ' ? 1 : 0;
    }
    len = utf8_decode(js_rest(lexer, at), &rune);
    return len != 0 && rune_is_space(rune) ? len : 0;
}

/* U+2028 and U+2029 end a line as well: what stands behind them is no comment any more. */
static bool js_is_line_end(const struct js_lexer *lexer, size_t at)
{
    char byte = lexer->text.ptr[at];

    return byte == '\n' || byte == '\r' ||
           (byte == '\xe2' && js_byte(lexer, at + 1) == '\x80' &&
            (js_byte(lexer, at + 2) == '\xa8' || js_byte(lexer, at + 2) == '\xa9'));
}

static size_t js_line_end(const struct js_lexer *lexer, size_t at)
{
    while (at < lexer->text.len && !js_is_line_end(lexer, at)) {
        at++;
    }
    return at;
}

/* Behind the comment that begins there, or the same place. */
static size_t js_skip_comment(const struct js_lexer *lexer, size_t at)
{
    struct str rest = js_rest(lexer, at);

    if (str_has_prefix(rest, STR("//")) || str_has_prefix(rest, STR("<!--"))) {
        return js_line_end(lexer, at);
    }
    if (str_has_prefix(rest, STR("/*"))) {
        size_t end = at + 2 + str_find(str_slice(rest, 2, rest.len), STR("*/")) + 2;

        return end < lexer->text.len ? end : lexer->text.len;
    }
    return at;
}

static void js_skip_blank(struct js_lexer *lexer)
{
    size_t before = SIZE_MAX;

    while (lexer->at < lexer->text.len && lexer->at != before) {
        before = lexer->at;
        lexer->at += js_space(lexer, lexer->at);
        lexer->at = js_skip_comment(lexer, lexer->at);
    }
}

/* The end of a name or number that begins there. */
static size_t js_word_end(const struct js_lexer *lexer, size_t at)
{
    while (at < lexer->text.len) {
        unsigned char byte = (unsigned char)lexer->text.ptr[at];
        uint32_t rune;
        size_t len = 1;

        if (byte >= 0x80) {
            len = utf8_decode(js_rest(lexer, at), &rune);
            if (len != 0 && rune_is_space(rune)) {
                break;
            }
            len = len != 0 ? len : 1;
        } else if (!js_is((char)byte, JS_IS_LETTER | JS_IS_DIGIT)) {
            break;
        }
        at += len;
    }
    return at;
}

/* "1.5e-3", "0xffn", "1_000": the point and the sign belong to it. */
static size_t js_number_end(const struct js_lexer *lexer, size_t at)
{
    bool is_hex = lexer->text.ptr[at] == '0' && (js_byte(lexer, at + 1) | 0x20) == 'x';

    while (at < lexer->text.len) {
        char byte = lexer->text.ptr[at];
        char before = at != 0 ? lexer->text.ptr[at - 1] : '\0';
        bool is_exponent = (byte == '+' || byte == '-') && (before | 0x20) == 'e' && !is_hex &&
                           js_is(js_byte(lexer, at + 1), JS_IS_DIGIT);

        if (byte != '.' && !is_exponent && !js_is(byte, JS_IS_LETTER | JS_IS_DIGIT)) {
            break;
        }
        at++;
    }
    return at;
}

/* Of a backslash and what it makes plain. */
static size_t js_escape_end(const struct js_lexer *lexer, size_t at)
{
    bool is_pair = js_byte(lexer, at + 1) == '\r' && js_byte(lexer, at + 2) == '\n';
    size_t end = at + (is_pair ? 3 : 2);

    return end < lexer->text.len ? end : lexer->text.len;
}

/* Behind the quote at `at`: where the string ends, at its quote or at the end of its line. */
static size_t js_string_end(const struct js_lexer *lexer, size_t at, char quote)
{
    while (at < lexer->text.len && lexer->text.ptr[at] != quote && lexer->text.ptr[at] != '\n' &&
           lexer->text.ptr[at] != '\r') {
        at = lexer->text.ptr[at] == '\\' ? js_escape_end(lexer, at) : at + 1;
    }
    return at;
}

static size_t js_template_end(const struct js_lexer *lexer, size_t at)
{
    while (at < lexer->text.len && lexer->text.ptr[at] != '`' &&
           !(lexer->text.ptr[at] == '$' && js_byte(lexer, at + 1) == '{')) {
        at = lexer->text.ptr[at] == '\\' ? js_escape_end(lexer, at) : at + 1;
    }
    return at;
}

/* The slash that ends the regular expression, or the place where its line ends. */
static size_t js_regex_end(const struct js_lexer *lexer, size_t at)
{
    bool is_set = false;

    while (at < lexer->text.len && !js_is_line_end(lexer, at)) {
        char byte = lexer->text.ptr[at];

        if (byte == '/' && !is_set) {
            return at;
        }
        is_set = byte == '[' || (is_set && byte != ']');
        at = byte == '\\' ? js_escape_end(lexer, at) : at + 1;
    }
    return at;
}

static bool word_is_one_of(struct str word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* Whether a slash behind the word divides: not behind those that want an expression. */
static bool word_is_operand(struct str word)
{
    static const char *const words[] = {"return", "typeof",     "case",    "in",     "of",
                                        "delete", "void",       "throw",   "new",    "do",
                                        "else",   "instanceof", "yield",   "await",  "const",
                                        "let",    "var",        "default", "extends"};

    return word.len > 10 || !word_is_one_of(word, words, ARRAY_LEN(words));
}

static bool word_is_head(struct str word)
{
    static const char *const words[] = {"if", "for", "while", "with"};

    return word.len <= 5 && word_is_one_of(word, words, ARRAY_LEN(words));
}

static void js_take(struct js_lexer *lexer, enum js_kind kind, size_t end, struct js_token *token)
{
    *token = (struct js_token){kind, str_slice(lexer->text, lexer->at, end)};
    lexer->at = end;
}

static void js_take_name(struct js_lexer *lexer, struct js_token *token)
{
    bool was_member = lexer->is_member;

    js_take(lexer, JS_NAME, js_word_end(lexer, lexer->at), token);
    lexer->has_operand = was_member || word_is_operand(token->text);
    lexer->is_head = !was_member && word_is_head(token->text);
}

/* From behind a backtick, or behind the bracket that ends "${…}", to the next of its kind. */
static void js_take_template(struct js_lexer *lexer, struct js_token *token)
{
    js_take(lexer, JS_TEMPLATE, js_template_end(lexer, lexer->at), token);
    lexer->has_operand = true;
    if (js_byte(lexer, lexer->at) == '`') {
        lexer->at++;
    } else if (lexer->at < lexer->text.len) {
        lexer->at += 2;
        lexer->has_operand = false;
        if (lexer->template_count < JS_TEMPLATES_MAX) {
            lexer->braces[lexer->template_count++] = 0;
        }
    }
}

static void js_take_string(struct js_lexer *lexer, struct js_token *token)
{
    char quote = lexer->text.ptr[lexer->at++];

    js_take(lexer, JS_STRING, js_string_end(lexer, lexer->at, quote), token);
    lexer->at += js_byte(lexer, lexer->at) == quote;
    lexer->has_operand = true;
}

/* False when the slash divides. Where one regular expression has no end its line has none. */
static bool js_take_regex(struct js_lexer *lexer, struct js_token *token)
{
    size_t end;

    if (lexer->has_operand || lexer->at < lexer->not_regex) {
        return false;
    }
    end = js_regex_end(lexer, lexer->at + 1);
    if (js_byte(lexer, end) != '/') {
        lexer->not_regex = end;
        return false;
    }
    lexer->at++;
    js_take(lexer, JS_REGEX, end, token);
    lexer->at = js_word_end(lexer, end + 1);
    lexer->has_operand = true;
    return true;
}

/* "i++ / 2" divides, "+ +/x/.test(s)" does not. */
static bool sign_is_doubled(const struct js_lexer *lexer, char sign)
{
    return (sign == '+' || sign == '-') && lexer->at != 0 &&
           lexer->text.ptr[lexer->at - 1] == sign && lexer->had_operand;
}

static bool js_note_bracket(struct js_lexer *lexer, char sign, bool was_head)
{
    bool is_operand = sign == ']';

    if (sign == '(') {
        lexer->heads = lexer->heads << 1 | was_head;
    } else if (sign == ')') {
        is_operand = (lexer->heads & 1) == 0;
        lexer->heads >>= 1;
    }
    return is_operand;
}

static void js_take_sign(struct js_lexer *lexer, struct js_token *token)
{
    char sign = lexer->text.ptr[lexer->at];
    bool was_head = lexer->is_head;
    bool had_operand = lexer->has_operand;
    uint32_t *braces =
        lexer->template_count != 0 ? &lexer->braces[lexer->template_count - 1] : NULL;

    lexer->has_operand = sign_is_doubled(lexer, sign) || js_note_bracket(lexer, sign, was_head);
    lexer->had_operand = had_operand;
    js_take(lexer, JS_SIGN, lexer->at + 1, token);
    if (braces != NULL && sign == '{') {
        ++*braces;
    } else if (braces != NULL && sign == '}' && *braces != 0) {
        --*braces;
    } else if (braces != NULL && sign == '}') {
        lexer->template_count--;
        js_take_template(lexer, token);
    }
}

static void js_take_one(struct js_lexer *lexer, struct js_token *token)
{
    char byte = lexer->text.ptr[lexer->at];

    if (js_is(byte, JS_IS_DIGIT) ||
        (byte == '.' && js_is(js_byte(lexer, lexer->at + 1), JS_IS_DIGIT))) {
        js_take(lexer, JS_NUMBER, js_number_end(lexer, lexer->at), token);
        lexer->has_operand = true;
    } else if ((unsigned char)byte >= 0x80 || js_is(byte, JS_IS_LETTER)) {
        js_take_name(lexer, token);
        return;
    } else if (byte == '"' || byte == '\'') {
        js_take_string(lexer, token);
    } else if (byte == '`') {
        lexer->at++;
        js_take_template(lexer, token);
    } else if (byte != '/' || !js_take_regex(lexer, token)) {
        js_take_sign(lexer, token);
    }
    lexer->is_head = false;
}

bool js_next(struct js_lexer *lexer, struct js_token *ret_token)
{
    js_skip_blank(lexer);
    if (lexer->at >= lexer->text.len) {
        return false;
    }
    js_take_one(lexer, ret_token);
    lexer->is_member = ret_token->kind == JS_SIGN && ret_token->text.ptr[0] == '.';
    return true;
}

static int js_hex(struct str digits)
{
    int value = 0;

    if (digits.len == 0 || digits.len > 6) {
        return -1;
    }
    for (size_t i = 0; i < digits.len; i++) {
        char byte = (char)(digits.ptr[i] | 0x20);

        if (js_is(digits.ptr[i], JS_IS_DIGIT)) {
            value = value << 4 | (digits.ptr[i] - '0');
        } else if (byte >= 'a' && byte <= 'f') {
            value = value << 4 | (byte - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

/* Behind a backslash: the character of "x41", "u0041" or "u{41}" and how many bytes that is; of
 * anything else the byte itself. */
static uint32_t js_unescape(struct str raw, size_t *ret_taken)
{
    struct str digits = {0};
    int value;

    *ret_taken = 1;
    if (raw.ptr[0] == 'x' && raw.len >= 3) {
        digits = str_slice(raw, 1, 3);
    } else if (raw.ptr[0] == 'u' && raw.len >= 2 && raw.ptr[1] == '{') {
        struct str near = str_slice(raw, 2, 9);

        digits = str_slice(near, 0, str_find_byte(near, '}'));
    } else if (raw.ptr[0] == 'u' && raw.len >= 5) {
        digits = str_slice(raw, 1, 5);
    }
    value = js_hex(digits);
    if (value < 0) {
        return (unsigned char)raw.ptr[0];
    }
    *ret_taken = (size_t)(digits.ptr - raw.ptr) + digits.len + (raw.ptr[1] == '{');
    *ret_taken = *ret_taken < raw.len ? *ret_taken : raw.len;
    return (uint32_t)value;
}

struct str js_plain(struct str raw, char *room, size_t size)
{
    size_t len = 0;
    size_t at = 0;

    if (str_find_byte(raw, '\\') == raw.len) {
        return raw;
    }
    while (at < raw.len && len + 4 <= size) {
        size_t taken = 0;
        char rune[4] = {raw.ptr[at]};
        size_t wide = 1;

        if (raw.ptr[at] == '\\' && at + 1 < raw.len) {
            uint32_t value = js_unescape(str_slice(raw, at + 1, raw.len), &taken);

            wide = taken > 1 ? utf8_encode(value, rune) : 1;
            rune[0] = taken > 1 ? rune[0] : (char)value;
        }
        memcpy(room + len, rune, wide);
        len += wide;
        at += 1 + taken;
    }
    return str_of(room, len);
}
