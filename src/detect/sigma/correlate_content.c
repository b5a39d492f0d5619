/* What a correlation says, as a number: kept state is handed on to the correlation that says the
 * same of rules that say the same, wherever they stand in a new set. Titles, levels and files may
 * change; they say nothing of what is counted. */
#include "base/banned.h"
#include "base/map.h"
#include "detect/sigma/correlate_part.h"

#define CONTENT_SEED                                                                               \
    0x636f6e74656e7431ULL /* of the hash's version: state made with another goes                   \
                           */

static uint64_t mix(uint64_t hash, uint64_t number)
{
    return map_hash(MAP_KEY(number), hash);
}

static uint64_t mix_str(uint64_t hash, struct str text)
{
    return map_hash(text, mix(hash, text.len));
}

static uint64_t mix_double(uint64_t hash, double number)
{
    return map_hash(MAP_KEY(number), hash);
}

static uint64_t mix_source(uint64_t hash, const struct logsource *source)
{
    return mix_str(mix_str(mix_str(hash, source->product), source->category), source->service);
}

static uint64_t mix_atom(uint64_t hash, const struct sigma_atom *atom)
{
    hash = mix_str(mix(hash, atom->match), atom->field);
    hash = mix_str(mix(hash, atom->is_cased), atom->text);
    for (size_t i = 0; i < atom->part_count; i++) {
        hash = mix_str(mix(hash, atom->parts[i].kind), atom->parts[i].text);
    }
    hash = mix_double(mix(hash, atom->regex_flags), atom->number);
    hash = mix(mix(mix(hash, atom->order), atom->affix), atom->clock);
    hash = mix(mix(hash, atom->want), atom->network.bits);
    return map_hash(str_of((const char *)atom->network.address, sizeof(atom->network.address)),
                    hash);
}

/* NOLINTNEXTLINE(misc-no-recursion): the loader refuses trees deeper than SIGMA_DEPTH_MAX */
static uint64_t mix_node(uint64_t hash, const struct sigma_node *node)
{
    hash = mix(mix(hash, node->kind), node->child_count);
    if (node->kind == SIGMA_NODE_ATOM) {
        return mix_atom(hash, node->atom);
    }
    for (size_t i = 0; i < node->child_count; i++) {
        hash = mix_node(hash, node->children[i]);
    }
    return hash;
}

static uint64_t mix_rule(uint64_t hash, const struct sigma_rule *rule)
{
    for (size_t i = 0; i < rule->way_count; i++) {
        hash = mix_source(hash, &rule->ways[i].source);
        hash = rule->ways[i].root != NULL ? mix_node(hash, rule->ways[i].root) : hash;
    }
    return mix_str(mix_str(hash, rule->id), rule->name);
}

static uint64_t mix_bounds(uint64_t hash, const struct sigma_bounds *bounds)
{
    hash = mix(hash, bounds->asked);
    for (unsigned i = 0; i < 6; i++) {
        hash = (bounds->asked & 1U << i) != 0 ? mix_double(hash, bounds->limits[i]) : hash;
    }
    for (size_t i = 0; i < bounds->field_count; i++) {
        hash = mix_str(hash, bounds->fields[i]);
    }
    return mix_double(hash, bounds->percentile);
}

uint64_t correlation_content(const struct sigma_set *set, size_t place, const struct plan *plans)
{
    const struct sigma_correlation *rule = &set->correlations[place];
    uint64_t hash = mix_str(mix(CONTENT_SEED, rule->kind), rule->id);

    hash = mix(mix_str(hash, rule->name), (uint64_t)rule->timespan);
    for (size_t i = 0; i < rule->part_count; i++) {
        struct sigma_part_of part = rule->parts[i];

        hash = part.is_correlation ? mix(hash, plans[part.index].content)
                                   : mix_rule(hash, &set->rules[part.index]);
    }
    for (size_t i = 0; i < rule->group_count; i++) {
        hash = mix_str(hash, rule->group_by[i]);
    }
    for (size_t i = 0; i < rule->alias_count; i++) {
        hash = mix_str(hash, rule->aliases[i].name);
        for (size_t part = 0; part < rule->part_count; part++) {
            hash = mix_str(hash, rule->aliases[i].fields[part]);
        }
    }
    hash = mix_bounds(hash, &rule->bounds);
    return rule->root != NULL ? mix_node(hash, rule->root) : hash;
}
