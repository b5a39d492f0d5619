/* Matches into groups, groups into results, results into the correlations that ask for them: see
 * correlate.h. On the data's way: engine.c → here → who raises findings. Neighbours:
 * correlate_plan.c (what a correlation asks), correlate_values.c (what a match brings),
 * correlate_group.c, correlate_window.c (what is kept), correlate_judge.c (the condition),
 * correlate_state.c (kept over a restart). */
#include "detect/sigma/correlate.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "detect/sigma/correlate_part.h"

#define MEMORY_DEFAULT   (64U << 20)
#define LATENESS_DEFAULT (60 * NS_PER_S)
#define PLANS_LIMIT      (256U << 20)
#define SCRATCH_LIMIT    (8U << 20)
#define RESULTS_MAX      65536U /* of one entry: more only a set made for it could give */

/* One match on its way: what each of its uses is handed. */
struct arrival {
    struct source source;
    int64_t time;
    uint64_t tag;
    sigma_correlated_fn *fn;
    void *context;
};

int sigma_correlator_new(const struct sigma_set *set, const struct entry_names *names,
                         const struct sigma_correlator_options *options,
                         struct sigma_correlator **ret_correlator)
{
    CLEANUP(sigma_correlator_freep)
    struct sigma_correlator *correlator = mem_alloc(1, sizeof(*correlator));
    int r;

    if (correlator == NULL) {
        return -ERR_NOMEM;
    }
    correlator->set = set;
    correlator->limit = options->memory != 0 ? options->memory : MEMORY_DEFAULT;
    correlator->lateness = options->lateness != 0 ? options->lateness : LATENESS_DEFAULT;
    correlator->seed = options->seed;
    correlator->newest = NEVER + 1;
    r = arena_new(PLANS_LIMIT, &correlator->arena);
    if (r == 0) {
        r = arena_new(SCRATCH_LIMIT, &correlator->scratch);
    }
    if (r == 0) {
        r = plans_make(correlator, names);
    }
    if (r == 0) {
        *ret_correlator = TAKE_PTR(correlator);
    }
    return r;
}

void sigma_correlator_free(struct sigma_correlator *correlator)
{
    if (correlator == NULL) {
        return;
    }
    groups_done(correlator);
    arena_free(correlator->scratch);
    arena_free(correlator->arena);
    mem_free(correlator->results);
    mem_free(correlator);
}

void sigma_correlator_freep(struct sigma_correlator **correlator)
{
    sigma_correlator_free(*correlator);
    *correlator = NULL;
}

static int result_queue(struct sigma_correlator *correlator, const struct result *result)
{
    if (correlator->result_count == correlator->result_room) {
        size_t room = correlator->result_room * 2 + 16;
        struct result *results = NULL;

        if (room > RESULTS_MAX) {
            return -ERR_LIMIT;
        }
        results = mem_resize(correlator->results, room, sizeof(*results));
        if (results == NULL) {
            return -ERR_NOMEM;
        }
        correlator->results = results;
        correlator->result_room = room;
    }
    correlator->results[correlator->result_count++] = *result;
    return 0;
}

/* The newest that stand in the window, newest last. */
static size_t causes_of(const struct plan *plan, const struct group *group,
                        struct sigma_cause causes[SIGMA_KEEP_MAX])
{
    size_t count = 0;

    for (size_t i = group->len; i-- != 0 && count < SIGMA_KEEP_MAX;) {
        const struct moment *moment = moment_at(plan, group, i);

        if (moment->count != 0) {
            causes[SIGMA_KEEP_MAX - ++count] =
                (struct sigma_cause){moment->tag, moment->time, plan->rule->parts[moment->part]};
        }
    }
    return count;
}

