/* Blocks: events of a day in the order in which they came, compressed with zstd. The one that grows
 * lies in memory and is rewritten at each commit until it is full. Neighbours: archive.c says
 * when, archive/search.c reads. */
#include "store/archive/private.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/coded.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define BLOCK_LEVEL 1 /* 3 takes up to twice as long for 1 to 5 % less of real logs */

int block_init(struct block *block, size_t room)
{
    *block = (struct block){.room = room};
    buf_init(&block->raw, ARCHIVE_BLOCK_LIMIT);
    trigrams_init(&block->trigrams);
    map_init(&block->by_host, ARCHIVE_BLOCK_HOSTS, 0);
    block->keys = mem_alloc(room, sizeof(*block->keys));
    block->hosts = mem_alloc(ARCHIVE_BLOCK_HOSTS, sizeof(*block->hosts));
    if (block->keys == NULL || block->hosts == NULL) {
        block_done(block);
        return -ERR_NOMEM;
    }
    return 0;
}

void block_done(struct block *block)
{
    buf_done(&block->raw);
    trigrams_done(&block->trigrams);
    map_done(&block->by_host);
    mem_free(block->keys);
    mem_free(block->hosts);
    *block = (struct block){0};
}

void block_reset(struct block *block)
{
    buf_reset(&block->raw);
    trigrams_reset(&block->trigrams);
    map_done(&block->by_host);
    block->number = 0;
    block->count = 0;
    block->host_count = 0;
    block->coded = CODED_NONE;
    block->is_dirty = false;
}

bool block_is_full(const struct block *block)
{
    return block->count >= block->room || block->raw.len >= ARCHIVE_BLOCK_BYTES ||
           block->host_count >= ARCHIVE_BLOCK_HOSTS || block->trigrams.count >= TRIGRAMS_MAX;
}

int archive_fold(const struct event *event, struct buf *folded, struct str *texts,
                 size_t *ret_count)
{
    size_t ends[EVENT_FIELDS_MAX];
    size_t count = 0;

    buf_reset(folded);
    for (size_t i = 0; i < event->field_count; i++) {
        struct str text = event->fields[i].text;
        size_t size = text.len + 1; /* folding never makes a text longer */
        char *out;

        if (event_field_type(event->fields[i].id) != EVENT_VALUE_TEXT) {
            continue;
        }
        out = buf_reserve(folded, size);
        if (out == NULL) {
            return buf_error(folded);
        }
        buf_commit(folded, utf8_fold(text, out, size));
        ends[count++] = folded->len;
    }
    for (size_t i = 0; i < count; i++) {
        texts[i] = str_slice(buf_str(folded), i != 0 ? ends[i - 1] : 0, ends[i]);
    }
    *ret_count = count;
    return 0;
}

static int block_note_host(struct block *block, const struct id *host, uint64_t sequence)
{
    struct block_host *found = map_get(&block->by_host, MAP_KEY(*host));
    int r;

    if (found == NULL) {
        found = &block->hosts[block->host_count];
        *found = (struct block_host){.id = *host, .first = sequence, .last = sequence};
        r = map_put(&block->by_host, MAP_KEY(found->id), found);
        if (r < 0) {
            return r;
        }
        block->host_count++;
    }
    found->first = sequence < found->first ? sequence : found->first;
    found->last = sequence > found->last ? sequence : found->last;
    found->is_dirty = true;
    return 0;
}

/* What the entry means besides its own words goes in too. */
static int block_note_meant(struct block *block, const struct event *event, struct buf *room)
{
    CLEANUP(buf_done) struct buf folded;
    struct coded_walk walk;
    struct str text;
    int r;

    buf_init(&folded, ARCHIVE_FOLD_LIMIT);
    coded_begin(&walk, event, room);
    while ((r = coded_next(&walk, &text)) > 0) {
        char *out;

        buf_reset(&folded);
        out = buf_reserve(&folded, text.len + 1);
        if (out == NULL) {
            return buf_error(&folded);
        }
        r = trigrams_add(&block->trigrams, str_of(out, utf8_fold(text, out, text.len + 1)));
        if (r < 0) {
            return r;
        }
    }
    return r;
}

