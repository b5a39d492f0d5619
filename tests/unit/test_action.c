/* Actions: the table, requests and answers on the wire. */
#include "draw.h"

static void test_table(void **state)
{
    enum action action;
    enum role role;

    (void)state;
    for (int i = 0; i < ACTION_COUNT; i++) {
        const struct action_row *row = action_row((enum action)i);

        assert_true(action_parse(str_from(row->name), &action));
        assert_int_equal(action, i);
        assert_true(strlen(row->sentence) > 0);
    }
    for (int i = 0; i < ROLE_COUNT; i++) {
        assert_true(role_parse(str_from(role_name((enum role)i)), &role));
        assert_int_equal(role, i);
    }
    assert_false(action_parse(STR("KILL"), &action));
    assert_false(action_parse(STR(""), &action));
    assert_false(role_parse(STR("root"), &role));
    assert_int_equal(action_row(ACTION_KILL)->role, ROLE_DUTY);
    assert_false(action_row(ACTION_KILL)->is_undoable);
}

static int carry(const struct action_request *request, struct action_request *ret_request)
{
    static char bytes[4096];
    struct cbor_reader reader;
    struct buf buf;

    buf_init(&buf, sizeof(bytes));
    action_request_encode(request, &buf);
    assert_int_equal(buf_error(&buf), 0);
    memcpy(bytes, buf.ptr, buf.len);
    cbor_open(&reader, str_of(bytes, buf.len));
    buf_done(&buf);
    return action_request_decode(&reader, ret_request);
}

static void test_refuses(void **state)
{
    struct action_request good = {
        .action = ACTION_KILL, .asked = 10, .expires = 10, .actor = STR("lan"), .reason = STR("")};
    struct action_request bad = good;
    struct action_request back = {0};

    (void)state;
    assert_int_equal(carry(&good, &back), 0);
    assert_str(back.actor, "lan");
    bad.action = ACTION_COUNT;
    assert_int_equal(carry(&bad, &back), -ERR_INVAL);
    bad = good;
    bad.actor = STR("");
    assert_int_equal(carry(&bad, &back), -ERR_INVAL);
    bad = good;
    bad.expires = 9;
    assert_int_equal(carry(&bad, &back), -ERR_INVAL);
}

static void test_answer_refuses(void **state)
{
    struct action_answer answer = {.result = 5, .detail = STR("x")};
    struct cbor_reader reader;
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    action_answer_encode(&answer, &buf);
    cbor_open(&reader, buf_str(&buf));
    assert_int_equal(action_answer_decode(&reader, &answer), -ERR_SYNTAX); /* no such result */
    cbor_open(&reader, STR("\x85"));
    assert_int_equal(action_answer_decode(&reader, &answer), -ERR_TRUNCATED);
    cbor_open(&reader, STR("\x85\x00\x00\x00\x00\x00"));
    assert_int_equal(action_answer_decode(&reader, &answer), -ERR_VERSION); /* a member more */
    cbor_open(&reader, STR("\x83\x00\x00\x00"));
    assert_int_equal(action_answer_decode(&reader, &answer), -ERR_SYNTAX);
    buf_done(&buf);
}

static const char *requests_round_trip(struct prop *prop)
{
    struct action_request request = draw_request(prop);
    struct action_request back = {0};
    struct cbor_reader reader;
    struct buf buf;
    const char *broke = NULL;

    buf_init(&buf, 1 << 16);
    action_request_encode(&request, &buf);
    cbor_open(&reader, buf_str(&buf));
    if (action_request_decode(&reader, &back) != 0 || cbor_close(&reader) != 0) {
        broke = "an encoded request was refused";
    } else if (!is_same_request(&request, &back)) {
        broke = "a request came back changed";
    }
    for (size_t cut = 0; broke == NULL && cut < buf.len; cut++) {
        cbor_open(&reader, str_slice(buf_str(&buf), 0, cut));
        if (action_request_decode(&reader, &back) == 0) {
            broke = "a truncation was taken";
        }
    }
    buf_done(&buf);
    return broke;
}

static void test_round_trip(void **state)
{
    (void)state;
    prop_check("requests round trip", requests_round_trip, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_answer_refuses),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
