/* Opening and transactions of one SQLite file: foreign and newer files are refused before a byte of
 * them is changed, the schema is not trusted, every commit is synced (WAL, synchronous=FULL), waits
 * are bounded. Neighbours: sqlite.c and archive.c open their files here, query.c runs statements on
 * them. */
#include "store/database.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/database_inside.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define DATABASE_BUSY_MS   5000
#define DATABASE_MODE      0640
#define DATABASE_VALUE_MAX (64 << 20) /* bytes of one value */

struct database_code {
    int sqlite;
    int code;
};

/* Extended codes first: the first row that fits counts. */
static const struct database_code database_codes[] = {
    {SQLITE_CONSTRAINT_UNIQUE, -ERR_EXIST},
    {SQLITE_CONSTRAINT_PRIMARYKEY, -ERR_EXIST},
    {SQLITE_CONSTRAINT_FOREIGNKEY, -ERR_NOENT},
    {SQLITE_CONSTRAINT, -ERR_INVAL},
    {SQLITE_NOMEM, -ERR_NOMEM},
    {SQLITE_FULL, -ERR_NOSPC},
    {SQLITE_BUSY, -ERR_BUSY},
    {SQLITE_LOCKED, -ERR_BUSY},
    {SQLITE_NOTADB, -ERR_FOREIGN},
    {SQLITE_CORRUPT, -ERR_CORRUPT},
    {SQLITE_READONLY, -ERR_ROFS},
    {SQLITE_PERM, -ERR_ACCES},
    {SQLITE_AUTH, -ERR_ACCES},
    {SQLITE_TOOBIG, -ERR_FBIG},
    {SQLITE_INTERRUPT, -ERR_CANCELED},
    {SQLITE_MISMATCH, -ERR_INVAL},
    {SQLITE_RANGE, -ERR_INVAL},
    {SQLITE_MISUSE, -ERR_INVAL},
};

int database_error(sqlite3 *handle)
{
    int code = sqlite3_extended_errcode(handle);

    if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) {
        int number = sqlite3_system_errno(handle);

        if (code == SQLITE_IOERR_NOMEM) {
            return -ERR_NOMEM;
        }
        if (number == ENOSPC || number == EDQUOT) {
            return -ERR_NOSPC;
        }
        return number > 0 ? -number : -ERR_IO;
    }
    for (size_t i = 0; i < ARRAY_LEN(database_codes); i++) {
        if (code == database_codes[i].sqlite || (code & 0xff) == database_codes[i].sqlite) {
            return database_codes[i].code;
        }
    }
    return -ERR_IO;
}

sqlite3 *database_handle(struct database *database)
{
    return database->handle;
}

static int database_exec(struct database *database, const char *sql)
{
    return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : database_error(database->handle);
}

/* The number that a one-row statement gives. */
static int database_number(struct database *database, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *statement = NULL;
    int r = 0;

    if (sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        r = database_error(database->handle);
    } else {
        *ret_number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return r;
}

static int database_guard(struct database *database)
{
    sqlite3 *handle = database->handle;
    int on = 1;

    sqlite3_extended_result_codes(handle, 1);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, DATABASE_VALUE_MAX);
    if (sqlite3_busy_timeout(handle, DATABASE_BUSY_MS) != SQLITE_OK ||
        sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
        sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL) != SQLITE_OK ||
        sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL) != SQLITE_OK ||
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &on) != SQLITE_OK) {
        return database_error(handle);
    }
    return database_exec(database, "PRAGMA cell_size_check = ON");
}

/* Whose file is it, and of which version? Reads only. 0 in both for a file without anything in it.
 */
static int database_identify(struct database *database, const struct database_options *options,
                             int64_t *ret_version, struct diag *diag)
{
    int64_t owner = 0;
    int64_t version = 0;
    int64_t objects = 0;
    int r = database_number(database, "PRAGMA application_id", &owner);

    r = r < 0 ? r : database_number(database, "PRAGMA user_version", &version);
    r = r < 0 ? r : database_number(database, "SELECT count(*) FROM sqlite_schema", &objects);
    if (r == -ERR_CORRUPT) {
        return diag_set(diag, r, _("'%s' is damaged; put it aside and restore it from a backup"),
                        options->path);
    }
    if (r < 0 && r != -ERR_FOREIGN) {
        return diag_set(diag, r, _("cannot read '%s': %s"), options->path, err_text(r));
    }
    if (r == 0 && owner == 0 && version == 0 && objects == 0) {
        *ret_version = 0;
        return 0;
    }
    if (r == -ERR_FOREIGN || (uint32_t)owner != options->application_id) {
        return diag_set(
            diag, -ERR_FOREIGN,
            _("'%s' is not a database of Canh Gác; it was left as it is: move it away, or "
              "choose another folder"),
            options->path);
    }
    if (version > options->step_count || version < 1) {
        return diag_set(
            diag, -ERR_VERSION,
            _("'%s' was written by a newer Canh Gác (format %lld, this program knows %u); "
              "install that version again"),
            options->path, (long long)version, options->step_count);
    }
    *ret_version = version;
    return 0;
}