/* Everything about an entry but its bytes. */
static int block_note(struct block *block, const struct archive_key *key, const struct event *event,
                      struct buf *folded)
{
    struct str texts[EVENT_FIELDS_MAX];
    enum coded coded = coded_event(event);
    size_t count = 0;
    int r = archive_fold(event, folded, texts, &count);

    for (size_t i = 0; i < count && r == 0; i++) {
        r = trigrams_add(&block->trigrams, texts[i]);
    }
    if (r == 0 && coded == CODED_PLAIN) {
        r = block_note_meant(block, event, folded);
        coded = r == -ERR_LIMIT ? CODED_SIGNS : coded;
        r = r == -ERR_LIMIT ? 0 : r;
    }
    block->coded |= coded;
    r = r < 0 ? r : block_note_host(block, &key->host, key->sequence);
    if (r < 0) {
        return r;
    }
    block->first = block->count == 0 || event->time < block->first ? event->time : block->first;
    block->last = block->count == 0 || event->time > block->last ? event->time : block->last;
    block->keys[block->count++] = *key;
    return 0;
}

int block_add(struct block *block, const struct block_entry *entry, struct buf *folded)
{
    cbor_put_array(&block->raw, 3);
    cbor_put_bytes(&block->raw, MAP_KEY(entry->key.host));
    cbor_put_u64(&block->raw, entry->key.sequence);
    if (entry->encoded.len != 0) {
        buf_put_str(&block->raw, entry->encoded);
    } else {
        event_encode(entry->event, &block->raw);
    }
    if (buf_error(&block->raw) < 0) {
        return buf_error(&block->raw);
    }
    block->is_dirty = true;
    return block_note(block, &entry->key, entry->event, folded);
}

bool block_has(const struct block *block, const struct id *host, uint64_t sequence)
{
    const struct block_host *found = map_get(&block->by_host, MAP_KEY(*host));

    if (found == NULL || sequence < found->first || sequence > found->last) {
        return false;
    }
    for (size_t i = 0; i < block->count; i++) {
        if (block->keys[i].sequence == sequence && id_is(&block->keys[i].host, host)) {
            return true;
        }
    }
    return false;
}

int block_next(struct cbor_reader *reader, struct archive_key *ret_key, struct event *ret_event)
{
    struct archive_key key;
    struct str host;
    int r = 0;

    if (reader->error == 0 && reader->rest.len == 0) {
        return 0;
    }
    if (cbor_get_array(reader) != 3) {
        return -ERR_CORRUPT;
    }
    host = cbor_get_text(reader);
    key.sequence = cbor_get_u64(reader);
    if (reader->error < 0 || host.len != sizeof(key.host.bytes)) {
        return -ERR_CORRUPT;
    }
    memcpy(key.host.bytes, host.ptr, sizeof(key.host.bytes));
    if (ret_event == NULL) {
        cbor_skip(reader);
    } else {
        r = event_decode(reader, ret_event);
    }
    if (r < 0 || reader->error < 0) {
        return -ERR_CORRUPT;
    }
    *ret_key = key;
    return 1;
}

/* ---- to and from the file */

/* With a checksum: a bit that flips on the disk is met as damage, not as other words. */
ZSTD_CCtx *block_packer_new(void)
{
    ZSTD_CCtx *packer = ZSTD_createCCtx();

    if (packer != NULL &&
        (ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, BLOCK_LEVEL)) ||
         ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, 1)))) {
        ZSTD_freeCCtx(packer);
        packer = NULL;
    }
    return packer;
}

