/* Applying pipelines to a rule: see detect/sigma/pipeline.h. Each transformation is asked of each
 * way as the ones before it left it. */
#include "detect/sigma/pipeline.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "detect/sigma/pipeline_part.h"

#include <string.h>

#define PIPELINE_MEMORY (16u << 20)

struct way {
    struct logsource source;
    struct sigma_node *root;
};

/* One rule on its way through. */
struct passage {
    const struct sigma_rule *rule;
    struct arena *arena;
    struct diag *diag;
    struct way ways[SIGMA_WAYS_MAX];
    size_t count;
};

int sigma_pipelines_new(struct sigma_pipelines **ret_pipelines)
{
    struct sigma_pipelines *pipelines = mem_alloc(1, sizeof(*pipelines));
    int r;

    if (pipelines == NULL) {
        return -ERR_NOMEM;
    }
    r = arena_new(PIPELINE_MEMORY, &pipelines->arena);
    if (r < 0) {
        mem_free(pipelines);
        return r;
    }
    *ret_pipelines = pipelines;
    return 0;
}

void sigma_pipelines_free(struct sigma_pipelines *pipelines)
{
    if (pipelines == NULL) {
        return;
    }
    for (struct pipeline_regex *regex = pipelines->regexes; regex != NULL; regex = regex->next) {
        pcre2_code_free(regex->code);
    }
    arena_free(pipelines->arena);
    mem_free(pipelines);
}

void sigma_pipelines_freep(struct sigma_pipelines **pipelines)
{
    sigma_pipelines_free(*pipelines);
    *pipelines = NULL;
}

void pipeline_insert(struct sigma_pipelines *pipelines, struct pipeline *pipeline)
{
    struct pipeline **at = &pipelines->first;

    while (*at != NULL && (*at)->priority <= pipeline->priority) {
        at = &(*at)->next;
    }
    pipeline->next = *at;
    *at = pipeline;
}

int sigma_pipelines_add(struct sigma_pipelines *pipelines, struct str file, struct str text,
                        struct diag *diag)
{
    struct pipeline *pipeline;
    int r = pipeline_read(pipelines, file, text, diag, &pipeline);

    if (r == 0) {
        pipeline_insert(pipelines, pipeline);
    }
    return r;
}

size_t sigma_pipelines_values(const struct sigma_pipelines *pipelines, struct str name,
                              const struct str **ret_values)
{
    for (const struct pipeline *line = pipelines->first; line != NULL; line = line->next) {
        for (size_t i = 0; i < line->variable_count; i++) {
            if (str_is(line->variables[i].name, name)) {
                *ret_values = line->variables[i].values;
                return line->variables[i].count;
            }
        }
    }
    return 0;
}

/* Stops a rewriting at the atom that was looked for. */
static int is_of_field(void *context, struct sigma_node *node, struct sigma_node **ret_node)
{
    const struct str *field = context;

    *ret_node = node;
    return str_is(node->atom->field, *field) ? -ERR_EXIST : 0;
}

static bool is_part(struct str asked, struct str source)
{
    return asked.len == 0 || str_is(asked, source);
}

static bool has_tag(const struct sigma_rule *rule, struct str tag)
{
    for (size_t i = 0; i < rule->tag_count; i++) {
        if (str_is_nocase(rule->tags[i], tag)) {
            return true;
        }
    }
    return false;
}

static bool is_so(const struct passage *passage, const struct way *way,
                  const struct pipeline_question *question)
{
    struct sigma_node *root;
    struct str text = question->text;

    switch (question->kind) {
    case PIPELINE_ASK_LOGSOURCE:
        return is_part(question->source.product, way->source.product) &&
               is_part(question->source.category, way->source.category) &&
               is_part(question->source.service, way->source.service);
    case PIPELINE_ASK_ID:
        return str_is_nocase(passage->rule->id, text);
    case PIPELINE_ASK_TITLE:
        return str_is(passage->rule->title, text);
    case PIPELINE_ASK_TAG:
        return has_tag(passage->rule, text);
    case PIPELINE_ASK_FIELD:
    default:
        return pipeline_rewrite(way->root, passage->arena, is_of_field, &text, &root) == -ERR_EXIST;
    }
}

static bool fits(const struct passage *passage, const struct way *way,
                 const struct pipeline_questions *questions)
{
    bool so = !questions->is_any || questions->count == 0;

    for (size_t i = 0; i < questions->count && so != questions->is_any; i++) {
        so = is_so(passage, way, &questions->items[i]);
    }
    return so != questions->is_not;
}

static bool has_name(const struct pipeline_names *names, struct str field)
{
    for (size_t i = 0; i < names->count; i++) {
        if (str_is(names->items[i], field)) {
            return true;
        }
    }
    return false;
}

