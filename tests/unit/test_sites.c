/* Watched sites in state.db: rows, lists, the gravest page, bounded history, evidence, speed. */
#include "store_bench.h"

#include "store/sites.h"
#include "store/sqlite/sqlite.h"

#include <time.h>

static uint64_t put_site(struct bench *bench, const char *name, const char *unit, const char *url)
{
    struct store_site site = {.name = str_from(name),
                              .unit = str_from(unit),
                              .url = str_from(url),
                              .permission = STR("CV 1"),
                              .permitted_by = STR("lan"),
                              .permitted = FIXTURE_NOW,
                              .created = FIXTURE_NOW,
                              .state_since = FIXTURE_NOW};
    uint64_t number = 0;

    assert_int_equal(store_site_put(bench->store, &site, &number), 0);
    return number;
}

static void put_check(struct bench *bench, uint64_t site, struct site_check check)
{
    struct store_look look = {.site = site,
                              .view = check.view,
                              .time = check.time,
                              .verdict = check.verdict,
                              .failure = check.failure,
                              .since = check.time};

    assert_int_equal(store_page_put(bench->store, site, check.url, SITE_PAGE_LISTED, &look.page),
                     0);
    look.body = STR("\x80");
    assert_int_equal(store_look_put(bench->store, &look, &check), 0);
}

static void put_look(struct bench *bench, uint64_t site, const char *url, enum site_view view,
                     enum site_verdict verdict, int64_t time)
{
    put_check(bench, site,
              (struct site_check){.site = site,
                                  .url = str_from(url),
                                  .view = view,
                                  .time = time,
                                  .verdict = verdict,
                                  .timing = {.done = 250 * NS_PER_MS}});
}

static struct store_site get_site(struct bench *bench, uint64_t number)
{
    struct store_site site;

    assert_int_equal(store_site_get(bench->store, number, bench->fixture.arena, &site), 0);
    return site;
}

static void test_round_trip(void **state)
{
    struct bench *bench = *state;
    struct store_site site;
    uint64_t number;

    assert_int_equal(store_begin(bench->store), 0);
    number = put_site(bench, "Cổng", "Sở Y tế", "https://a.vn/");
    site = get_site(bench, number);
    assert_str(site.unit, "Sở Y tế");
    site.number = 0;
    assert_int_equal(store_site_put(bench->store, &site, NULL), -ERR_EXIST);
    site.number = number;
    site.state = SITE_STATE_DROPPED;
    assert_int_equal(store_site_put(bench->store, &site, NULL), 0);
    assert_int_equal(store_commit(bench->store), 0); /* the refusal has spoilt nothing */
    assert_int_equal(
        store_site_find(bench->store, STR("https://a.vn/"), bench->fixture.arena, &site), 0);
    assert_int_equal(site.state, SITE_STATE_DROPPED);
    assert_int_equal(store_site_put(bench->store, &site, NULL), -ERR_INVAL); /* no transaction */
}

static size_t list_sites(struct bench *bench, const struct store_site_filter *filter,
                         struct store_site **ret_sites)
{
    size_t count = 0;

    assert_int_equal(store_site_list(bench->store, filter, bench->fixture.arena, ret_sites, &count),
                     0);
    return count;
}

