/* Rows of posts_taken: see store/taken.h. */
#include "store/taken.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/sqlite/sqlite.h"

int store_taken_add(struct store *store, uint64_t post, struct str hashes)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database,
               "INSERT INTO posts_taken (post, time, hashes) VALUES (?1, ?2, ?3)");
    query_bind_u64(&query, 1, post);
    query_bind_i64(&query, 2, clock_wall(store->clock));
    query_bind_bytes(&query, 3, hashes.ptr, hashes.len);
    return store_written(store, query_run(&query));
}

int store_taken_forget(struct store *store, uint64_t post)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, "DELETE FROM posts_taken WHERE post = ?1");
    query_bind_u64(&query, 1, post);
    return store_written(store, query_run(&query));
}

int store_taken_expire(struct store *store, int64_t from, int64_t to, uint64_t most)
{
    CLEANUP(query_done) struct query old = {0};
    CLEANUP(query_done) struct query over = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&old, store->database, "DELETE FROM posts_taken WHERE time NOT BETWEEN ?1 AND ?2");
    query_bind_i64(&old, 1, from);
    query_bind_i64(&old, 2, to);
    r = query_run(&old);
    if (r == 0) {
        query_init(&over, store->database,
                   "DELETE FROM posts_taken WHERE number IN (SELECT number FROM (SELECT number,"
                   " sum(length(hashes) + ?2) OVER (ORDER BY number DESC) AS held FROM posts_taken)"
                   " WHERE held > ?1)");
        query_bind_u64(&over, 1, most);
        query_bind_i64(&over, 2, STORE_TAKEN_ROW);
        r = query_run(&over);
    }
    return store_written(store, r);
}

int store_taken_next(struct store *store, struct arena *arena, struct store_taken *taken)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_taken next;
    int r;

    query_init(&query, store->database,
               "SELECT number, post, time, hashes FROM posts_taken"
               " WHERE (post, number) > (?1, ?2) ORDER BY post, number LIMIT 1");
    query_bind_u64(&query, 1, taken->post);
    query_bind_u64(&query, 2, taken->number);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    next.number = query_u64(&query, 0);
    next.post = query_u64(&query, 1);
    next.time = query_i64(&query, 2);
    next.hashes = query_text(&query, 3, arena);
    if (query.error == 0) {
        *taken = next;
    }
    return query.error;
}
