/* Sources of logs that are silent for longer than they are wont to be: findings of the centre's
 * own, one alert a host, or one for many at once (a relay that fails, a holiday), which is brought
 * up to date as others fall silent and closed when the last of them speaks. Neighbours:
 * core/source.c counts, detect/silence/ judges. Invariants: of a host that says nothing at all, or
 * is revoked, no source is told; what is muted is told to nobody. */
#include "centre/core/source_private.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define SILENCE_ARENA    (4U << 20)
#define SILENCE_RELAY    3U                /* senders through one relay that fall silent at once */
#define SILENCE_MANY     5U                /* hosts whose sources do */
#define SILENCE_TOGETHER (3600 * NS_PER_S) /* so long after its begin an alarm of many grows */
#define SILENCE_NAMED    (FINDING_WHY_MAX - 2) /* sources in a finding */
#define SILENCE_ZONE     25200                 /* s east of UTC */

/* What a sender's entries come by; an agent has none. */
static const char *relay_of(const struct core_source *source)
{
    return source->host->via != NULL ? source->host->via : "";
}

static struct silence_alarm *alarm_find(const struct core_sources *sources, uint64_t alert)
{
    LIST_EACH (node, &sources->alarms) {
        struct silence_alarm *alarm = LIST_ENTRY(node, struct silence_alarm, node);

        if (alarm->alert == alert) {
            return alarm;
        }
    }
    return NULL;
}

static int alarm_new(struct core_sources *sources, const struct id *host, const char *via,
                     struct silence_alarm **ret_alarm)
{
    struct silence_alarm *alarm = mem_alloc(1, sizeof(*alarm));

    if (alarm == NULL) {
        return -ERR_NOMEM;
    }
    alarm->host = *host;
    alarm->via = mem_dup(via, strlen(via));
    if (alarm->via == NULL) {
        mem_free(alarm);
        return -ERR_NOMEM;
    }
    list_append(&sources->alarms, &alarm->node);
    *ret_alarm = alarm;
    return 0;
}

static void alarm_free(struct silence_alarm *alarm)
{
    list_remove(&alarm->node);
    mem_free(alarm->via);
    mem_free(alarm);
}

void core_silence_tidy(struct core_sources *sources)
{
    LIST_EACH (node, &sources->alarms) {
        struct silence_alarm *alarm = LIST_ENTRY(node, struct silence_alarm, node);

        if (alarm->silent == 0) {
            alarm_free(alarm);
        }
    }
}

void core_silence_done(struct core_sources *sources)
{
    LIST_EACH (node, &sources->alarms) {
        alarm_free(LIST_ENTRY(node, struct silence_alarm, node));
    }
}

/* A host's own alert carries its id; one of many is known by the relay of its senders. */
static int alarm_resume(struct core_sources *sources, const struct core_source *source,
                        struct silence_alarm **ret_alarm)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_alert alert;
    struct silence_alarm *alarm = NULL;
    int r = arena_new(SILENCE_ARENA, &arena);

    r = r < 0 ? r : store_alert_get(sources->core->options.store, source->row.alert, arena, &alert);
    r = r < 0 ? r
              : alarm_new(sources, &alert.host, id_is_none(&alert.host) ? relay_of(source) : "",
                          &alarm);
    if (r < 0) {
        return r;
    }
    alarm->alert = alert.number;
    alarm->finding = alert.finding;
    alarm->revision = (uint32_t)(clock_wall(sources->core->options.clock) / NS_PER_S);
    alarm->begun = alert.first;
    *ret_alarm = alarm;
    return 0;
}

int core_silence_resume(struct core_sources *sources, struct core_source *source)
{
    struct silence_alarm *alarm = alarm_find(sources, source->row.alert);
    int r = alarm == NULL ? alarm_resume(sources, source, &alarm) : 0;

    if (r == -ERR_NOENT) { /* its alert has gone: it is told anew if it is silent still */
        source->row.alert = 0;
        return 0;
    }
    if (r == 0) {
        source->alarm = source->kept = alarm;
        alarm->silent++;
    }
    return r;
}

/* How a person reads it: the name, since when, and what is usual. */
static struct str silence_tell_one(const struct core_source *source, struct arena *arena)
{
    const struct store_logsource *row = &source->row;
    char since[TIME_TEXT_SIZE];
    struct str name = row->name.len != 0 ? row->name : STR("*");

    time_format_offset(row->last, SILENCE_ZONE, since);
    return arena_printf(arena, "%s · %.*s · %.16s · ≤ %lldh%02lldm", source->host->name,
                        STR_ARG(name), since, (long long)(row->gap / (3600 * NS_PER_S)),
                        (long long)(row->gap / (60 * NS_PER_S) % 60));
}

