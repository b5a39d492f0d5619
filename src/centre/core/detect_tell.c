/* What the detector says becomes findings, and counts by rule and day. A rule that hits the same
 * host again and again is told now and then, with how often since; all hits are counted.
 * Neighbours: detect.c before, store/ behind. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/core/detect_private.h"
#include "detect/sigma/rule.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#define TOLD_PAUSE      (10 * NS_PER_S)   /* between two findings of one pair */
#define TOLD_HOUR       (3600 * NS_PER_S) /* in which so many are told; then */
#define TOLD_HOUR_MAX   6
#define TOLD_FLOOD      (600 * NS_PER_S) /* lies between two until the hour is over */
#define TOLD_FLOOD_TEXT "10"             /* the same in minutes */
#define COUNT_PAUSE     (5 * NS_PER_S)   /* between two times that alerts count what was not told */
#define RAW_TOLD        2048             /* bytes of the entry in a finding */
#define TALLY_TEXT_MAX  512

/* One rule on one host, told not long ago. */
struct told {
    struct id key;
    int64_t at;      /* monotonic */
    int64_t hour;    /* the same; when its hour began */
    unsigned inside; /* findings in it */
    uint64_t count;  /* of hits since, not told yet */

    uint64_t alert;     /* that its last finding went into; 0: none yet */
    uint64_t uncounted; /* hits that the alert does not count yet */
    int64_t last;       /* wall; time of the latest of them */
};

/* Whether a hit is told now, and with how many that were not. */
struct telling {
    struct told *told; /* NULL: there was no memory for it */
    uint64_t count;    /* 0: not yet */
    bool is_flood;
};

/* Counts of a rule or a filter that wait for the end of the batch. */
struct tally {
    struct store_rule_hits hits;
    char key[TALLY_TEXT_MAX];
    char title[TALLY_TEXT_MAX];
};

static void told_forget(struct core_detect *detect, int64_t before)
{
    size_t cursor = 0;
    struct told *told;

    while ((told = map_next(&detect->told, &cursor)) != NULL) {
        if (told->at < before) {
            map_remove(&detect->told, MAP_KEY(told->key));
            mem_free(told);
        }
    }
}

void detect_tell_done(struct core_detect *detect)
{
    told_forget(detect, INT64_MAX);
    map_done(&detect->told);
    detect_tally_forget(detect);
    map_done(&detect->tally);
}

static struct id hit_key(const struct hit *hit, const struct sheet_entry *entry)
{
    struct str rule = hit->id.len != 0 ? hit->id : hit->title;
    XXH128_canonical_t canonical;
    XXH128_hash_t hash = XXH3_128bits(rule.ptr, rule.len);
    struct id key;

    static_assert(sizeof(key.bytes) == sizeof(canonical.digest));
    XXH128_canonicalFromHash(&canonical,
                             XXH3_128bits_withSeed(entry->host.bytes, sizeof(entry->host.bytes),
                                                   hash.low64 ^ hash.high64));
    memcpy(key.bytes, canonical.digest, sizeof(key.bytes));
    return key;
}

static struct told *told_new(struct core_detect *detect, const struct id *key, int64_t now)
{
    struct told *told;

    if (map_count(&detect->told) == detect->told.limit) {
        told_forget(detect, now - TOLD_PAUSE);
    }
    told = mem_alloc(1, sizeof(*told));
    if (told == NULL) {
        return NULL;
    }
    *told = (struct told){.key = *key, .at = now, .hour = now, .inside = 1};
    if (map_put(&detect->told, MAP_KEY(told->key), told) < 0) {
        mem_free(told); /* told each time then, and folded by the store */
        return NULL;
    }
    return told;
}

static struct telling detect_tell_now(struct core_detect *detect, const struct id *key)
{
    int64_t now = clock_mono(detect->core->options.clock);
    struct told *told = map_get(&detect->told, MAP_KEY(*key));
    struct telling telling = {.told = told, .count = 1};

