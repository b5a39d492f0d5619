/* One file of the spool: a header of fixed size, then records, each with a checksum over its head
 * and bytes. Used by link/spool*.c only. A header also carries the spool's state; the newest file's
 * holds, and it is written over in place (one disk sector), so that noting it needs no space. */
#ifndef LINK_SEGMENT_H
#define LINK_SEGMENT_H

#include "base/buf.h"
#include "base/str.h"
#include "model/record.h"

#include <stdbool.h>
#include <stdint.h>

#define SEGMENT_HEADER_SIZE 128
#define SEGMENT_HEAD_SIZE   24 /* of a record */
#define SEGMENT_NAME_SIZE   32
#define SPOOL_STATE_SIZE    56

#define SEGMENT_WINDOW      (256U << 10) /* bytes read at a time: the longest record fits */

struct spool_state {
    uint64_t base; /* sequences up to this were never given: appended = next - 1 - base + refused */
    uint64_t acked;   /* highest sequence the centre has */
    uint64_t sent;    /* highest sequence that may be with the centre */
    uint64_t refused; /* never got a sequence */
    uint64_t dropped; /* in segments that are gone */
    uint64_t torn;
    uint64_t
        removed; /* segments that begin at or below this are gone, their dropped counted above */
};

struct segment {
    uint64_t first;   /* sequence of its first record, given or to be given */
    uint64_t last;    /* of the last one it stands for; 0 while it is the newest */
    uint64_t dropped; /* sequences between that are dropped and not acknowledged */
    uint64_t size;    /* bytes in use */
    bool is_lean;     /* nothing in it can be dropped at present */
};

/* A piece of a file that was read. Must be forgotten when another file is read, or when what was
 * read may have changed. */
struct segment_window {
    struct buf bytes;
    uint64_t offset; /* of them in the file */
};

struct segment_record {
    unsigned kind;
    uint64_t sequence;
    struct str bytes; /* in the window */
    uint64_t next;    /* offset behind it */
};

void segment_name(uint64_t first, char out[SEGMENT_NAME_SIZE]);
/* False for names of other files. */
bool segment_parse_name(const char *name, uint64_t *ret_first);

[[nodiscard]] int segment_write_header(int fd, const struct segment *segment,
                                       const struct spool_state *state);
/* -ERR_TRUNCATED, -ERR_CORRUPT, -ERR_FOREIGN. */
[[nodiscard]] int segment_read_header(int fd, struct segment *ret_segment,
                                      struct spool_state *ret_state);

/* Appends a record, as it stands in a file, to out. */
void segment_put(struct buf *out, unsigned kind, uint64_t sequence, struct str bytes);
/* Writes what was put, at offset, in one call. On failure the file is cut back to offset. */
[[nodiscard]] int segment_write(int fd, uint64_t offset, struct str records);
static inline uint64_t segment_space(size_t len)
{
    return SEGMENT_HEAD_SIZE + len;
}
void segment_window_init(struct segment_window *window);
void segment_window_done(struct segment_window *window);
void segment_window_forget(struct segment_window *window);
/* The record at offset of a file that has `end` bytes: 1, 0 at its end, -ERR_TRUNCATED or
 * -ERR_CORRUPT for what a crash left. */
[[nodiscard]] int segment_read(int fd, uint64_t offset, uint64_t end, struct segment_window *window,
                               struct segment_record *ret_record);

#endif
