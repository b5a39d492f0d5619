/* Posts that are posted again since their answer reached nobody: what was taken of them is passed
 * over, all else is taken. */
#include "harness.h"

#include "receiver_bench.h"

#include <stdio.h>

/* A post that was cut, or whose answer reached nobody, doubles nothing when it comes again. */
static void test_posted_again(void **state)
{
    (void)state;
    receiver_begin(1 << 20);
    post_piece(1, RECEIVER_PIECE_FIRST, "a\nb\nc\n");
    post_left(1);
    post_whole(2, "a\nb\nc\nd\n");
    make_durable();
    assert_int_equal(posted(), 4);
    assert_int_equal(repeated(), 3);
    assert_int_equal(answered(), 4); /* its sender is told of all that is kept */

    post_told(2);
    post_whole(3, "a\nb\nc\nd\n"); /* these are others */
    make_durable();
    assert_int_equal(posted(), 8);
    post_left(3); /* its answer reached nobody */
    post_whole(4, "a\nb\nc\nd\n");
    assert_int_equal(posted(), 8);
    assert_int_equal(repeated(), 7);
    make_durable();
    receiver_finish();
}

/* What is passed over ends where it differs; a second cut forgets nothing. */
static void test_posted_again_in_part(void **state)
{
    (void)state;
    receiver_begin(1 << 20);
    post_piece(1, RECEIVER_PIECE_FIRST, "a\nb\nc\n");
    post_left(1);
    post_piece(2, RECEIVER_PIECE_FIRST, "a\n");
    post_left(2);
    post_whole(3, "a\nb\nx\nc\n");
    assert_int_equal(posted(), 5);
    assert_int_equal(repeated(), 3);
    make_durable();

    post_piece(4, RECEIVER_PIECE_FIRST, "a\nb\n");
    post_left(4);
    post_whole(5, "b\na\n"); /* another order is another post */
    assert_int_equal(posted(), 9);
    make_durable();
    receiver_finish();
}

static int64_t waited;

static int64_t waited_mono(void *context)
{
    (void)context;
    return clock_mono(&clock_real) + waited;
}

static int64_t waited_wall(void *context)
{
    (void)context;
    return clock_wall(&clock_real);
}

/* Its sender gave up waiting while core kept nothing; the first is not forgotten yet. */
static void test_posted_again_while_it_waits(void **state)
{
    const struct clock clock = {.wall = waited_wall, .mono = waited_mono};

    (void)state;
    receiver_begin(1 << 20);
    receiver.queue.clock = &clock;
    waited = 0;
    post_whole(1, "a\nb\n");
    post_whole(2, "a\nb\n"); /* two at one time are two */
    assert_int_equal(posted(), 4);
    waited = 5 * NS_PER_S;
    post_whole(3, "a\nb\n");
    post_left(1);
    assert_int_equal(posted(), 4);
    assert_int_equal(repeated(), 2);
    make_durable();
    assert_int_equal(answered(), 2);
    post_left(3);
    waited += 700 * NS_PER_S;        /* nobody repeats it now */
    receiver_posts_watch(&receiver); /* nor says whether 2 has its answer */
    post_whole(4, "a\nb\n");
    assert_int_equal(posted(), 6);
    make_durable();
    receiver_finish();
}

/* Its sender closed the connection while the api did not read from it: it comes again before
 * anybody says that the first is left. */
static void test_posted_again_before_it_is_left(void **state)
{
    const struct clock clock = {.wall = waited_wall, .mono = waited_mono};

    (void)state;
    receiver_begin(1 << 20);
    receiver.queue.clock = &clock;
    waited = 0;
    post_piece(1, RECEIVER_PIECE_FIRST, "a\nb\n");
    waited = 5 * NS_PER_S;
    post_whole(2, "a\nb\nc\n");
    assert_int_equal(refused(), -ERR_FULL);
    post_whole(3, "b\n");
    assert_int_equal(posted(), 3);
    post_left(1);
    post_whole(4, "a\nb\nc\n");
    assert_int_equal(posted(), 4);
    make_durable();
    receiver_finish();
}

