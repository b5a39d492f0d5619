/* Alerts: folding, moves, pages, filters, words, the live stream. */
#include "store_bench.h"

#include "store/fold.h"

static void test_fold_moves(void **state)
{
    static const bool legal[3][3] = {
        {false, true, true}, {true, false, true}, {false, true, false}};

    (void)state;
    for (int from = 0; from <= ALERT_STATE_COUNT; from++) {
        for (int to = 0; to <= ALERT_STATE_COUNT; to++) {
            bool expected = from < 3 && to < 3 && legal[from][to];

            assert_int_equal(fold_may_move((enum alert_state)from, (enum alert_state)to), expected);
        }
    }
}

static void test_alert_folds(void **state)
{
    struct bench *bench = *state;
    const int64_t hour = 3600 * NS_PER_S;
    struct finding first = make_finding(1, "Files are being encrypted", FIXTURE_NOW);
    struct finding near = make_finding(2, "Files are being encrypted", FIXTURE_NOW + hour);
    struct finding far = make_finding(3, "Files are being encrypted", FIXTURE_NOW + 2 * hour + 1);
    struct finding drill = make_finding(4, "Files are being encrypted", FIXTURE_NOW);
    struct finding other = make_finding(5, "Something else", FIXTURE_NOW);
    struct store_alert alert;
    uint64_t number;

    put_host(bench->store, 1, "may-1");
    put_host(bench->store, 2, "may-2");
    drill.is_drill = true;
    near.severity = SEVERITY_CRITICAL;
    number = fold(bench->store, 1, &first);
    assert_true(fold(bench->store, 1, &near) == number);
    assert_false(fold(bench->store, 1, &far) == number);
    assert_false(fold(bench->store, 1, &drill) == number);
    assert_false(fold(bench->store, 1, &other) == number);
    assert_false(fold(bench->store, 2,
                      &(struct finding){.id = fixture_id(7),
                                        .time = FIXTURE_NOW,
                                        .detector = first.detector,
                                        .title = first.title}) == number);
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    assert_true(alert.count == 2 && alert.first == FIXTURE_NOW && alert.last == FIXTURE_NOW + hour);
    assert_int_equal(alert.severity, SEVERITY_CRITICAL);
    assert_true(id_is(&alert.finding, &near.id));
    assert_str(alert.host_name, "may-1");
    assert_str(alert.title, "Files are being encrypted");
}

static void test_alert_revision(void **state)
{
    struct bench *bench = *state;
    struct finding finding = make_finding(1, "T", FIXTURE_NOW);
    struct finding got;
    struct store_alert alert;
    struct store_finding *findings;
    struct cbor_reader reader;
    size_t count;
    uint64_t number;
    uint64_t changed;

    put_host(bench->store, 1, "may-1");
    number = fold(bench->store, 1, &finding);
    finding.revision = 3;
    finding.files_restored = 12;
    assert_true(fold(bench->store, 1, &finding) == number);
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    changed = alert.changed;
    finding.revision = 2; /* came late */
    finding.files_restored = 1;
    assert_true(fold(bench->store, 1, &finding) == number);
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    assert_true(alert.count == 1 && alert.changed == changed);
    cbor_open(&reader, alert.body);
    assert_int_equal(finding_decode(&reader, bench->fixture.arena, &got), 0);
    assert_true(got.revision == 3 && got.files_restored == 12);

    finding = make_finding(2, "T", FIXTURE_NOW);
    assert_true(fold(bench->store, 1, &finding) == number);
    assert_int_equal(
        store_alert_findings(bench->store, number, 0, bench->fixture.arena, &findings, &count), 0);
    assert_int_equal(count, 2);
    assert_true(id_is(&findings[0].id, &finding.id));
    assert_int_equal(findings[1].revision, 3);
}

/* A host that has learnt the id of another's finding can neither change nor hide it. */
static void test_alert_is_its_hosts_alone(void **state)
{
    struct bench *bench = *state;
    struct finding finding = make_finding(1, "Files are being encrypted", FIXTURE_NOW);
    struct id stranger = fixture_id(2);
    struct finding got;
    struct store_alert alert;
    struct cbor_reader reader;
    uint64_t number;
    uint64_t none;

    put_host(bench->store, 1, "may-1");
    put_host(bench->store, 2, "may-2");
    number = fold(bench->store, 1, &finding);
    finding.revision = 9;
    finding.title = STR("Nothing at all");
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_alert_fold(bench->store, &stranger, &finding, &none), -ERR_CONFLICT);
    assert_int_equal(store_commit(bench->store), 0); /* which holds what others sent */
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    cbor_open(&reader, alert.body);
    assert_int_equal(finding_decode(&reader, bench->fixture.arena, &got), 0);
    assert_str(got.title, "Files are being encrypted");
    assert_int_equal(alert.count, 1);
}