/* Tells the caller, unless only other correlations ask for it, and them. */
static int result_give(struct sigma_correlator *correlator, const struct arrival *arrival,
                       const struct group *group, double value)
{
    const struct plan *plan = &correlator->plans[group->plan];
    const uint32_t *starts = &correlator->of_correlations.starts[group->plan];
    struct sigma_cause causes[SIGMA_KEEP_MAX];
    struct str *values =
        arena_alloc(correlator->scratch, plan->rule->group_count + 1, sizeof(*values));
    struct str key = arena_copy(correlator->scratch, group_key(plan, group));
    size_t count = causes_of(plan, group, causes);
    int r = 0;

    if (values == NULL || key.ptr == NULL) {
        return -ERR_NOMEM;
    }
    (void)values_split(key, values, plan->rule->group_count);
    correlator->stats.results++;
    if (!plan->rule->is_silent) {
        r = arrival->fn(arrival->context,
                        &(struct sigma_correlated){.correlation = group->plan,
                                                   .time = group->said,
                                                   .first = moment_at(plan, group, 0)->time,
                                                   .value = value,
                                                   .group = values,
                                                   .causes = &causes[SIGMA_KEEP_MAX - count],
                                                   .cause_count = count});
    }
    return r != 0 || starts[0] == starts[1]
               ? r
               : result_queue(correlator, &(struct result){group->plan, group->said, values});
}

/* Says that the condition holds once, until it has not held or a timespan has passed. */
static int group_judge(struct sigma_correlator *correlator, const struct arrival *arrival,
                       struct group *group)
{
    const struct plan *plan = &correlator->plans[group->plan];
    int64_t end = window_end(plan, group);
    double value = window_value(plan, group);

    if (!window_holds(correlator, group, value)) {
        group->said = NEVER;
        return 0;
    }
    if (group->said > time_less(end, plan->rule->timespan)) {
        return 0;
    }
    group->said = end;
    return result_give(correlator, arrival, group, value);
}

/* A moment into a group; counts in *ret_given what was taken, and ends with -ERR_AGAIN at one that
 * comes too late for its window. */
static int moment_feed(struct sigma_correlator *correlator, struct group *group,
                       const struct moment_valued *moment, unsigned *ret_given)
{
    bool is_late = false;
    int r = window_put(correlator, group, moment, &is_late);

    if (r == 0 && is_late) {
        correlator->stats.late++;
        return -ERR_AGAIN;
    }
    *ret_given += r == 0;
    return r;
}

static int distinct_feed(struct sigma_correlator *correlator, struct group *group,
                         struct moment_valued *moment, unsigned *ret_given)
{
    struct str key;
    int r = 0;

    correlator->values.given = 0;
    while (r == 0 &&
           values_next(&correlator->values, correlator->seed, correlator->value_room, &key)) {
        moment->hash = map_hash(key, correlator->seed);
        r = moment_feed(correlator, group, moment, ret_given);
    }
    return r;
}

static int numbers_feed(struct sigma_correlator *correlator, struct group *group,
                        struct moment_valued *moment, unsigned *ret_given)
{
    const struct picked *values = &correlator->values;
    int r = 0;

    for (size_t i = 0; i < values->count; i++) {
        for (size_t at = 0; at < values->counts[i] && r == 0; at++) {
            if (value_number(values->values[i][at], &moment->number)) {
                r = moment_feed(correlator, group, moment, ret_given);
            }
        }
    }
    return r;
}

/* Puts each value that the match brings into one group. */
static int group_feed(struct sigma_correlator *correlator, const struct arrival *arrival,
                      struct group *group, uint32_t part)
{
    const struct plan *plan = &correlator->plans[group->plan];
    struct moment_valued moment = {
        .moment = {.time = arrival->time, .tag = arrival->tag, .part = part, .count = 1}};
    unsigned given = 0;
    int r;

    if (plan->stride == sizeof(struct moment)) {
        r = moment_feed(correlator, group, &moment, &given);
    } else if (plan->kind == WINDOW_DISTINCT) {
        r = distinct_feed(correlator, group, &moment, &given);
    } else {
        r = numbers_feed(correlator, group, &moment, &given);
    }
    if (r < 0 && r != -ERR_AGAIN) {
        return r;
    }
    return given != 0 ? group_judge(correlator, arrival, group) : 0;
}

