/* Correlations beside a reference that keeps every match and looks at all of them each time, over
 * streams that are shuffled, late, and cut by a restart. */
#include "harness.h"
#include "prop.h"

#include "tellings.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define MATCHES_MAX  4096
#define GROUP_FIELDS 2

/* ---- the reference ---- */

struct seen {
    size_t correlation;
    size_t part;
    int64_t time;
    char group[64];
    char value[16];
    double number;
};

struct silence {
    size_t correlation;
    char group[64];
    int64_t said;
    bool is_said;
};

struct reference {
    const struct sigma_set *set;
    int64_t lateness;
    int64_t newest;
    uint64_t late;
    struct seen seen[MATCHES_MAX];
    size_t seen_count;
    struct silence silences[MATCHES_MAX];
    size_t silence_count;
    struct tellings told;
    size_t chained; /* of what was told, how much has been handed on */
};

struct match {
    int64_t time;
    size_t rule;
    const char *users[2]; /* a field with two values, one, or none */
    const char *ip;
    double amount;
    char amount_text[16];
    char item[8];
};

static bool is_of(const struct seen *seen, size_t correlation, const char *group)
{
    return seen->correlation == correlation && strcmp(seen->group, group) == 0;
}

static struct silence *silence_of(struct reference *reference, size_t correlation,
                                  const char *group)
{
    struct silence *silence;

    for (size_t i = 0; i < reference->silence_count; i++) {
        silence = &reference->silences[i];
        if (silence->correlation == correlation && strcmp(silence->group, group) == 0) {
            return silence;
        }
    }
    assert_true(reference->silence_count < MATCHES_MAX);
    silence = &reference->silences[reference->silence_count++];
    *silence = (struct silence){.correlation = correlation};
    (void)snprintf(silence->group, sizeof(silence->group), "%s", group);
    return silence;
}

/* The matches of a group within its window, oldest first. */
static size_t window_of(const struct reference *reference, size_t correlation, const char *group,
                        const struct seen **window, int64_t *ret_end)
{
    int64_t end = INT64_MIN;
    size_t count = 0;

    for (size_t i = 0; i < reference->seen_count; i++) {
        if (is_of(&reference->seen[i], correlation, group) && reference->seen[i].time > end) {
            end = reference->seen[i].time;
        }
    }
    for (size_t i = 0; i < reference->seen_count; i++) {
        const struct seen *seen = &reference->seen[i];
        size_t at = count;

        if (!is_of(seen, correlation, group) ||
            seen->time <= end - reference->set->correlations[correlation].timespan) {
            continue;
        }
        for (; at != 0 && window[at - 1]->time > seen->time; at--) {
            window[at] = window[at - 1];
        }
        window[at] = seen;
        count++;
    }
    *ret_end = end;
    return count;
}

static double percentile_of(const struct seen *const *window, size_t count, double percentile)
{
    double sorted[MATCHES_MAX];
    double rank = percentile / 100 * (double)(count - 1);
    size_t low = (size_t)rank;

    for (size_t i = 0; i < count; i++) {
        size_t at = i;

        for (; at != 0 && sorted[at - 1] > window[i]->number; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = window[i]->number;
    }
    return low + 1 == count ? sorted[low]
                            : sorted[low] + (sorted[low + 1] - sorted[low]) * (rank - (double)low);
}

static double distinct_of(const struct seen *const *window, size_t count, bool is_by_part)
{
    double distinct = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_new = true;

        for (size_t j = 0; j < i && is_new; j++) {
            is_new = is_by_part ? window[i]->part != window[j]->part
                                : strcmp(window[i]->value, window[j]->value) != 0;
        }
        distinct += is_new;
    }
    return distinct;
}

