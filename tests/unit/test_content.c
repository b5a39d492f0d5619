/* Counting against real ciphertext: every pattern of partial encryption over every kind of
 * original, at every size, must read as destroyed; what honest programs do to files must not. */
#include "harness.h"

#include "base/prng.h"
#include "detect/ransom/verdict.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define SIZE_MAX_TESTED (1U << 20)
#define WINDOW          65536U

enum original {
    ORIGINAL_TEXT,
    ORIGINAL_RECORDS, /* binary tables: mostly zero, some numbers */
    ORIGINAL_PACKED,  /* a compressed file */
    ORIGINAL_COUNT,
};

static char before[SIZE_MAX_TESTED];
static char after[SIZE_MAX_TESTED * 2];
static char cipher[SIZE_MAX_TESTED * 2];

static void fill_text(char *out, size_t len, uint64_t seed)
{
    static const char *const words[] = {"Ủy ban ",     "nhân dân ",  "tỉnh ",     "công văn ",
                                        "số ",         "ngày ",      "kính gửi ", "về việc ",
                                        "triển khai ", "năm 2026.\n"};
    struct prng prng;
    size_t at = 0;

    prng_init(&prng, seed);
    while (at < len) {
        const char *word = words[prng_below(&prng, 10)];
        size_t n = strlen(word) < len - at ? strlen(word) : len - at;

        memcpy(out + at, word, n);
        at += n;
    }
}

static void fill_records(char *out, size_t len, uint64_t seed)
{
    struct prng prng;

    prng_init(&prng, seed);
    memset(out, 0, len);
    for (size_t at = 0; at + 4 < len; at += 16) {
        uint32_t number = (uint32_t)prng_below(&prng, 5000);

        memcpy(out + at, &number, sizeof(number));
    }
}

static void fill_original(enum original kind, char *out, size_t len)
{
    static char room[SIZE_MAX_TESTED * 8];
    size_t n;

    if (kind == ORIGINAL_TEXT) {
        fill_text(out, len, 3);
        return;
    }
    if (kind == ORIGINAL_RECORDS) {
        fill_records(out, len, 5);
        return;
    }
    fill_text(room, len * 8, 9);
    n = ZSTD_compress(out, len, room, len * 4, 1);
    if (ZSTD_isError(n) || n < len) { /* what is left of it may hold anything */
        n = ZSTD_isError(n) ? 0 : n;
        fill_text(room, len, 11);
        for (size_t i = n; i < len; i++) {
            out[i] = (char)(room[i] ^ (char)(i * 7));
        }
    }
}

static void encrypt(const char *in, char *out, size_t len)
{
    static const unsigned char key[32] = "a published key of the tests";
    static const unsigned char iv[16] = "and a start";
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n = 0;

    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, iv), 1);
    assert_int_equal(
        EVP_EncryptUpdate(context, (unsigned char *)out, &n, (const unsigned char *)in, (int)len),
        1);
    EVP_CIPHER_CTX_free(context);
}

static void compare(const char *a, size_t a_len, const char *b, size_t b_len,
                    struct content_signs *ret_signs)
{
    struct content_change change;
    size_t longest = a_len > b_len ? a_len : b_len;

    content_change_init(&change, a_len, b_len);
    for (size_t at = 0; at == 0 || at < longest; at += WINDOW) {
        content_change_add(&change, str_slice(str_of(a, a_len), at, at + WINDOW),
                           str_slice(str_of(b, b_len), at, at + WINDOW), at == 0);
    }
    content_change_signs(&change, ret_signs);
}

/* Encrypts `take` bytes, leaves `leave`, and so on from `from`. */
static const struct pattern {
    const char *name;
    size_t from;
    size_t take;
    size_t leave;
    size_t once; /* only so many bytes in all; 0: to the end */
    size_t size_min;
} patterns[] = {
    {"whole", 0, SIZE_MAX_TESTED, 0, 0, 40},
    {"every other 16", 0, 16, 16, 0, 100},
    {"every other 16, from the second", 16, 16, 16, 0, 100},
    {"every other 16, not aligned", 5, 16, 16, 0, 200},
    {"head of 4 KB", 0, 4096, 0, 4096, 4096},
    {"64 KB each 256 KB", 0, 65536, 196608, 0, 65536},
    {"4 KB each 64 KB, head kept", 4096, 4096, 61440, 0, 16384},
};

static void partly(const struct pattern *pattern, size_t size)
{
    size_t done = 0;

    memcpy(after, before, size);
    encrypt(before, cipher, size);
    for (size_t at = pattern->from; at < size; at += pattern->take + pattern->leave) {
        size_t n = size - at < pattern->take ? size - at : pattern->take;

        n = pattern->once != 0 && n > pattern->once - done ? pattern->once - done : n;
        memcpy(after + at, cipher + at, n);
        done += n;
    }
}

