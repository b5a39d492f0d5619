/* Blocks of a log and the threads that judge them. The caller fills blocks in order, threads judge
 * them in any, and what they found is told in the order in which they were given, so that nobody
 * can see how many threads there were. With one job the caller's thread does it all. Invariant:
 * told() is only called by the thread that made the crew. */
#ifndef CLI_HUNT_CREW_H
#define CLI_HUNT_CREW_H

#include "base/buf.h"
#include "codec/logs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CREW_JOBS_MAX   16
#define CREW_BLOCK_SIZE (1u << 20)

/* A file that blocks come from; goes with its last block. */
struct hunt_file {
    char *path;
    const struct log_format *format;
    int64_t around; /* see struct log_reading */
    struct buf head;
    size_t place; /* of files, in the order of reading */
    size_t users; /* touched by the crew's maker only */
};

struct hunt_block {
    struct buf bytes; /* whole records */
    struct hunt_file *file;
    uint64_t number;          /* of the first record in its file */
    struct buf out;           /* what is to be printed */
    struct buf hits;          /* struct hunt_hit and hosts: see tally.h */
    struct buf links;         /* for correlations: see chain.h */
    struct log_counts counts; /* of this block */
    uint64_t matched;         /* entries that at least one rule held for */
    uint64_t outside;         /* entries before or behind the time asked for */
    uint64_t found;           /* matches */
    uint64_t left;            /* records left out: see again.h */
    uint64_t unparsed;        /* of them that were not parsed either … */
    uint64_t unparsed_bytes;  /* … and theirs */
    int error;
    int state; /* the crew's */
};

struct crew_port {
    void *context;
    /* Judges a block, in the thread of that job. */
    void (*judge)(void *context, size_t job, struct hunt_block *block);
    /* Takes what a block holds, in order. When is_part the block goes on being judged, and out,
     * hits and links are emptied. */
    void (*told)(void *context, struct hunt_block *block, bool is_part);
};

struct crew;

[[nodiscard]] int crew_new(size_t jobs, const struct crew_port *port, struct crew **ret_crew);
void crew_free(struct crew *crew);
void crew_freep(struct crew **crew);
/* An empty block to fill; tells of others meanwhile. */
struct hunt_block *crew_take(struct crew *crew);
/* Hands it on to be judged. */
void crew_give(struct crew *crew, struct hunt_block *block);
/* Waits until all that was given is judged and told. */
void crew_drain(struct crew *crew);
/* From judge(): the block holds more than should be kept; waits until it has been told. */
void crew_spill(struct crew *crew, struct hunt_block *block);

#endif
