/* What looks found changed, what people said about it, and the texts behind it. Neighbours:
 * core/watch.c adds changes, core/site.c decides on them, api/site.c shows both texts. Invariant: a
 * text lies here once, and as long as a look or a change names it. */
#include "store/sites.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/sqlite/sqlite.h"

#include <openssl/evp.h>
#include <zstd.h>

#define EVIDENCE_LEVEL 3
#define EVIDENCE_STEP  "64" /* changes whose bodies go at a time */

#define CHANGE_COLUMNS                                                                             \
    "SELECT c.number, c.site, c.page, p.url, c.time, c.verdict, c.body, c.before IS NOT NULL,"     \
    " c.before, c.after IS NOT NULL, c.after, c.alert, c.decision, c.decided, c.decided_by,"       \
    " c.decided_why, c.source IS NOT NULL, c.source FROM site_changes c JOIN site_pages p ON "     \
    "p.number = c.page "

static int change_read(struct query *query, struct arena *arena, struct store_change *change)
{
    *change = (struct store_change){0};
    change->number = query_u64(query, 0);
    change->site = query_u64(query, 1);
    change->page = query_u64(query, 2);
    change->url = query_text(query, 3, arena);
    change->time = query_i64(query, 4);
    change->verdict = (enum site_verdict)query_i64(query, 5);
    change->body = query_text(query, 6, arena);
    change->has_before = query_bool(query, 7);
    query_copy(query, 8, change->before, sizeof(change->before));
    change->has_after = query_bool(query, 9);
    query_copy(query, 10, change->after, sizeof(change->after));
    change->alert = query_u64(query, 11);
    change->decision = (enum change_decision)query_i64(query, 12);
    change->decided = query_i64(query, 13);
    change->decided_by = query_text(query, 14, arena);
    change->decided_why = query_text(query, 15, arena);
    change->has_source = query_bool(query, 16);
    query_copy(query, 17, change->source, sizeof(change->source));
    return query->error;
}

static int change_insert(struct store *store, const struct store_change *change)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "INSERT INTO site_changes (site, page, time, verdict, body, before, after, alert,"
               " source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    query_bind_u64(&query, 1, change->site);
    query_bind_u64(&query, 2, change->page);
    query_bind_i64(&query, 3, change->time);
    query_bind_i64(&query, 4, change->verdict);
    query_bind_bytes(&query, 5, change->body.ptr, change->body.len);
    if (change->has_before) {
        query_bind_bytes(&query, 6, change->before, sizeof(change->before));
    }
    if (change->has_after) {
        query_bind_bytes(&query, 7, change->after, sizeof(change->after));
    }
    query_bind_u64(&query, 8, change->alert);
    if (change->has_source) {
        query_bind_bytes(&query, 9, change->source, sizeof(change->source));
    }
    return query_run(&query);
}

static int change_update(struct store *store, const struct store_change *change)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "UPDATE site_changes SET alert = ?2, decision = ?3, decided = ?4, decided_by = ?5,"
               " decided_why = ?6 WHERE number = ?1");
    query_bind_u64(&query, 1, change->number);
    query_bind_u64(&query, 2, change->alert);
    query_bind_i64(&query, 3, change->decision);
    query_bind_i64(&query, 4, change->decided);
    query_bind_text(&query, 5, change->decided_by);
    query_bind_text(&query, 6, change->decided_why);
    return query_run(&query);
}

static const char change_trim_plain[] =
    "DELETE FROM site_changes WHERE site = ?1 AND alert = 0 AND number <= (SELECT number FROM"
    " site_changes WHERE site = ?1 AND alert = 0 ORDER BY number DESC LIMIT 1 OFFSET ?2)";
static const char change_trim_alarms[] =
    "DELETE FROM site_changes WHERE site = ?1 AND alert <> 0 AND number <= (SELECT number FROM"
    " site_changes WHERE site = ?1 AND alert <> 0 ORDER BY number DESC LIMIT 1 OFFSET ?2)";

static int change_trim(struct store *store, const char *sql, uint64_t site, unsigned most)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, sql);
    query_bind_u64(&query, 1, site);
    query_bind_u64(&query, 2, most);
    return query_run(&query);
}

static int change_add(struct store *store, const struct store_change *change, uint64_t *ret_number)
{
    int r = change_insert(store, change);

    if (r < 0) {
        return r;
    }
    *ret_number = (uint64_t)sqlite3_last_insert_rowid(database_handle(store->database));
    r = change_trim(store, change_trim_plain, change->site, STORE_CHANGES_MAX);
    return r < 0 ? r : change_trim(store, change_trim_alarms, change->site, STORE_ALARMS_MAX);
}

