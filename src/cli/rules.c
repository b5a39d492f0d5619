/* canhgac rules: what Sigma rules are there, whether they load, what they look for, and whether
 * they do so. Rules come from others: they are read by a process without rights (hunt/porter.c). */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/backtest.h"
#include "cli/command.h"
#include "cli/hunt/rulebook.h"
#include "cli/hunt/trial.h"
#include "cli/hunt/words.h"
#include "codec/json.h"

#include <sys/stat.h>

#define LINE_LIMIT (16u << 20)

struct rules_settings {
    struct setting_list rules;
    struct setting_list source;
    struct setting_list pipelines;
    const char *level;
    const char *tag;
    bool is_bare;
    bool is_json;
};

#define ROW_JSON                                                                                   \
    {"json",                                                                                       \
     0,                                                                                            \
     SETTING_FLAG,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct rules_settings, is_json),                                                     \
     NULL,                                                                                         \
     N_("one JSON object a line")}
#define ROW_RULES                                                                                  \
    {"rules",                                                                                      \
     'r',                                                                                          \
     SETTING_LIST,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct rules_settings, rules),                                                       \
     N_("PATH"),                                                                                   \
     N_("Sigma rules beside those built in: files, or folders with .yml files")}
#define ROW_BARE                                                                                   \
    {"no-builtin",                                                                                 \
     0,                                                                                            \
     SETTING_FLAG,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct rules_settings, is_bare),                                                     \
     NULL,                                                                                         \
     N_("only the rules that --rules names")}
#define ROW_PIPELINE                                                                               \
    {"pipeline",                                                                                   \
     0,                                                                                            \
     SETTING_LIST,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct rules_settings, pipelines),                                                   \
     N_("FILE"),                                                                                   \
     N_("a Sigma pipeline to be applied behind those built in")}

static const struct setting check_rows[] = {ROW_PIPELINE, ROW_JSON, {}};
static const struct setting explain_rows[] = {ROW_RULES, ROW_BARE, ROW_PIPELINE, {}};
static const struct setting test_rows[] = {ROW_JSON, {}};
static const struct setting list_rows[] = {
    ROW_RULES,
    ROW_BARE,
    ROW_PIPELINE,
    {"level", 0, SETTING_CHOICE, "informational", NULL, "informational|low|medium|high|critical",
     offsetof(struct rules_settings, level), N_("LEVEL"), N_("show this level and those above")},
    {"tag", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct rules_settings, tag), N_("TAG"),
     N_("only rules with this tag, or one below it: attack.t1059")},
    {"source", 0, SETTING_LIST, NULL, NULL, NULL, offsetof(struct rules_settings, source),
     N_("PART=VALUE"), N_("only rules of this log source: product=…,category=…,service=…")},
    ROW_JSON,
    {},
};

/* What the process that reads was asked for. */
struct rules_order {
    const struct rules_settings *settings;
    const char *subject; /* of explain: an id, a name, or NULL: all that was carried */
    bool is_bare;
    int (*show)(const struct rules_order *order, const struct rulebook *book, struct buf *line);
};

static void line_print(struct buf *line)
{
    (void)fwrite(line->ptr, 1, line->len, stdout);
    buf_reset(line);
}

/* ---- check */

static void refusal_put_text(const struct sigma_refusal *refusal, struct buf *line)
{
    (void)buf_put_plain(line, refusal->file);
    (void)buf_putf(line, ":%u:%u: ", refusal->line, refusal->column);
    (void)buf_put_text(line, refusal->is_warning ? _("warning: ") : "");
    if (refusal->title.len != 0) {
        (void)buf_put_plain(line, refusal->title);
        (void)buf_put_text(line, ": ");
    }
    (void)buf_put_plain(line, refusal->reason);
    if (refusal->remedy.len != 0) {
        (void)buf_put_text(line, "; ");
        (void)buf_put_plain(line, refusal->remedy);
    }
    (void)buf_put_byte(line, '\n');
}

static void refusal_put_json(const struct sigma_refusal *refusal, struct buf *line)
{
    struct json_writer json;

    json_begin(&json, line);
    json_open_object(&json);
    json_add_str(&json, "file", refusal->file);
    json_add_u64(&json, "line", refusal->line);
    json_add_u64(&json, "column", refusal->column);
    json_add_str(&json, "title", refusal->title);
    json_add_str(&json, "reason", refusal->reason);
    json_add_str(&json, "remedy", refusal->remedy);
    json_add_bool(&json, "warning", refusal->is_warning);
    json_close_object(&json);
    (void)buf_put_byte(line, '\n');
}

