/* Slows down whoever guesses: after a few free failures each further one doubles the wait. One
 * entry a key (a user name, an address), the oldest forgotten when the table is full. Not
 * thread-safe. */
#ifndef CENTRE_LIMITER_H
#define CENTRE_LIMITER_H

#include "base/list.h"
#include "base/map.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct limiter {
    struct map entries;
    struct list by_age; /* oldest first */
    size_t limit;
    unsigned free_failures;
    int64_t longest; /* ns, of one wait */
};

/* limit: most keys. longest: the wait stops growing there. */
void limiter_init(struct limiter *limiter, size_t limit, unsigned free_failures, int64_t longest,
                  uint64_t seed);
void limiter_done(struct limiter *limiter);
/* How long the key must wait, in ns from now (monotonic); 0: not at all. */
int64_t limiter_wait(const struct limiter *limiter, struct str key, int64_t now);
/* Counts a failure. -ERR_NOMEM. */
[[nodiscard]] int limiter_fail(struct limiter *limiter, struct str key, int64_t now);
void limiter_forgive(struct limiter *limiter, struct str key);

#endif
