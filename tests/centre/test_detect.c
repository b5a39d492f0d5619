/* What core does with the detector's words, and without them: hits become alerts in the batch that
 * they belong to, a detector that died is sent again what it had taken, of a message that ends it
 * the entry that does it is put aside and told. The detector here is a thread that follows a
 * script. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "centre/core/detect_private.h"
#include "centre/core/private.h"
#include "centre/core/source.h"
#include "detect/sigma/rule.h"
#include "store/rulebook.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANGING_WORD "hanging"
#define HANGING_FD   3

#define ENTRIES_MAX  4096
#define DEADLY       "one that the detector ends over"

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
    bool is_begun; /* it has greeted in an earlier play */
    bool is_loaded;
    unsigned messages;
    unsigned entries;
    unsigned saves;
    atomic_bool is_over; /* the batch is through: nothing more will be asked */
    bool is_mortal;      /* it ends over each message with a deadly entry */
    bool is_hanging;     /* … by working on it for ever */
    bool is_deadly;      /* the message in hand has one */
    unsigned deaths;
    unsigned texts;
    unsigned off;
    char state[64]; /* that it was given */
    char host[64];  /* of the last entry */
    struct msg_writer msg;
    struct channel_packet packet;
};

static void script_greet(struct script *script)
{
    script->is_loaded = false;
    msg_begin(&script->msg, DETECTOR_MESSAGE_STARTED);
    msg_put_u64(&script->msg, 0);
    assert_int_equal(channel_send(script->channel, &script->msg, NULL, 0), 0);
}

static void script_take_content(struct script *script, struct msg_reader *msg)
{
    uint64_t version = msg_get_u64(msg);
    uint32_t off;

    while (msg_get_u32(msg) == 1) {
        (void)msg_get_str(msg);
        (void)msg_get_str(msg);
        script->texts++;
    }
    off = msg_get_u32(msg);
    for (uint32_t i = 0; i < off; i++) {
        (void)msg_get_str(msg);
        script->off++;
    }
    if (msg_get_u32(msg) != 1) {
        return;
    }
    assert_int_equal(msg_close(msg), 0);
    script->is_loaded = true;
    msg_begin(&script->msg, DETECTOR_MESSAGE_READY);
    msg_put_u32(&script->msg, 1);
    msg_put_u32(&script->msg, 0);
    msg_put_u32(&script->msg, 0);
    msg_put_u64(&script->msg, version);
    msg_put_u64(&script->msg, 7);
    msg_put_str(&script->msg, STR(""));
    assert_int_equal(channel_send(script->channel, &script->msg, NULL, 0), 0);
}

static void script_save(struct script *script)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "windows %u", ++script->saves);
    msg_begin(&script->msg, DETECTOR_MESSAGE_STATE);
    msg_put_u32(&script->msg, 1);
    msg_put_str(&script->msg, str_from(text));
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

static uint32_t script_count(struct script *script)
{
    struct msg_reader *msg = &script->packet.msg;
    uint32_t count = 0;

    script->is_deadly = false;
    while (msg_get_u32(msg) == 1) {
        for (int i = 0; i < 5; i++) {
            (void)msg_get_str(msg);
        }
        (void)msg_get_i64(msg);
        (void)msg_get_i64(msg);
        script->is_deadly |= str_is_text(msg_get_str(msg), DEADLY);
        count++;
    }
    assert_int_equal(msg_close(msg), 0);
    return count;
}

/* Whatever is not entries is done as it comes. False: entries lie in the packet. */
static bool script_do(struct script *script)
{
    struct msg_reader *msg = &script->packet.msg;
    struct str state;

    switch (msg->type) {
    case DETECTOR_MESSAGE_ENTRIES:
        return !script->is_loaded; /* they were for the one before */
    case DETECTOR_MESSAGE_CONTENT:
        script_take_content(script, msg);
        break;
    case DETECTOR_MESSAGE_STATE:
        (void)msg_get_u32(msg);
        state = msg_get_str(msg);
        (void)snprintf(script->state, sizeof(script->state), "%.*s", STR_ARG(state));
        break;
    case DETECTOR_MESSAGE_SAVE:
        script_save(script);
        break;
    default:
        break;
    }
    return true;
}

static void script_next(struct script *script)
{
    do {
        assert_int_equal(channel_receive(script->channel, &script->packet), 0);
    } while (script_do(script));
}

