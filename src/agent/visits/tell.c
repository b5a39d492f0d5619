/* What is told: one finding a day for what one audience is shown differently on one host of one
 * log; again when more pages are. Its identity follows from that, so that a process which reads the
 * same lines again tells nothing new. Neighbours: crawl.h judges, the supervisor hands on. */
#include "agent/visits/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "model/finding.h"
#include "model/record.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define CLOAKS_MAX  500
#define ARENA_LIMIT (8U << 20)
#define PAGES_NAMED 6
#define LOCAL_S     25200 /* Viet Nam has one time zone and no summer time */
#define DAY_S       86400
#define REFUSED_MIN 1000 /* lines, before more refused than taken means a wrong format */
#define REASONS_MAX (PAGES_NAMED + 6)

struct visits_told {
    struct id id;
    uint32_t pages;
};

/* What one finding is about: the heaviest page or folder and the others of its kind. */
struct visits_group {
    const struct visits_log *log;
    const struct crawl_cloak *worst;
    struct str pages[PAGES_NAMED];
    uint32_t named; /* of those, and folders of them */
    uint32_t count;
    int64_t day;
};

void visits_forget_told(struct visits *visits)
{
    size_t cursor = 0;
    struct visits_told *told;

    while ((told = map_next(&visits->told, &cursor)) != NULL) {
        map_remove(&visits->told, MAP_KEY(told->id));
        mem_free(told);
    }
    map_done(&visits->told);
}

/* None when memory is out. */
static struct id group_id(const struct visits_group *group, struct arena *arena)
{
    struct id id = {0};
    struct str key =
        arena_printf(arena, "%s\n%.*s\n%d\n%lld", group->log->path, STR_ARG(group->worst->host),
                     (int)group->worst->audience, (long long)group->day);
    XXH128_canonical_t hash;

    static_assert(sizeof(id.bytes) == sizeof(hash.digest));
    if (key.ptr != NULL) {
        XXH128_canonicalFromHash(&hash, XXH3_128bits(key.ptr, key.len));
        memcpy(id.bytes, hash.digest, sizeof(id.bytes));
    }
    return id;
}

/* Whether as much was told already; notes that it is told now. */
static bool visits_was_told(struct visits *visits, const struct id *id, uint32_t pages)
{
    struct visits_told *told = map_get(&visits->told, MAP_KEY(*id));

    if (told != NULL) {
        bool was_told = told->pages >= pages;

        told->pages = pages > told->pages ? pages : told->pages;
        return was_told;
    }
    told = mem_alloc(1, sizeof(*told));
    if (told == NULL) {
        return false;
    }
    *told = (struct visits_told){.id = *id, .pages = pages};
    if (map_put(&visits->told, MAP_KEY(told->id), told) < 0) {
        mem_free(told); /* told once more then: the centre knows it by its identity */
    }
    return false;
}

/* Answers by status and the usual size, which folders have none of: figures need no language. */
static struct str side_text(struct arena *arena, const struct crawl_counts *counts, uint64_t size)
{
    char tail[32] = "";

    if (size != 0) {
        (void)snprintf(tail, sizeof(tail), " · %llu B", (unsigned long long)size);
    }
    return arena_printf(arena, "200: %llu · 3xx: %llu · 4xx: %llu%s",
                        (unsigned long long)counts->served, (unsigned long long)counts->moved,
                        (unsigned long long)counts->missing, tail);
}

/* finding: without what is the same in all. */
static void visits_send(struct visits *visits, struct finding finding)
{
    struct record record = {.kind = RECORD_KIND_FINDING};

    finding.time = clock_wall(&clock_real);
    finding.detector = STR("visits");
    finding.action = FINDING_ACTION_NONE;
    record.finding = finding;
    outbox_send_record(&visits->supervisor, &record);
}

/* worst: the group's; a folder is named for what it is. */
static const char *group_title(const struct crawl_cloak *worst)
{
    if (worst->audience != CRAWL_AUDIENCE_ENGINE) {
        return N_("People who come from a search are shown another page");
    }
    return worst->pages != 0
               ? N_("Search engines are shown a folder of pages that people do not get")
               : N_("Search engines are shown another page than people");
}

