/* What the files of the link process share: agent/link.c (start, records in, end),
 * agent/link/send.c (records out) and agent/link/act.c (actions in, answers out). Nobody else
 * includes it. */
#ifndef AGENT_LINK_INSIDE_H
#define AGENT_LINK_INSIDE_H

#include "agent/intake.h"
#include "agent/link.h"
#include "agent/positions.h"
#include "agent/uplink.h"
#include "base/arena.h"
#include "link/spool.h"
#include "sys/channel.h"

#include <assert.h>
#include <stdbool.h>

#define LINK_FLIGHT_MAX 16  /* batches sent and not yet acknowledged */
#define LINK_DONE_MAX   256 /* actions remembered, so that one that comes twice is done once */

enum link_channel {
    LINK_CHANNEL_SENSOR,
    LINK_CHANNEL_SUPERVISOR,
    LINK_CHANNEL_LOGS,
    LINK_CHANNEL_JOURNAL,
    LINK_CHANNEL_COUNT,
};
static_assert(LINK_CHANNEL_COUNT <= INTAKE_CHANNELS, "one note each");

struct link {
    const struct link_settings *settings;
    int channels[LINK_CHANNEL_COUNT];
    struct loop_source *sources[LINK_CHANNEL_COUNT];
    bool is_waiting[LINK_CHANNEL_COUNT]; /* the spool takes nothing from there: messages stay */
    struct positions positions;          /* how far logs were read */
    struct intake intake;
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
    struct buf items; /* of the next batch, gathered so far */
    size_t item_count;
    struct spool_cursor gathered; /* behind them */
    struct buf content;
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
/* Puts one record into the spool. 0 when it is there, or was refused and counted; else the spool
 * takes nothing at present. */
[[nodiscard]] int link_keep(struct link *link, const struct record *record);

/* Says HELLO on a new connection. */
void link_greet(struct link *link);
/* Sends what may go now. is_all: a batch that is not full too. */
void link_send(struct link *link, bool is_all);
void link_take_ack(struct link *link, uint64_t sequence, int64_t clock);

void link_take_action(struct link *link, struct str request);
/* As link_keep. */
[[nodiscard]] int link_take_answer(struct link *link, struct str answer);

#endif
