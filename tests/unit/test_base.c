/* str, buf, arena, map, hex, utf8, time, id, msg. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/id.h"
#include "base/map.h"
#include "base/msg.h"
#include "base/prng.h"
#include "base/time.h"
#include "base/utf8.h"

#include <string.h>

static void test_str_numbers(void **state)
{
    uint64_t value = 7;
    int64_t signed_value = 7;

    (void)state;
    assert_int_equal(str_to_u64(STR("18446744073709551615"), &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(str_to_u64(STR("18446744073709551616"), &value), -ERR_RANGE);
    assert_int_equal(str_to_u64(STR(""), &value), -ERR_SYNTAX);
    assert_int_equal(str_to_u64(STR("1 "), &value), -ERR_SYNTAX);
    assert_int_equal(str_to_i64(STR("-9223372036854775808"), &signed_value), 0);
    assert_true(signed_value == INT64_MIN);
    assert_int_equal(str_to_i64(STR("9223372036854775808"), &signed_value), -ERR_RANGE);
}

/* In texts of two letters, where pieces of the needle stand everywhere. */
static void test_str_find(void **state)
{
    struct prng prng;
    char text[300];
    char sought[12];

    (void)state;
    prng_init(&prng, 1);
    for (unsigned round = 0; round < 20000; round++) {
        struct str s = str_of(text, prng_below(&prng, sizeof(text)));
        struct str needle = str_of(sought, prng_below(&prng, sizeof(sought)));
        size_t at = 0;

        for (size_t i = 0; i < sizeof(text); i++) {
            text[i] = "aab\xff"[prng_below(&prng, round % 3 + 2)];
        }
        for (size_t i = 0; i < needle.len; i++) {
            sought[i] = "aab\xff"[prng_below(&prng, round % 3 + 2)];
        }
        while (at + needle.len <= s.len && memcmp(s.ptr + at, needle.ptr, needle.len) != 0) {
            at++;
        }
        assert_int_equal(str_find(s, needle), at + needle.len <= s.len ? at : s.len);
    }
}

static void test_str_cut(void **state)
{
    struct str rest = STR("a,,b");
    struct str part;

    (void)state;
    assert_true(str_cut(&rest, ',', &part));
    assert_str(part, "a");
    assert_true(str_cut(&rest, ',', &part));
    assert_str(part, "");
    assert_true(str_cut(&rest, ',', &part));
    assert_str(part, "b");
    assert_false(str_cut(&rest, ',', &part));
}

static void test_buf_plain(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 256);
    assert_int_equal(buf_put_plain(&buf, STR("báo cáo\033[2J\n\xc2\x9b\x9b\xff\x7f.txt")), 0);
    assert_str(buf_str(&buf), "báo cáo?[2J?????.txt");
    buf_done(&buf);
}

static void test_buf_ceiling(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 8);
    assert_int_equal(buf_put_text(&buf, "12345678"), 0);
    assert_int_equal(buf_put_byte(&buf, '9'), -ERR_LIMIT);
    assert_str(buf_str(&buf), "12345678");
    assert_int_equal(buf_put_text(&buf, ""), -ERR_LIMIT); /* the failure sticks */
    buf_reset(&buf);
    assert_int_equal(buf_putf(&buf, "%d", 42), 0);
    assert_str(buf_str(&buf), "42");
    buf_done(&buf);
}

static int fill_buf(void *context)
{
    struct buf buf;
    int r = 0;

    (void)context;
    buf_init(&buf, 1 << 16);
    for (int i = 0; i < 1000 && r == 0; i++) {
        r = buf_putf(&buf, "%d,", i);
    }
    buf_done(&buf);
    return r;
}

static void test_arena_pieces_do_not_overlap(void **state)
{
    struct arena *arena = NULL;
    struct prng prng;
    unsigned char *pieces[200];
    size_t sizes[200];

    (void)state;
    prng_init(&prng, 1);
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 200; i++) {
            sizes[i] = prng_below(&prng, 3000);
            pieces[i] = arena_alloc(arena, sizes[i], 1);
            assert_non_null(pieces[i]);
            memset(pieces[i], (int)i, sizes[i]);
        }
        for (size_t i = 0; i < 200; i++) {
            for (size_t at = 0; at < sizes[i]; at++) {
                assert_int_equal(pieces[i][at], i);
            }
        }
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
    }
    assert_null(arena_alloc(arena, (1 << 20) + 1, 1));
    assert_null(arena_alloc(arena, SIZE_MAX, 16));
    arena_free(arena);
}