static void test_list(void **state)
{
    struct bench *bench = *state;
    struct store_site_filter filter = {.service = -1, .verdict = -1, .limit = 2};
    struct store_site *sites;
    struct store_unit *units;
    uint64_t red;
    size_t count;

    assert_int_equal(store_begin(bench->store), 0);
    (void)put_site(bench, "Đất đai", "UBND xã", "https://d.vn/");
    (void)put_site(bench, "Ảnh", "UBND xã", "https://b.vn/");
    red = put_site(bench, "Cổng", "Sở Y tế", "https://a.vn/");
    put_look(bench, red, "https://a.vn/", SITE_VIEW_DESKTOP, SITE_VERDICT_OK, FIXTURE_NOW);
    put_look(bench, red, "https://a.vn/", SITE_VIEW_CRAWLER, SITE_VERDICT_RED, FIXTURE_NOW);
    assert_int_equal(store_commit(bench->store), 0);

    assert_int_equal(list_sites(bench, &filter, &sites), 2);
    assert_str(sites[0].name,
               "Cổng"); /* by unit, then name, Vietnamese letters where they belong */
    assert_str(sites[1].name, "Ảnh");
    filter.after = sites[1].place;
    assert_int_equal(list_sites(bench, &filter, &sites), 1);
    assert_str(sites[0].name, "Đất đai");
    filter = (struct store_site_filter){.service = -1, .verdict = -1, .words = STR("dat XA")};
    assert_int_equal(list_sites(bench, &filter, &sites), 1);
    filter = (struct store_site_filter){.service = -1, .verdict = -1, .is_grave = true};
    assert_int_equal(list_sites(bench, &filter, &sites), 1);
    assert_int_equal(sites[0].verdict, SITE_VERDICT_RED); /* the gravest view speaks for the site */
    assert_int_equal(store_unit_list(bench->store, bench->fixture.arena, &units, &count), 0);
    assert_int_equal(count, 2);
    assert_true(units[0].verdicts[SITE_VERDICT_RED] == 1 && units[1].unseen == 2);
}

static void put_verdict(struct bench *bench, const char *name, enum site_verdict verdict,
                        enum site_failure failure)
{
    char url[64];
    uint64_t site;

    (void)snprintf(url, sizeof(url), "https://%s.vn/", name);
    site = put_site(bench, name, "Sở", url);
    put_check(bench, site,
              (struct site_check){.site = site,
                                  .url = str_from(url),
                                  .time = FIXTURE_NOW,
                                  .verdict = verdict,
                                  .failure = failure});
}

/* The row that a page ended with has got better meanwhile: nobody is passed over for it, and it
 * comes again in its new place. */
static void test_worst_first(void **state)
{
    static const char *const order[] = {"red",    "down", "yellow", "unjudged",
                                        "edited", "ok",   "red",    "unseen"};
    struct bench *bench = *state;
    struct store_site_filter filter = {.service = -1, .verdict = -1, .limit = 1};
    struct store_site *sites;

    assert_int_equal(store_begin(bench->store), 0);
    put_verdict(bench, "ok", SITE_VERDICT_OK, SITE_FAILURE_NONE);
    put_verdict(bench, "unjudged", SITE_VERDICT_UNKNOWN, SITE_FAILURE_CAPTCHA);
    put_verdict(bench, "yellow", SITE_VERDICT_YELLOW, SITE_FAILURE_NONE);
    (void)put_site(bench, "unseen", "Sở", "https://unseen.vn/");
    put_verdict(bench, "edited", SITE_VERDICT_CHANGED, SITE_FAILURE_NONE);
    put_verdict(bench, "down", SITE_VERDICT_UNKNOWN, SITE_FAILURE_TIMEOUT);
    put_verdict(bench, "red", SITE_VERDICT_RED, SITE_FAILURE_NONE);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_int_equal(list_sites(bench, &filter, &sites), 1);
        assert_str(sites[0].name, order[i]);
        filter.after = sites[0].place;
        if (sites[0].verdict == SITE_VERDICT_RED) {
            put_look(bench, sites[0].number, "https://red.vn/", SITE_VIEW_DESKTOP, SITE_VERDICT_OK,
                     FIXTURE_NOW + 1);
        }
    }
    filter.limit = 0;
    filter.after = 0;
    assert_int_equal(list_sites(bench, &filter, &sites), ARRAY_LEN(order) - 1);
    assert_str(sites[0].name, "down");
    assert_int_equal(store_commit(bench->store), 0);
}

static void test_gravest(void **state)
{
    struct bench *bench = *state;
    uint64_t site;

    assert_int_equal(store_begin(bench->store), 0);
    site = put_site(bench, "Cổng", "Sở", "https://a.vn/");
    put_look(bench, site, "https://a.vn/", SITE_VIEW_DESKTOP, SITE_VERDICT_RED, FIXTURE_NOW);
    put_look(bench, site, "https://a.vn/x", SITE_VIEW_DESKTOP, SITE_VERDICT_OK, FIXTURE_NOW + 5);
    assert_int_equal(get_site(bench, site).verdict, SITE_VERDICT_RED);
    assert_int_equal(get_site(bench, site).since, FIXTURE_NOW);
    put_look(bench, site, "https://a.vn/", SITE_VIEW_DESKTOP, SITE_VERDICT_OK, FIXTURE_NOW + 9);
    assert_int_equal(get_site(bench, site).verdict, SITE_VERDICT_OK);
    assert_int_equal(get_site(bench, site).since, FIXTURE_NOW + 9);
    assert_int_equal(get_site(bench, site).series.ms[SERIES_COUNT - 1], 250);
    assert_int_equal(store_commit(bench->store), 0);
}

