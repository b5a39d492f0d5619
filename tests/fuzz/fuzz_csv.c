/* Any text is rows and faults, each named with a line; the fields of a row keep their limits, and
 * written with quotes they are the same row again. */
#include "fuzz.h"

#include "base/err.h"
#include "codec/csv.h"

static void write_row(const struct csv_row *row, struct buf *out)
{
    for (size_t i = 0; i < row->count; i++) {
        buf_put_text(out, i != 0 ? ",\"" : "\"");
        for (size_t b = 0; b < row->fields[i].len; b++) {
            char c = row->fields[i].ptr[b];

            buf_put_text(out, c == '"' ? "\"" : "");
            buf_put_byte(out, (unsigned char)c);
        }
        buf_put_byte(out, '"');
    }
}

static void check_row(const struct csv_row *row, struct arena *arena)
{
    struct csv_reader reader;
    struct csv_row again;
    struct buf out;

    fuzz_check(row->count != 0 && row->count <= CSV_FIELDS_MAX);
    buf_init(&out, 1 << 20);
    write_row(row, &out);
    csv_open(&reader, buf_str(&out));
    fuzz_check(csv_next(&reader, arena, &again, NULL) == 1 && again.count == row->count);
    for (size_t i = 0; i < row->count; i++) {
        fuzz_check(str_is(row->fields[i], again.fields[i]));
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct csv_row row;
    struct arena *arena = fuzz_arena();
    struct csv_reader reader;
    uint64_t line = 0;
    int r;

    csv_open(&reader, fuzz_input(data, size));
    do {
        struct diag diag = {{0}};
        size_t before = reader.at;

        r = csv_next(&reader, arena, &row, &diag);
        if (r == -ERR_NOMEM) {
            break;
        }
        fuzz_check(r == 0 || reader.at > before);
        fuzz_check(r >= 0 || diag.text[0] != '\0');
        if (r == 1) {
            fuzz_check(row.line > line || line == 0);
            line = row.line;
            check_row(&row, arena);
        }
    } while (r != 0);
    return 0;
}
