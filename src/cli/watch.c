/* canhgac watch: look at websites now, or keep watching them; and the web server's own log for what
 * no outside look can see. On its way: rows below → watch/list.c → watch/desk.c → fetch and readers
 * → watch/print.c. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/browser.h"
#include "centre/lists.h"
#include "cli/command.h"
#include "cli/watch/desk.h"
#include "cli/watch/keep.h"
#include "cli/watch/list.h"
#include "cli/watch/log.h"
#include "cli/watch/print.h"
#include "cli/watch/replay.h"
#include "sys/fd.h"
#include "sys/net.h"

#include <fcntl.h>
#include <signal.h>

#define AUTHORITIES_MAX (4U << 20)

struct watch_settings {
    bool is_once;
    bool is_json;
    bool is_log;
    bool is_visual;
    int64_t interval;
    int64_t most_time;
    const char *state;
    const char *sites;
    const char *authorities;
    const char *servers;
    const char *format;
    const char *replay;
    const char *domains;
    const char *lists;
    struct setting_list views;
};

#define ROW(member) offsetof(struct watch_settings, member)

static const struct setting watch_rows[] = {
    {"once", '1', SETTING_FLAG, NULL, NULL, NULL, ROW(is_once), NULL,
     N_("look at each site once in each view, then end")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_json), NULL,
     N_("print one JSON object a line, for every look")},
    {"sites", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(sites), N_("FILE"),
     N_("a list of addresses too: CSV, as spreadsheets write it")},
    {"views", 0, SETTING_LIST, NULL, NULL, NULL, ROW(views), N_("VIEW"),
     N_("only as desktop, crawler, search or mobile; else as all of them")},
    {"visual", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_visual), NULL,
     N_("have pages pictured by Chromium too, as people see them, and weigh what changes; with "
        "--once, what changed since the last run with the same --state")},
    {"interval", 0, SETTING_DURATION, "15s", "1s", "1d", ROW(interval), N_("TIME"),
     N_("between two requests to one site; a third more or less is drawn each time")},
    {"timeout", 0, SETTING_DURATION, "30s", "1s", "5m", ROW(most_time), N_("TIME"),
     N_("longest time for one answer")},
    {"state", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(state), N_("DIR"),
     N_("where to keep what was learned of pages; else it ends with the run")},
    {"ca", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(authorities), N_("FILE"),
     N_("certificate authorities (PEM) to trust beside the system's")},
    {"name-server", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(servers), N_("ADDRESS"),
     N_("name servers to ask instead of the system's, parted by commas: what they say is "
        "compared"),
     net_check_servers},
    {"lists", 0, SETTING_PATH, LISTS_FOLDER, NULL, NULL, ROW(lists), N_("DIR"),
     N_("folder of the lists of bad hosts, as 'canhgac lists' keeps them; read when the watch "
        "starts")},
    {"access-log", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_log), NULL,
     N_("the operands are access logs: find pages that search engines get another way")},
    {"format", 0, SETTING_TEXT, "combined", NULL, NULL, ROW(format), N_("FORMAT"),
     N_("how the access log is written: a name, or the server's own format line")},
    {"replay", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(replay), N_("DIR"),
     N_("judge stored versions: DIR/PAGE/EPOCH.html and DIR/PAGE/EPOCH.VIEW.html")},
    {"domains", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(domains), N_("FILE"),
     N_("with --replay, betting domains, one a line: a link to one of them is an attack")},
    {},
};

struct watch {
    struct watch_print print;
    uint8_t *states; /* of each site, page kind and view: verdict + 1, 0: not seen yet */
    bool has_found;
    bool has_unknown;
};

#define WATCH_STATES ((size_t)SITE_PAGE_COUNT * SITE_VIEW_COUNT)

/* Whether a person would want to hear of it: the first look, and each other verdict than before. */
static bool watch_is_news(struct watch *watch, size_t site, const struct site_check *check)
{
    uint8_t *state =
        &watch->states[site * WATCH_STATES + (size_t)check->page * SITE_VIEW_COUNT + check->view];
    uint8_t now = (uint8_t)(check->verdict + 1);
    bool is_quiet = check->verdict == SITE_VERDICT_OK || check->verdict == SITE_VERDICT_CHANGED;
    bool was_quiet = *state == SITE_VERDICT_OK + 1 || *state == SITE_VERDICT_CHANGED + 1;
    bool is_news = *state == 0 ? check->page == SITE_PAGE_LISTED || !is_quiet
                               : *state != now && !(is_quiet && was_quiet);

    *state = now;
    return is_news;
}

static bool watch_on_look(void *context, size_t site, const struct site_check *check)
{
    struct watch *watch = context;

    watch->has_found |= check->verdict >= SITE_VERDICT_YELLOW;
    watch->has_unknown |= check->verdict == SITE_VERDICT_UNKNOWN;
    watch_print_look(&watch->print, check, watch_is_news(watch, site, check));
    return true;
}

static void watch_on_tick(void *context)
{
    struct watch *watch = context;

    watch_print_tick(&watch->print);
}

/* The bit set; 0: all. */
static int watch_views(const struct watch_settings *settings, uint32_t *ret_views,
                       struct diag *diag)
{
    uint32_t views = 0;

    for (size_t i = 0; i < settings->views.count; i++) {
        enum site_view view;

        if (!site_view_parse(str_from(settings->views.items[i]), &view)) {
            return diag_set(diag, -ERR_SYNTAX,
                            _("'%s' is no view; there are desktop, crawler, search and mobile"),
                            settings->views.items[i]);
        }
        views |= 1U << view;
    }
    *ret_views = views != 0 ? views : (1U << SITE_VIEW_COUNT) - 1;
    return 0;
}

