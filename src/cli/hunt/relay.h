/* What a hunt's reader prints goes through whoever started it: a text that arrived whole was
 * printed, once, whatever becomes of the reader behind it. Each text says where in the order of
 * reading it belongs, and its place among all that is said there, so that a reader that begins anew
 * may say all again and what was printed already is passed over. The same thread sees whether the
 * reader goes on. On its way: reader.c → relay_say → (channel) → here → stdout, stderr. */
#ifndef CLI_HUNT_RELAY_H
#define CLI_HUNT_RELAY_H

#include "base/str.h"
#include "cli/hunt/hands.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum relay_kind {
    RELAY_KIND_OUT = 1, /* to stdout */
    RELAY_KIND_ERR,     /* to stderr */
    RELAY_KIND_NOTE,    /* to stderr, of this moment: progress */
};

/* Where in the order of reading a text belongs. */
struct relay_mark {
    uint64_t file;   /* its place */
    uint64_t record; /* the first of its block */
    uint64_t name;   /* a hash of the file's path */
};

struct relay {
    /* of all readers so far */
    struct relay_mark mark; /* what was printed last … */
    uint64_t offset;        /* … and the end of it there */
    bool is_changed;        /* a reader did not say again what one before it had said */
    int error;              /* why nobody takes what is printed; 0: it is taken */
    /* of this one */
    bool is_left_out; /* of the block at mark it says nothing more: set before relay_start */
    int channel;
    pid_t pid;
    bool is_passing; /* what it says was printed already */
    bool is_hung;    /* it did not go on, and was ended */
    int64_t patience;
    const struct hands *hands;
    uint64_t turns[HANDS_MAX]; /* as they were seen last … */
    int64_t since[HANDS_MAX];  /* … and the time on a processor at which they changed */
    pthread_t thread;
};

/* Follows a reader in a thread of its own. channel: the relay's from now on. hands: NULL, or they
 * outlive the thread. patience: ns on a processor that the reader may spend while one hand does
 * not go on. */
[[nodiscard]] int relay_start(struct relay *relay, int channel, pid_t pid,
                              const struct hands *hands, int64_t patience);
/* Returns when the reader has ended and all that it said is printed. */
void relay_join(struct relay *relay);

/* The reader's side: one a process. channel: -1 when it prints by itself. */
void relay_use(int channel);
/* What is said from now on belongs there. */
void relay_turn(const struct relay_mark *mark);
/* -ERR_PIPE when nobody takes it any more. */
[[nodiscard]] int relay_say(enum relay_kind kind, struct str text);

#endif
