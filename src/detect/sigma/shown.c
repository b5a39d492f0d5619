/* See shown.h. */
#include "detect/sigma/shown.h"

#include "base/arena.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#include <string.h>

#define NAMES_MAX   (1U << 20)
#define ARENA_LIMIT (64U << 20)

struct shown_rule {
    const uint32_t *names;
    size_t count;
};

struct sigma_shown {
    struct arena *arena;
    struct entry_names *names;
    struct shown_rule *rules;
};

struct sigma_view_name {
    uint64_t turn; /* the view's, if the entry has the name */
    uint32_t first;
    uint32_t last;
};

/* ---- of a rule */

struct gathering {
    struct entry_names *names;
    uint32_t numbers[SIGMA_SHOWN_MAX];
    size_t count;
};

/* A name that no entry can have is left out. */
static int gather_name(struct gathering *gathering, struct str name)
{
    uint32_t number = 0;
    int r;

    if (name.len == 0 || name.len > ENTRY_NAME_MAX || gathering->count == SIGMA_SHOWN_MAX) {
        return 0;
    }
    r = entry_names_add(gathering->names, name, &number);
    for (size_t i = 0; r == 0 && i < gathering->count; i++) {
        if (gathering->numbers[i] == number) {
            return 0;
        }
    }
    if (r == 0) {
        gathering->numbers[gathering->count++] = number;
    }
    return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): the loader limits the depth to SIGMA_DEPTH_MAX */
static int gather_node(struct gathering *gathering, const struct sigma_node *node)
{
    int r = 0;

    if (node->kind == SIGMA_NODE_ATOM) {
        return gather_name(gathering, node->atom->field);
    }
    for (size_t i = 0; r == 0 && i < node->child_count; i++) {
        r = gather_node(gathering, node->children[i]);
    }
    return r;
}

static int gather_rule(struct gathering *gathering, const struct sigma_rule *rule, bool has_both)
{
    int r = 0;

    gathering->count = 0;
    for (size_t i = 0; r == 0 && i < rule->field_count; i++) {
        r = gather_name(gathering, rule->fields[i]);
    }
    for (size_t i = 0; r == 0 && (has_both || rule->field_count == 0) && i < rule->way_count; i++) {
        r = gather_node(gathering, rule->ways[i].root);
    }
    return r;
}

static int shown_add(struct sigma_shown *shown, const struct gathering *gathering,
                     struct shown_rule *rule)
{
    uint32_t *names = arena_alloc(shown->arena, gathering->count + 1, sizeof(*names));

    if (names == NULL) {
        return -ERR_NOMEM;
    }
    memcpy(names, gathering->numbers, gathering->count * sizeof(*names));
    rule->names = names;
    rule->count = gathering->count;
    return 0;
}

int sigma_shown_new(const struct sigma_set *set, bool has_both, struct sigma_shown **ret_shown)
{
    struct sigma_shown *shown = mem_alloc(1, sizeof(*shown));
    struct gathering gathering = {0};
    int r;

    if (shown == NULL) {
        return -ERR_NOMEM;
    }
    r = arena_new(ARENA_LIMIT, &shown->arena);
    r = r == 0 ? entry_names_new(NAMES_MAX, &shown->names) : r;
    shown->rules = mem_alloc(set->rule_count + 1, sizeof(*shown->rules));
    r = r == 0 && shown->rules == NULL ? -ERR_NOMEM : r;
    gathering.names = shown->names;
    for (size_t i = 0; r == 0 && i < set->rule_count; i++) {
        r = gather_rule(&gathering, &set->rules[i], has_both);
        r = r == 0 ? shown_add(shown, &gathering, &shown->rules[i]) : r;
    }
    if (r < 0) {
        sigma_shown_free(shown);
        return r;
    }
    *ret_shown = shown;
    return 0;
}

void sigma_shown_free(struct sigma_shown *shown)
{
    if (shown != NULL) {
        entry_names_free(shown->names);
        arena_free(shown->arena);
        mem_free(shown->rules);
        mem_free(shown);
    }
}

size_t sigma_shown_names(const struct sigma_shown *shown, uint32_t rule, const uint32_t **ret_names)
{
    *ret_names = shown->rules[rule].names;
    return shown->rules[rule].count;
}

size_t sigma_shown_count(const struct sigma_shown *shown)
{
    return entry_names_count(shown->names);
}

struct str sigma_shown_name(const struct sigma_shown *shown, uint32_t name)
{
    return entry_names_get(shown->names, name);
}

/* ---- of an entry */

int sigma_view_init(struct sigma_view *view, const struct sigma_shown *shown)
{
    *view = (struct sigma_view){.shown = shown};
    view->names = mem_alloc(sigma_shown_count(shown) + 1, sizeof(*view->names));
    return view->names != NULL ? 0 : -ERR_NOMEM;
}

void sigma_view_done(struct sigma_view *view)
{
    mem_free(view->names);
    mem_free(view->next);
    *view = (struct sigma_view){0};
}

static int view_make_room(struct sigma_view *view, size_t count)
{
    uint32_t *next;

    if (count <= view->next_room) {
        return 0;
    }
    next = mem_resize(view->next, 2 * count, sizeof(*next));
    if (next == NULL) {
        return -ERR_NOMEM;
    }
    view->next = next;
    view->next_room = 2 * count;
    return 0;
}

int sigma_view_turn(struct sigma_view *view, const struct entry *entry, bool has_empty)
{
    int r = view_make_room(view, entry->count);

    view->turn++;
    for (uint32_t i = 0; r == 0 && i < entry->count; i++) {
        const struct entry_field *field = &entry->fields[i];
        uint32_t number = entry_names_find(view->shown->names, field->name);
        struct sigma_view_name *name = &view->names[number];

        if (number == 0 || (!has_empty && field->value.len == 0)) {
            continue;
        }
        if (name->turn == view->turn) {
            view->next[name->last] = i;
        } else {
            *name = (struct sigma_view_name){.turn = view->turn, .first = i};
        }
        view->next[i] = SIGMA_VIEW_END;
        name->last = i;
    }
    return r;
}

uint32_t sigma_view_first(const struct sigma_view *view, uint32_t name)
{
    return view->names[name].turn == view->turn ? view->names[name].first : SIGMA_VIEW_END;
}

uint32_t sigma_view_next(const struct sigma_view *view, uint32_t field)
{
    return view->next[field];
}
