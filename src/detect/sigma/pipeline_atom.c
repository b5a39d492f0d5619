/* What transformations make of a single atom: other names, other values, or nothing. */
#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/pipeline_part.h"
#include "detect/sigma/text.h"

#include <string.h>

#define REPLACED_MAX 4096 /* bytes of a literal that was replaced; a longer one stays */

static int put_part(struct arena *arena, struct sigma_part *parts, size_t *count, struct str text)
{
    char *out;

    if (text.len == 0) {
        return 0;
    }
    out = arena_alloc(arena, text.len * SIGMA_FOLD_GROWTH + 1, 1);
    if (out == NULL) {
        return -ERR_NOMEM;
    }
    parts[(*count)++] = (struct sigma_part){SIGMA_PART_LITERAL, str_of(out, sigma_fold(text, out))};
    return 0;
}

static bool is_wild(char c)
{
    return c == '*' || c == '?';
}

int pipeline_pattern(struct arena *arena, struct str text, struct sigma_atom *atom)
{
    struct sigma_part *parts = arena_alloc(arena, text.len + 1, sizeof(*parts));
    char *plain = arena_alloc(arena, text.len + 1, 1);
    size_t count = 0;
    size_t len = 0;
    int r = 0;

    if (parts == NULL || plain == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; r == 0 && i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';

        if (text.ptr[i] == '\\' && (is_wild(next) || next == '\\')) {
            plain[len++] = next;
            i++;
        } else if (is_wild(text.ptr[i])) {
            r = put_part(arena, parts, &count, str_of(plain, len));
            len = 0;
            if (text.ptr[i] == '?' || count == 0 || parts[count - 1].kind != SIGMA_PART_ANY) {
                parts[count++].kind = text.ptr[i] == '?' ? SIGMA_PART_ONE : SIGMA_PART_ANY;
            }
        } else {
            plain[len++] = text.ptr[i];
        }
    }
    if (r == 0) {
        r = put_part(arena, parts, &count, str_of(plain, len));
    }
    atom->match = SIGMA_MATCH_PATTERN;
    atom->text = text;
    atom->parts = parts;
    atom->part_count = count;
    return r;
}

/* One node for several atoms: any of them will do. */
static int any_of(struct arena *arena, const struct sigma_node *origin,
                  const struct sigma_atom *atoms, size_t count, struct sigma_node **ret_node)
{
    struct sigma_node **leaves = arena_alloc(arena, count + 1, sizeof(struct sigma_node *));
    struct sigma_node *node;

    if (leaves == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        leaves[i] = pipeline_leaf(arena, &atoms[i]);
        if (leaves[i] == NULL) {
            return -ERR_NOMEM;
        }
    }
    node = count == 1 ? leaves[0] : pipeline_node(arena, SIGMA_NODE_OR, leaves, count);
    if (node == NULL) {
        return -ERR_NOMEM;
    }
    node->name = origin->name;
    *ret_node = node;
    return 0;
}

static const struct pipeline_pair *find_pair(const struct pipeline_item *item, struct str from,
                                             bool is_prefix)
{
    for (size_t i = 0; i < item->pair_count; i++) {
        if (is_prefix ? str_has_prefix(from, item->pairs[i].from)
                      : str_is(from, item->pairs[i].from)) {
            return &item->pairs[i];
        }
    }
    return NULL;
}

/* The name as the n-th of the pair's. */
static struct str rename_field(struct arena *arena, const struct pipeline_item *item,
                               const struct pipeline_pair *pair, size_t place, struct str field)
{
    if (item->kind != PIPELINE_PREFIX_MAPPING) {
        return pair->to[place];
    }
    field = str_slice(field, pair->from.len, field.len);
    return arena_printf(arena, "%.*s%.*s", STR_ARG(pair->to[place]), STR_ARG(field));
}

/* The other field that an atom compares with has a name too. */
static int map_other(struct pipeline_change *change, struct sigma_atom *atom)
{
    const struct pipeline_item *item = change->item;
    const struct pipeline_pair *pair;

    if (atom->match != SIGMA_MATCH_FIELD || !pipeline_wants_field(item, atom->text)) {
        return 0;
    }
    pair = find_pair(item, atom->text, item->kind == PIPELINE_PREFIX_MAPPING);
    if (pair != NULL && pair->to_count > 0) {
        atom->text = rename_field(change->arena, item, pair, 0, atom->text);
    }
    return atom->text.ptr == NULL ? -ERR_NOMEM : 0;
}

static int map_field(struct pipeline_change *change, struct sigma_node *node,
                     struct sigma_node **ret_node)
{
    const struct pipeline_item *item = change->item;
    const struct pipeline_pair *pair =
        pipeline_wants_field(item, node->atom->field)
            ? find_pair(item, node->atom->field, item->kind == PIPELINE_PREFIX_MAPPING)
            : NULL;
    size_t count = pair != NULL ? pair->to_count : 1;
    struct sigma_atom *atoms;

    if (pair == NULL && node->atom->match != SIGMA_MATCH_FIELD) {
        *ret_node = node;
        return 0;
    }
    atoms = arena_alloc(change->arena, count, sizeof(*atoms));
    if (atoms == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        int r;

        atoms[i] = *node->atom;
        r = map_other(change, &atoms[i]);
        if (pair != NULL && r == 0) {
            atoms[i].field = rename_field(change->arena, item, pair, i, node->atom->field);
        }
        if (r < 0 || atoms[i].field.ptr == NULL) {
            return -ERR_NOMEM;
        }
    }
    return any_of(change->arena, node, atoms, count, ret_node);
}

