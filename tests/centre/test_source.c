/* Sources of logs as core counts them and as people see them: what came from each, in the
 * transaction of its entries; files with a date in their name, and hosts with too many; who is told
 * when one, or many at once, fall silent, and when it speaks again; being let be; what agents lost.
 */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "centre/core/source.h"
#include "detect/silence/silence.h"
#include "store/logsources.h"

#define MINUTE   (60 * NS_PER_S)
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)
#define HOSTS    6
#define AT_HOST  1 /* byte of the first host's key */
#define SENTENCE "Failed password for lan"

static struct rig rig;

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static void write_entry(struct core_host *host, const char *path, const char *entry)
{
    struct event event;

    event_init(&event, EVENT_KIND_LOG, 1);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_LOG_FILE_PATH, str_from(path)), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, str_from(entry)), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR("syslog")), 0);
    assert_int_equal(core_batch_begin(rig.core), 0);
    assert_int_equal(core_source_count(rig.core, host, &event), 0);
}

static struct store_logsource_row *sources_of(const struct id *host, size_t *ret_count)
{
    const struct store_logsource_filter filter = {.host = host, .state = -1, .limit = 500};
    struct store_logsource_row *rows;

    arena_reset(rig.arena);
    assert_int_equal(store_logsource_list(rig.store, &filter, rig.arena, &rows, ret_count), 0);
    return rows;
}

static struct store_logsource_row *source_named(const struct id *host, const char *name)
{
    size_t count;
    struct store_logsource_row *rows = sources_of(host, &count);

    for (size_t i = 0; i < count; i++) {
        if (str_is_text(rows[i].source.name, name)) {
            return &rows[i];
        }
    }
    fail_msg("no source %s", name);
    return NULL;
}

static void test_counts_outlive_core(void **state)
{
    struct id id = rig_add_host(&rig, "pc-1", AT_HOST);
    struct store_logsource_row *row;

    (void)state;
    for (int i = 0; i < 10; i++) {
        write_entry(core_host_by_id(rig.core, &id), "/var/log/auth.log", SENTENCE);
    }
    rig_restart_core(&rig);
    for (int i = 0; i < 5; i++) {
        write_entry(core_host_by_id(rig.core, &id), "/var/log/auth.log", SENTENCE);
    }
    assert_int_equal(core_batch_commit(rig.core), 0);
    row = source_named(&id, "/var/log/auth.log");
    assert_int_equal(row->source.entries, 15);
    assert_int_equal(row->source.bytes, 15 * strlen(SENTENCE));
    assert_int_equal(row->source.tally.counts[TALLY_COUNT - 1], 15);
    assert_str(row->source.format, "syslog");
    assert_str(row->host_name, "pc-1");
}

/* An entry that spoilt a transaction is passed over when it comes again, and does not get lost in
 * the counts. */
static void test_passed_over(void **state)
{
    struct id id = rig_add_host(&rig, "pc-1", AT_HOST);
    struct rig_agent agent;
    struct link_answer answer;

    (void)state;
    rig_agent_connect(&rig, AT_HOST, false, &agent);
    rig_agent_hello(&rig, &agent, 0);
    assert_true(rig_agent_wait(&rig, &agent, &answer));
    core_host_by_id(rig.core, &id)->poison = 25;
    rig_agent_batch(&rig, &agent, 1, 100);
    rig_agent_wait_ack(&rig, &agent, 100);
    rig_agent_close(&rig, &agent);
    assert_int_equal(source_named(&id, "/var/log/a.log")->source.entries, 4);
    assert_int_equal(source_named(&id, "/var/log/a.log")->source.dropped, 1);
    assert_int_equal(source_named(&id, "/var/log/b.log")->source.entries, 5);
}

/* A batch that comes to nothing has counted nothing, in the store and in memory. */
static void test_failed_batch_counts_nothing(void **state)
{
    struct id id = rig_add_host(&rig, "pc-1", AT_HOST);
    struct core_host *host = core_host_by_id(rig.core, &id);

    (void)state;
    write_entry(host, "/var/log/auth.log", SENTENCE);
    write_entry(host, "/var/log/kern.log", SENTENCE);
    core_fail(rig.core, -ERR_IO);
    write_entry(host, "/var/log/auth.log", SENTENCE);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(source_named(&id, "/var/log/auth.log")->source.entries, 1);
}

