/* What correlations say of plain streams, and what no reference can say: bounds of memory, state of
 * other sets, damaged state, memory that runs out. */
#include "tellings.h"

#include "base/buf.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define SECOND NS_PER_S

struct bench {
    struct correlations all;
    struct sigma_correlator *correlator;
    struct entry entry;
    struct tellings told;
};

static int feed(struct bench *bench, int64_t time, const char *user, const char *amount)
{
    const struct entry_field fields[] = {
        {.name = correlation_fields[0], .value = str_from(user)},
        {.name = correlation_fields[2], .value = str_from(amount)},
    };
    uint32_t rule = 0;
    int r = 0;

    entry_reset(&bench->entry);
    bench->entry.time = time;
    for (size_t i = 0; i < 2 && r == 0; i++) {
        r = fields[i].value.ptr != NULL ? entry_add(&bench->entry, &fields[i]) : 0;
    }
    return r < 0 ? r
                 : sigma_correlate(bench->correlator, &bench->entry, (uint64_t)time, &rule, 1, tell,
                                   &bench->told);
}

static void bench_done(struct bench *bench)
{
    sigma_correlator_free(bench->correlator);
    entry_done(&bench->entry);
}

/* Five failed log-ins within a minute: says so once, again when they go on for another minute. */
static void test_once(void **state)
{
    static struct bench bench;

    (void)state;
    correlations_init(&bench.all);
    correlation_bound(correlations_add(&bench.all, SIGMA_CORRELATION_EVENT_COUNT, 1, 60 * SECOND),
                      SIGMA_ORDER_GTE, 5);
    bench.correlator = make(&bench.all.set, 0, 0);
    for (int64_t i = 0; i < 60; i++) {
        assert_int_equal(feed(&bench, (1000 + i) * SECOND, "root", NULL), 0);
    }
    assert_int_equal(bench.told.count, 1);
    assert_true(bench.told.list[0].time == 1004 * SECOND);
    assert_true(bench.told.list[0].first == 1000 * SECOND);
    for (int64_t i = 60; i < 70; i++) {
        assert_int_equal(feed(&bench, (1000 + i) * SECOND, "root", NULL), 0);
    }
    assert_int_equal(bench.told.count, 2);
    assert_true(bench.told.list[1].time == 1064 * SECOND);
    bench_done(&bench);
}

/* Exactly at the edge: a match a whole timespan old is out, one a nanosecond younger is in. */
static void test_edge(void **state)
{
    static struct bench bench;

    (void)state;
    correlations_init(&bench.all);
    correlation_bound(correlations_add(&bench.all, SIGMA_CORRELATION_EVENT_COUNT, 1, 60 * SECOND),
                      SIGMA_ORDER_GTE, 2);
    bench.correlator = make(&bench.all.set, 0, 0);
    assert_int_equal(feed(&bench, 1000 * SECOND, "an", NULL), 0);
    assert_int_equal(feed(&bench, 1060 * SECOND, "an", NULL), 0);
    assert_int_equal(bench.told.count, 0);
    assert_int_equal(feed(&bench, 1120 * SECOND - 1, "an", NULL), 0);
    assert_int_equal(bench.told.count, 1);
    bench_done(&bench);
}

/* A flood past what a window keeps: counted on, with the edge off by less than one in a thousand.
 */
static void test_merged(void **state)
{
    static struct bench bench;
    struct sigma_correlator_stats stats;
    const int64_t tick = SECOND / 1000; /* 3,600,000 in the hour; 100,000 within 100 s */

    (void)state;
    correlations_init(&bench.all);
    correlation_bound(correlations_add(&bench.all, SIGMA_CORRELATION_EVENT_COUNT, 0, 100 * SECOND),
                      5, 0); /* neq 0: always, so once a timespan */
    bench.correlator = make(&bench.all.set, 0, 0);
    for (int64_t i = 0; i < 400000; i++) {
        assert_int_equal(feed(&bench, 1000 * SECOND + i * tick, NULL, NULL), 0);
    }
    assert_int_equal(bench.told.count, 4);
    for (size_t i = 1; i < 4; i++) {
        assert_true(bench.told.list[i].value >= 100000 && bench.told.list[i].value < 100050);
    }
    sigma_correlator_stats(bench.correlator, &stats);
    assert_true(stats.merged > 0);
    assert_true(stats.memory < 2U << 20);
    bench_done(&bench);
}

