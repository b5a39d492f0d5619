/* Whether a window meets its correlation's condition: see correlate_part.h. */
#include "base/banned.h"
#include "detect/sigma/correlate_part.h"

static bool bounds_hold(const struct sigma_bounds *bounds, double value)
{
    const double *limits = bounds->limits;
    const bool answers[] = {
        value<limits[0], value <= limits[1], value>
            limits[2],
        value >= limits[3],
        !(value < limits[4]) && !(value > limits[4]),
        value < limits[5] || value > limits[5],
    };

    for (unsigned i = 0; i < 6; i++) {
        if ((bounds->asked & 1U << i) != 0 && !answers[i]) {
            return false;
        }
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): the loader refuses trees deeper than SIGMA_DEPTH_MAX */
static bool tree_holds(const struct sigma_node *node, const bool *presence, size_t count)
{
    bool is_or = node->kind == SIGMA_NODE_OR;

    if (node->kind == SIGMA_NODE_ATOM) {
        size_t part = (size_t)node->atom->number;

        return part < count && presence[part];
    }
    if (node->kind == SIGMA_NODE_NOT) {
        return !tree_holds(node->children[0], presence, count);
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (tree_holds(node->children[i], presence, count) == is_or) {
            return is_or;
        }
    }
    return !is_or;
}

/* Whether parts that must come in order do: from the last to the first, each at its newest that is
 * no newer than the one behind it. Those of one time are in any order. */
static bool order_holds(const struct plan *plan, const struct group *group, const bool *presence)
{
    size_t at = group->len;

    for (size_t part = plan->rule->part_count; part-- != 0;) {
        int64_t time;

        if (!presence[part] || !plan->is_wanted[part]) {
            continue;
        }
        while (at != 0 && moment_at(plan, group, at - 1)->part != part) {
            at--;
        }
        if (at == 0) {
            return false;
        }
        time = moment_at(plan, group, at - 1)->time;
        while (at != group->len && moment_at(plan, group, at)->time == time) {
            at++;
        }
    }
    return true;
}

bool window_holds(struct sigma_correlator *correlator, const struct group *group, double value)
{
    const struct plan *plan = &correlator->plans[group->plan];
    const struct sigma_correlation *rule = plan->rule;
    bool *presence = correlator->presence;
    size_t present = 0;
    bool is_ordered = rule->kind == SIGMA_CORRELATION_TEMPORAL_ORDERED;

    if (!is_ordered && rule->kind != SIGMA_CORRELATION_TEMPORAL) {
        return bounds_hold(&rule->bounds, value);
    }
    memset(presence, 0, rule->part_count * sizeof(presence[0]));
    for (size_t i = 0; i < group->len; i++) {
        bool *is_present = &presence[moment_at(plan, group, i)->part];

        present += !*is_present;
        *is_present = true;
    }
    if (rule->root != NULL) {
        if (!tree_holds(rule->root, presence, rule->part_count)) {
            return false;
        }
    } else if (rule->bounds.asked != 0) {
        return bounds_hold(&rule->bounds, (double)present);
    } else if (present != rule->part_count) {
        return false;
    }
    return !is_ordered || order_holds(plan, group, presence);
}
