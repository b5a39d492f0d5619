/* Modifiers that make something else of a value than text: regexes, numbers, parts of a time,
 * networks, presence, other fields. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"
#include "detect/sigma/value.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <math.h>

/* ---- regexes ---- */

/* Look-around and back references cannot be judged in bounded time. */
static bool has_look_around(struct str regex)
{
    bool is_class = false;

    for (size_t at = 0; at < regex.len; at++) {
        char c = regex.ptr[at];
        struct str rest = str_slice(regex, at, regex.len);

        if (c == '\\') {
            at++;
            if (!is_class && at < regex.len && regex.ptr[at] >= '1' && regex.ptr[at] <= '9') {
                return true;
            }
        } else if (is_class) {
            is_class = c != ']';
        } else if (c == '[') {
            is_class = true;
            if (str_has_prefix(rest, STR("[^]"))) {
                at += 2; /* a bracket in front is none that closes */
            } else if (str_has_prefix(rest, STR("[]"))) {
                at++;
            }
        } else if (str_has_prefix(rest, STR("(?=")) || str_has_prefix(rest, STR("(?!")) ||
                   str_has_prefix(rest, STR("(?<=")) || str_has_prefix(rest, STR("(?<!"))) {
            return true;
        }
    }
    return false;
}

static int regex_check(struct sigma_loader *loader, const struct load_values *values,
                       struct str regex)
{
    PCRE2_UCHAR message[128] = {0};
    PCRE2_SIZE at = 0;
    int error = 0;
    pcre2_code *code;

    if (has_look_around(regex)) {
        return load_refuse_at(loader, values->at,
                              _("write what must not be there as a filter with “and not”"),
                              _("regexes with look-around or back references are not taken"));
    }
    code = pcre2_compile((PCRE2_SPTR)(regex.ptr != NULL ? regex.ptr : ""), regex.len,
                         PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at,
                         NULL);
    if (code != NULL) {
        pcre2_code_free(code);
        return 0;
    }
    if (error == PCRE2_ERROR_HEAP_FAILED) {
        return -ERR_NOMEM;
    }
    (void)pcre2_get_error_message(error, message, sizeof(message));
    return load_refuse_at(
        loader, values->at, _("mend it, or put a backslash before a sign that stands for itself"),
        _("the regex is broken at its character %zu: %s"), at + 1, (const char *)message);
}

int load_modify_regex(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)argument;
    if (values->is_modified) {
        return load_wrong_order(loader, values, "re");
    }
    for (size_t i = 0; i < values->count; i++) {
        struct load_value *value = &values->items[i];
        int r = value->kind > LOAD_BOOL ? load_wrong_value(loader, values, value, _("a regex"))
                                        : regex_check(loader, values, value->text);

        if (r < 0) {
            return r;
        }
        value->kind = LOAD_REGEX;
    }
    return 0;
}

int load_modify_regex_flag(struct sigma_loader *loader, int argument, struct load_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        if (values->items[i].kind != LOAD_REGEX) {
            return load_refuse_at(loader, values->at, _("put “re” in front of it"),
                                  _("“i”, “m” and “s” are flags of a regex"));
        }
        values->items[i].regex_flags |= (unsigned)argument;
    }
    return 0;
}

/* ---- numbers and times ---- */

static int clock_span(enum sigma_clock clock, int *ret_first)
{
    static const int firsts[] = {0, 0, 1, 1, 1, 1970};
    static const int lasts[] = {59, 23, 31, 53, 12, 2262};

    *ret_first = firsts[clock];
    return lasts[clock];
}

int load_wrong_time(struct sigma_loader *loader, const struct load_values *values)
{
    return load_refuse_at(
        loader, values->at,
        _("minutes go from 0 to 59, hours to 23; days from 1 to 31, weeks to 53, months to 12"),
        _("no time can ever be so"));
}

bool load_is_time(const struct load_value *value)
{
    int first;
    int last = clock_span(value->clock, &first);

    return value->number >= first && value->number <= last;
}