static void test_names(void **state)
{
    struct id id = rig_add_host(&rig, "pc-1", AT_HOST);
    struct core_host *host = core_host_by_id(rig.core, &id);
    size_t count;

    (void)state;
    write_entry(host, "/srv/2026-11-26/app-2026-11-25.log", SENTENCE);
    write_entry(host, "/srv/2026-11-26/app-2026-11-26.log", SENTENCE);
    write_entry(host, "/iis/u_ex261126.log", SENTENCE);
    write_entry(host, "/var/log/vsftpd2.log", SENTENCE);
    write_entry(host, "/tmp/\xff\x01x", SENTENCE);
    write_entry(host, "", SENTENCE);
    write_entry(host, "*", SENTENCE);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(source_named(&id, "/srv/2026-11-26/app-*.log")->source.entries, 2);
    assert_int_equal(source_named(&id, "/iis/u_ex*.log")->source.entries, 1);
    assert_int_equal(source_named(&id, "/var/log/vsftpd2.log")->source.entries, 1);
    assert_int_equal(source_named(&id, "/tmp/\?\?x")->source.entries, 1);
    assert_int_equal(source_named(&id, "syslog")->source.entries, 1);
    assert_int_equal(source_named(&id, "?")->source.entries, 1);
    (void)sources_of(&id, &count);
    assert_int_equal(count, 6);
}

static void test_too_many(void **state)
{
    struct id id = rig_add_host(&rig, "pc-1", AT_HOST);
    size_t count;
    uint64_t entries = 0;
    struct store_logsource_row *rows;

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            char path[32];

            (void)snprintf(path, sizeof(path), "/log/%d", i);
            write_entry(core_host_by_id(rig.core, &id), path, SENTENCE);
        }
        rig_restart_core(&rig);
    }
    rows = sources_of(&id, &count);
    for (size_t i = 0; i < count; i++) {
        entries += rows[i].source.entries;
    }
    assert_int_equal(count, SOURCES_EACH + 1);
    assert_int_equal(entries, 200);
    assert_int_equal(source_named(&id, LOGSOURCE_OTHERS)->source.entries, 2 * (100 - SOURCES_EACH));
}

/* Senders make up names until no more is counted of them: an agent's sources are counted all the
 * same. */
static void test_senders_leave_room(void **state)
{
    struct id id = rig_add_host(&rig, "pc-1", AT_HOST);
    struct core_host *agent = core_host_by_id(rig.core, &id);
    struct core_host *sender = NULL;
    struct event event;
    char name[32];

    (void)state;
    for (unsigned i = 0; i < SOURCES_SENDERS + 1000; i++) {
        struct store_host row = {.kind = STORE_HOST_SENDER, .via = STR("192.0.2.1")};

        if (i % SOURCES_EACH == 0) {
            (void)snprintf(name, sizeof(name), "may%u@192.0.2.1", i);
            row.name = str_from(name);
            memcpy(row.key_sha256, &i, sizeof(i));
            assert_int_equal(id_new(&row.id), 0);
            assert_int_equal(core_host_add(rig.core, &row, &sender), 0);
        }
        (void)snprintf(name, sizeof(name), "program%u", i);
        event_init(&event, EVENT_KIND_LOG, 1);
        assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, STR(SENTENCE)), 0);
        assert_int_equal(event_add_text(&event, EVENT_FIELD_LOG_FILE_PATH, str_from(name)), 0);
        assert_int_equal(core_source_count(rig.core, sender, &event), 0);
    }
    assert_null(core_source_of(rig.core, sender, &event));
    assert_int_equal(core_source_count(rig.core, agent, &event), 0);
    assert_non_null(core_source_of(rig.core, agent, &event));
}