static void script_live_or_die(struct script *script)
{
    uint64_t number = msg_get_u64(&script->packet.msg);
    uint32_t count = script_count(script);

    script->deaths += script->is_deadly;
    if (script->is_deadly && script->is_hanging) {
        process_limit_work(DETECTOR_CPU_SECONDS);
        for (atomic_uint turns = 0;; turns++) {
        }
    }
    if (script->is_deadly) {
        script_greet(script);
    } else {
        script_answer(script, number, count, false);
    }
}

static void *script_play(void *context)
{
    struct script *script = context;

    script->is_loaded = script->is_begun;
    if (!script->is_begun) {
        script_greet(script);
    }
    for (const enum turn *turn = script->turns; *turn != TURN_END; turn++) {
        uint64_t number;
        uint32_t count;

        script_next(script);
        number = msg_get_u64(&script->packet.msg);
        count = script_count(script);
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
    while (!script->is_over) {
        if (channel_receive_within(script->channel, 20, &script->packet) == 0 &&
            !script_do(script)) {
            assert_true(script->is_mortal);
            script_live_or_die(script);
        }
    }
    return NULL;
}

static struct rig rig;
static struct id host_id;
static int pair[2];
static bool is_begun; /* the detector has greeted this core */

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    host_id = rig_add_host(&rig, "pc-1", 1);
    assert_int_equal(channel_pair(pair), 0);
    assert_int_equal(fd_set_nonblocking(pair[0], true), 0);
    is_begun = false;
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

/* deadly: a bit for each of the first entries that is. */
static void put_batch(unsigned entries, uint64_t deadly)
{
    struct core_host *host = core_host_by_id(rig.core, &host_id);

    assert_int_equal(core_batch_begin(rig.core), 0);
    for (unsigned i = 0; i < entries; i++) {
        struct event event;
        bool is_deadly = i < 64 && (deadly >> i & 1) != 0;

        event_init(&event, EVENT_KIND_LOG, 1);
        assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL,
                                        is_deadly ? STR(DEADLY) : STR("Failed password for lan")),
                         0);
        assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR("syslog")), 0);
        assert_int_equal(core_source_count(rig.core, host, &event), 0);
        assert_int_equal(core_detect_put(rig.core->detect, host, &event, 0), 0);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
}

/* Puts so many entries in one batch and commits it, while the detector plays. */
static struct detector_counts play_deadly(const enum turn *turns, unsigned entries, uint64_t deadly,
                                          struct script *script)
{
    struct detector_counts counts;
    pthread_t thread;

    *script = (struct script){
        .channel = pair[1], .turns = turns, .is_begun = is_begun, .is_mortal = deadly != 0};
    is_begun = true;
    assert_int_equal(pthread_create(&thread, NULL, script_play, script), 0);
    put_batch(entries, deadly);
    script->is_over = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    core_detect_count(rig.core->detect, &counts);
    return counts;
}

