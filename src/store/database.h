/* A thin hand over SQLite for the room's own files: opening with every guard on, migrations,
 * prepared statements kept for the life of the handle, values bound and read, codes of the one
 * table (base/err.h). One thread at a time. */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/id.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

struct database;

struct database_options {
    const char *path;
    uint32_t application_id; /* says whose file it is */
    const char *const
        *steps; /* SQL; step i lifts user_version from i to i + 1, in one transaction */
    unsigned step_count;
    bool is_read_only;
    int (*prepare)(sqlite3 *handle); /* adds SQL functions, or NULL; gives SQLite's codes */
};

/* Opens, makes (mode 0640) or lifts the file. -ERR_FOREIGN for a database of somebody else or no
 * database, -ERR_VERSION for one of a newer program (or, read-only, of an older one), -ERR_CORRUPT,
 * -ERR_NOENT, -ERR_NOSPC, -ERR_BUSY after a bounded wait; diag names the file and the remedy.
 *
 * The writer keeps PATH-wal and PATH-shm when it closes: a reader without the right to make files
 * needs them to be there, and needs to read them only. */
[[nodiscard]] int database_open(const struct database_options *options,
                                struct database **ret_database, struct diag *diag);
void database_close(struct database *database);
void database_closep(struct database **database);
/* Makes the names in a folder outlast a power cut. SQLite does it for its own files only. */
[[nodiscard]] int database_sync_folder(const char *path);
sqlite3 *database_handle(struct database *database);

/* A writing transaction. A failed commit has rolled back. Rolling back without one is harmless. */
[[nodiscard]] int database_begin(struct database *database);
[[nodiscard]] int database_commit(struct database *database);
void database_rollback(struct database *database);
bool database_is_in_transaction(struct database *database);

/* The negative error of what the handle did last. */
int database_error(sqlite3 *handle);

/* One use of a prepared statement. The first failure sticks; binds and reads after it do nothing,
 * so that a sequence needs one check at its end. Bound texts must live until query_done. */
struct query {
    struct database *database;
    sqlite3_stmt *statement;
    int error;
};

/* sql must be a constant: statements are kept by its address. */
void query_init(struct query *query, struct database *database, const char *sql);
void query_done(struct query *query);

void query_bind_i64(struct query *query, int at, int64_t value);
void query_bind_u64(struct query *query, int at, uint64_t value); /* -ERR_RANGE past INT64_MAX */
void query_bind_text(struct query *query, int at, struct str text);
void query_bind_bytes(struct query *query, int at, const void *bytes, size_t len);
void query_bind_id(struct query *query, int at, const struct id *id); /* NULL or none: SQL's NULL */

/* 1: a row stands ready; 0: no more; negative. */
[[nodiscard]] int query_next(struct query *query);
/* For statements without rows. */
[[nodiscard]] int query_run(struct query *query);
/* Reads the row that stands ready into one element of an array. */
typedef int (*query_read)(struct query *query, struct arena *arena, void *ret_row);
/* What a statement's rows become: elements of `size` bytes, at most `max` of them. */
struct query_rows {
    size_t size;
    size_t max;
    query_read read;
};
/* Every row, in an array of the arena; NULL, and none, when the query failed or one row did. */
void *query_list(struct query *query, const struct query_rows *shape, struct arena *arena,
                 size_t *ret_count);
/* For statements with one row: 0, or -ERR_NOENT when there is none. */
[[nodiscard]] int query_one(struct query *query);

int64_t query_i64(struct query *query, int column);
uint64_t query_u64(struct query *query, int column);
bool query_bool(struct query *query, int column);
/* Borrows until the next step. */
struct str query_bytes(struct query *query, int column);
/* A copy in the arena; -ERR_NOMEM sticks. */
struct str query_text(struct query *query, int column, struct arena *arena);
/* Exactly len bytes; NULL gives zeroes; -ERR_CORRUPT sticks for another length. */
void query_copy(struct query *query, int column, void *out, size_t len);

#endif
