/* CSV as RFC 4180 has it, strictly: quotes stand around a whole field or nowhere, and are doubled
 * inside. CR LF and LF both end a row, a byte order mark at the front is passed over. A faulty row
 * is named with its line and can be passed over; the next call goes on with the row behind it.
 * Pure. */
#ifndef CODEC_CSV_H
#define CODEC_CSV_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define CSV_FIELDS_MAX 64
#define CSV_FIELD_MAX  65536

struct csv_reader {
    struct str text;
    size_t at;
    uint64_t line;  /* of the next row, from 1 */
    uint64_t fault; /* line of the last fault */
};

struct csv_row {
    uint64_t line; /* on which it begins; a quoted field may hold line ends */
    size_t count;
    struct str fields[CSV_FIELDS_MAX]; /* borrow the text, or the arena where quotes were doubled */
};

void csv_open(struct csv_reader *reader, struct str text);
/* 1: a row; 0: the end; -ERR_SYNTAX or -ERR_LIMIT with the line in diag, the row is passed over;
 * -ERR_NOMEM. An empty line is passed over. */
[[nodiscard]] int csv_next(struct csv_reader *reader, struct arena *arena, struct csv_row *ret_row,
                           struct diag *diag);
/* The place of a column in a head row, by its name without case; row->count when there is none. */
size_t csv_column(const struct csv_row *head, const char *name);

#endif
