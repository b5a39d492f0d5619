/* Modifiers, one function each, in the order in which they stand behind the field's name. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

#include <string.h>

#define MODIFIERS_MAX 16

struct modifier {
    const char *name;
    load_modifier_fn *fn;
    int argument;
};

int load_wrong_value(struct sigma_loader *loader, const struct load_values *values,
                     const struct load_value *value, const char *wanted)
{
    return load_refuse_at(loader, values->at, _("write the value so, or take the modifier away"),
                          _("“%.*s” is not %s"), STR_ARG(str_slice(value->text, 0, 100)), wanted);
}

int load_wrong_order(struct sigma_loader *loader, const struct load_values *values,
                     const char *name)
{
    return load_refuse_at(loader, values->at, _("take the other modifiers away"),
                          _("“%s” does not go with the modifiers before it"), name);
}

/* ---- wildcards in front and behind ---- */

static int value_affix(struct sigma_loader *loader, enum sigma_affix affix,
                       struct load_value *value)
{
    struct sigma_part *parts = arena_alloc(loader->scratch, value->part_count + 2, sizeof(*parts));
    size_t count = 0;

    if (parts == NULL) {
        return -ERR_NOMEM;
    }
    if (affix != SIGMA_AFFIX_START) {
        parts[count++].kind = SIGMA_PART_ANY;
    }
    if (value->part_count != 0) {
        memcpy(parts + count, value->parts, value->part_count * sizeof(*parts));
        count += value->part_count;
    }
    if (affix != SIGMA_AFFIX_END) {
        parts[count++].kind = SIGMA_PART_ANY;
    }
    value->kind = LOAD_TEXT;
    return load_parts_join(loader, parts, count, value);
}

/* A regex is found anywhere as it is. */
static int regex_affix(struct sigma_loader *loader, enum sigma_affix affix,
                       struct load_value *value)
{
    if (affix == SIGMA_AFFIX_START) {
        value->text = arena_printf(loader->scratch, "\\A(?:%.*s)", STR_ARG(value->text));
    } else if (affix == SIGMA_AFFIX_END) {
        value->text = arena_printf(loader->scratch, "(?:%.*s)\\z", STR_ARG(value->text));
    }
    return value->text.ptr != NULL ? 0 : -ERR_NOMEM;
}

static int modify_affix(struct sigma_loader *loader, int argument, struct load_values *values)
{
    enum sigma_affix affix = (enum sigma_affix)argument;
    int r = 0;

    for (size_t i = 0; i < values->count && r >= 0; i++) {
        struct load_value *value = &values->items[i];

        if (value->kind <= LOAD_BOOL) {
            r = value_affix(loader, affix, value);
        } else if (value->kind == LOAD_FIELD) {
            value->affix = affix;
        } else if (value->kind == LOAD_REGEX) {
            r = regex_affix(loader, affix, value);
        } else {
            r = load_wrong_value(loader, values, value, _("a text"));
        }
    }
    return r;
}

/* ---- of the whole item ---- */

static int modify_all(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)loader;
    values->is_all = argument != 0;
    return 0;
}

static int modify_cased(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)loader;
    values->is_cased = argument != 0;
    return 0;
}

static int modify_not(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)loader;
    values->is_not = argument != 0;
    return 0;
}

/* ---- writings ---- */

static int modify_windash(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)argument;
    return load_windash(loader, values);
}

static int modify_base64(struct sigma_loader *loader, int argument, struct load_values *values)
{
    return argument == 0 ? load_base64(loader, values) : load_base64_offset(loader, values);
}

static int modify_wide(struct sigma_loader *loader, int argument, struct load_values *values)
{
    return load_wide(loader, (enum load_wide)argument, values);
}

static int modify_expand(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)argument;
    return load_expand(loader, values);
}

static const struct modifier modifiers_known[] = {
    {"contains", modify_affix, SIGMA_AFFIX_INSIDE},
    {"endswith", modify_affix, SIGMA_AFFIX_END},
    {"startswith", modify_affix, SIGMA_AFFIX_START},
    {"all", modify_all, 1},
    {"cased", modify_cased, 1},
    {"neq", modify_not, 1},
    {"windash", modify_windash, 0},
    {"re", load_modify_regex, 0},
    {"i", load_modify_regex_flag, SIGMA_REGEX_NOCASE},
    {"ignorecase", load_modify_regex_flag, SIGMA_REGEX_NOCASE},
    {"m", load_modify_regex_flag, SIGMA_REGEX_MULTILINE},
    {"multiline", load_modify_regex_flag, SIGMA_REGEX_MULTILINE},
    {"s", load_modify_regex_flag, SIGMA_REGEX_DOTALL},
    {"dotall", load_modify_regex_flag, SIGMA_REGEX_DOTALL},
    {"base64", modify_base64, 0},
    {"base64offset", modify_base64, 1},
    {"wide", modify_wide, LOAD_WIDE_LE},
    {"utf16le", modify_wide, LOAD_WIDE_LE},
    {"utf16be", modify_wide, LOAD_WIDE_BE},
    {"utf16", modify_wide, LOAD_WIDE_MARKED},
    {"lt", load_modify_compare, SIGMA_ORDER_LT},
    {"lte", load_modify_compare, SIGMA_ORDER_LTE},
    {"gt", load_modify_compare, SIGMA_ORDER_GT},
    {"gte", load_modify_compare, SIGMA_ORDER_GTE},
    {"minute", load_modify_clock, SIGMA_CLOCK_MINUTE},
    {"hour", load_modify_clock, SIGMA_CLOCK_HOUR},
    {"day", load_modify_clock, SIGMA_CLOCK_DAY},
    {"week", load_modify_clock, SIGMA_CLOCK_WEEK},
    {"month", load_modify_clock, SIGMA_CLOCK_MONTH},
    {"year", load_modify_clock, SIGMA_CLOCK_YEAR},
    {"cidr", load_modify_network, 0},
    {"exists", load_modify_exists, 0},
    {"expand", modify_expand, 0},
    {"fieldref", load_modify_field, 0},
};

static int modifier_unknown(struct sigma_loader *loader, const struct load_values *values,
                            struct str name)
{
    struct str names[ARRAY_LEN(modifiers_known)];
    struct str remedy;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        names[i] = str_from(modifiers_known[i].name);
    }
    remedy = load_suggest(loader, name, names, ARRAY_LEN(names));
    return load_refuse_at(loader, values->at, remedy.ptr, _("the modifier “%.*s” is not known"),
                          STR_ARG(str_slice(name, 0, 100)));
}

int load_modify(struct sigma_loader *loader, struct str modifiers, struct load_values *values)
{
    struct str name;
    size_t count = 0;

    while (str_cut(&modifiers, '|', &name)) {
        const struct modifier *modifier = NULL;
        int r;

        for (size_t i = 0; i < ARRAY_LEN(modifiers_known) && modifier == NULL; i++) {
            modifier = str_is_text(name, modifiers_known[i].name) ? &modifiers_known[i] : NULL;
        }
        if (modifier == NULL || ++count > MODIFIERS_MAX) {
            return modifier_unknown(loader, values, name);
        }
        r = modifier->fn(loader, modifier->argument, values);
        if (r < 0) {
            return r;
        }
        values->is_modified =
            values->is_modified || (modifier->fn != modify_all && modifier->fn != modify_cased &&
                                    modifier->fn != modify_not);
    }
    return 0;
}
