/* The format of syslog's files and streams: a line is a header (syslog.c) and a message, which the
 * forms of its program (forms.def), CEF and LEEF take apart. A message that is a record of another
 * log (Windows XML, JSON, a line of a web server) is read by that log's format. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "codec/cef.h"
#include "codec/forms.h"
#include "codec/keyvalue.h"
#include "codec/log_text.h"
#include "codec/ndjson_line.h"
#include "codec/syslog.h"
#include "codec/winxml.h"

#define REPEATED     "message repeated "
#define DATA_MAX     (64u << 10)      /* bytes of structured data that become fields */
#define INSIDE_APART (600 * NS_PER_S) /* of a record's time and that of the message around it */

static int add_if(struct log_reading *reading, enum log_name name, struct str value)
{
    return value.len == 0 ? 0 : log_add(reading, name, value);
}

/* A parameter's value with its three escapes taken out: itself when it has none. .ptr NULL when
 * memory is out. */
static struct str data_value(struct arena *arena, struct str text)
{
    size_t len = 0;
    char *out;

    if (str_find_byte(text, '\\') == text.len) {
        return text;
    }
    out = arena_alloc(arena, text.len, 1);
    for (size_t i = 0; out != NULL && i < text.len; i++) {
        bool is_escape =
            text.ptr[i] == '\\' && i + 1 < text.len && log_is_one_of(text.ptr[i + 1], STR("\"\\]"));

        i += is_escape;
        out[len++] = text.ptr[i];
    }
    return str_of(out, len);
}

/* name="value": its length, 0 when it is none. */
static size_t parameter_length(struct str rest, size_t *ret_value_at)
{
    size_t at = str_find(rest, STR("=\""));

    if (at == 0 || at == rest.len || at > ENTRY_NAME_MAX / 2) {
        return 0;
    }
    *ret_value_at = at + 2;
    for (at += 2; at < rest.len && rest.ptr[at] != '"'; at++) {
        at += rest.ptr[at] == '\\';
    }
    return at < rest.len ? at + 1 : 0;
}

/* [id name="value" …]: fields id.name. */
static int add_element(struct log_reading *reading, struct str element)
{
    struct str rest = element;
    struct str id;

    (void)str_cut(&rest, ' ', &id);
    while (rest.len > 0) {
        size_t value_at = 0;
        size_t len = parameter_length(rest, &value_at);
        struct str name;
        struct str value;
        int r;

        if (len == 0) {
            reading->entry.faults |= ENTRY_FAULT_SYNTAX;
            return 0;
        }
        name = arena_printf(reading->arena, "%.*s.%.*s",
                            STR_ARG(str_slice(id, 0, ENTRY_NAME_MAX / 2 - 1)),
                            STR_ARG(str_slice(rest, 0, value_at - 2)));
        value = data_value(reading->arena, str_slice(rest, value_at, len - 1));
        if (name.ptr == NULL || value.ptr == NULL) {
            return -ERR_NOMEM;
        }
        r = log_add_own(reading, name, value);
        if (r < 0) {
            return r;
        }
        rest = str_slice(rest, len, rest.len);
        while (rest.len > 0 && rest.ptr[0] == ' ') {
            rest = str_slice(rest, 1, rest.len);
        }
    }
    return 0;
}

static int add_data(struct log_reading *reading, struct str data)
{
    int r = 0;

    if (data.len > DATA_MAX) {
        data.len = DATA_MAX;
        reading->entry.faults |= ENTRY_FAULT_CUT;
    }
    while (r == 0 && data.len > 1) {
        bool is_quoted = false;
        size_t at = 1;

        for (; at < data.len && (is_quoted || data.ptr[at] != ']'); at++) {
            is_quoted = is_quoted != (data.ptr[at] == '"');
            at += data.ptr[at] == '\\';
        }
        r = add_element(reading, str_slice(data, 1, at));
        data = str_slice(data, at + 1, data.len);
    }
    return r;
}

/* "message repeated 5 times: [ … ]" says what the message in brackets would have said. */
static int unwrap(struct log_reading *reading, struct str *message)
{
    struct str rest = str_slice(*message, sizeof(REPEATED) - 1, message->len);
    struct str count;
    size_t at;

    if (!log_starts(*message, STR(REPEATED)) || !str_cut(&rest, ' ', &count)) {
        return 0;
    }
    at = str_find_byte(rest, '[');
    if (at + 1 < rest.len) {
        *message = str_slice(rest, at + 1, rest.len - (rest.ptr[rest.len - 1] == ']'));
        *message = str_trim(*message);
    }
    return log_add(reading, LOG_NAME_REPEATED, count);
}

static int add_last_repeated(struct log_reading *reading, struct str message)
{
    static const struct str lead = {"last message repeated ", 22};
    struct str rest = str_slice(message, lead.len, message.len);
    struct str count;

    return log_starts(message, lead) && str_cut(&rest, ' ', &count)
               ? log_add(reading, LOG_NAME_REPEATED, count)
               : 0;
}

