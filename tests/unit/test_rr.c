/* Answers of name servers as they come over the wire, sound and otherwise. */
#include "harness.h"

#include "codec/rr.h"

#include <string.h>

#define HEAD(code, count) "\x12\x34\x81" code "\0\1\0" count "\0\0\0\0"
#define ASKED             "\3Www\4tinh\3gov\2vn\0\0\1\0\1" /* at 12; its "tinh" is at 16 */

static void expect(struct str message, int wanted)
{
    struct rr_reader reader;
    struct rr record;
    int r = rr_open(message, &reader);

    if (r == 0) {
        r = rr_next(&reader, &record);
    }
    assert_int_equal(r, wanted);
}

static void test_an_alias_that_leads_nowhere(void **state)
{
    struct rr_reader reader;
    struct rr record;

    (void)state;
    assert_int_equal(rr_open(STR(HEAD("\x83", "\1") ASKED
                                 "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x0b\x08Gone.\x01Me\xc0\x10"),
                             &reader),
                     0);
    assert_int_equal(reader.code, RR_CODE_ABSENT);
    assert_int_equal(rr_next(&reader, &record), 1);
    assert_string_equal(record.owner, "www.tinh.gov.vn");
    assert_int_equal(record.type, RR_TYPE_CNAME);
    assert_int_equal(record.ttl, 60);
    assert_string_equal(record.name, "gone??me.tinh.gov.vn"); /* a dot inside a label is none */
    assert_int_equal(rr_next(&reader, &record), 0);
}

static void test_addresses_and_mail(void **state)
{
    struct rr_reader reader;
    struct rr record;

    (void)state;
    assert_int_equal(
        rr_open(STR(HEAD("\x80", "\4") ASKED "\xc0\x0c\0\1\0\1\0\0\1\0\0\4\x71\xa0\5\x0a"
                                             "\xc0\x10\0\x0f\0\1\0\0\0\1\0\7\0\x0a\2mx\xc0\x10"
                                             "\xc0\x10\0\x63\0\1\0\0\0\1\0\3abc"
                                             "\xc0\x10\0\1\0\3\0\0\0\1\0\1x"),
                &reader),
        0);
    assert_int_equal(rr_next(&reader, &record), 1);
    assert_int_equal(record.ttl, 256);
    assert_int_equal(record.address_len, 4);
    assert_memory_equal(record.address, "\x71\xa0\5\x0a", 4);
    assert_int_equal(rr_next(&reader, &record), 1);
    assert_string_equal(record.owner, "tinh.gov.vn");
    assert_string_equal(record.name, "mx.tinh.gov.vn");
    assert_int_equal(rr_next(&reader, &record), 1);
    assert_int_equal(record.type, 99); /* what nobody here knows is passed over */
    assert_int_equal(rr_next(&reader, &record), 1);
    assert_int_equal(record.type, 0); /* of another class */
    assert_int_equal(rr_next(&reader, &record), 0);
}

static void test_hostile(void **state)
{
    static const char whole[] =
        HEAD("\x80", "\1") ASKED "\xc0\x0c\0\x0f\0\1\0\0\0\1\0\7\0\x0a\2mx\xc0\x10";
    char copy[sizeof(whole)];

    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        memcpy(copy, whole, len);
        expect(str_of(copy, len), -ERR_TRUNCATED);
    }
    expect(STR("\x12\x34\1\0\0\0\0\0\0\0\0\0"), -ERR_SYNTAX);                     /* a question */
    expect(STR("\x12\x34\x81\x80\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"), -ERR_SYNTAX); /* to itself */
    expect(STR("\x12\x34\x81\x80\0\0\0\1\0\0\0\0\xc0\x20"), -ERR_SYNTAX);         /* onward */
    expect(STR("\x12\x34\x81\x80\0\0\0\1\0\0\0\0\x80\x00"), -ERR_SYNTAX);         /* no such kind */
    expect(STR("\x12\x34\x81\x80\0\0\0\1\0\0\0\0\0\0\1\0\1\0\0\0\1\0\3abc"), -ERR_SYNTAX);
    expect(STR("\x12\x34\x81\x80\0\0\0\1\0\0\0\0\0\0\2\0\1\0\0\0\1\0\4\1a\0x"), -ERR_SYNTAX);
}

/* Labels that each are led back to: a name longer than any may be, and one of many jumps. */
static void test_long_names(void **state)
{
    unsigned char message[4096] = {0x12, 0x34, 0x81, 0x80, 0, 0, 0, 1, 0, 0, 0, 0};
    size_t len = 12;

    (void)state;
    message[len++] = 0;
    for (unsigned i = 0; i < 200; i++) {
        size_t to = i == 0 ? 12 : len - 4;

        message[len++] = 1;
        message[len++] = 'a';
        message[len++] = (unsigned char)(0xc0 | to >> 8);
        message[len++] = (unsigned char)to;
    }
    assert_true(len < sizeof(message));
    /* the record section begins with a root name of type 0, then the long one stands in an NS */
    memmove(message + 24, message + 13, len - 13);
    memcpy(message + 12, "\0\0\2\0\1\0\0\0\1", 9);
    expect(str_of((const char *)message, len + 11), -ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_alias_that_leads_nowhere),
        cmocka_unit_test(test_addresses_and_mail),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
