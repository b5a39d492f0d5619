/* JSON logs: whatever the bytes are, they come as entries whose parts lie inside the block, one
 * behind another, none lost; and where all of them are whole, a block cut into two gives the same.
 */
#include "fuzz.h"

#include "codec/logs.h"

struct check {
    struct str block;
    const char *last; /* end of the entry before */
    struct arena *arena;
    uint64_t entries;
    uint64_t fields;
    bool is_broken; /* an entry was */
};

static int check_entry(void *context, const struct entry *entry)
{
    struct check *check = context;

    fuzz_check(entry->raw.ptr >= check->last &&
               entry->raw.ptr + entry->raw.len <= check->block.ptr + check->block.len);
    fuzz_check(entry->number >= 1 && entry->number <= check->block.len + 1);
    for (size_t i = 0; i < entry->count; i++) {
        struct str text;

        fuzz_check(entry->fields[i].type < ENTRY_TYPE_COUNT);
        fuzz_check(entry->fields[i].value.len <= check->block.len);
        arena_reset(check->arena);
        fuzz_check(entry_field_text(&entry->fields[i], check->arena, &text) == 0);
        fuzz_check(text.len <= entry->fields[i].value.len);
    }
    check->last = entry->raw.ptr + entry->raw.len;
    check->entries++;
    check->fields += entry->count;
    check->is_broken |= (entry->faults & ENTRY_FAULT_SYNTAX) != 0;
    return 0;
}

static struct entry_names *asked(void)
{
    static const char *const texts[] = {
        "a",      "b",       "EventID", "requestParameters", "cs-uri-query", "ThreatName",
        "Status", "message", "x.y"};
    static struct entry_names *names;
    uint32_t id;

    if (names == NULL) {
        fuzz_check(entry_names_new(100, &names) == 0);
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            fuzz_check(entry_names_add(names, str_from(texts[i]), &id) == 0);
        }
    }
    return names;
}

static uint64_t lines_of(struct str text)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n';
    }
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct log_format *format = log_format_find(STR("ndjson"));
    struct str block = fuzz_input(data, size);
    struct check whole = {.block = block, .last = block.ptr, .arena = fuzz_arena()};
    struct check parts = whole;
    struct log_reading reading;
    size_t cut = format->cut(str_slice(block, 0, size / 2), false);

    fuzz_check(cut <= size / 2 && format->cut(block, true) == size && format->weigh(block) <= 100);
    fuzz_check(log_reading_init(&reading, asked()) == 0);
    fuzz_check(format->read(&reading, block, check_entry, &whole) == 0);
    fuzz_check(reading.number == 1 + lines_of(block));
    log_reading_done(&reading);
    fuzz_check(log_reading_init(&reading, asked()) == 0);
    fuzz_check(format->read(&reading, str_slice(block, 0, cut), check_entry, &parts) == 0);
    fuzz_check(format->read(&reading, str_slice(block, cut, size), check_entry, &parts) == 0);
    log_reading_done(&reading);
    fuzz_check(whole.is_broken || (parts.entries == whole.entries && parts.fields == whole.fields));
    return 0;
}
