/* A sorted array that is merged with each look's sorted hashes. Neighbours: profile.c owns the
 * sets, diff.c asks them. */
#include "detect/deface/items.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"

#define MEAN_LOOKS    32
#define FADED         655U /* one in a hundred looks */
#define ITEM_SIZE     8    /* encoded */
#define FILTER_PROBES 3
#define FILTER_FULL                                                                                \
    3000 /* things, at which one in twelve unknown ones would be taken for known                   \
          */

void items_init(struct items *items, size_t limit)
{
    *items = (struct items){.limit = limit};
}

void items_done(struct items *items)
{
    mem_free(items->rows);
    mem_free(items->filter);
    items_init(items, items->limit);
}

/* Halves without a branch: which half a hash is in is anybody's guess. */
const struct item *items_find(const struct items *items, uint32_t hash)
{
    const struct item *row = items->rows;

    for (size_t left = items->count; left > 1;) {
        size_t half = left / 2;

        row = row[half - 1].hash < hash ? row + half : row;
        left -= half;
    }
    return items->count != 0 && row->hash == hash ? row : NULL;
}

static size_t filter_bit(uint32_t hash, unsigned probe)
{
    uint32_t mixed = (hash ^ hash >> 15) * (2 * 0x9e3779b1U * probe + 0x85ebca6bU);

    return (mixed ^ mixed >> 13) % (ITEMS_FILTER_BYTES * 8);
}

static bool filter_has(const uint8_t *filter, uint32_t hash)
{
    for (unsigned probe = 0; probe < FILTER_PROBES; probe++) {
        size_t bit = filter_bit(hash, probe);

        if ((filter[bit / 8] & 1U << bit % 8) == 0) {
            return false;
        }
    }
    return true;
}

bool items_has(const struct items *items, uint32_t hash)
{
    return items_find(items, hash) != NULL ||
           (items->filter != NULL && filter_has(items->filter, hash));
}

static void hashes_sort_byte(const uint32_t *hashes, size_t count, unsigned shift, uint32_t *out)
{
    size_t places[256] = {0};
    size_t place = 0;

    for (size_t i = 0; i < count; i++) {
        places[hashes[i] >> shift & 0xff]++;
    }
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        size_t have = places[i];

        places[i] = place;
        place += have;
    }
    for (size_t i = 0; i < count; i++) {
        out[places[hashes[i] >> shift & 0xff]++] = hashes[i];
    }
}

/* By each byte in turn, the lowest first: a page has thousands, and asking for each pair which is
 * less cost as much as making them. */
void hashes_sort(uint32_t *hashes, size_t count, uint32_t *room)
{
    for (unsigned shift = 0; count > 1 && shift < 32; shift += 16) {
        hashes_sort_byte(hashes, count, shift, room);
        hashes_sort_byte(room, count, shift + 8, hashes);
    }
}

/* Of sorted ones, each once. */
static size_t hashes_unique(uint32_t *hashes, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || hashes[i] != hashes[kept - 1]) {
            hashes[kept++] = hashes[i];
        }
    }
    return kept;
}

static uint16_t share_next(uint16_t share, bool is_there, uint32_t look)
{
    uint32_t over = look < MEAN_LOOKS ? look : MEAN_LOOKS;

    over = over != 0 ? over : 1;
    return (uint16_t)(is_there ? share + (ITEMS_SHARE_ONE - share) / over : share - share / over);
}

/* Both sides sorted; what has faded is left out. Returns how many were written. */
static size_t items_merge(const struct items *items, const uint32_t *hashes, size_t count,
                          uint32_t look, struct item *out)
{
    size_t written = 0;
    size_t at = 0;

    for (size_t i = 0; i < items->count || at < count;) {
        bool is_old = i < items->count && (at >= count || items->rows[i].hash <= hashes[at]);
        bool is_there = at < count && (!is_old || items->rows[i].hash == hashes[at]);
        struct item item = is_old ? items->rows[i] : (struct item){.hash = hashes[at]};

        item.share = share_next(item.share, is_there, look);
        item.last = is_there ? (uint16_t)look : item.last;
        if (is_there || item.share > FADED) {
            out[written++] = item;
        }
        i += is_old;
        at += is_there;
    }
    return written;
}

static void filter_put(struct items *items, uint32_t hash)
{
    if (items->filter == NULL) {
        return;
    }
    if (items->filtered >= FILTER_FULL) {
        memset(items->filter, 0, ITEMS_FILTER_BYTES);
        items->filtered = 0;
    }
    items->filtered += !filter_has(items->filter, hash);
    for (unsigned probe = 0; probe < FILTER_PROBES; probe++) {
        size_t bit = filter_bit(hash, probe);

        items->filter[bit / 8] |= (uint8_t)(1U << bit % 8);
    }
}

