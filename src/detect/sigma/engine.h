/* The judge of logs: all rules of a set against an entry in about a microsecond. Compiled once:
 * entries are routed by log source (and by the value of EventID where a way names it) to a plan;
 * each rule waits in it under its cheapest necessary atoms, which are looked up by hash or found by
 * one scan of the values; only a rule whose atom was seen is asked as a whole. Says exactly what
 * the oracle says. The engine is shared by threads, a matcher is a thread's own. */
#ifndef DETECT_SIGMA_ENGINE_H
#define DETECT_SIGMA_ENGINE_H

#include "base/diag.h"
#include "detect/sigma/rule.h"

struct sigma_engine;
struct sigma_matcher;

/* The set must outlive the engine. diag names a rule that could not be compiled. */
[[nodiscard]] int sigma_engine_new(const struct sigma_set *set, struct sigma_engine **ret_engine,
                                   struct diag *diag);
void sigma_engine_free(struct sigma_engine *engine);
void sigma_engine_freep(struct sigma_engine **engine);
/* The fields that rules and correlations of the set ask for: readers give their fields these
 * numbers. */
const struct entry_names *sigma_engine_names(const struct sigma_engine *engine);

/* What rules wait for: of an entry in which it is not seen the rule is not asked. */
enum sigma_wait_kind {
    SIGMA_WAIT_IS,
    SIGMA_WAIT_BEGINS,
    SIGMA_WAIT_ENDS,
    SIGMA_WAIT_CONTAINS,
    SIGMA_WAIT_THERE, /* the field is there */
    SIGMA_WAIT_WIDE,  /* a character beyond ASCII */
    SIGMA_WAIT_COUNT,
};

struct sigma_wait {
    enum sigma_wait_kind kind;
    struct str field; /* empty: any */
    struct str text;  /* in small letters; empty: of a number, or of what has no text */
};

/* Hands fn each thing that one of the rule's ways waits for. False when one of them waits for
 * nothing: it is asked of each entry of its log source. Linear: for people. */
bool sigma_engine_waits(const struct sigma_engine *engine, size_t rule,
                        void (*fn)(void *context, const struct sigma_wait *wait), void *context);

[[nodiscard]] int sigma_matcher_new(const struct sigma_engine *engine,
                                    struct sigma_matcher **ret_matcher);
void sigma_matcher_free(struct sigma_matcher *matcher);
void sigma_matcher_freep(struct sigma_matcher **matcher);

/* Places (in the set) of the rules that hold, ascending; valid until the next call. The entry's
 * fields carry the engine's numbers. -ERR_NOMEM; -ERR_LIMIT when a regex used up its steps or the
 * entry all the work that one may cost, which is always the same: the rules that were asked are
 * returned, what was not looked for counts as not found, and the entry is counted: somebody must
 * be told. */
[[nodiscard]] int sigma_match(struct sigma_matcher *matcher, const struct entry *entry,
                              const uint32_t **ret_rules, size_t *ret_count);

struct sigma_engine_stats {
    uint64_t entries;
    uint64_t candidates; /* rules asked as a whole */
    uint64_t matches;
    uint64_t regexes;      /* run */
    uint64_t regex_limits; /* that used up their steps */
    uint64_t costly;       /* entries that were not judged in full */
    uint64_t unrouted;     /* entries of no known log source */
    size_t memory;         /* bytes the engine holds */
};
void sigma_engine_stats(const struct sigma_matcher *matcher, struct sigma_engine_stats *ret_stats);

#endif
