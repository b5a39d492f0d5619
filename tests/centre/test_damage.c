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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
