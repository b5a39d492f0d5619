/* Pictures: PNG by its check sums, JPEG by the marker rule inside its scans, GIF by its chain of
 * blocks. Random bytes break each of the three within a few hundred bytes. On its way: container.c
 * → here. */
#include "codec/container_part.h"

#include "base/banned.h"

#define PIECE_SIZE        4096U
#define PNG_CHUNKS_MAX    4096
#define JPEG_SEGMENTS_MAX 512
#define JPEG_WINDOW       65536U
#define JPEG_BAD_MAX      3
#define GIF_BLOCKS_MAX    65536
#define CRC_BYTES_MAX     (1U << 20)

static bool png_is_chunk_sound(struct container_view *view, uint64_t at, uint32_t len)
{
    uint8_t piece[PIECE_SIZE];
    uint64_t left = (uint64_t)len + 4; /* the type is under the check sum too */
    uint32_t crc = 0;

    at += 4;
    while (left != 0) {
        size_t want = left < sizeof(piece) ? (size_t)left : sizeof(piece);

        if (!container_get(view, at, piece, want)) {
            return false;
        }
        crc = container_crc32(crc, piece, want);
        at += want;
        left -= want;
    }
    return container_get(view, at, piece, 4) && container_be32(piece) == crc;
}

static bool png_is_type(const uint8_t *type)
{
    for (int i = 0; i < 4; i++) {
        if ((type[i] | 0x20) < 'a' || (type[i] | 0x20) > 'z') {
            return false;
        }
    }
    return true;
}

enum container_state container_inspect_png(struct container_view *view)
{
    uint64_t at = 8;
    uint64_t summed = 0;

    for (unsigned i = 0; i < PNG_CHUNKS_MAX; i++) {
        uint8_t header[8];
        uint32_t len;

        if (!container_get(view, at, header, sizeof(header))) {
            return CONTAINER_STATE_DAMAGED;
        }
        len = container_be32(header);
        if (len > INT32_MAX || !png_is_type(header + 4) ||
            (i == 0 && memcmp(header + 4, "IHDR", 4) != 0)) {
            return CONTAINER_STATE_DAMAGED;
        }
        if (summed + len <= CRC_BYTES_MAX || i == 0) {
            if (len > CRC_BYTES_MAX || !png_is_chunk_sound(view, at, len)) {
                return CONTAINER_STATE_DAMAGED;
            }
            summed += len;
        }
        if (memcmp(header + 4, "IEND", 4) == 0) {
            return summed + len >= at / 2 ? CONTAINER_STATE_SOUND : CONTAINER_STATE_SHALLOW;
        }
        at += 12 + (uint64_t)len;
    }
    return CONTAINER_STATE_SHALLOW;
}

/* Walks the segments up to the first scan; where its data begin, or 0. */
static uint64_t jpeg_find_scan(struct container_view *view)
{
    uint64_t at = 2;

    for (unsigned i = 0; i < JPEG_SEGMENTS_MAX; i++) {
        uint8_t segment[4];

        if (!container_get(view, at, segment, sizeof(segment)) || segment[0] != 0xff) {
            return 0;
        }
        if (segment[1] == 0xff) { /* fill */
            at++;
            continue;
        }
        if (segment[1] < 0xc0 || segment[1] == 0xd9 || container_be16(segment + 2) < 2) {
            return 0;
        }
        at += 2U + container_be16(segment + 2);
        if (segment[1] == 0xda) {
            return at;
        }
    }
    return 0;
}

/* In a scan 0xff is followed by 0, a restart marker or the next segment; in random bytes three
 * times in four by something else. Counts that, up to the picture's end. */
static unsigned jpeg_count_bad(const uint8_t *bytes, size_t len, bool *ret_is_end)
{
    unsigned bad = 0;

    for (size_t i = 0; i + 1 < len; i++) {
        if (bytes[i] != 0xff) {
            continue;
        }
        if (bytes[i + 1] == 0xd9) {
            *ret_is_end = true;
            return bad;
        }
        bad += (bytes[i + 1] >= 1 && bytes[i + 1] < 0xc0) ||
               (bytes[i + 1] >= 0xf0 && bytes[i + 1] < 0xfe);
    }
    return bad;
}

enum container_state container_inspect_jpeg(struct container_view *view)
{
    uint8_t piece[PIECE_SIZE];
    uint64_t at = jpeg_find_scan(view);
    bool is_end = false;
    unsigned bad = 0;
    size_t in_window = 0;

    if (at == 0) {
        return CONTAINER_STATE_DAMAGED;
    }
    while (!is_end) {
        size_t len = container_get_some(view, at, piece, sizeof(piece));

        if (len < 2) {
            break;
        }
        bad += jpeg_count_bad(piece, len, &is_end);
        if (bad > JPEG_BAD_MAX) {
            return CONTAINER_STATE_DAMAGED;
        }
        in_window += len;
        if (in_window >= JPEG_WINDOW) { /* a segment between scans may hold a few such pairs */
            in_window = 0;
            bad = 0;
        }
        at += len - 1;
    }
    return is_end ? CONTAINER_STATE_SOUND : CONTAINER_STATE_SHALLOW;
}

/* Skips a chain of sub-blocks; where it ends, or 0. A chain of pixels is cut into equal lengths but
 * for the last: without that rule one that was lost in noise finds its way back by chance. */
static uint64_t gif_skip_blocks(struct container_view *view, uint64_t at, bool is_pixels,
                                unsigned *blocks)
{
    uint8_t full = 0;
    bool is_last = false;

    for (; *blocks < GIF_BLOCKS_MAX; (*blocks)++) {
        uint8_t len;

        if (!container_get(view, at, &len, 1)) {
            return 0;
        }
        at += 1U + len;
        if (len == 0) {
            return at;
        }
        full = full == 0 ? len : full;
        if (is_pixels && (is_last || len > full)) {
            return 0;
        }
        is_last = len < full;
    }
    return 0;
}

static uint64_t gif_table_size(uint8_t flags)
{
    return (flags & 0x80) != 0 ? 3ULL << ((flags & 7) + 1) : 0;
}

enum container_state container_inspect_gif(struct container_view *view)
{
    const uint8_t *head = (const uint8_t *)view->head.ptr;
    unsigned blocks = 0;
    uint64_t at;

    if (view->head.len < 14) {
        return CONTAINER_STATE_DAMAGED;
    }
    at = 13 + gif_table_size(head[10]);
    while (blocks < GIF_BLOCKS_MAX) {
        uint8_t part[10];

        blocks++;
        if (!container_get(view, at, part, 1)) {
            return CONTAINER_STATE_DAMAGED;
        }
        if (part[0] == 0x3b) {
            return CONTAINER_STATE_SOUND;
        }
        if (part[0] == 0x21) {
            at = gif_skip_blocks(view, at + 2, false, &blocks);
        } else if (part[0] == 0x2c && container_get(view, at, part, sizeof(part))) {
            at = gif_skip_blocks(view, at + 11 + gif_table_size(part[9]), true, &blocks);
        } else {
            return CONTAINER_STATE_DAMAGED;
        }
        if (at == 0) {
            return blocks >= GIF_BLOCKS_MAX ? CONTAINER_STATE_SHALLOW : CONTAINER_STATE_DAMAGED;
        }
    }
    return CONTAINER_STATE_SHALLOW;
}
