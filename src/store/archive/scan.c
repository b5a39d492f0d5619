/* See archive/scan.h. A block is opened only when its filter admits its needles, and an event is
 * taken apart only when its bytes, folded as a whole, hold them: all that parts texts there is no
 * part of a letter, so that none is hidden by it. */
#include "store/archive/scan.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/utf8.h"
#include "model/coded.h"
#include "sys/thread.h"

#define HELP_AFTER 4 /* blocks: a search of fewer is over before a thread has begun */

/* A block that was taken, and the room of whoever looks through it. */
struct hand {
    struct scan *scan;
    uint64_t bytes;            /* unpacked */
    struct archive_damage row; /* what is lost if it cannot be read */
    bool is_coded;             /* its entries may hold what does not stand in them */
    struct buf body;
    struct buf raw;
    struct buf folded;
    struct buf encoded;
};

/* A broken letter's bytes may become one of what stands before a text. */
static bool may_scan(const struct needles *needles)
{
    for (size_t i = 0; i < needles->count; i++) {
        if (!utf8_is_valid(needles->list[i].text)) {
            return false;
        }
    }
    return true;
}

int scan_init(struct scan *scan, struct archive *archive, const struct archive_query *query)
{
    *scan = (struct scan){.archive = archive, .query = query, .reached = ARCHIVE_REACHED_ALL};
    scan->is_choosy = query->needles != NULL && needles_choose(query->needles);
    scan->is_scanning = scan->is_choosy && may_scan(query->needles);
    pthread_mutex_init(&scan->lock, NULL);
    return matches_init(&scan->matches, query->limit);
}

void scan_done(struct scan *scan)
{
    matches_done(&scan->matches);
    pthread_mutex_destroy(&scan->lock);
}

bool scan_is_beyond(const struct scan *scan, int64_t last)
{
    return last < scan->query->from || last < matches_last(&scan->matches);
}

int scan_pass_over(struct scan *scan, const struct archive_damage *damage, int error)
{
    struct archive_damage met = *damage;

    if ((!damage_is(error) && error != -ERR_VERSION) || scan->query->damages == NULL) {
        return error;
    }
    met.error = error;
    damages_add(scan->query->damages, &met);
    return 0;
}

/* ---- taking a block, under the lock */

struct block_filter {
    struct str bytes;
    enum filter_pieces pieces;
    bool is_noted; /* what is coded */
    bool is_coded;
};

static bool filter_holds(void *context, const struct needle *needle)
{
    const struct block_filter *filter = context;

    return needle->kind == NEEDLE_RUN || filter_admits(filter->bytes, filter->pieces, needle);
}

static bool filter_is_coded(void *context)
{
    const struct block_filter *filter = context;

    if (filter->is_noted) {
        return filter->is_coded;
    }
    for (const struct str *code = needles_codes; code->len != 0; code++) {
        if (filter_holds(context, &(struct needle){.kind = NEEDLE_TEXT, .text = *code})) {
            return true;
        }
    }
    return false;
}

/* True, and the walk ends before the block that ends with `last`, when the time is up and there is
 * an answer: something newer than all that was not looked at. */
static bool scan_is_over(struct scan *scan, int64_t last)
{
    int64_t bound = last > scan->other_last ? last : scan->other_last;

    if (scan->until == 0 || bound >= scan->query->to || clock_mono(&clock_real) < scan->until) {
        return false;
    }
    scan->reached = bound;
    return true;
}

enum row_column {
    ROW_NUMBER,
    ROW_LAST,
    ROW_FILTER,
    ROW_FIRST,
    ROW_COUNT,
    ROW_BYTES,
    ROW_HASH,
    ROW_PIECES,
    ROW_CODED,
};

/* What lies behind the body comes out of an index: of a block that is passed over only the filter
 * is read. */
static const char scan_rows[] =
    "SELECT b.number, b.last, b.filter, b.first, b.count, b.bytes, ifnull(r.hash, 0),"
    " r.has_addresses, r.coded"
    " FROM blocks b INDEXED BY blocks_time LEFT JOIN blocks r INDEXED BY blocks_rows"
    " ON r.number = b.number AND r.hash IS NOT NULL"
    " WHERE b.last >= ?1 AND b.first <= ?2 AND (?3 IS NULL OR EXISTS"
    " (SELECT 1 FROM host_blocks WHERE host = ?3 AND block = b.number)) ORDER BY b.last DESC";

/* What the index does not have of a block of before. */
static int row_read_rest(struct database *database, int64_t number, struct block_row *row)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, database,
               "SELECT has_addresses, ifnull(coded, -1) FROM blocks WHERE number = ?1");
    query_bind_i64(&query, 1, number);
    r = query_one(&query);
    if (r == 0) {
        row->pieces = query_i64(&query, 0);
        row->coded = query_i64(&query, 1);
    }
    return r;
}

