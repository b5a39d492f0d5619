/* JSON reader: a strict parser without recursion that builds a tree in an arena. Neighbours: the
 * console's requests come in through centre/api, traces and settings through hand tools. The writer
 * is json_write.c. Invariant: what is accepted is RFC 8259 to the letter, within the depth limit,
 * with unique keys and valid UTF-8, so that no two readers can understand one text differently. */
#include "codec/json.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/utf8.h"

#include <math.h>

#define JSON_NUMBER_MAX 512 /* bytes of one number; every double is told apart long before */

struct json_reader {
    struct str text;
    size_t at;
    struct arena *arena;
    struct diag *diag;
};

/* A container that is not closed yet. */
struct json_frame {
    struct json_value *value;
    struct json_value **tail; /* where the next child is linked */
};

static int json_fail(const struct json_reader *reader, int code, const char *sentence)
{
    unsigned line = 1;
    unsigned column = 1;

    for (size_t i = 0; i < reader->at; i++) {
        if (reader->text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)reader->text.ptr[i] & 0xc0) != 0x80) { /* counts characters */
            column++;
        }
    }
    return diag_set(reader->diag, code, _("line %u, column %u: %s"), line, column,
                    text_get(sentence));
}

static int json_next(const struct json_reader *reader)
{
    return reader->at < reader->text.len ? (unsigned char)reader->text.ptr[reader->at] : -1;
}

static void json_skip_space(struct json_reader *reader)
{
    int next = json_next(reader);

    while (next == ' ' || next == '\t' || next == '\n' || next == '\r') {
        reader->at++;
        next = json_next(reader);
    }
}

/* Takes the byte if it stands next, behind white space. */
static bool json_take(struct json_reader *reader, char byte)
{
    json_skip_space(reader);
    if (json_next(reader) != (unsigned char)byte) {
        return false;
    }
    reader->at++;
    return true;
}

static bool json_take_word(struct json_reader *reader, struct str word)
{
    if (!str_has_prefix(str_slice(reader->text, reader->at, reader->text.len), word)) {
        return false;
    }
    reader->at += word.len;
    return true;
}

static size_t json_take_digits(struct json_reader *reader)
{
    size_t from = reader->at;

    while (json_next(reader) >= '0' && json_next(reader) <= '9') {
        reader->at++;
    }
    return reader->at - from;
}

/* Walks over a number by the grammar of RFC 8259 §6; false where it is broken. */
static bool json_walk_number(struct json_reader *reader, bool *ret_is_whole)
{
    bool is_whole = true;

    (void)json_take_word(reader, STR("-"));
    if (!json_take_word(reader, STR("0")) && json_take_digits(reader) == 0) {
        return false;
    }
    if (json_take_word(reader, STR("."))) {
        is_whole = false;
        if (json_take_digits(reader) == 0) {
            return false;
        }
    }
    if (json_take_word(reader, STR("e")) || json_take_word(reader, STR("E"))) {
        is_whole = false;
        if (!json_take_word(reader, STR("+"))) {
            (void)json_take_word(reader, STR("-"));
        }
        if (json_take_digits(reader) == 0) {
            return false;
        }
    }
    *ret_is_whole = is_whole;
    return true;
}

static int json_read_number(struct json_reader *reader, struct json_value *value)
{
    char digits[JSON_NUMBER_MAX + 1];
    size_t from = reader->at;
    bool is_whole;
    struct str number;

    if (!json_walk_number(reader, &is_whole)) {
        return json_fail(reader, -ERR_SYNTAX, N_("a digit is missing here"));
    }
    number = str_slice(reader->text, from, reader->at);
    if (number.len > JSON_NUMBER_MAX) {
        return json_fail(reader, -ERR_LIMIT, N_("the number is too long"));
    }
    memcpy(digits, number.ptr, number.len);
    digits[number.len] = '\0';
    value->type = JSON_TYPE_NUMBER;
    value->number = strtod(digits, NULL);
    if (!isfinite(value->number)) {
        return json_fail(reader, -ERR_LIMIT, N_("the number is too large"));
    }
    value->is_integer = is_whole && str_to_i64(number, &value->integer) == 0;
    return 0;
}

/* Index of the quote that closes the string, or the text's length. */
static size_t json_find_quote(const struct json_reader *reader)
{
    size_t at = reader->at;

    while (at < reader->text.len && reader->text.ptr[at] != '"') {
        at += reader->text.ptr[at] == '\\' ? 2 : 1;
    }
    return at < reader->text.len ? at : reader->text.len;
}

/* The four digits behind \u. */
static bool json_take_unit(struct json_reader *reader, uint32_t *ret_unit)
{
    uint8_t bytes[2];

    if (hex_decode(str_slice(reader->text, reader->at, reader->at + 4), bytes, 2) < 0) {
        return false;
    }
    reader->at += 4;
    *ret_unit = (uint32_t)(bytes[0] << 8 | bytes[1]);
    return true;
}

/* A \u escape behind its u: one unit or a surrogate pair. Half a pair is no character and refused.
 */
