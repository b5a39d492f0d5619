/* Enrolment tokens: one use, short life, kept as SHA-256. Core writes, api lists. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

int store_token_put(struct store *store, const struct store_token *token)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "INSERT INTO tokens (secret_sha256, note, created_by, created, expires)"
               " VALUES (?1, ?2, ?3, ?4, ?5)");
    query_bind_bytes(&query, 1, token->secret_sha256, sizeof(token->secret_sha256));
    query_bind_text(&query, 2, token->note);
    query_bind_text(&query, 3, token->created_by);
    query_bind_i64(&query, 4, token->created);
    query_bind_i64(&query, 5, token->expires);
    r = query_run(&query);
    return r == -ERR_EXIST ? r : store_written(store, r);
}

static int token_check(struct store *store, const uint8_t secret_sha256[32], uint64_t *ret_number)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT number, expires, used FROM tokens WHERE secret_sha256 = ?1");
    query_bind_bytes(&query, 1, secret_sha256, 32);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    if (query_i64(&query, 2) != 0) {
        return -ERR_EXIST;
    }
    if (query_i64(&query, 1) <= clock_wall(store->clock)) {
        return -ERR_EXPIRED;
    }
    *ret_number = query_u64(&query, 0);
    return query.error;
}

int store_token_use(struct store *store, const uint8_t secret_sha256[32], const struct id *host)
{
    CLEANUP(query_done) struct query query = {0};
    uint64_t number = 0;
    int r = store_may_write(store);

    r = r < 0 ? r : token_check(store, secret_sha256, &number);
    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE tokens SET used = ?2, used_by = ?3 WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    query_bind_i64(&query, 2, clock_wall(store->clock));
    query_bind_id(&query, 3, host);
    return store_written(store, query_run(&query));
}

static int token_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_token *token = ret_row;

    token->number = query_u64(query, 0);
    query_copy(query, 1, token->secret_sha256, sizeof(token->secret_sha256));
    token->note = query_text(query, 2, arena);
    token->created_by = query_text(query, 3, arena);
    token->created = query_i64(query, 4);
    token->expires = query_i64(query, 5);
    token->used = query_i64(query, 6);
    query_copy(query, 7, token->used_by.bytes, sizeof(token->used_by.bytes));
    return query->error;
}

int store_token_list(struct store *store, struct arena *arena, struct store_token **ret_tokens,
                     size_t *ret_count)
{
    static const struct query_rows rows = {sizeof(**ret_tokens), STORE_PAGE_MAX, token_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT number, secret_sha256, note, created_by, created, expires, used, used_by"
               " FROM tokens ORDER BY number DESC LIMIT ?1");
    query_bind_u64(&query, 1, STORE_PAGE_MAX);
    *ret_tokens = query_list(&query, &rows, arena, ret_count);
    return query.error;
}
