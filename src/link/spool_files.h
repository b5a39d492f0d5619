/* The spool's inside: what link/spool.c (the way of a record), link/spool_open.c (finding
 * everything again after a crash) and link/spool_room.c (files come and go, the bound) share.
 * Nobody else includes it. */
#ifndef LINK_SPOOL_FILES_H
#define LINK_SPOOL_FILES_H

#include "link/segment.h"
#include "link/spool.h"

#include <stddef.h>

#define SPOOL_SPARE       "spare" /* an empty, preallocated file: the next segment */
#define SPOOL_LEAN        "lean"  /* a segment being written anew without its events */
#define SPOOL_LOCK        "lock"

#define SPOOL_SEGMENT_MIN (64U << 10)
#define SPOOL_OUT_MAX     (256U << 10) /* bytes of records that are written together */

struct spool {
    uint64_t limit;
    uint64_t segment_limit;
    int folder;
    int lock;
    int fd;      /* of the newest segment */
    int read_fd; /* of the segment that begins at read_first; -1: none */
    uint64_t read_first;
    struct segment *segments; /* oldest first, one at least */
    size_t count;
    size_t room;
    bool has_spare;
    struct spool_state state;
    bool is_noted;       /* the newest header tells the state as it is */
    bool is_synced;      /* the newest segment is durable */
    uint64_t next;       /* sequence of the next record */
    uint64_t waiting;    /* records on disk above state.acked */
    uint64_t generation; /* grows when places in segments move */
    int trouble;
    struct buf out;                /* records on their way to a file */
    struct segment_window looking; /* at what is counted, mended or moved */
    struct segment_window giving;  /* of what spool_next gives out */
    uint64_t giving_generation;
    uint64_t giving_first; /* of the segment that it looks at */
};

static inline struct segment *spool_newest(struct spool *spool)
{
    return &spool->segments[spool->count - 1];
}

/* Writes the state into the newest header. */
[[nodiscard]] int spool_note(struct spool *spool);
[[nodiscard]] int spool_sync(struct spool *spool);

/* Adds a place behind the last one. -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int spool_add_segment(struct spool *spool, const struct segment *segment);
/* Closes the newest segment and begins another at sequence first, spool->next or above. -ERR_FULL
 * when the bound leaves no room. */
[[nodiscard]] int spool_roll(struct spool *spool, uint64_t first);
/* Begins the very first segment. */
[[nodiscard]] int spool_begin(struct spool *spool);
/* Removes segments of which everything is acknowledged, except the newest. */
[[nodiscard]] int spool_remove_acknowledged(struct spool *spool);
/* Prepares the spare file, best effort. */
void spool_make_spare(struct spool *spool);
/* An open descriptor of segment i for reading; stays the spool's. */
[[nodiscard]] int spool_reader(struct spool *spool, size_t i, int *ret_fd);

/* Finds all segments of the folder, repairs them, and fills the state. */
[[nodiscard]] int spool_recover(struct spool *spool, const struct clock *clock, struct diag *diag);

#endif
