/* A document with a detection becomes a rule; what rules, filters and correlations have in common
 * of a heading is read here too. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

#include <string.h>

#define TEXTS_MAX 4096 /* tags, references … of a document */

int load_text(struct sigma_loader *loader, const struct yaml_value *document, const char *key,
              struct str *ret_text)
{
    const struct yaml_value *member = yaml_member(document, key);

    *ret_text = STR("");
    if (member == NULL || member->type == YAML_TYPE_NULL) {
        return 0;
    }
    if (!yaml_is_text(member)) {
        return load_refuse_at(loader, member, _("write a text behind it"), _("“%s” must be a text"),
                              key);
    }
    *ret_text = arena_copy(loader->arena, str_trim(member->text));
    return ret_text->ptr != NULL ? 0 : -ERR_NOMEM;
}

int load_texts(struct sigma_loader *loader, const struct yaml_value *document, const char *key,
               const struct str **ret_texts, size_t *ret_count)
{
    const struct yaml_value *member = yaml_member(document, key);
    const struct yaml_value *item;
    struct str *texts;
    size_t count;

    *ret_texts = NULL;
    *ret_count = 0;
    if (member == NULL || member->type == YAML_TYPE_NULL) {
        return 0;
    }
    count = member->type == YAML_TYPE_SEQUENCE ? member->count : 1;
    item = member->type == YAML_TYPE_SEQUENCE ? member->first : member;
    if (count > TEXTS_MAX) {
        return load_refuse_at(loader, member, _("take some away"), _("“%s” has too many lines"),
                              key);
    }
    texts = arena_alloc(loader->arena, count + 1, sizeof(*texts));
    if (texts == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++, item = item->next) {
        if (!yaml_is_text(item)) {
            return load_refuse_at(loader, item, _("write a text behind each dash"),
                                  _("“%s” must be a list of texts"), key);
        }
        texts[i] = arena_copy(loader->arena, item->text);
        if (texts[i].ptr == NULL) {
            return -ERR_NOMEM;
        }
    }
    *ret_texts = texts;
    *ret_count = count;
    return 0;
}

int load_level(struct sigma_loader *loader, const struct yaml_value *document,
               enum sigma_level *ret_level)
{
    const struct yaml_value *member = yaml_member(document, "level");
    struct str names[SIGMA_LEVEL_COUNT];
    struct str remedy;

    *ret_level = SIGMA_LEVEL_MEDIUM;
    if (member == NULL || member->type == YAML_TYPE_NULL ||
        sigma_level_parse(member->text, ret_level)) {
        return 0;
    }
    for (int level = 0; level < SIGMA_LEVEL_COUNT; level++) {
        names[level] = str_from(sigma_level_name((enum sigma_level)level));
    }
    remedy = load_suggest(loader, member->text, names, SIGMA_LEVEL_COUNT);
    return load_refuse_at(loader, member, remedy.ptr, _("the level “%.*s” is not known"),
                          STR_ARG(str_slice(member->text, 0, 100)));
}

static int source_part(struct sigma_loader *loader, const struct yaml_value *source,
                       const char *key, struct str *ret_part)
{
    struct str text;
    int r = load_text(loader, source, key, &text);

    return r < 0 ? r : load_intern(loader, text, ret_part);
}

static int source_missing(struct sigma_loader *loader, const struct yaml_value *at)
{
    return load_refuse_at(loader, at, _("write “logsource” with product, category or service"),
                          _("the log source is missing"));
}

int load_logsource(struct sigma_loader *loader, const struct yaml_value *document,
                   struct logsource *ret_source)
{
    const struct yaml_value *source = yaml_member(document, "logsource");
    int r;

    if (source == NULL || source->type != YAML_TYPE_MAPPING) {
        return source_missing(loader, source != NULL ? source : document);
    }
    r = source_part(loader, source, "product", &ret_source->product);
    if (r >= 0) {
        r = source_part(loader, source, "category", &ret_source->category);
    }
    if (r >= 0) {
        r = source_part(loader, source, "service", &ret_source->service);
    }
    if (r >= 0 &&
        ret_source->product.len + ret_source->category.len + ret_source->service.len == 0) {
        return source_missing(loader, source);
    }
    return r;
}

static int target_put(struct sigma_loader *loader, const struct load_target *like, struct str key)
{
    struct load_target *target = arena_alloc(loader->arena, 1, sizeof(*target));
    struct load_target **listed = load_list_add(&loader->targets, sizeof(struct load_target *));

    if (target == NULL || listed == NULL) {
        return -ERR_NOMEM;
    }
    *target = *like;
    target->key = key;
    *listed = target;
    return map_put(&loader->by_key, key, target) < 0 ? -ERR_NOMEM : 0;
}

int load_target_add(struct sigma_loader *loader, const struct yaml_value *document, struct str id,
                    struct str name, bool is_correlation, uint32_t index)
{
    const struct load_target target = {.file = loader->file,
                                       .line = document->line,
                                       .index = index,
                                       .is_correlation = is_correlation};
    struct load_target *other = id.len != 0 ? map_get(&loader->by_key, id) : NULL;
    int r;

