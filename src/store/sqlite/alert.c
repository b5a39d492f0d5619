/* Alerts: what people act on, made of findings by the rule in fold.c. All findings are kept with
 * their alert, the last state of each. Every change takes the next number of the live stream
 * (`changed`). */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/fold.h"

#define ALERT_BODY_LIMIT  (1U << 20)
#define ALERT_CANDIDATES  "8" /* open alerts of one cause that are looked at */

#define ALERT_NEXT_CHANGE "(SELECT coalesce(max(changed), 0) + 1 FROM alerts)"

int store_alert_read(struct query *query, struct arena *arena, struct store_alert *alert)
{
    *alert = (struct store_alert){0};
    alert->number = query_u64(query, 0);
    query_copy(query, 1, alert->finding.bytes, sizeof(alert->finding.bytes));
    query_copy(query, 2, alert->host.bytes, sizeof(alert->host.bytes));
    alert->host_name = query_text(query, 3, arena);
    alert->state = (enum alert_state)query_i64(query, 4);
    alert->severity = (enum severity)query_i64(query, 5);
    alert->is_drill = query_bool(query, 6);
    alert->first = query_i64(query, 7);
    alert->last = query_i64(query, 8);
    alert->count = query_u64(query, 9);
    alert->detector = query_text(query, 10, arena);
    alert->title = query_text(query, 11, arena);
    alert->taken_by = query_text(query, 12, arena);
    alert->close_reason = query_text(query, 13, arena);
    alert->changed = query_u64(query, 14);
    alert->site = query_u64(query, 15);
    return query->error;
}

int store_alert_get(struct store *store, uint64_t number, struct arena *arena,
                    struct store_alert *ret_alert)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_alert alert;
    int r;

    query_init(&query, store->database,
               "SELECT " STORE_ALERT_COLUMNS ", f.body FROM alerts a" STORE_ALERT_JOINS
               "JOIN findings f ON f.id = a.finding WHERE a.number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    r = r < 0 ? r : store_alert_read(&query, arena, &alert);
    if (r < 0) {
        return r;
    }
    alert.body = query_text(&query, STORE_ALERT_COLUMN_COUNT, arena);
    if (query.error < 0) {
        return query.error;
    }
    *ret_alert = alert;
    return 0;
}

/* The alert and the revision that a finding's id stands for. -ERR_NOENT; -ERR_CONFLICT when it is
 * another host's. */
static int alert_of_finding(struct store *store, const struct id *host,
                            const struct finding *finding, uint64_t *ret_number,
                            uint64_t *ret_revision)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT f.alert, f.revision, a.host IS ?2 FROM findings f"
               " JOIN alerts a ON a.number = f.alert WHERE f.id = ?1");
    query_bind_id(&query, 1, &finding->id);
    query_bind_id(&query, 2, host);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    if (!query_bool(&query, 2)) {
        return query.error < 0 ? query.error : -ERR_CONFLICT;
    }
    *ret_number = query_u64(&query, 0);
    *ret_revision = query_u64(&query, 1);
    return query.error;
}

/* The newest open alert that the finding joins. -ERR_NOENT. */
static int alert_candidate(struct store *store, const struct id *host,
                           const struct finding *finding, struct arena *arena,
                           struct store_alert *ret_alert)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_alert alert;
    int r;

    query_init(&query, store->database,
               "SELECT " STORE_ALERT_COLUMNS
               " FROM alerts a INDEXED BY alerts_fold" STORE_ALERT_JOINS
               "WHERE a.host IS ?1 AND a.site IS nullif(?5, 0) AND a.detector = ?2"
               " AND a.title = ?3 AND a.state < 2 AND a.is_drill = ?4 ORDER BY a.last DESC "
               "LIMIT " ALERT_CANDIDATES);
    query_bind_id(&query, 1, host);
    query_bind_text(&query, 2, finding->detector);
    query_bind_text(&query, 3, finding->title);
    query_bind_i64(&query, 4, finding->is_drill);
    query_bind_u64(&query, 5, finding->site);
    while ((r = query_next(&query)) > 0) {
        r = store_alert_read(&query, arena, &alert);
        if (r < 0) {
            return r;
        }
        if (fold_accepts(&alert, host, finding)) {
            *ret_alert = alert;
            return 0;
        }
    }
    return r < 0 ? r : -ERR_NOENT;
}

/* Feeds the search index; the row's own copy of the words is its content. */
static int alert_index(struct store *store, uint64_t number)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "INSERT INTO alert_words (rowid, title_words, host_words)"
               " SELECT number, title_words, host_words FROM alerts WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    return query_run(&query);
}

