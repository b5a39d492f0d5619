/* A way's tree: written as steps (ask this atom, then go there or there), and searched for the
 * cheapest clues without which it cannot hold: of an AND those of one child, of an OR those of all,
 * of a NOT none. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_compile.h"

#include <stdlib.h>
#include <string.h>

#define WEIGHT_NOT      100000U /* negated parts come last */
#define WEIGHT_MAX      1000000000U
#define COST_ALWAYS     400000U /* to be asked for each entry of the group */
#define COST_EVENT_ONLY 200000U /* of a group that names its events */
#define COST_REGEX      4000U   /* to ask one for nothing */
#define EVENT_FIELD     "EventID"

static uint32_t sum_below(uint32_t a, uint32_t b, uint32_t most)
{
    return a < most && b < most - a ? a + b : most;
}

static uint32_t atom_weight(const struct engine_atom *atom)
{
    static const uint8_t weights[] = {
        [ASK_THERE] = 1,  [ASK_EQUAL] = 1,   [ASK_START] = 1,  [ASK_END] = 1,
        [ASK_INSIDE] = 4, [ASK_PATTERN] = 8, [ASK_REGEX] = 80, [ASK_VALUE] = 6,
        [ASK_EXISTS] = 1, [ASK_SET] = 4,     [ASK_NULL] = 1,   [ASK_FIELD] = 6,
    };

    return weights[atom->ask] + (atom->field == 0 ? 40U : 0U);
}

/* Room for the children of a twig, side by side. */
static int twigs_add(struct compiler *compiler, size_t count, uint32_t *ret_first)
{
    while (compiler->twig_room - compiler->twig_count < count) {
        struct twig *twigs =
            items_grow(compiler->twigs, compiler->twig_room, &compiler->twig_room, sizeof(*twigs));

        if (twigs == NULL) {
            return -ERR_NOMEM;
        }
        compiler->twigs = twigs;
    }
    *ret_first = (uint32_t)compiler->twig_count;
    memset(&compiler->twigs[compiler->twig_count], 0, count * sizeof(*compiler->twigs));
    compiler->twig_count += count;
    return 0;
}

static int twig_compare(const void *a, const void *b)
{
    const struct twig *left = a;
    const struct twig *right = b;

    if (left->weight != right->weight) {
        return left->weight < right->weight ? -1 : 1;
    }
    return (left->kin > right->kin) - (left->kin < right->kin);
}

static int twig_of_atom(struct compiler *compiler, const struct sigma_atom *atom, uint32_t place)
{
    struct sigma_engine *engine = compiler->engine;
    uint32_t number;
    uint32_t clue;
    int r;

    r = atom_intern(compiler, atom, &number);
    if (r < 0) {
        return r;
    }
    compiler->twigs[place].atom = number;
    compiler->twigs[place].weight = atom_weight(&engine->atoms[number]);
    compiler->twigs[place].kin = set_kin(engine, &engine->atoms[number]);
    clue = engine->atoms[number].clue;
    if (clue != ENGINE_NONE) {
        engine->clues[clue].uses++;
        text_count(compiler, engine->clues[clue].text);
    }
    return 0;
}

