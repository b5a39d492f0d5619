/* Syslog over a stream: counted and lined messages, cut into pieces anywhere, never more than the
 * limit. */
#include "prop.h"

#include "base/buf.h"
#include "codec/syslog_frame.h"

#include <string.h>

struct taken {
    struct buf out;
    size_t limit;
};

/* What came out, one message a line, '!' before those that are cut. */
static int take(void *context, struct str message, bool is_cut)
{
    struct taken *taken = context;

    if (message.len > taken->limit) {
        return -ERR_LIMIT;
    }
    return buf_putf(&taken->out, "%s%.*s\n", is_cut ? "!" : "", STR_ARG(message)) < 0 ? -ERR_NOMEM
                                                                                      : 0;
}

static int feed(struct taken *taken, struct str bytes, size_t max, size_t piece)
{
    struct syslog_frames frames;
    int r = 0;

    buf_init(&taken->out, 1 << 20);
    taken->limit = max;
    syslog_frames_init(&frames, max, take, taken);
    for (size_t at = 0; r == 0 && at < bytes.len; at += piece) {
        r = syslog_frames_feed(&frames, str_slice(bytes, at, at + piece));
    }
    r = r < 0 ? r : syslog_frames_end(&frames);
    syslog_frames_done(&frames);
    return r;
}

static void check(const char *bytes, size_t max, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(bytes); piece++) {
        struct taken taken;

        assert_int_equal(feed(&taken, str_from(bytes), max, piece), 0);
        assert_str(buf_str(&taken.out), expected);
        buf_done(&taken.out);
    }
}

static void test_framing(void **state)
{
    (void)state;
    check("<34>a\n<34>b\r\n\n<34>c", 100, "<34>a\n<34>b\n<34>c\n");
    check("5 <34>a6 <34>b\n12 <34>xin\nchao", 100, "<34>a\n<34>b\n<34>xin\nchao\n");
    check("5 <34>a<34>lined\n5 <34>z", 100, "<34>a\n<34>lined\n<34>z\n");
    check("20 <34>short", 100, "!<34>short\n");
    check("0 what\n", 100, "0 what\n"); /* no sender counts nothing */
}

static void test_limits(void **state)
{
    struct taken taken;

    (void)state;
    check("<34>abcdefghijkl\n<1>x\n", 8, "!<34>abcd\n<1>x\n");
    check("16 <34>abcdefghijkl5 <34>x", 8, "!<34>abcd\n<34>x\n");
    check("<34>abcd\n", 8, "<34>abcd\n");
    assert_int_equal(feed(&taken, STR("1234567890123 <34>"), 100, 3), -ERR_PROTO);
    buf_done(&taken.out);
    assert_int_equal(feed(&taken, STR("12<34>x\n"), 100, 3), -ERR_PROTO);
    buf_done(&taken.out);
}

/* Whatever messages, however they are framed and cut: they come out. */
static const char *frames_keep(struct prop *prop)
{
    size_t count = prop_below(prop, 12);
    size_t piece = 1 + prop_below(prop, 40);
    struct taken taken;
    struct buf in;
    struct buf expected;
    const char *broke = NULL;

    buf_init(&in, 1 << 16);
    buf_init(&expected, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        size_t len = prop_below(prop, 30);
        char text[40] = "<1>";

        for (size_t at = 3; at < len + 3; at++) {
            text[at] = (char)('a' + prop_below(prop, 26));
        }
        text[len + 3] = '\0';
        if (prop_bool(prop)) {
            (void)buf_putf(&in, "%zu %s", len + 3, text);
        } else {
            (void)buf_putf(&in, "%s\n", text);
        }
        (void)buf_putf(&expected, "%s\n", text);
    }
    if (feed(&taken, buf_str(&in), 64, piece) != 0) {
        broke = "refused";
    } else if (!str_is(buf_str(&taken.out), buf_str(&expected))) {
        broke = "other messages";
    }
    buf_done(&taken.out);
    buf_done(&in);
    buf_done(&expected);
    return broke;
}

static void test_any(void **state)
{
    (void)state;
    prop_check("frames_keep", frames_keep, 2000);
}

static int feed_all(void *context)
{
    struct taken taken;
    int r = feed(&taken, STR("5 <34>a<34>lined that is long\n5 <34>z"), 100, 3);

    (void)context;
    buf_done(&taken.out);
    return r;
}

static void test_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(feed_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("syslog_frame", tests, NULL, NULL);
}
