/* Following systemd's journal: each entry is handed on once, in order, with the place behind it,
 * whatever becomes of the files. They are made by systemd-journal-remote from an export stream. */
#include "harness.h"

#include "agent/journal/private.h"
#include "agent/protocol.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/prng.h"
#include "codec/journal_export.h"
#include "codec/logs.h"
#include "model/record.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOTE    "/lib/systemd/systemd-journal-remote"
#define TAKEN_MAX 100000
#define HOUR_US   INT64_C(3600000000)

/* A follower with a scratch folder, and what its outlet has taken. */
struct rig {
    char top[64];
    char disk[128];   /* the two folders of the settings */
    char memory[128]; /* made by those who need it */
    struct agent_settings settings;
    struct journal_config config;
    struct journal *journal;
    int outlet[2];
    int supervisor[2];
    struct positions noted;
    char taken[TAKEN_MAX]; /* messages, each with | behind it */
    size_t taken_len;
    unsigned count;
    uint64_t missing;
    int64_t start; /* µs */
    struct log_reading reading;
    struct str raw; /* of the last entry */
    char raw_bytes[FOLLOWER_RAW_MAX];
};

static struct rig rig;

static int64_t wall_us(void)
{
    return clock_wall(&clock_real) / NS_PER_US;
}

static void run(const char *command)
{
    assert_int_equal(system(command), 0);
}

/* An export stream of count entries "PREFIX 0", … a millisecond apart, from at µs after the rig's
 * start on; appended to the folder's file, which is made when it is missing. more: lines for each
 * entry. */
static void write_journal(const char *folder, const char *name, const char *prefix, unsigned count,
                          int64_t at, const char *more)
{
    char stream[128];
    char command[512];
    FILE *file;

    snprintf(stream, sizeof(stream), "%s/stream", rig.top);
    file = fopen(stream, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < count; i++) {
        int64_t time = rig.start + at + (int64_t)i * 1000;

        fprintf(file,
                "__REALTIME_TIMESTAMP=%" PRId64 "\n__MONOTONIC_TIMESTAMP=%" PRId64
                "\n_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=%s %u\nPRIORITY=6\n"
                "SYSLOG_IDENTIFIER=sshd\n_PID=77\n_HOSTNAME=may-chu\n%s\n",
                time, time - rig.start + HOUR_US, prefix, i, more);
    }
    fclose(file);
    snprintf(command, sizeof(command), REMOTE " -o %s/%s %s >%s/out 2>&1 || cat %s/out", folder,
             name, stream, rig.top, rig.top);
    run(command);
}

static void following_start(void)
{
    struct diag diag = {0};

    rig.journal = calloc(1, sizeof(*rig.journal));
    assert_non_null(rig.journal);
    rig.journal->config = &rig.config;
    list_init(&rig.journal->files);
    buf_init(&rig.journal->text, FOLLOWER_RAW_MAX);
    follower_init(&rig.journal->follower, JOURNAL_NAME, rig.config.supervisor, rig.config.outlet);
    assert_int_equal(loop_new(1, &rig.journal->follower.loop), 0);
    assert_int_equal(journal_load(rig.journal, &diag), 0);
    journal_find_roots(rig.journal, &rig.settings);
}

static void following_end(void)
{
    journal_close(rig.journal);
    assert_int_equal(rig.journal->file_count, 0);
    follower_done(&rig.journal->follower);
    buf_done(&rig.journal->text);
    free(rig.journal);
    rig.journal = NULL;
}