int store_change_put(struct store *store, const struct store_change *change, uint64_t *ret_number)
{
    uint64_t number = change->number;
    int r = store_may_write(store);

    if (r == 0) {
        r = change->number != 0 ? change_update(store, change) : change_add(store, change, &number);
        r = store_written(store, r);
    }
    if (r == 0) {
        *ret_number = number;
    }
    return r;
}

int store_change_get(struct store *store, uint64_t number, struct arena *arena,
                     struct store_change *ret_change)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_change change;
    int r;

    query_init(&query, store->database, CHANGE_COLUMNS "WHERE c.number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    r = r < 0 ? r : change_read(&query, arena, &change);
    if (r == 0) {
        *ret_change = change;
    }
    return r;
}

static int change_walk(struct query *query, size_t limit, struct arena *arena,
                       struct store_change **ret_changes, size_t *ret_count)
{
    struct store_change *changes = arena_alloc(arena, limit, sizeof(*changes));
    size_t count = 0;
    int r = changes == NULL ? -ERR_NOMEM : 0;

    while (r == 0 && count < limit && (r = query_next(query)) > 0) {
        r = change_read(query, arena, &changes[count++]);
    }
    if (r < 0) {
        return r;
    }
    *ret_changes = changes;
    *ret_count = count;
    return 0;
}

int store_change_list(struct store *store, const struct store_change_filter *filter,
                      struct arena *arena, struct store_change **ret_changes, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    uint64_t before = filter->before;

    query_init(&query, store->database,
               CHANGE_COLUMNS "WHERE c.site = ?1 AND c.number < ?2 ORDER BY c.number DESC");
    query_bind_u64(&query, 1, filter->site);
    query_bind_u64(&query, 2, before == 0 || before > INT64_MAX ? INT64_MAX : before);
    return change_walk(&query, store_page(filter->limit), arena, ret_changes, ret_count);
}

int store_change_held(struct store *store, int64_t until, struct arena *arena,
                      struct store_change **ret_changes, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               CHANGE_COLUMNS "WHERE c.decision = 1 AND c.decided <= ?1 ORDER BY c.decided");
    query_bind_i64(&query, 1, until);
    return change_walk(&query, STORE_PAGE_MAX, arena, ret_changes, ret_count);
}

int store_change_undecided(struct store *store, uint64_t alert, uint64_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "SELECT count(*) FROM site_changes WHERE alert = ?1 AND alert <> 0 AND decision = 0"
               " AND verdict >= 3");
    query_bind_u64(&query, 1, alert);
    r = query_one(&query);
    if (r == 0) {
        *ret_count = query_u64(&query, 0);
    }
    return r < 0 ? r : query.error;
}

static int evidence_hash(struct str bytes, uint8_t ret_sha256[32])
{
    unsigned len = 0;

    return EVP_Digest(bytes.ptr != NULL ? bytes.ptr : "", bytes.len, ret_sha256, &len, EVP_sha256(),
                      NULL) == 1
               ? 0
               : -ERR_NOMEM;
}

static int evidence_has(struct store *store, const uint8_t sha256[32])
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, "SELECT 1 FROM evidence WHERE sha256 = ?1");
    query_bind_bytes(&query, 1, sha256, 32);
    return query_one(&query);
}

static int evidence_insert(struct store *store, struct str bytes, const uint8_t sha256[32])
{
    CLEANUP(query_done) struct query query = {0};
    CLEANUP(buf_done) struct buf packed;
    size_t bound = ZSTD_compressBound(bytes.len);
    size_t len;
    void *room;

    buf_init(&packed, bound);
    room = buf_reserve(&packed, bound);
    if (room == NULL) {
        return buf_error(&packed);
    }
    len = ZSTD_compress(room, bound, bytes.ptr, bytes.len, EVIDENCE_LEVEL);
    if (ZSTD_isError(len)) {
        return -ERR_NOMEM;
    }
    query_init(&query, store->database,
               "INSERT INTO evidence (sha256, time, size, body) VALUES (?1, ?2, ?3, ?4)");
    query_bind_bytes(&query, 1, sha256, 32);
    query_bind_i64(&query, 2, clock_wall(store->clock));
    query_bind_u64(&query, 3, bytes.len);
    query_bind_bytes(&query, 4, room, len);
    return query_run(&query);
}

int store_evidence_put(struct store *store, struct str bytes, uint8_t ret_sha256[32])
{
    int r = store_may_write(store);

    if (r == 0 && bytes.len > STORE_EVIDENCE_MAX) {
        return -ERR_LIMIT;
    }
    r = r < 0 ? r : evidence_hash(bytes, ret_sha256);
    r = r < 0 ? r : evidence_has(store, ret_sha256);
    return r == -ERR_NOENT ? store_written(store, evidence_insert(store, bytes, ret_sha256)) : r;
}

