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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lives_are_rationed, start, stop),
        cmocka_unit_test_setup_teardown(test_counts_end_in_time, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
