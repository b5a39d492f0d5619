/* Watched sites, their units and their deploy windows. Neighbours: core/site.c writes them for
 * people, sqlite/look.c keeps their state in step with the looks, api/site.c lists. Dropped sites
 * stay as rows: alerts and changes speak of them. */
#include "store/sites.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/utf8.h"
#include "store/sqlite/sqlite.h"
#include "store/words.h"

#define SITE_WORDS_MAX  (3 * SITE_URL_MAX)
#define WINDOW_ROWS_MAX 100

#define SITE_COLUMNS                                                                               \
    "SELECT number, name, url, unit, service, permission, permitted_by, permitted, interval,"      \
    " views, state, state_since, created, verdict, failure, since, checked, changed,"              \
    " certificate_end, open_alerts, series, outage, outage_revision, certificate_told, "           \
    "name_words,"                                                                                  \
    " unit_words, gravity FROM sites "
#define SITE_COLUMN_WORDS   24
#define SITE_COLUMN_GRAVITY 26
#define SITE_GRAVITIES      8 /* more than there are: a site's place in the list is of both */

static int site_read(struct query *query, struct arena *arena, struct store_site *site)
{
    *site = (struct store_site){0};
    site->number = query_u64(query, 0);
    site->name = query_text(query, 1, arena);
    site->url = query_text(query, 2, arena);
    site->unit = query_text(query, 3, arena);
    site->service = (enum site_service)query_i64(query, 4);
    site->permission = query_text(query, 5, arena);
    site->permitted_by = query_text(query, 6, arena);
    site->permitted = query_i64(query, 7);
    site->interval = query_i64(query, 8);
    site->views = (uint32_t)query_u64(query, 9);
    site->state = (enum site_state)query_i64(query, 10);
    site->state_since = query_i64(query, 11);
    site->created = query_i64(query, 12);
    site->verdict = (enum site_verdict)query_i64(query, 13);
    site->failure = (enum site_failure)query_i64(query, 14);
    site->since = query_i64(query, 15);
    site->checked = query_i64(query, 16);
    site->changed = query_i64(query, 17);
    site->certificate_end = query_i64(query, 18);
    site->open_alerts = query_u64(query, 19);
    series_read(query_bytes(query, 20), &site->series);
    query_copy(query, 21, site->outage.bytes, sizeof(site->outage.bytes));
    site->outage_revision = (uint32_t)query_u64(query, 22);
    site->certificate_told = query_i64(query, 23);
    site->place = site->number * SITE_GRAVITIES + query_u64(query, SITE_COLUMN_GRAVITY);
    return query->error;
}

static struct str site_fold(struct str text, char *out, size_t size)
{
    size_t len = utf8_fold(text, out, size);

    return str_of(out, len < size ? len : size - 1);
}

/* Searched by name and address, ordered by name: it stands first. */
static int site_bind_words(struct query *query, const struct store_site *site, struct buf *words)
{
    char folded[SITE_WORDS_MAX];

    (void)buf_put_str(words, site_fold(site->name, folded, sizeof(folded)));
    (void)buf_put_byte(words, '\n');
    (void)buf_put_str(words, site_fold(site->url, folded, sizeof(folded)));
    query_bind_text(query, 13, buf_str(words));
    return buf_error(words);
}

/* Whether another site has the address. */
static int site_check_url(struct store *store, const struct store_site *site)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT 1 FROM sites WHERE url = ?1 AND number <> ?2");
    query_bind_text(&query, 1, site->url);
    query_bind_u64(&query, 2, site->number);
    r = query_one(&query);
    if (r == 0) {
        return -ERR_EXIST;
    }
    return r == -ERR_NOENT ? 0 : r;
}