/* Unpacks into the arena and compares the hash: what a disk has changed is no evidence. */
static int evidence_unpack(struct str body, size_t size, const uint8_t sha256[32],
                           struct arena *arena, struct str *ret_bytes)
{
    uint8_t found[32];
    char *out = arena_alloc(arena, size + 1, 1);
    size_t len;
    int r;

    if (out == NULL) {
        return -ERR_NOMEM;
    }
    len = ZSTD_decompress(out, size, body.ptr, body.len);
    if (ZSTD_isError(len) || len != size) {
        return -ERR_CORRUPT;
    }
    r = evidence_hash(str_of(out, len), found);
    if (r == 0 && memcmp(found, sha256, sizeof(found)) != 0) {
        r = -ERR_CORRUPT;
    }
    if (r == 0) {
        *ret_bytes = str_of(out, len);
    }
    return r;
}

int store_evidence_get(struct store *store, const uint8_t sha256[32], struct arena *arena,
                       struct str *ret_bytes)
{
    CLEANUP(query_done) struct query query = {0};
    uint64_t size;
    int r;

    query_init(&query, store->database, "SELECT size, body FROM evidence WHERE sha256 = ?1");
    query_bind_bytes(&query, 1, sha256, 32);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    size = query_u64(&query, 0);
    if (query.error < 0 || size > STORE_EVIDENCE_MAX) {
        return query.error < 0 ? query.error : -ERR_CORRUPT;
    }
    return evidence_unpack(query_bytes(&query, 1), size, sha256, arena, ret_bytes);
}

static int evidence_drop_changes(struct store *store, int64_t before)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, "DELETE FROM site_changes WHERE alert = 0 AND time < ?1");
    query_bind_i64(&query, 1, before);
    return query_run(&query);
}

static int evidence_drop_orphans(struct store *store)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "DELETE FROM evidence WHERE NOT EXISTS"
               " (SELECT 1 FROM site_looks WHERE text = evidence.sha256) AND NOT EXISTS"
               " (SELECT 1 FROM site_pictures WHERE png = evidence.sha256) AND NOT EXISTS"
               " (SELECT 1 FROM site_changes WHERE before = evidence.sha256) AND NOT EXISTS"
               " (SELECT 1 FROM site_changes WHERE after = evidence.sha256) AND NOT EXISTS"
               " (SELECT 1 FROM site_changes WHERE source = evidence.sha256)");
    return query_run(&query);
}

static int evidence_size(struct store *store, uint64_t *ret_size)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT coalesce(sum(length(body)), 0) FROM evidence");
    r = query_one(&query);
    *ret_size = query_u64(&query, 0);
    return r < 0 ? r : query.error;
}

/* Bodies are large and seldom asked for; texts are small and shown: they stay. */
static int evidence_drop_bodies(struct store *store)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "UPDATE site_changes SET source = NULL WHERE number IN (SELECT number FROM"
               " site_changes WHERE source IS NOT NULL ORDER BY number LIMIT " EVIDENCE_STEP ")");
    return query_run(&query);
}

static int evidence_drop_pictures(struct store *store)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "UPDATE site_pictures SET png = NULL WHERE number IN (SELECT number FROM"
               " site_pictures WHERE png IS NOT NULL ORDER BY last LIMIT " EVIDENCE_STEP ")");
    return query_run(&query);
}

static int evidence_drop_old_pictures(struct store *store, int64_t before)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, "DELETE FROM site_pictures WHERE last < ?1");
    query_bind_i64(&query, 1, before);
    return query_run(&query);
}

static int evidence_shrink(struct store *store, uint64_t limit)
{
    uint64_t size = 0;
    uint64_t before = UINT64_MAX;
    int r = evidence_size(store, &size);

    while (r == 0 && size > limit && size < before) {
        before = size;
        r = evidence_drop_bodies(store);
        r = r < 0 ? r : evidence_drop_pictures(store);
        r = r < 0 ? r : evidence_drop_orphans(store);
        r = r < 0 ? r : evidence_size(store, &size);
    }
    return r;
}

int store_evidence_expire(struct store *store, int64_t before, uint64_t limit)
{
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    r = evidence_drop_changes(store, before);
    r = r < 0 ? r : evidence_drop_old_pictures(store, before);
    r = r < 0 ? r : evidence_drop_orphans(store);
    return store_written(store, r < 0 ? r : evidence_shrink(store, limit));
}
