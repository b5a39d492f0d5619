/* Settings that people change in the console. Core writes; core and api lay the newest rows over
 * the settings file (centre/overlay.h). Rows are only added: who set what, and what stood before,
 * stays. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#define SETTING_ROWS_MAX 128

int store_setting_put(struct store *store, const struct store_setting *setting)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "INSERT INTO settings (name, value, before, time, actor, reason)"
               " VALUES (?1, iif(?2, ?3, NULL), iif(?4, ?5, NULL), ?6, ?7, ?8)");
    query_bind_text(&query, 1, setting->name);
    query_bind_i64(&query, 2, setting->is_set);
    query_bind_text(&query, 3, setting->value);
    query_bind_i64(&query, 4, setting->was_set);
    query_bind_text(&query, 5, setting->before);
    query_bind_i64(&query, 6, clock_wall(store->clock));
    query_bind_text(&query, 7, setting->actor);
    query_bind_text(&query, 8, setting->reason);
    return store_written(store, query_run(&query));
}

static int setting_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_setting *setting = ret_row;

    setting->number = query_u64(query, 0);
    setting->name = query_text(query, 1, arena);
    setting->is_set = query_bool(query, 2);
    setting->value = query_text(query, 3, arena);
    setting->was_set = query_bool(query, 4);
    setting->before = query_text(query, 5, arena);
    setting->time = query_i64(query, 6);
    setting->actor = query_text(query, 7, arena);
    setting->reason = query_text(query, 8, arena);
    return query->error;
}

int store_setting_list(struct store *store, struct arena *arena,
                       struct store_setting **ret_settings, size_t *ret_count)
{
    static const struct query_rows rows = {sizeof(**ret_settings), SETTING_ROWS_MAX, setting_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT number, name, value IS NOT NULL, coalesce(value, ''), before IS NOT NULL,"
               " coalesce(before, ''), time, actor, reason FROM settings"
               " WHERE number IN (SELECT max(number) FROM settings GROUP BY name)"
               " ORDER BY name LIMIT ?1");
    query_bind_u64(&query, 1, SETTING_ROWS_MAX);
    *ret_settings = query_list(&query, &rows, arena, ret_count);
    return query.error;
}
