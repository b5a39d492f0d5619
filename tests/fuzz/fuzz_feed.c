/* Any bytes read as each format: entries are in their one form, and what is counted is what was
 * handed on. */
#include "fuzz.h"

#include "codec/feed.h"

static int count_entry(void *context, const struct feed_entry *entry)
{
    static char room[FEED_LINE_MAX];
    struct str again;

    fuzz_check(entry->kind < FEED_KIND_COUNT && entry->value.len < FEED_LINE_MAX);
    fuzz_check(feed_read_value(entry->kind, entry->value, room, &again));
    fuzz_check(str_is(again, entry->value));
    (*(uint64_t *)context)++;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_input(data, size);

    fuzz_check(feed_guess(text) < FEED_FORMAT_COUNT);
    for (unsigned format = 0; format < FEED_FORMAT_COUNT; format++) {
        struct feed_report report;
        struct diag diag = {{0}};
        uint64_t count = 0;
        int r = feed_read((enum feed_format)format, text, fuzz_arena(),
                          &(struct feed_sink){count_entry, &count}, &report, &diag);

        fuzz_check(r <= 0 && report.taken == count);
        fuzz_check(report.faulty == 0 || report.faults[0].what[0] != '\0');
    }
    return 0;
}
