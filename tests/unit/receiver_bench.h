/* A receiver without its sockets, to which a test hands pieces of posts as the api does. */
#ifndef TESTS_UNIT_RECEIVER_BENCH_H
#define TESTS_UNIT_RECEIVER_BENCH_H

#include "harness.h"

#include "base/time.h"
#include "centre/receiver/body.h"

#include <unistd.h>

static struct msg_writer piece;
static struct receiver receiver;
static struct receiver_options options;
static int api[2];
static const char *poster = "192.0.2.1";

static inline void on_nothing(void *context)
{
    (void)context;
}

static inline void receiver_begin(size_t max)
{
    assert_int_equal(channel_pair(api), 0);
    options = (struct receiver_options){.core = -1, .api = api[0], .front = -1, .supervisor = -1};
    receiver = (struct receiver){.options = &options, .is_hurried = true};
    receiver_queue_init(&receiver.queue, max, 7, &clock_real);
    map_init(&receiver.posts, RECEIVER_POSTS_MAX, 1);
    repeats_init(&receiver.repeats, 1);
    receiver.post_id = 100;
    list_init(&receiver.answers);
    list_init(&receiver.unpacking);
    assert_int_equal(loop_new(8, &receiver.loop), 0);
    assert_int_equal(loop_add_timer(receiver.loop, on_nothing, NULL, &receiver.drain), 0);
    assert_int_equal(loop_add_timer(receiver.loop, on_nothing, NULL, &receiver.unpack), 0);
}

static inline void receiver_finish(void)
{
    receiver_posts_done(&receiver);
    receiver_queue_done(&receiver.queue);
    loop_freep(&receiver.loop);
    close(api[0]);
    close(api[1]);
}

static inline void post_bytes(uint64_t number, uint32_t marks, struct str bytes)
{
    struct msg_reader reader;

    msg_begin(&piece, RECEIVER_MESSAGE_PIECE);
    msg_put_u64(&piece, number);
    msg_put_str(&piece, STR("may-chu"));
    msg_put_str(&piece, str_from(poster));
    msg_put_u32(&piece, RECEIVER_FORM_RAW);
    msg_put_str(&piece, STR("web1"));
    msg_put_u32(&piece, marks);
    msg_put_str(&piece, bytes);
    msg_open(&reader, str_of((const char *)piece.bytes, piece.len));
    receiver_posts_take(&receiver, &reader);
}

static inline void post_piece(uint64_t number, uint32_t marks, const char *bytes)
{
    post_bytes(number, marks, str_from(bytes));
}

static inline uint64_t posted(void)
{
    return receiver.counts.of[RECEIVER_COUNT_RECEIVED + RECEIVER_WAY_POST];
}

static inline uint64_t repeated(void)
{
    return receiver.counts.of[RECEIVER_COUNT_REPEATED];
}

static inline void post_whole(uint64_t number, const char *bytes)
{
    post_piece(number, RECEIVER_PIECE_FIRST | RECEIVER_PIECE_LAST, bytes);
}

static inline void say(enum receiver_message word, uint64_t number, uint64_t id)
{
    struct msg_reader reader;

    msg_begin(&piece, (uint16_t)word);
    msg_put_u64(&piece, number);
    msg_put_u64(&piece, id);
    msg_open(&reader, str_of((const char *)piece.bytes, piece.len));
    receiver_posts_take(&receiver, &reader);
}

static inline void post_left(uint64_t number)
{
    say(RECEIVER_MESSAGE_LEFT, number, 0);
}

/* Its sender has the answer. */
static inline void post_told(uint64_t number)
{
    say(RECEIVER_MESSAGE_TOLD, number, 0);
}

static inline void settle(void)
{
    assert_int_equal(receiver_queue_close(&receiver.queue), 0);
    receiver_queue_durable(&receiver.queue, receiver_queue_last(&receiver.queue));
    receiver_posts_settle(&receiver);
}

static inline void make_durable(void)
{
    settle();
    assert_true(list_is_empty(&receiver.answers));
}

static uint64_t kept_id; /* by which core keeps the post that was answered last */

/* The answers that were given since, in turn: the last one's entries. */
static inline uint32_t answered(void)
{
    static struct channel_packet packet;
    uint32_t taken = 0;

    while (channel_receive_within(api[1], 0, &packet) == 0) {
        (void)msg_get_u64(&packet.msg);
        assert_int_equal(msg_get_i64(&packet.msg), 0);
        kept_id = msg_get_u64(&packet.msg);
        taken = msg_get_u32(&packet.msg);
        channel_packet_done(&packet);
    }
    return taken;
}

/* What the only answer that is there says. */
static inline int refused(void)
{
    static struct channel_packet packet;
    int result;

    assert_int_equal(channel_receive_within(api[1], 0, &packet), 0);
    (void)msg_get_u64(&packet.msg);
    result = (int)msg_get_i64(&packet.msg);
    channel_packet_done(&packet);
    return result;
}

#endif
