/* A copy that a writer overtakes never passes for the original: what is certain of it is kept and
 * comes back, and the version says so. */
#include "vault_fixture.h"

#include "harness.h"

#include "base/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUOTA (1ULL << 30)
#define SIZE  (6U << 20)
#define NEVER 1000

static const struct id finding = {{0x70, 0x12}};

/* An open that the gate lets go after some pieces, and a writer that comes then. */
struct stage {
    struct scratch scratch;
    struct vault *vault;
    struct arena *arena;
    struct stat before;
    char path[PATH_SIZE + 64];
    int fd;
    int asked;
    int held_for;    /* pieces */
    int written_at;  /* pieces */
    off_t writes_to; /* from here to the end */
};

static void stage_write(const struct stage *stage)
{
    size_t len = SIZE - (size_t)stage->writes_to;
    char *cipher = malloc(len);

    assert_non_null(cipher);
    memset(cipher, 'x', len);
    assert_int_equal(pwrite(stage->fd, cipher, len, stage->writes_to), len);
    free(cipher);
}

static bool stage_is_held(void *context)
{
    struct stage *stage = context;

    if (stage->asked == stage->written_at) {
        stage_write(stage);
    }
    return stage->asked++ < stage->held_for;
}

static void stage_make(struct stage *stage)
{
    const struct timespec tick = {.tv_nsec = 25 * 1000 * 1000}; /* a change shows in its times */

    assert_true(scratch_make(&stage->scratch, "memory", false)); /* which cannot clone */
    stage->vault = scratch_open(&stage->scratch, QUOTA);
    assert_int_equal(arena_new(1 << 20, &stage->arena), 0);
    put_file(stage->path, &stage->scratch, "sổ", 'o', SIZE);
    stage->fd = open(stage->path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(stage->fd, &stage->before), 0);
    (void)nanosleep(&tick, NULL);
}

static void stage_done(struct stage *stage)
{
    close(stage->fd);
    vault_close(stage->vault);
    arena_free(stage->arena);
    scratch_remove(&stage->scratch);
}

static int stage_save(struct stage *stage, struct vault_version *ret_version)
{
    const struct vault_waiter waiter = {
        .context = stage, .stat = &stage->before, .is_held = stage_is_held};
    const struct vault_origin origin = {
        .waiter = &waiter, .path = str_from(stage->path), .kind = VAULT_KIND_BEFORE};
    uint64_t id = 0;
    int r = vault_save(stage->vault, stage->fd, &origin, &id);

    if (r == 0) {
        assert_int_equal(vault_version(stage->vault, id, stage->arena, ret_version), 0);
        tend_all(stage->vault);
        assert_int_equal(vault_verify(stage->vault, id), 0);
    }
    return r;
}

/* Bytes at the start of fd that are the original. */
static uint64_t originals(int fd)
{
    char *bytes = malloc(SIZE);
    uint64_t count = 0;

    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, SIZE, 0), SIZE);
    while (count < SIZE && bytes[count] == 'o') {
        count++;
    }
    free(bytes);
    return count;
}

static void restore(struct stage *stage, uint64_t version, struct vault_report *ret_report)
{
    const struct vault_damage damage = {.outcome = FILE_OUTCOME_ENCRYPTED,
                                        .version = version,
                                        .path = str_from(stage->path),
                                        .path_now = str_from(stage->path),
                                        .dev_now = stage->before.st_dev,
                                        .ino_now = stage->before.st_ino};

    assert_int_equal(vault_case_open(stage->vault, &finding), 0);
    assert_int_equal(vault_case_add(stage->vault, &finding, &damage, 1), 0);
    assert_int_equal(vault_case_restore(stage->vault, &finding, NULL, NULL, ret_report), 0);
    assert_int_equal(ret_report->failed, 0);
}

static void test_overtaken(void **state)
{
    struct stage stage = {.held_for = 3, .written_at = 4, .writes_to = 0};
    struct vault_version version;
    struct vault_report report;

    (void)state;
    stage_make(&stage);
    assert_int_equal(stage_save(&stage, &version), 0);
    assert_true(version.is_partial);
    assert_true(version.is_head);
    assert_in_range(version.stored, 1, SIZE - 1);
    assert_int_equal(version.size, SIZE);
    assert_int_equal(originals(stage.fd), 0);
    restore(&stage, version.id, &report);
    assert_int_equal(report.partial, 1);
    assert_int_equal(originals(stage.fd), version.stored); /* and the rest is left as it is */
    assert_int_equal(vault_case_undo(stage.vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(originals(stage.fd), 0);
    stage_done(&stage);
}

static void test_overtaken_at_the_end(void **state)
{
    struct stage stage = {.held_for = 1, .written_at = 2, .writes_to = SIZE - 100};
    struct vault_version version;

    (void)state;
    stage_make(&stage);
    assert_int_equal(stage_save(&stage, &version), 0);
    assert_true(version.is_partial);
    stage_done(&stage);
}

static void test_let_go_but_unchanged(void **state)
{
    struct stage stage = {.held_for = 1, .written_at = NEVER};
    struct vault_version version;

    (void)state;
    stage_make(&stage);
    assert_int_equal(stage_save(&stage, &version), 0);
    assert_false(version.is_partial);
    assert_int_equal(version.stored, SIZE);
    stage_done(&stage);
}

/* A rename changes one of its times, and an attacker opens what it has just moved out. */
static void test_let_go_after_a_rename(void **state)
{
    struct stage stage = {.held_for = 1, .written_at = NEVER};
    struct vault_version version;
    char path[PATH_SIZE + 80];

    (void)state;
    stage_make(&stage);
    (void)snprintf(path, sizeof(path), "%s.moved", stage.path);
    assert_int_equal(rename(stage.path, path), 0);
    assert_int_equal(fstat(stage.fd, &stage.before), 0);
    assert_int_equal(stage_save(&stage, &version), 0);
    assert_false(version.is_partial);
    assert_int_equal(version.stored, SIZE);
    stage_done(&stage);
}

static void test_changed_by_another(void **state)
{
    struct stage stage = {.held_for = NEVER, .written_at = 2, .writes_to = SIZE - 100};
    struct vault_version version;
    struct vault_report report;

    (void)state;
    stage_make(&stage);
    assert_int_equal(stage_save(&stage, &version), 0);
    assert_true(version.is_partial);
    assert_true(version.is_torn);
    stage.writes_to = 0;
    stage_write(&stage);
    restore(&stage, version.id, &report);
    assert_int_equal(report.partial, 1);
    assert_in_range(originals(stage.fd), SIZE - 100, SIZE); /* all that was kept comes back */
    stage_done(&stage);
}

static void test_changed_before(void **state)
{
    struct stage stage = {.held_for = 0, .written_at = NEVER, .writes_to = SIZE - 100};
    struct vault_version version;
    uint64_t damaged;

    (void)state;
    stage_make(&stage);
    stage_write(&stage);
    assert_int_equal(stage_save(&stage, &version), -ERR_CONFLICT);
    assert_int_equal(count_versions(&stage.scratch, &damaged), 0);
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overtaken),
        cmocka_unit_test(test_overtaken_at_the_end),
        cmocka_unit_test(test_let_go_but_unchanged),
        cmocka_unit_test(test_let_go_after_a_rename),
        cmocka_unit_test(test_changed_by_another),
        cmocka_unit_test(test_changed_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
