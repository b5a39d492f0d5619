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

#define INTAKE_CHANNELS 4

struct intake_note {
    atomic_ullong number; /* of the first message or record under way, 0: none */
    atomic_ullong many;   /* how many are */
    atomic_ullong mark;   /* what the store had taken before them */
    atomic_ullong before; /* number of what was taken before them */
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
/* Before the store takes `many` of them, numbered in turn from number on, of which a kill may leave
 * it with the first few. count: as above, now. */
void intake_begin(struct intake *intake, unsigned channel, uint64_t number, uint64_t many,
                  uint64_t count);
/* The store has taken all up to number, and their message stays in the channel for now: it holds
 * others. */
void intake_end(struct intake *intake, unsigned channel, uint64_t number);
/* The store took none of them; they will be tried again. */
void intake_cancel(struct intake *intake, unsigned channel);

#endif
