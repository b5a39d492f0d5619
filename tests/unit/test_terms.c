/* What people type to find events. */
#include "harness.h"
#include "prop.h"

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
    static const struct entry empty;
    struct event event = example();
    struct terms terms;
    struct diag diag = {0};

    assert_int_equal(terms_parse(str_from(typed), arena, &terms, &diag), 0);
    return terms_judge(&terms, &event, STR("may-chu-01"), &empty, arena) == TERMS_YES;
}

static int refused(const char *typed)
{
    struct terms terms;
    struct diag diag = {0};
    int r = terms_parse(str_from(typed), arena, &terms, &diag);

    assert_true(r == 0 || diag.text[0] != '\0');
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

static void test_either(void **state)
{
    (void)state;
    assert_true(matches("admin OR root"));
    assert_true(matches("admin HOẶC root"));
    assert_false(matches("admin OR guest"));
    assert_true(matches("failed (admin OR root)"));
    assert_false(matches("accepted (admin OR root)"));
    assert_true(matches("accepted admin OR root")); /* AND binds closer */
    assert_true(matches("root OR admin accepted"));
    assert_false(matches("(root OR admin) accepted"));
    assert_true(matches("failed AND root VÀ password"));
    assert_true(matches("KHÔNG admin KHÔNG (guest OR accepted)"));
    assert_false(matches("NOT (guest OR root)"));
    assert_false(matches("-(failed root)"));
    assert_true(matches("-(failed guest)"));
    assert_true(matches("NOT NOT root"));
    assert_true(matches("((root))"));
    assert_true(matches("(user:nguyen* OR user:root) -host:web*"));
    assert_false(matches("OR-root (guest OR accepted)"));
    assert_false(matches("ORACLE"));
    assert_false(matches("pam_unix(sshd:auth): OR (guest OR pam_unix(sshd))"));
    assert_true(matches("(guest OR 203.0.113.9)"));
}

/* What only a reader of the entry knows is left open, and no more than that. */
static enum terms_verdict judged(const char *typed, const struct entry *entry)
{
    struct event event = example();
    struct terms terms;

    assert_int_equal(terms_parse(str_from(typed), arena, &terms, NULL), 0);
    return terms_judge(&terms, &event, STR("may-chu-01"), entry, arena);
}

static void test_entries(void **state)
{
    struct entry entry;

    (void)state;
    entry_init(&entry);
    assert_int_equal(entry_add(&entry, &(struct entry_field){.name = STR("src_ip"),
                                                             .value = STR("203.0.113.9")}),
                     0);
    assert_int_equal(entry_add(&entry, &(struct entry_field){.name = STR("EventID"),
                                                             .value = STR("4625"),
                                                             .type = ENTRY_TYPE_NUMBER}),
                     0);
    assert_int_equal(judged("src_ip:203.0.113.9", NULL), TERMS_UNREAD);
    assert_int_equal(judged("-src_ip:203.0.113.9", NULL), TERMS_UNREAD);
    assert_int_equal(judged("admin src_ip:203.0.113.9", NULL), TERMS_NO);
    assert_int_equal(judged("root OR src_ip:203.0.113.9", NULL), TERMS_YES);
    assert_int_equal(judged("user:nguyen.van.a", NULL), TERMS_YES); /* the event says so itself */
    assert_int_equal(judged("src_ip:203.0.113.9", &entry), TERMS_YES);
    assert_int_equal(judged("src_ip:203.*.9 EventID:4625 eventid:>4000", &entry), TERMS_YES);
    assert_int_equal(judged("-src_ip:203.*", &entry), TERMS_NO);
    assert_int_equal(judged("dst_ip:203.* OR EventID:<4000", &entry), TERMS_NO);
    assert_int_equal(judged("source.ip:203.0.113.9 Event.Code:>4000", &entry), TERMS_YES);
    assert_int_equal(judged("destination.ip:203.* OR source.port:>1", &entry), TERMS_NO);
    assert_int_equal(judged("source.ip:203.0.113.9", NULL), TERMS_UNREAD);
    entry_done(&entry);
}

static void test_networks(void **state)
{
    static const struct {
        const char *typed;
        const char *value;
        bool is_within;
    } rows[] = {
        {"ip:203.0.113.0/24", "203.0.113.9", true},
        {"ip:203.0.113.77/24", "203.0.113.9", true},
        {"ip:203.0.113.0/24", "203.0.114.9", false},
        {"ip:203.0.113.8/31", "203.0.113.9", true},
        {"ip:203.0.113.8/32", "203.0.113.9", false},
        {"ip:0.0.0.0/0", "203.0.113.9", true},
        {"ip:0.0.0.0/0", "2001:db8::1", false},
        {"ip:203.0.113.0/24", "::ffff:203.0.113.9", true},
        {"ip:2001:db8::/32", "2001:DB8:7::1", true},
        {"ip:2001:db8::/32", "2001:db9::1", false},
        {"ip:::/0", "203.0.113.9", true},
        {"ip:203.0.113.0/24", "máy 203.0.113.9", false},
        {"ip:203.0.113.0/24", "203.0.113.0/24", true}, /* a route, as it is written */
        {"ip:203.0.113.0/33", "203.0.113.0", false},   /* no network: a text like any other */
        {"ip:\"203.0.113.0/24\"", "203.0.113.9", true},
        {"-ip:203.0.113.0/24", "203.0.113.9", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct entry entry;

        entry_init(&entry);
        assert_int_equal(entry_add(&entry, &(struct entry_field){.name = STR("ip"),
                                                                 .value = str_from(rows[i].value)}),
                         0);
        if ((judged(rows[i].typed, &entry) == TERMS_YES) != rows[i].is_within) {
            fail_msg("%s of %s", rows[i].typed, rows[i].value);
        }
        entry_done(&entry);
    }
}

static void test_refused_shapes(void **state)
{
    static const char *const shapes[] = {"(a",     "a )", "()",    "a OR", "OR a", "a OR OR b",
                                         "(a OR)", "NOT", "a AND", "-(a",  "a (",  "\"\""};

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (refused(shapes[i]) != -ERR_SYNTAX) {
            fail_msg("'%s' is taken", shapes[i]);
        }
    }
    assert_int_equal(refused("(((((((((a)))))))))"), -ERR_LIMIT);
    assert_true(matches("((((((((root))))))))"));
}

/* An error says where: the word, or what the end stands behind. */
static void test_refused_places(void **state)
{
    static const char *const cases[][2] = {
        {"dữ liệu (lan OR minh", "'(lan', character 9"},
        {"a OR OR b", "'OR', character 6"},
        {"root OR", "at the end, behind 'OR'"},
        {"a ) c", "')', character 3"},
        {"sai user:\"lan root", "'\"lan', character 10"},
        {"a \"\" b", "'\"\"', character 3"},
        {"pid:nhiều", "'nhiều'"},
        {"(một-từ-rất-dài-không-có-chỗ-ngắt", "'(một-từ-rất-dài-k', character 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct terms terms;
        struct diag diag = {0};

        assert_int_equal(terms_parse(str_from(cases[i][0]), arena, &terms, &diag), -ERR_SYNTAX);
        if (strstr(diag.text, cases[i][1]) == NULL) {
            fail_msg("%s: %s", cases[i][0], diag.text);
        }
    }
}

/* ---- needles: whatever matches holds them, or an archive would pass it over */

static void put_needle(const struct needles *needles, uint16_t at, struct buf *buf)
{
    const struct needle *needle = &needles->list[at];

    if (needle->kind == NEEDLE_TEXT) {
        buf_put_str(buf, needle->text);
    } else if (needle->kind == NEEDLE_RUN) {
        buf_putf(buf, "%u digits", needle->run);
    } else if (needle->kind == NEEDLE_AND || needle->kind == NEEDLE_OR) {
        buf_put_byte(buf, '(');
        put_needle(needles, needle->left, buf);
        buf_put_text(buf, needle->kind == NEEDLE_AND ? " & " : " | ");
        put_needle(needles, needle->right, buf);
        buf_put_byte(buf, ')');
    } else {
        buf_put_text(buf, needle->kind == NEEDLE_CODED ? "coded" : "any");
    }
}

static void test_needles(void **state)
{
    static const char *const cases[][2] = {
        {"\"password for root\" log:*auth.log", "(password for root & auth.log)"},
        {"-failed kind:log", "any"},
        {"pid:4711 Nguyễn", "nguyen"},
        {"203.0.113.9", "203.0.113.9"},
        {"failed OR accepted", "(failed | accepted)"},
        {"failed OR pid:5", "any"},
        {"sshd (failed OR -root)", "sshd"},
        {"NOT (failed OR root)", "any"},
        {"src_ip:10.0.0.1", "(10.0.0.1 | coded)"},
        {"Image:*\\cmd.exe", "(cmd.exe | coded)"},
        {"severity:err", "any"},
        {"log.level:err", "any"},
        {"event.outcome:failure", "any"}, /* the form of a line says it */
        {"source.ip:10.0.0.1", "(10.0.0.1 | coded)"},
        {"source.ip:203.0.113.77/24", "((203.0.113. | :ffff:) | coded)"},
        {"source.ip:203.0.113.77/31", "((203.0.113. | :ffff:) | coded)"},
        {"source.ip:203.0.113.9/32", "((203.0.113.9 | :ffff:) | coded)"},
        {"source.ip:::ffff:203.0.113.0/120", "((203.0.113. | :ffff:) | coded)"},
        {"source.ip:0.0.0.0/0", "any"},
        {"source.ip:2001:db8::/112", "any"},
        {"10.0.0.0/8", "10.0.0.0/8"}, /* words of their own are looked for as they are */
        {"bytes:>1000000", "(7 digits | coded)"},
        {"bytes:>999999", "(7 digits | coded)"},
        {"bytes:>=999999", "(6 digits | coded)"},
        {"bytes:>9223372036854775807", "(19 digits | coded)"},
        {"bytes:>-99999999", "any"},
        {"bytes:>1023", "any"}, /* so many digits stand everywhere */
        {"-bytes:>1000000", "any"},
        {"bytes:<9999999", "any"},
        {"pid:>1000000", "any"}, /* the event has it as a number */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct needles needles;
        struct terms terms;
        struct buf buf;

        buf_init(&buf, 4096);
        assert_int_equal(terms_parse(str_from(cases[i][0]), arena, &terms, NULL), 0);
        terms_needles(&terms, &needles);
        put_needle(&needles, needles.root, &buf);
        buf_put_byte(&buf, '\0');
        assert_string_equal(buf.ptr, cases[i][1]);
        buf_done(&buf);
    }
}

static const char *const words[] = {"root",
                                    "Đồng",
                                    "dong",
                                    "an*",
                                    "r?ot",
                                    "fail",
                                    "\"to r\"",
                                    "pid:7",
                                    "pid:>3",
                                    "user:lan",
                                    "user:l*",
                                    "src:1.2",
                                    "-root",
                                    "kind:log",
                                    "host:web1",
                                    "log:*.log",
                                    "n:>99998",
                                    "n:>=123456",
                                    "n:>999999",
                                    "n:<200000",
                                    "ip:203.0.113.0/24",
                                    "ip:203.0.112.0/22",
                                    "ip:::ffff:203.0.113.0/121",
                                    "ip:10.0.0.0/8"};

static void draw_terms(struct prop *prop, unsigned depth, struct buf *buf)
{
    uint64_t parts = 1 + prop_below(prop, 3);

    for (uint64_t i = 0; i < parts; i++) {
        buf_put_text(buf, i == 0 ? "" : prop_bool(prop) ? " OR " : " ");
        buf_put_text(buf, prop_below(prop, 4) == 3 ? "NOT " : "");
        if (depth != 0 && prop_below(prop, 3) == 2) {
            buf_put_byte(buf, '(');
            draw_terms(prop, depth - 1, buf);
            buf_put_byte(buf, ')');
        } else {
            buf_put_text(buf, words[prop_below(prop, sizeof(words) / sizeof(words[0]))]);
        }
    }
}

static const char *needles_hold_what_matches(struct prop *prop)
{
    static const char *const texts[] = {"failed to root", "Đổng an",         "lan",
                                        "root",           "x 1.2 y",         "",
                                        "x 123456 y",     "1234 567890",     "x 203.0.113.9 y",
                                        "y 10.203.0.113", "::FFFF:cb00:7109"};
    struct entry entry;
    struct event event;
    struct needles needles;
    struct terms terms;
    struct buf buf;
    struct str folded[4];
    struct str original;
    size_t count = 0;
    enum terms_verdict verdict;

    buf_init(&buf, TERMS_TEXT_MAX);
    draw_terms(prop, 2, &buf);
    if (terms_parse(buf_str(&buf), prop->arena, &terms, NULL) < 0) {
        buf_done(&buf);
        return terms.count == TERMS_MAX ? NULL : "what was drawn is refused";
    }
    buf_done(&buf);
    event_init(&event, EVENT_KIND_LOG, 1);
    (void)event_add_number(&event, EVENT_FIELD_PROCESS_PID, (int64_t)prop_below(prop, 9));
    (void)event_add_text(&event, EVENT_FIELD_USER_NAME, str_from(texts[prop_below(prop, 11)]));
    original = str_from(texts[prop_below(prop, 11)]);
    (void)event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, original);
    (void)event_add_text(&event, EVENT_FIELD_LOG_FILE_PATH,
                         prop_bool(prop) ? STR("a.log") : STR("b"));
    (void)event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR("syslog"));
    entry_init(&entry);
    /* What the reader found stands in the entry, as it does of any log. */
    if (str_is_text(original, "x 1.2 y")) {
        (void)entry_add(&entry, &(struct entry_field){.name = STR("src"), .value = STR("1.2")});
    } else if (str_is_text(original, "x 123456 y")) {
        (void)entry_add(&entry, &(struct entry_field){.name = STR("n"), .value = STR("123456")});
    } else if (str_is_text(original, "1234 567890")) {
        (void)entry_add(&entry, &(struct entry_field){.name = STR("n"), .value = STR("567890")});
    } else if (str_is_text(original, "x 203.0.113.9 y")) {
        (void)entry_add(&entry,
                        &(struct entry_field){.name = STR("ip"), .value = STR("203.0.113.9")});
    } else if (str_has_prefix(original, STR("::FFFF"))) {
        (void)entry_add(&entry, &(struct entry_field){.name = STR("ip"), .value = original});
    } else if (str_has_prefix(original, STR("y 10."))) {
        (void)entry_add(&entry,
                        &(struct entry_field){.name = STR("ip"), .value = STR("10.203.0.113")});
    }
    verdict = terms_judge(&terms, &event, STR("web1"), &entry, prop->arena);
    for (size_t i = 0; i < event.field_count; i++) {
        if (event_field_type(event.fields[i].id) == EVENT_VALUE_TEXT) {
            char *out = arena_alloc(prop->arena, 64, 1);

            folded[count++] = str_of(out, utf8_fold(event.fields[i].text, out, 64));
        }
    }
    entry_done(&entry);
    terms_needles(&terms, &needles);
    return verdict == TERMS_YES && !needles_stand_in(&needles, &event, folded, count)
               ? "an event that matches does not hold the needles"
               : NULL;
}

static void test_needles_never_hide(void **state)
{
    (void)state;
    prop_check("needles", needles_hold_what_matches, 20000);
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
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_negation),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_either),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_refused_places),
        cmocka_unit_test(test_needles),
        cmocka_unit_test(test_refused_shapes),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_needles_never_hide),
    };

    return cmocka_run_group_tests(tests, start, end);
}