static bool order_holds(enum sigma_order order, double a, double b)
{
    switch (order) {
    case SIGMA_ORDER_LT:
        return a < b;
    case SIGMA_ORDER_LTE:
        return a <= b;
    case SIGMA_ORDER_GT:
        return a > b;
    case SIGMA_ORDER_GTE:
        return a >= b;
    }
    return false;
}

/* "hour|gte: 22" as the hours that it names: a part of a time has few values. */
static int clock_order(struct sigma_loader *loader, enum sigma_order order,
                       struct load_values *values)
{
    struct load_value bound = values->items[0];
    int first;
    int last = clock_span(bound.clock, &first);

    if (values->count != 1) {
        return load_refuse_at(loader, values->at, _("write a single number"),
                              _("a comparison takes one number"));
    }
    values->count = 0;
    for (int number = first; number <= last; number++) {
        struct load_value *value;

        if (!order_holds(order, number, bound.number)) {
            continue;
        }
        value = load_values_add(loader, values);
        if (value == NULL) {
            return -ERR_NOMEM;
        }
        *value = bound;
        value->number = number;
    }
    return values->count != 0 ? 0 : load_wrong_time(loader, values);
}

int load_modify_compare(struct sigma_loader *loader, int argument, struct load_values *values)
{
    if (values->items[0].kind == LOAD_TIME) {
        return clock_order(loader, (enum sigma_order)argument, values);
    }
    for (size_t i = 0; i < values->count; i++) {
        struct load_value *value = &values->items[i];
        bool is_number =
            value->kind == LOAD_NUMBER ||
            (value->kind == LOAD_TEXT && sigma_value_number(value->text, &value->number));

        if (!is_number || values->is_modified) {
            return load_wrong_value(loader, values, value, _("a number"));
        }
        value->kind = LOAD_COMPARE;
        value->order = (enum sigma_order)argument;
    }
    return 0;
}

int load_modify_clock(struct sigma_loader *loader, int argument, struct load_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        struct load_value *value = &values->items[i];

        if (value->kind != LOAD_NUMBER || value->number != floor(value->number)) {
            return load_wrong_value(loader, values, value, _("a whole number"));
        }
        value->kind = LOAD_TIME;
        value->clock = (enum sigma_clock)argument;
    }
    return 0;
}

/* ---- networks, presence, other fields ---- */

int load_modify_network(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)argument;
    for (size_t i = 0; i < values->count; i++) {
        struct load_value *value = &values->items[i];

        if (value->kind != LOAD_TEXT || values->is_modified ||
            !network_parse(value->text, &value->network)) {
            return load_wrong_value(loader, values, value,
                                    _("a network such as 10.0.0.0/8 or fe80::/10"));
        }
        value->kind = LOAD_NETWORK;
    }
    return 0;
}

int load_modify_exists(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)argument;
    if (values->count != 1 || values->items[0].kind != LOAD_BOOL || values->is_modified) {
        return load_refuse_at(loader, values->at, _("write “field|exists: true”"),
                              _("“exists” takes true or false, and no other modifier"));
    }
    values->items[0].kind = LOAD_EXISTS;
    return 0;
}

/* The other field's name; affixes may stand before it or behind. */
int load_modify_field(struct sigma_loader *loader, int argument, struct load_values *values)
{
    (void)argument;
    for (size_t i = 0; i < values->count; i++) {
        struct load_value *value = &values->items[i];
        bool is_front;
        bool is_behind;

        if (value->kind != LOAD_TEXT || value->text.len == 0) {
            return load_wrong_value(loader, values, value, _("the name of a field"));
        }
        is_front = value->parts[0].kind == SIGMA_PART_ANY && value->text.ptr[0] != '*';
        is_behind = value->parts[value->part_count - 1].kind == SIGMA_PART_ANY &&
                    value->text.ptr[value->text.len - 1] != '*';
        value->kind = LOAD_FIELD;
        if (is_front) {
            value->affix = is_behind ? SIGMA_AFFIX_INSIDE : SIGMA_AFFIX_END;
        } else {
            value->affix = is_behind ? SIGMA_AFFIX_START : SIGMA_AFFIX_WHOLE;
        }
    }
    return 0;
}
