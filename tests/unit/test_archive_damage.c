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

/* The same where files were set aside: whoever asks for no damages is told of none. */
static size_t count_left(struct bench *bench, size_t *ret_asides)
{
    struct archive_damages damages = {0};
    struct archive_query query = everything();
    struct archive *reader = open_archive(&bench->fixture, true, 0);
    size_t count;

    query.damages = &damages;
    count = search(reader, &query)->count;
    *ret_asides = damages.count;
    archive_close(reader);
    return count;
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

/* The same after a rollback, and after a death. */
static void check_told_again(struct bench *bench, const struct archive_damage *told)
{
    struct archive_damage damage;

    archive_rollback(bench->archive);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(archive_take_damage(bench->archive, &damage));
        assert_int_equal(damage.day, told->day);
        assert_int_equal(damage.aside, told->aside);
        assert_int_equal(damage.block, told->block);
        assert_int_equal(damage.entries, told->entries);
        assert_int_equal(damage.met, told->met);
        assert_int_not_equal(damage.met, 0);
        assert_false(archive_take_damage(bench->archive, &damage));
        reopen(bench);
    }
}

/* Of 24 events, 16 in the first, and reopens. */
static void damage_block(struct bench *bench, int64_t number)
{
    struct event event = make_event(FIXTURE_NOW, "one of many", "/bin/sh");
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
    assert_int_equal(block_read_packed(database, number, &size, &body), 0);
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
}

/* A bit of the block that still grows: the next one stands behind it, and what was in it is taken
 * again when it comes again. */
static void test_damaged_last_block(void **state)
{
    struct bench *bench = *state;
    struct event event = make_event(FIXTURE_NOW, "one of many", "/bin/sh");
    struct archive_damage damage;
    struct archive_damages damages;

    damage_block(bench, 2);
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
    check_told_again(bench, &damage);
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
    check_told_again(bench, &damage);
    assert_int_equal(archive_expire(bench->archive, FIXTURE_NOW, &removed), 0);
    assert_int_equal(access(fixture_path(&bench->fixture, file), F_OK), -1);
}

/* ---- setting aside, cut short */

static char *day_file_path(struct bench *bench, const char *rest, char out[512])
{
    (void)snprintf(out, 512, "%s/events/%s.db%s", bench->fixture.folder, day_before(1), rest);
    return out;
}

static bool has_day_file(struct bench *bench, const char *rest)
{
    char path[512];

    return access(day_file_path(bench, rest, path), F_OK) == 0;
}

/* What of a renaming has reached the disk: bits. */
enum done_part { DONE_LOG = 1, DONE_INDEX = 2, DONE_FILE = 4, DONE_ALL = 7 };

static void set_aside_partly(struct bench *bench, unsigned done)
{
    char from[512];
    char to[512];

    assert_true(has_day_file(bench, "-wal")); /* it outlasts its writer */
    if ((done & DONE_LOG) != 0) {
        assert_int_equal(
            rename(day_file_path(bench, "-wal", from), day_file_path(bench, ".damaged-1-wal", to)),
            0);
    }
    if ((done & DONE_INDEX) != 0) {
        assert_int_equal(unlink(day_file_path(bench, "-shm", from)), 0);
    }
    if ((done & DONE_FILE) != 0) {
        assert_int_equal(
            rename(day_file_path(bench, "", from), day_file_path(bench, ".damaged-1", to)), 0);
    }
}

static void check_parted(struct bench *bench, unsigned done)
{
    struct event event = make_event(FIXTURE_NOW - DAY, "afterwards", "/bin/sh");
    bool is_aside = (done & (DONE_LOG | DONE_FILE)) != 0;
    struct archive_damage damage = {0};
    size_t asides = 0;

    assert_int_equal(has_day_file(bench, ".damaged-1"), is_aside);
    assert_int_equal(has_day_file(bench, ".damaged-1-wal"), is_aside);
    assert_int_equal(has_day_file(bench, "-wal"), !is_aside);
    assert_int_equal(archive_take_damage(bench->archive, &damage), is_aside);
    assert_int_equal(damage.aside, is_aside);
    assert_false(archive_take_damage(bench->archive, &damage));
    assert_int_equal(add(bench->archive, 1, 1000, &event), 0);
    assert_int_equal(archive_commit(bench->archive), 0);
    assert_int_equal(count_left(bench, &asides), is_aside ? 129 : 193);
    assert_int_equal(asides, is_aside);
    assert_true(has_day_file(bench, "-wal"));
    assert_int_equal(has_day_file(bench, ".damaged-1-wal"), is_aside);
}

