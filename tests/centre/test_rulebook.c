/* The rules of logs as people tune them, with the real detector as a process: a filter keeps back
 * and is counted, a rule is off, a rule of one's own is checked before it is taken, and neither the
 * death of the detector nor that of core forgets a window. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/err.h"
#include "centre/catalogue.h"
#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "centre/core/rule.h"
#include "store/log_states.h"
#include "store/rulebook.h"
#include "sys/fd.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUESS_ID   "11111111-2222-4333-8444-555555555555"
#define FAILURE_ID "11111111-2222-4333-8444-666666666666"
#define GUESS_RULES                                                                                \
    "title: Đăng nhập sai\nid: " FAILURE_ID "\nname: own_failure\nlevel: low\n"                    \
    "logsource:\n    product: linux\n    service: sshd\n"                                          \
    "detection:\n    words:\n        - 'Failed password'\n    condition: words\n---\n"             \
    "title: Five Failures\nid: " GUESS_ID "\nlevel: high\n"                                        \
    "description: Somebody guesses.\nfalsepositives:\n    - A forgotten password\n"                \
    "tags:\n    - attack.t1110\n    - attack.credential-access\n"                                  \
    "correlation:\n    type: event_count\n    rules:\n        - own_failure\n"                     \
    "    group-by:\n        - canhgac.host\n    timespan: 10m\n    condition:\n        gte: 5\n"

#define OTHER_ID "11111111-2222-4333-8444-777777777777"
#define OTHER_RULE                                                                                 \
    "title: Eight Failures\nid: " OTHER_ID "\nlevel: high\n"                                       \
    "correlation:\n    type: event_count\n    rules:\n        - own_failure\n"                     \
    "    group-by:\n        - canhgac.host\n    timespan: 10m\n    condition:\n        gte: 8\n"

#define NAMED_RULE                                                                                 \
    "title: A Name Of Our Own\nid: 11111111-2222-4333-8444-888888888888\nlevel: high\n"            \
    "logsource:\n    product: linux\n    service: sshd\n"                                          \
    "detection:\n    own:\n        ten_dang_nhap: lan\n    condition: own\n"
#define NAMES_PIPELINE                                                                             \
    "name: Names of our own\ntransformations:\n    - type: field_name_mapping\n"                   \
    "      mapping: {ten_dang_nhap: user}\n"

#define FORGOTTEN     "Correlations forgot windows since their memory was full"
#define DETECTOR_WORD "detector"
#define DETECTOR_FD   3

static char pipelines[] = "/tmp/canhgac-pipelines-XXXXXX"; /* the detectors are told of it */
static struct rig rig;
static int pair[2];
static pid_t detector;
static struct core_host *host;
static char cookie[256];
static struct loop_source *source;
static unsigned line;

/* The program itself, anew: threads of the rig may hold locks that a fork alone would inherit. */
static void detector_start(void)
{
    static char name[] = "test";
    static char word[] = DETECTOR_WORD;
    char *argv[] = {name, word, pipelines, NULL};

    detector = fork();
    assert_true(detector >= 0);
    if (detector == 0) {
        (void)dup2(pair[1], DETECTOR_FD);
        (void)execv("/proc/self/exe", argv);
        _exit(127);
    }
}

static void pipeline_write(const char *name, const char *text)
{
    FILE *file;

    assert_int_equal(chdir(pipelines), 0);
    file = fopen(name, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chdir("/"), 0);
}

/* One of them is no pipeline, and is passed over. */
static int pipelines_make(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(pipelines));
    pipeline_write("a-broken.yml", "transformations: 7\n");
    pipeline_write("names.yml", NAMES_PIPELINE);
    return 0;
}

static int pipelines_remove(void **state)
{
    (void)state;
    assert_int_equal(chdir(pipelines), 0);
    (void)unlink("a-broken.yml");
    (void)unlink("names.yml");
    assert_int_equal(chdir("/"), 0);
    return rmdir(pipelines);
}

static void detector_kill(void)
{
    int status;

    assert_int_equal(kill(detector, SIGKILL), 0);
    assert_int_equal(waitpid(detector, &status, 0), detector);
}

static void detector_attach(void)
{
    rig.core->options.channels.detector = pair[0];
    assert_int_equal(core_detect_new(rig.core, 1, &rig.core->detect), 0);
    assert_int_equal(loop_add_fd(rig.loop, pair[0], LOOP_READ, core_on_detector, rig.core, &source),
                     0);
}

