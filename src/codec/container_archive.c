/* Archives and compressed streams: heads, tails, check sums and the flags that say "encrypted".
 * On its way: container.c → here; what is PACKED goes on to the scanner's decompressor. */
#include "codec/container_part.h"

#include "base/banned.h"

#define ZIP_TAIL_MAX        (65535U + 22U)
#define ZIP_ENTRIES_MAX     4096
#define ZIP_FOLDERS_MAX     64
#define TAR_ENTRIES_MAX     64
#define SEVENZIP_HEADER_MAX (1U << 20)

static const uint8_t *head_bytes(const struct container_view *view)
{
    return (const uint8_t *)view->head.ptr;
}

/* Finds the end record from behind; its offset, or UINT64_MAX. */
static uint64_t zip_find_end(struct container_view *view, uint8_t end[22])
{
    uint8_t tail[4096];
    uint64_t size = view->source->size;
    uint64_t floor = size > ZIP_TAIL_MAX ? size - ZIP_TAIL_MAX : 0;
    uint64_t at = size;

    while (at > floor) {
        uint64_t from = at - floor > sizeof(tail) - 21 ? at - (sizeof(tail) - 21) : floor;
        size_t len = container_get_some(view, from, tail, sizeof(tail));

        for (size_t i = len; i >= 22; i--) {
            if (memcmp(tail + i - 22, "PK\5\6", 4) == 0) {
                memcpy(end, tail + i - 22, 22);
                return from + i - 22;
            }
        }
        at = from;
    }
    return UINT64_MAX;
}

static bool zip_is_local(struct container_view *view, uint64_t offset, bool *ret_is_encrypted)
{
    uint8_t local[30];

    if (!container_get(view, offset, local, sizeof(local)) || memcmp(local, "PK\3\4", 4) != 0) {
        return false;
    }
    *ret_is_encrypted = *ret_is_encrypted || (local[6] & 1) != 0;
    return container_le16(local + 8) <= 99 && container_le16(local + 26) <= 4096;
}

/* The central directory, entry by entry; the local header of the first ones and then of every 16th.
 */
static enum container_state zip_inspect_directory(struct container_view *view, uint64_t at,
                                                  uint64_t end, unsigned count)
{
    bool is_encrypted = false;
    unsigned seen;

    for (seen = 0; seen < count && seen < ZIP_ENTRIES_MAX; seen++) {
        uint8_t entry[46];
        uint32_t local;

        if (at >= end || !container_get(view, at, entry, sizeof(entry)) ||
            memcmp(entry, "PK\1\2", 4) != 0) {
            return is_encrypted ? CONTAINER_STATE_ENCRYPTED : CONTAINER_STATE_DAMAGED;
        }
        is_encrypted = is_encrypted || (entry[8] & 1) != 0;
        local = container_le32(entry + 42);
        if ((seen < 8 || seen % 16 == 0) && local != UINT32_MAX &&
            !zip_is_local(view, local, &is_encrypted)) {
            return is_encrypted ? CONTAINER_STATE_ENCRYPTED : CONTAINER_STATE_DAMAGED;
        }
        at += 46U + container_le16(entry + 28) + container_le16(entry + 30) +
              container_le16(entry + 32);
    }
    return is_encrypted ? CONTAINER_STATE_ENCRYPTED : CONTAINER_STATE_PACKED;
}

/* Where there is no directory to go by, the first entry tells. */
static enum container_state zip_inspect_first(struct container_view *view)
{
    bool is_encrypted = false;

    if (!zip_is_local(view, 0, &is_encrypted)) {
        return CONTAINER_STATE_DAMAGED;
    }
    return is_encrypted ? CONTAINER_STATE_ENCRYPTED : CONTAINER_STATE_PACKED;
}

bool container_is_encrypted_zip_head(struct str head)
{
    for (unsigned seen = 0; seen < ZIP_FOLDERS_MAX && head.len >= 30; seen++) {
        const uint8_t *local = (const uint8_t *)head.ptr;

        if (!str_has_prefix(head, STR("PK\3\4"))) {
            return false;
        }
        if ((local[6] & 1) != 0) {
            return true;
        }
        if ((local[6] & 8) != 0 || container_le32(local + 18) != 0) { /* it has content, in clear */
            return false;
        }
        head = str_slice(head, 30U + container_le16(local + 26) + container_le16(local + 28),
                         head.len);
    }
    return false;
}

enum container_state container_inspect_zip(struct container_view *view)
{
    uint8_t end[22];
    uint64_t end_at = zip_find_end(view, end);
    uint64_t at;

    if (end_at == UINT64_MAX) { /* being written, or cut */
        return zip_inspect_first(view);
    }
    if (container_le16(end + 10) == 0) {
        return end_at == 0 ? CONTAINER_STATE_SOUND : CONTAINER_STATE_DAMAGED;
    }
    at = container_le32(end + 16);
    if (at == UINT32_MAX) { /* zip64: the local header at the front stands for the directory */
        return zip_inspect_first(view);
    }
    return zip_inspect_directory(view, at, end_at, container_le16(end + 10));
}

/* The header at the end, plain or itself packed, with its check sum; the AES coder's number in it.
 */
