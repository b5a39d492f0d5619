/* Names of levels and kinds: see detect/sigma/rule.h. */
#include "detect/sigma/rule.h"

#include "base/banned.h"
#include "base/cleanup.h"

#include <assert.h>

static const char *const level_names[] = {
    [SIGMA_LEVEL_INFORMATIONAL] = "informational",
    [SIGMA_LEVEL_LOW] = "low",
    [SIGMA_LEVEL_MEDIUM] = "medium",
    [SIGMA_LEVEL_HIGH] = "high",
    [SIGMA_LEVEL_CRITICAL] = "critical",
};
static_assert(ARRAY_LEN(level_names) == SIGMA_LEVEL_COUNT);

static const char *const correlation_names[] = {
    [SIGMA_CORRELATION_EVENT_COUNT] = "event_count",
    [SIGMA_CORRELATION_VALUE_COUNT] = "value_count",
    [SIGMA_CORRELATION_TEMPORAL] = "temporal",
    [SIGMA_CORRELATION_TEMPORAL_ORDERED] = "temporal_ordered",
    [SIGMA_CORRELATION_VALUE_SUM] = "value_sum",
    [SIGMA_CORRELATION_VALUE_AVG] = "value_avg",
    [SIGMA_CORRELATION_VALUE_PERCENTILE] = "value_percentile",
    [SIGMA_CORRELATION_VALUE_MEDIAN] = "value_median",
    [SIGMA_CORRELATION_VALUE_MIN] = "value_min",
    [SIGMA_CORRELATION_VALUE_MAX] = "value_max",
};
static_assert(ARRAY_LEN(correlation_names) == SIGMA_CORRELATION_COUNT);

bool sigma_rule_is_written(const struct sigma_rule *rule)
{
    return rule->filter.len == 0 && !rule->is_stand_in;
}

size_t sigma_set_written(const struct sigma_set *set)
{
    size_t count = 0;

    for (size_t i = 0; i < set->rule_count; i++) {
        count += sigma_rule_is_written(&set->rules[i]) ? 1U : 0U;
    }
    return count;
}

const char *sigma_level_name(enum sigma_level level)
{
    return level_names[level];
}

bool sigma_level_parse(struct str name, enum sigma_level *ret_level)
{
    for (int level = 0; level < SIGMA_LEVEL_COUNT; level++) {
        if (str_is_nocase(name, str_from(level_names[level]))) {
            *ret_level = (enum sigma_level)level;
            return true;
        }
    }
    return false;
}

const char *sigma_correlation_name(enum sigma_correlation_kind kind)
{
    return correlation_names[kind];
}
