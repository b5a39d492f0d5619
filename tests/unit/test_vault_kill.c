/* kill -9 at any moment: of a process that restores, undoes, saves or tends. The next run comes to
 * the same end, and every version that a save returned is there, whole. */
#include "vault_fixture.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUOTA (1ULL << 30)
#define KILLS 50

static const struct id finding = {{0x4b, 0x11}};
static uint32_t dice = 20251123;

static unsigned roll(unsigned below)
{
    dice = dice * 1664525U + 1013904223U;
    return (dice >> 8) % below;
}

typedef int act_fn(struct vault *vault, int report);

/* Runs an act in a child that is killed after a random time. True when the child was still alive
 * then. */
static bool run_and_kill(const struct scratch *scratch, act_fn *act, int report, unsigned most_us)
{
    const struct timespec delay = {.tv_nsec = (long)roll(most_us) * 1000};
    siginfo_t info = {};
    pid_t pid = fork();

    if (pid == 0) {
        struct vault *vault = scratch_open(scratch, QUOTA);

        _exit(act(vault, report) == 0 ? 0 : 1);
    }
    (void)nanosleep(&delay, NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
    if (info.si_code == CLD_EXITED) {
        assert_int_equal(info.si_status, 0);
    }
    return info.si_code == CLD_KILLED;
}

static int act_restore(struct vault *vault, int report)
{
    (void)report;
    return vault_case_restore(vault, &finding, NULL, NULL, &(struct vault_report){});
}

static int act_undo(struct vault *vault, int report)
{
    (void)report;
    return vault_case_undo(vault, &finding, NULL, NULL, &(struct vault_report){});
}

static int act_tend(struct vault *vault, int report)
{
    bool is_idle = false;
    int r = 0;

    (void)report;
    while (r == 0 && !is_idle) {
        r = vault_tend(vault, &is_idle);
    }
    return r;
}

static void assert_finishes(const struct scratch *scratch, act_fn *act, const char *expected)
{
    struct vault *vault = scratch_open(scratch, QUOTA);
    char *actual;

    assert_int_equal(act(vault, -1), 0);
    vault_close(vault);
    actual = tree_manifest(scratch);
    if (strcmp(actual, expected) != 0) {
        size_t at = 0;

        while (actual[at] == expected[at] && actual[at] != '\0') {
            at++;
        }
        while (at > 0 && actual[at - 1] != '\n') {
            at--;
        }
        fail_msg("after a kill:\n  is  %.250s\n  was %.250s", actual + at, expected + at);
    }
    free(actual);
}

static void check_kills(const char *kind)
{
    struct scratch scratch;
    struct vault *vault;
    char *before;
    char *damaged;
    unsigned kills = 0;

    if (!scratch_make(&scratch, kind, false)) {
        skip();
    }
    vault = scratch_open(&scratch, QUOTA);
    tree_make(&scratch, 40, 9000);
    before = tree_manifest(&scratch);
    tree_attack(&scratch, vault, &finding);
    vault_close(vault);
    damaged = tree_manifest(&scratch);
    for (unsigned round = 0; kills < KILLS && round < 40; round++) {
        for (int i = 0; i < 3; i++) {
            kills += run_and_kill(&scratch, act_restore, -1, 12000) ? 1 : 0;
        }
        kills += run_and_kill(&scratch, act_tend, -1, 12000) ? 1 : 0;
        assert_finishes(&scratch, act_restore, before);
        for (int i = 0; i < 3; i++) {
            kills += run_and_kill(&scratch, act_undo, -1, 12000) ? 1 : 0;
        }
        assert_finishes(&scratch, act_undo, damaged);
    }
    assert_true(kills >= KILLS);
    free(before);
    free(damaged);
    scratch_remove(&scratch);
}

static void test_kill_here(void **state)
{
    (void)state;
    check_kills(NULL);
}

static void test_kill_ext4(void **state)
{
    (void)state;
    check_kills("ext4");
}

static void test_kill_btrfs(void **state)
{
    (void)state;
    check_kills("btrfs");
}

struct told {
    uint64_t id;
    unsigned char seed;
};

/* Saves files of known bytes for ever, and tells each id once the save has returned. */
static int act_save(struct vault *vault, int report)
{
    static unsigned char bytes[70000];
    const struct vault_origin origin = {.path = STR("/đâu đó/tệp"), .kind = VAULT_KIND_BEFORE};

    for (unsigned i = 0;; i++) {
        struct told told = {.seed = (unsigned char)i};
        int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        memset(bytes, told.seed, sizeof(bytes));
        if (write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes) ||
            vault_save(vault, fd, &origin, &told.id) < 0 ||
            write(report, &told, sizeof(told)) != (ssize_t)sizeof(told)) {
            return -1;
        }
        close(fd);
    }
}

static void check_told(struct vault *vault, const struct told *told)
{
    unsigned char bytes[512];
    int fd = vault_content(vault, told->id);

    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 70000);
    assert_int_equal(pread(fd, bytes, sizeof(bytes), 69000), (ssize_t)sizeof(bytes));
    assert_int_equal(bytes[0], told->seed);
    assert_int_equal(bytes[511], told->seed);
    close(fd);
}

static int check_listed(void *context, const struct vault_version *version)
{
    int fd = vault_content(context, version->id);

    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)version->size);
    close(fd);
    return 0;
}

static void test_kill_save(void **state)
{
    const struct vault_filter all = {.limit = SIZE_MAX};
    struct scratch scratch;
    struct vault *vault;
    struct told told;
    unsigned count = 0;
    int pipes[2];

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
    for (int i = 0; i < 30; i++) {
        assert_true(run_and_kill(&scratch, act_save, pipes[1], 15000));
        (void)run_and_kill(&scratch, act_tend, -1, 4000);
        while (read(pipes[0], &told, sizeof(told)) == (ssize_t)sizeof(told)) {
            check_told(vault, &told);
            count++;
        }
    }
    assert_true(count > 30);
    assert_int_equal(vault_list(vault, &all, check_listed, vault), 0);
    close(pipes[0]);
    close(pipes[1]);
    vault_close(vault);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_here),
        cmocka_unit_test(test_kill_ext4),
        cmocka_unit_test(test_kill_btrfs),
        cmocka_unit_test(test_kill_save),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