static void test_memory(void **state)
{
    struct bench *bench = *state;
    static char bytes[STORE_PROFILE_MAX + 1];
    struct str got;
    uint64_t site;

    assert_int_equal(store_begin(bench->store), 0);
    site = put_site(bench, "Cổng", "Sở", "https://a.vn/");
    put_look(bench, site, "https://a.vn/", SITE_VIEW_DESKTOP, SITE_VERDICT_OK, FIXTURE_NOW);
    assert_int_equal(store_memory_put(bench->store, site, STR("https://a.vn/"),
                                      str_of(bytes, STORE_PROFILE_MAX)),
                     0);
    assert_int_equal(
        store_memory_put(bench->store, site, STR("https://a.vn/"), str_of(bytes, sizeof(bytes))),
        -ERR_LIMIT);
    assert_int_equal(store_memory_put(bench->store, site, STR(""), str_of(bytes, STORE_MEMORY_MAX)),
                     0);
    assert_int_equal(
        store_memory_put(bench->store, site, STR(""), str_of(bytes, STORE_MEMORY_MAX + 1)),
        -ERR_LIMIT);
    assert_int_equal(store_memory_put(bench->store, site, STR("https://b.vn/"), STR("x")),
                     -ERR_NOENT);
    assert_int_equal(store_scripts_put(bench->store, site, STR("old")), 0);
    assert_int_equal(store_scripts_put(bench->store, site, str_of(bytes, STORE_SCRIPTS_MAX)), 0);
    assert_int_equal(store_scripts_put(bench->store, site, str_of(bytes, STORE_SCRIPTS_MAX + 1)),
                     -ERR_LIMIT);
    assert_int_equal(store_scripts_put(bench->store, site + 99, STR("x")), -ERR_NOENT);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_scripts_get(bench->store, site, bench->fixture.arena, &got), 0);
    assert_int_equal(got.len, STORE_SCRIPTS_MAX);
    assert_int_equal(store_scripts_get(bench->store, site + 99, bench->fixture.arena, &got), 0);
    assert_int_equal(got.len, 0);
    assert_int_equal(
        store_memory_get(bench->store, site, STR("https://a.vn/"), bench->fixture.arena, &got), 0);
    assert_int_equal(got.len, STORE_PROFILE_MAX);
    assert_int_equal(
        store_memory_get(bench->store, site, STR("https://zz.vn/"), bench->fixture.arena, &got), 0);
    assert_int_equal(got.len, 0);
}

/* News pages come and go for years: the oldest make room, what a person named never does. */
static void test_page_room(void **state)
{
    struct bench *bench = *state;
    uint64_t first = 0;
    uint64_t page = 0;
    uint64_t site;

    assert_int_equal(store_begin(bench->store), 0);
    site = put_site(bench, "Cổng", "Sở", "https://a.vn/");
    put_look(bench, site, "https://a.vn/", SITE_VIEW_DESKTOP, SITE_VERDICT_OK, FIXTURE_NOW);
    assert_int_equal(
        store_page_put(bench->store, site, STR("https://a.vn/tin/0"), SITE_PAGE_LINKED, &first), 0);
    for (unsigned i = 1; i < STORE_SITE_PAGES_MAX + 10; i++) {
        char url[40];

        (void)snprintf(url, sizeof(url), "https://a.vn/tin/%u", i);
        assert_int_equal(store_page_put(bench->store, site, str_from(url), SITE_PAGE_LINKED, &page),
                         0);
    }
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(
        store_page_put(bench->store, site, STR("https://a.vn/"), SITE_PAGE_LISTED, &page), 0);
    assert_true(page < first); /* what a person named stays */
    assert_int_equal(
        store_page_put(bench->store, site, STR("https://a.vn/tin/0"), SITE_PAGE_LINKED, &page), 0);
    assert_true(page > first); /* it had gone */
    assert_int_equal(store_commit(bench->store), 0);
}

