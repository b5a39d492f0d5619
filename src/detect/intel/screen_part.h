/* What screen.c and screen_value.c share. */
#ifndef DETECT_INTEL_SCREEN_PART_H
#define DETECT_INTEL_SCREEN_PART_H

#include "base/arena.h"
#include "base/map.h"
#include "detect/intel/screen.h"

#include <string.h>

#define SCREEN_DULL_BITS 10 /* of two names in one slot the later one is known */

enum {
    SCREEN_DULL_COUNT = 0
#define DULL(name) +1
#include "detect/intel/screen_dull.def"
#undef DULL
};

/* Both ends of a name, which tell those of screen_dull.def from all others that were met. */
struct name_key {
    uint64_t head;
    uint64_t tail;
    size_t len;
};

static inline struct name_key name_key(struct str name)
{
    struct name_key key = {.len = name.len};

    if (name.len >= 8) {
        memcpy(&key.head, name.ptr, 8);
        memcpy(&key.tail, name.ptr + name.len - 8, 8);
    } else if (name.len >= 4) {
        memcpy(&key.head, name.ptr, 4);
        memcpy((char *)&key.tail + 4, name.ptr + name.len - 4, 4);
    }
    return key;
}

static inline size_t name_slot(const struct name_key *key)
{
    return (size_t)((key->head * 0x9e3779b97f4a7c15ULL ^ key->tail * 0xc4ceb9fe1a85ec53ULL ^
                     key->len * 0xff51afd7ed558ccdULL) >>
                    (64 - SCREEN_DULL_BITS));
}

struct sighting {
    struct screen_sighting shown;
    struct sighting *next;
};

#define SCREEN_QUIET_BITS 6
#define SCREEN_QUIET_MAX  63

/* A name that was asked and is on no list: hosts write their own into each entry. */
struct screen_quiet {
    uint8_t len;
    char name[SCREEN_QUIET_MAX];
};

struct screen {
    const struct indicators *indicators;
    const struct entry *entry;
    bool has[FEED_KIND_COUNT];
    bool has_names;        /* anything that a name or URL could be */
    struct arena *scratch; /* of an entry */
    struct screen_hit hits[SCREEN_HITS_MAX];
    size_t hit_count;
    struct screen_stats stats;
    struct map by_value; /* sightings */
    struct arena *values;
    struct sighting *first;
    struct sighting *last;
    uint64_t open; /* ends of names whose values need not look like anything; see screen_open_bit */
    uint8_t dull[1U << SCREEN_DULL_BITS]; /* places in dull_keys */
    struct name_key dull_keys[SCREEN_DULL_COUNT];
    struct screen_quiet quiet[1U << SCREEN_QUIET_BITS];
    /* Here because the stack's would be zeroed each time. */
    char room[FEED_LINE_MAX];
    char url[FEED_LINE_MAX];
    char key[FEED_LINE_MAX];
};

/* One of 64, by the last four letters of a name. */
static inline uint64_t screen_open_bit(uint32_t tail)
{
    return (uint64_t)1 << (tail * 0x9e3779b1U >> 26);
}

void screen_learn_names(struct screen *screen);
/* False: the value, of four bytes at least, looks like nothing. */
bool screen_looks(const struct entry_field *field);
/* Asks for what the value of that field looks like. tail: the last four letters of its name, in
 * lower case. -ERR_NOMEM. */
[[nodiscard]] int screen_field(struct screen *screen, size_t field, uint32_t tail);
/* A hit, with what was found in the value. -ERR_NOMEM. */
[[nodiscard]] int screen_add(struct screen *screen, const struct indicator_hit *hit, size_t field,
                             struct str found);

#endif