static struct detector_counts play(const enum turn *turns, unsigned entries, struct script *script)
{
    return play_deadly(turns, entries, 0, script);
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

/* Words of hits do not gather where later ones would find no room: nothing else of core's need run
 * between entries of senders. */
static void test_hits_leave_nothing(void **state)
{
    static const enum turn first[] = {TURN_HIT, TURN_END};
    static const enum turn then[] = {TURN_HIT, TURN_HIT, TURN_END};
    struct script script;

    (void)state;
    (void)play(first, 1, &script);
    arena_reset(rig.core->arena);
    (void)play(then, 1200, &script);
    assert_int_equal(arena_used(rig.core->arena), 0);
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

/* It is sought in ever smaller parts; all others of the message are judged. */
static void test_deadly_entry(void **state)
{
    static const enum turn turns[] = {TURN_END};
    struct script script;
    struct detector_counts counts;

    (void)state;
    counts = play_deadly(turns, 700, 1ULL << 37, &script);
    assert_int_equal(counts.judged, 699);
    assert_int_equal(counts.unjudged, 1);
    assert_int_equal(alerts_of("centre"), 1);
    assert_true(script.deaths <= 7);
    counts = play_deadly(turns, 40, 1ULL << 39 | 1ULL << 20 | 1, &script);
    assert_int_equal(counts.judged, 699 + 37);
    assert_int_equal(counts.unjudged, 1 + 3);
    assert_int_equal(alerts_of("logs"), 0);
    assert_int_equal(alerts_of("centre"), 1); /* of the same host: folded */
}

/* The process of one detector after another, each until it ends. */
struct hanging {
    atomic_int pid;
    atomic_bool is_over;
    unsigned ends; /* by the kernel, for its work */
};

static void hang(void)
{
    static const enum turn turns[] = {TURN_END};
    struct script script = {
        .channel = HANGING_FD, .turns = turns, .is_mortal = true, .is_hanging = true};

    (void)script_play(&script);
}

/* What it may work must be over while core waits, on a crowded machine too. A session of its own is
 * a group of its own to a scheduler that shares by sessions. */
static void hasten(void)
{
    int fd;

    (void)setsid();
    (void)setpriority(PRIO_PROCESS, 0, -20);
    fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!write(fd, "-20", 3);
        (void)close(fd);
    }
}

static void *hanging_start_again(void *context)
{
    static char name[] = "test";
    static char word[] = HANGING_WORD;
    static char *argv[] = {name, word, NULL};
    struct hanging *hanging = context;

    while (!hanging->is_over) {
        int status;

        hanging->pid = fork();
        if (hanging->pid == 0) {
            hasten();
            (void)dup2(pair[1], HANGING_FD);
            (void)execv("/proc/self/exe", argv);
            _exit(127);
        }
        (void)waitpid(hanging->pid, &status, 0);
        hanging->ends += WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
    }
    return NULL;
}

/* Core waits for longer than a detector may work, so that this is the same as one that dies. */
static void test_hanging_entry(void **state)
{
    struct hanging hanging = {0};
    struct detector_counts counts;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, hanging_start_again, &hanging), 0);
    put_batch(2, 1);
    hanging.is_over = true;
    assert_int_equal(kill(hanging.pid, SIGKILL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    core_detect_count(rig.core->detect, &counts);
    assert_int_equal(counts.judged, 1);
    assert_int_equal(counts.unjudged, 1);
    assert_int_equal(hanging.ends, 4);
    assert_int_equal(alerts_of("centre"), 1);
}

/* Who sends one after another does not keep core from everything else: past a ration what is left
 * goes aside together. */
static void test_many_deadly_entries(void **state)
{
    static const enum turn turns[] = {TURN_END};
    struct script script;
    struct detector_counts counts;
    unsigned rationed;

    (void)state;
    counts = play_deadly(turns, 64, UINT64_MAX, &script);
    assert_int_equal(counts.judged, 0);
    assert_int_equal(counts.unjudged, 64);
    rationed = script.deaths;
    assert_true(rationed < 2 * 64);
    counts = play_deadly(turns, 64, 1, &script);
    assert_int_equal(counts.unjudged, 2 * 64);
    assert_int_equal(script.deaths, 2);
    rig.mono_offset += 600 * NS_PER_S;
    counts = play_deadly(turns, 64, 1, &script);
    assert_int_equal(counts.judged, 63);
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

static uint64_t hits_of_alert(void)
{
    struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = -1, .limit = 100};
    struct store_alert *alerts;
    size_t count = 0;

    arena_reset(rig.arena);
    assert_int_equal(store_alert_list(rig.store, &filter, rig.arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(alerts[i].detector, "logs")) {
            return alerts[i].count;
        }
    }
    return 0;
}

/* What was not told, since it was told a moment ago, is counted by the alert all the same: soon,
 * and once. */
static void test_counted_soon(void **state)
{
    static const enum turn turns[] = {TURN_HIT, TURN_END};
    static const enum turn none[] = {TURN_END};
    struct script script;

    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)play(turns, 3, &script);
    }
    assert_int_equal(hits_of_alert(), 1);
    rig.mono_offset += 6 * NS_PER_S;
    for (int i = 0; i < 2; i++) {
        detect_tell_tick(rig.core->detect);
        (void)play(none, 0, &script);
        assert_int_equal(hits_of_alert(), 5);
    }
    (void)play(turns, 3, &script);
    rig.mono_offset += 11 * NS_PER_S;
    (void)play(turns, 3, &script);
    assert_int_equal(hits_of_alert(), 7);
}

