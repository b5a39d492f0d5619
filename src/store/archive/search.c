/* Search in the archive, newest first. Days and blocks overlap in time, so the newest matches are
 * kept in a heap, the oldest of them on top, while days and then blocks are walked from the one
 * that ends last; the walk ends where nothing newer can come. A block is opened only when its
 * filter admits its needles, and its events are taken apart only when its bytes, folded as a whole,
 * hold them: all that parts texts there is no part of a letter, so that none is hidden by it.
 *
 * Every search has connections of its own, so it sees what was committed, in core as in api. */
#include "store/archive/private.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <time.h>

#define SEARCH_TRIES   20
#define SEARCH_REST_NS (5 * NS_PER_MS)

struct match {
    int64_t time;
    struct archive_key key;
    char *bytes; /* the event, encoded */
    size_t len;
};

struct search_day {
    int64_t number;
    int64_t last; /* time of its newest event */
};

struct search {
    struct archive *archive;
    const struct archive_query *query;
    bool is_choosy;        /* there are needles */
    bool is_scanning;      /* that a block's bytes can be asked for as a whole */
    struct match *matches; /* a heap, the least wanted first */
    size_t count;
    int64_t other_last; /* of the days that come after the one in hand; INT64_MIN: none */
    int64_t until;      /* as the query has it, but no sooner than the walk has had its time */
    int64_t reached;
    struct buf raw;
    struct buf folded;
    struct buf encoded;
};

/* ---- the heap of matches */

/* Order of the answer: newer first, then by host, then the later sequence; total, so that it is
 * always the same one. */
static int match_compare(const struct match *a, const struct match *b)
{
    int hosts;

    if (a->time != b->time) {
        return a->time > b->time ? -1 : 1;
    }
    hosts = memcmp(a->key.host.bytes, b->key.host.bytes, sizeof(a->key.host.bytes));
    if (hosts != 0) {
        return hosts;
    }
    return (a->key.sequence < b->key.sequence) - (a->key.sequence > b->key.sequence);
}

static int match_sort(const void *a, const void *b)
{
    return match_compare(a, b);
}

static void match_swap(struct match *a, struct match *b)
{
    struct match kept = *a;

    *a = *b;
    *b = kept;
}

static void search_sift_down(struct search *search)
{
    size_t at = 0;

    for (;;) {
        size_t worst = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < search->count; child++) {
            if (match_compare(&search->matches[child], &search->matches[worst]) > 0) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        match_swap(&search->matches[at], &search->matches[worst]);
        at = worst;
    }
}

static void search_sift_up(struct search *search)
{
    for (size_t at = search->count - 1; at != 0;) {
        size_t parent = (at - 1) / 2;

        if (match_compare(&search->matches[at], &search->matches[parent]) <= 0) {
            return;
        }
        match_swap(&search->matches[at], &search->matches[parent]);
        at = parent;
    }
}

static bool search_is_full(const struct search *search)
{
    return search->count == search->query->limit;
}

/* Whether events up to this time can no longer get into the answer. */
static bool search_is_beyond(const struct search *search, int64_t last)
{
    return last < search->query->from || (search_is_full(search) && last < search->matches[0].time);
}

static int search_keep(struct search *search, const struct archive_key *key,
                       const struct event *event)
{
    struct match match = {.time = event->time, .key = *key};

    if (search_is_full(search) && match_compare(&match, &search->matches[0]) >= 0) {
        return 0;
    }
    buf_reset(&search->encoded);
    event_encode(event, &search->encoded);
    if (buf_error(&search->encoded) < 0) {
        return buf_error(&search->encoded);
    }
    match.len = search->encoded.len;
    match.bytes = mem_dup(search->encoded.ptr, match.len);
    if (match.bytes == NULL) {
        return -ERR_NOMEM;
    }
    if (search_is_full(search)) {
        mem_free(search->matches[0].bytes);
        search->matches[0] = match;
        search_sift_down(search);
    } else {
        search->matches[search->count++] = match;
        search_sift_up(search);
    }
    return 0;
}

/* ---- blocks */

/* 1 when the event is asked for, 0, negative. */
static int search_matches(struct search *search, const struct archive_key *key,
                          const struct event *event)
{
    const struct archive_query *query = search->query;
    struct str texts[EVENT_FIELDS_MAX];
    size_t count = 0;
    int r;

    if (event->time < query->from || event->time > query->to ||
        (query->host != NULL && !id_is(query->host, &key->host))) {
        return 0;
    }
    if (!search->is_choosy) {
        return 1;
    }
    r = archive_fold(event, &search->folded, texts, &count);
    return r < 0 ? r : needles_stand_in(query->needles, texts, count);
}

/* 1 when the block's bytes hold the needles, wherever. */
static int search_scan(struct search *search)
{
    struct str raw = buf_str(&search->raw);
    struct str text;
    char *out;

    buf_reset(&search->folded);
    out = buf_reserve(&search->folded, raw.len + 1);
    if (out == NULL) {
        return buf_error(&search->folded);
    }
    text = str_of(out, utf8_fold(raw, out, raw.len + 1));
    return needles_stand_in_all(search->query->needles, text);
}

