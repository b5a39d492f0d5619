/* From what was judged, and told late, to what the vault puts right: where each file is, and by
 * which name it comes back. */
#include "shield_fixture.h"

#include "store/vault.h"
#include "sys/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES 4

/* A stage with a vault, and a folder that is not protected. */
struct bound {
    struct stage stage;
    char vault[32];
    char outside[32];
    struct id finding;
};

static const struct vault_limits limits = {.bytes = 64U << 20,
                                           .retention_ns = 3600 * NS_PER_S,
                                           .whole_bytes = 1U << 20,
                                           .edge_bytes = 1U << 16};

static void bound_begin(struct bound *bound)
{
    struct diag diag = {0};

    stage_begin(&bound->stage);
    (void)snprintf(bound->vault, sizeof(bound->vault), "/tmp/canhgac-bound-XXXXXX");
    (void)snprintf(bound->outside, sizeof(bound->outside), "/tmp/canhgac-beside-XXXXXX");
    assert_true(mkdtemp(bound->vault) != NULL && mkdtemp(bound->outside) != NULL);
    assert_int_equal(
        vault_open(bound->vault, &limits, &clock_real, &bound->stage.shield->vault, &diag), 0);
    assert_int_equal(id_new(&bound->finding), 0);
}

static void bound_end(struct bound *bound)
{
    char command[64];

    vault_close(bound->stage.shield->vault);
    bound->stage.shield->vault = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf %s", bound->vault);
    assert_int_equal(system(command) + rmdir(bound->outside), 0); /* NOLINT(cert-env33-c) */
    stage_end(&bound->stage);
}

/* Moved out, opened and encrypted there, and moved back under another name. Of the moves only the
 * last is told; the first, as the names thread would write it down. */
static void move_and_encrypt(struct bound *bound, int number, struct file_handle_id *ret_handle)
{
    struct stage *stage = &bound->stage;
    struct file_row *row;
    struct stat stat;
    char home[64];
    char away[64];
    int fd;

    make(stage, number, false);
    path_of(stage, 'a', number, home);
    (void)snprintf(away, sizeof(away), "%s/a%d", bound->outside, number);
    assert_int_equal(rename(home, away), 0);
    fd = open(away, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    stage->version = shield_save(stage->shield, fd, str_from(away), stage->who, NULL);
    assert_int_not_equal(stage->version, 0);
    *ret_handle = visit(stage, away, fcntl(fd, F_DUPFD_CLOEXEC, 0), true);
    fill(fd, true);
    assert_int_equal(close(fd), 0);
    answer(stage, (struct file_key){stat.st_dev, stat.st_ino}, true);
    row = shelf_by_handle(stage->shield->shelf, ret_handle);
    assert_non_null(row);
    aliases_move(stage->shield->aliases, row->serial, str_from(home), str_from(away), stage->who);
}

static void move_back(struct bound *bound, int number, const struct file_handle_id *handle)
{
    struct files_name name = {.change = NAME_CHANGE_RENAME,
                              .is_inside = true,
                              .is_target_inside = true,
                              .pid = getpid(),
                              .file = handle};
    char home[64];
    char away[64];
    char locked[64];

    path_of(&bound->stage, 'a', number, home);
    path_of(&bound->stage, 'l', number, locked);
    (void)snprintf(away, sizeof(away), "%s/a%d", bound->outside, number);
    assert_int_equal(rename(away, locked), 0);
    name.path = str_from(home); /* what is away is told of by its home */
    name.target_path = str_from(locked);
    shield_named(bound->stage.shield, &name);
}

/* All that the group did is bound, and put right. */
static void put_right(struct bound *bound)
{
    struct shield_case *known = mem_alloc(1, sizeof(*known));
    struct shield_job *job = NULL;
    struct vault_report report = {0};

    assert_non_null(known);
    known->id = bound->finding;
    map_init(&known->marks, 1024, 1);
    assert_int_equal(arena_new(1U << 20, &known->arena), 0);
    known->files = arena_alloc(known->arena, FINDING_FILES_MAX, sizeof(*known->files));
    assert_non_null(known->files);
    announce(&bound->stage, &job);
    assert_true(shield_case_bind(bound->stage.shield, known, job, true) != 0);
    shield_job_free(job);
    shield_case_free(known);
    assert_int_equal(
        vault_case_restore(bound->stage.shield->vault, &bound->finding, NULL, NULL, &report), 0);
    assert_int_equal(report.failed, 0);
}

/* Just those that were made are there, each with one name and its text; and go. */
static void assert_only_originals(const struct bound *bound)
{
    unsigned count = 0;
    DIR *dir = opendir(bound->stage.folder);
    const struct dirent *item;

    assert_non_null(dir);
    while ((item = readdir(dir)) != NULL) {
        count += item->d_name[0] != '.' ? 1U : 0U;
    }
    (void)closedir(dir);
    assert_int_equal(count, FILES);
    for (int i = 0; i < FILES; i++) {
        struct stat stat;
        char path[64];
        char head[4];
        int fd;

        path_of(&bound->stage, 'a', i, path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0 && fstat(fd, &stat) == 0);
        assert_int_equal(stat.st_nlink, 1);
        assert_int_equal(stat.st_size, SIZE);
        assert_int_equal(read(fd, head, sizeof(head)), sizeof(head));
        assert_memory_equal(head, "B\xc3\xa1o", sizeof(head));
        assert_int_equal(close(fd) + unlink(path), 0);
    }
}

/* A stranger opens the ciphertexts for writing before they are put right: the judge lays what they
 * are now to it, and tells of the first damage without a place. They keep no second name. */
static void test_moved_back_and_opened_by_a_stranger(void **state)
{
    struct file_handle_id handles[FILES];
    struct bound bound;
    struct stage *stage = &bound.stage;
    struct actor_key group;

    (void)state;
    bound_begin(&bound);
    group = stage->who;
    for (int i = 0; i < FILES; i++) {
        move_and_encrypt(&bound, i, &handles[i]);
    }
    for (int i = 0; i < FILES; i++) {
        move_back(&bound, i, &handles[i]);
    }
    assert_true(judge_is_stopped(stage->shield->judge, group));
    assert_int_equal(shield_who(stage->shield, 1, &stage->who), 0);
    for (int i = 0; i < FILES; i++) {
        char locked[64];
        int fd;

        path_of(stage, 'l', i, locked);
        fd = open(locked, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        stage->version = shield_save(stage->shield, fd, str_from(locked), stage->who, NULL);
        (void)visit(stage, locked, fd, true);
    }
    stage->who = group;
    put_right(&bound);
    assert_only_originals(&bound);
    bound_end(&bound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moved_back_and_opened_by_a_stranger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
