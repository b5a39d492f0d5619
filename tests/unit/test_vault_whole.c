/* What comes back is the file itself, with everything about it: its names, which are one inode
 * again, its owner, mode and time from before the attack, and the folders above it. */
#include "vault_fixture.h"

#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUOTA (1ULL << 30)

static const struct id finding = {{0x1f, 0x0d}};

/* One file with two names, an open vault and an open case. */
struct pair {
    struct scratch scratch;
    struct vault *vault;
    char one[PATH_SIZE + 64];
    char two[PATH_SIZE + 64];
    char aside[PATH_SIZE + 64];
    char *before;
    int held;
};

static void pair_make(struct pair *pair)
{
    assert_true(scratch_make(&pair->scratch, NULL, false));
    pair->vault = scratch_open(&pair->scratch, QUOTA);
    assert_int_equal(vault_case_open(pair->vault, &finding), 0);
    put_file(pair->one, &pair->scratch, "one", 'o', 9000);
    snprintf(pair->two, sizeof(pair->two), "%s/two", pair->scratch.data);
    snprintf(pair->aside, sizeof(pair->aside), "%s/.0.tmp", pair->scratch.data);
    assert_int_equal(link(pair->one, pair->two), 0);
    pair->before = tree_manifest(&pair->scratch);
    pair->held = open(pair->one, O_RDONLY | O_CLOEXEC);
}

static uint64_t pair_save(const struct pair *pair, const char *path)
{
    const struct vault_origin origin = {.path = str_from(path), .kind = VAULT_KIND_BEFORE};
    uint64_t id = 0;

    assert_int_equal(vault_save(pair->vault, pair->held, &origin, &id), 0);
    return id;
}

static void pair_add(const struct pair *pair, enum file_outcome outcome, const char *path,
                     const char *path_now, uint64_t version)
{
    struct vault_damage damage = {
        .outcome = outcome, .version = version, .path = str_from(path), .path_now = STR("")};
    struct stat st;

    if (path_now != NULL) {
        assert_int_equal(lstat(path_now, &st), 0);
        damage.path_now = str_from(path_now);
        damage.dev_now = st.st_dev;
        damage.ino_now = st.st_ino;
    }
    assert_int_equal(vault_case_add(pair->vault, &finding, &damage, 1), 0);
}

static void assert_manifest(const struct pair *pair, const char *expected)
{
    char *now = tree_manifest(&pair->scratch);

    assert_string_equal(now, expected);
    free(now);
}

static void assert_restores(const struct pair *pair)
{
    struct vault_report report = {};
    size_t calls = 0;
    struct stat one;
    struct stat two;

    assert_int_equal(vault_case_restore(pair->vault, &finding, explain, &calls, &report), 0);
    assert_int_equal(report.failed, 0);
    assert_manifest(pair, pair->before);
    assert_int_equal(stat(pair->one, &one), 0);
    assert_int_equal(stat(pair->two, &two), 0);
    assert_int_equal(one.st_ino, two.st_ino);
}

/* Restore, undo, restore: whole, as the attack left it, whole. */
static void pair_check(struct pair *pair)
{
    struct vault_report report = {};
    size_t calls = 0;
    char *damaged = tree_manifest(&pair->scratch);

    close(pair->held);
    assert_string_not_equal(damaged, pair->before);
    assert_restores(pair);
    assert_int_equal(vault_case_undo(pair->vault, &finding, explain, &calls, &report), 0);
    assert_int_equal(report.failed, 0);
    assert_manifest(pair, damaged);
    assert_restores(pair);
    free(damaged);
    free(pair->before);
    vault_close(pair->vault);
    scratch_remove(&pair->scratch);
}

static void test_both_names_removed(void **state)
{
    struct pair pair;

    (void)state;
    pair_make(&pair);
    assert_int_equal(unlink(pair.one), 0);
    pair_add(&pair, FILE_OUTCOME_DELETED, pair.one, NULL, pair_save(&pair, pair.one));
    assert_int_equal(unlink(pair.two), 0);
    pair_add(&pair, FILE_OUTCOME_DELETED, pair.two, NULL, pair_save(&pair, pair.two));
    pair_check(&pair);
}

/* The copy is made when the file has one name left. */
static void test_one_name_removed(void **state)
{
    struct pair pair;

    (void)state;
    pair_make(&pair);
    assert_int_equal(unlink(pair.one), 0);
    pair_add(&pair, FILE_OUTCOME_DELETED, pair.one, NULL, pair_save(&pair, pair.one));
    pair_check(&pair);
}

static void test_one_removed_other_overwritten(void **state)
{
    struct pair pair;
    uint64_t version;
    int fd;

    (void)state;
    pair_make(&pair);
    assert_int_equal(unlink(pair.one), 0);
    version = pair_save(&pair, pair.one);
    pair_add(&pair, FILE_OUTCOME_DELETED, pair.one, NULL, version);
    fd = open(pair.two, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, "xxxx", 4), 4);
    close(fd);
    pair_add(&pair, FILE_OUTCOME_OVERWRITTEN, pair.two, pair.two, version);
    pair_check(&pair);
}

