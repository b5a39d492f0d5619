/* What processes did, as event records for the centre: program, command line, user and parent of
 * each start, and how it ended. Neighbours: sense/processes.c before, the outlet behind.
 *
 * Threads: process_feed_put from the names thread, which must not be made to wait; all else from
 * the owner's. No more than a bound of events a second go out; what is cut is counted, and told in
 * one event. */
#ifndef AGENT_PROCESS_FEED_H
#define AGENT_PROCESS_FEED_H

#include "agent/page.h"
#include "base/time.h"
#include "model/record.h"
#include "sys/procwatch.h"

#define PROCESS_FEED_RATE 2000U /* events a second */

struct process_feed;

struct process_feed_config {
    const struct page *page; /* nothing is told of our own processes */
    const struct clock *clock;
    const struct procwatch *watch; /* its losses are told too; may be NULL */
    void *context;
    void (*record)(void *context, const struct record *record);
};

[[nodiscard]] int process_feed_new(const struct process_feed_config *config,
                                   struct process_feed **ret_feed);
void process_feed_free(struct process_feed *feed);

/* Copies the event; forks are passed over. */
void process_feed_put(struct process_feed *feed, const struct procwatch_event *event);
/* Sends what waits, in order. The end of a process is told when its start was. */
void process_feed_send(struct process_feed *feed);
/* Events that were cut or lost since the start. */
uint64_t process_feed_dropped(const struct process_feed *feed);

#endif