static int add_header(struct log_reading *reading, const struct syslog_line *line)
{
    int r = log_add(reading, LOG_NAME_MESSAGE, line->message);

    r = r < 0 ? r : add_if(reading, LOG_NAME_PROGRAM, line->program);
    r = r < 0 ? r : add_if(reading, LOG_NAME_PID, line->pid);
    r = r < 0 ? r : add_if(reading, LOG_NAME_HOST, line->host);
    r = r < 0 ? r : add_if(reading, LOG_NAME_MSGID, line->msgid);
    if (line->priority >= 0) {
        r = r < 0 ? r : log_add(reading, LOG_NAME_FACILITY, syslog_facility(line->priority));
        r = r < 0 ? r : log_add(reading, LOG_NAME_SEVERITY, syslog_severity(line->priority));
    }
    return r < 0 ? r : add_data(reading, line->data);
}

/* ---- records of other logs ---- */

static void inside_free(void *state)
{
    ndjson_line_done(state);
    mem_free(state);
}

static int inside_get(struct log_reading *reading, struct ndjson_line **ret_inside)
{
    if (reading->state_free != inside_free) {
        struct ndjson_line *inside = mem_alloc(1, sizeof(*inside));

        if (inside == NULL) {
            return -ERR_NOMEM;
        }
        if (reading->state_free != NULL) {
            reading->state_free(reading->state);
        }
        reading->state = inside;
        reading->state_free = inside_free;
    }
    *ret_inside = reading->state;
    return 0;
}

static bool is_web_server(struct str program)
{
    static const struct str names[] = {{"nginx", 5}, {"apache2", 7}, {"apache", 6}, {"httpd", 5}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (log_is(program, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_near(int64_t time, int64_t other)
{
    int64_t apart;

    return !__builtin_sub_overflow(time, other, &apart) && apart <= INSIDE_APART &&
           apart >= -INSIDE_APART;
}

/* 1: the message was such a record, and its log's source is known. JSON may come with the cookie of
 * CEE, which rsyslog's mmjsonparse wants. */
static int inside_read(struct log_reading *reading, const struct syslog_line *line,
                       struct str message)
{
    static const struct str cookie = {"@cee:", 5};
    struct entry *entry = &reading->entry;
    struct ndjson_line *inside = NULL;
    int r;

    if (log_starts(message, cookie)) {
        message = str_trim(str_slice(message, cookie.len, message.len));
    }
    if (!log_starts(message, STR("{\"")) && !is_web_server(line->program)) {
        return 0;
    }
    r = inside_get(reading, &inside);
    r = r < 0 ? r : ndjson_line_read(inside, reading, message);
    if (r <= 0) {
        return r;
    }
    /* the header is from whoever passed the message on, what it wraps from whoever wrote it */
    if (line->time != 0 && !is_near(line->time, entry->time)) {
        entry->time = line->time;
    }
    entry->host = line->host.len > 0 ? line->host : entry->host;
    entry->is_structured = true; /* keywords are looked for in its values, which raw has escaped */
    return entry->source.product.len > 0 || entry->source.category.len > 0 ||
           entry->source.service.len > 0;
}

static int read_message(struct log_reading *reading, const struct syslog_line *line)
{
    struct str message = line->message;
    int r = unwrap(reading, &message);

    if (r == 0 && (log_starts(message, STR("<Event>")) || log_starts(message, STR("<Event ")))) {
        return winxml_event(reading, message);
    }
    r = r < 0 ? r : inside_read(reading, line, message);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    r = cef_read(reading, message);
    if (r == 0 && line->program.len == 0 && keyvalue_is(message)) {
        return keyvalue_read(reading, message);
    }
    r = r != 0 ? r : forms_read(reading, line->program, message);
    return r < 0 ? r : add_last_repeated(reading, message);
}

static int syslog_read_line(struct log_reading *reading, struct str text)
{
    struct syslog_line line;
    bool is_whole;
    int r;

    if (log_starts(text, STR("-- ")) && str_has_suffix(text, STR(" --"))) {
        return 0; /* journalctl's own */
    }
    is_whole = syslog_parse(text, reading, &line);
    reading->entry.time = line.time;
    reading->entry.host = line.host;
    r = add_header(reading, &line);
    r = r < 0 ? r : read_message(reading, &line);
    if (reading->entry.time == 0) { /* some devices say it in the message */
        reading->entry.faults |= ENTRY_FAULT_TIME | (is_whole ? 0U : ENTRY_FAULT_SYNTAX);
    }
    return r < 0 ? r : 1;
}

static int syslog_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    return log_read_lines(reading, block, syslog_read_line, fn, context);
}

static bool is_syslog(struct str text)
{
    static const struct log_reading nowhere;
    struct syslog_line line;

    if (text.len > 10 && log_is_digit(text.ptr[0]) && text.ptr[10] != 'T') {
        return false; /* servers that keep a file of their own write a space there */
    }
    return syslog_parse(text, &nowhere, &line) && (line.is_tagged || line.priority >= 0);
}

static unsigned syslog_weigh(struct str head)
{
    unsigned hits = log_weigh_lines(head, is_syslog);

    return hits < 50 ? 0 : hits * 9 / 10;
}

const struct log_format syslog_log_format = {
    .name = "syslog",
    .title = N_("syslog (RFC 3164, RFC 5424), also rsyslog's and journalctl's files"),
    .weigh = syslog_weigh,
    .cut = log_cut_lines,
    .read = syslog_read,
};
