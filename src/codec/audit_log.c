/* Linux audit (auditd's file, ausearch --raw, ENRICHED too): records of one event, told by their
 * serial, are one entry with the fields of all of them under auditd's own names; type comes once a
 * record. Records of several events may be mixed: an event is over when AUDIT_OPEN_MAX others have
 * begun after it, and blocks are cut only where none is open. Hostile bytes. Source:
 * audit-userspace, "audit message specification". */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

#define AUDIT_OPEN_MAX    5
#define AUDIT_RECORDS_MAX 256 /* of an event; more are another entry */
#define ARGUMENTS_MAX     4096

struct audit_record {
    struct str line;
    struct str node;
    struct str type;
    struct str stamp; /* "1364481363.243:24287" */
    struct str body;
    uint64_t number;
};

struct audit_event {
    struct str stamp; /* empty: free */
    struct audit_record records[AUDIT_RECORDS_MAX];
    size_t count;
};

struct audit_reader {
    struct log_reading *reading;
    entry_fn *fn;
    void *context;
    struct audit_event events[AUDIT_OPEN_MAX];
    struct audit_event *open[AUDIT_OPEN_MAX]; /* the oldest first, behind count the free ones */
    size_t count;
};

/* "[node=HOST ]type=TYPE msg=audit(STAMP): BODY"; false for anything else. */
static bool record_parse(struct str line, struct audit_record *record)
{
    struct str rest = line;
    size_t close;

    *record = (struct audit_record){.line = line};
    if (log_starts(rest, STR("node="))) {
        rest = str_slice(rest, 5, rest.len);
        (void)str_cut(&rest, ' ', &record->node);
    }
    if (!log_starts(rest, STR("type="))) {
        return false;
    }
    rest = str_slice(rest, 5, rest.len);
    (void)str_cut(&rest, ' ', &record->type);
    if (!log_starts(rest, STR("msg=audit("))) {
        return false;
    }
    rest = str_slice(rest, 10, rest.len);
    close = str_find_byte(rest, ')');
    record->stamp = str_slice(rest, 0, close);
    record->body = str_trim(str_slice(rest, close + 2, rest.len));
    return close < rest.len && record->type.len > 0 && record->stamp.len > 0;
}

/* Values that auditd writes in hexadecimal when they hold a space, a quote or a control sign. */
static bool is_encoded(const struct audit_record *record, struct str name)
{
    static const struct str names[] = {
        {"comm", 4}, {"exe", 3}, {"name", 4},  {"cwd", 3},  {"proctitle", 9}, {"key", 3},
        {"acct", 4}, {"cmd", 3}, {"data", 4},  {"path", 4}, {"dir", 3},       {"old", 3},
        {"new", 3},  {"vm", 2},  {"watch", 5}, {"file", 4},
    };

    if (log_is(record->type, STR("EXECVE")) && name.len >= 2 && name.ptr[0] == 'a' &&
        log_is_digit(name.ptr[1])) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (log_is(names[i], name)) {
            return true;
        }
    }
    return false;
}

