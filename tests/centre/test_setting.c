/* The settings form: who may change what, what is refused and how, when it counts, what is kept. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "centre/schema.h"

static struct rig rig;
static char admin[256];

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_login(&rig, "admin", admin);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* The row of a setting as the form gets it; free the answer. */
static const struct json_value *row_of(const char *name, struct answer *answer)
{
    rig_http(&rig, "GET", "/api/v1/settings", admin, NULL, answer);
    assert_int_equal(answer->status, 200);
    for (const struct json_value *row = json_member(answer->json, "settings")->first; row != NULL;
         row = row->next) {
        if (str_is_text(json_member_str(row, "name", STR("")), name)) {
            return row;
        }
    }
    fail_msg("no row %s", name);
    return NULL;
}

static void expect_row(const char *name, const char *member, const char *value)
{
    struct answer answer;

    assert_str(json_member_str(row_of(name, &answer), member, STR("")), value);
    answer_done(&answer);
}

static int64_t seen(const char *name)
{
    struct answer answer;
    int64_t number = json_member_i64(row_of(name, &answer), "seen", -1);

    answer_done(&answer);
    return number;
}

/* value NULL: take it back. Returns the status; what was said goes to *ret_detail. */
static int change(const char *cookie, const char *name, const char *value, int64_t after,
                  char ret_detail[512])
{
    char path[96];
    char body[512];
    struct answer answer;
    int status;

    (void)snprintf(path, sizeof(path), "/api/v1/settings/%s", name);
    if (value != NULL) {
        (void)snprintf(body, sizeof(body), "{\"value\":\"%s\",\"seen\":%lld,\"reason\":\"thử\"}",
                       value, (long long)after);
    } else {
        (void)snprintf(body, sizeof(body), "{\"seen\":%lld,\"reason\":\"trả lại\"}",
                       (long long)after);
    }
    rig_http(&rig, "PATCH", path, cookie, body, &answer);
    status = answer.status;
    (void)snprintf(ret_detail, 512, "%.*s",
                   STR_ARG(json_member_str(answer.json, "detail", STR(""))));
    answer_done(&answer);
    return status;
}

static void test_change_counts_at_once(void **state)
{
    char said[512];

    (void)state;
    expect_row("token-life", "text", "1h");
    expect_row("token-life", "source", "default");
    assert_int_equal(change(admin, "token-life", "2h", 0, said), 204);
    assert_int_equal(rig.core->options.token_life, 2 * 3600 * NS_PER_S);
    expect_row("token-life", "text", "2h");
    expect_row("token-life", "source", "console");
    expect_row("token-life", "changed_by", "admin");
    expect_row("token-life", "reason", "thử");
    expect_row("token-life", "below", "1h");
    assert_int_equal(change(admin, "token-life", "3h", seen("token-life"), said), 204);
    expect_row("token-life", "before", "2h");
    assert_int_equal(change(admin, "silent-after", "10m", 0, said), 204);
    assert_int_equal(rig.core->options.silent_after, 600 * NS_PER_S);
    for (int i = 0; i < 100 && rig.api->options.silent_after != 600 * NS_PER_S; i++) {
        rig_step(&rig); /* the api process is told and reads it too */
    }
    assert_int_equal(rig.api->options.silent_after, 600 * NS_PER_S);
    assert_int_equal(change(admin, "token-life", NULL, seen("token-life"), said), 204);
    expect_row("token-life", "text", "1h");
    expect_row("token-life", "source", "default");
    expect_row("token-life", "before", "3h");
    assert_int_equal(rig.core->options.token_life, 3600 * NS_PER_S);
}

static void test_survives_a_restart(void **state)
{
    char said[512];

    (void)state;
    assert_int_equal(change(admin, "events-kept", "30d", seen("events-kept"), said), 204);
    rig_restart_core(&rig);
    assert_int_equal(rig.core->options.event_life, 30 * 86400 * NS_PER_S);
}

static void test_refused_with_reason(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        int status;
        const char *says;
    } rows[] = {
        {"token-life", "0s", 422, "1m"},
        {"token-life", "8d", 422, "7d"},
        {"token-life", "soon", 400, "24h"},
        {"token-life", "1h; rm", 400, "24h"},
        {"language", "fr", 400, "vi|en"},
        {"connections", "7", 422, "16"},
        {"connections", "99999999999999999999", 422, "connections"},
        {"name", "", 422, "empty"},
        {"name", "  ", 422, "empty"},
        {"listen", "9", 422, "lock out"},
        {"folder", "/tmp", 422, "centre.conf"},
        {"core-user", "root", 422, "root"},
        {"keep-user", "yes", 422, "root"},
        {"no-such", "1", 404, "no-such"},
    };
    char said[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = change(admin, rows[i].name, rows[i].value, 0, said);
        bool is_other_refusal = rows[i].status != 404 && status == 409;

        if (is_other_refusal) {
            status = change(admin, rows[i].name, rows[i].value, seen(rows[i].name), said);
        }
        if (status != rows[i].status || strstr(said, rows[i].says) == NULL) {
            fail_msg("%s = '%s': %d %s", rows[i].name, rows[i].value, status, said);
        }
    }
}

