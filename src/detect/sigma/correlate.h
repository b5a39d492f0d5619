/* Sigma correlations: matches of rules gathered by group within a sliding window of event time.
 * Memory is bounded: at the bound the group that was touched longest ago goes, and is counted.
 * State can be saved and loaded. O(1) amortised a match for counts, distinct counts and sums. Not
 * thread-safe. */
#ifndef DETECT_SIGMA_CORRELATE_H
#define DETECT_SIGMA_CORRELATE_H

#include "base/buf.h"
#include "base/diag.h"
#include "detect/sigma/rule.h"

/* Semantics where the standard leaves them open (docs/decisions.md):
 *
 * - A group's window is (t - timespan, t], where t is its newest match. The condition is asked
 *   at each match.
 * - A group that has reached its condition says so once and then is silent until it has fallen
 *   below at a match, or a timespan has passed.
 * - A late match is taken in at its own time. One that is older than the newest time of all less
 *   the lateness, or than its group's window, is counted instead. The judge has no clock: the
 *   caller keeps times out that lie in the future, and feeds files in the order of their times.
 * - An entry without a time is of the newest time.
 * - A field of a group with several values: the match is of a group for each; with several such
 *   fields, for each combination, 16 at most. Values compare by their bytes; null is no value.
 * - A correlation's result has the fields of its group, and no others, for those that ask for it.
 * - Percentiles interpolate between the two nearest ranks.
 * - temporal_ordered: matches of one time are in any order. "a and not b" asks of what has been.
 *
 * What a window keeps: for event_count and value_count that only ask for "so many or more", so many
 * (20 at least; `value` then is no more than that), which says the same as all would. Other counts
 * and sums: 16,384 matches as they are; beyond, neighbours are merged, which moves the window's
 * edge by about a 4,000th of its matches. Percentile and median: the newest 4,096 matches, exactly.
 * Distinct values: the newest 65,536. An order: the newest 1,024. */
#define SIGMA_GROUP_FIELDS_MAX 16
#define SIGMA_KEEP_MAX         20 /* of the matches that made it: shown with the result */

struct sigma_correlator;

struct sigma_correlator_options {
    size_t memory;    /* bytes for all groups; 0: 64 MiB */
    int64_t lateness; /* ns; 0: one minute */
    uint64_t seed;    /* of its hashes: one that nobody can guess */
};

/* One match that took part: what the caller gave with it. */
struct sigma_cause {
    uint64_t tag; /* the caller's own name for the entry */
    int64_t time;
    struct sigma_part_of part;
};

struct sigma_correlated {
    uint32_t correlation;             /* place in the set */
    int64_t time;                     /* of the window's newest */
    int64_t first;                    /* of the oldest match that stands in the window */
    double value;                     /* that met the condition */
    const struct str *group;          /* values in the order of group_by */
    const struct sigma_cause *causes; /* newest last */
    size_t cause_count;
};
typedef int sigma_correlated_fn(void *context, const struct sigma_correlated *correlated);

/* names: those of the readers; the engine's hold every field that correlations ask for. A field
 * that they lack is found by its name. The set must outlive it. -ERR_NOMEM; -ERR_INVAL for a set
 * that no loader made. */
[[nodiscard]] int sigma_correlator_new(const struct sigma_set *set, const struct entry_names *names,
                                       const struct sigma_correlator_options *options,
                                       struct sigma_correlator **ret_correlator);
void sigma_correlator_free(struct sigma_correlator *correlator);
void sigma_correlator_freep(struct sigma_correlator **correlator);
/* Rules that held for an entry, as sigma_match says. fn is called for each correlation that this
 * completes, chained ones behind those they are made of; what it is shown lives until it returns.
 * An entry without a field of a group, or without a value that is counted, takes no part in it.
 * -ERR_NOMEM, -ERR_LIMIT (a set whose chains have no end to speak of), or what fn answered. */
[[nodiscard]] int sigma_correlate(struct sigma_correlator *correlator, const struct entry *entry,
                                  uint64_t tag, const uint32_t *rules, size_t count,
                                  sigma_correlated_fn *fn, void *context);

/* All state as bytes, and back, before the first match; the seed comes with it. -ERR_VERSION when
 * it is of another set: state of correlations that are the same in both (by content) is kept then,
 * and the rest dropped and counted. -ERR_CORRUPT: nothing was loaded. */
[[nodiscard]] int sigma_correlator_save(const struct sigma_correlator *correlator, struct buf *buf);
[[nodiscard]] int sigma_correlator_load(struct sigma_correlator *correlator, struct str bytes,
                                        struct diag *diag);

struct sigma_correlator_stats {
    uint64_t matches; /* a match of a rule counts once for each correlation that asks for it */
    uint64_t results;
    uint64_t late;      /* too late to be counted in */
    uint64_t evicted;   /* groups that had to go at the bound */
    uint64_t clipped;   /* matches that had to leave a window too full for them */
    uint64_t merged;    /* matches that were merged with a neighbour */
    uint64_t ungrouped; /* matches without a field of the group, or without what is counted */
    uint64_t dropped;   /* groups of a loaded state that were of correlations that are no more */
    uint64_t groups;    /* now */
    size_t memory;
};
void sigma_correlator_stats(const struct sigma_correlator *correlator,
                            struct sigma_correlator_stats *ret_stats);

#endif
