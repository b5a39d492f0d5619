/* canhgac scan --webshell PATH…: looks for webshells below folders. On its way: scan_walk.c opens
 * → scan_worker.c judges without rights → a line a finding, and a sum at the end. What could not
 * be read is told and counted: it is not fine. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/scan_walk.h"
#include "cli/scan_worker.h"
#include "codec/json.h"

#define SCAN_LINE_LIMIT (256U << 10)
#define SHOW_AFTER_NS   (2 * NS_PER_S)
#define SHOW_EVERY_NS   (200 * NS_PER_MS)

struct scan_settings {
    int64_t jobs;
    bool is_webshell;
    bool is_json;
};

struct scan_view {
    const struct scan_settings *settings;
    struct scan_pool pool;
    struct diag diag;
    uint64_t sent;
    uint64_t judged;
    uint64_t found[WEBSHELL_OUTCOME_COUNT];
    uint64_t partial; /* of those judged: in their first and last part only */
    uint64_t failed;
    int64_t started;
    int64_t shown;
    bool is_terminal;
};

static const struct setting scan_rows[] = {
    {"webshell", 'w', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct scan_settings, is_webshell),
     NULL, N_("look for webshells in PHP, JSP, ASP and ASP.NET pages")},
    {"jobs", 'j', SETTING_NUMBER, "0", "0", "16", offsetof(struct scan_settings, jobs), N_("N"),
     N_("files judged at a time; 0: one for each processor")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct scan_settings, is_json), NULL,
     N_("one JSON object a line")},
    {},
};

/* ---- what is shown */

static void view_clear(struct scan_view *view)
{
    if (view->shown != 0) {
        fprintf(stderr, "\r\033[K");
    }
}

static void view_progress(struct scan_view *view)
{
    int64_t now = clock_mono(&clock_real);

    if (!view->is_terminal || now - view->started < SHOW_AFTER_NS ||
        now - view->shown < SHOW_EVERY_NS) {
        return;
    }
    view->shown = now;
    fprintf(stderr, "\r\033[K");
    fprintf(stderr, _("%llu files, %llu found"), (unsigned long long)view->judged,
            (unsigned long long)(view->found[WEBSHELL_OUTCOME_SUSPICIOUS] +
                                 view->found[WEBSHELL_OUTCOME_WEBSHELL]));
    fflush(stderr);
}

static void put_reason_json(struct json_writer *json, const struct webshell_reason *reason)
{
    json_open_object(json);
    json_add_text(json, "rule", reason->rule);
    json_add_u64(json, "line", reason->line);
    json_add_str(json, "snippet", reason->snippet);
    json_close_object(json);
}

static void put_finding_json(struct buf *line, const char *path,
                             const struct webshell_verdict *verdict)
{
    struct json_writer json;

    json_begin(&json, line);
    json_open_object(&json);
    json_add_text(&json, "path", path);
    json_add_text(&json, "verdict", webshell_outcome_name(verdict->outcome));
    json_add_double(&json, "score", verdict->score);
    json_add_text(&json, "language", webshell_language_name(verdict->language));
    if (verdict->reason_count != 0) {
        json_add_u64(&json, "line", verdict->reasons[0].line);
        json_add_str(&json, "snippet", verdict->reasons[0].snippet);
    }
    json_add_bool(&json, "partial", verdict->is_partial);
    json_add_array(&json, "reasons");
    for (size_t i = 0; i < verdict->reason_count; i++) {
        put_reason_json(&json, &verdict->reasons[i]);
    }
    json_close_array(&json);
    json_close_object(&json);
}

/* Two words of the model may lie in the same piece of code. */
static bool is_told(const struct webshell_reason *reasons, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(reasons[i].rule, reasons[index].rule) == 0 &&
            reasons[i].line == reasons[index].line &&
            str_is(reasons[i].snippet, reasons[index].snippet)) {
            return true;
        }
    }
    return false;
}

static void put_finding(struct buf *line, const char *path, const struct webshell_verdict *verdict)
{
    const char *what =
        verdict->outcome == WEBSHELL_OUTCOME_WEBSHELL ? _("webshell") : _("suspicious");

    (void)buf_putf(line, "%s%*s %5.1f  ", what, utf8_pad(what, 10), "", verdict->score);
    (void)buf_put_plain(line, str_from(path));
    for (size_t i = 0; i < verdict->reason_count && i < 4; i++) {
        const struct webshell_reason *reason = &verdict->reasons[i];

        if (is_told(verdict->reasons, i)) {
            continue;
        }
        (void)buf_putf(line, "\n    ");
        (void)buf_putf(line, _("line %u: %s"), reason->line, webshell_rule_text(reason->rule));
        (void)buf_putf(line, "\n        ");
        (void)buf_put_plain(line, reason->snippet);
    }
}

static void view_print(struct scan_view *view, const struct buf *line)
{
    view_clear(view);
    (void)fwrite(line->ptr, 1, line->len, stdout);
    putchar('\n');
}