static double value_of(const struct sigma_correlation *rule, const struct seen *const *window,
                       size_t count)
{
    double sum = 0;
    double least = window[0]->number;
    double most = window[0]->number;

    for (size_t i = 0; i < count; i++) {
        sum += window[i]->number;
        least = window[i]->number < least ? window[i]->number : least;
        most = window[i]->number > most ? window[i]->number : most;
    }
    switch (rule->kind) {
    case SIGMA_CORRELATION_VALUE_COUNT:
        return distinct_of(window, count, false);
    case SIGMA_CORRELATION_TEMPORAL:
        return distinct_of(window, count, true);
    case SIGMA_CORRELATION_VALUE_SUM:
        return sum;
    case SIGMA_CORRELATION_VALUE_AVG:
        return sum / (double)count;
    case SIGMA_CORRELATION_VALUE_PERCENTILE:
        return percentile_of(window, count, rule->bounds.percentile);
    case SIGMA_CORRELATION_VALUE_MEDIAN:
        return percentile_of(window, count, 50);
    case SIGMA_CORRELATION_VALUE_MIN:
        return least;
    case SIGMA_CORRELATION_VALUE_MAX:
        return most;
    case SIGMA_CORRELATION_EVENT_COUNT:
    case SIGMA_CORRELATION_TEMPORAL_ORDERED:
    case SIGMA_CORRELATION_COUNT:
        break;
    }
    return (double)count;
}

