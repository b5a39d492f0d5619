/* Hunts over files with entries that end, or hold up, the process that reads: by a format of logs
 * that does so where the test wants it. All else is told once, in the order in which it would have
 * been told, and the culprit is named. */
#include "harness.h"

#include "base/buf.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/hunt/again.h"
#include "sys/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 5
#define LINES 9000
#define EVERY 10 /* lines, one of which matches */
#define SPILL 60000

static char *volatile nowhere = (char *)(uintptr_t)8;

#define DIES_IN_PARSER "chet-khi-doc"
#define DIES_IN_JUDGE  "chet-khi-xet"
#define DIES_OF_TWO    "chet-vi-hai-dong" /* only when it does not stand alone */
#define DIES_FULL      "chet-khi-da-ke"   /* behind more matches than a block keeps */
#define HANGS          "treo-khi-xet"
#define DIES_UNPACKED  "chet-khi-mo" /* a member of that name */

static const char rule[] = "title: Word of the Test\n"
                           "id: 22222222-2222-4222-8222-222222222222\n"
                           "logsource:\n    product: linux\n"
                           "detection:\n    keywords:\n        - 'tu-khoa-thu'\n"
                           "    condition: keywords\nlevel: low\n";

/* The sanitizer would make an exit of it. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "handle_segv=0";
}

struct rig {
    char top[64];
    char rule[96];
    char logs[96];
    struct buf out;
    struct buf err;
};

/* ---- the unpacker */

static int (*next_header)(struct archive *archive, struct archive_entry **ret_entry);

/* Stands before the library's. */
int archive_read_next_header(struct archive *archive, struct archive_entry **ret_entry)
{
    int r = next_header(archive, ret_entry);

    if (r == ARCHIVE_OK && strcmp(archive_entry_pathname(*ret_entry), DIES_UNPACKED) == 0) {
        *nowhere = 0;
    }
    return r;
}

/* ---- the order of what is ended */

static int (*join_thread)(pthread_t thread, void **ret_value);
static pid_t (*wait_child)(pid_t pid, int *ret_status, int options);
static unsigned joined;
static unsigned waited;
static bool is_early; /* a reader was waited for while its relay looked at it */

int pthread_join(pthread_t thread, void **ret_value)
{
    int r = join_thread(thread, ret_value);

    joined++;
    return r;
}

pid_t waitpid(pid_t pid, int *ret_status, int options)
{
    pid_t r = wait_child(pid, ret_status, options);

    waited += r > 0;
    is_early |= waited > joined;
    return r;
}

/* ---- the format */

static const struct log_format *syslog;

struct deadly {
    entry_fn *fn;
    void *context;
};

static int deadly_entry(void *context, const struct entry *entry)
{
    const struct deadly *deadly = context;
    struct entry bad = *entry;

    while (str_find(entry->raw, STR(HANGS)) < entry->raw.len) {
        bad.number++;
    }
    if (str_find(entry->raw, STR(DIES_IN_JUDGE)) < entry->raw.len) {
        bad.number = entry->number;
        bad.raw = str_of(nowhere, 4096);
        bad.fields = (void *)nowhere;
        bad.count = bad.count != 0 ? bad.count : 1;
    }
    if (str_find(entry->raw, STR(DIES_FULL)) < entry->raw.len) {
        for (unsigned i = 0; i < SPILL; i++) {
            assert_int_equal(deadly->fn(deadly->context, entry), 0);
        }
        *nowhere = 0;
    }
    return deadly->fn(deadly->context, &bad);
}

static int deadly_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    struct deadly deadly = {fn, context};
    size_t two = str_find(block, STR(DIES_OF_TWO));

    if (str_find(block, STR(DIES_IN_PARSER)) < block.len ||
        (two < block.len && str_find_byte(block, '\n') + 1 < block.len)) {
        *nowhere = 0;
    }
    return syslog->read(reading, block, deadly_entry, &deadly);
}

static struct log_format deadly_format;
static struct log_format counted_format; /* its blocks cannot be torn into lines */

static uint64_t count_lines(struct str block)
{
    uint64_t count = 0;

    for (size_t i = 0; i < block.len; i++) {
        count += block.ptr[i] == '\n';
    }
    return count;
}

/* ---- files */

static void write_file(const char *path, struct str text)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, text.ptr, text.len), 0);
}

