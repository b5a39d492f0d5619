/* Received batches in core: each entry is kept once whatever comes again, senders are hosts of
 * their own, and their number is bounded. The receiver here is the test's end of the channel. */
#include "receive_fixture.h"

#include <sqlite3.h>
#include <time.h>

#define DAY (86400 * NS_PER_S)

static void test_batches_are_kept_once(void **state)
{
    (void)state;
    expect_greeted(0, 0); /* nothing was ever received: the receiver says HELLO */
    hello(LIFE);
    expect_greeted(LIFE, 0);
    batch(LIFE, 1, 3);
    batch(LIFE, 2, 3);
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_durable(2);
    batch(LIFE, 2, 3); /* it had not heard so */
    batch(LIFE, 4, 3); /* and one is missing before this one */
    batch(LIFE, 3, 3);
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_durable(3);
    assert_int_equal(kept("batch2"), 3);
    assert_int_equal(kept("batch4"), 0);
    assert_int_equal(kept("life4711"), 9);
    assert_int_equal(find("life4711").cut, 3); /* the first of each batch had lost its end */
}

/* Core dies with a batch in hand: it comes again. One that it had made durable does not. */
static void test_death_of_core(void **state)
{
    (void)state;
    hello(LIFE);
    batch(LIFE, 1, 2);
    assert_int_equal(core_batch_commit(rig.core), 0);
    batch(LIFE, 2, 2);
    core_fail(rig.core, -ERR_IO); /* what is in hand comes to nothing, as when it is killed */
    rig_restart_core(&rig);
    begin_core();
    expect_greeted(LIFE, 1);
    batch(LIFE, 2, 2);
    batch(LIFE, 3, 2);
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_durable(3);
    assert_int_equal(kept("life4711"), 6);
}

/* The archive is committed before the state. Dying in between leaves entries that the state knows
 * nothing of: they come again and are known; those of another receiver are not taken for them. */
static void test_death_between_archive_and_state(void **state)
{
    (void)state;
    hello(LIFE);
    batch(LIFE, 1, 2);
    assert_int_equal(archive_commit(rig.archive), 0);
    core_fail(rig.core, -ERR_IO);
    core_receive_tick(rig.core->receive);
    expect_greeted(LIFE, 0);
    batch(LIFE, 1, 2);
    assert_int_equal(archive_commit(rig.archive), 0);
    core_fail(rig.core, -ERR_IO);
    hello(LIFE + 1); /* and the receiver died too */
    expect_greeted(LIFE + 1, 0);
    batch(LIFE + 1, 1, 2);
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_durable(1);
    assert_int_equal(kept("life4711"), 2);
    assert_int_equal(kept("life4712"), 2);
}

/* A store that fails is not taken up again before it was greeted: no batch is passed over. */
static void test_failure_of_the_store(void **state)
{
    (void)state;
    hello(LIFE);
    batch(LIFE, 1, 1);
    core_fail(rig.core, -ERR_IO);
    batch(LIFE, 1, 1);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(kept("life4711"), 0);
    core_receive_tick(rig.core->receive);
    expect_greeted(LIFE, 0);
    batch(LIFE, 1, 1);
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_durable(1);
    assert_int_equal(kept("life4711"), 1);
}

static unsigned count_senders(struct store_host *ret_last)
{
    struct arena *arena = NULL;
    struct store_host *rows;
    size_t count = STORE_PAGE_MAX;
    unsigned senders = 0;
    char after[STORE_NAME_MAX + 1] = "";

    while (count == STORE_PAGE_MAX) {
        assert_int_equal(arena_new(8U << 20, &arena), 0);
        assert_int_equal(
            store_host_list(rig.store, str_from(after), STORE_PAGE_MAX, arena, &rows, &count), 0);
        for (size_t i = 0; i < count; i++) {
            senders += rows[i].kind == STORE_HOST_SENDER;
            if (rows[i].kind == STORE_HOST_SENDER && ret_last != NULL) {
                *ret_last = rows[i]; /* without its texts: they go with the arena */
            }
            (void)snprintf(after, sizeof(after), "%.*s", STR_ARG(rows[i].name));
        }
        arena_free(arena);
    }
    return senders;
}

static void test_names_are_bounded(void **state)
{
    char name[32];
    struct core_receive_counts counts;

    (void)state;
    hello(LIFE);
    for (unsigned i = 0; i < SENDERS_NAMES_MAX + 5; i++) {
        (void)snprintf(name, sizeof(name), "may%u", i);
        batch_from(LIFE, i + 1, 1, name);
    }
    batch_from(LIFE, SENDERS_NAMES_MAX + 6, 1, "may0");
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(count_senders(NULL), SENDERS_NAMES_MAX + 1); /* and the address itself */
    core_receive_count(rig.core->receive, &counts);
    assert_int_equal(counts.merged, 5);
    assert_int_equal(counts.taken, SENDERS_NAMES_MAX + 6);
    assert_int_equal(kept("life4711"), SENDERS_NAMES_MAX + 6);
    rig_restart_core(&rig); /* the bound stands over a restart */
    begin_core();
    batch_from(LIFE, SENDERS_NAMES_MAX + 7, 1, "may-nua");
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(count_senders(NULL), SENDERS_NAMES_MAX + 1);
}