/* Four weeks of a word every ten minutes, and nothing for so long. Core is away meanwhile. */
static void put_habit(const struct id *host, const char *name, int64_t silent)
{
    int64_t end = clock_wall(&rig.clock) - silent;
    struct store_logsource source = {.host = *host,
                                     .name = str_from(name),
                                     .format = STR("syslog"),
                                     .first = end - 28 * DAY,
                                     .last = end,
                                     .entries = 4032};
    struct silence silence = {0};
    uint8_t bytes[SILENCE_SIZE];
    uint64_t number;

    for (int64_t at = source.first; at <= end; at += 10 * MINUTE) {
        silence_hear(&silence, at, 0, false);
    }
    source.gap = silence_gap(&silence);
    silence_write(&silence, bytes);
    source.silence = str_of((const char *)bytes, sizeof(bytes));
    assert_int_equal(store_begin(rig.store), 0);
    assert_int_equal(store_logsource_put(rig.store, &source, &number), 0);
    assert_int_equal(store_commit(rig.store), 0);
}

static struct id add_sender(const char *name, const char *via, uint8_t byte)
{
    struct store_host row = {.name = str_from(name),
                             .kind = STORE_HOST_SENDER,
                             .via = str_from(via),
                             .enrolled = clock_wall(&rig.clock),
                             .seen = clock_wall(&rig.clock)};

    assert_int_equal(id_new(&row.id), 0);
    memset(row.key_sha256, byte, sizeof(row.key_sha256));
    assert_int_equal(store_begin(rig.store), 0);
    assert_int_equal(store_host_put(rig.store, &row), 0);
    assert_int_equal(store_commit(rig.store), 0);
    return row.id;
}

static void watch(void)
{
    core_silence_watch(rig.core);
    assert_int_equal(core_batch_commit(rig.core), 0);
}

/* Alerts that are open, by title; the newest one's number. */
static size_t open_alerts(const char *title, uint64_t *ret_number)
{
    struct store_alert_filter filter = {
        .state = -2, .severity_least = -1, .is_drill = -1, .limit = 100};
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_alert *alerts;
    size_t count = 0;
    size_t found = 0;

    assert_int_equal(arena_new(1U << 20, &arena), 0);
    assert_int_equal(store_alert_list(rig.store, &filter, arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(alerts[i].title, title)) {
            *ret_number = found++ == 0 ? alerts[i].number : *ret_number;
        }
    }
    return found;
}

#define ONE   "A source of logs is silent"
#define RELAY "Most of what comes through one relay of logs is silent"
#define MANY  "Many sources of logs fell silent at once"

static void connect_host(uint8_t byte, struct rig_agent *agent)
{
    struct link_answer answer;

    rig_agent_connect(&rig, byte, false, agent);
    rig_agent_hello(&rig, agent, 0);
    assert_true(rig_agent_wait(&rig, agent, &answer));
}

static void test_one_host(void **state)
{
    struct id id = rig_add_host(&rig, "pc-1", AT_HOST);
    struct rig_agent agent;
    uint64_t number = 0;
    uint64_t again = 0;

    (void)state;
    put_habit(&id, "/var/log/a.log", 3 * HOUR);
    put_habit(&id, "/var/log/b.log", 5 * HOUR);
    put_habit(&id, "/var/log/c.log", 0);
    rig_restart_core(&rig);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 0); /* the host itself is away: that is told */
    connect_host(AT_HOST, &agent);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 1);
    assert_int_equal(source_named(&id, "/var/log/a.log")->source.alert, number);
    assert_int_equal(source_named(&id, "/var/log/b.log")->source.alert, number);
    assert_int_equal(source_named(&id, "/var/log/c.log")->source.alert, 0);
    watch();
    assert_int_equal(open_alerts(ONE, &again), 1);

    write_entry(core_host_by_id(rig.core, &id), "/var/log/a.log", SENTENCE);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(open_alerts(ONE, &again), 1); /* b is silent still */
    rig_agent_close(&rig, &agent);
    rig_restart_core(&rig);
    write_entry(core_host_by_id(rig.core, &id), "/var/log/b.log", SENTENCE);
    core_fail(rig.core, -ERR_IO);
    assert_int_equal(open_alerts(ONE, &again), 1); /* that came to nothing */
    write_entry(core_host_by_id(rig.core, &id), "/var/log/b.log", SENTENCE);
    assert_int_equal(core_batch_commit(rig.core), 0);
    assert_int_equal(open_alerts(ONE, &again), 0);
    assert_int_equal(source_named(&id, "/var/log/b.log")->source.alert, 0);
}

