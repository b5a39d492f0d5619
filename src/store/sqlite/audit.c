/* The audit log: rows that each carry the hash of all before them, and the file audit.anchors,
 * which names the head so that rows cut off the end are missed: with the first row that comes after
 * ten quiet minutes, every ten minutes while more come, and at the end of the program. What an
 * enemy who owns the whole machine rewrites since the newest anchor that was copied elsewhere
 * cannot be seen by anybody.
 *
 * An anchor is one line: time (RFC 3339), number of the head, its link in hexadecimal. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "store/anchor.h"
#include "store/chain.h"
#include "sys/fd.h"

#define AUDIT_ARENA_LIMIT (4U << 20)
#define AUDIT_ANCHOR_NS   (600 * NS_PER_S)

static const char audit_head[] = "SELECT number, chain FROM audit ORDER BY number DESC LIMIT 1";

/* Number 0 and zeroes when the log is empty. */
static int audit_read_head(struct store *store, struct anchor *ret_head)
{
    CLEANUP(query_done) struct query query = {0};
    struct anchor head = {0};
    int r;

    query_init(&query, store->database, audit_head);
    r = query_next(&query);
    if (r > 0) {
        head.number = query_u64(&query, 0);
        query_copy(&query, 1, head.link, sizeof(head.link));
        r = query.error;
    }
    if (r == 0) {
        *ret_head = head;
    }
    return r;
}

static int audit_insert(struct store *store, const struct store_audit *row)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "INSERT INTO audit (number, time, actor, act, object, detail, chain)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    query_bind_u64(&query, 1, row->number);
    query_bind_i64(&query, 2, row->time);
    query_bind_text(&query, 3, row->actor);
    query_bind_text(&query, 4, row->act);
    query_bind_text(&query, 5, row->object);
    query_bind_text(&query, 6, row->detail);
    query_bind_bytes(&query, 7, row->chain, sizeof(row->chain));
    return query_run(&query);
}

int store_audit_add(struct store *store, struct str actor, struct str act, struct str object,
                    struct str detail)
{
    struct store_audit row = {.actor = actor, .act = act, .object = object, .detail = detail};
    struct anchor head = {0};
    int r = store_may_write(store);

    if (r == 0 && (actor.len == 0 || act.len == 0)) {
        return store_written(store, -ERR_INVAL); /* an act nobody did may not be committed */
    }
    r = r < 0 ? r : audit_read_head(store, &head);
    if (r < 0) {
        return store_written(store, r);
    }
    row.number = head.number + 1;
    row.time = clock_wall(store->clock);
    r = chain_link(head.link, &row, row.chain);
    r = r < 0 ? r : audit_insert(store, &row);
    return store_written(store, r);
}

static int audit_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_audit *row = ret_row;

    row->number = query_u64(query, 0);
    row->time = query_i64(query, 1);
    row->actor = query_text(query, 2, arena);
    row->act = query_text(query, 3, arena);
    row->object = query_text(query, 4, arena);
    row->detail = query_text(query, 5, arena);
    query_copy(query, 6, row->chain, sizeof(row->chain));
    return query->error;
}

int store_audit_list(struct store *store, uint64_t before, size_t limit, struct arena *arena,
                     struct store_audit **ret_rows, size_t *ret_count)
{
    const struct query_rows rows = {sizeof(**ret_rows), store_page(limit), audit_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "SELECT number, time, actor, act, object, detail, chain FROM audit WHERE number < ?1"
               " ORDER BY number DESC LIMIT ?2");
    query_bind_u64(&query, 1, before == 0 || before > INT64_MAX ? INT64_MAX : before);
    query_bind_u64(&query, 2, rows.max);
    *ret_rows = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

static int audit_set_anchored(struct store *store, uint64_t number)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, "UPDATE counters SET value = ?1 WHERE name = 'anchored'");
    query_bind_u64(&query, 1, number);
    return query_run(&query);
}

static int audit_anchored(struct store *store, uint64_t *ret_number)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, "SELECT value FROM counters WHERE name = 'anchored'");
    r = query_one(&query);
    if (r == 0) {
        *ret_number = query_u64(&query, 0);
    }
    return r < 0 ? r : query.error;
}

/* *ret_is_new: there were rows that no anchor named. */
static int audit_anchor(struct store *store, bool *ret_is_new)
{
    struct anchor head = {0};
    uint64_t anchored = 0;
    int r = store->is_read_only ? -ERR_ROFS : audit_read_head(store, &head);

    r = r < 0 ? r : audit_anchored(store, &anchored);
    *ret_is_new = r == 0 && head.number != anchored;
    if (!*ret_is_new) {
        return r;
    }
    head.time = clock_wall(store->clock);
    r = anchor_append(store->anchors_fd, &head);
    /* Only now may the database say that the file holds it. */
    r = r < 0 ? r : audit_set_anchored(store, head.number);
    return r;
}

int store_audit_anchor(struct store *store)
{
    bool is_new;

    return audit_anchor(store, &is_new);
}

/* A commit without a row of the log does not begin the ten minutes: the next row is to be anchored
 * with its own. */
int store_audit_anchor_due(struct store *store)
{
    int64_t now = clock_mono(store->clock);
    bool is_new;
    int r;

    if (store->anchored != 0 && now - store->anchored < AUDIT_ANCHOR_NS) {
        return 0;
    }
    r = audit_anchor(store, &is_new);
    if (r == 0 && is_new) {
        store->anchored = now;
    }
    return r;
}

