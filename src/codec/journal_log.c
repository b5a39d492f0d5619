/* journald's export stream (journalctl -o export, systemd-journal-remote): fields are NAME=value
 * lines, or NAME, a length of eight bytes and so many bytes; an empty line ends an entry. All
 * fields stay under the journal's names; those of syslog come beside them, and the message is read
 * by the forms of its program. Hostile bytes. Source: systemd, "Journal Export Formats". */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/forms.h"
#include "codec/log_text.h"
#include "codec/syslog.h"

#include <stddef.h>

#define LENGTH_SIZE         8
#define JOURNAL_NAME_MAX    64 /* bytes */
#define JOURNAL_NOTED_LEAST 2

enum journal_step {
    JOURNAL_STEP_FIELD,
    JOURNAL_STEP_END,  /* the empty line */
    JOURNAL_STEP_MORE, /* bytes are missing */
};

/* Takes a field, or the empty line, from the front. */
static enum journal_step take_field(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    size_t end = str_find_byte(*rest, '\n');
    struct str line = str_slice(*rest, 0, end);
    size_t equals = str_find_byte(line, '=');
    uint64_t len = 0;

    if (end == rest->len) {
        return JOURNAL_STEP_MORE;
    }
    if (line.len == 0 || equals < line.len) {
        *ret_name = str_slice(line, 0, equals);
        *ret_value = str_slice(line, equals + 1, line.len);
        *rest = str_slice(*rest, end + 1, rest->len);
        return line.len == 0 ? JOURNAL_STEP_END : JOURNAL_STEP_FIELD;
    }
    if (rest->len - end - 1 < LENGTH_SIZE) {
        return JOURNAL_STEP_MORE;
    }
    for (size_t i = 0; i < LENGTH_SIZE; i++) {
        len |= (uint64_t)(uint8_t)rest->ptr[end + 1 + i] << (8 * i);
    }
    if (len >= rest->len - end - 1 - LENGTH_SIZE) {
        return JOURNAL_STEP_MORE; /* its newline too */
    }
    *ret_name = line;
    *ret_value = str_slice(*rest, end + 1 + LENGTH_SIZE, end + 1 + LENGTH_SIZE + len);
    *rest = str_slice(*rest, end + 1 + LENGTH_SIZE + len + 1, rest->len);
    return JOURNAL_STEP_FIELD;
}

static size_t journal_cut(struct str bytes, bool is_end)
{
    struct str rest = bytes;
    struct str name;
    struct str value;
    size_t whole = 0;
    enum journal_step step;

    if (is_end) {
        return bytes.len;
    }
    do {
        step = take_field(&rest, &name, &value);
        if (step == JOURNAL_STEP_END) {
            whole = bytes.len - rest.len;
        }
    } while (step != JOURNAL_STEP_MORE);
    return whole == 0 && bytes.len > ENTRY_SIZE_MAX ? bytes.len : whole;
}

/* What the journal has that syslog would have. */
struct journal_entry {
    struct str message;
    struct str identifier;
    struct str comm;
    struct str pid;
    struct str syslog_pid;
    struct str host;
    struct str priority;
    struct str facility;
    struct str uid;
    struct str unit;
    struct str time;
    struct str source_time;
};

/* Where it goes; NULL: nowhere. */
static struct str *noted_field(struct journal_entry *entry, struct str name)
{
    static const struct {
        struct str name;
        size_t at;
    } noted[] = {
        {{"MESSAGE", 7}, offsetof(struct journal_entry, message)},
        {{"SYSLOG_IDENTIFIER", 17}, offsetof(struct journal_entry, identifier)},
        {{"_COMM", 5}, offsetof(struct journal_entry, comm)},
        {{"_PID", 4}, offsetof(struct journal_entry, pid)},
        {{"SYSLOG_PID", 10}, offsetof(struct journal_entry, syslog_pid)},
        {{"_HOSTNAME", 9}, offsetof(struct journal_entry, host)},
        {{"PRIORITY", 8}, offsetof(struct journal_entry, priority)},
        {{"SYSLOG_FACILITY", 15}, offsetof(struct journal_entry, facility)},
        {{"_UID", 4}, offsetof(struct journal_entry, uid)},
        {{"_SYSTEMD_UNIT", 13}, offsetof(struct journal_entry, unit)},
        {{"__REALTIME_TIMESTAMP", 20}, offsetof(struct journal_entry, time)},
        {{"_SOURCE_REALTIME_TIMESTAMP", 26}, offsetof(struct journal_entry, source_time)},
    };

    for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++) {
        if (log_is(noted[i].name, name)) {
            return (struct str *)(void *)((char *)entry + noted[i].at);
        }
    }
    return NULL;
}

static void note_field(struct journal_entry *entry, struct str name, struct str value)
{
    struct str *to = noted_field(entry, name);

    if (to != NULL && to->len == 0) {
        *to = value;
    }
}

static int add_if(struct log_reading *reading, enum log_name name, struct str value)
{
    return value.len == 0 ? 0 : log_add(reading, name, value);
}

static void take_time(struct log_reading *reading, const struct journal_entry *entry)
{
    struct str text = entry->source_time.len != 0 ? entry->source_time : entry->time;
    uint64_t microseconds;

    if (str_to_u64(text, &microseconds) < 0 || microseconds > INT64_MAX / 1000) {
        reading->entry.faults |= ENTRY_FAULT_TIME;
        return;
    }
    reading->entry.time = (int64_t)microseconds * 1000;
}

