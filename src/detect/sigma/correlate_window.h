/* What windows keep beside their moments. */
#ifndef DETECT_SIGMA_CORRELATE_WINDOW_H
#define DETECT_SIGMA_CORRELATE_WINDOW_H

#include "detect/sigma/correlate_part.h"

#define DISTINCT_PLAIN 8U /* room of a block up to which moments are looked through one by one */

struct tally {
    double sum;
    double lost; /* to rounding */
    uint64_t count;
    uint64_t left; /* moments since the sum was last made anew */
};

/* Finds the moment of a value: slots hold its place in the block + 1. A slot whose moment has left
 * stays until the look-up is made anew, before as many have come as the block has room for. */
struct distinct {
    uint32_t dead; /* moments that stand no more */
    uint32_t slots[];
};

struct sorted {
    size_t count;
    double values[];
};

/* Moments that stand. */
uint32_t window_live(const struct plan *plan, const struct group *group);
/* correlate_moment.c: a moment comes, for which there is room; the first one leaves. */
void moment_put(struct sigma_correlator *correlator, struct group *group,
                const struct moment_valued *moment);
void window_leave(const struct plan *plan, struct group *group);

#endif
