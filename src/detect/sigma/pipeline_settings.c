/* The settings that each kind of transformation has: see detect/sigma/pipeline_read.c, which reads
 * all else of a pipeline. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/yaml.h"
#include "detect/sigma/pipeline_part.h"

#include <string.h>

int pipeline_refuse(struct pipeline_reading *reading, const struct yaml_value *at,
                    const char *reason)
{
    return diag_set(reading->diag, -ERR_SYNTAX, "%.*s:%u: %s", STR_ARG(reading->file),
                    at != NULL ? at->line : 1, reason);
}

static int copy(struct pipeline_reading *reading, struct str text, struct str *ret_text)
{
    struct str kept = arena_copy(reading->arena, text);

    if (kept.ptr == NULL) {
        return -ERR_NOMEM;
    }
    *ret_text = kept;
    return 0;
}

/* A scalar's text; nothing when the member is not there. */
int pipeline_read_text(struct pipeline_reading *reading, const struct yaml_value *parent,
                       const char *key, struct str *ret_text)
{
    const struct yaml_value *value = yaml_member(parent, key);

    if (value == NULL || value->type == YAML_TYPE_NULL) {
        return 0;
    }
    return yaml_is_text(value) ? copy(reading, value->text, ret_text)
                               : pipeline_refuse(reading, value, _("has to be a text"));
}

/* One text, or a list of them. */
int pipeline_read_texts(struct pipeline_reading *reading, const struct yaml_value *value,
                        const struct str **ret_texts, size_t *ret_count)
{
    bool is_list = value != NULL && value->type == YAML_TYPE_SEQUENCE;
    size_t count = is_list ? value->count : 1;
    struct str *texts = arena_alloc(reading->arena, count + 1, sizeof(*texts));
    const struct yaml_value *item = is_list ? value->first : value;
    int r = 0;

    if (texts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; r == 0 && i < count; i++, item = item->next) {
        r = yaml_is_text(item)
                ? copy(reading, item->text, &texts[i])
                : pipeline_refuse(reading, item, _("has to be a text or a list of texts"));
    }
    *ret_texts = texts;
    *ret_count = count;
    return r;
}

int pipeline_read_pairs(struct pipeline_reading *reading, const struct yaml_value *map,
                        struct pipeline_pair **ret_pairs, size_t *ret_count)
{
    struct pipeline_pair *pairs;
    size_t count = 0;
    int r = 0;

    if (map->type != YAML_TYPE_MAPPING) {
        return pipeline_refuse(reading, map, _("has to map texts to texts"));
    }
    pairs = arena_alloc(reading->arena, map->count + 1, sizeof(*pairs));
    if (pairs == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *member = map->first; r == 0 && member != NULL;
         member = member->next, count++) {
        r = copy(reading, member->key, &pairs[count].from);
        if (r == 0) {
            r = pipeline_read_texts(reading, member, &pairs[count].to, &pairs[count].to_count);
        }
    }
    *ret_pairs = pairs;
    *ret_count = count;
    return r;
}

static int read_nothing(struct pipeline_reading *reading, const struct yaml_value *node,
                        struct pipeline_item *item)
{
    (void)reading;
    (void)node;
    (void)item;
    return 0;
}

static int read_mapping(struct pipeline_reading *reading, const struct yaml_value *node,
                        struct pipeline_item *item)
{
    const struct yaml_value *map = yaml_member(node, "mapping");
    struct pipeline_pair *pairs = NULL;
    int r;

    if (map == NULL) {
        return pipeline_refuse(reading, node, _("lacks its mapping"));
    }
    r = pipeline_read_pairs(reading, map, &pairs, &item->pair_count);
    if (r == 0) {
        item->pairs = pairs;
    }
    return r;
}

static int read_word(struct pipeline_reading *reading, const struct yaml_value *node,
                     const char *key, struct pipeline_item *item)
{
    int r = pipeline_read_text(reading, node, key, &item->text);

    return r == 0 && item->text.ptr == NULL ? pipeline_refuse(reading, node, _("lacks its text"))
                                            : r;
}