static bool json_take_rune(struct json_reader *reader, uint32_t *ret_rune)
{
    uint32_t high;
    uint32_t low;

    if (!json_take_unit(reader, &high)) {
        return false;
    }
    if (high < 0xd800 || high > 0xdfff) {
        *ret_rune = high;
        return true;
    }
    if (high > 0xdbff || !json_take_word(reader, STR("\\u")) || !json_take_unit(reader, &low) ||
        low < 0xdc00 || low > 0xdfff) {
        return false;
    }
    *ret_rune = 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
    return true;
}

/* One escape, from behind its backslash; writes 1 to 4 bytes, never more than the escape took. 0:
 * broken. */
static size_t json_unescape(struct json_reader *reader, char *out)
{
    static const char plain[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    int next = json_next(reader);
    uint32_t rune;

    if (next == 'u') {
        reader->at++;
        return json_take_rune(reader, &rune) ? utf8_encode(rune, out) : 0;
    }
    if (next < 0 || next >= 128 || plain[next] == '\0') {
        return 0;
    }
    reader->at++;
    *out = plain[next];
    return 1;
}

/* Takes a run without escapes up to `end`; false with the place at what is no character or not
 * allowed. */
static bool json_take_run(struct json_reader *reader, size_t end, struct str *ret_run)
{
    struct str rest = str_slice(reader->text, reader->at, end);
    size_t len = 0;

    while (len < rest.len && rest.ptr[len] != '\\' && (unsigned char)rest.ptr[len] >= 0x20) {
        len++;
    }
    *ret_run = str_slice(rest, 0, utf8_valid_prefix(str_slice(rest, 0, len)));
    reader->at += ret_run->len;
    return ret_run->len == len && (len == rest.len || rest.ptr[len] == '\\');
}

/* A string from behind its opening quote. */
static int json_read_string(struct json_reader *reader, struct str *ret_string)
{
    size_t end = json_find_quote(reader);
    size_t len = 0;
    char *copy;

    if (end == reader->text.len) {
        reader->at = end;
        return json_fail(reader, -ERR_SYNTAX, N_("a string is not closed"));
    }
    copy = arena_alloc(reader->arena, end - reader->at + 1, 1);
    if (copy == NULL) {
        return json_fail(reader, -ERR_LIMIT, N_("the text needs more memory than it may"));
    }
    for (;;) {
        struct str run;
        size_t width;

        if (!json_take_run(reader, end, &run)) {
            return json_fail(reader, -ERR_SYNTAX, N_("a character is not allowed in a string"));
        }
        memcpy(copy + len, run.ptr, run.len);
        len += run.len;
        if (reader->at == end) {
            break;
        }
        reader->at++;
        width = json_unescape(reader, copy + len);
        if (width == 0) {
            return json_fail(reader, -ERR_SYNTAX, N_("an escape is not well formed"));
        }
        len += width;
    }
    reader->at = end + 1;
    *ret_string = str_of(copy, len);
    return 0;
}

/* A value that holds no others, or the opening of one that does. */
static int json_read_value(struct json_reader *reader, struct json_value *value)
{
    int next;

    json_skip_space(reader);
    next = json_next(reader);
    if (json_take_word(reader, STR("{"))) {
        value->type = JSON_TYPE_OBJECT;
    } else if (json_take_word(reader, STR("["))) {
        value->type = JSON_TYPE_ARRAY;
    } else if (json_take_word(reader, STR("\""))) {
        value->type = JSON_TYPE_STRING;
        return json_read_string(reader, &value->string);
    } else if (next == '-' || (next >= '0' && next <= '9')) {
        return json_read_number(reader, value);
    } else if (json_take_word(reader, STR("true"))) {
        value->type = JSON_TYPE_BOOL;
        value->boolean = true;
    } else if (json_take_word(reader, STR("false"))) {
        value->type = JSON_TYPE_BOOL;
    } else if (json_take_word(reader, STR("null"))) {
        value->type = JSON_TYPE_NULL;
    } else {
        return json_fail(reader, -ERR_SYNTAX, N_("a value is missing here"));
    }
    return 0;
}

/* Fills the next value, with its key when it stands in an object, and links it into its frame. */
static int json_read_member(struct json_reader *reader, struct json_frame *frame,
                            struct json_value *value)
{
    int r;

    if (frame->value->type == JSON_TYPE_OBJECT) {
        if (!json_take(reader, '"')) {
            return json_fail(reader, -ERR_SYNTAX, N_("a key in quotes is missing here"));
        }
        r = json_read_string(reader, &value->key);
        if (r < 0) {
            return r;
        }
        if (!json_take(reader, ':')) {
            return json_fail(reader, -ERR_SYNTAX, N_("a colon is missing here"));
        }
    }
    r = json_read_value(reader, value);
    if (r < 0) {
        return r;
    }
    *frame->tail = value;
    frame->tail = &value->next;
    frame->value->count++;
    return 0;
}

static void json_sift(const struct json_value **keys, size_t at, size_t count)
{
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        const struct json_value *moved = keys[at];

        if (child + 1 < count && str_compare(keys[child]->key, keys[child + 1]->key) < 0) {
            child++;
        }
        if (str_compare(keys[at]->key, keys[child]->key) >= 0) {
            return;
        }
        keys[at] = keys[child];
        keys[child] = moved;
        at = child;
    }
}