static void rig_start(void)
{
    char path[128];

    memset(&rig, 0, sizeof(rig));
    snprintf(rig.top, sizeof(rig.top), "/tmp/canhgac-journal-XXXXXX");
    assert_non_null(mkdtemp(rig.top));
    snprintf(rig.disk, sizeof(rig.disk), "%s/disk", rig.top);
    snprintf(rig.memory, sizeof(rig.memory), "%s/memory", rig.top);
    assert_int_equal(mkdir(rig.disk, 0700), 0);
    snprintf(path, sizeof(path), "%s/spool", rig.top);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/spool/" POSITIONS_FILE, rig.top);
    assert_int_equal(positions_open(&rig.noted, path, true), 0);
    assert_int_equal(channel_pair(rig.outlet), 0);
    assert_int_equal(channel_pair(rig.supervisor), 0);
    assert_int_equal(fd_set_nonblocking(rig.outlet[0], true), 0);
    assert_int_equal(fd_set_nonblocking(rig.outlet[1], true), 0);
    assert_int_equal(log_reading_init(&rig.reading, NULL), 0);
    rig.settings =
        (struct agent_settings){.folder = rig.top,
                                .journal = "yes",
                                .journal_folders = {.items = {rig.disk, rig.memory}, .count = 2}};
    rig.config = (struct journal_config){
        .settings = &rig.settings, .supervisor = rig.supervisor[0], .outlet = rig.outlet[0]};
    rig.start = wall_us();
}

static void rig_end(void)
{
    char command[128];

    following_end();
    positions_done(&rig.noted);
    log_reading_done(&rig.reading);
    for (int i = 0; i < 2; i++) {
        close(rig.outlet[i]);
        close(rig.supervisor[i]);
    }
    snprintf(command, sizeof(command), "rm -r -- %s", rig.top);
    run(command);
}

static int take_entry(void *context, const struct entry *entry)
{
    const struct entry_field *message = entry_find(entry, STR("MESSAGE"));

    assert_null(context);
    assert_non_null(message);
    assert_int_equal(entry->faults, 0);
    rig.count++;
    if (rig.taken_len + message->value.len + 2 < sizeof(rig.taken)) {
        rig.taken_len +=
            (size_t)snprintf(rig.taken + rig.taken_len, sizeof(rig.taken) - rig.taken_len, "%.*s|",
                             STR_ARG(message->value));
    }
    return 0;
}

/* As the centre's detector reads it. */
static void take_event(const struct event *event)
{
    struct str raw;

    if (event->kind == EVENT_KIND_AGENT) {
        rig.missing += (uint64_t)event_find(event, EVENT_FIELD_EVENT_COUNT_LOST)->number;
        return;
    }
    assert_int_equal(event->kind, EVENT_KIND_LOG);
    assert_true(str_is_text(event_find(event, EVENT_FIELD_EVENT_MODULE)->text, "journal"));
    raw = event_find(event, EVENT_FIELD_EVENT_ORIGINAL)->text;
    assert_true(raw.len <= sizeof(rig.raw_bytes));
    memcpy(rig.raw_bytes, raw.ptr, raw.len);
    rig.raw = str_of(rig.raw_bytes, raw.len);
    assert_int_equal(log_format_find(STR("journal"))->read(&rig.reading, rig.raw, take_entry, NULL),
                     0);
}

/* What the outlet does: keeps the entry, then notes the place. */
static void take(struct channel_packet *packet, struct arena *arena)
{
    struct msg_reader *msg = &packet->msg;
    struct position position;

    assert_int_equal(msg->type, AGENT_MESSAGE_LOG);
    (void)msg_get_u64(msg);
    while (msg_get_u32(msg) == 1) {
        struct cbor_reader reader;
        struct record record;

        cbor_open(&reader, msg_get_str(msg));
        assert_int_equal(record_decode(&reader, arena, &record), 0);
        take_event(&record.event);
    }
    position.log = msg_get_u64(msg);
    position.dev = msg_get_u64(msg);
    position.ino = msg_get_u64(msg);
    position.offset = msg_get_u64(msg);
    position.mark = msg_get_u64(msg);
    assert_int_equal(msg_close(msg), 0);
    assert_int_equal(positions_note(&rig.noted, &position), 0);
}

