/* The counts behind a source's sparkline. Neighbours: core/source.c adds, sqlite/logsource.c keeps,
 * api/source.c shows. Invariant: a clock that was set back overwrites nothing that is newer. */
#include "store/tally.h"

#include "base/banned.h"

void tally_read(struct str bytes, struct tally *ret_tally)
{
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    const uint8_t *end = at + bytes.len;
    struct tally tally = {0};
    uint64_t last = 0;

    *ret_tally = tally;
    if (bytes.len < 8) {
        return;
    }
    for (size_t i = 0; i < 8; i++) {
        last = last << 8 | *at++;
    }
    tally.last = (int64_t)(last & INT64_MAX);
    for (size_t i = 0; i < TALLY_COUNT; i++) {
        uint64_t count = 0;
        unsigned shift = 0;

        do {
            if (at == end || shift > 28) {
                return;
            }
            count |= (uint64_t)(*at & 0x7f) << shift;
            shift += 7;
        } while ((*at++ & 0x80) != 0);
        tally.counts[i] = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
    }
    if (at == end) {
        *ret_tally = tally;
    }
}

static void tally_shift(struct tally *tally, int64_t span)
{
    int64_t by = span - tally->last;
    size_t kept = by < TALLY_COUNT ? (size_t)(TALLY_COUNT - by) : 0;

    if (tally->last == 0) {
        kept = 0;
    }
    memmove(tally->counts, tally->counts + (TALLY_COUNT - kept), kept * sizeof(tally->counts[0]));
    memset(tally->counts + kept, 0, (TALLY_COUNT - kept) * sizeof(tally->counts[0]));
    tally->last = span;
}

void tally_turn(struct tally *tally, int64_t time)
{
    int64_t span = time / TALLY_SPAN_NS;

    if (tally->last != 0 && span > tally->last) {
        tally_shift(tally, span);
    }
}

void tally_add(struct tally *tally, int64_t time, uint64_t count)
{
    int64_t span = time / TALLY_SPAN_NS;
    uint32_t *at;

    if (span <= 0 || (tally->last != 0 && span <= tally->last - TALLY_COUNT)) {
        return;
    }
    if (span > tally->last) {
        tally_shift(tally, span);
    }
    at = &tally->counts[TALLY_COUNT - 1 - (tally->last - span)];
    *at = count < UINT32_MAX - *at ? *at + (uint32_t)count : UINT32_MAX;
}

size_t tally_write(const struct tally *tally, uint8_t out[TALLY_SIZE_MAX])
{
    size_t len = 0;

    while (len < 8) {
        out[len] = (uint8_t)((uint64_t)tally->last >> (56 - 8 * len));
        len++;
    }
    for (size_t i = 0; i < TALLY_COUNT; i++) {
        uint32_t count = tally->counts[i];

        while (count > 0x7f) {
            out[len++] = (uint8_t)(count | 0x80);
            count >>= 7;
        }
        out[len++] = (uint8_t)count;
    }
    return len;
}
