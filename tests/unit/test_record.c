/* Records of all kinds: round trips, truncation at every byte, limits, and no memory at any point.
 */
#include "draw.h"

#include "base/hex.h"

static const char *records_round_trip(struct prop *prop)
{
    struct record record = draw_record(prop);
    struct record back = {0};
    struct cbor_reader reader;
    struct buf buf;
    const char *broke = NULL;

    buf_init(&buf, RECORD_SIZE_MAX);
    record_encode(&record, &buf);
    cbor_open(&reader, buf_str(&buf));
    if (record_decode(&reader, prop->arena, &back) != 0 || cbor_close(&reader) != 0) {
        broke = "an encoded record was refused";
    } else if (!is_same_record(&record, &back)) {
        broke = "a record came back changed";
    }
    for (size_t cut = 0; broke == NULL && cut < buf.len; cut++) {
        cbor_open(&reader, str_slice(buf_str(&buf), 0, cut));
        if (record_decode(&reader, prop->arena, &back) == 0) {
            broke = "a truncation was taken";
        }
    }
    buf_done(&buf);
    return broke;
}

static void test_round_trip(void **state)
{
    (void)state;
    prop_check("records round trip", records_round_trip, 400);
}

static int decode(struct str bytes)
{
    struct record record = {.kind = RECORD_KIND_STATUS};
    struct arena *arena = NULL;
    struct cbor_reader reader;
    int r;

    assert_int_equal(arena_new(1 << 20, &arena), 0);
    cbor_open(&reader, bytes);
    r = record_decode(&reader, arena, &record);
    assert_int_equal(record.kind, RECORD_KIND_STATUS); /* untouched on failure */
    arena_free(arena);
    return r;
}

static void test_refuses(void **state)
{
    (void)state;
    assert_int_equal(decode(STR("")), -ERR_TRUNCATED);
    assert_int_equal(decode(STR("\x82\x04\x00")), -ERR_VERSION);
    assert_int_equal(decode(STR("\x83\x00\x00\x00")), -ERR_VERSION);
    assert_int_equal(decode(STR("\x82\x01\x80")), -ERR_SYNTAX);
    assert_int_equal(decode(STR("\x82\x20\x80")), -ERR_SYNTAX);
    assert_string_equal(record_kind_name(RECORD_KIND_ANSWER), "answer");
}

/* A finding past the record's size is shortened, never lost. */
static void test_large_finding_fits(void **state)
{
    static struct finding_file files[FINDING_FILES_MAX];
    struct record record = {.kind = RECORD_KIND_FINDING};
    struct record back = {0};
    struct arena *arena = NULL;
    struct cbor_reader reader;
    struct buf buf;

    (void)state;
    assert_int_equal(arena_new(4 << 20, &arena), 0);
    for (size_t i = 0; i < FINDING_FILES_MAX; i++) {
        files[i].path = arena_printf(arena, "/srv/%0200zu", i);
        assert_non_null(files[i].path.ptr);
    }
    record.finding.files = files;
    record.finding.file_count = FINDING_FILES_MAX;
    record.finding.files_total = 4321;
    buf_init(&buf, RECORD_SIZE_MAX);
    record_encode(&record, &buf);
    assert_int_equal(buf_error(&buf), 0);
    cbor_open(&reader, buf_str(&buf));
    assert_int_equal(record_decode(&reader, arena, &back), 0);
    assert_int_equal(cbor_close(&reader), 0);
    assert_in_range(back.finding.file_count, 250, FINDING_FILES_MAX - 1);
    assert_int_equal(back.finding.files_total, 4321);
    buf_done(&buf);
    arena_free(arena);
}

/* The bytes of one record. What lies in spools and centres must be read as long as the program
 * lives. */
static void assert_golden(const struct record *record, const char *expected)
{
    struct record back = {0};
    struct arena *arena = NULL;
    struct cbor_reader reader;
    struct buf buf;
    char text[1024];

    buf_init(&buf, sizeof(text) / 2 - 1);
    record_encode(record, &buf);
    assert_int_equal(buf_error(&buf), 0);
    hex_encode((const uint8_t *)buf.ptr, buf.len, text);
    assert_string_equal(text, expected);
    assert_int_equal(arena_new(1 << 16, &arena), 0);
    cbor_open(&reader, buf_str(&buf));
    assert_int_equal(record_decode(&reader, arena, &back), 0);
    assert_int_equal(cbor_close(&reader), 0);
    assert_true(is_same_record(record, &back));
    arena_free(arena);
    buf_done(&buf);
}

