/* Whatever the CBOR walk takes has one form: written again item by item, it is the same bytes. */
#include "fuzz.h"

#include "codec/cbor.h"

static void copy_item(struct cbor_reader *reader, struct buf *out)
{
    switch (cbor_peek(reader)) {
    case CBOR_TYPE_UNSIGNED:
        cbor_put_u64(out, cbor_get_u64(reader));
        break;
    case CBOR_TYPE_NEGATIVE:
        if ((unsigned char)reader->rest.ptr[0] == 0x3b &&
            (unsigned char)reader->rest.ptr[1] >= 0x80) {
            buf_put(out, reader->rest.ptr, 9); /* well formed, but past what an i64 holds */
            cbor_skip(reader);
        } else {
            cbor_put_i64(out, cbor_get_i64(reader));
        }
        break;
    case CBOR_TYPE_BYTES:
        cbor_put_bytes(out, cbor_get_bytes(reader));
        break;
    case CBOR_TYPE_TEXT:
        cbor_put_text(out, cbor_get_text(reader));
        break;
    case CBOR_TYPE_ARRAY:
        cbor_put_array(out, cbor_get_array(reader));
        break;
    case CBOR_TYPE_MAP:
        cbor_put_map(out, cbor_get_map(reader));
        break;
    case CBOR_TYPE_BOOL:
        cbor_put_bool(out, cbor_get_bool(reader));
        break;
    case CBOR_TYPE_DOUBLE:
        cbor_put_double(out, cbor_get_double(reader));
        break;
    case CBOR_TYPE_NULL:
    case CBOR_TYPE_COUNT:
        cbor_put_null(out);
        cbor_skip(reader);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cbor_reader walk;
    struct cbor_reader copy;
    struct buf out;

    cbor_open(&walk, fuzz_input(data, size));
    cbor_skip(&walk);
    buf_init(&out, 1 << 22);
    if (walk.error == 0) {
        size_t taken = size - walk.rest.len;

        cbor_open(&copy, fuzz_input(data, taken));
        while (copy.rest.len != 0) {
            copy_item(&copy, &out);
            fuzz_check(copy.error == 0);
        }
        fuzz_check(cbor_close(&copy) == 0);
        fuzz_check(str_is(buf_str(&out), fuzz_input(data, taken)));
    }
    buf_done(&out);
    return 0;
}
