/* The formats as a list, and what all formats of lines share: see codec/logs.h. */
#include "codec/logs.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define TIME_DIGITS   19         /* of the largest int64_t */
#define READING_ARENA (8u << 20) /* unescaped texts of one entry stay below its size; names too */

#define FORMAT(name)  extern const struct log_format name##_log_format;
#include "codec/logs.def"
#undef FORMAT

const struct log_format *const log_formats[] = {
#define FORMAT(name) &name##_log_format,
#include "codec/logs.def"
#undef FORMAT
    NULL,
};

int log_reading_init(struct log_reading *reading, const struct entry_names *names)
{
    *reading = (struct log_reading){.names = names, .number = 1};
    entry_init(&reading->entry);
    return arena_new(READING_ARENA, &reading->arena);
}

void log_reading_done(struct log_reading *reading)
{
    entry_done(&reading->entry);
    arena_freep(&reading->arena);
    if (reading->state_free != NULL) {
        reading->state_free(reading->state);
        reading->state_free = NULL;
    }
}

const struct log_format *log_format_find(struct str name)
{
    for (size_t i = 0; log_formats[i] != NULL; i++) {
        if (str_is_text(name, log_formats[i]->name)) {
            return log_formats[i];
        }
    }
    return NULL;
}

const struct log_format *log_format_guess(struct str head)
{
    const struct log_format *best = NULL;
    unsigned most = 0;

    for (size_t i = 0; log_formats[i] != NULL; i++) {
        unsigned sure = log_formats[i]->weigh(head);

        if (best == NULL || sure > most) {
            best = log_formats[i];
            most = sure;
        }
    }
    return best;
}

size_t log_cut_lines(struct str bytes, bool is_end)
{
    const char *last = bytes.len > 0 ? memrchr(bytes.ptr, '\n', bytes.len) : NULL;

    if (last != NULL) {
        return (size_t)(last - bytes.ptr) + 1;
    }
    return is_end || bytes.len > ENTRY_SIZE_MAX ? bytes.len : 0;
}

static struct str log_known(struct str caller, struct str read)
{
    return caller.len > 0 ? caller : read;
}

/* For rules that ask for a part of the entry's own time ("timestamp|hour"). */
static int log_add_time(const struct log_reading *reading, struct entry *entry)
{
    struct entry_field field = {.name = log_names[LOG_NAME_TIMESTAMP],
                                .id = reading->ids[LOG_NAME_TIMESTAMP],
                                .type = ENTRY_TYPE_NUMBER};
    char *digits;
    size_t at = TIME_DIGITS;

    if (field.id == 0 || entry->time <= 0 || entry_find(entry, field.name) != NULL) {
        return 0;
    }
    digits = arena_alloc(reading->arena, TIME_DIGITS, 1);
    if (digits == NULL) {
        return -ERR_NOMEM;
    }
    for (int64_t rest = entry->time; rest > 0; rest /= 10) {
        digits[--at] = (char)('0' + rest % 10);
    }
    field.value = str_of(digits + at, TIME_DIGITS - at);
    return entry_add(entry, &field);
}

int log_hand_on(struct log_reading *reading, struct entry *entry, entry_fn *fn, void *context)
{
    int r = log_add_time(reading, entry);

    if (r < 0) {
        return r;
    }
    entry->source.product = log_known(reading->source.product, entry->source.product);
    entry->source.category = log_known(reading->source.category, entry->source.category);
    entry->source.service = log_known(reading->source.service, entry->source.service);
    if (entry->raw.len > ENTRY_SIZE_MAX) {
        entry->raw.len = ENTRY_SIZE_MAX;
        entry->faults |= ENTRY_FAULT_CUT;
    }
    reading->counts.entries++;
    reading->counts.faulty += entry_is_faulty(entry);
    reading->counts.undated += (entry->faults & ENTRY_FAULT_TIME) != 0;
    return fn(context, entry);
}

/* The format of last resort. */
static unsigned lines_weigh(struct str head)
{
    (void)head;
    return 1;
}

static int lines_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct str rest = block;
    struct str line;
    int r = 0;

    reading->counts.bytes += block.len;
    for (; r == 0 && rest.len > 0 && str_cut(&rest, '\n', &line); reading->number++) {
        line.len -= line.len > 0 && line.ptr[line.len - 1] == '\r';
        if (line.len == 0) {
            reading->counts.passed++;
            continue;
        }
        entry_reset(&reading->entry);
        reading->entry.raw = line;
        reading->entry.number = reading->number;
        reading->entry.faults = ENTRY_FAULT_TIME;
        r = log_hand_on(reading, &reading->entry, fn, context);
    }
    return r;
}

const struct log_format lines_log_format = {
    .name = "lines",
    .title = N_("lines of text that no other format knows"),
    .weigh = lines_weigh,
    .cut = log_cut_lines,
    .read = lines_read,
};
