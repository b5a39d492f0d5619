/* A list out of a spreadsheet: any bytes give rows within the limits, and reading ends. */
#include "fuzz.h"

#include "codec/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena();
    struct str fields[CSV_FIELDS_MAX];
    struct csv_reader reader;
    size_t rows = 0;
    int count;

    csv_open(&reader, fuzz_input(data, size));
    while ((count = csv_next(&reader, arena, fields)) != 0) {
        fuzz_check(count <= CSV_FIELDS_MAX && ++rows <= size + 1);
        for (int i = 0; i < count; i++) {
            fuzz_check(fields[i].len <= CSV_FIELD_MAX);
        }
    }
    return 0;
}
