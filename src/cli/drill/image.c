/* Pictures of a drill: PNG (RFC 2083, stored blocks) and baseline JPEG (ITU-T T.81, grey, the
 * tables of its Annex K). On its way: drill/document.c → here → drill/fill.c. Invariant: soft
 * shapes and a little noise, so that a picture packs like a photograph and not like ciphertext. */
#include "cli/drill/document.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"

#include <math.h>
#include <stdint.h>

#define IMAGE_SIDE_MAX 2048U

/* A grey picture of soft waves; noise of `grain` levels. */
static int image_paint(struct prng *prng, unsigned width, unsigned height, unsigned grain,
                       uint8_t **ret_pixels)
{
    uint8_t *pixels = mem_alloc(width, height);
    double fx = 0.005 + (double)prng_below(prng, 100) / 2000.0;
    double fy = 0.005 + (double)prng_below(prng, 100) / 2000.0;

    if (pixels == NULL) {
        return -ERR_NOMEM;
    }
    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < width; x++) {
            double level = 120 + 60 * sin(fx * x) + 50 * cos(fy * (x + 2.0 * y));

            pixels[(size_t)y * width + x] = (uint8_t)(level + (double)prng_below(prng, grain));
        }
    }
    *ret_pixels = pixels;
    return 0;
}

static void image_put_u32(struct buf *out, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};

    buf_put(out, bytes, sizeof(bytes));
}

static void image_put_u16(struct buf *out, unsigned value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    buf_put(out, bytes, sizeof(bytes));
}

static uint32_t png_crc(struct str bytes)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (uint8_t)bytes.ptr[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
        }
    }
    return ~crc;
}

/* body: the four letters of the type and the data. */
static void png_put_chunk(struct buf *out, struct str body)
{
    image_put_u32(out, (uint32_t)body.len - 4);
    buf_put_str(out, body);
    image_put_u32(out, png_crc(body));
}

/* zlib's frame (RFC 1950) around stored blocks, a row with its filter byte in each. */
static void png_put_rows(struct buf *out, const uint8_t *pixels, unsigned width, unsigned height)
{
    uint32_t a = 1;
    uint32_t b = 0;

    buf_put_text(out, "IDAT\x78\x01");
    for (unsigned y = 0; y < height; y++) {
        const uint8_t *row = pixels + (size_t)y * width;
        unsigned len = width + 1;
        const uint8_t head[6] = {y + 1 == height, (uint8_t)len,         (uint8_t)(len >> 8),
                                 (uint8_t)~len,   (uint8_t)(~len >> 8), 0};

        buf_put(out, head, sizeof(head));
        buf_put(out, row, width);
        b = (b + a) % 65521;
        for (unsigned x = 0; x < width; x++) {
            a = (a + row[x]) % 65521;
            b = (b + a) % 65521;
        }
    }
    image_put_u32(out, b << 16 | a);
}

int document_write_png(struct prng *prng, size_t size, struct buf *out)
{
    unsigned side = (unsigned)sqrt((double)size) + 8;
    CLEANUP(mem_freep) uint8_t *pixels = NULL;
    struct buf chunk;
    int r;

    side = side < IMAGE_SIDE_MAX ? side : IMAGE_SIDE_MAX;
    r = image_paint(prng, side, side, 6, &pixels);
    if (r < 0) {
        return r;
    }
    buf_put(out, "\x89PNG\r\n\x1a\n", 8);
    buf_init(&chunk, 2ULL * IMAGE_SIDE_MAX * IMAGE_SIDE_MAX);
    buf_put_text(&chunk, "IHDR");
    image_put_u32(&chunk, side);
    image_put_u32(&chunk, side);
    buf_put(&chunk, "\x08\x00\x00\x00\x00", 5); /* 8 bits, grey */
    png_put_chunk(out, buf_str(&chunk));
    buf_reset(&chunk);
    png_put_rows(&chunk, pixels, side, side);
    r = buf_error(&chunk);
    png_put_chunk(out, buf_str(&chunk));
    buf_done(&chunk);
    png_put_chunk(out, STR("IEND"));
    return r < 0 ? r : buf_error(out);
}