/* What falls silent after a person has closed the alert is told anew, and only that. */
static void test_closed_by_hand(void **state)
{
    struct id id = add_sender("may@10.0.0.1", "10.0.0.1", AT_HOST);
    uint64_t first;
    uint64_t second;

    (void)state;
    put_habit(&id, LOGSOURCE_WHOLE, 0);
    put_habit(&id, "a", 3 * HOUR);
    put_habit(&id, "b", 0);
    rig_restart_core(&rig);
    watch();
    assert_int_equal(open_alerts(ONE, &first), 1);
    assert_int_equal(core_batch_begin(rig.core), 0);
    assert_int_equal(
        store_alert_move(rig.store, first, ALERT_STATE_CLOSED, STR("lan"), STR("test")), 0);
    assert_int_equal(core_batch_commit(rig.core), 0);
    watch();
    assert_int_equal(open_alerts(ONE, &second), 0);
    rig.offset += HOUR + 30 * MINUTE;
    write_entry(core_host_by_id(rig.core, &id), "c", SENTENCE); /* the sender itself speaks */
    assert_int_equal(core_batch_commit(rig.core), 0);
    watch();
    assert_int_equal(open_alerts(ONE, &second), 1);
    assert_int_not_equal(first, second);
    assert_int_equal(source_named(&id, "a")->source.alert, first);
    assert_int_equal(source_named(&id, "b")->source.alert, second);
}

/* A few of those who send through one relay are no relay that fails. */
static void test_few_of_a_relay(void **state)
{
    uint64_t number;

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        char name[32];
        struct id id;

        (void)snprintf(name, sizeof(name), "may-%zu@filebeat", i);
        id = add_sender(name, "filebeat", (uint8_t)(i + 1));
        put_habit(&id, LOGSOURCE_WHOLE, i < 3 ? 3 * HOUR : 0);
    }
    rig_restart_core(&rig);
    watch();
    assert_int_equal(open_alerts(RELAY, &number), 0);
    assert_int_equal(open_alerts(ONE, &number), 3);
}

/* All senders through one relay: one alert, that others join, and that ends with the last. */
static void test_relay(void **state)
{
    struct id ids[HOSTS];
    uint64_t number = 0;
    uint64_t other = 0;

    (void)state;
    for (size_t i = 0; i < HOSTS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "may-%zu@10.0.0.1", i);
        ids[i] = add_sender(name, "10.0.0.1", (uint8_t)(i + 1));
        put_habit(&ids[i], LOGSOURCE_WHOLE, i < 4 ? 3 * HOUR : 0);
        put_habit(&ids[i], "sshd", i < 4 ? 3 * HOUR : 0);
    }
    rig_restart_core(&rig);
    watch();
    assert_int_equal(open_alerts(RELAY, &number), 1);
    assert_int_equal(open_alerts(ONE, &other), 0);
    assert_int_equal(source_named(&ids[0], LOGSOURCE_WHOLE)->source.alert, number);
    assert_int_equal(source_named(&ids[0], "sshd")->source.alert, 0);
    rig_restart_core(&rig);
    rig.offset += 3 * HOUR; /* the last two fall silent too */
    watch();
    assert_int_equal(open_alerts(RELAY, &other), 1);
    assert_int_equal(other, number);
    assert_int_equal(source_named(&ids[5], LOGSOURCE_WHOLE)->source.alert, number);
    for (size_t i = 0; i < HOSTS; i++) {
        assert_int_equal(open_alerts(RELAY, &other), 1);
        write_entry(core_host_by_id(rig.core, &ids[i]), "sshd", SENTENCE);
        assert_int_equal(core_batch_commit(rig.core), 0);
    }
    assert_int_equal(open_alerts(RELAY, &other), 0);
    assert_int_equal(source_named(&ids[0], LOGSOURCE_WHOLE)->source.entries, 4033);
    assert_int_equal(source_named(&ids[0], "sshd")->source.entries, 4033);
}

