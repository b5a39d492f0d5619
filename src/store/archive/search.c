/* Search in the archive, newest first. Days and blocks overlap in time, so the newest matches are
 * kept while days and then blocks (archive/scan.h) are walked from the one that ends last; the walk
 * ends where nothing newer can come.
 *
 * Every search has connections of its own, so it sees what was committed, in core as in api. */
#include "store/archive/scan.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"

#include <time.h>

#define SEARCH_TRIES   20
#define SEARCH_REST_NS (5 * NS_PER_MS)

struct search_day {
    int64_t number;
    int64_t last; /* time of its newest event */
};

/* ---- days */

/* A day that retention took away meanwhile is none. */
static int search_open_day(struct scan *scan, int64_t number, struct database **ret_database)
{
    int r = day_open_file(scan->archive, number, true, ret_database, NULL);

    if (r == 0) {
        scan->archive->stats.days_opened++;
    }
    return r;
}

static int search_pass_over_day(struct scan *scan, int64_t number, int error)
{
    const struct archive_damage damage = damage_of_file(&(struct day_file){.day = number}, error);

    return scan_pass_over(scan, &damage, error);
}

/* 1 when the day holds events of the time asked for. */
static int search_look_at(struct scan *scan, int64_t number, struct search_day *ret_day)
{
    CLEANUP(database_closep) struct database *database = NULL;
    CLEANUP(query_done) struct query query = {0};
    int r = search_open_day(scan, number, &database);

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : search_pass_over_day(scan, number, r);
    }
    query_init(&query, database,
               "SELECT max(last) FROM blocks INDEXED BY blocks_time"
               " WHERE last >= ?1 AND first <= ?2 HAVING max(last) IS NOT NULL");
    query_bind_i64(&query, 1, scan->query->from);
    query_bind_i64(&query, 2, scan->query->to);
    r = query_next(&query);
    if (r <= 0) {
        return search_pass_over_day(scan, number, r);
    }
    *ret_day = (struct search_day){.number = number, .last = query_i64(&query, 0)};
    return query.error < 0 ? query.error : 1;
}

/* A file that was set aside is told of, to those who want to be told. */
static void search_note_aside(struct scan *scan, const struct day_file *file)
{
    const struct archive_damage damage = damage_of_file(file, -ERR_CORRUPT);

    if ((file->parts & (DAY_PART_FILE | DAY_PART_LOG)) == 0) {
        return; /* retention was cut short: nothing is in what is left */
    }
    if (scan->query->damages != NULL && damage.last >= scan->query->from &&
        damage.first <= scan->query->to) {
        damages_add(scan->query->damages, &damage);
    }
}

static int search_day_compare(const void *a, const void *b)
{
    const struct search_day *left = a;
    const struct search_day *right = b;

    return (left->last < right->last) - (left->last > right->last);
}

static int search_choose_days(struct scan *scan, const struct day_file *files, size_t count,
                              struct search_day *days, size_t *ret_count)
{
    size_t chosen = 0;

    for (size_t i = 0; i < count; i++) {
        int r = 0;

        if (files[i].aside != 0) {
            search_note_aside(scan, &files[i]);
        } else if ((files[i].parts & DAY_PART_FILE) != 0) {
            r = search_look_at(scan, files[i].day, &days[chosen]);
        }
        if (r < 0) {
            return r;
        }
        chosen += r > 0;
    }
    if (chosen != 0) {
        qsort(days, chosen, sizeof(*days), search_day_compare);
    }
    *ret_count = chosen;
    return 0;
}

/* To open many days takes its time each turn: the walk gets as much at least, or turns would be all
 * that a long search does. */
static void search_set_until(struct scan *scan, int64_t began)
{
    int64_t now = clock_mono(&clock_real);
    int64_t fair = now + (now - began);

    if (scan->query->until != 0) {
        scan->until = scan->query->until > fair ? scan->query->until : fair;
    }
}

static int search_walk(struct scan *scan)
{
    CLEANUP(mem_freep) struct day_file *files = NULL;
    CLEANUP(mem_freep) struct search_day *days = NULL;
    int64_t began = clock_mono(&clock_real);
    size_t count = 0;
    int r = day_list(scan->archive, &files, &count);

    if (r < 0 || count == 0) {
        return r == -ERR_NOENT ? 0 : r; /* nothing was archived yet */
    }
    days = mem_alloc(count, sizeof(*days));
    if (days == NULL) {
        return -ERR_NOMEM;
    }
    r = search_choose_days(scan, files, count, days, &count);
    search_set_until(scan, began);
    for (size_t i = 0; i < count && r == 0 && scan->reached == ARCHIVE_REACHED_ALL &&
                       !scan_is_beyond(scan, days[i].last);
         i++) {
        CLEANUP(database_closep) struct database *database = NULL;

        scan->other_last = i + 1 < count ? days[i + 1].last : INT64_MIN;
        r = search_open_day(scan, days[i].number, &database);
        if (r == -ERR_NOENT) {
            r = 0;
            continue;
        }
        r = r < 0 ? search_pass_over_day(scan, days[i].number, r)
                  : scan_day(scan, days[i].number, database);
    }
    return r;
}

/* ---- the whole */

static int search_answer(struct scan *scan, archive_event_fn *fn, void *context)
{
    struct matches *matches = &scan->matches;
    int r = 0;

    matches_sort(matches);
    for (size_t i = 0;
         i < matches->count && r >= 0 &&
         (scan->reached == ARCHIVE_REACHED_ALL || matches->list[i].time > scan->reached);
         i++) {
        const struct match *match = &matches->list[i];
        struct cbor_reader reader;
        struct event event;

        cbor_open(&reader, str_of(match->bytes, match->len));
        r = event_decode(&reader, &event);
        r = r < 0 ? r : fn(context, &match->key, &event);
    }
    return r < 0 ? r : 0;
}

static int search_once(struct archive *archive, const struct archive_query *query,
                       int64_t *ret_reached, archive_event_fn *fn, void *context,
                       bool *ret_is_early)
{
    struct scan scan;
    int r = scan_init(&scan, archive, query);

    r = r < 0 ? r : search_walk(&scan);
    *ret_is_early = r == -ERR_ROFS;
    r = r < 0 ? r : search_answer(&scan, fn, context);
    *ret_reached = scan.reached;
    scan_done(&scan);
    return r;
}

/* A reader without the right to write cannot read for some milliseconds after the writer has opened
 * a day: until the index of its log stands. SQLite waits for locks, but not for this. */
int archive_search_until(struct archive *archive, const struct archive_query *query,
                         int64_t *ret_reached, archive_event_fn *fn, void *context)
{
    const struct timespec rest = {.tv_nsec = SEARCH_REST_NS};
    bool is_early = true;
    int r = 0;

    if (query->limit == 0 || query->limit > ARCHIVE_SEARCH_MAX) {
        return -ERR_LIMIT;
    }
    for (unsigned i = 0; i < SEARCH_TRIES && is_early; i++) {
        if (i != 0) {
            (void)nanosleep(&rest, NULL);
        }
        r = search_once(archive, query, ret_reached, fn, context, &is_early);
    }
    return r;
}

int archive_search(struct archive *archive, const struct archive_query *query, archive_event_fn *fn,
                   void *context)
{
    int64_t reached;

    return archive_search_until(archive, query, &reached, fn, context);
}
