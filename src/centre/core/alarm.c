/* What looks at websites mean to people: findings of the watch, which go the way of every finding.
 * A person closes an alert; that a page is in order again is told as its finding's next state.
 * Neighbours: core/check.c asks for each look, store/ folds by site and title. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

#define ALARM_FAILURES 2                 /* looks in a row before a site counts as down */
#define ALARM_BLIND    (3600 * NS_PER_S) /* so long nothing could be judged */
#define ALARM_DAY      (86400 * NS_PER_S)

static bool alarm_has(const struct site_check *check, enum site_layer layer)
{
    return (check->layers & 1U << layer) != 0;
}

static bool alarm_says(const struct site_check *check, const char *what)
{
    for (size_t i = 0; i < check->reason_count; i++) {
        if (str_is_text(check->reasons[i].what, what)) {
            return true;
        }
    }
    return false;
}

/* The first page of a site, and log-in and one-stop services as a whole, are what people see. */
static bool alarm_is_home(const struct store_site *site, const struct site_check *check)
{
    return str_is(site->url, check->url);
}

static const char *alarm_title(const struct store_site *site, const struct site_check *check)
{
    const uint32_t around = 1U << SITE_LAYER_TLS | 1U << SITE_LAYER_REACH | 1U << SITE_LAYER_SAME;
    bool is_odd = check->verdict == SITE_VERDICT_YELLOW || !check->is_confirmed;

    if (is_odd && alarm_has(check, SITE_LAYER_TLS) && (check->layers & ~around) == 0) {
        return N_("The site's name or certificate is not as it was");
    }
    if (is_odd) {
        return N_("A page has changed in an unusual way");
    }
    if (alarm_says(check, "password_away")) {
        return N_("A form sends passwords to a stranger's host");
    }
    if (alarm_says(check, "sent_away")) {
        return N_("Visitors are sent on to a stranger's host");
    }
    if (alarm_has(check, SITE_LAYER_CLOAK)) {
        return N_("Search engines are shown another page than people");
    }
    if (alarm_has(check, SITE_LAYER_HIDING) || !alarm_has(check, SITE_LAYER_PROFILE)) {
        return N_("Foreign content was planted in a page");
    }
    return alarm_is_home(site, check) ? N_("The home page was defaced") : N_("A page was defaced");
}

static enum severity alarm_severity(const struct store_site *site, const struct site_check *check)
{
    if (check->verdict == SITE_VERDICT_YELLOW || !check->is_confirmed) {
        return SEVERITY_MEDIUM;
    }
    return alarm_is_home(site, check) || site->service == SITE_SERVICE_ONE_STOP ||
                   site->service == SITE_SERVICE_MAIL
               ? SEVERITY_CRITICAL
               : SEVERITY_HIGH;
}

static size_t alarm_reasons(const struct site_check *check,
                            struct finding_reason reasons[FINDING_WHY_MAX])
{
    size_t count = 0;

    for (size_t i = 0; check != NULL && i < check->reason_count && count < FINDING_WHY_MAX; i++) {
        reasons[count].what = check->reasons[i].what;
        reasons[count].value = check->reasons[i].value;
        reasons[count].score = check->reasons[i].score;
        count++;
    }
    return count;
}

int core_alarm_raise(struct core *core, const struct core_alarm *alarm, struct id *id,
                     uint32_t *revision, uint64_t *ret_alert)
{
    static const struct id nobody;
    struct finding_reason reasons[FINDING_WHY_MAX];
    struct finding finding = {.time = alarm->time,
                              .detector = STR("web"),
                              .severity = alarm->severity,
                              .title = str_from(alarm->title),
                              .score = alarm->check != NULL ? alarm->check->score : 1,
                              .reasons = reasons,
                              .reason_count = alarm_reasons(alarm->check, reasons),
                              .subject = alarm->subject,
                              .site = alarm->site,
                              .change = alarm->change};
    int r = id_is_none(id) ? id_new(id) : 0;

    if (r == 0) {
        r = core_batch_begin(core);
    }
    finding.id = *id;
    finding.revision = ++*revision;
    if (r == 0) {
        r = store_alert_fold(core->options.store, &nobody, &finding, ret_alert);
    }
    if (r == 0 && alarm->is_over) {
        r = store_alert_calm(core->options.store, *ret_alert);
    }
    core->counted.findings += finding.revision == 1 ? 1 : 0;
    core->changed |= CENTRE_CHANGED_ALERTS;
    return r;
}