static void wait_for_rules(void)
{
    struct detect_ready ready = {0};

    for (int i = 0; i < 2000 && ready.version == 0; i++) {
        rig_step(&rig);
        core_detect_ready(rig.core->detect, &ready);
    }
    assert_true(ready.version != 0);
    core_detect_tick(rig.core->detect);
    assert_int_equal(core_batch_commit(rig.core), 0);
}

static int start(void **state)
{
    struct id id;

    (void)state;
    rig_start(&rig);
    assert_int_equal(channel_pair(pair), 0);
    assert_int_equal(fd_set_nonblocking(pair[0], true), 0);
    detector_attach();
    detector_start();
    id = rig_add_host(&rig, "MC-01", 0x41);
    host = core_host_by_id(rig.core, &id);
    assert_non_null(host);
    wait_for_rules();
    rig_login(&rig, "admin", cookie);
    line = 0;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    detector_kill();
    loop_source_free(source);
    rig_stop(&rig);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static void put_only(const char *text)
{
    struct event event;

    assert_int_equal(core_batch_begin(rig.core), 0);
    event_init(&event, EVENT_KIND_LOG, 1);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, str_from(text)), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR("syslog")), 0);
    assert_int_equal(core_detect_put(rig.core->detect, host, &event, 0), 0);
}

static void put_line(const char *text)
{
    put_only(text);
    assert_int_equal(core_batch_commit(rig.core), 0);
}

static void fail_log_in(void)
{
    char text[160];

    (void)snprintf(text, sizeof(text),
                   "Nov 26 08:00:%02u gate sshd[%u]: Failed password for lan from 203.0.113.7 port "
                   "%u ssh2",
                   line, 100 + line, 2000 + line);
    line++;
    put_line(text);
}

static uint64_t alert_of(const char *title)
{
    struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = -1, .limit = 100};
    struct store_alert *alerts;
    size_t count = 0;

    arena_reset(rig.arena);
    assert_int_equal(store_alert_list(rig.store, &filter, rig.arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(alerts[i].title, title)) {
            return alerts[i].number;
        }
    }
    return 0;
}

static struct store_rule_hits hits_of(const char *rule)
{
    int64_t today = store_day(clock_wall(&rig.clock));
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_rule_hits *rows;
    size_t count;

    assert_int_equal(arena_new(16U << 20, &arena), 0);
    assert_int_equal(store_rule_hits_list(rig.store, today - 1, today, arena, &rows, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(rows[i].rule, rule)) {
            return rows[i];
        }
    }
    return (struct store_rule_hits){0};
}

static int ask(const char *method, const char *path, const char *body, struct answer *answer)
{
    CLEANUP(closep) int fd = rig_browser(&rig, "198.51.100.7");
    struct buf bytes;

    buf_init(&bytes, 1U << 20);
    buf_putf(&bytes,
             "%s %s HTTP/1.1\r\nHost: centre.example\r\nX-Canhgac: 1\r\n%sContent-Type: "
             "application/json\r\nContent-Length: %zu\r\n\r\n%s",
             method, path, cookie, strlen(body), body);
    rig_send(fd, bytes.ptr, bytes.len);
    buf_done(&bytes);
    rig_receive(&rig, fd, answer);
    return answer->status;
}

static void put_text(struct buf *body, const char *text)
{
    struct json_writer json;

    json_begin(&json, body);
    json_put_text(&json, text);
}

static int put_rule(const char *text, struct answer *answer)
{
    struct buf body;
    int status;

    buf_init(&body, 1U << 16);
    buf_put_text(&body, "{\"reason\":\"thử quy tắc\",\"text\":");
    put_text(&body, text);
    buf_put_text(&body, "}");
    status = ask("POST", "/api/v1/rules", body.ptr, answer);
    buf_done(&body);
    return status;
}

static void take_own_rule(void)
{
    struct answer answer;

    if (put_rule(GUESS_RULES, &answer) != 200) {
        fail_msg("not taken: %.*s", STR_ARG(buf_str(&answer.body)));
    }
    answer_done(&answer);
}

static void test_own_rule(void **state)
{
    struct answer answer;

    (void)state;
    assert_int_equal(put_rule("title: x\nlogsource:\n    product: linux\n", &answer), 422);
    assert_true(str_find(buf_str(&answer.body), STR("line 1")) != answer.body.len);
    answer_done(&answer);
    take_own_rule();
    for (int i = 0; i < 4; i++) {
        fail_log_in();
    }
    assert_int_equal(alert_of("Five Failures"), 0);
    fail_log_in();
    assert_true(alert_of("Five Failures") != 0);
    assert_int_equal(hits_of(GUESS_ID).hits, 1);
    assert_int_equal(hits_of(GUESS_ID).told, 1);
}