/* The journal has numbers where syslog's readers give names; -1 for no number. */
static int small_number(struct str text, uint64_t max)
{
    uint64_t value;

    return str_to_u64(text, &value) == 0 && value <= max ? (int)value : -1;
}

static int add_syslog(struct log_reading *reading, const struct journal_entry *entry)
{
    int severity = small_number(entry->priority, 7);
    int facility = small_number(entry->facility, 23);
    struct str program = entry->identifier.len != 0 ? entry->identifier : entry->comm;
    int r;

    reading->entry.host = entry->host;
    r = log_add(reading, LOG_NAME_MESSAGE, entry->message);
    r = r < 0 ? r : add_if(reading, LOG_NAME_PROGRAM, program);
    r = r < 0 ? r
              : add_if(reading, LOG_NAME_PID, entry->pid.len != 0 ? entry->pid : entry->syslog_pid);
    r = r < 0 ? r : add_if(reading, LOG_NAME_HOST, entry->host);
    r = r < 0 ? r : add_if(reading, LOG_NAME_SEVERITY, syslog_severity(severity));
    r = r < 0
            ? r
            : add_if(reading, LOG_NAME_FACILITY, syslog_facility(facility < 0 ? -1 : facility * 8));
    r = r < 0 ? r : add_if(reading, LOG_NAME_UID, entry->uid);
    r = r < 0 ? r : add_if(reading, LOG_NAME_UNIT, entry->unit);
    return r < 0 ? r : forms_read(reading, program, str_trim(entry->message));
}

/* Adds the entry's own fields and counts them. */
static int read_fields(struct log_reading *reading, struct str *rest, struct journal_entry *entry,
                       size_t *ret_count)
{
    enum journal_step step;
    int r = 0;

    do {
        struct str name = {0};
        struct str value = {0};

        step = take_field(rest, &name, &value);
        if (step == JOURNAL_STEP_MORE) { /* cut off, or what is no field */
            reading->entry.faults |= rest->len > 0 ? ENTRY_FAULT_SYNTAX : 0U;
            *ret_count += rest->len > 0;
            *rest = str_slice(*rest, rest->len, rest->len);
            return 0;
        }
        if (step == JOURNAL_STEP_FIELD) {
            ++*ret_count;
            note_field(entry, name, value);
            r = name.len > ENTRY_NAME_MAX ? 0 : log_add_own(reading, name, value);
        }
    } while (r == 0 && step == JOURNAL_STEP_FIELD);
    return r;
}

static int journal_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct str rest = block;
    int r = 0;

    log_resolve(reading);
    reading->counts.bytes += block.len;
    while (r == 0 && rest.len > 0) {
        struct journal_entry entry = {0};
        struct str from = rest;
        size_t count = 0;
        struct str raw;

        arena_reset(reading->arena);
        entry_reset(&reading->entry);
        reading->entry.number = reading->number;
        reading->entry.is_structured = true;
        r = read_fields(reading, &rest, &entry, &count);
        raw = str_slice(from, 0, from.len - rest.len);
        reading->number++;
        if (count == 0) {
            reading->counts.passed++;
            reading->number--;
            continue;
        }
        reading->entry.raw = raw;
        take_time(reading, &entry);
        r = r < 0 ? r : add_syslog(reading, &entry);
        r = r < 0 ? r : log_hand_on(reading, &reading->entry, fn, context);
    }
    return r;
}

static uint64_t journal_count(struct str block)
{
    struct str name;
    struct str value;
    uint64_t entries = 0;
    size_t fields = 0;

    while (block.len > 0) {
        enum journal_step step = take_field(&block, &name, &value);

        if (step == JOURNAL_STEP_MORE) {
            return entries + 1;
        }
        entries += step == JOURNAL_STEP_END && fields > 0;
        fields = step == JOURNAL_STEP_END ? 0 : fields + 1;
    }
    return entries + (fields > 0);
}

static bool is_journal_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9' && i != 0) && c != '_') {
            return false;
        }
    }
    return name.len != 0 && name.len <= JOURNAL_NAME_MAX;
}

/* Whether an entry stands at the front that has two fields at least that only a journal calls so,
 * in any order: journalctl begins with the cursor, others need not. */
static bool is_journal_entry(struct str head)
{
    struct journal_entry entry = {0};
    unsigned noted = 0;
    enum journal_step step;
    struct str name;
    struct str value;

    while ((step = take_field(&head, &name, &value)) == JOURNAL_STEP_FIELD) {
        if (!is_journal_name(name)) {
            return false;
        }
        noted += noted_field(&entry, name) != NULL;
    }
    return noted >= JOURNAL_NOTED_LEAST;
}

static unsigned journal_weigh(struct str head)
{
    while (str_has_prefix(head, STR("\n"))) {
        head = str_slice(head, 1, head.len);
    }
    return str_has_prefix(head, STR("__CURSOR=")) ||
                   str_has_prefix(head, STR("__REALTIME_TIMESTAMP=")) || is_journal_entry(head)
               ? 99
               : 0;
}

const struct log_format journal_log_format = {
    .name = "journal",
    .title = N_("journal export (journalctl -o export)"),
    .weigh = journal_weigh,
    .cut = journal_cut,
    .read = journal_read,
    .count = journal_count,
};
