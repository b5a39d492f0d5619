/* How long events are kept, and that a wrong clock does not take them away. */
#include "../harness.h"
#include "rig.h"

#define DAY (86400 * NS_PER_S)

static int start(void **state)
{
    static struct rig rig;

    rig_start(&rig);
    *state = &rig;
    return 0;
}

static int stop(void **state)
{
    rig_stop(*state);
    return 0;
}

static void meet(struct rig *rig, uint8_t key, uint64_t last, struct rig_agent *agent)
{
    struct link_answer answer;

    rig_agent_connect(rig, key, false, agent);
    rig_agent_hello(rig, agent, last);
    assert_true(rig_agent_wait(rig, agent, &answer));
    assert_int_equal(answer.kind, LINK_ANSWER_ACK);
}

static unsigned leaps_told(struct rig *rig)
{
    struct store_alert_filter filter = {
        .state = -2, .severity_least = -1, .is_drill = -1, .limit = STORE_PAGE_MAX};
    struct store_alert *alerts;
    struct arena *arena;
    unsigned found = 0;
    size_t count;

    assert_int_equal(arena_new(64U << 20, &arena), 0);
    assert_int_equal(store_alert_list(rig->store, &filter, arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        found += str_has_prefix(alerts[i].title, STR("The centre's clock went ahead")) ? 1U : 0U;
    }
    arena_free(arena);
    return found;
}

static int count_event(void *context, const struct archive_key *key, const struct event *event)
{
    (void)key;
    (void)event;
    ++*(unsigned *)context;
    return 0;
}

static unsigned events_kept(struct rig *rig)
{
    const struct archive_query query = {.to = INT64_MAX, .limit = 1000};
    unsigned count = 0;

    assert_int_equal(archive_search(rig->archive, &query, count_event, &count), 0);
    return count;
}

/* Ten days of events; then what happens by the clock, hour by hour, to those older than 30. */
static void test_clock_leaps(void **state)
{
    struct rig *rig = *state;
    struct rig_agent agent;
    unsigned all;

    (void)rig_add_host(rig, "pc-7", 7);
    rig->offset = -10 * DAY;
    for (uint64_t day = 0; day < 10; day++, rig->offset += DAY) {
        meet(rig, 7, day * 5 + 5, &agent);
        rig_agent_batch(rig, &agent, day * 5 + 1, day * 5 + 5);
        rig_agent_wait_ack(rig, &agent, day * 5 + 5);
        rig_agent_close(rig, &agent);
        core_expire(rig->core);
    }
    rig->core->options.event_life = 30 * DAY;
    core_expire(rig->core);
    all = events_kept(rig);
    assert_int_equal(all, 45); /* each tenth record is a finding */
    rig->offset = 365 * DAY;
    for (unsigned hour = 0; hour < 11; hour++, rig->mono_offset += DAY / 24) {
        core_expire(rig->core);
        rig_restart_core(rig); /* nor does that help a wrong clock */
        rig->core->options.event_life = 30 * DAY;
    }
    assert_int_equal(events_kept(rig), all);
    assert_int_equal(leaps_told(rig), 1);
    for (unsigned hour = 0; hour < 23 * 24; hour++, rig->mono_offset += DAY / 24) {
        core_expire(rig->core); /* 23 days of running make 46 of belief */
    }
    assert_int_equal(events_kept(rig), 0);
}

/* What was off for a long weekend deletes what is due, and troubles nobody. */
static void test_clock_after_rest(void **state)
{
    struct rig *rig = *state;
    struct rig_agent agent;

    (void)rig_add_host(rig, "pc-8", 8);
    meet(rig, 8, 5, &agent);
    rig_agent_batch(rig, &agent, 1, 5);
    rig_agent_wait_ack(rig, &agent, 5);
    rig_agent_close(rig, &agent);
    rig->core->options.event_life = 2 * DAY;
    core_expire(rig->core);
    rig->offset += 4 * DAY;
    core_expire(rig->core);
    assert_int_equal(events_kept(rig), 5);
    rig->mono_offset += 2 * DAY;
    for (unsigned hour = 0; hour < 4 * 12; hour++, rig->mono_offset += DAY / 24) {
        core_expire(rig->core);
    }
    assert_int_equal(events_kept(rig), 0);
    assert_int_equal(leaps_told(rig), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clock_leaps, start, stop),
        cmocka_unit_test_setup_teardown(test_clock_after_rest, start, stop),
    };

    return cmocka_run_group_tests_name("expire", tests, NULL, NULL);
}
