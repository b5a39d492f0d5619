/* Who comes late is heard too, however many came before. */
#include "harness.h"

#include "detect/ransom/judge.h"

/* A row a file, a hundred thousand files, one process after the other: bounded, and nothing is
 * refused. */
static void test_bounds(void **state)
{
    struct judge *judge;
    bool is_ruling;

    (void)state;
    assert_int_equal(judge_new(&judge_limits_default, &judge), 0);
    for (uint64_t i = 1; i <= 100000; i++) {
        int32_t pid = (int32_t)i + 100;
        struct actor actor = {
            .key = {pid, i}, .parent = {1, 1}, .session = pid, .exe_ino = i % 7, .uid = 3};
        struct judge_step step = {.kind = JUDGE_STEP_ACTOR, .actor = &actor, .time = (int64_t)i};

        assert_int_equal(judge_step(judge, &step, &is_ruling), 0);
        step = (struct judge_step){
            .kind = JUDGE_STEP_READ, .who = actor.key, .file = {1, i}, .size = 10};
        assert_int_equal(judge_step(judge, &step, &is_ruling), 0);
        step = (struct judge_step){.kind = i % 2 == 0 ? JUDGE_STEP_CREATE : JUDGE_STEP_DELETE,
                                   .who = actor.key,
                                   .file = {1, i % 2 == 0 ? i + 1000000 : i},
                                   .path = STR("/srv/a/path/of/some/length")};
        assert_int_equal(judge_step(judge, &step, &is_ruling), 0);
        assert_false(is_ruling);
    }
    judge_free(judge);
}

/* An empty file takes a name and is removed, by one process each: nothing is charged to anybody for
 * it, and those that come later are still heard. */
static void test_bounds_of_the_wiped(void **state)
{
    struct judge_limits limits = judge_limits_default;
    struct content_change change;
    struct judge *judge;
    bool is_ruling;
    char text[4096];

    (void)state;
    limits.actors_max = 64;
    assert_int_equal(judge_new(&limits, &judge), 0);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = "Báo cáo tháng 11 của Sở Thông tin và Truyền thông. "[i % 60];
    }
    content_change_init(&change, sizeof(text), 0);
    content_change_add(&change, str_of(text, sizeof(text)), STR(""), true);
    for (uint64_t i = 1; i <= 1000; i++) {
        struct actor actor = {
            .key = {(int32_t)i + 100, i}, .session = (int32_t)i + 100, .exe_ino = i, .uid = 3};
        struct judge_step steps[] = {
            {.kind = JUDGE_STEP_ACTOR, .actor = &actor},
            {.kind = JUDGE_STEP_RENAME,
             .victim = {1, 2 * i},
             .victim_version = i,
             .path = STR("/srv/t"),
             .target_path = STR("/srv/f")},
            {.kind = JUDGE_STEP_CONTENT,
             .version = i,
             .change = &change,
             .format_before = CONTENT_FORMAT_TEXT},
            {.kind = JUDGE_STEP_DELETE, .path = STR("/srv/f")},
            {.kind = JUDGE_STEP_EXIT},
        };

        for (size_t n = 0; n < sizeof(steps) / sizeof(steps[0]); n++) {
            steps[n].who = actor.key;
            steps[n].file = (struct file_key){1, 2 * i + 1};
            steps[n].time = (int64_t)i;
            assert_int_equal(judge_step(judge, &steps[n], &is_ruling), 0);
            assert_false(is_ruling);
        }
    }
    judge_free(judge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_bounds_of_the_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
