/* Values as written, and the atoms that they become once their modifiers are laid over them. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"
#include "detect/sigma/text.h"
#include "detect/sigma/value.h"

#include <inttypes.h>
#include <string.h>

#define VALUE_MAX 65536 /* bytes */

struct load_value *load_values_add(struct sigma_loader *loader, struct load_values *values)
{
    if (values->count == values->room) {
        size_t room = values->room == 0 ? 8 : values->room * 2;
        struct load_value *items = NULL;

        if (room <= 2 * LOAD_VALUES_MAX) {
            items = arena_alloc(loader->scratch, room, sizeof(*items));
        }
        if (items == NULL) {
            return NULL;
        }
        if (values->count != 0) {
            memcpy(items, values->items, values->count * sizeof(*items));
        }
        values->items = items;
        values->room = room;
    }
    values->items[values->count] = (struct load_value){0};
    return &values->items[values->count++];
}

/* ---- Sigma's text ---- */

/* A backslash before a wildcard or a backslash takes its meaning; before all else it is itself. */
static bool is_escape(struct str text, size_t at)
{
    return text.ptr[at] == '\\' && at + 1 < text.len &&
           (text.ptr[at + 1] == '\\' || text.ptr[at + 1] == '*' || text.ptr[at + 1] == '?');
}

/* Bytes of any value, so not by printf. */
static struct str texts_join(struct arena *arena, struct str a, struct str b)
{
    char *out = arena_alloc(arena, a.len + b.len + 1, 1);

    if (out == NULL) {
        return (struct str){0};
    }
    memcpy(out, a.ptr, a.len);
    memcpy(out + a.len, b.ptr, b.len);
    return str_of(out, a.len + b.len);
}

int load_parts_join(struct sigma_loader *loader, const struct sigma_part *parts, size_t count,
                    struct load_value *value)
{
    struct sigma_part *joined = arena_alloc(loader->scratch, count + 1, sizeof(*joined));
    size_t made = 0;

    if (joined == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct sigma_part *last = made != 0 ? &joined[made - 1] : NULL;
        bool is_literal = parts[i].kind == SIGMA_PART_LITERAL;

        if (is_literal && parts[i].text.len == 0) {
            continue;
        }
        if (last != NULL && parts[i].kind == SIGMA_PART_ANY && last->kind == SIGMA_PART_ANY) {
            continue;
        }
        if (last != NULL && is_literal && last->kind == SIGMA_PART_LITERAL) {
            last->text = texts_join(loader->scratch, last->text, parts[i].text);
            if (last->text.ptr == NULL) {
                return -ERR_NOMEM;
            }
            continue;
        }
        joined[made++] = parts[i];
    }
    value->parts = joined;
    value->part_count = made;
    return 0;
}

static size_t wildcards(struct str text)
{
    size_t count = 0;

    for (size_t at = 0; at < text.len; at++) {
        count += text.ptr[at] == '*' || text.ptr[at] == '?' ? 1 : 0;
    }
    return count;
}

int load_parts(struct sigma_loader *loader, struct str text, struct load_value *value)
{
    size_t room = 2 * wildcards(text) + 1;
    struct sigma_part *parts = arena_alloc(loader->scratch, room, sizeof(*parts));
    char *bytes = arena_alloc(loader->scratch, text.len + 1, 1);
    size_t count = 0;
    size_t len = 0;
    size_t from = 0;

    if (parts == NULL || bytes == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t at = 0; at <= text.len; at++) {
        bool is_wild = at < text.len && (text.ptr[at] == '*' || text.ptr[at] == '?');

        if (at < text.len && !is_wild) {
            at += is_escape(text, at) ? 1 : 0;
            bytes[len++] = text.ptr[at];
            continue;
        }
        if (len > from) {
            parts[count++] = (struct sigma_part){.text = str_of(bytes + from, len - from)};
            from = len;
        }
        if (is_wild) {
            enum sigma_part_kind kind = text.ptr[at] == '*' ? SIGMA_PART_ANY : SIGMA_PART_ONE;

            parts[count] = (struct sigma_part){.kind = kind};
            count += count != 0 && kind == SIGMA_PART_ANY && parts[count - 1].kind == kind ? 0 : 1;
        }
    }
    value->parts = parts;
    value->part_count = count;
    return 0;
}