static void view_failed(void *context, const char *path, int code)
{
    struct scan_view *view = context;
    CLEANUP(buf_done) struct buf line;
    struct json_writer json;

    view->failed++;
    buf_init(&line, SCAN_LINE_LIMIT);
    if (!view->settings->is_json) {
        view_clear(view);
        (void)buf_put_plain(&line, str_from(path));
        (void)command_fail(EXIT_STATUS_FAILED, _("not judged: %.*s: %s"), STR_ARG(buf_str(&line)),
                           code == -ERR_CANCELED ? _("the worker ended over it") : err_text(code));
        return;
    }
    json_begin(&json, &line);
    json_open_object(&json);
    json_add_text(&json, "path", path);
    json_add_text(&json, "verdict", "unknown");
    json_add_text(&json, "error", err_name(code));
    json_close_object(&json);
    view_print(view, &line);
}

static void view_told(void *context, const char *path, const struct webshell_verdict *verdict,
                      int code)
{
    struct scan_view *view = context;
    CLEANUP(buf_done) struct buf line;

    view->judged++;
    view_progress(view);
    if (verdict == NULL) {
        view_failed(view, path, code);
        return;
    }
    view->found[verdict->outcome]++;
    view->partial += verdict->is_partial ? 1 : 0;
    if (verdict->outcome == WEBSHELL_OUTCOME_BENIGN) {
        return;
    }
    buf_init(&line, SCAN_LINE_LIMIT);
    if (view->settings->is_json) {
        put_finding_json(&line, path, verdict);
    } else {
        put_finding(&line, path, verdict);
    }
    view_print(view, &line);
}

static void view_sum(struct scan_view *view)
{
    if (view->settings->is_json) {
        return;
    }
    printf(_("%llu files judged: %llu webshells, %llu suspicious"),
           (unsigned long long)(view->judged),
           (unsigned long long)view->found[WEBSHELL_OUTCOME_WEBSHELL],
           (unsigned long long)view->found[WEBSHELL_OUTCOME_SUSPICIOUS]);
    putchar('\n');
    if (view->partial != 0) {
        printf(
            _("%llu of them are longer than %u MiB: only their first and last part was looked at"),
            (unsigned long long)view->partial, WEBSHELL_LIMIT >> 20);
        putchar('\n');
    }
    if (view->failed != 0) {
        printf(_("%llu could not be judged, and may be anything: see above"),
               (unsigned long long)view->failed);
        putchar('\n');
    }
}

/* ---- the run */

static int scan_file(void *context, int fd, const char *path)
{
    struct scan_view *view = context;
    char *copy = mem_dup(path, strlen(path));

    if (copy == NULL) {
        return diag_set(&view->diag, -ERR_NOMEM, _("out of memory"));
    }
    view->sent++;
    return scan_pool_send(&view->pool, fd, copy, &view->diag);
}

static size_t scan_jobs(const struct scan_settings *settings)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t jobs = settings->jobs != 0 ? settings->jobs : online;

    jobs = jobs < SCAN_WORKERS_MAX ? jobs : SCAN_WORKERS_MAX;
    return jobs < 1 ? 1 : (size_t)jobs;
}

static int scan_paths(struct scan_view *view, const struct command_call *call)
{
    const struct scan_walk walk = {view, scan_file, view_failed};
    int r = scan_pool_start(&view->pool, scan_jobs(view->settings), &view->diag);

    for (size_t i = 0; r == 0 && i < call->operands.count; i++) {
        r = scan_walk(&walk, call->operands.items[i]);
    }
    r = r == 0 ? scan_pool_drain(&view->pool, &view->diag) : r;
    scan_pool_stop(&view->pool);
    view_clear(view);
    return r;
}

static int scan_run(const struct command_call *call)
{
    static struct scan_view view;
    int r;

    view = (struct scan_view){
        .settings = call->settings,
        .pool = {.context = &view, .told = view_told},
        .started = clock_mono(&clock_real),
        .is_terminal = isatty(STDERR_FILENO) == 1,
    };
    if (!view.settings->is_webshell) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants to know what to look for: --webshell"),
                            "scan");
    }
    if (call->operands.count == 0) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "scan", _("PATH…"));
    }
    r = scan_paths(&view, call);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&view.diag, r));
    }
    view_sum(&view);
    if (view.found[WEBSHELL_OUTCOME_SUSPICIOUS] + view.found[WEBSHELL_OUTCOME_WEBSHELL] != 0) {
        return EXIT_STATUS_FOUND;
    }
    return view.failed != 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}

const struct command scan_command = {
    .name = "scan",
    .summary = N_("Look for webshells in files and folders"),
    .operands = N_("PATH…"),
    .details = N_(
        "Every regular file is opened and judged by its content, whatever its name, in processes "
        "without rights; symbolic links below a folder are not followed. A finding names the "
        "line, the rule and the piece of code. A file longer than 8 MiB is judged by its first "
        "and last 4 MiB. Exit status: 0 nothing found, 1 something found, 3 something could "
        "not be judged and nothing was found."),
    .rows = scan_rows,
    .settings_size = sizeof(struct scan_settings),
    .run = scan_run,
};
