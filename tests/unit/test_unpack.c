/* Bodies as servers press them, cut, broken, and made to burst. */
#include "harness.h"

#include "base/err.h"
#include "base/prng.h"
#include "centre/fetch/unpack.h"

#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define MOST (1U << 20)

static struct unpacker *unpacker;

/* window: as zlib has it, 31 for gzip, 15 for its own form, -15 for none. */
static struct str press(struct str body, int window)
{
    static unsigned char room[MOST];
    z_stream stream = {0};

    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, window, 8, 0), Z_OK);
    stream.next_in = (const unsigned char *)body.ptr;
    stream.avail_in = (unsigned)body.len;
    stream.next_out = room;
    stream.avail_out = sizeof(room);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&stream), Z_OK);
    return str_of((const char *)room, stream.total_out);
}

static void check(enum unpack_encoding encoding, struct str packed, struct str body)
{
    struct str seen;

    assert_int_equal(unpacker_run(unpacker, encoding, packed, MOST, &seen), 0);
    assert_true(str_is(seen, body));
}

static void test_headers(void **state)
{
    (void)state;
    assert_int_equal(unpack_encoding_of(STR("")), UNPACK_NONE);
    assert_int_equal(unpack_encoding_of(STR(" Identity ")), UNPACK_NONE);
    assert_int_equal(unpack_encoding_of(STR("GZip")), UNPACK_GZIP);
    assert_int_equal(unpack_encoding_of(STR("x-gzip")), UNPACK_GZIP);
    assert_int_equal(unpack_encoding_of(STR("deflate")), UNPACK_DEFLATE);
    assert_int_equal(unpack_encoding_of(STR("br")), UNPACK_UNKNOWN);
    assert_int_equal(unpack_encoding_of(STR("gzip, gzip")), UNPACK_UNKNOWN);
}

static void test_all_forms(void **state)
{
    static char text[50000];
    struct str body = str_of(text, sizeof(text));
    struct prng prng;
    struct str seen;

    (void)state;
    prng_init(&prng, 3);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)('a' + prng_below(&prng, 20));
    }
    check(UNPACK_NONE, body, body);
    check(UNPACK_GZIP, press(body, 31), body);
    check(UNPACK_DEFLATE, press(body, 15), body);
    check(UNPACK_DEFLATE, press(body, -15), body);
    assert_int_equal(unpacker_run(unpacker, UNPACK_UNKNOWN, body, MOST, &seen), -ERR_SYNTAX);
}

static void test_members_and_what_follows(void **state)
{
    char twice[256];
    struct str one = press(STR("một "), 31);

    (void)state;
    memcpy(twice, one.ptr, one.len);
    memcpy(twice + one.len, one.ptr, one.len);
    memcpy(twice + 2 * one.len, "junk", 4);
    check(UNPACK_GZIP, str_of(twice, 2 * one.len), STR("một một "));
    check(UNPACK_GZIP, str_of(twice, 2 * one.len + 4), STR("một một "));
}

static void test_broken(void **state)
{
    char copy[256];
    struct str packed = press(STR("Cổng thông tin điện tử tỉnh, Cổng thông tin"), 31);
    struct str seen;

    (void)state;
    for (size_t len = 0; len < packed.len; len++) {
        assert_int_equal(
            unpacker_run(unpacker, UNPACK_GZIP, str_slice(packed, 0, len), MOST, &seen),
            -ERR_SYNTAX);
    }
    memcpy(copy, packed.ptr, packed.len);
    copy[packed.len - 6] ^= 1; /* of its check sum */
    assert_int_equal(unpacker_run(unpacker, UNPACK_GZIP, str_of(copy, packed.len), MOST, &seen),
                     -ERR_SYNTAX);
}

static void test_bombs(void **state)
{
    static char nothing[MOST];
    struct str seen;

    (void)state;
    assert_int_equal(
        unpacker_run(unpacker, UNPACK_GZIP, press(str_of(nothing, 70000), 31), 69999, &seen),
        -ERR_LIMIT);
    assert_int_equal(
        unpacker_run(unpacker, UNPACK_GZIP, press(str_of(nothing, MOST), 31), SIZE_MAX, &seen), 0);
    assert_int_equal(unpacker_run(unpacker, UNPACK_NONE, STR("abc"), 2, &seen), -ERR_LIMIT);
}

static int setup(void **state)
{
    (void)state;
    return unpacker_new(MOST, &unpacker);
}

static int teardown(void **state)
{
    (void)state;
    unpacker_free(unpacker);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_all_forms),
        cmocka_unit_test(test_members_and_what_follows),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_bombs),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
