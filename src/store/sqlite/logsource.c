/* What writes logs: see store/logsources.h. Neighbours: core/source.c writes, api/source.c shows.
 */
#include "store/logsources.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/sqlite/sqlite.h"
#include "store/words.h"

#define SOURCE_COLUMNS                                                                             \
    "s.number, s.host, s.name, s.format, s.first, s.last, s.gap, s.entries, s.bytes, s.faulty,"    \
    " s.unjudged, s.matched, s.dropped, s.series, s.silence, s.alert, s.muted, s.muted_by,"        \
    " s.muted_why"
#define SOURCE_COLUMN_COUNT 19
#define SOURCE_HOST         ", coalesce(h.name, ''), coalesce(h.seen, 0), coalesce(h.is_revoked, 0)"
#define SOURCE_JOIN         " FROM log_sources s LEFT JOIN hosts h ON h.id = s.host "
/* The order in which people look: what is silent, what speaks, what nobody wants to hear of. */
#define SOURCE_RANK "CASE WHEN s.muted <> 0 THEN 2 WHEN s.alert <> 0 THEN 0 ELSE 1 END"

static const char *const state_names[LOGSOURCE_STATE_COUNT] = {
    [LOGSOURCE_STATE_SILENT] = "silent",
    [LOGSOURCE_STATE_SPEAKING] = "speaking",
    [LOGSOURCE_STATE_MUTED] = "muted",
};

const char *logsource_state_name(enum logsource_state state)
{
    return state_names[state];
}

enum logsource_state logsource_state_of(const struct store_logsource *source)
{
    if (source->muted != 0) {
        return LOGSOURCE_STATE_MUTED;
    }
    return source->alert != 0 ? LOGSOURCE_STATE_SILENT : LOGSOURCE_STATE_SPEAKING;
}

void logsource_cursor(const struct store_logsource_row *row, char out[LOGSOURCE_CURSOR_SIZE])
{
    (void)snprintf(out, LOGSOURCE_CURSOR_SIZE, "%u:%lld:%llu",
                   (unsigned)logsource_state_of(&row->source), (long long)row->source.last,
                   (unsigned long long)row->source.number);
}

static int source_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_logsource *source = ret_row;

    *source = (struct store_logsource){0};
    source->number = query_u64(query, 0);
    query_copy(query, 1, source->host.bytes, sizeof(source->host.bytes));
    source->name = query_text(query, 2, arena);
    source->format = query_text(query, 3, arena);
    source->first = query_i64(query, 4);
    source->last = query_i64(query, 5);
    source->gap = query_i64(query, 6);
    source->entries = query_u64(query, 7);
    source->bytes = query_u64(query, 8);
    source->faulty = query_u64(query, 9);
    source->unjudged = query_u64(query, 10);
    source->matched = query_u64(query, 11);
    source->dropped = query_u64(query, 12);
    tally_read(query_bytes(query, 13), &source->tally);
    source->silence = query_text(query, 14, arena);
    source->alert = query_u64(query, 15);
    source->muted = query_i64(query, 16);
    source->muted_by = query_text(query, 17, arena);
    source->muted_why = query_text(query, 18, arena);
    return query->error;
}

static int source_row_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_logsource_row *row = ret_row;
    int r = source_read(query, arena, &row->source);

    row->host_name = query_text(query, SOURCE_COLUMN_COUNT, arena);
    row->host_seen = query_i64(query, SOURCE_COLUMN_COUNT + 1);
    row->is_revoked = query_bool(query, SOURCE_COLUMN_COUNT + 2);
    return r < 0 ? r : query->error;
}

/* What both statements write, from ?1 on. */
static void source_bind(struct query *query, const struct store_logsource *source,
                        const uint8_t tally[TALLY_SIZE_MAX], size_t tally_len)
{
    query_bind_u64(query, 1, source->number);
    query_bind_text(query, 2, source->format);
    query_bind_i64(query, 3, source->first);
    query_bind_i64(query, 4, source->last);
    query_bind_i64(query, 5, source->gap);
    query_bind_u64(query, 6, source->entries);
    query_bind_u64(query, 7, source->bytes);
    query_bind_u64(query, 8, source->faulty);
    query_bind_u64(query, 9, source->unjudged);
    query_bind_u64(query, 10, source->matched);
    query_bind_u64(query, 11, source->dropped);
    query_bind_bytes(query, 12, tally, tally_len);
    query_bind_bytes(query, 13, source->silence.ptr, source->silence.len);
    query_bind_u64(query, 14, source->alert);
}

static int source_insert(struct store *store, const struct store_logsource *source,
                         const uint8_t tally[TALLY_SIZE_MAX], size_t tally_len)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "INSERT INTO log_sources (number, format, first, last, gap, entries, bytes, faulty,"
               " unjudged, matched, dropped, series, silence, alert, host, name)"
               " VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
               " ?15, ?16)");
    source_bind(&query, source, tally, tally_len);
    query_bind_id(&query, 15, &source->host);
    query_bind_text(&query, 16, source->name);
    return query_run(&query);
}

