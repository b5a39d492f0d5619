/* canhgac drill deface: a demo portal on loopback is watched by the real engine until its pages are
 * known, then defaced, act by act. On its way: drill/portal.c serves → watch/desk.c looks → here,
 * where a look moves the drill on: learn → (deface → alarm → put back → well again) for each act →
 * a line each. Invariants: only the scratch folder is written; an act that raises no alarm is told
 * as missed; what is defaced is put back whatever happens. */
#include "cli/drill/deface.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/fetch/fetcher.h"
#include "cli/drill/deface_acts.h"
#include "cli/drill/portal.h"
#include "cli/drill/wayback.h"
#include "cli/watch/desk.h"
#include "cli/watch/print.h"
#include "codec/json.h"
#include "sys/fd.h"

#include <signal.h>

#define DEFACE_INTERVAL  (40 * NS_PER_MS) /* it is our own portal: no politeness is owed */
#define DEFACE_ANSWER    (10 * NS_PER_S)
#define DEFACE_LINE_MAX  (16U << 10)
#define DEFACE_VIEWS     ((1U << SITE_VIEW_COUNT) - 1)
#define DEFACE_PAGES     2 /* the front page and the log-in */
#define DEFACE_LEARN_MAX (180 * NS_PER_S)

enum deface_phase {
    DEFACE_PHASE_LEARN,
    DEFACE_PHASE_ALARM, /* defaced: who tells? */
    DEFACE_PHASE_WELL,  /* put back: is it seen to be? */
    DEFACE_PHASE_END,
};

struct deface_drill {
    const struct drill_deface_settings *settings;
    struct drill_folder folder;
    struct portal *portal;
    struct drill_wayback wayback;
    char urls[DEFACE_PAGES][PORTAL_URL_MAX + 32];
    enum deface_phase phase;
    int64_t since;                /* monotonic ns, of the phase */
    uint32_t known[DEFACE_PAGES]; /* views that are learned */
    const struct deface_act *act;
    struct buf before;
    int64_t alarm_ns;
    int64_t restore_ns;
    int64_t well_ns; /* from put back to a look of the same view that is well again; 0: none */
    bool is_restored;
    struct site_check alarm; /* its numbers only: texts are gone with the look */
    unsigned told;
    unsigned missed;
    int result; /* first error, negative */
    struct diag diag;
};

const struct setting drill_deface_rows[] = {
    {"act", 'a', SETTING_TEXT, "all", NULL, NULL, offsetof(struct drill_deface_settings, act),
     N_("NAME"), N_("how to deface, or all ways; --list shows them")},
    {"folder", 0, SETTING_PATH, NULL, NULL, NULL, offsetof(struct drill_deface_settings, folder),
     N_("DIR"), N_("where: must be empty or not exist; else a new folder under /srv")},
    {"seed", 0, SETTING_NUMBER, "1", "0", NULL, offsetof(struct drill_deface_settings, seed),
     N_("N"), N_("which texts the portal has")},
    {"limit", 0, SETTING_DURATION, "30s", "1s", "10m",
     offsetof(struct drill_deface_settings, limit_ns), N_("TIME"),
     N_("longest time to wait for an alarm, and to be well again")},
    {"keep", 'k', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct drill_deface_settings, keep),
     NULL, N_("leave the folder as it is at the end")},
    {"list", 'l', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct drill_deface_settings, list),
     NULL, N_("list the ways and end")},
    {"json", 'j', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct drill_deface_settings, json),
     NULL, N_("one JSON object a line")},
    {},
};

/* ---- what is told */

