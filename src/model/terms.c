/* Neighbours: centre/api/search.c and cli/search.c ask, store/archive.h finds what may match. */
#include "model/terms.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

#define FOLD_ROOM  (64U << 10) /* of a value; what stands behind is not looked at */
#define NEEDLE_MIN 3           /* bytes; shorter ones choose nothing */
#define SPACES     " \t\r\n"

const struct term_alias term_aliases[] = {{"host", "host.name"},
                                          {"kind", "event.action"},
                                          {"user", "user.name"},
                                          {"file", "file.path"},
                                          {"exe", "process.executable"},
                                          {"cmd", "process.command_line"},
                                          {"pid", "process.pid"},
                                          {"log", "log.file.path"},
                                          {"format", "event.module"},
                                          {"entry", "event.original"},
                                          {}};

static bool is_space(char c)
{
    return memchr(SPACES, c, sizeof(SPACES) - 1) != NULL;
}

/* A term as it was typed, its quotes and negation taken off. */
struct typed {
    bool is_negated;
    bool is_quoted; /* what stands behind the field, or the whole */
    struct str field;
    struct str text;
};

/* Up to the closing quote; \" stands for a quote. */
static int take_quoted(struct str *rest, struct arena *arena, struct str *ret_text)
{
    char *out = arena_alloc(arena, rest->len + 1, 1);
    size_t len = 0;
    size_t at = 1;

    if (out == NULL) {
        return -ERR_NOMEM;
    }
    for (; at < rest->len && rest->ptr[at] != '"'; at++) {
        at += rest->ptr[at] == '\\' && at + 1 < rest->len && rest->ptr[at + 1] == '"' ? 1 : 0;
        out[len++] = rest->ptr[at];
    }
    if (at >= rest->len) {
        return -ERR_SYNTAX;
    }
    *rest = str_slice(*rest, at + 1, rest->len);
    *ret_text = str_of(out, len);
    return 0;
}

static struct str take_bare(struct str *rest)
{
    size_t len = 0;
    struct str text;

    while (len < rest->len && !is_space(rest->ptr[len])) {
        len++;
    }
    text = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return text;
}

/* Length of a field's name in front, with a colon behind it that begins no address; 0: none. */
static size_t field_length(struct str rest)
{
    size_t len = 0;

    while (len < rest.len &&
           ((rest.ptr[len] >= 'a' && rest.ptr[len] <= 'z') || rest.ptr[len] == '.' ||
            rest.ptr[len] == '_' || (len > 0 && rest.ptr[len] >= '0' && rest.ptr[len] <= '9'))) {
        len++;
    }
    if (len == 0 || len >= rest.len || rest.ptr[len] != ':' ||
        str_has_prefix(str_slice(rest, len + 1, rest.len), STR("//"))) {
        return 0;
    }
    return len;
}

/* 1: a term, 0: the end. */
static int take_typed(struct str *rest, struct arena *arena, struct typed *ret_typed)
{
    size_t len;

    *ret_typed = (struct typed){0};
    *rest = str_trim(*rest);
    if (str_has_prefix(*rest, STR("NOT")) && (rest->len == 3 || is_space(rest->ptr[3]))) {
        ret_typed->is_negated = true;
        *rest = str_trim(str_slice(*rest, 3, rest->len));
    } else if (rest->len > 1 && rest->ptr[0] == '-' && !is_space(rest->ptr[1])) {
        ret_typed->is_negated = true;
        *rest = str_slice(*rest, 1, rest->len);
    }
    if (rest->len == 0) {
        return ret_typed->is_negated ? -ERR_SYNTAX : 0;
    }
    len = field_length(*rest);
    if (len != 0) {
        ret_typed->field = str_slice(*rest, 0, len);
        *rest = str_slice(*rest, len + 1, rest->len);
    }
    if (rest->len != 0 && rest->ptr[0] == '"') {
        int r = take_quoted(rest, arena, &ret_typed->text);

        ret_typed->is_quoted = true;
        return r < 0 ? r : 1;
    }
    ret_typed->text = take_bare(rest);
    return 1;
}

static struct str folded(struct str text, struct arena *arena)
{
    size_t size = text.len * 2 + 1;
    char *out = arena_alloc(arena, size, 1);
    size_t len;

