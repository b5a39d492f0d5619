/* Findings: limits, fitting into a record, and the JSON that people and scripts read. */
#include "draw.h"

#include "base/text.h"
#include "codec/json.h"

static void test_names(void **state)
{
    enum severity severity;

    (void)state;
    for (int i = 0; i < SEVERITY_COUNT; i++) {
        assert_true(severity_parse(str_from(severity_name((enum severity)i)), &severity));
        assert_int_equal(severity, i);
    }
    assert_false(severity_parse(STR("urgent"), &severity));
    assert_string_equal(file_outcome_name(FILE_OUTCOME_PRODUCT), "product");
    assert_string_equal(finding_action_name(FINDING_ACTION_STOPPED), "stopped");
}

/* A finding far past what one record holds. */
static struct finding huge_finding(struct arena *arena)
{
    struct finding_process *group;
    struct finding_file *files;
    struct str cmdline;

    arena_reset(arena);
    files = arena_alloc(arena, FINDING_FILES_MAX, sizeof(*files));
    group = arena_alloc(arena, FINDING_GROUP_MAX, sizeof(*group));
    cmdline = str_of(arena_alloc(arena, 70000, 1), 70000);
    assert_non_null(files);
    assert_non_null(group);
    assert_non_null(cmdline.ptr);
    for (size_t i = 0; i < FINDING_FILES_MAX; i++) {
        files[i].path =
            arena_printf(arena, "/srv/Phòng Tổng hợp/Công văn đi/2026/Tháng 11/%04zu.docx", i);
    }
    for (size_t i = 0; i < FINDING_GROUP_MAX; i++) {
        group[i] =
            (struct finding_process){.pid = (int64_t)i, .cmdline = str_slice(cmdline, 0, 2000)};
    }
    return (struct finding){.files = files,
                            .file_count = FINDING_FILES_MAX,
                            .files_total = 5000,
                            .group = group,
                            .group_count = FINDING_GROUP_MAX,
                            .ancestors = group,
                            .ancestor_count = FINDING_ANCESTORS_MAX,
                            .process = {.pid = 3, .cmdline = cmdline}};
}

static size_t encoded_size(const struct finding *finding)
{
    struct buf buf;
    size_t len;

    buf_init(&buf, 1 << 20);
    finding_encode(finding, &buf);
    assert_int_equal(buf_error(&buf), 0);
    len = buf.len;
    buf_done(&buf);
    return len;
}

static void test_fit(void **state)
{
    struct arena *arena = NULL;
    struct finding finding;

    (void)state;
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    finding = huge_finding(arena);
    finding.process.cmdline = STR("python3 x.py");
    finding.group_count = 2;
    finding_fit(&finding, 60000);
    assert_in_range(encoded_size(&finding), 50000, 60000); /* as many files as there is room for */
    assert_int_equal(finding.group_count, 2);
    assert_int_equal(finding.files_total, 5000);
    for (size_t limit = 4096; limit < 300000; limit += 7777) {
        finding = huge_finding(arena);
        finding_fit(&finding, limit);
        assert_true(encoded_size(&finding) <= limit);
    }
    finding = huge_finding(arena);
    finding_fit(&finding, 1 << 20);
    assert_int_equal(finding.file_count, FINDING_FILES_MAX); /* nothing is dropped without need */
    assert_int_equal(finding.process.cmdline.len, 70000);
    arena_free(arena);
}

/* A finding with one list longer than its limit. */
static int decode_with(size_t files, size_t group, size_t ancestors, size_t reasons)
{
    struct finding_reason many_reasons[FINDING_WHY_MAX + 1] = {0};
    struct finding_process *processes = NULL;
    struct finding_file *many_files = NULL;
    struct arena *arena = NULL;
    struct finding finding;
    struct cbor_reader reader;
    struct buf buf;
    int r;

    assert_int_equal(arena_new(1 << 20, &arena), 0);
    processes = arena_alloc(arena, FINDING_GROUP_MAX + 1, sizeof(*processes));
    many_files = arena_alloc(arena, FINDING_FILES_MAX + 1, sizeof(*many_files));
    finding = (struct finding){.files = many_files,
                               .file_count = files,
                               .group = processes,
                               .group_count = group,
                               .ancestors = processes,
                               .ancestor_count = ancestors,
                               .reasons = many_reasons,
                               .reason_count = reasons};
    buf_init(&buf, 1 << 20);
    finding_encode(&finding, &buf);
    cbor_open(&reader, buf_str(&buf));
    r = finding_decode(&reader, arena, &finding);
    buf_done(&buf);
    arena_free(arena);
    return r;
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(
        decode_with(FINDING_FILES_MAX, FINDING_GROUP_MAX, FINDING_ANCESTORS_MAX, FINDING_WHY_MAX),
        0);
    assert_int_equal(decode_with(FINDING_FILES_MAX + 1, 0, 0, 0), -ERR_LIMIT);
    assert_int_equal(decode_with(0, FINDING_GROUP_MAX + 1, 0, 0), -ERR_LIMIT);
    assert_int_equal(decode_with(0, 0, FINDING_ANCESTORS_MAX + 1, 0), -ERR_LIMIT);
    assert_int_equal(decode_with(0, 0, 0, FINDING_WHY_MAX + 1), -ERR_LIMIT);
}

