/* See codec/cef.h. */
#include "codec/cef.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

#define HEADER_MAX 8

/* What a key of CEF or LEEF is called by the rules of the own pack. */
static const struct {
    struct str own;
    enum log_name name;
} twins[] = {
    {{"src", 3}, LOG_NAME_SRC_IP},
    {{"dst", 3}, LOG_NAME_DST_IP},
    {{"spt", 3}, LOG_NAME_SRC_PORT},
    {{"dpt", 3}, LOG_NAME_DST_PORT},
    {{"srcPort", 7}, LOG_NAME_SRC_PORT},
    {{"dstPort", 7}, LOG_NAME_DST_PORT},
    {{"shost", 5}, LOG_NAME_SRC_HOST},
    {{"dhost", 5}, LOG_NAME_DST_HOST},
    {{"suser", 5}, LOG_NAME_USER},
    {{"usrName", 7}, LOG_NAME_USER},
    {{"duser", 5}, LOG_NAME_TARGET_USER},
    {{"proto", 5}, LOG_NAME_PROTOCOL},
    {{"act", 3}, LOG_NAME_ACTION},
    {{"action", 6}, LOG_NAME_ACTION},
    {{"outcome", 7}, LOG_NAME_OUTCOME},
    {{"reason", 6}, LOG_NAME_REASON},
    {{"msg", 3}, LOG_NAME_MESSAGE},
    {{"filePath", 8}, LOG_NAME_PATH},
    {{"request", 7}, LOG_NAME_CS_URI},
    {{"requestMethod", 13}, LOG_NAME_CS_METHOD},
    {{"deviceInboundInterface", 22}, LOG_NAME_INTERFACE},
};

/* Up to an unescaped separator; false at the end of the text. */
static bool cut_escaped(struct str *rest, char separator, struct str *ret_part)
{
    size_t at = 0;

    while (at < rest->len && rest->ptr[at] != separator) {
        at += rest->ptr[at] == '\\' ? 2 : 1;
    }
    if (at >= rest->len) {
        return false;
    }
    *ret_part = str_slice(*rest, 0, at);
    *rest = str_slice(*rest, at + 1, rest->len);
    return true;
}

/* \= \| \\ \n \r: itself when there are none. .ptr NULL when memory is out. */
static struct str unescaped(struct arena *arena, struct str text)
{
    size_t len = 0;
    char *out;

    if (str_find_byte(text, '\\') == text.len) {
        return text;
    }
    out = arena_alloc(arena, text.len, 1);
    if (out == NULL) {
        return (struct str){0};
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\\' && i + 1 < text.len) {
            c = text.ptr[++i];
            c = c == 'n' ? '\n' : c;
            c = c == 'r' ? '\r' : c;
        }
        out[len++] = c;
    }
    return str_of(out, len);
}

static int add_pair(struct log_reading *reading, struct str key, struct str value)
{
    struct str text = unescaped(reading->arena, value);
    int r;

    if (text.ptr == NULL && value.len != 0) {
        return -ERR_NOMEM;
    }
    r = key.len > ENTRY_NAME_MAX ? 0 : log_add_own(reading, key, text);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(twins); i++) {
        if (log_is(key, twins[i].own) && !str_is(key, log_names[twins[i].name])) {
            return log_add(reading, twins[i].name, text);
        }
    }
    return r;
}

static bool is_key_byte(char c)
{
    return log_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '.' ||
           c == '-' || c == '[' || c == ']';
}

/* Where the value ends that begins at the front: before the word that stands before the next '='.
 * A value may hold spaces; a '=' in it is escaped. */
static size_t value_length(struct str rest)
{
    for (size_t at = 0; at < rest.len; at++) {
        size_t key = at;

        if (rest.ptr[at] == '\\') {
            at++;
            continue;
        }
        if (rest.ptr[at] != '=') {
            continue;
        }
        while (key > 0 && is_key_byte(rest.ptr[key - 1])) {
            key--;
        }
        if (key > 0 && key < at && rest.ptr[key - 1] == ' ') {
            return key - 1;
        }
    }
    return rest.len;
}

static int add_extension(struct log_reading *reading, struct str rest)
{
    int r = 0;

    while (r == 0 && rest.len > 0) {
        struct str key;
        size_t len;

        if (rest.ptr[0] == ' ') {
            rest = str_slice(rest, 1, rest.len);
            continue;
        }
        if (!str_cut(&rest, '=', &key) || str_find_byte(key, ' ') < key.len) {
            reading->entry.faults |= ENTRY_FAULT_SYNTAX;
            break;
        }
        len = value_length(rest);
        r = add_pair(reading, key, str_slice(rest, 0, len));
        rest = str_slice(rest, len, rest.len);
    }
    return r;
}

/* Keys and values of LEEF stand between separators that no value has. */
static int add_attributes(struct log_reading *reading, struct str rest, char separator)
{
    struct str pair;
    struct str key;
    int r = 0;

    while (r == 0 && str_cut(&rest, separator, &pair)) {
        struct str value = pair;

        if (str_cut(&value, '=', &key) && key.len > 0) {
            r = add_pair(reading, key, value);
        }
    }
    return r;
}

/* In small letters, as Sigma writes products. */
static struct str lower(struct arena *arena, struct str text)
{
    struct str copy = arena_copy(arena, text);
    char *out = copy.ptr == NULL ? NULL : arena_alloc(arena, text.len + 1, 1);

    for (size_t i = 0; out != NULL && i < text.len; i++) {
        char c = text.ptr[i];

        out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        out[i] = out[i] == ' ' ? '_' : out[i];
    }
    return str_of(out, out == NULL ? 0 : text.len);
}

