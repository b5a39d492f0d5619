/* Neighbours: model/terms_parse.c reads what was typed; store/find.c and centre/sifter.c ask. */
#include "model/terms.h"
#include "base/banned.h"
#include "base/utf8.h"
#include "codec/forms.h"
#include "codec/syslog.h"

#include <string.h>

#define RUN_MIN   5           /* digits: shorter runs stand in most entries */
#define FOLD_ROOM (64U << 10) /* of a value; what stands behind is not looked at */

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
    uint8_t address[16];
    struct str text;
    size_t len;

    if (term->relation == TERM_RELATION_WITHIN && network_address(value, address)) {
        return network_holds(&term->network, address);
    }
    len = utf8_fold(value, room, sizeof(room));
    text = str_of(room, len < sizeof(room) ? len : sizeof(room) - 1);
    if (term->relation != TERM_RELATION_HOLDS) {
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
    case TERM_RELATION_WITHIN:
    default:
        return number == term->number;
    }
}

static bool term_holds_value(const struct term *term, struct str value)
{
    int64_t number;

    if (term->text.len != 0) {
        return term_holds_text(term, value);
    }
    return str_to_i64(value, &number) == 0 && term_holds_number(term, number);
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

bool term_is_of(const struct term *term, struct str name)
{
    bool is_of = str_is_nocase(name, term->name);

    for (size_t i = 0; i < term->own_count && !is_of; i++) {
        is_of = str_is_nocase(name, str_from(term->own[i].name));
    }
    return is_of;
}

static bool term_holds_entry(const struct term *term, const struct entry *entry,
                             struct arena *arena)
{
    for (size_t i = 0; i < entry->count; i++) {
        const struct entry_field *field = &entry->fields[i];
        struct str value;

        if (term_is_of(term, field->name) && entry_field_text(field, arena, &value) == 0 &&
            term_holds_value(term, value)) {
            return true;
        }
    }
    return false;
}

/* What is asked about, and all that is known of it. */
struct asked {
    const struct event *event;
    struct str host;
    const struct entry *entry;
    struct arena *arena;
};

static bool term_holds(const struct term *term, const struct asked *asked)
{
    const struct event_field *field;

    switch (term->field) {
    case TERM_FIELD_ANY:
        return term_holds_anywhere(term, asked->event);
    case TERM_FIELD_HOST:
        return term_holds_text(term, asked->host);
    case TERM_FIELD_KIND:
        return term_holds_text(term, str_from(event_kind_name(asked->event->kind)));
    case TERM_FIELD_EVENT:
        field = event_find(asked->event, term->id);
        return field != NULL && (event_field_type(term->id) == EVENT_VALUE_NUMBER
                                     ? term_holds_number(term, field->number)
                                     : term_holds_text(term, field->text));
    case TERM_FIELD_ENTRY:
    default:
        return false;
    }
}

static enum terms_verdict term_judge(const struct term *term, const struct asked *asked)
{
    bool holds = term_holds(term, asked);

    if (!holds && term->is_in_entry && asked->entry != NULL) {
        holds = term_holds_entry(term, asked->entry, asked->arena);
    } else if (!holds && term->is_in_entry &&
               event_find(asked->event, EVENT_FIELD_EVENT_ORIGINAL) != NULL) {
        return TERMS_UNREAD;
    }
    return holds != term->is_negated ? TERMS_YES : TERMS_NO;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than its terms are many (TERMS_MAX) */
static enum terms_verdict node_judge(const struct terms *terms, uint8_t at,
                                     const struct asked *asked)
{
    const struct terms_node *node = &terms->nodes[at];
    enum terms_verdict decides = node->kind == TERMS_KIND_OR ? TERMS_YES : TERMS_NO;
    enum terms_verdict left;
    enum terms_verdict right;

    if (node->kind == TERMS_KIND_TERM) {
        return term_judge(&terms->list[node->left], asked);
    }
    left = node_judge(terms, node->left, asked);
    if (left == decides) {
        return left;
    }
    right = node_judge(terms, node->right, asked);
    return right == decides || left != TERMS_UNREAD ? right : left;
}

enum terms_verdict terms_judge(const struct terms *terms, const struct event *event,
                               struct str host, const struct entry *entry, struct arena *arena)
{
    const struct asked asked = {.event = event, .host = host, .entry = entry, .arena = arena};

    return terms->count == 0 ? TERMS_YES : node_judge(terms, terms->root, &asked);
}

/* ---- what an archive may look for */

/* Readers may take signs out of a code, so that only runs of plain ones surely stand in the text
 * too. */
static bool is_plain_sign(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static bool is_wildcard(const struct term *term, char c)
{
    return term->relation == TERM_RELATION_LIKE && (c == '*' || c == '?');
}

static bool is_parted(const struct term *term, char c, bool is_entry)
{
    return is_wildcard(term, c) || (is_entry && !is_plain_sign(c));
}

/* Readers cut values out where digits end; a wildcard may stand for more of them. */
static unsigned part_ends(const struct term *term, size_t from, size_t end)
{
    bool has_front = from == 0 ? term->relation == TERM_RELATION_LIKE
                               : !is_wildcard(term, term->text.ptr[from - 1]);
    bool has_back = end == term->text.len ? term->relation == TERM_RELATION_LIKE
                                          : !is_wildcard(term, term->text.ptr[end]);

    return (has_front ? NEEDLE_END_FRONT : 0U) | (has_back ? NEEDLE_END_BACK : 0U);
}

/* The parts between wildcards, each of which every match holds. */
static uint16_t term_parts(const struct term *term, bool is_entry, struct needles *needles)
{
    uint16_t all = 0;
    size_t from = 0;

    for (size_t i = 0; i <= term->text.len; i++) {
        if (i == term->text.len || is_parted(term, term->text.ptr[i], is_entry)) {
            all = needles_join(
                needles, NEEDLE_AND, all,
                needles_text(needles, str_slice(term->text, from, i), part_ends(term, from, i)));
            from = i + 1;
        }
    }
    return all;
}

static bool is_wanted(const void *context, struct str value)
{
    const struct term *term = context;

    return term_holds_value(term, value);
}

/* Whether a value that the term takes may be said by no letters: by the number of syslog's header,
 * or by the form of a line. */
static bool is_reckoned(const struct term *term)
{
    bool is_facility = term_is_of(term, STR("facility"));
    bool is_severity = term_is_of(term, STR("severity"));
    bool is_made = forms_make(term->name, is_wanted, term);

    for (int i = 0; i <= SYSLOG_PRIORITY_MAX && (is_facility || is_severity); i++) {
        if (is_wanted(term, is_facility ? syslog_facility(i) : syslog_severity(i))) {
            return true;
        }
    }
    for (size_t i = 0; i < term->own_count && !is_made; i++) {
        is_made = forms_make(str_from(term->own[i].name), is_wanted, term);
    }
    return is_made;
}

/* A number of an entry stands in it as digits: how many the least that is taken has. Short ones
 * stand everywhere and choose nothing. */
static uint16_t term_run(const struct term *term, struct needles *needles)
{
    bool has_least = term->relation == TERM_RELATION_GT || term->relation == TERM_RELATION_GTE;
    unsigned digits = 1;
    int64_t least = term->number;

    if (!has_least || term->field != TERM_FIELD_ENTRY) {
        return 0;
    }
    least += term->relation == TERM_RELATION_GT && least < INT64_MAX ? 1 : 0;
    for (; least >= 10; least /= 10) {
        digits++;
    }
    return digits < RUN_MIN ? 0 : needles_run(needles, digits);
}

/* Addresses of version 4 may stand in the entry as they are mapped, in figures of either kind. */
static uint16_t term_octets(const struct term *term, struct needles *needles)
{
    return needles_join(needles, NEEDLE_OR, needles_text(needles, term->octets, NEEDLE_END_FRONT),
                        needles_text(needles, STR(":ffff:"), 0));
}

static uint16_t term_chosen(const struct term *term, struct needles *needles)
{
    if (term->relation == TERM_RELATION_WITHIN) {
        return term_octets(term, needles);
    }
    return term->text.len == 0 ? term_run(term, needles)
                               : term_parts(term, term->is_in_entry, needles);
}

static uint16_t term_needles(const struct term *term, struct needles *needles)
{
    uint16_t parts;

    if (term->is_negated || term->field == TERM_FIELD_HOST || term->field == TERM_FIELD_KIND ||
        (term->is_in_entry && is_reckoned(term))) {
        return 0;
    }
    parts = term_chosen(term, needles);
    return parts == 0 || !term->is_in_entry
               ? parts
               : needles_join(needles, NEEDLE_OR, parts, needles_coded(needles));
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than its terms are many (TERMS_MAX) */
static uint16_t node_needles(const struct terms *terms, uint8_t at, struct needles *needles)
{
    const struct terms_node *node = &terms->nodes[at];
    uint16_t left;

    if (node->kind == TERMS_KIND_TERM) {
        return term_needles(&terms->list[node->left], needles);
    }
    left = node_needles(terms, node->left, needles);
    return needles_join(needles, node->kind == TERMS_KIND_OR ? NEEDLE_OR : NEEDLE_AND, left,
                        node_needles(terms, node->right, needles));
}

void terms_needles(const struct terms *terms, struct needles *ret_needles)
{
    needles_init(ret_needles);
    if (terms->count != 0) {
        ret_needles->root = node_needles(terms, terms->root, ret_needles);
    }
}