struct timed {
    int64_t time;
    bool has_arrival;
    bool is_doubted;
};

static int read_timed(void *context, const struct archive_key *key, const struct event *event)
{
    struct timed *timed = context;
    const struct event_field *flags = event_find(event, EVENT_FIELD_LOG_FLAGS);

    (void)key;
    timed->time = event->time;
    timed->has_arrival = event_find(event, EVENT_FIELD_EVENT_INGESTED) != NULL;
    timed->is_doubted = flags != NULL && str_is_text(flags->text, "wrong_time");
    return 0;
}

/* What became of the one entry that says to be of that time. */
static struct timed put_timed(uint64_t number, int64_t time)
{
    char word[32];
    struct needles needles;
    const struct archive_query query = {
        .from = 0, .to = INT64_MAX, .needles = &needles, .limit = ARCHIVE_SEARCH_MAX};
    struct timed timed = {0};

    entry_time = time;
    batch(LIFE, number, 1);
    entry_time = 0;
    assert_int_equal(core_batch_commit(rig.core), 0);
    (void)snprintf(word, sizeof(word), "batch%llu ", (unsigned long long)number);
    needles_init(&needles);
    needles.root = needles_text(&needles, str_from(word), 0);
    assert_true(archive_search(rig.archive, &query, read_timed, &timed) >= 0);
    return timed;
}

/* What says no more than its second lies in it as it arrived, and what says more in its
 * millisecond: searches tell thousands apart. */
static void test_same_times(void **state)
{
    int64_t now;
    int64_t half;
    struct timed timed;
    struct timed other;

    (void)state;
    hello(LIFE);
    now = clock_wall(&rig.clock);
    now -= now % NS_PER_S + 5 * NS_PER_S;
    timed = put_timed(1, now);
    assert_in_range(timed.time, now + 1, now + NS_PER_S - 1);
    half = now + NS_PER_S / 2;
    for (uint64_t number = 2; number < 10; number += 2) {
        timed = put_timed(number, half + 7); /* nor does it help to say more than that */
        other = put_timed(number + 1, half + 7);
        assert_in_range(timed.time, half, half + NS_PER_MS - 1);
        assert_in_range(other.time, half, half + NS_PER_MS - 1);
        assert_int_not_equal(timed.time, other.time);
    }
}

/* An entry is of the time that it says, unless its sender's clock is wrong beyond belief. */
static void test_time_of_entries(void **state)
{
    static const struct {
        int64_t ahead;
        bool is_believed;
    } rows[] = {
        {0, true},
        {-3 * 3600 * NS_PER_S, true},
        {50 * NS_PER_S, true},
        {70 * NS_PER_S, false},
        {-25 * 3600 * NS_PER_S, false},
        {INT64_MAX / 4, false},
    };

    (void)state;
    hello(LIFE);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t now = clock_wall(&rig.clock);
        struct timed timed = put_timed(i + 1, now + rows[i].ahead);
        int64_t off = timed.time - now - (rows[i].is_believed ? rows[i].ahead : 0) + NS_PER_MS;

        assert_in_range(off, 0, 60 * NS_PER_S); /* the clock went on */
        assert_int_equal(timed.has_arrival, rows[i].is_believed);
        assert_int_equal(timed.is_doubted, !rows[i].is_believed);
    }
}

/* Made-up names fill all places of an address; an hour later they give them up to one that really
 * sends, and one that was heard for days has kept its own. It is the same host as before. */