static int block_compress(const struct block *block, ZSTD_CCtx *packer, struct buf *out)
{
    size_t bound = ZSTD_compressBound(block->raw.len);
    char *bytes = buf_reserve(out, bound);
    size_t len;

    if (bytes == NULL) {
        return buf_error(out);
    }
    len = ZSTD_compress2(packer, bytes, bound, block->raw.ptr, block->raw.len);
    if (ZSTD_isError(len)) {
        return -ERR_NOMEM; /* the room is the library's own bound: nothing else can fail */
    }
    buf_commit(out, len);
    return 0;
}

static const char block_insert[] =
    "INSERT INTO blocks (number, first, last, count, bytes, filter, body, has_addresses,"
    " coded, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9, ?8, ?10)";
static const char block_update[] =
    "UPDATE blocks SET first = ?2, last = ?3, count = ?4, bytes = ?5,"
    " filter = ?6, body = ?7, has_addresses = ?9, coded = ?8, hash = ?10 WHERE number = ?1";

/* Of one number after another: none of its bits gets lost. */
static uint64_t row_mix(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 32;
}

int64_t block_row_hash(const struct block_row *row)
{
    uint64_t hash = XXH3_64bits(row->filter.ptr, row->filter.len);

    hash = row_mix(hash, (uint64_t)row->first);
    hash = row_mix(hash, (uint64_t)row->last);
    hash = row_mix(hash, row->count);
    hash = row_mix(hash, row->bytes);
    hash = row_mix(hash, (uint64_t)row->pieces);
    hash = row_mix(hash, (uint64_t)row->coded);
    return hash != 0 ? (int64_t)hash : 1;
}

static int block_write_row(struct block *block, struct database *database, struct str body,
                           struct str filter)
{
    CLEANUP(query_done) struct query query = {0};
    const struct block_row row = {.filter = filter,
                                  .first = block->first,
                                  .last = block->last,
                                  .count = block->count,
                                  .bytes = block->raw.len,
                                  .pieces = FILTER_PIECES_NUMBERS,
                                  .coded = block->coded};
    int r;

    query_init(&query, database, block->number == 0 ? block_insert : block_update);
    if (block->number != 0) {
        query_bind_i64(&query, 1, block->number);
    }
    query_bind_i64(&query, 2, row.first);
    query_bind_i64(&query, 3, row.last);
    query_bind_u64(&query, 4, row.count);
    query_bind_u64(&query, 5, row.bytes);
    query_bind_bytes(&query, 6, filter.ptr, filter.len);
    query_bind_bytes(&query, 7, body.ptr, body.len);
    query_bind_i64(&query, 8, row.coded);
    query_bind_i64(&query, 9, row.pieces);
    query_bind_i64(&query, 10, block_row_hash(&row));
    r = query_run(&query);
    if (r == 0 && block->number == 0) {
        block->number = sqlite3_last_insert_rowid(database_handle(database));
    }
    return r;
}

static int block_write_span(struct block *block, struct database *database,
                            const struct block_host *host, const char *sql)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, database, sql);
    query_bind_id(&query, 1, &host->id);
    query_bind_u64(&query, 2, host->first);
    query_bind_u64(&query, 3, host->last);
    query_bind_i64(&query, 4, block->number);
    return query_run(&query);
}

static const char block_host_put[] =
    "INSERT INTO host_blocks (host, block, first, last) VALUES (?1, ?4, ?2, ?3)"
    " ON CONFLICT (host, block) DO UPDATE SET first = ?2, last = ?3";
static const char block_host_span[] =
    "INSERT INTO hosts (host, first, last) SELECT ?1, ?2, ?3 WHERE ?4 IS NOT NULL"
    " ON CONFLICT (host) DO UPDATE SET first = min(first, ?2), last = max(last, ?3)";

static int block_write_hosts(struct block *block, struct database *database)
{
    for (size_t i = 0; i < block->host_count; i++) {
        struct block_host *host = &block->hosts[i];
        int r;

        if (!host->is_dirty) {
            continue;
        }
        r = block_write_span(block, database, host, block_host_put);
        r = r < 0 ? r : block_write_span(block, database, host, block_host_span);
        if (r < 0) {
            return r;
        }
        host->is_dirty = false;
    }
    return 0;
}