/* Two behind one token say the same while core keeps nothing: neither repeats the other. */
static void test_others_are_no_repeat(void **state)
{
    const struct clock clock = {.wall = waited_wall, .mono = waited_mono};

    (void)state;
    receiver_begin(1 << 20);
    receiver.queue.clock = &clock;
    waited = 0;
    post_whole(1, "heartbeat\n");
    waited = 5 * NS_PER_S;
    poster = "192.0.2.2";
    post_whole(2, "heartbeat\n");
    assert_int_equal(posted(), 2);
    make_durable();
    post_told(1);
    post_left(2);
    poster = "192.0.2.1";
    post_whole(3, "heartbeat\n");
    assert_int_equal(posted(), 3);
    make_durable();
    receiver_finish();
}

/* A post that only begins as one did that nobody was answered: both are kept whole, neither is
 * doubled, whoever comes again first. */
static void test_alike_at_the_begin(void **state)
{
    (void)state;
    receiver_begin(1 << 20);
    post_piece(1, RECEIVER_PIECE_FIRST, "hb\nx\n");
    post_left(1);
    post_whole(2, "hb\ny\n");
    post_whole(3, "hb\nx\n");
    assert_int_equal(posted(), 4);
    make_durable();
    assert_int_equal(answered(), 2);

    post_piece(4, RECEIVER_PIECE_FIRST, "hb\nx\n");
    post_left(4);
    for (uint64_t number = 5; number < 10; number++) { /* each has an hb of its own */
        post_whole(number, "hb\ny\n");
    }
    post_whole(10, "hb\nx\n");
    assert_int_equal(posted(), 4 + 2 + 5 * 2);
    make_durable();
    receiver_finish();
}

/* What had to be taken again since it stood for another's is taken again once, however often the
 * post is cut. */
static void test_cut_while_it_is_made_up(void **state)
{
    (void)state;
    receiver_begin(1 << 20);
    post_piece(1, RECEIVER_PIECE_FIRST, "a\nb\nc\n");
    post_left(1);
    post_whole(2, "a\nb\ny\n");
    assert_int_equal(posted(), 4);
    post_piece(3, RECEIVER_PIECE_FIRST, "a\n");
    post_left(3);
    assert_int_equal(posted(), 5);
    post_whole(4, "a\nb\nc\n");
    assert_int_equal(posted(), 6);
    make_durable();
    receiver_finish();
}

/* One that begins as one does that waits for its answer: what it says is not there, so it is not
 * answered as if it were, whether it goes on otherwise or ends before. */
static void test_alike_while_it_waits(void **state)
{
    const struct clock clock = {.wall = waited_wall, .mono = waited_mono};

    (void)state;
    receiver_begin(1 << 20);
    receiver.queue.clock = &clock;
    waited = 0;
    post_whole(1, "hb\nx\n");
    waited = 5 * NS_PER_S;
    post_whole(2, "hb\ny\n");
    assert_int_equal(refused(), -ERR_FULL);
    post_whole(3, "hb\n");
    assert_int_equal(refused(), -ERR_FULL);
    assert_int_equal(posted(), 2);
    make_durable();
    assert_int_equal(answered(), 2);
    post_whole(4, "hb\ny\n"); /* nobody knows yet whether the other's sender has its answer */
    assert_int_equal(refused(), -ERR_FULL);
    post_told(1);
    post_whole(5, "hb\ny\n");
    post_whole(6, "hb\n");
    assert_int_equal(posted(), 5);
    make_durable();
    receiver_finish();
}

/* Of two that say the same, one behind the other, the second is answered only when it is known
 * that the first was not: else both would be answered for entries that are there once. */