/* History is bounded, and a change that raised an alert outlives those that did not. */
static void test_changes(void **state)
{
    struct bench *bench = *state;
    struct store_change change = {.time = FIXTURE_NOW, .body = STR("\x80"), .alert = 7};
    struct store_change_filter filter = {.limit = STORE_PAGE_MAX};
    struct store_change *changes;
    uint64_t number = 0;
    uint64_t first;
    size_t count = 0;

    assert_int_equal(store_begin(bench->store), 0);
    change.site = put_site(bench, "Cổng", "Sở", "https://a.vn/");
    assert_int_equal(store_page_put(bench->store, change.site, STR("https://a.vn/"),
                                    SITE_PAGE_LISTED, &change.page),
                     0);
    change.verdict = SITE_VERDICT_RED;
    assert_int_equal(store_change_put(bench->store, &change, &first), 0);
    assert_int_equal(store_change_undecided(bench->store, 7, &number), 0);
    assert_int_equal(number, 1);
    change.alert = 0;
    for (unsigned i = 0; i < STORE_CHANGES_MAX + 20; i++) {
        assert_int_equal(store_change_put(bench->store, &change, &number), 0);
    }
    assert_int_equal(store_commit(bench->store), 0);
    filter.site = change.site;
    assert_int_equal(
        store_change_list(bench->store, &filter, bench->fixture.arena, &changes, &count), 0);
    assert_int_equal(count, STORE_CHANGES_MAX + 1);
    assert_int_equal(changes[0].number, number);
    assert_int_equal(changes[count - 1].number, first);
}

