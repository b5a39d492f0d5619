/* Rows of log_states: see store/log_states.h. */
#include "store/log_states.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/sqlite/sqlite.h"

int store_log_state_put(struct store *store, struct str name, struct str body)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0 || body.len > STORE_LOG_STATE_MAX) {
        return r < 0 ? r : -ERR_LIMIT;
    }
    query_init(&query, store->database,
               "INSERT OR REPLACE INTO log_states (name, time, body) VALUES (?1, ?2, ?3)");
    query_bind_text(&query, 1, name);
    query_bind_i64(&query, 2, clock_wall(store->clock));
    query_bind_bytes(&query, 3, body.len != 0 ? body.ptr : "", body.len);
    return store_written(store, query_run(&query));
}

int store_log_state_get(struct store *store, struct str name, struct arena *arena,
                        struct store_log_state *ret_state)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_log_state state;
    int r;

    query_init(&query, store->database, "SELECT time, body FROM log_states WHERE name = ?1");
    query_bind_text(&query, 1, name);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    state.time = query_i64(&query, 0);
    state.body = query_text(&query, 1, arena);
    if (query.error == 0) {
        *ret_state = state;
    }
    return query.error;
}
