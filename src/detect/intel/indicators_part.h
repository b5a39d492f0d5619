/* What indicators.c and indicators_file.c share. */
#ifndef DETECT_INTEL_INDICATORS_PART_H
#define DETECT_INTEL_INDICATORS_PART_H

#include "detect/intel/indicators.h"

/* Kinds of entries beside enum feed_kind: the allow list. */
#define INDICATOR_ALLOW  (FEED_KIND_COUNT + 0)
#define INDICATOR_SHARED (FEED_KIND_COUNT + 1)

struct indicators {
    uint32_t *slots; /* offset of an entry + 1; 0: free */
    size_t room;     /* power of two */
    size_t count;
    char *entries; /* kind, list, day of expiry, length, value */
    size_t entries_len;
    size_t entries_room;
    struct literals *phrases; /* with the entry's place */
    struct indicator_list lists[INDICATORS_LISTS_MAX];
    char *texts[INDICATORS_LISTS_MAX]; /* what a list's name, label and source borrow */
    size_t list_count;
    int64_t time;
};

/* Of two lists that have a value the one that expires later keeps it. -ERR_LIMIT, -ERR_NOMEM. */
[[nodiscard]] int indicators_add(struct indicators *indicators, unsigned kind, unsigned list,
                                 struct str value, int64_t expires);

#endif
