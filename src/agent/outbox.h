/* Messages on their way out over a channel whose other side may be slow or away: bounded, in order,
 * never blocking. When the bound is reached, events and states give way, the oldest to a finding or
 * an answer, else the newest; what gave way is counted where the count outlives the process. Not
 * thread-safe. */
#ifndef AGENT_OUTBOX_H
#define AGENT_OUTBOX_H

#include "base/list.h"
#include "base/msg.h"
#include "model/record.h"
#include "sys/loop.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* May lie in memory that is shared with the next process in this place: what waited when this one
 * died is then counted as dropped. */
struct outbox_counts {
    atomic_ullong dropped;
    atomic_ullong waiting;
};

struct outbox {
    int channel;
    struct loop_source *source; /* of the channel; asked for LOOP_WRITE while something waits */
    struct list waiting;
    size_t bytes;
    size_t limit;
    uint64_t number; /* given last */
    struct outbox_counts own;
    struct outbox_counts *counts;
};

/* counts: NULL for its own. */
void outbox_init(struct outbox *outbox, int channel, size_t limit, struct outbox_counts *counts);
void outbox_done(struct outbox *outbox);
/* A number for a message that must be taken once (agent/intake.h): its channel never gives it
 * twice, whichever process writes to it. */
uint64_t outbox_number(struct outbox *outbox);
void outbox_send(struct outbox *outbox, const struct msg_writer *msg);
/* A finding too long for one message is sent with fewer of its files named. */
void outbox_send_record(struct outbox *outbox, const struct record *record);
/* Call when the channel can be written. */
void outbox_flush(struct outbox *outbox);
uint64_t outbox_dropped(const struct outbox *outbox);

#endif
