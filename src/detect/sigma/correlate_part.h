/* What the correlate*.c share. A correlation becomes a plan: which fields it asks of which part,
 * and which of the six kinds of window its groups keep. A group is 64 bytes in a slab, and one
 * block of its own: its moments in the order of time, and behind them the values that it is of. */
#ifndef DETECT_SIGMA_CORRELATE_PART_H
#define DETECT_SIGMA_CORRELATE_PART_H

#include "base/arena.h"
#include "detect/sigma/correlate.h"

#define GROUP_VALUE_MAX                                                                            \
    1024U /* bytes of a group's value: longer ones keep their front and a hash */
#define GROUP_KEY_MAX (SIGMA_GROUP_FIELDS_MAX * (GROUP_VALUE_MAX + 2))
#define FIELD_VALUES_MAX                                                                           \
    8U /* of a field with several that are told apart; the rest is passed over */
#define COMBINATIONS_MAX 16U /* of such fields */
#define NEVER            INT64_MIN

/* A match in a window. Several that were merged are one with their count; 0: it stands no more. */
struct moment {
    int64_t time;
    uint64_t tag;
    uint32_t part;
    uint32_t count;
};

struct moment_valued {
    struct moment moment;
    union {
        double number;
        uint64_t hash;
    };
};

enum window_kind {
    WINDOW_ROW,      /* all of them, up to the plan's cap */
    WINDOW_TALLY,    /* with their sum; past the cap old ones are merged in pairs */
    WINDOW_DISTINCT, /* the last of each value's hash */
    WINDOW_PARTS,    /* the last of each part */
    WINDOW_EDGE,     /* those that no newer one surpasses: the front is the extreme */
    WINDOW_SORTED,   /* with a sorted copy of their values */
};

/* Where a part has a field: by number or name in an entry, by place in a correlation's result. */
struct field_ref {
    struct str name;
    uint32_t id;
    uint32_t place; /* UINT32_MAX: the result does not have it */
};

struct plan {
    const struct sigma_correlation *rule;
    enum window_kind kind;
    uint32_t stride; /* bytes of a moment */
    uint32_t cap;    /* most moments of a group */
    bool is_enough;  /* more than the cap would not change what the bounds say */
    uint64_t content;
    uint32_t oldest; /* groups by when they were touched; 0: none */
    uint32_t newest;
    const struct field_ref *refs; /* by part: of the group, then of the value */
    const bool *is_wanted;        /* by part: an ordered condition asks for it */
};

/* Groups are named by numbers from 1. */
struct group {
    uint32_t older;
    uint32_t newer;
    uint32_t plan;
    uint32_t key_len;
    uint64_t touched; /* which of all touches it was */
    int64_t said;     /* end of the window that it last spoke of; NEVER: fell below since */
    char *block;      /* room moments, then the key */
    void *extra;      /* struct tally, distinct or sorted */
    uint32_t first;
    uint32_t len;
    uint32_t room;
    uint32_t hash;
};

struct use {
    uint32_t plan;
    uint32_t part;
};

/* By place of a rule or correlation: its uses are those from starts[place] to starts[place + 1]. */
struct uses {
    uint32_t *starts;
    struct use *use;
};

/* A correlation that held, waiting for those that ask for it. */
struct result {
    uint32_t plan;
    int64_t time;
    const struct str *group;
};

/* What brings values: an entry, or a result of another correlation. */
struct source {
    const struct entry *entry;
    const struct result *result;
};

struct picked {
    struct str values[SIGMA_GROUP_FIELDS_MAX][FIELD_VALUES_MAX];
    uint8_t counts[SIGMA_GROUP_FIELDS_MAX];
    uint8_t at[SIGMA_GROUP_FIELDS_MAX]; /* the combination that comes next */
    size_t count;                       /* fields */
    unsigned given;                     /* combinations up to now */
};

struct sigma_correlator {
    const struct sigma_set *set;
    struct arena *arena; /* of plans */
    struct plan *plans;
    struct uses of_rules;
    struct uses of_correlations;
    size_t limit;
    size_t used;
    int64_t lateness;
    uint64_t seed;
    struct group **chunks;
    size_t chunk_room;
    uint32_t group_fresh; /* numbers up to here were given out */
    uint32_t group_free;  /* list by older */
    uint32_t *slots;      /* numbers of groups, eight bits of their hash above; 0: free */
    size_t slot_room;     /* power of two */
    uint64_t touches;
    int64_t newest;
    struct arena *scratch; /* of a call */
    struct result *results;
    size_t result_count;
    size_t result_room;
    /* What one use needs, here because the stack's would be zeroed each time. */
    bool *presence; /* by part, of the largest correlation */
    struct picked groups;
    struct picked values;
    char group_room[GROUP_KEY_MAX];
    char value_room[GROUP_KEY_MAX];
    struct sigma_correlator_stats stats;
};

