/* canhgac hunt FILE…: runs Sigma rules over logs. On its way: here the order is checked → hunt/
 * again.c starts who reads → hunt/porter.c opens → hunt/reader.c reads and judges without rights.
 */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/hunt/again.h"
#include "cli/hunt/order.h"
#include "cli/hunt/porter.h"

#include <unistd.h>

#define ZONE_VIET_NAM "+07:00"
#define PATIENCE      (10 * NS_PER_S) /* the costliest entry known takes 10 ms */

struct hunt_settings {
    struct setting_list rules;
    struct setting_list pipelines;
    struct setting_list lists;
    struct setting_list source;
    const char *from;
    const char *to;
    const char *format;
    const char *zone;
    const char *level;
    const char *judge;
    int64_t jobs;
    bool is_json;
    bool is_table;
    bool is_summary;
    bool is_bare;
};

static const struct setting hunt_rows[] = {
    {"rules", 'r', SETTING_LIST, NULL, NULL, NULL, offsetof(struct hunt_settings, rules),
     N_("PATH"), N_("Sigma rules beside those built in: files, or folders with .yml files")},
    {"no-builtin", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct hunt_settings, is_bare), NULL,
     N_("only the rules that --rules names")},
    {"pipeline", 0, SETTING_LIST, NULL, NULL, NULL, offsetof(struct hunt_settings, pipelines),
     N_("FILE"), N_("a Sigma pipeline to be applied behind those built in")},
    {"ioc", 'i', SETTING_LIST, NULL, NULL, NULL, offsetof(struct hunt_settings, lists), N_("FILE"),
     N_("indicators to look for: addresses, hosts, URLs, hashes, user agents as plain lines, CSV, "
        "MISP or STIX")},
    {"from", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct hunt_settings, from), N_("TIME"),
     N_("pass over entries before this time; 2026-11-20, \"2026-11-20 08:30\" or RFC 3339")},
    {"to", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct hunt_settings, to), N_("TIME"),
     N_("pass over entries behind this time")},
    {"zone", 0, SETTING_TEXT, ZONE_VIET_NAM, NULL, NULL, offsetof(struct hunt_settings, zone),
     N_("ZONE"), N_("zone of times that name none, and of those shown to people")},
    {"level", 0, SETTING_CHOICE, "informational", NULL, "informational|low|medium|high|critical",
     offsetof(struct hunt_settings, level), N_("LEVEL"), N_("show this level and those above")},
    {"format", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct hunt_settings, format),
     N_("NAME"), N_("format of all files; without it each is known by its first bytes")},
    {"source", 0, SETTING_LIST, NULL, NULL, NULL, offsetof(struct hunt_settings, source),
     N_("PART=VALUE"), N_("log source of all entries: product=…,category=…,service=…")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct hunt_settings, is_json), NULL,
     N_("one JSON object a line: matches, correlations, at last the account")},
    {"table", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct hunt_settings, is_table), NULL,
     N_("for people; this is the default")},
    {"summary", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct hunt_settings, is_summary), NULL,
     N_("only counts: by rule, host and technique of ATT&CK")},
    {"jobs", 'j', SETTING_NUMBER, "0", "0", "16", offsetof(struct hunt_settings, jobs), N_("N"),
     N_("threads; 0: one for each processor")},
    {"judge", 0, SETTING_CHOICE, "engine", NULL, "engine|naive",
     offsetof(struct hunt_settings, judge), N_("WHICH"),
     N_("naive asks every rule of every entry: slow, to check the engine by")},
    {},
};

static int order_formats(const char *name)
{
    CLEANUP(buf_done) struct buf list;

    buf_init(&list, 4096);
    for (size_t i = 0; log_formats[i] != NULL; i++) {
        (void)buf_putf(&list, "%s%s", i != 0 ? ", " : "", log_formats[i]->name);
    }
    return command_fail(EXIT_STATUS_USAGE, _("there is no format '%s'; there are: %.*s"), name,
                        STR_ARG(buf_str(&list)));
}

static int order_times(struct hunt_order *order, const struct hunt_settings *settings)
{
    int r = order_parse_zone(str_from(settings->zone), &order->zone);

    if (r < 0) {
        return command_fail(EXIT_STATUS_USAGE, _("--zone wants +07:00, -03:30 or Z, not '%s'"),
                            settings->zone);
    }
    order->from = INT64_MIN;
    order->to = INT64_MAX;
    if (settings->from != NULL) {
        r = order_parse_time(str_from(settings->from), order->zone, false, &order->from);
    }
    if (r == 0 && settings->to != NULL) {
        r = order_parse_time(str_from(settings->to), order->zone, true, &order->to);
    }
    if (r < 0) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("--from and --to want a time as 2026-11-20, \"2026-11-20 08:30\" or "
                              "2026-11-20T08:30:00+07:00"));
    }
    return order->from > order->to
               ? command_fail(EXIT_STATUS_USAGE, _("--from lies behind --to: nothing is between"))
               : 0;
}

