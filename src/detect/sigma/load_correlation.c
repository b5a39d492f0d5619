/* Correlation documents; what they refer to is looked up when all is read (load_resolve.c). */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

#include <string.h>

static int kind_read(struct sigma_loader *loader, const struct yaml_value *body,
                     enum sigma_correlation_kind *ret_kind)
{
    const struct yaml_value *type = yaml_member(body, "type");
    struct str names[SIGMA_CORRELATION_COUNT];
    struct str remedy;

    for (int kind = 0; kind < SIGMA_CORRELATION_COUNT; kind++) {
        names[kind] = str_from(sigma_correlation_name((enum sigma_correlation_kind)kind));
        if (type != NULL && str_is(type->text, names[kind])) {
            *ret_kind = (enum sigma_correlation_kind)kind;
            return 0;
        }
    }
    if (type == NULL) {
        return load_refuse_at(loader, body, _("write “type: event_count”, for instance"),
                              _("the correlation has no type"));
    }
    remedy = load_suggest(loader, type->text, names, SIGMA_CORRELATION_COUNT);
    return load_refuse_at(loader, type, remedy.ptr, _("the type “%.*s” is not known"),
                          STR_ARG(str_slice(type->text, 0, 100)));
}

/* ---- aliases ---- */

static int alias_read(struct sigma_loader *loader, const struct yaml_value *member,
                      struct load_correlation *made, struct sigma_alias *alias)
{
    struct str *fields = arena_alloc(loader->arena, made->rule_count + 1, sizeof(*fields));

    alias->name = arena_copy(loader->arena, member->key);
    if (fields == NULL || alias->name.ptr == NULL) {
        return -ERR_NOMEM;
    }
    if (member->type != YAML_TYPE_MAPPING) {
        return load_refuse_at(loader, member, _("write “name: {rule: field}”"),
                              _("an alias names a field for each rule, as “rule: field”"));
    }
    for (const struct yaml_value *one = member->first; one != NULL; one = one->next) {
        bool is_used = false;

        if (!yaml_is_text(one)) {
            return load_refuse_at(loader, one, _("write “name: {rule: field}”"),
                                  _("an alias names a field for each rule, as “rule: field”"));
        }
        for (size_t i = 0; i < made->rule_count; i++) {
            if (str_is(made->rules[i], one->key)) {
                fields[i] = arena_copy(loader->arena, one->text);
                is_used = true;
            }
        }
        if (!is_used) {
            struct str remedy = load_suggest(loader, one->key, made->rules, made->rule_count);

            return load_refuse_at(loader, one, remedy.ptr,
                                  _("the alias names “%.*s”, which is not under “rules”"),
                                  STR_ARG(str_slice(one->key, 0, 100)));
        }
    }
    alias->fields = fields;
    return 0;
}

static int aliases_read(struct sigma_loader *loader, const struct yaml_value *body,
                        struct load_correlation *made)
{
    const struct yaml_value *aliases = yaml_member(body, "aliases");
    struct sigma_alias *kept;
    size_t count = 0;

    if (aliases == NULL || aliases->type == YAML_TYPE_NULL) {
        return 0;
    }
    if (aliases->type != YAML_TYPE_MAPPING) {
        return load_refuse_at(loader, aliases, _("write “name: {rule: field}”"),
                              _("an alias names a field for each rule, as “rule: field”"));
    }
    kept = arena_alloc(loader->arena, aliases->count + 1, sizeof(*kept));
    if (kept == NULL) {
        return -ERR_NOMEM;
    }
    for (const struct yaml_value *member = aliases->first; member != NULL; member = member->next) {
        int r = alias_read(loader, member, made, &kept[count]);

        if (r < 0) {
            return r;
        }
        count++;
    }
    made->correlation.aliases = kept;
    made->correlation.alias_count = count;
    return 0;
}

/* ---- the document ---- */

static int heading_read(struct sigma_loader *loader, const struct yaml_value *document,
                        struct sigma_correlation *correlation)
{
    const struct {
        const char *key;
        struct str *text;
    } texts[] = {
        {"id", &correlation->id},         {"name", &correlation->name},
        {"title", &correlation->title},   {"description", &correlation->description},
        {"author", &correlation->author}, {"status", &correlation->status},
        {"date", &correlation->date},
    };
    int r = load_level(loader, document, &correlation->level);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r >= 0; i++) {
        r = load_text(loader, document, texts[i].key, texts[i].text);
    }
    if (r >= 0 && correlation->title.len == 0) {
        return load_refuse_at(loader, document, _("write “title”"), _("the rule has no title"));
    }
    if (r >= 0) {
        r = load_texts(loader, document, "tags", &correlation->tags, &correlation->tag_count);
    }
    return r < 0 ? r
                 : load_texts(loader, document, "falsepositives", &correlation->false_positives,
                              &correlation->false_positive_count);
}

static int body_read(struct sigma_loader *loader, const struct yaml_value *body,
                     struct load_correlation *made)
{
    struct sigma_correlation *correlation = &made->correlation;
    const struct yaml_value *timespan = yaml_member(body, "timespan");
    const struct yaml_value *generate = yaml_member(body, "generate");
    int r = kind_read(loader, body, &correlation->kind);

    if (r >= 0) {
        r = load_texts(loader, body, "rules", &made->rules, &made->rule_count);
    }
    if (r >= 0 && made->rule_count == 0 && load_is_temporal(correlation->kind)) {
        r = load_condition_rules(loader, yaml_member(body, "condition"), made);
    }
    if (r >= 0 && made->rule_count == 0) {
        return load_refuse_at(loader, body, _("write “rules” with ids or names"),
                              _("the correlation refers to no rule"));
    }
    if (r >= 0) {
        r = load_texts(loader, body, "group-by", &correlation->group_by, &correlation->group_count);
    }
    if (r >= 0 && (timespan == NULL || !load_timespan(timespan->text, &correlation->timespan))) {
        return load_refuse_at(loader, timespan != NULL ? timespan : body,
                              _("write a number and a unit of s m h d w M y: “5m”, at most a year"),
                              _("the correlation has no timespan that can be read"));
    }
    if (r >= 0 && generate != NULL && generate->type != YAML_TYPE_BOOL) {
        return load_refuse_at(loader, generate, _("write “generate: true”, or take it out"),
                              _("“generate” is true or false"));
    }
    made->is_generating = generate != NULL && generate->boolean;
    if (r >= 0) {
        r = load_correlation_condition(loader, body, made);
    }
    return r < 0 ? r : aliases_read(loader, body, made);
}

int load_correlation(struct sigma_loader *loader, const struct yaml_value *document)
{
    const struct yaml_value *body = yaml_member(document, "correlation");
    struct load_correlation made = {.column = document->column};
    struct load_correlation *kept;
    int r;

    made.correlation.file = loader->file;
    made.correlation.line = document->line;
    if (body->type != YAML_TYPE_MAPPING) {
        return load_refuse_at(loader, body, _("write “type: event_count”, for instance"),
                              _("the correlation has no type"));
    }
    r = heading_read(loader, document, &made.correlation);
    if (r >= 0) {
        r = body_read(loader, body, &made);
    }
    if (r >= 0) {
        r = load_target_add(loader, document, made.correlation.id, made.correlation.name, true,
                            (uint32_t)loader->correlations.count);
    }
    if (r < 0) {
        return r;
    }
    kept = load_list_add(&loader->correlations, sizeof(*kept));
    if (kept == NULL) {
        return -ERR_NOMEM;
    }
    *kept = made;
    return 0;
}
