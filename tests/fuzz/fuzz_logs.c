/* Every format of text logs: the first byte chooses it, the second the size of the pieces in which
 * it comes. What comes out lies in bounds, nothing is lost, reading ends, and the pieces
 * give as much as the whole. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "codec/logs.h"

static const char *const names[] = {"syslog", "stamped", "audit", "journal",  "weblog",
                                    "w3c",    "cef",     "leef",  "keyvalue", "csv"};

struct sums {
    uint64_t entries;
    uint64_t fields;
    uint64_t bytes;
};

static int take(void *context, const struct entry *entry)
{
    struct sums *sums = context;

    fuzz_check(entry->raw.len > 0 && entry->raw.len <= ENTRY_SIZE_MAX);
    fuzz_check(entry->number > 0);
    sums->entries++;
    sums->fields += entry->count;
    for (size_t i = 0; i < entry->count; i++) {
        const struct entry_field *field = &entry->fields[i];

        fuzz_check(field->name.len <= ENTRY_NAME_MAX && field->type < ENTRY_TYPE_COUNT);
        for (size_t at = 0; at < field->value.len; at++) { /* each byte is there to be read */
            sums->bytes += (uint8_t)field->value.ptr[at];
        }
    }
    return 0;
}

static struct sums read_pieces(const struct log_format *format, struct str text, size_t piece)
{
    struct sums sums = {0};
    struct log_reading reading;
    size_t until = piece;

    fuzz_check(log_reading_init(&reading, NULL) == 0);
    reading.around = 1764085266LL * 1000000000;
    reading.head = str_slice(text, 0, LOG_HEAD_SIZE);
    for (size_t from = 0; from < text.len; until += piece) {
        bool is_end = until >= text.len;
        struct str bytes = str_slice(text, from, is_end ? text.len : until);
        size_t len = format->cut(bytes, is_end);

        fuzz_check(len <= bytes.len && (len > 0 || !is_end));
        if (len > 0) {
            fuzz_check(format->read(&reading, str_slice(bytes, 0, len), take, &sums) == 0);
        }
        from += len;
    }
    fuzz_check(reading.counts.entries == sums.entries && reading.counts.bytes == text.len);
    log_reading_done(&reading);
    return sums;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct log_format *format;
    struct sums whole;
    struct sums pieces;
    struct str text;

    if (size < 3) {
        return 0;
    }
    text = fuzz_input(data + 2, size - 2);
    format = log_format_find(str_from(names[data[0] % ARRAY_LEN(names)]));
    fuzz_check(format != NULL && log_format_guess(text) != NULL);
    whole = read_pieces(format, text, text.len);
    pieces = read_pieces(format, text, 1 + data[1]);
    if (!str_is_text(str_from(format->name), "w3c") && /* a heading in the middle is of its block */
        !str_is_text(str_from(format->name), "csv")) {
        fuzz_check(whole.entries == pieces.entries);
        fuzz_check(whole.fields == pieces.fields && whole.bytes == pieces.bytes);
    }
    return 0;
}