static void test_alert_moves(void **state)
{
    struct bench *bench = *state;
    struct finding finding = make_finding(1, "T", FIXTURE_NOW);
    struct finding later = make_finding(2, "T", FIXTURE_NOW + 1);
    struct store_alert alert;
    struct store_counts counts;
    struct store_host *hosts;
    uint64_t number;
    size_t count;

    put_host(bench->store, 1, "may-1");
    number = fold(bench->store, 1, &finding);
    move(bench->store, number, ALERT_STATE_NEW, -ERR_CONFLICT);
    move(bench->store, number, ALERT_STATE_TAKEN, 0);
    assert_int_equal(store_counts(bench->store, &counts), 0);
    assert_true(counts.alerts_new == 0 && counts.alerts_taken == 1);
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    assert_str(alert.taken_by, "lan");
    move(bench->store, number, ALERT_STATE_NEW, 0);
    move(bench->store, number, ALERT_STATE_CLOSED, 0);
    move(bench->store, number, ALERT_STATE_NEW, -ERR_CONFLICT);
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    assert_str(alert.close_reason, "false-alarm: thử");
    assert_false(fold(bench->store, 1, &later) == number); /* closed takes no more */
    move(bench->store, number, ALERT_STATE_TAKEN, 0);
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    assert_str(alert.close_reason, "");
    move(bench->store, 999, ALERT_STATE_TAKEN, -ERR_NOENT);
    assert_int_equal(store_counts(bench->store, &counts), 0);
    assert_true(counts.alerts_new == 1 && counts.alerts_taken == 1);
    assert_int_equal(
        store_host_list(bench->store, STR(""), 0, bench->fixture.arena, &hosts, &count), 0);
    assert_true(count == 1 && hosts[0].open_alerts == 2);
    move(bench->store, number, ALERT_STATE_CLOSED, 0);
    assert_int_equal(
        store_host_list(bench->store, STR(""), 0, bench->fixture.arena, &hosts, &count), 0);
    assert_int_equal(hosts[0].open_alerts, 1);
}

static void test_alert_centre(void **state)
{
    struct bench *bench = *state;
    struct finding finding = make_finding(1, "A process of the centre died", FIXTURE_NOW);
    struct finding again = make_finding(2, "A process of the centre died", FIXTURE_NOW);
    struct store_alert alert;
    uint64_t number = 0;
    uint64_t second = 0;

    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_alert_fold(bench->store, &(struct id){{0}}, &finding, &number), 0);
    assert_int_equal(store_alert_fold(bench->store, &(struct id){{0}}, &again, &second), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_true(number == second);
    assert_int_equal(store_alert_get(bench->store, number, bench->fixture.arena, &alert), 0);
    assert_true(id_is_none(&alert.host) && alert.host_name.len == 0);
}

/* Rows that come in while somebody pages neither repeat nor hide a row. */
static void test_alert_pages(void **state)
{
    struct bench *bench = *state;
    struct store_alert_filter filter = no_filter;
    struct store_alert *alerts;
    uint64_t last = 41;
    unsigned made = 0;
    unsigned seen = 0;
    size_t count;

    put_host(bench->store, 1, "may-1");
    for (; made < 40; made++) {
        struct finding finding = make_finding(made, "T", FIXTURE_NOW + made * 4000 * NS_PER_S);

        (void)fold(bench->store, 1, &finding);
    }
    filter.limit = 7;
    while ((count = list(bench, &filter, &alerts)) != 0) {
        struct finding finding = make_finding(made, "T", FIXTURE_NOW + made * 4000 * NS_PER_S);

        for (size_t i = 0; i < count; i++, seen++) {
            assert_true(alerts[i].number == last - 1);
            assert_true(alerts[i].body.len != 0);
            last = alerts[i].number;
        }
        filter.before = last;
        (void)fold(bench->store, 1, &finding);
        made++;
    }
    assert_int_equal(seen, 40);
}

