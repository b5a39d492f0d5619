/* Formats of text logs beside syslog: each as its server writes it, in blocks as at once, with
 * hostile lines, and told apart by their first lines. */
#include "log_fixture.h"

#include "base/cleanup.h"

#include <stdio.h>

static struct seen seen;

/* Each has one row, or it is named twice to who asks for it by a wrong name. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; log_formats[i] != NULL; i++) {
        for (size_t k = i + 1; log_formats[k] != NULL; k++) {
            assert_ptr_not_equal(log_formats[i], log_formats[k]);
        }
    }
}

static void test_weblog(void **state)
{
    static const char text[] =
        "203.0.113.9 - lan [25/Nov/2026:22:41:06 +0700] \"GET "
        "/tin?id=1%27%20OR%201=1 HTTP/1.1\" 404 "
        "512 \"-\" \"sqlmap/1.7 \\\"x\\\"\"\n"
        "cong.example.vn:443 2001:db8::7 - - [25/Nov/2026:22:41:07 +0700] "
        "\"POST /up.php HTTP/2.0\" 200 "
        "77 \"https://a/\" \"curl/8\"\n"
        "10.0.0.1 - - [25/Nov/2026:22:41:08 +0700] \"\\x16\\x03\" 400 226\n"
        "no request\n"
        "203.0.113.9 - - [25/Nov/2026:22:41:09 +0700] \"GET /x HTTP/1.1\" 200 5 \"-\" \"curl/8\" "
        "\"192.0.2.7\" 0.003\n";

    (void)state;
    read_text(&seen, "weblog", text);
    assert_int_equal(seen.count, 5);
    check_field(&seen, 4, "cs-user-agent", "curl/8");
    check_field(&seen, 4, "cs-uri", "/x");
    check_source(&seen, 0, "", "webserver", "");
    check_time(&seen, 0, "2026-11-25T15:41:06.000Z");
    check_field(&seen, 0, "c-ip", "203.0.113.9");
    check_field(&seen, 0, "cs-method", "GET");
    check_field(&seen, 0, "cs-uri", "/tin?id=1%27%20OR%201=1");
    check_field(&seen, 0, "cs-uri-stem", "/tin");
    check_field(&seen, 0, "cs-uri-query", "id=1%27%20OR%201=1");
    check_field(&seen, 0, "sc-status", "404");
    check_field(&seen, 0, "sc-bytes", "512");
    check_field(&seen, 0, "cs-username", "lan");
    check_field(&seen, 0, "cs-user-agent", "sqlmap/1.7 \"x\"");
    check_field(&seen, 0, "cs-referer", NULL);
    check_field(&seen, 1, "cs-host", "cong.example.vn");
    check_field(&seen, 1, "c-ip", "2001:db8::7");
    check_field(&seen, 1, "cs-uri", "/up.php");
    check_field(&seen, 2, "cs-uri", "\x16\x03");
    check_field(&seen, 3, "message", "no request");
    assert_true((seen.entries[3].faults & ENTRY_FAULT_SYNTAX) != 0);
    check_blocks("weblog", STR(text));
    read_text(
        &seen, "weblog", /* what fits no whole layout does not lead the next line astray */
        "203.0.113.9 - - [25/Nov/2026:22:41:09 +0700] \"GET /x HTTP/1.1\" 200 5 \"-\n"
        "203.0.113.9 - - [25/Nov/2026:22:41:09 +0700] \"GET /x HTTP/1.1\" 200 5 \"-\" \"nikto\"\n");
    check_field(&seen, 0, "cs-uri", "/x");
    check_field(&seen, 1, "cs-user-agent", "nikto");
    check_survives("weblog", text);
}

static int check_timestamp(void *context, const struct entry *entry)
{
    const struct entry_field *field = entry_find(entry, STR("timestamp"));
    const char *expected = context;

    if (expected == NULL) {
        assert_null(field);
        return 0;
    }
    assert_non_null(field);
    assert_true(str_is_text(field->value, expected));
    assert_int_not_equal(field->id, 0);
    return 0;
}

