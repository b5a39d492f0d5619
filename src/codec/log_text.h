/* What the readers of text logs share: fields under names of log_names.def, a walk over lines, and
 * the weighing of a file by its first lines. Below codec/logs.h, beside the formats; pure. */
#ifndef CODEC_LOG_TEXT_H
#define CODEC_LOG_TEXT_H

#include "codec/logs.h"

#include <string.h>

#define LOG_FIELDS_MAX 16384 /* of the log's own, an entry; what is more stays in raw, marked */

/* Numbers of the names, for the asker that the reading has now; each block begins with it. */
void log_resolve(struct log_reading *reading);

/* -ERR_NOMEM, as all of them. */
[[nodiscard]] static inline int log_add(struct log_reading *reading, enum log_name name,
                                        struct str value)
{
    struct entry *entry = &reading->entry;
    struct entry_field field = {
        .name = log_names[name], .value = value, .id = reading->ids[name], .type = ENTRY_TYPE_TEXT};

    if (entry->count < entry->room) {
        entry->fields[entry->count++] = field;
        return 0;
    }
    if (entry->count >= 2 * LOG_FIELDS_MAX) { /* a log's own fields leave room for these */
        entry->faults |= ENTRY_FAULT_CUT;
        return 0;
    }
    return entry_add(entry, &field);
}

/* A name of the log's own. */
[[nodiscard]] static inline int log_add_own(struct log_reading *reading, struct str name,
                                            struct str value)
{
    struct entry *entry = &reading->entry;
    struct entry_field field = {
        .name = name,
        .value = value,
        .id = reading->names == NULL ? 0 : entry_names_find(reading->names, name),
        .type = ENTRY_TYPE_TEXT};

    if (entry->count < entry->room) {
        entry->fields[entry->count++] = field;
        return 0;
    }
    if (entry->count >= LOG_FIELDS_MAX) {
        entry->faults |= ENTRY_FAULT_CUT;
        return 0;
    }
    return entry_add(entry, &field);
}

/* str_is and str_has_prefix in the line: against a constant they are a few instructions, and they
 * are asked many times a line. */
static inline bool log_is(struct str text, struct str constant)
{
    return text.len == constant.len &&
           (text.len == 0 ||
            (text.ptr[0] == constant.ptr[0] && memcmp(text.ptr, constant.ptr, constant.len) == 0));
}

static inline bool log_starts(struct str text, struct str constant)
{
    return text.len >= constant.len && memcmp(text.ptr, constant.ptr, constant.len) == 0;
}

/* Under an address's name, or its host's when the value is none. */
[[nodiscard]] int log_add_address(struct log_reading *reading, enum log_name name,
                                  struct str value);
bool log_is_address(struct str text);

/* The next line without its end; false when nothing is left. */
static inline bool log_take_line(struct str *rest, struct str *ret_line)
{
    if (rest->len == 0 || !str_cut(rest, '\n', ret_line)) {
        return false;
    }
    ret_line->len -= ret_line->len > 0 && ret_line->ptr[ret_line->len - 1] == '\r';
    return true;
}

/* A new entry whose bytes are the line, which is cut at ENTRY_SIZE_MAX. */
void log_begin(struct log_reading *reading, struct str *line);

/* Fills reading->entry, which is empty but for raw, number and ENTRY_FAULT_CUT; the line is not
 * empty. 1: hand it on, 0: it is no entry, or a negative error. */
typedef int log_line_fn(struct log_reading *reading, struct str line);
[[nodiscard]] int log_read_lines(struct log_reading *reading, struct str block,
                                 log_line_fn *read_line, entry_fn *fn, void *context);

/* How many in a hundred of the head's first whole lines are of the kind. */
unsigned log_weigh_lines(struct str head, bool (*is_one)(struct str line));

static inline bool log_is_one_of(char c, struct str set)
{
    return memchr(set.ptr, c, set.len) != NULL;
}

static inline bool log_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
