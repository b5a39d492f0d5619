/* A journal that somebody else may write leads a restore nowhere but into the protected folders,
 * and makes no program that runs with more rights than root knows of. */
#include "vault_fixture.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define QUOTA (1ULL << 30)

static const struct id finding = {{0xc0, 0xf1}};

/* A protected folder `data` with a file in it, and `other`, which is not protected. */
struct guarded {
    struct scratch scratch;
    struct vault *vault;
    char file[PATH_SIZE + 64];
    char other[PATH_SIZE];
    struct vault_allowed places[2];
    uint64_t version;
    bool vouches;
};

static bool vouch(void *context, const struct vault_version *version)
{
    const struct guarded *guarded = context;

    return guarded->vouches && version->uid == geteuid();
}

static void guarded_make(struct guarded *guarded, mode_t mode)
{
    struct vault_confines confines = {guarded->places, 1, vouch, guarded};
    struct scratch *scratch = &guarded->scratch;

    *guarded = (struct guarded){};
    assert_true(scratch_make(scratch, NULL, false));
    snprintf(guarded->other, sizeof(guarded->other), "%s/other", scratch->root);
    assert_int_equal(mkdir(guarded->other, 0755), 0);
    guarded->vault = scratch_open(scratch, QUOTA);
    assert_int_equal(vault_case_open(guarded->vault, &finding), 0);
    put_file(guarded->file, scratch, "f", 'f', 500);
    assert_int_equal(chmod(guarded->file, mode), 0);
    assert_int_equal(save_path(guarded->vault, guarded->file, VAULT_KIND_BEFORE, &guarded->version),
                     0);
    guarded->places[0] = (struct vault_allowed){
        scratch->data, open(scratch->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    vault_confine(guarded->vault, &confines);
}

static void guarded_done(struct guarded *guarded)
{
    close(guarded->places[0].folder);
    vault_close(guarded->vault);
    scratch_remove(&guarded->scratch);
}

static void add_deleted(struct guarded *guarded, const char *path)
{
    const struct vault_damage damage = {.outcome = FILE_OUTCOME_DELETED,
                                        .version = guarded->version,
                                        .path = str_from(path),
                                        .path_now = STR("")};

    assert_int_equal(vault_case_add(guarded->vault, &finding, &damage, 1), 0);
}

static void assert_refused(struct guarded *guarded, const char *path)
{
    struct vault_report report = {};

    add_deleted(guarded, path);
    assert_int_equal(unlink(guarded->file), 0);
    assert_int_equal(vault_case_restore(guarded->vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(report.failed, 1);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_outside(void **state)
{
    struct guarded guarded;
    char path[PATH_SIZE + 64];

    (void)state;
    guarded_make(&guarded, 0644);
    snprintf(path, sizeof(path), "%s/f", guarded.other);
    assert_refused(&guarded, path);
    guarded_done(&guarded);
}

/* `data-2` begins like `data`. */
static void test_beside(void **state)
{
    struct guarded guarded;
    char path[PATH_SIZE + 64];

    (void)state;
    guarded_make(&guarded, 0644);
    snprintf(path, sizeof(path), "%s-2", guarded.scratch.data);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s-2/f", guarded.scratch.data);
    assert_refused(&guarded, path);
    guarded_done(&guarded);
}

static void test_climbing(void **state)
{
    struct guarded guarded;
    char path[PATH_SIZE + 64];

    (void)state;
    guarded_make(&guarded, 0644);
    snprintf(path, sizeof(path), "%s/../other/f", guarded.scratch.data);
    assert_refused(&guarded, path);
    guarded_done(&guarded);
}

/* Whoever may write in the folder swaps one of its folders for a link. */
static void test_link_swapped_in(void **state)
{
    struct guarded guarded;
    char folder[PATH_SIZE + 64];
    char path[PATH_SIZE + 80];

    (void)state;
    guarded_make(&guarded, 0644);
    snprintf(folder, sizeof(folder), "%s/sub", guarded.scratch.data);
    assert_int_equal(symlink(guarded.other, folder), 0);
    snprintf(path, sizeof(path), "%s/f", folder);
    assert_refused(&guarded, path);
    guarded_done(&guarded);
}

/* The protected folder itself is moved away and something else put in its place. */
static void check_place_replaced(bool is_link)
{
    struct vault_report report = {};
    struct guarded guarded;
    char path[PATH_SIZE + 64];

    guarded_make(&guarded, 0644);
    add_deleted(&guarded, guarded.file);
    assert_int_equal(unlink(guarded.file), 0);
    snprintf(path, sizeof(path), "%s-away", guarded.scratch.data);
    assert_int_equal(rename(guarded.scratch.data, path), 0);
    assert_int_equal(is_link ? symlink(guarded.other, guarded.scratch.data)
                             : mkdir(guarded.scratch.data, 0755),
                     0);
    assert_int_equal(vault_case_restore(guarded.vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(report.failed, 1);
    assert_int_equal(access(guarded.file, F_OK), -1);
    guarded_done(&guarded);
}

static void test_place_replaced(void **state)
{
    (void)state;
    check_place_replaced(false);
    check_place_replaced(true);
}

static void test_left_out(void **state)
{
    struct guarded guarded;
    struct vault_confines confines = {guarded.places, 2, NULL, NULL};
    char folder[PATH_SIZE + 64];
    char path[PATH_SIZE + 80];

    (void)state;
    guarded_make(&guarded, 0644);
    snprintf(folder, sizeof(folder), "%s/.canhgac", guarded.scratch.data);
    assert_int_equal(mkdir(folder, 0755), 0);
    guarded.places[1] = (struct vault_allowed){folder, -1};
    vault_confine(guarded.vault, &confines);
    snprintf(path, sizeof(path), "%s/f", folder);
    assert_refused(&guarded, path);
    guarded_done(&guarded);
}

/* The handle of a file outside, told as that of one inside. */
static void test_handle_outside(void **state)
{
    struct vault_damage damage = {.outcome = FILE_OUTCOME_ENCRYPTED};
    struct vault_report report = {};
    struct guarded guarded;
    char path[PATH_SIZE + 64];
    char text[8] = "";
    struct stat st;
    int fd;

    (void)state;
    if (geteuid() != 0) {
        skip(); /* handles are root's */
    }
    guarded_make(&guarded, 0644);
    snprintf(path, sizeof(path), "%s/secrets", guarded.other);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "forged", 6), 6);
    assert_int_equal(save_path(guarded.vault, path, VAULT_KIND_BEFORE, &damage.version), 0);
    assert_int_equal(pwrite(fd, "secret", 6, 0), 6);
    assert_int_equal(fstat(fd, &st), 0);
    damage.path = damage.path_now = str_from(guarded.file);
    damage.dev_now = st.st_dev;
    damage.ino_now = st.st_ino;
    assert_int_equal(vault_case_add(guarded.vault, &finding, &damage, 1), 0);
    assert_int_equal(vault_case_restore(guarded.vault, &finding, NULL, NULL, &report), 0);
    assert_int_equal(pread(fd, text, 6, 0), 6);
    assert_string_equal(text, "secret");
    close(fd);
    guarded_done(&guarded);
}

static mode_t restored_mode(struct guarded *guarded, struct vault_report *ret_report)
{
    struct stat st;

    add_deleted(guarded, guarded->file);
    assert_int_equal(unlink(guarded->file), 0);
    assert_int_equal(vault_case_restore(guarded->vault, &finding, NULL, NULL, ret_report), 0);
    assert_int_equal(ret_report->failed, 0);
    assert_int_equal(stat(guarded->file, &st), 0);
    return st.st_mode & 07777;
}

static void test_set_id_unknown(void **state)
{
    struct vault_report report = {};
    struct guarded guarded;

    (void)state;
    guarded_make(&guarded, 06755);
    assert_int_equal(restored_mode(&guarded, &report), 0755);
    assert_int_equal(report.unset, 1);
    guarded_done(&guarded);
}

static void test_set_id_known(void **state)
{
    struct vault_report report = {};
    struct guarded guarded;

    (void)state;
    guarded_make(&guarded, 06755);
    guarded.vouches = true;
    assert_int_equal(restored_mode(&guarded, &report), 06755);
    assert_int_equal(report.unset, 0);
    guarded_done(&guarded);
}

/* Capabilities are as good as a set-id bit. */
static void test_capability_unknown(void **state)
{
    static const unsigned char all[20] = {1, 0, 0, 2, 0xff, 0xff, 0xff, 0xff};
    struct vault_report report = {};
    struct guarded guarded;

    (void)state;
    guarded_make(&guarded, 0755);
    if (setxattr(guarded.file, "security.capability", all, sizeof(all), 0) != 0) {
        guarded_done(&guarded);
        skip(); /* not root */
    }
    assert_int_equal(save_path(guarded.vault, guarded.file, VAULT_KIND_BEFORE, &guarded.version),
                     0);
    (void)restored_mode(&guarded, &report);
    assert_int_equal(report.unset, 1);
    assert_int_equal(getxattr(guarded.file, "security.capability", NULL, 0), -1);
    guarded_done(&guarded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outside),        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_climbing),       cmocka_unit_test(test_link_swapped_in),
        cmocka_unit_test(test_place_replaced), cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_handle_outside), cmocka_unit_test(test_set_id_unknown),
        cmocka_unit_test(test_set_id_known),   cmocka_unit_test(test_capability_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