/* Never passes the least time. */
static inline int64_t time_less(int64_t time, int64_t span)
{
    int64_t less;

    return __builtin_sub_overflow(time, span, &less) || less == NEVER ? NEVER + 1 : less;
}

static inline size_t ref_count(const struct sigma_correlation *rule)
{
    return rule->group_count + rule->bounds.field_count;
}

/* correlate_plan.c: everything of the set that stands before the first match. */
[[nodiscard]] int plans_make(struct sigma_correlator *correlator, const struct entry_names *names);
/* correlate_content.c: the same for correlations that say the same of the same rules, whatever set
 * they stand in. plans: those of the correlations before it are made. */
uint64_t correlation_content(const struct sigma_set *set, size_t place, const struct plan *plans);

/* correlate_group.c: groups and the bound on their memory. */
struct group *group_at(const struct sigma_correlator *correlator, uint32_t number);
/* The group of that plan and key, touched; a new one when there is none, for which old ones may go.
 * -ERR_NOMEM, -ERR_LIMIT (the bound is too small for it). */
[[nodiscard]] int group_take(struct sigma_correlator *correlator, uint32_t plan, struct str key,
                             uint32_t *ret_group);
void group_drop(struct sigma_correlator *correlator, uint32_t number);
/* Lets the longest-untouched groups of a plan go that no match can fall into any more. */
void group_sweep(struct sigma_correlator *correlator, uint32_t place);
void groups_done(struct sigma_correlator *correlator);
/* Memory of groups; others than keep may go for it. NULL with -ERR_NOMEM or -ERR_LIMIT. */
[[nodiscard]] int group_memory(struct sigma_correlator *correlator, const struct group *keep,
                               size_t size, void **ret_block);
void group_release(struct sigma_correlator *correlator, void *block, size_t size);

static inline struct str group_key(const struct plan *plan, const struct group *group)
{
    return str_of(group->block + (size_t)group->room * plan->stride, group->key_len);
}

/* correlate_window.c: the moments of a group. */
static inline struct moment *moment_at(const struct plan *plan, const struct group *group,
                                       size_t at)
{
    return (struct moment *)(void *)(group->block + (group->first + at) * plan->stride);
}

static inline struct moment_valued *valued_at(const struct plan *plan, const struct group *group,
                                              size_t at)
{
    return (struct moment_valued *)(void *)(group->block + (group->first + at) * plan->stride);
}

/* NEVER of a group without moments. */
static inline int64_t window_end(const struct plan *plan, const struct group *group)
{
    return group->len == 0 ? NEVER : moment_at(plan, group, group->len - 1)->time;
}

/* Takes a moment in at its own time and lets those go that its window has left behind. A moment
 * that is itself behind the window is not taken: *ret_is_late. -ERR_NOMEM. */
[[nodiscard]] int window_put(struct sigma_correlator *correlator, struct group *group,
                             const struct moment_valued *moment, bool *ret_is_late);
/* What the bounds are about. */
double window_value(const struct plan *plan, const struct group *group);
/* Bytes of its extra. */
size_t window_extra_size(const struct plan *plan, const struct group *group);
/* Room for one more moment behind the last; may let old ones go where there is no memory. */
[[nodiscard]] int window_reserve(struct sigma_correlator *correlator, struct group *group);
void window_insert(const struct plan *plan, struct group *group, size_t at,
                   const struct moment_valued *moment);
void window_remove(const struct plan *plan, struct group *group, size_t at);
/* Where a moment of that time belongs: behind all that are not newer. */
size_t window_place(const struct plan *plan, const struct group *group, int64_t time);

/* correlate_distinct.c */
[[nodiscard]] int distinct_put(struct sigma_correlator *correlator, struct group *group,
                               const struct moment_valued *moment);
uint32_t distinct_dead(const struct group *group);
/* Makes the look-up anew after moments have moved. */
void distinct_index(const struct plan *plan, struct group *group);

/* correlate_judge.c */
bool window_holds(struct sigma_correlator *correlator, const struct group *group, double value);

/* correlate_values.c */
/* The values of so many fields. False when one is not there. -ERR_NOMEM. */
[[nodiscard]] int values_pick(struct sigma_correlator *correlator, const struct source *source,
                              const struct field_ref *refs, size_t count, struct picked *ret_picked,
                              bool *ret_is_whole);
/* The next combination as a key in room of GROUP_KEY_MAX bytes; false behind the last. */
bool values_next(struct picked *picked, uint64_t seed, char *room, struct str *ret_key);
/* Takes a key apart; false when it does not hold count values. */
bool values_split(struct str key, struct str *values, size_t count);
bool value_number(struct str text, double *ret_number);

#endif
