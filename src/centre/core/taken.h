/* Core's memory of posts for the receiver (centre/receiver.h): what was taken of those whose
 * senders may not know it yet, kept with their entries and handed to a receiver that begins anew.
 * Nothing of it is understood here: a post is a number, an entry of it a hash. */
#ifndef CENTRE_CORE_TAKEN_H
#define CENTRE_CORE_TAKEN_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TAKEN_KEPT     (600 * NS_PER_S) /* in which shippers try again; also the receiver's */
#define TAKEN_SIZE_MAX (16U << 20)      /* bytes of hashes; the oldest go */

struct core;
struct core_taken;

[[nodiscard]] int core_taken_new(struct core *core, struct core_taken **ret_taken);
void core_taken_free(struct core_taken *taken);

/* In the open batch: one more entry of that post lies in it. */
[[nodiscard]] int core_taken_add(struct core_taken *taken, uint64_t post, uint64_t hash);
/* In the open batch: its sender knows. */
[[nodiscard]] int core_taken_forget(struct core_taken *taken, uint64_t post);
/* The open batch is about to be committed. */
[[nodiscard]] int core_taken_write(struct core_taken *taken);
/* It came to nothing. */
void core_taken_reset(struct core_taken *taken);

/* Begins to tell the receiver of that life all that is durable. */
void core_taken_begin(struct core_taken *taken, uint64_t life);
/* Tells more of it, and at the end the seed of the hashes. -ERR_AGAIN: the channel is full. */
[[nodiscard]] int core_taken_tell(struct core_taken *taken, uint64_t seed);

#endif
