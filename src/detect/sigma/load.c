/* Files into documents, documents into what they are: see detect/sigma/load.h and load_part.h. */
#include "detect/sigma/load.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

#include <string.h>

#define SET_MAX        (1UL << 30)               /* bytes of a set */
#define SET_FULL       (SET_MAX - (256UL << 20)) /* no document is taken past it */
#define RULE_MAX       (64UL << 20)              /* bytes that a document may become */
#define SCRATCH_MAX    (512UL << 20)
#define SCRATCH_FULL   (128UL << 20)
#define COLLECTION_MAX (64UL << 20) /* bytes that documents which build on each other may take */
#define TEXTS_MAX      1000000
#define LIST_FIRST     64

bool load_is_full(const struct sigma_loader *loader)
{
    return arena_used(loader->scratch) > SCRATCH_FULL ||
           arena_used(loader->arena) - loader->before > RULE_MAX;
}

void *load_list_add(struct load_list *list, size_t size)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? LIST_FIRST : list->room * 2;
        char *items = mem_resize(list->items, room, size);

        if (items == NULL) {
            return NULL;
        }
        list->items = items;
        list->room = room;
    }
    memset(list->items + list->count * size, 0, size);
    return list->items + list->count++ * size;
}

void load_list_done(struct load_list *list)
{
    mem_free(list->items);
    *list = (struct load_list){0};
}

void sigma_loader_free(struct sigma_loader *loader)
{
    if (loader == NULL) {
        return;
    }
    load_list_done(&loader->candidates);
    load_list_done(&loader->correlations);
    load_list_done(&loader->filters);
    load_list_done(&loader->refusals);
    load_list_done(&loader->targets);
    sigma_pipelines_free(loader->pipelines);
    map_done(&loader->by_key);
    map_done(&loader->texts);
    arena_free(loader->arena);
    arena_free(loader->scratch);
    mem_free(loader);
}

void sigma_loader_freep(struct sigma_loader **loader)
{
    sigma_loader_free(*loader);
    *loader = NULL;
}

int sigma_loader_new(bool is_bare, struct sigma_loader **ret_loader)
{
    CLEANUP(sigma_loader_freep) struct sigma_loader *loader = mem_alloc(1, sizeof(*loader));

    if (loader == NULL || sigma_pipelines_new(&loader->pipelines) < 0 ||
        arena_new(SET_MAX, &loader->arena) < 0 || arena_new(SCRATCH_MAX, &loader->scratch) < 0) {
        return -ERR_NOMEM;
    }
    if (!is_bare) {
        int r = sigma_pipelines_add_own(loader->pipelines);

        if (r < 0) {
            return r;
        }
    }
    map_init(&loader->by_key, 4 * SIGMA_RULES_MAX, (uint64_t)(uintptr_t)loader);
    map_init(&loader->texts, TEXTS_MAX, (uint64_t)(uintptr_t)loader);
    *ret_loader = TAKE_PTR(loader);
    return 0;
}

/* ---- collections: `action: global`, `reset`, `repeat` ---- */

static struct yaml_value *member_copy(struct arena *arena, const struct yaml_value *member)
{
    struct yaml_value *copy = arena_alloc(arena, 1, sizeof(*copy));

    if (copy != NULL) {
        *copy = *member;
        copy->next = NULL;
    }
    return copy;
}

/* `over` laid over `under`, mappings member by member; both stay as they are.
 * NOLINTNEXTLINE(misc-no-recursion): no deeper than YAML_DEPTH_MAX */
static struct yaml_value *document_merge(struct arena *arena, const struct yaml_value *under,
                                         const struct yaml_value *over)
{
    struct yaml_value *merged = member_copy(arena, over);
    struct yaml_value **end;

    if (merged == NULL || under == NULL || under->type != YAML_TYPE_MAPPING ||
        over->type != YAML_TYPE_MAPPING) {
        return merged;
    }
    merged->first = NULL;
    merged->count = 0;
    end = &merged->first;
    for (int pass = 0; pass < 2; pass++) {
        const struct yaml_value *from = pass == 0 ? under->first : over->first;

        for (; from != NULL; from = from->next) {
            char key[256];
            const struct yaml_value *other = NULL;
            struct yaml_value *copy;

            if (from->key.len < sizeof(key)) {
                memcpy(key, from->key.ptr, from->key.len);
                key[from->key.len] = '\0';
                other = yaml_member(pass == 0 ? over : under, key);
            }
            if (pass == 1 && other != NULL) {
                continue;
            }
            copy = other != NULL ? document_merge(arena, from, other) : member_copy(arena, from);
            if (copy == NULL) {
                return NULL;
            }
            *end = copy;
            end = &copy->next;
            merged->count++;
        }
    }
    return merged;
}

static int document_take(struct sigma_loader *loader, const struct yaml_value *document)
{
    struct str title = STR("");

    if (yaml_is_text(yaml_member(document, "title"))) {
        title = yaml_member(document, "title")->text;
    }
    loader->title = str_slice(str_trim(title), 0, 256);
    if (yaml_member(document, "correlation") != NULL) {
        return load_correlation(loader, document);
    }
    if (yaml_member(document, "filter") != NULL) {
        return load_filter(loader, document);
    }
    return load_rule(loader, document);
}

