/* Events by what people type: page by page each one that matches comes once, newest first, also
 * when hundreds have the same second, as entries of logs do. */
#include "store_fixture.h"

#include "store/find.h"

#define EVENTS 3000

struct bench {
    struct fixture fixture;
    struct archive *archive;
    struct store *store;
    struct arena *arena;
    int64_t now;
};

struct seen {
    bool numbers[EVENTS];
    size_t count;
    size_t on_page;
    int64_t last;
};

static int see(void *context, const struct id *id, struct str host, const struct event *event)
{
    struct seen *seen = context;
    int64_t number = event_find(event, EVENT_FIELD_PROCESS_PID)->number;

    (void)id;
    (void)host;
    assert_false(seen->numbers[number]);
    assert_true(event->time <= seen->last);
    seen->numbers[number] = true;
    seen->last = event->time;
    seen->count++;
    seen->on_page++;
    return 0;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct archive_options options = {.clock = &bench->fixture.clock, .block_events = 100};

    fixture_init(&bench->fixture);
    options.folder = bench->fixture.folder;
    assert_int_equal(archive_open(&options, &bench->archive, NULL), 0);
    assert_int_equal(store_open(&(struct store_options){.folder = bench->fixture.folder,
                                                        .clock = &bench->fixture.clock},
                                &bench->store, NULL),
                     0);
    assert_int_equal(arena_new(1 << 20, &bench->arena), 0);
    bench->now = clock_wall(&bench->fixture.clock);
    for (int64_t i = 0; i < EVENTS; i++) {
        struct id id = fixture_id((unsigned)(i % 3));
        struct event event;

        event_init(&event, EVENT_KIND_LOG, bench->now - i / 500 * NS_PER_S);
        assert_int_equal(event_add_number(&event, EVENT_FIELD_PROCESS_PID, i), 0);
        assert_int_equal(
            event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL,
                           i % 7 == 0 ? STR("Failed password for lan") : STR("Accepted publickey")),
            0);
        assert_int_equal(archive_add(bench->archive, &id, (uint64_t)i + 1, &event), 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    arena_free(bench->arena);
    archive_close(bench->archive);
    store_close(bench->store);
    fixture_done(&bench->fixture);
    free(bench);
    return 0;
}

/* How many there are, page by page. */
static size_t walk(struct bench *bench, const char *typed, size_t limit)
{
    struct terms terms;
    struct find_query query = {
        .terms = &terms, .cursor = {.time = bench->now + NS_PER_S}, .limit = limit};
    struct seen seen = {.last = INT64_MAX};
    int r = 1;

    arena_reset(bench->arena);
    assert_int_equal(terms_parse(str_from(typed), bench->arena, &terms, NULL), 0);
    while (r == 1) {
        seen.on_page = 0;
        r = find_events(bench->archive, bench->store, bench->arena, &query, &query.cursor, see,
                        &seen);
        assert_true(r >= 0);
        assert_true(seen.on_page <= limit);
    }
    return seen.count;
}

static void test_pages(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(walk(bench, "", 500), EVENTS);
    assert_int_equal(walk(bench, "", 7), EVENTS);
    assert_int_equal(walk(bench, "failed lan", 13), (EVENTS + 6) / 7);
    assert_int_equal(walk(bench, "-failed", 100), EVENTS - (EVENTS + 6) / 7);
    assert_int_equal(walk(bench, "pid:<100", 10), 100);
    assert_int_equal(walk(bench, "nobody", 10), 0);
}

static int refuse(void *context, const struct id *id, struct str host, const struct event *event)
{
    (void)context;
    (void)id;
    (void)host;
    (void)event;
    return -ERR_IO;
}

static void test_refused(void **state)
{
    struct bench *bench = *state;
    struct terms terms = {0};
    struct find_query query = {.terms = &terms, .cursor = {.time = bench->now}, .limit = 5};
    struct find_cursor next;

    assert_int_equal(
        find_events(bench->archive, bench->store, bench->arena, &query, &next, refuse, NULL),
        -ERR_IO);
    query.cursor.pass = FIND_PASS_MAX + 1;
    assert_int_equal(
        find_events(bench->archive, bench->store, bench->arena, &query, &next, refuse, NULL),
        -ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
