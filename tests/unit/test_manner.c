/* How a text is written: made-up names are told from words, numbers and addresses, ornaments and
 * cries are counted. */
#include "harness.h"

#include "detect/deface/manner.h"

static void test_handles_are_told_from_words(void **state)
{
    static const char *const handles[] = {
        "k1ng_x", "xXViperXx", "D4rkN1ght", "Mr.Ghost", "[BlackCat]", "@quiet", "r00tk1d,", "An0n!",
    };
    static const char *const words[] = {
        "Nguyen",
        "2026",
        "COVID-19",
        "https://a.vn/kB2x",
        "info@tinh.gov.vn",
        "UBND",
        "Quyết",
        "a1",
        "B12",
        "12h30",
        "...",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        if (!manner_is_handle(str_from(handles[i]))) {
            fail_msg("%s is a made-up name", handles[i]);
        }
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (manner_is_handle(str_from(words[i]))) {
            fail_msg("%s is none", words[i]);
        }
    }
}

static void test_what_a_boast_looks_like(void **state)
{
    struct manner manner = {0};

    (void)state;
    manner_add(&manner, STR("-=[ GOT YOU!! ]=-  ★ by xX_Owl_Xx ★"));
    assert_int_equal(manner.handles, 1);
    assert_int_equal(manner.ornaments, 4);
    assert_int_equal(manner.cries, 2);
    assert_int_equal(manner.letters, 15);
    assert_int_equal(manner.capitals, 9);
}

static void test_ordinary_text_has_nothing_of_it(void **state)
{
    struct manner manner = {0};

    (void)state;
    manner_add(&manner, STR("Ủy ban nhân dân xã thông báo lịch tiếp công dân ngày 12/11/2026."));
    assert_int_equal(manner.handles, 0);
    assert_int_equal(manner.ornaments, 0);
    assert_int_equal(manner.cries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handles_are_told_from_words),
        cmocka_unit_test(test_what_a_boast_looks_like),
        cmocka_unit_test(test_ordinary_text_has_nothing_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