static int read_prefix(struct pipeline_reading *reading, const struct yaml_value *node,
                       struct pipeline_item *item)
{
    return read_word(reading, node, "prefix", item);
}

static int read_suffix(struct pipeline_reading *reading, const struct yaml_value *node,
                       struct pipeline_item *item)
{
    return read_word(reading, node, "suffix", item);
}

static int read_message(struct pipeline_reading *reading, const struct yaml_value *node,
                        struct pipeline_item *item)
{
    return read_word(reading, node, "message", item);
}

int pipeline_read_source(struct pipeline_reading *reading, const struct yaml_value *node,
                         struct logsource *source)
{
    int r = pipeline_read_text(reading, node, "product", &source->product);

    if (r == 0) {
        r = pipeline_read_text(reading, node, "category", &source->category);
    }
    return r < 0 ? r : pipeline_read_text(reading, node, "service", &source->service);
}

static int read_logsource(struct pipeline_reading *reading, const struct yaml_value *node,
                          struct pipeline_item *item)
{
    return pipeline_read_source(reading, node, &item->source);
}

/* What one value of a condition asks. */
static int read_atom(struct pipeline_reading *reading, const struct yaml_value *value,
                     struct str field, struct sigma_node **ret_node)
{
    struct sigma_atom atom = {.field = field};
    struct str text;
    int r = 0;

    if (value->type == YAML_TYPE_INT || value->type == YAML_TYPE_FLOAT) {
        atom.match = SIGMA_MATCH_NUMBER;
        atom.number = value->number;
        r = copy(reading, value->text, &atom.text);
    } else if (value->type == YAML_TYPE_NULL) {
        atom.match = SIGMA_MATCH_NULL;
    } else if (yaml_is_text(value)) {
        r = copy(reading, value->text, &text);
        if (r == 0) {
            r = pipeline_pattern(reading->arena, text, &atom);
        }
    } else {
        return pipeline_refuse(reading, value,
                               _("a condition's values are texts, numbers, or lists of such"));
    }
    *ret_node = r < 0 ? NULL : pipeline_leaf(reading->arena, &atom);
    return r == 0 && *ret_node == NULL ? -ERR_NOMEM : r;
}

static int read_condition(struct pipeline_reading *reading, const struct yaml_value *member,
                          struct sigma_node **ret_node)
{
    bool is_list = member->type == YAML_TYPE_SEQUENCE;
    size_t count = is_list ? member->count : 1;
    struct sigma_node **nodes = arena_alloc(reading->arena, count + 1, sizeof(struct sigma_node *));
    const struct yaml_value *value = is_list ? member->first : member;
    struct str field;
    int r = nodes == NULL ? -ERR_NOMEM : copy(reading, member->key, &field);

    if (r == 0 && str_find_byte(member->key, '|') < member->key.len) {
        return pipeline_refuse(reading, member,
                               _("modifiers are for rules: give plain values here"));
    }
    for (size_t i = 0; r == 0 && i < count; i++, value = value->next) {
        r = read_atom(reading, value, field, &nodes[i]);
    }
    if (r < 0) {
        return r;
    }
    *ret_node = count == 1 ? nodes[0] : pipeline_node(reading->arena, SIGMA_NODE_OR, nodes, count);
    return *ret_node == NULL ? -ERR_NOMEM : 0;
}

static int read_conditions(struct pipeline_reading *reading, const struct yaml_value *node,
                           struct pipeline_item *item)
{
    const struct yaml_value *map = yaml_member(node, "conditions");
    const struct yaml_value *negated = yaml_member(node, "negated");
    struct sigma_node **nodes;
    size_t count = 0;
    int r = 0;

