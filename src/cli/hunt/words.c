/* See words.h. */
#include "cli/hunt/words.h"

#include "base/banned.h"
#include "base/text.h"
#include "base/time.h"

#define CHILDREN_SHOWN 40

static void put_indent(unsigned depth, struct buf *out)
{
    (void)buf_putf(out, "%*s", (int)(4 + depth * 2), "");
}

static void put_quoted(struct str text, struct buf *out)
{
    (void)buf_put_byte(out, '"');
    (void)buf_put_plain(out, text);
    (void)buf_put_byte(out, '"');
}

static void put_glob(const struct sigma_atom *atom, struct buf *out)
{
    (void)buf_put_byte(out, '"');
    for (size_t i = 0; i < atom->part_count; i++) {
        switch (atom->parts[i].kind) {
        case SIGMA_PART_ANY:
            (void)buf_put_byte(out, '*');
            break;
        case SIGMA_PART_ONE:
            (void)buf_put_byte(out, '?');
            break;
        case SIGMA_PART_LITERAL:
            (void)buf_put_plain(out, atom->parts[i].text);
            break;
        }
    }
    (void)buf_put_byte(out, '"');
}

static void put_pattern(const struct sigma_atom *atom, struct buf *out)
{
    const struct sigma_part *parts = atom->parts;
    size_t count = atom->part_count;
    bool is_open = count > 0 && parts[0].kind == SIGMA_PART_ANY;
    bool is_closed = count > 0 && parts[count - 1].kind == SIGMA_PART_ANY;
    size_t first = is_open ? 1 : 0;

    if (count == 0) {
        (void)buf_put_text(out, _("is empty"));
    } else if (count == 1 && is_open) {
        (void)buf_put_text(out, _("has any value"));
    } else if (count - is_open - is_closed == 1 && parts[first].kind == SIGMA_PART_LITERAL) {
        (void)buf_putf(out, "%s ",
                       is_open && is_closed ? _("contains")
                       : is_open            ? _("ends with")
                       : is_closed          ? _("begins with")
                                            : _("is"));
        put_quoted(parts[first].text, out);
    } else {
        (void)buf_putf(out, "%s ", _("is like"));
        put_glob(atom, out);
    }
    (void)buf_put_text(out, atom->is_cased ? _(" (case counts)") : "");
}

static void put_compare(const struct sigma_atom *atom, struct buf *out)
{
    static const char *const signs[] = {"<", "≤", ">", "≥"};
    static const char *const clocks[] = {N_("minute"), N_("hour"),  N_("day of the month"),
                                         N_("week"),   N_("month"), N_("year")};

    if (atom->match == SIGMA_MATCH_TIME) {
        (void)buf_putf(out, _("as a time: its %s is %g"), text_get(clocks[atom->clock]),
                       atom->number);
    } else if (atom->match == SIGMA_MATCH_COMPARE) {
        (void)buf_putf(out, "%s %g", signs[atom->order], atom->number);
    } else {
        (void)buf_putf(out, "= %g", atom->number);
    }
}

static void put_field_affix(const struct sigma_atom *atom, struct buf *out)
{
    static const char *const affixes[] = {N_("is the value of"), N_("begins with the value of"),
                                          N_("ends with the value of"),
                                          N_("contains the value of")};

    (void)buf_putf(out, "%s ", text_get(affixes[atom->affix]));
    (void)buf_put_plain(out, atom->text);
}