static void test_ciphertext(void **state)
{
    static const size_t sizes[] = {40,   100,   200,    500,    1000,           4096,
                                   5000, 20000, 100000, 300000, SIZE_MAX_TESTED};
    static const enum content_format formats[] = {CONTENT_FORMAT_TEXT, CONTENT_FORMAT_KNOWN,
                                                  CONTENT_FORMAT_PLAIN};
    unsigned wrong = 0;

    (void)state;
    for (unsigned kind = 0; kind < ORIGINAL_COUNT; kind++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            fill_original((enum original)kind, before, sizes[s]);
            for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
                /* A head that was left alone is still recognised, at its worst by its first bytes.
                 */
                bool is_known = kind == ORIGINAL_RECORDS && patterns[p].from > 16;
                enum content_format now = is_known ? CONTENT_FORMAT_KNOWN : CONTENT_FORMAT_DAMAGED;
                struct content_signs signs;
                struct verdict verdict;

                if (sizes[s] < patterns[p].size_min) {
                    continue;
                }
                partly(&patterns[p], sizes[s]);
                compare(before, sizes[s], after, sizes[s], &signs);
                verdict = verdict_of_change(&signs, now, formats[kind], true);
                if (verdict.outcome != FILE_OUTCOME_ENCRYPTED || verdict.score < 0.5) {
                    print_error("%s, kind %u, %zu bytes: changed %s (%llu), %s\n", patterns[p].name,
                                kind, sizes[s], content_texture_name(signs.changed),
                                (unsigned long long)signs.changed_len,
                                verdict_reason_name(verdict.reason));
                    wrong++;
                }
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static void encode_base64(const char *in, size_t len, char *out)
{
    (void)EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)in, (int)len);
}

/* Low-entropy dress: base64, hex, one filler byte in two or four. */
static void test_low_entropy(void **state)
{
    static const size_t len = 30000;
    struct content_signs signs;

    (void)state;
    fill_text(before, len, 3);
    encrypt(before, cipher, len);
    encode_base64(cipher, len, after);
    compare(before, len, after, len / 3 * 4, &signs);
    assert_int_equal(
        verdict_of_change(&signs, CONTENT_FORMAT_TEXT, CONTENT_FORMAT_TEXT, true).reason,
        VERDICT_REASON_CODED);
    for (size_t i = 0; i < len; i++) {
        snprintf(after + 2 * i, 3, "%02x", (unsigned char)cipher[i]);
    }
    compare(before, len, after, 2 * len, &signs);
    assert_int_equal(
        verdict_of_change(&signs, CONTENT_FORMAT_TEXT, CONTENT_FORMAT_TEXT, true).reason,
        VERDICT_REASON_CODED);
    for (size_t step = 2; step <= 4; step += 2) {
        memset(after, 0, step * len);
        for (size_t i = 0; i < len; i++) {
            after[step * i] = cipher[i];
        }
        compare(before, len, after, step * len, &signs);
        assert_int_equal(
            verdict_of_change(&signs, CONTENT_FORMAT_UNKNOWN, CONTENT_FORMAT_TEXT, true).reason,
            VERDICT_REASON_CODED);
    }
}

static void assert_harmless(size_t a, size_t b, enum content_format now, enum content_format then)
{
    struct content_signs signs;
    struct verdict verdict;

    compare(before, a, after, b, &signs);
    verdict = verdict_of_change(&signs, now, then, true);
    if (verdict.score > 0) {
        fail_msg("%zu to %zu bytes: %s, %s", a, b, content_texture_name(signs.changed),
                 verdict_reason_name(verdict.reason));
    }
}

/* A new file: the scanner has no word on plain text that counting has not, and is spared. */
static void test_new_files_ask_the_scanner_in_doubt(void **state)
{
    static const size_t len = 30000;
    struct content_signs signs;

    (void)state;
    fill_text(after, len, 3);
    compare(before, 0, after, len, &signs);
    assert_false(content_needs_format(&signs));
    assert_int_equal(verdict_of_product(&signs, CONTENT_FORMAT_UNASKED, false), 0);
    encrypt(after, cipher, len);
    compare(before, 0, cipher, len, &signs);
    assert_true(content_needs_format(&signs));
    encode_base64(cipher, len, after);
    compare(before, 0, after, len / 3 * 4, &signs);
    assert_true(content_needs_format(&signs));
    fill_records(after, len, 3);
    compare(before, 0, after, len, &signs);
    assert_true(content_needs_format(&signs));
}

