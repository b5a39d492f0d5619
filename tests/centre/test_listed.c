/* What stands on a list of indicators and then in a log becomes an alert: the real detector,
 * without rights, behind core. What has expired does not; what is seen again is counted, not told
 * anew. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "centre/detector.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LIST                                                                                       \
    "canhgac-list 1\nname c2-thang-11\nlabel c2\nsource feeds.example\n\n"                         \
    "domain evil.example\naddress 203.0.113.7\n"                                                   \
    "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"                      \
    "domain once-bad.example\t2020-01-01T00:00:00Z\nend 4\n"
#define BETS "canhgac-list 1\nname ca-cuoc\nlabel gambling\nsource x\n\ndomain bet.example\nend 1\n"
#define BARE                                                                                       \
    "canhgac-list 1\nname khong-nhan\nlabel unknown\nsource x\n\ndomain strange.example\nend 1\n"
#define TOLD 60 /* findings of an alert, at most */

static struct rig rig;
static char lists[64];
static int detector_ends[2];
static pid_t detector_pid;

static const char *list_path(const char *name)
{
    static char path[160];

    (void)snprintf(path, sizeof(path), "%s/%s.list", lists, name);
    return path;
}

static void list_write(const char *name, const char *text)
{
    const char *path = list_path(name);
    FILE *file;

    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void lists_remove(void)
{
    static const char *const names[] = {"c2-thang-11", "ca-cuoc", "khong-nhan"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(unlink(list_path(names[i])), 0);
    }
    assert_int_equal(rmdir(lists), 0);
}

static int detector_body(void *context)
{
    return detector_run(&(struct detector_options){
        .lists = lists, .channel = *(const int *)context, .supervisor = -1});
}

/* The detector before the rig's threads: a child that is made while one of them asks for memory
 * would wait for its lock for ever. */
static int start(void **state)
{
    (void)state;
    (void)snprintf(lists, sizeof(lists), "/tmp/canhgac-listed-XXXXXX");
    assert_non_null(mkdtemp(lists));
    list_write("c2-thang-11", LIST);
    list_write("ca-cuoc", BETS);
    list_write("khong-nhan", BARE);
    assert_int_equal(channel_pair(detector_ends), 0);
    assert_int_equal(spawn_body("detector", &detector_ends[1], 1, detector_body, &detector_ends[1],
                                &detector_pid),
                     0);
    closep(&detector_ends[1]);
    rig_start(&rig);
    rig.core->options.channels.detector = detector_ends[0];
    assert_int_equal(core_detect_new(rig.core, 1, &rig.core->detect), 0);
    return 0;
}

static int stop(void **state)
{
    int status;

    (void)state;
    closep(&detector_ends[0]);
    assert_int_equal(waitpid(detector_pid, &status, 0), detector_pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rig_stop(&rig);
    lists_remove();
    return 0;
}

static void put(const char *const *entries, size_t count)
{
    static const struct core_host host;

    assert_int_equal(core_batch_begin(rig.core), 0);
    for (size_t i = 0; i < count; i++) {
        struct event event;

        event_init(&event, EVENT_KIND_LOG, 1);
        assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, str_from(entries[i])),
                         0);
        assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR("ndjson")), 0);
        assert_int_equal(core_detect_put(rig.core->detect, &host, &event, 0), 0);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
}

/* The alert of that title; false: there is none. */
static bool alert_find(const char *title, struct store_alert *ret_alert)
{
    struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = -1, .limit = 100};
    struct store_alert *alerts;
    size_t count = 0;

    arena_reset(rig.arena);
    assert_int_equal(store_alert_list(rig.store, &filter, rig.arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(alerts[i].title, title)) {
            *ret_alert = alerts[i];
            return true;
        }
    }
    return false;
}

