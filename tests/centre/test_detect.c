/* What core does with the detector's words, and without them: hits become alerts in the batch that
 * they belong to, a detector that died is sent again what it had taken, one message that ends it
 * twice is put aside and told. The detector here is a thread that follows a script. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "centre/core/source.h"
#include "detect/sigma/rule.h"

#include <pthread.h>

#define ENTRIES_MAX 4096

/* What the detector does with the next message it gets. */
enum turn {
    TURN_CALM,  /* read all, nothing found */
    TURN_HIT,   /* a hit on the last entry */
    TURN_DIE,   /* takes it and is started again */
    TURN_STALE, /* answers with another message's number first */
    TURN_END,
};

struct script {
    int channel;
    const enum turn *turns;
    unsigned messages;
    unsigned entries;
    struct msg_writer msg;
    struct channel_packet packet;
};

static void script_greet(struct script *script)
{
    msg_begin(&script->msg, DETECTOR_MESSAGE_READY);
    msg_put_u32(&script->msg, 1);
    msg_put_u32(&script->msg, 0);
    msg_put_u32(&script->msg, 0);
    msg_put_u64(&script->msg, 7);
    assert_int_equal(channel_send(script->channel, &script->msg, NULL, 0), 0);
}

static void script_answer(struct script *script, uint64_t number, uint32_t count, bool is_hit)
{
    msg_begin(&script->msg, DETECTOR_MESSAGE_HITS);
    msg_put_u64(&script->msg, number);
    if (is_hit) {
        msg_put_u32(&script->msg, 1);
        msg_put_u32(&script->msg, count - 1);
        msg_put_str(&script->msg, STR("rule-1"));
        msg_put_str(&script->msg, STR("Something was guessed"));
        msg_put_u32(&script->msg, SIGMA_LEVEL_HIGH);
        msg_put_str(&script->msg, STR("attack.t1110"));
        msg_put_str(&script->msg, STR("src_ip=203.0.113.7"));
        msg_put_i64(&script->msg, 5);
        msg_put_u32(&script->msg, 1);
        msg_put_str(&script->msg, STR("user"));
        msg_put_str(&script->msg, STR("lan"));
    }
    msg_put_u32(&script->msg, 0);
    msg_put_u32(&script->msg, 1);
    msg_put_u32(&script->msg, count);
    msg_put_u32(&script->msg, is_hit ? 1 : 0); /* the first entry is not well formed */
    msg_put_str(&script->msg, is_hit ? STR("\x01") : STR(""));
    assert_int_equal(channel_send(script->channel, &script->msg, NULL, 0), 0);
}

static uint32_t script_count(struct msg_reader *msg)
{
    uint32_t count = 0;

    while (msg_get_u32(msg) == 1) {
        for (int i = 0; i < 4; i++) {
            (void)msg_get_str(msg);
        }
        (void)msg_get_i64(msg);
        (void)msg_get_str(msg);
        count++;
    }
    assert_int_equal(msg_close(msg), 0);
    return count;
}

static void *script_play(void *context)
{
    struct script *script = context;

    for (const enum turn *turn = script->turns; *turn != TURN_END; turn++) {
        uint64_t number;
        uint32_t count;

        assert_int_equal(channel_receive(script->channel, &script->packet), 0);
        number = msg_get_u64(&script->packet.msg);
        count = script_count(&script->packet.msg);
        channel_packet_done(&script->packet);
        script->messages++;
        script->entries += count;
        if (*turn == TURN_DIE) {
            script_greet(script);
            continue;
        }
        if (*turn == TURN_STALE) {
            script_answer(script, number - 1, count, true);
        }
        script_answer(script, number, count, *turn == TURN_HIT);
    }
    return NULL;
}

static struct rig rig;
static struct id host_id;
static int pair[2];

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    host_id = rig_add_host(&rig, "pc-1", 1);
    assert_int_equal(channel_pair(pair), 0);
    rig.core->options.channels.detector = pair[0];
    assert_int_equal(core_detect_new(rig.core, 1, &rig.core->detect), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

/* Puts so many entries in one batch and commits it, while the detector plays. */
static struct detector_counts play(const enum turn *turns, unsigned entries, struct script *script)
{
    struct core_host *host = core_host_by_id(rig.core, &host_id);
    struct detector_counts counts;
    pthread_t thread;

    *script = (struct script){.channel = pair[1], .turns = turns};
    assert_int_equal(pthread_create(&thread, NULL, script_play, script), 0);
    assert_int_equal(core_batch_begin(rig.core), 0);
    for (unsigned i = 0; i < entries; i++) {
        struct event event;

        event_init(&event, EVENT_KIND_LOG, 1);
        assert_int_equal(
            event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, STR("Failed password for lan")), 0);
        assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR("syslog")), 0);
        assert_int_equal(core_source_count(rig.core, host, &event), 0);
        assert_int_equal(core_detect_put(rig.core->detect, host, &event), 0);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    core_detect_count(rig.core->detect, &counts);
    return counts;
}