static void test_two_admins(void **state)
{
    char said[512];
    int64_t both = seen("name");

    (void)state;
    assert_int_equal(change(admin, "name", "Tỉnh Đồng Nai", both, said), 204);
    assert_int_equal(change(admin, "name", "Tỉnh khác", both, said), 409);
    expect_row("name", "text", "Tỉnh Đồng Nai");
}

static void test_only_admins(void **state)
{
    char cookie[256];
    char said[512];

    (void)state;
    rig_login(&rig, "duty", cookie);
    assert_int_equal(change(cookie, "name", "x", 0, said), 403);
    assert_non_null(strstr(said, "administrator"));
}

/* A row that somebody wrote into the store by other ways cannot set what the console may not. */
static void test_store_is_not_believed(void **state)
{
    struct store_setting rows[] = {
        {.name = STR("core-user"), .is_set = true, .value = STR("root"), .actor = STR("x")},
        {.name = STR("new-each"), .is_set = true, .value = STR("1"), .actor = STR("x")}};

    (void)state;
    assert_int_equal(core_batch_begin(rig.core), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(store_setting_put(rig.store, &rows[i]), 0);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(core_settings_apply(rig.core), 0);
    assert_string_equal(rig.core->overlay.now.core_user, "canhgac-core");
    assert_int_equal(rig.core->overlay.now.new_each, 1200);
}

/* What the command line says counts more than the console. */
static void test_command_line_wins(void **state)
{
    const struct setting *row = setting_find(centre_rows, STR("connections"));
    char said[512];

    (void)state;
    rig.settings.sources[row - centre_rows] = CENTRE_SOURCE_COMMAND;
    assert_int_equal(change(admin, "connections", "100", seen("connections"), said), 422);
    assert_non_null(strstr(said, "command line"));
    rig.settings.sources[row - centre_rows] = CENTRE_SOURCE_DEFAULT;
}

static void test_every_row_says_whether(void **state)
{
    (void)state;
    for (const struct setting *row = centre_rows; row->name != NULL; row++) {
        assert_true(row - centre_rows < CENTRE_SETTINGS_MAX);
        assert_true(centre_effect_of(row) != CENTRE_EFFECT_FIXED || centre_effect_why(row) != NULL);
        /* The supervisor holds root: it takes numbers only. */
        assert_true(centre_effect_of(row) != CENTRE_EFFECT_START || row->type == SETTING_NUMBER);
    }
}

static void test_audit(void **state)
{
    struct answer answer;
    bool has_change = false;

    (void)state;
    rig_http(&rig, "GET", "/api/v1/audit?limit=200", admin, NULL, &answer);
    for (const struct json_value *row = json_member(answer.json, "items")->first; row != NULL;
         row = row->next) {
        struct str detail = json_member_str(row, "detail", STR(""));

        has_change |= str_is_text(json_member_str(row, "act", STR("")), "setting.change") &&
                      str_is_text(json_member_str(row, "object", STR("")), "token-life") &&
                      str_find(detail, STR("\"to\":\"3h\"")) < detail.len;
    }
    assert_true(has_change);
    answer_done(&answer);
}

static const struct schema_member *described(const struct schema *schema, struct str key)
{
    for (const struct schema_member *member = schema->members; member->name != NULL; member++) {
        if (str_is_text(key, member->name)) {
            return member;
        }
    }
    fail_msg("the API's description does not know %.*s", STR_ARG(key));
    return NULL;
}

/* A row has what docs/openapi.json says of it, and nothing else. */
static void test_described(void **state)
{
    const struct schema *schema = schema_find("Setting");
    struct answer answer;

    (void)state;
    assert_non_null(schema);
    rig_http(&rig, "GET", "/api/v1/settings", admin, NULL, &answer);
    for (const struct json_value *row = json_member(answer.json, "settings")->first; row != NULL;
         row = row->next) {
        for (const struct json_value *part = row->first; part != NULL; part = part->next) {
            enum schema_type type = described(schema, part->key)->type;

            assert_true(type != SCHEMA_TYPE_TEXT || part->type == JSON_TYPE_STRING);
            assert_true(type != SCHEMA_TYPE_WORDS || part->type == JSON_TYPE_STRING ||
                        part->type == JSON_TYPE_NULL);
        }
    }
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change_counts_at_once),
        cmocka_unit_test(test_survives_a_restart),
        cmocka_unit_test(test_refused_with_reason),
        cmocka_unit_test(test_two_admins),
        cmocka_unit_test(test_only_admins),
        cmocka_unit_test(test_store_is_not_believed),
        cmocka_unit_test(test_command_line_wins),
        cmocka_unit_test(test_every_row_says_whether),
        cmocka_unit_test(test_audit),
        cmocka_unit_test(test_described),
    };

    return cmocka_run_group_tests_name("setting", tests, start, stop);
}