/* Somebody's own names for fields: a folder of pipelines holds for rules that come later too. */
static void test_own_pipeline(void **state)
{
    struct answer answer;

    (void)state;
    assert_int_equal(put_rule(NAMED_RULE, &answer), 200);
    answer_done(&answer);
    assert_int_equal(alert_of("A Name Of Our Own"), 0);
    fail_log_in();
    assert_true(alert_of("A Name Of Our Own") != 0);
}

/* The fifth comes to a detector that has not seen the first four. */
static void test_detector_dies(void **state)
{
    struct detector_counts counts;

    (void)state;
    take_own_rule();
    for (int i = 0; i < 4; i++) {
        fail_log_in();
    }
    detector_kill();
    detector_start();
    fail_log_in();
    assert_true(alert_of("Five Failures") != 0);
    assert_int_equal(hits_of(GUESS_ID).hits, 1);
    fail_log_in();
    assert_int_equal(hits_of(GUESS_ID).hits, 1);
    core_detect_count(rig.core->detect, &counts);
    assert_int_equal(counts.entries, counts.judged);
    assert_int_equal(counts.unjudged, 0);
}

/* Core is gone without a word: what the tick has kept is there for the next. */
static void test_core_dies(void **state)
{
    int status;

    (void)state;
    take_own_rule();
    for (int i = 0; i < 4; i++) {
        fail_log_in();
    }
    rig.mono_offset += 2 * NS_PER_S;
    core_detect_tick(rig.core->detect);
    assert_int_equal(core_batch_commit(rig.core), 0);
    loop_source_free(source);
    core_detect_free(rig.core->detect);
    detector_attach(); /* the old detector ends, as this core wants it to */
    assert_int_equal(waitpid(detector, &status, 0), detector);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    detector_start();
    fail_log_in();
    assert_true(alert_of("Five Failures") != 0);
}

/* Entries of a batch that came to nothing are sent again: windows must not hold them twice. */
static void test_batch_fails(void **state)
{
    int status;

    (void)state;
    take_own_rule();
    for (int i = 0; i < 3; i++) {
        fail_log_in();
    }
    put_only("Nov 26 08:00:59 gate sshd[9]: Failed password for lan from 203.0.113.7 port 9 ssh2");
    assert_int_equal(core_detect_settle(rig.core->detect), 0);
    core_fail(rig.core, -ERR_IO);
    assert_int_equal(waitpid(detector, &status, 0), detector);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    detector_start();
    fail_log_in();
    assert_int_equal(alert_of("Five Failures"), 0);
    fail_log_in();
    assert_true(alert_of("Five Failures") != 0);
}

static void test_filter(void **state)
{
    struct answer answer;
    struct str id;
    char path[128];
    char body[256];

    (void)state;
    take_own_rule();
    for (int i = 0; i < 5; i++) {
        fail_log_in();
    }
    (void)snprintf(path, sizeof(path), "/api/v1/alerts/%llu/filters",
                   (unsigned long long)alert_of("Five Failures"));
    assert_int_equal(
        ask("POST", path, "{\"field\":\"user\",\"value\":\"nobody\",\"reason\":\"thử\"}", &answer),
        404);
    answer_done(&answer);
    assert_int_equal(
        ask("POST", path, "{\"field\":\"canhgac.host\",\"reason\":\"máy thử\"}", &answer), 200);
    id = json_member(answer.json, "id")->string;
    (void)snprintf(path, sizeof(path), "/api/v1/filters/%.*s/drop", STR_ARG(id));
    (void)snprintf(body, sizeof(body), "%.*s", STR_ARG(id));
    answer_done(&answer);
    for (int i = 0; i < 7; i++) {
        fail_log_in();
    }
    assert_int_equal(hits_of(body).kept, 7);
    assert_int_equal(hits_of(FAILURE_ID).kept, 0);
    assert_int_equal(hits_of(GUESS_ID).hits, 1);
    put_line("{\"canhgac.host\":\"MC-01\",\"message\":\"Failed password\"}");
    assert_int_equal(ask("GET", "/api/v1/filters", "", &answer), 200);
    assert_true(str_find(buf_str(&answer.body), STR("\"kept_back\":7")) != answer.body.len);
    answer_done(&answer);
    assert_int_equal(ask("POST", path, "{\"reason\":\"thôi\"}", &answer), 204);
    answer_done(&answer);
    fail_log_in();
    assert_int_equal(hits_of(body).kept, 7);
}

