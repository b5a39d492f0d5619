/* What befalls the archive's files: a search passes it over and says so, the writer goes on. */
#include "archive_fixture.h"

#include "base/text.h"

#include <fcntl.h>

/* ---- the reader passes it over */

#define ZSTD_MAGIC "\x28\xb5\x2f\xfd"

/* The day's file, its bytes changed. */
static void damage_day(struct bench *bench, const char *day, bool is_cut)
{
    static char bytes[4 << 20];
    const char *body;
    char path[512];
    ssize_t len;
    int fd;

    archive_close(bench->archive); /* the log is written back */
    bench->archive = NULL;
    (void)snprintf(path, sizeof(path), "%s/events/%s.db", bench->fixture.folder, day);
    fd = open(path, O_RDWR | O_CLOEXEC);
    len = read(fd, bytes, sizeof(bytes));
    assert_in_range(len, 8192, sizeof(bytes) - 1);
    if (is_cut) {
        assert_int_equal(ftruncate(fd, len / 2), 0);
    } else {
        body = memmem(bytes, (size_t)len, ZSTD_MAGIC, 4);
        assert_non_null(body);
        bytes[body - bytes + 40] ^= 4;
        assert_int_equal(pwrite(fd, bytes, (size_t)len, 0), len);
    }
    close(fd);
}