static void put_atom(const struct sigma_atom *atom, struct buf *out)
{
    if (atom->field.len != 0) {
        (void)buf_put_plain(out, atom->field);
    } else {
        (void)buf_put_text(out, _("the whole entry"));
    }
    (void)buf_put_byte(out, ' ');
    switch (atom->match) {
    case SIGMA_MATCH_PATTERN:
        put_pattern(atom, out);
        break;
    case SIGMA_MATCH_REGEX:
        (void)buf_putf(out, "%s ", _("matches the regular expression"));
        put_quoted(atom->text, out);
        break;
    case SIGMA_MATCH_CIDR:
        (void)buf_putf(out, "%s ", _("lies in the network"));
        (void)buf_put_plain(out, atom->text);
        break;
    case SIGMA_MATCH_EXISTS:
        (void)buf_put_text(out, atom->want ? _("is there") : _("is not there"));
        break;
    case SIGMA_MATCH_NULL:
        (void)buf_put_text(out, _("is not there, or null"));
        break;
    case SIGMA_MATCH_FIELD:
        put_field_affix(atom, out);
        break;
    case SIGMA_MATCH_NUMBER:
    case SIGMA_MATCH_COMPARE:
    case SIGMA_MATCH_TIME:
        put_compare(atom, out);
        break;
    case SIGMA_MATCH_COUNT:
        break;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): the loader limits the depth to SIGMA_DEPTH_MAX */
static void put_node(const struct sigma_node *node, unsigned depth, struct buf *out)
{
    put_indent(depth, out);
    if (node->kind == SIGMA_NODE_ATOM) {
        put_atom(node->atom, out);
        (void)buf_put_byte(out, '\n');
        return;
    }
    (void)buf_put_text(out, node->kind == SIGMA_NODE_NOT  ? _("not")
                            : node->kind == SIGMA_NODE_OR ? _("one of")
                                                          : _("all of"));
    if (node->name.len != 0) {
        (void)buf_put_text(out, " (");
        (void)buf_put_plain(out, node->name);
        (void)buf_put_byte(out, ')');
    }
    (void)buf_put_byte(out, '\n');
    for (size_t i = 0; i < node->child_count && i < CHILDREN_SHOWN; i++) {
        put_node(node->children[i], depth + 1, out);
    }
    if (node->child_count > CHILDREN_SHOWN) {
        put_indent(depth + 1, out);
        (void)buf_putf(out, _("and %zu more"), node->child_count - CHILDREN_SHOWN);
        (void)buf_put_byte(out, '\n');
    }
}

void words_put_source(const struct logsource *source, struct buf *out)
{
    const struct str parts[] = {source->product, source->category, source->service};
    bool is_any = false;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].len != 0) {
            (void)buf_put_text(out, is_any ? ", " : "");
            (void)buf_put_plain(out, parts[i]);
            is_any = true;
        }
    }
    (void)buf_put_text(out, is_any ? "" : _("every log source"));
}

static void put_head(struct str title, struct str description, struct str id,
                     enum sigma_level level, struct buf *out)
{
    (void)buf_put_plain(out, text_str(title));
    (void)buf_put_text(out, "\n  ");
    (void)buf_put_plain(out, id);
    (void)buf_putf(out, "  %s\n", sigma_level_name(level));
    description = text_str(description);
    while (description.len != 0) {
        struct str line;

        (void)str_cut(&description, '\n', &line);
        (void)buf_put_text(out, "  ");
        (void)buf_put_plain(out, line);
        (void)buf_put_byte(out, '\n');
    }
}

static void put_list(const char *heading, const struct str *items, size_t count, struct buf *out)
{
    if (count != 0) {
        (void)buf_putf(out, "  %s\n", heading);
    }
    for (size_t i = 0; i < count; i++) {
        (void)buf_put_text(out, "    ");
        (void)buf_put_plain(out, text_str(items[i]));
        (void)buf_put_byte(out, '\n');
    }
}

void words_put_rule(const struct sigma_rule *rule, struct buf *out)
{
    put_head(rule->title, rule->description, rule->id, rule->level, out);
    (void)buf_put_text(out, "  ");
    (void)buf_put_plain(out, rule->file);
    (void)buf_putf(out, ":%u\n", rule->line);
    for (size_t i = 0; i < rule->way_count; i++) {
        (void)buf_putf(out, "  %s ", _("Looked for in"));
        words_put_source(&rule->ways[i].source, out);
        (void)buf_put_text(out, ":\n");
        put_node(rule->ways[i].root, 0, out);
    }
    put_list(_("Tags:"), rule->tags, rule->tag_count, out);
    put_list(_("May be no attack:"), rule->false_positives, rule->false_positive_count, out);
}

