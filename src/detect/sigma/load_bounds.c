/* A correlation's timespan and condition: bounds, or rules put together. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "detect/sigma/load_part.h"

#include <string.h>

#define TIMESPAN_MAX (366LL * 24 * 3600 * NS_PER_S)

bool load_timespan(struct str text, int64_t *ret_timespan)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1},      {'m', 60},      {'h', 3600},    {'d', 86400},
                 {'w', 604800}, {'M', 2629746}, {'y', 31556952}};
    uint64_t number = 0;

    if (text.len < 2 || str_to_u64(str_slice(text, 0, text.len - 1), &number) < 0 || number == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        int64_t unit = units[i].seconds * NS_PER_S;

        if (text.ptr[text.len - 1] == units[i].unit && number <= (uint64_t)(TIMESPAN_MAX / unit)) {
            *ret_timespan = (int64_t)number * unit;
            return true;
        }
    }
    return false;
}

static bool is_of_values(enum sigma_correlation_kind kind)
{
    return kind != SIGMA_CORRELATION_EVENT_COUNT && kind != SIGMA_CORRELATION_TEMPORAL &&
           kind != SIGMA_CORRELATION_TEMPORAL_ORDERED;
}

bool load_is_temporal(enum sigma_correlation_kind kind)
{
    return kind == SIGMA_CORRELATION_TEMPORAL || kind == SIGMA_CORRELATION_TEMPORAL_ORDERED;
}

/* ---- bounds ---- */

static int percentile_read(struct sigma_loader *loader, const struct yaml_value *member,
                           struct sigma_bounds *bounds)
{
    if (member == NULL) {
        return 0;
    }
    if ((member->type != YAML_TYPE_INT && member->type != YAML_TYPE_FLOAT) || member->number < 0 ||
        member->number > 100) {
        return load_refuse_at(loader, member, _("write “percentile: 95”, for instance"),
                              _("“percentile” is a number from 0 to 100"));
    }
    bounds->percentile = member->number;
    return 0;
}

static int bound_read(struct sigma_loader *loader, const struct yaml_value *member,
                      struct sigma_bounds *bounds)
{
    static const struct str names[] = {{"lt", 2}, {"lte", 3}, {"gt", 2},    {"gte", 3},
                                       {"eq", 2}, {"neq", 3}, {"field", 5}, {"percentile", 10}};
    struct str remedy;

    if (str_is_text(member->key, "field") || str_is_text(member->key, "percentile")) {
        return 0;
    }
    for (size_t i = 0; i < 6; i++) {
        if (!str_is(member->key, names[i])) {
            continue;
        }
        if (member->type != YAML_TYPE_INT && member->type != YAML_TYPE_FLOAT) {
            return load_refuse_at(loader, member,
                                  _("write the number without quotation marks and unit"),
                                  _("“%.*s” takes a number"), STR_ARG(member->key));
        }
        bounds->asked |= 1U << i;
        bounds->limits[i] = member->number;
        return 0;
    }
    remedy = load_suggest(loader, member->key, names, sizeof(names) / sizeof(names[0]));
    return load_refuse_at(loader, member, remedy.ptr, _("a condition does not know “%.*s”"),
                          STR_ARG(str_slice(member->key, 0, 100)));
}

static int bounds_read(struct sigma_loader *loader, const struct yaml_value *body,
                       const struct yaml_value *condition, struct sigma_correlation *correlation)
{
    struct sigma_bounds *bounds = &correlation->bounds;
    int r = load_texts(loader, condition, "field", &bounds->fields, &bounds->field_count);

    for (const struct yaml_value *member = condition->first; member != NULL && r >= 0;
         member = member->next) {
        r = bound_read(loader, member, bounds);
    }
    bounds->percentile = 50;
    if (r >= 0) {
        r = percentile_read(loader, yaml_member(condition, "percentile"), bounds);
    }
    if (r >= 0) {
        r = percentile_read(loader, yaml_member(body, "percentile"), bounds);
    }
    if (r >= 0 && bounds->asked == 0) {
        r = load_refuse_at(loader, condition, _("write “gte: 10”, for instance"),
                           _("the condition has no bound"));
    }
    if (r >= 0 && is_of_values(correlation->kind) && bounds->field_count == 0) {
        r = load_refuse_at(loader, condition, _("write “field” in the condition"),
                           _("the correlation does not say whose values it takes"));
    }
    return r;
}

