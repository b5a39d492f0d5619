/* What indicators.c and indicators_file.c share. */
#ifndef DETECT_INTEL_INDICATORS_PART_H
#define DETECT_INTEL_INDICATORS_PART_H

#include "detect/intel/indicator_table.h"
#include "detect/intel/indicators.h"

/* Kinds of entries beside enum feed_kind: the allow list that is built in, and those that a person
 * imported, of each kind. */
#define INDICATOR_ALLOW  (FEED_KIND_COUNT + 0)
#define INDICATOR_SHARED (FEED_KIND_COUNT + 1)
#define INDICATOR_OURS   (FEED_KIND_COUNT + 2)
#define INDICATOR_KINDS  (INDICATOR_OURS + FEED_KIND_COUNT)

struct indicators {
    struct indicator_table table;
    uint64_t counts[INDICATOR_KINDS]; /* different values, by kind */
    uint64_t network_bits[3];         /* which lengths networks have: bit by bit */
    struct literals *phrases;
    bool is_keeping;
    char *values; /* kept: kind, list, day of expiry, length, value */
    size_t values_len;
    size_t values_room;
    struct indicator_list lists[INDICATORS_LISTS_MAX];
    char *texts[INDICATORS_LISTS_MAX]; /* what a list's name, label and source borrow */
    size_t list_count;
    int64_t time;
};

/* Of two lists that have a value the one that expires later keeps it. -ERR_LIMIT, -ERR_NOMEM. */
[[nodiscard]] int indicators_add(struct indicators *indicators, unsigned kind, unsigned list,
                                 struct str value, int64_t expires);

#endif
