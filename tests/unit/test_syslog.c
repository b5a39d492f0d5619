/* Syslog as daemons, devices and journalctl write it: header, time, structured data, and what the
 * message of a program says. */
#include "log_fixture.h"

#include "codec/syslog.h"

#include <stdio.h>

static struct seen seen;

static void test_3164(void **state)
{
    (void)state;
    read_text(&seen, "syslog",
              "Nov 25 22:41:06 web1 sshd[4120]: Failed password for root from 203.0.113.9 port "
              "50022 ssh2\n"
              "<38>Dec 31 23:59:59 web1 sshd[1]: Accepted publickey for lan from 2001:db8::5 port "
              "22 ssh2: "
              "ED25519 SHA256:abc\r\n"
              "<13>Nov 25 22:41:06 su: thử nghiệm\n"
              "Jun 14 15:16:02 combo su(pam_unix)[77]: session opened for user news by (uid=0)\n"
              "Jun 14 15:16:03 combo last message repeated 3 times\n"
              "Feb 29 01:02:03 combo kernel: leap\n");
    assert_int_equal(seen.count, 6);
    check_time(&seen, 0, "2026-11-25T15:41:06.000Z");
    check_field(&seen, 0, "host", "web1");
    check_field(&seen, 0, "program", "sshd");
    check_field(&seen, 0, "pid", "4120");
    check_field(&seen, 0, "user", "root");
    check_field(&seen, 0, "src_ip", "203.0.113.9");
    check_field(&seen, 0, "outcome", "failure");
    check_source(&seen, 0, "linux", "", "sshd");
    check_time(&seen, 1, "2025-12-31T16:59:59.000Z"); /* not a month from now: last year's */
    check_field(&seen, 1, "facility", "auth");
    check_field(&seen, 1, "severity", "info");
    check_field(&seen, 1, "src_ip", "2001:db8::5");
    check_field(&seen, 1, "fingerprint", "SHA256:abc");
    check_field(&seen, 2, "program", "su");
    check_field(&seen, 2, "host", NULL);
    check_field(&seen, 2, "message", "thử nghiệm");
    check_field(&seen, 3, "program", "su");
    check_field(&seen, 3, "pid", "77");
    check_field(&seen, 3, "target_user", "news");
    check_field(&seen, 4, "program", NULL);
    check_field(&seen, 4, "repeated", "3");
    check_time(&seen, 5, "2024-02-28T18:02:03.000Z");
    assert_int_equal(seen.entries[5].number, 6);
    assert_int_equal(seen.counts.faulty, 0);
}

static void test_files_of_today(void **state)
{
    (void)state;
    read_text(
        &seen, "syslog",
        "2026-11-25T22:41:06.123456+07:00 web1 CRON[9]: (root) CMD (cd / && run-parts "
        "/etc/cron.hourly)\n"
        "2026-11-25T22:41:06+0700 web1 sudo[9]:      lan : TTY=pts/0 ; PWD=/home/lan ; USER=root ; "
        "COMMAND=/usr/bin/cat /etc/shadow\n"
        "-- Boot 2f3a --\n"
        "Nov 25 22:41:06 web1 unheard-of[3]: xin chào\n");
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.counts.passed, 1);
    check_time(&seen, 0, "2026-11-25T15:41:06.123Z");
    check_field(&seen, 0, "command", "cd / && run-parts /etc/cron.hourly");
    check_source(&seen, 0, "linux", "", "cron");
    check_time(&seen, 1, "2026-11-25T15:41:06.000Z");
    check_field(&seen, 1, "user", "lan");
    check_field(&seen, 1, "target_user", "root");
    check_field(&seen, 1, "command", "/usr/bin/cat /etc/shadow");
    check_source(&seen, 2, "linux", "", "unheard-of");
}

