/* Who fights over a file: the first times cost nothing, then it slows, and it never gives up. */
#include "harness.h"

#include "detect/integrity/loops.h"

#include <string.h>

#define PAGE STR("index.php")

static void test_slows(void **state)
{
    struct loops *loops = NULL;
    int64_t now = 5 * NS_PER_S;
    int64_t last_wait = 0;
    unsigned news = 0;

    (void)state;
    assert_int_equal(loops_new(100, 1, &loops), 0);
    for (unsigned i = 0; i < LOOPS_FREE; i++) {
        struct loops_answer answer = loops_ask(loops, PAGE, now);

        assert_int_equal(answer.due, now);
        assert_false(answer.is_news);
        loops_note(loops, PAGE, now);
        now += 30 * NS_PER_MS;
    }
    for (unsigned i = 0; i < 20; i++) {
        struct loops_answer answer = loops_ask(loops, PAGE, now);
        int64_t wait = answer.due - (now - 30 * NS_PER_MS);

        news += answer.is_news ? 1U : 0U;
        assert_true(answer.due > now);
        assert_true(answer.due - now <= LOOPS_WAIT_MAX);
        assert_true(wait >= last_wait);
        last_wait = wait;
        assert_int_equal(loops_ask(loops, PAGE, answer.due).due, answer.due); /* its turn comes */
        assert_int_equal(loops_ask(loops, STR("other.php"), now).due, now);
        loops_note(loops, PAGE, answer.due);
        now = answer.due + 30 * NS_PER_MS;
    }
    assert_int_equal(news, 1);
    loops_free(loops);
}

/* After a rest it is as if nothing had been, and a new fight is news again. */
static void test_forgives(void **state)
{
    struct loops *loops = NULL;
    int64_t now = 0;

    (void)state;
    assert_int_equal(loops_new(100, 1, &loops), 0);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LOOPS_FREE; i++) {
            assert_int_equal(loops_ask(loops, PAGE, now).due, now);
            loops_note(loops, PAGE, now);
        }
        assert_true(loops_ask(loops, PAGE, now).is_news);
        now += 3 * LOOPS_WINDOW;
        assert_int_equal(loops_ask(loops, PAGE, now).due <= now, 1);
        loops_note(loops, PAGE, now); /* the fight is over by then */
        now += 3 * LOOPS_WINDOW;
        loops_note(loops, PAGE, now);
        now += 3 * LOOPS_WINDOW;
    }
    loops_free(loops);
}

/* More files than it remembers: none of them waits for that, and old ones make room. */
static void test_bounded(void **state)
{
    struct loops *loops = NULL;

    (void)state;
    assert_int_equal(loops_new(4, 1, &loops), 0);
    for (char name = 'a'; name <= 'z'; name++) {
        struct str path = str_of(&name, 1);

        assert_int_equal(loops_ask(loops, path, 0).due, 0);
        loops_note(loops, path, 0);
    }
    for (unsigned i = 0; i < LOOPS_FREE; i++) {
        loops_note(loops, PAGE, 2 * LOOPS_WINDOW);
    }
    assert_true(loops_ask(loops, PAGE, 2 * LOOPS_WINDOW).due > 2 * LOOPS_WINDOW);
    loops_free(loops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slows),
        cmocka_unit_test(test_forgives),
        cmocka_unit_test(test_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