/* A power cut keeps of its three steps any: file and log are together again all the same. */
static void test_parted_asides(void **state)
{
    struct bench *bench = *state;

    for (unsigned done = 0; done <= DONE_ALL; done++) {
        unsigned removed = 0;

        fill_days(bench);
        archive_close(bench->archive);
        set_aside_partly(bench, done);
        bench->archive = open_archive(&bench->fixture, false, 16);
        check_parted(bench, done);
        reopen(bench);
        assert_int_equal(archive_expire(bench->archive, FIXTURE_NOW + 2 * DAY, &removed), 0);
        assert_false(has_day_file(bench, ".damaged-1-wal"));
    }
}

/* A log that an older program left behind, and began the day anew: neither takes the other's. */
static void test_log_of_another(void **state)
{
    struct bench *bench = *state;
    size_t asides = 0;
    char path[512];

    fill_days(bench);
    write_day(day_file_path(bench, ".damaged-1-wal", path), "a log", 5);
    reopen(bench);
    assert_true(has_day_file(bench, ""));
    assert_true(has_day_file(bench, "-wal"));
    assert_int_equal(count_left(bench, &asides), 192);
    assert_int_equal(asides, 1); /* what was in it is not found */
}

/* What the file was to keep in mind went with the rollback: it is the same damage all the same. */
static void test_damage_rolled_back(void **state)
{
    struct bench *bench = *state;
    struct event event = make_event(FIXTURE_NOW, "one of many", "/bin/sh");
    struct archive_damage damage;
    int64_t met = 0;

    damage_block(bench, 1);
    for (unsigned i = 0; i < 3; i++) {
        for (uint64_t j = 25; j <= 41; j++) { /* a block is full: the file's transaction is open */
            assert_int_equal(add(bench->archive, 1, j, &event), 0);
        }
        assert_int_equal(add(bench->archive, 1, 3, &event), 0);
        assert_true(archive_take_damage(bench->archive, &damage));
        assert_int_equal(damage.block, 1);
        assert_true(met == 0 || damage.met == met);
        met = damage.met;
        bench->fixture.wall++;
        assert_false(archive_take_damage(bench->archive, &damage));
        archive_rollback(bench->archive);
    }
}

/* A change of the file that is later than the log's, as clocks of inodes tick. */
static void put_back(struct bench *bench, size_t len)
{
    struct stat log;
    struct stat file;
    char path[512];

    assert_int_equal(stat(day_file_path(bench, ".damaged-1-wal", path), &log), 0);
    for (unsigned i = 0; i < 100000; i++) {
        write_day(day_file_path(bench, "", path), day_bytes, len);
        assert_int_equal(stat(path, &file), 0);
        if (file.st_ctim.tv_sec > log.st_ctim.tv_sec ||
            (file.st_ctim.tv_sec == log.st_ctim.tv_sec &&
             file.st_ctim.tv_nsec > log.st_ctim.tv_nsec)) {
            return;
        }
    }
    fail_msg("the file never became newer than the log");
}

/* A day that came back from a backup stays where it was put, whatever log lies aside. */
static void test_put_back(void **state)
{
    struct bench *bench = *state;
    size_t asides = 0;
    char path[512];
    size_t len;

    fill_days(bench);
    archive_close(bench->archive);
    len = read_day(day_file_path(bench, "", path));
    set_aside_partly(bench, DONE_ALL);
    assert_int_equal(unlink(day_file_path(bench, ".damaged-1", path)), 0);
    put_back(bench, len);
    bench->archive = open_archive(&bench->fixture, false, 16);
    assert_true(has_day_file(bench, ""));
    assert_false(has_day_file(bench, ".damaged-1"));
    assert_true(has_day_file(bench, ".damaged-1-wal"));
    assert_int_equal(count_left(bench, &asides), 192);
    assert_int_equal(asides, 1);
}

/* Of more than can be told those of the latest days are. */
static void test_more_damages(void **state)
{
    struct bench *bench = *state;
    struct archive_damage damage;
    char name[64];

    assert_false(archive_has_more_damage(bench->archive));
    for (unsigned i = 0; i < ARCHIVE_DAMAGES_MAX + 6; i++) {
        (void)snprintf(name, sizeof(name), "events/2024-%02u-%02u.db.damaged-1", 1 + i / 28,
                       1 + i % 28);
        write_day(fixture_path(&bench->fixture, name), "left", 4);
    }
    reopen(bench);
    for (unsigned i = 6; i < ARCHIVE_DAMAGES_MAX + 6; i++) {
        char file[ARCHIVE_FILE_SIZE];

        (void)snprintf(name, sizeof(name), "events/2024-%02u-%02u.db.damaged-1", 1 + i / 28,
                       1 + i % 28);
        assert_true(archive_take_damage(bench->archive, &damage));
        archive_file(&damage, file);
        assert_string_equal(file, name);
    }
    assert_false(archive_take_damage(bench->archive, &damage));
    assert_true(archive_has_more_damage(bench->archive));
}

