/* Posts that come again after the death of whoever took them: core kept what was taken with the
 * entries, and the process after it is told. */
#include "harness.h"

#include "receiver_bench.h"

#include "centre/receiver/queue.h"
#include "sys/fd.h"

enum { NOTES_MAX = 64 };

/* What core keeps, as its store would. */
static struct note {
    uint64_t post;
    uint64_t hash;
} notes[NOTES_MAX];
static size_t note_count;

static void forget_notes(uint64_t post)
{
    size_t kept = 0;

    for (size_t i = 0; i < note_count; i++) {
        if (notes[i].post != post) {
            notes[kept++] = notes[i];
        }
    }
    note_count = kept;
}

static void take_entry(struct msg_reader *reader, uint32_t marks)
{
    for (unsigned i = 0; i < 4; i++) {
        (void)msg_get_str(reader);
    }
    (void)msg_get_i64(reader);
    (void)msg_get_i64(reader);
    if ((marks & RECEIVER_MARK_POSTED) != 0) {
        assert_true(note_count < NOTES_MAX);
        notes[note_count].post = msg_get_u64(reader);
        notes[note_count++].hash = msg_get_u64(reader);
    }
    assert_true(msg_get_str(reader).len != 0);
}

/* All batches that are there become durable; core keeps what they say. */
static void commit(void)
{
    static struct msg_writer message;
    struct msg_reader reader;
    uint32_t marks;

    assert_int_equal(receiver_queue_close(&receiver.queue), 0);
    while (receiver_queue_next(&receiver.queue, &message)) {
        msg_open(&reader, str_of((const char *)message.bytes, message.len));
        (void)msg_get_u64(&reader);
        (void)msg_get_u64(&reader);
        while ((marks = msg_get_u32(&reader)) != RECEIVER_MARK_END) {
            if (marks == RECEIVER_MARK_TOLD) {
                forget_notes(msg_get_u64(&reader));
            } else {
                take_entry(&reader, marks);
            }
        }
        assert_int_equal(msg_close(&reader), 0);
        receiver_queue_sent(&receiver.queue);
    }
    settle();
}

static void start(void)
{
    note_count = 0;
    receiver_begin(1 << 20);
}

/* The receiver dies; the one after it hears what core kept, post by post. */
static void die(void)
{
    receiver_finish();
    receiver_begin(1 << 20);
    receiver.post_id = 200;
    for (size_t i = 0; i < note_count; i++) {
        bool is_first = true;

        for (size_t k = 0; k < i; k++) {
            is_first = is_first && notes[k].post != notes[i].post;
        }
        for (size_t k = i; is_first && k < note_count; k++) {
            if (notes[k].post == notes[i].post) {
                repeats_add_known(&receiver.repeats, notes[k].post, MAP_KEY(notes[k].hash),
                                  clock_mono(&clock_real));
            }
        }
    }
}

/* Committed, and never answered; or answered, and nobody knows whether the sender heard. */
static void test_dead_before_the_answer(void **state)
{
    (void)state;
    start();
    post_piece(1, RECEIVER_PIECE_FIRST, "a\nb\n");
    post_whole(2, "x\ny\n");
    post_piece(1, 0, "c\n");
    commit();
    die();
    post_whole(3, "a\nb\nc\nd\n");
    post_whole(4, "x\ny\n");
    assert_int_equal(posted(), 1);
    assert_int_equal(repeated(), 5);
    commit();
    assert_int_equal(answered(), 4);
    die(); /* again, before 3 heard; what was new in it was kept with the rest */
    post_whole(5, "a\nb\nc\nd\n");
    assert_int_equal(posted(), 0);
    commit();
    assert_int_equal(answered(), 4);
    receiver_finish();
}

/* What was not committed is taken. */
static void test_dead_before_the_commit(void **state)
{
    (void)state;
    start();
    post_piece(1, RECEIVER_PIECE_FIRST, "a\nb\n");
    commit();
    post_piece(1, 0, "c\nd\n");
    die();
    post_whole(2, "a\nb\nc\nd\n");
    assert_int_equal(posted(), 2);
    commit();
    receiver_finish();
}

/* Whoever heard is not taken for one who comes again. */
static void test_dead_after_the_answer(void **state)
{
    (void)state;
    start();
    post_whole(1, "heartbeat\n");
    commit();
    assert_int_equal(answered(), 1);
    post_told(1);
    commit();
    assert_int_equal(note_count, 0);
    die();
    post_whole(2, "heartbeat\n");
    assert_int_equal(posted(), 1);
    commit();
    post_told(2);
    commit();
    assert_int_equal(note_count, 0);
    receiver_finish();
}

