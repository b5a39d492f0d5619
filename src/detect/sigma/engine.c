/* Compiling a set of rules; see engine_part.h for the way through the engine's files. */
#include "detect/sigma/engine.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_compile.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_LIMIT (1u << 30)
#define PARTS_MAX   65536
#define PART_SEED   0x73676d61U
#define KEYS_MIN    64

/* ---- names ---- */

static int names_add(struct entry_names *names, struct str name)
{
    uint32_t id;

    return name.len == 0 ? 0 : entry_names_add(names, name, &id);
}

static int names_of_correlation(struct entry_names *names,
                                const struct sigma_correlation *correlation)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < correlation->group_count; i++) {
        r = names_add(names, correlation->group_by[i]);
    }
    for (size_t i = 0; r == 0 && i < correlation->bounds.field_count; i++) {
        r = names_add(names, correlation->bounds.fields[i]);
    }
    for (size_t i = 0; i < correlation->alias_count; i++) {
        for (size_t k = 0; r == 0 && k < correlation->part_count; k++) {
            r = names_add(names, correlation->aliases[i].fields[k]);
        }
    }
    return r;
}

/* ---- log sources ---- */

static struct str text_lower(struct sigma_engine *engine, struct str text)
{
    char *lower = arena_alloc(engine->arena, text.len + 1, 1);

    if (lower == NULL) {
        return (struct str){0};
    }
    for (size_t i = 0; i < text.len; i++) {
        lower[i] =
            text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] | 0x20) : text.ptr[i];
    }
    return str_of(lower, text.len);
}

static int part_add(struct sigma_engine *engine, struct str text)
{
    struct source_part *part;
    struct source_part **parts;

    if (text.len == 0) {
        return 0;
    }
    if (text.len > PART_MAX) {
        return -ERR_LIMIT;
    }
    text = text_lower(engine, text);
    part = arena_alloc(engine->arena, 1, sizeof(*part));
    if (text.ptr == NULL || part == NULL) {
        return -ERR_NOMEM;
    }
    if (map_get(&engine->parts, text) != NULL) {
        return 0;
    }
    parts = items_grow(engine->part_list, engine->part_count, &engine->part_room, sizeof(*parts));
    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    engine->part_list = parts;
    parts[engine->part_count++] = part;
    *part = (struct source_part){text, (uint32_t)engine->part_count};
    return map_put(&engine->parts, text, part);
}

static int event_add(struct sigma_engine *engine, uint32_t id)
{
    uint32_t *events;

    for (size_t i = 0; i < engine->event_count; i++) {
        if (engine->events[i] == id) {
            return 0;
        }
    }
    events = items_grow(engine->events, engine->event_count, &engine->event_room, sizeof(*events));
    if (events == NULL) {
        return -ERR_NOMEM;
    }
    engine->events = events;
    events[engine->event_count++] = id;
    return 0;
}

static int event_compare(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static int routes_build(struct sigma_engine *engine)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < engine->group_count; i++) {
        const struct engine_group *group = &engine->groups[i];

        r = part_add(engine, group->source.product);
        r = r == 0 ? part_add(engine, group->source.category) : r;
        r = r == 0 ? part_add(engine, group->source.service) : r;
        for (uint32_t k = 0; r == 0 && k < group->event_count; k++) {
            r = event_add(engine, group->events[k]);
        }
    }
    if (r == 0 && engine->event_count > 1) {
        qsort(engine->events, engine->event_count, sizeof(*engine->events), event_compare);
    }
    return r;
}

/* ---- tables ---- */

static int keys_build(struct sigma_engine *engine)
{
    struct key_table *keys = &engine->keys;
    size_t count = 0;

    for (size_t i = 0; i < engine->clue_count; i++) {
        count += engine->clues[i].count != 0 && engine->clues[i].kind != CLUE_NEEDLE;
    }
    keys->room = KEYS_MIN;
    while (keys->room < count * 3) {
        keys->room *= 2;
    }
    keys->slots = mem_alloc(keys->room, sizeof(*keys->slots));
    keys->front = mem_alloc((1U << KEY_FRONT_BITS) / 64, sizeof(*keys->front));
    if (keys->slots == NULL || keys->front == NULL) {
        return -ERR_NOMEM;
    }
    memset(keys->slots, 0xff, keys->room * sizeof(*keys->slots));
    for (uint32_t i = 0; i < engine->clue_count; i++) {
        const struct clue *clue = &engine->clues[i];
        size_t at = clue->hash & (keys->room - 1);

        if (clue->count == 0 || clue->kind == CLUE_NEEDLE) {
            continue;
        }
        while (keys->slots[at].clue != ENGINE_NONE) {
            at = (at + 1) & (keys->room - 1);
        }
        keys->slots[at] = (struct key_slot){(uint32_t)(clue->hash >> 32), i};
        at = clue->hash >> (64 - KEY_FRONT_BITS);
        keys->front[at / 64] |= (uint64_t)1 << (at % 64);
    }
    return 0;
}

