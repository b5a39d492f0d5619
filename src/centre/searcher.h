/* One thread of the api process that looks through the archive, so that a search of seconds does
 * not stall the console. It has handles of its own on archive and store, both read-only; its queue
 * is bounded. Answers come back on the loop's thread through an eventfd. */
#ifndef CENTRE_SEARCHER_H
#define CENTRE_SEARCHER_H

#include "base/diag.h"
#include "base/str.h"
#include "base/time.h"
#include "store/find.h"
#include "sys/loop.h"

#include <stdint.h>

#define SEARCHER_EVENTS_MAX 500
#define SEARCHER_QUEUE_MAX  16

struct searcher;

struct searcher_query {
    struct str typed; /* model/terms.h */
    int64_t from;     /* wall, ns */
    struct find_cursor cursor;
    size_t limit; /* events, SEARCHER_EVENTS_MAX at most */
};

struct searcher_answer {
    int result;
    struct str json; /* the object "EventList" of the API; borrowed for the call */
};

typedef void searcher_done_fn(void *context, void *job, const struct searcher_answer *answer);

/* folder: of the centre. done: called for each job on the loop's thread, unless it was forgotten.
 */
[[nodiscard]] int searcher_new(struct loop *loop, const char *folder, const struct clock *clock,
                               searcher_done_fn *done, void *context,
                               struct searcher **ret_searcher);
/* Ends the thread when the search in hand is over; jobs that wait are dropped. Takes NULL. */
void searcher_free(struct searcher *searcher);
/* Copies the query. -ERR_BUSY when the queue is full; what terms_parse says, with diag. */
[[nodiscard]] int searcher_ask(struct searcher *searcher, const struct searcher_query *query,
                               void *job, struct diag *diag);
/* Nobody waits for that job any more. */
void searcher_forget(struct searcher *searcher, const void *job);

#endif
