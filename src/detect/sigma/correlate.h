/* Sigma correlations: matches of rules gathered by group within a sliding window of event time.
 * Semantics where the standard leaves them open (docs/decisions.md): the window of a match at time
 * t is (t - timespan, t]; a group that has reached its condition says so once and then is silent
 * until it has fallen below or a timespan has passed; late entries are taken in at their own time
 * as long as they are not older than the newest time less the lateness, and counted else. Memory is
 * bounded: at the bound the group that was touched longest ago goes, and is counted. State can be
 * saved and loaded. O(1) amortised a match for counts, distinct counts and sums. Not thread-safe.
 */
#ifndef DETECT_SIGMA_CORRELATE_H
#define DETECT_SIGMA_CORRELATE_H

#include "base/buf.h"
#include "base/diag.h"
#include "detect/sigma/rule.h"

#define SIGMA_KEEP_MAX 20 /* of the matches that made it: shown with the result */

struct sigma_correlator;

struct sigma_correlator_options {
    size_t memory;    /* bytes for all groups; 0: 64 MiB */
    int64_t lateness; /* ns; 0: one minute */
    uint64_t seed;    /* of its hashes */
};

/* One match that took part: what the caller gave with it. */
struct sigma_cause {
    uint64_t tag; /* the caller's own name for the entry */
    int64_t time;
    struct sigma_part_of part;
};

struct sigma_correlated {
    uint32_t correlation;             /* place in the set */
    int64_t time;                     /* of the match that completed it */
    int64_t first;                    /* of the window's first */
    double value;                     /* that met the condition */
    const struct str *group;          /* values in the order of group_by */
    const struct sigma_cause *causes; /* newest last */
    size_t cause_count;
};
typedef int sigma_correlated_fn(void *context, const struct sigma_correlated *correlated);

/* names: those of the readers; the engine's hold every field that correlations ask for. */
[[nodiscard]] int sigma_correlator_new(const struct sigma_set *set, const struct entry_names *names,
                                       const struct sigma_correlator_options *options,
                                       struct sigma_correlator **ret_correlator);
void sigma_correlator_free(struct sigma_correlator *correlator);
void sigma_correlator_freep(struct sigma_correlator **correlator);
/* Rules that held for an entry, as sigma_match says. fn is called for each correlation that this
 * completes, chained ones behind those they are made of. An entry without a field of a group takes
 * no part in it. -ERR_NOMEM, or what fn answered. */
[[nodiscard]] int sigma_correlate(struct sigma_correlator *correlator, const struct entry *entry,
                                  uint64_t tag, const uint32_t *rules, size_t count,
                                  sigma_correlated_fn *fn, void *context);

/* All state as bytes, and back; -ERR_VERSION when it is of another set: state of correlations that
 * are the same in both (by content) is kept then, and the rest dropped and counted. */
[[nodiscard]] int sigma_correlator_save(const struct sigma_correlator *correlator, struct buf *buf);
[[nodiscard]] int sigma_correlator_load(struct sigma_correlator *correlator, struct str bytes,
                                        struct diag *diag);

struct sigma_correlator_stats {
    uint64_t matches;
    uint64_t results;
    uint64_t late;      /* too late to be counted in */
    uint64_t evicted;   /* groups that had to go at the bound */
    uint64_t ungrouped; /* matches without a field of the group */
    uint64_t groups;    /* now */
    size_t memory;
};
void sigma_correlator_stats(const struct sigma_correlator *correlator,
                            struct sigma_correlator_stats *ret_stats);

#endif
