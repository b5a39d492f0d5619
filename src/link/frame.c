/* Frames: see link/frame.h. The header is checked before any payload is waited for, so a peer that
 * speaks another protocol is told at once, and what decompression may cost is bounded by window and
 * size. */
#include "link/frame.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <assert.h>
#include <endian.h>
#include <zstd.h>
#include <zstd_errors.h>

#define FRAME_MAGIC         "CGf1"
#define FRAME_COMPRESS_FROM 256
#define FRAME_LEVEL         (-1) /* 3 takes up to four times as long for a fifth less of logs */

struct frame_header {
    char magic[4];
    uint8_t version;
    uint8_t type;
    uint16_t flags;
    uint32_t length;
    uint64_t sequence;
} __attribute__((packed));

static_assert(sizeof(struct frame_header) == FRAME_HEADER_SIZE, "as docs/wire.md has it");

void frame_packer_done(struct frame_packer *packer)
{
    (void)ZSTD_freeCCtx(packer->context);
    packer->context = NULL;
}

static ZSTD_CCtx *frame_packer_context(struct frame_packer *packer)
{
    if (packer->context == NULL) {
        packer->context = ZSTD_createCCtx();
    }
    return packer->context;
}

/* Compresses content behind the header's place in buf. 0 when that did not make it smaller. */
static size_t frame_compress(struct buf *buf, struct frame_packer *packer, struct str content)
{
    CLEANUP(frame_packer_done) struct frame_packer own = {0};
    size_t room = ZSTD_compressBound(content.len);
    char *out = buf_reserve(buf, FRAME_HEADER_SIZE + room);
    ZSTD_CCtx *context = out == NULL ? NULL : frame_packer_context(packer != NULL ? packer : &own);
    size_t size = 0;

    if (context == NULL) {
        return 0;
    }
    if (!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, FRAME_LEVEL)) &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, FRAME_WINDOW_LOG))) {
        size = ZSTD_compress2(context, out + FRAME_HEADER_SIZE, room, content.ptr, content.len);
    }
    return ZSTD_isError(size) || size >= content.len ? 0 : size;
}

int frame_write(struct buf *buf, struct frame_packer *packer, enum frame_type type,
                uint64_t sequence, struct str content)
{
    struct frame_header header = {
        .version = FRAME_VERSION, .type = (uint8_t)type, .sequence = htobe64(sequence)};
    size_t compressed = 0;
    size_t length;
    char *out;

    if (content.len > FRAME_CONTENT_MAX) {
        return -ERR_LIMIT;
    }
    if (content.len >= FRAME_COMPRESS_FROM) {
        compressed = frame_compress(buf, packer, content);
        if (buf_error(buf) < 0) {
            return buf_error(buf);
        }
    }
    length = compressed != 0 ? compressed : content.len;
    if (length > FRAME_PAYLOAD_MAX) {
        return -ERR_LIMIT;
    }
    out = buf_reserve(buf, FRAME_HEADER_SIZE + length);
    if (out == NULL) {
        return buf_error(buf);
    }
    memcpy(header.magic, FRAME_MAGIC, sizeof(header.magic));
    header.flags = htobe16(compressed != 0 ? FRAME_FLAG_ZSTD : 0);
    header.length = htobe32((uint32_t)length);
    memcpy(out, &header, sizeof(header));
    if (compressed == 0 && length != 0) {
        memcpy(out + FRAME_HEADER_SIZE, content.ptr, length);
    }
    buf_commit(buf, FRAME_HEADER_SIZE + length);
    return 0;
}