/* Whether some a, b, c of the window follow each other: all three that there could be are tried. */
static bool is_in_order(const struct seen *const *window, size_t count)
{
    for (size_t a = 0; a < count; a++) {
        for (size_t b = 0; b < count; b++) {
            for (size_t c = 0; c < count; c++) {
                if (window[a]->part == 0 && window[b]->part == 1 && window[c]->part == 2 &&
                    window[a]->time <= window[b]->time && window[b]->time <= window[c]->time) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool is_met(const struct sigma_correlation *rule, const struct seen *const *window,
                   size_t count, double value)
{
    const double *limits = rule->bounds.limits;
    unsigned asked = rule->bounds.asked;

    if (rule->kind == SIGMA_CORRELATION_TEMPORAL_ORDERED) {
        return is_in_order(window, count);
    }
    if (rule->kind == SIGMA_CORRELATION_TEMPORAL && rule->root != NULL) { /* a and not b */
        bool is_there[2] = {false, false};

        for (size_t i = 0; i < count; i++) {
            if (window[i]->part < 2) {
                is_there[window[i]->part] = true;
            }
        }
        return is_there[0] && !is_there[1];
    }
    if (rule->kind == SIGMA_CORRELATION_TEMPORAL) {
        return value >= (double)rule->part_count;
    }
    return ((asked & 1) == 0 || value < limits[0]) && ((asked & 2) == 0 || value <= limits[1]) &&
           ((asked & 4) == 0 || value > limits[2]) && ((asked & 8) == 0 || value >= limits[3]) &&
           ((asked & 16) == 0 || (value >= limits[4] && value <= limits[4])) &&
           ((asked & 32) == 0 || value < limits[5] || value > limits[5]);
}

static void reference_ask(struct reference *reference, size_t correlation, const char *group);

/* One value of one match in one group; false when it comes too late for the group's window. */
static bool reference_keep(struct reference *reference, const struct seen *seen)
{
    const struct seen *window[MATCHES_MAX];
    int64_t end;
    size_t count = window_of(reference, seen->correlation, seen->group, window, &end);

    if (count != 0 &&
        seen->time <= end - reference->set->correlations[seen->correlation].timespan) {
        return false;
    }
    assert_true(reference->seen_count < MATCHES_MAX);
    reference->seen[reference->seen_count++] = *seen;
    return true;
}

/* What asks for the correlation gets its result as a match: of the same group when it groups by the
 * same, of one group when it does not group. */
static void reference_chain(struct reference *reference, const struct told *told)
{
    for (size_t i = told->correlation + 1; i < reference->set->correlation_count; i++) {
        const struct sigma_correlation *rule = &reference->set->correlations[i];
        struct seen seen = {.correlation = i, .time = told->time};

        if (!rule->parts[0].is_correlation || rule->parts[0].index != told->correlation) {
            continue;
        }
        if (rule->group_count != 0) {
            (void)snprintf(seen.group, sizeof(seen.group), "%s", told->group);
        }
        if (told->time < reference->newest - reference->lateness ||
            !reference_keep(reference, &seen)) {
            reference->late++;
        } else {
            reference_ask(reference, i, seen.group);
        }
    }
}

static void reference_ask(struct reference *reference, size_t correlation, const char *group)
{
    const struct sigma_correlation *rule = &reference->set->correlations[correlation];
    struct silence *silence = silence_of(reference, correlation, group);
    const struct seen *window[MATCHES_MAX];
    struct told told = {.correlation = correlation};
    size_t count = window_of(reference, correlation, group, window, &told.time);

    told.value = value_of(rule, window, count);
    told.first = window[0]->time;
    (void)snprintf(told.group, sizeof(told.group), "%s", group);
    if (!is_met(rule, window, count, told.value)) {
        silence->is_said = false;
        return;
    }
    if (silence->is_said && told.time - silence->said < rule->timespan) {
        return;
    }
    silence->is_said = true;
    silence->said = told.time;
    assert_true(reference->told.count < TELLINGS_MAX);
    reference->told.list[reference->told.count++] = told;
}

static void reference_group(struct reference *reference, const struct match *match,
                            size_t correlation, const char *group)
{
    const struct sigma_correlation *rule = &reference->set->correlations[correlation];
    struct seen seen = {.correlation = correlation,
                        .part = match->rule,
                        .time = match->time,
                        .number = match->amount};

    (void)snprintf(seen.group, sizeof(seen.group), "%s", group);
    (void)snprintf(seen.value, sizeof(seen.value), "%s",
                   rule->bounds.field_count != 0 && rule->bounds.fields[0].ptr[0] == 'i'
                       ? match->item
                       : match->amount_text);
    if (!reference_keep(reference, &seen)) {
        reference->late++;
        return;
    }
    reference_ask(reference, correlation, group);
}

static void reference_match(struct reference *reference, const struct match *match)
{
    int64_t newest = match->time > reference->newest ? match->time : reference->newest;

    reference->newest = newest;
    for (size_t i = 0; i < reference->set->correlation_count; i++) {
        const struct sigma_correlation *rule = &reference->set->correlations[i];
        char group[64] = "";

        if (rule->parts[0].is_correlation) {
            continue;
        }
        if (match->time < newest - reference->lateness) {
            reference->late++;
            continue;
        }
        if (rule->group_count == 0) {
            reference_group(reference, match, i, group);
            continue;
        }
        for (size_t user = 0; user < 2 && match->users[user] != NULL; user++) {
            (void)snprintf(group, sizeof(group), "%s|%s", match->users[user],
                           rule->group_count == 2 ? match->ip : "");
            reference_group(reference, match, i, group);
        }
    }
    while (reference->chained < reference->told.count) {
        reference_chain(reference, &reference->told.list[reference->chained++]);
    }
}

/* ---- the correlator, driven alike ---- */

static const struct sigma_set *tell_set; /* whose groups tell_group writes as the reference does */

static int tell_group(void *context, const struct sigma_correlated *correlated)
{
    struct tellings *tellings = context;
    size_t fields = tell_set->correlations[correlated->correlation].group_count;
    int r = tell(context, correlated);

    if (fields != 0) {
        (void)snprintf(tellings->list[tellings->count - 1].group, 64, "%.*s|%.*s",
                       STR_ARG(correlated->group[0]),
                       STR_ARG(fields == 2 ? correlated->group[1] : STR("")));
    }
    return r;
}

static void match_entry(const struct match *match, struct entry *entry)
{
    const struct entry_field fields[] = {
        {.name = correlation_fields[0], .value = str_from(match->users[0])},
        {.name = correlation_fields[0], .value = str_from(match->users[1])},
        {.name = correlation_fields[1], .value = str_from(match->ip)},
        {.name = correlation_fields[2], .value = str_from(match->amount_text)},
        {.name = correlation_fields[3], .value = str_from(match->item)},
    };

    entry_reset(entry);
    entry->time = match->time;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].value.ptr != NULL) {
            assert_int_equal(entry_add(entry, &fields[i]), 0);
        }
    }
}

/* Saved, and loaded into a new one of the same set. */
static struct sigma_correlator *restart(struct sigma_correlator *correlator,
                                        const struct sigma_set *set, int64_t lateness)
{
    struct sigma_correlator *again = make(set, lateness, 0);
    struct diag diag = {{0}};
    struct buf buf;

    buf_init(&buf, 16U << 20);
    assert_int_equal(sigma_correlator_save(correlator, &buf), 0);
    if (sigma_correlator_load(again, buf_str(&buf), &diag) != 0) {
        fail_msg("%s", diag.text);
    }
    buf_done(&buf);
    sigma_correlator_free(correlator);
    return again;
}

/* ---- the property ---- */

static const struct sigma_node tree_a = {.kind = SIGMA_NODE_ATOM,
                                         .atom = &(struct sigma_atom){.number = 0}};
static const struct sigma_node tree_b = {.kind = SIGMA_NODE_ATOM,
                                         .atom = &(struct sigma_atom){.number = 1}};
static const struct sigma_node tree_not_b = {
    .kind = SIGMA_NODE_NOT,
    .children = (struct sigma_node *const[]){(struct sigma_node *)(uintptr_t)&tree_b},
    .child_count = 1};
static const struct sigma_node tree_a_not_b = {
    .kind = SIGMA_NODE_AND,
    .children = (struct sigma_node *const[]){(struct sigma_node *)(uintptr_t)&tree_a,
                                             (struct sigma_node *)(uintptr_t)&tree_not_b},
    .child_count = 2};

static void draw_bounds(struct prop *prop, struct sigma_correlation *rule)
{
    if (rule->kind == SIGMA_CORRELATION_TEMPORAL) {
        rule->root = prop_bool(prop) ? &tree_a_not_b : NULL;
        return;
    }
    if (rule->kind == SIGMA_CORRELATION_TEMPORAL_ORDERED) {
        return;
    }
    if (rule->kind != SIGMA_CORRELATION_EVENT_COUNT) {
        correlation_counts(rule, rule->kind == SIGMA_CORRELATION_VALUE_COUNT ? 3 : 2);
    }
    rule->bounds.percentile = (double)prop_below(prop, 101);
    correlation_bound(rule, SIGMA_ORDER_GTE, (double)prop_below(prop, 12));
    for (unsigned order = 0; order < 6; order++) {
        if (prop_below(prop, 8) == 7) {
            correlation_bound(rule, order, (double)prop_below(prop, 12));
        }
    }
}

static void draw_set(struct prop *prop, struct correlations *all, struct sigma_part_of *chained)
{
    struct sigma_correlation *rule;

    correlations_init(all);
    rule = correlations_add(all,
                            (enum sigma_correlation_kind)prop_below(prop, SIGMA_CORRELATION_COUNT),
                            prop_below(prop, GROUP_FIELDS + 1), 1 + (int64_t)prop_below(prop, 40));
    draw_bounds(prop, rule);
    if (prop_bool(prop)) {
        *chained = (struct sigma_part_of){true, 0};
        rule = correlations_add(all, SIGMA_CORRELATION_EVENT_COUNT,
                                prop_bool(prop) ? rule->group_count : 0,
                                1 + (int64_t)prop_below(prop, 80));
        rule->parts = chained;
        rule->part_count = 1;
        correlation_bound(rule, SIGMA_ORDER_GTE, 1 + (double)prop_below(prop, 3));
    }
}

static void draw_match(struct prop *prop, int64_t *now, struct match *match)
{
    static const char *const users[] = {"an", "binh", "chi"};
    static const char *const ips[] = {"10.0.0.1", "10.0.0.2"};
    size_t user = prop_below(prop, 3);

    *now += (int64_t)prop_below(prop, 6);
    *match = (struct match){
        .time = *now - (prop_below(prop, 4) == 3 ? (int64_t)prop_below(prop, 60) : 0),
        .rule = prop_below(prop, CORRELATION_RULES),
        .users = {users[user], prop_below(prop, 6) == 5 ? users[(user + 1) % 3] : NULL},
        .ip = ips[prop_below(prop, 2)],
        .amount = (double)prop_below(prop, 60) / 4,
    };
    (void)snprintf(match->amount_text, sizeof(match->amount_text), "%.2f", match->amount);
    (void)snprintf(match->item, sizeof(match->item), "i%u", (unsigned)prop_below(prop, 24));
}

static bool is_first_known(enum sigma_correlation_kind kind)
{
    return kind == SIGMA_CORRELATION_EVENT_COUNT || kind == SIGMA_CORRELATION_VALUE_SUM ||
           kind == SIGMA_CORRELATION_VALUE_AVG || kind == SIGMA_CORRELATION_VALUE_MEDIAN;
}

static const char *compare(const struct sigma_set *set, const struct tellings *expected,
                           const struct tellings *told)
{
    for (size_t i = 0; i < expected->count && i < told->count; i++) {
        const struct told *a = &expected->list[i];
        const struct told *b = &told->list[i];
        const struct sigma_correlation *rule = &set->correlations[a->correlation];
        bool is_cut = b->value >= SIGMA_KEEP_MAX && rule->bounds.asked != 0;

        if (a->correlation != b->correlation || a->time != b->time ||
            strcmp(a->group, b->group) != 0) {
            return "another result";
        }
        if (rule->kind != SIGMA_CORRELATION_TEMPORAL_ORDERED && !is_cut &&
            (a->value < b->value || a->value > b->value)) {
            return "another value";
        }
        if (is_first_known(rule->kind) && !is_cut && a->first != b->first) {
            return "another beginning";
        }
    }
    return expected->count < told->count   ? "a result too many"
           : expected->count > told->count ? "a result too few"
                                           : NULL;
}

static const char *as_the_reference(struct prop *prop)
{
    static struct correlations all;
    static struct reference reference;
    static struct tellings told;
    struct sigma_part_of chained;
    struct sigma_correlator *correlator;
    struct sigma_correlator_stats stats;
    struct match match;
    struct entry entry;
    uint64_t late = 0;
    int64_t now = 1000;
    size_t count;
    const char *broke;

    draw_set(prop, &all, &chained);
    tell_set = &all.set;
    memset(&reference, 0, sizeof(reference));
    reference.set = &all.set;
    reference.lateness = 1 + (int64_t)prop_below(prop, 50);
    told.count = 0;
    correlator = make(&all.set, reference.lateness, 0);
    entry_init(&entry);
    count = prop_below(prop, 200);
    for (size_t i = 0; i < count; i++) {
        uint32_t rule;

        draw_match(prop, &now, &match);
        rule = (uint32_t)match.rule;
        match_entry(&match, &entry);
        reference_match(&reference, &match);
        if (sigma_correlate(correlator, &entry, i, &rule, 1, tell_group, &told) != 0) {
            return "it fails";
        }
        if (prop_below(prop, 64) == 63) {
            sigma_correlator_stats(correlator, &stats);
            late += stats.late;
            correlator = restart(correlator, &all.set, reference.lateness);
        }
    }
    sigma_correlator_stats(correlator, &stats);
    sigma_correlator_free(correlator);
    entry_done(&entry);
    broke = compare(&all.set, &reference.told, &told);
    return broke != NULL                         ? broke
           : stats.late + late != reference.late ? "late matches are counted otherwise"
                                                 : NULL;
}

static void test_reference(void **state)
{
    (void)state;
    prop_check("as the reference", as_the_reference, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
