/* The tokenizer, character references, character sets and composition: small texts whose tokens a
 * browser's developer tools would show so. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/compose.h"
#include "base/utf8.h"
#include "codec/charset.h"
#include "codec/html.h"

#include <stdio.h>
#include <string.h>

#define ARENA_LIMIT (4U << 20)

/* The tokens of a text, one word each: "+p(class=a)", "-p", "'text'", "!comment", "#raw". */
static const char *tokens_of(struct str text)
{
    static char line[4096];
    struct html_reader *reader = mem_alloc(1, sizeof(*reader));
    const struct html_token *token;
    struct buf out;

    assert_non_null(reader);
    buf_init(&out, sizeof(line) - 1);
    html_open(reader, text);
    while ((token = html_next(reader)) != NULL) {
        static const char *const marks[HTML_KIND_COUNT] = {"'", "#", "+", "-", "!"};

        buf_put_text(&out, out.len != 0 ? " " : "");
        buf_put_text(&out, marks[token->kind]);
        buf_put_str(&out, token->kind == HTML_KIND_OPEN || token->kind == HTML_KIND_CLOSE
                              ? token->name
                              : token->text);
        for (size_t i = 0; i < token->attribute_count; i++) {
            buf_putf(&out, "(%.*s=%.*s)", STR_ARG(token->attributes[i].name),
                     STR_ARG(token->attributes[i].value));
        }
    }
    assert_int_equal(buf_error(&out), 0);
    (void)snprintf(line, sizeof(line), "%.*s", STR_ARG(buf_str(&out)));
    buf_done(&out);
    mem_free(reader);
    return line;
}

static void test_tokens(void **state)
{
    static const struct {
        const char *text;
        const char *tokens;
    } rows[] = {
        {"<p>a</p>", "+p 'a -p"},
        {"<P CLASS = 'a b' id=x y/>", "+P(CLASS=a b)(id=x)(y=)"},
        {"<a href=/x/y>", "+a(href=/x/y)"},
        {"<a href=\"x>y\">", "+a(href=x>y)"},
        {"<a =b=c>", "+a(=b=c)"},
        {"1 < 2 <3 <!>x</>y", "'1 < 2 <3  ! 'x 'y"},
        {"a<", "'a<"},
        {"a</", "'a</"},
        {"a<b", "'a"},
        {"a<b c='d", "'a"},
        {"<!-- a > b -->c", "! a > b  'c"},
        {"<!-->a<!--->b<!--c--!>d", "! 'a ! 'b !c 'd"},
        {"<!-- no end <p>", "! no end <p>"},
        {"<!doctype html><?php x ?>y", "!doctype html !?php x ? 'y"},
        {"</ p>a", "! p 'a"},
        {"<script>a<b</p></Script >c", "+script #a<b</p> -Script 'c"},
        {"<script></script>c", "+script -script 'c"},
        {"<script><!-- <script> </script> --></script>c",
         "+script #<!-- <script> </script> --> -script 'c"},
        {"<script><!-- a </script>c", "+script #<!-- a  -script 'c"},
        {"<script><!--><script></script>c", "+script #<!--><script> -script 'c"},
        {"<script>no end", "+script #no end"},
        {"<style>p>a{}</styles></style>", "+style #p>a{}</styles> -style"},
        {"<title>a<b></title><textarea></p></textarea>",
         "+title #a<b> -title +textarea #</p> -textarea"},
        {"<plaintext></plaintext>", "+plaintext #</plaintext>"},
        {"<script/>x", "+script #x"},
        {"<svg><title/><script/></svg>x", "+svg +title +script -svg 'x"},
        {"<iframe><p></iframe>", "+iframe #<p> -iframe"},
        {"<x-y.z>", "+x-y.z"},
        {"<p/ a>", "+p(a=)"},
        {"<p a='1'b=2>", "+p(a=1)(b=2)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(tokens_of(str_from(rows[i].text)), rows[i].tokens);
    }
}

static void test_tags(void **state)
{
    (void)state;
    assert_int_equal(html_tag(html_key(STR("BlockQuote"))), HTML_TAG_BLOCKQUOTE);
    assert_int_equal(html_tag(html_key(STR("h1"))), HTML_TAG_H1);
    assert_int_equal(html_tag(html_key(STR("h7"))), HTML_TAG_OTHER);
    assert_int_equal(html_tag(html_key(STR("plaintexts"))), HTML_TAG_OTHER);
    assert_int_equal(html_tag(html_key(STR(""))), HTML_TAG_OTHER);
    assert_true((html_traits(HTML_TAG_BR) & HTML_VOID) != 0);
}

static void test_attributes_have_a_limit(void **state)
{
    struct html_reader *reader = mem_alloc(1, sizeof(*reader));
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 16);
    buf_put_text(&text, "<p");
    for (unsigned i = 0; i < 1000; i++) {
        buf_putf(&text, " a%u=%u", i, i);
    }
    buf_put_text(&text, ">x");
    html_open(reader, buf_str(&text));
    assert_int_equal(html_next(reader)->attribute_count, HTML_ATTRIBUTES_MAX);
    assert_str(html_attribute(&reader->token, html_key(STR("A63")))->value, "63");
    assert_str(html_next(reader)->text, "x");
    buf_done(&text);
    mem_free(reader);
}

