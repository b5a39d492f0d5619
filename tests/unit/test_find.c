/* Events by what people type: page by page each one that matches comes once, newest first, also
 * when hundreds have the same second, as entries of logs do. */
#include "prop.h"
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

static struct event make_event(const struct bench *bench, int64_t number)
{
    static char text[64]; /* the event borrows it */
    struct event event;

    (void)snprintf(text, sizeof(text), "%s %lld",
                   number % 7 == 0 ? "Failed password for lan port" : "Accepted publickey",
                   (long long)number);
    event_init(&event, EVENT_KIND_LOG, bench->now - number / 500 * NS_PER_S);
    assert_int_equal(event_add_number(&event, EVENT_FIELD_PROCESS_PID, number), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, str_from(text)), 0);
    return event;
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
        struct event event = make_event(bench, i);

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
static size_t walk_until(struct bench *bench, const char *typed, size_t limit, int64_t until)
{
    struct terms terms;
    struct find_query query = {
        .terms = &terms, .cursor = {.time = bench->now + NS_PER_S}, .limit = limit, .until = until};
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

static size_t walk(struct bench *bench, const char *typed, size_t limit)
{
    return walk_until(bench, typed, limit, 0);
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
    assert_int_equal(walk(bench, "failed OR accepted", 100), EVENTS);
    assert_int_equal(walk(bench, "(failed OR nobody) lan", 100), (EVENTS + 6) / 7);
    assert_int_equal(walk(bench, "failed OR pid:<7", 100), (EVENTS + 6) / 7 + 6);
}

/* Time that is up at once: each call still comes on, and in the end all were found, once each. */
static void test_turns(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(walk_until(bench, "", 500, 1), EVENTS);
    assert_int_equal(walk_until(bench, "failed lan", SIZE_MAX, 1), (EVENTS + 6) / 7);
    assert_int_equal(walk_until(bench, "nobody OR pid:<10", 3, 1), 10);
    assert_int_equal(walk_until(bench, "nobody", 10, 1), 0);
}

/* A reader that says yes to every other: all that wait for it come in order, each once. */
struct reader {
    size_t asked;
    size_t batches;
};

static int read_some(void *context, const struct terms *terms, struct find_candidate *candidates,
                     size_t count)
{
    struct reader *reader = context;

    (void)terms;
    reader->batches++;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].verdict == TERMS_UNREAD) {
            candidates[i].verdict = reader->asked++ % 2 == 0 ? TERMS_YES : TERMS_NO;
        }
    }
    return 0;
}

static void test_reader(void **state)
{
    struct bench *bench = *state;
    struct reader reader = {0};
    const struct find_reader port = {.judge = read_some, .context = &reader};
    struct terms terms;
    struct find_query query = {.terms = &terms,
                               .reader = &port,
                               .cursor = {.time = bench->now + NS_PER_S},
                               .limit = SIZE_MAX};
    struct seen seen = {.last = INT64_MAX};
    int r = 1;

    arena_reset(bench->arena);
    assert_int_equal(terms_parse(STR("failed -x:1"), bench->arena, &terms, NULL), 0);
    while (r == 1) {
        r = find_events(bench->archive, bench->store, bench->arena, &query, &query.cursor, see,
                        &seen);
        assert_true(r >= 0);
    }
    assert_int_equal(reader.asked, (EVENTS + 6) / 7); /* words are not its business */
    assert_int_equal(seen.count, (reader.asked + 1) / 2);
    assert_in_range(reader.batches, 1, EVENTS / 100);
}

/* ---- whatever is typed: what the archive finds is what looking at everything finds */

static const char *const words[] = {"failed",           "lan",
                                    "publickey",        "accepted",
                                    "pid:<100",         "pid:>2900",
                                    "\"password for\"", "kind:log",
                                    "user:x",           "entry:*key*",
                                    "-pid:7",           "entry:*port*1234",
                                    "entry:*234",       "entry:\"Accepted publickey 777\"",
                                    "entry:*1?34",      "2345",
                                    "entry:*99999"};

