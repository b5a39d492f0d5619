/* Access logs: the layouts that servers write, what hostile visitors make of them, and formats that
 * administrators write. */
#include "harness.h"

#include "base/err.h"
#include "base/time.h"
#include "codec/weblog.h"

#include <string.h>

static struct weblog_format format;

static void use(const char *pattern)
{
    struct diag diag = {0};

    if (weblog_format_init(&format, str_from(pattern), &diag) < 0) {
        fail_msg("%s: %s", pattern, diag.text);
    }
}

static struct weblog_line take(const char *line)
{
    struct weblog_line result = {0};

    assert_int_equal(weblog_read(&format, str_from(line), &result), 1);
    return result;
}

static void is_time(int64_t time, const char *expected)
{
    char text[TIME_TEXT_SIZE];

    time_format_utc(time, text);
    assert_string_equal(text, expected);
}

static void test_combined(void **state)
{
    struct weblog_line line;

    (void)state;
    use("combined");
    line =
        take("66.249.66.1 - - [25/Nov/2026:22:41:06 +0700] \"GET /tin-tuc/?id=7 HTTP/1.1\" 200 "
             "5124 \"https://www.google.com.vn/\" \"Mozilla/5.0 \\\"(compatible; Googlebot/2.1)\"");
    assert_str(line.address, "66.249.66.1");
    assert_str(line.user, "");
    assert_str(line.method, "GET");
    assert_str(line.path, "/tin-tuc/");
    assert_str(line.query, "id=7");
    assert_str(line.protocol, "HTTP/1.1");
    assert_str(line.referrer, "https://www.google.com.vn/");
    assert_str(line.agent, "Mozilla/5.0 \\\"(compatible; Googlebot/2.1)");
    assert_int_equal(line.status, 200);
    assert_int_equal(line.size, 5124);
    is_time(line.time, "2026-11-25T15:41:06.000Z");
}

static void test_other_layouts(void **state)
{
    struct weblog_line line;

    (void)state;
    use("vhost_combined");
    line = take(
        "ubnd.example.vn:443 10.0.0.1 - lan [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/2.0\" 304 0 "
        "\"-\" \"curl/7.88\"");
    assert_str(line.host, "ubnd.example.vn");
    assert_str(line.user, "lan");
    assert_str(line.referrer, "");
    use("$host $remote_addr [$time_iso8601] $request_method \"$request_uri\" $status "
        "rt=$request_time "
        "$bytes_sent");
    line = take(
        "cong.example.vn 2001:db8::5 [2026-11-25T22:41:06+07:00] POST \"/a b?c\" 502 rt=0.003 77");
    assert_str(line.host, "cong.example.vn");
    assert_str(line.address, "2001:db8::5");
    assert_str(line.path, "/a b");
    assert_str(line.query, "c");
    assert_int_equal(line.status, 502);
    assert_int_equal(line.size, 77);
    is_time(line.time, "2026-11-25T15:41:06.000Z");
    use("$msec $remote_addr $status");
    is_time(take("1764085266.250 10.0.0.1 200").time, "2025-11-25T15:41:06.250Z");
    use("%h %{%s}t \\\"%r\\\" %>s %B %{c}a"); /* as it stands in apache2.conf */
    assert_str(take("10.0.0.9 1764085266 \"PUT /x HTTP/1.0\" 201 5 10.0.0.8").method, "PUT");
}

