/* Whether keywords may stand in values as they were written, before escapes are taken out and
 * letters folded: nearly always no, and then nothing need be made of the values. Pure. */
#ifndef DETECT_SIGMA_ENGINE_SIFT_H
#define DETECT_SIGMA_ENGINE_SIFT_H

#include "detect/sigma/engine_teddy.h"

#include <stdbool.h>

struct sift;

/* texts: folded; the array is overwritten. *ret_sift is NULL where they are too many, or one of
 * them cannot be told in escaped text. -ERR_NOMEM. */
[[nodiscard]] int sift_new(struct str *texts, size_t count, struct sift **ret_sift);
void sift_free(struct sift *sift);
/* False: none of the texts stands in the value that this is, escaped or not. places: for its use.
 */
bool sift_may_hold(const struct sift *sift, struct str value, uint32_t places[FIND_ROOM]);

#endif