    if (told == NULL) {
        telling.told = told_new(detect, key, now);
        return telling;
    }
    if (now - told->hour >= TOLD_HOUR) {
        told->hour = now;
        told->inside = 0;
    }
    told->count++;
    telling.is_flood = told->inside >= TOLD_HOUR_MAX;
    if (now - told->at < (telling.is_flood ? TOLD_FLOOD : TOLD_PAUSE)) {
        return (struct telling){.told = told};
    }
    telling.count = told->count;
    told->at = now;
    told->inside++;
    told->count = 0;
    return telling;
}

static int told_count(struct core_detect *detect, struct told *told)
{
    uint64_t more = told->uncounted;

    told->uncounted = 0;
    return more == 0
               ? 0
               : store_alert_count_more(detect->core->options.store, told->alert, more, told->last);
}

/* A hit that is not told: its alert counts it a little later. */
static void told_add(struct core_detect *detect, struct told *told, int64_t time)
{
    told->last = told->uncounted == 0 || time > told->last ? time : told->last;
    told->uncounted++;
    detect->is_uncounted = true;
}

void detect_tell_tick(struct core_detect *detect)
{
    struct core *core = detect->core;
    int64_t now = clock_mono(core->options.clock);
    size_t cursor = 0;
    struct told *told;

    if (!detect->is_uncounted || core->is_full || now - detect->counted < COUNT_PAUSE ||
        core_batch_begin(core) < 0) {
        return;
    }
    detect->is_uncounted = false;
    detect->counted = now;
    core->changed |= CENTRE_CHANGED_ALERTS;
    while ((told = map_next(&detect->told, &cursor)) != NULL) {
        if (told_count(detect, told) < 0) {
            log_warn("an alert does not count all that it tells of alert=%llu",
                     (unsigned long long)told->alert);
        }
    }
}

void hit_add_reason(struct hit *hit, struct str what, struct str value)
{
    if (value.len != 0 && hit->reason_count < REASONS_MAX) {
        hit->reasons[hit->reason_count++] = (struct finding_reason){.what = what, .value = value};
    }
}

static enum severity hit_severity(const struct hit *hit)
{
    static const enum severity by_level[SIGMA_LEVEL_COUNT] = {
        [SIGMA_LEVEL_INFORMATIONAL] = SEVERITY_INFO,
        [SIGMA_LEVEL_LOW] = SEVERITY_LOW,
        [SIGMA_LEVEL_MEDIUM] = SEVERITY_MEDIUM,
        [SIGMA_LEVEL_HIGH] = SEVERITY_HIGH,
        [SIGMA_LEVEL_CRITICAL] = SEVERITY_CRITICAL};

    return hit->level < SIGMA_LEVEL_COUNT ? by_level[hit->level] : SEVERITY_MEDIUM;
}

static int detect_tell(struct core_detect *detect, struct hit *hit, const struct sheet_entry *entry,
                       struct telling now)
{
    struct core *core = detect->core;
    const struct core_host *host = core_host_by_id(core, &entry->host);
    struct finding finding = {.time = hit->time,
                              .detector = STR("logs"),
                              .severity = hit_severity(hit),
                              .title = hit->title,
                              .host = host != NULL ? str_from(host->name) : STR(""),
                              .score = 1,
                              .reasons = hit->reasons};
    uint64_t number = 0;
    int r = id_new(&finding.id);

    hit_add_reason(hit, STR("log_group"), hit->group);
    hit_add_reason(hit, STR("log_entry"), str_slice(entry->raw, 0, RAW_TOLD));
    hit_add_reason(hit, STR("log_file"), entry->path);
    if (now.count > 1) {
        hit_add_reason(hit, STR("log_count"),
                       arena_printf(detect->arena, "%llu", (unsigned long long)now.count));
    }
    if (now.is_flood) {
        hit_add_reason(hit, STR("log_flood"), STR(TOLD_FLOOD_TEXT));
    }
    hit_add_reason(hit, STR("log_tags"), hit->tags);
    hit_add_reason(hit, STR("log_rule"), hit->id);
    finding.reason_count = hit->reason_count;
    core->changed |= CENTRE_CHANGED_ALERTS;
    core->counted.findings++;
    r = r < 0 ? r : store_alert_fold(core->options.store, &entry->host, &finding, &number);
    if (r == 0 && now.told != NULL) {
        now.told->alert = number;
        r = told_count(detect, now.told);
    }
    return r;
}