static void test_w3c(void **state)
{
    struct weblog_line line = {0};

    (void)state;
    use("w3c");
    assert_int_equal(weblog_read(&format, STR("2026-11-25 00:00:00 /"), &line), -ERR_SYNTAX);
    assert_int_equal(weblog_read(&format, STR("#Software: Microsoft IIS 10.0"), &line), 0);
    assert_int_equal(
        weblog_read(&format,
                    STR("#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port "
                        "c-ip cs(User-Agent) cs(Referer) sc-status time-taken"),
                    &line),
        0);
    line = take("2026-11-25 15:41:06 10.1.1.1 GET /Default.aspx a=1 443 113.160.0.7 "
                "Mozilla/5.0+(X) - 200 12");
    assert_str(line.address, "113.160.0.7");
    assert_str(line.path, "/Default.aspx");
    assert_str(line.query, "a=1");
    assert_str(line.agent, "Mozilla/5.0+(X)");
    assert_int_equal(line.status, 200);
    is_time(line.time, "2026-11-25T15:41:06.000Z");
    assert_int_equal(weblog_read(&format, STR("#Fields: time c-ip sc-status"), &line), 0);
    assert_int_equal(take("15:41:06 10.0.0.1 404").status, 404);
}

/* Whoever speaks to a web server writes into its log. */
static void test_hostile_lines(void **state)
{
    static char long_line[WEBLOG_LINE_MAX + 1];
    struct weblog_line line = {0};

    (void)state;
    use("combined");
    line =
        take("10.0.0.1 - - [25/Nov/2026:22:41:06 +0700] \"\\x16\\x03\\x01\" 400 226 \"-\" \"-\"");
    assert_str(line.path, "\\x16\\x03\\x01");
    assert_str(line.method, "");
    line = take("10.0.0.1 - - [25/Nov/2026:22:41:06 +0700] \"-\" 408 - \"-\" \"-\"");
    assert_int_equal(line.size, 0);
    line = take("10.0.0.1 - x] [ \"y [25/Nov/2026:22:41:06 +0700] \"GET /a HTTP/1.1 HTTP/1.1\" 200 "
                "1 \"\\\\\" "
                "\"\\\"\"");
    assert_str(line.path, "/a HTTP/1.1");
    assert_str(line.referrer, "\\\\");
    assert_int_equal(weblog_read(&format, STR(""), &line), -ERR_SYNTAX);
    assert_int_equal(
        weblog_read(&format, STR("10.0.0.1 - - [25/Nov/2026:22:41:06 +0700] \"GET"), &line),
        -ERR_SYNTAX);
    assert_int_equal(
        weblog_read(&format,
                    STR("10.0.0.1 - - [99/Xyz/2026:22:41:06 +0700] \"GET / HTTP/1.1\" 200 1 "
                        "\"-\" \"-\""),
                    &line),
        -ERR_SYNTAX);
    assert_int_equal(
        weblog_read(&format,
                    STR("10.0.0.1 - - [25/Nov/2026:22:41:06 +0700] \"GET / HTTP/1.1\" 2000 1 "
                        "\"-\" \"-\""),
                    &line),
        -ERR_SYNTAX);
    memset(long_line, 'a', sizeof(long_line));
    assert_int_equal(weblog_read(&format, str_of(long_line, sizeof(long_line)), &line), -ERR_LIMIT);
}

static void test_bad_formats(void **state)
{
    static const char *const bad[] = {"",     "no field", "%h%u",        "$remote_addr$status",
                                      "%h %", "%h $-",    "%h %{Referer"};
    char many[WEBLOG_PATTERN_MAX + 8];
    struct diag diag;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        diag = (struct diag){0};
        assert_int_equal(weblog_format_init(&format, str_from(bad[i]), &diag), -ERR_SYNTAX);
        assert_true(strlen(diag.text) > 20);
    }
    memset(many, ' ', sizeof(many));
    for (size_t i = 0; i <= WEBLOG_STEPS_MAX; i++) {
        memcpy(many + 3 * i, "%h", 2);
    }
    assert_int_equal(weblog_format_init(&format, str_of(many, 3 * (WEBLOG_STEPS_MAX + 1)), NULL),
                     -ERR_LIMIT);
    assert_int_equal(weblog_format_init(&format, str_of(many, sizeof(many)), NULL), -ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_combined),    cmocka_unit_test(test_other_layouts),
        cmocka_unit_test(test_w3c),         cmocka_unit_test(test_hostile_lines),
        cmocka_unit_test(test_bad_formats),
    };

    return cmocka_run_group_tests_name("weblog", tests, NULL, NULL);
}
