/* See codec/log_text.h. */
#include "codec/log_text.h"

#include "base/banned.h"
#include "base/time.h"

#define WEIGHED_LINES 64

const struct str log_names[LOG_NAME_COUNT] = {
#define NAME(constant, text) [LOG_NAME_##constant] = {text, sizeof(text) - 1},
#include "codec/log_names.def"
#undef NAME
};

bool log_name_find(struct str text, enum log_name *ret_name)
{
    for (unsigned i = 0; i < LOG_NAME_COUNT; i++) {
        if (str_is(log_names[i], text)) {
            *ret_name = (enum log_name)i;
            return true;
        }
    }
    return false;
}

void log_resolve(struct log_reading *reading)
{
    reading->year = reading->around == 0 ? 0 : time_year(reading->around);
    if (reading->resolved == reading->names) {
        return;
    }
    for (unsigned i = 0; i < LOG_NAME_COUNT; i++) {
        reading->ids[i] = entry_names_find(reading->names, log_names[i]);
    }
    reading->resolved = reading->names;
}

enum byte_class {
    BYTE_DIGIT = 1,
    BYTE_DOT = 2,
    BYTE_COLON = 4,
    BYTE_HEX = 8,
    BYTE_OTHER = 16,
};

static unsigned byte_class(char c)
{
    if (log_is_digit(c)) {
        return BYTE_DIGIT;
    }
    if (c == '.' || c == ':') {
        return c == '.' ? BYTE_DOT : BYTE_COLON;
    }
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? BYTE_HEX : BYTE_OTHER;
}

/* By its signs alone: rules that compare addresses read them anew. */
bool log_is_address(struct str text)
{
    unsigned seen = 0;

    if (text.len < 2 || text.len > 60) {
        return false;
    }
    for (size_t i = 0; i < text.len && (seen & BYTE_OTHER) == 0; i++) {
        if (text.ptr[i] == '%') {
            break; /* fe80::1%eth0 */
        }
        seen |= byte_class(text.ptr[i]);
    }
    return (seen & BYTE_OTHER) == 0 &&
           ((seen & BYTE_COLON) != 0 || seen == (BYTE_DIGIT | BYTE_DOT));
}

int log_add_address(struct log_reading *reading, enum log_name name, struct str value)
{
    return log_add(reading, log_is_address(value) ? name : (enum log_name)(name + 1), value);
}

void log_begin(struct log_reading *reading, struct str *line)
{
    arena_reset(reading->arena);
    entry_reset(&reading->entry);
    if (line->len > ENTRY_SIZE_MAX) {
        line->len = ENTRY_SIZE_MAX;
        reading->entry.faults = ENTRY_FAULT_CUT;
    }
    reading->entry.raw = *line;
    reading->entry.number = reading->number;
}

int log_read_lines(struct log_reading *reading, struct str block, log_line_fn *read_line,
                   entry_fn *fn, void *context)
{
    struct str rest = block;
    struct str line;
    int r = 0;

    log_resolve(reading);
    reading->counts.bytes += block.len;
    for (; r >= 0 && log_take_line(&rest, &line); reading->number++) {
        r = 0;
        if (line.len > 0) {
            log_begin(reading, &line);
            r = read_line(reading, line);
        }
        if (r == 0) {
            reading->counts.passed++;
        } else if (r > 0) {
            r = log_hand_on(reading, &reading->entry, fn, context);
        }
    }
    return r < 0 ? r : 0;
}

unsigned log_weigh_lines(struct str head, bool (*is_one)(struct str line))
{
    size_t last = log_cut_lines(head, head.len < LOG_HEAD_SIZE);
    struct str rest = str_slice(head, 0, last != 0 ? last : head.len);
    struct str line;
    unsigned count = 0;
    unsigned hits = 0;

    while (count < WEIGHED_LINES && log_take_line(&rest, &line)) {
        if (line.len > 0) {
            count++;
            hits += is_one(line);
        }
    }
    return count == 0 ? 0 : hits * 100 / count;
}