static int alert_insert(struct store *store, const struct id *host, const struct finding *finding,
                        uint64_t *ret_number)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(
        &query, store->database,
        "INSERT INTO alerts (finding, host, state, severity, is_drill, first, last, count, "
        "detector,"
        " title, site, changed, title_words, host_words) VALUES (?1, ?2, 0, ?3, ?4, ?5, ?5, 1, ?6,"
        " ?7, nullif(?8, 0), " ALERT_NEXT_CHANGE ", canhgac_words(?7),"
        " canhgac_words(coalesce((SELECT name FROM hosts WHERE id = ?2),"
        "  (SELECT name || ' ' || unit || ' ' || url FROM sites WHERE number = ?8), '')))");
    query_bind_id(&query, 1, &finding->id);
    query_bind_id(&query, 2, host);
    query_bind_i64(&query, 3, finding->severity);
    query_bind_i64(&query, 4, finding->is_drill);
    query_bind_i64(&query, 5, finding->time);
    query_bind_text(&query, 6, finding->detector);
    query_bind_text(&query, 7, finding->title);
    query_bind_u64(&query, 8, finding->site);
    r = query_run(&query);
    if (r < 0) {
        return r;
    }
    *ret_number = (uint64_t)sqlite3_last_insert_rowid(database_handle(store->database));
    return alert_index(store, *ret_number);
}

static int alert_update(struct store *store, const struct store_alert *alert)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "UPDATE alerts SET finding = ?2, severity = ?3, first = ?4, last = ?5, count = ?6,"
               " changed = " ALERT_NEXT_CHANGE " WHERE number = ?1");
    query_bind_u64(&query, 1, alert->number);
    query_bind_id(&query, 2, &alert->finding);
    query_bind_i64(&query, 3, alert->severity);
    query_bind_i64(&query, 4, alert->first);
    query_bind_i64(&query, 5, alert->last);
    query_bind_u64(&query, 6, alert->count);
    return query_run(&query);
}

/* A later state of a finding that the alert holds already: severity may rise, nothing is counted.
 */
static int alert_revise(struct store *store, uint64_t number, const struct finding *finding)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "UPDATE alerts SET finding = ?2, severity = max(severity, ?3), last = max(last, ?4),"
               " changed = " ALERT_NEXT_CHANGE " WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    query_bind_id(&query, 2, &finding->id);
    query_bind_i64(&query, 3, finding->severity);
    query_bind_i64(&query, 4, finding->time);
    return query_run(&query);
}

static int alert_keep_finding(struct store *store, uint64_t number, const struct finding *finding)
{
    CLEANUP(query_done) struct query query = {0};
    CLEANUP(buf_done) struct buf buf;
    int r;

    buf_init(&buf, ALERT_BODY_LIMIT);
    finding_encode(finding, &buf);
    if (buf_error(&buf) < 0) {
        return buf_error(&buf);
    }
    query_init(&query, store->database,
               "INSERT INTO findings (id, alert, revision, time, body) VALUES (?1, ?2, ?3, ?4, ?5)"
               " ON CONFLICT (id) DO UPDATE SET revision = ?3, time = ?4, body = ?5");
    query_bind_id(&query, 1, &finding->id);
    query_bind_u64(&query, 2, number);
    query_bind_u64(&query, 3, finding->revision);
    query_bind_i64(&query, 4, finding->time);
    query_bind_bytes(&query, 5, buf.ptr, buf.len);
    r = query_run(&query);
    return r;
}

/* Finds or makes the alert of a finding that was not seen before. */
static int alert_place(struct store *store, const struct id *host, const struct finding *finding,
                       uint64_t *ret_number)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_alert alert = {0};
    int r = arena_new(ALERT_BODY_LIMIT, &arena);

    r = r < 0 ? r : alert_candidate(store, host, finding, arena, &alert);
    if (r == -ERR_NOENT) {
        return alert_insert(store, host, finding, ret_number);
    }
    if (r < 0) {
        return r;
    }
    fold_join(&alert, finding);
    *ret_number = alert.number;
    return alert_update(store, &alert);
}

static int alert_fold(struct store *store, const struct id *host, const struct finding *finding,
                      uint64_t *ret_number)
{
    uint64_t revision = 0;
    int r = alert_of_finding(store, host, finding, ret_number, &revision);

    if (r == 0 && finding->revision <= revision) {
        return 0; /* an older state that came late, or the same one again */
    }
    if (r == 0) {
        r = alert_revise(store, *ret_number, finding);
    } else if (r == -ERR_NOENT) {
        r = alert_place(store, host, finding, ret_number);
    }
    return r < 0 ? r : alert_keep_finding(store, *ret_number, finding);
}

