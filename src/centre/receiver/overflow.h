/* Datagrams that find no room in memory: a ring in a file without a name, of a bounded size. A few
 * are gathered before they are written. What goes in comes out in its order, or not at all: a file
 * that cannot be written or read any more loses what is in it, counted. Whoever dies leaves nothing
 * behind. */
#ifndef CENTRE_RECEIVER_OVERFLOW_H
#define CENTRE_RECEIVER_OVERFLOW_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OVERFLOW_PIECE     (256U << 10) /* bytes gathered before they are written, read at a time */
#define OVERFLOW_ENTRY_MAX (64U << 10)
#define OVERFLOW_VIA_MAX   127

struct overflow {
    int fd;            /* -1: there is none, nothing finds room */
    uint64_t max;      /* bytes of the file */
    uint64_t from;     /* of all bytes that ever went into the file: those before it were read */
    uint64_t to;       /* those before it were written */
    uint64_t count;    /* items that wait */
    uint64_t gathered; /* of them not written yet */
    uint64_t lost;     /* by a file that could not be written or read */
    char *in;          /* gathered, whole items */
    size_t in_len;
    char *out; /* read, and not taken yet */
    size_t out_at;
    size_t out_len;
};

struct overflow_item {
    struct str via;
    int64_t arrival;
    struct str raw;
};

/* Takes the descriptor of a file open for reading and writing; -1: nothing will find room. max: at
 * least two pieces. -ERR_NOMEM. */
[[nodiscard]] int overflow_init(struct overflow *overflow, int fd, uint64_t max);
void overflow_done(struct overflow *overflow);
bool overflow_is_empty(const struct overflow *overflow);
/* Bytes that wait. */
uint64_t overflow_size(const struct overflow *overflow);
/* -ERR_FULL: there is no room, or no file. -ERR_LIMIT for an item over the maxima. Otherwise why it
 * could not be written (-ERR_NOSPC …): what was gathered is lost then, this one too. */
[[nodiscard]] int overflow_put(struct overflow *overflow, const struct overflow_item *item);
/* The oldest one; borrowed until the next call. -ERR_NOENT: none. Otherwise why it could not be
 * read: all that were in the file are lost then. */
[[nodiscard]] int overflow_peek(struct overflow *overflow, struct overflow_item *ret_item);
/* Takes that one out. */
void overflow_skip(struct overflow *overflow);

#endif