static int affix_field(struct pipeline_change *change, struct sigma_node *node,
                       struct sigma_node **ret_node)
{
    struct str affix = change->item->text;
    bool is_prefix = change->item->kind == PIPELINE_PREFIX;
    struct sigma_atom atom = *node->atom;
    struct str front = is_prefix ? affix : atom.field;
    struct str back = is_prefix ? atom.field : affix;

    atom.field = arena_printf(change->arena, "%.*s%.*s", STR_ARG(front), STR_ARG(back));
    return atom.field.ptr == NULL ? -ERR_NOMEM : any_of(change->arena, node, &atom, 1, ret_node);
}

static int map_string(struct pipeline_change *change, struct sigma_node *node,
                      struct sigma_node **ret_node)
{
    const struct pipeline_item *item = change->item;
    struct sigma_atom *atoms;

    for (size_t i = 0; i < item->pair_count; i++) {
        const struct pipeline_pair *pair = &item->pairs[i];

        if (!str_is_nocase(pair->from, node->atom->text)) {
            continue;
        }
        atoms = arena_alloc(change->arena, pair->to_count, sizeof(*atoms));
        if (atoms == NULL) {
            return -ERR_NOMEM;
        }
        for (size_t to = 0; to < pair->to_count; to++) {
            int r;

            atoms[to] = (struct sigma_atom){.field = node->atom->field};
            r = pipeline_pattern(change->arena, pair->to[to], &atoms[to]);
            if (r < 0) {
                return r;
            }
        }
        return any_of(change->arena, node, atoms, pair->to_count, ret_node);
    }
    *ret_node = node;
    return 0;
}

/* One literal with the regex's finds replaced; itself when there are none. */
static int replace_literal(struct pipeline_change *change, struct str *text)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(change->item->regex, NULL);
    struct str by = change->item->text;
    PCRE2_SIZE len = REPLACED_MAX;
    char out[REPLACED_MAX];
    int r;

    if (data == NULL) {
        return -ERR_NOMEM;
    }
    r = pcre2_substitute(change->item->regex, (PCRE2_SPTR)text->ptr, text->len, 0,
                         PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY, data, NULL,
                         (PCRE2_SPTR)by.ptr, by.len, (PCRE2_UCHAR *)out, &len);
    pcre2_match_data_free(data);
    if (r > 0) {
        *text = arena_copy(change->arena, str_of(out, len));
    }
    return text->ptr == NULL ? -ERR_NOMEM : 0;
}

/* Literals are folded before, so the regex compares without case; afterwards they are again. */
static int replace_string(struct pipeline_change *change, struct sigma_node *node,
                          struct sigma_node **ret_node)
{
    struct sigma_atom atom = *node->atom;
    struct sigma_part *parts = arena_alloc(change->arena, atom.part_count + 1, sizeof(*parts));
    size_t count = 0;

    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < atom.part_count; i++) {
        struct str text = atom.parts[i].text;
        int r;

        if (atom.parts[i].kind != SIGMA_PART_LITERAL) {
            parts[count++] = atom.parts[i];
            continue;
        }
        r = replace_literal(change, &text);
        if (r == 0 && atom.is_cased && text.len > 0) {
            parts[count++] = (struct sigma_part){SIGMA_PART_LITERAL, text};
        } else if (r == 0) {
            r = put_part(change->arena, parts, &count, text);
        }
        if (r < 0) {
            return r;
        }
    }
    atom.parts = parts;
    atom.part_count = count;
    return any_of(change->arena, node, &atom, 1, ret_node);
}

static int drop(struct pipeline_change *change, struct sigma_node *node,
                struct sigma_node **ret_node)
{
    (void)change;
    (void)node;
    *ret_node = NULL;
    return 0;
}

/* What kinds do to atoms; those that are not here leave them alone. */
static const struct {
    int (*change)(struct pipeline_change *change, struct sigma_node *node,
                  struct sigma_node **ret_node);
    bool is_of_names;  /* a keyword has none */
    bool is_of_values; /* of patterns */
} changes[PIPELINE_COUNT] = {
    [PIPELINE_MAPPING] = {map_field, true, false},
    [PIPELINE_PREFIX_MAPPING] = {map_field, true, false},
    [PIPELINE_PREFIX] = {affix_field, true, false},
    [PIPELINE_SUFFIX] = {affix_field, true, false},
    [PIPELINE_DROP] = {drop, false, false},
    [PIPELINE_MAP_STRING] = {map_string, false, true},
    [PIPELINE_REPLACE] = {replace_string, false, true},
};

int pipeline_change_atom(void *context, struct sigma_node *node, struct sigma_node **ret_node)
{
    struct pipeline_change *change = context;
    const struct pipeline_item *item = change->item;
    const struct sigma_atom *atom = node->atom;

    *ret_node = node;
    if (changes[item->kind].change == NULL ||
        (changes[item->kind].is_of_names && atom->field.len == 0) ||
        (changes[item->kind].is_of_values && atom->match != SIGMA_MATCH_PATTERN)) {
        return 0;
    }
    /* The other field of a comparison is asked by itself: see map_other. */
    if (atom->match != SIGMA_MATCH_FIELD && !pipeline_wants_field(item, atom->field)) {
        return 0;
    }
    return changes[item->kind].change(change, node, ret_node);
}
