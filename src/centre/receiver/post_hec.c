/* The envelope of Splunk's collector: {"time":…,"host":…,"source":…,"sourcetype":…,"event":…}. An
 * event that is a text was a line of some log and becomes one again; one that is an object stays
 * as it is written, and gets the envelope's time, host and fields where it has none of its own.
 * Neighbour: post.c. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/receiver/post_part.h"
#include "codec/json.h"

/* What a sourcetype's lines are; of others the line itself is asked. */
static const struct {
    const char *sourcetype;
    const char *format;
} hec_formats[] = {
    {"_json", "ndjson"},
    {"access_combined", "weblog"},
    {"access_combined_wcookie", "weblog"},
    {"access_common", "weblog"},
    {"linux_audit", "audit"},
    {"linux_messages_syslog", "syslog"},
    {"linux_secure", "syslog"},
    {"syslog", "syslog"},
    {"WinEventLog:XML", "winxml"},
    {"XmlWinEventLog", "winxml"},
};

/* Values as they are written; empty: not there. */
struct hec_envelope {
    struct str event;
    struct str time;
    struct str host;
    struct str source;
    struct str sourcetype;
    struct str fields;
};

static bool member_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t member_skip(struct str text, size_t at)
{
    while (at < text.len && member_is_blank(text.ptr[at])) {
        at++;
    }
    return at;
}

/* Behind the text whose first quote stands at `at`; 0: it has no end. */
static size_t member_string(struct str text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.ptr[at] == '\\') {
            at++;
        } else if (text.ptr[at] == '"') {
            return at + 1;
        }
    }
    return 0;
}

/* Behind the object or list that starts at `at`; 0: it has no end. */
static size_t member_nested(struct str text, size_t at)
{
    size_t depth = 0;

    while (at < text.len) {
        char byte = text.ptr[at];

        if (byte == '"') {
            at = member_string(text, at);
            if (at == 0) {
                return 0;
            }
            continue;
        }
        at++;
        if (byte == '{' || byte == '[') {
            depth++;
        } else if ((byte == '}' || byte == ']') && --depth == 0) {
            return at;
        }
    }
    return 0;
}

static size_t member_value(struct str text, size_t at)
{
    struct str ends = STR(",}] \t\r\n");

    if (at >= text.len) {
        return 0;
    }
    if (text.ptr[at] == '"') {
        return member_string(text, at);
    }
    if (text.ptr[at] == '{' || text.ptr[at] == '[') {
        return member_nested(text, at);
    }
    while (at < text.len && str_find_byte(ends, text.ptr[at]) == ends.len) {
        at++;
    }
    return at;
}

bool post_member(struct str *rest, struct str *ret_key, struct str *ret_value)
{
    struct str text = *rest;
    size_t at = member_skip(text, 0);
    size_t key;
    size_t end;

    if (at < text.len && text.ptr[at] == ',') {
        at = member_skip(text, at + 1);
    }
    if (at >= text.len || text.ptr[at] != '"') {
        return false;
    }
    key = at + 1;
    end = member_string(text, at);
    if (end == 0) {
        return false;
    }
    at = member_skip(text, end);
    if (at >= text.len || text.ptr[at] != ':') {
        return false;
    }
    *ret_key = str_slice(text, key, end - 1);
    at = member_skip(text, at + 1);
    end = member_value(text, at);
    if (end <= at) {
        return false;
    }
    *ret_value = str_slice(text, at, end);
    *rest = str_slice(text, end, text.len);
    return true;
}

static void hec_open(struct str text, struct hec_envelope *envelope)
{
    struct str rest = str_slice(text, 1, text.len);
    struct str key;
    struct str value;

    while (post_member(&rest, &key, &value)) {
        if (str_is_text(key, "event")) {
            envelope->event = value;
        } else if (str_is_text(key, "time")) {
            envelope->time = value;
        } else if (str_is_text(key, "host")) {
            envelope->host = value;
        } else if (str_is_text(key, "source")) {
            envelope->source = value;
        } else if (str_is_text(key, "sourcetype")) {
            envelope->sourcetype = value;
        } else if (str_is_text(key, "fields")) {
            envelope->fields = value;
        }
    }
}

/* A text's words in the cutter's arena; empty for what is no text. -ERR_SYNTAX, -ERR_NOMEM. */
static int hec_text(struct post_cutter *cutter, struct str value, struct str *ret_text)
{
    struct json_value *parsed;
    int r;

    *ret_text = STR("");
    if (value.len == 0 || value.ptr[0] != '"') {
        return 0;
    }
    r = json_parse(value, cutter->arena, &parsed, NULL);
    if (r == 0) {
        *ret_text = parsed->string;
    }
    return r;
}