static int hex_digit(char c)
{
    if (log_is_digit(c)) {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The bytes that hexadecimal digits stand for, NULs as spaces (proctitle's arguments); itself when
 * it is none. .ptr NULL when memory is out. */
static struct str decoded(struct arena *arena, struct str text)
{
    char *out;

    if (text.len == 0 || text.len % 2 != 0) {
        return text;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (hex_digit(text.ptr[i]) < 0) {
            return text;
        }
    }
    out = arena_alloc(arena, text.len / 2, 1);
    for (size_t i = 0; out != NULL && i < text.len / 2; i++) {
        int byte = hex_digit(text.ptr[2 * i]) << 4 | hex_digit(text.ptr[2 * i + 1]);

        out[i] = byte == 0 ? ' ' : (char)byte;
    }
    return str_of(out, out == NULL ? 0 : text.len / 2);
}

/* Several keys of rules stand in one value, parted by \1. */
static int add_value(struct log_reading *reading, struct str name, struct str value)
{
    struct str part;
    int r = 0;

    if (!log_is(name, STR("key")) || str_find_byte(value, '\1') == value.len) {
        return log_add_own(reading, name, value);
    }
    while (r == 0 && str_cut(&value, '\1', &part)) {
        r = log_add_own(reading, name, part);
    }
    return r;
}

/* A value and what encloses it: "…", '…' (fields again), {…}, or a word. is_plain: decode it. */
static struct str take_value(struct str *rest, bool *ret_is_plain)
{
    char open = rest->len > 0 ? rest->ptr[0] : 0;
    char close = open == '"' || open == '\'' ? open : 0;
    struct str value;
    size_t len = 0;

    close = open == '{' ? '}' : close;
    *ret_is_plain = close == 0;
    if (close != 0) {
        len = str_find_byte(str_slice(*rest, 1, rest->len), close);
        value = str_slice(*rest, 1, len + 1);
        *rest = str_slice(*rest, len + 2, rest->len);
        return value;
    }
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\x1d') {
        len++;
    }
    value = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return value;
}

static int add_fields(struct log_reading *reading, const struct audit_record *record,
                      struct str rest);

/* NOLINTNEXTLINE(misc-no-recursion): a msg's quotes hold no other */
static int add_field(struct log_reading *reading, const struct audit_record *record,
                     struct str name, struct str *rest)
{
    bool is_nested = log_is(name, STR("msg")) && rest->len > 0 && rest->ptr[0] == '\'';
    bool is_plain;
    struct str value = take_value(rest, &is_plain);

    if (is_nested) {
        return add_fields(reading, record, value);
    }
    if (is_plain && is_encoded(record, name)) {
        struct str text = decoded(reading->arena, value);

        if (text.ptr == NULL && value.len != 0) {
            return -ERR_NOMEM;
        }
        value = text;
    }
    return add_value(reading, name, value);
}

/* name=value, parted by spaces, commas and, before the enriched ones, \x1d. A msg in single quotes
 * holds fields once more.
 * NOLINTNEXTLINE(misc-no-recursion): a msg's quotes hold no other */
static int add_fields(struct log_reading *reading, const struct audit_record *record,
                      struct str rest)
{
    int r = 0;

    while (r == 0 && rest.len > 0) {
        size_t at = 0;
        struct str name;

        while (at < rest.len && rest.ptr[at] != '=' && rest.ptr[at] != ' ' &&
               rest.ptr[at] != '\x1d') {
            at++;
        }
        name = str_slice(rest, 0, at);
        if (at == rest.len || rest.ptr[at] != '=' || at == 0 || at > ENTRY_NAME_MAX) {
            rest = str_slice(rest, at + 1, rest.len);
            continue;
        }
        rest = str_slice(rest, at + 1, rest.len);
        r = add_field(reading, record, name, &rest);
    }
    return r;
}

/* a0, a1 … of an EXECVE as one text. */
static int add_cmdline(struct log_reading *reading, size_t from)
{
    struct entry *entry = &reading->entry;
    size_t until = entry->count;
    size_t size = 0;
    size_t len = 0;
    char *out;

    for (size_t i = from; i < until; i++) {
        size += entry->fields[i].value.len + 1;
    }
    out = arena_alloc(reading->arena, size + 1, 1);
    if (out == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = from; i < until && i < from + ARGUMENTS_MAX; i++) {
        struct str name = entry->fields[i].name;
        struct str value = entry->fields[i].value;

        if (name.len < 2 || name.ptr[0] != 'a' || !log_is_digit(name.ptr[1])) {
            continue;
        }
        if (len != 0) {
            out[len++] = ' ';
        }
        memcpy(out + len, value.ptr, value.len);
        len += value.len;
    }
    return log_add(reading, LOG_NAME_CMDLINE, str_of(out, len));
}

static int add_record(struct log_reading *reading, const struct audit_record *record)
{
    size_t from;
    int r = log_add(reading, LOG_NAME_TYPE, record->type);

    from = reading->entry.count;
    r = r < 0 ? r : add_fields(reading, record, record->body);
    return r == 0 && log_is(record->type, STR("EXECVE")) ? add_cmdline(reading, from) : r;
}

/* All lines of the event: as they lie in the block when they follow each other, else joined. */
static int join_raw(struct log_reading *reading, const struct audit_event *event)
{
    const struct audit_record *last = &event->records[event->count - 1];
    size_t size = 0;
    char *out;

    if (last->number - event->records[0].number + 1 == event->count) {
        const char *front = event->records[0].line.ptr;

        reading->entry.raw = str_of(front, (size_t)(last->line.ptr + last->line.len - front));
        return 0;
    }
    for (size_t i = 0; i < event->count; i++) {
        size += event->records[i].line.len + 1;
    }
    out = arena_alloc(reading->arena, size, 1);
    if (out == NULL) {
        return -ERR_NOMEM;
    }
    reading->entry.raw = str_of(out, size - 1);
    for (size_t i = 0; i < event->count; i++) {
        memcpy(out, event->records[i].line.ptr, event->records[i].line.len);
        out += event->records[i].line.len;
        *out++ = '\n';
    }
    return 0;
}

static int hand_on_event(struct audit_reader *reader, const struct audit_event *event)
{
    struct log_reading *reading = reader->reading;
    struct entry *entry = &reading->entry;
    int r;

    arena_reset(reading->arena);
    entry_reset(entry);
    entry->source = (struct logsource){STR("linux"), STR(""), STR("auditd")};
    entry->number = event->records[0].number;
    entry->host = event->records[0].node;
    if (log_time_take(event->stamp, reading, &entry->time) == 0) {
        entry->faults |= ENTRY_FAULT_TIME;
    }
    r = join_raw(reading, event);
    for (size_t i = 0; r == 0 && i < event->count; i++) {
        r = add_record(reading, &event->records[i]);
    }
    return r < 0 ? r : log_hand_on(reading, entry, reader->fn, reader->context);
}

static int close_oldest(struct audit_reader *reader)
{
    struct audit_event *oldest = reader->open[0];
    int r = hand_on_event(reader, oldest);

    reader->count--;
    memmove(&reader->open[0], &reader->open[1], reader->count * sizeof(reader->open[0]));
    reader->open[reader->count] = oldest;
    return r;
}

/* The open event of the record, or a new one; NULL and *ret_r when the oldest could not be handed
 * on. */
static struct audit_event *find_event(struct audit_reader *reader, struct str stamp, int *ret_r)
{
    struct audit_event *event;

    for (size_t i = 0; i < reader->count; i++) {
        if (reader->open[i]->count < AUDIT_RECORDS_MAX && log_is(reader->open[i]->stamp, stamp)) {
            return reader->open[i];
        }
    }
    if (reader->count == AUDIT_OPEN_MAX) {
        *ret_r = close_oldest(reader);
        if (*ret_r < 0) {
            return NULL;
        }
    }
    event = reader->open[reader->count++];
    event->stamp = stamp;
    event->count = 0;
    return event;
}

/* What is no record keeps its place: a line by itself, marked. */
static int hand_on_stray(struct audit_reader *reader, struct str line)
{
    struct log_reading *reading = reader->reading;
    int r = 0;

    while (r == 0 && reader->count > 0) {
        r = close_oldest(reader);
    }
    if (r < 0) {
        return r;
    }
    log_begin(reading, &line);
    reading->entry.source = (struct logsource){STR("linux"), STR(""), STR("auditd")};
    reading->entry.faults |= ENTRY_FAULT_SYNTAX | ENTRY_FAULT_TIME;
    r = log_add(reading, LOG_NAME_MESSAGE, line);
    return r < 0 ? r : log_hand_on(reading, &reading->entry, reader->fn, reader->context);
}

static bool is_passed(struct str line)
{
    return line.len == 0 || log_is(line, STR("----")) || log_starts(line, STR("time->"));
}

static int read_audit_line(struct audit_reader *reader, struct str line)
{
    struct audit_record record;
    struct audit_event *event;
    int r = 0;

    if (is_passed(line)) {
        reader->reading->counts.passed++;
        return 0;
    }
    line.len = line.len > ENTRY_SIZE_MAX ? ENTRY_SIZE_MAX : line.len;
    if (!record_parse(line, &record)) {
        return hand_on_stray(reader, line);
    }
    event = find_event(reader, record.stamp, &r);
    if (event != NULL) {
        record.number = reader->reading->number;
        event->records[event->count++] = record;
    }
    return r;
}

static int audit_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct audit_reader *reader = mem_alloc(1, sizeof(*reader));
    struct str rest = block;
    struct str line;
    int r = 0;

    if (reader == NULL) {
        return -ERR_NOMEM;
    }
    log_resolve(reading);
    for (size_t i = 0; i < AUDIT_OPEN_MAX; i++) {
        reader->open[i] = &reader->events[i];
    }
    reader->reading = reading;
    reader->fn = fn;
    reader->context = context;
    reading->counts.bytes += block.len;
    for (; r == 0 && log_take_line(&rest, &line); reading->number++) {
        r = read_audit_line(reader, line);
    }
    while (r == 0 && reader->count > 0) {
        r = close_oldest(reader);
    }
    mem_free(reader);
    return r;
}

/* An event that is open while audit_cut goes over the records. */
struct audit_span {
    struct str stamp;
    size_t start;
    size_t count;
    bool is_clean; /* no event is on both sides of start */
};

struct audit_spans {
    struct audit_span open[AUDIT_OPEN_MAX]; /* the oldest first */
    size_t count;
    size_t safe; /* the last place where the bytes may be cut */
};

/* The oldest is over: nothing can reach over its start any more. */
static void span_close(struct audit_spans *spans)
{
    if (spans->open[0].is_clean) {
        spans->safe = spans->open[0].start;
    }
    spans->count--;
    memmove(&spans->open[0], &spans->open[1], spans->count * sizeof(spans->open[0]));
}

static void span_add(struct audit_spans *spans, struct str stamp, size_t start)
{
    for (size_t i = 0; i < spans->count; i++) {
        if (spans->open[i].count < AUDIT_RECORDS_MAX && log_is(spans->open[i].stamp, stamp)) {
            spans->open[i].count++;
            for (size_t j = i + 1; j < spans->count; j++) {
                spans->open[j].is_clean = false;
            }
            return;
        }
    }
    if (spans->count == AUDIT_OPEN_MAX) {
        span_close(spans);
    }
    spans->open[spans->count++] =
        (struct audit_span){.stamp = stamp, .start = start, .count = 1, .is_clean = true};
}

/* Where no event is on both sides, and none on the left side could go on in bytes that have not
 * come: found by doing what audit_read will do. */
static size_t audit_cut(struct str bytes, bool is_end)
{
    size_t whole = log_cut_lines(bytes, is_end);
    struct audit_spans spans = {0};
    struct str rest = str_slice(bytes, 0, whole);
    struct str line;

    if (is_end || whole == 0) {
        return whole;
    }
    while (log_take_line(&rest, &line)) {
        struct audit_record record;

        if (is_passed(line)) {
            continue;
        }
        if (record_parse(line, &record)) {
            span_add(&spans, record.stamp, (size_t)(line.ptr - bytes.ptr));
            continue;
        }
        while (spans.count > 0) {
            span_close(&spans);
        }
        spans.safe = rest.len > 0 ? (size_t)(rest.ptr - bytes.ptr) : whole;
    }
    if (spans.count > 0 && spans.open[0].is_clean) {
        spans.safe = spans.open[0].start;
    }
    return spans.safe == 0 && bytes.len > ENTRY_SIZE_MAX ? whole : spans.safe;
}

static bool is_record(struct str line)
{
    struct audit_record record;

    return is_passed(line) || record_parse(line, &record);
}

static unsigned audit_weigh(struct str head)
{
    return log_weigh_lines(head, is_record) >= 60 ? 97 : 0;
}

const struct log_format audit_log_format = {
    .name = "audit",
    .title = N_("Linux audit (auditd's file, ausearch --raw)"),
    .weigh = audit_weigh,
    .cut = audit_cut,
    .read = audit_read,
};
