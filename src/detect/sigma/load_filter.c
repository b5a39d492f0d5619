/* Filters: a condition that rules must meet too, as pySigma reads them: the rule AND (condition).
 * The standard's own example leaves `not` out where it is meant, so its absence is said. Beyond the
 * standard a filter may name a correlation: that alone then asks for rules so filtered. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"
#include "detect/sigma/oracle.h"

static bool has_not(struct str condition)
{
    struct str word;

    while (str_cut(&condition, ' ', &word)) {
        if (str_is_nocase(word, STR("not")) || str_is_nocase(word, STR("(not"))) {
            return true;
        }
    }
    return false;
}

static int filter_rules(struct sigma_loader *loader, const struct yaml_value *body,
                        struct load_filter *filter)
{
    const struct yaml_value *rules = yaml_member(body, "rules");
    bool is_any = yaml_is_text(rules) && (str_is_nocase(rules->text, STR("any")) ||
                                          str_is_nocase(rules->text, STR("all")));
    int r = load_texts(loader, body, "rules", &filter->rules, &filter->rule_count);

    if (r < 0) {
        return r;
    }
    if (is_any) {
        filter->rule_count = 0;
    } else if (rules == NULL || rules->type == YAML_TYPE_NULL) {
        return load_refuse_at(loader, body, _("write “rules” with ids or names, or “any”"),
                              _("the filter does not say for which rules it is"));
    }
    return 0;
}

static int filter_warn(struct sigma_loader *loader, const struct yaml_value *body)
{
    const struct yaml_value *condition = yaml_member(body, "condition");

    if (!yaml_is_text(condition) || has_not(condition->text)) {
        return 0;
    }
    return load_warn(loader, condition->line, condition->column,
                     str_from(_("the filter keeps only what it selects")),
                     str_from(_("write “not” in front to leave that out instead")));
}

int load_filter(struct sigma_loader *loader, const struct yaml_value *document)
{
    static const char *const skip[] = {"condition", "rules", NULL};
    const struct yaml_value *body = yaml_member(document, "filter");
    struct load_filter filter = {
        .file = loader->file, .line = document->line, .column = document->column};
    struct load_filter *kept;
    struct sigma_node *root = NULL;
    int r;

    if (body->type != YAML_TYPE_MAPPING) {
        return load_refuse_at(loader, body, _("write “rules”, selections and a condition"),
                              _("the filter is empty"));
    }
    r = load_text(loader, document, "title", &filter.title);
    if (r >= 0) {
        r = load_text(loader, document, "id", &filter.id);
    }
    if (r >= 0 && yaml_member(document, "logsource") != NULL) {
        r = load_logsource(loader, document, &filter.source);
    }
    if (r >= 0) {
        r = filter_rules(loader, body, &filter);
    }
    if (r >= 0) {
        r = load_detection(loader, body, skip, &root);
    }
    if (r >= 0) {
        r = filter_warn(loader, body);
    }
    if (r < 0) {
        return r;
    }
    kept = load_list_add(&loader->filters, sizeof(*kept));
    if (kept == NULL) {
        return -ERR_NOMEM;
    }
    filter.root = root;
    *kept = filter;
    return 0;
}

static bool part_fits(struct str asked, struct str own)
{
    return asked.len == 0 || str_is_nocase(asked, own);
}

static bool filter_fits(const struct load_filter *filter, const struct sigma_rule *rule)
{
    return part_fits(filter->source.product, rule->source.product) &&
           part_fits(filter->source.category, rule->source.category) &&
           part_fits(filter->source.service, rule->source.service);
}

static struct load_candidate *candidate_at(const struct sigma_loader *loader, size_t place)
{
    return (struct load_candidate *)(void *)loader->candidates.items + place;
}

/* A copy that stands behind all rules. */
static int candidate_copy(struct sigma_loader *loader, const struct load_filter *filter,
                          uint32_t place, uint32_t *ret_place)
{
    struct load_candidate *copy;

    if (loader->candidates.count >= SIGMA_RULES_MAX) {
        return load_refuse(loader, filter->line, filter->column,
                           str_from(_("there are too many rules and filters")),
                           str_from(_("take some away")));
    }
    copy = load_list_add(&loader->candidates, sizeof(*copy));
    if (copy == NULL) {
        return -ERR_NOMEM;
    }
    *copy = *candidate_at(loader, place);
    copy->copy_of = place;
    copy->rule.is_silent = true;
    *ret_place = (uint32_t)loader->candidates.count - 1;
    return 0;
}

static int filter_twin(struct sigma_loader *loader, const struct load_filter *filter,
                       uint32_t candidate, struct sigma_node *root)
{
    uint32_t place;
    int r = candidate_copy(loader, filter, candidate, &place);

    if (r == 0) {
        struct load_candidate *twin = candidate_at(loader, place);

        twin->root = root;
        twin->rule.filter = filter->id;
        twin->rule.is_stand_in = false;
    }
    return r;
}

