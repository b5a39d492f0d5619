/* Candidates become the set's rules, in the order in which they were read. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"
#include "detect/sigma/oracle.h"

#define WORD_MAX 8 /* letters; what is longer is hardly ever said by chance */

/* Everyday language, which a rule for one kind of device looks for by itself: "copy", "delete". */
static bool atom_is_word(const struct sigma_atom *atom)
{
    bool is_word = atom->match == SIGMA_MATCH_PATTERN && atom->field.len == 0 &&
                   atom->text.len != 0 && atom->text.len <= WORD_MAX;

    for (size_t i = 0; i < atom->text.len && is_word; i++) {
        is_word = atom->text.ptr[i] >= 'a' && atom->text.ptr[i] <= 'z';
    }
    return is_word;
}

/* Whether the tree may hold of an entry that has no field and says nothing but such words. One
 * behind a NOT is not said.
 * NOLINTNEXTLINE(misc-no-recursion): no deeper than SIGMA_DEPTH_MAX */
static int tree_holds_of_words(const struct sigma_node *node, bool is_negated, struct arena *arena,
                               bool *ret_holds)
{
    bool is_not = node->kind == SIGMA_NODE_NOT;
    bool is_and = node->kind == SIGMA_NODE_AND;
    bool holds = is_and;

    if (node->kind == SIGMA_NODE_ATOM && !atom_is_word(node->atom)) {
        return sigma_oracle_of_nothing(node, arena, ret_holds);
    }
    for (size_t i = 0; i < node->child_count && holds == is_and; i++) {
        int r = tree_holds_of_words(node->children[i], is_negated != is_not, arena, &holds);

        if (r < 0) {
            return r;
        }
    }
    *ret_holds = node->kind == SIGMA_NODE_ATOM ? !is_negated : holds != is_not;
    return 0;
}

/* "Not a private address" holds of a licence's text too, and "delete" stands in any log of
 * packages: whoever names a source means entries of it, and one of which nobody knows the source is
 * judged by what it says alone. */
static int ways_weigh(struct sigma_loader *loader, struct sigma_rule *rule)
{
    struct sigma_way *ways = arena_alloc(loader->arena, rule->way_count + 1, sizeof(*ways));

    if (ways == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < rule->way_count; i++) {
        bool holds = false;
        int r = tree_holds_of_words(rule->ways[i].root, false, loader->arena, &holds);

        if (r < 0) {
            return r;
        }
        ways[i] = rule->ways[i];
        ways[i].needs_source = holds && sigma_source_is_known(&ways[i].source);
    }
    rule->ways = ways;
    return 0;
}

/* -ERR_SYNTAX when a pipeline refuses the rule. */
static int ways_write(struct sigma_loader *loader, const struct load_candidate *candidate,
                      struct sigma_rule *rule)
{
    struct sigma_way *way = arena_alloc(loader->arena, 1, sizeof(*way));
    struct diag diag = {{0}};
    int r;

    if (way == NULL) {
        return -ERR_NOMEM;
    }
    *way = (struct sigma_way){.source = candidate->rule.source, .root = candidate->root};
    rule->ways = way;
    rule->way_count = 1;
    r = sigma_pipelines_ways(loader->pipelines, rule, loader->arena, &rule->ways, &rule->way_count,
                             &diag);
    if (r >= 0) {
        return ways_weigh(loader, rule);
    }
    if (r == -ERR_NOMEM) {
        return r;
    }
    loader->file = rule->file;
    loader->title = rule->title;
    return load_refuse(loader, rule->line, candidate->column, str_from(diag_text(&diag, r)),
                       str_from(_("change the rule, or the pipeline that says so")));
}

int load_ways(struct sigma_loader *loader, struct sigma_rule **ret_rules)
{
    struct load_candidate *candidates = (struct load_candidate *)(void *)loader->candidates.items;
    struct sigma_rule *rules =
        arena_alloc(loader->arena, loader->candidates.count + 1, sizeof(*rules));
    size_t count = 0;

    if (rules == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < loader->candidates.count; i++) {
        struct sigma_rule *rule = &rules[count];
        int r;

        *rule = candidates[i].rule;
        r = ways_write(loader, &candidates[i], rule);
        if (r < 0 && r != -ERR_SYNTAX) {
            return r;
        }
        candidates[i].is_refused = r < 0;
        candidates[i].index = (uint32_t)count;
        if (!sigma_rule_is_written(rule)) { /* what it was made of stands before it */
            const struct load_candidate *whose = &candidates[candidates[i].copy_of];

            candidates[i].is_refused |= whose->is_refused;
            rule->copy_of = whose->index;
        }
        count += candidates[i].is_refused ? 0 : 1;
    }
    loader->set.rules = rules;
    loader->set.rule_count = count;
    *ret_rules = rules;
    return 0;
}