    if (other != NULL) {
        return load_refuse_at(loader, document, _("give it an id of its own, or take one away"),
                              _("another rule has this id already: %.*s, line %u"),
                              STR_ARG(other->file), other->line);
    }
    r = id.len != 0 ? target_put(loader, &target, id) : 0;
    if (r < 0 || name.len == 0) {
        return r;
    }
    other = map_get(&loader->by_key, name);
    if (other != NULL) {
        other->is_ambiguous = other->is_ambiguous || !str_is(id, name);
        return 0;
    }
    return target_put(loader, &target, name);
}

/* ---- rules ---- */

static int heading_read(struct sigma_loader *loader, const struct yaml_value *document,
                        struct sigma_rule *rule)
{
    const struct {
        const char *key;
        struct str *text;
    } texts[] = {
        {"id", &rule->id},         {"name", &rule->name},     {"description", &rule->description},
        {"author", &rule->author}, {"status", &rule->status}, {"date", &rule->date},
    };
    int r = load_text(loader, document, "title", &rule->title);

    if (r >= 0 && rule->title.len == 0) {
        return load_refuse_at(loader, document, _("write “title”"), _("the rule has no title"));
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r >= 0; i++) {
        r = load_text(loader, document, texts[i].key, texts[i].text);
    }
    return r < 0 ? r : load_level(loader, document, &rule->level);
}

static int lists_read(struct sigma_loader *loader, const struct yaml_value *document,
                      struct sigma_rule *rule)
{
    int r = load_texts(loader, document, "tags", &rule->tags, &rule->tag_count);

    if (r >= 0) {
        r = load_texts(loader, document, "references", &rule->references, &rule->reference_count);
    }
    if (r >= 0) {
        r = load_texts(loader, document, "falsepositives", &rule->false_positives,
                       &rule->false_positive_count);
    }
    return r < 0 ? r : load_texts(loader, document, "fields", &rule->fields, &rule->field_count);
}

/* One condition, or a list of which one must hold. */
static int conditions_read(struct sigma_loader *loader, const struct yaml_value *condition,
                           const struct load_selection *selections, size_t count,
                           struct sigma_node **ret_root)
{
    const struct yaml_value *item;
    size_t conditions = condition->type == YAML_TYPE_SEQUENCE ? condition->count : 1;
    struct sigma_node **roots =
        arena_alloc(loader->scratch, conditions + 1, sizeof(struct sigma_node *));

    if (roots == NULL) {
        return -ERR_NOMEM;
    }
    item = condition->type == YAML_TYPE_SEQUENCE ? condition->first : condition;
    for (size_t i = 0; i < conditions; i++, item = item->next) {
        int r;

        if (!yaml_is_text(item)) {
            return load_refuse_at(loader, item, _("write a text behind it"),
                                  _("“%s” must be a text"), "condition");
        }
        r = load_condition(loader, item, selections, count, &roots[i]);
        if (r < 0) {
            return r;
        }
    }
    if (conditions == 0) {
        return load_refuse_at(loader, condition, _("write “condition” beside the selections"),
                              _("the condition is missing"));
    }
    *ret_root = load_join(loader, SIGMA_NODE_OR, roots, conditions);
    return *ret_root != NULL ? 0 : -ERR_NOMEM;
}

int load_detection(struct sigma_loader *loader, const struct yaml_value *detection,
                   const char *const *skip, struct sigma_node **ret_root)
{
    const struct yaml_value *condition = yaml_member(detection, "condition");
    struct load_selection *selections = NULL;
    size_t count = 0;
    int r;

    if (condition == NULL || condition->type == YAML_TYPE_NULL) {
        return load_refuse_at(loader, detection, _("write “condition” beside the selections"),
                              _("the condition is missing"));
    }
    loader->atoms = 0;
    r = load_selections(loader, detection, skip, &selections, &count);
    if (r >= 0) {
        r = conditions_read(loader, condition, selections, count, ret_root);
    }
    if (r >= 0 && load_depth(*ret_root, SIGMA_DEPTH_MAX + 1) > SIGMA_DEPTH_MAX) {
        r = load_refuse_at(loader, condition, _("take parentheses out, or split the rule"),
                           _("the condition is nested too deep"));
    }
    return r;
}

int load_rule(struct sigma_loader *loader, const struct yaml_value *document)
{
    static const char *const skip[] = {"condition", "timeframe", NULL};
    const struct yaml_value *detection = yaml_member(document, "detection");
    struct load_candidate made = {.column = document->column};
    struct load_candidate *kept;
    struct sigma_rule *rule = &made.rule;
    int r;

    rule->file = loader->file;
    rule->line = document->line;
    r = heading_read(loader, document, rule);

    if (r >= 0) {
        r = lists_read(loader, document, rule);
    }
    if (r >= 0) {
        r = load_logsource(loader, document, &rule->source);
    }
    if (r >= 0 && (detection == NULL || detection->type != YAML_TYPE_MAPPING)) {
        r = load_refuse_at(loader, document, _("write “detection” with selections and a condition"),
                           _("the detection is missing"));
    }
    if (r >= 0) {
        r = load_detection(loader, detection, skip, &made.root);
    }
    if (r >= 0) {
        r = load_target_add(loader, document, rule->id, rule->name, false,
                            (uint32_t)loader->candidates.count);
    }
    if (r < 0) {
        return r;
    }
    kept = load_list_add(&loader->candidates, sizeof(*kept));
    if (kept == NULL) {
        return -ERR_NOMEM;
    }
    *kept = made;
    return 0;
}