/* Whoever heard, but of whom the process that answered did not hear so: the one after it does, and
 * has core forget it. */
static void test_told_of_another_life(void **state)
{
    (void)state;
    start();
    post_whole(1, "heartbeat\n");
    commit();
    assert_int_equal(answered(), 1);
    die();
    say(RECEIVER_MESSAGE_TOLD, 1, kept_id);
    commit();
    assert_int_equal(note_count, 0);
    post_whole(2, "heartbeat\n");
    assert_int_equal(posted(), 1);
    say(RECEIVER_MESSAGE_TOLD, 1, kept_id); /* all that was said of late is said again */
    commit();
    assert_int_equal(answered(), 1);
    assert_int_equal(note_count, 1);
    receiver_finish();
}

/* One that only began alike: nothing that was taken is taken for another's. */
static void test_dead_after_parting(void **state)
{
    (void)state;
    start();
    post_piece(1, RECEIVER_PIECE_FIRST, "hb\nx\n");
    post_left(1);
    post_whole(2, "hb\ny\n");
    commit();
    post_told(2);
    commit();
    die();
    post_whole(3, "hb\nx\n"); /* may be there twice now, and is there at least once */
    assert_true(posted() + repeated() == 2 && posted() >= 1);
    commit();
    receiver_finish();
}

/* The api dies: of all that it had under way nobody has heard. */
static void test_death_of_the_api(void **state)
{
    (void)state;
    start();
    post_whole(1, "a\nb\n");
    commit();
    post_whole(2, "c\n");
    post_piece(3, RECEIVER_PIECE_FIRST, "d\n");
    post_left(0);
    post_whole(4, "a\nb\n");
    post_whole(5, "c\n");
    post_whole(6, "d\n");
    assert_int_equal(posted(), 4);
    assert_int_equal(repeated(), 4);
    commit();
    receiver_finish();
}

/* Under a key one is taken once, from wherever it comes and whether it was answered; under another
 * it is another. */
static void test_keys(void **state)
{
    const uint32_t marks = RECEIVER_PIECE_FIRST | RECEIVER_PIECE_LAST | RECEIVER_PIECE_KEYED;

    (void)state;
    start();
    poster = "key 7";
    post_piece(1, marks, "a\n");
    post_piece(2, marks, "a\n"); /* at the same time */
    commit();
    assert_int_equal(answered(), 1);
    post_told(1);
    assert_int_equal(answered(), 1);
    post_told(2);
    post_piece(3, marks, "a\n");
    poster = "key 8";
    post_piece(4, marks, "a\n");
    assert_int_equal(posted(), 2);
    commit();
    post_told(3);
    post_told(4);
    die();
    post_piece(5, marks, "a\n");
    assert_int_equal(posted(), 0);
    commit();
    poster = "192.0.2.1";
    receiver_finish();
}

/* What the process before this one left in the channel leaves no room: the api is greeted once it
 * has read that, and says again then who was told. */
static void test_greeted_late(void **state)
{
    static struct channel_packet packet;
    unsigned waiting = 0;
    unsigned greeted = 0;

    (void)state;
    start();
    assert_int_equal(fd_set_nonblocking(api[0], true), 0);
    msg_begin(&piece, RECEIVER_MESSAGE_POSTED);
    while (channel_send(api[0], &piece, NULL, 0) == 0) {
        waiting++;
    }
    assert_true(waiting > 0);
    receiver.is_api_due = true;
    receiver_posts_greet(&receiver);
    receiver_posts_watch(&receiver);
    for (unsigned i = 0; i < waiting + 3; i++) {
        if (i >= waiting) {
            receiver_posts_watch(&receiver);
        }
        if (channel_receive_within(api[1], 0, &packet) == 0) {
            greeted += packet.msg.type == RECEIVER_MESSAGE_HELLO;
            channel_packet_done(&packet);
        }
    }
    assert_int_equal(greeted, 1);
    receiver_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dead_before_the_answer),
        cmocka_unit_test(test_dead_before_the_commit),
        cmocka_unit_test(test_dead_after_the_answer),
        cmocka_unit_test(test_told_of_another_life),
        cmocka_unit_test(test_dead_after_parting),
        cmocka_unit_test(test_death_of_the_api),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_greeted_late),
    };

    return cmocka_run_group_tests_name("repeats_kept", tests, NULL, NULL);
}