static int add_header(struct log_reading *reading, const char *const *names,
                      const struct str *values, size_t count)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        r = log_add_own(reading, str_from(names[i]), values[i]);
    }
    if (r == 0) {
        reading->entry.source = (struct logsource){lower(reading->arena, values[1]), STR(""),
                                                   lower(reading->arena, values[2])};
        r = reading->entry.source.service.ptr == NULL ? -ERR_NOMEM : 0;
    }
    return r;
}

static int cef_take(struct log_reading *reading, struct str rest)
{
    static const char *const names[] = {"CEFVersion",    "DeviceVendor", "DeviceProduct",
                                        "DeviceVersion", "SignatureID",  "Name",
                                        "Severity"};
    struct str values[ARRAY_LEN(names)];
    int r;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!cut_escaped(&rest, '|', &values[i])) {
            return 0;
        }
    }
    r = add_header(reading, names, values, ARRAY_LEN(names));
    r = r < 0 ? r : add_extension(reading, rest);
    return r < 0 ? r : 1;
}

/* LEEF 2.0 names its separator: itself, or x09. A letter or a digit is refused: it would part words
 * and numbers, which are looked for as they stand in the line. */
static char take_separator(struct log_reading *reading, struct str *rest)
{
    struct str text = *rest;
    struct str sign;

    if (!cut_escaped(&text, '|', &sign) || sign.len == 0 || sign.len > 4) {
        return '\t';
    }
    *rest = text;
    if (sign.len == 1 && (log_is_digit(sign.ptr[0]) || (sign.ptr[0] & 0x80) != 0 ||
                          ((sign.ptr[0] | 0x20) >= 'a' && (sign.ptr[0] | 0x20) <= 'z'))) {
        reading->entry.faults |= ENTRY_FAULT_SYNTAX;
        return '\t';
    }
    if (sign.len == 1) {
        return sign.ptr[0];
    }
    if (sign.ptr[sign.len - 1] == 'c') { /* x7c */
        return '|';
    }
    return sign.ptr[sign.len - 1] == 'e' ? '^' : '\t'; /* x5e, x09 */
}

static int leef_take(struct log_reading *reading, struct str rest)
{
    static const char *const names[] = {"LEEFVersion", "DeviceVendor", "DeviceProduct",
                                        "DeviceVersion", "EventID"};
    struct str values[ARRAY_LEN(names)];
    char separator = '\t';
    int r;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!cut_escaped(&rest, '|', &values[i])) {
            return 0;
        }
    }
    if (str_has_prefix(values[0], STR("2"))) {
        separator = take_separator(reading, &rest);
    }
    r = add_header(reading, names, values, ARRAY_LEN(names));
    r = r < 0 ? r : add_attributes(reading, rest, separator);
    return r < 0 ? r : 1;
}

int cef_read(struct log_reading *reading, struct str message)
{
    size_t count = reading->entry.count;
    int r = 0;

    if (message.len < 5 || (message.ptr[0] != 'C' && message.ptr[0] != 'L')) {
        return 0;
    }
    if (str_has_prefix(message, STR("CEF:"))) {
        r = cef_take(reading, str_slice(message, 4, message.len));
    } else if (str_has_prefix(message, STR("LEEF:"))) {
        r = leef_take(reading, str_slice(message, 5, message.len));
    }
    reading->entry.count = r == 0 ? count : reading->entry.count;
    return r;
}

/* rt and devTime: thousandths since 1970, or a time of any kind. */
static void take_time(struct log_reading *reading)
{
    static const char *const names[] = {"rt", "devTime", "end", "start"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct entry_field *field = entry_find(&reading->entry, str_from(names[i]));
        uint64_t thousandths;

        if (field == NULL) {
            continue;
        }
        if (field->value.len == 13 && str_to_u64(field->value, &thousandths) == 0) {
            reading->entry.time = (int64_t)thousandths * 1000000;
            return;
        }
        if (log_time_take(field->value, reading, &reading->entry.time) != 0) {
            return;
        }
    }
    reading->entry.faults |= ENTRY_FAULT_TIME;
}

static int cef_read_line(struct log_reading *reading, struct str line)
{
    int r = cef_read(reading, line);

    if (r == 0) {
        reading->entry.faults |= ENTRY_FAULT_SYNTAX;
    }
    take_time(reading);
    return r < 0 ? r : 1;
}

static int cef_read_block(struct log_reading *reading, struct str block, entry_fn *fn,
                          void *context)
{
    return log_read_lines(reading, block, cef_read_line, fn, context);
}

static bool is_cef(struct str line)
{
    return str_has_prefix(line, STR("CEF:"));
}

static bool is_leef(struct str line)
{
    return str_has_prefix(line, STR("LEEF:"));
}

static unsigned cef_weigh(struct str head)
{
    return log_weigh_lines(head, is_cef) >= 50 ? 95 : 0;
}

static unsigned leef_weigh(struct str head)
{
    return log_weigh_lines(head, is_leef) >= 50 ? 95 : 0;
}

const struct log_format cef_log_format = {
    .name = "cef",
    .title = N_("CEF (ArcSight)"),
    .weigh = cef_weigh,
    .cut = log_cut_lines,
    .read = cef_read_block,
};

const struct log_format leef_log_format = {
    .name = "leef",
    .title = N_("LEEF (QRadar)"),
    .weigh = leef_weigh,
    .cut = log_cut_lines,
    .read = cef_read_block,
};
