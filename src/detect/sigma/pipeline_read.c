/* A pipeline's YAML as transformations: see detect/sigma/pipeline.h. What is not understood is
 * refused, since a rule whose pipeline was half applied would be silent without saying so. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/yaml.h"
#include "detect/sigma/pipeline_part.h"

#include <string.h>

#define YAML_MEMORY (16u << 20)

static int read_question(struct pipeline_reading *reading, const struct yaml_value *node,
                         struct pipeline_question *question)
{
    struct str type = {NULL, 0};
    struct str attribute = {NULL, 0};
    int r = pipeline_read_text(reading, node, "type", &type);

    if (r < 0) {
        return r;
    }
    if (str_is_text(type, "logsource")) {
        question->kind = PIPELINE_ASK_LOGSOURCE;
        return pipeline_read_source(reading, node, &question->source);
    }
    if (str_is_text(type, "tag")) {
        question->kind = PIPELINE_ASK_TAG;
        return pipeline_read_text(reading, node, "tag", &question->text);
    }
    if (str_is_text(type, "contains_field")) {
        question->kind = PIPELINE_ASK_FIELD;
        return pipeline_read_text(reading, node, "field", &question->text);
    }
    r = pipeline_read_text(reading, node, "attribute", &attribute);
    if (r == 0 && (!str_is_text(type, "rule_attribute") ||
                   (!str_is_text(attribute, "id") && !str_is_text(attribute, "title")))) {
        return pipeline_refuse(
            reading, node,
            _("is no condition that is known: logsource, tag, contains_field, or "
              "rule_attribute of id or title"));
    }
    question->kind = str_is_text(attribute, "id") ? PIPELINE_ASK_ID : PIPELINE_ASK_TITLE;
    return r < 0 ? r : pipeline_read_text(reading, node, "value", &question->text);
}

static bool is_or(const struct yaml_value *node, const char *key)
{
    const struct yaml_value *value = yaml_member(node, key);

    return value != NULL && str_is_text(value->text, "or");
}

static bool is_set(const struct yaml_value *node, const char *key)
{
    const struct yaml_value *value = yaml_member(node, key);

    return value != NULL && value->type == YAML_TYPE_BOOL && value->boolean;
}

static int read_questions(struct pipeline_reading *reading, const struct yaml_value *node,
                          struct pipeline_item *item)
{
    const struct yaml_value *list = yaml_member(node, "rule_conditions");
    struct pipeline_question *questions;
    size_t count = 0;
    int r = 0;

    item->questions.is_any = is_or(node, "rule_cond_op");
    item->questions.is_not = is_set(node, "rule_cond_not");
    if (list == NULL) {
        return 0;
    }
    if (list->type != YAML_TYPE_SEQUENCE) {
        return pipeline_refuse(reading, list, _("rule_conditions are a list"));
    }
    questions = arena_alloc(reading->arena, list->count + 1, sizeof(*questions));
    if (questions == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *value = list->first; r == 0 && value != NULL;
         value = value->next) {
        r = read_question(reading, value, &questions[count++]);
    }
    item->questions.items = questions;
    item->questions.count = count;
    return r;
}

static int read_names(struct pipeline_reading *reading, const struct yaml_value *node,
                      struct pipeline_names *names)
{
    const struct yaml_value *fields = yaml_member(node, "fields");
    const struct yaml_value *mode = yaml_member(node, "mode");
    struct str type = {NULL, 0};
    int r = pipeline_read_text(reading, node, "type", &type);

    names->is_exclude = str_is_text(type, "exclude_fields");
    if (r == 0 && (fields == NULL || (mode != NULL && !str_is_text(mode->text, "plain")) ||
                   (!names->is_exclude && !str_is_text(type, "include_fields")))) {
        return pipeline_refuse(
            reading, node,
            _("is no condition that is known: include_fields or exclude_fields with "
              "plain names"));
    }
    return r < 0 ? r : pipeline_read_texts(reading, fields, &names->items, &names->count);
}

static int read_fields(struct pipeline_reading *reading, const struct yaml_value *node,
                       struct pipeline_item *item)
{
    const struct yaml_value *list = yaml_member(node, "field_name_conditions");
    struct pipeline_names *names;
    size_t count = 0;
    int r = 0;

    item->fields.is_any = is_or(node, "field_name_cond_op");
    item->fields.is_not = is_set(node, "field_name_cond_not");
    if (list == NULL) {
        return 0;
    }
    if (list->type != YAML_TYPE_SEQUENCE) {
        return pipeline_refuse(reading, list, _("field_name_conditions are a list"));
    }
    names = arena_alloc(reading->arena, list->count + 1, sizeof(*names));
    if (names == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *value = list->first; r == 0 && value != NULL;
         value = value->next) {
        r = read_names(reading, value, &names[count++]);
    }
    item->fields.items = names;
    item->fields.count = count;
    return r;
}

/* Conditions that this program does not know would make a transformation hold for too much. */
static int refuse_unknown(struct pipeline_reading *reading, const struct yaml_value *node)
{
    static const char *const unknown[] = {"detection_item_conditions", "rule_cond_expression",
                                          "detection_item_cond_expression",
                                          "field_name_cond_expression"};

    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        const struct yaml_value *value = yaml_member(node, unknown[i]);

        if (value != NULL && value->count > 0) {
            return pipeline_refuse(
                reading, value,
                _("is not known here: use rule_conditions and field_name_conditions"));
        }
    }
    return 0;
}