static size_t silence_reasons(struct core_sources *sources, const struct silence_alarm *alarm,
                              struct arena *arena, struct finding_reason reasons[FINDING_WHY_MAX])
{
    size_t cursor = 0;
    size_t count = 0;
    struct core_source *source;

    if (alarm->via[0] != '\0') {
        reasons[count++] =
            (struct finding_reason){.what = STR("log_relay"), .value = str_from(alarm->via)};
    }
    if (alarm->silent > SILENCE_NAMED) {
        reasons[count++] = (struct finding_reason){
            .what = STR("log_silent_count"), .value = arena_printf(arena, "%u", alarm->silent)};
    }
    while (count < FINDING_WHY_MAX && (source = map_next(&sources->map, &cursor)) != NULL) {
        if (source->alarm == alarm) {
            reasons[count++] = (struct finding_reason){.what = STR("log_silent"),
                                                       .value = silence_tell_one(source, arena)};
        }
    }
    return count;
}

static const char *silence_title(const struct core_sources *sources,
                                 const struct silence_alarm *alarm)
{
    const struct core_host *host = core_host_by_id(sources->core, &alarm->host);

    if (host == NULL) {
        return alarm->via[0] != '\0' ? N_("Most of what comes through one relay of logs is silent")
                                     : N_("Many sources of logs fell silent at once");
    }
    return N_("A source of logs is silent");
}

/* Tells of an alarm, or of those that have joined it. */
static int silence_tell(struct core_sources *sources, struct silence_alarm *alarm,
                        struct arena *arena)
{
    struct core *core = sources->core;
    const struct core_host *host = core_host_by_id(core, &alarm->host);
    struct finding_reason reasons[FINDING_WHY_MAX];
    struct finding finding = {.time = clock_wall(core->options.clock),
                              .detector = STR("centre"),
                              .severity =
                                  id_is_none(&alarm->host) ? SEVERITY_HIGH : SEVERITY_MEDIUM,
                              .title = str_from(silence_title(sources, alarm)),
                              .host = host != NULL ? str_from(host->name) : STR(""),
                              .score = 1,
                              .reasons = reasons};
    int r = id_is_none(&alarm->finding) ? id_new(&alarm->finding) : 0;

    finding.reason_count = silence_reasons(sources, alarm, arena, reasons);
    finding.id = alarm->finding;
    finding.revision = ++alarm->revision;
    core->counted.findings += alarm->alert == 0 ? 1 : 0;
    core->changed |= CENTRE_CHANGED_ALERTS | CENTRE_CHANGED_SOURCES;
    r = r < 0 ? r : core_batch_begin(core);
    return r < 0 ? r : store_alert_fold(core->options.store, &alarm->host, &finding, &alarm->alert);
}

int core_silence_end(struct core_sources *sources, struct core_source *source, const char *reason)
{
    struct core *core = sources->core;
    struct silence_alarm *alarm = source->alarm;
    int r = 0;

    source->alarm = NULL;
    core->changed |= CENTRE_CHANGED_SOURCES;
    core_source_touch(sources, source);
    if (--alarm->silent != 0) {
        return 0;
    }
    r = store_alert_move(core->options.store, alarm->alert, ALERT_STATE_CLOSED, STR("canhgac"),
                         str_from(reason));
    if (r == -ERR_CONFLICT || r == -ERR_NOENT) { /* a person was faster */
        return 0;
    }
    core->changed |= CENTRE_CHANGED_ALERTS;
    return r < 0 ? r
                 : store_audit_add(core->options.store, STR("canhgac"), STR("alert.close"),
                                   str_from(source->host->name),
                                   STR("{\"reason\":\"the source speaks again\"}"));
}

static bool silence_is_host_away(const struct core *core, const struct core_host *host)
{
    return host->is_revoked ||
           (host->via == NULL &&
            (host->silent_alert != 0 || host->stream == NULL || !host->stream->is_open ||
             clock_wall(core->options.clock) - host->seen > core->options.silent_after));
}

static bool silence_is_odd_now(struct core_sources *sources, const struct core_source *source)
{
    const struct core *core = sources->core;

    return source->alarm == NULL && source->muted == 0 &&
           silence_is_odd(&source->silence, clock_wall(core->options.clock),
                          core_source_deaf(sources, source), core->options.source_silent) &&
           !silence_is_host_away(core, source->host);
}

