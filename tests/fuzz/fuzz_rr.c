/* Whatever answers as a name server: reading ends, names are short, of plain letters and without an
 * empty label. */
#include "fuzz.h"

#include "codec/rr.h"

#include <string.h>

static void check_name(const char *name)
{
    size_t len = strnlen(name, RR_NAME_MAX + 1);

    fuzz_check(len <= RR_NAME_MAX);
    fuzz_check(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.?") == len);
    fuzz_check(strstr(name, "..") == NULL && name[0] != '.' && (len == 0 || name[len - 1] != '.'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rr_reader reader;
    struct rr record;
    unsigned count = 0;

    if (rr_open(fuzz_input(data, size), &reader) < 0) {
        return 0;
    }
    while (rr_next(&reader, &record) == 1) {
        check_name(record.owner);
        check_name(record.name);
        fuzz_check(record.address_len == 0 || record.address_len == 4 || record.address_len == 16);
        fuzz_check(reader.at <= size && ++count <= UINT16_MAX);
    }
    fuzz_check(rr_next(&reader, &record) == 0);
    return 0;
}
