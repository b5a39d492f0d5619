/* Stored events that are damaged: people are told, once, whatever dies in between. */
#include "../harness.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static void damage_day(const char *folder, const char *name)
{
    static const char bytes[] = "no database at all ...............................";
    char path[128];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/events", folder);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    (void)snprintf(path, sizeof(path), "%s/events/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    close(fd);
}

/* What the alert counts; 0: there is none. */
static uint64_t times_told(struct rig *rig, enum alert_state *ret_state)
{
    const struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = -1, .limit = STORE_PAGE_MAX};
    struct store_alert *alerts;
    uint64_t told = 0;
    size_t count;

    arena_reset(rig->arena);
    assert_int_equal(store_alert_list(rig->reader, &filter, rig->arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (str_has_prefix(alerts[i].title, STR("Stored events are damaged"))) {
            told += alerts[i].count;
            *ret_state = alerts[i].state;
        }
    }
    return told;
}

static void watch(struct rig *rig)
{
    core_archive_watch(rig->core);
    (void)core_batch_commit(rig->core);
}

/* Core was killed behind the renaming: the next one tells. */
static void test_told_after_death(void **state)
{
    struct rig *rig = *state;
    enum alert_state alert = ALERT_STATE_NEW;

    damage_day(rig->folder, "2026-01-02.db");
    rig_restart_core(rig); /* sets it aside */
    rig_restart_core(rig); /* and was killed before it told */
    assert_int_equal(times_told(rig, &alert), 0);
    watch(rig);
    assert_int_equal(times_told(rig, &alert), 1);
    for (unsigned i = 0; i < 3; i++) {
        rig_restart_core(rig);
        watch(rig);
        assert_int_equal(times_told(rig, &alert), 1); /* the same is told once */
    }
    damage_day(rig->folder, "2026-01-02.db");
    rig_restart_core(rig);
    watch(rig);
    assert_int_equal(times_told(rig, &alert), 2); /* another of that day is another */
}

/* What told of it could not be written: it is told when it can. */
static void test_told_after_failure(void **state)
{
    struct rig *rig = *state;
    enum alert_state alert = ALERT_STATE_NEW;

    damage_day(rig->folder, "2026-01-02.db");
    rig_restart_core(rig);
    core_archive_watch(rig->core);
    core_fail(rig->core, -ERR_NOSPC);
    assert_int_equal(times_told(rig, &alert), 0);
    watch(rig);
    assert_int_equal(times_told(rig, &alert), 1);
}

struct told {
    size_t count;
    bool has_more;
};

/* Through the whole archive, in as many turns as a busy machine needs. */
static struct told search_all(struct rig *rig, const char *cookie)
{
    struct told told = {0};
    char cursor[FIND_CURSOR_SIZE] = "";
    char body[FIND_CURSOR_SIZE + 64];

    do {
        struct answer answer;
        struct str next;

        (void)snprintf(body, sizeof(body), "{\"q\":\"x\",\"limit\":1%s%s%s}",
                       cursor[0] != '\0' ? ",\"cursor\":\"" : "", cursor,
                       cursor[0] != '\0' ? "\"" : "");
        rig_http(rig, "POST", "/api/v1/events/search", cookie, body, &answer);
        assert_int_equal(answer.status, 200);
        told.count += json_member(answer.json, "damages")->count;
        told.has_more = told.has_more || json_member_bool(answer.json, "more_damages", false);
        next = json_member_str(answer.json, "next", STR(""));
        (void)snprintf(cursor, sizeof(cursor), "%.*s", STR_ARG(next));
        answer_done(&answer);
    } while (cursor[0] != '\0');
    return told;
}

/* More than one answer tells: it says that there are more. */
static void test_more_than_are_told(void **state)
{
    struct rig *rig = *state;
    struct told told;
    char cookie[256];
    char name[64];

    rig_login(rig, "duty", cookie);
    for (unsigned i = 1; i <= ARCHIVE_DAMAGES_MAX + 1; i++) {
        told = search_all(rig, cookie);
        assert_int_equal(told.count, i - 1);
        assert_false(told.has_more);
        (void)snprintf(name, sizeof(name), "2025-01-%02u.db.damaged-%u", 1 + i % 28, i);
        damage_day(rig->folder, name);
    }
    told = search_all(rig, cookie);
    assert_int_equal(told.count, ARCHIVE_DAMAGES_MAX);
    assert_true(told.has_more);
}

/* The same of people: once for all of them, also after a restart. */
static void test_more_are_one_finding(void **state)
{
    struct rig *rig = *state;
    const struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = -1, .limit = STORE_PAGE_MAX};
    struct store_alert *alerts;
    char name[64];
    size_t count;

    for (unsigned i = 1; i <= ARCHIVE_DAMAGES_MAX + 2; i++) {
        (void)snprintf(name, sizeof(name), "2025-01-%02u.db.damaged-%u", 1 + i % 28, i);
        damage_day(rig->folder, name);
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t more = 0;

        rig_restart_core(rig);
        watch(rig);
        arena_reset(rig->arena);
        assert_int_equal(store_alert_list(rig->reader, &filter, rig->arena, &alerts, &count), 0);
        for (size_t j = 0; j < count; j++) {
            more +=
                str_has_prefix(alerts[j].title, STR("More stored events")) ? alerts[j].count : 0;
        }
        assert_int_equal(more, 1);
    }
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told_after_death, start, stop),
        cmocka_unit_test_setup_teardown(test_told_after_failure, start, stop),
        cmocka_unit_test_setup_teardown(test_more_than_are_told, start, stop),
        cmocka_unit_test_setup_teardown(test_more_are_one_finding, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