static void test_5424(void **state)
{
    (void)state;
    read_text(&seen, "syslog",
              "<165>1 2026-11-25T15:41:06.003Z web1 evntslog 77 ID47 [exampleSDID@32473 iut=\"3\" "
              "eventSource=\"a \\\"b\\] c\"][x@1 y=\"z\"] \xef\xbb\xbfĐăng nhập hỏng\n"
              "<34>1 - - su - - - 'su root' failed\n"
              "<34>1 2026-11-25T22:41:06+07:00 web1 sshd 5 - - Invalid user a from 192.0.2.1\n"
              "<34>1 2026-11-25T15:41:06Z web1 app - - [broken no end\n");
    assert_int_equal(seen.count, 4);
    check_field(&seen, 0, "program", "evntslog");
    check_field(&seen, 0, "pid", "77");
    check_field(&seen, 0, "msgid", "ID47");
    check_field(&seen, 0, "facility", "local4");
    check_field(&seen, 0, "severity", "notice");
    check_field(&seen, 0, "exampleSDID@32473.iut", "3");
    check_field(&seen, 0, "exampleSDID@32473.eventSource", "a \"b] c");
    check_field(&seen, 0, "x@1.y", "z");
    check_field(&seen, 0, "message", "Đăng nhập hỏng");
    check_time(&seen, 0, "2026-11-25T15:41:06.003Z");
    check_field(&seen, 1, "host", NULL);
    check_field(&seen, 1, "message", "'su root' failed");
    assert_int_equal(seen.entries[1].faults, ENTRY_FAULT_TIME);
    check_field(&seen, 2, "user", "a");
    check_field(&seen, 2, "src_ip", "192.0.2.1");
    assert_true((seen.entries[3].faults & ENTRY_FAULT_SYNTAX) != 0);
}

static void test_repeated(void **state)
{
    (void)state;
    read_text(
        &seen, "syslog",
        "Nov 25 22:41:06 w sshd[4]: message repeated 5 times: [ Failed password for root from "
        "192.0.2.1 port 3 ssh2]\n");
    check_field(&seen, 0, "repeated", "5");
    check_field(&seen, 0, "user", "root");
    check_field(&seen, 0, "protocol", "ssh2");
}

/* A stranger chooses his name: he must not write the rest of the line in it. */
static void test_forged(void **state)
{
    (void)state;
    read_text(&seen, "syslog",
              "Nov 25 22:41:06 w sshd[4]: Failed password for invalid user x from 10.0.0.1 port 9 "
              "ssh2 from "
              "203.0.113.7 port 40 ssh2\n"
              "Nov 25 22:41:06 w sshd[4]: Invalid user  from 203.0.113.7 port 40\n");
    check_field(&seen, 0, "src_ip", "203.0.113.7");
    check_field(&seen, 0, "src_port", "40");
    check_field(&seen, 0, "user", "x from 10.0.0.1 port 9 ssh2");
    check_field(&seen, 1, "user", NULL);
    check_field(&seen, 1, "src_ip", "203.0.113.7");
}

static void test_strange(void **state)
{
    (void)state;
    read_text(
        &seen, "syslog",
        "no header at all\n<999>x\n<13>\n<13>Nov 25\nNov 25 22:41:06 \nNov 99 22:41:06 h p: m\n"
        "<1>1 \n<1>1 - - - - -\n:\n[\n");
    assert_int_equal(seen.count, 10);
    for (size_t i = 0; i < seen.count; i++) {
        assert_true(seen.entries[i].raw.len > 0);
        assert_true((seen.entries[i].faults & ENTRY_FAULT_TIME) != 0 || i == 4);
    }
    check_field(&seen, 0, "message", "no header at all");
}

