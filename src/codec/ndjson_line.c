/* Lines in records: see codec/ndjson_line.h. */
#include "codec/ndjson_line.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define SURE_ENOUGH 50 /* of a hundred */

void ndjson_line_done(struct ndjson_line *line)
{
    if (line->reading != NULL) {
        log_reading_done(line->reading);
        mem_free(line->reading);
    }
    *line = (struct ndjson_line){0};
}

struct taking {
    struct entry *entry;
    struct entry before; /* what it was but for its fields' place */
    unsigned count;      /* of records */
};

/* Of several records, or of one that is broken, nothing is taken: what a rule asks of one must not
 * be answered by another. */
static int line_take(void *context, const struct entry *read)
{
    struct taking *taking = context;
    struct entry *entry = taking->entry;
    int r = 0;

    if (taking->count++ != 0 || (read->faults & ENTRY_FAULT_SYNTAX) != 0) {
        taking->count = 2;
        return -ERR_CANCELED;
    }
    for (size_t i = 0; r == 0 && i < read->count; i++) {
        r = entry_add(entry, &read->fields[i]);
    }
    entry->time = read->time != 0 ? read->time : entry->time;
    entry->host = read->host.len > 0 ? read->host : entry->host;
    entry->source = read->source;
    entry->faults |= read->faults & (ENTRY_FAULT_CUT | ENTRY_FAULT_DEPTH);
    return r;
}

static void taking_undo(const struct taking *taking)
{
    struct entry *entry = taking->entry;

    entry->count = taking->before.count;
    entry->time = taking->before.time;
    entry->host = taking->before.host;
    entry->source = taking->before.source;
    entry->faults = taking->before.faults;
}

/* Most often the last line's. */
static const struct log_format *line_format(struct ndjson_line *line, struct str text)
{
    if (line->format == NULL || line->format->weigh(text) < SURE_ENOUGH) {
        line->format = log_format_guess(text);
    }
    return line->format->weigh(text) < SURE_ENOUGH ? NULL : line->format;
}

static int line_start(struct ndjson_line *line, const struct log_reading *outer)
{
    int r;

    if (line->reading != NULL && line->reading->names != outer->names) {
        ndjson_line_done(line);
    }
    if (line->reading == NULL) {
        struct log_reading *reading = mem_alloc(1, sizeof(*reading));

        if (reading == NULL) {
            return -ERR_NOMEM;
        }
        r = log_reading_init(reading, outer->names);
        if (r < 0) {
            mem_free(reading);
            return r;
        }
        line->reading = reading;
    }
    line->reading->zone = outer->zone;
    line->reading->around = outer->around;
    line->reading->inside = outer->inside + 1;
    return 0;
}

int ndjson_line_read(struct ndjson_line *line, struct log_reading *outer, struct str text)
{
    struct str first = str_slice(text, 0, str_find_byte(text, '\n'));
    const struct log_format *format =
        outer->inside < LOG_INSIDE_MAX ? line_format(line, first) : NULL;
    struct taking taking = {.entry = &outer->entry, .before = outer->entry};
    int r;

    if (format == NULL) {
        return 0;
    }
    r = line_start(line, outer);
    if (r < 0) {
        return r;
    }
    r = format->read(line->reading, first, line_take, &taking);
    if (r == -ERR_CANCELED) {
        taking_undo(&taking);
        return 0;
    }
    return r < 0 ? r : (int)taking.count;
}