static enum container_state sevenzip_inspect_header(struct container_view *view, uint64_t at,
                                                    uint64_t len, uint32_t crc)
{
    static const struct str aes = {"\x06\xf1\x07\x01", 4};
    uint8_t piece[4096];
    uint32_t actual = 0;
    bool is_encrypted = false;
    size_t kept = 0;

    while (len != 0) {
        size_t want = len < sizeof(piece) - kept ? (size_t)len : sizeof(piece) - kept;

        if (!container_get(view, at, piece + kept, want)) {
            return CONTAINER_STATE_DAMAGED;
        }
        actual = container_crc32(actual, piece + kept, want);
        is_encrypted =
            is_encrypted || str_find(str_of((const char *)piece, kept + want), aes) != kept + want;
        at += want;
        len -= want;
        want += kept;
        kept = want < 3 ? want : 3; /* the number may straddle two pieces */
        memmove(piece, piece + want - kept, kept);
    }
    if (actual != crc) {
        return CONTAINER_STATE_DAMAGED;
    }
    return is_encrypted ? CONTAINER_STATE_ENCRYPTED : CONTAINER_STATE_PACKED;
}

enum container_state container_inspect_sevenzip(struct container_view *view)
{
    const uint8_t *head = head_bytes(view);
    uint64_t size = view->source->size;
    uint64_t offset;
    uint64_t len;

    if (view->head.len < 32 || container_crc32(0, head + 12, 20) != container_le32(head + 8)) {
        return CONTAINER_STATE_DAMAGED;
    }
    offset = container_le64(head + 12);
    len = container_le64(head + 20);
    if (offset > size - 32 || len > size - 32 - offset || len > SEVENZIP_HEADER_MAX) {
        return CONTAINER_STATE_DAMAGED;
    }
    return len == 0 ? CONTAINER_STATE_SOUND
                    : sevenzip_inspect_header(view, 32 + offset, len, container_le32(head + 28));
}

enum container_state container_inspect_gzip(struct container_view *view)
{
    const uint8_t *head = head_bytes(view);

    return view->head.len >= 18 && head[2] == 8 && (head[3] & 0xe0) == 0 ? CONTAINER_STATE_PACKED
                                                                         : CONTAINER_STATE_DAMAGED;
}

/* Its two bytes say little; only unpacking tells. */
enum container_state container_inspect_zlib(struct container_view *view)
{
    return view->head.len >= 8 ? CONTAINER_STATE_PACKED : CONTAINER_STATE_NONE;
}

enum container_state container_inspect_xz(struct container_view *view)
{
    const uint8_t *head = head_bytes(view);

    return view->head.len >= 12 && container_crc32(0, head + 6, 2) == container_le32(head + 8)
               ? CONTAINER_STATE_PACKED
               : CONTAINER_STATE_DAMAGED;
}

enum container_state container_inspect_zstd(struct container_view *view)
{
    const uint8_t *head = head_bytes(view);

    /* Bit 3 of the frame header is reserved and must be zero. */
    return view->head.len >= 9 && (head[4] & 0x08) == 0 ? CONTAINER_STATE_PACKED
                                                        : CONTAINER_STATE_DAMAGED;
}

enum container_state container_inspect_bzip2(struct container_view *view)
{
    const uint8_t *head = head_bytes(view);

    if (view->head.len < 14 || head[3] < '1' || head[3] > '9') {
        return CONTAINER_STATE_DAMAGED;
    }
    return memcmp(head + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
                   memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0
               ? CONTAINER_STATE_PACKED
               : CONTAINER_STATE_DAMAGED;
}

static bool tar_number(const uint8_t *field, size_t len, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t i = 0;

    if ((field[0] & 0x80) != 0) { /* base-256, for what does not fit in octal */
        value = field[0] & 0x7fU;
        for (i = 1; i < len; i++) {
            if (value >> 55 != 0) {
                return false;
            }
            value = value << 8 | field[i];
        }
        *ret_value = value;
        return true;
    }
    while (i < len && field[i] == ' ') {
        i++;
    }
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    *ret_value = value;
    return i == len || field[i] == '\0' || field[i] == ' ';
}

static bool tar_is_header(const uint8_t block[512], uint64_t *ret_size)
{
    uint64_t stored;
    uint64_t sum = 0;

    for (unsigned i = 0; i < 512; i++) {
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    }
    return tar_number(block + 148, 8, &stored) && stored == sum &&
           tar_number(block + 124, 12, ret_size);
}

/* Headers are checked, contents cannot be: SHALLOW at best. */
enum container_state container_inspect_tar(struct container_view *view)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < TAR_ENTRIES_MAX && at < view->source->size; i++) {
        uint8_t block[512];
        uint64_t size;

        if (!container_get(view, at, block, sizeof(block))) {
            break;
        }
        if (block[0] == 0 && memcmp(block, block + 1, sizeof(block) - 1) == 0) {
            break;
        }
        if (!tar_is_header(block, &size)) {
            return CONTAINER_STATE_DAMAGED;
        }
        if (size > view->source->size) {
            break;
        }
        at += 512 + (size + 511) / 512 * 512;
    }
    return CONTAINER_STATE_SHALLOW;
}