/* ---- counts by rule ---- */

/* NULL: out of memory, or too many in one batch: they are written at once then. */
static struct tally *tally_find(struct core_detect *detect, struct str rule, struct str title)
{
    struct str key = str_slice(rule.len != 0 ? rule : title, 0, TALLY_TEXT_MAX);
    struct tally *tally = map_get(&detect->tally, key);

    if (tally != NULL) {
        return tally;
    }
    tally = mem_alloc(1, sizeof(*tally));
    if (tally == NULL) {
        return NULL;
    }
    title = str_slice(title, 0, TALLY_TEXT_MAX);
    memcpy(tally->key, key.ptr != NULL ? key.ptr : "", key.len);
    memcpy(tally->title, title.ptr != NULL ? title.ptr : "", title.len);
    tally->hits.rule = str_of(tally->key, key.len);
    tally->hits.title = str_of(tally->title, title.len);
    if (map_put(&detect->tally, tally->hits.rule, tally) < 0) {
        mem_free(tally);
        return NULL;
    }
    return tally;
}

struct tally_more {
    struct str rule;
    struct str title;
    uint32_t level;
    uint64_t hits;
    uint64_t told;
    uint64_t kept;
};

static int tally_add(struct core_detect *detect, const struct tally_more *more)
{
    struct tally *tally = tally_find(detect, more->rule, more->title);

    if (tally == NULL) {
        int r = detect_tally_write(detect);

        tally = r == 0 ? tally_find(detect, more->rule, more->title) : NULL;
        if (tally == NULL) {
            return r < 0 ? r : -ERR_NOMEM;
        }
    }
    tally->hits.level = more->level;
    tally->hits.hits += more->hits;
    tally->hits.told += more->told;
    tally->hits.kept += more->kept;
    return 0;
}

void detect_tally_forget(struct core_detect *detect)
{
    size_t cursor = 0;
    struct tally *tally;

    while ((tally = map_next(&detect->tally, &cursor)) != NULL) {
        map_remove(&detect->tally, tally->hits.rule);
        mem_free(tally);
    }
}

int detect_tally_write(struct core_detect *detect)
{
    int64_t day = store_day(clock_wall(detect->core->options.clock));
    size_t cursor = 0;
    const struct tally *tally;
    int r = 0;

    while (r == 0 && (tally = map_next(&detect->tally, &cursor)) != NULL) {
        r = store_rule_hits_add(detect->core->options.store, day, &tally->hits);
    }
    detect_tally_forget(detect);
    return r;
}

int detect_take_hit(struct core_detect *detect, struct hit *hit, const struct sheet_entry *entry)
{
    struct telling now = {0};
    int r = 0;

    detect->counts.hits++;
    if (hit->level != SIGMA_LEVEL_INFORMATIONAL) { /* that is for searches and counts, not for
                                                    * people on duty */
        struct id key = hit_key(hit, entry);

        now = detect_tell_now(detect, &key);
        if (now.count != 0) {
            r = detect_tell(detect, hit, entry, now);
        } else {
            told_add(detect, now.told, hit->time);
        }
    }
    return r < 0 ? r
                 : tally_add(detect, &(struct tally_more){.rule = hit->id,
                                                          .title = hit->title,
                                                          .level = hit->level,
                                                          .hits = 1,
                                                          .told = now.count != 0 ? 1 : 0});
}

int detect_take_kept(struct core_detect *detect, struct msg_reader *msg, bool is_counted)
{
    struct tally_more more = {.rule = msg_get_str(msg)};
    struct str filter;

    more.title = msg_get_str(msg);
    more.level = msg_get_u32(msg);
    filter = msg_get_str(msg);
    more.kept = msg_get_u32(msg);
    more.hits = filter.len == 0 ? more.kept : 0;
    more.rule = filter.len != 0 ? filter : more.rule;
    return is_counted && msg->error == 0 ? tally_add(detect, &more) : 0;
}
