/* CBOR: the examples of RFC 8949 appendix A, what the deterministic subset refuses, and round
 * trips. */
#include "prop.h"

#include "base/hex.h"
#include "codec/cbor.h"

#include <math.h>

static struct buf out;

static int setup(void **state)
{
    (void)state;
    buf_init(&out, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&out);
    return 0;
}

/* What was written since the last look, as hexadecimal. */
static void assert_written(const char *expected)
{
    char text[256];

    assert_int_equal(buf_error(&out), 0);
    assert_true(out.len < sizeof(text) / 2);
    hex_encode((const uint8_t *)out.ptr, out.len, text);
    assert_string_equal(text, expected);
    buf_reset(&out);
}

static size_t from_hex(const char *text, uint8_t bytes[64])
{
    size_t len = strlen(text) / 2;

    assert_true(len <= 64);
    assert_int_equal(hex_decode(str_from(text), bytes, len), 0);
    return len;
}

static void test_numbers_of_appendix_a(void **state)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } rows[] = {
        {0, "00"},
        {1, "01"},
        {10, "0a"},
        {23, "17"},
        {24, "1818"},
        {25, "1819"},
        {100, "1864"},
        {1000, "1903e8"},
        {1000000, "1a000f4240"},
        {1000000000000, "1b000000e8d4a51000"},
        {UINT64_MAX, "1bffffffffffffffff"},
    };
    uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cbor_reader reader;

        cbor_put_u64(&out, rows[i].value);
        assert_written(rows[i].hex);
        cbor_open(&reader, str_of((const char *)bytes, from_hex(rows[i].hex, bytes)));
        assert_int_equal(cbor_peek(&reader), CBOR_TYPE_UNSIGNED);
        assert_true(cbor_get_u64(&reader) == rows[i].value);
        assert_int_equal(cbor_close(&reader), 0);
    }
}

static void test_negatives_of_appendix_a(void **state)
{
    static const struct {
        int64_t value;
        const char *hex;
    } rows[] = {
        {-1, "20"},
        {-10, "29"},
        {-100, "3863"},
        {-1000, "3903e7"},
        {INT64_MAX, "1b7fffffffffffffff"},
        {INT64_MIN, "3b7fffffffffffffff"},
    };
    uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cbor_reader reader;

        cbor_put_i64(&out, rows[i].value);
        assert_written(rows[i].hex);
        cbor_open(&reader, str_of((const char *)bytes, from_hex(rows[i].hex, bytes)));
        assert_true(cbor_get_i64(&reader) == rows[i].value);
        assert_int_equal(cbor_close(&reader), 0);
    }
}

static void test_others_of_appendix_a(void **state)
{
    (void)state;
    cbor_put_bool(&out, false);
    assert_written("f4");
    cbor_put_bool(&out, true);
    assert_written("f5");
    cbor_put_null(&out);
    assert_written("f6");
    cbor_put_double(&out, 1.1);
    assert_written("fb3ff199999999999a");
    cbor_put_double(&out, -4.1);
    assert_written("fbc010666666666666");
    cbor_put_double(&out, (double)INFINITY);
    assert_written("fb7ff0000000000000");
    cbor_put_double(&out, -(double)NAN);
    assert_written("fb7ff8000000000000"); /* one NaN for all */
    cbor_put_bytes(&out, STR("\x01\x02\x03\x04"));
    assert_written("4401020304");
    cbor_put_text(&out, STR(""));
    assert_written("60");
    cbor_put_text(&out, STR("IETF"));
    assert_written("6449455446");
    cbor_put_text(&out, STR("\xc3\xbc"));
    assert_written("62c3bc");
    cbor_put_text(&out, STR("\xf0\x90\x85\x91"));
    assert_written("64f0908591");
    cbor_put_text(&out, STR("a\xff")); /* not UTF-8: a file name may be so */
    assert_written("4261ff");
    cbor_put_array(&out, 0);
    assert_written("80");
    cbor_put_map(&out, 2);
    cbor_put_text(&out, STR("a"));
    cbor_put_u64(&out, 1);
    cbor_put_text(&out, STR("b"));
    cbor_put_array(&out, 2);
    cbor_put_u64(&out, 2);
    cbor_put_u64(&out, 3);
    assert_written("a26161016162820203");
}

