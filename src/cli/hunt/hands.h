/* What each thread of a process that reads has in hand, on a page that is shared with who started
 * it, so that whatever ends the reader, or holds it up, can be named. Each hand is one thread's;
 * whoever looks may look at any time. */
#ifndef CLI_HUNT_HANDS_H
#define CLI_HUNT_HANDS_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>

#define HANDS_MAX      17 /* a thread's each, and the first one's */
#define HAND_PATH_SIZE 1024

enum hand_phase {
    HAND_PHASE_NONE,  /* nothing that could hold it up but its neighbours */
    HAND_PHASE_READ,  /* bytes of a file, out of whatever it is packed in */
    HAND_PHASE_TEAR,  /* one line of a block, to see whether it is the one */
    HAND_PHASE_PARSE, /* a block, behind the record `at` */
    HAND_PHASE_JUDGE, /* the record `at` */
};

struct hand {
    char path[HAND_PATH_SIZE]; /* empty: it holds nothing; read with hand_path */
    _Atomic uint32_t phase;
    _Atomic uint64_t file;  /* its place, in the order of reading */
    _Atomic uint64_t block; /* number of its first record */
    _Atomic uint64_t at;
    _Atomic uint64_t turns; /* changes with each */
};

struct hands {
    struct hand hands[HANDS_MAX];
};

/* NULL when there is no memory. */
struct hands *hands_new(void);
void hands_free(struct hands *hands);

/* The path it holds, borrowed: what the reader wrote there may lack its end. */
struct str hand_path(const struct hand *hand);

/* The reader's side; without hands nobody would look, and nothing is noted. */
void hands_use(struct hands *hands);
void hand_hold(size_t hand, struct str path, uint64_t file, uint64_t block);
void hand_turn(size_t hand, enum hand_phase phase, uint64_t at);
void hand_drop(size_t hand);

#endif
