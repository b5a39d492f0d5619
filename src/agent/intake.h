/* How a process that may be killed at any moment takes each message exactly once. A message stays
 * in its channel, whose ends the supervisor holds, until what it asks for is done; a page that
 * outlives the process says which message was under way. Every message carries a number that its
 * channel never gives twice (agent/outbox.h).
 *
 *     look ─▶ is taken? ─▶ begin ─▶ into the spool ─▶ out of the channel
 *
 * A kill before the spool has the record leaves the message where it is; a kill after it leaves a
 * note by which the next process knows the message at the head as one that was taken. Not
 * thread-safe; one process at a time. */
#ifndef AGENT_INTAKE_H
#define AGENT_INTAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define INTAKE_CHANNELS 3

struct intake_note {
    atomic_ullong number; /* of the message under way, 0: none */
    atomic_ullong mark;   /* it is taken when the store has taken this many */
    atomic_ullong before; /* what was taken before it */
};

struct intake_page {
    struct intake_note notes[INTAKE_CHANNELS];
};

struct intake {
    struct intake_page *page;
    uint64_t taken[INTAKE_CHANNELS]; /* number of what was taken last and may wait there still */
};

/* Shared with all children forked afterwards; NULL out of memory. */
[[nodiscard]] struct intake_page *intake_page_new(void);
void intake_page_free(struct intake_page *page);

/* count: messages that the store has taken, ever; it only grows, and survives what kills the
 * process. Call before it takes another. */
void intake_open(struct intake *intake, struct intake_page *page, uint64_t count);
bool intake_is_taken(const struct intake *intake, unsigned channel, uint64_t number);
/* The same for one of several records of a message, numbered in turn, on a channel whose numbers
 * only grow. */
bool intake_is_past(const struct intake *intake, unsigned channel, uint64_t number);
/* Before the store takes it. count: as above, now. */
void intake_begin(struct intake *intake, unsigned channel, uint64_t number, uint64_t count);
/* The store has taken it, and its message stays in the channel for now: it holds others. */
void intake_end(struct intake *intake, unsigned channel, uint64_t number);
/* The store did not take it; it will be tried again. */
void intake_cancel(struct intake *intake, unsigned channel);

#endif
