/* Lines out of pieces: however the stream is cut, the lines are the same. */
#include "prop.h"

#include "codec/lines.h"

#include <string.h>

#define LINE_MAX_BYTES 20

struct collected {
    struct buf text; /* each line, '!' where it was cut, and '|' */
    int answer;
};

static int collect(void *context, struct str line, bool is_cut)
{
    struct collected *collected = context;

    (void)buf_put_str(&collected->text, line);
    (void)buf_put_text(&collected->text, is_cut ? "!|" : "|");
    return collected->answer;
}

static void read_pieces(struct str text, size_t piece, struct buf *ret_text)
{
    struct collected collected = {0};
    struct lines lines;

    buf_init(&collected.text, 1 << 20);
    lines_init(&lines, LINE_MAX_BYTES, collect, &collected);
    for (size_t at = 0; at < text.len; at += piece) {
        assert_int_equal(lines_feed(&lines, str_slice(text, at, at + piece)), 0);
    }
    assert_int_equal(lines_end(&lines), 0);
    lines_done(&lines);
    *ret_text = collected.text;
}

static void test_lines(void **state)
{
    static const struct {
        const char *text;
        const char *lines;
    } cases[] = {
        {"", ""},
        {"a", "a|"},
        {"a\n", "a|"},
        {"a\r\n\r\nb", "a||b|"},
        {"\n\n", "||"},
        {"12345678901234567890\nx\n", "12345678901234567890|x|"},
        {"123456789012345678901\nx\n", "12345678901234567890!|x|"},
        {"1234567890123456789012345678901234567890123", "12345678901234567890!|"},
        {"x\n1234567890123456789012345678901234567890123\r\ny", "x|12345678901234567890!|y|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece < 50; piece++) {
            struct buf text;

            read_pieces(str_from(cases[i].text), piece, &text);
            assert_str(buf_str(&text), cases[i].lines);
            buf_done(&text);
        }
    }
}

static const char *pieces_do_not_matter(struct prop *prop)
{
    struct str text = prop_bytes(prop, 200);
    char *bytes = arena_alloc(prop->arena, text.len + 1, 1);
    const char *broke = NULL;
    struct buf whole;
    struct buf cut;

    assert_non_null(bytes);
    for (size_t i = 0; i < text.len; i++) { /* newlines are what this is about */
        bytes[i] = (unsigned char)text.ptr[i] < 60 ? '\n' : text.ptr[i];
    }
    text.ptr = bytes;
    read_pieces(text, text.len + 1, &whole);
    read_pieces(text, 1 + prop_below(prop, 30), &cut);
    if (!str_is(buf_str(&whole), buf_str(&cut))) {
        broke = "another cut gave other lines";
    }
    buf_done(&whole);
    buf_done(&cut);
    return broke;
}

static void test_pieces(void **state)
{
    (void)state;
    prop_check("pieces do not matter", pieces_do_not_matter, 500);
}

static void test_answer_ends(void **state)
{
    struct collected collected = {.answer = -ERR_CANCELED};
    struct lines lines;

    (void)state;
    buf_init(&collected.text, 100);
    lines_init(&lines, LINE_MAX_BYTES, collect, &collected);
    assert_int_equal(lines_feed(&lines, STR("a\nb\n")), -ERR_CANCELED);
    assert_str(buf_str(&collected.text), "a|");
    lines_done(&lines);
    buf_done(&collected.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_answer_ends),
    };

    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