/* Each must be refused by the whole-item walk, with the named error. */
static void test_refuses(void **state)
{
    static const struct {
        const char *hex;
        int error;
    } rows[] = {
        {"", -ERR_TRUNCATED},
        {"18", -ERR_TRUNCATED},
        {"1900", -ERR_TRUNCATED},
        {"1817", -ERR_SYNTAX},               /* 23 in two bytes */
        {"1900ff", -ERR_SYNTAX},             /* 255 in three */
        {"1a0000ffff", -ERR_SYNTAX},         /* 65535 in five */
        {"1b00000000ffffffff", -ERR_SYNTAX}, /* and in nine */
        {"1c", -ERR_SYNTAX},                 /* reserved widths */
        {"1e", -ERR_SYNTAX},
        {"1f", -ERR_SYNTAX},
        {"5f", -ERR_SYNTAX}, /* indefinite lengths */
        {"5f42010243030405ff", -ERR_SYNTAX},
        {"7f", -ERR_SYNTAX},
        {"9fff", -ERR_SYNTAX},
        {"bfff", -ERR_SYNTAX},
        {"ff", -ERR_SYNTAX},
        {"c074323031332d30332d32315432303a30343a30305a", -ERR_SYNTAX}, /* tags */
        {"d8", -ERR_SYNTAX},
        {"f7", -ERR_SYNTAX}, /* undefined */
        {"f0", -ERR_SYNTAX}, /* other simple values */
        {"f8ff", -ERR_SYNTAX},
        {"f93c00", -ERR_SYNTAX}, /* half and single floats */
        {"fa47c35000", -ERR_SYNTAX},
        {"fb7ff8000000000001", -ERR_SYNTAX}, /* a second NaN */
        {"fb3ff1", -ERR_TRUNCATED},
        {"44010203", -ERR_TRUNCATED},
        {"61ff", -ERR_SYNTAX},     /* text that is not UTF-8 */
        {"62c080", -ERR_SYNTAX},   /* overlong NUL */
        {"63eda080", -ERR_SYNTAX}, /* a surrogate */
        {"5bffffffffffffffff00", -ERR_TRUNCATED},
        {"9bffffffffffffffff00", -ERR_TRUNCATED},
        {"bbffffffffffffffff00", -ERR_TRUNCATED},
        {"bb800000000000000000", -ERR_TRUNCATED}, /* twice this overflows to zero */
        {"8201", -ERR_TRUNCATED},
        {"a101", -ERR_TRUNCATED},
        {"0000", -ERR_SYNTAX}, /* something behind the item */
    };
    uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cbor_reader reader;

        cbor_open(&reader, str_of((const char *)bytes, from_hex(rows[i].hex, bytes)));
        cbor_skip(&reader);
        if (cbor_close(&reader) != rows[i].error) {
            fail_msg("%s gave %d, not %d", rows[i].hex, cbor_close(&reader), rows[i].error);
        }
    }
}

