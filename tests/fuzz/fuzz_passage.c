/* The text of a page as another process hands it on: what is decoded and encoded again is decoded
 * as the same. */
#include "fuzz.h"

#include "model/passage.h"

static bool rewrite(struct str bytes, struct arena *arena, struct buf *out)
{
    struct passage *passages;
    size_t count;

    if (passages_decode(bytes, arena, &passages, &count) < 0) {
        return false;
    }
    passages_encode(passages, count, out);
    fuzz_check(buf_error(out) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena();
    struct buf first;
    struct buf second;

    buf_init(&first, PASSAGES_SIZE_MAX);
    buf_init(&second, PASSAGES_SIZE_MAX);
    if (rewrite(fuzz_input(data, size), arena, &first)) {
        fuzz_check(rewrite(buf_str(&first), arena, &second));
        fuzz_check(str_is(buf_str(&first), buf_str(&second)));
    }
    buf_done(&first);
    buf_done(&second);
    return 0;
}
