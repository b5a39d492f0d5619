/* What an entry may mean besides what it says: a search trusts a word's absence only where no
 * reader can have made it. */
#include "harness.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "model/coded.h"

#include <string.h>
#include <time.h>

static enum coded asked(const char *format, const char *entry)
{
    return coded_entry(str_from(format), str_from(entry));
}

static void test_plain_entries(void **state)
{
    (void)state;
    assert_int_equal(asked("syslog", "sshd[7]: Failed password for root from 1.2.3.4"), CODED_NONE);
    assert_int_equal(asked("ndjson", "{\"Image\":\"C:\\\\Windows\\\\x64\\\\udp.exe\"}"),
                     CODED_NONE);
    assert_int_equal(asked("ndjson", "{\"a\":\"\\u003cb\\u003e \\u0027\\n\"}"), CODED_NONE);
    assert_int_equal(asked("ndjson", "{\"url\":\"/a?b=1\\u0026c=2\"}"), CODED_NONE);
    assert_int_equal(asked("winxml", "<a>x&#13;&#10;&amp;&#x26;</a>"), CODED_NONE);
    assert_int_equal(asked("syslog", "fw: C:\\temp"), CODED_NONE);
}

static void test_signs(void **state)
{
    (void)state;
    assert_int_equal(asked("weblog", "GET /\\x61dmin"), CODED_SIGNS);
    assert_int_equal(asked("weblog", "GET /\\xC4\\x90"), CODED_SIGNS);
    assert_int_equal(asked("winxml", "<a>&#65;</a>"), CODED_SIGNS);
    assert_int_equal(asked("winxml", "<a>&#x1ED9;</a>"), CODED_SIGNS);
    assert_int_equal(asked("winxml", "<a>ro<!-- -->ot</a>"), CODED_SIGNS);
    assert_int_equal(asked("syslog", "CEF:0|a|b|1|2|c|5|filePath=C:\\Windows"), CODED_SIGNS);
    assert_int_equal(asked("winxml", "<a>foo<?x?>bar</a>"), CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"log\":\"type=X msg=audit(1:2): comm=6C73\"}"),
                     CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"log\":\"[26/Nov] \\\"GET /\\\\x61\\\"\"}"), CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"a\":\"<b>\\u0026#65;</b>\"}"), CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"a\":\"&\\u0023x41;\"}"), CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"a\":\"ro\\u003c!-- --\\u003eot\"}"), CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"a\":\"\\u0043EF:0|a|b|1|2|c|5|f=C:\\\\Windows\"}"),
                     CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"a\":\"msg=audit\\u0028\"}"), CODED_SIGNS);
    assert_int_equal(asked("ndjson", "{\"a\":\"{\\\"b\\\":\\\"\\\\u0026#65;\\\"}\"}"), CODED_SIGNS);
    assert_int_equal(asked("evtx", "ElfChnk"), CODED_SIGNS);
    assert_int_equal(asked("", "who knows"), CODED_SIGNS);
}

/* What an entry means, one text after the other. */
static void check_meant(const char *format, const char *entry, const char *wanted)
{
    struct coded_walk walk;
    struct event event;
    struct buf room;
    struct buf all;
    struct str text;
    int r;

    event_init(&event, EVENT_KIND_LOG, 1);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, str_from(entry)), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, str_from(format)), 0);
    assert_int_equal(coded_event(&event), CODED_PLAIN);
    buf_init(&room, 4096);
    buf_init(&all, 4096);
    coded_begin(&walk, &event, &room);
    while ((r = coded_next(&walk, &text)) > 0) {
        buf_put_str(&all, text);
        buf_put_byte(&all, '|');
    }
    assert_int_equal(r, 0);
    buf_put_byte(&all, '\0');
    assert_string_equal(all.ptr, wanted);
    buf_done(&room);
    buf_done(&all);
}

static void test_meant(void **state)
{
    (void)state;
    check_meant("audit", "type=EXECVE a0=6C73 a1=\"x\" pid=123 proctitle=6C73002D61", "ls|ls -a|");
    check_meant("ndjson", "{\"a\":\"l\\u0061n\"}", "{\"a\":\"lan\"}|{\"a\":\"lan\"}|");
    check_meant("ndjson", "{\"a\":\"{\\\"b\\\":\\\"l\\\\u1ea1n\\\"}\"}",
                "{\"a\":\"{\"b\":\"l\\u1ea1n\"}\"}|{\"a\":\"{\"b\":\"lạn\"}\"}|");
    check_meant("ndjson", "{\"a\":\"l\\u005cu0061n\"}", "{\"a\":\"l\\u0061n\"}|{\"a\":\"lan\"}|");
}

/* Entries of nothing but leads, as long as entries get, cost about what others of their length do.
 */
static void test_leads_are_cheap(void **state)
{
    static const struct {
        const char *format;
        const char *lead;
    } rows[] = {{"syslog", "CEF:"}, {"ndjson", "\\x41"}};
    static char bytes[60U << 10];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        clock_t before;

        for (size_t at = 0; at < sizeof(bytes); at += 4) {
            memcpy(bytes + at, rows[i].lead, 4);
        }
        before = clock();
        for (unsigned times = 0; times < 20; times++) {
            assert_int_equal(coded_entry(str_from(rows[i].format), str_of(bytes, sizeof(bytes))),
                             CODED_NONE);
        }
        assert_true(clock() - before < CLOCKS_PER_SEC / 2);
    }
}

static void test_no_room(void **state)
{
    struct coded_walk walk;
    struct event event;
    struct buf room;
    struct str text;

    (void)state;
    event_init(&event, EVENT_KIND_LOG, 1);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, STR("\\u0061bcdefghi")), 0);
    buf_init(&room, 16);
    coded_begin(&walk, &event, &room);
    assert_int_equal(coded_next(&walk, &text), -ERR_LIMIT);
    buf_done(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_entries), cmocka_unit_test(test_signs),
        cmocka_unit_test(test_meant),         cmocka_unit_test(test_leads_are_cheap),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
