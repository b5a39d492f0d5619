/* Words as a reader sees them, however they are written. */
#include "harness.h"

#include "detect/deface/fold.h"
#include "detect/deface/hosts.h"

#include <stdio.h>
#include <string.h>

/* The folded words, parted by blanks. */
static const char *folded(const char *text)
{
    static char out[512];
    struct arena *arena;
    struct fold fold;
    size_t len = 0;

    assert_int_equal(arena_new(1 << 20, &arena), 0);
    assert_int_equal(fold_init(&fold, arena, 64), 0);
    fold_add(&fold, str_from(text), 0);
    out[0] = '\0';
    for (size_t i = 0; i < fold.count; i++) {
        len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%.*s", i != 0 ? " " : "",
                                STR_ARG(fold_word_str(&fold.words[i])));
    }
    arena_free(arena);
    return out;
}

static void test_dau(void **state)
{
    (void)state;
    assert_string_equal(folded("Nhà cái uy tín ĐĂNG KÝ"), "nha cai uy tin dang ky");
    assert_string_equal(folded("nha\xcc\x80 ca\xcc\x81i"), "nha cai");
    assert_string_equal(folded("nha cai"), "nha cai");
}

static void test_disguises(void **state)
{
    (void)state;
    assert_string_equal(folded("nhà c\u0430\u0301i k\u200bu\u00adbet"), "nha cai kubet");
    assert_string_equal(folded("ｎｈà ｃáｉ"), "nha cai");
    assert_string_equal(folded("n.h.à c.á.i"), "nha cai");
    assert_string_equal(folded("h a c k e d by"), "hacked by");
    assert_string_equal(folded("n·ổ·h·ũ"), "nohu");
    assert_string_equal(folded("H4cked by nh@c4i"), "hacked by nhacai");
    assert_string_equal(folded("𝐤𝐮𝐛𝐞𝐭 🅺🆄"), "kubet ku");
}

static void test_left_alone(void **state)
{
    (void)state;
    assert_string_equal(folded("w88 789bet 24/7 covid19"), "w88 789bet 24 7 covid19");
    assert_string_equal(folded("a b c"), "a b c");
    assert_string_equal(folded("U.B. xã"), "u b xa");
    assert_string_equal(folded("百家乐"), "百 家 乐");
}

static void test_places(void **state)
{
    struct arena *arena;
    struct fold fold;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    assert_int_equal(fold_init(&fold, arena, 2), 0);
    fold_add(&fold, STR("xã nổ hũ to"), 1000);
    assert_int_equal(fold.count, 2); /* the room is the limit */
    assert_int_equal(fold.words[1].from, 1000 + strlen("xã "));
    assert_int_equal(fold.words[1].upto, 1000 + strlen("xã nổ"));
    fold_add(&fold, STR("\xff\xfe\x80 \xf0\x9f"), 0);
    arena_free(arena);
}

static void test_domains(void **state)
{
    (void)state;
    assert_str(host_domain(STR("dichvucong.hanoi.gov.vn")), "hanoi.gov.vn");
    assert_str(host_domain(STR("gov.vn")), "gov.vn");
    assert_str(host_domain(STR("a.b.example.com.")), "example.com");
    assert_str(host_domain(STR("10.1.2.3")), "10.1.2.3");
    assert_str(host_domain(STR("localhost")), "localhost");
    assert_str(host_domain(STR("")), "");
    assert_true(host_is_odd(STR("10.1.2.3")));
    assert_true(host_is_odd(STR("www.xn--nhci-loa.com")));
    assert_true(host_is_odd(STR("tin.top")));
    assert_false(host_is_odd(STR("top.gov.vn")));
    assert_true(host_is_public_body(STR("xa.hanoi.gov.vn")));
    assert_false(host_is_public_body(STR("gov.vn.example.com")));
    assert_true(host_is_common(STR("youtube.com")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dau),        cmocka_unit_test(test_disguises),
        cmocka_unit_test(test_left_alone), cmocka_unit_test(test_places),
        cmocka_unit_test(test_domains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