/* An entry's own time is a field where a rule asks for it, and costs nothing where none does. */
static void test_own_time(void **state)
{
    static const char text[] =
        "203.0.113.9 - - [25/Nov/2026:22:41:06 +0700] \"GET / HTTP/1.1\" 200 5\n";
    const struct log_format *format = log_format_find(STR("weblog"));
    char expected[] = "1795621266000000000";
    struct entry_names *names = NULL;
    struct log_reading reading;
    uint32_t id;

    (void)state;
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    assert_int_equal(format->read(&reading, STR(text), check_timestamp, NULL), 0);
    log_reading_done(&reading);
    assert_int_equal(entry_names_new(4, &names), 0);
    assert_int_equal(entry_names_add(names, STR("timestamp"), &id), 0);
    assert_int_equal(log_reading_init(&reading, names), 0);
    assert_int_equal(format->read(&reading, STR(text), check_timestamp, expected), 0);
    log_reading_done(&reading);
    entry_names_free(names);
}

static void test_w3c(void **state)
{
    static const char text[] =
        "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n"
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip "
        "cs(User-Agent) cs(Referer) sc-status sc-substatus time-taken\r\n"
        "2026-11-25 15:41:06 10.0.0.5 GET /a.aspx id=1 443 - 203.0.113.9 Mozilla/5.0+(x) - 200 0 "
        "15\r\n"
        "2026-11-25 15:41:07 10.0.0.5 POST /b.aspx - 443 lan 203.0.113.9 curl - 500 0 2\r\n"
        "#Fields: date time c-ip sc-status\r\n2026-11-25 15:41:08 203.0.113.10 401\r\nbroken\r\n";

    (void)state;
    read_text(&seen, "w3c", text);
    assert_int_equal(seen.count, 4);
    check_source(&seen, 0, "windows", "webserver", "iis");
    check_time(&seen, 0, "2026-11-25T15:41:06.000Z");
    check_field(&seen, 0, "cs-uri", "/a.aspx?id=1");
    check_field(&seen, 0, "cs-user-agent", "Mozilla/5.0+(x)");
    check_field(&seen, 0, "time-taken", "15");
    check_field(&seen, 0, "cs-username", NULL);
    check_field(&seen, 1, "cs-uri", "/b.aspx");
    check_field(&seen, 2, "sc-status", "401");
    check_field(&seen, 2, "c-ip", "203.0.113.10");
    assert_true((seen.entries[3].faults & ENTRY_FAULT_SYNTAX) != 0);
    assert_string_equal(log_format_guess(STR(text))->name, "w3c");
    check_survives("w3c", text);
}

/* Whoever writes the journal's form need not begin with its cursor, as journalctl does. */
static void test_journal_guess(void **state)
{
    static const char *const journals[] = {
        "__CURSOR=s=1\nMESSAGE=x\n\n",
        "MESSAGE=Accepted password for lan\nPRIORITY=6\n_HOSTNAME=web1\n\n",
        "\n_BOOT_ID=1f\n_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=sshd\n_PID=7\nMESSAGE=x\n",
        "_UID=0\nMY_FIELD=1\n_COMM=cron\n",
        "PRIORITY=4\nSYSLOG_FACILITY=10\nMESS", /* the head ends somewhere */
    };
    static const char *const others[] = {
        "PATH=/usr/bin\nHOME=/root\nLANG=vi_VN.UTF-8\n",
        "NAME=Debian\nID=debian\nPRIORITY=1\n",
        "PRIORITY=1\n2026-11-26 10:00:00 MESSAGE=x _PID=3\n",
        "message=x\npriority=6\n_pid=3\n",
        "PRIORITY=1 MESSAGE=x _PID=3\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
        assert_string_equal(log_format_guess(str_from(journals[i]))->name, "journal");
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_string_not_equal(log_format_guess(str_from(others[i]))->name, "journal");
    }
    assert_string_equal(log_format_guess(STR("MESSAGE\n\3\0\0\0\0\0\0\0a\nb\n_PID=3\n\n"))->name,
                        "journal"); /* a message of two lines */
}

static void test_w3c_blocks(void **state)
{
    (void)state;
    check_blocks(
        "w3c", STR("#Fields: date time c-ip cs-uri-stem cs-uri-query\n"
                   "2026-11-25 15:41:06 203.0.113.9 /a x=1\n2026-11-25 15:41:07 203.0.113.9 /b -\n"
                   "2026-11-25 15:41:08 203.0.113.9 /c y\n"));
}

#define STAMP(serial) "msg=audit(1764085266.123:" serial "): "

