/* Pictures as PNG (W3C PNG, third edition), by libpng. Decoding reads hostile bytes: call it only
 * where there are no rights. Nothing but pixels comes out, so a picture that was decoded and
 * encoded here is safe to be shown. */
#ifndef CODEC_PNG_H
#define CODEC_PNG_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

#define PNG_SIDE_MAX 8192 /* pixels */

struct picture {
    uint32_t width;
    uint32_t height;
    uint8_t *rgb; /* width × height × 3 bytes, rows from the top; owned */
};

/* pixels_max: most that may be decoded. -ERR_SYNTAX, -ERR_LIMIT, -ERR_NOMEM. */
[[nodiscard]] int picture_decode_png(struct str png, uint64_t pixels_max,
                                     struct picture *ret_picture);
/* Appends. -ERR_NOMEM, -ERR_LIMIT of the buffer. */
[[nodiscard]] int picture_encode_png(const struct picture *picture, struct buf *out);
/* Smaller by whole boxes: at most width wide; a picture that is so already is copied. -ERR_NOMEM.
 */
[[nodiscard]] int picture_shrink(const struct picture *picture, uint32_t width,
                                 struct picture *ret_picture);
/* Frees and zeroes. */
void picture_done(struct picture *picture);

#endif