/* Whether one of its findings says so; a body is CBOR, whose texts stand in it as they are. */
static bool alert_says(const struct store_alert *alert, const char *what)
{
    struct store_finding *findings;
    size_t count = 0;
    bool is_said = false;

    assert_int_equal(
        store_alert_findings(rig.store, alert->number, TOLD, rig.arena, &findings, &count), 0);
    for (size_t i = 0; i < count; i++) {
        is_said = is_said || str_find(findings[i].body, str_from(what)) != findings[i].body.len;
    }
    return is_said;
}

static void test_told(void **state)
{
    static const char *const entries[] = {
        "{\"QueryName\":\"www.evil.example\",\"Image\":\"C:\\\\a.exe\",\"client\":\"10.0.0.5\"}",
        "{\"QueryName\":\"www.once-bad.example\"}", "{\"DestinationIp\":\"203.0.113.7\"}",
        "{\"Hashes\":\"SHA256=E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\"}",
        "{\"QueryName\":\"www.fine.example\",\"DestinationIp\":\"203.0.113.8\"}"};
    struct store_alert alert;

    (void)state;
    put(entries, ARRAY_LEN(entries));
    assert_true(alert_find("A log names a host that is on a list", &alert));
    assert_int_equal(alert.severity, SEVERITY_HIGH);
    assert_int_equal(alert.count, 1);
    assert_true(str_is_text(alert.detector, "logs"));
    assert_true(alert_says(&alert, "indicator: evil.example"));
    assert_true(alert_says(&alert, "list: c2-thang-11 (c2)"));
    assert_true(alert_says(&alert, "source: feeds.example"));
    assert_true(alert_says(&alert, "QueryName: www.evil.example"));
    assert_false(alert_says(&alert, "once-bad.example"));
    assert_true(alert_find("A log names an address that is on a list", &alert));
    assert_true(alert_says(&alert, "DestinationIp: 203.0.113.7"));
    assert_true(alert_find("A log names a file that is on a list", &alert));
    assert_int_equal(alert.severity, SEVERITY_CRITICAL);
}

static void test_bets_are_no_break_in(void **state)
{
    static const char *const entries[] = {"{\"QueryName\":\"bet.example\"}"};
    struct store_alert alert;

    (void)state;
    put(entries, ARRAY_LEN(entries));
    assert_true(alert_find("A log names a host that is on a list", &alert));
    assert_int_equal(alert.severity, SEVERITY_LOW);
}

/* Of a list that says nothing of itself the worst is not known: it goes by what it holds. */
static void test_a_list_without_a_label(void **state)
{
    static const char *const entries[] = {"{\"QueryName\":\"strange.example\"}"};
    struct store_alert alert;

    (void)state;
    put(entries, ARRAY_LEN(entries));
    assert_true(alert_find("A log names a host that is on a list", &alert));
    assert_true(alert.severity >= SEVERITY_MEDIUM);
    assert_true(alert_says(&alert, "list: khong-nhan (unknown)"));
}

/* A thousand sightings of one are one finding, then one that counts them; another one is told at
 * once. */
static void test_sightings(void **state)
{
    static const char *entries[1000];
    static const char *const other[] = {"{\"QueryName\":\"bet.example\"}"};
    struct store_alert alert;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        entries[i] = "{\"QueryName\":\"evil.example\"}";
    }
    put(entries, ARRAY_LEN(entries));
    assert_true(alert_find("A log names a host that is on a list", &alert));
    assert_int_equal(alert.count, 1);
    put(other, 1);
    assert_true(alert_find("A log names a host that is on a list", &alert));
    assert_int_equal(alert.count, 2);
    rig.mono_offset += 11 * NS_PER_S;
    put(entries, 1);
    assert_true(alert_find("A log names a host that is on a list", &alert));
    assert_int_equal(alert.count, 1000 + 1 + 1);
    assert_true(alert_says(&alert, "1000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told, start, stop),
        cmocka_unit_test_setup_teardown(test_bets_are_no_break_in, start, stop),
        cmocka_unit_test_setup_teardown(test_a_list_without_a_label, start, stop),
        cmocka_unit_test_setup_teardown(test_sightings, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
