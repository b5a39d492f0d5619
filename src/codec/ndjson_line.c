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

static int line_take(void *context, const struct entry *read)
{
    struct entry *entry = context;
    int r = 0;

    for (size_t i = 0; r == 0 && i < read->count; i++) {
        r = entry_add(entry, &read->fields[i]);
    }
    entry->time = read->time;
    entry->host = read->host;
    entry->source = read->source;
    return r;
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
    return 0;
}

int ndjson_line_read(struct ndjson_line *line, struct log_reading *outer, struct str text)
{
    struct str first = str_slice(text, 0, str_find_byte(text, '\n'));
    const struct log_format *format = line_format(line, first);
    uint64_t before;
    int r;

    if (format == NULL) {
        return 0;
    }
    r = line_start(line, outer);
    if (r < 0) {
        return r;
    }
    before = line->reading->counts.entries;
    r = format->read(line->reading, first, line_take, &outer->entry);
    return r < 0 ? r : line->reading->counts.entries != before;
}
