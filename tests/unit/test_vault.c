/* The vault: what is saved comes back bit by bit, whatever was done to it; what was undone is as if it had never
 * been restored; nothing listed is half-written; full, foreign and spoiled vaults say so. */
#include "vault_fixture.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void explain(void *context, const struct vault_damage *damage, int result)
{
    size_t *calls = context;

    (*calls)++;
    if (result < 0) {
        print_message("%.*s (%s): %s\n", STR_ARG(damage->path), file_outcome_name(damage->outcome),
                      err_text(result));
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

    assert_int_equal(vault_case_restore(vault, &finding, explain, &calls, &report), 0); /* again: harmless */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_here),  cmocka_unit_test(test_round_ext4),
        cmocka_unit_test(test_round_xfs),   cmocka_unit_test(test_round_btrfs),
        cmocka_unit_test(test_round_btrfs_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
