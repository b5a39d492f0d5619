/* What the first pages of sites look like, for `canhgac watch --visual`: keeps the numbers of
 * pictures that were learned and weighs new ones into looks, as core/picture.c does in a centre. It
 * sees no picture, only what render made of it. On its way: desk.c → eye → print.c. */
#ifndef CLI_WATCH_EYE_H
#define CLI_WATCH_EYE_H

#include "base/arena.h"
#include "centre/fetch/wire.h"
#include "cli/watch/keep.h"
#include "model/site.h"

#include <stdbool.h>
#include <stddef.h>

struct watch_eye;

/* keep and urls outlive it. is_hasty: one odd picture counts; else it must be seen twice, unless
 * what was read is suspicious too. */
[[nodiscard]] int watch_eye_new(const struct watch_keep *keep, const char *const *urls,
                                size_t count, bool is_hasty, struct watch_eye **ret_eye);
/* Takes NULL. */
void watch_eye_free(struct watch_eye *eye);

/* A look at a site (its place in urls) has come: weighs what its page looked like last into it. */
[[nodiscard]] int watch_eye_weigh(struct watch_eye *eye, size_t site, struct arena *arena,
                                  struct site_check *check);

enum watch_eye_word {
    WATCH_EYE_SAME,  /* as it was learned, or learned now */
    WATCH_EYE_DOUBT, /* odd for the first time: another picture should be made */
    WATCH_EYE_KNOWN, /* odd, and told before */
    WATCH_EYE_ODD,   /* ret_check is the last look with the picture weighed in: to be told */
};

/* A picture of a page has come. -ERR_PROTO, -ERR_NOMEM; -errno when it cannot be kept. */
[[nodiscard]] int watch_eye_take(struct watch_eye *eye, size_t site,
                                 const struct fetch_picture *picture, struct arena *arena,
                                 enum watch_eye_word *ret_word, struct site_check *ret_check);

#endif
