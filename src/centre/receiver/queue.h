/* What the receiver has taken and core has not kept yet: numbered batches in bounded memory, each
 * built as the message that carries it (RECEIVER_MESSAGE_ENTRIES). The same batch goes out under
 * the same number however often it is sent. */
#ifndef CENTRE_RECEIVER_QUEUE_H
#define CENTRE_RECEIVER_QUEUE_H

#include "base/list.h"
#include "base/msg.h"
#include "base/time.h"
#include "centre/receiver/private.h"

#define RECEIVER_QUEUE_SPARE                                                                       \
    (32U << 20) /* over the maximum: room for all that one reading of 64 KiB can be cut into */

struct receiver_batch {
    struct list node;
    uint64_t number;
    uint32_t entries;
    size_t len;
    uint8_t bytes[];
};

struct receiver_queue {
    const struct clock *clock;
    uint64_t life;
    size_t max;      /* bytes from which on streams are not read */
    size_t size;     /* bytes now, without the batch that is filled */
    uint64_t number; /* of the batch that is filled */
    uint64_t durable;
    struct list batches; /* oldest first */
    struct list *next;   /* the first that was not sent; the head: none */
    uint32_t filled;     /* entries in the batch that is filled */
    uint64_t cut;        /* entries that were too long */
    struct msg_writer filling;
};

void receiver_queue_init(struct receiver_queue *queue, size_t max, uint64_t life,
                         const struct clock *clock);
void receiver_queue_done(struct receiver_queue *queue);

/* Whether streams may be read on. */
bool receiver_queue_has_room(const struct receiver_queue *queue);
/* Bytes that are kept. */
size_t receiver_queue_kept(const struct receiver_queue *queue);
/* The batch in which the entry lies that was put last. */
uint64_t receiver_queue_last(const struct receiver_queue *queue);

/* Ends the batch that is filled, so that it can be sent. -ERR_NOMEM: it stays as it is. */
[[nodiscard]] int receiver_queue_close(struct receiver_queue *queue);
/* Fills msg with the next batch to send; false when there is none. */
bool receiver_queue_next(const struct receiver_queue *queue, struct msg_writer *ret_msg);
/* That one has been sent. */
void receiver_queue_sent(struct receiver_queue *queue);
/* Forgets all up to number. */
void receiver_queue_durable(struct receiver_queue *queue, uint64_t number);
/* Everything that is kept is to be sent again. */
void receiver_queue_rewind(struct receiver_queue *queue);

#endif
