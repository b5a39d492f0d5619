/* Looks at pages: what was seen last, what the judge has learned, what has changed. Neighbours:
 * core/watch.c writes each look, api/site.c shows them. Invariant: a site's own state is that of
 * the gravest of its pages, in the same transaction. */
#include "store/sites.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/sqlite/sqlite.h"

#define PAGES_DROPPED 64                 /* at a time */
#define LOOK_FRESH    (86400 * NS_PER_S) /* a page that was found once and is no longer asked for */

static int page_count(struct store *store, uint64_t site, uint64_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT count(*) FROM site_pages WHERE site = ?1");
    query_bind_u64(&query, 1, site);
    r = query_one(&query);
    *ret_count = query_u64(&query, 0);
    return r < 0 ? r : query.error;
}

static int page_find(struct store *store, uint64_t site, struct str url, uint64_t *ret_page)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT number FROM site_pages WHERE site = ?1 AND url = ?2");
    query_bind_u64(&query, 1, site);
    query_bind_text(&query, 2, url);
    r = query_one(&query);
    if (r == 0) {
        *ret_page = query_u64(&query, 0);
    }
    return r < 0 ? r : query.error;
}

/* The pages that were looked at longest ago and that no alert speaks of. */
static int page_stale(struct store *store, uint64_t site, uint64_t pages[PAGES_DROPPED],
                      size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    size_t count = 0;

    query_init(&query, store->database,
               "SELECT p.number FROM site_pages p WHERE p.site = ?1 AND p.kind <> 0"
               " AND NOT EXISTS (SELECT 1 FROM site_changes WHERE page = p.number AND alert <> 0)"
               " ORDER BY (SELECT max(time) FROM site_looks WHERE page = p.number)");
    query_bind_u64(&query, 1, site);
    while (count < PAGES_DROPPED && query_next(&query) > 0) {
        pages[count++] = query_u64(&query, 0);
    }
    *ret_count = count;
    return query.error;
}

/* News come and go: what is no longer linked makes room for what is. */
static int page_make_room(struct store *store, uint64_t site)
{
    static const char *const steps[] = {
        "DELETE FROM site_changes WHERE page = ?1", "DELETE FROM site_looks WHERE page = ?1",
        "DELETE FROM site_pictures WHERE page = ?1", "DELETE FROM site_pages WHERE number = ?1"};
    uint64_t pages[PAGES_DROPPED];
    size_t count = 0;
    int r = page_stale(store, site, pages, &count);

    if (r == 0 && count == 0) {
        return -ERR_LIMIT;
    }
    for (size_t i = 0; r == 0 && i < count * ARRAY_LEN(steps); i++) {
        CLEANUP(query_done) struct query query = {0};

        query_init(&query, store->database, steps[i % ARRAY_LEN(steps)]);
        query_bind_u64(&query, 1, pages[i / ARRAY_LEN(steps)]);
        r = query_run(&query);
    }
    return store_written(store, r);
}

int store_page_put(struct store *store, uint64_t site, struct str url, enum site_page kind,
                   uint64_t *ret_page)
{
    CLEANUP(query_done) struct query query = {0};
    uint64_t count = 0;
    int r = store_may_write(store);

    r = r < 0 ? r : page_find(store, site, url, ret_page);
    if (r != -ERR_NOENT) {
        return r;
    }
    r = page_count(store, site, &count);
    if (r == 0 && count >= STORE_SITE_PAGES_MAX) {
        r = page_make_room(store, site);
    }
    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "INSERT INTO site_pages (site, url, kind) VALUES (?1, ?2, ?3)");
    query_bind_u64(&query, 1, site);
    query_bind_text(&query, 2, url);
    query_bind_i64(&query, 3, kind);
    r = store_written(store, query_run(&query));
    if (r == 0) {
        *ret_page = (uint64_t)sqlite3_last_insert_rowid(database_handle(store->database));
    }
    return r;
}

static const char memory_get_site[] = "SELECT memory FROM sites WHERE number = ?1";
static const char memory_get_page[] = "SELECT profile FROM site_pages WHERE site = ?1 AND url = ?2";
static const char memory_put_site[] = "UPDATE sites SET memory = ?3 WHERE number = ?1";
static const char memory_put_page[] =
    "UPDATE site_pages SET profile = ?3 WHERE site = ?1 AND url = ?2";

int store_memory_get(struct store *store, uint64_t site, struct str url, struct arena *arena,
                     struct str *ret_bytes)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, url.len == 0 ? memory_get_site : memory_get_page);
    query_bind_u64(&query, 1, site);
    if (url.len != 0) {
        query_bind_text(&query, 2, url);
    }
    r = query_one(&query);
    if (r == -ERR_NOENT) {
        *ret_bytes = STR("");
        return 0;
    }
    if (r == 0) {
        *ret_bytes = query_text(&query, 0, arena);
    }
    return r < 0 ? r : query.error;
}