int block_write(struct block *block, struct database *database, ZSTD_CCtx *packer,
                struct buf *scratch)
{
    size_t body;
    int r;

    buf_reset(scratch);
    r = block_compress(block, packer, scratch);
    if (r < 0) {
        return r;
    }
    body = scratch->len;
    filter_write(&block->trigrams, scratch);
    if (buf_error(scratch) < 0) {
        return buf_error(scratch);
    }
    r = block_write_row(block, database, str_slice(buf_str(scratch), 0, body),
                        str_slice(buf_str(scratch), body, scratch->len));
    r = r < 0 ? r : block_write_hosts(block, database);
    if (r == 0) {
        block->is_dirty = false;
    }
    return r;
}

int block_read_packed(struct database *database, int64_t number, uint64_t *ret_bytes,
                      struct buf *ret_body)
{
    CLEANUP(query_done) struct query query = {0};
    struct str body;
    int r;

    query_init(&query, database, "SELECT bytes, body FROM blocks WHERE number = ?1");
    query_bind_i64(&query, 1, number);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    *ret_bytes = query_u64(&query, 0);
    body = query_bytes(&query, 1);
    buf_reset(ret_body);
    return query.error < 0 ? query.error : buf_put_str(ret_body, body);
}

int block_unpack(struct str body, uint64_t bytes, struct buf *ret_raw)
{
    size_t len;
    char *out;

    if (bytes > ARCHIVE_BLOCK_LIMIT) {
        return -ERR_CORRUPT;
    }
    buf_reset(ret_raw);
    out = buf_reserve(ret_raw, bytes);
    if (out == NULL) {
        return buf_error(ret_raw);
    }
    len = ZSTD_decompress(out, bytes, body.ptr, body.len);
    if (ZSTD_isError(len) || len != bytes) {
        return -ERR_CORRUPT;
    }
    buf_commit(ret_raw, len);
    return 0;
}

int block_read(struct database *database, int64_t number, struct buf *ret_raw)
{
    CLEANUP(buf_done) struct buf body;
    uint64_t bytes = 0;
    int r;

    buf_init(&body, ARCHIVE_BODY_LIMIT);
    r = block_read_packed(database, number, &bytes, &body);
    return r < 0 ? r : block_unpack(buf_str(&body), bytes, ret_raw);
}

int block_find_last(struct database *database, size_t room, int64_t *ret_number)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    *ret_number = 0;
    query_init(&query, database,
               "SELECT number, count, bytes FROM blocks ORDER BY number DESC LIMIT 1");
    r = query_next(&query);
    if (r <= 0) {
        return r;
    }
    if (query_u64(&query, 1) < room && query_u64(&query, 2) < ARCHIVE_BLOCK_BYTES) {
        *ret_number = query_i64(&query, 0);
    }
    return query.error;
}

int block_load(struct block *block, struct database *database, int64_t number, struct buf *scratch,
               struct buf *folded)
{
    struct cbor_reader reader;
    struct archive_key key;
    struct event event;
    int r = block_read(database, number, scratch);

    if (r < 0) {
        return r;
    }
    cbor_open(&reader, buf_str(scratch));
    while ((r = block_next(&reader, &key, &event)) > 0) {
        r = block->count >= block->room || block->host_count >= ARCHIVE_BLOCK_HOSTS
                ? -ERR_CORRUPT
                : block_note(block, &key, &event, folded);
        if (r < 0) {
            return r;
        }
    }
    r = r < 0 ? r : buf_put_str(&block->raw, buf_str(scratch));
    for (size_t i = 0; i < block->host_count; i++) {
        block->hosts[i].is_dirty = false; /* the file has them */
    }
    block->number = number;
    return r;
}