static void draw(struct prop *prop, struct buf *buf)
{
    uint64_t parts = 1 + prop_below(prop, 4);

    for (uint64_t i = 0; i < parts; i++) {
        bool is_group = i + 1 < parts && prop_bool(prop);

        buf_putf(buf, "%s%s%s%s%s",
                 i == 0            ? ""
                 : prop_bool(prop) ? " OR "
                                   : " ",
                 prop_below(prop, 4) == 3 ? "NOT " : "", is_group ? "(" : "",
                 words[prop_below(prop, ARRAY_LEN(words))], is_group ? " OR lan)" : "");
    }
}

static struct bench *drawn_bench;

static const char *find_is_naive_scan(struct prop *prop)
{
    struct bench *bench = drawn_bench;
    struct terms terms;
    struct buf buf;
    size_t naive = 0;
    size_t found;

    buf_init(&buf, TERMS_TEXT_MAX);
    draw(prop, &buf);
    buf_put_byte(&buf, '\0');
    assert_int_equal(terms_parse(str_from(buf.ptr), prop->arena, &terms, NULL), 0);
    for (int64_t i = 0; i < EVENTS; i++) {
        struct event event = make_event(bench, i);

        naive += terms_judge(&terms, &event, STR(""), NULL, NULL) == TERMS_YES ? 1U : 0U;
    }
    found = walk_until(bench, buf.ptr, 1 + prop_below(prop, 2000), (int64_t)prop_below(prop, 2));
    buf_done(&buf);
    return found == naive ? NULL : "the archive finds others than a walk over all";
}

static void test_find_is_naive_scan(void **state)
{
    drawn_bench = *state;
    prop_check("find", find_is_naive_scan, 60);
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
    assert_int_equal(next.time, bench->now); /* what was refused comes again */
    assert_true(id_is_none(&next.behind.host));
}

/* ---- more events of one moment than a page or a round has */

#define CROWD 9000

struct crowd {
    bool seen[CROWD];
    size_t count;
};

static int see_crowd(void *context, const struct id *id, struct str host, const struct event *event)
{
    struct crowd *crowd = context;
    int64_t number = event_find(event, EVENT_FIELD_PROCESS_PID)->number;

    (void)id;
    (void)host;
    assert_in_range(number, 0, CROWD - 1);
    assert_false(crowd->seen[number]);
    crowd->seen[number] = true;
    crowd->count++;
    return 0;
}

static void test_crowd(void **state)
{
    static struct crowd crowd;
    struct bench *bench = *state;
    struct terms terms;
    struct find_query query = {.terms = &terms, .limit = 2500};
    char text[FIND_CURSOR_SIZE];
    int r = 1;

    crowd = (struct crowd){0};
    for (unsigned i = 0; i < CROWD; i++) {
        struct id id = fixture_id(7 + i % 5);
        struct event event;

        event_init(&event, EVENT_KIND_LOG, bench->now + NS_PER_S);
        assert_int_equal(event_add_number(&event, EVENT_FIELD_PROCESS_PID, i), 0);
        assert_int_equal(archive_add(bench->archive, &id, 1 + i * 7919 % CROWD, &event), 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
    assert_int_equal(terms_parse(STR(""), bench->arena, &terms, NULL), 0);
    query.cursor.time = query.from = bench->now + NS_PER_S;
    while (r == 1) {
        r = find_events(bench->archive, bench->store, bench->arena, &query, &query.cursor,
                        see_crowd, &crowd);
        assert_true(r >= 0);
        find_cursor_format(&query.cursor, text); /* pages are asked for by text */
        assert_int_equal(find_cursor_parse(str_from(text), &query.cursor), 0);
    }
    assert_int_equal(crowd.count, CROWD);
}

static void test_cursor_text(void **state)
{
    static const char *const broken[] = {"",
                                         ".",
                                         "x",
                                         "1.",
                                         "1.x.2",
                                         "1.00000000-0000-0000-0000-000000000000.2",
                                         "1.6d6c1a4e-0000-4000-8000-000000000001",
                                         "1.6d6c1a4e-0000-4000-8000-000000000001.-2"};
    struct find_cursor cursor;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        if (find_cursor_parse(str_from(broken[i]), &cursor) != -ERR_SYNTAX) {
            fail_msg("'%s' is taken", broken[i]);
        }
    }
    assert_int_equal(find_cursor_parse(STR("-5"), &cursor), 0);
    assert_int_equal(cursor.time, -5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_find_is_naive_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crowd, set_up, tear_down),
        cmocka_unit_test(test_cursor_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