/* The map against the simplest thing that can be right: an array. */
static void test_map_equals_array(void **state)
{
    uint32_t keys[512];
    bool is_in[512] = {0};
    struct prng prng;
    struct map map;
    size_t live = 0;

    (void)state;
    prng_init(&prng, 2);
    map_init(&map, 300, 99);
    for (uint32_t i = 0; i < 512; i++) {
        keys[i] = i;
    }
    for (int step = 0; step < 20000; step++) {
        size_t i = prng_below(&prng, 512);

        if (prng_below(&prng, 2) != 0) {
            int r = map_put(&map, MAP_KEY(keys[i]), &keys[i]);

            if (!is_in[i] && live == 300) {
                assert_int_equal(r, -ERR_LIMIT);
                continue;
            }
            assert_int_equal(r, 0);
            live += is_in[i] ? 0 : 1;
            is_in[i] = true;
        } else {
            assert_ptr_equal(map_remove(&map, MAP_KEY(keys[i])), is_in[i] ? &keys[i] : NULL);
            live -= is_in[i] ? 1 : 0;
            is_in[i] = false;
        }
        assert_int_equal(map_count(&map), live);
        assert_ptr_equal(map_get(&map, MAP_KEY(keys[i])), is_in[i] ? &keys[i] : NULL);
    }
    map_done(&map);
}

static int fill_map(void *context)
{
    static uint32_t keys[200];
    struct map map;
    int r = 0;

    (void)context;
    map_init(&map, 1000, 5);
    for (uint32_t i = 0; i < 200 && r == 0; i++) {
        keys[i] = i;
        r = map_put(&map, MAP_KEY(keys[i]), &keys[i]);
    }
    map_done(&map);
    return r;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(fill_buf, NULL);
    assert_survives_no_memory(fill_map, NULL);
}

static const char *wrapped(const char *text, size_t hang, size_t columns, struct buf *buf)
{
    buf_reset(buf);
    utf8_put_wrapped(buf, str_from(text), hang, columns);
    buf_put_byte(buf, '\0');
    assert_int_equal(buf_error(buf), 0);
    return buf->ptr;
}

static void test_wrapped(void **state)
{
    CLEANUP(buf_done) struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 10);
    assert_string_equal(wrapped("", 0, 10, &buf), "");
    assert_string_equal(wrapped("thư mục gốc", 0, 11, &buf), "thư mục gốc");
    assert_string_equal(wrapped("thư mục gốc", 0, 10, &buf), "thư mục\ngốc");
    assert_string_equal(wrapped("thư mục gốc", 4, 10, &buf), "thư\n    mục\n    gốc");
    assert_string_equal(wrapped("một hai\nba bốn năm", 2, 10, &buf), "một hai\n  ba bốn\n  năm");
    assert_string_equal(wrapped("một-từ-quá-dài thì đứng riêng", 2, 8, &buf),
                        "một-từ-quá-dài\n  thì\n  đứng\n  riêng");
}

static void test_utf8(void **state)
{
    char folded[64];

    (void)state;
    assert_true(utf8_is_valid(STR("Trực ban đêm ba giờ sáng")));
    assert_int_equal(utf8_valid_prefix(STR("ab\xc0\x80")), 2);
    assert_false(utf8_is_valid(STR("\xed\xa0\x80")));     /* surrogate */
    assert_false(utf8_is_valid(STR("\xf4\x90\x80\x80"))); /* past U+10FFFF */
    assert_int_equal(utf8_pad("THƯ_MỤC", 10), 3);
    assert_int_equal(utf8_pad("o\xcc\x82", 3), 2); /* a letter and its mark */
    assert_int_equal(utf8_pad("too wide", 4), 0);
    assert_int_equal(utf8_fold(STR("Đồng Nai, Ủy ban nhân dân"), folded, sizeof(folded)), 25);
    assert_string_equal(folded, "dong nai, uy ban nhan dan");
    assert_int_equal(utf8_fold(STR("ABCDEFGĐ@Z[`az{ạXYZ\xff!"), folded, sizeof(folded)), 21);
    assert_string_equal(folded, "abcdefgd@z[`az{axyz\xff!");
    assert_int_equal(utf8_fold(STR("ABCDEFGHĐIJ"), folded, 5), 11);
    assert_string_equal(folded, "abcd");
    assert_int_equal(utf8_fold(STR("Hoa\xcc\x80"), folded, sizeof(folded)), 3); /* combining mark */
    assert_string_equal(folded, "hoa");
}

/* The definition, one character after another. */
static size_t slow_valid_prefix(struct str s)
{
    size_t at = 0;
    size_t width;
    uint32_t rune;

    while ((width = utf8_decode(str_slice(s, at, s.len), &rune)) != 0) {
        at += width;
    }
    return at;
}

