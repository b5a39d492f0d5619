/* Rows of sender_tokens, and those of senders that go: see store/senders.h. */
#include "store/senders.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/sqlite/sqlite.h"

#define SENDER_COLUMNS "number, name, secret_sha256, created, created_by, used, revoked"

int store_sender_token_put(struct store *store, const struct store_sender_token *token,
                           uint64_t *ret_number)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "INSERT INTO sender_tokens (name, secret_sha256, created, created_by)"
               " VALUES (?1, ?2, ?3, ?4)"
               " ON CONFLICT (name) DO UPDATE SET secret_sha256 = ?2, created = ?3,"
               " created_by = ?4, used = 0, revoked = 0 WHERE revoked != 0"
               " RETURNING number");
    query_bind_text(&query, 1, token->name);
    query_bind_bytes(&query, 2, token->secret_sha256, sizeof(token->secret_sha256));
    query_bind_i64(&query, 3, token->created);
    query_bind_text(&query, 4, token->created_by);
    r = query_one(&query);
    if (r == -ERR_NOENT) {
        return -ERR_EXIST; /* nothing was written: one of that name counts */
    }
    if (r == 0) {
        *ret_number = query_u64(&query, 0);
        r = query.error;
    }
    return store_written(store, r);
}

static int sender_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_sender_token *token = ret_row;

    token->number = query_u64(query, 0);
    token->name = query_text(query, 1, arena);
    query_copy(query, 2, token->secret_sha256, sizeof(token->secret_sha256));
    token->created = query_i64(query, 3);
    token->created_by = query_text(query, 4, arena);
    token->used = query_i64(query, 5);
    token->revoked = query_i64(query, 6);
    return query->error;
}

int store_sender_token_get(struct store *store, uint64_t number, struct arena *arena,
                           struct store_sender_token *ret_token)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT " SENDER_COLUMNS " FROM sender_tokens WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    return r < 0 ? r : sender_read(&query, arena, ret_token);
}

int store_sender_token_find(struct store *store, const uint8_t secret_sha256[32],
                            struct arena *arena, struct store_sender_token *ret_token)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_sender_token token;
    int r;

    query_init(&query, store->database,
               "SELECT " SENDER_COLUMNS " FROM sender_tokens WHERE secret_sha256 = ?1");
    query_bind_bytes(&query, 1, secret_sha256, sizeof(token.secret_sha256));
    r = query_one(&query);
    if (r == 0) {
        r = sender_read(&query, arena, &token);
    }
    if (r == 0 && token.revoked != 0) {
        return -ERR_REVOKED;
    }
    if (r == 0) {
        *ret_token = token;
    }
    return r;
}

int store_sender_token_list(struct store *store, struct arena *arena,
                            struct store_sender_token **ret_tokens, size_t *ret_count)
{
    static const struct query_rows rows = {sizeof(**ret_tokens), STORE_PAGE_MAX, sender_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT " SENDER_COLUMNS " FROM sender_tokens ORDER BY revoked != 0, name LIMIT ?1");
    query_bind_u64(&query, 1, STORE_PAGE_MAX);
    *ret_tokens = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

static int sender_set(struct store *store, const char *sql, uint64_t number, int64_t time)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, sql);
    query_bind_u64(&query, 1, number);
    query_bind_i64(&query, 2, time);
    return store_written(store, query_run(&query));
}

int store_sender_token_revoke(struct store *store, uint64_t number, int64_t time)
{
    return sender_set(store, "UPDATE sender_tokens SET revoked = ?2 WHERE number = ?1", number,
                      time);
}

int store_sender_token_used(struct store *store, uint64_t number, int64_t time)
{
    return sender_set(store, "UPDATE sender_tokens SET used = ?2 WHERE number = ?1", number, time);
}

static int sender_run(struct store *store, const char *sql, const struct id *host)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, sql);
    query_bind_id(&query, 1, host);
    return query_run(&query);
}

static int sender_is_needless(struct store *store, const struct id *host)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT 1 FROM hosts WHERE id = ?1 AND kind = ?2 AND NOT is_revoked"
               " AND NOT EXISTS (SELECT 1 FROM alerts WHERE host = ?1)"
               " AND NOT EXISTS (SELECT 1 FROM actions WHERE host = ?1)"
               " AND NOT EXISTS (SELECT 1 FROM log_sources WHERE host = ?1"
               "  AND (alert <> 0 OR muted <> 0))"
               " AND NOT EXISTS (SELECT 1 FROM sender_tokens WHERE name = hosts.name"
               "  AND revoked = 0)");
    query_bind_id(&query, 1, host);
    query_bind_u64(&query, 2, STORE_HOST_SENDER);
    r = query_one(&query);
    return r == -ERR_NOENT ? -ERR_CONFLICT : r;
}

int store_sender_drop(struct store *store, const struct id *host)
{
    int r = store_may_write(store);

    r = r < 0 ? r : sender_is_needless(store, host);
    if (r == -ERR_CONFLICT) {
        return r;
    }
    r = r < 0 ? r : sender_run(store, "DELETE FROM log_sources WHERE host = ?1", host);
    r = r < 0 ? r : sender_run(store, "DELETE FROM hosts WHERE id = ?1", host);
    return store_written(store, r);
}