static int check_show(const struct rules_order *order, const struct rulebook *book,
                      struct buf *line)
{
    const struct sigma_set *set = book->set;

    for (size_t i = 0; i < set->refusal_count; i++) {
        if (order->settings->is_json) {
            refusal_put_json(&set->refusals[i], line);
        } else {
            refusal_put_text(&set->refusals[i], line);
        }
        line_print(line);
    }
    fflush(stdout);
    fprintf(stderr, _("%zu rules and %zu correlations stand, %zu were refused"),
            sigma_set_written(set), set->correlation_count, book->refused);
    fputc('\n', stderr);
    return book->refused != 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

/* ---- list */

static bool is_of_source(const struct logsource *source, const struct setting_list *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        struct str rest = str_from(parts->items[i]);
        struct str name;
        struct str value = STR("");

        (void)str_cut(&rest, '=', &name);
        if (str_is(name, STR("product"))) {
            value = source->product;
        } else if (str_is(name, STR("category"))) {
            value = source->category;
        } else if (str_is(name, STR("service"))) {
            value = source->service;
        }
        if (!str_is_nocase(value, rest)) {
            return false;
        }
    }
    return true;
}

static bool has_tag(const struct str *tags, size_t count, const char *wanted)
{
    struct str tag = str_from(wanted);

    for (size_t i = 0; i < count; i++) {
        if (str_is_nocase(str_slice(tags[i], 0, tag.len), tag) &&
            (tags[i].len == tag.len || tags[i].ptr[tag.len] == '.')) {
            return true;
        }
    }
    return wanted == NULL;
}

struct listed {
    struct str id;
    struct str title;
    enum sigma_level level;
    struct logsource source; /* empty: a correlation's */
    const struct str *tags;
    size_t tag_count;
    struct str file;
    uint32_t line;
    const char *kind;
};

static void listed_put_json(const struct listed *listed, struct buf *line)
{
    struct json_writer json;

    json_begin(&json, line);
    json_open_object(&json);
    json_add_str(&json, "rule_id", listed->id);
    json_add_str(&json, "title", listed->title);
    json_add_text(&json, "kind", listed->kind);
    json_add_text(&json, "level", sigma_level_name(listed->level));
    json_add_str(&json, "product", listed->source.product);
    json_add_str(&json, "category", listed->source.category);
    json_add_str(&json, "service", listed->source.service);
    json_add_array(&json, "tags");
    for (size_t i = 0; i < listed->tag_count; i++) {
        json_put_str(&json, listed->tags[i]);
    }
    json_close_array(&json);
    json_add_str(&json, "file", listed->file);
    json_add_u64(&json, "line", listed->line);
    json_close_object(&json);
    (void)buf_put_byte(line, '\n');
}

static void listed_show(const struct rules_order *order, const struct listed *listed,
                        struct buf *line)
{
    enum sigma_level least = SIGMA_LEVEL_INFORMATIONAL;

    (void)sigma_level_parse(str_from(order->settings->level), &least);
    if (listed->level < least || !is_of_source(&listed->source, &order->settings->source) ||
        !has_tag(listed->tags, listed->tag_count, order->settings->tag)) {
        return;
    }
    if (order->settings->is_json) {
        listed_put_json(listed, line);
    } else {
        (void)buf_putf(line, "%-36.*s  %-13s  ", STR_ARG(listed->id),
                       sigma_level_name(listed->level));
        (void)buf_put_plain(line, text_str(listed->title));
        (void)buf_put_text(line, "  · ");
        if (listed->source.product.len + listed->source.category.len + listed->source.service.len !=
            0) {
            words_put_source(&listed->source, line);
        } else {
            (void)buf_put_text(line, listed->kind);
        }
        (void)buf_put_byte(line, '\n');
    }
    line_print(line);
}

static int list_show(const struct rules_order *order, const struct rulebook *book, struct buf *line)
{
    const struct sigma_set *set = book->set;

    for (size_t i = 0; i < set->rule_count; i++) {
        const struct sigma_rule *rule = &set->rules[i];
        const struct listed listed = {rule->id,     rule->title, rule->level,
                                      rule->source, rule->tags,  rule->tag_count,
                                      rule->file,   rule->line,  "rule"};

        if (sigma_rule_is_written(rule)) {
            listed_show(order, &listed, line);
        }
    }
    for (size_t i = 0; i < set->correlation_count; i++) {
        const struct sigma_correlation *correlation = &set->correlations[i];
        const struct listed listed = {correlation->id,
                                      correlation->title,
                                      correlation->level,
                                      {},
                                      correlation->tags,
                                      correlation->tag_count,
                                      correlation->file,
                                      correlation->line,
                                      sigma_correlation_name(correlation->kind)};

        listed_show(order, &listed, line);
    }
    return EXIT_STATUS_CLEAN;
}