/* Windows that ended long ago go, and only they. */
static void test_old_windows(void **state)
{
    struct bench *bench = *state;
    struct store_window window = {.actor = STR("lan"), .reason = STR("đổi giao diện")};
    struct store_window *windows;
    uint64_t number = 0;
    size_t count = 0;

    assert_int_equal(store_begin(bench->store), 0);
    window.site = put_site(bench, "Cổng", "Sở", "https://a.vn/");
    for (int64_t hour = 0; hour < 3; hour++) {
        window.begins = FIXTURE_NOW + hour * 3600 * NS_PER_S;
        window.ends = window.begins + 1800 * NS_PER_S;
        assert_int_equal(store_window_put(bench->store, &window, &number), 0);
    }
    assert_int_equal(store_window_expire(bench->store, FIXTURE_NOW + 3600 * NS_PER_S), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(
        store_window_list(bench->store, window.site, bench->fixture.arena, &windows, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(windows[0].number, number);
    assert_true(windows[1].begins == FIXTURE_NOW + 3600 * NS_PER_S);
}

static void test_evidence(void **state)
{
    struct bench *bench = *state;
    struct store_change change = {
        .time = FIXTURE_NOW, .body = STR("\x80"), .has_after = true, .alert = 1};
    uint8_t orphan[32];
    struct str got;
    uint64_t number;

    assert_int_equal(store_begin(bench->store), 0);
    change.site = put_site(bench, "Cổng", "Sở", "https://a.vn/");
    assert_int_equal(store_page_put(bench->store, change.site, STR("https://a.vn/"),
                                    SITE_PAGE_LISTED, &change.page),
                     0);
    assert_int_equal(store_evidence_put(bench->store, STR("after"), change.after), 0);
    assert_int_equal(store_evidence_put(bench->store, STR("after"), change.after), 0);
    assert_int_equal(store_evidence_put(bench->store, STR("orphan"), orphan), 0);
    assert_int_equal(store_change_put(bench->store, &change, &number), 0);
    assert_int_equal(store_evidence_expire(bench->store, FIXTURE_NOW + 1, 1U << 20), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_evidence_get(bench->store, change.after, bench->fixture.arena, &got), 0);
    assert_str(got, "after");
    assert_int_equal(store_evidence_get(bench->store, orphan, bench->fixture.arena, &got),
                     -ERR_NOENT);
}

/* Past the limit the oldest bodies go, and the texts stay. */
static void test_evidence_limit(void **state)
{
    struct bench *bench = *state;
    struct store_change change = {.time = FIXTURE_NOW,
                                  .body = STR("\x80"),
                                  .has_after = true,
                                  .has_source = true,
                                  .alert = 1};
    static char body[50000];
    struct str got;
    uint64_t number;

    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)(i * i >> 3 ^ i * 77);
    }
    assert_int_equal(store_begin(bench->store), 0);
    change.site = put_site(bench, "Cổng", "Sở", "https://a.vn/");
    assert_int_equal(store_page_put(bench->store, change.site, STR("https://a.vn/"),
                                    SITE_PAGE_LISTED, &change.page),
                     0);
    assert_int_equal(store_evidence_put(bench->store, STR("text"), change.after), 0);
    assert_int_equal(store_evidence_put(bench->store, str_of(body, sizeof(body)), change.source),
                     0);
    assert_int_equal(store_change_put(bench->store, &change, &number), 0);
    assert_int_equal(store_evidence_expire(bench->store, 0, 1000), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_evidence_get(bench->store, change.source, bench->fixture.arena, &got),
                     -ERR_NOENT);
    assert_int_equal(store_evidence_get(bench->store, change.after, bench->fixture.arena, &got), 0);
}

static void test_series(void **state)
{
    uint8_t bytes[SERIES_SIZE_MAX];
    struct series series;
    struct series again;

    (void)state;
    series_read(STR("nonsense"), &series);
    assert_int_equal(series.last, 0);
    series_add(&series, 1000 * SERIES_SPAN_NS, 40);
    series_add(&series, 1000 * SERIES_SPAN_NS + 5, 30); /* the slowest counts */
    series_add(&series, 1002 * SERIES_SPAN_NS, SERIES_FAILED);
    series_add(&series, 1001 * SERIES_SPAN_NS, 7);
    series_add(&series, 5 * SERIES_SPAN_NS, 9999); /* far behind */
    assert_int_equal(series.ms[SERIES_COUNT - 1], SERIES_FAILED);
    assert_int_equal(series.ms[SERIES_COUNT - 2], 7);
    assert_int_equal(series.ms[SERIES_COUNT - 3], 40);
    series_write(&series, bytes);
    series_read(str_of((const char *)bytes, sizeof(bytes)), &again);
    assert_memory_equal(&series, &again, sizeof(series));
    series_add(&series, 5000 * SERIES_SPAN_NS, 3);
    assert_int_equal(series.ms[SERIES_COUNT - 3], SERIES_NONE);
}

static int64_t cpu_now(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Ten thousand sites: any page of the list, and a search that matches few, stay far under a
 * screen's patience. */
static void test_many(void **state)
{
    struct bench *bench = *state;
    struct store_site_filter filter = {.service = -1, .verdict = -1, .limit = 50};
    struct store_site *sites;
    size_t count = 50;
    unsigned seen = 0;
    int64_t worst = 0;

    assert_int_equal(store_begin(bench->store), 0);
    for (unsigned i = 0; i < 10000; i++) {
        char name[40];
        char url[60];
        char unit[40];

        (void)snprintf(name, sizeof(name), "Cổng số %u", i);
        (void)snprintf(url, sizeof(url), "https://s%u.example.gov.vn/", i);
        (void)snprintf(unit, sizeof(unit), "Đơn vị %u", i % 150);
        (void)put_site(bench, name, unit, url);
    }
    assert_int_equal(store_commit(bench->store), 0);
    while (count == 50) {
        int64_t begun = cpu_now();

        arena_reset(bench->fixture.arena);
        count = list_sites(bench, &filter, &sites);
        worst = cpu_now() - begun > worst ? cpu_now() - begun : worst;
        seen += (unsigned)count;
        filter.after = count != 0 ? sites[count - 1].place : 0;
    }
    assert_int_equal(seen, 10000);
    assert_true(worst < 50 * NS_PER_MS);
    filter = (struct store_site_filter){
        .service = -1, .verdict = -1, .words = STR("s9999.example"), .limit = 50};
    assert_int_equal(list_sites(bench, &filter, &sites), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worst_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gravest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_page_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_windows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_evidence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_evidence_limit, set_up, tear_down),
        cmocka_unit_test(test_series),
        cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("sites", tests, NULL, NULL);
}
