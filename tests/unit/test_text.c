/* Texts: languages, catalogues of either byte order, and catalogues that are none. */
#include "harness.h"

#include "base/text.h"

#include <string.h>

#define CATALOGUE_SIZE 128

static size_t put_word(char *bytes, size_t at, uint32_t value, bool is_swapped)
{
    uint32_t word = is_swapped ? __builtin_bswap32(value) : value;

    memcpy(bytes + at, &word, sizeof(word));
    return at + sizeof(word);
}

/* Two sentences in the layout of GNU .mo. */
static size_t make_catalogue(char bytes[CATALOGUE_SIZE], bool is_swapped)
{
    static const char *const texts[] = {"", "stop", "header", "dừng"};
    const uint32_t head[] = {0x950412de, 0, 2, 28, 44, 0, 0};
    size_t data = 60;
    size_t at = 0;

    memset(bytes, 0, CATALOGUE_SIZE);
    for (size_t i = 0; i < 7; i++) {
        at = put_word(bytes, at, head[i], is_swapped);
    }
    for (size_t i = 0; i < 4; i++) {
        at = put_word(bytes, at, (uint32_t)strlen(texts[i]), is_swapped);
        at = put_word(bytes, at, (uint32_t)data, is_swapped);
        memcpy(bytes + data, texts[i], strlen(texts[i]) + 1);
        data += strlen(texts[i]) + 1;
    }
    return data;
}

static void test_translates(void **state)
{
    static char bytes[2][CATALOGUE_SIZE];

    (void)state;
    for (int order = 0; order < 2; order++) {
        size_t len = make_catalogue(bytes[order], order == 1);

        assert_int_equal(text_load(LANGUAGE_VI, str_of(bytes[order], len)), 0);
        assert_string_equal(text_in(LANGUAGE_VI, "stop"), "dừng");
        assert_string_equal(text_in(LANGUAGE_VI, "go"), "go");
        assert_string_equal(text_in(LANGUAGE_VI, "zzz"), "zzz");
        assert_string_equal(text_in(LANGUAGE_VI, ""), ""); /* not the catalogue's header */
        assert_string_equal(text_in(LANGUAGE_EN, "stop"), "stop");
        text_set_language(LANGUAGE_EN);
        assert_string_equal(_("stop"), "stop");
        text_set_language(LANGUAGE_VI);
        assert_string_equal(_("stop"), "dừng");
        assert_int_equal(text_language(), LANGUAGE_VI);
    }
}

/* Each cut and each changed byte of tables and heads is refused or harmless. */
static void test_damage(void **state)
{
    static char sound[CATALOGUE_SIZE];
    static char bytes[CATALOGUE_SIZE];
    size_t len = make_catalogue(sound, false);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(text_load(LANGUAGE_EN, str_of(sound, cut)), -ERR_SYNTAX);
    }
    for (size_t at = 0; at < 60; at++) {
        for (int value = 0; value < 256; value += 15) {
            memcpy(bytes, sound, sizeof(bytes));
            bytes[at] = (char)value;
            if (text_load(LANGUAGE_EN, str_of(bytes, len)) == 0) {
                assert_true(strlen(text_in(LANGUAGE_EN, "stop")) < sizeof(bytes));
            }
        }
    }
    assert_int_equal(text_load(LANGUAGE_EN, str_of(sound, len)), 0);
}

static void test_languages(void **state)
{
    enum language language = LANGUAGE_COUNT;

    (void)state;
    assert_true(text_parse_language(STR("vi"), &language));
    assert_int_equal(language, LANGUAGE_VI);
    assert_true(text_parse_language(STR("en"), &language));
    assert_int_equal(language, LANGUAGE_EN);
    assert_false(text_parse_language(STR("EN"), &language));
    assert_false(text_parse_language(STR(""), &language));
    assert_false(text_parse_language(str_from(NULL), &language));
    assert_string_equal(text_language_name(LANGUAGE_VI), "vi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translates),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_languages),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
