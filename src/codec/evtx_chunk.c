/* The records of an EVTX chunk. The chunk's head is believed only where the records agree: what it
 * does not count is found by the records' own signatures, sizes and numbers, so that logs of
 * machines that lost power, and logs that somebody trimmed, are read to their end. */
#include "base/banned.h"
#include "codec/evtx_part.h"

#include <zlib.h>

#define RECORD_SIGNATURE 0x00002a2aU
#define RECORD_LEAST     (EVTX_RECORD_HEAD + 4)

static bool has_head(struct str chunk)
{
    return chunk.len >= EVTX_CHUNK_HEAD && memcmp(chunk.ptr, "ElfChnk", 8) == 0;
}

void evtx_walk_begin(struct evtx_walk *walk, struct str chunk)
{
    *walk = (struct evtx_walk){.chunk = (const uint8_t *)chunk.ptr, .size = chunk.len};
    if (!has_head(chunk)) {
        walk->used = chunk.len;
        walk->faults = ENTRY_FAULT_CHECKSUM;
        return;
    }
    walk->at = EVTX_CHUNK_HEAD;
    walk->id = evtx_u64(walk->chunk + 24) - 1;
    walk->used = evtx_u32(walk->chunk + 48);
    if (walk->used > EVTX_CHUNK_SIZE || walk->used < EVTX_CHUNK_HEAD) {
        walk->used = chunk.len;
    }
}

void evtx_walk_check(struct evtx_walk *walk)
{
    const uint8_t *head = walk->chunk;
    uLong sum;

    if (walk->faults != 0) {
        return;
    }
    sum = crc32(crc32(0, head, 120), head + 128, EVTX_CHUNK_HEAD - 128);
    if (walk->used > walk->size || sum != evtx_u32(head + 124) ||
        crc32(0, head + EVTX_CHUNK_HEAD, (uInt)(walk->used - EVTX_CHUNK_HEAD)) !=
            evtx_u32(head + 52)) {
        walk->faults = ENTRY_FAULT_CHECKSUM;
    }
}

/* Length of the record at `at`; 0: there is none. */
static size_t record_at(const struct evtx_walk *walk, size_t at)
{
    size_t size;

    if (walk->size - at < RECORD_LEAST || evtx_u32(walk->chunk + at) != RECORD_SIGNATURE) {
        return 0;
    }
    size = evtx_u32(walk->chunk + at + 4);
    if (size < RECORD_LEAST || size > walk->size - at ||
        evtx_u32(walk->chunk + at + size - 4) != size) {
        return 0;
    }
    return size;
}

/* Where the next record begins behind bytes that are none. */
static size_t find_record(const struct evtx_walk *walk)
{
    size_t at = walk->at;

    while (at < walk->size) {
        const uint8_t *found =
            memmem(walk->chunk + at, walk->size - at, "\x2a\x2a\0\0", sizeof(uint32_t));

        if (found == NULL) {
            break;
        }
        at = (size_t)(found - walk->chunk);
        if (record_at(walk, at) > 0) {
            return at;
        }
        at++;
    }
    return walk->size;
}

/* Bytes that are no record, up to the next one; false when they are only zeros. */
static bool take_garbage(struct evtx_walk *walk, struct evtx_stretch *ret_stretch)
{
    size_t from = walk->at;
    size_t end = find_record(walk);

    walk->at = end;
    while (end > from && walk->chunk[end - 1] == 0) {
        end--;
    }
    *ret_stretch = (struct evtx_stretch){from, end - from, false};
    return end > from;
}

bool evtx_walk_next(struct evtx_walk *walk, struct evtx_stretch *ret_stretch)
{
    while (walk->at < walk->size) {
        size_t size = record_at(walk, walk->at);
        uint64_t id = size > 0 ? evtx_u64(walk->chunk + walk->at + 8) : 0;

        /* Behind what is in use lies what an older round left: only a successor is of this one. */
        if (walk->at >= walk->used && (size == 0 || id != walk->id + 1)) {
            return false;
        }
        if (size > 0) {
            *ret_stretch = (struct evtx_stretch){walk->at, size, true};
            walk->at += size;
            walk->id = id;
            return true;
        }
        if (take_garbage(walk, ret_stretch)) {
            return true;
        }
    }
    return false;
}
