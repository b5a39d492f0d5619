/* Screenshots as a browser that a hostile page may have taken over hands them: base64 around PNG.
 */
#include "fuzz.h"

#include "codec/base64.h"
#include "codec/png.h"

#define PIXELS_MAX (512 * 512)

static void try_png(struct str bytes)
{
    struct picture picture;
    struct picture small;

    if (picture_decode_png(bytes, PIXELS_MAX, &picture) < 0) {
        return;
    }
    fuzz_check((uint64_t)picture.width * picture.height <= PIXELS_MAX);
    if (picture_shrink(&picture, 16, &small) == 0) {
        fuzz_check(small.width <= picture.width && small.height <= picture.height);
        picture_done(&small);
    }
    picture_done(&picture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = fuzz_input(data, size);
    struct buf bytes;
    struct buf again;

    try_png(input);
    buf_init(&bytes, 1 << 20);
    if (base64_decode(input, &bytes) == 0) {
        buf_init(&again, 1 << 21);
        base64_encode(buf_str(&bytes), &again);
        fuzz_check(str_is(buf_str(&again), input));
        buf_done(&again);
        try_png(buf_str(&bytes));
    }
    buf_done(&bytes);
    return 0;
}