static int database_step(struct database *database, const struct database_options *options,
                         int64_t step)
{
    char text[64];
    int r = database_begin(database);

    r = r < 0 ? r : database_exec(database, options->steps[step]);
    if (r == 0) {
        /* PRAGMA takes no bound values; both numbers are the program's own. */
        (void)snprintf(text, sizeof(text), "PRAGMA user_version = %lld", (long long)step + 1);
        r = database_exec(database, text);
    }
    if (r == 0) {
        (void)snprintf(text, sizeof(text), "PRAGMA application_id = %u", options->application_id);
        r = database_exec(database, text);
    }
    if (r < 0) {
        database_rollback(database);
        return r;
    }
    return database_commit(database);
}

static int database_lift(struct database *database, const struct database_options *options,
                         int64_t version, struct diag *diag)
{
    int r = database_exec(database, "PRAGMA journal_mode = WAL");

    r = r < 0 ? r : database_exec(database, "PRAGMA synchronous = FULL");
    r = r < 0 ? r : database_exec(database, "PRAGMA temp_store = MEMORY");
    r = r < 0 ? r : database_exec(database, "PRAGMA journal_size_limit = 4194304"); /* bytes */
    for (; r == 0 && version < options->step_count; version++) {
        r = database_step(database, options, version);
    }
    if (r < 0) {
        return diag_set(diag, r, _("cannot prepare '%s': %s"), options->path, err_text(r));
    }
    return 0;
}

/* SQLite would make the file readable for everybody that the umask lets. */
static int database_touch(const struct database_options *options, struct diag *diag)
{
    int flags = options->is_read_only ? O_RDONLY : O_RDWR | O_CREAT;
    int fd = open(options->path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, DATABASE_MODE);

    if (fd < 0) {
        int r = -errno;

        return diag_set(diag, r, _("cannot open '%s': %s"), options->path, err_text(r));
    }
    (void)close(fd);
    return 0;
}

static int database_connect(struct database *database, const struct database_options *options,
                            struct diag *diag)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    int64_t version = 0;
    int r = database_touch(options, diag);

    if (r < 0) {
        return r;
    }
    flags |= options->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (sqlite3_open_v2(options->path, &database->handle, flags, NULL) != SQLITE_OK) {
        r = database->handle != NULL ? database_error(database->handle) : -ERR_NOMEM;
        return diag_set(diag, r, _("cannot open '%s': %s"), options->path, err_text(r));
    }
    r = database_guard(database);
    if (r == 0 && options->prepare != NULL && options->prepare(database->handle) != SQLITE_OK) {
        r = database_error(database->handle);
    }
    if (r < 0 && r != -ERR_FOREIGN) {
        return diag_set(diag, r, _("cannot open '%s': %s"), options->path, err_text(r));
    }
    r = database_identify(database, options, &version, diag);
    if (r < 0) {
        return r;
    }
    if (!options->is_read_only) {
        return database_lift(database, options, version, diag);
    }
    if (version != options->step_count) {
        return diag_set(
            diag, -ERR_VERSION,
            _("'%s' is of an older format (%lld, this program reads %u); start the centre once, "
              "it lifts the file"),
            options->path, (long long)version, options->step_count);
    }
    return 0;
}

int database_open(const struct database_options *options, struct database **ret_database,
                  struct diag *diag)
{
    CLEANUP(database_closep) struct database *database = mem_alloc(1, sizeof(*database));
    int r;

    if (database == NULL) {
        return -ERR_NOMEM;
    }
    list_init(&database->statements);
    r = database_connect(database, options, diag);
    if (r < 0) {
        return r;
    }
    *ret_database = TAKE_PTR(database);
    return 0;
}

void database_close(struct database *database)
{
    if (database == NULL) {
        return;
    }
    LIST_EACH (node, &database->statements) {
        struct database_statement *kept = LIST_ENTRY(node, struct database_statement, node);

        sqlite3_finalize(kept->statement);
        mem_free(kept);
    }
    (void)sqlite3_close(database->handle);
    mem_free(database);
}

void database_closep(struct database **database)
{
    database_close(*database);
    *database = NULL;
}

int database_sync_folder(const char *path)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int database_begin(struct database *database)
{
    return database_exec(database, "BEGIN IMMEDIATE");
}

int database_commit(struct database *database)
{
    int r = database_exec(database, "COMMIT");

    if (r < 0) {
        database_rollback(database);
    }
    return r;
}

void database_rollback(struct database *database)
{
    if (database_is_in_transaction(database)) {
        (void)database_exec(database, "ROLLBACK");
    }
}

bool database_is_in_transaction(struct database *database)
{
    return sqlite3_get_autocommit(database->handle) == 0;
}
