/* One thread that hashes and checks passwords, so that a log-in does not stall the loop. Its queue
 * is bounded: 64 MiB at a time and no more. Answers come back on the loop's thread through an
 * eventfd. */
#ifndef CENTRE_WORKER_H
#define CENTRE_WORKER_H

#include "base/str.h"
#include "centre/password.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct worker;

struct worker_answer {
    bool is_password; /* the old password was right; true when none was asked for */
    int hash_result;  /* of hashing the new one; 0 when none was asked for */
    char encoded[PASSWORD_ENCODED_SIZE]; /* the new hash */
};

typedef void worker_done_fn(void *context, void *job, const struct worker_answer *answer);

/* done: called for each job on the loop's thread. */
[[nodiscard]] int worker_new(struct loop *loop, worker_done_fn *done, void *context,
                             struct worker **ret_worker);
/* Ends the thread; jobs that wait are dropped and handed to nobody. */
void worker_free(struct worker *worker);
/* Checks password against encoded (empty: a user who does not exist), and when that is right hashes
 * fresh unless it is empty. Copies all three. Both empty password and encoded: only hashes.
 * -ERR_BUSY when the queue is full. */
[[nodiscard]] int worker_ask(struct worker *worker, struct str password, struct str encoded,
                             struct str fresh, void *job);
/* Jobs asked and not yet answered. */
size_t worker_waiting(const struct worker *worker);

#endif