/* ---- extended conditions ---- */

/* An atom for each rule, its number the rule's place. */
static int extended_read(struct sigma_loader *loader, const struct yaml_value *condition,
                         struct load_correlation *made)
{
    struct load_selection *selections =
        arena_alloc(loader->scratch, made->rule_count + 1, sizeof(*selections));
    struct sigma_node *root = NULL;
    int r;

    if (selections == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < made->rule_count; i++) {
        struct sigma_node *node = load_node(loader, SIGMA_NODE_ATOM, 0);
        struct sigma_atom *atom = arena_alloc(loader->arena, 1, sizeof(*atom));

        if (node == NULL || atom == NULL) {
            return -ERR_NOMEM;
        }
        atom->text = made->rules[i];
        atom->number = (double)i;
        node->atom = atom;
        selections[i] = (struct load_selection){made->rules[i], node};
    }
    r = load_condition(loader, condition, selections, made->rule_count, &root);
    made->correlation.root = root;
    if (r >= 0 && load_depth(root, SIGMA_DEPTH_MAX + 1) > SIGMA_DEPTH_MAX) {
        r = load_refuse_at(loader, condition, _("take parentheses out, or chain correlations"),
                           _("the condition is nested too deep"));
    }
    return r;
}

static bool is_operator(struct str word)
{
    return str_is_nocase(word, STR("and")) || str_is_nocase(word, STR("or")) ||
           str_is_nocase(word, STR("not"));
}

static bool is_listed(const struct str *texts, size_t count, struct str text)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is(texts[i], text)) {
            return true;
        }
    }
    return false;
}

/* Without a list of rules those that the condition names are meant. */
int load_condition_rules(struct sigma_loader *loader, const struct yaml_value *condition,
                         struct load_correlation *made)
{
    struct str *rules;
    size_t count = 0;

    if (!yaml_is_text(condition)) {
        return 0;
    }
    rules = arena_alloc(loader->arena, condition->text.len / 2 + 1, sizeof(*rules));
    if (rules == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t at = 0; at < condition->text.len;) {
        size_t end = at;
        struct str word;

        while (end < condition->text.len && strchr(" \t\r\n()", condition->text.ptr[end]) == NULL) {
            end++;
        }
        word = str_slice(condition->text, at, end);
        at = end + 1;
        if (word.len == 0 || is_operator(word) || is_listed(rules, count, word)) {
            continue;
        }
        rules[count] = arena_copy(loader->arena, word);
        if (rules[count++].ptr == NULL) {
            return -ERR_NOMEM;
        }
    }
    made->rules = rules;
    made->rule_count = count;
    return 0;
}

int load_correlation_condition(struct sigma_loader *loader, const struct yaml_value *body,
                               struct load_correlation *made)
{
    const struct yaml_value *condition = yaml_member(body, "condition");
    bool can_be_whole = load_is_temporal(made->correlation.kind);

    if (condition == NULL && can_be_whole) {
        return 0;
    }
    if (condition != NULL && condition->type == YAML_TYPE_MAPPING) {
        return bounds_read(loader, body, condition, &made->correlation);
    }
    if (yaml_is_text(condition) && can_be_whole) {
        return extended_read(loader, condition, made);
    }
    return load_refuse_at(loader, condition != NULL ? condition : body,
                          _("write “condition” with a bound such as “gte: 10”"),
                          _("the correlation has no condition"));
}
