/* A world of a few rules made by hand and one entry, in which the engine is asked and compared with
 * the oracle. */
#ifndef TESTS_UNIT_SIGMA_WORLD_H
#define TESTS_UNIT_SIGMA_WORLD_H

#include "prop.h"

#include "base/err.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/oracle.h"
#include "detect/sigma/text.h"

#include <string.h>

#define WAYS_MAX 4

struct world {
    struct arena *arena;
    struct sigma_rule rules[8];
    struct sigma_set set;
    struct sigma_engine *engine;
    struct sigma_matcher *matcher;
    struct entry entry;
};

static inline struct logsource source_of(const char *product, const char *category)
{
    return (struct logsource){.product = str_from(product), .category = str_from(category)};
}

static inline struct arena *arena_start(void)
{
    struct arena *arena = NULL;

    assert_int_equal(arena_new(256U << 20, &arena), 0);
    return arena;
}

static inline void world_init(struct world *world, struct arena *arena)
{
    *world = (struct world){.arena = arena};
    entry_init(&world->entry);
    world->entry.is_structured = true;
}

static inline void world_done(struct world *world)
{
    sigma_matcher_free(world->matcher);
    sigma_engine_free(world->engine);
    entry_done(&world->entry);
}

/* ---- trees ---- */

static inline struct sigma_node *node_new(struct world *world, enum sigma_node_kind kind,
                                          size_t children)
{
    struct sigma_node *node = arena_alloc(world->arena, 1, sizeof(*node));

    assert_non_null(node);
    node->kind = kind;
    node->child_count = children;
    node->children = arena_alloc(world->arena, children + 1, sizeof(*node->children));
    assert_non_null(node->children);
    return node;
}

static inline void node_set(struct sigma_node *node, size_t at, const struct sigma_node *child)
{
    const struct sigma_node **children = (const struct sigma_node **)(uintptr_t)node->children;

    children[at] = child;
}

static inline struct sigma_node *node_of_two(struct world *world, enum sigma_node_kind kind,
                                             const struct sigma_node *a, const struct sigma_node *b)
{
    struct sigma_node *node = node_new(world, kind, b != NULL ? 2 : 1);

    node_set(node, 0, a);
    if (b != NULL) {
        node_set(node, 1, b);
    }
    return node;
}

static inline struct sigma_node *atom_new(struct world *world, enum sigma_match match,
                                          const char *field)
{
    struct sigma_node *node = node_new(world, SIGMA_NODE_ATOM, 0);

    node->atom = arena_alloc(world->arena, 1, sizeof(*node->atom));
    assert_non_null(node->atom);
    node->atom->match = match;
    node->atom->field = str_from(field);
    return node;
}

/* '*' and '?' mean what they mean in rules; there is no way to write them plainly. */
static inline struct sigma_node *pattern(struct world *world, const char *field, struct str text,
                                         bool is_cased)
{
    struct sigma_node *node = atom_new(world, SIGMA_MATCH_PATTERN, field);
    struct sigma_part *parts = arena_alloc(world->arena, text.len + 1, sizeof(*parts));
    char *folded = arena_alloc(world->arena, text.len + 1, SIGMA_FOLD_GROWTH);
    size_t len = text.len;
    size_t count = 0;

    assert_true(parts != NULL && folded != NULL);
    memcpy(folded, text.ptr, text.len);
    if (!is_cased) {
        len = sigma_fold(text, folded);
    }
    for (size_t at = 0; at < len; at++) {
        char c = folded[at];

        if (c == '*' && count > 0 && parts[count - 1].kind == SIGMA_PART_ANY) {
            continue;
        }
        if (c == '*' || c == '?') {
            parts[count++].kind = c == '*' ? SIGMA_PART_ANY : SIGMA_PART_ONE;
        } else if (count > 0 && parts[count - 1].kind == SIGMA_PART_LITERAL) {
            parts[count - 1].text.len++;
        } else {
            parts[count++] = (struct sigma_part){SIGMA_PART_LITERAL, str_of(folded + at, 1)};
        }
    }
    node->atom->text = text;
    node->atom->is_cased = is_cased;
    node->atom->parts = parts;
    node->atom->part_count = count;
    return node;
}