static const char audit_text[] = "node=web1 type=SYSCALL " STAMP(
    "101") "arch=c000003e syscall=59 success=yes a0=55d a1=55e ppid=1 "
           "pid=7 auid=1000 uid=0 comm=\"cat\" exe=\"/usr/bin/cat\" key=\"shadow\"\n"
           "node=web1 type=EXECVE " STAMP(
               "101") "argc=2 a0=\"cat\" a1=2F6574632F74687520C491\n"
                      "type=PATH " STAMP(
                          "102") "item=0 name=\"/tmp/x\" nametype=CREATE\x1dOUID=\"root\" "
                                 "OGID=\"root\"\n"
                                 "node=web1 type=PROCTITLE " STAMP(
                                     "101") "proctitle=636174002F6574632F736861646F77\n"
                                            "type=SYSCALL " STAMP(
                                                "102") "syscall=2 key=7469746C650161646D696E\n"
                                                       "----\n"
                                                       "type=USER_AUTH " STAMP(
                                                           "103") "pid=9 uid=0 auid=4294967295 "
                                                                  "msg='op=PAM:authentication "
                                                                  "acct=\"root\" "
                                                                  "exe=\"/usr/sbin/sshd\" "
                                                                  "hostname=203.0.113.9 "
                                                                  "addr=203.0.113.9 terminal=ssh "
                                                                  "res=failed'\n"
                                                                  "dòng lạ\n"
                                                                  "type=SYSCALL " STAMP(
                                                                      "104") "a0=1\n";

static void test_audit(void **state)
{
    (void)state;
    read_text(&seen, "audit", audit_text);
    assert_int_equal(seen.count, 5);
    check_source(&seen, 0, "linux", "", "auditd");
    check_time(&seen, 0, "2025-11-25T15:41:06.123Z");
    assert_str(seen.entries[0].host, "web1");
    check_field(&seen, 0, "type", "SYSCALL");
    check_field(&seen, 0, "exe", "/usr/bin/cat");
    check_field(&seen, 0, "a0", "55d");
    check_field(&seen, 0, "key", "shadow");
    check_field(&seen, 0, "cmdline", "cat /etc/thu đ");
    check_field(&seen, 0, "proctitle", "cat /etc/shadow");
    assert_int_equal(seen.entries[0].number, 1);
    assert_true(str_find(seen.entries[0].raw, STR("PROCTITLE")) < seen.entries[0].raw.len);
    assert_true(str_find(seen.entries[0].raw, STR("/tmp/x")) == seen.entries[0].raw.len);
    check_field(&seen, 1, "name", "/tmp/x");
    check_field(&seen, 1, "OUID", "root");
    check_field(&seen, 1, "key", "title");
    check_field(&seen, 2, "acct", "root");
    check_field(&seen, 2, "addr", "203.0.113.9");
    check_field(&seen, 2, "res", "failed");
    check_field(&seen, 2, "op", "PAM:authentication");
    check_field(&seen, 3, "message", "dòng lạ");
    check_field(&seen, 4, "a0", "1");
    assert_int_equal(seen.counts.passed, 1);
    assert_string_equal(log_format_guess(STR(audit_text))->name, "audit");
}

/* Records of several events, mixed as deep as they may be: the same entries however it is cut. */
static void test_audit_mixed(void **state)
{
    static const unsigned order[] = {1,  2, 3,  1,  4,  5,  2,  1,  6,  7,  7, 6,  8,  9,  10, 11,
                                     12, 8, 13, 14, 15, 16, 17, 13, 18, 19, 1, 20, 21, 20, 22};
    char text[8192];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "type=SYSCALL msg=audit(1764085266.123:%u): a0=%zu\n", order[i], i);
    }
    check_blocks("audit", str_of(text, len));
    check_blocks("audit", STR(audit_text));
    check_survives("audit", audit_text);
}