/* T.81 Annex K: luminance quantisation, and the typical Huffman tables as counts by length and
 * symbols. */
static const uint8_t jpeg_quant[64] = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
};
static const uint8_t jpeg_zigzag[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};
static const uint8_t jpeg_dc_counts[16] = {0, 1, 5, 1, 1, 1, 1, 1, 1};
static const uint8_t jpeg_dc_symbols[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t jpeg_ac_counts[16] = {0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d};
static const uint8_t jpeg_ac_symbols[162] = {
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
    0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52,
    0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25,
    0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64,
    0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
    0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3,
    0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8,
    0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
};

struct jpeg_code {
    uint16_t bits;
    uint8_t len;
};

struct jpeg {
    struct buf *out;
    uint32_t held; /* bits not yet written, the oldest highest */
    unsigned held_len;
    int last_dc;
    struct jpeg_code dc[256];
    struct jpeg_code ac[256];
    double cosines[8][8]; /* [frequency][place], norm included */
};

static void jpeg_init(struct jpeg *jpeg, struct buf *out)
{
    const uint8_t *const counts[2] = {jpeg_dc_counts, jpeg_ac_counts};
    const uint8_t *const symbols[2] = {jpeg_dc_symbols, jpeg_ac_symbols};
    struct jpeg_code *const codes[2] = {jpeg->dc, jpeg->ac};

    *jpeg = (struct jpeg){.out = out};
    for (unsigned table = 0; table < 2; table++) {
        unsigned code = 0;
        unsigned at = 0;

        for (unsigned len = 1; len <= 16; len++, code <<= 1) {
            for (unsigned i = 0; i < counts[table][len - 1]; i++) {
                codes[table][symbols[table][at++]] =
                    (struct jpeg_code){(uint16_t)code++, (uint8_t)len};
            }
        }
    }
    for (unsigned u = 0; u < 8; u++) {
        for (unsigned x = 0; x < 8; x++) {
            jpeg->cosines[u][x] = cos((2 * x + 1) * u * M_PI / 16) * (u == 0 ? M_SQRT1_2 : 1) / 2;
        }
    }
}

static void jpeg_put_bits(struct jpeg *jpeg, unsigned bits, unsigned len)
{
    jpeg->held = jpeg->held << len | (bits & ((1U << len) - 1));
    jpeg->held_len += len;
    while (jpeg->held_len >= 8) {
        unsigned char byte = (unsigned char)(jpeg->held >> (jpeg->held_len - 8));

        buf_put_byte(jpeg->out, byte);
        if (byte == 0xff) {
            buf_put_byte(jpeg->out, 0);
        }
        jpeg->held_len -= 8;
    }
}

/* A Huffman code whose low half tells the length of the value that follows. */
static void jpeg_put_value(struct jpeg *jpeg, const struct jpeg_code *codes, unsigned run,
                           int value)
{
    unsigned magnitude = (unsigned)(value < 0 ? -value : value);
    unsigned len = magnitude == 0 ? 0 : 32 - (unsigned)__builtin_clz(magnitude);
    const struct jpeg_code *code = &codes[run << 4 | len];

    jpeg_put_bits(jpeg, code->bits, code->len);
    if (len != 0) {
        jpeg_put_bits(jpeg, (unsigned)(value < 0 ? value - 1 : value), len);
    }
}

static void jpeg_transform(const struct jpeg *jpeg, const uint8_t *pixels, size_t stride,
                           int levels[64])
{
    double rows[8][8];

    for (unsigned y = 0; y < 8; y++) {
        for (unsigned u = 0; u < 8; u++) {
            rows[y][u] = 0;
            for (unsigned x = 0; x < 8; x++) {
                rows[y][u] += (pixels[y * stride + x] - 128) * jpeg->cosines[u][x];
            }
        }
    }
    for (unsigned v = 0; v < 8; v++) {
        for (unsigned u = 0; u < 8; u++) {
            double sum = 0;

            for (unsigned y = 0; y < 8; y++) {
                sum += rows[y][u] * jpeg->cosines[v][y];
            }
            levels[8 * v + u] = (int)lround(sum / jpeg_quant[8 * v + u]);
        }
    }
}

static void jpeg_put_block(struct jpeg *jpeg, const uint8_t *pixels, size_t stride)
{
    int levels[64];
    unsigned run = 0;

    jpeg_transform(jpeg, pixels, stride, levels);
    jpeg_put_value(jpeg, jpeg->dc, 0, levels[0] - jpeg->last_dc);
    jpeg->last_dc = levels[0];
    for (unsigned i = 1; i < 64; i++) {
        int level = levels[jpeg_zigzag[i]];

        if (level == 0) {
            run++;
            continue;
        }
        for (; run > 15; run -= 16) {
            jpeg_put_bits(jpeg, jpeg->ac[0xf0].bits, jpeg->ac[0xf0].len);
        }
        jpeg_put_value(jpeg, jpeg->ac, run, level);
        run = 0;
    }
    if (run != 0) {
        jpeg_put_bits(jpeg, jpeg->ac[0].bits, jpeg->ac[0].len);
    }
}

static void jpeg_put_huffman(struct buf *out, unsigned char class, const uint8_t counts[16],
                             struct str symbols)
{
    buf_put(out, "\xff\xc4", 2);
    image_put_u16(out, 19 + (unsigned)symbols.len);
    buf_put_byte(out, class);
    buf_put(out, counts, 16);
    buf_put_str(out, symbols);
}

static void jpeg_put_head(struct buf *out, unsigned width, unsigned height)
{
    buf_put(out, "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00", 20);
    buf_put(out, "\xff\xdb\x00\x43\x00", 5);
    for (unsigned i = 0; i < 64; i++) {
        buf_put_byte(out, jpeg_quant[jpeg_zigzag[i]]);
    }
    buf_put(out, "\xff\xc0\x00\x0b\x08", 5);
    image_put_u16(out, height);
    image_put_u16(out, width);
    buf_put(out, "\x01\x01\x11\x00", 4);
    jpeg_put_huffman(out, 0x00, jpeg_dc_counts,
                     str_of((const char *)jpeg_dc_symbols, sizeof(jpeg_dc_symbols)));
    jpeg_put_huffman(out, 0x10, jpeg_ac_counts,
                     str_of((const char *)jpeg_ac_symbols, sizeof(jpeg_ac_symbols)));
    buf_put(out, "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00", 10);
}

int document_write_jpeg(struct prng *prng, size_t size, struct buf *out)
{
    /* About a byte for nine pixels at this grain and quality. */
    unsigned blocks = (unsigned)sqrt((double)size * 9 / 64) + 2;
    CLEANUP(mem_freep) uint8_t *pixels = NULL;
    struct jpeg jpeg;
    unsigned side;
    int r;

    blocks = blocks < IMAGE_SIDE_MAX / 8 ? blocks : IMAGE_SIDE_MAX / 8;
    side = blocks * 8;
    r = image_paint(prng, side, side, 24, &pixels);
    if (r < 0) {
        return r;
    }
    jpeg_init(&jpeg, out);
    jpeg_put_head(out, side, side);
    for (unsigned y = 0; y < side; y += 8) {
        for (unsigned x = 0; x < side; x += 8) {
            jpeg_put_block(&jpeg, pixels + (size_t)y * side + x, side);
        }
    }
    jpeg_put_bits(&jpeg, 0x7f, 7); /* fills the last byte with ones */
    buf_put(out, "\xff\xd9", 2);
    return buf_error(out);
}
