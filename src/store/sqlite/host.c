/* Hosts: who is enrolled, how far each was acknowledged, what it said of its health last. Core
 * writes for each batch; api lists. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"

#define HOST_NAME_LIMIT (STORE_NAME_MAX + 16)

#define HOST_COLUMNS                                                                               \
    "SELECT id, name, key_sha256, enrolled, seen, is_revoked, is_connected, clock_offset,"         \
    " acknowledged, status, open_alerts, kind, via FROM hosts "

/* A status is kept as the record it came in. */
static int host_read_status(struct query *query, int column, struct arena *arena,
                            struct status *ret_status)
{
    struct str bytes = query_text(query, column, arena);
    struct cbor_reader reader;
    struct record *record;
    int r;

    if (bytes.len == 0 || query->error < 0) {
        *ret_status = (struct status){0};
        return query->error;
    }
    record = arena_alloc(arena, 1, sizeof(*record));
    if (record == NULL) {
        return -ERR_NOMEM;
    }
    cbor_open(&reader, bytes);
    r = record_decode(&reader, arena, record);
    if (r < 0 || record->kind != RECORD_KIND_STATUS) {
        return r < 0 ? r : -ERR_CORRUPT;
    }
    *ret_status = record->status;
    return 0;
}

static int host_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_host host = {0};
    int r;

    query_copy(query, 0, host.id.bytes, sizeof(host.id.bytes));
    host.name = query_text(query, 1, arena);
    query_copy(query, 2, host.key_sha256, sizeof(host.key_sha256));
    host.enrolled = query_i64(query, 3);
    host.seen = query_i64(query, 4);
    host.is_revoked = query_bool(query, 5);
    host.is_connected = query_bool(query, 6);
    host.clock_offset = query_i64(query, 7);
    host.acknowledged = query_u64(query, 8);
    r = host_read_status(query, 9, arena, &host.status);
    host.open_alerts = query_u64(query, 10);
    host.kind = query_u64(query, 11) == STORE_HOST_SENDER ? STORE_HOST_SENDER : STORE_HOST_AGENT;
    host.via = query_text(query, 12, arena);
    if (r < 0 || query->error < 0) {
        return r < 0 ? r : query->error;
    }
    *(struct store_host *)ret_row = host;
    return 0;
}

static int host_run_words(struct store *store, const char *sql, const struct id *host,
                          struct str name)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, sql);
    query_bind_id(&query, 1, host);
    if (name.len != 0) {
        query_bind_text(&query, 2, name);
    }
    return query_run(&query);
}

/* Alerts are searched by the name that their host has now. */
static int host_rename_alerts(struct store *store, const struct id *host, struct str name)
{
    int r = host_run_words(
        store,
        "INSERT INTO alert_words (alert_words, rowid, title_words, host_words)"
        " SELECT 'delete', number, title_words, host_words FROM alerts WHERE host = ?1",
        host, (struct str){0});

    r = r < 0 ? r
              : host_run_words(store,
                               "UPDATE alerts SET host_words = canhgac_words(?2) WHERE host = ?1",
                               host, name);
    return r < 0 ? r
                 : host_run_words(
                       store,
                       "INSERT INTO alert_words (rowid, title_words, host_words)"
                       " SELECT number, title_words, host_words FROM alerts WHERE host = ?1",
                       host, (struct str){0});
}

/* The revoked host that holds a name. -ERR_NOENT. */
static int host_find_revoked(struct store *store, struct str name, const struct id *but,
                             struct id *ret_id)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT id FROM hosts WHERE name = ?1 AND id <> ?2 AND is_revoked");
    query_bind_text(&query, 1, name);
    query_bind_id(&query, 2, but);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    query_copy(&query, 0, ret_id->bytes, sizeof(ret_id->bytes));
    return query.error;
}

/* A name that only a revoked host holds goes to the new one. */
static int host_free_name(struct store *store, const struct store_host *host)
{
    CLEANUP(query_done) struct query query = {0};
    CLEANUP(buf_done) struct buf name;
    char digits[9];
    struct id old = {0};
    int r = host_find_revoked(store, host->name, &host->id, &old);

    buf_init(&name, HOST_NAME_LIMIT);
    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    hex_encode(old.bytes, 4, digits);
    (void)buf_put_str(&name, host->name);
    (void)buf_putf(&name, "~%s", digits);
    if (buf_error(&name) < 0) {
        return buf_error(&name);
    }
    query_init(&query, store->database, "UPDATE hosts SET name = ?2 WHERE id = ?1");
    query_bind_id(&query, 1, &old);
    query_bind_text(&query, 2, buf_str(&name));
    r = query_run(&query);
    return r < 0 ? r : host_rename_alerts(store, &old, buf_str(&name));
}

static int host_is_renamed(struct store *store, const struct store_host *host, bool *ret_is_renamed)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT 1 FROM hosts WHERE id = ?1 AND name <> ?2");
    query_bind_id(&query, 1, &host->id);
    query_bind_text(&query, 2, host->name);
    r = query_next(&query);
    *ret_is_renamed = r > 0;
    return r < 0 ? r : 0;
}