static int action_take(struct sigma_loader *loader, const struct yaml_value *document,
                       const struct yaml_value *action)
{
    if (str_is_text(action->text, "reset")) {
        loader->base = NULL;
        return 0;
    }
    if (str_is_text(action->text, "global")) {
        loader->base = document_merge(loader->scratch, loader->base, document);
        return loader->base != NULL ? 0 : -ERR_NOMEM;
    }
    if (str_is_text(action->text, "repeat") && loader->last != NULL) {
        loader->last = document_merge(loader->scratch, loader->last, document);
        return loader->last != NULL ? document_take(loader, loader->last) : -ERR_NOMEM;
    }
    return load_refuse_at(loader, action, _("actions are “global”, “repeat” and “reset”"),
                          _("the action “%.*s” cannot be taken here"),
                          STR_ARG(str_slice(action->text, 0, 100)));
}

static int document_add(struct sigma_loader *loader, const struct yaml_value *document)
{
    const struct yaml_value *action = yaml_member(document, "action");

    if (document->type != YAML_TYPE_MAPPING) {
        return load_refuse_at(loader, document, _("write “title:”, “logsource:” and “detection:”"),
                              _("this is no Sigma document"));
    }
    loader->before = arena_used(loader->arena);
    if (loader->before > SET_FULL) {
        return load_refuse_at(loader, document, _("load fewer rules"),
                              _("all rules together are too large"));
    }
    if (arena_used(loader->scratch) > COLLECTION_MAX) {
        return load_refuse_at(loader, document, _("split the file"),
                              _("the documents of this file are too large together"));
    }
    if (yaml_is_text(action)) {
        return action_take(loader, document, action);
    }
    loader->last = document_merge(loader->scratch, loader->base, document);
    return loader->last != NULL ? document_take(loader, loader->last) : -ERR_NOMEM;
}

/* ---- files ---- */

/* Whether documents of the text build on each other; most do not, and their memory is taken back
 * after each. */
static bool is_collection(struct str text)
{
    return str_find(text, STR("action:")) != text.len;
}

static const char *yaml_remedy(int error)
{
    switch (error) {
    case -ERR_DUPLICATE:
        return _("take one of the two out");
    case -ERR_SYNTAX:
        return _("save it as UTF-8, indent with spaces, and put values with signs such as : # * % "
                 "between single quotation marks");
    default:
        return _("split the document");
    }
}

static int documents_add(struct sigma_loader *loader, struct str text)
{
    bool is_building = is_collection(text);
    struct yaml_reader reader;
    int r = 1;

    loader->base = NULL;
    loader->last = NULL;
    yaml_open(&reader, text);
    while (r > 0) {
        struct yaml_value *document = NULL;
        struct diag diag = {{0}};

        if (!is_building) {
            arena_reset(loader->scratch);
        }
        loader->title = STR("");
        r = yaml_next(&reader, loader->scratch, &document, &diag);
        if (r > 0) {
            r = document_add(loader, document);
        } else if (r < 0 && r != -ERR_NOMEM) {
            r = load_refuse(loader, reader.fault_line, reader.fault_column, str_from(diag.text),
                            str_from(yaml_remedy(r)));
        } else {
            continue;
        }
        if (loader->candidates.count + loader->correlations.count > SIGMA_RULES_MAX) {
            return -ERR_LIMIT;
        }
        r = r == -ERR_SYNTAX || r == 0 ? 1 : r;
    }
    return r;
}

int sigma_loader_add(struct sigma_loader *loader, struct str file, struct str text)
{
    int r;

    loader->file = arena_copy(loader->arena, file);
    loader->title = STR("");
    if (loader->file.ptr == NULL) {
        return -ERR_NOMEM;
    }
    loader->version = map_hash(text, loader->version + text.len + 1);
    if (text.len > SIGMA_FILE_MAX) {
        r = load_refuse(loader, 1, 1, str_from(_("the file is too large")),
                        str_from(_("split the file")));
    } else {
        r = documents_add(loader, text);
    }
    arena_reset(loader->scratch);
    loader->base = NULL;
    loader->last = NULL;
    return r == -ERR_SYNTAX ? 0 : r;
}

int sigma_loader_add_pipeline(struct sigma_loader *loader, struct str file, struct str text,
                              struct diag *diag)
{
    int r = sigma_pipelines_add(loader->pipelines, file, text, diag);

    if (r >= 0) {
        loader->version = map_hash(text, loader->version + text.len + 1);
    }
    return r;
}

void sigma_loader_count_filters(struct sigma_loader *loader)
{
    loader->is_counting = true;
}

int sigma_loader_finish(struct sigma_loader *loader, const struct sigma_set **ret_set)
{
    struct sigma_set *set = &loader->set;
    struct sigma_rule *rules = NULL;
    int r = load_filters_apply(loader);

    if (r >= 0) {
        r = load_ways(loader, &rules);
    }
    if (r >= 0) {
        r = load_correlations_resolve(loader, rules);
    }
    if (r < 0) {
        return r;
    }
    set->refusals = (const struct sigma_refusal *)(const void *)loader->refusals.items;
    set->refusal_count = loader->refusals.count;
    set->version = loader->version;
    *ret_set = set;
    return 0;
}
