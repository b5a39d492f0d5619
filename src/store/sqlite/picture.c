/* What pages looked like: see store/pictures.h. Neighbours: core/picture.c judges and keeps,
 * api/picture.c shows; change.c drops what makes room. */
#include "store/pictures.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/sqlite/sqlite.h"

#define PICTURE_COLUMNS                                                                            \
    "SELECT i.number, i.site, i.page, p.url, i.view, i.first, i.last, i.count, i.visual, i.score," \
    " i.state, i.png IS NOT NULL, i.png FROM site_pictures i JOIN site_pages p ON p.number ="      \
    " i.page "

static int picture_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_picture *picture = ret_row;

    *picture = (struct store_picture){0};
    picture->number = query_u64(query, 0);
    picture->site = query_u64(query, 1);
    picture->page = query_u64(query, 2);
    picture->url = query_text(query, 3, arena);
    picture->view = (enum site_view)query_i64(query, 4);
    picture->first = query_i64(query, 5);
    picture->last = query_i64(query, 6);
    picture->count = query_u64(query, 7);
    picture->visual = query_text(query, 8, arena);
    picture->score = (double)query_i64(query, 9) / 1000;
    picture->state = (enum picture_state)query_i64(query, 10);
    picture->has_png = query_bool(query, 11);
    query_copy(query, 12, picture->png, sizeof(picture->png));
    return query->error;
}

static int picture_insert(struct store *store, const struct store_picture *picture,
                          uint64_t *ret_number)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database,
               "INSERT INTO site_pictures (site, page, view, first, last, count, visual, score,"
               " state, png) SELECT ?1, number, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM site_pages"
               " WHERE site = ?1 AND url = ?2");
    query_bind_u64(&query, 1, picture->site);
    query_bind_text(&query, 2, picture->url);
    query_bind_i64(&query, 3, picture->view);
    query_bind_i64(&query, 4, picture->first);
    query_bind_i64(&query, 5, picture->last);
    query_bind_u64(&query, 6, picture->count);
    query_bind_bytes(&query, 7, picture->visual.ptr, picture->visual.len);
    query_bind_i64(&query, 8, (int64_t)(picture->score * 1000));
    query_bind_i64(&query, 9, picture->state);
    query_bind_bytes(&query, 10, picture->png, sizeof(picture->png));
    r = query_run(&query);
    if (r == 0 && sqlite3_changes(database_handle(store->database)) == 0) {
        return -ERR_NOENT;
    }
    *ret_number = (uint64_t)sqlite3_last_insert_rowid(database_handle(store->database));
    return r;
}

static int picture_update(struct store *store, const struct store_picture *picture)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "UPDATE site_pictures SET last = ?2, count = ?3, score = ?4, state = ?5 WHERE"
               " number = ?1");
    query_bind_u64(&query, 1, picture->number);
    query_bind_i64(&query, 2, picture->last);
    query_bind_u64(&query, 3, picture->count);
    query_bind_i64(&query, 4, (int64_t)(picture->score * 1000));
    query_bind_i64(&query, 5, picture->state);
    return query_run(&query);
}

static int picture_trim(struct store *store, uint64_t number)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               "DELETE FROM site_pictures WHERE number IN (SELECT o.number FROM site_pictures n"
               " JOIN site_pictures o ON o.page = n.page AND o.view = n.view WHERE n.number = ?1"
               " ORDER BY o.last DESC LIMIT -1 OFFSET ?2)");
    query_bind_u64(&query, 1, number);
    query_bind_u64(&query, 2, STORE_PICTURES_MAX);
    return query_run(&query);
}

int store_picture_put(struct store *store, const struct store_picture *picture,
                      uint64_t *ret_number)
{
    uint64_t number = picture->number;
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    r = number != 0 ? picture_update(store, picture) : picture_insert(store, picture, &number);
    if (r == -ERR_NOENT) {
        return r;
    }
    r = r < 0 ? r : picture_trim(store, number);
    if (r == 0) {
        *ret_number = number;
    }
    return store_written(store, r);
}

int store_picture_learn(struct store *store, uint64_t site, struct str url)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "UPDATE site_pictures SET state = 1 WHERE state <> 1 AND page IN (SELECT number FROM"
               " site_pages WHERE site = ?1 AND url = ?2)");
    query_bind_u64(&query, 1, site);
    query_bind_text(&query, 2, url);
    return store_written(store, query_run(&query));
}

static int picture_walk(struct query *query, size_t limit, struct arena *arena,
                        struct store_picture **ret_pictures, size_t *ret_count)
{
    const struct query_rows shape = {sizeof(struct store_picture), limit, picture_read};
    size_t count = 0;
    struct store_picture *pictures = query_list(query, &shape, arena, &count);

    if (query->error < 0) {
        return query->error;
    }
    *ret_pictures = pictures;
    *ret_count = count;
    return 0;
}

int store_picture_of(struct store *store, const struct store_picture_page *page,
                     struct arena *arena, struct store_picture **ret_pictures, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               PICTURE_COLUMNS "WHERE p.site = ?1 AND p.url = ?2 AND i.view = ?3 ORDER BY i.last"
                               " DESC, i.number DESC");
    query_bind_u64(&query, 1, page->site);
    query_bind_text(&query, 2, page->url);
    query_bind_i64(&query, 3, page->view);
    return picture_walk(&query, STORE_PICTURES_MAX, arena, ret_pictures, ret_count);
}

int store_picture_list(struct store *store, uint64_t site, size_t limit, struct arena *arena,
                       struct store_picture **ret_pictures, size_t *ret_count)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database,
               PICTURE_COLUMNS "WHERE i.site = ?1 ORDER BY i.last DESC, i.number DESC");
    query_bind_u64(&query, 1, site);
    return picture_walk(&query, store_page(limit), arena, ret_pictures, ret_count);
}

int store_picture_get(struct store *store, uint64_t number, struct arena *arena,
                      struct store_picture *ret_picture)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, PICTURE_COLUMNS "WHERE i.number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    return r < 0 ? r : picture_read(&query, arena, ret_picture);
}

static int alert_picture_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_alert_picture *row = ret_row;

    (void)arena;
    row->alert = query_u64(query, 0);
    row->site = query_u64(query, 1);
    row->picture = query_u64(query, 2);
    return query->error;
}

int store_picture_alerts(struct store *store, struct arena *arena,
                         struct store_alert_picture **ret_rows, size_t *ret_count)
{
    const struct query_rows shape = {sizeof(struct store_alert_picture), STORE_PAGE_MAX,
                                     alert_picture_read};
    CLEANUP(query_done) struct query query = {0};
    struct store_alert_picture *rows;
    size_t count = 0;

    query_init(&query, store->database,
               "SELECT a.number, c.site, max(i.number) FROM alerts a JOIN site_changes c ON"
               " c.alert = a.number JOIN site_pictures i ON i.page = c.page AND i.last >= c.time"
               " AND i.png IS NOT NULL WHERE a.state < 2 GROUP BY a.number ORDER BY a.number"
               " DESC");
    rows = query_list(&query, &shape, arena, &count);
    if (query.error < 0) {
        return query.error;
    }
    *ret_rows = rows;
    *ret_count = count;
    return 0;
}
