/* Trees of libyaml's events, with anchors, aliases and merged keys: see codec/yaml.h. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/yaml_part.h"

#include <string.h>

int yaml_fault(struct yaml_build *build, int code, const yaml_mark_t *mark, const char *sentence)
{
    build->reader->fault_line = build->first_line + (uint32_t)mark->line + 1;
    build->reader->fault_column = (uint32_t)mark->column + 1;
    return diag_set(build->diag, code, "%s", sentence);
}

static int too_large(struct yaml_build *build, const yaml_mark_t *mark)
{
    return yaml_fault(build, -ERR_LIMIT, mark, _("the document has too many parts"));
}

static struct yaml_value *node_new(struct yaml_build *build, const yaml_mark_t *mark)
{
    struct yaml_value *value = arena_alloc(build->arena, 1, sizeof(*value));

    if (value != NULL) {
        value->line = build->first_line + (uint32_t)mark->line + 1;
        value->column = (uint32_t)mark->column + 1;
        value->weight = 1;
    }
    return value;
}

/* ---- members ---- */

static int level_key(struct yaml_build *build, struct yaml_level *level,
                     const struct yaml_value *key, const yaml_mark_t *mark)
{
    if (key->type == YAML_TYPE_SEQUENCE || key->type == YAML_TYPE_MAPPING) {
        return yaml_fault(build, -ERR_SYNTAX, mark, _("a key must be a simple text"));
    }
    for (struct yaml_value *child = level->value->first; child != NULL; child = child->next) {
        if (str_is(child->key, key->text)) {
            build->reader->fault_line = build->first_line + (uint32_t)mark->line + 1;
            build->reader->fault_column = (uint32_t)mark->column + 1;
            return diag_set(build->diag, -ERR_DUPLICATE,
                            _("the key “%.*s” stands twice, first in line %u"),
                            STR_ARG(str_slice(key->text, 0, 100)), child->key_line);
        }
    }
    if (level->value->count == YAML_MEMBERS_MAX) {
        return yaml_fault(build, -ERR_LIMIT, mark, _("the mapping has too many keys"));
    }
    level->key = *key;
    level->has_key = true;
    return 0;
}

static void level_append(struct yaml_level *level, struct yaml_value *value)
{
    if (level->last == NULL) {
        level->value->first = value;
    } else {
        level->last->next = value;
    }
    level->last = value;
    level->value->count++;
    level->value->weight += value->weight;
}

/* Members that stand in `from` and not in the mapping itself. */
static int level_merge(struct yaml_build *build, struct yaml_level *level,
                       const struct yaml_value *from, const yaml_mark_t *mark)
{
    if (from->type != YAML_TYPE_MAPPING) {
        return yaml_fault(build, -ERR_SYNTAX, mark,
                          _("“<<” takes a mapping, or a list of mappings"));
    }
    for (const struct yaml_value *child = from->first; child != NULL; child = child->next) {
        struct yaml_value *copy;
        bool is_there = false;

        for (struct yaml_value *own = level->value->first; own != NULL; own = own->next) {
            is_there = is_there || str_is(own->key, child->key);
        }
        if (is_there) {
            continue;
        }
        if (level->value->count == YAML_MEMBERS_MAX) {
            return yaml_fault(build, -ERR_LIMIT, mark, _("the mapping has too many keys"));
        }
        copy = arena_alloc(build->arena, 1, sizeof(*copy));
        if (copy == NULL) {
            return -ERR_NOMEM;
        }
        *copy = *child;
        copy->next = NULL;
        level_append(level, copy);
    }
    return 0;
}

/* Takes the `<<` member out again and what it names in, behind the mapping's own keys. */
static int level_end(struct yaml_build *build, struct yaml_level *level, const yaml_mark_t *mark)
{
    struct yaml_value *before = NULL;
    struct yaml_value *merged = level->value->first;
    int r = 0;

    if (level->value->type != YAML_TYPE_MAPPING) {
        return 0;
    }
    while (merged != NULL && !str_is_text(merged->key, "<<")) {
        before = merged;
        merged = merged->next;
    }
    if (merged == NULL) {
        return 0;
    }
    if (before == NULL) {
        level->value->first = merged->next;
    } else {
        before->next = merged->next;
    }
    level->last = level->last == merged ? before : level->last;
    level->value->count--;
    if (merged->type != YAML_TYPE_SEQUENCE) {
        return level_merge(build, level, merged, mark);
    }
    for (const struct yaml_value *one = merged->first; one != NULL && r >= 0; one = one->next) {
        r = level_merge(build, level, one, mark);
    }
    return r;
}

/* ---- nodes ---- */

/* Puts a node where the document has come to: as a key, a member, an item, or the root. */
static int node_place(struct yaml_build *build, struct yaml_value *value, const yaml_mark_t *mark)
{
    struct yaml_level *level;

    if (build->depth == 0) {
        build->root = value;
        return 0;
    }
    level = &build->levels[build->depth - 1];
    if (level->value->type == YAML_TYPE_MAPPING && !level->has_key) {
        return level_key(build, level, value, mark);
    }
    if (level->value->type == YAML_TYPE_MAPPING) {
        value->key = level->key.text;
        value->key_line = level->key.line;
        value->key_column = level->key.column;
        level->has_key = false;
    }
    level_append(level, value);
    return 0;
}