/* ---- explain */

static bool is_subject(const char *subject, struct str id, struct str name)
{
    return subject == NULL || str_is_nocase(id, str_from(subject)) ||
           str_is(name, str_from(subject));
}

static int explain_show(const struct rules_order *order, const struct rulebook *book,
                        struct buf *line)
{
    CLEANUP(sigma_engine_freep) struct sigma_engine *engine = NULL;
    const struct sigma_set *set = book->set;
    struct diag diag = {0};
    size_t shown = 0;
    int r = sigma_engine_new(set, &engine, &diag);

    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    for (size_t i = 0; i < set->rule_count; i++) {
        if (sigma_rule_is_written(&set->rules[i]) &&
            is_subject(order->subject, set->rules[i].id, set->rules[i].name)) {
            (void)buf_put_text(line, shown++ != 0 ? "\n" : "");
            words_put_rule(&set->rules[i], line);
            words_put_waits(engine, i, line);
            line_print(line);
        }
    }
    for (size_t i = 0; i < set->correlation_count; i++) {
        const struct sigma_correlation *correlation = &set->correlations[i];

        if (is_subject(order->subject, correlation->id, correlation->name)) {
            (void)buf_put_text(line, shown++ != 0 ? "\n" : "");
            words_put_correlation(set, correlation, line);
            line_print(line);
        }
    }
    for (size_t i = 0; order->subject == NULL && i < set->refusal_count; i++) {
        refusal_put_text(&set->refusals[i], line);
        (void)fwrite(line->ptr, 1, line->len, stderr);
        buf_reset(line);
    }
    if (shown == 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("there is no rule '%s'; canhgac rules list shows those there are"),
                            order->subject != NULL ? order->subject : "");
    }
    return EXIT_STATUS_CLEAN;
}

/* ---- the process that reads */

static int rules_load(struct rulebook *book, bool is_bare, int channel, struct diag *diag)
{
    static struct parcel parcel;
    int r = rulebook_init(book, is_bare);

    while (r == 0 && (r = porter_receive(channel, &parcel)) == 0) {
        r = rulebook_take(book, &parcel, diag);
    }
    return r == -ERR_PIPE ? rulebook_finish(book, diag) : r;
}

static int rules_body(void *context, int channel)
{
    const struct rules_order *order = context;
    CLEANUP(rulebook_done) struct rulebook book = {0};
    CLEANUP(buf_done) struct buf line;
    struct diag diag = {0};
    int status;
    int r;

    buf_init(&line, LINE_LIMIT);
    r = rules_load(&book, order->is_bare, channel, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    status = order->show(order, &book, &line);
    return status == EXIT_STATUS_CLEAN && book.unread != 0 ? EXIT_STATUS_FAILED : status;
}

struct carried {
    enum porter_kind kind;
    const char *path;
};

static int rules_call(porter_body_fn *body, void *order, const struct carried *carried,
                      size_t count)
{
    struct porter porter;
    int r = porter_start(&porter, "canhgac-rules", body, order, -1);
    int status;

    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&porter.diag, r));
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = porter_carry(&porter, carried[i].kind, carried[i].path);
    }
    status = porter_end(&porter);
    return status == EXIT_STATUS_CLEAN && (porter.failed != 0 || r < 0) ? EXIT_STATUS_FAILED
                                                                        : status;
}

static int rules_call_paths(struct rules_order *order, const char *const *paths, size_t count,
                            struct arena *arena)
{
    const struct setting_list *pipelines = &order->settings->pipelines;
    struct carried *carried = arena_alloc(arena, pipelines->count + count + 1, sizeof(*carried));
    size_t made = 0;

    if (carried == NULL) {
        return command_fail(EXIT_STATUS_FAILED, _("out of memory"));
    }
    while (made < pipelines->count) { /* first: rules are filled from them as they are read */
        carried[made] = (struct carried){PORTER_KIND_PIPELINE, pipelines->items[made]};
        made++;
    }
    for (size_t i = 0; i < count; i++) {
        carried[made++] = (struct carried){PORTER_KIND_RULES, paths[i]};
    }
    return rules_call(rules_body, order, carried, made);
}

/* ---- verbs */

