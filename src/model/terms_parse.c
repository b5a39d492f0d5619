/* Reads what was typed, one sign after the other; negations are carried down to the terms on the
 * way. Neighbours: model/terms.c judges by what comes out. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"
#include "model/terms.h"

#include <string.h>

#define SPACES    " \t\r\n"
#define PLACE_MAX 24 /* bytes of a word that an error quotes */

const struct term_alias term_aliases[] = {
#define ALIAS(name, field) {name, field},
#include "model/term_aliases.def"
#undef ALIAS
    {}};

static const struct term_alias ecs_names[] = {
#define ECS(field, name) {name, field},
#include "model/term_ecs.def"
#undef ECS
    {}};

struct parser {
    struct str rest;
    struct arena *arena;
    struct terms *terms;
    struct diag *diag;
    struct str term; /* the one in hand, and what stands behind it */
    unsigned open;   /* parentheses */
};

/* A term as it was typed, its quotes taken off. */
struct typed {
    struct str field;
    struct str text;
};

static bool is_space(char c)
{
    return memchr(SPACES, c, sizeof(SPACES) - 1) != NULL;
}

/* The word in front, or as much of a long one as is enough to find it. */
static struct str front_word(struct str text)
{
    size_t len = 0;

    while (len < text.len && len < PLACE_MAX && !is_space(text.ptr[len])) {
        len++;
    }
    while (len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len++; /* to the end of a letter */
    }
    return str_slice(text, 0, len);
}

static struct str last_word(struct str text)
{
    size_t from = text.len;

    while (from != 0 && !is_space(text.ptr[from - 1])) {
        from--;
    }
    return str_slice(text, from, text.len);
}

/* at: what was typed from where it went wrong on; empty: it ended too soon. */
static int refuse(struct parser *parser, const char *why, struct str at)
{
    struct str typed = parser->terms->typed;
    struct str word = front_word(at);
    size_t place = 1;

    if (at.len == 0) {
        word = last_word(typed);
        return diag_set(parser->diag, -ERR_SYNTAX, _("%s: at the end, behind '%.*s'"), why,
                        STR_ARG(word));
    }
    for (const char *sign = typed.ptr; sign < at.ptr; sign++) {
        place += ((unsigned char)*sign & 0xc0) != 0x80;
    }
    return diag_set(parser->diag, -ERR_SYNTAX, _("%s: at '%.*s', character %zu"), why,
                    STR_ARG(word), place);
}

/* ---- words */

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

/* Up to a space, or to the parenthesis that closes one in front of the word. */
static struct str take_bare(struct parser *parser)
{
    struct str *rest = &parser->rest;
    unsigned own = 0;
    size_t len = 0;
    struct str text;

    for (; len < rest->len && !is_space(rest->ptr[len]); len++) {
        if (rest->ptr[len] == ')' && own == 0 && parser->open != 0) {
            break;
        }
        own += rest->ptr[len] == '(' ? 1U : 0U;
        own -= rest->ptr[len] == ')' && own != 0 ? 1U : 0U;
    }
    text = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return text;
}

static bool is_name_sign(char c, bool is_first)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@';

    return is_letter || (!is_first && ((c >= '0' && c <= '9') || c == '.' || c == '-'));
}

/* Length of a field's name in front, with a colon behind it that begins no address and no path of
 * Windows; 0: none. */
static size_t field_length(struct str rest)
{
    size_t len = 0;
    struct str behind;

    while (len < rest.len && is_name_sign(rest.ptr[len], len == 0)) {
        len++;
    }
    if (len == 0 || len >= rest.len || len > ENTRY_NAME_MAX || rest.ptr[len] != ':') {
        return 0;
    }
    behind = str_slice(rest, len + 1, rest.len);
    return str_has_prefix(behind, STR("//")) || (len == 1 && str_has_prefix(behind, STR("\\"))) ||
                   (str_has_prefix(behind, STR(":")) && !str_has_prefix(behind, STR("::")))
               ? 0
               : len;
}

static int take_typed(struct parser *parser, struct typed *ret_typed)
{
    size_t len = field_length(parser->rest);

    *ret_typed = (struct typed){0};
    if (len != 0) {
        ret_typed->field = str_slice(parser->rest, 0, len);
        parser->rest = str_slice(parser->rest, len + 1, parser->rest.len);
    }
    if (parser->rest.len == 0 || parser->rest.ptr[0] != '"') {
        ret_typed->text = take_bare(parser);
        return 0;
    }
    if (take_quoted(&parser->rest, parser->arena, &ret_typed->text) < 0) {
        return refuse(parser, _("a quote is not closed"), parser->rest);
    }
    return 0;
}

/* ---- terms */

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

/* Rows of one name stand together. */
static void term_set_own(struct term *term, struct str known)
{
    for (const struct term_alias *row = ecs_names; row->name != NULL; row++) {
        if (str_is_nocase(str_from(row->field), known)) {
            term->own = term->own_count == 0 ? row : term->own;
            term->own_count++;
        }
    }
}

