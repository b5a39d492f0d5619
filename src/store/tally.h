/* How many entries a source of logs wrote in each hour of the last week, in a few bytes that are
 * written anew with each batch. Pure. */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define TALLY_SPAN_NS  (3600LL * 1000 * 1000 * 1000)
#define TALLY_COUNT    168
#define TALLY_SIZE_MAX (8 + 5 * TALLY_COUNT)

struct tally {
    int64_t last;                 /* number of the newest hour since 1970; 0: there is none */
    uint32_t counts[TALLY_COUNT]; /* oldest first; no higher than UINT32_MAX */
};

/* Anything that is no tally is an empty one. */
void tally_read(struct str bytes, struct tally *ret_tally);
/* What lies a week behind the newest hour changes nothing. */
void tally_add(struct tally *tally, int64_t time, uint64_t count);
/* The series as it stands at `time`: hours without a word have passed since. */
void tally_turn(struct tally *tally, int64_t time);
/* Returns how many bytes were written: the hour, then each count in groups of seven bits, the
 * lowest first. */
size_t tally_write(const struct tally *tally, uint8_t out[TALLY_SIZE_MAX]);

#endif
