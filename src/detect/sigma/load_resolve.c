/* What correlations refer to: looked up when all files are read, so the order of documents does not
 * matter; those referred to come before who refers; circles are refused. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

struct resolve {
    struct sigma_loader *loader;
    struct load_correlation *items;
    struct sigma_correlation *made;
    size_t count;
    struct sigma_rule *rules; /* of the set */
};

const struct load_target *load_target_find(const struct sigma_loader *loader, struct str key)
{
    return map_get(&loader->by_key, key);
}

static int refuse(const struct resolve *resolve, struct load_correlation *item, struct str reason,
                  struct str remedy)
{
    resolve->loader->file = item->correlation.file;
    resolve->loader->title = item->correlation.title;
    item->state = LOAD_REFUSED;
    return load_refuse(resolve->loader, item->correlation.line, item->column, reason, remedy);
}

static int refuse_unknown(const struct resolve *resolve, struct load_correlation *item,
                          struct str name)
{
    struct sigma_loader *loader = resolve->loader;
    const struct load_target *const *targets =
        (const struct load_target *const *)(void *)loader->targets.items;
    struct str *keys = arena_alloc(loader->scratch, loader->targets.count + 1, sizeof(*keys));
    struct str reason =
        arena_printf(loader->arena, _("there is no rule “%.*s”"), STR_ARG(str_slice(name, 0, 100)));
    struct str remedy;

    if (keys == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < loader->targets.count; i++) {
        keys[i] = targets[i]->key;
    }
    remedy = load_suggest(loader, name, keys, loader->targets.count);
    return refuse(resolve, item, reason,
                  remedy.len > 0 ? remedy : str_from(_("load the rule with it, or name another")));
}

static int refuse_refused(const struct resolve *resolve, struct load_correlation *item,
                          struct str name)
{
    return refuse(resolve, item,
                  arena_printf(resolve->loader->arena, _("the rule “%.*s” was refused"),
                               STR_ARG(str_slice(name, 0, 100))),
                  str_from(_("mend that rule")));
}

static int item_resolve(struct resolve *resolve, struct load_correlation *item, size_t chain);

/* NOLINTNEXTLINE(misc-no-recursion): at most LOAD_CHAIN_MAX deep */
static int part_resolve(struct resolve *resolve, struct load_correlation *item, size_t place,
                        size_t chain, struct sigma_part_of *ret_part)
{
    struct str name = item->rules[place];
    const struct load_target *target = load_target_find(resolve->loader, name);
    struct load_correlation *other;
    int r;

    if (target == NULL) {
        return refuse_unknown(resolve, item, name);
    }
    if (target->is_ambiguous) {
        return refuse(resolve, item,
                      arena_printf(resolve->loader->arena, _("several rules have the name “%.*s”"),
                                   STR_ARG(str_slice(name, 0, 100))),
                      str_from(_("name it by its id")));
    }
    *ret_part = (struct sigma_part_of){.is_correlation = target->is_correlation};
    if (!target->is_correlation) {
        const struct load_candidate *rules =
            (const struct load_candidate *)(void *)resolve->loader->candidates.items;
        bool has_own = item->stand_ins != NULL && item->stand_ins[place] != 0;

        const struct load_candidate *rule =
            &rules[has_own ? item->stand_ins[place] : target->index];

        ret_part->index = rule->index;
        return rule->is_refused ? refuse_refused(resolve, item, name) : 0;
    }
    other = &resolve->items[target->index];
    if (other->state == LOAD_OPEN || chain == LOAD_CHAIN_MAX) {
        return refuse(
            resolve, item, str_from(_("the correlation refers to itself, or to too long a chain")),
            str_from(_("name only rules and correlations that do not build on this one")));
    }
    r = item_resolve(resolve, other, chain + 1);
    if (r < 0 && r != -ERR_SYNTAX) {
        return r;
    }
    if (other->state != LOAD_DONE) {
        return refuse_refused(resolve, item, name);
    }
    ret_part->index = other->index;
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LOAD_CHAIN_MAX deep */
static int item_resolve(struct resolve *resolve, struct load_correlation *item, size_t chain)
{
    struct sigma_part_of *parts;

    if (item->state != LOAD_WAITING) {
        return 0;
    }
    item->state = LOAD_OPEN;
    parts = arena_alloc(resolve->loader->arena, item->rule_count + 1, sizeof(*parts));
    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < item->rule_count; i++) {
        int r = part_resolve(resolve, item, i, chain, &parts[i]);

        if (r < 0) {
            return r;
        }
    }
    item->correlation.parts = parts;
    item->correlation.part_count = item->rule_count;
    item->state = LOAD_DONE;
    item->index = (uint32_t)resolve->count;
    resolve->made[resolve->count++] = item->correlation;
    return 0;
}

/* Who is referred to is silent, unless one that refers lets it speak. */
static void silence(const struct resolve *resolve, bool is_speaking)
{
    for (size_t i = 0; i < resolve->loader->correlations.count; i++) {
        const struct load_correlation *item = &resolve->items[i];

        if (item->state != LOAD_DONE || item->is_generating != is_speaking) {
            continue;
        }
        for (size_t j = 0; j < item->rule_count; j++) {
            const struct sigma_part_of *part = &item->correlation.parts[j];

            if (part->is_correlation) {
                resolve->made[part->index].is_silent = !is_speaking;
            } else if (resolve->rules[part->index].is_stand_in) {
                resolve->rules[resolve->rules[part->index].copy_of].is_silent = !is_speaking;
            } else {
                resolve->rules[part->index].is_silent = !is_speaking;
            }
        }
    }
}

int load_correlations_resolve(struct sigma_loader *loader, struct sigma_rule *rules)
{
    struct resolve resolve = {
        .loader = loader,
        .rules = rules,
        .items = (struct load_correlation *)(void *)loader->correlations.items,
        .made = arena_alloc(loader->arena, loader->correlations.count + 1,
                            sizeof(struct sigma_correlation)),
    };

    if (resolve.made == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < loader->correlations.count; i++) {
        int r = item_resolve(&resolve, &resolve.items[i], 0);

        arena_reset(loader->scratch);
        if (r < 0 && r != -ERR_SYNTAX) {
            return r;
        }
    }
    silence(&resolve, false);
    silence(&resolve, true);
    loader->set.correlations = resolve.made;
    loader->set.correlation_count = resolve.count;
    return 0;
}