static unsigned drain(void)
{
    static struct channel_packet packet;
    struct arena *arena = NULL;
    unsigned count = 0;

    assert_int_equal(arena_new(1 << 20, &arena), 0);
    while (channel_receive(rig.outlet[1], &packet) == 0) {
        arena_reset(arena);
        take(&packet, arena);
        channel_packet_done(&packet);
        count++;
    }
    arena_free(arena);
    return count;
}

static void follow(void)
{
    bool has_more;

    do {
        rig.journal->follower.is_full = false;
        has_more = journal_read(rig.journal);
    } while (drain() != 0 || has_more);
}

static void restart(void)
{
    following_end();
    following_start();
}

static void assert_taken(const char *text)
{
    assert_string_equal(rig.taken, text);
    rig.taken_len = 0;
    rig.taken[0] = '\0';
}

static void rename_journal(const char *from, const char *to)
{
    char command[512];

    snprintf(command, sizeof(command), "mv %s/%s %s/%s", rig.disk, from, rig.disk, to);
    run(command);
}

static void test_growth(void **state)
{
    (void)state;
    rig_start();
    write_journal(rig.disk, "system.journal", "history", 3, -HOUR_US, "");
    following_start();
    follow();
    assert_taken("");
    write_journal(rig.disk, "system.journal", "a", 2, HOUR_US, "");
    follow();
    assert_taken("a 0|a 1|");
    write_journal(rig.disk, "system.journal", "b", 1, HOUR_US + 5000, "");
    follow();
    assert_taken("b 0|");
    rig_end();
}

/* How far back the first start looks is the setting's. */
static void test_since(void **state)
{
    (void)state;
    rig_start();
    write_journal(rig.disk, "system.journal", "old", 2, -3 * HOUR_US, "");
    write_journal(rig.disk, "system.journal", "late", 2, -HOUR_US, "");
    rig.settings.journal_since = 2 * HOUR_US * NS_PER_US;
    following_start();
    follow();
    assert_taken("late 0|late 1|");
    rig_end();
}

/* A kill between two entries, one before anything was handed on, and one with nothing new. */
static void test_restart(void **state)
{
    (void)state;
    rig_start();
    write_journal(rig.disk, "system.journal", "history", 3, -HOUR_US, "");
    following_start();
    follow();
    write_journal(rig.disk, "system.journal", "a", 2, HOUR_US, "");
    restart();
    follow();
    assert_taken("a 0|a 1|");
    write_journal(rig.disk, "system.journal", "b", 2, 2 * HOUR_US, "");
    restart();
    follow();
    assert_taken("b 0|b 1|");
    restart();
    follow();
    assert_taken("");
    assert_int_equal(rig.missing, 0);
    rig_end();
}

/* The new file has a chain of its own, and its clock was set back meanwhile. */
static void test_rotation(void **state)
{
    (void)state;
    rig_start();
    following_start();
    write_journal(rig.disk, "system.journal", "a", 2, 2 * HOUR_US, "");
    follow();
    write_journal(rig.disk, "system.journal", "b", 2, 3 * HOUR_US, "");
    rename_journal("system.journal", "system@0005-0006.journal~");
    write_journal(rig.disk, "system.journal", "c", 2, HOUR_US, "");
    follow();
    assert_taken("a 0|a 1|c 0|c 1|b 0|b 1|");
    write_journal(rig.disk, "system.journal", "d", 1, 4 * HOUR_US, "");
    restart();
    follow();
    assert_taken("d 0|");
    rig_end();
}