static int search_block(struct search *search, struct database *database, int64_t number)
{
    struct cbor_reader reader;
    struct archive_key key;
    struct event event;
    int r = block_read(database, number, &search->raw);

    if (r < 0) {
        return r;
    }
    search->archive->stats.blocks_opened++;
    r = search->is_scanning ? search_scan(search) : 1;
    if (r <= 0) {
        return r;
    }
    cbor_open(&reader, buf_str(&search->raw));
    while ((r = block_next(&reader, &key, &event)) > 0) {
        r = search_matches(search, &key, &event);
        if (r > 0) {
            r = search_keep(search, &key, &event);
        }
        if (r < 0) {
            return r;
        }
    }
    return r;
}

struct block_filter {
    struct str bytes;
    bool has_addresses;
};

static bool filter_holds(void *context, struct str text)
{
    const struct block_filter *filter = context;

    return filter_admits(filter->bytes, text, filter->has_addresses);
}

static bool filter_is_coded(void *context)
{
    for (const struct str *code = needles_codes; code->len != 0; code++) {
        if (filter_holds(context, *code)) {
            return true;
        }
    }
    return false;
}

/* True, and the walk ends before the block that ends with `last`, when the time is up and there is
 * an answer: something newer than all that was not looked at. */
static bool search_is_over(struct search *search, int64_t last)
{
    int64_t bound = last > search->other_last ? last : search->other_last;

    if (search->until == 0 || bound >= search->query->to ||
        clock_mono(&clock_real) < search->until) {
        return false;
    }
    search->reached = bound;
    return true;
}

static int search_blocks(struct search *search, struct database *database)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(
        &query, database,
        "SELECT number, last, filter, has_addresses FROM blocks INDEXED BY blocks_time"
        " WHERE last >= ?1 AND first <= ?2 AND (?3 IS NULL OR EXISTS"
        " (SELECT 1 FROM host_blocks WHERE host = ?3 AND block = number)) ORDER BY last DESC");
    query_bind_i64(&query, 1, search->query->from);
    query_bind_i64(&query, 2, search->query->to);
    query_bind_id(&query, 3, search->query->host);
    while ((r = query_next(&query)) > 0) {
        struct block_filter filter;
        const struct needle_place place = {filter_holds, filter_is_coded, &filter};

        if (search_is_beyond(search, query_i64(&query, 1))) {
            return 0;
        }
        if (search_is_over(search, query_i64(&query, 1))) {
            return 0;
        }
        search->archive->stats.blocks_met++;
        filter = (struct block_filter){query_bytes(&query, 2), query_i64(&query, 3) != 0};
        if (search->is_choosy && !needles_hold(search->query->needles, &place)) {
            continue;
        }
        r = search_block(search, database, query_i64(&query, 0));
        if (r < 0) {
            return r;
        }
    }
    return r;
}

/* ---- days */

/* A day that retention took away meanwhile is none. */
static int search_open_day(struct search *search, int64_t number, struct database **ret_database)
{
    int r = day_open_file(search->archive, number, true, ret_database, NULL);

    if (r == 0) {
        search->archive->stats.days_opened++;
    }
    return r;
}

/* 1 when the day holds events of the time asked for. */
static int search_look_at(struct search *search, int64_t number, struct search_day *ret_day)
{
    CLEANUP(database_closep) struct database *database = NULL;
    CLEANUP(query_done) struct query query = {0};
    int r = search_open_day(search, number, &database);

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    query_init(&query, database,
               "SELECT max(last) FROM blocks INDEXED BY blocks_time"
               " WHERE last >= ?1 AND first <= ?2 HAVING max(last) IS NOT NULL");
    query_bind_i64(&query, 1, search->query->from);
    query_bind_i64(&query, 2, search->query->to);
    r = query_next(&query);
    if (r <= 0) {
        return r;
    }
    *ret_day = (struct search_day){.number = number, .last = query_i64(&query, 0)};
    return query.error < 0 ? query.error : 1;
}

static int search_day_compare(const void *a, const void *b)
{
    const struct search_day *left = a;
    const struct search_day *right = b;

    return (left->last < right->last) - (left->last > right->last);
}

static int search_choose_days(struct search *search, const int64_t *numbers, size_t count,
                              struct search_day *days, size_t *ret_count)
{
    size_t chosen = 0;

    for (size_t i = 0; i < count; i++) {
        int r = search_look_at(search, numbers[i], &days[chosen]);

        if (r < 0) {
            return r;
        }
        chosen += r > 0;
    }
    if (chosen != 0) {
        qsort(days, chosen, sizeof(*days), search_day_compare);
    }
    *ret_count = chosen;
    return 0;
}

/* To open many days takes its time each turn: the walk gets as much at least, or turns would be all
 * that a long search does. */