/* *ret_is_whole: it is what was written, or nobody knows. */
static int row_read(struct query *rows, struct block_row *ret_row, bool *ret_is_whole)
{
    int64_t hash = query_i64(rows, ROW_HASH);

    *ret_row = (struct block_row){.filter = query_bytes(rows, ROW_FILTER),
                                  .first = query_i64(rows, ROW_FIRST),
                                  .last = query_i64(rows, ROW_LAST),
                                  .count = query_u64(rows, ROW_COUNT),
                                  .bytes = query_u64(rows, ROW_BYTES),
                                  .pieces = query_i64(rows, ROW_PIECES),
                                  .coded = query_i64(rows, ROW_CODED)};
    *ret_is_whole = hash == 0 || hash == block_row_hash(ret_row);
    return hash != 0 ? 0 : row_read_rest(rows->database, query_i64(rows, ROW_NUMBER), ret_row);
}

static bool row_holds(const struct block_row *row, const struct needles *needles)
{
    struct block_filter filter = {.bytes = row->filter,
                                  .pieces = (enum filter_pieces)row->pieces,
                                  .is_noted = row->coded >= 0,
                                  .is_coded = (row->coded & CODED_SIGNS) != 0};
    const struct needle_place place = {filter_holds, filter_is_coded, &filter};

    /* An empty filter is one of no texts, or one that could not be read. */
    return filter.bytes.len == 0 || needles_hold(needles, &place);
}

/* 1 when the row's block is to be opened, 0, negative. Values of audit are in the filter as they
 * were meant. A row that was read and in which bits have flipped hides nothing: its block has a
 * checksum of its own. Which rows are read is up to the times and hosts of the indices, which no
 * checksum covers: a bit that flips there can keep a block out of a search. */
static int scan_admits(struct scan *scan, struct query *rows, struct hand *hand)
{
    struct block_row row;
    bool is_whole;
    int r = row_read(rows, &row, &is_whole);

    scan->archive->stats.blocks_met++;
    hand->row = (struct archive_damage){.day = scan->day,
                                        .block = query_i64(rows, ROW_NUMBER),
                                        .first = row.first,
                                        .last = row.last,
                                        .entries = row.count};
    hand->is_coded = !is_whole || row.coded != CODED_NONE;
    return r < 0 ? r : !scan->is_choosy || !is_whole || row_holds(&row, scan->query->needles);
}

/* 1 when the hand holds a block, 0 when there are no more. */
static int scan_take_row(struct scan *scan, struct hand *hand)
{
    struct query *rows = scan->rows;
    int r;

    while ((r = query_next(rows)) > 0) {
        int64_t last = query_i64(rows, ROW_LAST);

        if (scan->query->is_canceled != NULL && *scan->query->is_canceled) {
            return -ERR_CANCELED;
        }
        if (scan_is_beyond(scan, last) || scan_is_over(scan, last)) {
            return 0;
        }
        r = scan_admits(scan, rows, hand);
        if (r == 0) {
            continue;
        }
        r = r < 0 ? r
                  : block_read_packed(rows->database, hand->row.block, &hand->bytes, &hand->body);
        if (r == 0) {
            scan->taken++;
            scan->archive->stats.blocks_opened++;
            return 1;
        }
        r = scan_pass_over(scan, &hand->row, r);
        if (r < 0) {
            return r;
        }
    }
    hand->row = damage_of_file(&(struct day_file){.day = scan->day}, 0);
    return r < 0 ? scan_pass_over(scan, &hand->row, r) : 0;
}

static int scan_take(struct scan *scan, struct hand *hand)
{
    int r = 0;

    pthread_mutex_lock(&scan->lock);
    if (!scan->is_walked && scan->error == 0) {
        r = scan_take_row(scan, hand);
        scan->is_walked = r <= 0;
        scan->error = r < 0 ? r : 0;
    }
    pthread_mutex_unlock(&scan->lock);
    return r;
}

/* ---- looking through it */

static int hand_keep(struct hand *hand, const struct archive_key *key, const struct event *event)
{
    struct scan *scan = hand->scan;
    int r;

    buf_reset(&hand->encoded);
    event_encode(event, &hand->encoded);
    if (buf_error(&hand->encoded) < 0) {
        return buf_error(&hand->encoded);
    }
    pthread_mutex_lock(&scan->lock);
    r = matches_keep(&scan->matches, key, event->time, buf_str(&hand->encoded));
    pthread_mutex_unlock(&scan->lock);
    return r;
}

/* 1 when the event is asked for, 0, negative. */
static int hand_matches(struct hand *hand, const struct archive_key *key, const struct event *event)
{
    const struct archive_query *query = hand->scan->query;
    struct str texts[EVENT_FIELDS_MAX];
    size_t count = 0;
    int r;

    if (event->time < query->from || event->time > query->to ||
        (event->time == query->to && query->behind != NULL &&
         archive_key_compare(key, query->behind) <= 0) ||
        (query->host != NULL && !id_is(query->host, &key->host))) {
        return 0;
    }
    if (!hand->scan->is_choosy) {
        return 1;
    }
    r = archive_fold(event, &hand->folded, texts, &count);
    return r < 0 ? r : needles_stand_in(query->needles, event, texts, count);
}