/* Files of users lie beside the system's; a folder may come late. */
static void test_new_files(void **state)
{
    char path[256];

    (void)state;
    rig_start();
    following_start();
    follow();
    write_journal(rig.disk, "user-1000.journal", "user", 2, HOUR_US, "");
    write_journal(rig.disk, "user-1001.journal", "other", 1, HOUR_US + 500, "");
    follow();
    assert_taken("user 0|other 0|user 1|");
    assert_true(journal_list(rig.journal));
    snprintf(path, sizeof(path), "%s/%s", rig.disk, rig.journal->machine);
    assert_int_equal(mkdir(path, 0700), 0);
    write_journal(path, "system.journal", "machine", 1, 2 * HOUR_US, "");
    follow();
    assert_taken("machine 0|");
    assert_int_equal(mkdir(rig.memory, 0700), 0);
    assert_false(journal_list(rig.journal)); /* it can be opened only by another process */
    rig_end();
}

/* journald copies what it kept in memory to the disk when that comes. */
static void test_flush(void **state)
{
    (void)state;
    rig_start();
    assert_int_equal(mkdir(rig.memory, 0700), 0);
    following_start();
    write_journal(rig.memory, "system.journal", "a", 3, HOUR_US, "");
    follow();
    assert_taken("a 0|a 1|a 2|");
    write_journal(rig.disk, "system.journal", "a", 4, HOUR_US, "");
    follow();
    assert_taken("a 3|");
    write_journal(rig.disk, "system.journal", "b", 1, HOUR_US, ""); /* a clock set back */
    restart();
    follow();
    assert_taken("b 0|");
    rig_end();
}

static void spoil(const char *name, off_t size)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", rig.disk, name);
    assert_int_equal(truncate(path, size), 0);
}

static void follow_with_retries(void)
{
    for (int i = 0; i < 5; i++) {
        follow();
        LIST_EACH (node, &rig.journal->files) {
            LIST_ENTRY(node, struct journal_file, link)->retry = 0;
        }
    }
}

/* What is damaged is told once and passed over; the others go on. */
static void test_damage(void **state)
{
    unsigned told = 0;
    char command[512];

    (void)state;
    rig_start();
    following_start();
    write_journal(rig.disk, "user-1.journal", "cut", 50, HOUR_US, "");
    spoil("user-1.journal", 4096);
    write_journal(rig.disk, "empty.journal", "empty", 1, HOUR_US, "");
    spoil("empty.journal", 0);
    snprintf(command, sizeof(command), "head -c 20000 /dev/urandom >%s/noise.journal", rig.disk);
    run(command);
    write_journal(rig.disk, "system.journal", "good", 2, HOUR_US, "");
    follow_with_retries();
    assert_taken("good 0|good 1|");
    write_journal(rig.disk, "system.journal", "more", 1, 2 * HOUR_US, "");
    follow_with_retries();
    assert_taken("more 0|");
    LIST_EACH (node, &rig.journal->files) {
        told += LIST_ENTRY(node, struct journal_file, link)->is_told;
    }
    assert_int_equal(told, 3);
    rig_end();
}

/* A part of a file is gone: what stands around it is handed on. */
static void test_hole(void **state)
{
    char noise[8192];
    char path[256];
    int fd;

    (void)state;
    rig_start();
    following_start();
    write_journal(rig.disk, "user-1.journal", "x", 20000, HOUR_US, "");
    snprintf(path, sizeof(path), "%s/user-1.journal", rig.disk);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    memset(noise, 0xa5, sizeof(noise));
    assert_int_equal(pwrite(fd, noise, sizeof(noise), 4 << 20), sizeof(noise));
    close(fd);
    write_journal(rig.disk, "system.journal", "good", 2, 2 * HOUR_US, "");
    follow_with_retries();
    assert_true(rig.count > 19000 && rig.count < 20002);
    assert_true(str_has_prefix(str_from(rig.taken), STR("x 0|x 1|x 2|")));
    rig_end();
}

/* The outlet takes nothing: reading waits, and nothing is lost or told twice. */
static void test_full_outlet(void **state)
{
    (void)state;
    rig_start();
    following_start();
    write_journal(rig.disk, "system.journal", "line", 5000, HOUR_US, "");
    while (!rig.journal->follower.is_full) {
        assert_true(journal_read(rig.journal));
    }
    assert_true(drain() < 5000);
    restart(); /* as the next process does: behind what the outlet has taken */
    follow();
    assert_int_equal(rig.count, 5000);
    rig_end();
}

