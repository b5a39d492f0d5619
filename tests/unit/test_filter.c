/* The filter of a block: it admits all that its texts hold, and hardly anything else. */
#include "harness.h"

#include "base/cleanup.h"
#include "base/prng.h"
#include "store/filter.h"

#include <stdio.h>
#include <string.h>

static bool admits(const struct buf *filter, const char *word)
{
    const struct needle needle = {.kind = NEEDLE_TEXT, .text = str_from(word)};

    return filter_admits(buf_str(filter), FILTER_PIECES_NUMBERS, &needle);
}

static void test_words(void **state)
{
    struct trigrams set;
    struct buf buf;
    unsigned admitted = 0;

    (void)state;
    trigrams_init(&set);
    buf_init(&buf, 1 << 20);
    filter_write(&set, &buf);
    assert_true(admits(&buf, "ab") && !admits(&buf, "abc"));
    assert_int_equal(trigrams_add(&set, STR("/usr/bin/openssl enc -aes")), 0);
    assert_int_equal(trigrams_add(&set, STR("x")), 0);
    for (unsigned i = 0; i < 3000; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "n%um", i * 7919);

        assert_int_equal(trigrams_add(&set, str_of(text, (size_t)len)), 0);
    }
    filter_write(&set, &buf);
    assert_int_equal(buf_error(&buf), 0);
    assert_int_equal(buf.len, (set.count * 10 + 7) / 8);
    assert_true(admits(&buf, "openssl"));
    assert_true(admits(&buf, "ssl enc -a"));
    for (unsigned i = 0; i < 10000; i++) {
        char word[4] = {(char)('A' + i % 26), (char)('A' + i / 26 % 26),
                        (char)('A' + i / 676 % 26)};

        admitted += admits(&buf, word);
    }
    assert_in_range(admitted, 0, 200); /* one in a hundred is what ten bits promise */
    trigrams_done(&set);
    buf_done(&buf);
}

static bool is_piece_of_address(const char *bytes)
{
    bool has_dot = false;

    for (size_t i = 0; i < ADDRESS_SIZE; i++) {
        if (bytes[i] != '.' && (bytes[i] < '0' || bytes[i] > '9')) {
            return false;
        }
        has_dot = has_dot || bytes[i] == '.';
    }
    return has_dot;
}

/* How many distinct runs of three digits and more the texts have. */
static size_t count_numbers(const struct buf *texts)
{
    struct str seen[512];
    size_t count = 0;

    for (size_t at = 0, end = 0; at < texts->len; at = end + 1) {
        bool is_new;

        for (end = at; end < texts->len && texts->ptr[end] >= '0' && texts->ptr[end] <= '9';) {
            end++;
        }
        is_new = end - at >= NUMBER_SIZE;
        for (size_t i = 0; i < count && is_new; i++) {
            is_new = !str_is(seen[i], str_slice(buf_str(texts), at, end));
        }
        if (is_new) {
            assert_true(count < ARRAY_LEN(seen));
            seen[count++] = str_slice(buf_str(texts), at, end);
        }
    }
    return count;
}

/* How many distinct pieces of `size` bytes the texts have, looked at one by one. */
static size_t count_pieces(const struct buf *texts, size_t size, bool is_address)
{
    const char *bytes = texts->ptr;
    size_t count = 0;

    for (size_t at = 0; at + size <= texts->len; at++) {
        bool is_new = memchr(bytes + at, '\n', size) == NULL &&
                      (!is_address || is_piece_of_address(bytes + at));

        for (size_t before = 0; before < at && is_new; before++) {
            is_new = memcmp(bytes + before, bytes + at, size) != 0;
        }
        count += is_new;
    }
    return count;
}

