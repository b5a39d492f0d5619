/* See store/rulebook.h. Documents are only added to: who changed what, and why, stays. */
#include "store/rulebook.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/sqlite/sqlite.h"

#define RULE_HITS_MAX   20000
#define DAY_NS          (86400 * NS_PER_S)
#define VIET_NAM_NS     (7 * 3600 * NS_PER_S)
#define DOCUMENT_FIELDS "number, kind, id, title, text, rule, is_on, until, time, actor, reason"

/* What is on beside it. */
static int document_others(struct store *store, const struct store_document *document,
                           uint64_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT count(*) FROM rule_documents WHERE is_on AND NOT (kind = ?1 AND id = ?2)"
               " AND number IN (SELECT max(number) FROM rule_documents GROUP BY kind, id)");
    query_bind_i64(&query, 1, document->kind);
    query_bind_text(&query, 2, document->id);
    r = query_one(&query);
    if (r == 0) {
        *ret_count = query_u64(&query, 0);
    }
    return r;
}

int store_document_put(struct store *store, const struct store_document *document)
{
    CLEANUP(query_done) struct query query = {0};
    uint64_t others = 0;
    int r = store_may_write(store);

    r = r < 0 ? r : document_others(store, document, &others);
    if (r < 0) {
        return r;
    }
    if (document->is_on && others >= STORE_DOCUMENTS_MAX) {
        return -ERR_LIMIT;
    }
    query_init(&query, store->database,
               "INSERT INTO rule_documents"
               " (kind, id, title, text, rule, is_on, until, time, actor, reason)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    query_bind_i64(&query, 1, document->kind);
    query_bind_text(&query, 2, document->id);
    query_bind_text(&query, 3, document->title);
    query_bind_text(&query, 4, document->text);
    query_bind_text(&query, 5, document->rule);
    query_bind_i64(&query, 6, document->is_on);
    query_bind_i64(&query, 7, document->until);
    query_bind_i64(&query, 8, clock_wall(store->clock));
    query_bind_text(&query, 9, document->actor);
    query_bind_text(&query, 10, document->reason);
    return store_written(store, query_run(&query));
}

static int document_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_document *document = ret_row;
    int64_t kind = query_i64(query, 1);

    if (kind < 0 || kind >= RULE_DOCUMENT_COUNT) {
        return -ERR_CORRUPT;
    }
    document->number = query_u64(query, 0);
    document->kind = (enum rule_document_kind)kind;
    document->id = query_text(query, 2, arena);
    document->title = query_text(query, 3, arena);
    document->text = query_text(query, 4, arena);
    document->rule = query_text(query, 5, arena);
    document->is_on = query_bool(query, 6);
    document->until = query_i64(query, 7);
    document->time = query_i64(query, 8);
    document->actor = query_text(query, 9, arena);
    document->reason = query_text(query, 10, arena);
    return query->error;
}

int store_document_get(struct store *store, enum rule_document_kind kind, struct str id,
                       struct arena *arena, struct store_document *ret_document)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_document document;
    int r;

    query_init(&query, store->database,
               "SELECT " DOCUMENT_FIELDS " FROM rule_documents WHERE id = ?1 AND kind = ?2"
               " ORDER BY number DESC LIMIT 1");
    query_bind_text(&query, 1, id);
    query_bind_i64(&query, 2, kind);
    r = query_one(&query);
    if (r == 0) {
        r = document_read(&query, arena, &document);
    }
    if (r == 0) {
        *ret_document = document;
    }
    return r;
}

int store_document_list(struct store *store, bool with_text, struct arena *arena,
                        struct store_document **ret_documents, size_t *ret_count)
{
    static const struct query_rows rows = {sizeof(**ret_documents), STORE_DOCUMENTS_MAX,
                                           document_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT number, kind, id, title, iif(?2, text, ''), rule, is_on, until, time, actor,"
               " reason FROM rule_documents WHERE number IN"
               " (SELECT max(number) FROM rule_documents GROUP BY kind, id)"
               " ORDER BY is_on DESC, number DESC LIMIT ?1");
    query_bind_u64(&query, 1, STORE_DOCUMENTS_MAX);
    query_bind_i64(&query, 2, with_text);
    *ret_documents = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

int64_t store_day(int64_t wall)
{
    return (wall + VIET_NAM_NS) / DAY_NS;
}

int store_rule_hits_add(struct store *store, int64_t day, const struct store_rule_hits *hits)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "INSERT INTO rule_hits (rule, day, title, level, hits, told, kept)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (rule, day) DO UPDATE SET"
               " title = excluded.title, level = excluded.level, hits = hits + excluded.hits,"
               " told = told + excluded.told, kept = kept + excluded.kept");
    query_bind_text(&query, 1, hits->rule);
    query_bind_i64(&query, 2, day);
    query_bind_text(&query, 3, hits->title);
    query_bind_i64(&query, 4, hits->level);
    query_bind_u64(&query, 5, hits->hits);
    query_bind_u64(&query, 6, hits->told);
    query_bind_u64(&query, 7, hits->kept);
    return store_written(store, query_run(&query));
}

static int hits_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_rule_hits *hits = ret_row;

    hits->rule = query_text(query, 0, arena);
    hits->title = query_text(query, 1, arena);
    hits->level = (uint32_t)query_u64(query, 2);
    hits->hits = query_u64(query, 3);
    hits->told = query_u64(query, 4);
    hits->kept = query_u64(query, 5);
    hits->today = query_u64(query, 6);
    return query->error;
}

int store_rule_hits_list(struct store *store, int64_t since, int64_t today, struct arena *arena,
                         struct store_rule_hits **ret_hits, size_t *ret_count)
{
    static const struct query_rows rows = {sizeof(**ret_hits), RULE_HITS_MAX, hits_read};
    CLEANUP(query_done) struct query query = {0};

    /* title and level of the row with the newest day: what SQLite gives beside a bare max() */
    query_init(&query, store->database,
               "SELECT rule, title, level, sum(hits), sum(told), sum(kept),"
               " sum(iif(day = ?2, hits, 0)), max(day) FROM rule_hits"
               " WHERE day BETWEEN ?1 AND ?2 GROUP BY rule ORDER BY sum(hits) DESC LIMIT ?3");
    query_bind_i64(&query, 1, since);
    query_bind_i64(&query, 2, today);
    query_bind_u64(&query, 3, RULE_HITS_MAX);
    *ret_hits = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

int store_rule_hits_expire(struct store *store, int64_t before)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, "DELETE FROM rule_hits WHERE day < ?1");
    query_bind_i64(&query, 1, before);
    return store_written(store, query_run(&query));
}

static int false_alarms_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_false_alarms *row = ret_row;

    row->title = query_text(query, 0, arena);
    row->count = query_u64(query, 1);
    return query->error;
}

int store_false_alarm_list(struct store *store, int64_t since, size_t limit, struct arena *arena,
                           struct store_false_alarms **ret_rows, size_t *ret_count)
{
    const struct query_rows rows = {sizeof(**ret_rows), store_page(limit), false_alarms_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT title, count(*) FROM alerts WHERE state = 2 AND detector = 'logs'"
               " AND is_drill = 0 AND last >= ?1"
               " AND (close_reason = 'false-alarm' OR close_reason LIKE 'false-alarm:%')"
               " GROUP BY title ORDER BY 2 DESC, 1 LIMIT ?2");
    query_bind_i64(&query, 1, since);
    query_bind_u64(&query, 2, store_page(limit));
    *ret_rows = query_list(&query, &rows, arena, ret_count);
    return query.error;
}