static int scans_make(const struct compiler *compiler, struct scan **scans,
                      struct list_u32 *needles)
{
    const struct sigma_engine *engine = compiler->engine;
    int r = 0;

    for (size_t field = 0; r == 0 && field < engine->field_count; field++) {
        if (needles[field].count != 0) {
            r = scan_new(engine->clues, &needles[field], &compiler->grams, &scans[field]);
        }
    }
    return r;
}

static int scans_sort(const struct sigma_engine *engine, bool is_broad, struct list_u32 *needles)
{
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < engine->clue_count; i++) {
        const struct clue *clue = &engine->clues[i];
        bool is_wanted = is_broad ? clue->is_whole : clue->count != 0;

        if (clue->kind == CLUE_NEEDLE && is_wanted) {
            r = list_u32_add(&needles[clue->field], i);
        }
    }
    return r;
}

static int scans_build(const struct compiler *compiler, bool is_broad, struct scan ***ret_scans)
{
    const struct sigma_engine *engine = compiler->engine;
    struct list_u32 *needles = mem_alloc(engine->field_count, sizeof(*needles));
    int r = -ERR_NOMEM;

    *ret_scans = mem_alloc(engine->field_count, sizeof(**ret_scans));
    if (needles != NULL && *ret_scans != NULL) {
        r = scans_sort(engine, is_broad, needles);
        r = r == 0 ? scans_make(compiler, *ret_scans, needles) : r;
    }
    for (size_t i = 0; needles != NULL && i < engine->field_count; i++) {
        list_u32_done(&needles[i]);
    }
    mem_free(needles);
    return r;
}

static size_t scans_size(struct scan *const *scans, size_t count)
{
    size_t size = count * sizeof(*scans);

    for (size_t i = 0; i < count; i++) {
        size += scan_size(scans[i]);
    }
    return size;
}

static size_t engine_size(const struct sigma_engine *engine)
{
    size_t size = sizeof(*engine) + arena_used(engine->arena);

    size += engine->atom_room * sizeof(*engine->atoms) + engine->clue_room * sizeof(*engine->clues);
    size += engine->step_room * sizeof(*engine->steps) + engine->way_room * sizeof(*engine->ways);
    size += engine->member_room * sizeof(*engine->members);
    size += engine->group_room * sizeof(*engine->groups);
    size += engine->waiting_count * sizeof(*engine->waiting);
    size += engine->keys.room * sizeof(*engine->keys.slots) + (1U << KEY_FRONT_BITS) / 8;
    size += scans_size(engine->narrow, engine->field_count);
    size += scans_size(engine->broad, engine->field_count);
    for (size_t i = 0; i < engine->group_count; i++) {
        size += (engine->groups[i].always.room + engine->groups[i].clues.room) * sizeof(uint32_t);
    }
    for (size_t i = 0; i < engine->atom_count; i++) {
        size += engine->atoms[i].regex != NULL ? regex_size(engine->atoms[i].regex) : 0;
    }
    return size;
}

/* ---- compiling ---- */

static int way_add(struct compiler *compiler, uint32_t rule, const struct sigma_way *way)
{
    struct sigma_engine *engine = compiler->engine;
    struct engine_way *ways =
        items_grow(engine->ways, engine->way_count, &engine->way_room, sizeof(*ways));
    uint32_t *roots;

    if (ways == NULL) {
        return -ERR_NOMEM;
    }
    engine->ways = ways;
    roots = items_grow(compiler->roots, engine->way_count, &compiler->root_room, sizeof(*roots));
    if (roots == NULL) {
        return -ERR_NOMEM;
    }
    compiler->roots = roots;
    ways[engine->way_count++] =
        (struct engine_way){.rule = rule, .needs_source = way->needs_source};
    return way_compile(compiler, way);
}

