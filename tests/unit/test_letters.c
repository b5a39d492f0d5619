/* Runs of letters, found many at a time, against looking at each. */
#include "harness.h"

#include "base/prng.h"
#include "detect/deface/page_words.h"

#include <string.h>

#define TEXT 160

/* What a run may hold, what ends it, and what is broken. */
static const char *const pieces[] = {"a",  "Z",        "~",        "ủy",   "ban",      "đ",
                                     "ệ",  "\xe1\xbb", "\xe1\xbc", "\xc3", "\xa9",     " ",
                                     "  ", "\n",       "&",        "\x7f", "\xcc\x81", "\xc2\xa0",
                                     "中", "nhân",     "\xcb\xbf"};

static bool is_plain(struct str text, size_t at)
{
    unsigned char byte = at < text.len ? (unsigned char)text.ptr[at] : 0;

    return byte > ' ' && byte < 0x7f && byte != '&';
}

static size_t letter_at(struct str text, size_t at)
{
    unsigned char bytes[3] = {0};

    memcpy(bytes, text.ptr + at, text.len - at < 3 ? text.len - at : 3);
    if (is_plain(text, at)) {
        return 1;
    }
    if (bytes[0] >= 0xc3 && bytes[0] <= 0xcb && (bytes[1] & 0xc0) == 0x80) {
        return 2;
    }
    return bytes[0] == 0xe1 && bytes[1] >= 0xb8 && bytes[1] <= 0xbb && (bytes[2] & 0xc0) == 0x80
               ? 3
               : 0;
}

/* A run may end early only before a single space: nothing is lost, the line goes on behind it. */
static void check_run(struct str text, size_t at)
{
    size_t end = page_letters_end(text, at);

    for (size_t i = at; i < end;) {
        size_t width = letter_at(text, i);

        if (width == 0) {
            assert_true(text.ptr[i] == ' ' && i != at && letter_at(text, i + 1) != 0);
            width = 1;
        }
        i += width;
        assert_true(i <= end);
    }
    assert_true(end == text.len || letter_at(text, end) == 0);
}

static void test_as_one_by_one(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 5);
    for (unsigned round = 0; round < 20000; round++) {
        char text[TEXT];
        size_t odd = 1 + prng_below(&prng, 40);
        size_t len = 0;
        char *exact;

        while (len + 6 < sizeof(text) && (len < 40 || prng_below(&prng, 16) != 0)) {
            const char *piece = prng_below(&prng, odd) == 0 ? pieces[prng_below(&prng, 21)]
                                                            : pieces[prng_below(&prng, 7)];

            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        exact = test_malloc(len); /* so that a sanitizer sees who reads past the end */
        memcpy(exact, text, len);
        for (size_t at = 0; at < len; at += 1 + prng_below(&prng, 9)) {
            check_run(str_of(exact, len), at);
        }
        test_free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_one_by_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
