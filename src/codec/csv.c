/* CSV. On the data's way: files that people bring (sites, indicators) → here. */
#include "codec/csv.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"

#include <string.h>

void csv_open(struct csv_reader *reader, struct str text)
{
    *reader = (struct csv_reader){.text = text, .line = 1};
    if (str_has_prefix(text, STR("\xef\xbb\xbf"))) {
        reader->at = 3;
    }
}

/* Behind the line end at `at`, or `at` where none stands. */
static size_t csv_skip_end(struct csv_reader *reader, size_t at)
{
    struct str rest = str_slice(reader->text, at, reader->text.len);

    if (str_has_prefix(rest, STR("\r\n"))) {
        reader->line++;
        return at + 2;
    }
    if (str_has_prefix(rest, STR("\n"))) {
        reader->line++;
        return at + 1;
    }
    return at;
}

static int csv_fail(struct csv_reader *reader, size_t at, uint64_t line, int code,
                    struct diag *diag, const char *what)
{
    size_t end = at + str_find_byte(str_slice(reader->text, at, reader->text.len), '\n');

    reader->at = csv_skip_end(reader, end);
    reader->fault = line;
    return diag_set(diag, code, _("line %llu: %s"), (unsigned long long)line, what);
}

/* A quoted field whose text begins at `at`; where its closing quote stands, or text.len. */
static size_t csv_quote_end(struct str text, size_t at, bool *ret_has_doubled, uint64_t *line)
{
    for (; at < text.len; at++) {
        *line += text.ptr[at] == '\n';
        if (text.ptr[at] != '"') {
            continue;
        }
        if (at + 1 == text.len || text.ptr[at + 1] != '"') {
            return at;
        }
        *ret_has_doubled = true;
        at++;
    }
    return at;
}

static struct str csv_undouble(struct str field, struct arena *arena)
{
    char *out = arena_alloc(arena, field.len, 1);
    size_t len = 0;

    if (out == NULL) {
        return str_of(NULL, 0);
    }
    for (size_t i = 0; i < field.len; i++) {
        out[len++] = field.ptr[i];
        i += field.ptr[i] == '"';
    }
    return str_of(out, len);
}

static int csv_quoted(struct csv_reader *reader, struct arena *arena, size_t *at,
                      struct str *ret_field, struct diag *diag)
{
    bool has_doubled = false;
    uint64_t line = reader->line;
    uint64_t last = line;
    size_t end = csv_quote_end(reader->text, *at + 1, &has_doubled, &last);

    if (end == reader->text.len) {
        return csv_fail(reader, *at, line, -ERR_SYNTAX, diag,
                        _("a quote is opened and never closed"));
    }
    *ret_field = str_slice(reader->text, *at + 1, end);
    if (has_doubled) {
        *ret_field = csv_undouble(*ret_field, arena);
        if (ret_field->ptr == NULL) {
            return -ERR_NOMEM;
        }
    }
    reader->line = last;
    *at = end + 1;
    return 0;
}

static int csv_plain(struct csv_reader *reader, size_t *at, struct str *ret_field,
                     struct diag *diag)
{
    size_t end = *at;

    while (end < reader->text.len && reader->text.ptr[end] != ',' &&
           reader->text.ptr[end] != '\n' && reader->text.ptr[end] != '"') {
        end++;
    }
    if (end < reader->text.len && reader->text.ptr[end] == '"') {
        return csv_fail(reader, end, reader->line, -ERR_SYNTAX, diag,
                        _("a quote stands inside a field; put quotes around the whole field and "
                          "double those inside"));
    }
    *ret_field = str_slice(reader->text, *at, end);
    if (end < reader->text.len && reader->text.ptr[end] == '\n' && ret_field->len != 0 &&
        ret_field->ptr[ret_field->len - 1] == '\r') {
        ret_field->len--;
        end--;
    }
    *at = end;
    return 0;
}

static int csv_field(struct csv_reader *reader, struct arena *arena, size_t *at,
                     struct csv_row *row, struct diag *diag)
{
    struct str field = {0};
    int r;

    if (row->count == CSV_FIELDS_MAX) {
        return csv_fail(reader, *at, reader->line, -ERR_LIMIT, diag, _("too many fields in a row"));
    }
    r = *at < reader->text.len && reader->text.ptr[*at] == '"'
            ? csv_quoted(reader, arena, at, &field, diag)
            : csv_plain(reader, at, &field, diag);
    if (r < 0) {
        return r;
    }
    if (field.len > CSV_FIELD_MAX) {
        return csv_fail(reader, *at, reader->line, -ERR_LIMIT, diag, _("a field is too long"));
    }
    row->fields[row->count++] = field;
    return 0;
}

int csv_next(struct csv_reader *reader, struct arena *arena, struct csv_row *ret_row,
             struct diag *diag)
{
    size_t at = reader->at;
    size_t end;
    int r;

    while ((end = csv_skip_end(reader, at)) != at) {
        at = end;
    }
    reader->at = at;
    if (at == reader->text.len) {
        return 0;
    }
    ret_row->line = reader->line;
    ret_row->count = 0;
    for (;;) {
        r = csv_field(reader, arena, &at, ret_row, diag);
        if (r < 0) {
            return r;
        }
        if (at == reader->text.len || (end = csv_skip_end(reader, at)) != at) {
            reader->at = at == reader->text.len ? at : end;
            return 1;
        }
        if (reader->text.ptr[at] != ',') {
            return csv_fail(reader, at, reader->line, -ERR_SYNTAX, diag,
                            _("something stands between a closing quote and the next comma"));
        }
        at++;
    }
}

size_t csv_column(const struct csv_row *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++) {
        if (str_is_nocase(str_trim(head->fields[i]), str_from(name))) {
            return i;
        }
    }
    return head->count;
}