static int site_write(struct store *store, const struct store_site *site)
{
    CLEANUP(query_done) struct query query = {0};
    CLEANUP(buf_done) struct buf words;
    char unit[SITE_WORDS_MAX];
    int r;

    buf_init(&words, (size_t)2 * SITE_WORDS_MAX);
    query_init(&query, store->database,
               "INSERT INTO sites (number, name, url, unit, service, permission, permitted_by,"
               " permitted, interval, views, state, state_since, name_words, unit_words, created)"
               " VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
               " ?15) ON CONFLICT (number) DO UPDATE SET name = ?2, url = ?3, unit = ?4,"
               " service = ?5, permission = ?6, permitted_by = ?7, permitted = ?8, interval = ?9,"
               " views = ?10, state = ?11, state_since = ?12, name_words = ?13, unit_words = ?14");
    query_bind_u64(&query, 1, site->number);
    query_bind_text(&query, 2, site->name);
    query_bind_text(&query, 3, site->url);
    query_bind_text(&query, 4, site->unit);
    query_bind_i64(&query, 5, site->service);
    query_bind_text(&query, 6, site->permission);
    query_bind_text(&query, 7, site->permitted_by);
    query_bind_i64(&query, 8, site->permitted);
    query_bind_i64(&query, 9, site->interval);
    query_bind_u64(&query, 10, site->views);
    query_bind_i64(&query, 11, site->state);
    query_bind_i64(&query, 12, site->state_since);
    r = site_bind_words(&query, site, &words);
    query_bind_text(&query, 14, site_fold(site->unit, unit, sizeof(unit)));
    query_bind_i64(&query, 15, site->created);
    return r < 0 ? r : query_run(&query);
}

static int site_run_words(struct store *store, const char *sql, uint64_t site)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, sql);
    query_bind_u64(&query, 1, site);
    return query_run(&query);
}

/* Alerts are searched by what their site is called now. */
static int site_rename_alerts(struct store *store, uint64_t site)
{
    int r = site_run_words(
        store,
        "INSERT INTO alert_words (alert_words, rowid, title_words, host_words)"
        " SELECT 'delete', number, title_words, host_words FROM alerts WHERE site = ?1",
        site);

    r = r < 0 ? r
              : site_run_words(store,
                               "UPDATE alerts SET host_words = canhgac_words((SELECT name || ' ' ||"
                               " unit || ' ' || url FROM sites WHERE number = ?1)) WHERE site = ?1",
                               site);
    return r < 0 ? r
                 : site_run_words(
                       store,
                       "INSERT INTO alert_words (rowid, title_words, host_words)"
                       " SELECT number, title_words, host_words FROM alerts WHERE site = ?1",
                       site);
}

/* The address that it is about to lose. */
static int site_keep_address(struct store *store, const struct store_site *site)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "INSERT OR IGNORE INTO site_addresses (url)"
               " SELECT url FROM sites WHERE number = ?1 AND url <> ?2");
    query_bind_u64(&query, 1, site->number);
    query_bind_text(&query, 2, site->url);
    return query_run(&query);
}

int store_site_put(struct store *store, const struct store_site *site, uint64_t *ret_number)
{
    int r = store_may_write(store);

    if (r == 0 && (site->url.len == 0 || site->url.len > SITE_URL_MAX || site->name.len == 0 ||
                   site->name.len > SITE_NAME_MAX || site->state >= SITE_STATE_COUNT)) {
        return -ERR_INVAL;
    }
    r = r < 0 ? r : site_check_url(store, site);
    if (r < 0) {
        return r;
    }
    r = site_keep_address(store, site);
    r = r < 0 ? r : site_write(store, site);
    if (r == 0 && site->number != 0) {
        r = site_rename_alerts(store, site->number);
    }
    r = store_written(store, r);
    if (r == 0 && ret_number != NULL) {
        *ret_number = site->number != 0
                          ? site->number
                          : (uint64_t)sqlite3_last_insert_rowid(database_handle(store->database));
    }
    return r;
}

int store_site_get(struct store *store, uint64_t number, struct arena *arena,
                   struct store_site *ret_site)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_site site;
    int r;

    query_init(&query, store->database, SITE_COLUMNS "WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    r = r < 0 ? r : site_read(&query, arena, &site);
    if (r == 0) {
        *ret_site = site;
    }
    return r;
}

int store_site_find(struct store *store, struct str url, struct arena *arena,
                    struct store_site *ret_site)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_site site;
    int r;

    query_init(&query, store->database, SITE_COLUMNS "WHERE url = ?1");
    query_bind_text(&query, 1, url);
    r = query_one(&query);
    r = r < 0 ? r : site_read(&query, arena, &site);
    if (r == 0) {
        *ret_site = site;
    }
    return r;
}

int store_site_had(struct store *store, struct str url, bool *ret_had)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT 1 FROM site_addresses WHERE url = ?1");
    query_bind_text(&query, 1, url);
    r = query_next(&query);
    if (r >= 0) {
        *ret_had = r > 0;
    }
    return r < 0 ? r : 0;
}

