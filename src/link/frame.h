/* Frames between an agent and its centre: bytes ↔ struct frame, pure. What the payloads mean is in
 * link/message.h; docs/wire.md holds the same for readers of other languages.
 *
 * A header of 20 bytes, numbers in network order: magic "CGf1" (4), version (1), type (1), flags
 * (2), payload length (4), sequence (8). Then the payload, compressed with zstd when flag bit 0
 * says so. */
#ifndef LINK_FRAME_H
#define LINK_FRAME_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define FRAME_VERSION     1
#define FRAME_HEADER_SIZE 20
#define FRAME_PAYLOAD_MAX (1U << 20) /* as it travels */
#define FRAME_CONTENT_MAX (4U << 20) /* after decompression */
#define FRAME_WINDOW_LOG  20         /* zstd window: 1 MiB at most */
#define FRAME_FLAG_ZSTD   1U

enum frame_type {
    FRAME_TYPE_HELLO =
        1, /* agent → centre: first frame of a connection. sequence: last record in the spool */
    FRAME_TYPE_ACK,    /* centre → agent: committed. sequence: highest record that is; answers HELLO
                          too */
    FRAME_TYPE_BATCH,  /* agent → centre: records. sequence: of the last one */
    FRAME_TYPE_ACTION, /* centre → agent: one action_request. sequence: 0 */
    FRAME_TYPE_PING,   /* either: are you there. sequence: any */
    FRAME_TYPE_PONG,   /* the answer, with the same sequence */
    FRAME_TYPE_BYE,    /* either: last frame, with a reason. sequence: enum link_bye */
    FRAME_TYPE_ENROL,  /* agent → centre over canhgac-enrol/1: token and certificate request.
                          sequence: 0 */
    FRAME_TYPE_ENROLLED, /* centre → agent: host id and certificate. sequence: 0 */
    FRAME_TYPE_END,
};

struct frame {
    enum frame_type type;
    unsigned flags;
    uint64_t sequence;
    struct str payload; /* as it travelled; borrows the bytes that were read */
};

/* What compressing needs, kept from frame to frame. Begins as zeroes. */
struct frame_packer {
    void *context;
};
void frame_packer_done(struct frame_packer *packer);

/* Appends one frame; content is compressed when it is longer than a few hundred bytes and that
 * helps. packer: NULL for one of its own. -ERR_LIMIT past FRAME_CONTENT_MAX, or when it stays
 * longer than FRAME_PAYLOAD_MAX; the buf is unchanged then. */
[[nodiscard]] int frame_write(struct buf *buf, struct frame_packer *packer, enum frame_type type,
                              uint64_t sequence, struct str content);

/* One frame from the front of bytes. *ret_size: bytes it takes, 0 when more are needed. -ERR_PROTO
 * for what is no frame, -ERR_VERSION for another version, -ERR_LIMIT for a length past the limit:
 * all before the payload has arrived. */
[[nodiscard]] int frame_read(struct str bytes, struct frame *ret_frame, size_t *ret_size);

/* The content of a frame: the payload itself, or decompressed into scratch (emptied first), whose
 * own limit holds too. -ERR_CORRUPT, -ERR_LIMIT. */
[[nodiscard]] int frame_content(const struct frame *frame, struct buf *scratch,
                                struct str *ret_content);

#endif