static bool has_number(const struct picked *values)
{
    double number;

    for (size_t i = 0; i < values->count; i++) {
        for (size_t at = 0; at < values->counts[i]; at++) {
            if (value_number(values->values[i][at], &number)) {
                return true;
            }
        }
    }
    return false;
}

/* What the match brings for the bounds; false when it is nothing. */
static int values_of(struct sigma_correlator *correlator, const struct arrival *arrival,
                     const struct plan *plan, const struct field_ref *refs, bool *ret_is_whole)
{
    int r;

    *ret_is_whole = true;
    if (plan->stride == sizeof(struct moment)) {
        return 0;
    }
    r = values_pick(correlator, &arrival->source, refs, plan->rule->bounds.field_count,
                    &correlator->values, ret_is_whole);
    if (r == 0 && plan->kind != WINDOW_DISTINCT) {
        *ret_is_whole = has_number(&correlator->values);
    }
    return r;
}

/* A match taken in by one correlation, in each group that it is of. */
static int use_feed(struct sigma_correlator *correlator, const struct arrival *arrival,
                    struct use use)
{
    const struct plan *plan = &correlator->plans[use.plan];
    const struct field_ref *refs = &plan->refs[use.part * ref_count(plan->rule)];
    struct str key;
    bool is_grouped = false;
    bool is_valued = false;
    int r = values_pick(correlator, &arrival->source, refs, plan->rule->group_count,
                        &correlator->groups, &is_grouped);

    if (r == 0) {
        r = values_of(correlator, arrival, plan, refs + plan->rule->group_count, &is_valued);
    }
    if (r < 0 || !is_grouped || !is_valued) {
        correlator->stats.ungrouped += r == 0;
        return r;
    }
    group_sweep(correlator, use.plan);
    while (r == 0 &&
           values_next(&correlator->groups, correlator->seed, correlator->group_room, &key)) {
        uint32_t number;

        r = group_take(correlator, use.plan, key, &number);
        if (r == 0) {
            r = group_feed(correlator, arrival, group_at(correlator, number), use.part);
        }
        if (r == -ERR_LIMIT) { /* the bound does not hold even this one */
            correlator->stats.evicted++;
            r = 0;
        }
    }
    return r;
}

static int uses_feed(struct sigma_correlator *correlator, const struct arrival *arrival,
                     const struct uses *uses, size_t place)
{
    int r = 0;

    for (uint32_t i = uses->starts[place]; i < uses->starts[place + 1] && r == 0; i++) {
        correlator->stats.matches++;
        if (arrival->time < time_less(correlator->newest, correlator->lateness)) {
            correlator->stats.late++;
        } else {
            r = use_feed(correlator, arrival, uses->use[i]);
        }
    }
    return r;
}

/* NOLINTNEXTLINE(readability-function-size): a match, its rules, and who is told */
int sigma_correlate(struct sigma_correlator *correlator, const struct entry *entry, uint64_t tag,
                    const uint32_t *rules, size_t count, sigma_correlated_fn *fn, void *context)
{
    struct arrival arrival = {.source = {.entry = entry},
                              .time = entry->time != 0 ? entry->time : correlator->newest,
                              .tag = tag,
                              .fn = fn,
                              .context = context};
    int r = 0;

    correlator->newest = arrival.time > correlator->newest ? arrival.time : correlator->newest;
    if (count == 0) {
        return 0;
    }
    arena_reset(correlator->scratch);
    correlator->result_count = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        r = uses_feed(correlator, &arrival, &correlator->of_rules, rules[i]);
    }
    for (size_t i = 0; i < correlator->result_count && r == 0; i++) {
        struct result result = correlator->results[i]; /* the list may move */

        arrival.source = (struct source){.result = &result};
        arrival.time = result.time;
        r = uses_feed(correlator, &arrival, &correlator->of_correlations, result.plan);
    }
    return r;
}

void sigma_correlator_stats(const struct sigma_correlator *correlator,
                            struct sigma_correlator_stats *ret_stats)
{
    *ret_stats = correlator->stats;
    ret_stats->memory = correlator->used;
}