/* The one that is touched all the time stays while thousands of others must go. */
static void test_evicted(void **state)
{
    static struct bench bench;
    struct sigma_correlator_stats stats;
    const uint64_t others = 20000;
    char user[16];

    (void)state;
    correlations_init(&bench.all);
    correlation_bound(correlations_add(&bench.all, SIGMA_CORRELATION_EVENT_COUNT, 1, 60 * SECOND),
                      SIGMA_ORDER_GTE, 1000);
    bench.correlator = make(&bench.all.set, 0, 256 << 10);
    for (uint64_t i = 0; i < others; i++) {
        int64_t time = 1000 * SECOND + (int64_t)i;

        (void)snprintf(user, sizeof(user), "u%llu", (unsigned long long)i);
        assert_int_equal(feed(&bench, time, user, NULL), 0);
        if (i % 20 == 0) {
            assert_int_equal(feed(&bench, time, "root", NULL), 0);
        }
    }
    sigma_correlator_stats(bench.correlator, &stats);
    assert_int_equal(bench.told.count, 1);
    assert_true(stats.memory <= 256 << 10);
    assert_true(stats.groups > 1000);
    assert_int_equal(stats.groups + stats.evicted, others + 1);
    bench_done(&bench);
}

/* Windows that are over go by themselves and are not called evicted. */
static void test_swept(void **state)
{
    static struct bench bench;
    struct sigma_correlator_stats stats;
    char user[16];

    (void)state;
    correlations_init(&bench.all);
    correlation_bound(correlations_add(&bench.all, SIGMA_CORRELATION_EVENT_COUNT, 1, 60 * SECOND),
                      SIGMA_ORDER_GTE, 2);
    bench.correlator = make(&bench.all.set, 0, 0);
    for (int64_t i = 0; i < 5000; i++) {
        (void)snprintf(user, sizeof(user), "u%lld", (long long)i);
        assert_int_equal(feed(&bench, (1000 + i) * SECOND, user, NULL), 0);
    }
    sigma_correlator_stats(bench.correlator, &stats);
    assert_int_equal(stats.evicted, 0);
    assert_in_range(stats.groups, 60, 122);
    bench_done(&bench);
}

/* Thousands of values of which each is seen again and again: each is counted once. */
static void test_distinct(void **state)
{
    static struct bench bench;
    struct sigma_correlation *rule;
    char value[16];

    (void)state;
    correlations_init(&bench.all);
    rule = correlations_add(&bench.all, SIGMA_CORRELATION_VALUE_COUNT, 1, 7200 * SECOND);
    correlation_bound(rule, SIGMA_ORDER_GTE, 7200);
    correlation_counts(rule, 2);
    bench.correlator = make(&bench.all.set, 0, 0);
    for (int64_t i = 0; i < 50000; i++) {
        (void)snprintf(value, sizeof(value), "%lld", (long long)(i % 7199));
        assert_int_equal(feed(&bench, 100000 * SECOND + i * (SECOND / 10), "an", value), 0);
    }
    assert_int_equal(bench.told.count, 0);
    assert_int_equal(feed(&bench, 105000 * SECOND, "an", "7199"), 0);
    assert_int_equal(bench.told.count, 1);
    assert_true(bench.told.list[0].value >= 7200 && bench.told.list[0].value <= 7200);
    bench_done(&bench);
}