static int watch_gather(const struct command_call *call, struct watch_list *list, struct diag *diag)
{
    const struct watch_settings *settings = call->settings;
    int r = 0;

    for (size_t i = 0; r == 0 && i < call->operands.count; i++) {
        r = watch_list_add(list, str_from(call->operands.items[i]), diag);
    }
    if (r == 0 && settings->sites != NULL) {
        r = watch_list_read(list, settings->sites, diag);
    }
    if (r < 0 || list->count != 0) {
        return r;
    }
    if (settings->sites != NULL) {
        return diag_set(diag, -ERR_SYNTAX, _("no address was found in %s"), settings->sites);
    }
    return diag_set(diag, -ERR_SYNTAX,
                    _("which website? give an address, or a list with --sites FILE"));
}

static int watch_read_authorities(const struct watch_settings *settings, struct buf *buf,
                                  struct diag *diag)
{
    int r;

    if (settings->authorities == NULL) {
        return 0;
    }
    r = file_read_all(AT_FDCWD, settings->authorities, buf);
    return r < 0 ? diag_set(diag, r, _("cannot read %s: %s"), settings->authorities, err_text(r))
                 : 0;
}

/* What was found comes before what could not be seen: both are told, one has to be chosen. */
static int watch_status(const struct watch *watch, const struct watch_list *list)
{
    if (watch->has_found) {
        return EXIT_STATUS_FOUND;
    }
    return watch->has_unknown || list->refused != 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}

static int watch_sites(const struct watch_settings *settings, const struct watch_list *list,
                       uint32_t views, struct diag *diag)
{
    CLEANUP(buf_done) struct buf authorities;
    CLEANUP(watch_keep_close) struct watch_keep keep = {.folder = -1};
    struct watch watch = {.states = mem_alloc(list->count, WATCH_STATES)};
    struct watch_desk_options options = {.urls = list->urls,
                                         .count = list->count,
                                         .views = views,
                                         .is_once = settings->is_once,
                                         .is_visual = settings->is_visual,
                                         .interval = settings->interval,
                                         .most_time = settings->most_time,
                                         .servers = settings->servers,
                                         .lists = settings->lists,
                                         .keep = &keep,
                                         .look = watch_on_look,
                                         .tick = watch_on_tick,
                                         .context = &watch};
    int r = watch.states != NULL ? watch_keep_open(&keep, settings->state, diag) : -ERR_NOMEM;

    buf_init(&authorities, AUTHORITIES_MAX);
    if (r == 0) {
        r = watch_read_authorities(settings, &authorities, diag);
    }
    if (r == 0) {
        options.authorities = buf_str(&authorities);
        watch_print_init(&watch.print, settings->is_json, settings->is_once,
                         list->count * watch_desk_looks(views));
        r = watch_desk_run(&options, diag);
        watch_print_end(&watch.print);
    }
    mem_free(watch.states);
    return r < 0 ? r : watch_status(&watch, list);
}

static int watch_can_picture(uint32_t views, struct diag *diag)
{
    if ((views & 1U << SITE_VIEW_DESKTOP) == 0) {
        return diag_set(diag, -ERR_SYNTAX,
                        _("with --visual pages are seen as people see them: add --views desktop"));
    }
    if (access(BROWSER_PROGRAM, X_OK) != 0) {
        return diag_set(diag, -ERR_NOENT,
                        _("pages cannot be pictured without %s: install it (apt-get install "
                          "chromium), or leave out --visual"),
                        BROWSER_PROGRAM);
    }
    return 0;
}

/* What is stored or logged, not fetched. */
static int watch_stored(const struct command_call *call)
{
    const struct watch_settings *settings = call->settings;
    const struct watch_replay_options replay = {settings->replay, settings->domains,
                                                settings->is_json};
    const struct watch_log_options log = {
        .files = call->operands, .format = settings->format, .is_json = settings->is_json};

    if (settings->is_visual) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("--visual pictures pages as they are now: leave it out when stored "
                              "ones are judged"));
    }
    if (settings->is_log) {
        return watch_log(&log);
    }
    if (call->operands.count != 0) {
        return command_fail(EXIT_STATUS_USAGE, _("with --replay no address is watched: '%s'"),
                            call->operands.items[0]);
    }
    return watch_replay(&replay);
}

static int watch_run(const struct command_call *call)
{
    const struct watch_settings *settings = call->settings;
    CLEANUP(watch_list_done) struct watch_list list;
    struct diag diag = {0};
    uint32_t views = 0;
    int r;

    watch_list_init(&list, call->arena);
    if (settings->is_log || settings->replay != NULL) {
        return watch_stored(call);
    }
    r = watch_views(settings, &views, &diag);
    if (r == 0) {
        r = watch_gather(call, &list, &diag);
    }
    if (r == 0 && settings->is_visual) {
        r = watch_can_picture(views, &diag);
    }
    if (r < 0) {
        return command_fail(r == -ERR_SYNTAX ? EXIT_STATUS_USAGE : EXIT_STATUS_FAILED, "%s",
                            diag_text(&diag, r));
    }
    log_init("watch", LOG_LEVEL_WARN);
    r = watch_sites(settings, &list, views, &diag);
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : r;
}

const struct command watch_command = {
    .name = "watch",
    .summary = N_("Look at websites for what does not belong there"),
    .operands = N_("URL…"),
    .details =
        N_("Fetches each page as people, as a search engine's robot, as somebody who comes from a "
           "search and with a phone, and a page that must not exist; judges what is new on it. "
           "Without --once it keeps watching and says only what is news, until Ctrl+C. Exit: 0 "
           "all fine, 1 something found, 3 something could not be seen, which is never fine."),
    .rows = watch_rows,
    .settings_size = sizeof(struct watch_settings),
    .run = watch_run,
};
