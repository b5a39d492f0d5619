/* PNG by libpng's simplified interface: see codec/png.h. */
#include "codec/png.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#include <png.h>

#define RGB_BYTES 3

static uint64_t picture_bytes(uint32_t width, uint32_t height)
{
    return (uint64_t)width * height * RGB_BYTES;
}

static int picture_new(uint32_t width, uint32_t height, struct picture *ret_picture)
{
    uint8_t *rgb = mem_alloc((size_t)width * height, RGB_BYTES);

    if (rgb == NULL) {
        return -ERR_NOMEM;
    }
    *ret_picture = (struct picture){.width = width, .height = height, .rgb = rgb};
    return 0;
}

void picture_done(struct picture *picture)
{
    mem_free(picture->rgb);
    *picture = (struct picture){0};
}

int picture_decode_png(struct str png, uint64_t pixels_max, struct picture *ret_picture)
{
    static const png_color white = {255, 255, 255};
    png_image image = {.version = PNG_IMAGE_VERSION};
    struct picture picture = {0};
    int r;

    if (png_image_begin_read_from_memory(&image, png.ptr, png.len) == 0) {
        return -ERR_SYNTAX;
    }
    if (image.width > PNG_SIDE_MAX || image.height > PNG_SIDE_MAX ||
        (uint64_t)image.width * image.height > pixels_max) {
        png_image_free(&image);
        return -ERR_LIMIT;
    }
    r = picture_new(image.width, image.height, &picture);
    if (r < 0) {
        png_image_free(&image);
        return r;
    }
    image.format = PNG_FORMAT_RGB;
    if (png_image_finish_read(&image, &white, picture.rgb, 0, NULL) == 0) {
        png_image_free(&image);
        picture_done(&picture);
        return -ERR_SYNTAX;
    }
    *ret_picture = picture;
    return 0;
}

int picture_encode_png(const struct picture *picture, struct buf *out)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = picture->width,
                       .height = picture->height,
                       .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    void *room = buf_reserve(out, size);

    if (room == NULL) {
        return buf_error(out);
    }
    if (png_image_write_to_memory(&image, room, &size, 0, picture->rgb, 0, NULL) == 0) {
        return -ERR_NOMEM;
    }
    buf_commit(out, size);
    return 0;
}

/* The mean of a box × box square, one colour. */
static uint8_t picture_mean(const struct picture *picture, uint32_t left, uint32_t top,
                            uint32_t box, unsigned colour)
{
    uint32_t sum = 0;

    for (uint32_t y = top; y < top + box; y++) {
        const uint8_t *row = picture->rgb + ((size_t)y * picture->width + left) * RGB_BYTES;

        for (uint32_t x = 0; x < box; x++) {
            sum += row[(size_t)x * RGB_BYTES + colour];
        }
    }
    return (uint8_t)(sum / (box * box));
}

int picture_shrink(const struct picture *picture, uint32_t width, struct picture *ret_picture)
{
    uint32_t box = (picture->width + width - 1) / width;
    struct picture small = {0};
    uint8_t *at;
    int r;

    while (box > 1 && picture->height < box) {
        box--;
    }
    r = picture_new(picture->width / box, picture->height / box, &small);
    if (r < 0) {
        return r;
    }
    if (box == 1) {
        memcpy(small.rgb, picture->rgb, picture_bytes(small.width, small.height));
        *ret_picture = small;
        return 0;
    }
    at = small.rgb;
    for (uint32_t y = 0; y < small.height; y++) {
        for (uint32_t x = 0; x < small.width; x++) {
            for (unsigned colour = 0; colour < RGB_BYTES; colour++) {
                *at++ = picture_mean(picture, x * box, y * box, box, colour);
            }
        }
    }
    *ret_picture = small;
    return 0;
}
