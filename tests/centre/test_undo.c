/* Ten seconds in which a slip of the hand can be taken back, and drills that stay out of figures.
 */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"

static struct rig rig;
static char duty[256];
static char admin[256];

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_login(&rig, "duty", duty);
    rig_login(&rig, "admin", admin);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static int post(const char *cookie, const char *body, char ret_id[ID_TEXT_SIZE], const char *format,
                ...)
{
    char path[200];
    struct answer answer;
    va_list args;
    int status;

    va_start(args, format);
    (void)vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    rig_http(&rig, "POST", path, cookie, body, &answer);
    status = answer.status;
    if (ret_id != NULL) {
        (void)snprintf(ret_id, ID_TEXT_SIZE, "%.*s",
                       STR_ARG(json_member_str(answer.json, "id", STR(""))));
    }
    answer_done(&answer);
    return status;
}

static void expect_state(uint64_t number, const char *state)
{
    char path[96];
    struct answer answer;

    (void)snprintf(path, sizeof(path), "/api/v1/alerts/%llu/actions", (unsigned long long)number);
    rig_http(&rig, "GET", path, duty, NULL, &answer);
    assert_str(json_member_str(json_member(answer.json, "items")->first, "state", STR("")), state);
    answer_done(&answer);
}

static uint64_t alert_of_connected_host(const char *name, uint8_t key, struct rig_agent *agent)
{
    struct id id = rig_add_host(&rig, name, key);

    rig_agent_connect(&rig, key, false, agent);
    rig_agent_hello(&rig, agent, 0);
    rig_agent_batch(&rig, agent, 1, 1);
    rig_agent_wait_ack(&rig, agent, 1);
    return rig_add_alert(&rig, &id, "Data encryption was stopped", SEVERITY_CRITICAL);
}

/* Ending processes cannot be undone, so it waits, and can be called off until it leaves. */
static void test_kill_waits(void **state)
{
    struct rig_agent agent;
    uint64_t number = alert_of_connected_host("pc-1", 21, &agent);
    struct link_answer word = {0};
    char id[ID_TEXT_SIZE];

    (void)state;
    assert_int_equal(post(duty, "{\"action\":\"kill\",\"reason\":\"chắc\"}", id,
                          "/api/v1/alerts/%llu/actions", (unsigned long long)number),
                     200);
    for (int i = 0; i < 20; i++) {
        rig_step(&rig);
    }
    core_actions_release(rig.core);
    expect_state(number, "waiting");
    assert_int_equal(post(duty, NULL, NULL, "/api/v1/alerts/%llu/actions/%s/call-off",
                          (unsigned long long)number, id),
                     204);
    expect_state(number, "canceled");
    assert_int_equal(post(duty, NULL, NULL, "/api/v1/alerts/%llu/actions/%s/call-off",
                          (unsigned long long)number, id),
                     409); /* once is enough */

    assert_int_equal(post(duty, "{\"action\":\"kill\",\"reason\":\"chắc hơn\"}", id,
                          "/api/v1/alerts/%llu/actions", (unsigned long long)number),
                     200);
    rig.offset += ACTION_HOLD;
    core_actions_release(rig.core);
    while (word.kind != LINK_ANSWER_ACTION) {
        assert_true(rig_agent_wait(&rig, &agent, &word)); /* the one called off never comes */
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    expect_state(number, "sent");
    assert_int_equal(post(duty, NULL, NULL, "/api/v1/alerts/%llu/actions/%s/call-off",
                          (unsigned long long)number, id),
                     409); /* too late */
    rig.offset -= ACTION_HOLD;
    rig_agent_close(&rig, &agent);
}

/* What can be undone goes at once. */
static void test_restore_does_not_wait(void **state)
{
    struct rig_agent agent;
    uint64_t number = alert_of_connected_host("pc-2", 22, &agent);
    struct link_answer word = {0};

    (void)state;
    assert_int_equal(post(duty, "{\"action\":\"restore\",\"reason\":\"lần nữa\"}", NULL,
                          "/api/v1/alerts/%llu/actions", (unsigned long long)number),
                     200);
    while (word.kind != LINK_ANSWER_ACTION) {
        assert_true(rig_agent_wait(&rig, &agent, &word));
    }
    rig_agent_close(&rig, &agent);
}

static void test_revocation_is_taken_back(void **state)
{
    struct id id = rig_add_host(&rig, "pc-3", 23);
    char text[ID_TEXT_SIZE];

    (void)state;
    id_format(&id, text);
    assert_int_equal(post(admin, NULL, NULL, "/api/v1/hosts/%s/reinstate", text), 409);
    assert_int_equal(
        post(admin, "{\"reason\":\"nhầm máy\"}", NULL, "/api/v1/hosts/%s/revoke", text), 204);
    assert_true(core_host_by_id(rig.core, &id)->is_revoked);
    assert_int_equal(post(duty, NULL, NULL, "/api/v1/hosts/%s/reinstate", text), 403);
    assert_int_equal(post(admin, NULL, NULL, "/api/v1/hosts/%s/reinstate", text), 204);
    assert_false(core_host_by_id(rig.core, &id)->is_revoked);
    assert_int_equal(post(admin, "{\"reason\":\"mất máy\"}", NULL, "/api/v1/hosts/%s/revoke", text),
                     204);
    rig.mono_offset += 61 * NS_PER_S;
    assert_int_equal(post(admin, NULL, NULL, "/api/v1/hosts/%s/reinstate", text), 409);
    assert_true(core_host_by_id(rig.core, &id)->is_revoked);
}

static int64_t count_of(const char *name)
{
    struct answer answer;
    int64_t value;

    rig.mono_offset += 2 * NS_PER_S; /* counts are kept for a second */
    rig_http(&rig, "GET", "/api/v1/overview", duty, NULL, &answer);
    value = json_member_i64(json_member(answer.json, "counts"), name, -1);
    answer_done(&answer);
    return value;
}

static void test_drills_are_not_counted(void **state)
{
    struct id id = rig_add_host(&rig, "pc-4", 24);
    struct finding drill = {.time = clock_wall(&rig.clock),
                            .is_drill = true,
                            .detector = STR("ransom"),
                            .severity = SEVERITY_CRITICAL,
                            .title = STR("Data encryption was stopped"),
                            .score = 8};
    int64_t before = count_of("alerts_new");
    char path[96];
    char text[ID_TEXT_SIZE];
    uint64_t number;
    struct answer answer;

    (void)state;
    assert_int_equal(id_new(&drill.id), 0);
    assert_int_equal(core_batch_begin(rig.core), 0);
    assert_int_equal(store_alert_fold(rig.store, &id, &drill, &number), 0);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(count_of("alerts_new"), before);
    id_format(&id, text);
    (void)snprintf(path, sizeof(path), "/api/v1/hosts/%s", text);
    rig_http(&rig, "GET", path, duty, NULL, &answer);
    assert_int_equal(json_member_i64(answer.json, "open_alerts", -1), 0);
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_waits),
        cmocka_unit_test(test_restore_does_not_wait),
        cmocka_unit_test(test_revocation_is_taken_back),
        cmocka_unit_test(test_drills_are_not_counted),
    };

    return cmocka_run_group_tests_name("undo", tests, start, stop);
}