static void test_journal(void **state)
{
    static const char text[] =
        "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1764085266123456\nPRIORITY=5\nSYSLOG_FACILITY=10\n"
        "_HOSTNAME=web1\nSYSLOG_IDENTIFIER=sshd\n_PID=12\n_UID=0\n_SYSTEMD_UNIT=ssh.service\n"
        "MESSAGE=Failed password for root from 203.0.113.9 port 5 ssh2\n\n"
        "__CURSOR=s=2\n__REALTIME_TIMESTAMP=1764085267000000\n_COMM=app\nMESSAGE\n"
        "\x0a\0\0\0\0\0\0\0hai\n\nd\xc3\xb2ng\nX=1\n\n"
        "__CURSOR=s=3\nMESSAGE\n\xff\xff\0\0\0\0\0\0cut";
    struct str bytes = STR(text);

    (void)state;
    assert_int_equal(seen_read(&seen, "journal", bytes, 0), 0);
    assert_int_equal(seen.count, 3);
    check_time(&seen, 0, "2025-11-25T15:41:06.123Z");
    check_source(&seen, 0, "linux", "", "sshd");
    check_field(&seen, 0, "user", "root");
    check_field(&seen, 0, "src_ip", "203.0.113.9");
    check_field(&seen, 0, "severity", "notice");
    check_field(&seen, 0, "facility", "authpriv");
    check_field(&seen, 0, "unit", "ssh.service");
    check_field(&seen, 0, "_UID", "0");
    check_field(&seen, 1, "message", "hai\n\ndòng");
    check_field(&seen, 1, "program", "app");
    check_field(&seen, 1, "X", "1");
    assert_int_equal(seen.entries[1].number, 2);
    assert_true((seen.entries[2].faults & ENTRY_FAULT_SYNTAX) != 0);
    assert_int_equal(log_format_find(STR("journal"))->count(bytes), 3);
    check_blocks("journal", bytes);
}

static void test_journal_memory(void **state)
{
    (void)state;
    check_survives("journal",
                   "__CURSOR=s=1\n_COMM=sudo\nMESSAGE=lan : TTY=pts/0 ; PWD=/ ; USER=root ; "
                   "COMMAND=/bin/sh\n\n");
}

static void test_cef(void **state)
{
    static const char text[] =
        "CEF:0|Security|threat\\|manager|1.0|100|worm stopped|10|src=10.0.0.1 dst=2.1.2.2 spt=1232 "
        "msg=một câu có dấu cách \\= bằng act=blocked rt=1764085266123\n"
        "LEEF:2.0|IBM|QRadar|1|login|^|src=10.0.0.1^usrName=lan^devTime=2026-11-25T22:41:06+07:00\n"
        "LEEF:1.0|IBM|QRadar|1|login|src=10.0.0.2\tusrName=a b\n"
        "CEF:0|short\n"
        "LEEF:2.0|IBM|QRadar|1|login|5|src=10.0.0.5\tsize=1512345\n";

    (void)state;
    read_text(&seen, "cef", text);
    assert_int_equal(seen.count, 5);
    check_source(&seen, 0, "security", "", "threat\\|manager");
    check_time(&seen, 0, "2025-11-25T15:41:06.123Z");
    check_field(&seen, 0, "Name", "worm stopped");
    check_field(&seen, 0, "src_ip", "10.0.0.1");
    check_field(&seen, 0, "message", "một câu có dấu cách = bằng");
    check_field(&seen, 0, "action", "blocked");
    check_field(&seen, 1, "user", "lan");
    check_time(&seen, 1, "2026-11-25T15:41:06.000Z");
    check_field(&seen, 2, "user", "a b");
    assert_true((seen.entries[3].faults & ENTRY_FAULT_SYNTAX) != 0);
    check_field(&seen, 4, "src_ip", "10.0.0.5");
    check_field(&seen, 4, "size", "1512345"); /* no digit parts it */
    assert_true((seen.entries[4].faults & ENTRY_FAULT_SYNTAX) != 0);
    check_blocks("cef", STR(text));
    check_survives("cef", text);
}

static void test_keyvalue(void **state)
{
    static const char line[] =
        "date=2026-11-25 time=22:41:06 devname=\"FG-1\" devid=\"FG100E\" logid=\"0000000013\" "
        "type=\"traffic\" subtype=\"forward\" level=\"notice\" srcip=10.1.1.5 srcport=5000 "
        "dstip=203.0.113.9 dstport=443 proto=6 action=\"deny\" msg=\"bị \\\"chặn\\\"\"\n";
    static const char syslog[] =
        "<189>date=2026-11-25 time=22:41:06 devname=\"FG-1\" devid=\"FG100E\" "
        "type=\"event\" srcip=10.1.1.5\n";

    (void)state;
    read_text(&seen, "keyvalue", line);
    assert_int_equal(seen.count, 1);
    check_source(&seen, 0, "fortigate", "firewall", "traffic");
    check_time(&seen, 0, "2026-11-25T15:41:06.000Z");
    check_field(&seen, 0, "srcip", "10.1.1.5");
    check_field(&seen, 0, "src_ip", "10.1.1.5");
    check_field(&seen, 0, "action", "deny");
    check_field(&seen, 0, "severity", "notice");
    assert_str(seen.entries[0].host, "FG-1");
    assert_int_equal(seen.entries[0].faults, 0);
    assert_string_equal(log_format_guess(STR(line))->name, "keyvalue");
    check_blocks("keyvalue", STR(line));
    check_survives("keyvalue", line);
    read_text(&seen, "syslog", syslog);
    check_source(&seen, 0, "fortigate", "", "event");
    check_field(&seen, 0, "severity", "notice");
    assert_int_equal(seen.entries[0].faults, 0);
}

