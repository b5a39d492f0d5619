/* One thread of the api process that looks through the archive, so that a search of seconds does
 * not stall the console. It has handles of its own on archive and store, both read-only; its queue
 * is bounded. No search holds the thread for long: it answers with what it has found, says how far
 * back it has looked, and is asked again from there. Answers come back on the loop's thread through
 * an eventfd. */
#ifndef CENTRE_SEARCHER_H
#define CENTRE_SEARCHER_H

#include "base/diag.h"
#include "base/str.h"
#include "base/time.h"
#include "centre/sifter.h"
#include "store/find.h"
#include "sys/loop.h"

#include <stdint.h>

#define SEARCHER_EVENTS_MAX 500
#define SEARCHER_QUEUE_MAX  16
#define SEARCHER_COUNTS_MAX 400               /* steps of time of one answer */
#define SEARCHER_TURN       (350 * NS_PER_MS) /* after that a search answers with what it has */

struct searcher;

struct searcher_query {
    struct str typed; /* model/terms.h */
    struct str rule;  /* a Sigma rule instead; empty: none */
    bool is_draft;    /* the answer is a rule made of what was typed: the object "RuleDraft" */
    int64_t from;     /* wall, ns */
    struct find_cursor cursor;
    size_t limit; /* events that are handed out, SEARCHER_EVENTS_MAX at most */
    int64_t
        step; /* ns: all are counted, by steps of so long since 1970; 0: it ends with the limit */
};

struct searcher_answer {
    int result;
    const struct diag *diag;
    struct str json; /* the object "EventList" of the API; borrowed for the call */
};

typedef void searcher_done_fn(void *context, void *job, const struct searcher_answer *answer);

struct searcher_options {
    const char *folder; /* of the centre */
    int sifter;         /* channel to centre/sifter.h; -1: entries are not read */
    const struct clock *clock;
    searcher_done_fn *done; /* called for each job on the loop's thread, unless it was forgotten */
    void *context;
};

[[nodiscard]] int searcher_new(struct loop *loop, const struct searcher_options *options,
                               struct searcher **ret_searcher);
/* Ends the thread when the search in hand is over; jobs that wait are dropped. Takes NULL. */
void searcher_free(struct searcher *searcher);
/* Copies the query. -ERR_BUSY when the queue is full; what terms_parse says, with diag. */
[[nodiscard]] int searcher_ask(struct searcher *searcher, const struct searcher_query *query,
                               void *job, struct diag *diag);
/* Nobody waits for that job any more: it ends as soon as it can. */
void searcher_forget(struct searcher *searcher, const void *job);

#endif
