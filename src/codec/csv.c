/* Rows of a CSV text: see codec/csv.h. Neighbours: core/import.c reads lists of sites with it,
 * feed.c lists of indicators. */
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

/* Length of the field in front up to its closing quote; all of the rest where there is none. */
static size_t csv_quoted_length(struct str rest, bool *ret_has_quotes)
{
    size_t at = 0;

    *ret_has_quotes = false;
    while (at < rest.len && at <= 2 * (size_t)CSV_FIELD_MAX) {
        bool is_doubled = rest.ptr[at] == '"' && at + 1 < rest.len && rest.ptr[at + 1] == '"';

        if (rest.ptr[at] == '"' && !is_doubled) {
            return at;
        }
        *ret_has_quotes = *ret_has_quotes || is_doubled;
        at += is_doubled ? 2 : 1;
    }
    return rest.len;
}

/* A field whose quotes are doubled, without the doubles. */
static int csv_undouble(struct str text, struct arena *arena, struct str *ret_field)
{
    char *out = arena != NULL ? arena_alloc(arena, text.len + 1, 1) : NULL;
    size_t len = 0;

    if (out == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t at = 0; at < text.len; at++) {
        out[len++] = text.ptr[at];
        at += text.ptr[at] == '"' ? 1 : 0;
    }
    *ret_field = str_of(out, len);
    return 0;
}

/* The reader stands behind the opening quote. */
static int csv_quoted(struct csv_reader *reader, struct arena *arena, struct str *ret_field)
{
    bool has_quotes;
    size_t len = csv_quoted_length(reader->rest, &has_quotes);
    struct str text = str_slice(reader->rest, 0, len);
    struct str field = text;
    int r = 0;

    if (len == reader->rest.len) {
        return -ERR_SYNTAX;
    }
    for (size_t at = 0; at < text.len; at++) {
        reader->next_line += text.ptr[at] == '\n' ? 1 : 0;
    }
    csv_skip(reader, len + 1);
    if (has_quotes) {
        r = csv_undouble(text, arena, &field);
    }
    if (r < 0) {
        return r;
    }
    *ret_field = str_trim(field);
    if (ret_field->len > CSV_FIELD_MAX) {
        return -ERR_LIMIT;
    }
    return csv_is_line_end(reader) || csv_is_at(reader, reader->separator) ? 0 : -ERR_SYNTAX;
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

size_t csv_column(const struct str *head, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is_nocase(head[i], str_from(name))) {
            return i;
        }
    }
    return count;
}