int store_site_told(struct store *store, const struct store_site *site)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE sites SET outage = ?2, outage_revision = ?3, certificate_told = ?4"
               " WHERE number = ?1");
    query_bind_u64(&query, 1, site->number);
    query_bind_id(&query, 2, &site->outage);
    query_bind_u64(&query, 3, site->outage_revision);
    query_bind_i64(&query, 4, site->certificate_told);
    return store_written(store, query_run(&query));
}

/* ?1 the row before, ?2 unit, ?3 service, ?4 verdict, ?5 grave only, ?6 how grave that row was,
 * which it need not be any more. */
static const char site_list_sql[] = SITE_COLUMNS
    "INDEXED BY sites_order WHERE state < 2"
    " AND (gravity, unit_words, name_words, number) > (SELECT ?6, coalesce(max(unit_words), ''),"
    "  coalesce(max(name_words), ''), ?1 FROM sites WHERE number = ?1)"
    " AND (?2 = '' OR unit = ?2) AND (?3 < 0 OR service = ?3) AND (?4 < 0 OR verdict = ?4)"
    " AND (?5 = 0 OR verdict >= 3 OR (verdict = 0 AND " SITE_IS_DOWN "))"
    " ORDER BY gravity, unit_words, name_words, number";

static int site_walk(struct query *query, const struct words *words, size_t limit,
                     struct arena *arena, struct store_site *sites, size_t *ret_count)
{
    size_t count = 0;
    int r = 0;

    while (count < limit && (r = query_next(query)) > 0) {
        struct str texts[2] = {query_bytes(query, SITE_COLUMN_WORDS),
                               query_bytes(query, SITE_COLUMN_WORDS + 1)};

        if (words != NULL && !words_stand_in(words, texts, ARRAY_LEN(texts))) {
            continue;
        }
        r = site_read(query, arena, &sites[count]);
        if (r < 0) {
            return r;
        }
        count++;
    }
    *ret_count = count;
    return r < 0 ? r : 0;
}

int store_site_list(struct store *store, const struct store_site_filter *filter,
                    struct arena *arena, struct store_site **ret_sites, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    size_t limit = store_page(filter->limit);
    struct store_site *sites = arena_alloc(arena, limit, sizeof(*sites));
    struct words words;
    size_t count = 0;
    int r = sites == NULL ? -ERR_NOMEM : words_parse(filter->words, arena, &words);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, site_list_sql);
    query_bind_u64(&query, 1, filter->after / SITE_GRAVITIES);
    query_bind_text(&query, 2, filter->unit);
    query_bind_i64(&query, 3, filter->service);
    query_bind_i64(&query, 4, filter->verdict);
    query_bind_i64(&query, 5, filter->is_grave);
    query_bind_u64(&query, 6, filter->after % SITE_GRAVITIES);
    r = site_walk(&query, &words, limit, arena, sites, &count);
    if (r == 0) {
        *ret_sites = sites;
        *ret_count = count;
    }
    return r;
}

int store_site_watched(struct store *store, uint64_t after, size_t limit, struct arena *arena,
                       struct store_site **ret_sites, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_site *sites;
    size_t count = 0;
    int r;

    limit = store_page(limit);
    sites = arena_alloc(arena, limit, sizeof(*sites));
    if (sites == NULL) {
        return -ERR_NOMEM;
    }
    query_init(&query, store->database,
               SITE_COLUMNS "WHERE number > ?1 AND state = 0 ORDER BY number");
    query_bind_u64(&query, 1, after);
    r = site_walk(&query, NULL, limit, arena, sites, &count);
    if (r == 0) {
        *ret_sites = sites;
        *ret_count = count;
    }
    return r;
}

static int unit_read(struct query *query, struct arena *arena, struct store_unit *unit)
{
    *unit = (struct store_unit){0};
    unit->name = query_text(query, 0, arena);
    unit->sites = query_u64(query, 1);
    for (int i = 0; i < SITE_VERDICT_COUNT; i++) {
        unit->verdicts[i] = query_u64(query, 2 + i);
    }
    unit->unreachable = query_u64(query, 2 + SITE_VERDICT_COUNT);
    unit->unseen = query_u64(query, 3 + SITE_VERDICT_COUNT);
    return query->error;
}