static void test_made_up_names_give_way(void **state)
{
    struct core_receive_counts counts;
    uint64_t number = 0;
    struct core_host *first;
    char name[32];

    (void)state;
    rig.core->options.sender_keep = 30 * 86400 * NS_PER_S;
    hello(LIFE);
    batch_from(LIFE, ++number, 1, "that");
    rig.offset += 86400 * NS_PER_S;
    for (unsigned i = 1; i < SENDERS_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "bia%u", i);
        batch_from(LIFE, ++number, 1, name);
    }
    batch_from(LIFE, ++number, 1, "that");
    batch_from(LIFE, ++number, 1, "moi");
    assert_int_equal(core_batch_commit(rig.core), 0);
    core_receive_count(rig.core->receive, &counts);
    assert_int_equal(counts.merged, 1);
    first = host_named("bia1@203.0.113.5");

    rig.offset += 2 * 3600 * NS_PER_S;
    rig.mono_offset += 2 * 3600 * NS_PER_S;
    batch_from(LIFE, ++number, 1, "moi");
    batch_from(LIFE, ++number, 1, "that");
    batch_from(LIFE, ++number, 1, "bia1");
    assert_int_equal(core_batch_commit(rig.core), 0);
    core_receive_count(rig.core->receive, &counts);
    assert_int_equal(counts.merged, 1);
    assert_int_equal(counts.lapsed, SENDERS_NAMES_MAX);
    assert_ptr_equal(host_named("bia1@203.0.113.5"), first);
    assert_non_null(host_named("moi@203.0.113.5"));
    expect_durable(number);
    assert_int_equal(kept("life4711"), number);
    rig_restart_core(&rig);
    begin_core();
    for (unsigned i = 0; i < SENDERS_NAMES_MAX - 3; i++) {
        (void)snprintf(name, sizeof(name), "khac%u", i);
        batch_from(LIFE, ++number, 1, name);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    core_receive_count(rig.core->receive, &counts);
    assert_int_equal(counts.merged, 0); /* those that gave their place up did not take one again */
}

/* A sender goes when none of its entries is stored any more, unless an alert speaks of it. When it
 * speaks again it begins anew, and no entry of it is lost. */
static void test_who_is_forgotten(void **state)
{
    struct id alerted;
    uint64_t alert;

    (void)state;
    rig.core->options.sender_keep = 10 * DAY;
    rig.core->options.event_life = 20 * DAY;
    hello(LIFE);
    batch_from(LIFE, 1, 1, "cu");
    batch_from(LIFE, 2, 1, "bao");
    batch_from(LIFE, 3, 1, "moi");
    alerted = host_named("bao@203.0.113.5")->id;
    assert_int_equal(core_raise(rig.core, &alerted, SEVERITY_LOW, "thử", &alert), 0);
    assert_int_equal(core_batch_commit(rig.core), 0);
    for (unsigned day = 0; day < 28; day++, rig.offset += DAY, rig.mono_offset += DAY) {
        core_expire(rig.core);
        assert_int_equal(count_senders(NULL), 3);
        batch_from(LIFE, 4 + day, 1, "moi");
        assert_int_equal(core_batch_commit(rig.core), 0);
    }
    for (unsigned day = 0; day < 3; day++, rig.offset += DAY, rig.mono_offset += DAY) {
        core_expire(rig.core);
    }
    assert_int_equal(count_senders(NULL), 2);
    assert_non_null(host_named("bao@203.0.113.5"));
    assert_non_null(host_named("moi@203.0.113.5"));
    batch_from(LIFE, 32, 3, "cu");
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(count_senders(NULL), 3);
    assert_int_equal(kept("batch32"), 3);
    rig_restart_core(&rig);
    assert_int_equal(host_named("cu@203.0.113.5")->sources, 2);
}

/* The alert about too many names comes though the batch that called for it came to nothing once. */
static void test_too_many_names_are_told(void **state)
{
    struct store_counts sums;
    char name[32];

    (void)state;
    hello(LIFE);
    for (unsigned i = 0; i < SENDERS_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "may%u", i);
        batch_from(LIFE, i + 1, 1, name);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    batch_from(LIFE, SENDERS_NAMES_MAX + 1, 1, "may-nua");
    core_fail(rig.core, -ERR_IO);
    core_receive_tick(rig.core->receive);
    assert_int_equal(store_counts(rig.store, &sums), 0);
    assert_int_equal(sums.alerts_new, 0);
    batch_from(LIFE, SENDERS_NAMES_MAX + 1, 1, "may-nua");
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(store_counts(rig.store, &sums), 0);
    assert_int_equal(sums.alerts_new, 1);
}

static void counts_dropped(uint64_t dropped)
{
    msg_begin(&msg, RECEIVER_MESSAGE_COUNTS);
    msg_put_u32(&msg, RECEIVER_COUNT_COUNT);
    for (size_t i = 0; i < RECEIVER_COUNT_COUNT; i++) {
        msg_put_u64(&msg, i == RECEIVER_COUNT_DROPPED ? dropped : 0);
    }
    deliver();
    assert_int_equal(core_batch_commit(rig.core), 0);
}

