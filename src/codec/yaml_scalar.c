/* What a plain scalar is: YAML 1.2.2, clause 10.3.2 (core schema). */
#include "codec/yaml.h"

#include "base/banned.h"
#include "base/cleanup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 64

static bool is_one_of(struct str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(text, words[i])) {
            return true;
        }
    }
    return false;
}

static size_t digits(struct str text, size_t at)
{
    size_t from = at;

    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
        at++;
    }
    return at - from;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* 0x… and 0o… */
static bool scalar_based(struct yaml_value *value)
{
    struct str text = value->text;
    int base = str_has_prefix(text, STR("0x")) ? 16 : 8;
    int64_t number = 0;

    if (text.len < 3 || (base == 8 && !str_has_prefix(text, STR("0o")))) {
        return false;
    }
    for (size_t i = 2; i < text.len; i++) {
        int digit = digit_value(text.ptr[i]);

        if (digit >= base || number > (INT64_MAX - digit) / base) {
            return false;
        }
        number = number * base + digit;
    }
    value->type = YAML_TYPE_INT;
    value->integer = number;
    value->number = (double)number;
    return true;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(struct str text)
{
    size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
    size_t whole = digits(text, at);
    size_t part = 0;

    at += whole;
    if (at < text.len && text.ptr[at] == '.') {
        part = digits(text, at + 1);
        at += 1 + part;
    }
    if (whole + part == 0) {
        return false;
    }
    if (at < text.len && (text.ptr[at] | 0x20) == 'e') {
        size_t power;

        at++;
        at += at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+') ? 1 : 0;
        power = digits(text, at);
        at += power;
        return power != 0 && at == text.len;
    }
    return at == text.len;
}

static void scalar_number(struct yaml_value *value)
{
    char copy[NUMBER_MAX + 1];
    struct str text = value->text;
    double number;
    struct str bare = text.len != 0 && text.ptr[0] == '+' ? str_slice(text, 1, text.len) : text;

    if (str_to_i64(bare, &value->integer) == 0) {
        value->type = YAML_TYPE_INT;
        value->number = (double)value->integer;
        return;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    number = strtod(copy, NULL);
    if (isfinite(number)) {
        value->number = number;
        value->type = YAML_TYPE_FLOAT;
    }
}

void yaml_scalar(struct yaml_value *value)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const truths[] = {"true", "True", "TRUE"};
    static const char *const lies[] = {"false", "False", "FALSE"};
    struct str text = value->text;

    value->type = YAML_TYPE_STRING;
    if (text.len > NUMBER_MAX) {
        return;
    }
    if (is_one_of(text, nulls, ARRAY_LEN(nulls))) {
        value->type = YAML_TYPE_NULL;
    } else if (is_one_of(text, truths, ARRAY_LEN(truths))) {
        value->type = YAML_TYPE_BOOL;
        value->boolean = true;
    } else if (is_one_of(text, lies, ARRAY_LEN(lies))) {
        value->type = YAML_TYPE_BOOL;
    } else if (!scalar_based(value) && is_float(text)) {
        scalar_number(value);
    }
}