static void test_two_that_say_the_same(void **state)
{
    const struct clock clock = {.wall = waited_wall, .mono = waited_mono};

    (void)state;
    receiver_begin(1 << 20);
    receiver.queue.clock = &clock;
    waited = 0;
    post_whole(1, "z\n");
    waited += 5 * NS_PER_S;
    post_whole(2, "z\n");
    settle();
    assert_int_equal(answered(), 1);
    post_told(1);
    assert_int_equal(refused(), -ERR_FULL); /* another machine's: it comes again, and is taken */
    post_whole(3, "z\n");
    assert_int_equal(posted(), 2);

    waited += 5 * NS_PER_S;
    post_whole(4, "z\n");
    settle();
    assert_int_equal(answered(), 1);
    post_left(3);
    assert_int_equal(answered(), 1); /* 4 was it again */
    post_told(4);
    post_whole(5, "z\n"); /* who comes now is another */
    assert_int_equal(posted(), 3);
    make_durable();
    receiver_finish();
}

/* The second goes on where the first ended, and the first's sender has its answer: what was taken
 * of the second alone is not taken again when it comes again, all else is. */
static void test_longer_behind_shorter(void **state)
{
    const struct clock clock = {.wall = waited_wall, .mono = waited_mono};

    (void)state;
    receiver_begin(1 << 20);
    receiver.queue.clock = &clock;
    waited = 0;
    post_whole(1, "a\nb\n");
    waited = 5 * NS_PER_S;
    post_whole(2, "a\nb\nc\nd\n");
    assert_int_equal(posted(), 4);
    settle();
    assert_int_equal(answered(), 2);
    post_told(1);
    assert_int_equal(refused(), -ERR_FULL);
    post_whole(3, "a\nb\nc\nd\n");
    assert_int_equal(posted(), 6);
    make_durable();
    assert_int_equal(answered(), 4);
    receiver_finish();
}

/* Two that were not answered, one the other's beginning: each finds what was taken of it, whichever
 * came first and whichever comes again first. */
static void test_shorter_swallows_no_longer(void **state)
{
    static const char *const texts[] = {"a\nb\n", "a\nb\nc\nd\n"};

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        for (unsigned again = 0; again < 2; again++) {
            receiver_begin(1 << 20);
            post_whole(1, texts[first]);
            post_left(1);
            post_whole(2, texts[1 - first]);
            post_left(2);
            post_whole(3, texts[again]);
            post_whole(4, texts[1 - again]);
            assert_int_equal(posted(), 6);
            make_durable();
            receiver_finish();
        }
    }
}

/* One that says again what is not durable yet is not answered before it is, though it first looked
 * like another that is. */
static void test_answered_when_durable(void **state)
{
    (void)state;
    receiver_begin(1 << 20);
    post_whole(1, "a\nb\nc\n");
    assert_int_equal(receiver_queue_close(&receiver.queue), 0);
    post_whole(2, "a\nb\n");
    post_left(2);
    post_left(1);
    post_whole(3, "a\nb\n");
    assert_int_equal(posted(), 5);
    receiver_queue_durable(&receiver.queue, 1);
    receiver_posts_settle(&receiver);
    assert_false(list_is_empty(&receiver.answers));
    make_durable();
    assert_int_equal(answered(), 2);
    receiver_finish();
}

/* Refused, and then left: known once, with all that was taken before it. */
static void test_refused_and_left(void **state)
{
    (void)state;
    receiver_begin(1 << 20);
    post_piece(1, RECEIVER_PIECE_FIRST, "a\nb\nc\n");
    post_left(1);
    post_piece(2, RECEIVER_PIECE_FIRST, "a\n");
    receiver.is_ending = true;
    post_piece(2, 0, "b\n");
    receiver.is_ending = false;
    post_left(2);
    post_whole(3, "a\nb\nc\nd\n");
    assert_int_equal(posted(), 4);
    make_durable();
    receiver_finish();
}

