/* Cases of the vault: what an attack did to a tree of every sort of file comes back bit by bit, on
 * each file system; what was undone is as if it had never been restored; nobody's work is lost on
 * either way. */
#include "vault_fixture.h"

#include "harness.h"

#include "store/vault/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUOTA (1ULL << 30)

static const struct id finding = {{0xca, 0x17, 3}};

static void assert_text(const char *actual, const char *expected)
{
    const char *a = actual;
    const char *b = expected;

    while (*a != '\0' || *b != '\0') {
        size_t in_a = strcspn(a, "\n");
        size_t in_b = strcspn(b, "\n");

        if (in_a != in_b || memcmp(a, b, in_a) != 0) {
            fail_msg("manifests differ:\n  is  %.*s\n  was %.*s", (int)in_a, a, (int)in_b, b);
        }
        a += in_a + (a[in_a] == '\n');
        b += in_b + (b[in_b] == '\n');
    }
}

/* Restore, undo, restore again, on one file system. */
static void check_round(const char *kind, bool is_vault_inside)
{
    struct scratch scratch;
    struct vault_report report = {};
    struct vault *vault;
    char *before;
    char *damaged;
    char *after;
    size_t calls = 0;
    bool is_idle = false;

    if (!scratch_make(&scratch, kind, is_vault_inside)) {
        skip();
    }
    vault = scratch_open(&scratch, QUOTA);
    tree_make(&scratch, 60, 20000);
    before = tree_manifest(&scratch);
    tree_attack(&scratch, vault, &finding);
    damaged = tree_manifest(&scratch);
    assert_int_not_equal(strcmp(before, damaged), 0);

    assert_int_equal(vault_case_restore(vault, &finding, explain, &calls, &report), 0);
    assert_int_equal(report.failed, 0);
    assert_int_equal(report.files, calls);
    assert_int_equal(report.restored, report.files - 1);
    after = tree_manifest(&scratch);
    assert_text(after, before);
    free(after);

    assert_int_equal(vault_case_restore(vault, &finding, explain, &calls, &report),
                     0); /* again: harmless */
    after = tree_manifest(&scratch);
    assert_text(after, before);
    free(after);

    while (!is_idle) {
        assert_int_equal(vault_tend(vault, &is_idle), 0);
    }
    assert_int_equal(vault_case_undo(vault, &finding, explain, &calls, &report), 0);
    assert_int_equal(report.failed, 0);
    after = tree_manifest(&scratch);
    assert_text(after, damaged);
    free(after);

    assert_int_equal(vault_case_restore(vault, &finding, explain, &calls, &report), 0);
    assert_int_equal(report.failed, 0);
    after = tree_manifest(&scratch);
    assert_text(after, before);
    free(after);
    free(before);
    free(damaged);
    vault_close(vault);
    scratch_remove(&scratch);
}

static void test_round_here(void **state)
{
    (void)state;
    check_round(NULL, false);
}

static void test_round_ext4(void **state)
{
    (void)state;
    check_round("ext4", false);
}

static void test_round_xfs(void **state)
{
    (void)state;
    check_round("xfs", false);
}

static void test_round_btrfs(void **state)
{
    (void)state;
    check_round("btrfs", false);
}

static void test_round_btrfs_inside(void **state)
{
    (void)state;
    check_round("btrfs", true);
}

