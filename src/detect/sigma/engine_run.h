/* What matching is made of; see engine_part.h. */
#ifndef DETECT_SIGMA_ENGINE_RUN_H
#define DETECT_SIGMA_ENGINE_RUN_H

#include "base/err.h"
#include "detect/sigma/engine_part.h"

/* What may be done for an entry: values looked at, and bytes that regexes and patterns go through,
 * each in seven nanoseconds at worst. The passes that are made over all entries take up to half. */
#define WORK_MAX   800000U
#define WORK_BYTES 32 /* of a plain comparison, for the price of one value */
#define PASS_BYTES 2  /* of the passes that are made over every entry */
#define PROBES_MAX                                                                                 \
    32768 /* values of an entry in which clues are looked for: a tenth of a µs each */

#define VALUE_PAD FIND_PAD /* bytes behind a folded value, which may be written and read */

/* ---- engine_value.c ---- */

/* Room for an entry's values. -ERR_NOMEM. */
[[nodiscard]] int values_room(struct sigma_matcher *matcher, size_t count);
/* Room for all that will be folded; what was made of the last entry is gone. -ERR_NOMEM. */
[[nodiscard]] int text_room(struct sigma_matcher *matcher, size_t bytes);
/* Of the field at that place in the entry; behind the last: all of the entry. An error is kept in
 * the matcher. */
struct str value_text(struct sigma_matcher *matcher, uint32_t place);
struct str value_fold(struct sigma_matcher *matcher, uint32_t place);
static inline struct str value_folded(struct sigma_matcher *matcher, uint32_t place)
{
    const struct value *value = &matcher->values[place];

    return value->folded.ptr != NULL ? value->folded : value_fold(matcher, place);
}

/* ---- engine_plan.c ---- */

/* The plan for the entry, whose fields have been indexed. -ERR_NOMEM. */
[[nodiscard]] int plan_find(struct sigma_matcher *matcher, const struct plan **ret_plan);
void plan_free(struct plan *plan);

/* ---- engine_ask.c ---- */

/* Whether the way's tree holds for the matcher's entry. */
bool way_holds(struct sigma_matcher *matcher, const struct engine_way *way);

/* Whether a plan's probe looks for all that the other does, which is of one clue at most. */
static inline bool probe_looks_for(const struct probe *probe, const struct probe *wanted)
{
    return (probe->kinds & wanted->kinds) != 0 &&
           (probe->starts & wanted->starts) == wanted->starts &&
           (probe->ends & wanted->ends) == wanted->ends &&
           (probe->bytes & wanted->bytes) == wanted->bytes;
}

/* ---- engine_match.c ---- */

/* False: there is no more of it; the entry is then told to be too costly. */
static inline bool work_take(struct sigma_matcher *matcher, uint64_t work)
{
    if (work > matcher->work) {
        matcher->work = 0;
        matcher->error = matcher->error == 0 ? -ERR_LIMIT : matcher->error;
        return false;
    }
    matcher->work -= work;
    return true;
}

/* sigma_match without looking for clues: each way of the plan is asked, and each of its atoms by
 * itself. It says the same and takes a thousand times as long: for tests. */
[[nodiscard]] int matcher_ask_all(struct sigma_matcher *matcher, const struct entry *entry,
                                  const uint32_t **ret_rules, size_t *ret_count);

/* A null value answers no to everything but NULL. */
static inline bool value_is_null(const struct sigma_matcher *matcher, uint32_t place)
{
    return place < matcher->entry->count && matcher->entry->fields[place].type == ENTRY_TYPE_NULL;
}

/* First value of the field by place, ENGINE_NONE: none. Go on with value.next. */
static inline uint32_t field_first(const struct sigma_matcher *matcher, uint32_t field)
{
    const struct head *head = &matcher->heads[field];

    return head->stamp == matcher->stamp ? head->first : ENGINE_NONE;
}

#endif
