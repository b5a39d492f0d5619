/* Lines that were made to hurt, a mebibyte each: every text format is done with one in bounded time
 * and memory, and still hands it on. Time is CPU time; the bound leaves room for a sanitizer. */
#include "log_fixture.h"

#include <stdio.h>
#include <time.h>

#define SECONDS_MAX 0.5

static const struct {
    const char *name;
    const char *front;  /* once */
    const char *repeat; /* until the mebibyte is full */
} cases[] = {
    {"syslog", "Nov 25 22:41:06 w sshd[1]: Failed password for ", " from "},
    {"syslog", "Nov 25 22:41:06 w sshd[1]: Connection closed by invalid user ", " "},
    {"syslog", "Nov 25 22:41:06 w sudo: a : TTY=", " ; PWD=/ ; USER="},
    {"syslog", "Nov 25 22:41:06 w kernel: ", "DROP IN= "},
    {"syslog", "<1>1 - - - - - ", "[a b=\"c\"]"},
    {"syslog", "<1>1 - - - - - [", "\\\""},
    {"syslog", "Nov 25 22:41:06 w postfix/smtp[1]: a: to=<b>, ", "status=\"x "},
    {"syslog", "Nov 25 22:41:06 w dovecot: ", "(<[{"},
    {"stamped", "[Wed Nov 25 22:41:06 2026] ", "[client "},
    {"stamped", "2026/11/25 22:41:06 [error] ", "#1: *"},
    {"weblog", "1.2.3.4 - ", "- [ "},
    {"weblog", "1.2.3.4 - - [25/Nov/2026:22:41:06 +0700] \"", "\\\\\\\""},
    {"audit", "type=A msg=audit(1764085266.1:1): ", "a=b "},
    {"audit", "type=EXECVE msg=audit(1764085266.1:1): ", "a1=4142 "},
    {"audit", "type=A msg=audit(1764085266.1:1): msg='", "msg='"},
    {"journal", "__CURSOR=a\n", "A=b\n"},
    {"cef", "CEF:0|a|b|c|d|e|f|", "a=b "},
    {"cef", "CEF:0|a|b|c|d|e|f|k=", "\\=="},
    {"leef", "LEEF:1.0|a|b|c|d|", "a=b\t"},
    {"keyvalue", "a=b c=d e=f ", "g=\"\\\"\" "},
    {"w3c", "#Fields: a b c\n", "x "},
    {"csv", "ab,cd,ef\n", "\"\"\"a,"},
};

static double cpu_seconds(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_nasty(void **state)
{
    static char text[ENTRY_SIZE_MAX];
    double slowest = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t front = strlen(cases[i].front);
        size_t repeat = strlen(cases[i].repeat);
        struct log_reading reading;
        double start;

        memcpy(text, cases[i].front, front);
        for (size_t at = front; at < sizeof(text); at++) {
            text[at] = cases[i].repeat[(at - front) % repeat];
        }
        assert_int_equal(log_reading_init(&reading, NULL), 0);
        start = cpu_seconds();
        assert_int_equal(log_format_find(str_from(cases[i].name))
                             ->read(&reading, str_of(text, sizeof(text)), pass_entry, NULL),
                         0);
        start = cpu_seconds() - start;
        print_message("%s %-40.40s %.2f ms\n", cases[i].name, cases[i].front, start * 1e3);
        slowest = start > slowest ? start : slowest;
        assert_true(reading.counts.entries > 0);
        assert_true(reading.entry.room <= 65536);
        log_reading_done(&reading);
    }
    assert_true(slowest < SECONDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nasty),
    };

    return cmocka_run_group_tests_name("log_nasty", tests, NULL, NULL);
}
