/* Prepared statements: found by the address of their text, bound, stepped, read. A statement is
 * prepared once in the life of its handle. The contract stands in store/database.h. */
#include "store/database.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/database_inside.h"

static struct database_statement *query_find(struct database *database, const char *sql)
{
    LIST_EACH (node, &database->statements) {
        struct database_statement *kept = LIST_ENTRY(node, struct database_statement, node);

        if (kept->sql == sql) {
            return kept;
        }
    }
    return NULL;
}

static int query_prepare(struct database *database, const char *sql,
                         struct database_statement **ret_kept)
{
    struct database_statement *kept = mem_alloc(1, sizeof(*kept));

    if (kept == NULL) {
        return -ERR_NOMEM;
    }
    kept->sql = sql;
    list_init(&kept->node);
    if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &kept->statement,
                           NULL) != SQLITE_OK) {
        int r = database_error(database->handle);

        mem_free(kept);
        return r;
    }
    *ret_kept = kept;
    return 0;
}

void query_init(struct query *query, struct database *database, const char *sql)
{
    struct database_statement *kept = query_find(database, sql);

    *query = (struct query){.database = database};
    if (kept == NULL) {
        query->error = query_prepare(database, sql, &kept);
    }
    if (kept == NULL) {
        return;
    }
    list_remove(&kept->node);
    list_insert_before(database->statements.next, &kept->node);
    query->statement = kept->statement;
}

void query_done(struct query *query)
{
    if (query->statement != NULL) {
        (void)sqlite3_reset(query->statement);
        (void)sqlite3_clear_bindings(query->statement);
    }
    query->statement = NULL;
}

static void query_check(struct query *query, int code)
{
    if (query->error == 0 && code != SQLITE_OK) {
        query->error = database_error(query->database->handle);
    }
}

void query_bind_i64(struct query *query, int at, int64_t value)
{
    if (query->error == 0) {
        query_check(query, sqlite3_bind_int64(query->statement, at, value));
    }
}

void query_bind_u64(struct query *query, int at, uint64_t value)
{
    if (query->error == 0 && value > INT64_MAX) {
        query->error = -ERR_RANGE;
    }
    query_bind_i64(query, at, (int64_t)value);
}

void query_bind_text(struct query *query, int at, struct str text)
{
    if (query->error == 0) {
        query_check(query,
                    sqlite3_bind_text64(query->statement, at, text.ptr != NULL ? text.ptr : "",
                                        text.len, SQLITE_STATIC, SQLITE_UTF8));
    }
}

void query_bind_bytes(struct query *query, int at, const void *bytes, size_t len)
{
    if (query->error == 0) {
        query_check(query, sqlite3_bind_blob64(query->statement, at, bytes != NULL ? bytes : "",
                                               len, SQLITE_STATIC));
    }
}

void query_bind_id(struct query *query, int at, const struct id *id)
{
    if (id == NULL || id_is_none(id)) {
        if (query->error == 0) {
            query_check(query, sqlite3_bind_null(query->statement, at));
        }
        return;
    }
    query_bind_bytes(query, at, id->bytes, sizeof(id->bytes));
}

int query_next(struct query *query)
{
    int code;

    if (query->error < 0) {
        return query->error;
    }
    code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW) {
        return 1;
    }
    if (code == SQLITE_DONE) {
        return 0;
    }
    query->error = database_error(query->database->handle);
    return query->error;
}

int query_run(struct query *query)
{
    int r = query_next(query);

    return r > 0 ? -ERR_INVAL : r;
}

int query_one(struct query *query)
{
    int r = query_next(query);

    if (r == 0) {
        return -ERR_NOENT;
    }
    return r < 0 ? r : 0;
}

void *query_list(struct query *query, const struct query_rows *shape, struct arena *arena,
                 size_t *ret_count)
{
    char *rows = arena_alloc(arena, shape->max, shape->size);
    size_t count = 0;

    *ret_count = 0;
    if (rows == NULL) {
        query->error = -ERR_NOMEM;
    }
    while (query->error == 0 && count < shape->max && query_next(query) > 0) {
        query->error = shape->read(query, arena, rows + count * shape->size);
        count++;
    }
    if (query->error < 0) {
        return NULL;
    }
    *ret_count = count;
    return rows;
}

int64_t query_i64(struct query *query, int column)
{
    return query->error == 0 ? sqlite3_column_int64(query->statement, column) : 0;
}

uint64_t query_u64(struct query *query, int column)
{
    int64_t value = query_i64(query, column);

    if (value < 0 && query->error == 0) {
        query->error = -ERR_CORRUPT;
    }
    return value < 0 ? 0 : (uint64_t)value;
}

bool query_bool(struct query *query, int column)
{
    return query_i64(query, column) != 0;
}

struct str query_bytes(struct query *query, int column)
{
    const char *bytes;

    if (query->error < 0) {
        return (struct str){0};
    }
    bytes = sqlite3_column_blob(query->statement, column);
    return str_of(bytes, (size_t)sqlite3_column_bytes(query->statement, column));
}

struct str query_text(struct query *query, int column, struct arena *arena)
{
    struct str copy;

    if (query->error < 0) {
        return (struct str){0};
    }
    copy = arena_copy(arena, query_bytes(query, column));
    if (copy.ptr == NULL) {
        query->error = -ERR_NOMEM;
        return (struct str){0};
    }
    return copy;
}

void query_copy(struct query *query, int column, void *out, size_t len)
{
    struct str bytes = query_bytes(query, column);

    memset(out, 0, len);
    if (query->error == 0 && bytes.len == len) {
        memcpy(out, bytes.ptr, len);
    } else if (query->error == 0 && sqlite3_column_type(query->statement, column) != SQLITE_NULL) {
        query->error = -ERR_CORRUPT;
    }
}