static void twig_sum(struct compiler *compiler, uint32_t place)
{
    struct twig *twig = &compiler->twigs[place];

    twig->weight = twig->kind == SIGMA_NODE_NOT ? WEIGHT_NOT : 0;
    for (uint32_t i = 0; i < twig->count; i++) {
        twig->weight = sum_below(twig->weight, compiler->twigs[twig->first + i].weight, WEIGHT_MAX);
    }
    if (twig->count > 1) {
        qsort(&compiler->twigs[twig->first], twig->count, sizeof(*twig), twig_compare);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than ENGINE_DEPTH_MAX */
static int twig_take(struct compiler *compiler, const struct sigma_node *node, uint32_t place,
                     unsigned depth)
{
    uint32_t first = 0;
    int r;

    if (depth > ENGINE_DEPTH_MAX) {
        return -ERR_LIMIT;
    }
    compiler->twigs[place].kind = node->kind;
    if (node->kind == SIGMA_NODE_ATOM) {
        return twig_of_atom(compiler, node->atom, place);
    }
    r = twigs_add(compiler, node->child_count, &first);
    for (size_t i = 0; r == 0 && i < node->child_count; i++) {
        r = twig_take(compiler, node->children[i], first + (uint32_t)i, depth + 1);
    }
    if (r < 0) {
        return r;
    }
    compiler->twigs[place].first = first;
    compiler->twigs[place].count = (uint32_t)node->child_count;
    twig_sum(compiler, place);
    return 0;
}

/* ---- steps ---- */

static int step_add(struct sigma_engine *engine, const struct step *step, uint32_t *ret_at)
{
    struct step *steps =
        items_grow(engine->steps, engine->step_count, &engine->step_room, sizeof(*steps));

    if (steps == NULL) {
        return -ERR_NOMEM;
    }
    engine->steps = steps;
    steps[engine->step_count] = *step;
    *ret_at = (uint32_t)engine->step_count++;
    return 0;
}

/* How many children of an OR, the last of them before `end`, may make a set; at least one. */
static uint32_t twig_kin(const struct compiler *compiler, const struct twig *twig, uint32_t end)
{
    const struct twig *children = &compiler->twigs[twig->first];
    uint32_t count = 1;

    while (twig->kind == SIGMA_NODE_OR && children[end - 1].kin != 0 && count < end &&
           children[end - 1 - count].kin == children[end - 1].kin) {
        count++;
    }
    return count;
}

static int set_steps(struct compiler *compiler, uint32_t first, uint32_t count, struct step *step)
{
    int r = set_add(compiler, &compiler->twigs[first], count, &step->atom);

    return r < 0 ? r : step_add(compiler->engine, step, &step->no);
}

/* Steps that go to step->yes or step->no; from the last to the first, so that each knows where it
 * leads. NOLINTNEXTLINE(misc-no-recursion): no deeper than ENGINE_DEPTH_MAX */
static int twig_steps(struct compiler *compiler, uint32_t place, struct step step,
                      uint32_t *ret_start)
{
    const struct twig *twig = &compiler->twigs[place];
    int r = 0;

    if (twig->kind == SIGMA_NODE_ATOM) {
        step.atom = twig->atom;
        return step_add(compiler->engine, &step, ret_start);
    }
    if (twig->kind == SIGMA_NODE_NOT) {
        return twig_steps(compiler, twig->first, (struct step){0, step.no, step.yes}, ret_start);
    }
    for (uint32_t i = twig->count; r == 0 && i > 0;) {
        uint32_t kin = twig_kin(compiler, twig, i);

        i -= kin;
        if (kin >= SET_MIN) {
            r = set_steps(compiler, twig->first + i, kin, &step);
        } else {
            i += kin - 1;
            r = twig_steps(compiler, twig->first + i, step,
                           twig->kind == SIGMA_NODE_AND ? &step.yes : &step.no);
        }
    }
    if (r == 0) {
        *ret_start = twig->kind == SIGMA_NODE_AND ? step.yes : step.no;
    }
    return r;
}

/* ---- events ---- */

struct events {
    uint32_t ids[ENGINE_EVENTS_MAX];
    uint32_t count; /* 0: any */
};

/* The value that an atom wants EventID to have; ENGINE_NONE: it does not say. */
static uint32_t atom_event(const struct sigma_engine *engine, const struct engine_atom *atom)
{
    double number = atom->atom->number;

    if (atom->field == 0 || atom->field != engine->event_field || !atom_is_number(atom->atom) ||
        !(number >= 0 && number < 1e6) || number != (double)(uint32_t)number) {
        return ENGINE_NONE;
    }
    return (uint32_t)number;
}

static bool events_add(struct events *events, uint32_t id)
{
    for (uint32_t i = 0; i < events->count; i++) {
        if (events->ids[i] == id) {
            return true;
        }
    }
    if (events->count == ENGINE_EVENTS_MAX) {
        return false;
    }
    events->ids[events->count++] = id;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than ENGINE_DEPTH_MAX */
static struct events twig_events(const struct compiler *compiler, uint32_t place)
{
    const struct twig *twig = &compiler->twigs[place];
    struct events events = {.count = 0};

    if (twig->kind == SIGMA_NODE_ATOM) {
        events.ids[0] = atom_event(compiler->engine, &compiler->engine->atoms[twig->atom]);
        events.count = events.ids[0] != ENGINE_NONE;
        return events;
    }
    if (twig->kind == SIGMA_NODE_NOT) {
        return events;
    }
    for (uint32_t i = 0; i < twig->count; i++) {
        struct events child = twig_events(compiler, twig->first + i);

        if (twig->kind == SIGMA_NODE_AND) {
            if (child.count != 0 && (events.count == 0 || child.count < events.count)) {
                events = child;
            }
            continue;
        }
        for (uint32_t k = 0; k < child.count; k++) {
            if (!events_add(&events, child.ids[k])) {
                return (struct events){.count = 0};
            }
        }
        if (child.count == 0) {
            return (struct events){.count = 0};
        }
    }
    return events;
}

static int event_compare(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static bool source_is(const struct logsource *a, const struct logsource *b)
{
    return str_is(a->product, b->product) && str_is(a->category, b->category) &&
           str_is(a->service, b->service);
}

static int group_intern(struct sigma_engine *engine, const struct logsource *source,
                        struct events *events, uint32_t *ret_group)
{
    struct engine_group *groups;

    qsort(events->ids, events->count, sizeof(events->ids[0]), event_compare);
    for (uint32_t i = 0; i < engine->group_count; i++) {
        const struct engine_group *group = &engine->groups[i];

        if (group->event_count == events->count && source_is(&group->source, source) &&
            memcmp(group->events, events->ids, events->count * sizeof(events->ids[0])) == 0) {
            *ret_group = i;
            return 0;
        }
    }
    groups = items_grow(engine->groups, engine->group_count, &engine->group_room, sizeof(*groups));
    if (groups == NULL) {
        return -ERR_NOMEM;
    }
    engine->groups = groups;
    *ret_group = (uint32_t)engine->group_count++;
    groups[*ret_group] = (struct engine_group){.source = *source, .event_count = events->count};
    memcpy(groups[*ret_group].events, events->ids, sizeof(events->ids));
    return 0;
}

int way_compile(struct compiler *compiler, const struct sigma_way *way)
{
    struct sigma_engine *engine = compiler->engine;
    struct engine_way *compiled = &engine->ways[engine->way_count - 1];
    struct step last = {0, ENGINE_YES, ENGINE_NO};
    struct events events;
    uint32_t root;
    int r;

    r = twigs_add(compiler, 1, &root);
    if (r == 0) {
        r = twig_take(compiler, way->root, root, 0);
    }
    if (r == 0) {
        compiler->roots[engine->way_count - 1] = root;
        r = twig_steps(compiler, root, last, &compiled->start);
    }
    if (r < 0) {
        return r;
    }
    events = twig_events(compiler, root);
    return group_intern(engine, &way->source, &events, &compiled->group);
}

/* ---- what a way waits for ---- */

static uint32_t atom_cost(const struct compiler *compiler, const struct engine_atom *atom)
{
    const struct sigma_engine *engine = compiler->engine;
    uint32_t cost;

    /* where EventID is named, the group has seen to it */
    if (atom->clue == ENGINE_NONE || atom_event(engine, atom) != ENGINE_NONE) {
        return CLUE_COST_NONE;
    }
    cost = clue_cost(compiler, &engine->clues[atom->clue]);
    /* what is seen of a regex says little of the regex, and to ask it is dear */
    return atom->ask != ASK_REGEX ? cost : cost + 4 * (cost < COST_REGEX ? cost : COST_REGEX);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than ENGINE_DEPTH_MAX */
static uint32_t twig_cost(struct compiler *compiler, uint32_t place)
{
    struct twig *twig = &compiler->twigs[place];

    if (twig->kind == SIGMA_NODE_ATOM) {
        twig->cost = atom_cost(compiler, &compiler->engine->atoms[twig->atom]);
        return twig->cost;
    }
    twig->cost = twig->kind == SIGMA_NODE_OR ? 0 : CLUE_COST_NONE;
    for (uint32_t i = 0; twig->kind != SIGMA_NODE_NOT && i < twig->count; i++) {
        uint32_t cost = twig_cost(compiler, twig->first + i);

        if (twig->kind == SIGMA_NODE_OR) {
            twig->cost = sum_below(twig->cost, cost, CLUE_COST_NONE);
        } else if (cost < twig->cost) {
            twig->cost = cost;
        }
    }
    return twig->cost;
}

static int pair_add(struct compiler *compiler, uint32_t way, uint32_t clue)
{
    struct way_clue *pairs =
        items_grow(compiler->pairs, compiler->pair_count, &compiler->pair_room, sizeof(*pairs));

    if (pairs == NULL) {
        return -ERR_NOMEM;
    }
    compiler->pairs = pairs;
    pairs[compiler->pair_count++] = (struct way_clue){way, clue};
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than ENGINE_DEPTH_MAX */
static int twig_wait(struct compiler *compiler, uint32_t place, uint32_t way)
{
    const struct twig *twig = &compiler->twigs[place];

    if (twig->kind == SIGMA_NODE_ATOM) {
        return pair_add(compiler, way, compiler->engine->atoms[twig->atom].clue);
    }
    for (uint32_t i = 0; i < twig->count; i++) {
        int r = 0;

        if (twig->kind == SIGMA_NODE_OR) {
            r = twig_wait(compiler, twig->first + i, way);
        } else if (compiler->twigs[twig->first + i].cost == twig->cost) {
            return twig_wait(compiler, twig->first + i, way);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int pairs_place(struct compiler *compiler)
{
    struct sigma_engine *engine = compiler->engine;
    uint32_t sum = 0;

    engine->waiting = mem_alloc(compiler->pair_count, sizeof(*engine->waiting));
    if (engine->waiting == NULL) {
        return -ERR_NOMEM;
    }
    engine->waiting_count = compiler->pair_count;
    for (size_t i = 0; i < compiler->pair_count; i++) {
        engine->clues[compiler->pairs[i].clue].count++;
    }
    for (size_t i = 0; i < engine->clue_count; i++) {
        engine->clues[i].first = sum;
        sum += engine->clues[i].count;
        engine->clues[i].count = 0;
    }
    for (size_t i = 0; i < compiler->pair_count; i++) {
        struct clue *clue = &engine->clues[compiler->pairs[i].clue];
        uint32_t way = compiler->pairs[i].way;
        uint32_t group = engine->ways[way].group;
        int r = list_u32_add(&engine->groups[group].clues, compiler->pairs[i].clue);

        if (r < 0) {
            return r;
        }
        engine->waiting[clue->first + clue->count++] = (struct waiter){way, group};
    }
    return 0;
}

int ways_settle(struct compiler *compiler)
{
    struct sigma_engine *engine = compiler->engine;

    for (uint32_t i = 0; i < engine->way_count; i++) {
        struct engine_group *group = &engine->groups[engine->ways[i].group];
        uint32_t most = group->event_count != 0 ? COST_EVENT_ONLY : COST_ALWAYS;
        int r;

        engine->ways[i].is_always = twig_cost(compiler, compiler->roots[i]) > most;
        r = engine->ways[i].is_always ? list_u32_add(&group->always, i)
                                      : twig_wait(compiler, compiler->roots[i], i);
        if (r < 0) {
            return r;
        }
    }
    return pairs_place(compiler);
}
