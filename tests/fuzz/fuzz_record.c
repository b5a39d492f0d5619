/* A record from a host: what is decoded can be shown, and encoded again it is decoded as the same.
 */
#include "fuzz.h"

#include "model/record.h"

static void show(const struct record *record, struct buf *out)
{
    struct json_writer json;

    json_begin(&json, out);
    event_write_json(&record->event, &json);
    buf_reset(out);
    json_begin(&json, out);
    finding_write_json(&record->finding, &json);
    buf_reset(out);
    json_begin(&json, out);
    status_write_json(&record->status, &json);
    buf_reset(out);
}

static bool rewrite(struct str bytes, struct arena *arena, struct buf *out)
{
    struct cbor_reader reader;
    struct record record;

    cbor_open(&reader, bytes);
    if (record_decode(&reader, arena, &record) < 0) {
        return false;
    }
    show(&record, out);
    record_encode(&record, out);
    fuzz_check(buf_error(out) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena();
    struct buf first;
    struct buf second;

    buf_init(&first, 1 << 22);
    buf_init(&second, 1 << 22);
    if (rewrite(fuzz_input(data, size), arena, &first)) {
        fuzz_check(rewrite(buf_str(&first), arena, &second));
        fuzz_check(str_is(buf_str(&first), buf_str(&second)));
    }
    buf_done(&first);
    buf_done(&second);
    return 0;
}
