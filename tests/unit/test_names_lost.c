/* Names that files lose, and what is known of files that live on without them, or are held when
 * they have none. */
#include "shield_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Opened once more by a descriptor when it has no name any more, before that is told. */
static void test_victim_opened_again(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];
        char again[80];
        int fd;

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        replace(&stage, path, &made[i]);
        (void)snprintf(again, sizeof(again), "%s (deleted)", path);
        (void)visit(&stage, again, fd, false);
    }
    end_told(&stage, made, false);
}

/* Renamed while its open waited, which was told before: it is known where it is now. */
static void test_renamed_while_saved(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];
        char now[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        path_of(&stage, 'c', i, now);
        assert_int_equal(rename(path, now), 0);
        stage.has_waiter = true;
        (void)visit(&stage, path, open(now, O_RDONLY | O_CLOEXEC), false);
        stage.has_waiter = false;
        put_over(&stage, now, &made[i]);
    }
    end_told(&stage, made, false);
}

/* What came over a file from outside is gone when it is told: each of them is known to be gone when
 * its group is ruled against. */
static void test_replaced_from_outside(void **state)
{
    struct made made[2 * PAIRS];
    struct shield_job *job = NULL;
    struct stage stage;
    unsigned gone = 0;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        struct made outside = {.handle = {.fsid = 9, .len = 1, .bytes = {(uint8_t)i}}};

        make(&stage, i, false);
        path_of(&stage, 'a', i, outside.target);
        (void)snprintf(outside.path, sizeof(outside.path), "/tmp/canhgac-names-none-%d", i);
        read_file(&stage, outside.target);
        assert_int_equal(unlink(outside.target), 0);
        tell(&stage, &outside);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        replace(&stage, path, &made[i]);
        tell(&stage, &made[i]);
        assert_int_equal(unlink(path), 0);
    }
    announce(&stage, &job);
    for (size_t i = 0; i < job->ruling.damage_count; i++) {
        gone += job->ruling.damage[i].outcome == FILE_OUTCOME_DELETED ? 1U : 0U;
    }
    assert_int_equal(gone, 2 * PAIRS);
    shield_job_free(job);
    stage_end(&stage);
}

/* Opened for writing and looked at, then it loses the name it was opened by: it lives on by
 * another, and so does what was done to it. */
static void lives_on(bool is_noise)
{
    struct file_handle_id handle;
    struct stage stage;
    struct stat stat;
    char path[64];
    char second[64];
    int fd;

    stage_begin(&stage);
    stage.version = 5;
    make(&stage, 0, false);
    path_of(&stage, 'a', 0, path);
    path_of(&stage, 'b', 0, second);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    handle = visit(&stage, path, fd, true);
    answer(&stage, (struct file_key){stat.st_dev, stat.st_ino}, is_noise);
    assert_int_equal(link(path, second), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, second, &handle);
    assert_int_equal(unlink(path), 0);
    tell_of(&stage, NAME_CHANGE_DELETE, path, &handle);
    assert_true(judge_is_changed(stage.shield->judge, (struct file_key){stat.st_dev, stat.st_ino}));
    assert_int_equal(unlink(second), 0);
    stage_end(&stage);
}

static void test_charged_lives_on(void **state)
{
    (void)state;
    lives_on(true);
}

/* Found whole so far, and still open: what is written through that later must be asked about. */
static void test_watched_lives_on(void **state)
{
    (void)state;
    lives_on(false);
}

/* It is given another name after it has lost the one it is held by: that stays lost. */
static void test_name_lost_before_a_link(void **state)
{
    struct file_handle_id handle;
    const struct file_row *row;
    struct stage stage;
    char paths[3][64];

    (void)state;
    stage_begin(&stage);
    make(&stage, 0, false);
    for (int i = 0; i < 3; i++) {
        path_of(&stage, (char)('a' + i), 0, paths[i]);
    }
    handle = visit(&stage, paths[0], open(paths[0], O_RDONLY | O_CLOEXEC), false);
    assert_int_equal(link(paths[0], paths[1]), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, paths[1], &handle);
    assert_int_equal(unlink(paths[0]), 0);
    tell_of(&stage, NAME_CHANGE_DELETE, paths[0], &handle);
    assert_int_equal(link(paths[1], paths[2]), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, paths[2], &handle);
    row = shelf_by_handle(stage.shield->shelf, &handle);
    assert_non_null(row);
    assert_true(aliases_is_lost(stage.shield->aliases, row->serial, str_from(paths[0])));
    assert_int_equal(aliases_at(stage.shield->aliases, str_from(paths[2])), row->serial);
    assert_int_equal(unlink(paths[1]) + unlink(paths[2]), 0);
    stage_end(&stage);
}

/* Opened twice, of which the gate sees the first only, since nothing was written before: what is
 * written through the second is asked about, and closes that change nothing are not. */
static void test_second_open_unseen(void **state)
{
    struct file_handle_id handle;
    struct file_key key;
    struct stage stage;
    struct stat stat;
    char path[64];
    int fd;

    (void)state;
    stage_begin(&stage);
    stage.version = 5;
    make(&stage, 0, false);
    path_of(&stage, 'a', 0, path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    key = (struct file_key){stat.st_dev, stat.st_ino};
    handle = visit(&stage, path, fcntl(fd, F_DUPFD_CLOEXEC, 0), true);
    tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
    answer(&stage, key, false);
    tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
    assert_false(judge_is_changed(stage.shield->judge, key));
    for (int times = 0; times < 2; times++) {
        fill(fd, true);
        tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
        assert_true(judge_is_changed(stage.shield->judge, key));
        answer(&stage, key, false);
        tell_of(&stage, NAME_CHANGE_CLOSE, path, &handle);
        assert_false(judge_is_changed(stage.shield->judge, key));
    }
    assert_int_equal(close(fd) + unlink(path), 0);
    stage_end(&stage);
}

/* Our own rename over a name of a file that has others: it does not stand there any more. */
static void test_own_rename_over_a_name(void **state)
{
    static const struct file_handle_id ours = {.fsid = 9, .len = 1};
    struct file_handle_id handle;
    struct stage stage;
    struct files_name name = {.change = NAME_CHANGE_RENAME, .is_inside = true, .file = &ours};
    char paths[2][64];

    (void)state;
    stage_begin(&stage);
    make(&stage, 0, false);
    path_of(&stage, 'a', 0, paths[0]);
    path_of(&stage, 'b', 0, paths[1]);
    handle = visit(&stage, paths[0], open(paths[0], O_RDONLY | O_CLOEXEC), false);
    assert_int_equal(link(paths[0], paths[1]), 0);
    tell_of(&stage, NAME_CHANGE_CREATE, paths[1], &handle);
    assert_true(aliases_at(stage.shield->aliases, str_from(paths[1])) != 0);
    assert_int_equal(unlink(paths[1]), 0);
    atomic_store(&stage.page->own[0], 1);
    name.pid = 1;
    name.path = STR("/tmp/canhgac-names-none");
    name.target_path = str_from(paths[1]);
    shield_named(stage.shield, &name);
    assert_int_equal(aliases_at(stage.shield->aliases, str_from(paths[1])), 0);
    assert_int_equal(unlink(paths[0]), 0);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced_from_outside),
        cmocka_unit_test(test_own_rename_over_a_name),
        cmocka_unit_test(test_victim_opened_again),
        cmocka_unit_test(test_renamed_while_saved),
        cmocka_unit_test(test_charged_lives_on),
        cmocka_unit_test(test_watched_lives_on),
        cmocka_unit_test(test_name_lost_before_a_link),
        cmocka_unit_test(test_second_open_unseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