/* However many were answered meanwhile, or were not: those that may come again are known. */
static void test_posted_again_after_many(void **state)
{
    enum { MANY = 2000 };
    uint64_t number = 1;
    char line[32];

    (void)state;
    receiver_begin(16 << 20);
    post_piece(number, RECEIVER_PIECE_FIRST, "a\nb\n");
    post_left(number);
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(line, sizeof(line), "%u\n", i);
        post_whole(++number, line);
        make_durable();
        assert_int_equal(answered(), 1);
    }
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(line, sizeof(line), "x%u\n", i);
        post_piece(++number, RECEIVER_PIECE_FIRST, line);
        post_left(number);
    }
    assert_int_equal(posted(), 2 + 2 * MANY);
    post_whole(++number, "a\nb\n");
    assert_int_equal(posted(), 2 + 2 * MANY);
    make_durable();
    receiver_finish();
}

/* What is kept of posts stays within its limit, though no two of them are alike. */
static void test_repeats_are_bounded(void **state)
{
    static struct repeats repeats;
    const uint64_t numbers[] = {1, 199998, 199999};
    struct repeat *again;

    (void)state;
    repeats_init(&repeats, 1);
    for (uint64_t number = 1; number <= 200000; number++) {
        struct repeat post = {.number = number};

        buf_init(&post.hashes, sizeof(number));
        assert_int_equal(buf_put(&post.hashes, &number, sizeof(number)), 0);
        repeats_keep(&repeats, &post, 1);
        assert_true(repeats.size <= REPEATS_SIZE_MAX);
    }
    assert_null(repeats_take(&repeats, MAP_KEY(numbers[0]), false, 1)); /* the oldest went */
    again = repeats_take(&repeats, MAP_KEY(numbers[2]), false, 1);
    assert_non_null(again);
    repeat_free(again);
    assert_null(repeats_take(&repeats, MAP_KEY(numbers[2]), false, 1));
    assert_null(repeats_take(&repeats, MAP_KEY(numbers[1]), false, 2 + REPEATS_KEPT));
    assert_int_equal(repeats.size, 0);
    repeats_clear(&repeats);
}

/* Posts whose senders never say whether they have their answer: the oldest count as told. */
static void test_doubts_are_bounded(void **state)
{
    char line[32];

    (void)state;
    receiver_begin(16 << 20);
    for (uint64_t number = 1; number <= 2000; number++) {
        (void)snprintf(line, sizeof(line), "%llu\n", (unsigned long long)number);
        post_whole(number, line);
        make_durable();
        assert_int_equal(answered(), 1);
        receiver_posts_watch(&receiver);
        assert_true(receiver.repeats.undecided_count <= REPEATS_UNDECIDED);
    }
    post_left(2000);
    post_left(1); /* too late */
    post_whole(2001, "2000\n");
    post_whole(2002, "1\n");
    assert_int_equal(posted(), 2001);
    make_durable();
    receiver_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posted_again),
        cmocka_unit_test(test_posted_again_in_part),
        cmocka_unit_test(test_posted_again_while_it_waits),
        cmocka_unit_test(test_posted_again_before_it_is_left),
        cmocka_unit_test(test_others_are_no_repeat),
        cmocka_unit_test(test_alike_at_the_begin),
        cmocka_unit_test(test_cut_while_it_is_made_up),
        cmocka_unit_test(test_alike_while_it_waits),
        cmocka_unit_test(test_two_that_say_the_same),
        cmocka_unit_test(test_longer_behind_shorter),
        cmocka_unit_test(test_shorter_swallows_no_longer),
        cmocka_unit_test(test_answered_when_durable),
        cmocka_unit_test(test_refused_and_left),
        cmocka_unit_test(test_posted_again_after_many),
        cmocka_unit_test(test_repeats_are_bounded),
        cmocka_unit_test(test_doubts_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