static void test_many_hosts(void **state)
{
    struct rig_agent agents[HOSTS];
    uint64_t number;

    (void)state;
    for (size_t i = 0; i < HOSTS; i++) {
        char name[32];
        struct id id;

        (void)snprintf(name, sizeof(name), "pc-%zu", i);
        id = rig_add_host(&rig, name, (uint8_t)(i + 1));
        put_habit(&id, "/var/log/auth.log", 3 * HOUR);
        put_habit(&id, "/var/log/alive.log", 0);
    }
    rig_restart_core(&rig);
    for (size_t i = 0; i < HOSTS; i++) {
        connect_host((uint8_t)(i + 1), &agents[i]);
    }
    watch();
    assert_int_equal(open_alerts(MANY, &number), 1);
    assert_int_equal(open_alerts(ONE, &number), 0);
    for (size_t i = 0; i < HOSTS; i++) {
        rig_agent_close(&rig, &agents[i]);
    }
}

static void test_let_be(void **state)
{
    struct id id = add_sender("may@10.0.0.1", "10.0.0.1", AT_HOST);
    char cookie[256];
    char path[96];
    struct answer answer;
    uint64_t number;
    struct store_logsource_row *row;

    (void)state;
    put_habit(&id, "sshd", 3 * HOUR);
    put_habit(&id, LOGSOURCE_WHOLE, 0);
    rig_restart_core(&rig);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 1);
    rig_login(&rig, "duty", cookie);
    row = source_named(&id, "sshd");
    (void)snprintf(path, sizeof(path), "/api/v1/sources/%llu/mute",
                   (unsigned long long)row->source.number);
    rig_http(&rig, "POST", path, cookie, "{\"reason\":\"đã gỡ\"}", &answer);
    assert_int_equal(answer.status, 204);
    answer_done(&answer);
    assert_int_equal(open_alerts(ONE, &number), 0);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 0);
    rig_restart_core(&rig);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 0);
    row = source_named(&id, "sshd");
    assert_str(row->source.muted_why, "đã gỡ");
    assert_str(row->source.muted_by, "duty");
    (void)snprintf(path, sizeof(path), "/api/v1/sources/%llu/unmute",
                   (unsigned long long)row->source.number);
    rig_http(&rig, "POST", path, cookie, NULL, &answer);
    assert_int_equal(answer.status, 204);
    answer_done(&answer);
    assert_int_equal(logsource_state_of(&source_named(&id, "sshd")->source),
                     LOGSOURCE_STATE_SILENT);
    assert_int_equal(open_alerts(ONE, &number), 1);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 1);
    rig_http(&rig, "POST", "/api/v1/sources/999/mute", cookie, "{\"reason\":\"không có\"}",
             &answer);
    assert_int_equal(answer.status, 404);
    answer_done(&answer);
    rig_login(&rig, "viewer", cookie);
    rig_http(&rig, "POST", path, cookie, NULL, &answer);
    assert_int_equal(answer.status, 403);
    answer_done(&answer);
}

/* Of a host that is revoked nobody waits for logs. */
static void test_revoked(void **state)
{
    struct id id = add_sender("may@10.0.0.1", "10.0.0.1", AT_HOST);
    uint64_t number;

    (void)state;
    put_habit(&id, LOGSOURCE_WHOLE, 3 * HOUR);
    rig_restart_core(&rig);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 1);
    core_host_by_id(rig.core, &id)->is_revoked = true;
    watch();
    assert_int_equal(open_alerts(ONE, &number), 0);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 0);
}

/* Core itself was away for hours: everybody has been silent to it, and nobody is told. */
static void test_core_was_away(void **state)
{
    struct id id = add_sender("may@10.0.0.1", "10.0.0.1", AT_HOST);
    uint64_t number;

    (void)state;
    put_habit(&id, LOGSOURCE_WHOLE, 0);
    rig_stop_core(&rig);
    rig.offset += 10 * HOUR;
    rig_start_core(&rig);
    watch();
    assert_int_equal(open_alerts(ONE, &number), 0);
    rig.offset += 2 * HOUR;
    watch();
    assert_int_equal(open_alerts(ONE, &number), 1);
}