/* A value of a megabyte is a group too, told apart by its end, and does not fill the memory. */
static void test_long_value(void **state)
{
    static struct bench bench;
    static char user[1 << 20];
    struct sigma_correlator_stats stats;

    (void)state;
    correlations_init(&bench.all);
    correlation_bound(correlations_add(&bench.all, SIGMA_CORRELATION_EVENT_COUNT, 1, 60 * SECOND),
                      SIGMA_ORDER_GTE, 2);
    bench.correlator = make(&bench.all.set, 0, 0);
    memset(user, 'x', sizeof(user) - 1);
    for (char c = 'a'; c <= 'z'; c++) {
        user[sizeof(user) - 2] = c;
        assert_int_equal(feed(&bench, 1000 * SECOND, user, NULL), 0);
    }
    assert_int_equal(bench.told.count, 0);
    assert_int_equal(feed(&bench, 1000 * SECOND, user, NULL), 0);
    assert_int_equal(bench.told.count, 1);
    sigma_correlator_stats(bench.correlator, &stats);
    assert_int_equal(stats.groups, 26);
    assert_true(stats.memory < 128 << 10);
    bench_done(&bench);
}

static void test_ungrouped(void **state)
{
    static struct bench bench;
    struct sigma_correlation *rule;
    struct sigma_correlator_stats stats;

    (void)state;
    correlations_init(&bench.all);
    rule = correlations_add(&bench.all, SIGMA_CORRELATION_VALUE_SUM, 1, 60 * SECOND);
    correlation_bound(rule, SIGMA_ORDER_GT, 10);
    correlation_counts(rule, 2);
    bench.correlator = make(&bench.all.set, 0, 0);
    assert_int_equal(feed(&bench, SECOND, NULL, "20"), 0);
    assert_int_equal(feed(&bench, SECOND, "an", NULL), 0);
    assert_int_equal(feed(&bench, SECOND, "an", "0x20"), 0);
    assert_int_equal(feed(&bench, SECOND, "an", "inf"), 0);
    assert_int_equal(feed(&bench, SECOND, "an", "9.5"), 0);
    assert_int_equal(bench.told.count, 0);
    assert_int_equal(feed(&bench, SECOND, "an", "6e-1"), 0);
    assert_int_equal(bench.told.count, 1);
    sigma_correlator_stats(bench.correlator, &stats);
    assert_int_equal(stats.ungrouped, 4);
    bench_done(&bench);
}

/* One of each kind, so that state has all that it can have. */
static void all_kinds(struct correlations *all)
{
    correlations_init(all);
    for (unsigned kind = 0; kind < SIGMA_CORRELATION_COUNT; kind++) {
        struct sigma_correlation *rule =
            correlations_add(all, (enum sigma_correlation_kind)kind, 1, 60 * SECOND);

        correlation_bound(rule, SIGMA_ORDER_GTE, 3);
        if (kind != SIGMA_CORRELATION_EVENT_COUNT) {
            correlation_counts(rule, 2);
        }
    }
}

static void feed_kinds(struct bench *bench, unsigned count)
{
    static const char *const users[] = {"an", "binh", "chi"};
    char amount[16];

    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(amount, sizeof(amount), "%u", i % 17);
        assert_int_equal(feed(bench, 1000 * SECOND + i * SECOND, users[i % 3], amount), 0);
    }
}

/* New rules: what correlations that stayed the same had gathered is kept, wherever they stand. */
static void test_other_set(void **state)
{
    static struct bench bench;
    static struct correlations other;
    struct sigma_correlator *again;
    struct sigma_correlator_stats stats;
    struct diag diag = {{0}};
    struct buf buf;

    (void)state;
    all_kinds(&bench.all);
    bench.correlator = make(&bench.all.set, 0, 0);
    feed_kinds(&bench, 30);
    buf_init(&buf, 1 << 20);
    assert_int_equal(sigma_correlator_save(bench.correlator, &buf), 0);
    all_kinds(&other);
    other.set.version = 2;
    other.list[0].title = STR("another title says the same");
    other.list[3].timespan++;
    other.list[4] = other.list[5];
    other.set.correlation_count--;
    other.list[1] = bench.all.list[2];
    other.list[2] = bench.all.list[1];
    again = make(&other.set, 0, 0);
    assert_int_equal(sigma_correlator_load(again, buf_str(&buf), &diag), -ERR_VERSION);
    sigma_correlator_stats(again, &stats);
    assert_int_equal(stats.dropped, 9); /* three correlations of three users */
    assert_int_equal(stats.groups, 21);
    assert_int_equal(sigma_correlator_load(again, buf_str(&buf), &diag), -ERR_BUSY);
    sigma_correlator_free(again);
    buf_done(&buf);
    bench_done(&bench);
}

