/* What the processes that follow a host's logs have in common: files' (agent/logs.h) and the
 * journal's (agent/journal.h). On an entry's way: reader → here → outlet → spool → centre. Reading
 * goes by the clock; while the outlet takes nothing it waits, and whoever keeps the log keeps what
 * has not been read. How far each log was read is noted by the outlet, which has the entry safe
 * (agent/positions.h), so a kill at any point loses nothing. Not thread-safe. */
#ifndef AGENT_FOLLOWER_H
#define AGENT_FOLLOWER_H

#include "agent/outbox.h"
#include "agent/positions.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/msg.h"
#include "model/event.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

#include <stdbool.h>

#define FOLLOWER_USER    "canhgac-scanner"
#define FOLLOWER_RAW_MAX (48U << 10) /* bytes of an entry; with its path it fits a record */
#define FOLLOWER_WORK    10          /* seconds of processor time for one piece of a log */

/* Hands on what has come; whether there is more. Sets is_full when the outlet takes nothing. */
typedef bool follower_read_fn(void *context);

struct follower {
    const char *name; /* as the supervisor and people know it */
    follower_read_fn *read;
    void *context;
    struct outbox supervisor;
    struct outbox numbers; /* of messages to the outlet; nothing waits in it */
    int outlet;
    bool is_full; /* the outlet's channel takes nothing now */
    struct loop *loop;
    struct loop_source *outlet_source;
    struct buf record;
    struct msg_writer msg;  /* entries that have not been sent */
    size_t waiting;         /* how many; 0: none, whatever msg holds */
    struct position behind; /* them */
};

/* supervisor, outlet: channels. */
void follower_init(struct follower *follower, const char *name, int supervisor, int outlet);
void follower_done(struct follower *follower);
/* Waits until the outlet has taken what the process before this one sent: only then is it noted how
 * far the logs were read. Before any log is opened; SIGTERM ends the process meanwhile. */
[[nodiscard]] int follower_wait_for_outlet(const struct follower *follower);
/* Listens, gives up all rights but the sandbox's (its user is filled in), says ready. read is set.
 */
[[nodiscard]] int follower_start(struct follower *follower, struct sandbox *sandbox,
                                 struct diag *diag);
/* Runs until the supervisor has gone, SIGTERM, or follower_end. */
[[nodiscard]] int follower_run(struct follower *follower);
/* Ends without an error: what is followed is to be opened anew, by another process. */
void follower_end(struct follower *follower);

/* Takes one entry, with the place behind it. It is sent with others, at the latest by
 * follower_flush; *taken then becomes the place behind what was sent. -ERR_AGAIN: the outlet takes
 * nothing now, and what waited is to be read again from *taken. */
[[nodiscard]] int follower_put(struct follower *follower, const struct event *event,
                               const struct position *position, struct position *taken);
[[nodiscard]] int follower_flush(struct follower *follower, struct position *taken);
/* Forgets what waits: it will be read again. */
void follower_drop(struct follower *follower);
/* Sends one entry by itself, or, event NULL, only notes the place. -ERR_AGAIN. */
[[nodiscard]] int follower_send(struct follower *follower, const struct event *event,
                                const struct position *position);

#endif