/* How grave a look is: a red one that a second fetch has not confirmed counts as yellow. */
static unsigned alarm_rank(const struct site_check *check, bool is_window)
{
    if (check->verdict == SITE_VERDICT_RED) {
        return check->is_confirmed ? 2 : 1;
    }
    return check->verdict == SITE_VERDICT_YELLOW && !is_window ? 1 : 0;
}

static int alarm_end_page(struct core *core, const struct core_alarm *alarm,
                          struct store_look *look)
{
    uint64_t alert;
    int r = core_alarm_raise(core, alarm, &look->alarm, &look->alarm_revision, &alert);

    look->alarm = (struct id){0};
    look->alarm_revision = 0;
    look->alarm_rank = 0;
    return r;
}

int core_alarm_page(struct core *core, const struct store_site *site,
                    const struct site_check *check, struct store_look *look, uint64_t *ret_alert)
{
    struct core_alarm alarm = {.site = site->number,
                               .subject = check->url,
                               .change = look->change,
                               .time = check->time,
                               .severity = alarm_severity(site, check),
                               .title = alarm_title(site, check),
                               .check = check};
    bool is_news = look->since == check->time;
    bool is_window = false;
    int r = store_window_is_open(core->options.store, site->number, check->time, &is_window);
    unsigned rank = alarm_rank(check, is_window);

    if (r < 0) {
        return r;
    }
    if (rank == 0 && !id_is_none(&look->alarm) &&
        (check->verdict == SITE_VERDICT_OK || check->verdict == SITE_VERDICT_CHANGED)) {
        alarm.severity = SEVERITY_INFO;
        alarm.title = N_("The page shows nothing odd any more");
        alarm.check = NULL;
        return alarm_end_page(core, &alarm, look);
    }
    if (rank == 0 || !is_news) {
        return 0;
    }
    if (rank == 2 && look->alarm_rank < rank) { /* graver than what was told: a thing of its own */
        look->alarm = (struct id){0};
        look->alarm_revision = 0;
    }
    look->alarm_rank = rank;
    return core_alarm_raise(core, &alarm, &look->alarm, &look->alarm_revision, ret_alert);
}

static const char *alarm_outage_title(const struct store_site *site, const struct site_check *check,
                                      const struct store_look *look)
{
    switch (check->failure) {
    case SITE_FAILURE_NAME:
    case SITE_FAILURE_REFUSED:
    case SITE_FAILURE_TIMEOUT:
    case SITE_FAILURE_TLS:
    case SITE_FAILURE_PROTOCOL:
    case SITE_FAILURE_REDIRECTS:
    case SITE_FAILURE_STATUS:
        return look->failures >= ALARM_FAILURES || check->is_confirmed
                   ? N_("The site cannot be reached")
                   : NULL;
    case SITE_FAILURE_SIZE:
    case SITE_FAILURE_BLANK:
    case SITE_FAILURE_CAPTCHA:
    case SITE_FAILURE_FIREWALL:
    case SITE_FAILURE_PARTIAL:
        return look->failures >= ALARM_FAILURES && check->time - look->since >= ALARM_BLIND &&
                       site->checked != 0
                   ? N_("The site cannot be judged: its page has been blank or behind a barrier "
                        "for "
                        "an hour")
                   : NULL;
    case SITE_FAILURE_NONE:
    case SITE_FAILURE_OWN_NETWORK:
    case SITE_FAILURE_COUNT:
    default:
        return NULL;
    }
}

