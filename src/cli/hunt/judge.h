/* The judge of entries behind one door: the engine, or the naive walk that it is measured against.
 * The judge is shared by threads, a bench is a thread's own. */
#ifndef CLI_HUNT_JUDGE_H
#define CLI_HUNT_JUDGE_H

#include "base/diag.h"
#include "detect/sigma/rule.h"

struct hunt_judge;
struct hunt_bench;

/* The set must outlive the judge. */
[[nodiscard]] int hunt_judge_new(const struct sigma_set *set, bool is_naive,
                                 struct hunt_judge **ret_judge, struct diag *diag);
void hunt_judge_free(struct hunt_judge *judge);
/* The fields that the set asks for. */
const struct entry_names *hunt_judge_names(const struct hunt_judge *judge);

[[nodiscard]] int hunt_bench_new(const struct hunt_judge *judge, struct hunt_bench **ret_bench);
void hunt_bench_free(struct hunt_bench *bench);
/* Places of the rules that hold, ascending; valid until the next call. -ERR_NOMEM. A regex that
 * used up its steps is no failure: see hunt_bench_limits. */
[[nodiscard]] int hunt_judge_entry(struct hunt_bench *bench, const struct entry *entry,
                                   const uint32_t **ret_rules, size_t *ret_count);
/* Entries so far of which a regex could not be asked to the end. */
uint64_t hunt_bench_limits(const struct hunt_bench *bench);

#endif