/* What retention that was cut short leaves goes the next time. */
static void test_orphans_expire(void **state)
{
    static const char *const orphans[] = {"events/2025-01-02.db-wal", "events/2025-01-03.db-shm",
                                          "events/2025-01-04.db.damaged-2-wal",
                                          "events/2025-01-05.db.damaged-99-shm"};
    static const char *const others[] = {"events/2025-01-02.db-wal2", "events/2025-01-04.db.x-wal"};
    struct bench *bench = *state;
    unsigned removed = 0;

    for (size_t i = 0; i < ARRAY_LEN(orphans); i++) {
        write_day(fixture_path(&bench->fixture, orphans[i]), "left", 4);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        write_day(fixture_path(&bench->fixture, others[i]), "left", 4);
    }
    reopen(bench);
    assert_int_equal(archive_expire(bench->archive, FIXTURE_NOW, &removed), 0);
    for (size_t i = 0; i < ARRAY_LEN(orphans); i++) {
        assert_int_equal(access(fixture_path(&bench->fixture, orphans[i]), F_OK), -1);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(access(fixture_path(&bench->fixture, others[i]), F_OK), 0);
    }
}

/* ---- a row that is not what was written */

/* The filter of a stored block. */
static size_t read_filter(struct bench *bench, int64_t number, char *out, size_t room)
{
    struct database *database = NULL;
    struct query query;
    struct str filter;

    assert_int_equal(day_open_file(bench->archive, FIXTURE_NOW / DAY, true, &database, NULL), 0);
    query_init(&query, database, "SELECT filter FROM blocks WHERE number = ?1");
    query_bind_i64(&query, 1, number);
    assert_int_equal(query_one(&query), 0);
    filter = query_bytes(&query, 0);
    assert_in_range(filter.len, 8, room);
    memcpy(out, filter.ptr, filter.len);
    query_done(&query);
    database_close(database);
    return filter.len;
}

static size_t count_found(struct bench *bench, const char *words)
{
    struct archive *reader = open_archive(&bench->fixture, true, 0);
    struct archive_query query = everything();
    size_t count;

    query.needles = wanted(words);
    count = search(reader, &query)->count;
    archive_close(reader);
    return count;
}

/* Bits of a filter that are gone: the words that it denies are found all the same, while a filter
 * that is whole still spares its block. */
static void test_flipped_filter(void **state)
{
    static char filter[65536];
    struct bench *bench = *state;
    struct archive_stats stats;
    struct archive_query query = everything();
    char path[512];
    size_t size;
    size_t len;
    char *at;

    for (unsigned i = 0; i < 64; i++) {
        struct event event =
            make_event(FIXTURE_NOW + i, i < 16 ? "needle in the hay" : "straw", "/bin/sh");

        assert_int_equal(add(bench->archive, 1, i + 1, &event), 0);
    }
    assert_int_equal(archive_commit(bench->archive), 0);
    size = read_filter(bench, 1, filter, sizeof(filter));
    query.needles = wanted("needle");
    assert_int_equal(search(bench->archive, &query)->count, 16);
    archive_stats(bench->archive, &stats);
    assert_int_equal(stats.blocks_met, 4);
    assert_int_equal(stats.blocks_opened, 1);
    archive_close(bench->archive);
    bench->archive = NULL;
    (void)snprintf(path, sizeof(path), "%s/events/%s.db", bench->fixture.folder, day_before(0));
    len = read_day(path);
    at = memmem(day_bytes, len, filter, size);
    assert_non_null(at);
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if ((filter[i] >> bit & 1) != 0) {
                at[i] = (char)(filter[i] & ~(1 << bit));
                write_day(path, day_bytes, len);
                assert_int_equal(count_found(bench, "needle"), 16);
                at[i] = filter[i];
            }
        }
    }
}

/* A day as the version before this one wrote it. */
static void test_day_of_before(void **state)
{
    struct bench *bench = *state;
    struct archive_damages damages;
    sqlite3 *handle = NULL;
    char path[512];

    fill_days(bench);
    archive_close(bench->archive);
    assert_int_equal(sqlite3_open(day_file_path(bench, "", path), &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle,
                                  "DROP INDEX blocks_rows; ALTER TABLE blocks DROP COLUMN hash;"
                                  "DROP TABLE damages;"
                                  "PRAGMA user_version = 3",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    bench->archive = open_archive(&bench->fixture, false, 16);
    assert_int_equal(search_damaged(bench, &damages)->count, 192);
    assert_int_equal(damages.count, 0);
    assert_int_equal(count_found(bench, "command | nothing"), 192);
    assert_int_equal(count_found(bench, "nothing"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flipped_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_last_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_rolled_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_put_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_damages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parted_asides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_log_of_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_orphans_expire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flipped_filter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_day_of_before, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
