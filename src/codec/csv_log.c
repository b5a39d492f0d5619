/* CSV with a heading as a format of logs, on top of codec/csv.h: columns are fields. Taken for one
 * only when the first row is nothing but names and the next have as many fields. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/csv.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

#define COLUMNS_SURE 3
#define ROWS_WEIGHED 16

struct heading {
    struct str names[CSV_FIELDS_MAX];
    uint32_t ids[CSV_FIELDS_MAX];
    size_t count;
    size_t time; /* of the column; count: none */
    char separator;
    struct str raw;
};

static bool is_time_name(struct str name)
{
    static const char *const names[] = {"time",        "timestamp",    "@timestamp",    "date",
                                        "datetime",    "_time",        "timegenerated", "eventtime",
                                        "timecreated", "creationtime", "date time"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_is_nocase(name, str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_column_name(struct str name)
{
    if (name.len == 0 || name.len > 64 || log_is_digit(name.ptr[0])) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (log_is_one_of(name.ptr[i], STR("=:/\\{}<>\"'"))) {
            return false;
        }
    }
    return true;
}

/* The names of the first row; false when it is no heading. */
static bool heading_read(const struct log_reading *reading, struct str text,
                         struct heading *heading)
{
    struct csv_reader reader;
    int count;

    csv_open(&reader, text);
    count = csv_next(&reader, NULL, heading->names);
    if (count < COLUMNS_SURE) {
        return false;
    }
    heading->count = (size_t)count;
    heading->time = heading->count;
    heading->separator = reader.separator;
    heading->raw = str_trim(str_slice(text, 0, text.len - reader.rest.len));
    for (size_t i = 0; i < heading->count; i++) {
        if (!is_column_name(heading->names[i])) {
            return false;
        }
        heading->ids[i] = entry_names_find(reading->names, heading->names[i]);
        if (heading->time == heading->count && is_time_name(heading->names[i])) {
            heading->time = i;
        }
    }
    return true;
}

static int add_row(struct log_reading *reading, const struct heading *heading,
                   const struct str *values, int count)
{
    int r = 0;

    if (count < 0 || (size_t)count != heading->count) {
        reading->entry.faults |= ENTRY_FAULT_SYNTAX;
    }
    for (size_t i = 0; r == 0 && count > 0 && i < heading->count && i < (size_t)count; i++) {
        r = entry_add(&reading->entry, &(struct entry_field){.name = heading->names[i],
                                                             .value = values[i],
                                                             .id = heading->ids[i],
                                                             .type = ENTRY_TYPE_TEXT});
    }
    if (count <= 0 || heading->time >= (size_t)count ||
        log_time_take(values[heading->time], reading, &reading->entry.time) == 0) {
        reading->entry.faults |= ENTRY_FAULT_TIME;
    }
    return r;
}

static int csv_log_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct str head = reading->head.len != 0 ? reading->head : block;
    struct str values[CSV_FIELDS_MAX] = {{0}};
    struct heading heading = {0};
    struct csv_reader reader;
    uint64_t number = reading->number;
    int r = 0;

    (void)heading_read(reading, head, &heading);
    reading->counts.bytes += block.len;
    csv_open(&reader, block);
    reader.separator = heading.count != 0 ? heading.separator : reader.separator;
    while (r == 0 && reader.rest.len > 0) {
        struct str before = reader.rest;
        struct str raw;
        int count;

        arena_reset(reading->arena);
        count = csv_next(&reader, reading->arena, values);
        raw = str_trim(str_slice(before, 0, before.len - reader.rest.len));
        if (count == -ERR_NOMEM) {
            return count;
        }
        if (count == 0 || str_is(raw, heading.raw)) {
            reading->counts.passed++;
            continue;
        }
        entry_reset(&reading->entry);
        reading->entry.raw = raw;
        reading->entry.is_structured = heading.count != 0;
        reading->entry.number = number + reader.line - 1;
        r = add_row(reading, &heading, values, count);
        r = r < 0 ? r : log_hand_on(reading, &reading->entry, fn, context);
    }
    reading->number = number + reader.next_line - 1;
    return r;
}

/* The last newline that stands in no quoted field: those begin behind a separator. */
static size_t csv_log_cut(struct str bytes, bool is_end)
{
    bool is_quoted = false;
    size_t whole = 0;

    if (is_end) {
        return bytes.len;
    }
    for (size_t at = 0; at < bytes.len; at++) {
        char c = bytes.ptr[at];

        if (c == '"' && is_quoted) {
            is_quoted = at + 1 < bytes.len && bytes.ptr[at + 1] == '"';
            at += is_quoted;
        } else if (c == '"') {
            is_quoted = at == 0 || log_is_one_of(bytes.ptr[at - 1], STR(",;\t\n"));
        } else if (c == '\n' && !is_quoted) {
            whole = at + 1;
        }
    }
    return whole == 0 && bytes.len > ENTRY_SIZE_MAX ? bytes.len : whole;
}

static unsigned csv_log_weigh(struct str head)
{
    static const struct log_reading nowhere;
    struct str values[CSV_FIELDS_MAX];
    struct heading heading = {0};
    struct csv_reader reader;
    unsigned rows = 0;

    if (!heading_read(&nowhere, head, &heading)) {
        return 0;
    }
    csv_open(&reader, head);
    (void)csv_next(&reader, NULL, values);
    for (; rows < ROWS_WEIGHED; rows++) {
        int count = csv_next(&reader, NULL, values);

        if (count == 0 || (reader.rest.len == 0 && head.len >= LOG_HEAD_SIZE)) {
            break; /* the last one may be cut */
        }
        if (count > 0 && (size_t)count != heading.count) {
            return 0;
        }
    }
    if (rows == 0) {
        return 0;
    }
    return heading.time < heading.count ? 70 : 60;
}

const struct log_format csv_log_format = {
    .name = "csv",
    .title = N_("CSV with a heading"),
    .weigh = csv_log_weigh,
    .cut = csv_log_cut,
    .read = csv_log_read,
    .has_head = true,
};