int store_unit_list(struct store *store, struct arena *arena, struct store_unit **ret_units,
                    size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_unit *units = arena_alloc(arena, STORE_UNITS_MAX, sizeof(*units));
    size_t count = 0;
    int r = 0;

    if (units == NULL) {
        return -ERR_NOMEM;
    }
    query_init(&query, store->database,
               "SELECT unit, count(*), sum(verdict = 0), sum(verdict = 1), sum(verdict = 2),"
               " sum(verdict = 3), sum(verdict = 4),"
               " sum(verdict = 0 AND " SITE_IS_DOWN " AND state = 0), sum(checked = 0 OR state = 1)"
               " FROM sites WHERE state < 2 GROUP BY unit ORDER BY unit_words LIMIT ?1");
    query_bind_u64(&query, 1, STORE_UNITS_MAX);
    while (r == 0 && (r = query_next(&query)) > 0) {
        r = unit_read(&query, arena, &units[count++]);
    }
    if (r < 0) {
        return r;
    }
    *ret_units = units;
    *ret_count = count;
    return 0;
}

int store_window_put(struct store *store, const struct store_window *window, uint64_t *ret_number)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r == 0 && window->ends <= window->begins) {
        return -ERR_INVAL;
    }
    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "INSERT INTO site_windows (site, begins, ends, actor, reason)"
               " VALUES (?1, ?2, ?3, ?4, ?5)");
    query_bind_u64(&query, 1, window->site);
    query_bind_i64(&query, 2, window->begins);
    query_bind_i64(&query, 3, window->ends);
    query_bind_text(&query, 4, window->actor);
    query_bind_text(&query, 5, window->reason);
    r = store_written(store, query_run(&query));
    if (r == 0) {
        *ret_number = (uint64_t)sqlite3_last_insert_rowid(database_handle(store->database));
    }
    return r;
}

int store_window_close(struct store *store, uint64_t site, uint64_t number, int64_t now)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE site_windows SET ends = max(?3, begins) WHERE number = ?1 AND site = ?2"
               " AND ends > ?3");
    query_bind_u64(&query, 1, number);
    query_bind_u64(&query, 2, site);
    query_bind_i64(&query, 3, now);
    r = store_written(store, query_run(&query));
    return r == 0 && sqlite3_changes(database_handle(store->database)) == 0 ? -ERR_NOENT : r;
}

int store_window_list(struct store *store, uint64_t site, struct arena *arena,
                      struct store_window **ret_windows, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_window *windows = arena_alloc(arena, WINDOW_ROWS_MAX, sizeof(*windows));
    size_t count = 0;
    int r;

    if (windows == NULL) {
        return -ERR_NOMEM;
    }
    query_init(&query, store->database,
               "SELECT number, begins, ends, actor, reason FROM site_windows WHERE site = ?1"
               " ORDER BY ends DESC, number DESC LIMIT ?2");
    query_bind_u64(&query, 1, site);
    query_bind_u64(&query, 2, WINDOW_ROWS_MAX);
    while ((r = query_next(&query)) > 0) {
        struct store_window *window = &windows[count++];

        *window = (struct store_window){.site = site};
        window->number = query_u64(&query, 0);
        window->begins = query_i64(&query, 1);
        window->ends = query_i64(&query, 2);
        window->actor = query_text(&query, 3, arena);
        window->reason = query_text(&query, 4, arena);
    }
    r = r < 0 ? r : query.error;
    if (r == 0) {
        *ret_windows = windows;
        *ret_count = count;
    }
    return r;
}

int store_window_is_open(struct store *store, uint64_t site, int64_t now, bool *ret_is_open)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT 1 FROM site_windows WHERE site = ?1 AND ends > ?2 AND begins <= ?2 LIMIT 1");
    query_bind_u64(&query, 1, site);
    query_bind_i64(&query, 2, now);
    r = query_one(&query);
    if (r < 0 && r != -ERR_NOENT) {
        return r;
    }
    *ret_is_open = r == 0;
    return 0;
}

int store_window_turned(struct store *store, int64_t from, int64_t to, bool *ret_turned)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT 1 FROM site_windows WHERE (begins > ?1 AND begins <= ?2)"
               " OR (ends > ?1 AND ends <= ?2) LIMIT 1");
    query_bind_i64(&query, 1, from);
    query_bind_i64(&query, 2, to);
    r = query_one(&query);
    if (r < 0 && r != -ERR_NOENT) {
        return r;
    }
    *ret_turned = r == 0;
    return 0;
}

int store_window_expire(struct store *store, int64_t before)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, "DELETE FROM site_windows WHERE ends < ?1");
    query_bind_i64(&query, 1, before);
    return store_written(store, query_run(&query));
}
