/* A small world for the judge: files with a nature, processes, a gate that waits while the judge is
 * in excess and answers its questions truly, as the sensor does. Acts are what programs do; each
 * gives the steps that the kernel would show. Everything is recorded as a trace on the way. */
#ifndef TESTS_RANSOM_WORLD_H
#define TESTS_RANSOM_WORLD_H

#include "base/buf.h"
#include "detect/ransom/judge.h"

#include <stdbool.h>

#define WORLD_FILES_MAX 20000

/* What a file's bytes are. */
enum nature {
    NATURE_EMPTY,
    NATURE_TEXT,
    NATURE_PICTURE,   /* a sound format, not quite random */
    NATURE_ARCHIVE,   /* a sound format, random bytes */
    NATURE_CIPHER,    /* random, no format */
    NATURE_CONTAINER, /* encrypted container */
    NATURE_CODED,     /* ciphertext in base64 */
    NATURE_ZEROS,
    NATURE_MIXED, /* every other 16 bytes of it ciphertext, its head too */
};

struct world_file {
    uint64_t ino;
    enum nature now;
    uint64_t size;
    bool is_gone;
};

struct world {
    struct judge *judge;
    struct buf trace;
    int64_t time;
    uint64_t next_ino;
    enum nature versions[WORLD_FILES_MAX]; /* by version */
    uint64_t version_sizes[WORLD_FILES_MAX];
    uint64_t next_version;
    struct world_file files[WORLD_FILES_MAX]; /* by inode */
    unsigned touched;                         /* distinct victims destroyed so far, in truth */
    unsigned rulings;
    unsigned touched_at_ruling; /* at the first */
    uint64_t max_undecided;
    bool is_scanner_dead;
    bool is_magic_late; /* containers say at their end that they need a key, as 7z does */
    bool is_late;       /* no looks but those the gate must wait for */
};

void world_init(struct world *world);
void world_done(struct world *world);
/* Feeds, records, and notes a ruling. */
void world_feed(struct world *world, struct judge_step *step);
/* pid's start is its number too. */
void world_actor(struct world *world, int pid, int parent, int session, unsigned uid, uint64_t exe);
void world_exit(struct world *world, int pid);
/* A file that was there before anybody watched; its inode. */
uint64_t world_old_file(struct world *world, enum nature nature, uint64_t size);
/* The gate: looks while the group of pid is in excess. False when pid is stopped: the act must not
 * happen. */
bool world_gate(struct world *world, int pid);
/* What the timer does: looks at everything that is open and overdue. */
void world_tick(struct world *world);

bool world_read(struct world *world, int pid, uint64_t ino);
bool world_rewrite(struct world *world, int pid, uint64_t ino, enum nature nature);
/* 0 when it was stopped. */
uint64_t world_make(struct world *world, int pid, enum nature nature, uint64_t size,
                    const char *path);
void world_rename_over(struct world *world, int pid, uint64_t ino, uint64_t victim);
void world_delete(struct world *world, int pid, uint64_t ino);

#endif