/* Heap sort: no worst case that a hostile text could choose, and no memory of its own. */
static void json_sort_keys(const struct json_value **keys, size_t count)
{
    for (size_t at = count / 2; at-- != 0;) {
        json_sift(keys, at, count);
    }
    for (size_t last = count; last-- > 1;) {
        const struct json_value *largest = keys[0];

        keys[0] = keys[last];
        keys[last] = largest;
        json_sift(keys, 0, last);
    }
}

static int json_check_keys(struct json_reader *reader, const struct json_value *object)
{
    const struct json_value **keys;
    size_t count = 0;

    if (object->type != JSON_TYPE_OBJECT || object->count < 2) {
        return 0;
    }
    keys = arena_alloc(reader->arena, object->count, sizeof(*keys));
    if (keys == NULL) {
        return json_fail(reader, -ERR_LIMIT, N_("the text needs more memory than it may"));
    }
    for (const struct json_value *child = object->first; child != NULL; child = child->next) {
        keys[count++] = child;
    }
    json_sort_keys(keys, count);
    for (size_t i = 1; i < count; i++) {
        if (str_is(keys[i - 1]->key, keys[i]->key)) {
            return diag_set(reader->diag, -ERR_DUPLICATE, _("the key '%.*s' is given twice"),
                            STR_ARG(keys[i]->key));
        }
    }
    return 0;
}

static bool json_is_container(const struct json_value *value)
{
    return value->type == JSON_TYPE_OBJECT || value->type == JSON_TYPE_ARRAY;
}

/* Closes every container that ends here. */
static int json_close_ended(struct json_reader *reader, const struct json_frame *open,
                            size_t *depth)
{
    while (*depth != 0) {
        const struct json_value *container = open[*depth].value;
        int r;

        if (!json_take(reader, container->type == JSON_TYPE_OBJECT ? '}' : ']')) {
            return 0;
        }
        r = json_check_keys(reader, container);
        if (r < 0) {
            return r;
        }
        (*depth)--;
    }
    return 0;
}

/* The values of one text under `top`, the array that stands for the text itself. */
static int json_read_tree(struct json_reader *reader, struct json_value *top)
{
    struct json_frame open[JSON_DEPTH_MAX + 1] = {{.value = top, .tail = &top->first}};
    size_t depth = 0;

    do {
        struct json_value *value = arena_alloc(reader->arena, 1, sizeof(*value));
        int r;

        if (value == NULL) {
            return json_fail(reader, -ERR_LIMIT, N_("the text needs more memory than it may"));
        }
        r = json_read_member(reader, &open[depth], value);
        if (r < 0) {
            return r;
        }
        if (json_is_container(value)) {
            if (depth == JSON_DEPTH_MAX) {
                return json_fail(reader, -ERR_LIMIT, N_("values are nested too deeply"));
            }
            open[++depth] = (struct json_frame){.value = value, .tail = &value->first};
        }
        r = json_close_ended(reader, open, &depth);
        if (r < 0) {
            return r;
        }
        if (depth != 0 && open[depth].value->count != 0 && !json_take(reader, ',')) {
            return json_fail(reader, -ERR_SYNTAX,
                             N_("a comma or a closing bracket is missing here"));
        }
    } while (depth != 0);
    return 0;
}

int json_parse(struct str text, struct arena *arena, struct json_value **ret_value,
               struct diag *diag)
{
    struct json_reader reader = {.text = text, .arena = arena, .diag = diag};
    struct json_value top = {.type = JSON_TYPE_ARRAY};
    int r;

    r = json_read_tree(&reader, &top);
    if (r < 0) {
        return r;
    }
    json_skip_space(&reader);
    if (reader.at != text.len) {
        return json_fail(&reader, -ERR_SYNTAX, N_("something stands behind the value"));
    }
    *ret_value = top.first;
    return 0;
}

const struct json_value *json_member(const struct json_value *value, const char *key)
{
    if (value == NULL || value->type != JSON_TYPE_OBJECT) {
        return NULL;
    }
    for (const struct json_value *child = value->first; child != NULL; child = child->next) {
        if (str_is_text(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

struct str json_member_str(const struct json_value *value, const char *key, struct str fallback)
{
    const struct json_value *member = json_member(value, key);

    return member != NULL && member->type == JSON_TYPE_STRING ? member->string : fallback;
}

int64_t json_member_i64(const struct json_value *value, const char *key, int64_t fallback)
{
    const struct json_value *member = json_member(value, key);

    return member != NULL && member->is_integer ? member->integer : fallback;
}

bool json_member_bool(const struct json_value *value, const char *key, bool fallback)
{
    const struct json_value *member = json_member(value, key);

    return member != NULL && member->type == JSON_TYPE_BOOL ? member->boolean : fallback;
}