/* Of a sender that is silent as a whole no single source is told. */
static bool silence_is_covered(struct core_sources *sources, const struct core_source *source)
{
    char key[SOURCE_KEY_MAX];
    const struct core_source *whole;

    if (source->host->via == NULL || source->row.name.len == 0) {
        return false;
    }
    memcpy(key, source->host->id.bytes, sizeof(source->host->id.bytes));
    whole = map_get(&sources->map, str_of(key, sizeof(source->host->id.bytes)));
    return whole != NULL &&
           (whole->alarm != NULL || whole->muted != 0 || silence_is_odd_now(sources, whole));
}

/* What has fallen silent since the last look. */
struct silence_round {
    struct core_source **list;
    size_t count;
    struct arena *arena;
};

/* What an alarm is to speak of, and how many hosts it takes to raise one. */
struct round_kind {
    struct id host; /* none: many */
    const char *via;
    unsigned least;
};

static int silence_gather(struct core_sources *sources, struct arena *arena,
                          struct silence_round *round)
{
    size_t cursor = 0;
    struct core_source *source;

    round->count = 0;
    round->list = arena_alloc(arena, map_count(&sources->map) + 1, sizeof(struct core_source *));
    if (round->list == NULL) {
        return -ERR_NOMEM;
    }
    while ((source = map_next(&sources->map, &cursor)) != NULL) {
        if (source->alarm != NULL && source->host->is_revoked) {
            int r = core_batch_begin(sources->core);

            r = r < 0 ? r : core_silence_end(sources, source, "test: the host was revoked");
            if (r < 0) {
                return r;
            }
        } else if (silence_is_odd_now(sources, source) && !silence_is_covered(sources, source)) {
            round->list[round->count++] = source;
        }
    }
    return 0;
}

/* By relay, then by host. */
static int silence_order(const void *left, const void *right)
{
    const struct core_source *a = *(struct core_source *const *)left;
    const struct core_source *b = *(struct core_source *const *)right;
    int by_relay = strcmp(relay_of(a), relay_of(b));

    return by_relay != 0 ? by_relay
                         : memcmp(a->row.host.bytes, b->row.host.bytes, sizeof(a->row.host.bytes));
}

/* Hosts among those from `from` to `to` that no alarm has taken yet. */
static unsigned round_hosts(const struct silence_round *round, size_t from, size_t to)
{
    const struct core_host *last = NULL;
    unsigned hosts = 0;

    for (size_t i = from; i < to; i++) {
        if (round->list[i]->alarm == NULL) {
            hosts += round->list[i]->host != last ? 1U : 0U;
            last = round->list[i]->host;
        }
    }
    return hosts;
}

static int round_join(struct core_sources *sources, struct silence_alarm *alarm,
                      const struct silence_round *round, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (round->list[i]->alarm == NULL) {
            round->list[i]->alarm = alarm;
            alarm->silent++;
            core_source_touch(sources, round->list[i]);
        }
    }
    return silence_tell(sources, alarm, round->arena);
}

/* The alarm that stands about this host or, of many, this relay; of many through no relay only one
 * that is young. */
static struct silence_alarm *alarm_standing(const struct core_sources *sources,
                                            const struct id *host, const char *via)
{
    int64_t now = clock_wall(sources->core->options.clock);

    LIST_EACH (node, &sources->alarms) {
        struct silence_alarm *alarm = LIST_ENTRY(node, struct silence_alarm, node);
        bool is_many = id_is_none(host) && via[0] == '\0';

        if (!alarm->is_over && id_is(&alarm->host, host) && strcmp(alarm->via, via) == 0 &&
            (!is_many || now - alarm->begun < SILENCE_TOGETHER)) {
            return alarm;
        }
    }
    return NULL;
}

/* An alert that a person has closed speaks of nobody new. */
static int alarm_check(struct core_sources *sources, struct silence_alarm **alarm,
                       struct arena *arena)
{
    struct store_alert alert;
    int r = *alarm == NULL || (*alarm)->alert == 0
                ? -ERR_NOENT
                : store_alert_get(sources->core->options.store, (*alarm)->alert, arena, &alert);

    if (r == 0 && alert.state == ALERT_STATE_CLOSED) {
        (*alarm)->is_over = true;
        *alarm = NULL;
    }
    return r == -ERR_NOENT ? 0 : r;
}

/* Senders through that relay that speak. */
static unsigned relay_speakers(struct core_sources *sources, const char *via)
{
    int64_t since = clock_wall(sources->core->options.clock) - sources->core->options.source_silent;
    unsigned speakers = 0;
    size_t cursor = 0;
    const struct core_source *source;

    while ((source = map_next(&sources->map, &cursor)) != NULL) {
        speakers += source->row.name.len == 0 && source->row.last > since &&
                            strcmp(relay_of(source), via) == 0
                        ? 1U
                        : 0U;
    }
    return speakers;
}

