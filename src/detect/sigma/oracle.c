/* Walks trees and fields as they stand: see detect/sigma/oracle.h. Neighbours: value.c and text.c,
 * which it shares with the engine. */
#include "detect/sigma/oracle.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/text.h"
#include "detect/sigma/value.h"

#define STEPS_MAX 200000 /* of a search; what needs more is not found */

struct oracle {
    const struct entry *entry;
    struct arena *arena;
};

static bool part_fits(struct str asked, struct str own)
{
    return asked.len == 0 || str_is_nocase(asked, own);
}

bool sigma_source_is_known(const struct logsource *source)
{
    return source->product.len != 0 || source->category.len != 0 || source->service.len != 0;
}

bool sigma_source_fits(const struct logsource *way, const struct logsource *entry)
{
    if (!sigma_source_is_known(entry)) {
        return true;
    }
    return part_fits(way->product, entry->product) && part_fits(way->category, entry->category) &&
           part_fits(way->service, entry->service);
}

static int text_folded(const struct oracle *oracle, bool is_cased, struct str *text)
{
    char *out;

    if (is_cased) {
        return 0;
    }
    out = arena_alloc(oracle->arena, text->len * SIGMA_FOLD_GROWTH + 1, 1);
    if (out == NULL) {
        return -ERR_NOMEM;
    }
    *text = str_of(out, sigma_fold(*text, out));
    return 0;
}

static uint32_t regex_options(unsigned flags)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

    options |= (flags & SIGMA_REGEX_NOCASE) != 0 ? PCRE2_CASELESS : 0;
    options |= (flags & SIGMA_REGEX_MULTILINE) != 0 ? PCRE2_MULTILINE : 0;
    options |= (flags & SIGMA_REGEX_DOTALL) != 0 ? PCRE2_DOTALL : 0;
    return options;
}

static int regex_find(const struct sigma_atom *atom, struct str text, bool *ret_is_found)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)atom->text.ptr, atom->text.len,
                                     regex_options(atom->regex_flags), &error, &at, NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int r = -ERR_NOMEM;

    if (code != NULL && data != NULL && context != NULL) {
        (void)pcre2_set_match_limit(context, STEPS_MAX);
        *ret_is_found = pcre2_match(code, (PCRE2_SPTR)(text.ptr != NULL ? text.ptr : ""), text.len,
                                    0, 0, data, context) >= 0;
        r = 0;
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return r;
}

/* The other field's values, each against this one. */
static int field_holds(const struct oracle *oracle, const struct sigma_atom *atom, struct str text,
                       bool *ret_holds)
{
    int r = text_folded(oracle, atom->is_cased, &text);

    for (size_t i = 0; i < oracle->entry->count && r >= 0; i++) {
        const struct entry_field *field = &oracle->entry->fields[i];
        struct str other;

        if (field->type == ENTRY_TYPE_NULL || !str_is(field->name, atom->text)) {
            continue;
        }
        r = entry_field_text(field, oracle->arena, &other);
        if (r >= 0) {
            r = text_folded(oracle, atom->is_cased, &other);
        }
        if (r >= 0 && sigma_value_affix(atom->affix, text, other)) {
            *ret_holds = true;
            return 0;
        }
    }
    return r;
}

static int text_holds(const struct oracle *oracle, const struct sigma_atom *atom, struct str text,
                      bool *ret_holds)
{
    if (atom->match == SIGMA_MATCH_PATTERN) {
        int r = text_folded(oracle, atom->is_cased, &text);

        *ret_holds = r >= 0 && sigma_pattern_matches(atom->parts, atom->part_count, text);
        return r;
    }
    if (atom->match == SIGMA_MATCH_REGEX) {
        return regex_find(atom, text, ret_holds);
    }
    if (atom->match == SIGMA_MATCH_FIELD) {
        return field_holds(oracle, atom, text, ret_holds);
    }
    *ret_holds = sigma_value_holds(atom, text);
    return 0;
}

static int values_hold(const struct oracle *oracle, const struct sigma_atom *atom, bool *ret_holds)
{
    const struct entry *entry = oracle->entry;

    *ret_holds = false;
    if (atom->field.len == 0 && !entry->is_structured) {
        return text_holds(oracle, atom, entry->raw, ret_holds);
    }
    for (size_t i = 0; i < entry->count && !*ret_holds; i++) {
        const struct entry_field *field = &entry->fields[i];
        struct str text;
        int r;

        if (field->type == ENTRY_TYPE_NULL ||
            (atom->field.len != 0 && !str_is(field->name, atom->field))) {
            continue;
        }
        r = entry_field_text(field, oracle->arena, &text);
        if (r >= 0) {
            r = text_holds(oracle, atom, text, ret_holds);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Not there, or not one value that is not null. */
static bool is_null(const struct entry *entry, struct str name)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (entry->fields[i].type != ENTRY_TYPE_NULL && str_is(entry->fields[i].name, name)) {
            return false;
        }
    }
    return true;
}

static int atom_holds(const struct oracle *oracle, const struct sigma_atom *atom, bool *ret_holds)
{
    if (atom->match == SIGMA_MATCH_EXISTS) {
        *ret_holds = (entry_find(oracle->entry, atom->field) != NULL) == atom->want;
        return 0;
    }
    if (atom->match == SIGMA_MATCH_NULL) {
        *ret_holds = is_null(oracle->entry, atom->field);
        return 0;
    }
    return values_hold(oracle, atom, ret_holds);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than SIGMA_DEPTH_MAX */
static int node_holds(const struct oracle *oracle, const struct sigma_node *node, bool *ret_holds)
{
    bool is_and = node->kind == SIGMA_NODE_AND;
    bool holds = is_and;

    if (node->kind == SIGMA_NODE_ATOM) {
        return atom_holds(oracle, node->atom, ret_holds);
    }
    for (size_t i = 0; i < node->child_count && holds == is_and; i++) {
        int r = node_holds(oracle, node->children[i], &holds);

        if (r < 0) {
            return r;
        }
    }
    *ret_holds = node->kind == SIGMA_NODE_NOT ? !holds : holds;
    return 0;
}

int sigma_oracle_of_nothing(const struct sigma_node *root, struct arena *arena, bool *ret_holds)
{
    const struct entry nothing = {0};
    int r = node_holds(&(struct oracle){.entry = &nothing, .arena = arena}, root, ret_holds);

    return r == -ERR_LIMIT ? -ERR_NOMEM : r;
}

int sigma_oracle(const struct sigma_rule *rule, const struct entry *entry, struct arena *arena,
                 bool *ret_is_match)
{
    const struct oracle oracle = {.entry = entry, .arena = arena};
    bool holds = false;

    for (size_t i = 0; i < rule->way_count && !holds; i++) {
        const struct sigma_way *way = &rule->ways[i];
        bool is_asked = !way->needs_source || sigma_source_is_known(&entry->source);
        int r = 0;

        if (is_asked && sigma_source_fits(&way->source, &entry->source)) {
            r = node_holds(&oracle, way->root, &holds);
        }
        if (r < 0) {
            return r == -ERR_LIMIT ? -ERR_NOMEM : r;
        }
    }
    *ret_is_match = holds;
    return 0;
}