static int host_upsert(struct store *store, const struct store_host *host)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(
        &query, store->database,
        "INSERT INTO hosts (id, name, key_sha256, enrolled, seen, is_revoked, is_connected,"
        " clock_offset, acknowledged, kind, via)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        " ON CONFLICT (id) DO UPDATE SET name = ?2, key_sha256 = ?3, enrolled = ?4, seen = ?5,"
        " is_revoked = ?6, is_connected = ?7, clock_offset = ?8,"
        " acknowledged = max(acknowledged, ?9), kind = ?10, via = ?11");
    query_bind_id(&query, 1, &host->id);
    query_bind_text(&query, 2, host->name);
    query_bind_bytes(&query, 3, host->key_sha256, sizeof(host->key_sha256));
    query_bind_i64(&query, 4, host->enrolled);
    query_bind_i64(&query, 5, host->seen);
    query_bind_i64(&query, 6, host->is_revoked);
    query_bind_i64(&query, 7, host->is_connected);
    query_bind_i64(&query, 8, host->clock_offset);
    query_bind_u64(&query, 9, host->acknowledged);
    query_bind_u64(&query, 10, host->kind);
    query_bind_text(&query, 11, host->via);
    return query_run(&query);
}

int store_host_put(struct store *store, const struct store_host *host)
{
    bool is_renamed = false;
    int r = store_may_write(store);

    if (r == 0 &&
        (host->name.len == 0 || host->name.len > STORE_NAME_MAX || id_is_none(&host->id))) {
        return -ERR_INVAL;
    }
    r = r < 0 ? r : host_free_name(store, host);
    r = r < 0 ? r : host_is_renamed(store, host, &is_renamed);
    if (r < 0) {
        return store_written(store, r);
    }
    r = host_upsert(store, host);
    if (r == 0 && is_renamed) {
        r = host_rename_alerts(store, &host->id, host->name);
    }
    return r == -ERR_EXIST ? r : store_written(store, r);
}

int store_host_get(struct store *store, const struct id *id, struct arena *arena,
                   struct store_host *ret_host)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, HOST_COLUMNS "WHERE id = ?1");
    query_bind_id(&query, 1, id);
    r = query_one(&query);
    return r < 0 ? r : host_read(&query, arena, ret_host);
}

int store_host_find_key(struct store *store, const uint8_t key_sha256[32], struct arena *arena,
                        struct store_host *ret_host)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               HOST_COLUMNS "WHERE key_sha256 = ?1 ORDER BY enrolled DESC LIMIT 1");
    query_bind_bytes(&query, 1, key_sha256, 32);
    r = query_one(&query);
    return r < 0 ? r : host_read(&query, arena, ret_host);
}

int store_host_list(struct store *store, struct str after_name, size_t limit, struct arena *arena,
                    struct store_host **ret_hosts, size_t *ret_count)
{
    const struct query_rows rows = {sizeof(**ret_hosts), store_page(limit), host_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, HOST_COLUMNS "WHERE name > ?1 ORDER BY name LIMIT ?2");
    query_bind_text(&query, 1, after_name);
    query_bind_u64(&query, 2, rows.max);
    *ret_hosts = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

int store_host_disconnect_all(struct store *store)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, "UPDATE hosts SET is_connected = 0 WHERE is_connected");
    return store_written(store, query_run(&query));
}

static int host_acknowledged(struct store *store, const struct id *id, uint64_t *ret_sequence)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT acknowledged FROM hosts WHERE id = ?1");
    query_bind_id(&query, 1, id);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    *ret_sequence = query_u64(&query, 0);
    return query.error;
}

int store_host_acknowledge(struct store *store, const struct id *id, uint64_t sequence)
{
    CLEANUP(query_done) struct query query = {0};
    uint64_t acknowledged = 0;
    int r = store_may_write(store);

    r = r < 0 ? r : host_acknowledged(store, id, &acknowledged);
    if (r < 0) {
        return r;
    }
    if (sequence <= acknowledged) {
        return -ERR_EXIST;
    }
    query_init(&query, store->database, "UPDATE hosts SET acknowledged = ?2 WHERE id = ?1");
    query_bind_id(&query, 1, id);
    query_bind_u64(&query, 2, sequence);
    r = query_run(&query);
    return store_written(store, r);
}

int store_host_status(struct store *store, const struct id *id, const struct status *status,
                      int64_t seen)
{
    CLEANUP(query_done) struct query query = {0};
    CLEANUP(buf_done) struct buf buf;
    struct record record = {.kind = RECORD_KIND_STATUS, .status = *status};
    int r = store_may_write(store);

    buf_init(&buf, RECORD_SIZE_MAX);
    if (r < 0) {
        return r;
    }
    record_encode(&record, &buf);
    if (buf_error(&buf) < 0) {
        return buf_error(&buf);
    }
    query_init(&query, store->database,
               "UPDATE hosts SET status = ?2, seen = ?3, dropped = ?4 WHERE id = ?1");
    query_bind_id(&query, 1, id);
    query_bind_bytes(&query, 2, buf.ptr, buf.len);
    query_bind_i64(&query, 3, seen);
    query_bind_u64(&query, 4, status->dropped);
    r = query_run(&query);
    if (r == 0 && sqlite3_changes(database_handle(store->database)) == 0) {
        return -ERR_NOENT;
    }
    return store_written(store, r);
}