static void test_partial(void **state)
{
    struct vault_damage damage = {.outcome = FILE_OUTCOME_ENCRYPTED};
    struct scratch scratch;
    struct vault *vault;
    struct vault_report report;
    struct stat st;
    char path[PATH_SIZE + 64];
    char byte;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    put_file(path, &scratch, "lớn", 'p', 9 << 20); /* past whole_bytes; edges are 1 MB */
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &damage.version), 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "!", 1, 5), 1);
    assert_int_equal(pwrite(fd, "!", 1, 5 << 20), 1);
    assert_int_equal(pwrite(fd, "!", 1, (9 << 20) - 5), 1);
    assert_int_equal(fstat(fd, &st), 0);
    damage.path = damage.path_now = str_from(path);
    damage.dev_now = st.st_dev;
    damage.ino_now = st.st_ino;
    assert_int_equal(vault_case_open(vault, &finding), 0);
    assert_int_equal(vault_case_add(vault, &finding, &damage, 1), 0);
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(report.partial, 1);
    assert_int_equal(report.failed, 0);
    assert_int_equal(pread(fd, &byte, 1, 5),
                     1); /* through the descriptor from before: the same inode */
    assert_int_equal(byte, 'p');
    assert_int_equal(pread(fd, &byte, 1, (9 << 20) - 5), 1);
    assert_int_equal(byte, 'p');
    assert_int_equal(pread(fd, &byte, 1, 5 << 20), 1);
    assert_int_equal(byte, '!'); /* what was not kept is left as it is */
    assert_int_equal(vault_case_undo(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(pread(fd, &byte, 1, 5), 1);
    assert_int_equal(byte, '!');
    close(fd);
    vault_close(vault);
    scratch_remove(&scratch);
}

static void test_restore_one(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    struct diag diag = {};
    char path[PATH_SIZE + 64];
    char deep[PATH_SIZE + 128];
    char link[PATH_SIZE + 64];
    struct stat st;
    uint64_t id;
    uint64_t damaged;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    put_file(path, &scratch, "f", 'f', 3000);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
    assert_int_equal(vault_restore(vault, id, (struct str){}, false, &diag), -ERR_EXIST);
    assert_non_null(strstr(diag.text, path));
    put_file(path, &scratch, "f", 'g', 10);
    assert_int_equal(vault_restore(vault, id, (struct str){}, true, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3000);
    assert_int_equal(count_versions(&scratch, &damaged), 2); /* what was replaced is kept */
    snprintf(deep, sizeof(deep), "%s/mới/sâu/f", scratch.data);
    assert_int_equal(vault_restore(vault, id, str_from(deep), false, NULL), 0);
    assert_int_equal(stat(deep, &st), 0);
    snprintf(link, sizeof(link), "%s/lối tắt", scratch.data);
    assert_int_equal(symlink("/tmp", link), 0);
    snprintf(deep, sizeof(deep), "%s/lối tắt/f", scratch.data); /* no link is followed */
    assert_int_equal(vault_restore(vault, id, str_from(deep), false, NULL), -ERR_LOOP);
    assert_int_equal(vault_restore(vault, id, STR("relative"), false, NULL), -ERR_INVAL);
    vault_close(vault);
    scratch_remove(&scratch);
}

/* The machine went down after a restore and before its sync: the journal says restored, the disk
 * lost bytes. */
static void test_power_cut(void **state)
{
    struct vault_damage damage[2] = {{.outcome = FILE_OUTCOME_DELETED},
                                     {.outcome = FILE_OUTCOME_ENCRYPTED}};
    struct scratch scratch;
    struct vault *vault;
    struct vault_report report;
    char paths[2][PATH_SIZE + 64];
    struct stat st;
    char *before;
    char *after;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    for (size_t i = 0; i < 2; i++) {
        put_file(paths[i], &scratch, i == 0 ? "a" : "b", 'x', 4000);
        assert_int_equal(save_path(vault, paths[i], VAULT_KIND_BEFORE, &damage[i].version), 0);
        damage[i].path = str_from(paths[i]);
    }
    before = tree_manifest(&scratch);
    assert_int_equal(stat(paths[1], &st), 0);
    damage[1].path_now = damage[1].path;
    damage[1].dev_now = st.st_dev;
    damage[1].ino_now = st.st_ino;
    assert_int_equal(unlink(paths[0]), 0);
    assert_int_equal(vault_case_open(vault, &finding), 0);
    assert_int_equal(vault_case_add(vault, &finding, damage, 1), 0);
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(vault_case_add(vault, &finding, damage, 2), 0); /* not synced any more */
    fd = open(paths[0], O_WRONLY | O_TRUNC | O_CLOEXEC);
    close(fd);
    vault->boot++;
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(report.failed, 0);
    after = tree_manifest(&scratch);
    assert_string_equal(after, before);
    free(before);
    free(after);
    vault_close(vault);
    scratch_remove(&scratch);
}

/* A name came back as what was saved of it when it was damaged already; what the same inode held
 * first is told later, for another name. */
static void test_older_original_later(void **state)
{
    struct vault_damage first = {.outcome = FILE_OUTCOME_DELETED};
    struct vault_damage later = {.outcome = FILE_OUTCOME_ENCRYPTED};
    struct scratch scratch;
    struct vault *vault;
    struct vault_report report;
    char path[PATH_SIZE + 64];
    char away[PATH_SIZE + 80];
    char other[PATH_SIZE + 64];
    char byte = 0;
    struct stat st;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    put_file(path, &scratch, "a", 'x', 4000);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &later.version), 0);
    put_file(path, &scratch, "a", 'z', 4000);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &first.version), 0);
    assert_int_equal(stat(path, &st), 0);
    (void)snprintf(away, sizeof(away), "%s.locked", path);
    (void)snprintf(other, sizeof(other), "%s/b", scratch.data);
    assert_int_equal(rename(path, away), 0);
    first.path = str_from(path);
    first.path_now = str_from(away);
    first.dev_now = st.st_dev;
    first.ino_now = st.st_ino;
    later.path = str_from(other);
    assert_int_equal(vault_case_open(vault, &finding), 0);
    assert_int_equal(vault_case_add(vault, &finding, &first, 1), 0);
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(vault_case_add(vault, &finding, &later, 1), 0);
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(report.failed, 0);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, 3999), 1);
    assert_int_equal(byte, 'x');
    (void)close(fd);
    vault_close(vault);
    scratch_remove(&scratch);
}

