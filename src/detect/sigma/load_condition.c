/* Conditions by recursive descent: or, and, not, parentheses, names, and "N of" a glob or `them`.
 * Neighbours: load_detection.c gives the selections, load_rule.c takes the tree. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"
#include "detect/sigma/text.h"

#include <string.h>

#define NESTING_MAX 16   /* parentheses and nots */
#define CHOICES_MAX 4096 /* nodes that "N of" may become */

struct condition {
    struct sigma_loader *loader;
    const struct yaml_value *at;
    const struct load_selection *selections;
    size_t count;
    struct str text;
    struct str word; /* the next one; empty at the end */
    size_t end;      /* of the word */
    size_t nesting;
};

/* Where the word stands, as long as the condition is written on one line. */
static struct yaml_value place(const struct condition *condition)
{
    uint32_t column = (uint32_t)(condition->end - condition->word.len);

    return (struct yaml_value){.line = condition->at->line,
                               .column = condition->at->column + column};
}

static int refuse(const struct condition *condition, const char *reason, const char *remedy)
{
    const struct yaml_value at = place(condition);

    return load_refuse(condition->loader, at.line, at.column, str_from(reason), str_from(remedy));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_sign(char c)
{
    return c == '(' || c == ')' || c == '|';
}

static void advance(struct condition *condition)
{
    size_t at = condition->end;
    size_t end;

    while (at < condition->text.len && is_space(condition->text.ptr[at])) {
        at++;
    }
    end = at;
    if (end < condition->text.len && is_sign(condition->text.ptr[end])) {
        end++;
    } else {
        while (end < condition->text.len && !is_space(condition->text.ptr[end]) &&
               !is_sign(condition->text.ptr[end])) {
            end++;
        }
    }
    condition->word = str_slice(condition->text, at, end);
    condition->end = end;
}

static bool is_word(const struct condition *condition, const char *word)
{
    return str_is_nocase(condition->word, str_from(word));
}

static bool take(struct condition *condition, const char *word)
{
    if (!is_word(condition, word)) {
        return false;
    }
    advance(condition);
    return true;
}

/* ---- names ---- */

static int name_unknown(const struct condition *condition)
{
    struct sigma_loader *loader = condition->loader;
    const struct yaml_value at = place(condition);
    struct str *names = arena_alloc(loader->scratch, condition->count + 1, sizeof(*names));
    struct str remedy;

    if (names == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < condition->count; i++) {
        names[i] = condition->selections[i].name;
    }
    remedy = load_suggest(loader, condition->word, names, condition->count);
    return load_refuse_at(loader, &at, remedy.ptr, _("there is no selection “%.*s”"),
                          STR_ARG(str_slice(condition->word, 0, 100)));
}

static bool is_glob(struct str word)
{
    return str_find_byte(word, '*') != word.len || str_find_byte(word, '?') != word.len;
}

/* A name as pySigma reads it: `*` stands for any characters, `?` for one. */
static bool glob_matches(struct str glob, struct str name)
{
    size_t star = SIZE_MAX;
    size_t mark = 0;
    size_t g = 0;
    size_t n = 0;

    while (n < name.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            star = g++;
            mark = n;
        } else if (g < glob.len && (glob.ptr[g] == '?' || glob.ptr[g] == name.ptr[n])) {
            g++;
            n++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*') {
        g++;
    }
    return g == glob.len;
}

static int name_read(struct condition *condition, struct sigma_node **ret_node)
{
    for (size_t i = 0; i < condition->count; i++) {
        if (str_is(condition->selections[i].name, condition->word)) {
            *ret_node = condition->selections[i].root;
            advance(condition);
            return 0;
        }
    }
    if (is_glob(condition->word)) {
        const struct yaml_value at = place(condition);

        return load_refuse_at(condition->loader, &at, _("write “1 of” or “all of” in front of it"),
                              _("“%.*s” names several selections"),
                              STR_ARG(str_slice(condition->word, 0, 100)));
    }
    return name_unknown(condition);
}

/* ---- N of ---- */

/* At least `wanted` of the nodes: of the first and one less of the others, or as many of the
 * others. Trees for the same rest are shared, but walked each time: hence the limit on walks. */
static struct sigma_node *choose(struct sigma_loader *loader, struct sigma_node *const *nodes,
                                 size_t count, size_t wanted)
{
    struct sigma_node **least =
        arena_alloc(loader->scratch, wanted + 1, sizeof(struct sigma_node *));

    if (least == NULL) {
        return NULL;
    }
    for (size_t i = count; i-- > 0;) { /* least[k]: at least k of those from i on; NULL: never */
        for (size_t k = wanted; k > 0; k--) {
            struct sigma_node *both[2] = {nodes[i], least[k - 1]};
            struct sigma_node *either[2];

            if (k > 1 && least[k - 1] == NULL) {
                continue;
            }
            either[0] = k == 1 ? nodes[i] : load_join(loader, SIGMA_NODE_AND, both, 2);
            either[1] = least[k];
            if (either[0] == NULL) {
                return NULL;
            }
            least[k] = load_join(loader, SIGMA_NODE_OR, either, least[k] == NULL ? 1 : 2);
            if (least[k] == NULL) {
                return NULL;
            }
        }
    }
    return least[wanted];
}

/* Whether the tree of `choose` stays small when it is walked. */
static bool is_choosable(size_t count, size_t wanted)
{
    size_t ways = 1;

    for (size_t i = 0; i < wanted; i++) {
        ways = ways * (count - i) / (i + 1);
        if (ways > CHOICES_MAX) {
            return false;
        }
    }
    return count < SIGMA_DEPTH_MAX / 2;
}

/* The selections that the word means; `them` and globs leave names with `_` in front out, unless
 * the glob has it too. */
static int choices_read(struct condition *condition, struct sigma_node ***ret_nodes,
                        size_t *ret_count)
{
    struct sigma_node **nodes =
        arena_alloc(condition->loader->scratch, condition->count + 1, sizeof(struct sigma_node *));
    bool is_them = is_word(condition, "them");
    size_t count = 0;

    if (nodes == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < condition->count; i++) {
        struct str name = condition->selections[i].name;
        bool is_hidden = name.len != 0 && name.ptr[0] == '_' && condition->word.len != 0 &&
                         condition->word.ptr[0] != '_';

        if (!is_hidden && (is_them || glob_matches(condition->word, name))) {
            nodes[count++] = condition->selections[i].root;
        }
    }
    if (count == 0) {
        return name_unknown(condition);
    }
    advance(condition);
    *ret_nodes = nodes;
    *ret_count = count;
    return 0;
}

static int choice_read(struct condition *condition, size_t wanted, struct sigma_node **ret_node)
{
    struct sigma_node **nodes = NULL;
    size_t count = 0;
    int r = choices_read(condition, &nodes, &count);

    if (r < 0) {
        return r;
    }
    wanted = wanted == 0 ? count : wanted;
    if (wanted > count) {
        return refuse(condition, _("more selections are asked for than there are"),
                      _("ask for fewer, or write “all of”"));
    }
    if (wanted == 1 || wanted == count) {
        *ret_node = load_join(condition->loader, wanted == 1 ? SIGMA_NODE_OR : SIGMA_NODE_AND,
                              nodes, count);
    } else if (is_choosable(count, wanted)) {
        *ret_node = choose(condition->loader, nodes, count, wanted);
    } else {
        return refuse(condition, _("too many combinations of selections"),
                      _("ask for fewer, or write “1 of” or “all of”"));
    }
    return *ret_node != NULL ? 0 : -ERR_NOMEM;
}

/* Whether "of" follows; the quantifier itself is then behind us. */
static bool take_quantifier(struct condition *condition, size_t *ret_wanted)
{
    struct condition before = *condition;
    uint64_t number = 0;

    if (is_word(condition, "all")) {
        *ret_wanted = 0;
    } else if (is_word(condition, "any")) {
        *ret_wanted = 1;
    } else if (str_to_u64(condition->word, &number) == 0 && number != 0 && number < UINT32_MAX) {
        *ret_wanted = (size_t)number;
    } else {
        return false;
    }
    advance(condition);
    if (take(condition, "of")) {
        return true;
    }
    *condition = before;
    return false;
}

/* ---- operators ---- */

static int either_read(struct condition *condition, struct sigma_node **ret_node);

/* NOLINTNEXTLINE(misc-no-recursion): at most NESTING_MAX deep */
static int term_read(struct condition *condition, struct sigma_node **ret_node)
{
    bool is_not = is_word(condition, "not");
    size_t wanted = 0;
    int r;

    if (take_quantifier(condition, &wanted)) {
        return choice_read(condition, wanted, ret_node);
    }
    if (condition->word.len == 0) {
        return refuse(condition, _("the condition ends too early"),
                      _("write a selection behind the last word, or take it out"));
    }
    if (!is_not && !is_word(condition, "(")) {
        return name_read(condition, ret_node);
    }
    if (++condition->nesting > NESTING_MAX) {
        return refuse(condition, _("the condition is nested too deep"),
                      _("take parentheses out, or split the rule"));
    }
    advance(condition);
    r = is_not ? term_read(condition, ret_node) : either_read(condition, ret_node);
    condition->nesting--;
    if (r >= 0 && is_not) {
        *ret_node = load_join(condition->loader, SIGMA_NODE_NOT, ret_node, 1);
        return *ret_node != NULL ? 0 : -ERR_NOMEM;
    }
    if (r >= 0 && !take(condition, ")")) {
        return refuse(condition, _("a closing parenthesis is missing"),
                      _("write “)” where it ends, or take “(” out"));
    }
    return r;
}

/* Terms with one operator between them. NOLINTNEXTLINE(misc-no-recursion): bounded by term_read */
static int row_read(struct condition *condition, enum sigma_node_kind kind,
                    struct sigma_node **ret_node)
{
    struct str rest = str_slice(condition->text, condition->end, condition->text.len);
    size_t room = rest.len / 4 + 2; /* an operator, a name and two blanks are longer */
    struct sigma_node **nodes =
        arena_alloc(condition->loader->scratch, room, sizeof(struct sigma_node *));
    bool is_and = kind == SIGMA_NODE_AND;
    size_t count = 0;

    if (nodes == NULL) {
        return -ERR_NOMEM;
    }
    do {
        int r = is_and ? term_read(condition, &nodes[count])
                       : row_read(condition, SIGMA_NODE_AND, &nodes[count]);

        if (r < 0) {
            return r;
        }
        count++;
    } while (take(condition, is_and ? "and" : "or"));
    *ret_node = load_join(condition->loader, kind, nodes, count);
    return *ret_node != NULL ? 0 : -ERR_NOMEM;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by term_read */
static int either_read(struct condition *condition, struct sigma_node **ret_node)
{
    return row_read(condition, SIGMA_NODE_OR, ret_node);
}

int load_condition(struct sigma_loader *loader, const struct yaml_value *at,
                   const struct load_selection *selections, size_t count,
                   struct sigma_node **ret_root)
{
    struct condition condition = {
        .loader = loader, .at = at, .selections = selections, .count = count, .text = at->text};
    int r;

    advance(&condition);
    r = either_read(&condition, ret_root);
    if (r < 0) {
        return r;
    }
    if (is_word(&condition, "|")) {
        return refuse(&condition, _("counting behind “|” is Sigma of old"),
                      _("write a correlation document that refers to this rule"));
    }
    if (condition.word.len != 0) {
        const struct yaml_value place_of = place(&condition);

        return load_refuse_at(loader, &place_of, _("join selections with “and” or “or”"),
                              _("“%.*s” is not expected here"),
                              STR_ARG(str_slice(condition.word, 0, 100)));
    }
    return 0;
}