int frame_read(struct str bytes, struct frame *ret_frame, size_t *ret_size)
{
    struct frame_header header = {0};
    size_t have = bytes.len < sizeof(header) ? bytes.len : sizeof(header);
    size_t magic = have < sizeof(header.magic) ? have : sizeof(header.magic);
    uint32_t length;

    if (have != 0) {
        memcpy(&header, bytes.ptr, have);
    }
    if (memcmp(header.magic, FRAME_MAGIC, magic) != 0) {
        return -ERR_PROTO;
    }
    if (have > offsetof(struct frame_header, version) && header.version != FRAME_VERSION) {
        return -ERR_VERSION;
    }
    if (have < sizeof(header)) {
        *ret_size = 0;
        return 0;
    }
    length = be32toh(header.length);
    if (header.type == 0 || header.type >= FRAME_TYPE_END ||
        (be16toh(header.flags) & ~FRAME_FLAG_ZSTD) != 0) {
        return -ERR_PROTO;
    }
    if (length > FRAME_PAYLOAD_MAX) {
        return -ERR_LIMIT;
    }
    *ret_size = 0;
    if (bytes.len - sizeof(header) >= length) {
        *ret_frame = (struct frame){.type = header.type,
                                    .flags = be16toh(header.flags),
                                    .sequence = be64toh(header.sequence),
                                    .payload = str_of(bytes.ptr + sizeof(header), length)};
        *ret_size = sizeof(header) + length;
    }
    return 0;
}

/* All at once, into as much room as the payload says it needs: no window is kept. */
static int frame_decompress_known(ZSTD_DCtx *context, struct str payload, size_t size,
                                  struct buf *scratch)
{
    void *out = buf_reserve(scratch, size);
    size_t len;

    if (out == NULL) {
        return buf_error(scratch);
    }
    if (ZSTD_findFrameCompressedSize(payload.ptr, payload.len) != payload.len) {
        return -ERR_CORRUPT;
    }
    len = ZSTD_decompressDCtx(context, out, size, payload.ptr, payload.len);
    if (ZSTD_isError(len) || len != size) {
        return -ERR_CORRUPT;
    }
    buf_commit(scratch, len);
    return 0;
}

static int frame_decompress(ZSTD_DCtx *context, struct str payload, struct buf *scratch)
{
    ZSTD_inBuffer in = {payload.ptr, payload.len, 0};
    size_t limit = scratch->limit < FRAME_CONTENT_MAX ? scratch->limit : FRAME_CONTENT_MAX;
    unsigned long long size = ZSTD_getFrameContentSize(payload.ptr, payload.len);
    size_t piece = ZSTD_DStreamOutSize();
    size_t left = 1;

    if (size != 0 && size <= limit) {
        return frame_decompress_known(context, payload, (size_t)size, scratch);
    }
    if (ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, FRAME_WINDOW_LOG))) {
        return -ERR_NOMEM;
    }
    while (left != 0) {
        size_t room = limit - scratch->len;
        ZSTD_outBuffer out = {NULL, room < piece ? room : piece, 0};

        if (room == 0) {
            return -ERR_LIMIT;
        }
        out.dst = buf_reserve(scratch, out.size);
        if (out.dst == NULL) {
            return buf_error(scratch);
        }
        left = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(left)) {
            return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ERR_NOMEM
                                                                           : -ERR_CORRUPT;
        }
        buf_commit(scratch, out.pos);
        if (left != 0 && in.pos == in.size && out.pos < out.size) {
            return -ERR_CORRUPT;
        }
    }
    return in.pos == in.size ? 0 : -ERR_CORRUPT;
}

int frame_content(const struct frame *frame, struct buf *scratch, struct str *ret_content)
{
    ZSTD_DCtx *context;
    int r;

    if ((frame->flags & FRAME_FLAG_ZSTD) == 0) {
        *ret_content = frame->payload;
        return 0;
    }
    context = ZSTD_createDCtx();
    if (context == NULL) {
        return -ERR_NOMEM;
    }
    buf_reset(scratch);
    r = frame_decompress(context, frame->payload, scratch);
    ZSTD_freeDCtx(context);
    if (r == 0) {
        *ret_content = buf_str(scratch);
    }
    return r;
}