static double deface_seconds(int64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

static const char *deface_verdict(const struct deface_drill *drill)
{
    if (drill->alarm_ns == 0) {
        return "missed";
    }
    return drill->is_restored ? "found" : "not-restored";
}

static void deface_put_time(struct json_writer *json, const char *key, int64_t ns)
{
    json_put_key(json, key);
    if (ns == 0) {
        json_put_null(json);
    } else {
        json_put_double(json, deface_seconds(ns));
    }
}

static void deface_print_json(const struct deface_drill *drill)
{
    struct json_writer json;
    struct buf line;

    buf_init(&line, DEFACE_LINE_MAX);
    json_begin(&json, &line);
    json_open_object(&json);
    json_add_text(&json, "act", drill->act->name);
    json_add_text(&json, "verdict", deface_verdict(drill));
    json_add_text(&json, "alarm",
                  drill->alarm_ns != 0 ? site_verdict_name(drill->alarm.verdict) : NULL);
    json_add_text(&json, "view", drill->alarm_ns != 0 ? site_view_name(drill->alarm.view) : NULL);
    json_add_bool(&json, "confirmed", drill->alarm_ns != 0 && drill->alarm.is_confirmed);
    deface_put_time(&json, "alarm_s", drill->alarm_ns);
    deface_put_time(&json, "restore_s", drill->restore_ns);
    deface_put_time(&json, "well_s", drill->well_ns);
    if (drill->alarm_ns != 0) {
        site_layers_write_json(drill->alarm.layers, &json);
    }
    json_close_object(&json);
    printf("%.*s\n", STR_ARG(buf_str(&line)));
    buf_done(&line);
}

/* By which layers it was found: "what the new text is about; …". */
static void deface_print_layers(uint32_t layers)
{
    const char *between = _("  told by: ");

    for (unsigned layer = 0; layer < SITE_LAYER_COUNT; layer++) {
        if ((layers & (1U << layer)) != 0) {
            printf("%s%s", between, text_get(site_layer_sentence((enum site_layer)layer)));
            between = "; ";
        }
    }
    printf("\n");
}

static void deface_print_text(const struct deface_drill *drill)
{
    printf("%s: %s\n", drill->act->name, text_get(drill->act->sentence));
    if (drill->alarm_ns == 0) {
        printf(_("  missed: no alarm within %.0f s"), deface_seconds(drill->settings->limit_ns));
        printf("\n");
    } else {
        printf(_("  %s after %.1f s, in the view of: %s"),
               watch_print_verdict(drill->alarm.verdict), deface_seconds(drill->alarm_ns),
               watch_print_view(drill->alarm.view));
        printf("\n");
        deface_print_layers(drill->alarm.layers);
    }
    printf("  ");
    printf(drill->is_restored ? _("put back bit for bit in %.1f ms") : _("not put back"),
           (double)drill->restore_ns / NS_PER_MS);
    if (drill->well_ns != 0) {
        printf(_("; seen well again after %.1f s"), deface_seconds(drill->well_ns));
    }
    printf("\n");
}

static void deface_tell(struct deface_drill *drill)
{
    drill->told++;
    drill->missed += drill->alarm_ns == 0 || !drill->is_restored;
    if (drill->settings->json) {
        deface_print_json(drill);
    } else {
        deface_print_text(drill);
    }
    (void)fflush(stdout);
}

/* ---- the course */

static void deface_enter(struct deface_drill *drill, enum deface_phase phase)
{
    drill->phase = phase;
    drill->since = clock_mono(&clock_real);
}

static void deface_fail(struct deface_drill *drill, int error)
{
    drill->result = error;
    deface_enter(drill, DEFACE_PHASE_END);
}

static bool deface_is_asked(const struct deface_drill *drill, const struct deface_act *act)
{
    return strcmp(drill->settings->act, "all") == 0 || strcmp(drill->settings->act, act->name) == 0;
}

/* From `act` on, the first that was asked for. */
static void deface_begin(struct deface_drill *drill, const struct deface_act *act)
{
    int r;

    while (act->name != NULL && !deface_is_asked(drill, act)) {
        act++;
    }
    drill->act = act;
    drill->alarm_ns = 0;
    drill->restore_ns = 0;
    drill->well_ns = 0;
    drill->is_restored = false;
    if (act->name == NULL) {
        deface_enter(drill, DEFACE_PHASE_END);
        return;
    }
    deface_enter(drill, DEFACE_PHASE_ALARM);
    r = deface_act_do(act, &drill->folder, &drill->before);
    if (r < 0) {
        deface_fail(drill, diag_set(&drill->diag, r, _("%s could not be defaced: %s"), act->file,
                                    err_text(r)));
    }
}

static void deface_restore(struct deface_drill *drill)
{
    int64_t start = clock_mono(&clock_real);
    int r = drill_wayback_restore(&drill->wayback, str_from(drill->act->file));

    drill->restore_ns = clock_mono(&clock_real) - start;
    drill->is_restored =
        r >= 0 && deface_act_is_undone(drill->act, &drill->folder, buf_str(&drill->before));
    deface_enter(drill, DEFACE_PHASE_WELL);
}

static void deface_go_on(struct deface_drill *drill)
{
    deface_tell(drill);
    deface_begin(drill, drill->act + 1);
}

static size_t deface_site(const struct deface_act *act)
{
    return act->page[0] == '\0' ? 0 : 1;
}

static void deface_on_learned(struct deface_drill *drill, size_t site,
                              const struct site_check *check)
{
    if (!check->is_learning) {
        drill->known[site] |= 1U << check->view;
    }
    if (drill->known[0] == DEFACE_VIEWS && drill->known[1] == DEFACE_VIEWS) {
        if (!drill->settings->json) {
            printf(_("the portal is known after %.0f s and %llu requests"),
                   deface_seconds(clock_mono(&clock_real) - drill->since),
                   (unsigned long long)portal_hits(drill->portal));
            printf("\n");
            (void)fflush(stdout);
        }
        deface_begin(drill, deface_acts);
    }
}

static bool deface_on_look(void *context, size_t site, const struct site_check *check)
{
    struct deface_drill *drill = context;
    bool is_alarm = check->verdict >= SITE_VERDICT_YELLOW;

    if (check->page != SITE_PAGE_LISTED || drill->phase == DEFACE_PHASE_END) {
        return drill->phase != DEFACE_PHASE_END;
    }
    if (drill->phase == DEFACE_PHASE_LEARN) {
        deface_on_learned(drill, site, check);
    } else if (site == deface_site(drill->act) && drill->phase == DEFACE_PHASE_ALARM && is_alarm) {
        drill->alarm_ns = clock_mono(&clock_real) - drill->since;
        drill->alarm = *check;
        deface_restore(drill);
    } else if (site == deface_site(drill->act) && drill->phase == DEFACE_PHASE_WELL && !is_alarm &&
               check->verdict != SITE_VERDICT_UNKNOWN &&
               (drill->alarm_ns == 0 || check->view == drill->alarm.view)) {
        drill->well_ns = clock_mono(&clock_real) - drill->since;
        deface_go_on(drill);
    }
    return drill->phase != DEFACE_PHASE_END;
}

static void deface_on_tick(void *context)
{
    struct deface_drill *drill = context;
    int64_t waited = clock_mono(&clock_real) - drill->since;

    if (drill->phase == DEFACE_PHASE_LEARN && waited > DEFACE_LEARN_MAX) {
        deface_fail(drill, diag_set(&drill->diag, -ERR_TIMEDOUT,
                                    _("the portal could not be learned in time")));
    } else if (drill->phase == DEFACE_PHASE_ALARM && waited > drill->settings->limit_ns) {
        deface_restore(drill);
    } else if (drill->phase == DEFACE_PHASE_WELL && waited > drill->settings->limit_ns) {
        drill->is_restored = false; /* bytes are back, but nobody sees it */
        deface_go_on(drill);
    }
}

/* ---- the stage */

static int deface_watch(struct deface_drill *drill)
{
    const char *urls[DEFACE_PAGES] = {drill->urls[0], drill->urls[1]};
    const struct watch_keep keep = {.folder = -1};
    const struct watch_desk_options options = {.urls = urls,
                                               .count = DEFACE_PAGES,
                                               .views = DEFACE_VIEWS,
                                               .interval = DEFACE_INTERVAL,
                                               .most_time = DEFACE_ANSWER,
                                               .keep = &keep,
                                               .look = deface_on_look,
                                               .tick = deface_on_tick,
                                               .context = drill};
    int r;

    (void)snprintf(drill->urls[0], sizeof(drill->urls[0]), "%s", portal_url(drill->portal));
    (void)snprintf(drill->urls[1], sizeof(drill->urls[1]), "%s" PORTAL_LOGIN,
                   portal_url(drill->portal));
    if (!drill->settings->json) {
        printf(_("learning the demo portal %s, for one to two minutes"), drill->urls[0]);
        printf("\n");
        (void)fflush(stdout);
    }
    deface_enter(drill, DEFACE_PHASE_LEARN);
    r = watch_desk_run(&options, &drill->diag);
    if (r == 0 && drill->result == 0 && drill->phase != DEFACE_PHASE_END) {
        r = diag_set(&drill->diag, -ERR_CANCELED, _("the drill was called off"));
    }
    return r < 0 ? r : drill->result;
}

static int deface_play(struct deface_drill *drill)
{
    int r = drill_folder_make(drill->settings->folder, &drill->folder, &drill->diag);

    r = r < 0 ? r : portal_fill(&drill->folder, (uint64_t)drill->settings->seed);
    r = r < 0 ? r : drill_wayback_open(&drill->wayback, &drill->folder, &drill->diag);
    r = r < 0 ? r : portal_start(&drill->folder, (uint64_t)drill->settings->seed, &drill->portal);
    return r < 0 ? r : deface_watch(drill);
}

/* Called off in the middle of an act, the page is still defaced. 0 or a negative error. */
static int deface_tidy(struct deface_drill *drill)
{
    int r = 0;

    portal_stop(drill->portal);
    if (drill->phase == DEFACE_PHASE_ALARM && drill->act->name != NULL) {
        r = drill_wayback_restore(&drill->wayback, str_from(drill->act->file));
    }
    drill_wayback_close(&drill->wayback);
    buf_done(&drill->before);
    if (drill->folder.fd >= 0 && !drill->settings->keep) {
        r = drill_folder_remove(&drill->folder);
    }
    closep(&drill->folder.fd);
    return r < 0 ? r : 0;
}

static int deface_list(bool is_json)
{
    for (const struct deface_act *act = deface_acts; act->name != NULL; act++) {
        if (is_json) {
            printf("{\"act\":\"%s\"}\n", act->name);
        } else {
            printf("  %-14s %s\n", act->name, text_get(act->sentence));
        }
    }
    return EXIT_STATUS_CLEAN;
}

int drill_deface_run(const struct command_call *call)
{
    const struct drill_deface_settings *settings = call->settings;
    struct deface_drill drill = {
        .settings = settings, .folder.fd = -1, .wayback = {.store.fd = -1}};
    int tidied;
    int r;

    if (settings->list) {
        return deface_list(settings->json);
    }
    if (strcmp(settings->act, "all") != 0 && deface_act_find(settings->act) == NULL) {
        return command_fail(EXIT_STATUS_USAGE, _("there is no way '%s'; --list shows them"),
                            settings->act);
    }
    buf_init(&drill.before, PORTAL_PAGE_MAX);
    r = deface_play(&drill);
    if (r < 0) {
        (void)command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&drill.diag, r));
    } else if (!settings->json) {
        printf(_("%u of %u found and put back"), drill.told - drill.missed, drill.told);
        printf("\n");
    }
    tidied = deface_tidy(&drill);
    if (tidied < 0) {
        (void)command_fail(EXIT_STATUS_FAILED, _("%s could not be cleaned up: %s"),
                           drill.folder.path, err_text(tidied));
    }
    if (r < 0 || tidied < 0) {
        return EXIT_STATUS_FAILED;
    }
    return drill.missed != 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}