static int rule_add(struct compiler *compiler, uint32_t index)
{
    const struct sigma_rule *rule = &compiler->engine->set->rules[index];

    for (size_t i = 0; i < rule->way_count; i++) {
        struct diag why = {0};
        int r;

        compiler->diag = &why;
        r = way_add(compiler, index, &rule->ways[i]);
        if (r < 0 && r != -ERR_NOMEM) {
            return diag_set(compiler->out, r, "%.*s:%u: %s", STR_ARG(rule->file), rule->line,
                            diag_text(&why, r));
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int engine_compile(struct compiler *compiler)
{
    struct sigma_engine *engine = compiler->engine;
    const struct sigma_set *set = engine->set;
    int r;

    r = entry_names_add(engine->names, STR("EventID"), &engine->event_field);
    for (uint32_t i = 0; r == 0 && i < set->rule_count; i++) {
        r = rule_add(compiler, i);
    }
    for (size_t i = 0; r == 0 && i < set->correlation_count; i++) {
        r = names_of_correlation(engine->names, &set->correlations[i]);
    }
    engine->field_count = entry_names_count(engine->names) + 1;
    r = r == 0 ? ways_settle(compiler) : r;
    if (r == 0) {
        atoms_settle(engine);
    }
    r = r == 0 ? routes_build(engine) : r;
    r = r == 0 ? keys_build(engine) : r;
    r = r == 0 ? scans_build(compiler, false, &engine->narrow) : r;
    r = r == 0 ? scans_build(compiler, true, &engine->broad) : r;
    if (r == 0) {
        engine->memory = engine_size(engine);
    }
    return r;
}

static void compiler_free(struct compiler *compiler)
{
    if (compiler != NULL) {
        mem_free(compiler->atom_slots);
        mem_free(compiler->clue_slots);
        mem_free(compiler->twigs);
        mem_free(compiler->roots);
        mem_free(compiler->pairs);
        mem_free(compiler);
    }
}

static void scans_free(struct scan **scans, size_t count)
{
    for (size_t i = 0; scans != NULL && i < count; i++) {
        scan_free(scans[i]);
    }
    mem_free(scans);
}

void sigma_engine_free(struct sigma_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    scans_free(engine->narrow, engine->field_count);
    scans_free(engine->broad, engine->field_count);
    for (size_t i = 0; i < engine->atom_count; i++) {
        regex_free(engine->atoms[i].regex);
    }
    for (size_t i = 0; i < engine->group_count; i++) {
        list_u32_done(&engine->groups[i].always);
        list_u32_done(&engine->groups[i].clues);
    }
    mem_free(engine->atoms);
    mem_free(engine->clues);
    mem_free(engine->steps);
    mem_free(engine->members);
    mem_free(engine->ways);
    mem_free(engine->groups);
    mem_free(engine->waiting);
    mem_free(engine->keys.slots);
    mem_free(engine->keys.front);
    mem_free(engine->events);
    mem_free(engine->part_list);
    map_done(&engine->parts);
    arena_free(engine->arena);
    entry_names_free(engine->names);
    mem_free(engine);
}

void sigma_engine_freep(struct sigma_engine **engine)
{
    sigma_engine_free(*engine);
    *engine = NULL;
}

int sigma_engine_new(const struct sigma_set *set, struct sigma_engine **ret_engine,
                     struct diag *diag)
{
    CLEANUP(sigma_engine_freep) struct sigma_engine *engine = mem_alloc(1, sizeof(*engine));
    struct compiler *compiler = mem_alloc(1, sizeof(*compiler));
    int r = -ERR_NOMEM;

    if (engine != NULL && compiler != NULL) {
        engine->set = set;
        map_init(&engine->parts, PARTS_MAX, PART_SEED);
        compiler->engine = engine;
        common_learn(compiler);
        compiler->out = diag;
        r = entry_names_new(ENGINE_FIELDS_MAX, &engine->names);
        r = r == 0 ? arena_new(ARENA_LIMIT, &engine->arena) : r;
        r = r == 0 ? engine_compile(compiler) : r;
    }
    compiler_free(compiler);
    if (r < 0) {
        return r;
    }
    *ret_engine = TAKE_PTR(engine);
    return 0;
}

const struct entry_names *sigma_engine_names(const struct sigma_engine *engine)
{
    return engine->names;
}