static inline struct sigma_node *is(struct world *world, const char *field, const char *text)
{
    return pattern(world, field, str_from(text), false);
}

static inline struct sigma_node *number(struct world *world, const char *field, double value)
{
    struct sigma_node *node = atom_new(world, SIGMA_MATCH_NUMBER, field);

    node->atom->number = value;
    node->atom->text = arena_printf(world->arena, "%.17g", value);
    return node;
}

static inline struct sigma_node *regex(struct world *world, const char *field, const char *text,
                                       unsigned flags)
{
    struct sigma_node *node = atom_new(world, SIGMA_MATCH_REGEX, field);

    node->atom->text = str_from(text);
    node->atom->regex_flags = flags;
    return node;
}

static inline void rule_way(struct world *world, size_t rule, struct logsource source,
                            const struct sigma_node *root)
{
    struct sigma_way *ways = (struct sigma_way *)(uintptr_t)world->rules[rule].ways;

    if (ways == NULL) {
        ways = arena_alloc(world->arena, WAYS_MAX, sizeof(*ways));
        assert_non_null(ways);
        world->rules[rule].ways = ways;
        world->rules[rule].file = STR("rules.yml");
        world->rules[rule].line = (uint32_t)rule + 1;
    }
    ways[world->rules[rule].way_count++] = (struct sigma_way){source, root};
    world->set.rules = world->rules;
    world->set.rule_count = rule >= world->set.rule_count ? rule + 1 : world->set.rule_count;
}

static inline void world_build(struct world *world)
{
    struct diag diag = {0};

    assert_int_equal(sigma_engine_new(&world->set, &world->engine, &diag), 0);
    assert_int_equal(sigma_matcher_new(world->engine, &world->matcher), 0);
}

/* ---- entries ---- */

static inline void entry_put(struct world *world, const char *name, struct str value,
                             bool is_escaped)
{
    struct entry_field field = {.name = str_from(name), .value = value, .is_escaped = is_escaped};

    field.id = entry_names_find(sigma_engine_names(world->engine), field.name);
    assert_int_equal(entry_add(&world->entry, &field), 0);
}

static inline void entry_begin(struct world *world, const char *product, const char *category)
{
    entry_reset(&world->entry);
    world->entry.is_structured = true;
    world->entry.source.product = str_from(product);
    world->entry.source.category = str_from(category);
}

static inline bool rule_is_said(const uint32_t *rules, size_t count, uint32_t rule)
{
    for (size_t i = 0; i < count; i++) {
        if (rules[i] == rule) {
            return true;
        }
    }
    return false;
}

static inline const char *world_compare(struct world *world)
{
    const uint32_t *rules = NULL;
    size_t count = 0;
    int r = sigma_match(world->matcher, &world->entry, &rules, &count);

    if (r < 0) {
        return "the engine failed";
    }
    for (size_t i = 1; i < count; i++) {
        if (rules[i - 1] >= rules[i]) {
            return "rules are not ascending";
        }
    }
    for (uint32_t i = 0; i < world->set.rule_count; i++) {
        bool is_match = false;

        if (sigma_oracle(&world->rules[i], &world->entry, world->arena, &is_match) < 0) {
            return "the oracle failed";
        }
        if (is_match != rule_is_said(rules, count, i)) {
            return is_match ? "the oracle says yes, the engine no"
                            : "the engine says yes, the oracle no";
        }
    }
    return NULL;
}

static inline void assert_rules(struct world *world, const char *expected)
{
    const uint32_t *rules = NULL;
    const char *broke;
    size_t count = 0;
    char said[64] = "";

    assert_int_equal(sigma_match(world->matcher, &world->entry, &rules, &count), 0);
    for (size_t i = 0; i < count; i++) {
        said[i] = (char)('0' + rules[i]);
    }
    assert_string_equal(said, expected);
    broke = world_compare(world);
    if (broke != NULL) {
        fail_msg("%s", broke);
    }
}

#endif
