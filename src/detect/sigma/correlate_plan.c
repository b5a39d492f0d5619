/* Plans: see correlate_part.h. What can be known of a correlation before its first match is worked
 * out here, so that a match costs a look-up a use. */
#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/correlate_part.h"

#include <math.h>

#define CAP_TALLY                                                                                  \
    16384U /* moments: a window of more is exact to less than a 4,000th of its span                \
            */
#define CAP_SORTED   4096U
#define CAP_DISTINCT 65536U
#define CAP_EDGE     4096U
#define CAP_ORDERED  1024U
#define CAP_ENOUGH   (1U << 20)

static const enum window_kind windows[SIGMA_CORRELATION_COUNT] = {
    [SIGMA_CORRELATION_EVENT_COUNT] = WINDOW_TALLY,
    [SIGMA_CORRELATION_VALUE_COUNT] = WINDOW_DISTINCT,
    [SIGMA_CORRELATION_TEMPORAL] = WINDOW_PARTS,
    [SIGMA_CORRELATION_TEMPORAL_ORDERED] = WINDOW_ROW,
    [SIGMA_CORRELATION_VALUE_SUM] = WINDOW_TALLY,
    [SIGMA_CORRELATION_VALUE_AVG] = WINDOW_TALLY,
    [SIGMA_CORRELATION_VALUE_PERCENTILE] = WINDOW_SORTED,
    [SIGMA_CORRELATION_VALUE_MEDIAN] = WINDOW_SORTED,
    [SIGMA_CORRELATION_VALUE_MIN] = WINDOW_EDGE,
    [SIGMA_CORRELATION_VALUE_MAX] = WINDOW_EDGE,
};

/* The count that decides bounds which only ask for so many or more; 0: they ask for other things.
 */
static uint32_t bounds_enough(const struct sigma_bounds *bounds)
{
    unsigned more = 1U << SIGMA_ORDER_GT | 1U << SIGMA_ORDER_GTE;
    double enough = 1;

    if (bounds->asked == 0 || (bounds->asked & ~more) != 0) {
        return 0;
    }
    if ((bounds->asked & 1U << SIGMA_ORDER_GTE) != 0) {
        enough = fmax(enough, ceil(bounds->limits[SIGMA_ORDER_GTE]));
    }
    if ((bounds->asked & 1U << SIGMA_ORDER_GT) != 0) {
        enough = fmax(enough, floor(bounds->limits[SIGMA_ORDER_GT]) + 1);
    }
    return enough <= CAP_ENOUGH ? (uint32_t)enough : 0;
}

static void plan_window(struct plan *plan)
{
    const struct sigma_correlation *rule = plan->rule;
    uint32_t enough = bounds_enough(&rule->bounds);
    static const uint32_t caps[] = {
        [WINDOW_ROW] = CAP_ORDERED, [WINDOW_TALLY] = CAP_TALLY, [WINDOW_DISTINCT] = CAP_DISTINCT,
        [WINDOW_PARTS] = 0,         [WINDOW_EDGE] = CAP_EDGE,   [WINDOW_SORTED] = CAP_SORTED};
    bool is_count = rule->kind == SIGMA_CORRELATION_EVENT_COUNT;

    plan->kind = windows[rule->kind];
    plan->stride = is_count || plan->kind == WINDOW_PARTS || plan->kind == WINDOW_ROW
                       ? sizeof(struct moment)
                       : sizeof(struct moment_valued);
    plan->cap = plan->kind == WINDOW_PARTS ? (uint32_t)rule->part_count : caps[plan->kind];
    if (enough != 0 && (is_count || plan->kind == WINDOW_DISTINCT)) {
        plan->kind = is_count ? WINDOW_ROW : plan->kind;
        plan->cap = enough > SIGMA_KEEP_MAX ? enough : SIGMA_KEEP_MAX;
        plan->is_enough = true;
    }
}

/* What the part calls the field. */
static struct str field_name(const struct sigma_correlation *rule, size_t part, struct str name)
{
    for (size_t i = 0; i < rule->alias_count; i++) {
        if (str_is(rule->aliases[i].name, name)) {
            struct str own = rule->aliases[i].fields[part];

            return own.len != 0 ? own : name;
        }
    }
    return name;
}

static struct field_ref field_ref(const struct sigma_set *set, const struct entry_names *names,
                                  struct sigma_part_of part, struct str name)
{
    struct field_ref ref = {.name = name, .place = UINT32_MAX};
    const struct sigma_correlation *rule;

    if (!part.is_correlation) {
        ref.id = entry_names_find(names, name);
        return ref;
    }
    rule = &set->correlations[part.index];
    for (size_t i = 0; i < rule->group_count; i++) {
        if (str_is(rule->group_by[i], name)) {
            ref.place = (uint32_t)i;
        }
    }
    return ref;
}

/* Parts that the condition asks to have been, not only not to have been.
 * NOLINTNEXTLINE(misc-no-recursion): the loader refuses trees deeper than SIGMA_DEPTH_MAX */