static void term_set_field(struct term *term, struct str name)
{
    struct str known = field_known(name);

    term->name = name;
    term_set_own(term, known);
    if (name.len == 0) {
        term->field = TERM_FIELD_ANY;
    } else if (str_is_text(known, "host.name")) {
        term->field = TERM_FIELD_HOST;
    } else if (str_is_text(known, "event.action")) {
        term->field = TERM_FIELD_KIND;
    } else if (event_field_parse(known, &term->id)) {
        term->field = TERM_FIELD_EVENT;
        term->is_in_entry = term->id < EVENT_FIELD_EVENT_ORIGINAL;
    } else {
        term->field = TERM_FIELD_ENTRY;
        term->is_in_entry = true;
    }
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

static int term_set_number(struct parser *parser, struct term *term, const struct typed *typed)
{
    struct str text = take_relation(typed->text, &term->relation);
    struct str word = front_word(typed->text);

    if (str_to_i64(text, &term->number) < 0) {
        return diag_set(parser->diag, -ERR_SYNTAX,
                        _("'%.*s' holds numbers, '%.*s' is none; write %.*s:>10 or %.*s:5"),
                        STR_ARG(typed->field), STR_ARG(word), STR_ARG(typed->field),
                        STR_ARG(typed->field));
    }
    return 0;
}

/* Of a field of which only the entry knows what it holds: >5 asks for a number. */
static bool term_takes_number(struct term *term, const struct typed *typed)
{
    struct str text = take_relation(typed->text, &term->relation);

    return term->relation != TERM_RELATION_EQ && str_to_i64(text, &term->number) == 0;
}

static bool term_takes_network(struct term *term, const struct typed *typed)
{
    bool is_network = term->field != TERM_FIELD_ANY &&
                      str_find_byte(typed->text, '/') < typed->text.len &&
                      network_parse(typed->text, &term->network);

    term->relation = is_network ? TERM_RELATION_WITHIN : term->relation;
    return is_network;
}

/* 203.0.113.0/24: "203.0.113." */
static int term_set_octets(struct term *term, struct arena *arena)
{
    const uint8_t *octets = term->network.address + NETWORK_MAPPED_BITS / 8;
    bool is_mapped =
        network_is_mapped(term->network.address) && term->network.bits > NETWORK_MAPPED_BITS;
    unsigned whole = is_mapped ? (term->network.bits - NETWORK_MAPPED_BITS) / 8U : 0;

    term->octets = STR("");
    for (unsigned i = 0; i < whole && term->octets.ptr != NULL; i++) {
        term->octets =
            arena_printf(arena, "%.*s%u%s", STR_ARG(term->octets), octets[i], i < 3 ? "." : "");
    }
    return term->octets.ptr == NULL ? -ERR_NOMEM : 0;
}

static int term_set(struct parser *parser, struct term *term, const struct typed *typed)
{
    term_set_field(term, typed->field);
    term->typed = typed->text;
    if (typed->text.len == 0) {
        return typed->field.len == 0
                   ? refuse(parser, _("a quote holds nothing"), parser->term)
                   : diag_set(parser->diag, -ERR_SYNTAX,
                              _("nothing stands behind '%.*s:': write what it should hold"),
                              STR_ARG(typed->field));
    }
    if (term->field == TERM_FIELD_EVENT && event_field_type(term->id) == EVENT_VALUE_NUMBER) {
        return term_set_number(parser, term, typed);
    }
    if (term->field == TERM_FIELD_ENTRY && term_takes_number(term, typed)) {
        return 0;
    }
    term->relation = term->field == TERM_FIELD_ANY ? TERM_RELATION_HOLDS : TERM_RELATION_LIKE;
    if (term_takes_network(term, typed) && term_set_octets(term, parser->arena) < 0) {
        return -ERR_NOMEM;
    }
    term->text = folded(typed->text, parser->arena);
    return term->text.ptr == NULL ? -ERR_NOMEM : 0;
}

static uint8_t parser_node(struct parser *parser, enum terms_kind kind, size_t left, size_t right)
{
    struct terms *terms = parser->terms;

    /* A tree of n terms has 2n - 1 nodes: there is always room. */
    terms->nodes[terms->node_count] =
        (struct terms_node){.kind = kind, .left = (uint8_t)left, .right = (uint8_t)right};
    return (uint8_t)terms->node_count++;
}

static int take_term(struct parser *parser, bool is_negated, uint8_t *ret_node)
{
    struct terms *terms = parser->terms;
    struct term term = {.is_negated = is_negated};
    struct typed typed;
    int r;

    if (terms->count == TERMS_MAX) {
        return diag_set(parser->diag, -ERR_LIMIT, _("a search has at most %d terms"), TERMS_MAX);
    }
    parser->term = parser->rest;
    r = take_typed(parser, &typed);
    r = r < 0 ? r : term_set(parser, &term, &typed);
    if (r < 0) {
        return r;
    }
    terms->list[terms->count] = term;
    *ret_node = parser_node(parser, TERMS_KIND_TERM, terms->count++, 0);
    return 0;
}

/* ---- what joins them */

/* Whether one of the two words comes next, which is then passed over. */
static bool take_word(struct parser *parser, struct str english, struct str vietnamese)
{
    const struct str words[] = {english, vietnamese};

    parser->rest = str_trim(parser->rest);
    for (size_t i = 0; i < 2; i++) {
        size_t len = words[i].len;

        if (str_has_prefix(parser->rest, words[i]) &&
            (parser->rest.len == len || is_space(parser->rest.ptr[len]) ||
             parser->rest.ptr[len] == '(' || parser->rest.ptr[len] == ')')) {
            parser->rest = str_slice(parser->rest, len, parser->rest.len);
            return true;
        }
    }
    return false;
}

#define TAKE_OR(parser)  take_word(parser, STR("OR"), STR("HOẶC"))
#define TAKE_AND(parser) take_word(parser, STR("AND"), STR("VÀ"))
#define TAKE_NOT(parser) take_word(parser, STR("NOT"), STR("KHÔNG"))

static bool take_minus(struct parser *parser)
{
    if (parser->rest.len < 2 || parser->rest.ptr[0] != '-' || is_space(parser->rest.ptr[1])) {
        return false;
    }
    parser->rest = str_slice(parser->rest, 1, parser->rest.len);
    return true;
}

static int take_either(struct parser *parser, bool is_negated, uint8_t *ret_node);

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than TERMS_DEPTH_MAX */
static int take_group(struct parser *parser, bool is_negated, uint8_t *ret_node)
{
    struct str open = parser->rest;
    int r;

    if (parser->open == TERMS_DEPTH_MAX) {
        return diag_set(parser->diag, -ERR_LIMIT, _("parentheses stand at most %d deep"),
                        TERMS_DEPTH_MAX);
    }
    parser->open++;
    parser->rest = str_slice(parser->rest, 1, parser->rest.len);
    r = take_either(parser, is_negated, ret_node);
    if (r < 0) {
        return r;
    }
    parser->rest = str_trim(parser->rest);
    if (!str_has_prefix(parser->rest, STR(")"))) {
        return refuse(parser, _("a parenthesis is not closed"), open);
    }
    parser->rest = str_slice(parser->rest, 1, parser->rest.len);
    parser->open--;
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than TERMS_DEPTH_MAX */
static int take_one(struct parser *parser, bool is_negated, uint8_t *ret_node)
{
    struct str before;

    while (TAKE_NOT(parser) || take_minus(parser)) {
        is_negated = !is_negated;
    }
    before = parser->rest;
    if (parser->rest.len == 0 || parser->rest.ptr[0] == ')' || TAKE_OR(parser) ||
        TAKE_AND(parser)) {
        return refuse(parser,
                      _("nothing stands where a term should: beside OR, behind NOT, or between "
                        "parentheses"),
                      before);
    }
    return parser->rest.ptr[0] == '(' ? take_group(parser, is_negated, ret_node)
                                      : take_term(parser, is_negated, ret_node);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than TERMS_DEPTH_MAX */
static int take_all(struct parser *parser, bool is_negated, uint8_t *ret_node)
{
    int r = take_one(parser, is_negated, ret_node);

    while (r == 0) {
        struct str before;
        uint8_t right;

        parser->rest = str_trim(parser->rest);
        before = parser->rest;
        if (before.len == 0 || before.ptr[0] == ')' || TAKE_OR(parser)) {
            parser->rest = before;
            return 0;
        }
        (void)TAKE_AND(parser);
        r = take_one(parser, is_negated, &right);
        if (r == 0) {
            *ret_node =
                parser_node(parser, is_negated ? TERMS_KIND_OR : TERMS_KIND_AND, *ret_node, right);
        }
    }
    return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than TERMS_DEPTH_MAX */
static int take_either(struct parser *parser, bool is_negated, uint8_t *ret_node)
{
    int r = take_all(parser, is_negated, ret_node);

    while (r == 0 && TAKE_OR(parser)) {
        uint8_t right;

        r = take_all(parser, is_negated, &right);
        if (r == 0) {
            *ret_node =
                parser_node(parser, is_negated ? TERMS_KIND_AND : TERMS_KIND_OR, *ret_node, right);
        }
    }
    return r;
}

int terms_parse(struct str typed, struct arena *arena, struct terms *ret_terms, struct diag *diag)
{
    struct parser parser = {
        .rest = str_trim(typed), .arena = arena, .terms = ret_terms, .diag = diag};
    int r;

    ret_terms->count = 0;
    ret_terms->node_count = 0;
    if (typed.len > TERMS_TEXT_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("what is searched for has at most %d bytes"),
                        TERMS_TEXT_MAX);
    }
    ret_terms->typed = arena_copy(arena, parser.rest);
    if (ret_terms->typed.ptr == NULL) {
        return -ERR_NOMEM;
    }
    parser.rest = ret_terms->typed; /* terms borrow what was typed from there */
    if (parser.rest.len == 0) {
        return 0;
    }
    r = take_either(&parser, false, &ret_terms->root);
    return r < 0 || parser.rest.len == 0
               ? r
               : refuse(&parser, _("a parenthesis closes what none has opened"), parser.rest);
}
