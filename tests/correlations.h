/* Sets of correlations made by hand, for the tests of those who take them as the loader leaves
 * them: three rules "a", "b", "c", and correlations that are filled in one by one. */
#ifndef TESTS_CORRELATIONS_H
#define TESTS_CORRELATIONS_H

#include "detect/sigma/correlate.h"

#define CORRELATIONS_MAX  12
#define CORRELATION_RULES 3

struct correlations {
    struct sigma_set set;
    struct sigma_rule rules[CORRELATION_RULES];
    struct sigma_correlation list[CORRELATIONS_MAX];
};

static const struct sigma_part_of correlation_parts[CORRELATION_RULES] = {
    {false, 0}, {false, 1}, {false, 2}};
static const struct str correlation_fields[] = {{"user", 4}, {"ip", 2}, {"amount", 6}, {"item", 4}};

static inline void correlations_init(struct correlations *all)
{
    *all = (struct correlations){
        .set = {.rules = all->rules, .rule_count = CORRELATION_RULES, .correlations = all->list},
        .rules = {{.name = STR("a")}, {.name = STR("b")}, {.name = STR("c")}}};
}

/* Of all three rules, grouped by the first groups of the fields above. */
static inline struct sigma_correlation *correlations_add(struct correlations *all,
                                                         enum sigma_correlation_kind kind,
                                                         size_t groups, int64_t timespan)
{
    struct sigma_correlation *correlation = &all->list[all->set.correlation_count++];

    *correlation = (struct sigma_correlation){.kind = kind,
                                              .parts = correlation_parts,
                                              .part_count = CORRELATION_RULES,
                                              .group_by = correlation_fields,
                                              .group_count = groups,
                                              .timespan = timespan};
    return correlation;
}

static inline void correlation_bound(struct sigma_correlation *correlation, unsigned order,
                                     double limit)
{
    correlation->bounds.asked |= 1U << order;
    correlation->bounds.limits[order] = limit;
}

/* The field whose values are counted: a place above. */
static inline void correlation_counts(struct sigma_correlation *correlation, size_t field)
{
    correlation->bounds.fields = &correlation_fields[field];
    correlation->bounds.field_count = 1;
}

#endif
