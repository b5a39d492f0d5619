/* Lives of the receiver and counts of its senders: both end, and neither may run out of numbers. */
#include "receive_fixture.h"

static uint64_t epoch_of(const char *name)
{
    return host_named(name)->acknowledged >> 40;
}

/* A receiver in other hands that begins life after life is held up before numbers run out, and told
 * of; what a good one has waits meanwhile and is taken later. */
static void test_lives_are_rationed(void **state)
{
    struct store_counts sums;
    uint64_t epoch;

    (void)state;
    for (unsigned i = 1; i <= 1000; i++) {
        hello(LIFE + i);
        batch(LIFE + i, 1, 1);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    epoch = epoch_of("web1@203.0.113.5");
    assert_true(epoch <= 20);
    assert_int_equal(store_counts(rig.store, &sums), 0);
    assert_int_equal(sums.alerts_new, 1);
    rig.mono_offset += 60 * NS_PER_S;
    hello(LIFE + 1000);
    expect_greeted(LIFE + 1000, 0);
    batch(LIFE + 1000, 1, 1);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(epoch_of("web1@203.0.113.5"), epoch + 1);
    assert_int_equal(kept("life5711"), 1);
}

/* A sender whose count comes near the end of its epoch goes on in the next, which is durable before
 * its first entry: a death in between takes none for another. */
static void test_counts_end_in_time(void **state)
{
    struct core_host *host;
    uint64_t epoch;

    (void)state;
    hello(LIFE);
    batch(LIFE, 1, 1);
    assert_int_equal(core_batch_commit(rig.core), 0);
    host = host_named("web1@203.0.113.5");
    epoch = host->pending >> 40;
    host->acknowledged = host->pending = ((epoch + 1) << 40) - 5;
    batch(LIFE, 2, 3);
    batch(LIFE, 3, 3);
    assert_int_equal(archive_commit(rig.archive), 0);
    core_fail(rig.core, -ERR_IO);
    core_receive_tick(rig.core->receive);
    expect_greeted(LIFE, 2);
    hello(LIFE + 1);
    batch(LIFE + 1, 1, 3);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(epoch_of("web1@203.0.113.5"), epoch + 2);
    assert_int_equal(kept("life4711"), 7);
    assert_int_equal(kept("life4712"), 3);
}

/* Lines of a stream, told from all others by these hashes. */
static void batch_lines(uint64_t life, uint64_t number, uint64_t first, uint64_t last)
{
    msg_begin(&msg, RECEIVER_MESSAGE_ENTRIES);
    msg_put_u64(&msg, life);
    msg_put_u64(&msg, number);
    for (uint64_t hash = first; hash <= last; hash++) {
        msg_put_u32(&msg, RECEIVER_MARK_ENTRY | RECEIVER_MARK_ONCE);
        msg_put_str(&msg, STR("203.0.113.5"));
        msg_put_str(&msg, STR("web1"));
        msg_put_str(&msg, STR("syslog"));
        msg_put_str(&msg, STR("auth"));
        msg_put_i64(&msg, clock_wall(&rig.clock));
        msg_put_i64(&msg, 0);
        msg_put_u64(&msg, hash);
        msg_put_str(&msg, STR("<38>streamed"));
    }
    msg_put_u32(&msg, RECEIVER_MARK_END);
    deliver();
}

/* A sender whose receiver died sends its last lines again: those that were committed are there
 * once, those that were not come through, and nothing of one receiver's is its own repeat. */
static void test_lines_sent_again(void **state)
{
    struct core_receive_counts counts;

    (void)state;
    hello(LIFE);
    batch_lines(LIFE, 1, 1, 100);
    batch_lines(LIFE, 2, 100, 100); /* two that say the same */
    assert_int_equal(core_batch_commit(rig.core), 0);
    hello(LIFE + 1);
    batch_lines(LIFE + 1, 1, 51, 120);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(kept("streamed"), 121);
    core_receive_count(rig.core->receive, &counts);
    assert_int_equal(counts.again, 50);
    assert_int_equal(counts.taken, 121);

    batch_lines(LIFE + 1, 2, 121, 130);
    core_fail(rig.core, -ERR_IO); /* never committed, and the receiver that would send it dies */
    hello(LIFE + 2);
    batch_lines(LIFE + 2, 1, 121, 130);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(kept("streamed"), 131);
}

/* A batch of one post's entries, of each of which the hash is given. */
static void batch_posted(uint64_t number, uint64_t post, const uint64_t *hashes, size_t count)
{
    msg_begin(&msg, RECEIVER_MESSAGE_ENTRIES);
    msg_put_u64(&msg, LIFE);
    msg_put_u64(&msg, number);
    for (size_t i = 0; i < count; i++) {
        msg_put_u32(&msg, RECEIVER_MARK_ENTRY | RECEIVER_MARK_POSTED);
        msg_put_str(&msg, STR("shipper"));
        msg_put_str(&msg, STR("web1"));
        msg_put_str(&msg, STR("syslog"));
        msg_put_str(&msg, STR("auth"));
        msg_put_i64(&msg, clock_wall(&rig.clock));
        msg_put_i64(&msg, 0);
        msg_put_u64(&msg, post);
        msg_put_u64(&msg, hashes[i]);
        msg_put_str(&msg, STR("<38>posted"));
    }
    msg_put_u32(&msg, RECEIVER_MARK_END);
    deliver();
}

static void batch_told(uint64_t number, uint64_t post)
{
    msg_begin(&msg, RECEIVER_MESSAGE_ENTRIES);
    msg_put_u64(&msg, LIFE);
    msg_put_u64(&msg, number);
    msg_put_u32(&msg, RECEIVER_MARK_TOLD);
    msg_put_u64(&msg, post);
    msg_put_u32(&msg, RECEIVER_MARK_END);
    deliver();
}

/* What a receiver that begins now is told before it is greeted: all hashes of all posts. */
static size_t known(uint64_t life, uint64_t *ret_hashes, size_t most, uint64_t *ret_seed)
{
    uint16_t type = 0;
    uint64_t told = 0;
    size_t count = 0;

    while (channel_receive(pair[0], &packet) == 0) {
        channel_packet_done(&packet); /* what was said before */
    }
    hello(life);
    while (type != RECEIVER_MESSAGE_GREETED && channel_receive(pair[0], &packet) == 0) {
        uint64_t number;
        struct str hashes;

        assert_true(msg_get_u64(&packet.msg) == life);
        number = msg_get_u64(&packet.msg);
        type = packet.msg.type;
        if (type == RECEIVER_MESSAGE_KNOWN) {
            assert_true(number == told++ && msg_get_u64(&packet.msg) != 0);
            hashes = msg_get_str(&packet.msg);
            assert_true(hashes.len % sizeof(uint64_t) == 0 &&
                        count + hashes.len / sizeof(uint64_t) <= most);
            memcpy(ret_hashes + count, hashes.ptr, hashes.len);
            count += hashes.len / sizeof(uint64_t);
        } else if (type == RECEIVER_MESSAGE_ALL_KNOWN) {
            assert_true(number == told);
            *ret_seed = msg_get_u64(&packet.msg);
        }
        channel_packet_done(&packet);
    }
    assert_int_equal(type, RECEIVER_MESSAGE_GREETED);
    return count;
}

/* What was taken of posts is kept with their entries, and told to the next receiver whoever died;
 * what came to nothing is not, nor what a sender was told, nor what is old. */
static void test_posts_are_kept(void **state)
{
    const uint64_t one[] = {11, 12, 13};
    const uint64_t two[] = {21};
    uint64_t hashes[8];
    uint64_t seed = 0;
    uint64_t again = 0;

    (void)state;
    assert_int_equal(known(LIFE, hashes, 8, &seed), 0);
    batch_posted(1, 500, one, 2);
    batch_posted(2, 600, two, 1);
    batch_posted(3, 500, one + 2, 1);
    assert_int_equal(core_batch_commit(rig.core), 0);
    batch_posted(4, 700, two, 1);
    core_fail(rig.core, -ERR_IO);
    rig_restart_core(&rig);
    begin_core();
    assert_int_equal(known(LIFE, hashes, 8, &again), 4);
    assert_true(again == seed);
    assert_memory_equal(hashes, one, sizeof(one)); /* a post's one behind another */
    assert_memory_equal(hashes + 3, two, sizeof(two));

    batch_told(4, 500);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(known(LIFE + 1, hashes, 8, &again), 1);
    assert_true(again == seed);
    rig.offset += 601 * NS_PER_S;
    assert_int_equal(known(LIFE + 2, hashes, 8, &again), 0);
}

/* Rows that core tells until the channel is full, or all are told; each for that life, in turn. */
static uint64_t take_rows(uint64_t life, uint64_t told, bool *ret_is_all)
{
    while (!*ret_is_all && channel_receive(pair[0], &packet) == 0) {
        uint16_t type = packet.msg.type;

        if (type == RECEIVER_MESSAGE_KNOWN && msg_get_u64(&packet.msg) == life) {
            assert_true(msg_get_u64(&packet.msg) == told++);
        }
        *ret_is_all = type == RECEIVER_MESSAGE_ALL_KNOWN && msg_get_u64(&packet.msg) == life;
        channel_packet_done(&packet);
    }
    return told;
}

/* A receiver that asks again while it is told hears each row once; of what the one before it was
 * told, and did not read, it can tell that it is not its own. */
static void test_posts_are_told_once(void **state)
{
    enum { POSTS = 1500 };
    bool is_all = false;
    uint64_t told = 0;

    (void)state;
    hello(LIFE);
    for (uint64_t post = 1; post <= POSTS; post++) {
        batch_posted(post, post, &post, 1);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    hello(LIFE + 1); /* and dies */
    hello(LIFE + 2);
    told = take_rows(LIFE + 2, told, &is_all); /* only the other's */
    core_on_receiver(rig.core, pair[1], LOOP_WRITE);
    hello(LIFE + 2);
    for (unsigned i = 0; !is_all && i < POSTS; i++) {
        told = take_rows(LIFE + 2, told, &is_all);
        core_on_receiver(rig.core, pair[1], LOOP_WRITE);
    }
    assert_true(is_all);
    assert_int_equal(told, POSTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lives_are_rationed, start, stop),
        cmocka_unit_test_setup_teardown(test_counts_end_in_time, start, stop),
        cmocka_unit_test_setup_teardown(test_lines_sent_again, start, stop),
        cmocka_unit_test_setup_teardown(test_posts_are_kept, start, stop),
        cmocka_unit_test_setup_teardown(test_posts_are_told_once, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