static void test_json(void **state)
{
    static const struct finding_reason reasons[] = {{STR("chi_square"), STR("254.1"), 1.5},
                                                    {STR("unheard"), STR("x"), 0}};
    static const struct finding_process ancestors[] = {
        {.pid = 1, .exe = STR("/sbin/init"), .user = STR("root")}};
    static const struct finding_file files[] = {
        {.path = STR("/srv/a.docx"), .outcome = FILE_OUTCOME_REPLACED, .is_restored = true}};
    struct finding finding = {.id = {{1}},
                              .revision = 2,
                              .time = 1795462244123000000,
                              .detector = STR("ransom"),
                              .severity = SEVERITY_CRITICAL,
                              .title = STR("files are being encrypted"),
                              .host = STR("may-01"),
                              .score = 3.5,
                              .reasons = reasons,
                              .reason_count = 2,
                              .process = {.pid = 42,
                                          .uid = 1000,
                                          .exe = STR("/usr/bin/python3"),
                                          .cmdline = STR("python3 x.py"),
                                          .user = STR("lan")},
                              .ancestors = ancestors,
                              .ancestor_count = 1,
                              .files = files,
                              .file_count = 1,
                              .files_total = 1,
                              .files_restored = 1,
                              .action = FINDING_ACTION_STOPPED,
                              .action_result = -ERR_NOENT,
                              .action_ns = 2500000};
    struct json_writer json;
    struct buf buf;

    (void)state;
    text_set_language(LANGUAGE_EN);
    buf_init(&buf, 1 << 16);
    json_begin(&json, &buf);
    finding_write_json(&finding, &json);
    assert_str(
        buf_str(&buf),
        "{\"time\":\"2026-11-23T19:30:44.123Z\",\"id\":\"01000000-0000-0000-0000-000000000000\","
        "\"revision\":2,\"drill\":false,\"host\":\"may-01\",\"detector\":\"ransom\",\"severity\":"
        "\"critical\","
        "\"title\":\"files are being encrypted\",\"why\":[{\"what\":\"chi_square\",\"text\":\"what "
        "was "
        "written cannot be told from random "
        "bytes\",\"value\":\"254.1\",\"score\":1.5},{\"what\":\"unheard\","
        "\"text\":\"unheard\",\"value\":\"x\",\"score\":0}],\"score\":3.5,\"process\":{\"pid\":42,"
        "\"exe\":\"/usr/bin/python3\",\"cmdline\":\"python3 x.py\",\"user\":\"lan\",\"uid\":1000,"
        "\"ancestors\":[{\"pid\":1,\"exe\":\"/sbin/"
        "init\",\"cmdline\":\"\",\"user\":\"root\",\"uid\":0}]},"
        "\"group\":[],\"files\":[{\"path\":\"/srv/"
        "a.docx\",\"outcome\":\"replaced\",\"restored\":true,"
        "\"partial\":false}],\"files_total\":1,\"files_restored\":1,\"action\":{\"kind\":"
        "\"stopped\","
        "\"result\":\"NOENT\",\"ms\":2.5}}");
    buf_done(&buf);
}

/* Any finding at all gives JSON that a strict reader takes. */
static const char *findings_give_json(struct prop *prop)
{
    struct finding finding = draw_finding(prop);
    struct json_value *value = NULL;
    struct json_writer json;
    struct buf buf;
    const char *broke = NULL;

    buf_init(&buf, 1 << 18);
    json_begin(&json, &buf);
    finding_write_json(&finding, &json);
    if (json_parse(buf_str(&buf), prop->arena, &value, NULL) != 0) {
        broke = "the JSON is refused";
    } else if (json_member(value, "files")->count != finding.file_count) {
        broke = "a file is missing";
    }
    buf_done(&buf);
    return broke;
}

static void test_any_json(void **state)
{
    (void)state;
    prop_check("findings give JSON", findings_give_json, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_fit),
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_any_json),
    };

    return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