static void test_honest_changes(void **state)
{
    static const size_t sizes[] = {60, 700, 30000, 300000};

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t len = sizes[s];

        fill_text(before, len, 3);
        memcpy(after, "một dòng mới\n", 17); /* everything moves */
        memcpy(after + 17, before, len);
        assert_harmless(len, len + 17, CONTENT_FORMAT_UNASKED, CONTENT_FORMAT_UNASKED);
        fill_text(after, len, 4); /* written anew */
        assert_harmless(len, len, CONTENT_FORMAT_TEXT, CONTENT_FORMAT_TEXT);
        memcpy(after, before, len);
        encrypt(before, after + len, len); /* noise appended: the old content is whole */
        assert_harmless(len, 2 * len, CONTENT_FORMAT_UNKNOWN, CONTENT_FORMAT_TEXT);
        assert_harmless(len, 0, CONTENT_FORMAT_UNKNOWN, CONTENT_FORMAT_TEXT); /* emptied */
        memset(after, 0, len);
        assert_harmless(len, len, CONTENT_FORMAT_UNKNOWN, CONTENT_FORMAT_TEXT);
        fill_original(ORIGINAL_PACKED, after,
                      len); /* compressed in place, and the scanner says so */
        assert_harmless(len, len, CONTENT_FORMAT_PLAIN, CONTENT_FORMAT_TEXT);
    }
}

/* A vault in daily use: ciphertext over ciphertext destroys nothing that could be read. */
static void test_unreadable_original(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 3);
    for (size_t len = 700; len < 100000; len *= 3) {
        prng_fill(&prng, before, len);
        prng_fill(&prng, after, len);
        assert_harmless(len, len, CONTENT_FORMAT_UNKNOWN, CONTENT_FORMAT_UNKNOWN);
        assert_harmless(len, len, CONTENT_FORMAT_ENCRYPTED, CONTENT_FORMAT_ENCRYPTED);
    }
}

static void test_textures(void **state)
{
    struct content_stats stats = {0};
    unsigned random = 0;

    (void)state;
    assert_int_equal(content_texture(&stats), CONTENT_TEXTURE_NONE);
    assert_true(content_chi_square(&stats) == 0);
    for (size_t i = 0; i < 1000; i++) { /* p is .001: one or two of a thousand may fall out */
        struct prng prng;

        prng_init(&prng, i);
        prng_fill(&prng, cipher, 512 + i * 16);
        stats = (struct content_stats){0};
        content_count(&stats, str_of(cipher, 512 + i * 16));
        random += content_is_random(&stats);
    }
    assert_true(random >= 994);
    for (size_t len = 32; len < 512; len += 7) {
        stats = (struct content_stats){0};
        fill_text(before, len, len);
        content_count(&stats, str_of(before, len));
        assert_int_equal(content_texture(&stats), CONTENT_TEXTURE_ORDINARY);
    }
}

static void test_text(void **state)
{
    static const struct {
        struct str bytes;
        bool is_text;
    } rows[] = {
        {{"", 0}, false},
        {{"plain\n", 6}, true},
        {{"Ủy ban", 8}, true},
        {{"\xbb\xa6y ban", 7}, true}, /* cut at the front */
        {{"Ủy b\xe1\xba", 8}, true},  /* cut at the end */
        {{"a\xff\xfe\xfdz", 5}, false},
        {{"a\0b", 3}, false},
        {{"\x01\x02\x03\x04", 4}, false},
        {{"\x1b[31mred\x1b[0m", 12}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(content_is_text(rows[i].bytes), rows[i].is_text);
    }
}

static void test_notes(void **state)
{
    (void)state;
    assert_true(content_is_note_name(STR("HOW_TO_DECRYPT.txt")));
    assert_true(content_is_note_name(STR("!!!RESTORE-my-FILES!!!.html")));
    assert_true(content_is_note_name(STR("Hướng dẫn giải mã.txt")));
    assert_true(content_is_note_name(STR("TIEN_CHUOC.txt")));
    assert_false(content_is_note_name(STR("README.md")));
    assert_false(content_is_note_name(STR("báo cáo quý.docx")));
}

/* Whatever the windows, the counts add up. */
static void test_counts_add_up(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 1);
    for (int round = 0; round < 300; round++) {
        size_t a = prng_below(&prng, 3000);
        size_t b = prng_below(&prng, 3000);
        struct content_change change;
        uint64_t differ = 0;

        prng_fill(&prng, before, a);
        memcpy(after, before, a);
        for (size_t i = 0; i < b; i++) {
            after[i] = prng_below(&prng, 3) == 0 ? (char)prng_next(&prng) : after[i];
        }
        for (size_t i = 0; i < a && i < b; i++) {
            differ += before[i] != after[i];
        }
        content_change_init(&change, a, b);
        content_change_add(&change, str_of(before, a), str_of(after, b), true);
        assert_int_equal(change.before.len, a);
        assert_int_equal(change.after.len, b);
        assert_int_equal(change.compared, a < b ? a : b);
        assert_int_equal(change.equal, change.compared - differ);
        assert_true(change.changed.len >= differ);
        assert_true(change.changed.len <= b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ciphertext),
        cmocka_unit_test(test_low_entropy),
        cmocka_unit_test(test_new_files_ask_the_scanner_in_doubt),
        cmocka_unit_test(test_honest_changes),
        cmocka_unit_test(test_unreadable_original),
        cmocka_unit_test(test_textures),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_counts_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