/* Of two that ask for the same rule, the one whose alert it was is filtered. */
static void test_filter_of_one(void **state)
{
    struct answer answer;
    char path[128];
    char id[64];

    (void)state;
    take_own_rule();
    assert_int_equal(put_rule(OTHER_RULE, &answer), 200);
    answer_done(&answer);
    for (int i = 0; i < 5; i++) {
        fail_log_in();
    }
    assert_int_equal(alert_of("Eight Failures"), 0);
    (void)snprintf(path, sizeof(path), "/api/v1/alerts/%llu/filters",
                   (unsigned long long)alert_of("Five Failures"));
    assert_int_equal(
        ask("POST", path, "{\"field\":\"canhgac.host\",\"reason\":\"máy thử\"}", &answer), 200);
    (void)snprintf(id, sizeof(id), "%.*s", STR_ARG(json_member(answer.json, "id")->string));
    answer_done(&answer);
    for (int i = 0; i < 3; i++) {
        fail_log_in();
    }
    assert_true(alert_of("Eight Failures") != 0);
    assert_int_equal(hits_of(id).kept, 3);
}

#define FLOOD_RULE                                                                                 \
    "title: Long Names\nid: " OTHER_ID "\nlevel: high\n"                                           \
    "correlation:\n    type: event_count\n    rules:\n        - own_failure\n"                     \
    "    group-by:\n        - user\n    timespan: 10m\n    condition:\n        gte: 8\n"
#define FLOOD_NAME 1000 /* bytes: 64 MiB of windows are full after some 60,000 */

/* Who makes up names without end pushes others' windows out: that is told, with how many went. */
static void test_memory_is_full(void **state)
{
    struct answer answer;
    char name[FLOOD_NAME + 1];
    char text[FLOOD_NAME + 160];

    (void)state;
    take_own_rule();
    assert_int_equal(put_rule(FLOOD_RULE, &answer), 200);
    answer_done(&answer);
    memset(name, 'a', FLOOD_NAME);
    name[FLOOD_NAME] = '\0';
    for (unsigned i = 0; i < 80000 && (i % 1000 != 0 || alert_of(FORGOTTEN) == 0); i++) {
        (void)snprintf(text, sizeof(text),
                       "Nov 26 08:00:00 gate sshd[1]: Failed password for u%u%s from 203.0.113.7 "
                       "port 2000 ssh2",
                       i, name);
        put_only(text);
        if (i % 1000 == 999) {
            assert_int_equal(core_batch_commit(rig.core), 0);
            assert_true(i > 20000 || alert_of(FORGOTTEN) == 0);
        }
    }
    assert_true(alert_of(FORGOTTEN) != 0);
    assert_true(hits_of("windows-forgotten").hits != 0);
}

static void put_filter(const char *text, int64_t until)
{
    assert_int_equal(core_batch_begin(rig.core), 0);
    assert_int_equal(
        store_document_put(rig.store, &(struct store_document){.kind = RULE_DOCUMENT_FILTER,
                                                               .id = STR("f-1"),
                                                               .title = STR("thử"),
                                                               .text = str_from(text),
                                                               .rule = STR(FAILURE_ID),
                                                               .is_on = true,
                                                               .until = until,
                                                               .actor = STR("admin"),
                                                               .reason = STR("thử")}),
        0);
    assert_int_equal(core_batch_commit(rig.core), 0);
    core_detect_renew(rig.core->detect);
}

#define FILTER(user)                                                                               \
    "title: thử\nid: f-1\nfilter:\n    rules:\n        - " FAILURE_ID                              \
    "\n    kept:\n        user: " user "\n    condition: not kept\n"

/* A filter does not close windows of the rule that it is for; when its time is over it goes. */
static void test_filter_ends(void **state)
{
    (void)state;
    take_own_rule();
    for (int i = 0; i < 4; i++) {
        fail_log_in();
    }
    put_filter(FILTER("somebody"), 0);
    fail_log_in();
    assert_true(alert_of("Five Failures") != 0);
    put_filter(FILTER("lan"), clock_wall(&rig.clock) + 60 * NS_PER_S);
    fail_log_in();
    assert_int_equal(hits_of("f-1").kept, 1);
    rig.offset += 61 * NS_PER_S;
    core_detect_tick(rig.core->detect);
    fail_log_in();
    assert_int_equal(hits_of("f-1").kept, 1);
}

