/* The receiver's end of a channel to core, over a whole centre: batches go in, core's words come
 * back, and what is kept is found again. */
#ifndef TESTS_CENTRE_RECEIVE_FIXTURE_H
#define TESTS_CENTRE_RECEIVE_FIXTURE_H

#include "../harness.h"
#include "base/banned.h"
#include "centre/core/receive.h"
#include "centre/core/sender.h"
#include "model/needles.h"
#include "rig.h"
#include "sys/fd.h"

#define LIFE 4711

static struct rig rig;
static int pair[2];
static struct msg_writer msg;
static struct channel_packet packet;

static inline void begin_core(void)
{
    rig.core->options.channels.receiver = pair[1];
    assert_int_equal(core_receive_new(rig.core, 1, &rig.core->receive), 0);
}

static inline int start(void **state)
{
    (void)state;
    rig_start(&rig);
    assert_int_equal(channel_pair(pair), 0);
    assert_int_equal(fd_set_nonblocking(pair[0], true), 0);
    assert_int_equal(fd_set_nonblocking(pair[1], true), 0);
    begin_core();
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static inline void deliver(void)
{
    assert_int_equal(channel_send(pair[0], &msg, NULL, 0), 0);
    core_on_receiver(rig.core, pair[1], LOOP_READ);
}

static inline void hello(uint64_t life)
{
    msg_begin(&msg, RECEIVER_MESSAGE_HELLO);
    msg_put_u64(&msg, life);
    deliver();
}

static int64_t entry_time; /* that entries say of themselves */

/* A batch of count entries of which each says its number. */
static inline void batch_from(uint64_t life, uint64_t number, unsigned count, const char *host)
{
    char text[64];

    msg_begin(&msg, RECEIVER_MESSAGE_ENTRIES);
    msg_put_u64(&msg, life);
    msg_put_u64(&msg, number);
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(text, sizeof(text), "<38>life%llu batch%llu entry%u",
                       (unsigned long long)life, (unsigned long long)number, i);
        msg_put_u32(&msg, i == 0 && count > 1 ? 2 : 1);
        msg_put_str(&msg, STR("203.0.113.5"));
        msg_put_str(&msg, str_from(host));
        msg_put_str(&msg, STR("syslog"));
        msg_put_str(&msg, STR("auth"));
        msg_put_i64(&msg, clock_wall(&rig.clock));
        msg_put_i64(&msg, entry_time);
        msg_put_str(&msg, str_from(text));
    }
    msg_put_u32(&msg, 0);
    deliver();
}

static inline void batch(uint64_t life, uint64_t number, unsigned count)
{
    batch_from(life, number, count, "web1");
}

/* The last word of core to the receiver; its type is 0 when there was none. */
static inline uint16_t last_word(uint64_t *ret_life, uint64_t *ret_number)
{
    uint16_t type = 0;

    while (channel_receive(pair[0], &packet) == 0) {
        type = packet.msg.type;
        *ret_life = type == RECEIVER_MESSAGE_GREETED ? msg_get_u64(&packet.msg) : 0;
        *ret_number = msg_get_u64(&packet.msg);
        for (unsigned i = 0; type == RECEIVER_MESSAGE_ALL_KNOWN && i < 2; i++) {
            (void)msg_get_u64(&packet.msg); /* it leads a greeting */
        }
        assert_int_equal(msg_close(&packet.msg), 0);
        channel_packet_done(&packet);
    }
    return type;
}

static inline void expect_greeted(uint64_t life, uint64_t number)
{
    uint64_t got_life = 0;
    uint64_t got = 0;

    assert_int_equal(last_word(&got_life, &got), RECEIVER_MESSAGE_GREETED);
    assert_int_equal(got_life, life);
    assert_int_equal(got, number);
}

static inline void expect_durable(uint64_t number)
{
    uint64_t life = 0;
    uint64_t got = 0;

    assert_int_equal(last_word(&life, &got), RECEIVER_MESSAGE_DURABLE);
    assert_int_equal(got, number);
}

struct tally {
    unsigned count;
    unsigned cut;
};

static inline int count_event(void *context, const struct archive_key *key,
                              const struct event *event)
{
    struct tally *tally = context;

    (void)key;
    tally->count++;
    tally->cut += event_find(event, EVENT_FIELD_LOG_FLAGS) != NULL;
    return 0;
}

static inline struct tally find(const char *word)
{
    struct needles needles;
    const struct archive_query query = {
        .from = 0, .to = INT64_MAX, .needles = &needles, .limit = ARCHIVE_SEARCH_MAX};
    struct tally tally = {0};

    needles_init(&needles);
    needles.root = needles_text(&needles, str_from(word), 0);
    assert_true(archive_search(rig.archive, &query, count_event, &tally) >= 0);
    return tally;
}

/* Events in the archive with that word. */
static inline unsigned kept(const char *word)
{
    return find(word).count;
}

static inline struct core_host *host_named(const char *name)
{
    size_t cursor = 0;
    struct core_host *host;

    while ((host = map_next(&rig.core->hosts_by_id, &cursor)) != NULL &&
           strcmp(host->name, name) != 0) {
    }
    assert_non_null(host);
    return host;
}

#endif