/* Drops the weakest until the limit holds. shares: room for twice as many as there are rows. */
static void items_trim(struct items *items, uint32_t *shares)
{
    size_t excess = items->count - items->limit;
    size_t kept = 0;
    uint32_t border;
    size_t at_border = 0;

    for (size_t i = 0; i < items->count; i++) {
        shares[i] = items->rows[i].share;
    }
    hashes_sort(shares, items->count, shares + items->count);
    border = shares[excess - 1];
    for (size_t i = 0; i < excess; i++) {
        at_border += shares[i] == border;
    }
    for (size_t i = 0; i < items->count; i++) {
        const struct item *item = &items->rows[i];
        bool goes = item->share < border || (item->share == border && at_border != 0);

        at_border -= goes && item->share == border;
        if (goes) {
            filter_put(items, item->hash);
        } else {
            items->rows[kept++] = *item;
        }
    }
    items->count = kept;
}

int items_learn(struct items *items, uint32_t *hashes, size_t count, uint32_t look, bool has_filter)
{
    size_t room = items->count + count;
    struct item *rows = mem_alloc(room + 1, sizeof(*rows));
    uint32_t *shares = mem_alloc(2 * room + 1, sizeof(*shares));
    uint8_t *filter = NULL;
    size_t kept = 0;

    if (rows != NULL) {
        _Static_assert(sizeof(*rows) >= sizeof(*hashes), "rows lend the sort their room");
        hashes_sort(hashes, count, (uint32_t *)(void *)rows);
        kept = hashes_unique(hashes, count);
        room = items->count + kept;
    }

    if (has_filter && items->filter == NULL && room > items->limit) {
        filter = mem_alloc(1, ITEMS_FILTER_BYTES);
        if (filter == NULL) {
            mem_free(rows);
            rows = NULL;
        }
    }
    if (rows == NULL || shares == NULL) {
        mem_free(rows);
        mem_free(shares);
        mem_free(filter);
        return -ERR_NOMEM;
    }
    items->filter = filter != NULL ? filter : items->filter;
    room = items_merge(items, hashes, kept, look, rows);
    mem_free(items->rows);
    items->rows = rows;
    items->count = room;
    if (items->count > items->limit) {
        items_trim(items, shares);
    }
    mem_free(shares);
    return 0;
}

static void put_number(uint8_t *out, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint32_t get_number(const char *bytes, unsigned count)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < count; i++) {
        value |= (uint32_t)(unsigned char)bytes[i] << 8 * i;
    }
    return value;
}

/* Rows, the filter (empty: none), how much is in it. */
void items_encode(const struct items *items, struct buf *buf)
{
    uint8_t *rows = mem_alloc(items->count + 1, ITEM_SIZE);

    if (rows == NULL) {
        buf->error = buf->error != 0 ? buf->error : -ERR_NOMEM;
        return;
    }
    for (size_t i = 0; i < items->count; i++) {
        put_number(rows + i * ITEM_SIZE, items->rows[i].hash, 4);
        put_number(rows + i * ITEM_SIZE + 4, items->rows[i].share, 2);
        put_number(rows + i * ITEM_SIZE + 6, items->rows[i].last, 2);
    }
    cbor_put_array(buf, 3);
    cbor_put_bytes(buf, str_of((const char *)rows, items->count * ITEM_SIZE));
    cbor_put_bytes(
        buf, str_of((const char *)items->filter, items->filter != NULL ? ITEMS_FILTER_BYTES : 0));
    cbor_put_u64(buf, items->filtered);
    mem_free(rows);
}

static int items_decode_rows(struct items *items, struct str bytes)
{
    size_t count = bytes.len / ITEM_SIZE;

    if (bytes.len % ITEM_SIZE != 0) {
        return -ERR_SYNTAX;
    }
    if (count > items->limit) {
        return -ERR_LIMIT;
    }
    items->rows = mem_alloc(count + 1, sizeof(*items->rows));
    if (items->rows == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const char *row = bytes.ptr + i * ITEM_SIZE;

        items->rows[i] = (struct item){
            .hash = get_number(row, 4),
            .share = (uint16_t)get_number(row + 4, 2),
            .last = (uint16_t)get_number(row + 6, 2),
        };
        if (i != 0 && items->rows[i].hash <= items->rows[i - 1].hash) {
            return -ERR_SYNTAX;
        }
    }
    items->count = count;
    return 0;
}

int items_decode(struct items *items, struct cbor_reader *reader)
{
    size_t members = cbor_get_array(reader);
    struct str rows = cbor_get_bytes(reader);
    struct str filter = cbor_get_bytes(reader);
    uint64_t filtered = cbor_get_u64(reader);
    int r = reader->error;

    if (r == 0 && (members != 3 || (filter.len != 0 && filter.len != ITEMS_FILTER_BYTES) ||
                   filtered > FILTER_FULL)) {
        r = -ERR_SYNTAX;
    }
    if (r == 0) {
        r = items_decode_rows(items, rows);
    }
    if (r == 0 && filter.len != 0) {
        items->filter = (uint8_t *)mem_dup(filter.ptr, filter.len);
        r = items->filter != NULL ? 0 : -ERR_NOMEM;
    }
    items->filtered = filtered;
    if (r < 0) {
        cbor_fail(reader, r);
    }
    return r;
}
