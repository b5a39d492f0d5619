/* An open store with what the tests of its rooms put into it. */
#ifndef TESTS_UNIT_STORE_BENCH_H
#define TESTS_UNIT_STORE_BENCH_H

#include "store_fixture.h"

#include "store/store.h"

struct bench {
    struct fixture fixture;
    struct store *store;
};

static inline struct store *open_store(struct fixture *fixture, bool is_read_only)
{
    struct store_options options = {
        .folder = fixture->folder, .is_read_only = is_read_only, .clock = &fixture->clock};
    struct store *store = NULL;
    struct diag diag = {{0}};

    if (store_open(&options, &store, &diag) < 0) {
        fail_msg("%s", diag.text);
    }
    return store;
}

static inline int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    fixture_init(&bench->fixture);
    bench->store = open_store(&bench->fixture, false);
    *state = bench;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *bench = *state;

    store_close(bench->store);
    fixture_done(&bench->fixture);
    free(bench);
    return 0;
}

static inline struct store_host make_host(unsigned number, const char *name)
{
    struct store_host host = {.id = fixture_id(number),
                              .name = str_from(name),
                              .enrolled = FIXTURE_NOW,
                              .seen = FIXTURE_NOW};

    host.key_sha256[0] = (uint8_t)number;
    return host;
}

static inline void put_host(struct store *store, unsigned number, const char *name)
{
    struct store_host host = make_host(number, name);

    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_host_put(store, &host), 0);
    assert_int_equal(store_commit(store), 0);
}

static inline struct finding make_finding(unsigned number, const char *title, int64_t time)
{
    return (struct finding){
        .id = fixture_id(1000 + number),
        .revision = 1,
        .time = time,
        .detector = STR("ransom"),
        .severity = SEVERITY_HIGH,
        .title = str_from(title),
    };
}

static inline uint64_t fold(struct store *store, unsigned host, const struct finding *finding)
{
    struct id id = fixture_id(host);
    uint64_t number = 0;

    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_alert_fold(store, &id, finding, &number), 0);
    assert_int_equal(store_commit(store), 0);
    return number;
}

static inline void move(struct store *store, uint64_t number, enum alert_state to, int expected)
{
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(store_alert_move(store, number, to, STR("lan"), STR("false-alarm: thử")),
                     expected);
    assert_int_equal(store_commit(store), 0);
}

static const struct store_alert_filter no_filter = {
    .state = -1, .severity_least = -1, .is_drill = -1};

static inline size_t list(struct bench *bench, const struct store_alert_filter *filter,
                          struct store_alert **ret_alerts)
{
    size_t count = 0;

    assert_int_equal(
        store_alert_list(bench->store, filter, bench->fixture.arena, ret_alerts, &count), 0);
    return count;
}

static inline void make_varied_alerts(struct bench *bench)
{
    put_host(bench->store, 1, "may-1");
    put_host(bench->store, 2, "may-2");
    for (unsigned i = 0; i < 120; i++) {
        struct finding finding = make_finding(i, i % 7 == 0 ? "Files encrypted" : "Website changed",
                                              FIXTURE_NOW + i * 4000 * NS_PER_S);
        uint64_t number;

        finding.severity = (enum severity)(i % SEVERITY_COUNT);
        finding.is_drill = i % 11 == 0;
        number = fold(bench->store, 1 + i % 2, &finding);
        if (i % 3 == 1) {
            move(bench->store, number, ALERT_STATE_TAKEN, 0);
        } else if (i % 3 == 2) {
            move(bench->store, number, ALERT_STATE_CLOSED, 0);
        }
    }
}

#endif
