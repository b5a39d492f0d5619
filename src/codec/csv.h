/* CSV, RFC 4180, as spreadsheets write it: fields parted by comma, semicolon or tab (whichever the
 * first line has most of), quoted where they must be, lines ended by LF or CRLF, a byte order mark
 * in front. Pure; reads borrowed bytes line by line, never more than the limits. */
#ifndef CODEC_CSV_H
#define CODEC_CSV_H

#include "base/arena.h"
#include "base/str.h"

#include <stddef.h>

#define CSV_FIELDS_MAX 64
#define CSV_FIELD_MAX  (64U << 10) /* bytes */

struct csv_reader {
    struct str rest;
    char separator;
    unsigned line; /* of the row that was read last, from 1 */
    unsigned next_line;
};

void csv_open(struct csv_reader *reader, struct str bytes);
/* The next row that is not empty: how many fields it has, 0 at the end. Fields lie in the arena or
 * borrow the bytes, without white space around them. -ERR_LIMIT past the limits, -ERR_SYNTAX for a
 * quote that is not closed or has text behind it; the row is passed over then, and reading may go
 * on. arena: only for quotes that stand doubled in a field; NULL where those are an error. */
[[nodiscard]] int csv_next(struct csv_reader *reader, struct arena *arena,
                           struct str ret_fields[CSV_FIELDS_MAX]);
/* The place of a column in a head row, by its name without case; count when there is none. */
size_t csv_column(const struct str *head, size_t count, const char *name);

#endif
