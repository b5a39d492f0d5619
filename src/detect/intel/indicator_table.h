/* A set of values as 64-bit hashes with what is known of each: 13 bytes a slot, whatever the values
 * are. A sieve of a byte a slot, which the processor's caches hold, answers no for nearly all that
 * are not in it. That two values share a hash is as likely as one in 2^64 for each pair that is
 * asked. Not thread-safe while it is built. */
#ifndef DETECT_INTEL_INDICATOR_TABLE_H
#define DETECT_INTEL_INDICATOR_TABLE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct indicator_slot {
    uint32_t low; /* of the hash; both 0: free */
    uint32_t high;
    uint16_t day; /* of expiry, since 1970; 0: never */
    uint8_t list;
};

struct indicator_table {
    struct indicator_slot *slots;
    uint64_t *sieve;
    size_t room;
    size_t count;
};

void indicator_table_done(struct indicator_table *table);
/* Never 0. kind keeps equal values of different kinds apart. */
uint64_t indicator_hash(unsigned kind, struct str value);
/* The value's slot, or NULL. */
struct indicator_slot *indicator_table_find(const struct indicator_table *table, uint64_t hash);
/* The value's slot; a free one is taken for it, whose list and day are the caller's to fill.
 * -ERR_NOMEM. */
[[nodiscard]] int indicator_table_add(struct indicator_table *table, uint64_t hash,
                                      struct indicator_slot **ret_slot, bool *ret_is_new);
size_t indicator_table_size(const struct indicator_table *table);

#endif