/* Cut anywhere, or with any byte changed, state is refused or is state. */
static void test_damaged(void **state)
{
    static struct bench bench;
    struct sigma_correlator_stats stats;
    struct buf buf;
    struct str whole;

    (void)state;
    all_kinds(&bench.all);
    bench.correlator = make(&bench.all.set, 0, 0);
    feed_kinds(&bench, 12);
    buf_init(&buf, 1 << 20);
    assert_int_equal(sigma_correlator_save(bench.correlator, &buf), 0);
    whole = buf_str(&buf);
    for (size_t i = 0; i < whole.len; i++) {
        struct sigma_correlator *again = make(&bench.all.set, 0, 0);
        struct diag diag = {{0}};

        assert_int_equal(sigma_correlator_load(again, str_slice(whole, 0, i), &diag), -ERR_CORRUPT);
        assert_true(diag.text[0] != '\0');
        sigma_correlator_stats(again, &stats);
        assert_int_equal(stats.groups, 0);
        buf.ptr[i] = (char)(buf.ptr[i] ^ 0x21);
        (void)sigma_correlator_load(again, whole, &diag);
        buf.ptr[i] = (char)(buf.ptr[i] ^ 0x21);
        sigma_correlator_free(again);
    }
    buf_done(&buf);
    bench_done(&bench);
}

static int with_no_memory(void *context)
{
    struct bench *bench = context;
    struct sigma_correlator_options options = {.seed = 1};
    struct sigma_correlator *again = NULL;
    struct buf buf;
    char amount[16];
    int r = sigma_correlator_new(&bench->all.set, NULL, &options, &bench->correlator);

    bench->told.count = 0;
    buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 60 && r == 0; i++) {
        (void)snprintf(amount, sizeof(amount), "%u", i % 41);
        r = feed(bench, SECOND + i, i % 2 == 0 ? "an" : "binh", amount);
    }
    if (r == 0) {
        r = sigma_correlator_save(bench->correlator, &buf);
    }
    if (r == 0) {
        r = sigma_correlator_new(&bench->all.set, NULL, &options, &again);
    }
    if (r == 0) {
        r = sigma_correlator_load(again, buf_str(&buf), NULL);
    }
    sigma_correlator_free(again);
    sigma_correlator_free(bench->correlator);
    bench->correlator = NULL;
    entry_done(&bench->entry);
    buf_done(&buf);
    return r;
}

static void test_no_memory(void **state)
{
    static struct bench bench;

    (void)state;
    all_kinds(&bench.all);
    assert_survives_no_memory(with_no_memory, &bench);
}

/* What no loader makes is refused, not run into. */
static void test_unsound(void **state)
{
    struct sigma_part_of self = {true, 0};
    struct sigma_correlator_options options = {0};
    struct sigma_correlator *correlator = NULL;
    struct correlations all;

    (void)state;
    correlations_init(&all);
    correlations_add(&all, SIGMA_CORRELATION_EVENT_COUNT, 1, SECOND);
    all.list[0].parts = &self;
    all.list[0].part_count = 1;
    assert_int_equal(sigma_correlator_new(&all.set, NULL, &options, &correlator), -ERR_INVAL);
    all.list[0].parts = correlation_parts;
    all.list[0].timespan = 0;
    assert_int_equal(sigma_correlator_new(&all.set, NULL, &options, &correlator), -ERR_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),       cmocka_unit_test(test_edge),
        cmocka_unit_test(test_merged),     cmocka_unit_test(test_evicted),
        cmocka_unit_test(test_swept),      cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_long_value), cmocka_unit_test(test_ungrouped),
        cmocka_unit_test(test_other_set),  cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_no_memory),  cmocka_unit_test(test_unsound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
