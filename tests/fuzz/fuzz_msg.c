/* Messages between processes: the first byte of the input says which getters are tried, two bits
 * each. */
#include "fuzz.h"

#include "base/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned plan = size != 0 ? data[0] : 0;
    struct str bytes = size != 0 ? fuzz_input(data + 1, size - 1) : STR("");
    static struct msg_writer out;
    struct msg_reader in;
    struct str text;

    msg_open(&in, bytes);
    msg_begin(&out, in.type);
    while (in.error == 0 && in.rest.len != 0) {
        switch (plan & 3) {
        case 0:
            msg_put_u32(&out, msg_get_u32(&in));
            break;
        case 1:
            msg_put_u64(&out, msg_get_u64(&in));
            break;
        case 2:
            msg_put_i64(&out, msg_get_i64(&in));
            break;
        default:
            text = msg_get_str(&in);
            fuzz_check(text.len <= bytes.len);
            msg_put_str(&out, text);
            break;
        }
        plan = plan >> 2 | (plan & 3) << 6;
    }
    if (msg_close(&in) == 0 && bytes.len <= MSG_SIZE_MAX) {
        fuzz_check(msg_end(&out) == 0);
        fuzz_check(str_is(str_of((const char *)out.bytes, out.len), bytes));
    }
    return 0;
}
