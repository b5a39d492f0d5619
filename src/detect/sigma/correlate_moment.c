/* What each kind of window does with a moment that comes and one that leaves, and the value that
 * its bounds are about: see correlate_part.h. Distinct values are in correlate_distinct.c. */
#include "base/banned.h"
#include "detect/sigma/correlate_window.h"

#define MERGE_GRAIN 4

/* Neumaier's summation: a large value that leaves does not take small ones with it. */
static void tally_add(struct tally *tally, double value)
{
    double sum = tally->sum + value;

    tally->lost += __builtin_fabs(tally->sum) >= __builtin_fabs(value) ? (tally->sum - sum) + value
                                                                       : (value - sum) + tally->sum;
    tally->sum = sum;
}

static double tally_value(const struct plan *plan, const struct group *group, size_t at)
{
    return plan->stride == sizeof(struct moment_valued) ? valued_at(plan, group, at)->number : 0;
}

/* From the moments themselves: what rounding left behind goes. */
static void tally_again(const struct plan *plan, const struct group *group, struct tally *tally)
{
    *tally = (struct tally){.count = tally->count};
    for (size_t i = 0; i < group->len; i++) {
        tally_add(tally, tally_value(plan, group, i));
    }
}

static size_t sorted_place(const struct sorted *sorted, double value)
{
    size_t low = 0;
    size_t high = sorted->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sorted->values[middle] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void window_leave(const struct plan *plan, struct group *group)
{
    const struct moment *moment = moment_at(plan, group, 0);

    if (plan->kind == WINDOW_TALLY) {
        struct tally *tally = group->extra;

        tally->count -= moment->count;
        tally_add(tally, -tally_value(plan, group, 0));
        window_remove(plan, group, 0);
        if (++tally->left >= group->len && plan->stride == sizeof(struct moment_valued)) {
            tally_again(plan, group, tally);
        }
        return;
    }
    if (plan->kind == WINDOW_SORTED) {
        struct sorted *sorted = group->extra;
        size_t at = sorted_place(sorted, valued_at(plan, group, 0)->number);

        memmove(&sorted->values[at], &sorted->values[at + 1],
                (--sorted->count - at) * sizeof(sorted->values[0]));
    }
    if (plan->kind == WINDOW_DISTINCT && moment->count == 0) {
        ((struct distinct *)group->extra)->dead--;
    }
    window_remove(plan, group, 0);
}

/* Adds the one to its newer neighbour, whose time the sum keeps. */
static void tally_join(const struct plan *plan, struct group *group, size_t older, size_t newer)
{
    const struct moment *from = moment_at(plan, group, older);
    struct moment *to = moment_at(plan, group, newer);

    to->count = from->count < UINT32_MAX - to->count ? to->count + from->count : UINT32_MAX;
    if (plan->stride == sizeof(struct moment_valued)) {
        valued_at(plan, group, newer)->number += valued_at(plan, group, older)->number;
    }
}

/* Neighbours become one as long as it is no more than a 4,000th of all; at least half of the
 * moments go so. */
static void tally_merge(const struct plan *plan, struct group *group)
{
    const struct tally *tally = group->extra;
    uint64_t most = tally->count / (plan->cap / MERGE_GRAIN) + 1;
    size_t kept = 0;

    for (size_t i = 1; i < group->len; i++) {
        uint64_t together =
            (uint64_t)moment_at(plan, group, kept)->count + moment_at(plan, group, i)->count;

        if (together <= most) {
            tally_join(plan, group, kept, i);
        } else {
            kept++;
        }
        memmove(moment_at(plan, group, kept), moment_at(plan, group, i), plan->stride);
    }
    group->len = (uint32_t)kept + 1;
}

static void tally_put(struct sigma_correlator *correlator, struct group *group,
                      const struct moment_valued *moment)
{
    const struct plan *plan = &correlator->plans[group->plan];
    struct tally *tally = group->extra;

    window_insert(plan, group, window_place(plan, group, moment->moment.time), moment);
    tally->count += moment->moment.count;
    if (plan->stride == sizeof(*moment)) {
        tally_add(tally, moment->number);
    }
    if (group->len > plan->cap) {
        uint32_t before = group->len;

        tally_merge(plan, group);
        correlator->stats.merged += before - group->len;
    }
}

static void sorted_put(struct sigma_correlator *correlator, struct group *group,
                       const struct moment_valued *moment)
{
    const struct plan *plan = &correlator->plans[group->plan];
    struct sorted *sorted = group->extra;
    size_t at = sorted_place(sorted, moment->number);

    memmove(&sorted->values[at + 1], &sorted->values[at],
            (sorted->count++ - at) * sizeof(sorted->values[0]));
    sorted->values[at] = moment->number;
    window_insert(plan, group, window_place(plan, group, moment->moment.time), moment);
}

static void parts_put(const struct plan *plan, struct group *group,
                      const struct moment_valued *moment)
{
    for (size_t i = 0; i < group->len; i++) {
        if (moment_at(plan, group, i)->part == moment->moment.part) {
            if (moment_at(plan, group, i)->time > moment->moment.time) {
                return;
            }
            window_remove(plan, group, i);
            break;
        }
    }
    window_insert(plan, group, window_place(plan, group, moment->moment.time), moment);
}

/* Whether a stands when b, no older than a, is there too. */
static bool is_surpassed(const struct plan *plan, double a, double b)
{
    return plan->rule->kind == SIGMA_CORRELATION_VALUE_MAX ? a <= b : a >= b;
}

static void edge_put(const struct plan *plan, struct group *group,
                     const struct moment_valued *moment)
{
    size_t at = window_place(plan, group, moment->moment.time);
    size_t from = at;

    if (at != group->len &&
        is_surpassed(plan, moment->number, valued_at(plan, group, at)->number)) {
        return;
    }
    while (from != 0 &&
           is_surpassed(plan, valued_at(plan, group, from - 1)->number, moment->number)) {
        from--;
    }
    if (from == at) {
        window_insert(plan, group, at, moment);
        return;
    }
    memcpy(moment_at(plan, group, from), moment, plan->stride);
    memmove(moment_at(plan, group, from + 1), moment_at(plan, group, at),
            (group->len - at) * plan->stride);
    group->len -= (uint32_t)(at - from - 1);
}

void moment_put(struct sigma_correlator *correlator, struct group *group,
                const struct moment_valued *moment)
{
    const struct plan *plan = &correlator->plans[group->plan];

    switch (plan->kind) {
    case WINDOW_TALLY:
        tally_put(correlator, group, moment);
        break;
    case WINDOW_SORTED:
        sorted_put(correlator, group, moment);
        break;
    case WINDOW_PARTS:
        parts_put(plan, group, moment);
        break;
    case WINDOW_EDGE:
        edge_put(plan, group, moment);
        break;
    case WINDOW_ROW:
    case WINDOW_DISTINCT:
        window_insert(plan, group, window_place(plan, group, moment->moment.time), moment);
        break;
    }
}

uint32_t window_live(const struct plan *plan, const struct group *group)
{
    return plan->kind == WINDOW_DISTINCT ? group->len - distinct_dead(group) : group->len;
}

/* By linear interpolation between the two nearest ranks. */
static double sorted_value(const struct sorted *sorted, double percentile)
{
    double rank = percentile / 100 * (double)(sorted->count - 1);
    size_t at = rank <= 0 ? 0 : (size_t)rank;
    double low;

    if (at + 1 >= sorted->count) {
        return sorted->values[sorted->count - 1];
    }
    low = sorted->values[at];
    return low + (sorted->values[at + 1] - low) * (rank - (double)at);
}

double window_value(const struct plan *plan, const struct group *group)
{
    const struct tally *tally = group->extra;

    switch (plan->kind) {
    case WINDOW_TALLY:
        if (plan->rule->kind == SIGMA_CORRELATION_EVENT_COUNT) {
            return (double)tally->count;
        }
        return plan->rule->kind == SIGMA_CORRELATION_VALUE_SUM
                   ? tally->sum + tally->lost
                   : (tally->sum + tally->lost) / (double)tally->count;
    case WINDOW_SORTED:
        return sorted_value(group->extra, plan->rule->kind == SIGMA_CORRELATION_VALUE_MEDIAN
                                              ? 50
                                              : plan->rule->bounds.percentile);
    case WINDOW_EDGE:
        return valued_at(plan, group, 0)->number;
    case WINDOW_DISTINCT:
    case WINDOW_ROW:
    case WINDOW_PARTS:
        break;
    }
    return window_live(plan, group);
}