static bool raw_has(const char *text)
{
    return str_find(rig.raw, str_from(text)) != rig.raw.len;
}

/* Somebody fills an entry with fields: what journald vouches for and the message stay. */
static void test_long_entry(void **state)
{
    char *more = malloc(400000);
    size_t len = 0;

    (void)state;
    assert_non_null(more);
    for (unsigned i = 0; i < 300; i++) {
        len += (size_t)snprintf(more + len, 400000 - len, "AAA%03u=%0900u\n", i, i);
    }
    snprintf(more + len, 400000 - len, "_EXE=/usr/sbin/sshd\n");
    rig_start();
    following_start();
    write_journal(rig.disk, "system.journal", "long", 1, HOUR_US, more);
    follow();
    assert_taken("long 0|");
    assert_true(raw_has("\n_EXE=/usr/sbin/sshd\n"));
    assert_true(raw_has("\nSYSLOG_IDENTIFIER=sshd\n"));
    assert_true(raw_has("\n__CUT=1\n"));
    assert_true(raw_has("\nAAA"));
    assert_true(rig.raw.len > 40000);
    free(more);
    rig_end();
}

/* What the kernel's audit says is read from auditd's file, with its records joined, where there is
 * one. */
static void test_audit(void **state)
{
    (void)state;
    rig_start();
    following_start();
    rig.journal->is_audit_read = true;
    write_journal(rig.disk, "system.journal", "audit", 1, HOUR_US, "_TRANSPORT=audit\n");
    write_journal(rig.disk, "system.journal", "other", 1, 2 * HOUR_US, "_TRANSPORT=syslog\n");
    follow();
    assert_taken("other 0|");
    rig_end();
}

/* Beside a journal, what syslog writes of the same entries is not read by default. */
static void test_settings(void **state)
{
    const struct setting_list *logs;

    (void)state;
    rig_start();
    following_start();
    assert_false(journal_is_there(&rig.settings));
    logs = agent_settings_logs(&rig.settings, false);
    assert_string_equal(logs->items[0], "/var/log/auth.log");
    write_journal(rig.disk, "system.journal", "a", 1, HOUR_US, "");
    assert_true(journal_is_there(&rig.settings));
    logs = agent_settings_logs(&rig.settings, true);
    assert_int_equal(logs->count, 1);
    assert_string_equal(logs->items[0], "/var/log/audit/audit.log");
    rig.settings.logs = (struct setting_list){.items = {"/var/log/auth.log"}, .count = 1};
    assert_ptr_equal(agent_settings_logs(&rig.settings, true), &rig.settings.logs);
    rig.settings.journal = "no";
    assert_false(journal_is_there(&rig.settings));
    rig_end();
}

static void test_cursor(void **state)
{
    static const char *const wrong[] = {
        "",
        "s=",
        ";;;",
        "s=0123",
        "i=1",
        "s=0123456789abcdef0123456789abcdeg;i=1",
        "s=0123456789abcdef0123456789abcdef",
        "s=0123456789abcdef0123456789abcdef;i=",
        "s=0123456789abcdef0123456789abcdef;i=xyz",
        "s=0123456789abcdef0123456789abcdef;i=12345678901234567",
        "s=0123456789abcdef0123456789abcdef00;i=1",
    };
    struct journal_place place = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(journal_parse_cursor(str_from(wrong[i]), &place), -ERR_SYNTAX);
    }
    assert_int_equal(
        journal_parse_cursor(STR("s=0123456789abcdef0123456789abcdef;i=1f;b=fedcba98765"
                                 "432100123456789abcdef;m=1;t=a0;x=b"),
                             &place),
        0);
    assert_true(place.chain == 0x0123456789abcdefULL && place.boot == 0xfedcba9876543210ULL);
    assert_true(place.number == 0x1f && place.time == 0xa0 && place.hash == 0xb);
    assert_string_equal(place.id, "0123456789abcdef0123456789abcdef");
}