/* What was lost is an alert, once a minute at most, and counted over the receivers' lives. */
static void test_loss_is_told(void **state)
{
    struct store_counts sums;
    struct core_receive_counts counts;

    (void)state;
    hello(LIFE);
    counts_dropped(0);
    assert_int_equal(store_counts(rig.store, &sums), 0);
    assert_int_equal(sums.alerts_new, 0);
    counts_dropped(10);
    counts_dropped(20);
    assert_int_equal(store_counts(rig.store, &sums), 0);
    assert_int_equal(sums.alerts_new, 1);
    hello(LIFE + 1);
    counts_dropped(5);
    core_receive_count(rig.core->receive, &counts);
    assert_int_equal(counts.receiver.of[RECEIVER_COUNT_DROPPED], 25);
}

/* A sender that says nothing is no host whose agent is silent, and nobody's key is its. */
static void test_a_sender_is_no_agent(void **state)
{
    struct store_host row = {0};

    (void)state;
    hello(LIFE);
    batch_from(LIFE, 1, 1, "web 1@evil\n");
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(count_senders(&row), 1);
    assert_false(row.is_connected);
    rig.offset += 3600 * NS_PER_S;
    core_hosts_watch(rig.core);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(core_host_by_id(rig.core, &row.id)->silent_alert, 0);
    assert_string_equal(core_host_by_id(rig.core, &row.id)->name, "web-1-evil-@203.0.113.5");
}

/* Some that the store will not take, in one batch: they are passed over, and hold up nobody. In the
 * next life of the receiver the same places are anybody's. */
static void test_what_is_not_taken_is_passed_over(void **state)
{
    struct core_receive_counts counts;
    struct core_host *host;

    (void)state;
    hello(LIFE);
    batch_from(LIFE, 1, 1, "bad");
    assert_int_equal(core_batch_commit(rig.core), 0);
    host = host_named("bad@203.0.113.5");
    host->acknowledged = host->pending = INT64_MAX; /* no number is left for another */
    for (unsigned i = 0; i < 4; i++) {
        batch_from(LIFE, 2, 3, "bad");
        core_receive_tick(rig.core->receive);
    }
    batch(LIFE, 3, 2);
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_durable(3);
    assert_int_equal(kept("life4711"), 3);
    core_receive_count(rig.core->receive, &counts);
    assert_true(counts.refused >= 3);

    hello(LIFE + 1);
    batch(LIFE + 1, 1, 1);
    batch(LIFE + 1, 2, 3);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(kept("life4712"), 4);
}

/* The store's own file refuses to hear of a sender, as it would if its row were damaged. */
static void store_refuses_web1(bool is_on)
{
    sqlite3 *handle = NULL;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/state.db", rig.folder);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(handle,
                     is_on ? "CREATE TRIGGER refuse BEFORE UPDATE ON hosts WHEN NEW.name LIKE "
                             "'web1@%' BEGIN SELECT RAISE(ABORT, 'a test'); END"
                           : "DROP TRIGGER refuse",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* Core is killed with a batch in the archive that the state knows nothing of, and then passes over
 * one of its entries: those that come after it meet no number that the archive has already. */
static void test_what_is_passed_over_keeps_its_sequence(void **state)
{
    (void)state;
    hello(LIFE);
    batch(LIFE, 1, 1);
    assert_int_equal(core_batch_commit(rig.core), 0);
    batch(LIFE, 2, 3);
    assert_int_equal(archive_commit(rig.archive), 0);
    core_fail(rig.core, -ERR_IO);
    rig_restart_core(&rig);
    begin_core();
    store_refuses_web1(true);
    batch(LIFE, 2, 3);
    store_refuses_web1(false);
    core_receive_tick(rig.core->receive);
    expect_greeted(LIFE, 1);
    batch(LIFE, 2, 3);
    batch(LIFE, 3, 3);
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_durable(3);
    assert_int_equal(kept("batch2"), 3);
    assert_int_equal(kept("batch3"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_batches_are_kept_once, start, stop),
        cmocka_unit_test_setup_teardown(test_death_of_core, start, stop),
        cmocka_unit_test_setup_teardown(test_death_between_archive_and_state, start, stop),
        cmocka_unit_test_setup_teardown(test_failure_of_the_store, start, stop),
        cmocka_unit_test_setup_teardown(test_names_are_bounded, start, stop),
        cmocka_unit_test_setup_teardown(test_same_times, start, stop),
        cmocka_unit_test_setup_teardown(test_time_of_entries, start, stop),
        cmocka_unit_test_setup_teardown(test_made_up_names_give_way, start, stop),
        cmocka_unit_test_setup_teardown(test_who_is_forgotten, start, stop),
        cmocka_unit_test_setup_teardown(test_too_many_names_are_told, start, stop),
        cmocka_unit_test_setup_teardown(test_loss_is_told, start, stop),
        cmocka_unit_test_setup_teardown(test_a_sender_is_no_agent, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_not_taken_is_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_passed_over_keeps_its_sequence, start, stop),
    };

    return cmocka_run_group_tests_name("receive", tests, NULL, NULL);
}
