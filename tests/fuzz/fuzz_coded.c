/* What an entry of a log may mean besides its own words, which core looks for in every entry that
 * it keeps: the first byte is the format. What it is taken to mean is no longer than the entry,
 * lies in bounds and is the same each time; and a text that a reader of JSON makes of the entry is
 * found in it, or in what it is taken to mean, unless it is said that it may not be. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "codec/logs.h"
#include "model/coded.h"

#define WORD_LEAST 3
#define MEANT_MAX  (256U << 10)

static const char *const names[] = {"ndjson", "audit",  "winxml", "weblog",  "cef",
                                    "leef",   "syslog", "evtx",   "journal", "unknown"};

/* The entry, and behind it what it is taken to mean. */
struct meant {
    struct buf all;
    enum coded coded;
};

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Each run of letters in a value stands in what the entry is taken to mean. */
static void check_words(const struct meant *meant, struct str value)
{
    struct str all = buf_str(&meant->all);

    for (size_t at = 0; at < value.len;) {
        size_t end = at;

        while (end < value.len && is_letter(value.ptr[end])) {
            end++;
        }
        if (end - at >= WORD_LEAST) {
            fuzz_check(str_find(all, str_slice(value, at, end)) < all.len);
        }
        at = end + 1;
    }
}

static int on_entry(void *context, const struct entry *entry)
{
    const struct meant *meant = context;

    for (size_t i = 0; i < entry->count; i++) {
        const struct entry_field *field = &entry->fields[i];
        struct str text;

        if (field->type == ENTRY_TYPE_TEXT) {
            fuzz_check(entry_field_text(field, fuzz_arena(), &text) == 0);
            check_words(meant, text);
        }
    }
    return 0;
}

static void collect(struct meant *meant, struct event *event, struct str entry)
{
    CLEANUP(buf_done) struct buf room;
    struct coded_walk walk;
    struct str text;
    int r;

    buf_init(&room, MEANT_MAX);
    coded_begin(&walk, event, &room);
    while ((r = coded_next(&walk, &text)) > 0) {
        fuzz_check(text.len <= entry.len);
        fuzz_check(buf_put_str(&meant->all, text) == 0 && buf_put_byte(&meant->all, '\n') == 0);
    }
    fuzz_check(r == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_done) struct buf all;
    struct meant meant;
    struct event event;
    struct str entry;
    struct str name;

    if (size < 2) {
        return 0;
    }
    buf_init(&all, 4 * MEANT_MAX);
    name = str_from(names[data[0] % (sizeof(names) / sizeof(names[0]))]);
    entry = fuzz_input(data + 1, size - 1);
    event_init(&event, EVENT_KIND_LOG, 1);
    fuzz_check(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, entry) == 0);
    fuzz_check(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, name) == 0);
    meant.coded = coded_event(&event);
    meant.all = all;
    fuzz_check(meant.coded == coded_entry(name, entry));
    if (meant.coded == CODED_SIGNS) {
        return 0;
    }
    fuzz_check(buf_put_str(&meant.all, entry) == 0);
    if (meant.coded == CODED_PLAIN) {
        collect(&meant, &event, entry);
    }
    if (str_is(name, STR("ndjson"))) {
        struct log_reading reading;

        fuzz_check(log_reading_init(&reading, NULL) == 0);
        fuzz_check(log_format_find(name)->read(&reading, entry, on_entry, &meant) == 0);
        log_reading_done(&reading);
    }
    all = meant.all;
    return 0;
}