/* Three days of 64 events, in blocks of 16. */
static void fill_days(struct bench *bench)
{
    for (unsigned i = 0; i < 192; i++) {
        char text[48];
        struct event event;

        (void)snprintf(text, sizeof(text), "command %u of %u", i, i * 7919);
        event = make_event(FIXTURE_NOW - i / 64 * DAY + i % 64, text, "/bin/sh");
        assert_int_equal(add(bench->archive, 1, i + 1, &event), 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
}

static struct answer *search_damaged(struct bench *bench, struct archive_damages *damages)
{
    struct archive_query query = everything();
    struct archive *reader = open_archive(&bench->fixture, true, 0);
    struct answer *answer;

    *damages = (struct archive_damages){0};
    query.damages = damages;
    answer = search(reader, &query);
    answer = search(reader, &query); /* what was met before is told once */
    query.damages = NULL;
    assert_true(damages->count == 0 || archive_search(reader, &query, collect, answer) < 0);
    answer->count = 0;
    query.damages = damages;
    answer = search(reader, &query);
    archive_close(reader);
    return answer;
}

/* The day that is so many days before now. */
static const char *day_before(int days)
{
    const struct archive_damage damage = {.day = FIXTURE_NOW / DAY - days};
    static char day[11];
    char file[ARCHIVE_FILE_SIZE];

    archive_file(&damage, file);
    (void)snprintf(day, sizeof(day), "%.10s", file + sizeof("events/") - 1);
    return day;
}

/* One bit in one block: the other 176 are found, and it is told which are not. */
static void test_flipped_bit(void **state)
{
    struct bench *bench = *state;
    struct archive_damages damages;

    fill_days(bench);
    assert_int_equal(search_damaged(bench, &damages)->count, 192);
    assert_int_equal(damages.count, 0);
    damage_day(bench, day_before(1), false);
    assert_int_equal(search_damaged(bench, &damages)->count, 176);
    assert_int_equal(damages.count, 1);
    assert_int_equal(damages.list[0].entries, 16);
    assert_int_equal(damages.list[0].last - damages.list[0].first, 15);
    assert_int_equal(damages.list[0].day, (FIXTURE_NOW - DAY) / DAY);
}

/* Half of a day's file is gone: the days beside it are found. */
static void test_cut_file(void **state)
{
    struct bench *bench = *state;
    struct archive_damages damages;
    size_t found;

    fill_days(bench);
    damage_day(bench, day_before(1), true);
    found = search_damaged(bench, &damages)->count;
    assert_in_range(found, 128, 191);
    assert_in_range(damages.count, 1, 5);
    assert_int_equal(damages.list[0].day, (FIXTURE_NOW - DAY) / DAY);
}

/* ---- the writer goes on */

static char day_bytes[4 << 20];

static size_t read_day(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, day_bytes, sizeof(day_bytes));

    assert_in_range(len, 8192, sizeof(day_bytes) - 1);
    close(fd);
    return (size_t)len;
}

static void write_day(const char *path, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* A bit of the block that still grows: the next one stands behind it, and what was in it is taken
 * again when it comes again. */
static void test_damaged_last_block(void **state)
{
    struct bench *bench = *state;
    struct event event = make_event(FIXTURE_NOW, "one of many", "/bin/sh");
    struct archive_damage damage;
    struct archive_damages damages;
    struct database *database = NULL;
    struct buf body;
    uint64_t size;
    char path[512];
    size_t len;
    char *at;

    for (uint64_t i = 1; i <= 24; i++) {
        assert_int_equal(add(bench->archive, 1, i, &event), 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
    buf_init(&body, ARCHIVE_BODY_LIMIT);
    assert_int_equal(day_open_file(bench->archive, FIXTURE_NOW / DAY, true, &database, NULL), 0);
    assert_int_equal(block_read_packed(database, 2, &size, &body), 0);
    database_close(database);
    archive_close(bench->archive);
    (void)snprintf(path, sizeof(path), "%s/events/%s.db", bench->fixture.folder, day_before(0));
    len = read_day(path);
    at = memmem(day_bytes, len, body.ptr, body.len);
    assert_non_null(at);
    at[body.len - 5] ^= 1;
    write_day(path, day_bytes, len);
    buf_done(&body);
    bench->archive = open_archive(&bench->fixture, false, 16);
    assert_int_equal(add(bench->archive, 1, 25, &event), 0);
    assert_int_equal(add(bench->archive, 1, 3, &event), -ERR_EXIST);
    assert_int_equal(add(bench->archive, 1, 20, &event), 0);
    assert_int_equal(add(bench->archive, 1, 20, &event), -ERR_EXIST);
    assert_int_equal(archive_commit(bench->archive), 0);
    assert_true(archive_take_damage(bench->archive, &damage));
    assert_int_equal(damage.block, 2);
    assert_int_equal(damage.entries, 8);
    assert_int_equal(damage.aside, 0);
    assert_false(archive_take_damage(bench->archive, &damage));
    assert_int_equal(search_damaged(bench, &damages)->count, 18);
    assert_int_equal(damages.count, 1);
}

static void forget_asides(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char aside[600];

    for (unsigned i = 0; i <= 3; i++) {
        for (size_t j = 0; j < ARRAY_LEN(suffixes); j++) {
            (void)snprintf(aside, sizeof(aside), i == 0 ? "%s%.0u%s" : "%s.damaged-%u%s", path, i,
                           suffixes[j]);
            (void)unlink(aside);
        }
    }
}

/* Starts, and takes an event of that day at the second try at last, which is then found. */
static void check_goes_on(struct bench *bench, const char *path, const char *bytes, size_t len,
                          const char *what)
{
    struct event event = make_event(FIXTURE_NOW + 99, "afterwards", "/bin/sh");
    struct archive_damages damages = {0};
    struct archive_query query = everything();
    struct answer *answer;
    int r = -ERR_IO;

    forget_asides(path);
    write_day(path, bytes, len);
    bench->archive = open_archive(&bench->fixture, false, 16);
    for (unsigned i = 0; i < 2 && r < 0; i++) {
        (void)add(bench->archive, 1, 30, &event); /* looks for it in the blocks first */
        (void)add(bench->archive, 1, 1000, &event);
        r = archive_commit(bench->archive);
    }
    if (r < 0) {
        fail_msg("%s: %s", what, err_text(r));
    }
    query.damages = &damages;
    query.needles = wanted("afterwards");
    answer = search(bench->archive, &query);
    if (answer->count == 0) {
        fail_msg("%s: what was committed is not found", what);
    }
    archive_close(bench->archive);
    bench->archive = NULL;
}

/* Each page of a day's file is damaged in turn, and the file is cut at each. */
static void test_damaged_pages(void **state)
{
    static char bytes[sizeof(day_bytes)];
    struct bench *bench = *state;
    char path[512];
    char what[64];
    size_t len;

    fill_days(bench);
    archive_close(bench->archive);
    bench->archive = NULL;
    (void)snprintf(path, sizeof(path), "%s/events/%s.db", bench->fixture.folder, day_before(0));
    len = read_day(path);
    for (size_t at = 0; at < len; at += 4096) {
        for (unsigned how = 0; how < 3; how++) {
            (void)snprintf(what, sizeof(what), "damage %u at %zu", how, at);
            memcpy(bytes, day_bytes, len);
            if (how == 0) {
                memset(bytes + at, 0x5a, 64);
            } else if (how == 1) {
                bytes[at + 7] ^= 0x10;
            }
            check_goes_on(bench, path, bytes, how == 2 ? at + 100 : len, what);
        }
    }
}

static void test_foreign_day(void **state)
{
    static const char diary[] =
        "somebody's diary, which is not a database at all .................................";
    struct bench *bench = *state;
    struct archive_damage damage;
    char file[ARCHIVE_FILE_SIZE];
    char bytes[256];
    unsigned removed = 0;
    int fd;

    archive_close(bench->archive);
    bench->archive = NULL;
    fd = open(fixture_path(&bench->fixture, "events/2025-01-02.db"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, diary, sizeof(diary)), sizeof(diary));
    close(fd);
    bench->archive = open_archive(&bench->fixture, false, 16);
    assert_true(archive_take_damage(bench->archive, &damage));
    assert_int_equal(damage.error, -ERR_FOREIGN);
    archive_file(&damage, file);
    assert_string_equal(file, "events/2025-01-02.db.damaged-1");
    assert_false(archive_take_damage(bench->archive, &damage));
    fd = open(fixture_path(&bench->fixture, file), O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(diary));
    assert_memory_equal(bytes, diary, sizeof(diary)); /* it is kept as it was */
    close(fd);
    assert_int_equal(archive_expire(bench->archive, FIXTURE_NOW, &removed), 0);
    assert_int_equal(access(fixture_path(&bench->fixture, file), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flipped_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_last_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_day, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
