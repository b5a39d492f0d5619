/* What shippers post: in pieces as at once, entries never longer than the limit. The first byte is
 * the form and whether it is packed, the second the size of the pieces. */
#include "fuzz.h"

#include "centre/receiver/post_part.h"

struct sums {
    uint64_t count;
    uint64_t bytes;
};

static void sum(struct sums *sums, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        sums->bytes = sums->bytes * 31 + (uint8_t)text.ptr[i];
    }
}

static int take(void *context, const struct receiver_entry *entry)
{
    struct sums *sums = context;

    fuzz_check(entry->raw.len > 0 && entry->raw.len <= 3 * (size_t)POST_OBJECT_MAX);
    fuzz_check(log_format_find(entry->format) != NULL);
    sums->count++;
    sum(sums, entry->raw);
    sum(sums, entry->host);
    sum(sums, entry->source);
    return 0;
}

static int feed(const struct post_cutter_options *like, struct str bytes, size_t piece,
                struct sums *sums)
{
    struct post_cutter_options options = *like;
    struct post_cutter *cutter;
    int r = 0;

    options.fn = take;
    options.context = sums;
    fuzz_check(post_cutter_new(&options, &cutter) == 0);
    for (size_t at = 0; r == 0 && at < bytes.len; at += piece) {
        struct str rest = str_slice(bytes, at, at + piece);

        do {
            r = post_cutter_feed(cutter, &rest, at + piece >= bytes.len);
        } while (r == POST_CUTTER_MORE);
    }
    fuzz_check(post_cutter_counts(cutter)->taken == sums->count);
    post_cutter_free(cutter);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct post_cutter_options options = {0};
    struct sums whole = {0};
    struct sums pieces = {0};
    struct str bytes;

    if (size < 3) {
        return 0;
    }
    options.form = (enum receiver_form)(data[0] % RECEIVER_FORM_COUNT);
    options.is_packed = data[0] >= 0xf0;
    bytes = fuzz_input(data + 2, size - 2);
    fuzz_check(feed(&options, bytes, bytes.len, &whole) ==
               feed(&options, bytes, 1 + data[1], &pieces));
    fuzz_check(whole.count == pieces.count && whole.bytes == pieces.bytes);
    return 0;
}