/* The walk through the rows, with the anchors beside it. */
struct audit_walk {
    struct store_audit row;
    uint8_t link[CHAIN_SIZE]; /* of the row before */
    uint64_t rows;
    struct anchor_reader anchors;
    struct anchor anchor; /* the next one to meet */
    bool has_anchor;
    uint64_t last_anchor; /* the highest number that an anchor named */
};

static int audit_next_anchor(struct audit_walk *walk, struct diag *diag)
{
    uint64_t before = walk->has_anchor ? walk->anchor.number : 0;
    int r = anchor_next(&walk->anchors, &walk->anchor);

    walk->has_anchor = r > 0;
    if (r < 0) {
        return diag_set(diag, -ERR_CORRUPT, _("line %u of audit.anchors is damaged: %s"),
                        walk->anchors.line, err_text(r));
    }
    if (r > 0 && walk->anchor.number < before) {
        return diag_set(diag, -ERR_CORRUPT, _("line %u of audit.anchors is out of order"),
                        walk->anchors.line);
    }
    walk->last_anchor = r > 0 ? walk->anchor.number : walk->last_anchor;
    return 0;
}

/* All anchors that name the row just read must name its link. */
static int audit_check_anchors(struct audit_walk *walk, struct diag *diag)
{
    while (walk->has_anchor && walk->anchor.number <= walk->rows) {
        char when[TIME_TEXT_SIZE];
        int r;

        if (walk->anchor.number != walk->rows ||
            memcmp(walk->anchor.link, walk->link, sizeof(walk->link)) != 0) {
            time_format_utc(walk->anchor.time, when);
            return diag_set(
                diag, -ERR_CORRUPT,
                _("row %llu of the audit log is not the one that was anchored at %s: the log was "
                  "rewritten at or before this row"),
                (unsigned long long)walk->rows, when);
        }
        r = audit_next_anchor(walk, diag);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int audit_check_row(struct audit_walk *walk, struct diag *diag)
{
    uint8_t link[CHAIN_SIZE];
    int r;

    if (walk->row.number != walk->rows + 1) {
        return diag_set(diag, -ERR_CORRUPT, _("row %llu of the audit log is missing"),
                        (unsigned long long)walk->rows + 1);
    }
    r = chain_link(walk->link, &walk->row, link);
    if (r < 0) {
        return r;
    }
    if (memcmp(link, walk->row.chain, sizeof(link)) != 0) {
        return diag_set(
            diag, -ERR_CORRUPT,
            _("row %llu of the audit log does not follow from the rows before it: it or its place "
              "was changed"),
            (unsigned long long)walk->row.number);
    }
    memcpy(walk->link, link, sizeof(link));
    walk->rows++;
    return audit_check_anchors(walk, diag);
}

static int audit_walk_rows(struct store *store, struct audit_walk *walk, struct diag *diag)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    CLEANUP(query_done) struct query query = {0};
    int r = arena_new(AUDIT_ARENA_LIMIT, &arena);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "SELECT number, time, actor, act, object, detail, chain FROM audit ORDER BY number");
    while ((r = query_next(&query)) > 0) {
        arena_reset(arena);
        r = audit_read(&query, arena, &walk->row);
        r = r < 0 ? r : audit_check_row(walk, diag);
        if (r < 0) {
            return r;
        }
    }
    return r;
}

/* Nothing may be anchored past the end, and the anchors must reach as far as the database knew. */
static int audit_check_end(const struct audit_walk *walk, uint64_t anchored, struct diag *diag)
{
    if (walk->has_anchor) {
        return diag_set(
            diag, -ERR_CORRUPT,
            _("the audit log ends at row %llu, but row %llu was anchored: rows were cut off"),
            (unsigned long long)walk->rows, (unsigned long long)walk->anchor.number);
    }
    if (walk->last_anchor < anchored) {
        return diag_set(
            diag, -ERR_CORRUPT,
            _("audit.anchors ends at row %llu, but row %llu was anchored: lines were cut off"),
            (unsigned long long)walk->last_anchor, (unsigned long long)anchored);
    }
    return 0;
}

/* Core may add rows and anchors meanwhile. It writes a row, then its anchor, then how far it
 * anchored: read in the opposite order, each holds at least what the one before names. */
static int audit_verify(struct store *store, struct audit_walk *walk, struct diag *diag)
{
    uint64_t anchored = 0;
    int r = audit_anchored(store, &anchored);

    r = r < 0 ? r : anchor_reader_init(&walk->anchors, store->anchors_fd);
    r = r < 0 ? r : audit_next_anchor(walk, diag);
    r = r < 0 ? r : audit_check_anchors(walk, diag);
    r = r < 0 ? r : audit_walk_rows(store, walk, diag);
    return r < 0 ? r : audit_check_end(walk, anchored, diag);
}

int store_audit_verify(struct store *store, uint64_t *ret_rows, uint8_t ret_head[32],
                       struct diag *diag)
{
    struct audit_walk walk = {0};
    int r = audit_verify(store, &walk, diag);

    anchor_reader_done(&walk.anchors);
    if (r == 0) {
        *ret_rows = walk.rows;
        memcpy(ret_head, walk.link, sizeof(walk.link));
    }
    return r;
}