    if (out == NULL) {
        return (struct str){0};
    }
    len = utf8_fold(text, out, size);
    return str_of(out, len < size ? len : size - 1);
}

static struct str field_known(struct str name)
{
    for (const struct term_alias *alias = term_aliases; alias->name != NULL; alias++) {
        if (str_is_text(name, alias->name)) {
            return str_from(alias->field);
        }
    }
    return name;
}

static int term_set_field(struct term *term, struct str name, struct diag *diag)
{
    struct str known = field_known(name);

    if (name.len == 0) {
        term->field = TERM_FIELD_ANY;
    } else if (str_is_text(known, "host.name")) {
        term->field = TERM_FIELD_HOST;
    } else if (str_is_text(known, "event.action")) {
        term->field = TERM_FIELD_KIND;
    } else if (event_field_parse(known, &term->id)) {
        term->field = TERM_FIELD_EVENT;
    } else {
        return diag_set(diag, -ERR_NOENT,
                        _("there is no field '%.*s'; put quotes around a word with a colon in it, "
                          "or name a field such as host, user, file, cmd, log"),
                        STR_ARG(name));
    }
    return 0;
}

static struct str take_relation(struct str text, enum term_relation *ret_relation)
{
    static const struct {
        const char *sign;
        enum term_relation relation;
    } signs[] = {{">=", TERM_RELATION_GTE},
                 {"<=", TERM_RELATION_LTE},
                 {">", TERM_RELATION_GT},
                 {"<", TERM_RELATION_LT}};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (str_has_prefix(text, str_from(signs[i].sign))) {
            *ret_relation = signs[i].relation;
            return str_slice(text, strlen(signs[i].sign), text.len);
        }
    }
    *ret_relation = TERM_RELATION_EQ;
    return text;
}

static int term_set_number(struct term *term, const struct typed *typed, struct diag *diag)
{
    struct str text = take_relation(typed->text, &term->relation);

    if (str_to_i64(text, &term->number) < 0) {
        return diag_set(diag, -ERR_SYNTAX, _("'%.*s' holds numbers; write %.*s:>10 or %.*s:5"),
                        STR_ARG(typed->field), STR_ARG(typed->field), STR_ARG(typed->field));
    }
    return 0;
}

static int term_set(struct term *term, const struct typed *typed, struct arena *arena,
                    struct diag *diag)
{
    int r = term_set_field(term, typed->field, diag);

    *term = (struct term){.is_negated = typed->is_negated, .field = term->field, .id = term->id};
    if (r < 0) {
        return r;
    }
    if (typed->text.len == 0) {
        return typed->field.len == 0
                   ? -ERR_SYNTAX
                   : diag_set(diag, -ERR_SYNTAX,
                              _("nothing stands behind '%.*s:': write what it should hold"),
                              STR_ARG(typed->field));
    }
    if (term->field == TERM_FIELD_EVENT && event_field_type(term->id) == EVENT_VALUE_NUMBER) {
        return term_set_number(term, typed, diag);
    }
    term->relation = term->field == TERM_FIELD_ANY ? TERM_RELATION_HOLDS : TERM_RELATION_LIKE;
    term->text = folded(typed->text, arena);
    return term->text.ptr == NULL ? -ERR_NOMEM : 0;
}

int terms_parse(struct str typed, struct arena *arena, struct terms *ret_terms, struct diag *diag)
{
    struct typed term;
    int r = 0;

    ret_terms->count = 0;
    if (typed.len > TERMS_TEXT_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("what is searched for has at most %d bytes"),
                        TERMS_TEXT_MAX);
    }
    while ((r = take_typed(&typed, arena, &term)) == 1) {
        if (ret_terms->count == TERMS_MAX) {
            return diag_set(diag, -ERR_LIMIT, _("a search has at most %d terms"), TERMS_MAX);
        }
        r = term_set(&ret_terms->list[ret_terms->count], &term, arena, diag);
        if (r < 0) {
            return r;
        }
        ret_terms->count++;
    }
    return r == -ERR_SYNTAX
               ? diag_set(diag, r,
                          _("a quote is not closed or holds nothing, or nothing stands behind NOT"))
               : r;
}