static int anchor_add(struct yaml_build *build, const yaml_char_t *name, struct yaml_value *value,
                      const yaml_mark_t *mark, struct yaml_anchor **ret_anchor)
{
    struct yaml_anchor *anchor = &build->anchors[build->anchor_count];

    *ret_anchor = NULL;
    if (name == NULL) {
        return 0;
    }
    if (build->anchor_count == YAML_ANCHORS_MAX) {
        return yaml_fault(build, -ERR_LIMIT, mark, _("the document has too many anchors"));
    }
    anchor->name = arena_copy(build->arena, str_from((const char *)name));
    if (anchor->name.ptr == NULL) {
        return -ERR_NOMEM;
    }
    anchor->value = value;
    build->anchor_count++;
    *ret_anchor = anchor;
    return 0;
}

static int on_scalar(struct yaml_build *build, const yaml_event_t *event)
{
    const yaml_mark_t *mark = &event->start_mark;
    struct yaml_value *value = node_new(build, mark);
    struct yaml_anchor *anchor;
    const char *tag = (const char *)event->data.scalar.tag;
    int r;

    if (value == NULL) {
        return -ERR_NOMEM;
    }
    if (++build->nodes > YAML_NODES_MAX) {
        return too_large(build, mark);
    }
    value->text = arena_copy(
        build->arena, str_of((const char *)event->data.scalar.value, event->data.scalar.length));
    if (value->text.ptr == NULL) {
        return -ERR_NOMEM;
    }
    value->type = YAML_TYPE_STRING;
    if (event->data.scalar.plain_implicit != 0 && (tag == NULL || strcmp(tag, "!") != 0)) {
        yaml_scalar(value);
    } else if (tag != NULL && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0) {
        return yaml_fault(build, -ERR_SYNTAX, mark, _("tags other than !!str are not taken"));
    }
    r = anchor_add(build, event->data.scalar.anchor, value, mark, &anchor);
    return r < 0 ? r : node_place(build, value, mark);
}

static int on_open(struct yaml_build *build, enum yaml_type type, const yaml_char_t *anchor,
                   const yaml_mark_t *mark)
{
    struct yaml_value *value = node_new(build, mark);
    struct yaml_level *level;
    int r;

    if (value == NULL) {
        return -ERR_NOMEM;
    }
    if (++build->nodes > YAML_NODES_MAX) {
        return too_large(build, mark);
    }
    if (build->depth == YAML_DEPTH_MAX) {
        return yaml_fault(build, -ERR_LIMIT, mark, _("the document is nested too deep"));
    }
    level = &build->levels[build->depth];
    if (build->depth != 0 && level[-1].value->type == YAML_TYPE_MAPPING && !level[-1].has_key) {
        return yaml_fault(build, -ERR_SYNTAX, mark, _("a key must be a simple text"));
    }
    value->type = type;
    *level = (struct yaml_level){.value = value};
    r = anchor_add(build, anchor, NULL, mark, &level->anchor);
    build->depth++;
    return r;
}

static int on_close(struct yaml_build *build, const yaml_mark_t *mark)
{
    struct yaml_level *level = &build->levels[build->depth - 1];
    int r = level_end(build, level, mark);

    if (level->anchor != NULL) {
        level->anchor->value = level->value;
    }
    build->depth--;
    return r < 0 ? r : node_place(build, level->value, mark);
}

static int on_alias(struct yaml_build *build, const yaml_event_t *event)
{
    struct str name = str_from((const char *)event->data.alias.anchor);
    const yaml_mark_t *mark = &event->start_mark;
    struct yaml_value *copy;
    size_t at = build->anchor_count;

    while (at > 0 && !str_is(build->anchors[at - 1].name, name)) {
        at--;
    }
    if (at == 0 || build->anchors[at - 1].value == NULL) {
        return yaml_fault(build, -ERR_SYNTAX, mark, _("the alias stands for nothing"));
    }
    copy = arena_alloc(build->arena, 1, sizeof(*copy));
    if (copy == NULL) {
        return -ERR_NOMEM;
    }
    *copy = *build->anchors[at - 1].value;
    copy->next = NULL;
    build->nodes += copy->weight;
    return build->nodes > YAML_NODES_MAX ? too_large(build, mark) : node_place(build, copy, mark);
}

int yaml_on_event(struct yaml_build *build, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(build, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(build, YAML_TYPE_SEQUENCE, event->data.sequence_start.anchor,
                       &event->start_mark);
    case YAML_MAPPING_START_EVENT:
        return on_open(build, YAML_TYPE_MAPPING, event->data.mapping_start.anchor,
                       &event->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(build, &event->end_mark);
    case YAML_ALIAS_EVENT:
        return on_alias(build, event);
    case YAML_DOCUMENT_START_EVENT:
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return 0;
}
