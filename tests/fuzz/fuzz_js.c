/* Any program is a row of tokens that stand in it one behind the other; with a blank or a comment
 * before it and behind it, it is the same row. */
#include "fuzz.h"

#include "codec/js.h"

#define SIZE_MOST 65536

static void check_tokens(struct str text)
{
    struct js_lexer lexer;
    struct js_token token;
    size_t before = 0;

    js_open(&lexer, text);
    while (js_next(&lexer, &token)) {
        char room[64];
        struct str plain = js_plain(token.text, room, sizeof(room));

        fuzz_check(lexer.at > before && lexer.at <= text.len);
        fuzz_check(token.kind < JS_KIND_COUNT);
        fuzz_check(token.text.ptr >= text.ptr + before);
        fuzz_check(token.text.ptr + token.text.len <= text.ptr + lexer.at);
        fuzz_check(plain.ptr == token.text.ptr || plain.len <= sizeof(room));
        before = lexer.at;
    }
}

static void check_same(struct str text, struct str other)
{
    struct js_lexer one;
    struct js_lexer two;
    struct js_token a;
    struct js_token b;

    js_open(&one, text);
    js_open(&two, other);
    while (js_next(&one, &a)) {
        fuzz_check(js_next(&two, &b) && a.kind == b.kind && str_is(a.text, b.text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_input(data, size);
    struct buf buf;

    if (size > SIZE_MOST) {
        return 0;
    }
    check_tokens(text);
    buf_init(&buf, SIZE_MOST + 64);
    (void)buf_put_text(&buf, " /* a */\n\t// b\n");
    (void)buf_put_str(&buf, text);
    check_same(text, buf_str(&buf));
    buf_done(&buf);
    return 0;
}
