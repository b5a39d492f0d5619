/* Records out: from the spool in batches, a few under way at a time, forgotten when the centre has
 * committed them. See agent/link/private.h. After a connection breaks everything above the centre's
 * last word is sent again; the centre counts each (host, sequence) once. */
#include "agent/link/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"

#define LINK_AHEAD 7 /* batches */

int64_t link_centre_time(const struct link *link)
{
    const struct clock *clock = link->settings->clock;

    return link->is_clock_known ? link->centre_wall + clock_mono(clock) - link->centre_mono
                                : clock_wall(clock);
}

void link_greet(struct link *link)
{
    struct link_hello hello = {.clock = clock_wall(link->settings->clock),
                               .version = STR(CANHGAC_VERSION)};
    struct spool_counters counters;

    spool_count(link->spool, &counters);
    hello.waiting = counters.waiting;
    hello.dropped = counters.dropped;
    link->is_resolved = false;
    link->flight_count = 0;
    link->heard = clock_mono(link->settings->clock);
    link->asked = link->heard;
    if (link_client_hello(uplink_client(link->uplink), counters.last, &hello) < 0) {
        uplink_cut(link->uplink, "out of memory");
    }
}

static void link_gather_anew(struct link *link)
{
    buf_reset(&link->items);
    link->item_count = 0;
    link->gathered = link->cursor;
}

static bool link_has_full_batch(const struct link *link)
{
    return link->item_count == LINK_BATCH_RECORDS || link->items.len >= LINK_BATCH_BYTES;
}

/* Gathers on, up to a full batch. What was gathered before may have been dropped meanwhile. */
static int link_gather(struct link *link)
{
    struct spool_record record;
    int r = 1;

    if (link->item_count == 0 || !spool_is_steady(link->spool, &link->gathered)) {
        link_gather_anew(link);
    }
    while (!link_has_full_batch(link) && r == 1) {
        r = spool_next(link->spool, &link->gathered, &record);
        if (r == 1) {
            link_batch_put(&link->items, record.sequence, record.bytes);
            link->item_count++;
        }
    }
    r = r < 0 ? r : buf_error(&link->items);
    if (r < 0) {
        link_gather_anew(link);
    }
    return r < 0 ? r : 0;
}

/* Makes the batch that was gathered durable, and with it what of the next ones is there already,
 * since the disk is waited for each time. */
static int link_prepare(struct link *link)
{
    uint64_t ahead = link->gathered.sequence + LINK_AHEAD * link->item_count;
    struct spool_counters counters;

    spool_count(link->spool, &counters);
    if (link->gathered.sequence <= counters.sendable) {
        return 0;
    }
    return spool_prepare(link->spool, ahead < counters.last ? ahead : counters.last);
}

/* 1 when a batch went out, 0 when there is none to send. The cursor moves only when it did. */
static int link_send_one(struct link *link, bool is_all)
{
    struct link_client *client = uplink_client(link->uplink);
    uint64_t last;
    int r = link_client_is_busy(client) ? -ERR_AGAIN : link_gather(link);

    if (r < 0 || link->item_count == 0 || !(is_all || link_has_full_batch(link))) {
        return r == -ERR_AGAIN ? 0 : r;
    }
    last = link->gathered.sequence;
    r = link_prepare(link);
    if (r < 0) {
        return r;
    }
    buf_reset(&link->content);
    link_batch_encode(buf_str(&link->items), link->item_count, &link->content);
    r = buf_error(&link->content);
    r = r < 0 ? r : link_client_batch(client, last, buf_str(&link->content));
    if (r < 0) {
        return r == -ERR_AGAIN ? 0 : r;
    }
    link->cursor = link->gathered;
    link_gather_anew(link);
    link->flight[link->flight_count++] = last;
    return 1;
}

void link_send(struct link *link, bool is_all)
{
    int r = 1;

    if (uplink_client(link->uplink) == NULL || !link->is_resolved) {
        return;
    }
    while (r == 1 && link->flight_count < LINK_FLIGHT_MAX) {
        r = link_send_one(link, is_all);
    }
    if (r < 0 && r != link->trouble) {
        log_error(
            "the spool cannot be read or made durable; nothing is sent until it can reason=%s",
            err_text(r));
        link->trouble = r;
    } else if (r >= 0) {
        link->trouble = 0;
    }
    uplink_push(link->uplink);
}

static int link_settle(struct link *link, uint64_t sequence)
{
    size_t done = 0;
    int r;

    if (!link->is_resolved) {
        r = spool_resolve(link->spool, sequence);
        if (r < 0) {
            return r;
        }
        link->is_resolved = true;
        link->cursor = (struct spool_cursor){.sequence = sequence};
        link_gather_anew(link);
        uplink_is_well(link->uplink);
        return 0;
    }
    if (link->flight_count == 0 || sequence > link->flight[link->flight_count - 1]) {
        return -ERR_PROTO; /* of what was never sent */
    }
    while (done < link->flight_count && link->flight[done] <= sequence) {
        done++;
    }
    link->flight_count -= done;
    memmove(link->flight, link->flight + done, link->flight_count * sizeof(link->flight[0]));
    return spool_acknowledge(link->spool, sequence);
}

void link_take_ack(struct link *link, uint64_t sequence, int64_t clock)
{
    struct spool_counters counters;
    int r;

    link->centre_wall = clock;
    link->centre_mono = clock_mono(link->settings->clock);
    link->is_clock_known = true;
    spool_count(link->spool, &counters);
    if (link->is_resolved && sequence <= counters.confirmed) {
        return; /* the centre repeats itself: a word about the clock */
    }
    r = link_settle(link, sequence);
    if (r < 0) {
        log_error("an acknowledgement could not be kept reason=%s", err_text(r));
        uplink_cut(link->uplink, err_text(r));
        return;
    }
    link_send(link, true);
}
