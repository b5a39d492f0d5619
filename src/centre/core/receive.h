/* The core's side of the receiver (centre/receiver.h): see core/receive.c for what it promises. */
#ifndef CENTRE_CORE_RECEIVE_H
#define CENTRE_CORE_RECEIVE_H

#include "centre/receiver.h"

#include <stdint.h>

struct buf;
struct cbor_reader;
struct core;
struct core_receive;

/* Since core started, over all lives of the receiver. */
struct core_receive_counts {
    struct receiver_counts receiver; /* as it says */
    uint64_t taken;                  /* entries committed */
    uint64_t merged;                 /* of them, whose name was not told apart */
    uint64_t refused;                /* entries that the store would not take */
    uint64_t again;                  /* lines of streams that had been committed before */
    uint64_t lapsed;                 /* names of senders that gave their place up */
};

/* Reads what is durable, once core's hosts are loaded, and tells the receiver. */
[[nodiscard]] int core_receive_new(struct core *core, uint64_t seed,
                                   struct core_receive **ret_receive);
void core_receive_free(struct core_receive *receive);
/* The channel has something to read; context: struct core. */
void core_on_receiver(void *context, int fd, unsigned events);
/* The open batch is about to be committed: says how far entries were taken. */
[[nodiscard]] int core_receive_write(struct core_receive *receive);
/* It is durable: the receiver is told. */
void core_receive_commit(struct core_receive *receive);
/* It came to nothing: the receiver sends it again, once there is room. */
void core_receive_forget(struct core_receive *receive);
/* Once a second. */
void core_receive_tick(struct core_receive *receive);
/* Of senders, now and then: see senders_expire. */
void core_receive_expire(struct core_receive *receive, int64_t before);
void core_receive_count(const struct core_receive *receive, struct core_receive_counts *ret_counts);

/* core/receive_counts.c: the counts on their way to the api. -ERR_PROTO; what is wrong inside
 * sticks to the reader. */
void receive_counts_put(struct buf *out, const struct core_receive_counts *counts);
[[nodiscard]] int receive_counts_get(struct cbor_reader *reader,
                                     struct core_receive_counts *ret_counts);

#endif