static void mark_wanted(const struct sigma_node *node, bool is_wanted, bool *wanted, size_t count)
{
    if (node->kind == SIGMA_NODE_ATOM) {
        size_t part = (size_t)node->atom->number;

        if (part < count) {
            wanted[part] = wanted[part] || is_wanted;
        }
        return;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        mark_wanted(node->children[i], is_wanted != (node->kind == SIGMA_NODE_NOT), wanted, count);
    }
}

static int plan_make(struct sigma_correlator *correlator, size_t place,
                     const struct entry_names *names)
{
    const struct sigma_correlation *rule = &correlator->set->correlations[place];
    struct plan *plan = &correlator->plans[place];
    size_t count = ref_count(rule);
    struct field_ref *refs =
        arena_alloc(correlator->arena, rule->part_count * count + 1, sizeof(*refs));
    bool *wanted = arena_alloc(correlator->arena, rule->part_count + 1, sizeof(*wanted));

    if (refs == NULL || wanted == NULL) {
        return -ERR_NOMEM;
    }
    plan->rule = rule;
    plan->refs = refs;
    plan->is_wanted = wanted;
    plan->content = correlation_content(correlator->set, place, correlator->plans);
    plan_window(plan);
    for (size_t part = 0; part < rule->part_count; part++) {
        wanted[part] = rule->root == NULL;
        for (size_t i = 0; i < count; i++) {
            struct str name = i < rule->group_count ? rule->group_by[i]
                                                    : rule->bounds.fields[i - rule->group_count];

            *refs++ =
                field_ref(correlator->set, names, rule->parts[part], field_name(rule, part, name));
        }
    }
    if (rule->root != NULL) {
        mark_wanted(rule->root, true, wanted, rule->part_count);
    }
    return 0;
}

/* By rule or correlation, who asks for it. */
static int uses_make(struct sigma_correlator *correlator, bool is_correlation, size_t count,
                     struct uses *uses)
{
    const struct sigma_set *set = correlator->set;
    size_t total = 0;

    for (size_t i = 0; i < set->correlation_count; i++) {
        total += set->correlations[i].part_count;
    }
    uses->starts = arena_alloc(correlator->arena, count + 2, sizeof(*uses->starts));
    uses->use = arena_alloc(correlator->arena, total + 1, sizeof(*uses->use));
    if (uses->starts == NULL || uses->use == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < set->correlation_count; i++) {
        for (size_t part = 0; part < set->correlations[i].part_count; part++) {
            struct sigma_part_of of = set->correlations[i].parts[part];

            if (of.is_correlation == is_correlation) {
                uses->starts[of.index + 2]++;
            }
        }
    }
    for (size_t i = 2; i < count + 2; i++) {
        uses->starts[i] += uses->starts[i - 1];
    }
    for (size_t i = 0; i < set->correlation_count; i++) {
        for (size_t part = 0; part < set->correlations[i].part_count; part++) {
            struct sigma_part_of of = set->correlations[i].parts[part];

            if (of.is_correlation == is_correlation) {
                uses->use[uses->starts[of.index + 1]++] = (struct use){(uint32_t)i, (uint32_t)part};
            }
        }
    }
    return 0;
}

/* Places that point anywhere but to what stands before would never end. */
static bool is_sound(const struct sigma_set *set, size_t place)
{
    const struct sigma_correlation *rule = &set->correlations[place];

    for (size_t i = 0; i < rule->part_count; i++) {
        if (rule->parts[i].index >= (rule->parts[i].is_correlation ? place : set->rule_count)) {
            return false;
        }
    }
    return rule->kind < SIGMA_CORRELATION_COUNT && rule->part_count != 0 && rule->timespan > 0 &&
           rule->group_count <= SIGMA_GROUP_FIELDS_MAX &&
           rule->bounds.field_count <= SIGMA_GROUP_FIELDS_MAX &&
           (rule->bounds.field_count != 0 || rule->kind == SIGMA_CORRELATION_EVENT_COUNT ||
            windows[rule->kind] == WINDOW_PARTS || windows[rule->kind] == WINDOW_ROW);
}

int plans_make(struct sigma_correlator *correlator, const struct entry_names *names)
{
    const struct sigma_set *set = correlator->set;
    size_t parts = 0;
    int r;

    correlator->plans =
        arena_alloc(correlator->arena, set->correlation_count + 1, sizeof(*correlator->plans));
    if (correlator->plans == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < set->correlation_count; i++) {
        r = is_sound(set, i) ? plan_make(correlator, i, names) : -ERR_INVAL;
        if (r < 0) {
            return r;
        }
        parts = set->correlations[i].part_count > parts ? set->correlations[i].part_count : parts;
    }
    correlator->presence = arena_alloc(correlator->arena, parts + 1, sizeof(bool));
    if (correlator->presence == NULL) {
        return -ERR_NOMEM;
    }
    r = uses_make(correlator, false, set->rule_count, &correlator->of_rules);
    return r < 0
               ? r
               : uses_make(correlator, true, set->correlation_count, &correlator->of_correlations);
}
