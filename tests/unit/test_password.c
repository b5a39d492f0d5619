/* Hashing, checking, one-time passwords, and the slowing of who guesses. */
#include "../harness.h"

#include "base/banned.h"
#include "base/time.h"
#include "centre/limiter.h"
#include "centre/password.h"

static void test_hash(void **state)
{
    char one[PASSWORD_ENCODED_SIZE];
    char two[PASSWORD_ENCODED_SIZE];

    (void)state;
    assert_int_equal(password_hash(STR("mật khẩu dài"), one), 0);
    assert_int_equal(password_hash(STR("mật khẩu dài"), two), 0);
    assert_memory_equal(one, "$argon2id$v=19$m=65536,t=3,p=1$", 31);
    assert_string_not_equal(one, two); /* salted */
    assert_true(password_is(STR("mật khẩu dài"), one));
    assert_false(password_is(STR("mat khau dai"), one));
    assert_false(password_is(STR("mật khẩu dài"), "$argon2id$nonsense"));
    assert_false(password_is(STR("mật khẩu dài"), ""));
}

/* Of this process alone: what else the machine does counts for neither. */
static int64_t cpu_now(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t time_of(struct str password, const char *encoded)
{
    int64_t start = cpu_now();

    (void)password_is(password, encoded);
    return cpu_now() - start;
}

/* A name that nobody has costs what a wrong password costs. */
static void test_same_time_for_nobody(void **state)
{
    char encoded[PASSWORD_ENCODED_SIZE];
    int64_t known = INT64_MAX;
    int64_t unknown = INT64_MAX;

    (void)state;
    assert_int_equal(password_hash(STR("mật khẩu dài"), encoded), 0);
    for (int i = 0; i < 3; i++) {
        int64_t a = time_of(STR("wrong"), encoded);
        int64_t b = time_of(STR("wrong"), "");

        known = a < known ? a : known;
        unknown = b < unknown ? b : unknown;
    }
    assert_true(unknown > known / 2 && unknown < known * 2);
}

static void test_once(void **state)
{
    char one[PASSWORD_ONCE_SIZE];
    char two[PASSWORD_ONCE_SIZE];

    (void)state;
    assert_int_equal(password_make_once(one), 0);
    assert_int_equal(password_make_once(two), 0);
    assert_int_equal(strlen(one), 19);
    assert_string_not_equal(one, two);
    assert_int_equal(password_check(str_from(one), STR("admin")), 0);
    assert_int_equal(password_check(STR("aaaaaaaaaaaaaaaa"), STR("lan")), -ERR_INVAL);
    assert_int_equal(password_check(STR("tôi là ADMIN đây"), STR("admin")), -ERR_INVAL);
}

static void test_limiter(void **state)
{
    struct limiter limiter;
    int64_t now = 1000;

    (void)state;
    limiter_init(&limiter, 2, 3, 8 * NS_PER_S, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(limiter_fail(&limiter, STR("lan"), now), 0);
        assert_true(limiter_wait(&limiter, STR("lan"), now) == 0);
    }
    for (int64_t expected = 1; expected <= 16; expected *= 2) {
        assert_int_equal(limiter_fail(&limiter, STR("lan"), now), 0);
        assert_true(limiter_wait(&limiter, STR("lan"), now) ==
                    (expected < 8 ? expected : 8) * NS_PER_S);
    }
    assert_true(limiter_wait(&limiter, STR("lan"), now + 8 * NS_PER_S) == 0);
    assert_true(limiter_wait(&limiter, STR("minh"), now) == 0);
    limiter_forgive(&limiter, STR("lan"));
    assert_true(limiter_wait(&limiter, STR("lan"), now) == 0);
    for (int i = 0; i < 3; i++) { /* a third key pushes out the oldest, not the newest */
        assert_int_equal(limiter_fail(&limiter, STR("a"), now), 0);
        assert_int_equal(limiter_fail(&limiter, STR("b"), now), 0);
    }
    assert_int_equal(limiter_fail(&limiter, STR("c"), now), 0);
    assert_true(limiter_wait(&limiter, STR("a"), now) == 0);
    assert_true(limiter_wait(&limiter, STR("b"), now) > 0);
    limiter_done(&limiter);
}

static int fail_a_few(void *context)
{
    struct limiter limiter;
    int r = 0;

    (void)context;
    limiter_init(&limiter, 4, 2, NS_PER_S, 1);
    for (int i = 0; i < 12 && r == 0; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%d", i % 6);
        r = limiter_fail(&limiter, str_from(key), i);
    }
    limiter_done(&limiter);
    return r;
}

static void test_limiter_without_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(fail_a_few, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_same_time_for_nobody),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_limiter),
        cmocka_unit_test(test_limiter_without_memory),
    };

    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
