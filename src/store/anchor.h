/* The file of anchors: a line each ten minutes at most, "TIME NUMBER LINK", only ever appended to.
 */
#ifndef STORE_ANCHOR_H
#define STORE_ANCHOR_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

struct anchor {
    int64_t time;     /* ns since 1970 UTC */
    uint64_t number;  /* of the row that was the head */
    uint8_t link[32]; /* its link */
};

/* Appends a line and syncs it. A line that a full disk cut short is taken back. */
[[nodiscard]] int anchor_append(int fd, const struct anchor *anchor);

struct anchor_reader {
    struct buf bytes;
    struct str rest;
    unsigned line; /* of the anchor read last, from 1 */
};

/* Reads the whole file; fd -1 reads as an empty one. Call done even after a failure. */
[[nodiscard]] int anchor_reader_init(struct anchor_reader *reader, int fd);
void anchor_reader_done(struct anchor_reader *reader);
/* 1: an anchor; 0: the end; -ERR_SYNTAX. */
[[nodiscard]] int anchor_next(struct anchor_reader *reader, struct anchor *ret_anchor);

#endif