bool load_is_literal(const struct load_value *value, struct str *ret_text)
{
    if (value->part_count > 1 ||
        (value->part_count == 1 && value->parts[0].kind != SIGMA_PART_LITERAL)) {
        return false;
    }
    *ret_text = value->part_count == 1 ? value->parts[0].text : STR("");
    return true;
}

/* ---- reading ---- */

static int value_read(struct sigma_loader *loader, const struct yaml_value *node, bool is_plain,
                      struct load_values *values)
{
    struct load_value *value;

    if (node->type == YAML_TYPE_SEQUENCE || node->type == YAML_TYPE_MAPPING) {
        return load_refuse_at(loader, node, _("write a single value, or a flat list of them"),
                              _("a list or mapping stands where a value should"));
    }
    if (values->count == LOAD_VALUES_MAX) {
        return load_refuse_at(loader, node, _("split the rule"), _("too many values"));
    }
    if (node->text.len > VALUE_MAX) {
        return load_refuse_at(loader, node, _("look for a part of it"), _("the value is too long"));
    }
    value = load_values_add(loader, values);
    if (value == NULL) {
        return -ERR_NOMEM;
    }
    value->text = node->text;
    value->origin = values->count;
    value->number = node->number;
    value->boolean = node->boolean;
    if (node->type == YAML_TYPE_NULL) {
        value->kind = LOAD_NULL;
        return 0;
    }
    if (node->type == YAML_TYPE_BOOL) {
        value->kind = LOAD_BOOL;
        value->text = node->boolean ? STR("true") : STR("false");
    } else if (node->type == YAML_TYPE_INT || node->type == YAML_TYPE_FLOAT) {
        value->kind = LOAD_NUMBER;
    }
    if (is_plain) { /* a regex or a field's name: no wildcards, no escapes */
        return 0;
    }
    return load_parts(loader, value->text, value);
}

int load_values_read(struct sigma_loader *loader, const struct yaml_value *item, bool is_plain,
                     struct load_values *values)
{
    int r = 0;

    if (item->type != YAML_TYPE_SEQUENCE) {
        return value_read(loader, item, is_plain, values);
    }
    if (item->count == 0) {
        return load_refuse_at(loader, item, _("name at least one value, or take the field out"),
                              _("the list of values is empty"));
    }
    for (const struct yaml_value *node = item->first; node != NULL && r >= 0; node = node->next) {
        r = value_read(loader, node, is_plain, values);
    }
    return r;
}

/* ---- atoms ---- */

static int part_keep(struct sigma_loader *loader, bool is_cased, struct sigma_part *part)
{
    char *out;

    if (part->kind != SIGMA_PART_LITERAL) {
        return 0;
    }
    out = arena_alloc(loader->arena, part->text.len * (is_cased ? 1 : SIGMA_FOLD_GROWTH) + 1, 1);
    if (out == NULL) {
        return -ERR_NOMEM;
    }
    if (is_cased) {
        memcpy(out, part->text.ptr, part->text.len);
        part->text.ptr = out;
    } else {
        part->text = str_of(out, sigma_fold(part->text, out));
    }
    return 0;
}

