/* JavaScript as tokens: strings, templates and regular expressions in the places where they are
 * hard to tell, and that setting a program anew changes none of them. */
#include "harness.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "codec/js.h"

/* Tokens with their kind before them, a bar behind each. */
static struct str tokens_of(struct str text)
{
    static struct buf buf;
    struct js_lexer lexer;
    struct js_token token;

    buf_done(&buf);
    buf_init(&buf, 1 << 20);
    js_open(&lexer, text);
    while (js_next(&lexer, &token)) {
        (void)buf_putf(&buf, "%c%.*s|", "n0st/ "[token.kind], STR_ARG(token.text));
    }
    return buf_str(&buf);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *program;
        const char *tokens;
    } rows[] = {
        {"", ""},
        {"var a = 1.5e-3+0xff;", "nvar|na| =|01.5e-3| +|00xff| ;|"},
        {"'it\\'s' + \"a\\\"b\"", "sit\\'s| +|sa\\\"b|"},
        {"a // b\n/* c */ d /* e", "na|nd|"},
        {"a // b\xe2\x80\xa8"
         "c()",
         "na|nc| (| )|"},
        {"eval\xc2\xa0(x)", "neval| (|nx| )|"},
        {"<!-- old\na", "na|"},
        {"a = 'open\nb = 2", "na| =|sopen|nb| =|02|"},
        {"a / b / c", "na| /|nb| /|nc|"},
        {"x = /[/'\"]+/gi.test(s)", "nx| =|/[/'\"]+| .|ntest| (|ns| )|"},
        {"return /a\\/b/", "nreturn|/a\\/b|"},
        {"o.return / 2 / 3", "no| .|nreturn| /|02| /|03|"},
        {"if (x) /'/.test(y)", "nif| (|nx| )|/'| .|ntest| (|ny| )|"},
        {"f(x) / 2 / y", "nf| (|nx| )| /|02| /|ny|"},
        {"a[0] / 2 / b", "na| [|00| ]| /|02| /|nb|"},
        {"i++ / 2 / j", "ni| +| +| /|02| /|nj|"},
        {"= / b\n 'c'", " =| /|nb|sc|"},
        {"`a${b + `c${d}e`}f` / 2 / g", "ta|nb| +|tc|nd|te|tf| /|02| /|ng|"},
        {"`${ {x: '}'} }`", "t| {|nx| :|s}| }|t|"},
        {"\\u0065val('1')", "n\\u0065val| (|s1| )|"},
        {"`a${b", "ta|nb|"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_str(tokens_of(str_from(rows[i].program)), rows[i].tokens);
    }
}

static void test_plain_strings(void **state)
{
    static const char *const rows[][2] = {
        {"https:\\/\\/a.vn\\/", "https://a.vn/"},
        {"\\x68\\u0074\\u{74}p", "http"},
        {"\\u1ec7", "\xe1\xbb\x87"},
        {"a\\xzz\\u{", "axzzu{"},
        {"none", "none"},
        {"a\\", "a\\"},
    };
    char room[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_str(js_plain(str_from(rows[i][0]), room, sizeof(room)), rows[i][1]);
    }
    assert_str(js_plain(STR("\\a\\b\\c\\d\\e\\f"), room, 8), "abcde");
}

/* White space and comments of every kind, wherever two tokens meet. */
static void test_set_anew(void **state)
{
    static const char *const pieces[] = {
        "var",   " x",     "=",     "/re'\\/[/]/g",
        ".test", "(",      "'a b'", ")",
        "?",     "`t${",   "y",     "}`",
        ":",     "0x1f",   ";",     "if",
        "(",     "x",      ")",     "{",
        "x",     "/",      "2",     "/",
        "y",     ";",      "}",     "f",
        "(",     "\"//\"", "+",     "1.5",
        ",",     "[",      "1",     "]",
        "/",     "3",      ")",     ";",
    };
    static const char *const blanks[] = {" ",        "\n",          "\t",       "\r\n",
                                         " /* x */", " // y'\"`\n", "\xc2\xa0", "\n<!-- z\n"};
    struct prng prng;
    struct buf plain;
    struct buf set;

    (void)state;
    prng_init(&prng, 11);
    for (unsigned round = 0; round < 200; round++) {
        struct buf expected;

        buf_init(&plain, 4096);
        buf_init(&set, 8192);
        buf_init(&expected, 8192);
        for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
            (void)buf_putf(&plain, " %s", pieces[i]);
            (void)buf_putf(&set, "%s%s", blanks[prng_below(&prng, ARRAY_LEN(blanks))], pieces[i]);
        }
        (void)buf_put_str(&expected, tokens_of(buf_str(&plain)));
        (void)buf_put_byte(&expected, '\0');
        assert_str(tokens_of(buf_str(&set)), expected.ptr);
        buf_done(&plain);
        buf_done(&set);
        buf_done(&expected);
    }
}

/* A program that was made to be slow to read is not. */
static void test_hostile_programs(void **state)
{
    static const char *const seeds[] = {"=/[", "`${", "(/", "/*", "\"\\u{", "<!", "if(/x[/)"};
    struct buf buf;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
        struct js_lexer lexer;
        struct js_token token;
        size_t count = 0;

        buf_init(&buf, 2 << 20);
        while (buf.len < 1 << 20) {
            (void)buf_put_text(&buf, seeds[i]);
        }
        js_open(&lexer, buf_str(&buf));
        while (js_next(&lexer, &token)) {
            count++;
        }
        assert_true(count <= buf.len && lexer.at == buf.len);
        buf_done(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_plain_strings),
        cmocka_unit_test(test_set_anew),
        cmocka_unit_test(test_hostile_programs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
