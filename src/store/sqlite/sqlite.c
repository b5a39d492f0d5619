/* The store's SQLite back end: opening, transactions, counters. One file, state.db, beside it
 * audit.anchors. Core writes through it, in one transaction a batch; api and the hand tools read.
 *
 * Order of commits between this file and the archive: events first (archive_commit), then the
 * transaction here that holds the findings, the counters and the acknowledged sequence, then the
 * acknowledgement to the agent. A death between the two commits leaves events in the archive whose
 * sequence is not acknowledged: they come again, archive_add knows them (-ERR_EXIST), and their
 * counting, which died with the transaction here, is done now. So a record is old when its sequence
 * is acknowledged, and only then. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>

static int store_open_anchors(struct store *store, const char *folder, struct diag *diag)
{
    char path[STORE_PATH_SIZE];
    int flags = store->is_read_only ? O_RDONLY : O_RDWR | O_CREAT | O_APPEND;

    if (snprintf(path, sizeof(path), "%s/%s", folder, STORE_ANCHORS) >= (int)sizeof(path)) {
        return -ERR_NAMETOOLONG;
    }
    store->anchors_fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (store->anchors_fd < 0 && !(store->is_read_only && errno == ENOENT)) {
        int r = -errno;

        return diag_set(diag, r, _("cannot open '%s': %s"), path, err_text(r));
    }
    return store->is_read_only ? 0 : database_sync_folder(folder);
}

int store_open(const struct store_options *options, struct store **ret_store, struct diag *diag)
{
    CLEANUP(store_closep) struct store *store = mem_alloc(1, sizeof(*store));
    char path[STORE_PATH_SIZE];
    struct database_options database = {
        .path = path,
        .application_id = STORE_APPLICATION_ID,
        .steps = store_steps,
        .step_count = store_step_count,
        .is_read_only = options->is_read_only,
        .prepare = store_functions,
    };
    int r;

    if (store == NULL) {
        return -ERR_NOMEM;
    }
    store->clock = options->clock != NULL ? options->clock : &clock_real;
    store->is_read_only = options->is_read_only;
    store->anchors_fd = -1;
    if (snprintf(path, sizeof(path), "%s/%s", options->folder, STORE_FILE) >= (int)sizeof(path)) {
        return diag_set(diag, -ERR_NAMETOOLONG, _("the path '%s' is too long"), options->folder);
    }
    r = database_open(&database, &store->database, diag);
    r = r < 0 ? r : store_open_anchors(store, options->folder, diag);
    if (r < 0) {
        return r;
    }
    *ret_store = TAKE_PTR(store);
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->database != NULL) {
        store_rollback(store);
        if (!store->is_read_only && store->anchors_fd >= 0) {
            (void)store_audit_anchor(store); /* what is missing is anchored in the next life */
        }
        database_close(store->database);
    }
    if (store->anchors_fd >= 0) {
        (void)close(store->anchors_fd);
    }
    mem_free(store);
}

void store_closep(struct store **store)
{
    store_close(*store);
    *store = NULL;
}

int store_begin(struct store *store)
{
    if (store->is_read_only) {
        return -ERR_ROFS;
    }
    store->failed = 0;
    return database_begin(store->database);
}

int store_commit(struct store *store)
{
    int r = store->failed;

    if (r < 0) {
        store_rollback(store);
        return r;
    }
    r = database_commit(store->database);
    if (r < 0) {
        return r;
    }
    /* What is durable stays so; an anchor that could not be written is due again at the next
     * commit. */
    (void)store_audit_anchor_due(store);
    return 0;
}

void store_rollback(struct store *store)
{
    store->failed = 0;
    database_rollback(store->database);
}

int store_may_write(const struct store *store)
{
    if (store->is_read_only) {
        return -ERR_ROFS;
    }
    return database_is_in_transaction(store->database) ? 0 : -ERR_INVAL;
}

int store_written(struct store *store, int r)
{
    if (r < 0 && store->failed == 0) {
        store->failed = r;
    }
    return r;
}

static int store_read_counters(struct store *store, struct store_counts *counts)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT name, value FROM counters");
    while ((r = query_next(&query)) > 0) {
        struct str name = query_bytes(&query, 0);
        uint64_t value = query_u64(&query, 1);

        if (str_is(name, STR("events"))) {
            counts->events = value;
        } else if (str_is(name, STR("findings"))) {
            counts->findings = value;
        } else if (str_is(name, STR("duplicates"))) {
            counts->duplicates = value;
        }
    }
    return r;
}

static int store_read_sums(struct store *store, struct store_counts *counts)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT count(*) FILTER (WHERE NOT is_revoked AND kind = 0),"
               " count(*) FILTER (WHERE NOT is_revoked AND kind = 0 AND seen < ?1),"
               " count(*) FILTER (WHERE is_revoked), coalesce(sum(dropped), 0),"
               " (SELECT count FROM alert_counts WHERE state = 0),"
               " (SELECT count FROM alert_counts WHERE state = 1),"
               " (SELECT count(*) FROM sites WHERE state < 2),"
               " (SELECT count(*) FROM sites WHERE state = 0 AND (verdict >= 3 OR"
               "  (verdict = 0 AND " SITE_IS_DOWN "))),"
               " count(*) FILTER (WHERE kind = 1),"
               " (SELECT count(*) FROM log_sources),"
               " (SELECT count(*) FROM log_sources WHERE alert <> 0)"
               " FROM hosts");
    query_bind_i64(&query, 1, clock_wall(store->clock) - STORE_SILENT_NS);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    counts->hosts = query_u64(&query, 0);
    counts->hosts_silent = query_u64(&query, 1);
    counts->hosts_revoked = query_u64(&query, 2);
    counts->dropped = query_u64(&query, 3);
    counts->alerts_new = query_u64(&query, 4);
    counts->alerts_taken = query_u64(&query, 5);
    counts->sites = query_u64(&query, 6);
    counts->sites_grave = query_u64(&query, 7);
    counts->senders = query_u64(&query, 8);
    counts->sources = query_u64(&query, 9);
    counts->sources_silent = query_u64(&query, 10);
    return query.error;
}

int store_counts(struct store *store, struct store_counts *ret_counts)
{
    struct store_counts counts = {0};
    int r = store_read_counters(store, &counts);

    r = r < 0 ? r : store_read_sums(store, &counts);
    if (r == 0) {
        *ret_counts = counts;
    }
    return r;
}

static int store_counter_add(struct store *store, const char *name, uint64_t more)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, "UPDATE counters SET value = value + ?2 WHERE name = ?1");
    query_bind_text(&query, 1, str_from(name));
    query_bind_u64(&query, 2, more);
    return query_run(&query);
}

int store_counts_add(struct store *store, const struct store_counts *more)
{
    int r = store_may_write(store);

    r = r < 0 ? r : store_counter_add(store, "events", more->events);
    r = r < 0 ? r : store_counter_add(store, "findings", more->findings);
    r = r < 0 ? r : store_counter_add(store, "duplicates", more->duplicates);
    return store_written(store, r);
}

int store_clock(struct store *store, int64_t *ret_time)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT value FROM counters WHERE name = 'clock'");
    r = query_one(&query);
    if (r == 0 && query.error == 0) {
        *ret_time = query_i64(&query, 0);
    }
    return r < 0 ? r : query.error;
}

int store_set_clock(struct store *store, int64_t time)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    query_init(&query, store->database, "UPDATE counters SET value = ?1 WHERE name = 'clock'");
    query_bind_i64(&query, 1, time);
    r = r < 0 ? r : query_run(&query);
    return store_written(store, r);
}
