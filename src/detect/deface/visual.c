/* The picture of a page as numbers: see detect/deface/visual.h. Neighbours: centre/render.c has the
 * pixels, store/ keeps the numbers. Invariant: only the picture decides; no floating-point result
 * is stored. */
#include "detect/deface/visual.h"

#include "base/banned.h"
#include "base/err.h"

#include <math.h>
#include <stdlib.h>

#define SIDE         32 /* luminances a side, before the transform */
#define LOW          8  /* of its lowest frequencies are kept */
#define FIELD_SIDE   8
#define DARK_BELOW   48
#define ENCODED_SIZE (8 + VISUAL_FIELDS + 1)

/* Weights of the score: fitted by hand on own pages, so they only break ties (docs/decisions.md).
 */
#define SCORE_HASH   8.0
#define SCORE_FIELDS 12.0
#define SCORE_DARK   4.0
#define SCORE_BIAS   (-3.0)
#define SCORE_MAX    4.0

#define SAME_HASH    (2 / 64.0)
#define SAME_FIELDS  0.01

static unsigned luminance(const uint8_t *pixel)
{
    return (54U * pixel[0] + 183U * pixel[1] + 19U * pixel[2]) >> 8; /* Rec. 709 */
}

struct visual_field {
    uint32_t left;
    uint32_t right;
    uint32_t top;
    uint32_t bottom;
};

static double visual_mean(const uint8_t *rgb, uint32_t width, struct visual_field field)
{
    uint64_t count = (uint64_t)(field.bottom - field.top) * (field.right - field.left);
    uint64_t sum = 0;

    for (uint32_t y = field.top; y < field.bottom; y++) {
        for (uint32_t x = field.left; x < field.right; x++) {
            sum += luminance(rgb + ((size_t)y * width + x) * 3);
        }
    }
    return count != 0 ? (double)sum / (double)count : 0;
}

/* Means over side × side fields; every pixel counts in one field. */
static void visual_means(const uint8_t *rgb, uint32_t width, uint32_t height, uint32_t side,
                         double *means)
{
    for (uint64_t row = 0; row < side; row++) {
        for (uint64_t column = 0; column < side; column++) {
            const struct visual_field field = {.left = (uint32_t)(column * width / side),
                                               .right = (uint32_t)((column + 1) * width / side),
                                               .top = (uint32_t)(row * height / side),
                                               .bottom = (uint32_t)((row + 1) * height / side)};

            means[row * side + column] = visual_mean(rgb, width, field);
        }
    }
}

/* One coefficient of the two-dimensional DCT-II. */
static double visual_coefficient(const double *means, unsigned u, unsigned v)
{
    double sum = 0;

    for (unsigned y = 0; y < SIDE; y++) {
        double wave = cos((2 * y + 1) * v * M_PI / (2 * SIDE));

        for (unsigned x = 0; x < SIDE; x++) {
            sum += means[y * SIDE + x] * wave * cos((2 * x + 1) * u * M_PI / (2 * SIDE));
        }
    }
    return sum;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* A bit for each low frequency above their median; the mean luminance has none. */
static uint64_t visual_hash(const double *means)
{
    double values[LOW * LOW];
    double sorted[LOW * LOW];
    uint64_t hash = 0;

    for (unsigned i = 0; i < LOW * LOW; i++) {
        values[i] = visual_coefficient(means, i % LOW, i / LOW);
    }
    values[0] = 0;
    memcpy(sorted, values, sizeof(sorted));
    qsort(sorted, LOW * LOW, sizeof(sorted[0]), compare_doubles);
    for (unsigned i = 1; i < LOW * LOW; i++) {
        hash |= values[i] > sorted[LOW * LOW / 2] ? UINT64_C(1) << i : 0;
    }
    return hash;
}

static uint8_t visual_dark(const uint8_t *rgb, uint32_t width, uint32_t height)
{
    uint64_t count = (uint64_t)width * height;
    uint64_t dark = 0;

    for (uint64_t i = 0; i < count; i++) {
        dark += luminance(rgb + i * 3) < DARK_BELOW;
    }
    return (uint8_t)(count != 0 ? dark * 255 / count : 0);
}

void visual_of(const uint8_t *rgb, uint32_t width, uint32_t height, struct visual *ret_visual)
{
    double means[SIDE * SIDE] = {0};
    double fields[VISUAL_FIELDS] = {0};

    *ret_visual = (struct visual){0};
    if (width == 0 || height == 0) {
        return;
    }
    visual_means(rgb, width, height, SIDE, means);
    visual_means(rgb, width, height, FIELD_SIDE, fields);
    ret_visual->hash = visual_hash(means);
    for (unsigned i = 0; i < VISUAL_FIELDS; i++) {
        ret_visual->fields[i] = (uint8_t)fields[i];
    }
    ret_visual->dark = visual_dark(rgb, width, height);
}

struct visual_distance visual_compare(const struct visual *a, const struct visual *b)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < VISUAL_FIELDS; i++) {
        sum += (unsigned)abs(a->fields[i] - b->fields[i]);
    }
    return (struct visual_distance){.hash = __builtin_popcountll(a->hash ^ b->hash) / 64.0,
                                    .fields = sum / (255.0 * VISUAL_FIELDS),
                                    .dark = abs(a->dark - b->dark) / 255.0};
}

double visual_score(const struct visual_distance *distance)
{
    double score = SCORE_BIAS + SCORE_HASH * distance->hash + SCORE_FIELDS * distance->fields +
                   SCORE_DARK * distance->dark;

    return fmax(0, fmin(score, SCORE_MAX));
}

bool visual_is_same(const struct visual_distance *distance)
{
    return distance->hash <= SAME_HASH && distance->fields <= SAME_FIELDS;
}

void visual_encode(const struct visual *visual, struct buf *buf)
{
    for (unsigned i = 0; i < 8; i++) {
        (void)buf_put_byte(buf, (unsigned char)(visual->hash >> 8 * i));
    }
    (void)buf_put(buf, visual->fields, sizeof(visual->fields));
    (void)buf_put_byte(buf, visual->dark);
}

int visual_decode(struct str bytes, struct visual *ret_visual)
{
    struct visual visual = {0};

    if (bytes.len != ENCODED_SIZE) {
        return -ERR_SYNTAX;
    }
    for (unsigned i = 0; i < 8; i++) {
        visual.hash |= (uint64_t)(unsigned char)bytes.ptr[i] << 8 * i;
    }
    memcpy(visual.fields, bytes.ptr + 8, VISUAL_FIELDS);
    visual.dark = (uint8_t)bytes.ptr[ENCODED_SIZE - 1];
    *ret_visual = visual;
    return 0;
}
