/* Neighbours: centre/sifter.c asks with an entry in hand; the console shows what comes out. Each
 * term becomes a selection of its own, and the condition joins them as the search does. */
#include "detect/sigma/draft.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"

#define NAMES_MAX 8 /* of an entry's fields that one term may mean */

/* Why a term is no part of the rule. */
enum left_out { LEFT_OUT_NOT, LEFT_OUT_HOST, LEFT_OUT_EVENT };

static enum left_out term_left_out(const struct term *term)
{
    if (term->field == TERM_FIELD_HOST) {
        return LEFT_OUT_HOST;
    }
    return term->field == TERM_FIELD_KIND ||
                   (term->field == TERM_FIELD_EVENT && term->id > EVENT_FIELD_EVENT_ORIGINAL)
               ? LEFT_OUT_EVENT
               : LEFT_OUT_NOT;
}

static bool is_keyword(const struct term *term)
{
    return term->field == TERM_FIELD_ANY ||
           (term->field == TERM_FIELD_EVENT && term->id == EVENT_FIELD_EVENT_ORIGINAL);
}

/* ---- YAML */

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

static void put_double(struct str text, struct buf *yaml)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < 0x20 || c == 0x7f) {
            buf_putf(yaml, "\\x%02x", c);
        } else {
            buf_putf(yaml, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
        }
    }
}

static void put_quoted(struct str text, struct buf *yaml)
{
    if (has_control(text)) {
        buf_put_byte(yaml, '"');
        put_double(text, yaml);
        buf_put_byte(yaml, '"');
        return;
    }
    buf_put_byte(yaml, '\'');
    for (size_t i = 0; i < text.len; i++) {
        buf_put_byte(yaml, (uint8_t)text.ptr[i]);
        if (text.ptr[i] == '\'') {
            buf_put_byte(yaml, '\'');
        }
    }
    buf_put_byte(yaml, '\'');
}

/* A comment's text: on one line, whatever was typed. */
static void put_comment(struct str text, struct buf *yaml)
{
    for (size_t i = 0; i < text.len; i++) {
        buf_put_byte(yaml, (unsigned char)text.ptr[i] < 0x20 ? ' ' : (uint8_t)text.ptr[i]);
    }
}

/* ---- selections */

/* As Sigma writes it: a backslash doubled; * and ? stay wildcards where they were. */
static int put_pattern(struct str text, bool has_wildcards, struct buf *yaml)
{
    CLEANUP(buf_done) struct buf pattern;

    buf_init(&pattern, 2 * TERMS_TEXT_MAX);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\\' || (!has_wildcards && (c == '*' || c == '?'))) {
            buf_put_byte(&pattern, '\\');
        }
        buf_put_byte(&pattern, (uint8_t)c);
    }
    put_quoted(buf_str(&pattern), yaml);
    return buf_error(&pattern);
}

static struct str keyword_of(const struct term *term)
{
    struct str text = term->typed;

    while (term->relation == TERM_RELATION_LIKE && text.len > 1 && text.ptr[0] == '*') {
        text = str_slice(text, 1, text.len);
    }
    while (term->relation == TERM_RELATION_LIKE && text.len > 1 && text.ptr[text.len - 1] == '*') {
        text.len--;
    }
    return text;
}

/* The reader's own spelling of the names that the sample has, each once. Those behind NAMES_MAX are
 * left out. */
static size_t names_of(const struct term *term, const struct entry *sample, struct str *names)
{
    size_t count = 0;

    for (size_t i = 0; sample != NULL && i < sample->count && count < NAMES_MAX; i++) {
        struct str name = sample->fields[i].name;
        bool is_new = term_is_of(term, name);

        for (size_t k = 0; k < count && is_new; k++) {
            is_new = !str_is(names[k], name);
        }
        if (is_new) {
            names[count++] = name;
        }
    }
    if (count == 0) {
        names[count++] = term->own_count != 0 && term->field == TERM_FIELD_ENTRY
                             ? str_from(term->own[0].name)
                             : term->name;
    }
    return count;
}

static const char *modifier_of(enum term_relation relation)
{
    switch (relation) {
    case TERM_RELATION_LT:
        return "|lt";
    case TERM_RELATION_LTE:
        return "|lte";
    case TERM_RELATION_GT:
        return "|gt";
    case TERM_RELATION_GTE:
        return "|gte";
    case TERM_RELATION_WITHIN:
        return "|cidr";
    case TERM_RELATION_HOLDS:
    case TERM_RELATION_LIKE:
    case TERM_RELATION_EQ:
    default:
        return "";
    }
}

static int put_field(const struct term *term, struct str name, struct buf *yaml)
{
    CLEANUP(buf_done) struct buf key;
    int r;

    buf_init(&key, ENTRY_NAME_MAX + 8);
    buf_put_str(&key, name);
    buf_put_text(&key, modifier_of(term->relation));
    put_quoted(buf_str(&key), yaml);
    buf_put_text(yaml, ": ");
    r = buf_error(&key);
    if (r == 0 && term->text.len != 0) {
        r = put_pattern(term->typed, true, yaml);
    } else {
        buf_putf(yaml, "%lld", (long long)term->number);
    }
    return r < 0 ? r : buf_put_byte(yaml, '\n');
}