/* Long texts are checked in blocks: whatever stands at their borders, the answer is the same. */
static void test_utf8_blocks(void **state)
{
    static const char *const pieces[] = {"a", "Ủ", "ộ", "đ", "é", "\xf0\x9f\x99\x82", "€"};
    char text[400];
    struct prng prng;

    (void)state;
    prng_init(&prng, 11);
    for (int round = 0; round < 20000; round++) {
        size_t wanted = prng_below(&prng, sizeof(text) - 4);
        size_t len = 0;

        while (len < wanted) {
            size_t kinds = round % 3 == 0 ? 1 : sizeof(pieces) / sizeof(pieces[0]);
            const char *piece = pieces[prng_below(&prng, kinds)];

            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        for (size_t i = prng_below(&prng, 3); i != 0 && len != 0; i--) {
            text[prng_below(&prng, len)] = (char)(0x80 + prng_below(&prng, 0x80));
        }
        len -= len != 0 ? prng_below(&prng, 2) : 0;
        assert_int_equal(utf8_valid_prefix(str_of(text, len)),
                         slow_valid_prefix(str_of(text, len)));
    }
}

static void test_time_round_trip(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 3);
    for (int i = 0; i < 2000; i++) {
        int64_t when =
            (int64_t)prng_below(&prng, 8000000000000ULL) * NS_PER_MS - 2000000000000LL * NS_PER_MS;
        char text[TIME_TEXT_SIZE];
        int64_t back = 0;

        time_format_utc(when, text);
        assert_int_equal(time_parse(str_from(text), &back), 0);
        assert_true(back == when);
        time_format_offset(when, 7 * 3600, text);
        assert_int_equal(time_parse(str_from(text), &back), 0);
        assert_true(back == when);
    }
}

/* Every number is a time; the first and the last one too. */
static void test_time_bounds(void **state)
{
    char text[TIME_TEXT_SIZE];

    (void)state;
    time_format_utc(INT64_MIN, text);
    assert_string_equal(text, "1677-09-21T00:12:43.145Z");
    time_format_utc(INT64_MAX, text);
    assert_string_equal(text, "2262-04-11T23:47:16.854Z");
    time_format_utc(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

static void test_time_refuses(void **state)
{
    static const char *const bad[] = {"",
                                      "2026-11-23",
                                      "2026-13-01T00:00:00Z",
                                      "2026-01-01T24:00:00Z",
                                      "2026-01-01T00:00:00",
                                      "2026-01-01T00:00:00+7",
                                      "x"};
    int64_t when;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(time_parse(str_from(bad[i]), &when) < 0);
    }
}

static void test_id_round_trip(void **state)
{
    struct id id;
    struct id back;
    char text[ID_TEXT_SIZE];

    (void)state;
    assert_int_equal(id_new(&id), 0);
    id_format(&id, text);
    assert_int_equal(text[14], '4');
    assert_int_equal(id_parse(str_from(text), &back), 0);
    assert_true(id_is(&id, &back));
    text[8] = 'x';
    assert_int_equal(id_parse(str_from(text), &back), -ERR_SYNTAX);
}

static void test_msg(void **state)
{
    static struct msg_writer out;
    struct msg_reader in;

    (void)state;
    msg_begin(&out, 9);
    msg_put_u32(&out, 1);
    msg_put_i64(&out, -2);
    msg_put_str(&out, STR("ba"));
    assert_int_equal(msg_end(&out), 0);
    msg_open(&in, str_of((const char *)out.bytes, out.len));
    assert_int_equal(in.type, 9);
    assert_int_equal(msg_get_u32(&in), 1);
    assert_int_equal(msg_get_i64(&in), -2);
    assert_str(msg_get_str(&in), "ba");
    assert_int_equal(msg_close(&in), 0);
    for (size_t cut = 0; cut < out.len;
         cut++) { /* every truncation fails, none reads past the end */
        msg_open(&in, str_of((const char *)out.bytes, cut));
        (void)msg_get_u32(&in);
        (void)msg_get_i64(&in);
        (void)msg_get_str(&in);
        assert_true(msg_close(&in) < 0);
    }
    msg_open(&in, str_of((const char *)out.bytes, out.len));
    (void)msg_get_u64(&in); /* another type than was put */
    assert_int_equal(msg_close(&in), -ERR_PROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_numbers),
        cmocka_unit_test(test_str_find),
        cmocka_unit_test(test_str_cut),
        cmocka_unit_test(test_buf_plain),
        cmocka_unit_test(test_buf_ceiling),
        cmocka_unit_test(test_arena_pieces_do_not_overlap),
        cmocka_unit_test(test_map_equals_array),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_wrapped),
        cmocka_unit_test(test_utf8_blocks),
        cmocka_unit_test(test_time_round_trip),
        cmocka_unit_test(test_time_bounds),
        cmocka_unit_test(test_time_refuses),
        cmocka_unit_test(test_id_round_trip),
        cmocka_unit_test(test_msg),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