/* Type and conditions of a transformation; its settings are left to its kind. */
static int read_frame(struct pipeline_reading *reading, const struct yaml_value *node,
                      struct pipeline_item *item)
{
    const struct yaml_value *type = yaml_member(node, "type");
    int r = refuse_unknown(reading, node);

    if (++reading->pipelines->item_count > SIGMA_PIPELINE_ITEMS) {
        return diag_set(reading->diag, -ERR_LIMIT, _("%.*s:%u: too many transformations"),
                        STR_ARG(reading->file), node->line);
    }
    item->kind = PIPELINE_COUNT;
    for (size_t i = 0; type != NULL && i < PIPELINE_COUNT; i++) {
        if (str_is_text(type->text, pipeline_kind_name((enum pipeline_kind)i))) {
            item->kind = (enum pipeline_kind)i;
        }
    }
    if (r == 0 && item->kind == PIPELINE_COUNT) {
        r = pipeline_refuse(reading, type != NULL ? type : node,
                            _("is no transformation that is known: mend its type, or take it out"));
    }
    if (r == 0) {
        r = read_questions(reading, node, item);
    }
    return r < 0 ? r : read_fields(reading, node, item);
}

/* A list within nest or ways, which may not hold such themselves. */
static int read_inner(struct pipeline_reading *reading, const struct yaml_value *node,
                      struct pipeline_list *list)
{
    struct pipeline_item *items;
    int r = 0;

    if (node == NULL || node->type != YAML_TYPE_SEQUENCE) {
        return pipeline_refuse(reading, node, _("has to be a list of transformations"));
    }
    items = arena_alloc(reading->arena, node->count + 1, sizeof(*items));
    if (items == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *value = node->first; r == 0 && value != NULL;
         value = value->next) {
        struct pipeline_item *item = &items[list->count++];

        r = read_frame(reading, value, item);
        if (r == 0 && (item->kind == PIPELINE_NEST || item->kind == PIPELINE_WAYS)) {
            r = pipeline_refuse(reading, value, _("stands within another: write it beside that"));
        }
        if (r == 0) {
            r = pipeline_read_settings(reading, value, item);
        }
    }
    list->items = items;
    return r;
}

static int read_nest(struct pipeline_reading *reading, const struct yaml_value *node,
                     struct pipeline_item *item)
{
    struct pipeline_list *list = arena_alloc(reading->arena, 1, sizeof(*list));

    if (list == NULL) {
        return -ERR_NOMEM;
    }
    item->lists = list;
    item->list_count = 1;
    return read_inner(reading, yaml_member(node, "items"), list);
}

static int read_ways(struct pipeline_reading *reading, const struct yaml_value *node,
                     struct pipeline_item *item)
{
    const struct yaml_value *ways = yaml_member(node, "ways");
    struct pipeline_list *lists;
    int r = 0;

