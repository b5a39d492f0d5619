/* Checks values against their rows. Neighbours: api/http.c and core/request.c hand in what came,
 * handlers read what is left. Invariant: a value that is given has passed its row's type and
 * limits, and all text is valid UTF-8 without NUL. Pure. */
#include "centre/argument.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"
#include "codec/cbor.h"

void arguments_init(struct arguments *arguments, const struct argument *rows)
{
    memset(arguments, 0, sizeof(*arguments));
    arguments->rows = rows;
}

static size_t arguments_find(const struct arguments *arguments, struct str name)
{
    size_t at = 0;

    if (arguments->rows == NULL) {
        return ARGUMENTS_MAX;
    }
    while (arguments->rows[at].name != NULL) {
        if (str_is_text(name, arguments->rows[at].name)) {
            return at;
        }
        at++;
    }
    return ARGUMENTS_MAX;
}

/* Names what there is instead: the reader need not look it up. */
static int argument_unknown(struct arguments *arguments, enum argument_place place, struct str name,
                            struct diag *diag)
{
    char known[256] = "";
    size_t len = 0;

    arguments->wrong = name;
    for (const struct argument *row = arguments->rows; row != NULL && row->name != NULL; row++) {
        if (row->place == place && len < sizeof(known)) {
            len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", len == 0 ? "" : ", ",
                                    row->name);
        }
    }
    return len == 0 ? diag_set(diag, -ERR_NOENT, _("'%.*s' is not known here: leave it out"),
                               STR_ARG(name))
                    : diag_set(diag, -ERR_NOENT, _("'%.*s' is not known here; known are %s"),
                               STR_ARG(name), known);
}

static bool argument_is_choice(const struct argument *row, struct str text)
{
    struct str rest = str_from(row->choices);
    struct str word;

    while (str_cut(&rest, '|', &word)) {
        if (str_is(word, text)) {
            return true;
        }
    }
    return false;
}

static int argument_take_text(const struct argument *row, struct str text, struct diag *diag)
{
    if (row->type == ARGUMENT_TYPE_CHOICE) {
        return argument_is_choice(row, text)
                   ? 0
                   : diag_set(diag, -ERR_RANGE, _("'%s' must be one of %s"), row->name,
                              row->choices);
    }
    if (!utf8_is_valid(text) || str_find_byte(text, '\0') != text.len) {
        return diag_set(diag, -ERR_SYNTAX, _("'%s' is not valid UTF-8 text"), row->name);
    }
    if (text.len < (size_t)row->minimum || text.len > (size_t)row->maximum) {
        return diag_set(diag, -ERR_RANGE, _("'%s' must have %lld to %lld bytes"), row->name,
                        (long long)row->minimum, (long long)row->maximum);
    }
    return 0;
}

static int argument_take_number(const struct argument *row, int64_t number, struct diag *diag)
{
    if (number < row->minimum || number > row->maximum) {
        return diag_set(diag, -ERR_RANGE, _("'%s' must lie between %lld and %lld"), row->name,
                        (long long)row->minimum, (long long)row->maximum);
    }
    return 0;
}

static int argument_wrong_type(const struct argument *row, struct diag *diag)
{
    if (row->type == ARGUMENT_TYPE_NUMBER) {
        return diag_set(diag, -ERR_SYNTAX, _("'%s' must be a whole number"), row->name);
    }
    if (row->type == ARGUMENT_TYPE_BOOL) {
        return diag_set(diag, -ERR_SYNTAX, _("'%s' must be true or false"), row->name);
    }
    if (row->type == ARGUMENT_TYPE_ID) {
        return diag_set(diag, -ERR_SYNTAX, _("'%s' must be an id"), row->name);
    }
    return diag_set(diag, -ERR_SYNTAX, _("'%s' must be text"), row->name);
}

/* Fills the typed members of a value whose text is there. */
static int argument_parse(const struct argument *row, struct argument_value *value,
                          struct diag *diag)
{
    switch (row->type) {
    case ARGUMENT_TYPE_NUMBER:
        if (str_to_i64(value->text, &value->number) < 0) {
            return argument_wrong_type(row, diag);
        }
        return argument_take_number(row, value->number, diag);
    case ARGUMENT_TYPE_BOOL:
        value->flag = str_is_text(value->text, "true");
        if (!value->flag && !str_is_text(value->text, "false")) {
            return argument_wrong_type(row, diag);
        }
        return 0;
    case ARGUMENT_TYPE_ID:
        return id_parse(value->text, &value->id) < 0 ? argument_wrong_type(row, diag) : 0;
    case ARGUMENT_TYPE_TEXT:
    case ARGUMENT_TYPE_SECRET:
    case ARGUMENT_TYPE_CHOICE:
    case ARGUMENT_TYPE_COUNT:
    default:
        return argument_take_text(row, value->text, diag);
    }
}