/* One finding an outage, whichever page and view saw it first. */
static int alarm_outage(struct core *core, struct store_site *site, const struct site_check *check,
                        const struct store_look *look)
{
    const char *title = alarm_outage_title(site, check, look);
    struct core_alarm alarm = {.site = site->number,
                               .subject = check->url,
                               .change = look->change,
                               .time = check->time,
                               .severity = SEVERITY_HIGH,
                               .title = title,
                               .check = check};
    bool is_told = !id_is_none(&site->outage);
    uint64_t alert;
    int r;

    if (title != NULL && !is_told) {
        r = core_alarm_raise(core, &alarm, &site->outage, &site->outage_revision, &alert);
        return r < 0 ? r : store_site_told(core->options.store, site);
    }
    if (!is_told || check->verdict == SITE_VERDICT_UNKNOWN || !alarm_is_home(site, check)) {
        return 0;
    }
    alarm.severity = SEVERITY_INFO;
    alarm.title = N_("The site can be reached again");
    alarm.check = NULL;
    alarm.is_over = true; /* a site has one outage at a time */
    r = core_alarm_raise(core, &alarm, &site->outage, &site->outage_revision, &alert);
    site->outage = (struct id){0};
    site->outage_revision = 0;
    return r < 0 ? r : store_site_told(core->options.store, site);
}

/* Days before the end at which it is told, each once; graver the nearer. */
static int64_t alarm_certificate_step(int64_t left)
{
    if (left > 14 * ALARM_DAY) {
        return 0;
    }
    if (left > 3 * ALARM_DAY) {
        return 14;
    }
    return left > 0 ? 3 : 1;
}

static int alarm_certificate(struct core *core, struct store_site *site,
                             const struct site_check *check)
{
    int64_t step = check->certificate_end == 0
                       ? site->certificate_told
                       : alarm_certificate_step(check->certificate_end - check->time);
    struct core_alarm alarm = {.site = site->number,
                               .subject = check->url,
                               .time = check->time,
                               .severity = step == 14 ? SEVERITY_MEDIUM : SEVERITY_HIGH};
    struct id id = {0};
    uint32_t revision = 0;
    uint64_t alert;
    int r = 0;

    if (step == site->certificate_told) {
        return 0;
    }
    if (step == 14) {
        alarm.title = N_("The certificate ends within 14 days");
    } else {
        alarm.title =
            step == 3 ? N_("The certificate ends within 3 days") : N_("The certificate has ended");
    }
    if (step != 0) {
        r = core_alarm_raise(core, &alarm, &id, &revision, &alert);
    }
    site->certificate_told = step;
    return r < 0 ? r : store_site_told(core->options.store, site);
}

static int alarm_own_network(struct core *core, const struct site_check *check)
{
    bool is_down = check->failure == SITE_FAILURE_OWN_NETWORK;
    bool was_down = !id_is_none(&core->watch.no_network);
    const struct core_alarm alarm = {
        .time = check->time,
        .severity = is_down ? SEVERITY_HIGH : SEVERITY_INFO,
        .title = is_down ? N_("The centre's own network is down: no site can be looked at")
                         : N_("The centre's own network works again"),
        .is_over = !is_down,
    };
    uint32_t revision = is_down ? 0 : 1;
    uint64_t alert;
    int r;

    if (is_down == was_down || (!is_down && check->failure != SITE_FAILURE_NONE)) {
        return 0;
    }
    r = core_alarm_raise(core, &alarm, &core->watch.no_network, &revision, &alert);
    if (!is_down) {
        core->watch.no_network = (struct id){0};
    }
    return r;
}

int core_alarm_site(struct core *core, struct store_site *site, const struct site_check *check,
                    const struct store_look *look)
{
    int r = alarm_own_network(core, check);

    if (r < 0 || check->page != SITE_PAGE_LISTED) {
        return r;
    }
    r = alarm_outage(core, site, check, look);
    return r < 0 ? r : alarm_certificate(core, site, check);
}