/* Ends the walk when it meets the version that holds the 900 bytes of work. */
static int check_has_work(void *context, const struct vault_version *version)
{
    (void)context;
    return version->size == 900 ? -ERR_EXIST : 0;
}

/* Work done between restore and undo is not lost by the undo; a surviving hard link takes its
 * brother back. */
static void test_undo_keeps_work(void **state)
{
    struct vault_damage damage = {.outcome = FILE_OUTCOME_REPLACED};
    struct vault_filter filter = {.limit = SIZE_MAX};
    struct scratch scratch;
    struct vault *vault;
    struct vault_report report;
    char path[PATH_SIZE + 64];
    char other[PATH_SIZE + 64];
    struct stat st;
    struct stat original;
    struct stat attacker;
    uint64_t before;
    uint64_t after;
    uint64_t damaged;
    size_t calls = 0;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    put_file(path, &scratch, "a", 'o', 500);
    snprintf(other, sizeof(other), "%s/b", scratch.data);
    assert_int_equal(link(path, other), 0);
    assert_int_equal(stat(path, &original), 0);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &damage.version), 0);
    assert_int_equal(unlink(path), 0);
    put_file(path, &scratch, "a", 'X', 700);
    assert_int_equal(stat(path, &attacker), 0);
    damage.path = damage.path_now = str_from(path);
    damage.dev_now = attacker.st_dev;
    damage.ino_now = attacker.st_ino;
    assert_int_equal(vault_case_open(vault, &finding), 0);
    assert_int_equal(vault_case_add(vault, &finding, &damage, 1), 0);
    assert_int_equal(vault_case_restore(vault, &finding, explain, &calls, &report), 0);
    assert_int_equal(report.failed, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_ino, original.st_ino); /* shares again */
    assert_int_equal(st.st_nlink, 2);
    before = count_versions(&scratch, &damaged);
    put_file(path, &scratch, "a", 'w', 900); /* somebody works on */
    assert_int_equal(vault_case_undo(vault, &finding, explain, &calls, &report), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_ino, attacker.st_ino);
    assert_int_equal(st.st_size, 700);
    after = count_versions(&scratch, &damaged);
    assert_int_equal(after, before); /* the evidence went back, the work came in */
    filter.path_prefix = str_from(path);
    assert_int_equal(vault_list(vault, &filter, check_has_work, &calls), -ERR_EXIST);
    vault_close(vault);
    scratch_remove(&scratch);
}

/* What a user may not do, the sensor's user saves and root restores. */
static void test_two_users(void **state)
{
    struct vault_damage damage = {.outcome = FILE_OUTCOME_DELETED};
    struct scratch scratch;
    struct vault *vault;
    struct vault_report report;
    struct stat st;
    char path[PATH_SIZE + 64];
    uint64_t pipe_id = 0;
    int pipes[2];
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_true(scratch_make(&scratch, NULL, false));
    assert_int_equal(chmod(scratch.root, 0755), 0);
    assert_int_equal(mkdir(scratch.vault, 0700), 0);
    assert_int_equal(chown(scratch.vault, 65534, 65534), 0);
    vault = scratch_open(&scratch, QUOTA); /* root makes everything, for the other user */
    put_file(path, &scratch, "f", 'f', 3000);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        const struct vault_origin origin = {.path = str_from(path), .kind = VAULT_KIND_BEFORE};
        int fd = open(path, O_RDONLY | O_CLOEXEC); /* as the kernel hands it to the gate */
        struct vault *own;
        uint64_t id;

        if (setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(2);
        }
        own = scratch_open(&scratch, QUOTA);
        _exit(vault_save(own, fd, &origin, &id) == 0 &&
                      write(pipes[1], &id, sizeof(id)) == sizeof(id)
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], &pipe_id, sizeof(pipe_id)), sizeof(pipe_id));
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(unlink(path), 0);
    damage.version = pipe_id;
    damage.path = str_from(path);
    assert_int_equal(vault_case_open(vault, &finding), 0);
    assert_int_equal(vault_case_add(vault, &finding, &damage, 1), 0);
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(report.restored, 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    tend_all(vault);
    vault_close(vault);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_restore_one),
        cmocka_unit_test(test_undo_keeps_work),
        cmocka_unit_test(test_two_users),
        cmocka_unit_test(test_power_cut),
        cmocka_unit_test(test_older_original_later),
        cmocka_unit_test(test_round_here),
        cmocka_unit_test(test_round_ext4),
        cmocka_unit_test(test_round_xfs),
        cmocka_unit_test(test_round_btrfs),
        cmocka_unit_test(test_round_btrfs_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
