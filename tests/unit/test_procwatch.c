/* Process events from the real kernel: a program started here is seen with its command line and its
 * end. */
#include "harness.h"

#include "base/diag.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/procwatch.h"
#include "sys/spawn.h"

#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK "canh-gac-đánh-dấu"

struct seen {
    int32_t pid;
    int32_t ppid;
    uint32_t uid;
    bool is_forked;
    bool is_ended;
    int32_t exit_status;
};

static void on_event(void *context, const struct procwatch_event *event)
{
    struct seen *seen = context;

    if (event->kind == PROCWATCH_FORK && event->ppid == getpid()) {
        seen->is_forked = true; /* the only child of this program */
    }
    if (event->kind == PROCWATCH_START &&
        str_find(event->arguments, STR(MARK)) < event->arguments.len) {
        seen->pid = event->pid;
        seen->ppid = event->ppid;
        seen->uid = event->uid;
        assert_true(str_has_suffix(event->executable, STR("/sh")) ||
                    str_has_suffix(event->executable, STR("/dash")));
    }
    if (event->kind == PROCWATCH_END && seen->pid != 0 && event->pid == seen->pid) {
        seen->is_ended = true;
        seen->exit_status = event->exit_status;
    }
}

/* Lives long enough for the connector, whose command lines are read from /proc. */
static int program_body(void *context)
{
    static const char *const argv[] = {"sh", "-c", "sleep 0.3; exit 3", MARK, NULL};

    (void)context;
    return execv("/bin/sh", (char *const *)(uintptr_t)argv);
}

static void test_a_program_is_seen(void **state)
{
    struct procwatch *watch = NULL;
    struct diag diag = {0};
    struct seen seen = {0};
    int fds[PROCWATCH_FDS];
    int64_t deadline;
    pid_t pid;

    (void)state;
    if (procwatch_acquire(fds, &diag) < 0) {
        print_message("not tried: %s\n", diag.text);
        skip();
    }
    assert_int_equal(procwatch_open(fds, &watch), 0);
    print_message("# source: %s %s\n", procwatch_name(watch), diag.text);
    assert_int_equal(spawn_body("program", NULL, 0, program_body, NULL, &pid), 0);
    deadline = clock_mono(&clock_real) + 60 * NS_PER_S;
    while (!seen.is_ended && clock_mono(&clock_real) < deadline) {
        struct pollfd wait = {.fd = procwatch_fd(watch), .events = POLLIN};

        (void)poll(&wait, 1, 100);
        assert_int_equal(procwatch_read(watch, 1000, on_event, &seen), 0);
    }
    assert_true(seen.is_ended);
    assert_true(seen.is_forked);
    assert_int_equal(seen.pid, pid);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(seen.ppid, getpid());
    assert_int_equal(seen.uid, getuid());
    assert_int_equal(WEXITSTATUS(seen.exit_status), 3);
    assert_int_equal(procwatch_lost(watch), 0);
    procwatch_close(watch);
    for (size_t i = 0; i < PROCWATCH_FDS; i++) {
        closep(&fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_program_is_seen)};

    return cmocka_run_group_tests_name("procwatch", tests, NULL, NULL);
}