#define WAITS_SHOWN 12

struct waits {
    struct buf *out;
    size_t count;
};

static void put_wait(void *context, const struct sigma_wait *wait)
{
    const char *const kinds[SIGMA_WAIT_COUNT] = {
        [SIGMA_WAIT_IS] = _("is"),          [SIGMA_WAIT_BEGINS] = _("begins with"),
        [SIGMA_WAIT_ENDS] = _("ends with"), [SIGMA_WAIT_CONTAINS] = _("contains"),
        [SIGMA_WAIT_THERE] = _("is there"), [SIGMA_WAIT_WIDE] = _("has a letter beyond ASCII")};
    struct waits *waits = context;

    if (waits->count++ >= WAITS_SHOWN) {
        return;
    }
    put_indent(0, waits->out);
    if (wait->field.len != 0) {
        (void)buf_put_plain(waits->out, wait->field);
    } else {
        (void)buf_put_text(waits->out, _("any value"));
    }
    (void)buf_putf(waits->out, " %s", kinds[wait->kind]);
    if (wait->text.len != 0) {
        (void)buf_put_byte(waits->out, ' ');
        put_quoted(wait->text, waits->out);
    }
    (void)buf_put_byte(waits->out, '\n');
}

void words_put_waits(const struct sigma_engine *engine, size_t rule, struct buf *out)
{
    struct waits waits = {.out = out};
    bool is_waiting;

    (void)buf_putf(out, "  %s\n", _("Asked only of entries in which one of these is seen:"));
    is_waiting = sigma_engine_waits(engine, rule, put_wait, &waits);
    if (waits.count > WAITS_SHOWN) {
        put_indent(0, out);
        (void)buf_putf(out, _("and %zu more"), waits.count - WAITS_SHOWN);
        (void)buf_put_byte(out, '\n');
    }
    if (!is_waiting) {
        put_indent(0, out);
        (void)buf_putf(out, "%s\n", _("nothing: it is asked of each entry of its log source"));
    }
}

static void put_bounds(const struct sigma_bounds *bounds, struct buf *out)
{
    static const char *const signs[] = {"<", "≤", ">", "≥", "=", "≠"};

    for (unsigned i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if ((bounds->asked & (1U << i)) != 0) {
            (void)buf_putf(out, " %s %g", signs[i], bounds->limits[i]);
        }
    }
    for (size_t i = 0; i < bounds->field_count; i++) {
        (void)buf_put_byte(out, ' ');
        (void)buf_put_plain(out, bounds->fields[i]);
    }
}

void words_put_correlation(const struct sigma_set *set, const struct sigma_correlation *correlation,
                           struct buf *out)
{
    put_head(correlation->title, correlation->description, correlation->id, correlation->level,
             out);
    (void)buf_putf(out, "  %s", sigma_correlation_name(correlation->kind));
    put_bounds(&correlation->bounds, out);
    (void)buf_putf(out, _(" within %lld seconds"), (long long)(correlation->timespan / NS_PER_S));
    (void)buf_put_byte(out, '\n');
    put_list(_("For each of:"), correlation->group_by, correlation->group_count, out);
    (void)buf_putf(out, "  %s\n", _("Made of:"));
    for (size_t i = 0; i < correlation->part_count; i++) {
        const struct sigma_part_of *part = &correlation->parts[i];

        (void)buf_put_text(out, "    ");
        (void)buf_put_plain(out,
                            text_str(part->is_correlation ? set->correlations[part->index].title
                                                          : set->rules[part->index].title));
        (void)buf_put_byte(out, '\n');
    }
    put_list(_("Tags:"), correlation->tags, correlation->tag_count, out);
    put_list(_("May be no attack:"), correlation->false_positives,
             correlation->false_positive_count, out);
}
