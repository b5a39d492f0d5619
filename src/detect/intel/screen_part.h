/* What screen.c and screen_value.c share. */
#ifndef DETECT_INTEL_SCREEN_PART_H
#define DETECT_INTEL_SCREEN_PART_H

#include "base/arena.h"
#include "detect/intel/screen.h"

#define SCREEN_QUIET_BITS 9

/* Fields that say more of a request's path. */
enum screen_beside {
    SCREEN_BESIDE_HOST,
    SCREEN_BESIDE_HTTP_HOST,
    SCREEN_BESIDE_QUERY,
    SCREEN_BESIDE_COUNT,
};

struct screen {
    const struct indicators *indicators;
    const struct entry *entry;
    int64_t at; /* the entry's time, as far as it is believed */
    bool has[FEED_KIND_COUNT];
    bool has_names;        /* anything that a name or URL could be */
    struct arena *scratch; /* of a value */
    struct arena *kept;    /* of an entry's hits */
    /* What a path is asked with; looked for once an entry. */
    struct str beside[SCREEN_BESIDE_COUNT];
    bool has_looked_beside;
    size_t joined; /* bytes of URLs that were put together of them */
    struct screen_hit hits[SCREEN_HITS_MAX];
    size_t hit_count;
    struct screen_stats stats;
    /* Hashes of values that were asked and are on no list, each in its place: hosts write their own
     * name into each entry, and load the same files. Seeded by where memory happens to lie: nobody
     * who writes logs shall find two values of one hash. */
    uint64_t quiet[1U << SCREEN_QUIET_BITS];
    uint64_t seed;
    uint64_t quiet_seed; /* of the entry's hour */
    /* Here because the stack's would be zeroed each time. */
    char room[FEED_LINE_MAX];
    char url[FEED_LINE_MAX];
    char whole[FEED_LINE_MAX];
};

/* Asks for what the value of that field, a text of four bytes at least, looks like. -ERR_NOMEM. */
[[nodiscard]] int screen_field(struct screen *screen, size_t field);
/* A hit, with what was found in the value. -ERR_NOMEM. */
[[nodiscard]] int screen_add(struct screen *screen, const struct indicator_hit *hit, size_t field,
                             struct str found);

#endif
