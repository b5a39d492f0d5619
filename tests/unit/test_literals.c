/* Many literals against looking for each by itself. */
#include "harness.h"

#include "base/literals.h"
#include "base/prng.h"

#include <stdio.h>
#include <string.h>

#define LITERALS 40
#define TEXT     400

struct haystack {
    char text[TEXT];
    char literals[LITERALS][LITERAL_MAX];
    size_t lens[LITERALS];
    size_t count;
};

/* Few letters, so that literals stand in each other and nearly stand in the text. */
static void haystack_draw(struct prng *prng, struct haystack *haystack, size_t shortest)
{
    for (size_t i = 0; i < TEXT; i++) {
        haystack->text[i] = (char)('a' + prng_below(prng, 2));
    }
    haystack->count = 1 + prng_below(prng, LITERALS);
    for (size_t i = 0; i < haystack->count; i++) {
        haystack->lens[i] = shortest + prng_below(prng, 12);
        if (prng_below(prng, 2) == 0) {
            memcpy(haystack->literals[i], haystack->text + prng_below(prng, TEXT - 32),
                   LITERAL_MAX / 2);
            continue;
        }
        for (size_t j = 0; j < haystack->lens[i]; j++) {
            haystack->literals[i][j] = (char)('a' + prng_below(prng, 2));
        }
    }
}

/* The length of the longest literal at a place, 0: none. */
static size_t longest_at(const struct haystack *haystack, size_t len, size_t at)
{
    size_t longest = 0;

    for (size_t i = 0; i < haystack->count; i++) {
        size_t size = haystack->lens[i];

        if (size > longest && size <= len - at &&
            memcmp(haystack->text + at, haystack->literals[i], size) == 0) {
            longest = size;
        }
    }
    return longest;
}

static void check_haystack(const struct literals *literals, const struct haystack *haystack,
                           size_t len)
{
    struct str text = str_of(haystack->text, len);
    size_t from = 0;

    for (size_t at = 0; at < len; at++) {
        struct literals_hit hit;
        size_t longest = longest_at(haystack, len, at);

        if (longest == 0) {
            continue;
        }
        assert_true(literals_find(literals, text, from, &hit));
        assert_int_equal(hit.at, at);
        assert_int_equal(hit.len, longest);
        from = at + 1;
    }
    assert_false(literals_find(literals, text, from, &(struct literals_hit){0}));
}

static void test_as_one_by_one(void **state)
{
    static struct haystack haystack;
    struct prng prng;

    (void)state;
    prng_init(&prng, 12);
    for (unsigned round = 0; round < 400; round++) {
        struct literals *literals;

        haystack_draw(&prng, &haystack, LITERAL_MIN + round % 8);
        assert_int_equal(literals_new(LITERALS, &literals), 0);
        for (size_t i = 0; i < haystack.count; i++) {
            assert_int_equal(
                literals_add(literals, str_of(haystack.literals[i], haystack.lens[i]), (uint32_t)i),
                0);
        }
        check_haystack(literals, &haystack, TEXT);
        check_haystack(literals, &haystack, prng_below(&prng, 24));
        literals_free(literals);
    }
}

static void test_thousands(void **state)
{
    struct literals *literals;
    struct literals_hit hit;
    char literal[16];

    (void)state;
    assert_int_equal(literals_new(5000, &literals), 0);
    for (unsigned i = 0; i < 5000; i++) {
        int len = snprintf(literal, sizeof(literal), "nhacai%u", i);

        assert_int_equal(literals_add(literals, str_of(literal, (size_t)len), i), 0);
    }
    assert_true(literals_find(literals, STR("vao nhacai4999 ngay"), 0, &hit));
    assert_int_equal(hit.value, 4999);
    assert_int_equal(hit.at, 4);
    assert_false(literals_find(literals, STR("nha cai 4999, nhacai"), 0, &hit));
    literals_free(literals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_one_by_one),
        cmocka_unit_test(test_thousands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