static void test_csv(void **state)
{
    static const char text[] =
        "TimeGenerated,User,Operation,Note\r\n2026-11-25T15:41:06Z,lan,Xóa,\"a\nb\"\r\n"
        "2026-11-25T15:41:07Z,minh,Đọc,\"x \"\"y\"\"\"\r\nshort,row\r\n";

    (void)state;
    read_text(&seen, "csv", text);
    assert_int_equal(seen.count, 3);
    check_time(&seen, 0, "2026-11-25T15:41:06.000Z");
    check_field(&seen, 0, "User", "lan");
    check_field(&seen, 0, "Operation", "Xóa");
    check_field(&seen, 0, "Note", "a\nb");
    check_field(&seen, 1, "Note", "x \"y\"");
    assert_int_equal(seen.entries[1].number, 4);
    assert_true((seen.entries[2].faults & ENTRY_FAULT_SYNTAX) != 0);
    check_blocks("csv", STR(text));
    check_survives("csv", text);
    assert_string_equal(log_format_guess(STR("time,user,ip\n1764085266,lan,10.0.0.1\n"))->name,
                        "csv");
    assert_string_equal(log_format_guess(STR("một, hai, ba\nbốn\n"))->name, "lines");
}

/* MariaDB pads the hour with a space. */
static void test_padded_hour(void **state)
{
    static const char text[] = "2026-11-26  5:06:33 4 [Warning] Access denied for user "
                               "'admin'@'203.0.113.9' (using password: YES)\n";

    (void)state;
    assert_string_equal(log_format_guess(STR(text))->name, "stamped");
    read_text(&seen, "stamped", text);
    assert_int_equal(seen.count, 1);
    check_time(&seen, 0, "2026-11-25T22:06:33.000Z");
    check_source(&seen, 0, "", "database", "mysql");
    check_field(&seen, 0, "user", "admin");
    check_field(&seen, 0, "src_ip", "203.0.113.9");
}

/* MariaDB writes the time only where the second has changed. */
static void test_general_log(void **state)
{
    static const char text[] =
        "261125  8:41:06\t    31 Connect\troot@203.0.113.9 on kho using TCP/IP\n"
        "\t\t    31 Query\tselect 1 into outfile '/var/www/x.php'\n"
        "261125 22:41:07\t    31 Query\tselect 2\n"
        "\t\t    31 Quit\t\n"
        "\t\tindented by somebody else\n";

    (void)state;
    assert_string_equal(log_format_guess(STR(text))->name, "stamped");
    read_text(&seen, "stamped", text);
    assert_int_equal(seen.count, 5);
    check_time(&seen, 0, "2026-11-25T01:41:06.000Z");
    check_field(&seen, 0, "user", "root");
    check_field(&seen, 0, "src_ip", "203.0.113.9");
    check_field(&seen, 1, "query", "select 1 into outfile '/var/www/x.php'");
    check_source(&seen, 1, "linux", "database", "mysql");
    assert_int_equal(seen.entries[1].faults, ENTRY_FAULT_TIME);
    check_time(&seen, 2, "2026-11-25T15:41:07.000Z");
    check_field(&seen, 2, "query", "select 2");
    check_field(&seen, 3, "action", "disconnect");
    assert_true((seen.entries[4].faults & ENTRY_FAULT_SYNTAX) != 0);
    check_source(&seen, 4, "", "", "");
    check_blocks("stamped", STR(text));
    check_survives("stamped", text);
}

