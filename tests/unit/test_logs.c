/* Following logs: each entry is handed on once, in order, with the place behind it, whatever is
 * done to the file: growth, rotation, copytruncate, a restart from the place that was noted, an
 * outlet that takes nothing for a while. */
#include "harness.h"

#include "agent/logs/private.h"
#include "agent/protocol.h"
#include "base/err.h"
#include "model/record.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAKEN_MAX 20000

/* A follower with a scratch folder, and what its outlet has taken. */
struct rig {
    char top[64];
    char path[128];
    struct agent_settings settings;
    struct logs_config config;
    struct logs *logs;
    int outlet[2];
    int supervisor[2];
    struct positions noted;
    char taken[TAKEN_MAX];
    size_t taken_len;
    unsigned count;
    uint64_t number; /* of the entry that came last */
};

static struct rig rig;

static void write_to(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void append(const char *text)
{
    write_to(rig.path, text, O_APPEND);
}

static void following_start(void)
{
    struct diag diag = {0};

    rig.logs = calloc(1, sizeof(*rig.logs));
    assert_non_null(rig.logs);
    rig.logs->config = &rig.config;
    rig.logs->rotation.fd = -1;
    rig.logs->piece = malloc(LOGS_PIECE);
    follower_init(&rig.logs->follower, "logs", rig.config.supervisor, rig.config.outlet);
    assert_int_equal(log_reading_init(&rig.logs->reading, NULL), 0);
    assert_int_equal(logs_open(rig.logs, &diag), 0);
}

static void following_end(void)
{
    logs_close(rig.logs);
    rotation_done(&rig.logs->rotation);
    log_reading_done(&rig.logs->reading);
    follower_done(&rig.logs->follower);
    free(rig.logs->piece);
    free(rig.logs);
    rig.logs = NULL;
}

static void rig_start(void)
{
    char path[128];

    memset(&rig, 0, sizeof(rig));
    snprintf(rig.top, sizeof(rig.top), "/tmp/canhgac-logs-XXXXXX");
    assert_non_null(mkdtemp(rig.top));
    snprintf(rig.path, sizeof(rig.path), "%s/auth.log", rig.top);
    snprintf(path, sizeof(path), "%s/spool", rig.top);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/spool/" POSITIONS_FILE, rig.top);
    assert_int_equal(positions_open(&rig.noted, path, true), 0);
    assert_int_equal(channel_pair(rig.outlet), 0);
    assert_int_equal(channel_pair(rig.supervisor), 0);
    assert_int_equal(fd_set_nonblocking(rig.outlet[0], true), 0);
    assert_int_equal(fd_set_nonblocking(rig.outlet[1], true), 0);
    rig.settings.folder = rig.top;
    rig.settings.logs = (struct setting_list){.items = {rig.path}, .count = 1};
    rig.config = (struct logs_config){
        .settings = &rig.settings, .supervisor = rig.supervisor[0], .outlet = rig.outlet[0]};
}

static void rig_end(void)
{
    char command[128];

    following_end();
    positions_done(&rig.noted);
    for (int i = 0; i < 2; i++) {
        close(rig.outlet[i]);
        close(rig.supervisor[i]);
    }
    snprintf(command, sizeof(command), "rm -r -- %s", rig.top);
    assert_int_equal(system(command), 0);
}

static void keep(struct str bytes, struct arena *arena)
{
    struct cbor_reader reader;
    struct record record;
    struct str raw;

    cbor_open(&reader, bytes);
    assert_int_equal(record_decode(&reader, arena, &record), 0);
    assert_int_equal(record.event.kind, EVENT_KIND_LOG);
    raw = event_find(&record.event, EVENT_FIELD_EVENT_ORIGINAL)->text;
    assert_true(str_has_prefix(event_find(&record.event, EVENT_FIELD_LOG_FILE_PATH)->text,
                               str_from(rig.top)));
    rig.count++;
    if (rig.taken_len + raw.len + 2 < sizeof(rig.taken)) {
        rig.taken_len += (size_t)snprintf(rig.taken + rig.taken_len,
                                          sizeof(rig.taken) - rig.taken_len, "%.*s|", STR_ARG(raw));
    }
}

/* What the outlet does: keeps the entries, then notes the place. */
static void take(struct channel_packet *packet, struct arena *arena)
{
    struct msg_reader *msg = &packet->msg;
    struct position position;
    uint64_t number;

    assert_int_equal(msg->type, AGENT_MESSAGE_LOG);
    number = msg_get_u64(msg);
    assert_true(number > rig.number); /* of its first entry: never given twice */
    for (rig.number = number - 1; msg_get_u32(msg) == 1; rig.number++) {
        keep(msg_get_str(msg), arena);
    }
    assert_true(rig.number >= number - 1); /* none, where only the place is told */
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
    rig.logs->follower.is_full = false;
    (void)logs_read(rig.logs);
    while (drain() != 0) {
        rig.logs->follower.is_full = false;
        (void)logs_read(rig.logs);
    }
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

static void test_growth(void **state)
{
    (void)state;
    rig_start();
    append("before anybody watched\n");
    following_start();
    follow();
    assert_taken("");
    append("một\nhai\nhal");
    follow();
    assert_taken("một|hai|");
    append("f\n\nend\n");
    follow();
    assert_taken("half|end|");
    rig_end();
}

/* A kill between two entries: the next process goes on behind the last one that was kept. */
static void test_restart(void **state)
{
    (void)state;
    rig_start();
    append("old\n");
    following_start();
    append("a\nb\n");
    follow();
    assert_taken("a|b|");
    append("c\nd\n");
    restart();
    follow();
    assert_taken("c|d|");
    restart();
    follow();
    assert_taken("");
    rig_end();
}

static void rotate(void)
{
    char rotated[160];

    snprintf(rotated, sizeof(rotated), "%s.1", rig.path);
    assert_int_equal(rename(rig.path, rotated), 0);
}

static void test_rotation(void **state)
{
    (void)state;
    rig_start();
    append("x\n");
    following_start();
    append("a\n");
    follow();
    append("b\nlast without an end");
    rotate();
    append("c\n");
    assert_true(rotation_heard(&rig.logs->rotation));
    restart();
    follow();
    assert_taken("a|b|last without an end|c|");
    append("d\n");
    restart();
    follow();
    assert_taken("d|");
    rig_end();
}

/* Rotation by date, and one of which nothing was told before the agent was away. */
static void test_rotation_to_any_name(void **state)
{
    char rotated[160];

    (void)state;
    rig_start();
    append("x\n");
    following_start();
    append("a\n");
    follow();
    assert_taken("a|");
    append("b\n");
    snprintf(rotated, sizeof(rotated), "%s-20261127", rig.path);
    assert_int_equal(rename(rig.path, rotated), 0);
    append("c\n");
    restart();
    follow();
    assert_taken("b|c|");
    rig_end();
}

/* A log that comes while logs are watched is read from its first line; one that was there before is
 * history, and so is one that was read under another name. */
static void test_new_log(void **state)
{
    char other[160];
    char third[160];

    (void)state;
    rig_start();
    snprintf(other, sizeof(other), "%s/other.log", rig.top);
    snprintf(third, sizeof(third), "%s/third.log", rig.top);
    rig.settings.logs = (struct setting_list){.items = {rig.path, other, third}, .count = 3};
    append("before\n");
    following_start();
    append("a\n");
    follow();
    assert_taken("a|");
    rig.config.since = clock_wall(&clock_real) - NS_PER_S; /* births are told by the tick */
    write_to(other, "first\nsecond\n", 0);
    assert_true(rotation_heard(&rig.logs->rotation));
    restart();
    follow();
    assert_taken("first|second|");
    assert_int_equal(rename(other, third), 0);
    restart();
    follow();
    assert_taken("");
    rig_end();
}

static void test_copytruncate(void **state)
{
    (void)state;
    rig_start();
    append("x\n");
    following_start();
    append("a first line\nb second line\n");
    follow();
    assert_taken("a first line|b second line|");
    write_to(rig.path, "c\n", O_TRUNC);
    follow();
    assert_taken("c|");
    write_to(rig.path, "another that is longer than what stood there\nd\n", O_TRUNC);
    follow();
    assert_taken("another that is longer than what stood there|d|");
    rig_end();
}

/* The outlet takes nothing: reading waits, and nothing is lost or told twice. */
static void test_full_outlet(void **state)
{
    char line[64];
    unsigned sent = 0;

    (void)state;
    rig_start();
    append("x\n");
    following_start();
    for (int i = 0; i < 20000; i++) {
        sent += (unsigned)snprintf(line, sizeof(line), "line %d of many\n", i) != 0;
        append(line);
    }
    assert_true(logs_read(rig.logs));
    assert_true(rig.logs->follower.is_full);
    follow();
    assert_int_equal(rig.count, sent);
    rig_end();
}

/* A log in which nothing stands yet, or nothing new, has a place all the same: what is written to
 * it while nobody follows is not history. */
static void test_silent_log(void **state)
{
    (void)state;
    for (int has_past = 0; has_past < 2; has_past++) {
        rig_start();
        append(has_past ? "long ago\n" : "");
        following_start();
        follow();
        following_end();
        append("while nobody followed\n");
        following_start();
        follow();
        assert_taken("while nobody followed|");
        restart();
        follow();
        assert_taken("");
        rig_end();
    }
}

/* Silent through one rotation, and written to before the next: the place follows the files. */
static void test_silent_rotation(void **state)
{
    char rotated[160];

    (void)state;
    rig_start();
    append("x\n");
    following_start();
    follow();
    snprintf(rotated, sizeof(rotated), "%s.2", rig.path);
    assert_int_equal(rename(rig.path, rotated), 0);
    append("");
    restart();
    follow(); /* the old one to its end */
    follow();
    append("late\n");
    rotate();
    append("later\n");
    restart();
    follow();
    assert_taken("late|later|");
    rig_end();
}

/* The number of a log that was deleted goes to a new one, which is new all the same; the place is
 * of the path that was deleted. */
static void test_reused_number(void **state)
{
    static const char first[] = "2026-11-26 08:00:00 something of yesterday\n";
    struct position stale = {.log = 77};
    struct stat stat_now;

    (void)state;
    for (int was_empty = 0; was_empty < 2; was_empty++) {
        rig_start();
        append("first\nsecond, and some more so that the file is long enough to hold the place\n");
        assert_int_equal(stat(rig.path, &stat_now), 0);
        stale.dev = stat_now.st_dev;
        stale.ino = stat_now.st_ino;
        stale.offset = was_empty ? 0 : strlen(first);
        stale.mark = was_empty ? 0xabcd00 : 0xabcd00 | strlen(first);
        assert_int_equal(positions_note(&rig.noted, &stale), 0);
        rig.config.since = clock_wall(&clock_real) - NS_PER_S;
        following_start();
        follow();
        assert_int_equal(rig.count, 2);
        rig_end();
    }
}

/* What came with lines older than its file, with an old time, or too much that tells no time, is a
 * copy or was brought back: only what is added to it is read. */
static void test_copy(void **state)
{
    static const char *const heads[] = {
        "2020-01-02T03:04:05+07:00 host sshd[1]: Accepted password for an\n",
        "one without a time, kept with its own\n",
        "one without a time\n",
    };
    static const struct timespec old[2] = {{.tv_sec = 1600000000}, {.tv_sec = 1600000000}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        rig_start();
        append(heads[i]);
        for (size_t k = 0; i == 2 && k < (1U << 20) / 512; k++) {
            char line[600];

            memset(line, 'x', sizeof(line));
            memcpy(line + sizeof(line) - 2, "\n", 2);
            append(line);
        }
        if (i == 1) {
            assert_int_equal(utimensat(AT_FDCWD, rig.path, old, 0), 0);
        }
        rig.config.since = clock_wall(&clock_real) - NS_PER_S;
        following_start();
        follow();
        assert_taken("");
        append("added\n");
        restart();
        follow();
        assert_taken("added|");
        rig_end();
    }
}

/* copytruncate to a name that is followed too: the copy is read from where the log was read to, and
 * the log from its front. */
static void test_copy_of_what_was_read(void **state)
{
    static const char line[] = "a line without a time and longer than what is kept to know a place";
    char copy[160];
    char want[512];

    (void)state;
    rig_start();
    snprintf(copy, sizeof(copy), "%s/auth-1.log", rig.top);
    rig.settings.logs = (struct setting_list){.items = {copy, rig.path}, .count = 2};
    append("x\n");
    following_start();
    append(line);
    append("\n");
    follow();
    snprintf(want, sizeof(want), "%s|", line);
    assert_taken(want);
    rig.config.since = clock_wall(&clock_real) - NS_PER_S;
    append("in the copy only\n");
    snprintf(want, sizeof(want), "cp %s %s", rig.path, copy);
    assert_int_equal(system(want), 0);
    write_to(rig.path, "", O_TRUNC);
    restart();
    follow();
    append("after\n");
    follow();
    assert_taken("in the copy only|after|");
    restart();
    follow();
    assert_taken("");
    rig_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_rotation_to_any_name),
        cmocka_unit_test(test_new_log),
        cmocka_unit_test(test_copytruncate),
        cmocka_unit_test(test_full_outlet),
        cmocka_unit_test(test_silent_log),
        cmocka_unit_test(test_silent_rotation),
        cmocka_unit_test(test_reused_number),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_copy_of_what_was_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