/* Whether text with * and ? (folded, by bytes) is the whole value. */
static bool is_like(struct str pattern, struct str value)
{
    size_t at = 0;
    size_t star = SIZE_MAX;
    size_t resume = 0;
    size_t i = 0;

    while (i < value.len) {
        if (at < pattern.len && pattern.ptr[at] == '*') {
            star = ++at;
            resume = i;
        } else if (at < pattern.len &&
                   (pattern.ptr[at] == '?' || pattern.ptr[at] == value.ptr[i])) {
            at++;
            i++;
        } else if (star != SIZE_MAX) {
            at = star;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.ptr[at] == '*') {
        at++;
    }
    return at == pattern.len;
}

static bool term_holds_text(const struct term *term, struct str value)
{
    char room[FOLD_ROOM];
    size_t len = utf8_fold(value, room, sizeof(room));
    struct str text = str_of(room, len < sizeof(room) ? len : sizeof(room) - 1);

    if (term->relation == TERM_RELATION_LIKE) {
        return is_like(term->text, text);
    }
    return str_find(text, term->text) < text.len || term->text.len == 0;
}

static bool term_holds_number(const struct term *term, int64_t number)
{
    switch (term->relation) {
    case TERM_RELATION_LT:
        return number < term->number;
    case TERM_RELATION_LTE:
        return number <= term->number;
    case TERM_RELATION_GT:
        return number > term->number;
    case TERM_RELATION_GTE:
        return number >= term->number;
    case TERM_RELATION_HOLDS:
    case TERM_RELATION_LIKE:
    case TERM_RELATION_EQ:
    default:
        return number == term->number;
    }
}

static bool term_holds_anywhere(const struct term *term, const struct event *event)
{
    for (size_t i = 0; i < event->field_count; i++) {
        if (event_field_type(event->fields[i].id) == EVENT_VALUE_TEXT &&
            term_holds_text(term, event->fields[i].text)) {
            return true;
        }
    }
    return false;
}

static bool term_holds(const struct term *term, const struct event *event, struct str host)
{
    const struct event_field *field;

    switch (term->field) {
    case TERM_FIELD_ANY:
        return term_holds_anywhere(term, event);
    case TERM_FIELD_HOST:
        return term_holds_text(term, host);
    case TERM_FIELD_KIND:
        return term_holds_text(term, str_from(event_kind_name(event->kind)));
    case TERM_FIELD_EVENT:
    default:
        field = event_find(event, term->id);
        return field != NULL && (event_field_type(term->id) == EVENT_VALUE_NUMBER
                                     ? term_holds_number(term, field->number)
                                     : term_holds_text(term, field->text));
    }
}

bool terms_match(const struct terms *terms, const struct event *event, struct str host)
{
    for (size_t i = 0; i < terms->count; i++) {
        if (term_holds(&terms->list[i], event, host) == terms->list[i].is_negated) {
            return false;
        }
    }
    return true;
}

/* The parts of a text between spaces and wildcards, each of which every match holds. */
static void needles_put(struct str text, bool has_wildcards, struct buf *buf)
{
    size_t from = 0;

    for (size_t i = 0; i <= text.len; i++) {
        bool is_end = i == text.len || is_space(text.ptr[i]) ||
                      (has_wildcards && (text.ptr[i] == '*' || text.ptr[i] == '?'));

        if (is_end && i - from >= NEEDLE_MIN) {
            buf_put_byte(buf, ' ');
            buf_put_str(buf, str_slice(text, from, i));
        }
        from = is_end ? i + 1 : from;
    }
}

static bool term_is_in_archive(const struct term *term)
{
    return !term->is_negated &&
           (term->field == TERM_FIELD_ANY ||
            (term->field == TERM_FIELD_EVENT && event_field_type(term->id) == EVENT_VALUE_TEXT));
}

void terms_put_needles(const struct terms *terms, struct buf *buf)
{
    for (size_t i = 0; i < terms->count; i++) {
        if (term_is_in_archive(&terms->list[i])) {
            needles_put(terms->list[i].text, terms->list[i].relation == TERM_RELATION_LIKE, buf);
        }
    }
}