static int order_source(struct hunt_order *order, const struct setting_list *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        struct str rest = str_from(parts->items[i]);
        struct str name;

        if (!str_cut(&rest, '=', &name) || rest.len == 0) {
            name = STR("");
        }
        if (str_is(name, STR("product"))) {
            order->source.product = rest;
        } else if (str_is(name, STR("category"))) {
            order->source.category = rest;
        } else if (str_is(name, STR("service"))) {
            order->source.service = rest;
        } else {
            return command_fail(EXIT_STATUS_USAGE,
                                _("--source wants product=…, category=… or service=…, not '%s'"),
                                parts->items[i]);
        }
    }
    return 0;
}

static size_t order_jobs(const struct hunt_settings *settings)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t jobs = settings->jobs != 0 ? settings->jobs : online;

    jobs = jobs < CREW_JOBS_MAX ? jobs : CREW_JOBS_MAX;
    return jobs < 1 ? 1 : (size_t)jobs;
}

/* 0 or an enum exit_status. */
static int order_fill(struct hunt_order *order, const struct hunt_settings *settings)
{
    int r;

    if (settings->is_table + (settings->is_json || settings->is_summary) > 1) {
        return command_fail(EXIT_STATUS_USAGE, _("--table does not go with --json or --summary"));
    }
    order->kind = settings->is_summary ? SHEET_KIND_SUMMARY
                  : settings->is_json  ? SHEET_KIND_JSON
                                       : SHEET_KIND_TABLE;
    order->is_json = settings->is_json;
    order->is_naive = str_is_text(str_from(settings->judge), "naive");
    order->is_bare = settings->is_bare;
    order->is_terminal = isatty(STDERR_FILENO) == 1;
    order->is_coloured = isatty(STDOUT_FILENO) == 1;
    order->jobs = order_jobs(settings);
    order->patience = PATIENCE;
    if (!sigma_level_parse(str_from(settings->level), &order->level)) {
        return EXIT_STATUS_USAGE;
    }
    if (settings->format != NULL) {
        order->format = log_format_find(str_from(settings->format));
        if (order->format == NULL) {
            return order_formats(settings->format);
        }
    }
    r = order_times(order, settings);
    return r == 0 ? order_source(order, &settings->source) : r;
}

static int hunt_carry(void *context, struct porter *porter)
{
    const struct command_call *call = context;
    const struct hunt_settings *settings = call->settings;
    int r = 0;

    for (size_t i = 0; r == 0 && i < settings->pipelines.count; i++) {
        r = porter_carry(porter, PORTER_KIND_PIPELINE, settings->pipelines.items[i]);
    }
    for (size_t i = 0; r == 0 && i < settings->rules.count; i++) {
        r = porter_carry(porter, PORTER_KIND_RULES, settings->rules.items[i]);
    }
    for (size_t i = 0; r == 0 && i < settings->lists.count; i++) {
        r = porter_carry(porter, PORTER_KIND_LIST, settings->lists.items[i]);
    }
    if (r == 0 && porter->failed != 0) {
        return -ERR_NOENT; /* a hunt without the rules that were asked for would find less */
    }
    for (size_t i = 0; r == 0 && i < call->operands.count; i++) {
        r = porter_carry(porter, PORTER_KIND_LOG, call->operands.items[i]);
    }
    return r;
}

static int hunt_run(const struct command_call *call)
{
    struct hunt_order order = {0};
    struct command_call carried = *call;
    int status;

    if (call->operands.count == 0) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "hunt", _("FILE…"));
    }
    status = order_fill(&order, call->settings);
    return status != 0 ? status : hunt_again_run(&order, hunt_carry, &carried);
}

const struct command hunt_command = {
    .name = "hunt",
    .summary = N_("Run Sigma rules and indicators over log files"),
    .operands = N_("FILE…"),
    .details = N_(
        "Every file, all files below a folder in the order of their names, or - for the standard "
        "input; packed with gzip, zstd, xz or bzip2, or in a tar or zip, as they are. They are "
        "opened here and read by a process without rights. The rules are those built in and those "
        "that --rules names; a rule that is refused is counted, and canhgac rules check tells why. "
        "Entries whose time is not known are judged whatever --from and --to say. Correlations are "
        "told at the end, over all files in the order of time; of a stream at once. Each entry is "
        "accounted for: with --json the last object on the standard output, else some lines on the "
        "standard error. Over an entry that ends the process that reads, all is read again without "
        "it and the entry is told. Exit status: 0 nothing found, 1 something found, 3 such an "
        "entry was left out, or something could not be read and nothing was found."),
    .rows = hunt_rows,
    .settings_size = sizeof(struct hunt_settings),
    .run = hunt_run,
};
