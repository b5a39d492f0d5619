/* Events: fields in order, wire form, refusals and JSON. */
#include "draw.h"

#include "base/hex.h"

static void test_names(void **state)
{
    enum event_field_id id;

    (void)state;
    for (int i = 0; i < EVENT_FIELD_COUNT; i++) {
        assert_true(event_field_parse(str_from(event_field_name((enum event_field_id)i)), &id));
        assert_int_equal(id, i);
    }
    assert_false(event_field_parse(STR("process.pi"), &id));
    assert_string_equal(event_kind_name(EVENT_KIND_FILE_RENAME), "file_rename");
    assert_int_equal(event_field_type(EVENT_FIELD_FILE_SIZE), EVENT_VALUE_NUMBER);
}

static void test_fields(void **state)
{
    struct event event;

    (void)state;
    event_init(&event, EVENT_KIND_PROCESS_START, 1);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_MESSAGE, STR("m")), 0);
    assert_int_equal(event_add_number(&event, EVENT_FIELD_PROCESS_PID, 7), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_USER_NAME, STR("")), 0);
    assert_int_equal(event_add_number(&event, EVENT_FIELD_PROCESS_PID, 8), 0);
    assert_int_equal(event.field_count, 2);
    assert_int_equal(event.fields[0].id, EVENT_FIELD_PROCESS_PID);
    assert_int_equal(event_find(&event, EVENT_FIELD_PROCESS_PID)->number, 8);
    assert_str(event_find(&event, EVENT_FIELD_MESSAGE)->text, "m");
    assert_null(event_find(&event, EVENT_FIELD_USER_NAME));
}

static int decode_hex(const char *text, struct event *ret_event)
{
    uint8_t bytes[128];
    size_t len = strlen(text) / 2;
    struct cbor_reader reader;
    int r;

    assert_true(len <= sizeof(bytes));
    assert_int_equal(hex_decode(str_from(text), bytes, len), 0);
    cbor_open(&reader, str_of((const char *)bytes, len));
    r = event_decode(&reader, ret_event);
    assert_true(r < 0 || cbor_close(&reader) == 0);
    return r;
}

/* Bytes that are on disks already must be read as long as the program lives. */
static void test_golden(void **state)
{
    static const char golden[] = "a30000011903e802a200182a02627368";
    struct event event;
    struct buf buf;
    char text[64];

    (void)state;
    event_init(&event, EVENT_KIND_PROCESS_START, 1000);
    assert_int_equal(event_add_number(&event, EVENT_FIELD_PROCESS_PID, 42), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_PROCESS_NAME, STR("sh")), 0);
    buf_init(&buf, 4096);
    event_encode(&event, &buf);
    hex_encode((const uint8_t *)buf.ptr, buf.len, text);
    assert_string_equal(text, golden);
    buf_done(&buf);
    assert_int_equal(decode_hex(golden, &event), 0);
    assert_int_equal(event_find(&event, EVENT_FIELD_PROCESS_PID)->number, 42);
}

static void test_refuses(void **state)
{
    static const struct {
        const char *hex;
        int error;
    } rows[] = {
        {"a30018c8010002a0", -ERR_VERSION},     /* a kind of a newer agent */
        {"a30000010002a118c800", -ERR_VERSION}, /* a field of one */
        {"a400000100020003a0", -ERR_VERSION},   /* a part of one */
        {"a200000100", -ERR_SYNTAX},
        {"a30000020001a0", -ERR_SYNTAX},           /* keys out of order */
        {"a30000010002a200010001", -ERR_SYNTAX},   /* a field twice */
        {"a30000010002a20261610001", -ERR_SYNTAX}, /* fields out of order */
        {"a30000010002a1006161", -ERR_SYNTAX},     /* a text where a number belongs */
        {"a30000010002a10260", -ERR_SYNTAX},       /* an empty text */
        {"83000180", -ERR_SYNTAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct event event = {.time = 77};
        int r = decode_hex(rows[i].hex, &event);

        assert_int_equal(event.time, 77); /* untouched on failure */
        if (r != rows[i].error) {
            fail_msg("%s gave %d, not %d", rows[i].hex, r, rows[i].error);
        }
    }
}

static const char *events_round_trip(struct prop *prop)
{
    struct event event = draw_event(prop);
    struct event back = {0};
    struct cbor_reader reader;
    struct buf buf;
    const char *broke = NULL;

    buf_init(&buf, 1 << 16);
    event_encode(&event, &buf);
    cbor_open(&reader, buf_str(&buf));
    if (event_decode(&reader, &back) != 0 || cbor_close(&reader) != 0) {
        broke = "an encoded event was refused";
    } else if (!is_same_event(&event, &back)) {
        broke = "an event came back changed";
    }
    for (size_t cut = 0; broke == NULL && cut < buf.len; cut++) {
        cbor_open(&reader, str_slice(buf_str(&buf), 0, cut));
        if (event_decode(&reader, &back) == 0) {
            broke = "a truncation was taken";
        }
    }
    buf_done(&buf);
    return broke;
}

static void test_round_trip(void **state)
{
    (void)state;
    prop_check("events round trip", events_round_trip, 500);
}

static void test_json(void **state)
{
    struct json_writer json;
    struct event event;
    struct buf buf;

    (void)state;
    event_init(&event, EVENT_KIND_FILE_DELETE, 1795462244123000000);
    assert_int_equal(event_add_number(&event, EVENT_FIELD_FILE_SIZE, 5), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_FILE_PATH, STR("/srv/Báo cáo.docx")), 0);
    buf_init(&buf, 4096);
    json_begin(&json, &buf);
    event_write_json(&event, &json);
    assert_str(buf_str(&buf),
               "{\"@timestamp\":\"2026-11-23T19:30:44.123Z\",\"event.action\":\"file_delete\","
               "\"file.path\":\"/srv/Báo cáo.docx\",\"file.size\":5}");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),      cmocka_unit_test(test_fields),
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