/* Several names are a list of maps, of which one must hold. */
static int put_selection(const struct term *term, size_t number, const struct entry *sample,
                         struct buf *yaml)
{
    struct str names[NAMES_MAX];
    size_t count = names_of(term, sample, names);
    int r = 0;

    buf_putf(yaml, "    t%zu:\n", number);
    if (is_keyword(term)) {
        buf_put_text(yaml, "        - ");
        r = put_pattern(keyword_of(term), term->relation == TERM_RELATION_LIKE, yaml);
        return r < 0 ? r : buf_put_byte(yaml, '\n');
    }
    for (size_t i = 0; i < count && r == 0; i++) {
        buf_put_text(yaml, count > 1 ? "        - " : "        ");
        r = put_field(term, names[i], yaml);
    }
    return r;
}

/* ---- the condition */

/* False when nothing of the node is asked.
 * NOLINTNEXTLINE(misc-no-recursion): no deeper than its terms are many (TERMS_MAX) */
static bool node_is_asked(const struct terms *terms, uint8_t at)
{
    const struct terms_node *node = &terms->nodes[at];

    return node->kind == TERMS_KIND_TERM
               ? term_left_out(&terms->list[node->left]) == LEFT_OUT_NOT
               : node_is_asked(terms, node->left) || node_is_asked(terms, node->right);
}

/* Inner parentheses say all that precedence would.
 * NOLINTNEXTLINE(misc-no-recursion): no deeper than its terms are many (TERMS_MAX) */
static void put_condition(const struct terms *terms, uint8_t at, bool is_inner, struct buf *yaml)
{
    const struct terms_node *node = &terms->nodes[at];

    if (node->kind == TERMS_KIND_TERM) {
        buf_putf(yaml, "%st%u", terms->list[node->left].is_negated ? "not " : "", node->left + 1U);
        return;
    }
    if (!node_is_asked(terms, node->left) || !node_is_asked(terms, node->right)) {
        put_condition(terms, node_is_asked(terms, node->left) ? node->left : node->right, is_inner,
                      yaml);
        return;
    }
    buf_put_text(yaml, is_inner ? "(" : "");
    put_condition(terms, node->left, terms->nodes[node->left].kind != node->kind, yaml);
    buf_put_text(yaml, node->kind == TERMS_KIND_AND ? " and " : " or ");
    put_condition(terms, node->right, terms->nodes[node->right].kind != node->kind, yaml);
    buf_put_text(yaml, is_inner ? ")" : "");
}

/* ---- the whole */

static void put_source(const struct entry *sample, struct buf *yaml)
{
    const struct logsource none = {0};
    const struct logsource *source = sample != NULL ? &sample->source : &none;
    const struct {
        const char *name;
        struct str value;
    } parts[] = {
        {"product", source->product}, {"category", source->category}, {"service", source->service}};
    bool is_known = false;

    buf_put_text(yaml, "logsource:\n");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].value.len != 0) {
            buf_putf(yaml, "    %s: ", parts[i].name);
            put_quoted(parts[i].value, yaml);
            buf_put_byte(yaml, '\n');
            is_known = true;
        }
    }
    if (!is_known) {
        buf_put_text(yaml, "    product: linux\n");
    }
}

static void put_left_out(const struct terms *terms, struct buf *yaml)
{
    for (size_t i = 0; i < terms->count; i++) {
        enum left_out why = term_left_out(&terms->list[i]);

        if (why != LEFT_OUT_NOT) {
            buf_put_text(yaml, "# ");
            buf_put_text(yaml, why == LEFT_OUT_HOST
                                   ? _("left out, a rule does not know hosts (use a filter): ")
                                   : _("left out, a rule sees entries of logs only: "));
            put_comment(terms->list[i].name, yaml);
            buf_put_byte(yaml, ':');
            put_comment(terms->list[i].typed, yaml);
            buf_put_byte(yaml, '\n');
        }
    }
}

static void put_head(const struct sigma_draft *draft, struct buf *yaml)
{
    buf_put_text(yaml, "title: ");
    put_quoted(draft->title, yaml);
    if (draft->id.len != 0) {
        buf_putf(yaml, "\nid: %.*s", STR_ARG(draft->id));
    }
    buf_put_text(yaml, "\nstatus: experimental\n");
    if (draft->date.len != 0) {
        buf_putf(yaml, "date: %.*s\n", STR_ARG(draft->date));
    }
}

int sigma_draft(const struct terms *terms, const struct sigma_draft *draft, struct buf *yaml,
                struct diag *diag)
{
    int r = 0;

    if (terms->count == 0 || !node_is_asked(terms, terms->root)) {
        return diag_set(diag, -ERR_SYNTAX,
                        _("a rule can ask nothing of this: search for words or fields of entries"));
    }
    put_left_out(terms, yaml);
    put_head(draft, yaml);
    put_source(draft->sample, yaml);
    buf_put_text(yaml, "detection:\n");
    for (size_t i = 0; i < terms->count && r == 0; i++) {
        if (term_left_out(&terms->list[i]) == LEFT_OUT_NOT) {
            r = put_selection(&terms->list[i], i + 1, draft->sample, yaml);
        }
    }
    buf_put_text(yaml, "    condition: ");
    put_condition(terms, terms->root, false, yaml);
    buf_put_text(yaml, "\nlevel: medium\n");
    return r < 0 ? r : buf_error(yaml);
}
