/* Rows of a CSV text: see codec/csv.h. Neighbours: core_import.c reads lists of sites with it. */
#include "codec/csv.h"

#include "base/banned.h"
#include "base/err.h"

#include <stdbool.h>

static char csv_guess(struct str line)
{
    static const char separators[] = {',', ';', '\t'};
    size_t most = 0;
    char best = ',';

    for (size_t i = 0; i < sizeof(separators); i++) {
        size_t count = 0;

        for (size_t at = 0; at < line.len; at++) {
            count += line.ptr[at] == separators[i] ? 1 : 0;
        }
        if (count > most) {
            most = count;
            best = separators[i];
        }
    }
    return best;
}

void csv_open(struct csv_reader *reader, struct str bytes)
{
    if (str_has_prefix(bytes, STR("\xef\xbb\xbf"))) {
        bytes = str_slice(bytes, 3, bytes.len);
    }
    *reader = (struct csv_reader){.rest = bytes, .next_line = 1};
    reader->separator = csv_guess(str_slice(bytes, 0, str_find_byte(bytes, '\n')));
}

static void csv_skip(struct csv_reader *reader, size_t len)
{
    reader->rest = str_slice(reader->rest, len, reader->rest.len);
}

static bool csv_is_at(const struct csv_reader *reader, char byte)
{
    return reader->rest.len != 0 && reader->rest.ptr[0] == byte;
}

static bool csv_is_line_end(const struct csv_reader *reader)
{
    return reader->rest.len == 0 || csv_is_at(reader, '\n') ||
           str_has_prefix(reader->rest, STR("\r\n"));
}

static void csv_end_line(struct csv_reader *reader)
{
    size_t end = str_find_byte(reader->rest, '\n');

    csv_skip(reader, end + 1);
    reader->next_line++;
}

static int csv_plain(struct csv_reader *reader, struct str *ret_field)
{
    size_t len = 0;

    while (len < reader->rest.len && reader->rest.ptr[len] != reader->separator &&
           reader->rest.ptr[len] != '\n') {
        len++;
    }
    *ret_field = str_trim(str_slice(reader->rest, 0, len));
    if (len != 0 && reader->rest.ptr[len - 1] == '\r' && len < reader->rest.len) {
        len--; /* of the line's end */
    }
    csv_skip(reader, len);
    return ret_field->len > CSV_FIELD_MAX ? -ERR_LIMIT : 0;
}

/* Most bytes that the quoted field in front may have. */
static size_t csv_room(struct str rest)
{
    size_t at = 0;

    while (at < rest.len && at < 2 * (size_t)CSV_FIELD_MAX) {
        if (rest.ptr[at] == '"' && (at + 1 == rest.len || rest.ptr[at + 1] != '"')) {
            break;
        }
        at += rest.ptr[at] == '"' ? 2 : 1;
    }
    return at < CSV_FIELD_MAX ? at : CSV_FIELD_MAX;
}

/* The reader stands behind the opening quote. */
static int csv_quoted(struct csv_reader *reader, struct arena *arena, struct str *ret_field)
{
    size_t room = csv_room(reader->rest);
    char *out = arena_alloc(arena, room + 1, 1);
    size_t len = 0;

    if (out == NULL) {
        return -ERR_NOMEM;
    }
    while (reader->rest.len != 0) {
        char byte = reader->rest.ptr[0];

        csv_skip(reader, 1);
        reader->next_line += byte == '\n' ? 1 : 0;
        if (byte == '"' && !csv_is_at(reader, '"')) {
            *ret_field = str_trim(str_of(out, len));
            return csv_is_line_end(reader) || csv_is_at(reader, reader->separator) ? 0
                                                                                   : -ERR_SYNTAX;
        }
        if (byte == '"') {
            csv_skip(reader, 1);
        }
        if (len == room) {
            return -ERR_LIMIT;
        }
        out[len++] = byte;
    }
    return -ERR_SYNTAX;
}

static int csv_field(struct csv_reader *reader, struct arena *arena, struct str *ret_field)
{
    if (!csv_is_at(reader, '"')) {
        return csv_plain(reader, ret_field);
    }
    csv_skip(reader, 1);
    return csv_quoted(reader, arena, ret_field);
}

static int csv_row(struct csv_reader *reader, struct arena *arena,
                   struct str ret_fields[CSV_FIELDS_MAX])
{
    int count = 0;

    for (;;) {
        int r = count == CSV_FIELDS_MAX ? -ERR_LIMIT : csv_field(reader, arena, &ret_fields[count]);

        if (r < 0) {
            return r;
        }
        count++;
        if (!csv_is_at(reader, reader->separator)) {
            return count;
        }
        csv_skip(reader, 1);
    }
}

static bool csv_is_blank(const struct str *fields, int count)
{
    for (int i = 0; i < count; i++) {
        if (fields[i].len != 0) {
            return false;
        }
    }
    return true;
}

int csv_next(struct csv_reader *reader, struct arena *arena, struct str ret_fields[CSV_FIELDS_MAX])
{
    while (reader->rest.len != 0) {
        int r;

        reader->line = reader->next_line;
        r = csv_row(reader, arena, ret_fields);
        csv_end_line(reader);
        if (r < 0 || !csv_is_blank(ret_fields, r)) {
            return r;
        }
    }
    return 0;
}