    if (map == NULL || map->type != YAML_TYPE_MAPPING || map->count == 0) {
        return pipeline_refuse(reading, node,
                               _("lacks its conditions: a map from fields to values"));
    }
    nodes = arena_alloc(reading->arena, map->count, sizeof(struct sigma_node *));
    if (nodes == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *member = map->first; r == 0 && member != NULL;
         member = member->next) {
        r = read_condition(reading, member, &nodes[count++]);
    }
    if (r < 0) {
        return r;
    }
    item->root =
        count == 1 ? nodes[0] : pipeline_node(reading->arena, SIGMA_NODE_AND, nodes, count);
    if (item->root != NULL && negated != NULL && negated->boolean) {
        item->root = pipeline_node(reading->arena, SIGMA_NODE_NOT, &item->root, 1);
    }
    return item->root == NULL ? -ERR_NOMEM : 0;
}

/* Python's \1 is PCRE2's ${1}. */
static int read_template(struct pipeline_reading *reading, struct str text, struct str *ret_text)
{
    char *out = arena_alloc(reading->arena, text.len * 2 + 1, 1);
    size_t len = 0;

    if (out == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';

        if (text.ptr[i] == '\\' && next >= '0' && next <= '9') {
            memcpy(out + len, (const char[]){'$', '{', next, '}'}, 4);
            len += 4;
            i++;
        } else {
            i += text.ptr[i] == '\\' && next == '\\';
            out[len++] = text.ptr[i];
            if (text.ptr[i] == '$') {
                out[len++] = '$';
            }
        }
    }
    *ret_text = str_of(out, len);
    return 0;
}

static int read_replacement(struct pipeline_reading *reading, const struct yaml_value *node,
                            struct pipeline_item *item)
{
    struct pipeline_regex *kept = arena_alloc(reading->arena, 1, sizeof(*kept));
    struct str regex = {NULL, 0};
    struct str by = {NULL, 0};
    PCRE2_SIZE offset;
    int code;
    int r = kept == NULL ? -ERR_NOMEM : pipeline_read_text(reading, node, "regex", &regex);

    if (r == 0) {
        r = pipeline_read_text(reading, node, "replacement", &by);
    }
    if (r == 0 && (regex.ptr == NULL || by.ptr == NULL)) {
        r = pipeline_refuse(reading, node, _("lacks its regex or its replacement"));
    }
    if (r == 0) {
        r = read_template(reading, by, &item->text);
    }
    if (r < 0) {
        return r;
    }
    kept->code = pcre2_compile((PCRE2_SPTR)regex.ptr, regex.len, PCRE2_CASELESS | PCRE2_UTF, &code,
                               &offset, NULL);
    if (kept->code == NULL) {
        return code == PCRE2_ERROR_NOMEMORY
                   ? -ERR_NOMEM
                   : pipeline_refuse(reading, node, _("its regex is not valid"));
    }
    kept->next = reading->pipelines->regexes;
    reading->pipelines->regexes = kept;
    item->regex = kept->code;
    return 0;
}

/* Which variables they stand for is asked through sigma_pipelines_values. */
static int read_placeholders(struct pipeline_reading *reading, const struct yaml_value *node,
                             struct pipeline_item *item)
{
    const struct yaml_value *include = yaml_member(node, "include");
    struct pipeline_pair *pair;
    int r;

    if (include == NULL) {
        return 0;
    }
    pair = arena_alloc(reading->arena, 1, sizeof(*pair));
    if (pair == NULL) {
        return -ERR_NOMEM;
    }
    r = pipeline_read_texts(reading, include, &pair->to, &pair->to_count);
    item->pairs = pair;
    item->pair_count = 1;
    return r;
}

typedef int settings_fn(struct pipeline_reading *reading, const struct yaml_value *node,
                        struct pipeline_item *item);

static const struct {
    const char *name;
    settings_fn *read;
} kinds[] = {
#define TRANSFORMATION(name, kind, reader) [PIPELINE_##kind] = {name, reader},
#include "detect/sigma/pipeline.def"
#undef TRANSFORMATION
};

const char *pipeline_kind_name(enum pipeline_kind kind)
{
    return kinds[kind].name;
}

int pipeline_read_settings(struct pipeline_reading *reading, const struct yaml_value *node,
                           struct pipeline_item *item)
{
    return kinds[item->kind].read(reading, node, item);
}