static void test_guess(void **state)
{
    static const struct {
        const char *head;
        const char *name;
    } cases[] = {
        {"Dec 10 06:55:46 LabSZ sshd[24200]: Invalid user webmaster from 173.234.31.186\n",
         "syslog"},
        {"2026-11-25T22:41:06.123456+07:00 web1 systemd[1]: Started cron.service.\n", "syslog"},
        {"<165>1 2026-11-25T15:41:06.003Z web1 evntslog - - - x\n", "syslog"},
        {"2026-11-26 03:56:47 status installed libc-bin:amd64 2.36-9\n", "stamped"},
        {"[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd\n", "stamped"},
        {"2026/11/25 22:41:06 [error] 12#12: *3 open() failed, client: 192.0.2.1, server: _\n",
         "stamped"},
        {"2026-11-25T15:41:06.1Z 8 [Note] [MY-010926] [Server] Access denied\n", "stamped"},
        {"2026-11-25 22:41:06.123 +07 [12] lan@kho FATAL:  password authentication failed\n",
         "stamped"},
        {"CEF:0|a|b|1|100|x|5|src=10.0.0.1\n", "cef"},
        {"LEEF:1.0|a|b|1|100|src=10.0.0.1\n", "leef"},
        {"Một dòng chữ thường\nkhông có gì\n", "lines"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(log_format_guess(str_from(cases[i].head))->name, cases[i].name);
    }
}

/* What is sent through syslog is read as if it had come by itself; the header tells what it does
 * not. */
static void test_inside(void **state)
{
    static const char text[] =
        "<13>Nov 25 22:41:06 relay nxlog[3]: {\"EventTime\":\"2026-11-25 22:41:05\",\"Hostname\":"
        "\"WS6\",\"EventID\":4625,\"Channel\":\"Security\",\"SourceName\":\"Microsoft-Windows-"
        "Security-Auditing\",\"TargetUserName\":\"lan\"}\n"
        "<13>Nov 25 22:41:06 relay app: @cee: {\"a\":\"b\"}\n"
        "<13>Nov 25 22:41:06 relay winlog: <Event xmlns=\"http://schemas.microsoft.com/win/2004/08/"
        "events/event\"><System><EventID>4624</EventID><Channel>Security</Channel></System>"
        "</Event>\n"
        "<190>Nov 25 22:41:06 web nginx: 203.0.113.9 - - [25/Nov/2026:22:41:05 +0700] \"GET /a?b=1 "
        "HTTP/1.1\" 200 5 \"-\" \"curl/8\"\n"
        "<187>Nov 25 22:41:06 web nginx: 2026/11/25 22:41:05 [error] 7#7: *1 access forbidden by "
        "rule, client: 203.0.113.9, server: a, request: \"GET /b HTTP/1.1\"\n"
        "<13>Nov 25 22:41:06 relay sshd[3]: {\"user\":\"lan\"\n";

    (void)state;
    read_text(&seen, "syslog", text);
    assert_int_equal(seen.count, 6);
    check_source(&seen, 0, "windows", "", "security");
    check_field(&seen, 0, "TargetUserName", "lan");
    check_field(&seen, 0, "program", "nxlog");
    check_field(&seen, 1, "a", "b");
    check_source(&seen, 1, "linux", "", "app");
    check_time(&seen, 1, "2026-11-25T15:41:06.000Z");
    assert_str(seen.entries[1].host, "relay");
    check_source(&seen, 2, "windows", "", "security");
    check_field(&seen, 2, "EventID", "4624");
    check_source(&seen, 3, "", "webserver", "");
    check_field(&seen, 3, "c-ip", "203.0.113.9");
    check_field(&seen, 3, "cs-uri-query", "b=1");
    check_time(&seen, 3, "2026-11-25T15:41:05.000Z");
    assert_str(seen.entries[3].host, "web");
    check_field(&seen, 4, "src_ip", "203.0.113.9");
    check_source(&seen, 5, "linux", "", "sshd");
    check_field(&seen, 5, "message", "{\"user\":\"lan\"");
    check_blocks("syslog", STR(text));
    check_survives("syslog", text);
    assert_string_equal(log_format_guess(STR("Nov 25 22:41:06 web nginx: 203.0.113.9 - - [25/Nov/"
                                             "2026:22:41:05 +0700] \"GET / HTTP/1.1\" 200 5\n"))
                            ->name,
                        "syslog");
}

/* Records in records in records: somewhere it ends. */
static void test_inside_without_end(void **state)
{
    static char text[ENTRY_SIZE_MAX];
    static char inner[ENTRY_SIZE_MAX];

    (void)state;
    (void)snprintf(text, sizeof(text), "Nov 25 22:41:06 h p: x");
    for (unsigned depth = 0; depth < 12; depth++) {
        size_t len = 0;

        for (const char *at = text; *at != '\0' && len < sizeof(inner) - 64; at++) {
            if (*at == '"' || *at == '\\') {
                inner[len++] = '\\';
            }
            inner[len++] = *at;
        }
        inner[len] = '\0';
        (void)snprintf(text, sizeof(text), "Nov 25 22:41:06 h p: {\"log\":\"%.*s\"}", (int)len,
                       inner);
    }
    read_text(&seen, "syslog", text);
    assert_int_equal(seen.count, 1);
    check_field(&seen, 0, "program", "p");
}

/* Whoever may log a message says neither where nor when it was logged, and answers no rule out of
 * two records. */
static void test_inside_forged(void **state)
{
    static const char text[] =
        "<13>Nov 25 22:41:06 web app: {\"@timestamp\":\"2001-01-01T00:00:00Z\",\"host\":\"dc01\","
        "\"a\":\"b\"}\n"
        "<13>Nov 25 22:41:06 web app: {\"a\":\"b\"}{\"c\":\"d\"}\n"
        "<13>Nov 25 22:41:06 web app: {\"a\":\"b\"} {\"c\n";

    (void)state;
    read_text(&seen, "syslog", text);
    assert_int_equal(seen.count, 3);
    check_field(&seen, 0, "a", "b");
    check_time(&seen, 0, "2026-11-25T15:41:06.000Z");
    assert_str(seen.entries[0].host, "web");
    for (size_t i = 1; i < seen.count; i++) {
        assert_null(entry_find(&seen.entries[i], STR("a")));
        check_source(&seen, i, "linux", "", "app");
        assert_str(seen.entries[i].host, "web");
    }
}

/* More names than a reading remembers: the entry that holds them lives on until it was handed on.
 */
static void test_inside_many_names(void **state)
{
    static char text[256 << 10];
    size_t len =
        (size_t)snprintf(text, sizeof(text), "<13>Nov 25 22:41:06 web app: {\"%0200d\":{", 7);

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"a%u\":%u", i == 0 ? "" : ",",
                                i, i);
    }
    (void)snprintf(text + len, sizeof(text) - len, "}}\n");
    for (unsigned turn = 0; turn < 3; turn++) {
        read_text(&seen, "syslog", text);
        assert_int_equal(seen.count, 1);
        assert_true(seen.entries[0].count > 5000);
    }
}