/* A rule that floods a host is told six times in an hour, then every ten minutes, and says so. */
static void test_flood(void **state)
{
    static const enum turn turns[] = {TURN_HIT, TURN_END};
    struct store_counts before;
    struct store_counts after;
    struct script script;

    (void)state;
    assert_int_equal(store_counts(rig.store, &before), 0);
    for (int i = 0; i < 9; i++) {
        (void)play(turns, 3, &script);
        rig.mono_offset += 11 * NS_PER_S;
    }
    assert_int_equal(store_counts(rig.store, &after), 0);
    assert_int_equal(after.findings, before.findings + 6);
    rig.mono_offset += 600 * NS_PER_S;
    (void)play(turns, 3, &script);
    (void)play(turns, 3, &script);
    assert_int_equal(store_counts(rig.store, &after), 0);
    assert_int_equal(after.findings, before.findings + 7);
    rig.mono_offset += 3600 * NS_PER_S;
    (void)play(turns, 3, &script);
    assert_int_equal(store_counts(rig.store, &after), 0);
    assert_int_equal(after.findings, before.findings + 8);
}

static uint64_t hits_in_store(void)
{
    int64_t today = store_day(clock_wall(&rig.clock));
    struct store_rule_hits *rows;
    size_t count;
    CLEANUP(arena_freep) struct arena *arena = NULL;

    assert_int_equal(arena_new(16U << 20, &arena), 0);
    assert_int_equal(store_rule_hits_list(rig.store, today - 1, today, arena, &rows, &count), 0);
    return count == 0 ? 0 : rows[0].hits;
}

/* One that takes the place of a dead one gets the windows that were kept and sees what came since;
 * what it says of that was told already. */
static void test_seen_again(void **state)
{
    static const enum turn first[] = {TURN_HIT, TURN_END};
    static const enum turn again[] = {TURN_HIT, TURN_HIT, TURN_HIT, TURN_END};
    struct detector_counts counts;
    struct script script;

    (void)state;
    (void)play(first, 3, &script);
    assert_int_equal(script.saves, 1);
    (void)play(first, 4, &script);
    (void)play(first, 5, &script);
    assert_int_equal(script.saves, 0); /* it is too soon */
    assert_int_equal(hits_in_store(), 3);
    is_begun = false;
    counts = play(again, 6, &script);
    assert_string_equal(script.state, "windows 1");
    assert_int_equal(script.entries, 4 + 5 + 6);
    assert_int_equal(hits_in_store(), 4);
    assert_int_equal(counts.entries, 3 + 4 + 5 + 6);
    assert_int_equal(counts.judged, counts.entries);
    rig.mono_offset += 2 * NS_PER_S;
    (void)play(first, 1, &script);
    is_begun = false;
    (void)play(first, 1, &script); /* kept by now: nothing is shown again */
    assert_int_equal(script.entries, 1);
}

/* entries = judged + unjudged; judged = matched + unmatched: in the counts and for the source. */
static void test_accounts(void **state)
{
    static const enum turn hit[] = {TURN_DIE, TURN_HIT, TURN_END};
    static const enum turn none[] = {TURN_END};
    const struct store_logsource_filter filter = {.host = &host_id, .state = -1};
    struct store_logsource_row *rows;
    struct detector_counts counts;
    struct script script;
    size_t count;

    (void)state;
    (void)play(hit, 10, &script);
    counts = play_deadly(none, 7, 0x7f, &script);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hit, start, stop),
        cmocka_unit_test_setup_teardown(test_hits_leave_nothing, start, stop),
        cmocka_unit_test_setup_teardown(test_many, start, stop),
        cmocka_unit_test_setup_teardown(test_sent_again, start, stop),
        cmocka_unit_test_setup_teardown(test_deadly_entry, start, stop),
        cmocka_unit_test_setup_teardown(test_hanging_entry, start, stop),
        cmocka_unit_test_setup_teardown(test_many_deadly_entries, start, stop),
        cmocka_unit_test_setup_teardown(test_accounts, start, stop),
        cmocka_unit_test_setup_teardown(test_told_now_and_then, start, stop),
        cmocka_unit_test_setup_teardown(test_counted_soon, start, stop),
        cmocka_unit_test_setup_teardown(test_flood, start, stop),
        cmocka_unit_test_setup_teardown(test_seen_again, start, stop),
    };

    if (argc == 2 && strcmp(argv[1], HANGING_WORD) == 0) {
        hang();
        _exit(1);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