static void test_stamped(void **state)
{
    static const char text[] =
        "[Wed Nov 25 22:41:06.123456 2026] [auth_basic:error] [pid 12:tid 13] [client "
        "203.0.113.9:5000] "
        "AH01617: user lan: authentication failure for \"/quan-tri\": Password Mismatch\n"
        "[Sun Dec 04 04:47:44 2005] [error] [client 203.0.113.9] File does not exist: /var/www/x\n"
        "2026/11/25 22:41:06 [error] 12#12: *3 open() \"/var/www/.env\" failed (2: No such file or "
        "directory), client: 203.0.113.9, server: a.vn, request: \"GET /.env HTTP/1.1\", host: "
        "\"a.vn\"\n"
        "2026-11-25 22:41:06,123 fail2ban.actions        [77]: NOTICE  [sshd] Ban 203.0.113.9\n"
        "2026-11-25T15:41:06.123456Z 8 [Note] [MY-010926] [Server] Access denied for user "
        "'root'@'203.0.113.9' (using password: YES)\n"
        "2026-11-25 22:41:06 8 [Warning] Access denied for user 'root'@'203.0.113.9' (using "
        "password: NO)\n"
        "2026-11-25 22:41:06.123 +07 [12] lan@kho FATAL:  password authentication failed for user "
        "\"lan\"\n"
        "25-Nov-2026 22:41:06.123 queries: info: client @0x7f 203.0.113.9#5353 (a.vn): query: a.vn "
        "IN TXT "
        "+E(0)K (10.0.0.53)\n"
        "Wed Nov 25 22:41:06 2026 [pid 9] [lan] FAIL LOGIN: Client \"203.0.113.9\"\n"
        "2026-11-26 03:56:47 install nmap:amd64 <none> 7.93\n"
        "2026-11-25 22:41:06 ứng dụng nói gì đó\n"
        "  at line 7\n"
        "2026-11-25T15:41:06.123456Z\t   41 Query\tselect 1 into outfile '/var/www/x.php'\n";

    (void)state;
    read_text(&seen, "stamped", text);
    assert_int_equal(seen.count, 13);
    check_field(&seen, 12, "query", "select 1 into outfile '/var/www/x.php'");
    check_source(&seen, 12, "", "database", "mysql");
    check_source(&seen, 0, "", "", "apache");
    check_time(&seen, 0, "2026-11-25T15:41:06.123Z");
    check_field(&seen, 0, "src_ip", "203.0.113.9");
    check_field(&seen, 0, "user", "lan");
    check_field(&seen, 0, "outcome", "failure");
    check_field(&seen, 1, "path", "/var/www/x");
    check_time(&seen, 1, "2005-12-03T21:47:44.000Z");
    check_field(&seen, 2, "cs-uri", "/.env");
    check_field(&seen, 2, "path", "/var/www/.env");
    check_source(&seen, 2, "", "", "nginx");
    check_field(&seen, 3, "action", "ban");
    check_field(&seen, 3, "src_ip", "203.0.113.9");
    check_field(&seen, 4, "user", "root");
    check_source(&seen, 4, "", "database", "mysql");
    check_field(&seen, 5, "outcome", "failure");
    check_field(&seen, 6, "outcome", "failure");
    check_field(&seen, 6, "database", "kho");
    check_time(&seen, 6, "2026-11-25T15:41:06.123Z");
    check_field(&seen, 7, "query", "a.vn");
    check_field(&seen, 7, "record_type", "TXT");
    check_source(&seen, 7, "linux", "dns", "named");
    check_field(&seen, 8, "user", "lan");
    check_field(&seen, 8, "src_ip", "203.0.113.9");
    check_field(&seen, 9, "name", "nmap:amd64");
    check_field(&seen, 9, "version", "7.93");
    check_field(&seen, 10, "message", "ứng dụng nói gì đó");
    check_field(&seen, 11, "message", "  at line 7");
    assert_true((seen.entries[11].faults & ENTRY_FAULT_SYNTAX) != 0);
    check_blocks("stamped", STR(text));
    check_survives("stamped", text);
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
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_weblog),
        cmocka_unit_test(test_own_time),    cmocka_unit_test(test_w3c),
        cmocka_unit_test(test_w3c_blocks),  cmocka_unit_test(test_journal_guess),
        cmocka_unit_test(test_audit),       cmocka_unit_test(test_audit_mixed),
        cmocka_unit_test(test_journal),     cmocka_unit_test(test_journal_memory),
        cmocka_unit_test(test_cef),         cmocka_unit_test(test_keyvalue),
        cmocka_unit_test(test_csv),         cmocka_unit_test(test_stamped),
        cmocka_unit_test(test_general_log), cmocka_unit_test(test_padded_hour),
    };

    return cmocka_run_group_tests_name("log_formats", tests, NULL, done);
}
