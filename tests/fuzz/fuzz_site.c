/* A look at a page as the reading process hands it over: within its limits, and of one meaning. */
#include "fuzz.h"

#include "model/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena();
    struct site_check check;
    struct site_check again;
    struct cbor_reader reader;
    struct buf out;
    struct buf twice;

    cbor_open(&reader, fuzz_input(data, size));
    if (site_check_decode(&reader, arena, &check) < 0) {
        return 0;
    }
    fuzz_check(check.url.len <= SITE_URL_MAX && check.reason_count <= SITE_REASONS_MAX);
    fuzz_check(check.layers >> SITE_LAYER_COUNT == 0);
    buf_init(&out, 1 << 22);
    buf_init(&twice, 1 << 22);
    site_check_encode(&check, &out);
    cbor_open(&reader, buf_str(&out));
    fuzz_check(site_check_decode(&reader, arena, &again) == 0 && cbor_close(&reader) == 0);
    site_check_encode(&again, &twice);
    fuzz_check(str_is(buf_str(&out), buf_str(&twice)));
    buf_done(&out);
    buf_done(&twice);
    return 0;
}