/* What each filter means, said again in the simplest way. */
static bool filter_admits(const struct store_alert_filter *filter, const struct store_alert *alert)
{
    return (filter->state == -1 || (filter->state == -2 && alert->state != ALERT_STATE_CLOSED) ||
            filter->state == (int)alert->state) &&
           (int)alert->severity >= filter->severity_least &&
           (filter->is_drill == -1 || filter->is_drill == alert->is_drill) &&
           (filter->host == NULL || id_is(filter->host, &alert->host)) &&
           (filter->words.len == 0 || str_find(alert->title, STR("encrypted")) < alert->title.len);
}

static void test_alert_filters(void **state)
{
    struct bench *bench = *state;
    struct id host = fixture_id(2);
    struct store_alert *all;
    size_t all_count;

    make_varied_alerts(bench);
    all_count = list(bench, &no_filter, &all);
    assert_int_equal(all_count, 120);
    for (unsigned mask = 0; mask < 5 * 6 * 3 * 2 * 2; mask++) {
        struct store_alert_filter filter = {
            .state = (int)(mask % 5) - 2,
            .severity_least = (int)(mask / 5 % 6) - 1,
            .is_drill = (int)(mask / 30 % 3) - 1,
            .host = mask / 90 % 2 != 0 ? &host : NULL,
            .words = mask / 180 % 2 != 0 ? STR("CRYPTED Files") : STR(""),
        };
        struct store_alert *alerts;
        size_t count = list(bench, &filter, &alerts);
        size_t at = 0;

        for (size_t i = 0; i < all_count; i++) {
            if (filter_admits(&filter, &all[i])) {
                assert_true(at < count && alerts[at].number == all[i].number);
                at++;
            }
        }
        assert_int_equal(at, count);
        arena_reset(bench->fixture.arena);
        all_count = list(bench, &no_filter, &all);
    }
}

static void test_alert_words(void **state)
{
    static const struct {
        const char *words;
        size_t count;
    } cases[] = {
        {"may", 2},   {"KE TOAN", 1}, {"kế toán", 1},   {"Kế Toán encrypted", 1},
        {"crypt", 2}, {"cryptt", 0},  {"\"", 0},        {"en", 2},
        {"en ke", 1}, {"zz", 0},      {"a\"b OR c", 0}, {"title_words : x", 0},
        {"*", 0},     {"  ", 2},      {"encrypt* ", 0},
    };
    struct bench *bench = *state;
    struct finding first = make_finding(1, "Files are being encrypted", FIXTURE_NOW);
    struct finding second = make_finding(2, "Files are being encrypted", FIXTURE_NOW);

    put_host(bench->store, 1, "máy-kế-toán");
    put_host(bench->store, 2, "máy-2");
    (void)fold(bench->store, 1, &first);
    (void)fold(bench->store, 2, &second);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_alert_filter filter = no_filter;
        struct store_alert *alerts;

        filter.words = str_from(cases[i].words);
        if (list(bench, &filter, &alerts) != cases[i].count) {
            fail_msg("'%s' found %zu", cases[i].words, list(bench, &filter, &alerts));
        }
    }
    put_host(bench->store, 2, "văn-thư");
    {
        struct store_alert_filter filter = no_filter;
        struct store_alert *alerts;

        filter.words = STR("van-thu"); /* the alert goes by the host's new name */
        assert_int_equal(list(bench, &filter, &alerts), 1);
        filter.words = STR("may-2");
        assert_int_equal(list(bench, &filter, &alerts), 0);
    }
}

static void test_alert_stream(void **state)
{
    struct bench *bench = *state;
    struct store_alert_filter filter = no_filter;
    struct store_alert *alerts;
    uint64_t cursor;

    make_varied_alerts(bench);
    cursor = list(bench, &filter, &alerts) != 0 ? 1 : 0;
    filter.changed_after = cursor;
    for (size_t count; (filter.limit = 13, count = list(bench, &filter, &alerts)) != 0;) {
        for (size_t i = 0; i < count; i++) {
            assert_true(alerts[i].changed > cursor);
            cursor = alerts[i].changed;
        }
        filter.changed_after = cursor;
    }
    move(bench->store, 1, ALERT_STATE_TAKEN, 0);
    assert_int_equal(list(bench, &filter, &alerts), 1);
    assert_true(alerts[0].number == 1 && alerts[0].changed > cursor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold_moves),
        cmocka_unit_test_setup_teardown(test_alert_folds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_revision, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_is_its_hosts_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_moves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_centre, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alert_stream, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