int arguments_set(struct arguments *arguments, enum argument_place place, struct str name,
                  struct str text, struct diag *diag)
{
    size_t at = arguments_find(arguments, name);
    struct argument_value value = {.is_given = true, .text = text};
    int r;

    if (at == ARGUMENTS_MAX || arguments->rows[at].place != place) {
        return argument_unknown(arguments, place, name, diag);
    }
    arguments->wrong = name;
    if (arguments->values[at].is_given) {
        return diag_set(diag, -ERR_DUPLICATE, _("'%.*s' was given twice"), STR_ARG(name));
    }
    r = argument_parse(&arguments->rows[at], &value, diag);
    if (r == 0) {
        arguments->values[at] = value;
        arguments->wrong = STR("");
    }
    return r;
}

static int argument_take_json(const struct argument *row, const struct json_value *member,
                              struct argument_value *value, struct diag *diag)
{
    if (row->type == ARGUMENT_TYPE_NUMBER) {
        if (member->type != JSON_TYPE_NUMBER || !member->is_integer) {
            return argument_wrong_type(row, diag);
        }
        value->number = member->integer;
        return argument_take_number(row, value->number, diag);
    }
    if (row->type == ARGUMENT_TYPE_BOOL) {
        value->flag = member->boolean;
        return member->type == JSON_TYPE_BOOL ? 0 : argument_wrong_type(row, diag);
    }
    if (member->type != JSON_TYPE_STRING) {
        return argument_wrong_type(row, diag);
    }
    value->text = member->string;
    return argument_parse(row, value, diag);
}

int arguments_set_json(struct arguments *arguments, const struct json_value *object,
                       struct diag *diag)
{
    if (object->type != JSON_TYPE_OBJECT) {
        return diag_set(diag, -ERR_SYNTAX, _("the body must be a JSON object"));
    }
    for (const struct json_value *member = object->first; member != NULL; member = member->next) {
        size_t at = arguments_find(arguments, member->key);
        struct argument_value value = {.is_given = true};
        int r;

        if (at == ARGUMENTS_MAX || arguments->rows[at].place != ARGUMENT_PLACE_BODY) {
            return argument_unknown(arguments, ARGUMENT_PLACE_BODY, member->key, diag);
        }
        arguments->wrong = member->key;
        r = argument_take_json(&arguments->rows[at], member, &value, diag);
        if (r < 0) {
            return r;
        }
        arguments->values[at] = value;
    }
    arguments->wrong = STR("");
    return 0;
}

int arguments_check(struct arguments *arguments, struct diag *diag)
{
    for (size_t i = 0; arguments->rows != NULL && arguments->rows[i].name != NULL; i++) {
        if (arguments->rows[i].is_required && !arguments->values[i].is_given) {
            arguments->wrong = str_from(arguments->rows[i].name);
            return diag_set(diag, -ERR_INVAL, _("'%s' is missing"), arguments->rows[i].name);
        }
    }
    return 0;
}

void arguments_encode(const struct arguments *arguments, struct buf *buf)
{
    size_t count = 0;

    for (size_t i = 0; i < ARGUMENTS_MAX; i++) {
        count += arguments->values[i].is_given ? 1 : 0;
    }
    cbor_put_map(buf, count);
    for (size_t i = 0; i < ARGUMENTS_MAX; i++) {
        const struct argument_value *value = &arguments->values[i];

        if (!value->is_given) {
            continue;
        }
        cbor_put_text(buf, str_from(arguments->rows[i].name));
        if (arguments->rows[i].type == ARGUMENT_TYPE_NUMBER) {
            cbor_put_i64(buf, value->number);
        } else if (arguments->rows[i].type == ARGUMENT_TYPE_BOOL) {
            cbor_put_bool(buf, value->flag);
        } else {
            cbor_put_text(buf, value->text);
        }
    }
}

static int argument_decode(const struct argument *row, struct cbor_reader *reader,
                           struct argument_value *value, struct diag *diag)
{
    value->is_given = true;
    if (row->type == ARGUMENT_TYPE_NUMBER) {
        value->number = cbor_get_i64(reader);
        return reader->error < 0 ? argument_wrong_type(row, diag)
                                 : argument_take_number(row, value->number, diag);
    }
    if (row->type == ARGUMENT_TYPE_BOOL) {
        value->flag = cbor_get_bool(reader);
        return reader->error < 0 ? argument_wrong_type(row, diag) : 0;
    }
    value->text = cbor_get_text(reader);
    return reader->error < 0 ? argument_wrong_type(row, diag) : argument_parse(row, value, diag);
}

