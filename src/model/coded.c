/* See model/coded.h. Neighbours: store/archive/block.c notes it of a block, model/needles.c asks it
 * of an event. */
#include "model/coded.h"

#include "base/banned.h"
#include "base/mem.h"
#include "codec/entry.h"
#include "codec/logs.h"

#include <string.h>

#define STRIDE 64 /* bytes that the compiler looks at together */
#define PASSES 2

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

enum answer {
    ANSWER_NONE, /* nobody has asked yet */
    ANSWER_NO,
    ANSWER_YES,
};

/* An entry that is looked through. What is asked of all of it is asked once, or as many leads as
 * it has would each cost its length. */
struct coding {
    struct str text;
    bool is_json;
    enum answer has_left_out;
    enum answer has_request;
    bool has_hidden; /* JSON: escapes of signs that leads are made of */
};

/* Whether a sign of that number is one that words are made of, or may fold to one or to nothing. */
static bool is_word_sign(uint32_t rune)
{
    return rune >= 0x80 || (rune >= '0' && rune <= '9') || (rune | 0x20) - 'a' < 26U ||
           rune == '_' || rune == '.' || rune == 0;
}

/* Whether a lead may have that sign in it: in JSON it may be escaped itself. */
static bool is_lead_sign(uint32_t rune)
{
    return rune < 0x80 &&
           (is_word_sign(rune) || rune == '&' || rune == '#' || rune == '<' || rune == '!' ||
            rune == '?' || rune == '(' || rune == ':' || rune == '=' || rune == '\\');
}

/* "\u0041", "\x41": exactly so many digits. One of a backslash may begin an escape of the record
 * that stands in the text. */
static bool is_escape(struct coding *coding, struct str text)
{
    size_t digits = text.ptr[1] == 'u' ? 4 : 2;
    uint32_t rune = 0;

    if (text.len < 2 + digits) {
        return false;
    }
    for (size_t i = 2; i < 2 + digits; i++) {
        int value = hex_value(text.ptr[i]);

        if (value < 0) {
            return false;
        }
        rune = rune << 4 | (uint32_t)value;
    }
    coding->has_hidden |= digits == 4 && is_lead_sign(rune);
    return is_word_sign(rune) || rune == '\\';
}

/* "&#65;", "&#x41;". */
static bool is_reference(struct str text)
{
    bool is_hex = text.len > 2 && (text.ptr[2] | 0x20) == 'x';
    uint32_t base = is_hex ? 16 : 10;
    uint32_t rune = 0;
    size_t from = is_hex ? 3 : 2;
    size_t at = from;

    for (; at < text.len && rune < 0x80; at++) {
        int value = hex_value(text.ptr[at]);

        if (value < 0 || (uint32_t)value >= base) {
            break;
        }
        rune = rune * base + (uint32_t)value;
    }
    return at > from && is_word_sign(rune);
}

/* CEF's reader leaves out the backslash before any sign: in "C:\Windows" too. */
static bool find_left_out(struct str text)
{
    for (size_t at = 0; at + 1 < text.len; at++) {
        if (text.ptr[at] == '\\' && is_word_sign((unsigned char)text.ptr[at + 1])) {
            return true;
        }
    }
    return false;
}

static bool has_left_out(struct coding *coding)
{
    if (coding->has_left_out == ANSWER_NONE) {
        coding->has_left_out = find_left_out(coding->text) ? ANSWER_YES : ANSWER_NO;
    }
    return coding->has_left_out == ANSWER_YES;
}

/* JSON has no \x, but a line of a web server's log in it may: behind its time, `] "`. */
static bool has_request(struct coding *coding)
{
    if (coding->has_request == ANSWER_NONE) {
        coding->has_request =
            str_find(coding->text, STR("] \\")) < coding->text.len ? ANSWER_YES : ANSWER_NO;
    }
    return coding->has_request == ANSWER_YES;
}

/* What begins at `at` with a lead sign and the one behind it. */
static bool is_code(struct coding *coding, size_t at)
{
    struct str rest = str_slice(coding->text, at, coding->text.len);
    struct str front = str_slice(coding->text, 0, at + 2);

    switch (rest.ptr[0]) {
    case '\\':
        return is_escape(coding, rest) &&
               (rest.ptr[1] == 'u' || !coding->is_json || has_request(coding));
    case '&':
        return is_reference(rest);
    case 't':
        return str_has_suffix(front, STR("msg=audit("));
    case 'F':
        return (str_has_suffix(front, STR("CEF:")) || str_has_suffix(front, STR("LEEF:"))) &&
               has_left_out(coding);
    default: /* what XML declares, comments or instructs is left out of the text around it */
        return true;
    }
}

static bool is_lead(char sign, char next)
{
    return (sign == '\\' && (next == 'u' || next == 'x')) || (sign == '&' && next == '#') ||
           (sign == '<' && (next == '!' || next == '?')) || (sign == 't' && next == '(') ||
           (sign == 'F' && next == ':');
}

/* Paths of Windows are full of backslashes: so a stride is looked at in arithmetic first. */
static bool has_lead(const char *bytes)
{
    unsigned char has = 0;

    for (int i = 0; i < STRIDE; i++) {
        char sign = bytes[i];
        char next = bytes[i + 1];

        has |= (unsigned char)((sign == '\\') & ((next == 'u') | (next == 'x')));
        has |= (unsigned char)((sign == '&') & (next == '#'));
        has |= (unsigned char)((sign == '<') & ((next == '!') | (next == '?')));
        has |= (unsigned char)((sign == 't') & (next == '('));
        has |= (unsigned char)((sign == 'F') & (next == ':'));
    }
    return has != 0;
}