/* Keywords are looked for anywhere in a value. */
static int atom_parts(struct sigma_loader *loader, const struct load_value *value,
                      struct sigma_atom *atom)
{
    bool is_keyword = atom->field.len == 0;
    size_t count = 0;
    struct sigma_part *parts = arena_alloc(loader->arena, value->part_count + 2, sizeof(*parts));

    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    if (is_keyword && (value->part_count == 0 || value->parts[0].kind != SIGMA_PART_ANY)) {
        parts[count++].kind = SIGMA_PART_ANY;
    }
    for (size_t i = 0; i < value->part_count; i++) {
        parts[count] = value->parts[i];
        if (part_keep(loader, atom->is_cased, &parts[count++]) < 0) {
            return -ERR_NOMEM;
        }
    }
    if (is_keyword && parts[count - 1].kind != SIGMA_PART_ANY) {
        parts[count++].kind = SIGMA_PART_ANY;
    }
    atom->match = SIGMA_MATCH_PATTERN;
    atom->parts = parts;
    atom->part_count = count;
    return 0;
}

/* A whole number that was written otherwise (0x10) is known by its decimal digits. */
static int atom_number(struct sigma_loader *loader, const struct load_value *value,
                       struct sigma_atom *atom)
{
    double written;

    atom->match = SIGMA_MATCH_NUMBER;
    atom->number = value->number;
    if (!sigma_value_number(atom->text, &written)) {
        atom->text = arena_printf(loader->arena, "%" PRId64, (int64_t)value->number);
    }
    return atom->text.ptr != NULL ? 0 : -ERR_NOMEM;
}

static int atom_fill(struct sigma_loader *loader, const struct load_value *value,
                     struct sigma_atom *atom)
{
    static const enum sigma_match matches[] = {
        [LOAD_NULL] = SIGMA_MATCH_NULL,     [LOAD_REGEX] = SIGMA_MATCH_REGEX,
        [LOAD_NETWORK] = SIGMA_MATCH_CIDR,  [LOAD_COMPARE] = SIGMA_MATCH_COMPARE,
        [LOAD_EXISTS] = SIGMA_MATCH_EXISTS, [LOAD_FIELD] = SIGMA_MATCH_FIELD,
        [LOAD_TIME] = SIGMA_MATCH_TIME,
    };

    if (value->kind == LOAD_NUMBER && atom->field.len != 0) {
        return atom_number(loader, value, atom);
    }
    if (value->kind <= LOAD_BOOL) {
        return atom_parts(loader, value, atom);
    }
    atom->match = matches[value->kind];
    atom->number = value->number;
    atom->want = value->boolean;
    atom->regex_flags = value->regex_flags;
    atom->order = value->order;
    atom->affix = value->affix;
    atom->clock = value->clock;
    atom->network = value->network;
    return 0;
}

int load_atom(struct sigma_loader *loader, const struct load_values *values, struct str field,
              const struct load_value *value, struct sigma_node **ret_node)
{
    struct sigma_node *node = load_node(loader, SIGMA_NODE_ATOM, 0);
    struct sigma_atom *atom = arena_alloc(loader->arena, 1, sizeof(*atom));

    if (++loader->atoms > SIGMA_ATOMS_MAX) {
        return load_refuse_at(loader, values->at, _("split the rule"),
                              _("the rule asks more than %d things"), SIGMA_ATOMS_MAX);
    }
    if (load_is_full(loader)) {
        return load_refuse_size(loader, values->at);
    }
    if (node == NULL || atom == NULL) {
        return -ERR_NOMEM;
    }
    if (field.len == 0 && value->kind != LOAD_TEXT && value->kind != LOAD_NUMBER &&
        value->kind != LOAD_BOOL && value->kind != LOAD_REGEX) {
        return load_refuse_at(loader, values->at, _("name the field in front of the modifier"),
                              _("this can only be asked of a field"));
    }
    if (value->kind == LOAD_TIME && !load_is_time(value)) {
        return load_wrong_time(loader, values);
    }
    atom->field = field;
    atom->is_cased = values->is_cased;
    atom->text = arena_copy(loader->arena, value->text);
    if (atom->text.ptr == NULL || atom_fill(loader, value, atom) < 0) {
        return -ERR_NOMEM;
    }
    node->atom = atom;
    *ret_node = node;
    return 0;
}
