/* Events as XML from anywhere: any bytes give entries within the limits, as many as are counted,
 * and reading ends. */
#include "fuzz.h"

#include "codec/winxml.h"

static int check_entry(void *context, const struct entry *entry)
{
    uint64_t *count = context;

    (*count)++;
    fuzz_check(entry->count <= WINXML_FIELDS_MAX);
    for (size_t i = 0; i < entry->count; i++) {
        fuzz_check(entry->fields[i].name.len <= ENTRY_NAME_MAX);
        fuzz_check(entry->fields[i].value.len <= ENTRY_SIZE_MAX);
        fuzz_check(entry->fields[i].type < ENTRY_TYPE_COUNT);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = fuzz_input(data, size);
    struct log_reading reading;
    uint64_t count = 0;

    fuzz_check(log_reading_init(&reading, NULL) == 0);
    fuzz_check(winxml_log_format.read(&reading, bytes, check_entry, &count) == 0);
    fuzz_check(count == winxml_log_format.count(bytes) && count == reading.counts.entries);
    log_reading_done(&reading);
    return 0;
}
