/* What a page looks like, in a few bytes: a perceptual hash (DCT of 32 × 32 luminances; Zauner
 * 2010), the mean luminance of 8 × 8 fields, and how much is dark. A tie-breaker beside the layers
 * that read the page: pictures of one page differ by banners and fonts, a page that gave way to
 * another differs all over. Pure. */
#ifndef DETECT_DEFACE_VISUAL_H
#define DETECT_DEFACE_VISUAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "model/site.h"

#include <stdbool.h>
#include <stdint.h>

#define VISUAL_FIELDS 64

struct visual {
    uint64_t hash;
    uint8_t fields[VISUAL_FIELDS]; /* rows from the top */
    uint8_t dark;                  /* share of dark pixels, 0 to 255 */
};

/* How far two pictures are from each other, each 0 (the same) to 1. */
struct visual_distance {
    double hash;   /* share of bits that differ; 0.5 is what chance gives */
    double fields; /* mean difference of luminance */
    double dark;   /* of the dark shares */
};

/* rgb: width × height × 3 bytes. An empty picture is all zero. */
void visual_of(const uint8_t *rgb, uint32_t width, uint32_t height, struct visual *ret_visual);
struct visual_distance visual_compare(const struct visual *a, const struct visual *b);
/* Another page, not the same one with another banner: log-odds above 0, capped at 4. */
double visual_score(const struct visual_distance *distance);

/* From so much on a page counts as another one. */
#define VISUAL_ODD 2.5
/* The same picture, but for a clock or a counter in it. */
bool visual_is_same(const struct visual_distance *distance);

/* Adds what a page looks like, `score` as above of the nearest picture that was learned, to a look
 * that the layers which read it have judged. By itself it makes yellow at most; red wants another
 * layer that shows intent. The check's reasons are copied into the arena. -ERR_NOMEM. */
[[nodiscard]] int visual_weigh(double score, struct arena *arena, struct site_check *check);

void visual_encode(const struct visual *visual, struct buf *buf);
[[nodiscard]] int visual_decode(struct str bytes, struct visual *ret_visual);

#endif