int store_memory_put(struct store *store, uint64_t site, struct str url, struct str bytes)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r == 0 && bytes.len > (url.len == 0 ? STORE_MEMORY_MAX : STORE_PROFILE_MAX)) {
        return -ERR_LIMIT;
    }
    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, url.len == 0 ? memory_put_site : memory_put_page);
    query_bind_u64(&query, 1, site);
    if (url.len != 0) {
        query_bind_text(&query, 2, url);
    }
    query_bind_bytes(&query, 3, bytes.ptr, bytes.len);
    r = store_written(store, query_run(&query));
    return r == 0 && sqlite3_changes(database_handle(store->database)) == 0 ? -ERR_NOENT : r;
}

int store_scripts_get(struct store *store, uint64_t site, struct arena *arena,
                      struct str *ret_bytes)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT bytes FROM site_scripts WHERE site = ?1");
    query_bind_u64(&query, 1, site);
    r = query_one(&query);
    if (r == -ERR_NOENT) {
        *ret_bytes = STR("");
        return 0;
    }
    if (r == 0) {
        *ret_bytes = query_text(&query, 0, arena);
    }
    return r < 0 ? r : query.error;
}

int store_scripts_put(struct store *store, uint64_t site, struct str bytes)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0 || bytes.len > STORE_SCRIPTS_MAX) {
        return r < 0 ? r : -ERR_LIMIT;
    }
    query_init(&query, store->database,
               "INSERT OR REPLACE INTO site_scripts (site, bytes)"
               " SELECT number, ?2 FROM sites WHERE number = ?1");
    query_bind_u64(&query, 1, site);
    query_bind_bytes(&query, 2, bytes.ptr, bytes.len);
    r = store_written(store, query_run(&query));
    return r == 0 && sqlite3_changes(database_handle(store->database)) == 0 ? -ERR_NOENT : r;
}

#define LOOK_COLUMNS                                                                               \
    "SELECT l.site, l.page, p.url, p.kind, l.view, l.time, l.verdict, l.failure, l.failures,"      \
    " l.since, l.change, l.alarm, l.alarm_revision, l.text IS NOT NULL, l.text, l.body,"           \
    " l.alarm_rank"                                                                                \
    " FROM site_looks l JOIN site_pages p ON p.number = l.page "

static int look_read(struct query *query, struct arena *arena, struct store_look *look)
{
    *look = (struct store_look){0};
    look->site = query_u64(query, 0);
    look->page = query_u64(query, 1);
    look->url = query_text(query, 2, arena);
    look->kind = (enum site_page)query_i64(query, 3);
    look->view = (enum site_view)query_i64(query, 4);
    look->time = query_i64(query, 5);
    look->verdict = (enum site_verdict)query_i64(query, 6);
    look->failure = (enum site_failure)query_i64(query, 7);
    look->failures = (uint32_t)query_u64(query, 8);
    look->since = query_i64(query, 9);
    look->change = query_u64(query, 10);
    query_copy(query, 11, look->alarm.bytes, sizeof(look->alarm.bytes));
    look->alarm_revision = (uint32_t)query_u64(query, 12);
    look->has_text = query_bool(query, 13);
    query_copy(query, 14, look->text, sizeof(look->text));
    look->body = query_text(query, 15, arena);
    look->alarm_rank = (unsigned)query_u64(query, 16);
    return query->error;
}

int store_look_get(struct store *store, uint64_t page, enum site_view view, struct arena *arena,
                   struct store_look *ret_look)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_look look;
    int r;

    query_init(&query, store->database, LOOK_COLUMNS "WHERE l.page = ?1 AND l.view = ?2");
    query_bind_u64(&query, 1, page);
    query_bind_i64(&query, 2, view);
    r = query_one(&query);
    r = r < 0 ? r : look_read(&query, arena, &look);
    if (r == 0) {
        *ret_look = look;
    }
    return r;
}

static void look_bind_hash(struct query *query, int at, bool has, const uint8_t hash[32])
{
    if (has) { /* unbound is NULL */
        query_bind_bytes(query, at, hash, 32);
    }
}

static int look_write(struct store *store, const struct store_look *look)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "INSERT OR REPLACE INTO site_looks (page, view, site, time, verdict, failure,"
               " failures, since, change, alarm, alarm_revision, text, body,"
               " alarm_rank)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
    query_bind_u64(&query, 1, look->page);
    query_bind_i64(&query, 2, look->view);
    query_bind_u64(&query, 3, look->site);
    query_bind_i64(&query, 4, look->time);
    query_bind_i64(&query, 5, look->verdict);
    query_bind_i64(&query, 6, look->failure);
    query_bind_u64(&query, 7, look->failures);
    query_bind_i64(&query, 8, look->since);
    query_bind_u64(&query, 9, look->change);
    query_bind_id(&query, 10, &look->alarm);
    query_bind_u64(&query, 11, look->alarm_revision);
    look_bind_hash(&query, 12, look->has_text, look->text);
    query_bind_bytes(&query, 13, look->body.ptr, look->body.len);
    query_bind_u64(&query, 14, look->alarm_rank);
    return query_run(&query);
}