int store_alert_fold(struct store *store, const struct id *host, const struct finding *finding,
                     uint64_t *ret_number)
{
    uint64_t number = 0;
    int r = store_may_write(store);

    if (r == 0 && (id_is_none(&finding->id) || finding->severity >= SEVERITY_COUNT)) {
        return -ERR_INVAL;
    }
    if (r == 0) {
        r = alert_fold(store, host, finding, &number);
        r = r == -ERR_CONFLICT ? r : store_written(store, r); /* nothing was tried */
    }
    if (r == 0) {
        *ret_number = number;
    }
    return r;
}

int store_alert_knows(struct store *store, const struct id *finding, bool *ret_is_known)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT EXISTS (SELECT 1 FROM findings WHERE id = ?1)");
    query_bind_id(&query, 1, finding);
    r = query_one(&query);
    if (r == 0) {
        *ret_is_known = query_i64(&query, 0) != 0;
    }
    return r;
}

static int finding_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_finding *finding = ret_row;

    query_copy(query, 0, finding->id.bytes, sizeof(finding->id.bytes));
    finding->revision = (uint32_t)query_u64(query, 1);
    finding->time = query_i64(query, 2);
    finding->body = query_text(query, 3, arena);
    return query->error;
}

int store_alert_findings(struct store *store, uint64_t number, size_t limit, struct arena *arena,
                         struct store_finding **ret_findings, size_t *ret_count)
{
    const struct query_rows rows = {sizeof(**ret_findings), store_page(limit), finding_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT id, revision, time, body FROM findings WHERE alert = ?1 ORDER BY rowid DESC "
               "LIMIT ?2");
    query_bind_u64(&query, 1, number);
    query_bind_u64(&query, 2, rows.max);
    *ret_findings = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

static int alert_state(struct store *store, uint64_t number, enum alert_state *ret_state)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT state FROM alerts WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    if (r == 0) {
        *ret_state = (enum alert_state)query_i64(&query, 0);
    }
    return r < 0 ? r : query.error;
}

/* -ERR_NOENT, or why nothing may be written. */
static int alert_may_change(struct store *store, uint64_t number)
{
    enum alert_state state = ALERT_STATE_COUNT;
    int r = store_may_write(store);

    return r < 0 ? r : alert_state(store, number, &state);
}

int store_alert_count_more(struct store *store, uint64_t number, uint64_t more, int64_t last)
{
    CLEANUP(query_done) struct query query = {0};
    int r = alert_may_change(store, number);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE alerts SET count = count + ?2, last = max(last, ?3),"
               " changed = " ALERT_NEXT_CHANGE " WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    query_bind_u64(&query, 2, more);
    query_bind_i64(&query, 3, last);
    return store_written(store, query_run(&query));
}

int store_alert_calm(struct store *store, uint64_t number)
{
    CLEANUP(query_done) struct query query = {0};
    int r = alert_may_change(store, number);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE alerts SET severity = ?2, changed = " ALERT_NEXT_CHANGE
               " WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    query_bind_i64(&query, 2, SEVERITY_INFO);
    return store_written(store, query_run(&query));
}

int store_alert_move(struct store *store, uint64_t number, enum alert_state state, struct str actor,
                     struct str reason)
{
    CLEANUP(query_done) struct query query = {0};
    enum alert_state from = ALERT_STATE_COUNT;
    int r = store_may_write(store);

    r = r < 0 ? r : alert_state(store, number, &from);
    if (r < 0) {
        return r;
    }
    if (!fold_may_move(from, state)) {
        return -ERR_CONFLICT;
    }
    /* Who closes an alert that nobody had taken has taken it by that. */
    query_init(&query, store->database,
               "UPDATE alerts SET state = ?2, close_reason = CASE ?2 WHEN 2 THEN ?4 ELSE '' END,"
               " taken_by = CASE WHEN ?2 = 0 THEN '' WHEN ?2 = 2 AND taken_by <> '' THEN taken_by"
               " ELSE ?3 END, changed = " ALERT_NEXT_CHANGE " WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    query_bind_i64(&query, 2, state);
    query_bind_text(&query, 3, actor);
    query_bind_text(&query, 4, reason);
    return store_written(store, query_run(&query));
}