bool pipeline_wants_field(const struct pipeline_item *item, struct str field)
{
    const struct pipeline_fields *fields = &item->fields;
    bool so = !fields->is_any || fields->count == 0;

    for (size_t i = 0; i < fields->count && so != fields->is_any; i++) {
        so = has_name(&fields->items[i], field) != fields->items[i].is_exclude;
    }
    return so != fields->is_not;
}

/* Conditions before the rule's own: entries are told apart by them. */
static int add_condition(struct arena *arena, struct way *way, const struct pipeline_item *item)
{
    struct sigma_node *const children[] = {item->root, way->root};
    struct sigma_node *root = pipeline_node(arena, SIGMA_NODE_AND, children, 2);

    if (root == NULL) {
        return -ERR_NOMEM;
    }
    way->root = root;
    return 0;
}

static int transform(struct passage *passage, struct way *way, const struct pipeline_item *item)
{
    struct pipeline_change change = {.item = item, .arena = passage->arena};
    struct sigma_node *root;
    int r;

    if (item->kind == PIPELINE_LOGSOURCE) {
        way->source = item->source;
        return 0;
    }
    if (item->kind == PIPELINE_ADD_CONDITION) {
        return add_condition(passage->arena, way, item);
    }
    if (item->kind == PIPELINE_FAILURE) {
        return diag_set(passage->diag, -ERR_DENIED, "%.*s", STR_ARG(item->text));
    }
    r = pipeline_rewrite(way->root, passage->arena, pipeline_change_atom, &change, &root);
    if (r < 0) {
        return r;
    }
    if (root == NULL) {
        return diag_set(passage->diag, -ERR_DENIED,
                        _("a pipeline drops all that the rule asks for"));
    }
    way->root = root;
    return 0;
}

static int transform_list(struct passage *passage, struct way *way,
                          const struct pipeline_list *list)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < list->count; i++) {
        if (fits(passage, way, &list->items[i].questions)) {
            r = transform(passage, way, &list->items[i]);
        }
    }
    return r;
}

/* A way becomes one for each of the lists: the first takes its place, the others stand behind. */
static int fork_way(struct passage *passage, size_t place, const struct pipeline_item *item)
{
    struct way way = passage->ways[place];
    int r = 0;

    if (item->list_count - 1 > SIGMA_WAYS_MAX - passage->count) {
        return -ERR_LIMIT;
    }
    for (size_t i = 0; r == 0 && i < item->list_count; i++) {
        struct way *fork = &passage->ways[i == 0 ? place : passage->count++];

        *fork = way;
        r = transform_list(passage, fork, &item->lists[i]);
    }
    return r;
}

static int pass_item(struct passage *passage, const struct pipeline_item *item)
{
    size_t count = passage->count;
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        if (!fits(passage, &passage->ways[i], &item->questions)) {
            continue;
        }
        r = item->list_count > 0 ? fork_way(passage, i, item)
                                 : transform(passage, &passage->ways[i], item);
    }
    return r;
}

static int passage_begin(struct passage *passage)
{
    const struct sigma_rule *rule = passage->rule;

    if (rule->way_count > SIGMA_WAYS_MAX) {
        return -ERR_LIMIT;
    }
    for (; passage->count < rule->way_count; passage->count++) {
        struct sigma_node *root = arena_alloc(passage->arena, 1, sizeof(*root));

        if (root == NULL) {
            return -ERR_NOMEM;
        }
        *root = *rule->ways[passage->count].root;
        passage->ways[passage->count] = (struct way){rule->ways[passage->count].source, root};
    }
    return 0;
}

int sigma_pipelines_ways(const struct sigma_pipelines *pipelines, const struct sigma_rule *rule,
                         struct arena *arena, const struct sigma_way **ret_ways, size_t *ret_count,
                         struct diag *diag)
{
    struct passage passage = {.rule = rule, .arena = arena, .diag = diag};
    struct sigma_way *ways;
    int r = passage_begin(&passage);

    for (const struct pipeline *line = pipelines->first; r == 0 && line != NULL;
         line = line->next) {
        for (size_t i = 0; r == 0 && i < line->list.count; i++) {
            r = pass_item(&passage, &line->list.items[i]);
        }
    }
    if (r < 0) {
        return r;
    }
    ways = arena_alloc(arena, passage.count + 1, sizeof(*ways));
    if (ways == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < passage.count; i++) {
        ways[i] = (struct sigma_way){passage.ways[i].source, passage.ways[i].root};
    }
    *ret_ways = ways;
    *ret_count = passage.count;
    return 0;
}