/* The line of that number holds the word. */
static void write_log(const struct rig *rig, unsigned file, unsigned number, const char *word)
{
    CLEANUP(buf_done) struct buf text;
    char path[128];

    buf_init(&text, 8 << 20);
    for (unsigned i = 1; i <= LINES; i++) {
        assert_int_equal(buf_putf(&text, "Nov 20 08:%02u:%02u may-chu app[1]: %s %s %s %u\n",
                                  i / 60 % 60, i % 60, i % EVERY == 0 ? "tu-khoa-thu" : "khong",
                                  "chu de cho dong dai ra, de co nhieu khoi trong mot tep tin va "
                                  "moi luong deu co viec de lam trong khi doc",
                                  i == number ? word : "", i),
                         0);
    }
    snprintf(path, sizeof(path), "%s/%u.log", rig->logs, file);
    write_file(path, buf_str(&text));
}

/* A tar of so many empty members, behind which comes the deadly one. */
static void write_tar(const struct rig *rig, unsigned file, unsigned before)
{
    struct archive_entry *entry = archive_entry_new();
    struct archive *archive = archive_write_new();
    char path[128];

    snprintf(path, sizeof(path), "%s/%u.log", rig->logs, file);
    assert_int_equal(archive_write_set_format_ustar(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    for (unsigned i = 0; i <= before; i++) {
        archive_entry_set_pathname(entry, i == before ? DIES_UNPACKED : "khong");
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    }
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    archive_entry_free(entry);
}

static int setup(void **state)
{
    static struct rig rig;

    *(void **)&next_header = dlsym(RTLD_NEXT, "archive_read_next_header");
    *(void **)&join_thread = dlsym(RTLD_NEXT, "pthread_join");
    *(void **)&wait_child = dlsym(RTLD_NEXT, "waitpid");
    assert_true(next_header != NULL && join_thread != NULL && wait_child != NULL);
    syslog = log_format_find(STR("syslog"));
    deadly_format = *syslog;
    deadly_format.read = deadly_read;
    counted_format = deadly_format;
    counted_format.count = count_lines;
    snprintf(rig.top, sizeof(rig.top), "/tmp/canhgac-again-XXXXXX");
    assert_non_null(mkdtemp(rig.top));
    assert_int_equal(chmod(rig.top, 0755), 0);
    snprintf(rig.rule, sizeof(rig.rule), "%s/rule.yml", rig.top);
    snprintf(rig.logs, sizeof(rig.logs), "%s/logs", rig.top);
    write_file(rig.rule, str_from(rule));
    assert_int_equal(mkdir(rig.logs, 0755), 0);
    for (unsigned i = 0; i < FILES; i++) {
        write_log(&rig, i, 0, "");
    }
    buf_init(&rig.out, 64 << 20);
    buf_init(&rig.err, 8 << 20);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    char path[128];

    for (unsigned i = 0; i < FILES; i++) {
        snprintf(path, sizeof(path), "%s/%u.log", rig->logs, i);
        (void)unlink(path);
    }
    buf_done(&rig->out);
    buf_done(&rig->err);
    (void)unlink(rig->rule);
    (void)rmdir(rig->logs);
    return rmdir(rig->top);
}

/* ---- a hunt, and what it said */

static int rig_carry(void *context, struct porter *porter)
{
    const struct rig *rig = context;
    int r = porter_carry(porter, PORTER_KIND_RULES, rig->rule);

    return r == 0 ? porter_carry(porter, PORTER_KIND_LOG, rig->logs) : r;
}

/* With a file that is not there, and one that is no pipeline. */
static int carry_unreadable(void *context, struct porter *porter)
{
    const struct rig *rig = context;
    int r = porter_carry(porter, PORTER_KIND_PIPELINE, rig->rule);

    r = r == 0 ? porter_carry(porter, PORTER_KIND_RULES, rig->rule) : r;
    r = r == 0 ? porter_carry(porter, PORTER_KIND_LOG, "/khong/co.log") : r;
    return r == 0 ? porter_carry(porter, PORTER_KIND_LOG, rig->logs) : r;
}

static int carry_nothing(void *context, struct porter *porter)
{
    (void)context;
    (void)porter;
    return -ERR_NOENT;
}

static int catch_fd(int fd, int *ret_kept)
{
    char path[] = "/tmp/canhgac-said-XXXXXX";
    int file = mkstemp(path);

    assert_true(file >= 0);
    (void)unlink(path);
    *ret_kept = dup(fd);
    assert_int_equal(dup2(file, fd), fd);
    return file;
}

static void caught(int file, int kept, int fd, struct buf *said)
{
    assert_int_equal(dup2(kept, fd), fd);
    close(kept);
    buf_reset(said);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    assert_int_equal(fd_read_all(file, said), 0);
    close(file);
}

static int hunt_run(struct rig *rig, again_carry_fn *carry, const struct log_format *format,
                    size_t jobs)
{
    struct hunt_order order = {.kind = SHEET_KIND_JSON,
                               .is_json = true,
                               .is_bare = true,
                               .jobs = jobs,
                               .patience = NS_PER_S,
                               .from = INT64_MIN,
                               .to = INT64_MAX,
                               .format = format};
    int status = hunt_again_run(&order, carry, rig);

    assert_true(waited != 0 && joined >= waited && !is_early);
    return status;
}

static int hunt_by(struct rig *rig, again_carry_fn *carry, const struct log_format *format,
                   size_t jobs)
{
    int out_kept;
    int err_kept;
    int out;
    int err;
    int status;

    fflush(stdout);
    out = catch_fd(STDOUT_FILENO, &out_kept);
    err = catch_fd(STDERR_FILENO, &err_kept);
    status = hunt_run(rig, carry, format, jobs);
    caught(out, out_kept, STDOUT_FILENO, &rig->out);
    caught(err, err_kept, STDERR_FILENO, &rig->err);
    return status;
}

static int hunt(struct rig *rig, const struct log_format *format, size_t jobs)
{
    return hunt_by(rig, rig_carry, format, jobs);
}

static bool has_said(const struct buf *said, const char *text)
{
    return str_find(buf_str(said), str_from(text)) < said->len;
}

static size_t count_said(const struct buf *said, const char *text)
{
    struct str rest = buf_str(said);
    size_t count = 0;
    size_t at;

    while ((at = str_find(rest, str_from(text))) < rest.len) {
        rest = str_slice(rest, at + 1, rest.len);
        count++;
    }
    return count;
}

/* Which match each line tells of, apart from the account: file * LINES + line. */
static size_t read_matches(const struct rig *rig, unsigned *ret_places, size_t room)
{
    struct str rest = buf_str(&rig->out);
    struct str line;
    size_t count = 0;

    while (str_cut(&rest, '\n', &line)) {
        CLEANUP(buf_done) struct buf text;
        const char *file;
        const char *number;

        buf_init(&text, 1 << 20);
        assert_int_equal(buf_put_str(&text, line), 0);
        assert_int_equal(buf_put_byte(&text, '\0'), 0);
        file = strstr(text.ptr, "/logs/");
        number = strstr(text.ptr, "\"line\":");
        if (file != NULL && number != NULL && count < room) {
            ret_places[count++] = (unsigned)atoi(file + strlen("/logs/")) * LINES +
                                  (unsigned)atoi(number + strlen("\"line\":"));
        }
    }
    return count;
}

/* All matches but that of one place, once and in order. */
static void expect_all_but(const struct rig *rig, unsigned but)
{
    static unsigned places[FILES * LINES];
    size_t count = read_matches(rig, places, ARRAY_LEN(places));
    size_t at = 0;

    for (unsigned file = 0; file < FILES; file++) {
        for (unsigned line = EVERY; line <= LINES; line += EVERY) {
            if (file * LINES + line != but) {
                assert_true(at < count);
                assert_int_equal(places[at++], file * LINES + line);
            }
        }
    }
    assert_int_equal(at, count);
}

static void expect_left_out(const struct rig *rig, unsigned file, const char *told, const char *why)
{
    char text[160];

    snprintf(text, sizeof(text), "%s/%u.log: %s", rig->logs, file, told);
    assert_true(has_said(&rig->err, text));
    assert_true(has_said(&rig->err, why));
    snprintf(text, sizeof(text), "\"entries\":%d,", FILES * LINES);
    assert_true(has_said(&rig->out, text));
    assert_true(has_said(&rig->out, "\"left_out\":1,"));
}

static void test_nothing_deadly(void **state)
{
    struct rig *rig = *state;

    for (size_t jobs = 1; jobs <= 3; jobs += 2) {
        assert_int_equal(hunt(rig, &deadly_format, jobs), EXIT_STATUS_FOUND);
        expect_all_but(rig, 0);
        assert_int_equal(rig->err.len, 0);
        assert_true(has_said(&rig->out, "\"left_out\":0,"));
    }
}

/* Late in a middle file: much has been told by then, of this file too. */
static void test_one_entry(void **state)
{
    static const struct {
        const char *word;
        const char *told;
        const char *why;
    } ways[] = {
        {DIES_IN_JUDGE, "record 8000 is not judged", "by signal 11"},
        {DIES_IN_PARSER, "line 8000 is not judged", "by signal 11"},
        {HANGS, "line 8000 is not judged", "for more than 1 s"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        write_log(rig, 2, 8000, ways[i].word);
        for (size_t jobs = i == 2 ? 3 : 1; jobs <= 3; jobs += 2) {
            assert_int_equal(hunt(rig, &deadly_format, jobs), EXIT_STATUS_FAILED);
            expect_all_but(rig, 2 * LINES + 8000);
            expect_left_out(rig, 2, ways[i].told, ways[i].why);
        }
    }
    write_log(rig, 2, 0, "");
}

static void test_several_entries(void **state)
{
    struct rig *rig = *state;

    write_log(rig, 1, 7001, DIES_IN_PARSER);
    write_log(rig, 3, 11, DIES_IN_JUDGE);
    assert_int_equal(hunt(rig, &deadly_format, 2), EXIT_STATUS_FAILED);
    expect_all_but(rig, 0);
    assert_true(has_said(&rig->err, "/1.log: line 7001 is not judged"));
    assert_true(has_said(&rig->err, "/3.log: record 11 is not judged"));
    assert_true(has_said(&rig->out, "\"left_out\":2,"));
    write_log(rig, 1, 0, "");
    write_log(rig, 3, 0, "");
}

/* No line of it does so alone: its mebibyte is left out, and what is around it stays. */
static void test_block(void **state)
{
    static unsigned places[FILES * LINES];
    struct rig *rig = *state;
    size_t count;

    write_log(rig, 2, 8000, DIES_OF_TWO);
    assert_int_equal(hunt(rig, &deadly_format, 2), EXIT_STATUS_FAILED);
    assert_true(has_said(&rig->err, "/2.log: the records of the mebibyte from "));
    count = read_matches(rig, places, ARRAY_LEN(places));
    assert_in_range(count, (FILES - 1) * LINES / EVERY, FILES * LINES / EVERY - 2);
    for (size_t i = 1; i < count; i++) {
        assert_true(places[i - 1] < places[i]);
    }
    assert_int_equal(places[0], EVERY);
    assert_int_equal(places[count - 1], FILES * LINES);
    write_log(rig, 2, 0, "");
}

static void test_given_up(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(hunt_by(rig, carry_nothing, &deadly_format, 1), EXIT_STATUS_FAILED);
    assert_int_equal(rig->out.len, 0);
}

/* What nobody could write was not told, whatever was found. */
static void test_full_disk(void **state)
{
    struct rig *rig = *state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    int out_kept = dup(STDOUT_FILENO);
    int err_kept;
    int err;
    int status;

    assert_true(full >= 0 && out_kept >= 0);
    fflush(stdout);
    err = catch_fd(STDERR_FILENO, &err_kept);
    assert_int_equal(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
    status = hunt_run(rig, rig_carry, &deadly_format, 2);
    assert_int_equal(dup2(out_kept, STDOUT_FILENO), STDOUT_FILENO);
    caught(err, err_kept, STDERR_FILENO, &rig->err);
    close(out_kept);
    close(full);
    assert_int_equal(status, EXIT_STATUS_FAILED);
    assert_int_equal(count_said(&rig->err, "cannot be written to the standard output: "), 1);
    assert_int_equal(count_said(&rig->err, "\n"), 1);
}

/* A reader in other hands writes what it likes there: two paths without an end are one. */
static void test_endless_path(void **state)
{
    struct porter porter = {.channel = -1, .hands = hands_new()};
    struct rig *rig = *state;
    const char *said;
    int kept;
    int err;

    assert_non_null(porter.hands);
    for (size_t i = 0; i < 2; i++) {
        struct hand *hand = &porter.hands->hands[i];

        memset(hand->path, 'a', sizeof(hand->path));
        atomic_store(&hand->phase, 'b' + (uint32_t)i);
    }
    err = catch_fd(STDERR_FILENO, &kept);
    assert_int_equal(porter_tell_ended(&porter, SIGSEGV), EXIT_STATUS_FAILED);
    caught(err, kept, STDERR_FILENO, &rig->err);
    assert_int_equal(buf_put_byte(&rig->err, '\0'), 0);
    said = strstr(rig->err.ptr, "aaaa");
    assert_non_null(said);
    assert_int_equal(strspn(said, "a"), HAND_PATH_SIZE);
    assert_string_equal(said + HAND_PATH_SIZE, "\n");
    porter_done(&porter);
}

/* However often all is read again. */
static void test_told_once(void **state)
{
    struct rig *rig = *state;

    write_log(rig, 2, 8000, DIES_IN_PARSER);
    assert_int_equal(hunt_by(rig, carry_unreadable, &deadly_format, 3), EXIT_STATUS_FAILED);
    assert_true(has_said(&rig->err, "line 8000 is not judged"));
    assert_int_equal(count_said(&rig->err, "not read: /khong/co.log"), 1);
    assert_int_equal(count_said(&rig->err, "not read: "), 2);
    assert_true(has_said(&rig->out, "\"unread\":1,"));
    write_log(rig, 2, 0, "");
}

/* Of the files around it nothing is lost, nor told. */
static void test_unpacker(void **state)
{
    static unsigned places[FILES * LINES];
    struct rig *rig = *state;

    for (unsigned before = 0; before <= 2; before += 2) {
        for (size_t jobs = 1; jobs <= 3; jobs += 2) {
            write_tar(rig, 2, before);
            assert_int_equal(hunt(rig, &deadly_format, jobs), EXIT_STATUS_FAILED);
            assert_true(has_said(&rig->err, "/2.log: not read from record 0 on"));
            assert_false(has_said(&rig->err, "/1.log"));
            assert_false(has_said(&rig->err, "/3.log"));
            assert_int_equal(read_matches(rig, places, ARRAY_LEN(places)),
                             (FILES - 1) * LINES / EVERY);
            assert_true(has_said(&rig->out, "\"unread\":1,"));
        }
    }
    write_log(rig, 2, 0, "");
}

/* Some of a block was told already, and then it is left out. */
static void test_spilled_block(void **state)
{
    struct rig *rig = *state;

    write_log(rig, 2, 8000, DIES_FULL);
    for (size_t jobs = 1; jobs <= 2; jobs++) {
        assert_int_equal(hunt(rig, &counted_format, jobs), EXIT_STATUS_FAILED);
        assert_in_range(count_said(&rig->out, "/2.log"), SPILL / 4, SPILL);
        assert_true(has_said(&rig->err, "/2.log: the records of the mebibyte from "));
        assert_false(has_said(&rig->err, "changed while they were read"));
        assert_int_equal(count_said(&rig->out, "/4.log"), LINES / EVERY);
        assert_true(has_said(&rig->out, "\"entries\":"));
    }
    write_log(rig, 2, 0, "");
}

/* More of them than may be found one by one: what is left is told as not judged. */
static void test_too_many(void **state)
{
    CLEANUP(buf_done) struct buf text;
    struct rig *rig = *state;
    char path[128];

    buf_init(&text, 8 << 20);
    for (unsigned i = 0; i < 2 * HUNT_SKIPS_MAX; i++) {
        assert_int_equal(buf_put_text(&text, "Nov 20 08:00:00 a b: " DIES_IN_JUDGE "\n"), 0);
    }
    snprintf(path, sizeof(path), "%s/2.log", rig->logs);
    write_file(path, buf_str(&text));
    assert_int_equal(hunt(rig, &deadly_format, 1), EXIT_STATUS_FAILED);
    assert_true(has_said(&rig->err, "/2.log: record 1 is not judged"));
    assert_true(has_said(&rig->err, "nor what would have followed"));
    write_log(rig, 2, 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_deadly),  cmocka_unit_test(test_one_entry),
        cmocka_unit_test(test_several_entries), cmocka_unit_test(test_block),
        cmocka_unit_test(test_too_many),        cmocka_unit_test(test_unpacker),
        cmocka_unit_test(test_given_up),        cmocka_unit_test(test_endless_path),
        cmocka_unit_test(test_told_once),       cmocka_unit_test(test_spilled_block),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
