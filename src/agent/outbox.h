/* Messages on their way out over a channel whose other side may be slow or away: bounded, in order,
 * never blocking. What does not fit is dropped and counted. Not thread-safe. */
#ifndef AGENT_OUTBOX_H
#define AGENT_OUTBOX_H

#include "base/list.h"
#include "base/msg.h"
#include "model/record.h"
#include "sys/loop.h"

#include <stddef.h>
#include <stdint.h>

struct outbox {
    int channel;
    struct loop_source *source; /* of the channel; asked for LOOP_WRITE while something waits */
    struct list waiting;
    size_t bytes;
    size_t limit;
    uint64_t dropped;
};

void outbox_init(struct outbox *outbox, int channel, size_t limit);
void outbox_done(struct outbox *outbox);
void outbox_send(struct outbox *outbox, const struct msg_writer *msg);
/* A finding too long for one message is sent with fewer of its files named. */
void outbox_send_record(struct outbox *outbox, const struct record *record);
/* Call when the channel can be written. */
void outbox_flush(struct outbox *outbox);

#endif
