/* What people type to find events. */
#include "harness.h"

#include "base/err.h"
#include "model/terms.h"

#include <string.h>

static struct arena *arena;

static struct event example(void)
{
    struct event event;

    event_init(&event, EVENT_KIND_LOG, 1);
    (void)event_add_number(&event, EVENT_FIELD_PROCESS_PID, 4711);
    (void)event_add_text(&event, EVENT_FIELD_USER_NAME, STR("nguyễn.văn.a"));
    (void)event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL,
                         STR("Failed password for root from 203.0.113.9 port 22: Đồng Nai"));
    (void)event_add_text(&event, EVENT_FIELD_LOG_FILE_PATH, STR("/var/log/auth.log"));
    return event;
}

static bool matches(const char *typed)
{
    struct event event = example();
    struct terms terms;
    struct diag diag = {0};

    assert_int_equal(terms_parse(str_from(typed), arena, &terms, &diag), 0);
    return terms_match(&terms, &event, STR("may-chu-01"));
}

static int refused(const char *typed)
{
    struct terms terms;
    struct diag diag = {0};
    int r = terms_parse(str_from(typed), arena, &terms, &diag);

    assert_true(diag.text[0] != '\0');
    return r;
}

static void test_words(void **state)
{
    (void)state;
    assert_true(matches(""));
    assert_true(matches("  failed  ROOT "));
    assert_true(matches("dong nai"));
    assert_true(matches("\"đồng nai\""));
    assert_true(matches("\"password for root\""));
    assert_false(matches("\"password root\""));
    assert_false(matches("failed admin"));
    assert_true(matches("log"));
    assert_true(matches("\"22: dong\""));
}

static void test_fields(void **state)
{
    (void)state;
    assert_true(matches("host:may-chu-*"));
    assert_false(matches("host:may-chu"));
    assert_true(matches("kind:log"));
    assert_true(matches("user:nguyen.van.?"));
    assert_true(matches("user.name:\"Nguyễn.Văn.A\""));
    assert_true(matches("log:*auth.log entry:*203.0.113.9*"));
    assert_false(matches("file:*"));
    assert_true(matches("pid:4711 pid:>4000 pid:<=4711 pid:>=4711"));
    assert_false(matches("pid:<4711"));
}

static void test_negation(void **state)
{
    (void)state;
    assert_true(matches("failed -admin NOT kind:process_start -user:root"));
    assert_false(matches("failed -root"));
    assert_false(matches("NOT failed"));
    assert_true(matches("-pid:5"));
}

static void test_refused(void **state)
{
    char many[TERMS_MAX * 2 + 4];
    char longest[TERMS_TEXT_MAX + 2];

    (void)state;
    assert_int_equal(refused("nosuch:1"), -ERR_NOENT);
    assert_int_equal(refused("\"not closed"), -ERR_SYNTAX);
    assert_int_equal(refused("pid:many"), -ERR_SYNTAX);
    assert_int_equal(refused("user:"), -ERR_SYNTAX);
    assert_int_equal(refused("failed NOT "), -ERR_SYNTAX);
    for (size_t i = 0; i < sizeof(many) - 1; i++) {
        many[i] = i % 2 == 0 ? 'a' : ' ';
    }
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(refused(many), -ERR_LIMIT);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(refused(longest), -ERR_LIMIT);
}

/* Whatever matches holds every needle, or an archive would pass it over. */
static void test_needles(void **state)
{
    static const char *const typed[] = {"\"password for root\" log:*auth.log", "-failed kind:log",
                                        "pid:4711 user:nguyen*", "203.0.113.9"};
    static const char *const needles[] = {" password for root auth.log", "", " nguyen",
                                          " 203.0.113.9"};

    (void)state;
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
        struct terms terms;
        struct buf buf;

        buf_init(&buf, 4096);
        assert_int_equal(terms_parse(str_from(typed[i]), arena, &terms, NULL), 0);
        terms_put_needles(&terms, &buf);
        assert_true(str_is_text(buf_str(&buf), needles[i]));
        buf_done(&buf);
    }
}

static int start(void **state)
{
    (void)state;
    return arena_new(1 << 20, &arena);
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),    cmocka_unit_test(test_fields),
        cmocka_unit_test(test_negation), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_needles),
    };

    return cmocka_run_group_tests(tests, start, end);
}
