/* What the files of the SQLite back end share: the open store, its schema, and the guard of writes.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/database.h"
#include "store/store.h"

#define STORE_APPLICATION_ID 0x43474153U /* "CGAS" */
#define STORE_FILE           "state.db"
#define STORE_ANCHORS        "audit.anchors"
#define STORE_SILENT_NS      (180 * NS_PER_S) /* a host that said nothing for this long */
#define STORE_PATH_SIZE      4096

struct store {
    struct database *database;
    const struct clock *clock;
    bool is_read_only;
    int failed;          /* first failure of a write in this transaction: it may not be committed */
    int anchors_fd;      /* -1 when not open */
    int64_t anchored;    /* mono time of the last anchor, 0 none yet in this life */
    uint64_t anchor_row; /* number that the last anchor names */
};

extern const char *const store_steps[];
extern const unsigned store_step_count;
/* Adds the SQL functions that the statements use. */
int store_functions(sqlite3 *handle);

/* Refuses a write outside a transaction (-ERR_INVAL) or read-only (-ERR_ROFS). */
[[nodiscard]] int store_may_write(const struct store *store);
/* Passes r on, and remembers a failure that leaves the transaction half done. */
int store_written(struct store *store, int r);

/* A page's length: 0 means the most. */
static inline size_t store_page(size_t limit)
{
    return limit == 0 || limit > STORE_PAGE_MAX ? STORE_PAGE_MAX : limit;
}

/* Of a site's failure: it did not answer, or not with a page; what came and could not be judged is
 * another thing. */
#define SITE_IS_DOWN "failure IN (1, 2, 3, 4, 5, 6, 8)"

/* The columns of an alert, of `alerts a` joined with what it speaks of, and their reader; the body
 * comes apart. */
#define STORE_ALERT_COLUMNS                                                                        \
    "a.number, a.finding, a.host, coalesce(h.name, s.name, ''), a.state, a.severity, a.is_drill,"  \
    " a.first, a.last, a.count, a.detector, a.title, a.taken_by, a.close_reason, a.changed,"       \
    " coalesce(a.site, 0)"
#define STORE_ALERT_JOINS                                                                          \
    " LEFT JOIN hosts h ON h.id = a.host LEFT JOIN sites s ON s.number = a.site "
#define STORE_ALERT_COLUMN_COUNT 16
[[nodiscard]] int store_alert_read(struct query *query, struct arena *arena,
                                   struct store_alert *alert);

/* Appends the head of the audit chain to the anchors when an hour has passed since the last one. */
[[nodiscard]] int store_audit_anchor_due(struct store *store);

#endif