static size_t alerts_of(const char *detector)
{
    struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = -1, .limit = 100};
    struct store_alert *alerts;
    size_t count = 0;
    size_t found = 0;

    arena_reset(rig.arena);
    assert_int_equal(store_alert_list(rig.store, &filter, rig.arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        found += str_is_text(alerts[i].detector, detector);
    }
    return found;
}

static void test_hit(void **state)
{
    static const enum turn turns[] = {TURN_HIT, TURN_END};
    struct script script;
    struct detector_counts counts;

    (void)state;
    counts = play(turns, 10, &script);
    assert_int_equal(script.entries, 10);
    assert_int_equal(counts.entries, 10);
    assert_int_equal(counts.judged, 10);
    assert_int_equal(counts.hits, 1);
    assert_int_equal(counts.unjudged, 0);
    assert_int_equal(alerts_of("logs"), 1);
}

/* More than one message holds: each is answered before the batch is committed. */
static void test_many(void **state)
{
    static const enum turn turns[] = {TURN_CALM, TURN_STALE, TURN_END};
    struct script script;
    struct detector_counts counts;

    (void)state;
    counts = play(turns, 1200, &script);
    assert_int_equal(script.messages, 2);
    assert_int_equal(script.entries, 1200);
    assert_int_equal(counts.judged, 1200);
    assert_int_equal(counts.hits, 0);
    assert_int_equal(alerts_of("logs"), 0);
}

static void test_sent_again(void **state)
{
    static const enum turn turns[] = {TURN_DIE, TURN_HIT, TURN_END};
    struct script script;
    struct detector_counts counts;

    (void)state;
    counts = play(turns, 5, &script);
    assert_int_equal(script.messages, 2);
    assert_int_equal(counts.judged, 5);
    assert_int_equal(counts.unjudged, 0);
    assert_int_equal(alerts_of("logs"), 1);
}

static void test_put_aside(void **state)
{
    static const enum turn turns[] = {TURN_DIE, TURN_DIE, TURN_END};
    struct script script;
    struct detector_counts counts;

    (void)state;
    counts = play(turns, 5, &script);
    assert_int_equal(counts.judged, 0);
    assert_int_equal(counts.unjudged, 5);
    assert_int_equal(alerts_of("logs"), 0);
    assert_int_equal(alerts_of("centre"), 1);
}

/* The same rule on the same host again and again is one finding, then one in ten seconds that
 * counts the rest. */
static void test_told_now_and_then(void **state)
{
    static const enum turn turns[] = {TURN_HIT, TURN_END};
    struct store_counts before;
    struct store_counts after;
    struct script script;

    (void)state;
    (void)play(turns, 3, &script);
    assert_int_equal(store_counts(rig.store, &before), 0);
    for (int i = 0; i < 5; i++) {
        (void)play(turns, 3, &script);
    }
    assert_int_equal(store_counts(rig.store, &after), 0);
    assert_int_equal(after.findings, before.findings);
    rig.mono_offset += 11 * NS_PER_S;
    (void)play(turns, 3, &script);
    assert_int_equal(store_counts(rig.store, &after), 0);
    assert_int_equal(after.findings, before.findings + 1);
    assert_int_equal(alerts_of("logs"), 1);
}

/* entries = judged + unjudged; judged = matched + unmatched: in the counts and for the source. */
static void test_accounts(void **state)
{
    static const enum turn hit[] = {TURN_DIE, TURN_HIT, TURN_END};
    static const enum turn lost[] = {TURN_DIE, TURN_DIE, TURN_END};
    const struct store_logsource_filter filter = {.host = &host_id, .state = -1};
    struct store_logsource_row *rows;
    struct detector_counts counts;
    struct script script;
    size_t count;

    (void)state;
    (void)play(hit, 10, &script);
    counts = play(lost, 7, &script);
    assert_int_equal(counts.entries, 17);
    assert_int_equal(counts.entries, counts.judged + counts.unjudged);
    assert_int_equal(counts.matched, 1);
    assert_int_equal(counts.faulty, 1);
    arena_reset(rig.arena);
    assert_int_equal(store_logsource_list(rig.store, &filter, rig.arena, &rows, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].source.entries, 17);
    assert_int_equal(rows[0].source.unjudged, 7);
    assert_int_equal(rows[0].source.matched, 1);
    assert_int_equal(rows[0].source.faulty, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hit, start, stop),
        cmocka_unit_test_setup_teardown(test_many, start, stop),
        cmocka_unit_test_setup_teardown(test_sent_again, start, stop),
        cmocka_unit_test_setup_teardown(test_put_aside, start, stop),
        cmocka_unit_test_setup_teardown(test_accounts, start, stop),
        cmocka_unit_test_setup_teardown(test_told_now_and_then, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