int arguments_decode(struct arguments *arguments, struct str bytes, struct diag *diag)
{
    struct cbor_reader reader;
    size_t count;
    int r;

    cbor_open(&reader, bytes);
    count = cbor_get_map(&reader);
    for (size_t i = 0; i < count; i++) {
        struct str name = cbor_get_text(&reader);
        size_t at = arguments_find(arguments, name);

        if (at == ARGUMENTS_MAX) {
            return argument_unknown(arguments, ARGUMENT_PLACE_BODY, name, diag);
        }
        if (arguments->values[at].is_given) {
            return diag_set(diag, -ERR_DUPLICATE, _("'%.*s' was given twice"), STR_ARG(name));
        }
        r = argument_decode(&arguments->rows[at], &reader, &arguments->values[at], diag);
        if (r < 0) {
            return r;
        }
    }
    r = cbor_close(&reader);
    return r < 0 ? r : arguments_check(arguments, diag);
}

const struct argument_value *arguments_get(const struct arguments *arguments, const char *name)
{
    static const struct argument_value none;
    size_t at = arguments_find(arguments, str_from(name));

    return at == ARGUMENTS_MAX ? &none : &arguments->values[at];
}

struct str arguments_text(const struct arguments *arguments, const char *name)
{
    return arguments_get(arguments, name)->text;
}

int64_t arguments_number(const struct arguments *arguments, const char *name, int64_t fallback)
{
    const struct argument_value *value = arguments_get(arguments, name);

    return value->is_given ? value->number : fallback;
}

bool arguments_flag(const struct arguments *arguments, const char *name, bool fallback)
{
    const struct argument_value *value = arguments_get(arguments, name);

    return value->is_given ? value->flag : fallback;
}

static void argument_write_choices(struct str choices, struct json_writer *json)
{
    struct str word;

    json_add_array(json, "enum");
    while (str_cut(&choices, '|', &word)) {
        json_put_str(json, word);
    }
    json_close_array(json);
}

static void argument_write_text_limits(const struct argument *row, struct json_writer *json)
{
    json_add_i64(json, "minLength", row->minimum);
    json_add_i64(json, "maxLength", row->maximum);
    if (row->type == ARGUMENT_TYPE_SECRET) {
        json_add_text(json, "format", "password");
    }
}

void argument_write_schema(const struct argument *row, struct json_writer *json)
{
    static const char *const types[] = {
        [ARGUMENT_TYPE_TEXT] = "string",    [ARGUMENT_TYPE_SECRET] = "string",
        [ARGUMENT_TYPE_NUMBER] = "integer", [ARGUMENT_TYPE_BOOL] = "boolean",
        [ARGUMENT_TYPE_ID] = "string",      [ARGUMENT_TYPE_CHOICE] = "string",
    };

    json_open_object(json);
    json_add_text(json, "type", types[row->type]);
    if (row->type == ARGUMENT_TYPE_CHOICE) {
        argument_write_choices(str_from(row->choices), json);
    } else if (row->type == ARGUMENT_TYPE_NUMBER) {
        json_add_i64(json, "minimum", row->minimum);
        json_add_i64(json, "maximum", row->maximum);
    } else if (row->type == ARGUMENT_TYPE_ID) {
        json_add_text(json, "format", "uuid");
    } else if (row->type != ARGUMENT_TYPE_BOOL) {
        argument_write_text_limits(row, json);
    }
    json_add_text(json, "description", row->summary);
    json_close_object(json);
}

void arguments_write_schema(const struct argument *rows, struct json_writer *json)
{
    json_open_object(json);
    json_add_text(json, "type", "object");
    json_add_bool(json, "additionalProperties", false);
    json_add_object(json, "properties");
    for (const struct argument *row = rows; row->name != NULL; row++) {
        if (row->place == ARGUMENT_PLACE_BODY) {
            json_put_key(json, row->name);
            argument_write_schema(row, json);
        }
    }
    json_close_object(json);
    json_add_array(json, "required");
    for (const struct argument *row = rows; row->name != NULL; row++) {
        if (row->place == ARGUMENT_PLACE_BODY && row->is_required) {
            json_put_text(json, row->name);
        }
    }
    json_close_array(json);
    json_close_object(json);
}

bool arguments_has_place(const struct argument *rows, enum argument_place place)
{
    for (const struct argument *row = rows; row != NULL && row->name != NULL; row++) {
        if (row->place == place) {
            return true;
        }
    }
    return false;
}