/* Texts that repeat themselves, at all places against each other: each piece is in, none twice. */
static void test_is_exact(void **state)
{
    static const char *const words[] = {"sshd[",         "10.2.3.44",    "..", "7",    "1234567.",
                                        "\"id\":",       "aaaaaaaaaaaa", "x",  "\0\0", "mở cửa",
                                        "203.0.113.9:22"};
    struct trigrams set;
    struct prng prng;
    struct buf texts;

    (void)state;
    trigrams_init(&set);
    buf_init(&texts, 1 << 16);
    prng_init(&prng, 20261126);
    for (unsigned round = 0; round < 40; round++) {
        buf_reset(&texts);
        trigrams_reset(&set);
        for (unsigned line = 0; line < 12; line++) {
            size_t from = texts.len;

            for (uint64_t n = prng_below(&prng, 12); n != 0; n--) {
                uint64_t i = prng_below(&prng, ARRAY_LEN(words));

                buf_put(&texts, words[i], words[i][0] != '\0' ? strlen(words[i]) : 2);
            }
            assert_int_equal(trigrams_add(&set, str_slice(buf_str(&texts), from, texts.len)), 0);
            buf_put_byte(&texts, '\n');
        }
        assert_int_equal(set.count, count_pieces(&texts, TRIGRAM_SIZE, false) +
                                        count_pieces(&texts, ADDRESS_SIZE, true) +
                                        count_numbers(&texts));
    }
    trigrams_done(&set);
    buf_done(&texts);
}

/* A block that has every number of three digits, and all addresses of one network but one. */
static void test_addresses(void **state)
{
    struct trigrams set;
    struct buf buf;
    char text[64];

    (void)state;
    trigrams_init(&set);
    buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof(text), "%03u %u. .%u %u.%u", i, i, i, i % 10, i % 100);
        assert_int_equal(trigrams_add(&set, str_from(text)), 0);
    }
    for (unsigned i = 0; i < 256; i++) {
        (void)snprintf(text, sizeof(text), "from 203.%u.113.9 port", i == 77 ? 78 : i);
        assert_int_equal(trigrams_add(&set, str_from(text)), 0);
    }
    filter_write(&set, &buf);
    assert_true(admits(&buf, "203.76.113.9"));
    assert_true(admits(&buf, "3.76.1"));
    assert_true(admits(&buf, "76.113.9"));
    assert_false(admits(&buf, "203.77.113.9"));
    assert_true(filter_admits(buf_str(&buf), FILTER_PIECES_TRIGRAMS, /* written before */
                              &(struct needle){.text = STR("203.77.113.9")}));
    buf_done(&buf);
    trigrams_done(&set);
}

/* A block that has all digits in all orders, and each number of five of them but one. */
static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        unsigned ends;
        bool is_admitted;
    } cases[] = {
        {"99999", NEEDLE_END_FRONT | NEEDLE_END_BACK, false},
        {"99998", NEEDLE_END_FRONT | NEEDLE_END_BACK, true},
        {"99999", NEEDLE_END_FRONT, true}, /* 999990 holds it, and so on */
        {"99999", NEEDLE_END_BACK, true},
        {"9999", NEEDLE_END_FRONT | NEEDLE_END_BACK, false},
        {"id=99999&", 0, false},
        {"id=99998&", 0, true},
        {"id=99999", 0, true},
        {"7 12345678901234567890123 7", 0, true},
        {"7 12345678901234567890124 7", 0, false},
        {"00042", NEEDLE_END_FRONT | NEEDLE_END_BACK, true},
        {"042", NEEDLE_END_FRONT | NEEDLE_END_BACK, false},
        {"7654", NEEDLE_END_FRONT | NEEDLE_END_BACK, true}, /* behind an escape */
        {"4321", NEEDLE_END_FRONT | NEEDLE_END_BACK, true},
    };
    struct trigrams set;
    struct buf buf;
    char text[64];

    (void)state;
    trigrams_init(&set);
    buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 99999; i++) {
        (void)snprintf(text, sizeof(text), " %05u&id=", i);
        assert_int_equal(trigrams_add(&set, str_from(text)), 0);
    }
    assert_int_equal(trigrams_add(&set, STR("7 12345678901234567890123 7 &1234567890124 7")), 0);
    assert_int_equal(trigrams_add(&set, STR("id=999990 1299999 a\\u00207654 b\\x204321")), 0);
    filter_write(&set, &buf);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct needle needle = {
            .kind = NEEDLE_TEXT, .text = str_from(cases[i].text), .ends = cases[i].ends};

        if (filter_admits(buf_str(&buf), FILTER_PIECES_NUMBERS, &needle) != cases[i].is_admitted) {
            fail_msg("%s: admitted: %d", cases[i].text, !cases[i].is_admitted);
        }
        assert_true(filter_admits(buf_str(&buf), FILTER_PIECES_ADDRESSES, &needle));
    }
    buf_done(&buf);
    trigrams_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_is_exact),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
