/* Syslog over a stream: in pieces as at once, never more than the limit. The first byte is the size
 * of the pieces. */
#include "fuzz.h"

#include "codec/syslog_frame.h"

#define LIMIT 64

struct sums {
    uint64_t count;
    uint64_t bytes;
};

static int take(void *context, struct str message, bool is_cut)
{
    struct sums *sums = context;

    (void)is_cut;
    fuzz_check(message.len > 0 && message.len <= LIMIT);
    sums->count++;
    for (size_t i = 0; i < message.len; i++) {
        sums->bytes = sums->bytes * 31 + (uint8_t)message.ptr[i];
    }
    return 0;
}

static int feed(struct str bytes, size_t piece, struct sums *sums)
{
    struct syslog_frames frames;
    int r = 0;

    syslog_frames_init(&frames, LIMIT, take, sums);
    for (size_t at = 0; r == 0 && at < bytes.len; at += piece) {
        r = syslog_frames_feed(&frames, str_slice(bytes, at, at + piece));
    }
    r = r < 0 ? r : syslog_frames_end(&frames);
    syslog_frames_done(&frames);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sums whole = {0};
    struct sums pieces = {0};
    struct str bytes;

    if (size < 2) {
        return 0;
    }
    bytes = fuzz_input(data + 1, size - 1);
    fuzz_check(feed(bytes, bytes.len, &whole) == feed(bytes, 1 + data[0], &pieces));
    fuzz_check(whole.count == pieces.count && whole.bytes == pieces.bytes);
    return 0;
}
