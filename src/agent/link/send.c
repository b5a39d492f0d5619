/* Records out: from the spool in batches, a few under way at a time, forgotten when the centre has
 * committed them. See agent/link/private.h. After a connection breaks everything above the centre's
 * last word is sent again; the centre counts each (host, sequence) once. */
#include "agent/link/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"

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

/* Gathers one batch behind the cursor. *ret_count 0: there is nothing, or not enough for a full
 * one. */
static int link_gather(struct link *link, bool is_all, struct spool_cursor *cursor,
                       size_t *ret_count)
{
    struct spool_record record;
    bool is_full = false;
    size_t count = 0;
    int r = 0;

    buf_reset(&link->items);
    while (!is_full && (r = spool_next(link->spool, cursor, &link->scratch, &record)) == 1) {
        link_batch_put(&link->items, record.sequence, record.bytes);
        count++;
        is_full = count == LINK_BATCH_RECORDS || link->items.len >= LINK_BATCH_BYTES;
    }
    if (r >= 0) {
        r = buf_error(&link->items);
    }
    *ret_count = is_full || is_all ? count : 0;
    return r;
}

/* 1 when a batch went out, 0 when there is none to send. The cursor moves only when it did. */
static int link_send_one(struct link *link, bool is_all)
{
    struct spool_cursor cursor = link->cursor;
    size_t count;
    int r = link_gather(link, is_all, &cursor, &count);

    if (r < 0 || count == 0) {
        return r;
    }
    r = spool_prepare(link->spool, cursor.sequence);
    if (r < 0) {
        return r;
    }
    buf_reset(&link->content);
    link_batch_encode(buf_str(&link->items), count, &link->content);
    r = buf_error(&link->content);
    if (r == 0) {
        r = link_client_batch(uplink_client(link->uplink), cursor.sequence,
                              buf_str(&link->content));
    }
    if (r < 0) {
        return r == -ERR_AGAIN ? 0 : r;
    }
    link->cursor = cursor;
    link->flight[link->flight_count++] = cursor.sequence;
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
