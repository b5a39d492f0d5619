/* The inspector as a process: what it says of a file, and answers forged by one in other hands. */
#include "harness.h"

#include "agent/inspector.h"
#include "agent/protocol.h"
#include "base/err.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 60000

static int file_of(const char *head, size_t padding, const char *tail)
{
    int fd = memfd_create("upload", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_return_code(fd_write_full(fd, head, strlen(head)), 0);
    for (size_t i = 0; i < padding; i++) {
        assert_return_code(fd_write_full(fd, "A", 1), 0);
    }
    assert_return_code(fd_write_full(fd, tail, strlen(tail)), 0);
    return fd;
}

static struct inspection inspected(int channel, uint64_t question, const char *name, int fd)
{
    static struct channel_packet packet;
    struct inspection told = {0};

    assert_return_code(inspector_ask(channel, question, str_from(name), fd), 0);
    (void)close(fd);
    assert_return_code(channel_receive_within(channel, ANSWER_MS, &packet), 0);
    assert_return_code(inspector_read(&packet.msg, &told), 0);
    channel_packet_done(&packet);
    assert_int_equal(told.question, question);
    return told;
}

static void test_tells_shells_from_uploads(void **state)
{
    struct inspection told;
    int ends[2];
    pid_t pid;
    int status;

    (void)state;
    assert_return_code(channel_pair(ends), 0);
    pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        _exit(inspector_run(ends[1]));
    }
    (void)close(ends[1]);
    told = inspected(ends[0], 7, "a.jpg", file_of("\xff\xd8\xff", 20000, "just a picture"));
    assert_int_equal(told.outcome, WEBSHELL_OUTCOME_BENIGN);
    /* the short tag and its quote would swallow the rest */
    told = inspected(ends[0], 8, "a.jpg",
                     file_of("\xff\xd8\xff<? \"", 20000, "<?php system($_GET['c']); ?>"));
    assert_int_not_equal(told.outcome, WEBSHELL_OUTCOME_BENIGN);
    assert_true(told.is_ruled);
    assert_string_equal(told.rule, "input-to-command");
    assert_non_null(strstr(told.snippet, "system("));
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int read_forged(uint32_t outcome, int64_t result, const char *rule, const char *snippet,
                       struct inspection *ret_told)
{
    static struct msg_writer msg;
    struct msg_reader reader;

    msg_begin(&msg, AGENT_MESSAGE_INSPECTED);
    msg_put_u64(&msg, 1);
    msg_put_i64(&msg, result);
    msg_put_u32(&msg, outcome);
    msg_put_u32(&msg, WEBSHELL_LANGUAGE_PHP);
    msg_put_u32(&msg, 1);
    msg_put_i64(&msg, 1500);
    msg_put_str(&msg, str_from(rule));
    msg_put_u32(&msg, 1);
    msg_put_str(&msg, str_from(snippet));
    assert_return_code(msg_end(&msg), 0);
    msg_open(&reader, str_of((const char *)msg.bytes, msg.len));
    return inspector_read(&reader, ret_told);
}

static void test_distrusts_answers(void **state)
{
    char long_text[400];
    struct inspection told;

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    assert_return_code(read_forged(2, 0, "input-to-code", "eval\xff(", &told), 0);
    assert_string_equal(told.rule, "input-to-code");
    assert_string_equal(told.snippet, "eval");
    assert_return_code(read_forged(2, 0, "no-such-rule", "x", &told), 0);
    assert_string_equal(told.rule, "");
    assert_int_equal(read_forged(WEBSHELL_OUTCOME_COUNT, 0, "", "", &told), -ERR_PROTO);
    assert_int_equal(read_forged(2, 1, "", "", &told), -ERR_PROTO);
    assert_int_equal(read_forged(2, 0, long_text, "", &told), -ERR_PROTO);
    assert_int_equal(read_forged(2, 0, "", long_text, &told), -ERR_PROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_shells_from_uploads),
        cmocka_unit_test(test_distrusts_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