/* renameat2 with RENAME_EXCHANGE, and the original still stands aside. */
static void test_exchanged_aside(void **state)
{
    struct pair pair;
    uint64_t version;
    int fd;

    (void)state;
    pair_make(&pair);
    assert_int_equal(unlink(pair.two), 0);
    free(pair.before);
    pair.before = tree_manifest(&pair.scratch);
    memcpy(pair.two, pair.one, sizeof(pair.two));
    version = pair_save(&pair, pair.one);
    fd = open(pair.aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "ciphertext", 10), 10);
    close(fd);
    assert_int_equal(renameat2(AT_FDCWD, pair.aside, AT_FDCWD, pair.one, RENAME_EXCHANGE), 0);
    pair_add(&pair, FILE_OUTCOME_REPLACED, pair.one, pair.aside, version);
    pair_check(&pair);
}

/* chmod, chown and touch came before the first write, and so before the copy. */
static void test_facts_from_before(void **state)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
    struct vault_damage damage = {.outcome = FILE_OUTCOME_ENCRYPTED};
    struct pair pair;
    struct stat st;
    int fd;

    (void)state;
    pair_make(&pair);
    assert_int_equal(chmod(pair.one, 0440), 0);
    assert_int_equal(stat(pair.one, &st), 0);
    free(pair.before);
    pair.before = tree_manifest(&pair.scratch);
    damage.facts = (struct vault_facts){true, st.st_mode & 07777, st.st_uid, st.st_gid,
                                        st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec};
    assert_int_equal(chmod(pair.one, 0666), 0);
    assert_true(geteuid() != 0 || chown(pair.one, 1234, 1234) == 0);
    assert_int_equal(utimensat(AT_FDCWD, pair.one, times, 0), 0);
    damage.version = pair_save(&pair, pair.one);
    damage.path = damage.path_now = str_from(pair.one);
    damage.dev_now = st.st_dev;
    damage.ino_now = st.st_ino;
    fd = open(pair.one, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "xxxx", 4), 4);
    close(fd);
    assert_int_equal(vault_case_add(pair.vault, &finding, &damage, 1), 0);
    vault_close(pair.vault);
    pair.vault = scratch_open(&pair.scratch, QUOTA); /* the journal has it */
    pair_check(&pair);
}

/* A folder that stands still, but changed: owner, mode, attributes and times. */
static void test_folder_changed(void **state)
{
    struct vault_report report = {};
    struct scratch scratch;
    struct vault *vault;
    struct stat before;
    struct stat after;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    assert_int_equal(vault_case_open(vault, &finding), 0);
    assert_int_equal(chmod(scratch.data, 02750), 0);
    assert_int_equal(stat(scratch.data, &before), 0);
    add_folder(vault, &finding, scratch.data);
    assert_int_equal(chmod(scratch.data, 0777), 0);
    assert_int_equal(utimensat(AT_FDCWD, scratch.data, NULL, 0), 0);
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(report.folders, 1);
    assert_int_equal(stat(scratch.data, &after), 0);
    assert_int_equal(after.st_mode, before.st_mode);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    assert_int_equal(vault_case_undo(vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(stat(scratch.data, &after), 0);
    assert_int_equal(after.st_mode & 07777, 0777);
    vault_close(vault);
    scratch_remove(&scratch);
}

/* What the vault knows of a folder serves the restore of a single version, too. */
static void test_folder_known(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    struct vault_folder folder;
    char folder_path[PATH_SIZE + 64];
    char path[PATH_SIZE + 64];
    struct buf room;
    struct stat st;
    uint64_t id;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    snprintf(folder_path, sizeof(folder_path), "%s/kho", scratch.data);
    assert_int_equal(mkdir(folder_path, 0700), 0);
    assert_int_equal(chmod(folder_path, 03710), 0);
    put_file(path, &scratch, "kho/f", 'f', 100);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
    buf_init(&room, 65536);
    fd = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(vault_folder_read(fd, str_from(folder_path), &room, &folder), 0);
    assert_int_equal(vault_folder_keep(vault, &folder), 0);
    close(fd);
    buf_done(&room);
    vault_close(vault);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder_path), 0);
    vault = scratch_open(&scratch, QUOTA);
    assert_int_equal(vault_restore(vault, id, STR(""), false, NULL), 0);
    assert_int_equal(stat(folder_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 03710);
    vault_close(vault);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_names_removed),
        cmocka_unit_test(test_one_name_removed),
        cmocka_unit_test(test_one_removed_other_overwritten),
        cmocka_unit_test(test_exchanged_aside),
        cmocka_unit_test(test_facts_from_before),
        cmocka_unit_test(test_folder_changed),
        cmocka_unit_test(test_folder_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