static struct str hec_format(struct str sourcetype)
{
    for (size_t i = 0; i < sizeof(hec_formats) / sizeof(hec_formats[0]); i++) {
        if (str_is_text(sourcetype, hec_formats[i].sourcetype)) {
            return str_from(hec_formats[i].format);
        }
    }
    return STR("");
}

static bool hec_has(struct str object, const char *const *names)
{
    struct str rest = str_slice(object, 1, object.len);
    struct str key;
    struct str value;

    while (post_member(&rest, &key, &value)) {
        for (size_t i = 0; names[i] != NULL; i++) {
            if (str_is_text(key, names[i])) {
                return true;
            }
        }
    }
    return false;
}

static void hec_put(struct buf *out, const char *name, struct str value)
{
    (void)buf_putf(out, "\"%s\":", name);
    (void)buf_put_str(out, value);
    (void)buf_put_byte(out, ',');
}

/* The object with what only its envelope says. */
static int hec_object(struct post_cutter *cutter, const struct hec_envelope *envelope,
                      struct str *ret_raw)
{
    static const char *const times[] = {"@timestamp", "timestamp", "time", "ts", "datetime", NULL};
    static const char *const hosts[] = {"host", "hostname", "Hostname", "Computer", NULL};
    static const char *const fields[] = {"fields", NULL};
    CLEANUP(buf_done) struct buf out;
    struct str inside = str_slice(envelope->event, 1, envelope->event.len);

    buf_init(&out, 2 * POST_OBJECT_MAX);
    (void)buf_put_byte(&out, '{');
    if (envelope->time.len != 0 && !hec_has(envelope->event, times)) {
        hec_put(&out, "time", envelope->time);
    }
    if (envelope->host.len != 0 && !hec_has(envelope->event, hosts)) {
        hec_put(&out, "host", envelope->host);
    }
    if (envelope->fields.len != 0 && !hec_has(envelope->event, fields)) {
        hec_put(&out, "fields", envelope->fields);
    }
    if (out.len == 1) {
        *ret_raw = envelope->event;
        return buf_error(&out);
    }
    if (member_skip(inside, 0) == inside.len - 1) { /* an empty one: no comma before its end */
        out.len--;
    }
    (void)buf_put_str(&out, inside);
    *ret_raw = arena_copy(cutter->arena, buf_str(&out));
    if (buf_error(&out) < 0) {
        return buf_error(&out);
    }
    return ret_raw->ptr == NULL ? -ERR_NOMEM : 0;
}

/* What the event was, and in which format. */
static int hec_raw(struct post_cutter *cutter, const struct hec_envelope *envelope,
                   struct receiver_entry *entry)
{
    struct str sourcetype;
    int r = hec_text(cutter, envelope->sourcetype, &sourcetype);

    if (r < 0) {
        return r;
    }
    if (envelope->event.ptr[0] == '{') {
        entry->format = STR("ndjson");
        return hec_object(cutter, envelope, &entry->raw);
    }
    entry->format = hec_format(sourcetype);
    if (envelope->event.ptr[0] == '"') {
        return hec_text(cutter, envelope->event, &entry->raw);
    }
    entry->raw = envelope->event;
    return 0;
}

int post_hec_take(struct post_cutter *cutter, struct str text)
{
    struct hec_envelope envelope = {0};
    struct receiver_entry entry = {0};
    int r;

    arena_reset(cutter->arena);
    hec_open(text, &envelope);
    if (envelope.event.len == 0 || str_is_text(envelope.event, "null")) {
        return post_refuse(cutter, POST_FAULT_NO_EVENT);
    }
    r = hec_raw(cutter, &envelope, &entry);
    if (r == 0) {
        r = hec_text(cutter, envelope.host, &entry.host);
    }
    if (r == 0) {
        r = hec_text(cutter, envelope.source, &entry.source);
    }
    if (r == -ERR_SYNTAX || r == -ERR_LIMIT) {
        return post_refuse(cutter, POST_FAULT_BAD_TEXT);
    }
    if (r < 0) {
        return r;
    }
    if (str_trim(entry.raw).len == 0) {
        return post_refuse(cutter, POST_FAULT_EMPTY_EVENT);
    }
    return post_take(cutter, &entry);
}