/* What people write may be wrong in ways that only show when it is loaded: the rest stands. */
static void test_broken_filter(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_log_state kept;
    struct catalogue catalogue;

    (void)state;
    take_own_rule();
    put_filter("title: x\nfilter: [", 0);
    for (int i = 0; i < 5; i++) {
        fail_log_in();
    }
    assert_true(alert_of("Five Failures") != 0);
    core_detect_tick(rig.core->detect);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(arena_new(64U << 20, &arena), 0);
    assert_int_equal(store_log_state_get(rig.store, CATALOGUE_STATE, arena, &kept), 0);
    assert_int_equal(catalogue_read(kept.body, arena, &catalogue), 0);
    assert_int_equal(catalogue.refused, 1);
    assert_true(str_is_text(catalogue.refusals[0].file, "console:f-1"));
    assert_true(catalogue.refusals[0].reason.len != 0);
}

static void test_off(void **state)
{
    struct answer answer;

    (void)state;
    take_own_rule();
    for (int i = 0; i < 4; i++) {
        fail_log_in();
    }
    assert_int_equal(
        ask("POST", "/api/v1/rules/" FAILURE_ID "/off", "{\"reason\":\"ồn quá\"}", &answer), 204);
    answer_done(&answer);
    fail_log_in();
    assert_int_equal(alert_of("Five Failures"), 0);
    assert_int_equal(
        ask("POST", "/api/v1/rules/" FAILURE_ID "/on", "{\"reason\":\"lại cần\"}", &answer), 204);
    answer_done(&answer);
    fail_log_in(); /* the window was open all the time */
    assert_true(alert_of("Five Failures") != 0);
}

/* What a rule is about, so that its alert can be understood without the file. */
static void test_meaning(void **state)
{
    struct answer answer;
    unsigned tries = 0;

    (void)state;
    take_own_rule();
    while (ask("GET", "/api/v1/rules/" GUESS_ID, "", &answer) == 404 && tries++ < 2000) {
        answer_done(&answer); /* the detector has not told of it yet */
        rig_step(&rig);
        core_detect_tick(rig.core->detect);
        assert_int_equal(core_batch_commit(rig.core), 0);
    }
    assert_int_equal(answer.status, 200);
    assert_str(json_member(answer.json, "title")->string, "Five Failures");
    assert_str(json_member(answer.json, "description")->string, "Somebody guesses.");
    assert_str(json_member(answer.json, "false_positives")->first->string, "A forgotten password");
    assert_str(json_member(answer.json, "tags")->first->next->string, "attack.credential-access");
    answer_done(&answer);
    assert_int_equal(ask("GET", "/api/v1/rules/" FAILURE_ID, "", &answer), 200);
    assert_str(json_member(answer.json, "description")->string, "");
    assert_int_equal(json_member(answer.json, "tags")->count, 0);
    answer_done(&answer);
    assert_int_equal(ask("GET", "/api/v1/rules/no-such", "", &answer), 404);
    answer_done(&answer);
}

/* One that is left from before an update: the detector tells anew. */
static void test_older_catalogue(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct catalogue catalogue;

    (void)state;
    assert_int_equal(arena_new(1U << 20, &arena), 0);
    assert_int_equal(catalogue_read(STR("\x86\x01\x00\x00\x00\x80\x80"), arena, &catalogue), 0);
    assert_int_equal(catalogue.rule_count, 0);
    assert_int_equal(catalogue_read(STR("\x86"), arena, &catalogue), -ERR_CORRUPT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own_rule, start, stop),
        cmocka_unit_test_setup_teardown(test_own_pipeline, start, stop),
        cmocka_unit_test_setup_teardown(test_detector_dies, start, stop),
        cmocka_unit_test_setup_teardown(test_core_dies, start, stop),
        cmocka_unit_test_setup_teardown(test_batch_fails, start, stop),
        cmocka_unit_test_setup_teardown(test_filter, start, stop),
        cmocka_unit_test_setup_teardown(test_filter_of_one, start, stop),
        cmocka_unit_test_setup_teardown(test_memory_is_full, start, stop),
        cmocka_unit_test_setup_teardown(test_filter_ends, start, stop),
        cmocka_unit_test_setup_teardown(test_broken_filter, start, stop),
        cmocka_unit_test_setup_teardown(test_off, start, stop),
        cmocka_unit_test_setup_teardown(test_meaning, start, stop),
        cmocka_unit_test(test_older_catalogue),
    };

    if (argc == 3 && strcmp(argv[1], DETECTOR_WORD) == 0) {
        /* the sanitizer cannot look for leaks in a process without rights */
        _exit(detector_run(&(struct detector_options){
            .pipelines = &(struct setting_list){.count = 1, .items = {argv[2]}},
            .channel = DETECTOR_FD,
            .supervisor = -1}));
    }
    return cmocka_run_group_tests(tests, pipelines_make, pipelines_remove);
}