static int check_run(const struct command_call *call)
{
    struct rules_order order = {.settings = call->settings, .show = check_show};

    order.is_bare = call->operands.count != 0;
    return rules_call_paths(&order, call->operands.items, call->operands.count, call->arena);
}

static int list_run(const struct command_call *call)
{
    const struct rules_settings *settings = call->settings;
    struct rules_order order = {
        .settings = settings, .is_bare = settings->is_bare, .show = list_show};

    return rules_call_paths(&order, settings->rules.items, settings->rules.count, call->arena);
}

static int explain_run(const struct command_call *call)
{
    const struct rules_settings *settings = call->settings;
    struct rules_order order = {
        .settings = settings, .is_bare = settings->is_bare, .show = explain_show};
    struct stat info;

    if (call->operands.count != 1) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "rules explain", _("ID|FILE"));
    }
    if (stat(call->operands.items[0], &info) == 0) {
        order.is_bare = true;
        return rules_call_paths(&order, call->operands.items, 1, call->arena);
    }
    order.subject = call->operands.items[0];
    return rules_call_paths(&order, settings->rules.items, settings->rules.count, call->arena);
}

/* A file is tried with the rules of its folder: a correlation may refer to them. */
static int test_run(const struct command_call *call)
{
    const struct rules_settings *settings = call->settings;
    struct trial_order order = {.is_json = settings->is_json};
    const char *path = call->operands.count == 1 ? call->operands.items[0] : NULL;
    struct carried carried[2];
    struct str whole = str_from(path);
    struct stat info;

    if (path == NULL) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "rules test", _("FILE|FOLDER"));
    }
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        const char *slash = strrchr(path, '/');
        const char *dot = strrchr(slash != NULL ? slash : path, '.');
        size_t stem = dot != NULL ? (size_t)(dot - path) : whole.len;

        order.only =
            arena_printf(call->arena, "%s%.*s.", slash != NULL ? "" : "./", (int)stem, path).ptr;
        path = slash == NULL
                   ? "."
                   : arena_copy(call->arena,
                                str_slice(whole, 0, slash == path ? 1 : (size_t)(slash - path)))
                         .ptr;
        if (path == NULL || order.only == NULL) {
            return command_fail(EXIT_STATUS_FAILED, _("out of memory"));
        }
    }
    carried[0] = (struct carried){PORTER_KIND_RULES, path};
    carried[1] = (struct carried){PORTER_KIND_SAMPLE, path};
    return rules_call(trial_run, &order, carried, 2);
}

static const struct command rules_verbs[] = {
    {.name = "check",
     .summary = N_("Say which rules are refused, where and why"),
     .operands = N_("[PATH…]"),
     .details = N_("Without a path: the rules that are built in. Exit status: 0 all stand, 1 one "
                   "was refused, 3 one could not be read."),
     .rows = check_rows,
     .settings_size = sizeof(struct rules_settings),
     .run = check_run},
    {.name = "list",
     .summary = N_("List rules"),
     .rows = list_rows,
     .settings_size = sizeof(struct rules_settings),
     .run = list_run},
    {.name = "explain",
     .summary = N_("Say in words what a rule looks for"),
     .operands = N_("ID|FILE"),
     .details = N_("Each log source in which it is looked for comes with its own names of fields, "
                   "as pipelines have made them."),
     .rows = explain_rows,
     .settings_size = sizeof(struct rules_settings),
     .run = explain_run},
    {.name = "test",
     .summary = N_("Try rules on their samples"),
     .operands = N_("FILE|FOLDER"),
     .details =
         N_("Beside NAME.yml lie samples of logs: NAME.hit.log must raise each rule and "
            "correlation of that file, NAME.miss.log none. Exit status: 0 all do, 1 one does "
            "not or has no sample."),
     .rows = test_rows,
     .settings_size = sizeof(struct rules_settings),
     .run = test_run},
    {.name = "backtest",
     .summary = N_("Try a rule on the events that the centre has stored"),
     .operands = N_("FILE"),
     .details = N_("Says how often the rule would have spoken on each day, and shows the newest "
                   "entries that it would have told. Nothing is changed or raised. Correlations "
                   "cannot be tried so; the rules that they count can. Exit status: 1 the rule "
                   "holds for an entry, 0 for none."),
     .rows = backtest_rows,
     .settings_size = sizeof(struct backtest_settings),
     .run = backtest_run},
    {},
};

const struct command rules_command = {
    .name = "rules",
    .summary = N_("Check, list, explain and test Sigma rules"),
    .verbs = rules_verbs,
};