static int filter_lay(struct sigma_loader *loader, const struct load_filter *filter, uint32_t place)
{
    struct load_candidate *candidate = candidate_at(loader, place);
    bool is_twin = loader->is_counting && filter->id.len != 0 && filter->rule_count != 0;
    struct sigma_node *both[2] = {candidate->root, filter->root};
    struct sigma_node *root;

    if (is_twin) {
        both[1] = load_join(loader, SIGMA_NODE_NOT, &filter->root, 1);
    }
    root = both[1] != NULL ? load_join(loader, SIGMA_NODE_AND, both, 2) : NULL;
    if (root == NULL) {
        return -ERR_NOMEM;
    }
    if (load_depth(root, SIGMA_DEPTH_MAX + 1) > SIGMA_DEPTH_MAX) {
        return load_refuse(loader, filter->line, filter->column,
                           str_from(_("a rule has too many filters laid over it")),
                           str_from(_("make one filter of several")));
    }
    if (is_twin) {
        return filter_twin(loader, filter, place, root);
    }
    candidate->root = root;
    return 0;
}

static int filter_lay_fitting(struct sigma_loader *loader, struct load_filter *filter,
                              uint32_t place)
{
    if (!filter_fits(filter, &candidate_at(loader, place)->rule)) {
        return 0;
    }
    filter->used++;
    return filter_lay(loader, filter, place);
}

static int filter_lay_rules(struct sigma_loader *loader, struct load_filter *filter)
{
    int r = 0;

    for (size_t i = 0; filter->rule_count == 0 && i < loader->candidates.count && r >= 0; i++) {
        r = filter_lay_fitting(loader, filter, (uint32_t)i);
    }
    for (size_t i = 0; i < filter->rule_count && r >= 0; i++) {
        const struct load_target *target = load_target_find(loader, filter->rules[i]);

        if (target == NULL) {
            r = load_warn(loader, filter->line, filter->column,
                          arena_printf(loader->arena,
                                       _("the filter is for a rule “%.*s” that is not there"),
                                       STR_ARG(str_slice(filter->rules[i], 0, 100))),
                          str_from(_("name it by its id, or by its “name”")));
        } else if (!target->is_correlation) {
            r = filter_lay_fitting(loader, filter, target->index);
        }
    }
    return r;
}

/* ---- filters of correlations: over what they alone ask ---- */

static struct load_correlation *correlation_at(const struct sigma_loader *loader, size_t place)
{
    return (struct load_correlation *)(void *)loader->correlations.items + place;
}

/* Made when all filters of rules are laid: a copy has them. */
static int stand_ins_make(struct sigma_loader *loader, const struct load_filter *filter,
                          struct load_correlation *item)
{
    uint32_t *stand_ins = arena_alloc(loader->arena, item->rule_count + 1, sizeof(*stand_ins));
    int r = 0;

    if (stand_ins == NULL) {
        return -ERR_NOMEM;
    }
    item->stand_ins = stand_ins;
    for (size_t i = 0; i < item->rule_count && r >= 0; i++) {
        const struct load_target *target = load_target_find(loader, item->rules[i]);

        if (target == NULL || target->is_correlation) {
            continue;
        }
        r = candidate_copy(loader, filter, target->index, &stand_ins[i]);
        if (r == 0) {
            candidate_at(loader, stand_ins[i])->rule.is_stand_in = true;
        }
    }
    return r;
}

/* Of a chain, correlations under it are filtered themselves. Each once: chains may meet again.
 * NOLINTNEXTLINE(misc-no-recursion): at most LOAD_CHAIN_MAX deep */
static int filter_lay_correlation(struct sigma_loader *loader, struct load_filter *filter,
                                  uint32_t place, size_t chain)
{
    struct load_correlation *item = correlation_at(loader, place);
    int r = 0;

    if (item->filter == filter || chain > LOAD_CHAIN_MAX) {
        return 0;
    }
    item->filter = filter;
    r = item->stand_ins == NULL ? stand_ins_make(loader, filter, item) : 0;
    for (size_t i = 0; i < item->rule_count && r >= 0; i++) {
        const struct load_target *target = load_target_find(loader, item->rules[i]);

        if (item->stand_ins[i] != 0) {
            r = filter_lay_fitting(loader, filter, item->stand_ins[i]);
        } else if (target != NULL && target->is_correlation) {
            r = filter_lay_correlation(loader, filter, target->index, chain + 1);
        }
    }
    return r;
}

static int filter_lay_correlations(struct sigma_loader *loader, struct load_filter *filter)
{
    int r = 0;

    for (size_t i = 0; i < filter->rule_count && r >= 0; i++) {
        const struct load_target *target = load_target_find(loader, filter->rules[i]);

        if (target != NULL && target->is_correlation) {
            r = filter_lay_correlation(loader, filter, target->index, 0);
        }
    }
    return r < 0 || filter->used != 0
               ? r
               : load_warn(loader, filter->line, filter->column,
                           str_from(_("the filter fits no rule")),
                           str_from(_("name a rule that is there and has its log source")));
}

typedef int filter_fn(struct sigma_loader *loader, struct load_filter *filter);

static int filters_each(struct sigma_loader *loader, filter_fn *fn)
{
    struct load_filter *filters = (struct load_filter *)(void *)loader->filters.items;

    for (size_t i = 0; i < loader->filters.count; i++) {
        int r;

        loader->file = filters[i].file;
        loader->title = filters[i].title;
        r = fn(loader, &filters[i]);
        if (r < 0 && r != -ERR_SYNTAX) {
            return r;
        }
    }
    return 0;
}

int load_filters_apply(struct sigma_loader *loader)
{
    int r = filters_each(loader, filter_lay_rules);

    return r < 0 ? r : filters_each(loader, filter_lay_correlations);
}