    if (ways == NULL || ways->type != YAML_TYPE_SEQUENCE || ways->count == 0 ||
        ways->count > SIGMA_WAYS_MAX) {
        return pipeline_refuse(reading, node,
                               _("lacks its ways: lists of transformations, 1 to 16"));
    }
    lists = arena_alloc(reading->arena, ways->count, sizeof(*lists));
    if (lists == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *value = ways->first; r == 0 && value != NULL;
         value = value->next) {
        r = read_inner(reading, value, &lists[item->list_count++]);
    }
    item->lists = lists;
    return r;
}

static int read_outer(struct pipeline_reading *reading, const struct yaml_value *node,
                      struct pipeline_item *item)
{
    int r = read_frame(reading, node, item);

    if (r < 0) {
        return r;
    }
    if (item->kind == PIPELINE_NEST) {
        return read_nest(reading, node, item);
    }
    return item->kind == PIPELINE_WAYS ? read_ways(reading, node, item)
                                       : pipeline_read_settings(reading, node, item);
}

static int read_list(struct pipeline_reading *reading, const struct yaml_value *node,
                     struct pipeline_list *list)
{
    struct pipeline_item *items;
    int r = 0;

    if (node == NULL || node->type != YAML_TYPE_SEQUENCE) {
        return pipeline_refuse(reading, node, _("lacks its transformations"));
    }
    items = arena_alloc(reading->arena, node->count + 1, sizeof(*items));
    if (items == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *value = node->first; r == 0 && value != NULL;
         value = value->next) {
        r = read_outer(reading, value, &items[list->count++]);
    }
    list->items = items;
    return r;
}

static int read_variables(struct pipeline_reading *reading, const struct yaml_value *map,
                          struct pipeline *pipeline)
{
    struct pipeline_variable *variables;
    struct pipeline_pair *pairs;
    size_t count;
    int r;

    if (map == NULL || map->type == YAML_TYPE_NULL) {
        return 0;
    }
    r = pipeline_read_pairs(reading, map, &pairs, &count);
    variables = r < 0 ? NULL : arena_alloc(reading->arena, count + 1, sizeof(*variables));
    if (variables == NULL) {
        return r < 0 ? r : -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        variables[i] = (struct pipeline_variable){pairs[i].from, pairs[i].to, pairs[i].to_count};
    }
    pipeline->variables = variables;
    pipeline->variable_count = count;
    return 0;
}

static int read_pipeline(struct pipeline_reading *reading, const struct yaml_value *document,
                         struct pipeline **ret_pipeline)
{
    struct pipeline *pipeline = arena_alloc(reading->arena, 1, sizeof(*pipeline));
    const struct yaml_value *priority = yaml_member(document, "priority");
    int r;

    if (pipeline == NULL) {
        return -ERR_NOMEM;
    }
    if (document->type != YAML_TYPE_MAPPING) {
        return pipeline_refuse(reading, document,
                               _("is no pipeline: it has to have transformations"));
    }
    pipeline->priority =
        priority != NULL && priority->type == YAML_TYPE_INT ? priority->integer : 0;
    r = read_variables(reading, yaml_member(document, "vars"), pipeline);
    if (r == 0) {
        r = read_list(reading, yaml_member(document, "transformations"), &pipeline->list);
    }
    *ret_pipeline = pipeline;
    return r;
}

int pipeline_read(struct sigma_pipelines *pipelines, struct str file, struct str text,
                  struct diag *diag, struct pipeline **ret_pipeline)
{
    struct pipeline_reading reading = {
        .pipelines = pipelines, .arena = pipelines->arena, .file = file, .diag = diag};
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct yaml_value *document = NULL;
    struct yaml_reader yaml;
    struct diag inner = {{0}};
    size_t items = pipelines->item_count;
    int r = arena_new(YAML_MEMORY, &arena);

    if (r < 0) {
        return r;
    }
    if (text.len > SIGMA_PIPELINE_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("%.*s: the file is too large"), STR_ARG(file));
    }
    yaml_open(&yaml, text);
    r = yaml_next(&yaml, arena, &document, &inner);
    if (r == -ERR_NOMEM) {
        return r;
    }
    if (r <= 0) {
        return diag_set(diag, -ERR_SYNTAX, "%.*s:%u: %s", STR_ARG(file), yaml.fault_line,
                        r == 0 ? _("holds no pipeline") : diag_text(&inner, r));
    }
    r = read_pipeline(&reading, document, ret_pipeline);
    if (r < 0) {
        pipelines->item_count = items;
    }
    return r;
}
