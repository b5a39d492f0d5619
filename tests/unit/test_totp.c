/* RFC 6238 appendix B, and the rules around it. */
#include "../harness.h"

#include "base/banned.h"
#include "base/time.h"
#include "centre/totp.h"

static const struct str rfc_secret = {"12345678901234567890", 20};

/* The appendix gives eight digits; ours are the last six of them. */
static void test_rfc_vectors(void **state)
{
    static const struct {
        uint64_t seconds;
        uint32_t code;
    } rows[] = {{59, 287082},       {1111111109, 81804},  {1111111111, 50471},
                {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130}};
    uint32_t code;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(totp_code(rfc_secret, rows[i].seconds / TOTP_STEP_S, &code), 0);
        assert_int_equal(code, rows[i].code);
    }
    assert_int_equal(totp_code(STR(""), 1, &code), -ERR_INVAL);
}

static int check(int64_t seconds, const char *code, uint64_t *used)
{
    return totp_check(rfc_secret, str_from(code), seconds * NS_PER_S, used);
}

static void test_window_and_single_use(void **state)
{
    uint64_t used = 0;

    (void)state;
    assert_int_equal(check(1111111109 + 20, "081804", &used), 0);           /* the step before */
    assert_int_equal(check(1111111109 + 20, "081804", &used), -ERR_DENIED); /* once only */
    used = 0;
    assert_int_equal(check(1111111109 - 30, "081804", &used), 0); /* a clock that is behind */
    used = 0;
    assert_int_equal(check(1111111109 + 90, "081804", &used), -ERR_DENIED);
    assert_int_equal(check(1111111109, "81804", &used), -ERR_DENIED);
    assert_int_equal(check(1111111109, "0818044", &used), -ERR_DENIED);
    assert_int_equal(check(1111111109, "", &used), -ERR_DENIED);
    assert_int_equal(used, 0);
}

static void test_base32(void **state)
{
    uint8_t secret[TOTP_SECRET_BYTES];
    uint8_t back[TOTP_SECRET_BYTES];
    char text[TOTP_BASE32_SIZE];

    (void)state;
    memcpy(secret, rfc_secret.ptr, sizeof(secret));
    totp_secret_format(secret, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_int_equal(totp_secret_parse(str_from(text), back), 0);
    assert_memory_equal(secret, back, sizeof(back));
    text[3] = '1';
    assert_int_equal(totp_secret_parse(str_from(text), back), -ERR_SYNTAX);
    assert_int_equal(totp_secret_parse(STR("GEZD"), back), -ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_vectors),
        cmocka_unit_test(test_window_and_single_use),
        cmocka_unit_test(test_base32),
    };

    return cmocka_run_group_tests_name("totp", tests, NULL, NULL);
}
