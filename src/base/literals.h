/* Thousands of literals, all looked for in one pass over a text: five bytes at each place, or at
 * each second to fourth where no literal is short, ask a bit set, which says no nearly always; else
 * a hash is looked up for each length that literals with their first four bytes have. So a text
 * costs a fixed number of steps a byte, whatever it and the literals are. Pure once it is built;
 * not thread-safe while it is. */
#ifndef BASE_LITERALS_H
#define BASE_LITERALS_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define LITERAL_MIN 4
#define LITERAL_MAX 64

struct literals;

/* limit: most literals it may hold. -ERR_NOMEM. */
[[nodiscard]] int literals_new(size_t limit, struct literals **ret_literals);
void literals_free(struct literals *literals);
void literals_freep(struct literals **literals);
/* A copy is kept; value comes back with each hit. The first value of a literal stays. -ERR_RANGE
 * for a length outside the bounds, -ERR_LIMIT, -ERR_NOMEM. */
[[nodiscard]] int literals_add(struct literals *literals, struct str literal, uint32_t value);

struct literals_hit {
    size_t at; /* in the text */
    size_t len;
    uint32_t value;
};

/* The next hit at or behind `from`; at one place the longest comes first and alone. False when
 * there is none. Go on from hit.at + 1. */
bool literals_find(const struct literals *literals, struct str text, size_t from,
                   struct literals_hit *ret_hit);
size_t literals_count(const struct literals *literals);
/* Bytes of memory it holds. */
size_t literals_size(const struct literals *literals);

#endif
