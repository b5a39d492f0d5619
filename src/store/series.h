/* How fast a site has answered during the last day: the slowest answer of each quarter of an hour,
 * in a few bytes that are written anew with each look. Pure. */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define SERIES_SPAN_NS  (900LL * 1000 * 1000 * 1000)
#define SERIES_COUNT    96
#define SERIES_SIZE_MAX (8 + 2 * SERIES_COUNT)
#define SERIES_NONE     0      /* nothing was asked then */
#define SERIES_FAILED   0xffff /* it was asked and did not answer at all */

struct series {
    int64_t last;              /* number of the newest span since 1970 */
    uint16_t ms[SERIES_COUNT]; /* oldest first */
};

/* Anything that is no series is an empty one. */
void series_read(struct str bytes, struct series *ret_series);
/* ms: how long the answer took, SERIES_FAILED for none. What is older than the series, or lies a
 * day behind its newest, changes nothing. */
void series_add(struct series *series, int64_t time, uint16_t ms);
/* Writes SERIES_SIZE_MAX bytes. */
void series_write(const struct series *series, uint8_t out[SERIES_SIZE_MAX]);

#endif