static void test_other_type_sticks(void **state)
{
    struct cbor_reader reader;

    (void)state;
    cbor_open(&reader, STR("\x01\x61\x61\x80"));
    assert_int_equal(cbor_get_text(&reader).len, 0);
    assert_int_equal(cbor_close(&reader), -ERR_SYNTAX);
    assert_int_equal(cbor_get_u64(&reader), 0); /* though a number stands there */
    assert_int_equal(cbor_peek(&reader), CBOR_TYPE_COUNT);
    cbor_fail(&reader, -ERR_VERSION);
    assert_int_equal(cbor_close(&reader), -ERR_SYNTAX); /* the first error stays */
    cbor_open(&reader, STR("\x60\x40"));                /* nothing, as text and as bytes */
    assert_int_equal(cbor_get_bytes(&reader).len, 0);
    assert_int_equal(cbor_close(&reader), -ERR_SYNTAX);
    cbor_open(&reader, STR("\x42\xff"));
    assert_int_equal(cbor_get_bytes(&reader).len, 0);
    assert_int_equal(cbor_close(&reader), -ERR_TRUNCATED);
    cbor_open(&reader, STR("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(cbor_get_i64(&reader), 0); /* does not fit */
    assert_int_equal(cbor_close(&reader), -ERR_SYNTAX);
    cbor_open(&reader, STR("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(cbor_get_i64(&reader), 0);
    assert_int_equal(cbor_close(&reader), -ERR_SYNTAX);
}

static int skip_nested(unsigned char head, size_t depth)
{
    struct cbor_reader reader;

    buf_reset(&out);
    for (size_t i = 0; i < depth; i++) {
        buf_put_byte(&out, head);
        if (head == 0xa1) {
            buf_put_byte(&out, 0x00); /* the key */
        }
    }
    buf_put_byte(&out, 0x00);
    cbor_open(&reader, buf_str(&out));
    cbor_skip(&reader);
    return cbor_close(&reader);
}

static void test_depth(void **state)
{
    (void)state;
    assert_int_equal(skip_nested(0x81, CBOR_DEPTH_MAX), 0);
    assert_int_equal(skip_nested(0x81, CBOR_DEPTH_MAX + 1), -ERR_LIMIT);
    assert_int_equal(skip_nested(0xa1, CBOR_DEPTH_MAX), 0);
    assert_int_equal(skip_nested(0xa1, CBOR_DEPTH_MAX + 1), -ERR_LIMIT);
    assert_int_equal(skip_nested(0x81, 100000), -ERR_LIMIT);
}

/* One item of each kind, drawn, written, read back; then every truncation of it. */
static const char *item_round_trip(struct prop *prop, struct buf *buf)
{
    struct cbor_reader reader;
    uint64_t number = prop_u64(prop);
    int64_t signed_number = prop_i64(prop);
    double real = prop_double(prop);
    bool flag = prop_bool(prop);
    struct str text = prop_text(prop, 40);
    struct str bytes = prop_bytes(prop, 40);
    double back;

    cbor_put_array(buf, 6);
    cbor_put_u64(buf, number);
    cbor_put_i64(buf, signed_number);
    cbor_put_double(buf, real);
    cbor_put_bool(buf, flag);
    cbor_put_text(buf, text);
    cbor_put_text(buf, bytes);
    cbor_open(&reader, buf_str(buf));
    if (cbor_get_array(&reader) != 6 || cbor_get_u64(&reader) != number ||
        cbor_get_i64(&reader) != signed_number) {
        return "a number came back changed";
    }
    back = cbor_get_double(&reader);
    if (memcmp(&back, &real, sizeof(back)) != 0 && !(isnan(back) && isnan(real))) {
        return "a double came back changed";
    }
    if (cbor_get_bool(&reader) != flag || !str_is(cbor_get_text(&reader), text) ||
        !str_is(cbor_get_text(&reader), bytes)) {
        return "a text came back changed";
    }
    if (cbor_close(&reader) != 0) {
        return "the reader failed";
    }
    for (size_t cut = 0; cut < buf->len; cut++) {
        cbor_open(&reader, str_slice(buf_str(buf), 0, cut));
        cbor_skip(&reader);
        if (cbor_close(&reader) != -ERR_TRUNCATED) {
            return "a truncation was not seen";
        }
    }
    return NULL;
}

static const char *items_round_trip(struct prop *prop)
{
    struct buf buf;
    const char *broke;

    buf_init(&buf, 1 << 16);
    broke = item_round_trip(prop, &buf);
    buf_done(&buf);
    return broke;
}

static void test_round_trip(void **state)
{
    (void)state;
    prop_check("items round trip", items_round_trip, 500);
}

/* Whatever bytes the walk takes, the typed getters write again as they were. */
static const char *random_bytes_are_canonical(struct prop *prop)
{
    struct str bytes = prop_bytes(prop, 12);
    struct cbor_reader reader;
    struct buf buf;
    bool is_same;

    cbor_open(&reader, bytes);
    buf_init(&buf, 64);
    switch (cbor_peek(&reader)) {
    case CBOR_TYPE_UNSIGNED:
        cbor_put_u64(&buf, cbor_get_u64(&reader));
        break;
    case CBOR_TYPE_NEGATIVE:
        cbor_put_i64(&buf, cbor_get_i64(&reader));
        break;
    case CBOR_TYPE_BYTES:
        cbor_put_bytes(&buf, cbor_get_bytes(&reader));
        break;
    case CBOR_TYPE_TEXT:
        cbor_put_text(&buf, cbor_get_text(&reader));
        break;
    case CBOR_TYPE_ARRAY:
        cbor_put_array(&buf, cbor_get_array(&reader));
        break;
    case CBOR_TYPE_MAP:
        cbor_put_map(&buf, cbor_get_map(&reader));
        break;
    case CBOR_TYPE_BOOL:
        cbor_put_bool(&buf, cbor_get_bool(&reader));
        break;
    case CBOR_TYPE_NULL:
        cbor_put_null(&buf);
        cbor_skip(&reader);
        break;
    case CBOR_TYPE_DOUBLE:
        cbor_put_double(&buf, cbor_get_double(&reader));
        break;
    case CBOR_TYPE_COUNT:
        cbor_fail(&reader, -ERR_SYNTAX);
        break;
    }
    is_same = reader.error != 0 ||
              str_is(str_slice(bytes, 0, bytes.len - reader.rest.len), buf_str(&buf));
    buf_done(&buf);
    return is_same ? NULL : "an item has a second form";
}

static void test_one_form(void **state)
{
    (void)state;
    prop_check("one form only", random_bytes_are_canonical, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_appendix_a),
        cmocka_unit_test(test_negatives_of_appendix_a),
        cmocka_unit_test(test_others_of_appendix_a),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_other_type_sticks),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_one_form),
    };

    return cmocka_run_group_tests_name("cbor", tests, setup, teardown);
}