/* The same of what is left, too little for a stride. */
static bool has_lead_rest(struct str rest)
{
    char room[STRIDE + 1] = {0};

    memcpy(room, rest.ptr, rest.len < sizeof(room) ? rest.len : sizeof(room));
    return has_lead(room);
}

static enum coded find_codes(struct str text, bool is_json, bool *ret_has_hidden)
{
    struct coding coding = {.text = text, .is_json = is_json};
    enum coded found = CODED_NONE;

    for (size_t at = 0; at + 1 < text.len;) {
        size_t end = at + STRIDE;

        if (end < text.len ? !has_lead(text.ptr + at)
                           : !has_lead_rest(str_slice(text, at, text.len))) {
            at = end;
            continue;
        }
        for (; at < end && at + 1 < text.len; at++) {
            if (!is_lead(text.ptr[at], text.ptr[at + 1]) || !is_code(&coding, at)) {
                continue;
            }
            if (!is_json || text.ptr[at + 1] != 'u') {
                return CODED_SIGNS;
            }
            found = CODED_PLAIN;
        }
    }
    *ret_has_hidden = coding.has_hidden;
    return found;
}

/* What JSON's strings mean may have leads that the entry has not: it is looked at without its
 * escapes, then without those of a record that stood in it. */
static enum coded find_hidden(struct str text)
{
    size_t len = text.len;
    char *room = mem_alloc(PASSES, len);
    enum coded found = room != NULL ? CODED_NONE : CODED_SIGNS;
    bool has_hidden = true;

    for (unsigned pass = 0; has_hidden && found != CODED_SIGNS && pass < PASSES; pass++) {
        char *out = room + pass * len;

        text = str_of(out, entry_unescape(text, out));
        found = find_codes(text, true, &has_hidden);
    }
    mem_free(room);
    return has_hidden ? CODED_SIGNS : found;
}

static enum coded find_json(struct str text)
{
    bool has_hidden = false;
    enum coded found = find_codes(text, true, &has_hidden);
    enum coded hidden = has_hidden && found != CODED_SIGNS ? find_hidden(text) : CODED_NONE;

    return hidden == CODED_SIGNS ? CODED_SIGNS : found;
}

enum coded coded_entry(struct str format, struct str entry)
{
    bool has_hidden = false;
    enum coded found;

    if (str_is(format, STR("audit"))) {
        return CODED_PLAIN;
    }
    if (str_is(format, STR("evtx")) || log_format_find(format) == NULL) {
        return CODED_SIGNS;
    }
    if (str_is(format, STR("ndjson"))) {
        return find_json(entry);
    }
    found = find_codes(entry, false, &has_hidden);
    return has_hidden ? CODED_SIGNS : found; /* it may wrap a record of JSON */
}

enum coded coded_event(const struct event *event)
{
    const struct event_field *entry = event_find(event, EVENT_FIELD_EVENT_ORIGINAL);
    const struct event_field *format = event_find(event, EVENT_FIELD_EVENT_MODULE);

    return entry == NULL ? CODED_NONE
                         : coded_entry(format != NULL ? format->text : STR(""), entry->text);
}

/* ---- what is meant */

static bool is_audit_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* The next value that may be hexadecimal: an even number of digits. */
static bool take_hex(struct str *rest, struct str *ret_digits)
{
    size_t at;

    while ((at = str_find_byte(*rest, '=')) < rest->len) {
        size_t end = at + 1;
        struct str digits;

        while (end < rest->len && is_audit_digit(rest->ptr[end])) {
            end++;
        }
        digits = str_slice(*rest, at + 1, end);
        *rest = str_slice(*rest, end, rest->len);
        if (digits.len != 0 && digits.len % 2 == 0) {
            *ret_digits = digits;
            return true;
        }
    }
    return false;
}

/* NULs are spaces, as the reader has it. */
static int next_hex(struct coded_walk *walk, struct str *ret_text)
{
    struct str digits;

    buf_reset(walk->room);
    if (!take_hex(&walk->rest, &digits)) {
        return 0;
    }
    for (size_t i = 0; i < digits.len; i += 2) {
        unsigned char byte =
            (unsigned char)(hex_value(digits.ptr[i]) << 4 | hex_value(digits.ptr[i + 1]));

        buf_put_byte(walk->room, byte == 0 ? ' ' : byte);
    }
    *ret_text = buf_str(walk->room);
    return buf_error(walk->room) < 0 ? buf_error(walk->room) : 1;
}

/* The entry without its escapes, then without those of a record that stood in it as a text. */
static int next_plain(struct coded_walk *walk, struct str *ret_text)
{
    size_t len = walk->rest.len;

    if (walk->passes == PASSES) {
        return 0;
    }
    if (walk->passes++ == 0) {
        walk->out = buf_reserve(walk->room, PASSES * len);
    }
    if (walk->out == NULL) {
        return buf_error(walk->room);
    }
    walk->rest = str_of(walk->out, entry_unescape(walk->rest, walk->out));
    walk->out += len;
    *ret_text = walk->rest;
    return 1;
}

void coded_begin(struct coded_walk *walk, const struct event *event, struct buf *room)
{
    const struct event_field *format = event_find(event, EVENT_FIELD_EVENT_MODULE);

    *walk = (struct coded_walk){.is_audit = format != NULL && str_is(format->text, STR("audit")),
                                .rest = event_find(event, EVENT_FIELD_EVENT_ORIGINAL)->text,
                                .room = room};
    buf_reset(room);
}

int coded_next(struct coded_walk *walk, struct str *ret_text)
{
    return walk->is_audit ? next_hex(walk, ret_text) : next_plain(walk, ret_text);
}
