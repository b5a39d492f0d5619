/* A detection's selections as trees: maps are AND, lists are OR, texts are keywords. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

#include <string.h>

#define LISTS_MAX 8 /* lists in lists */

struct sigma_node *load_node(struct sigma_loader *loader, enum sigma_node_kind kind, size_t count)
{
    struct sigma_node *node = arena_alloc(loader->arena, 1, sizeof(*node));

    if (node == NULL) {
        return NULL;
    }
    node->kind = kind;
    node->child_count = count;
    return node;
}

struct sigma_node *load_join(struct sigma_loader *loader, enum sigma_node_kind kind,
                             struct sigma_node *const *children, size_t count)
{
    struct sigma_node **copies;
    struct sigma_node *node;

    if (count == 1 && kind != SIGMA_NODE_NOT) {
        return children[0];
    }
    node = load_node(loader, kind, count);
    copies = arena_alloc(loader->arena, count + 1, sizeof(struct sigma_node *));
    if (node == NULL || copies == NULL) {
        return NULL;
    }
    if (count != 0) {
        memcpy(copies, children, count * sizeof(struct sigma_node *));
    }
    node->children = copies;
    return node;
}

/* NOLINTNEXTLINE(misc-no-recursion): stops at the limit */
size_t load_depth(const struct sigma_node *node, size_t limit)
{
    size_t deepest = 0;

    for (size_t i = 0; i < node->child_count && deepest < limit; i++) {
        size_t depth = limit == 0 ? 0 : load_depth(node->children[i], limit - 1);

        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

int load_intern(struct sigma_loader *loader, struct str text, struct str *ret_text)
{
    struct str *kept = map_get(&loader->texts, text);
    int r;

    if (kept == NULL) {
        kept = arena_alloc(loader->arena, 1, sizeof(*kept));
        if (kept == NULL) {
            return -ERR_NOMEM;
        }
        *kept = arena_copy(loader->arena, text);
        if (kept->ptr == NULL) {
            return -ERR_NOMEM;
        }
        r = map_put(&loader->texts, *kept, kept);
        if (r < 0) {
            return -ERR_NOMEM;
        }
    }
    *ret_text = *kept;
    return 0;
}

/* ---- one field ---- */

static bool is_plain(struct str modifiers)
{
    struct str name;

    while (str_cut(&modifiers, '|', &name)) {
        if (str_is_text(name, "re")) {
            return true;
        }
    }
    return false;
}

/* Under `all` the writings that a modifier made of one value (windash, base64offset, expand) stay
 * alternatives. */
static int writings_join(struct sigma_loader *loader, const struct load_values *values,
                         struct sigma_node **atoms, size_t *ret_count)
{
    size_t made = 0;
    size_t from = 0;

    for (size_t i = 1; i <= values->count; i++) {
        if (i < values->count && values->items[i].origin == values->items[from].origin) {
            continue;
        }
        atoms[made] = load_join(loader, SIGMA_NODE_OR, atoms + from, i - from);
        if (atoms[made++] == NULL) {
            return -ERR_NOMEM;
        }
        from = i;
    }
    *ret_count = made;
    return 0;
}

static int values_join(struct sigma_loader *loader, const struct load_values *values,
                       struct str field, struct sigma_node **ret_node)
{
    size_t count = values->count;
    struct sigma_node **atoms =
        arena_alloc(loader->scratch, values->count + 1, sizeof(struct sigma_node *));
    struct sigma_node *node;

    if (atoms == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < values->count; i++) {
        int r = load_atom(loader, values, field, &values->items[i], &atoms[i]);

        if (r < 0) {
            return r;
        }
    }
    if (values->is_all && writings_join(loader, values, atoms, &count) < 0) {
        return -ERR_NOMEM;
    }
    node = load_join(loader, values->is_all ? SIGMA_NODE_AND : SIGMA_NODE_OR, atoms, count);
    if (node != NULL && values->is_not) {
        node = load_join(loader, SIGMA_NODE_NOT, &node, 1);
    }
    *ret_node = node;
    return node != NULL ? 0 : -ERR_NOMEM;
}

/* "field|modifier|modifier: values" */
static int item_read(struct sigma_loader *loader, const struct yaml_value *item, struct str key,
                     struct sigma_node **ret_node)
{
    struct yaml_value place = {.line = item->key_line != 0 ? item->key_line : item->line,
                               .column = item->key_line != 0 ? item->key_column : item->column};
    struct load_values values = {.at = &place};
    size_t bar = str_find_byte(key, '|');
    struct str modifiers = str_slice(key, bar + 1, key.len);
    struct str field;
    int r;

    if (bar > ENTRY_NAME_MAX) {
        return load_refuse_at(loader, &place, _("write a shorter name"),
                              _("the field's name is too long"));
    }
    r = load_intern(loader, str_slice(key, 0, bar), &field);
    if (r >= 0) {
        r = load_values_read(loader, item, is_plain(modifiers), &values);
    }
    if (r >= 0 && bar < key.len) {
        r = load_modify(loader, modifiers, &values);
    }
    return r < 0 ? r : values_join(loader, &values, field, ret_node);
}

int load_item(struct sigma_loader *loader, const struct yaml_value *item,
              struct sigma_node **ret_node)
{
    return item_read(loader, item, item->key, ret_node);
}

/* ---- one selection ---- */

static int empty_selection(struct sigma_loader *loader, const struct yaml_value *node)
{
    return load_refuse_at(loader, node, _("name a field and its values, or take it out"),
                          _("the selection is empty"));
}

/* A keyword, or a map or list of them. NOLINTNEXTLINE(misc-no-recursion): at most LISTS_MAX deep */
static int selection_read(struct sigma_loader *loader, const struct yaml_value *node, size_t lists,
                          struct sigma_node **ret_node)
{
    bool is_map = node->type == YAML_TYPE_MAPPING;
    struct sigma_node **children;
    size_t count = 0;

    if (!is_map && node->type != YAML_TYPE_SEQUENCE) {
        struct yaml_value keyword = *node;

        keyword.key_line = 0;
        return item_read(loader, &keyword, STR(""), ret_node);
    }
    if (node->count == 0) {
        return empty_selection(loader, node);
    }
    if (lists == 0) {
        return load_refuse_at(loader, node, _("make one list of them"),
                              _("lists are nested too deep"));
    }
    children = arena_alloc(loader->scratch, node->count, sizeof(struct sigma_node *));
    if (children == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *item = node->first; item != NULL; item = item->next) {
        int r = is_map ? load_item(loader, item, &children[count])
                       : selection_read(loader, item, lists - 1, &children[count]);

        if (r < 0) {
            return r;
        }
        count++;
    }
    *ret_node = load_join(loader, is_map ? SIGMA_NODE_AND : SIGMA_NODE_OR, children, count);
    return *ret_node != NULL ? 0 : -ERR_NOMEM;
}

static bool is_skipped(const char *const *skip, struct str key)
{
    while (*skip != NULL && !str_is_text(key, *skip)) {
        skip++;
    }
    return *skip != NULL;
}

/* A selection that is another's only child must not take that one's name. */
static int selection_name(struct sigma_loader *loader, struct load_selection *selection)
{
    selection->root->name = arena_copy(loader->arena, selection->name);
    return selection->root->name.ptr != NULL ? 0 : -ERR_NOMEM;
}

int load_selections(struct sigma_loader *loader, const struct yaml_value *detection,
                    const char *const *skip, struct load_selection **ret_selections,
                    size_t *ret_count)
{
    struct load_selection *selections =
        arena_alloc(loader->scratch, detection->count + 1, sizeof(*selections));
    size_t count = 0;

    if (selections == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *node = detection->first; node != NULL; node = node->next) {
        struct load_selection *selection = &selections[count];
        int r;

        if (is_skipped(skip, node->key)) {
            continue;
        }
        selection->name = node->key;
        r = selection_read(loader, node, LISTS_MAX, &selection->root);
        if (r >= 0) {
            r = selection_name(loader, selection);
        }
        if (r < 0) {
            return r;
        }
        count++;
    }
    *ret_selections = selections;
    *ret_count = count;
    return 0;
}