static void test_pages(void **state)
{
    struct id id = rig_add_host(&rig, "Một-Cửa", AT_HOST);
    char cookie[256];
    char path[128];
    struct answer answer;
    size_t seen = 0;
    struct str next = STR("");

    (void)state;
    for (int i = 0; i < 25; i++) {
        (void)snprintf(path, sizeof(path), "/log/%d", i);
        write_entry(core_host_by_id(rig.core, &id), path, SENTENCE);
        assert_int_equal(core_batch_commit(rig.core), 0);
    }
    rig_login(&rig, "viewer", cookie);
    do {
        const struct json_value *items;

        (void)snprintf(path, sizeof(path), "/api/v1/sources?limit=10&q=mot%%20cua&cursor=%.*s",
                       STR_ARG(next));
        rig_http(&rig, "GET", path, cookie, NULL, &answer);
        assert_int_equal(answer.status, 200);
        items = json_member(answer.json, "items");
        for (const struct json_value *item = items->first; item != NULL; item = item->next) {
            assert_int_equal(json_member_i64(item, "entries", 0), 1);
            seen++;
        }
        next = arena_copy(rig.arena, json_member_str(answer.json, "next", STR("")));
        answer_done(&answer);
    } while (next.len != 0);
    assert_int_equal(seen, 25);
    rig_http(&rig, "GET", "/api/v1/sources?q=khong-co", cookie, NULL, &answer);
    assert_null(json_member(answer.json, "items")->first);
    answer_done(&answer);
}

/* What came without an agent adds up, with what was sent again after it was kept. */
static void test_account_of_what_came(void **state)
{
    struct answer answer;
    char cookie[256];

    (void)state;
    rig_login(&rig, "viewer", cookie);
    rig.api->received = (struct core_receive_counts){.taken = 90, .refused = 3, .again = 7};
    rig.api->received.receiver.of[RECEIVER_COUNT_RECEIVED + RECEIVER_WAY_TLS] = 100;
    rig_http(&rig, "GET", "/api/v1/sources/account", cookie, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(json_member_i64(answer.json, "received", 0), 100);
    assert_int_equal(json_member_i64(answer.json, "committed", 0), 90);
    assert_int_equal(json_member_i64(answer.json, "refused", 0), 3);
    assert_int_equal(json_member_i64(answer.json, "again", 0), 7);
    answer_done(&answer);
}

/* What an agent could not keep is told once for each time that it grows. */
static void test_lost_at_the_agent(void **state)
{
    static const char title[] = "This host lost records before they reached us: its spool was full";
    struct record record = {.kind = RECORD_KIND_STATUS,
                            .status = {.time = 1, .version = STR("0.1.0"), .dropped = 7}};
    struct rig_agent agent;
    uint64_t number;

    (void)state;
    (void)rig_add_host(&rig, "pc-1", AT_HOST);
    connect_host(AT_HOST, &agent);
    rig_agent_record(&rig, &agent, 1, &record);
    rig_agent_record(&rig, &agent, 2, &record);
    rig_agent_wait_ack(&rig, &agent, 2);
    assert_int_equal(open_alerts(title, &number), 1);
    rig_agent_close(&rig, &agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counts_outlive_core, start, stop),
        cmocka_unit_test_setup_teardown(test_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(test_failed_batch_counts_nothing, start, stop),
        cmocka_unit_test_setup_teardown(test_names, start, stop),
        cmocka_unit_test_setup_teardown(test_too_many, start, stop),
        cmocka_unit_test_setup_teardown(test_senders_leave_room, start, stop),
        cmocka_unit_test_setup_teardown(test_one_host, start, stop),
        cmocka_unit_test_setup_teardown(test_relay, start, stop),
        cmocka_unit_test_setup_teardown(test_few_of_a_relay, start, stop),
        cmocka_unit_test_setup_teardown(test_closed_by_hand, start, stop),
        cmocka_unit_test_setup_teardown(test_many_hosts, start, stop),
        cmocka_unit_test_setup_teardown(test_let_be, start, stop),
        cmocka_unit_test_setup_teardown(test_revoked, start, stop),
        cmocka_unit_test_setup_teardown(test_core_was_away, start, stop),
        cmocka_unit_test_setup_teardown(test_pages, start, stop),
        cmocka_unit_test_setup_teardown(test_account_of_what_came, start, stop),
        cmocka_unit_test_setup_teardown(test_lost_at_the_agent, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