static void test_golden(void **state)
{
    static const struct finding_reason reasons[] = {{STR("note"), STR("R.txt"), 0.5}};
    static const struct finding_process parents[] = {{.pid = 1, .start = 2, .user = STR("root")}};
    static const struct finding_file files[] = {
        {.path = STR("/a\xff"), .outcome = FILE_OUTCOME_REPLACED, .is_restored = true}};
    struct record finding = {.kind = RECORD_KIND_FINDING,
                             .finding = {.id = {{0xab}},
                                         .revision = 1,
                                         .time = 1000,
                                         .detector = STR("ransom"),
                                         .severity = SEVERITY_CRITICAL,
                                         .title = STR("t"),
                                         .host = STR("h"),
                                         .score = 3,
                                         .reasons = reasons,
                                         .reason_count = 1,
                                         .process = {.pid = 42, .start = 70000, .uid = 1000},
                                         .ancestors = parents,
                                         .ancestor_count = 1,
                                         .files = files,
                                         .file_count = 1,
                                         .files_total = 5,
                                         .files_restored = 1,
                                         .action = FINDING_ACTION_STOPPED,
                                         .action_result = -ERR_NOENT,
                                         .action_ns = 2500000}};
    struct record answer = {
        .kind = RECORD_KIND_ANSWER,
        .answer = {.id = {{0xab}}, .time = -1, .result = -ERR_EXPIRED, .detail = STR("late")}};
    struct record status = {
        .kind = RECORD_KIND_STATUS,
        .status = {.time = 1, .version = STR("0.1.0"), .events = 300, .restarts = UINT64_MAX}};

    (void)state;
    assert_golden(&finding,
                  "82019350ab000000000000000000000000000000011903e8f46672616e736f6d0461746168fb40"
                  "080000000000008183646e6f746565522e747874fb3fe000000000000086182a1a000111701903"
                  "e8606060818601020064726f6f746060808184432f61ff02f5f4050102211a002625a0");
    assert_golden(&answer, "82028450ab000000000000000000000000000000203903ed646c617465");
    assert_golden(&status,
                  "8203910165302e312e3060606060606019012c000000000000001bffffffffffffffff");
}

static int carry_finding(void *context)
{
    static const struct finding_file files[] = {{.path = STR("/a")}, {.path = STR("/b")}};
    static const struct finding_process group[] = {{.pid = 1}, {.pid = 2}};
    struct record record = {
        .kind = RECORD_KIND_FINDING,
        .finding = {.files = files, .file_count = 2, .group = group, .group_count = 2}};
    struct arena *arena = NULL;
    struct cbor_reader reader;
    struct buf buf;
    int r;

    (void)context;
    buf_init(&buf, RECORD_SIZE_MAX);
    record_encode(&record, &buf);
    r = buf_error(&buf);
    if (r == 0) {
        r = arena_new(1 << 16, &arena);
    }
    if (r == 0) {
        cbor_open(&reader, buf_str(&buf));
        r = record_decode(&reader, arena, &record);
    }
    arena_free(arena);
    buf_done(&buf);
    return r;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(carry_finding, NULL);
}

static void test_status_json(void **state)
{
    struct status status = {.time = 1795462244123000000,
                            .version = STR("0.1.0"),
                            .shield = STR("stop-and-restore"),
                            .protected_paths = STR("/home\n/srv"),
                            .events = UINT64_MAX,
                            .restarts = 3};
    struct json_writer json;
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    json_begin(&json, &buf);
    status_write_json(&status, &json);
    assert_str(
        buf_str(&buf),
        "{\"time\":\"2026-11-23T19:30:44.123Z\",\"version\":\"0.1.0\",\"kernel\":\"\",\"os\":\"\","
        "\"address\":\"\",\"process_sensor\":\"\",\"shield\":\"stop-and-restore\","
        "\"protected_paths\":\"/home\\n/srv\",\"events\":18446744073709551615,\"dropped\":0,"
        "\"gate_opens\":0,\"gate_late\":0,\"vault_bytes\":0,\"vault_limit\":0,\"vault_versions\":0,"
        "\"stopped_groups\":0,\"restarts\":3}");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),         cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_large_finding_fits), cmocka_unit_test(test_golden),
        cmocka_unit_test(test_no_memory),          cmocka_unit_test(test_status_json),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