/* The gravest verdict of what is looked at: a red page before a yellow one, before a listed page
 * that cannot be reached. What was only probed for need not be there. */
static int look_gravest(struct store *store, const struct store_look *look,
                        enum site_verdict *ret_verdict, enum site_failure *ret_failure)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT l.verdict, l.failure FROM site_looks l"
               " JOIN site_pages p ON p.number = l.page WHERE l.site = ?1"
               " AND (p.kind = 0 OR (l.verdict >= 3 AND l.time > ?2))"
               " ORDER BY CASE l.verdict WHEN 4 THEN 0 WHEN 3 THEN 1 WHEN 0 THEN 2 WHEN 2 THEN 3"
               " ELSE 4 END, l.failure DESC LIMIT 1");
    query_bind_u64(&query, 1, look->site);
    query_bind_i64(&query, 2, look->time - LOOK_FRESH);
    *ret_verdict = SITE_VERDICT_UNKNOWN;
    *ret_failure = SITE_FAILURE_NONE;
    r = query_one(&query);
    if (r == 0) {
        *ret_verdict = (enum site_verdict)query_i64(&query, 0);
        *ret_failure = (enum site_failure)query_i64(&query, 1);
    }
    return r < 0 && r != -ERR_NOENT ? r : query.error;
}

static int look_series(struct store *store, const struct store_look *look,
                       const struct site_check *check, uint8_t out[SERIES_SIZE_MAX])
{
    CLEANUP(query_done) struct query query = {0};
    struct series series;
    int64_t ms = check->timing.done / NS_PER_MS;
    int r;

    query_init(&query, store->database, "SELECT series FROM sites WHERE number = ?1");
    query_bind_u64(&query, 1, look->site);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    series_read(query_bytes(&query, 0), &series);
    if (check->page == SITE_PAGE_LISTED && check->failure != SITE_FAILURE_OWN_NETWORK) {
        ms = ms < SERIES_FAILED - 1 ? ms : SERIES_FAILED - 1;
        ms = ms < 1 ? 1 : ms;
        series_add(&series, look->time, check->timing.done == 0 ? SERIES_FAILED : (uint16_t)ms);
    }
    series_write(&series, out);
    return query.error;
}

static int look_update_site(struct store *store, const struct store_look *look,
                            const struct site_check *check)
{
    CLEANUP(query_done) struct query query = {0};
    uint8_t series[SERIES_SIZE_MAX];
    enum site_verdict verdict;
    enum site_failure failure;
    int r = look_gravest(store, look, &verdict, &failure);

    r = r < 0 ? r : look_series(store, look, check, series);
    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE sites SET since = CASE WHEN checked = 0 OR verdict <> ?2 OR failure <> ?3"
               " THEN ?4 ELSE since END, verdict = ?2, failure = ?3, checked = max(checked, ?4),"
               " changed = CASE WHEN ?5 THEN max(changed, ?4) ELSE changed END,"
               " certificate_end = CASE WHEN ?6 = 0 THEN certificate_end ELSE ?6 END,"
               " series = ?7 WHERE number = ?1");
    query_bind_u64(&query, 1, look->site);
    query_bind_i64(&query, 2, verdict);
    query_bind_i64(&query, 3, failure);
    query_bind_i64(&query, 4, look->time);
    query_bind_i64(&query, 5, look->verdict >= SITE_VERDICT_CHANGED);
    query_bind_i64(&query, 6, check->page == SITE_PAGE_LISTED ? check->certificate_end : 0);
    query_bind_bytes(&query, 7, series, sizeof(series));
    return query_run(&query);
}

int store_look_put(struct store *store, const struct store_look *look,
                   const struct site_check *check)
{
    int r = store_may_write(store);

    if (r == 0 && (look->page == 0 || look->site == 0 || look->view >= SITE_VIEW_COUNT ||
                   look->verdict >= SITE_VERDICT_COUNT || look->failure >= SITE_FAILURE_COUNT)) {
        return -ERR_INVAL;
    }
    if (r == 0) {
        r = look_write(store, look);
        r = store_written(store, r < 0 ? r : look_update_site(store, look, check));
    }
    return r;
}

int store_look_list(struct store *store, uint64_t site, struct arena *arena,
                    struct store_look **ret_looks, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_look *looks = arena_alloc(arena, STORE_PAGE_MAX, sizeof(*looks));
    size_t count = 0;
    int r = 0;

    if (looks == NULL) {
        return -ERR_NOMEM;
    }
    query_init(&query, store->database,
               LOOK_COLUMNS "WHERE l.site = ?1 ORDER BY CASE l.verdict WHEN 4 THEN 0 WHEN 3 THEN 1"
                            " ELSE 2 END, p.kind, p.number, l.view LIMIT ?2");
    query_bind_u64(&query, 1, site);
    query_bind_u64(&query, 2, STORE_PAGE_MAX);
    while (r == 0 && (r = query_next(&query)) > 0) {
        r = look_read(&query, arena, &looks[count++]);
    }
    if (r < 0) {
        return r;
    }
    *ret_looks = looks;
    *ret_count = count;
    return 0;
}
