/* Any bytes as a pressed body, in the encoding that the first byte says: what comes out keeps its
 * bound, which the second byte sets, and a second time the same comes out. */
#include "fuzz.h"

#include "base/err.h"
#include "centre/fetch/unpack.h"

#include <xxhash.h>

#define MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct unpacker *unpacker;
    struct str packed = fuzz_input(data, size);
    enum unpack_encoding encoding = size != 0 ? data[0] % (UNPACK_UNKNOWN + 1) : UNPACK_NONE;
    size_t bound = size > 1 ? data[1] * 256U : 0;
    struct str body;
    uint64_t hash;
    int r;

    fuzz_check(unpacker != NULL || unpacker_new(MOST, &unpacker) == 0);
    packed = str_slice(packed, 2, packed.len);
    r = unpacker_run(unpacker, encoding, packed, bound, &body);
    if (r < 0) {
        fuzz_check(r == -ERR_LIMIT || r == -ERR_SYNTAX);
        return 0;
    }
    fuzz_check(body.len <= bound);
    hash = XXH3_64bits(body.ptr, body.len);
    fuzz_check(unpacker_run(unpacker, encoding, packed, bound, &body) == 0);
    fuzz_check(XXH3_64bits(body.ptr, body.len) == hash);
    return 0;
}