static void search_set_until(struct search *search, int64_t began)
{
    int64_t now = clock_mono(&clock_real);
    int64_t fair = now + (now - began);

    if (search->query->until != 0) {
        search->until = search->query->until > fair ? search->query->until : fair;
    }
}

static int search_walk(struct search *search)
{
    CLEANUP(mem_freep) int64_t *numbers = NULL;
    CLEANUP(mem_freep) struct search_day *days = NULL;
    int64_t began = clock_mono(&clock_real);
    size_t count = 0;
    int r = day_list(search->archive, &numbers, &count);

    if (r < 0 || count == 0) {
        return r == -ERR_NOENT ? 0 : r; /* nothing was archived yet */
    }
    days = mem_alloc(count, sizeof(*days));
    if (days == NULL) {
        return -ERR_NOMEM;
    }
    r = search_choose_days(search, numbers, count, days, &count);
    search_set_until(search, began);
    for (size_t i = 0; i < count && r == 0 && search->reached == ARCHIVE_REACHED_ALL &&
                       !search_is_beyond(search, days[i].last);
         i++) {
        CLEANUP(database_closep) struct database *database = NULL;

        search->other_last = i + 1 < count ? days[i + 1].last : INT64_MIN;
        r = search_open_day(search, days[i].number, &database);
        if (r == -ERR_NOENT) {
            r = 0;
            continue;
        }
        r = r < 0 ? r : search_blocks(search, database);
    }
    return r;
}

/* ---- the whole */

static int search_answer(struct search *search, archive_event_fn *fn, void *context)
{
    int r = 0;

    if (search->count != 0) {
        qsort(search->matches, search->count, sizeof(*search->matches), match_sort);
    }
    for (size_t i = 0;
         i < search->count && r >= 0 &&
         (search->reached == ARCHIVE_REACHED_ALL || search->matches[i].time > search->reached);
         i++) {
        const struct match *match = &search->matches[i];
        struct cbor_reader reader;
        struct event event;

        cbor_open(&reader, str_of(match->bytes, match->len));
        r = event_decode(&reader, &event);
        r = r < 0 ? r : fn(context, &match->key.host, &event);
    }
    return r < 0 ? r : 0;
}

/* A broken letter's bytes may become one of what stands before a text. */
static bool search_may_scan(const struct needles *needles)
{
    for (size_t i = 0; i < needles->count; i++) {
        if (!utf8_is_valid(needles->list[i].text)) {
            return false;
        }
    }
    return true;
}

static int search_init(struct search *search, struct archive *archive,
                       const struct archive_query *query)
{
    *search = (struct search){.archive = archive, .query = query, .reached = ARCHIVE_REACHED_ALL};
    search->is_choosy = query->needles != NULL && needles_choose(query->needles);
    search->is_scanning = search->is_choosy && search_may_scan(query->needles);
    buf_init(&search->raw, ARCHIVE_BLOCK_LIMIT);
    buf_init(&search->folded, ARCHIVE_BLOCK_LIMIT + 1);
    buf_init(&search->encoded, ARCHIVE_BLOCK_LIMIT);
    search->matches = mem_alloc(query->limit, sizeof(*search->matches));
    return search->matches != NULL ? 0 : -ERR_NOMEM;
}

static void search_done(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        mem_free(search->matches[i].bytes);
    }
    mem_free(search->matches);
    buf_done(&search->raw);
    buf_done(&search->folded);
    buf_done(&search->encoded);
}

static int search_once(struct archive *archive, const struct archive_query *query,
                       int64_t *ret_reached, archive_event_fn *fn, void *context,
                       bool *ret_is_early)
{
    struct search search;
    int r = search_init(&search, archive, query);

    r = r < 0 ? r : search_walk(&search);
    *ret_is_early = r == -ERR_ROFS;
    r = r < 0 ? r : search_answer(&search, fn, context);
    *ret_reached = search.reached;
    search_done(&search);
    return r;
}

/* A reader without the right to write cannot read for some milliseconds after the writer has opened
 * a day: until the index of its log stands. SQLite waits for locks, but not for this. */
int archive_search_until(struct archive *archive, const struct archive_query *query,
                         int64_t *ret_reached, archive_event_fn *fn, void *context)
{
    const struct timespec rest = {.tv_nsec = SEARCH_REST_NS};
    bool is_early = true;
    int r = 0;

    if (query->limit == 0 || query->limit > ARCHIVE_SEARCH_MAX) {
        return -ERR_LIMIT;
    }
    for (unsigned i = 0; i < SEARCH_TRIES && is_early; i++) {
        if (i != 0) {
            (void)nanosleep(&rest, NULL);
        }
        r = search_once(archive, query, ret_reached, fn, context, &is_early);
    }
    return r;
}

int archive_search(struct archive *archive, const struct archive_query *query, archive_event_fn *fn,
                   void *context)
{
    int64_t reached;

    return archive_search_until(archive, query, &reached, fn, context);
}