/* Whether so many hosts are enough for an alarm of their own: of a relay, more than half. */
static bool round_is_enough(struct core_sources *sources, const struct round_kind *kind,
                            unsigned hosts)
{
    return hosts >= kind->least &&
           (kind->via[0] == '\0' || hosts > relay_speakers(sources, kind->via));
}

/* Has one alarm speak of all from `from` to `to`, if one stands or they are hosts enough. */
static int round_raise(struct core_sources *sources, const struct silence_round *round, size_t from,
                       size_t to, const struct round_kind *kind)
{
    struct silence_alarm *alarm = alarm_standing(sources, &kind->host, kind->via);
    unsigned hosts = round_hosts(round, from, to);
    int r = hosts != 0 ? alarm_check(sources, &alarm, round->arena) : 0;

    if (r < 0 || hosts == 0 || (alarm == NULL && !round_is_enough(sources, kind, hosts))) {
        return r;
    }
    if (alarm == NULL) {
        r = alarm_new(sources, &kind->host, kind->via, &alarm);
        if (r == 0) {
            alarm->begun = clock_wall(sources->core->options.clock);
        }
    }
    return r < 0 ? r : round_join(sources, alarm, round, from, to);
}

static int silence_tell_round(struct core_sources *sources, const struct silence_round *round)
{
    int r = 0;

    for (size_t from = 0, to; r == 0 && from < round->count; from = to) {
        struct round_kind kind = {.via = relay_of(round->list[from]), .least = SILENCE_RELAY};

        for (to = from; to < round->count && strcmp(relay_of(round->list[to]), kind.via) == 0;) {
            to++;
        }
        r = kind.via[0] != '\0' ? round_raise(sources, round, from, to, &kind) : 0;
    }
    r = r < 0 ? r
              : round_raise(sources, round, 0, round->count,
                            &(struct round_kind){.via = "", .least = SILENCE_MANY});
    for (size_t from = 0, to; r == 0 && from < round->count; from = to) {
        const struct core_host *host = round->list[from]->host;

        for (to = from; to < round->count && round->list[to]->host == host;) {
            to++;
        }
        r = round_raise(sources, round, from, to,
                        &(struct round_kind){.host = host->id, .via = "", .least = 1});
    }
    return r;
}

/* Tells of all that is silent and was not told. */
static int silence_look(struct core *core)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct silence_round round = {0};
    int r = arena_new(SILENCE_ARENA, &arena);

    round.arena = arena;
    r = r < 0 ? r : silence_gather(core->sources, arena, &round);
    if (r == 0 && round.count != 0) {
        log_warn("sources of logs are silent count=%zu", round.count);
        qsort(round.list, round.count, sizeof(struct core_source *), silence_order);
        r = core_batch_begin(core); /* or what is noted here would outlive a failure */
        r = r < 0 ? r : silence_tell_round(core->sources, &round);
    }
    return r;
}

void core_silence_watch(struct core *core)
{
    int r = silence_look(core);

    if (core->sources->has_news) {
        core->sources->has_news = false;
        core->changed |= CENTRE_CHANGED_SOURCES;
    }
    if (r < 0) {
        core_fail(core, r);
    }
}

/* Nobody is to hear of its silence any more; or again. */
static int silence_mute(struct core_call *call, int64_t muted, const char *act)
{
    struct core *core = call->core;
    uint64_t number = (uint64_t)arguments_number(&call->arguments, "number", 0);
    struct core_source *source = core_source_by_number(core->sources, number);
    struct str reason = str_trim(arguments_text(&call->arguments, "reason"));
    int r = source == NULL
                ? -ERR_NOENT
                : store_logsource_mute(core->options.store, number, muted, call->actor, reason);

    if (r < 0) {
        return r;
    }
    source->muted = muted;
    core_source_touch(core->sources, source);
    if (muted != 0 && source->alarm != NULL) {
        r = core_silence_end(core->sources, source, "test: its silence is known");
    } else if (muted == 0) {
        r = silence_look(core); /* or it would look as if it spoke, until the next one */
    }
    call->changed = CENTRE_CHANGED_SOURCES | CENTRE_CHANGED_ALERTS;
    return r < 0 ? r
                 : core_call_audit(call, act, source->row.name, "host",
                                   str_from(source->host->name), "reason", reason, NULL);
}

int core_source_mute(struct core_call *call)
{
    return silence_mute(call, clock_wall(call->core->options.clock), "source.mute");
}

int core_source_unmute(struct core_call *call)
{
    return silence_mute(call, 0, "source.unmute");
}