static int source_update(struct store *store, const struct store_logsource *source,
                         const uint8_t tally[TALLY_SIZE_MAX], size_t tally_len)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "UPDATE log_sources SET format = ?2, first = ?3, last = ?4, gap = ?5, entries = ?6,"
               " bytes = ?7, faulty = ?8, unjudged = ?9, matched = ?10, dropped = ?11,"
               " series = ?12, silence = ?13, alert = ?14 WHERE number = ?1");
    source_bind(&query, source, tally, tally_len);
    return query_run(&query);
}

int store_logsource_put(struct store *store, const struct store_logsource *source,
                        uint64_t *ret_number)
{
    uint8_t tally[TALLY_SIZE_MAX];
    size_t tally_len = tally_write(&source->tally, tally);
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    if (source->number != 0) {
        *ret_number = source->number;
        return store_written(store, source_update(store, source, tally, tally_len));
    }
    r = source_insert(store, source, tally, tally_len);
    if (r == 0) {
        *ret_number = (uint64_t)sqlite3_last_insert_rowid(database_handle(store->database));
    }
    return store_written(store, r);
}

int store_logsource_get(struct store *store, uint64_t number, struct arena *arena,
                        struct store_logsource_row *ret_row)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT " SOURCE_COLUMNS SOURCE_HOST SOURCE_JOIN "WHERE s.number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    return r < 0 ? r : source_row_read(&query, arena, ret_row);
}

/* A cursor that is none begins anew. */
static void cursor_read(struct str text, int64_t ret_at[3])
{
    struct str part;

    ret_at[0] = -1;
    ret_at[1] = ret_at[2] = 0;
    for (size_t i = 0; i < 3 && str_cut(&text, ':', &part); i++) {
        uint64_t value;

        if (str_to_u64(part, &value) < 0 || value > INT64_MAX) {
            ret_at[0] = -1;
            return;
        }
        ret_at[i] = (int64_t)value;
    }
}

/* Steps until the page is full; the words are asked of each row. */
static int source_walk(struct query *query, const struct words *words, size_t limit,
                       struct arena *arena, struct store_logsource_row *rows, size_t *ret_count)
{
    size_t count = 0;
    int r = 0;

    while (count < limit && (r = query_next(query)) > 0) {
        struct str folded = query_bytes(query, SOURCE_COLUMN_COUNT + 3);

        if (words_stand_in(words, &folded, 1)) {
            r = source_row_read(query, arena, &rows[count++]);
        }
        if (r < 0) {
            break;
        }
    }
    *ret_count = count;
    return r < 0 ? r : query->error;
}

int store_logsource_list(struct store *store, const struct store_logsource_filter *filter,
                         struct arena *arena, struct store_logsource_row **ret_rows,
                         size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    size_t limit = store_page(filter->limit);
    struct store_logsource_row *rows = arena_alloc(arena, limit, sizeof(*rows));
    struct words words;
    int64_t after[3];
    int r = rows == NULL ? -ERR_NOMEM : words_parse(filter->words, arena, &words);

    if (r < 0) {
        return r;
    }
    cursor_read(filter->after, after);
    query_init(&query, store->database,
               "SELECT " SOURCE_COLUMNS SOURCE_HOST
               ", iif(?6, canhgac_words(coalesce(h.name, '') || ' ' || s.name), '')" SOURCE_JOIN
               "WHERE (?1 IS NULL AND coalesce(h.is_revoked, 0) = 0 OR s.host = ?1)"
               " AND (?2 < 0 OR " SOURCE_RANK " = ?2)"
               " AND (" SOURCE_RANK ", s.last, s.number) > (?3, ?4, ?5)"
               " ORDER BY " SOURCE_RANK ", s.last, s.number LIMIT ?7");
    query_bind_id(&query, 1, filter->host);
    query_bind_i64(&query, 2, filter->state);
    query_bind_i64(&query, 3, after[0]);
    query_bind_i64(&query, 4, after[1]);
    query_bind_i64(&query, 5, after[2]);
    query_bind_i64(&query, 6, words.count != 0);
    query_bind_i64(&query, 7, words.count != 0 ? -1 : (int64_t)limit); /* fewer to sort */
    r = source_walk(&query, &words, limit, arena, rows, ret_count);
    *ret_rows = rows;
    return r;
}

int store_logsource_load(struct store *store, uint64_t after, size_t limit, struct arena *arena,
                         struct store_logsource **ret_sources, size_t *ret_count)
{
    const struct query_rows rows = {sizeof(**ret_sources), store_page(limit), source_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT " SOURCE_COLUMNS " FROM log_sources s WHERE s.number > ?1"
               " ORDER BY s.number LIMIT ?2");
    query_bind_u64(&query, 1, after);
    query_bind_u64(&query, 2, rows.max);
    *ret_sources = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

int store_logsource_mute(struct store *store, uint64_t number, int64_t muted, struct str actor,
                         struct str reason)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE log_sources SET muted = ?2, muted_by = ?3, muted_why = ?4"
               " WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    query_bind_i64(&query, 2, muted);
    query_bind_text(&query, 3, actor);
    query_bind_text(&query, 4, reason);
    r = query_run(&query);
    if (r == 0 && sqlite3_changes(database_handle(store->database)) == 0) {
        return -ERR_NOENT;
    }
    return store_written(store, r);
}