/* decode(encode(x)) = x, for values of any bytes. */
struct field_check {
    struct str name;
    struct str value;
    bool is_found;
};

static int check_field(void *context, const struct entry *entry)
{
    struct field_check *check = context;
    const struct entry_field *field = entry_find(entry, check->name);

    check->is_found = field != NULL && str_is(field->value, check->value) &&
                      entry_find(entry, STR("LAST")) != NULL;
    return 0;
}

static void test_export(void **state)
{
    CLEANUP(buf_done) struct buf buf;
    struct log_reading reading;
    struct prng prng;
    char bytes[600];

    (void)state;
    buf_init(&buf, 1 << 16);
    prng_init(&prng, 7);
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    for (unsigned round = 0; round < 2000; round++) {
        struct field_check check = {STR("FIELD"), str_of(bytes, prng_below(&prng, sizeof(bytes))),
                                    false};

        for (size_t i = 0; i < check.value.len; i++) {
            bytes[i] = (char)(prng_below(&prng, 8) == 0 ? '\n' : prng_below(&prng, 256));
        }
        buf_reset(&buf);
        assert_true(journal_export_put(&buf, STR("__REALTIME_TIMESTAMP"), STR("1")));
        assert_true(journal_export_put(&buf, check.name, check.value));
        assert_true(journal_export_put(&buf, STR("LAST"), STR("x")));
        journal_export_end(&buf);
        assert_int_equal(log_format_find(STR("journal"))->cut(buf_str(&buf), false), buf.len);
        assert_int_equal(
            log_format_find(STR("journal"))->read(&reading, buf_str(&buf), check_field, &check), 0);
        assert_true(check.is_found);
    }
    log_reading_done(&reading);
}

static void test_export_bounds(void **state)
{
    CLEANUP(buf_done) struct buf buf;

    (void)state;
    buf_init(&buf, 20);
    assert_false(journal_export_put(&buf, STR(""), STR("x")));
    assert_false(journal_export_put(&buf, STR("A=B"), STR("x")));
    assert_false(journal_export_put(&buf, STR("A\nB"), STR("x")));
    assert_false(journal_export_put(&buf, STR("NAME"), STR("0123456789abcd"))); /* 20, no end */
    assert_true(journal_export_put(&buf, STR("NAME"), STR("0123456789abc")));
    assert_false(journal_export_put(&buf, STR("A"), STR("")));
    journal_export_end(&buf);
    assert_int_equal(buf_error(&buf), 0);
    assert_true(str_is_text(buf_str(&buf), "NAME=0123456789abc\n\n"));
    buf_reset(&buf);
    assert_false(journal_export_put(&buf, STR("NAME"), STR("01\n456")));
    assert_true(journal_export_put(&buf, STR("NAME"), STR("01\n45")));
    journal_export_end(&buf);
    assert_int_equal(buf.len, 20);
    assert_int_equal(buf_error(&buf), 0);
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_export),
        cmocka_unit_test(test_export_bounds),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),      cmocka_unit_test(test_since),
        cmocka_unit_test(test_restart),     cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_new_files),   cmocka_unit_test(test_flush),
        cmocka_unit_test(test_damage),      cmocka_unit_test(test_hole),
        cmocka_unit_test(test_full_outlet), cmocka_unit_test(test_long_entry),
        cmocka_unit_test(test_audit),       cmocka_unit_test(test_settings),
    };
    int failed = cmocka_run_group_tests(pure, NULL, NULL);

    if (access(REMOTE, X_OK) != 0) {
        fputs("skip: what makes journal files is not installed (systemd-journal-remote)\n", stderr);
        return failed;
    }
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