static void test_blocks_and_memory(void **state)
{
    static const char text[] =
        "Nov 25 22:41:06 web1 sshd[4120]: Failed password for root from 203.0.113.9 port 50022 "
        "ssh2\n\n"
        "<165>1 2026-11-25T15:41:06.003Z web1 evntslog 77 ID47 [a@1 i=\"3\\\"\"] x\r\n"
        "Nov 25 22:41:06 fw CEF:0|Công ty|Tường lửa|1|7|chặn|5|src=10.0.0.1 msg=a\\=b "
        "act=deny\nend";

    (void)state;
    check_blocks("syslog", STR(text));
    check_survives("syslog", text);
    read_text(&seen, "syslog", text);
    check_field(&seen, 2, "src_ip", "10.0.0.1");
    check_field(&seen, 2, "DeviceVendor", "Công ty");
    check_field(&seen, 2, "action", "deny");
}

static int done(void **state)
{
    (void)state;
    seen_done(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_3164),          cmocka_unit_test(test_files_of_today),
        cmocka_unit_test(test_5424),          cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_forged),        cmocka_unit_test(test_strange),
        cmocka_unit_test(test_guess),         cmocka_unit_test(test_blocks_and_memory),
        cmocka_unit_test(test_inside),        cmocka_unit_test(test_inside_without_end),
        cmocka_unit_test(test_inside_forged), cmocka_unit_test(test_inside_many_names),
    };

    return cmocka_run_group_tests_name("syslog", tests, NULL, done);
}
