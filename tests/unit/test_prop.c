/* The property frame itself: it finds what is wrong and makes it small. */
#include "prop.h"

static uint64_t smallest_sum;
static size_t smallest_count;

/* Wrong for any list that holds a number above 1000. */
static const char *all_are_small(struct prop *prop)
{
    size_t count = prop_below(prop, 50);
    uint64_t sum = 0;
    bool is_small = true;

    for (size_t i = 0; i < count; i++) {
        uint64_t value = prop_below(prop, 100000);

        sum += value;
        is_small = is_small && value <= 1000;
    }
    if (!is_small) {
        smallest_sum = sum;
        smallest_count = count;
    }
    return is_small ? NULL : "a large number";
}

static void test_shrinks(void **state)
{
    static struct prop prop;
    const char *broke = NULL;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        memset(&prop, 0, sizeof(prop));
        prng_init(&prop.prng, seed);
        assert_int_equal(arena_new(PROP_ARENA_LIMIT, &prop.arena), 0);
        for (broke = NULL; broke == NULL;) {
            prop.count = 0;
            broke = prop_run(&prop, all_are_small);
        }
        while (prop_shrink_once(&prop, all_are_small)) {
        }
        prop.is_replaying = true;
        assert_non_null(prop_run(&prop, all_are_small));
        assert_int_equal(smallest_count, 1);
        assert_int_equal(smallest_sum, 1001);
        arena_free(prop.arena);
    }
}

static const char *text_is_utf8(struct prop *prop)
{
    return utf8_is_valid(prop_text(prop, 30)) ? NULL : "drawn text is not UTF-8";
}

static void test_text_is_utf8(void **state)
{
    (void)state;
    prop_check("text is UTF-8", text_is_utf8, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shrinks),
        cmocka_unit_test(test_text_is_utf8),
    };

    return cmocka_run_group_tests_name("prop", tests, NULL, NULL);
}