static void test_references(void **state)
{
    static const struct {
        const char *raw;
        const char *text; /* in an attribute */
    } rows[] = {
        {"a&amp;b", "a&b"},
        {"&eacute;&#233;&#xE9;&#Xe9", "éééé"},
        {"&#7912;ng", "Ứng"},
        {"&copy", "©"},
        {"?a=1&copy=2", "?a=1&copy=2"},
        {"&notit;", "&notit;"},
        {"&bogus;&;&", "&bogus;&;&"},
        {"&#0;&#xD800;&#x110000;&#99999999999;",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"&#128;&#150;", "€–"},
        {"&#;&#x;", "&#;&#x;"},
        {"&CounterClockwiseContourIntegral;", "∳"},
        {"&nGt;&ngE;", "≫⃒≧̸"},
        {"&nbsp;", "\xc2\xa0"},
    };
    char out[HTML_REFERENCE_MAX];
    struct arena *arena = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(arena_new(ARENA_LIMIT, &arena), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_str(html_decode(str_from(rows[i].raw), arena), rows[i].text);
    }
    assert_int_equal(html_reference(STR("&notit;"), false, out, &len), 4); /* "¬it;" in text */
    assert_str(str_of(out, len), "¬");
    assert_int_equal(html_reference(STR("&copy=2"), false, out, &len), 5);
    arena_free(arena);
}

static struct str decoded(struct arena *arena, const char *bytes, size_t len, const char *label)
{
    struct str body = str_of(bytes, len);

    return charset_decode(body, charset_find(body, str_from(label)), arena);
}

#define DECODED(bytes, label) decoded(arena, bytes, sizeof(bytes) - 1, label)

static void test_charsets(void **state)
{
    struct arena *arena = NULL;

    (void)state;
    assert_int_equal(arena_new(ARENA_LIMIT, &arena), 0);
    assert_str(DECODED("Đồng Nai", ""), "Đồng Nai");
    assert_str(DECODED("\xef\xbb\xbfĐ", "windows-1252"), "Đ");
    assert_str(DECODED("\xff\xfe\x10\x01\x3d\xd8\x00\xde\x00\xd8", ""), "Đ😀\xef\xbf\xbd");
    assert_str(DECODED("\xfe\xff\x01\x10", "utf-8"), "Đ");
    assert_str(DECODED("caf\xe9 \x80", "ISO-8859-1"), "café €");
    /* Who says nothing and is not UTF-8 is read as Vietnamese: ê and its acute are two bytes. */
    assert_str(DECODED("\xd0\xea\xec", ""), "Đ\xc3\xaa\xcc\x81");
    assert_str(DECODED("<meta http-equiv=x content='text/html; charset=windows-1258'>\xd0", ""),
               "<meta http-equiv=x content='text/html; charset=windows-1258'>Đ");
    assert_str(DECODED("<meta charset=windows-1252>\xd0", ""), "<meta charset=windows-1252>Ð");
    assert_str(DECODED("<meta charset=utf-16>a", ""), "<meta charset=utf-16>a");
    /* A comment does not choose how a page is read. */
    assert_str(DECODED("<!-- <meta charset=windows-1252> -->Đ", ""),
               "<!-- <meta charset=windows-1252> -->Đ");
    assert_str(DECODED("Đồng \xff Nai \xc4", ""), "Đồng \xff Nai \xc4"); /* a fault or a cut */
    assert_str(DECODED("a\xff", "gbk"), "a\xff");
    arena_free(arena);
}

static void test_charset_without_room(void **state)
{
    struct arena *arena = NULL;

    (void)state;
    assert_int_equal(arena_new(64, &arena), 0);
    assert_null(decoded(arena,
                        "\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9"
                        "\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9",
                        32, "windows-1252")
                    .ptr);
    arena_free(arena);
}

/* Each letter of Vietnamese by the letter it is built on, its shape and its tone. */
static void test_compose(void **state)
{
    static const char *const letters = "ấầẩẫậắằẳẵặếềểễệốồổỗộớờởỡợứừửữự";
    static const uint32_t tones[] = {0x301, 0x300, 0x309, 0x303, 0x323};
    static const char *const bases = "âăêôơư";
    static const struct {
        uint32_t plain;
        uint32_t shape;
    } parts[] = {{'a', 0x302}, {'a', 0x306}, {'e', 0x302},
                 {'o', 0x302}, {'o', 0x31b}, {'u', 0x31b}};
    struct str rest = str_from(letters);
    struct str base_rest = str_from(bases);

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        uint32_t base = 0;

        base_rest = str_slice(base_rest, utf8_decode(base_rest, &base), base_rest.len);
        assert_int_equal(compose_rune(parts[i].plain, parts[i].shape), base);
        for (size_t t = 0; t < 5; t++) {
            uint32_t letter = 0;

            rest = str_slice(rest, utf8_decode(rest, &letter), rest.len);
            assert_int_equal(compose_rune(base, tones[t]), letter);
            assert_int_equal(compose_rune(compose_rune(parts[i].plain, tones[t]), parts[i].shape),
                             letter);
        }
    }
    assert_int_equal(compose_rune('c', 0x327), 0xe7);
    assert_int_equal(compose_rune('x', 0x302), 0);
    assert_int_equal(compose_rune(0x1f600, 0x302), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_attributes_have_a_limit),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_charset_without_room),
        cmocka_unit_test(test_compose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
