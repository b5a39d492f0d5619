/* Names that are told late: what has become of files is put together from events that come when
 * all of it is over, and others have opened what stands there now. */
#include "shield_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Both names of a file are gone when the first is told of. */
static void test_both_names_replaced(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        if (i % 2 == 0) {
            make(&stage, i / 2, true);
        }
        path_of(&stage, i % 2 == 0 ? 'a' : 'b', i / 2, path);
        replace(&stage, path, &made[i]);
    }
    end_told(&stage, made, true);
}

/* Somebody reads what stands there now before it is told how it got there. */
static void test_replacement_opened_first(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        replace(&stage, path, &made[i]);
        read_file(&stage, path);
    }
    end_told(&stage, made, false);
}

/* It has gone on to another name, and was opened there, before anything is told. */
static void test_replacement_moved_on(void **state)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    (void)state;
    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        replace(&stage, path, &made[i]);
        read_file(&stage, path);
        path_of(&stage, 'c', i, path);
        assert_int_equal(rename(made[i].target, path), 0);
        read_file(&stage, path);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        struct made onward = {.handle = made[i].handle};

        tell(&stage, &made[i]);
        (void)snprintf(onward.path, sizeof(onward.path), "%s", made[i].target);
        path_of(&stage, 'c', i, onward.target);
        tell(&stage, &onward);
    }
    assert_all_told(&stage, made, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        path_of(&stage, 'c', i, path);
        assert_int_equal(unlink(path), 0);
    }
    stage_end(&stage);
}

/* What was renamed over a file is moved on, and the name is made anew and removed, many times: the
 * rename is the only event that tells of the file. comes_back: what was renamed over it stands
 * there now. */
static void removed_and_made_anew(int times, bool comes_back)
{
    struct made made[2 * PAIRS];
    struct stage stage;

    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];
        char other[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        path_of(&stage, 'c', i, other);
        replace(&stage, path, &made[i]);
        assert_int_equal(rename(path, other), 0);
        for (int time = 0; time < times; time++) {
            int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

            assert_true(fd >= 0);
            (void)visit(&stage, path, fd, true);
            assert_int_equal(unlink(path), 0);
        }
        if (comes_back) {
            assert_int_equal(rename(other, path), 0);
            read_file(&stage, path);
        }
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        tell(&stage, &made[i]);
    }
    assert_all_told(&stage, made, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char other[64];

        path_of(&stage, 'c', i, other);
        assert_int_equal(unlink(comes_back ? made[i].target : other), 0);
    }
    stage_end(&stage);
}

static void test_removed_and_made_anew(void **state)
{
    (void)state;
    removed_and_made_anew(3, false);
    removed_and_made_anew(40, false);
    removed_and_made_anew(40, true);
}

/* Three times in a row; which of the three somebody opened there changes nothing. */
static void replaced_thrice(unsigned opened)
{
    struct made made[2 * PAIRS][3];
    struct made first[2 * PAIRS];
    struct stage stage;

    stage_begin(&stage);
    for (int i = 0; i < 2 * PAIRS; i++) {
        char path[64];

        make(&stage, i, false);
        path_of(&stage, 'a', i, path);
        read_file(&stage, path);
        for (unsigned turn = 0; turn < 3; turn++) {
            put_over(&stage, path, &made[i][turn]);
            if ((opened & 1U << turn) != 0) {
                read_file(&stage, path);
            }
        }
        first[i] = made[i][0];
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        for (int turn = 0; turn < 3; turn++) {
            tell(&stage, &made[i][turn]);
        }
    }
    assert_all_told(&stage, first, 2 * PAIRS, false);
    for (int i = 0; i < 2 * PAIRS; i++) {
        (void)unlink(first[i].target);
    }
    stage_end(&stage);
}

static void test_three_replacements(void **state)
{
    (void)state;
    for (unsigned opened = 0; opened < 8; opened++) {
        replaced_thrice(opened);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_names_replaced),
        cmocka_unit_test(test_replacement_opened_first),
        cmocka_unit_test(test_replacement_moved_on),
        cmocka_unit_test(test_removed_and_made_anew),
        cmocka_unit_test(test_three_replacements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