struct hand_bytes {
    struct str folded;
    bool is_coded;
};

static bool bytes_hold(void *context, const struct needle *needle)
{
    const struct hand_bytes *bytes = context;

    return needle_stands_in(needle, bytes->folded);
}

static bool bytes_are_coded(void *context)
{
    const struct hand_bytes *bytes = context;

    return bytes->is_coded;
}

/* 1 when the bytes may hold the needles, wherever. */
static int hand_admits(struct hand *hand, struct str bytes)
{
    struct hand_bytes all = {.is_coded = hand->is_coded};
    char *out;

    if (!hand->scan->is_scanning) {
        return 1;
    }
    buf_reset(&hand->folded);
    out = buf_reserve(&hand->folded, bytes.len + 1);
    if (out == NULL) {
        return buf_error(&hand->folded);
    }
    all.folded = str_of(out, utf8_fold(bytes, out, bytes.len + 1));
    return needles_hold(hand->scan->query->needles,
                        &(struct needle_place){bytes_hold, bytes_are_coded, &all});
}

/* The entry at the front of the reader. */
static int hand_look(struct hand *hand, struct cbor_reader *reader)
{
    struct cbor_reader again = *reader;
    struct archive_key key;
    struct event event;
    int r = block_next(reader, &key, NULL);

    if (r <= 0) {
        return r;
    }
    r = hand_admits(hand, str_of(again.rest.ptr, (size_t)(reader->rest.ptr - again.rest.ptr)));
    if (r <= 0) {
        return r < 0 ? r : 1;
    }
    r = block_next(&again, &key, &event);
    r = r < 0 ? r : hand_matches(hand, &key, &event);
    r = r <= 0 ? r : hand_keep(hand, &key, &event);
    return r < 0 ? r : 1;
}

static int hand_look_through(struct hand *hand)
{
    struct cbor_reader reader;
    int r = block_unpack(buf_str(&hand->body), hand->bytes, &hand->raw);

    if (r < 0) {
        return r;
    }
    r = hand_admits(hand, buf_str(&hand->raw));
    if (r <= 0) {
        return r;
    }
    cbor_open(&reader, buf_str(&hand->raw));
    do {
        r = hand_look(hand, &reader);
    } while (r > 0);
    return r;
}

/* ---- both hands */

static void hand_fail(struct hand *hand, int error)
{
    struct scan *scan = hand->scan;

    pthread_mutex_lock(&scan->lock);
    error = scan_pass_over(scan, &hand->row, error);
    scan->error = scan->error < 0 ? scan->error : error;
    pthread_mutex_unlock(&scan->lock);
}

static void *help(void *context);

static bool hand_wants_help(const struct hand *hand)
{
    return hand->scan->taken > HELP_AFTER;
}

/* helper: where its thread is to be noted when one is worth it; NULL: this is the helper. */
static void hand_work(struct scan *scan, pthread_t *helper, bool *ret_is_helped)
{
    struct hand hand = {.scan = scan};
    int r;

    buf_init(&hand.body, ARCHIVE_BODY_LIMIT);
    buf_init(&hand.raw, ARCHIVE_BLOCK_LIMIT);
    buf_init(&hand.folded, ARCHIVE_BLOCK_LIMIT + 1);
    buf_init(&hand.encoded, ARCHIVE_BLOCK_LIMIT);
    while (scan_take(scan, &hand) > 0) {
        if (helper != NULL && !*ret_is_helped && hand_wants_help(&hand)) {
            *ret_is_helped = thread_start("archive-scan", help, scan, helper) == 0;
            helper = *ret_is_helped ? helper : NULL;
        }
        r = hand_look_through(&hand);
        if (r < 0) {
            hand_fail(&hand, r);
        }
    }
    buf_done(&hand.body);
    buf_done(&hand.raw);
    buf_done(&hand.folded);
    buf_done(&hand.encoded);
}

/* As urgent as whoever searches, who waits for it. */
static void *help(void *context)
{
    hand_work(context, NULL, NULL);
    return NULL;
}

int scan_day(struct scan *scan, int64_t day, struct database *database)
{
    CLEANUP(query_done) struct query rows = {0};
    pthread_t helper;
    bool is_helped = false;

    query_init(&rows, database, scan_rows);
    query_bind_i64(&rows, 1, scan->query->from);
    query_bind_i64(&rows, 2, scan->query->to);
    query_bind_id(&rows, 3, scan->query->host);
    scan->day = day;
    scan->rows = &rows;
    scan->is_walked = false;
    hand_work(scan, &helper, &is_helped);
    if (is_helped) {
        (void)pthread_join(helper, NULL);
    }
    return scan->error;
}
