/* What the files of the link process share: agent/link.c (start, records in, end),
 * agent/link_send.c (records out) and agent/link_act.c (actions in, answers out). Nobody else
 * includes it. */
#ifndef AGENT_LINK_INSIDE_H
#define AGENT_LINK_INSIDE_H

#include "agent/link.h"
#include "agent/uplink.h"
#include "base/arena.h"
#include "link/spool.h"
#include "sys/channel.h"

#include <stdbool.h>

#define LINK_FLIGHT_MAX 4   /* batches sent and not yet acknowledged */
#define LINK_DONE_MAX   256 /* actions remembered, so that one that comes twice is done once */

struct link {
    const struct link_settings *settings;
    int sensor;
    int supervisor;
    struct loop *loop;
    struct identity identity;
    struct spool *spool;
    struct uplink *uplink;
    struct arena *arena; /* for one message */
    struct buf record;   /* being encoded */
    /* the connection */
    bool is_resolved; /* the centre has said where it stands: sending may begin */
    struct spool_cursor cursor;
    uint64_t flight[LINK_FLIGHT_MAX]; /* last sequence of each batch under way, oldest first */
    size_t flight_count;
    struct buf items;
    struct buf content;
    struct buf scratch;
    int64_t heard; /* monotonic ns of the last answer */
    int64_t asked; /* of the last PING */
    /* the centre's clock: its wall time at our monotonic time */
    int64_t centre_wall;
    int64_t centre_mono;
    bool is_clock_known;
    struct id done[LINK_DONE_MAX];
    size_t done_next;
    uint64_t told_dropped; /* reported so far */
    int64_t told_at;
    int trouble; /* logged last */
    struct msg_writer msg;
    struct channel_packet packet;
};

/* Now by the centre's clock; our own until it has spoken. */
int64_t link_centre_time(const struct link *link);
/* Puts one record into the spool. */
void link_keep(struct link *link, const struct record *record);

/* Says HELLO on a new connection. */
void link_greet(struct link *link);
/* Sends what may go now. is_all: a batch that is not full too. */
void link_send(struct link *link, bool is_all);
void link_take_ack(struct link *link, uint64_t sequence, int64_t clock);

void link_take_action(struct link *link, struct str request);
void link_take_supervisor(struct link *link, struct msg_reader *msg);

#endif