static void group_tell(struct visits *visits, const struct visits_group *group, struct arena *arena)
{
    const struct crawl_cloak *worst = group->worst;
    bool is_engine = worst->audience == CRAWL_AUDIENCE_ENGINE;
    struct finding_reason reasons[REASONS_MAX];
    struct id id = group_id(group, arena);
    size_t count = 0;

    if (id_is_none(&id) || visits_was_told(visits, &id, group->count)) {
        return;
    }
    reasons[count++] = (struct finding_reason){.what = STR("visits_pages"),
                                               .value = arena_printf(arena, "%u", group->count),
                                               .score = worst->score};
    for (size_t i = 0; i < group->named; i++) {
        reasons[count++] =
            (struct finding_reason){.what = STR("visits_page"), .value = group->pages[i]};
    }
    if (is_engine) {
        reasons[count++] =
            (struct finding_reason){.what = STR("visits_engine"), .value = worst->engine};
    }
    reasons[count++] = (struct finding_reason){
        .what = STR("visits_theirs"), .value = side_text(arena, &worst->theirs, worst->their_size)};
    reasons[count++] =
        (struct finding_reason){.what = STR("visits_people"),
                                .value = side_text(arena, &worst->people, worst->people_size)};
    reasons[count++] =
        (struct finding_reason){.what = STR("visits_log"), .value = str_from(group->log->path)};
    visits_send(visits, (struct finding){.id = id,
                                         .revision = group->count,
                                         .severity = SEVERITY_HIGH,
                                         .title = str_from(group_title(worst)),
                                         .reasons = reasons,
                                         .reason_count = count});
}

static bool cloak_is_kin(const struct crawl_cloak *a, const struct crawl_cloak *b)
{
    return a->audience == b->audience && str_is(a->host, b->host);
}

static bool cloak_has_kin(const struct crawl_cloak *cloaks, size_t count,
                          const struct crawl_cloak *cloak)
{
    for (size_t i = 0; i < count; i++) {
        if (cloak_is_kin(&cloaks[i], cloak)) {
            return true;
        }
    }
    return false;
}

/* The first cloak's group, out of those from it on. */
static struct visits_group group_gather(const struct visits_log *log,
                                        const struct crawl_cloak *cloaks, size_t count,
                                        struct arena *arena)
{
    struct visits_group group = {.log = log, .worst = cloaks};
    int64_t last = cloaks->last != 0 ? cloaks->last : clock_wall(&clock_real);

    for (size_t i = 0; i < count; i++) {
        if (!cloak_is_kin(&cloaks[i], cloaks)) {
            continue;
        }
        if (group.named < PAGES_NAMED) {
            group.pages[group.named++] =
                arena_printf(arena, "%.*s%.*s", STR_ARG(cloaks[i].host), STR_ARG(cloaks[i].path));
        }
        group.count += cloaks[i].pages != 0 ? cloaks[i].pages : 1;
    }
    group.day = (last / NS_PER_S + LOCAL_S) / DAY_S;
    return group;
}

static void log_tell(struct visits *visits, const struct visits_log *log,
                     const struct crawl_cloak *cloaks, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        if (!cloak_has_kin(cloaks, i, &cloaks[i])) {
            struct visits_group group = group_gather(log, &cloaks[i], count - i, arena);

            group_tell(visits, &group, arena);
        }
    }
}

/* A format that does not fit makes a blind watchman, who must not look like a calm one. */
static void log_tell_refused(struct visits *visits, struct visits_log *log, struct arena *arena)
{
    struct finding_reason reasons[2];
    struct id id;

    if (log->is_refusal_told || log->refused < REFUSED_MIN || log->refused < log->taken ||
        id_new(&id) < 0) {
        return;
    }
    log->is_refusal_told = true;
    reasons[0] = (struct finding_reason){.what = STR("visits_log"), .value = str_from(log->path)};
    reasons[1] = (struct finding_reason){
        .what = STR("visits_refused"),
        .value = arena_printf(arena, "%llu", (unsigned long long)log->refused)};
    visits_send(
        visits,
        (struct finding){.id = id,
                         .revision = 1,
                         .severity = SEVERITY_MEDIUM,
                         .title = STR(N_("An access log cannot be read: set access-log-format as "
                                         "the web server has it")),
                         .reasons = reasons,
                         .reason_count = ARRAY_LEN(reasons)});
}

void visits_judge(struct visits *visits)
{
    for (size_t i = 0; i < visits->count; i++) {
        CLEANUP(arena_freep) struct arena *arena = NULL;
        struct visits_log *log = visits->logs[i];
        const struct crawl_cloak *cloaks = NULL;
        size_t count = 0;
        int r;

        if (log->told_at == log->taken + log->refused) {
            continue;
        }
        r = arena_new(ARENA_LIMIT, &arena);
        r = r < 0 ? r : crawl_report(log->crawl, CLOAKS_MAX, arena, &cloaks, &count);
        if (r < 0) {
            log_warn("%s: %s", log->path, err_text(r));
            continue;
        }
        log->told_at = log->taken + log->refused;
        log_tell(visits, log, cloaks, count, arena);
        log_tell_refused(visits, log, arena);
    }
}
