/* The vault: what is saved comes back bit by bit, whatever was done to it; what was undone is as if
 * it had never been restored; nothing listed is half-written; full, foreign and spoiled vaults say
 * so. */
#include "vault_fixture.h"

#include "harness.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUOTA (1ULL << 30)

static const struct id finding = {{0xca, 0x17, 3}};

/* A clock that a test moves by hand. */
static int64_t fake_now;

static int64_t fake_wall(void *context)
{
    (void)context;
    return fake_now;
}

static const struct clock fake_clock = {.wall = fake_wall, .mono = fake_wall};

static struct vault *open_with(const struct scratch *scratch, const struct vault_limits *limits)
{
    struct vault *vault = NULL;
    struct diag diag = {};
    int r = vault_open(scratch->vault, limits, &fake_clock, &vault, &diag);

    if (r < 0) {
        fail_msg("vault_open: %s", diag_text(&diag, r));
    }
    return vault;
}

/* Moves a file's change time into the past of the save, so that it counts as settled. */
static void wait_until_settled(void)
{
    const struct timespec tick = {.tv_nsec = 25 * 1000 * 1000};

    (void)nanosleep(&tick, NULL);
}

static void test_save(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    struct vault_version version;
    struct arena *arena;
    char path[PATH_SIZE + 64];
    char bytes[8] = "";
    uint64_t first;
    uint64_t again;
    uint64_t changed;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    put_file(path, &scratch, "một.txt", 'a', 5000);
    wait_until_settled();
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &first), 0);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &again), 0);
    assert_int_equal(again, first);
    put_file(path, &scratch, "một.txt", 'b', 5000);
    wait_until_settled();
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &changed), 0);
    assert_true(changed > first);

    assert_int_equal(vault_version(vault, first, arena, &version), 0);
    assert_str(version.path, path);
    assert_int_equal(version.size, 5000);
    assert_int_equal(version.process.pid, 77);
    assert_int_equal(version.process.uid, -1);
    assert_str(version.process.exe, "/bin/sh");
    assert_str(version.process.user, "an");
    fd = vault_content(vault, first);
    assert_int_equal(read(fd, bytes, 3), 3);
    assert_string_equal(bytes, "aaa");
    close(fd);
    assert_int_equal(vault_verify(vault, first), -ERR_AGAIN);
    tend_all(vault);
    assert_int_equal(vault_verify(vault, first), 0);
    assert_int_equal(vault_verify(vault, changed), 0);
    assert_int_equal(vault_verify(vault, 999999), -ERR_NOENT);
    assert_int_equal(vault_version(vault, 999999, arena, &version), -ERR_NOENT);
    arena_free(arena);
    vault_close(vault);
    scratch_remove(&scratch);
}

/* A write within the clock's tick leaves all times as they are: the earlier version must not stand
 * for it. */
static void test_save_racy(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    char path[PATH_SIZE + 64];

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    for (int i = 0; i < 200; i++) {
        uint64_t id;
        char byte;
        int fd;

        put_file(path, &scratch, "f", 'A' + i % 26, 100);
        assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
        fd = vault_content(vault, id);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, 'A' + i % 26);
        close(fd);
    }
    vault_close(vault);
    scratch_remove(&scratch);
}

static void test_dedup(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    struct vault_usage usage;
    char path[PATH_SIZE + 64];
    uint64_t ids[3];

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    for (size_t i = 0; i < 3; i++) {
        char name[8];

        snprintf(name, sizeof(name), "%zu", i);
        put_file(path, &scratch, name, 'x', 8192);
        assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &ids[i]), 0);
    }
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_int_equal(usage.bytes, 3 * 8192);
    tend_all(vault);
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_int_equal(usage.bytes, 8192);
    assert_int_equal(usage.versions, 3);
    assert_int_equal(vault_drop(vault, ids[0]), 0); /* the bytes pass to another version */
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_int_equal(usage.bytes, 8192);
    assert_int_equal(vault_verify(vault, ids[1]), 0);
    assert_int_equal(vault_verify(vault, ids[2]), 0);
    assert_int_equal(vault_drop(vault, ids[1]), 0);
    assert_int_equal(vault_drop(vault, ids[2]), 0);
    assert_int_equal(vault_drop(vault, ids[2]), -ERR_NOENT);
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_int_equal(usage.bytes, 0);
    vault_close(vault);
    scratch_remove(&scratch);
}

static void test_quota_and_retention(void **state)
{
    const struct vault_limits limits = {.bytes = 100000,
                                        .retention_ns = 24 * 3600 * NS_PER_S,
                                        .whole_bytes = 1 << 20,
                                        .edge_bytes = 4096};
    struct vault_damage damage = {.outcome = FILE_OUTCOME_DELETED};
    struct scratch scratch;
    struct vault *vault;
    struct vault_usage usage;
    char path[PATH_SIZE + 64];
    uint64_t ids[12];

    (void)state;
    fake_now = 1000 * 24 * 3600 * NS_PER_S;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = open_with(&scratch, &limits);
    for (int i = 0; i < 12; i++) { /* 12 × 8192: just below the quota */
        char name[8];

        snprintf(name, sizeof(name), "%d", i);
        put_file(path, &scratch, name, 'a' + i, 8192);
        assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &ids[i]), 0);
    }
    put_file(path, &scratch, "more", 'z', 8192);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &ids[11]), -ERR_FULL);
    tend_all(vault);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &ids[11]), -ERR_FULL);
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_int_equal(usage.versions, 12);
    assert_int_equal(usage.refused, 2);

    assert_int_equal(vault_case_open(vault, &finding), 0);
    damage.version = ids[0];
    damage.path = str_from(path);
    assert_int_equal(vault_case_add(vault, &finding, &damage, 1), 0);
    assert_int_equal(vault_drop(vault, ids[0]), -ERR_BUSY);
    fake_now += 25 * 3600 * NS_PER_S; /* old enough to go, but for the one that a case holds */
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &ids[11]), 0);
    tend_all(vault);
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_true(usage.bytes <= limits.bytes - limits.bytes / 8);
    assert_int_equal(usage.pinned, 1);
    assert_int_equal(vault_verify(vault, ids[0]), 0);
    assert_int_equal(vault_verify(vault, ids[11]), 0);
    assert_int_equal(vault_verify(vault, ids[1]), -ERR_NOENT);
    assert_int_equal(vault_case_close(vault, &finding), 0);
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_int_equal(usage.pinned, 0);
    assert_int_equal(vault_drop(vault, ids[0]), 0);
    vault_close(vault);
    scratch_remove(&scratch);
}

static int save_as(struct vault *vault, const char *path, int64_t uid, uint64_t *ret_id)
{
    const struct vault_origin origin = {.path = str_from(path),
                                        .kind = VAULT_KIND_BEFORE,
                                        .process = {.pid = 7, .uid = uid, .exe = STR("/bin/sh")}};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = vault_save(vault, fd, &origin, ret_id);

    close(fd);
    return r;
}

/* One user fills the vault: what another needs is saved all the same, and what that other has, or
 * a case holds, stays. */
static void test_share(void **state)
{
    const struct vault_limits limits = {.bytes = 16 * 8192,
                                        .retention_ns = 24 * 3600 * NS_PER_S,
                                        .whole_bytes = 1 << 20,
                                        .edge_bytes = 4096};
    struct vault_damage damage = {.outcome = FILE_OUTCOME_ENCRYPTED};
    struct scratch scratch;
    struct vault_usage usage;
    struct vault *vault;
    char path[PATH_SIZE + 64];
    uint64_t theirs[16];
    uint64_t ours[8];

    (void)state;
    assert_true(scratch_make(&scratch, "memory", false));
    vault = open_with(&scratch, &limits);
    put_file(path, &scratch, "ours", 'a', 8192);
    assert_int_equal(save_as(vault, path, 1000, &ours[0]), 0);
    for (int i = 0; i < 15; i++) {
        char name[16];

        snprintf(name, sizeof(name), "junk%d", i);
        put_file(path, &scratch, name, 'b' + i, 8192);
        assert_int_equal(save_as(vault, path, 2000, &theirs[i]), 0);
    }
    damage.version = theirs[0];
    damage.path = str_from(path);
    assert_int_equal(vault_case_open(vault, &finding), 0);
    assert_int_equal(vault_case_add(vault, &finding, &damage, 1), 0);
    for (int i = 1; i < 6; i++) {
        char name[16];

        snprintf(name, sizeof(name), "doc%d", i);
        put_file(path, &scratch, name, 'A' + i, 8192);
        assert_int_equal(save_as(vault, path, 1000, &ours[i]), 0);
    }
    tend_all(vault);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(vault_verify(vault, ours[i]), 0);
    }
    assert_int_equal(vault_verify(vault, theirs[0]), 0);
    assert_int_equal(vault_verify(vault, theirs[1]), -ERR_NOENT);
    assert_int_equal(vault_verify(vault, theirs[14]), 0);
    assert_int_equal(vault_usage(vault, &usage), 0);
    assert_true(usage.bytes <= limits.bytes);
    assert_true(usage.refused >= 5); /* which is told */
    for (int i = 0; i < 6; i++) {    /* at half, nobody gives way any more */
        char name[16];

        snprintf(name, sizeof(name), "late%d", i);
        put_file(path, &scratch, name, 'M' + i, 8192);
        (void)!save_as(vault, path, 1000, &ours[7]);
    }
    assert_int_equal(vault_verify(vault, theirs[14]), 0);
    assert_int_equal(save_as(vault, path, 1000, &ours[7]), -ERR_FULL);
    vault_close(vault);
    scratch_remove(&scratch);
}

static void test_foreign(void **state)
{
    const struct vault_limits limits = {.bytes = QUOTA};
    struct scratch scratch;
    struct vault *vault = NULL;
    struct diag diag = {};
    char path[PATH_SIZE + 64];
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    put_file(path, &scratch, "thesis.tex", 't', 10);
    assert_int_equal(chmod(scratch.data, 0700), 0);
    assert_int_equal(vault_open(scratch.data, &limits, &clock_real, &vault, &diag), -ERR_FOREIGN);
    assert_non_null(strstr(diag.text, scratch.data));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chmod(scratch.data, 0755), 0); /* others may enter */
    diag = (struct diag){};
    assert_int_equal(vault_open(scratch.data, &limits, &clock_real, &vault, &diag), -ERR_FOREIGN);
    assert_non_null(strstr(diag.text, "0755"));
    assert_non_null(strstr(diag.text, "chmod 700 "));
    assert_int_equal(vault_check(scratch.data, &diag), -ERR_FOREIGN);
    assert_int_equal(rmdir(scratch.data), 0); /* nothing was made in it */
    assert_int_equal(mkdir(scratch.data, 0700), 0);
    assert_int_equal(vault_check(scratch.data, &diag), 0);
    vault = scratch_open(&scratch, QUOTA);
    vault_close(vault);
    snprintf(path, sizeof(path), "%s/format", scratch.vault);
    fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, "canhgac vault 3 0\n", 18), 18);
    assert_int_equal(vault_open(scratch.vault, &limits, &clock_real, &vault, &diag), -ERR_VERSION);
    assert_int_equal(pwrite(fd, "canhgac vault 1 z\n", 18, 0), 18);
    assert_int_equal(vault_open(scratch.vault, &limits, &clock_real, &vault, &diag), -ERR_CORRUPT);
    close(fd);
    scratch_remove(&scratch);
}

/* A vault of format 1 keeps all that it held, and is of format 2 from then on. */
static void test_old_format(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    char path[PATH_SIZE + 64];
    char text[64] = "";
    uint64_t damaged;
    uint64_t id;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    put_file(path, &scratch, "f", 'f', 100);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
    vault_close(vault);
    snprintf(path, sizeof(path), "%s/format", scratch.vault);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "1", 1, 14), 1);
    close(fd);
    assert_int_equal(count_versions(&scratch, &damaged), 1);
    assert_int_equal(damaged, 0);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    assert_int_equal(strncmp(text, "canhgac vault 2 ", 16), 0);
    close(fd);
    scratch_remove(&scratch);
}

/* The last record cut at every byte; then whole records behind the torn one; then a spoiled byte.
 */
static void test_torn_journal(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    char path[PATH_SIZE + 64];
    char journal[PATH_SIZE + 64];
    uint64_t damaged;
    uint64_t id;
    off_t cut = 0;
    off_t end;
    char byte;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    snprintf(journal, sizeof(journal), "%s/journal", scratch.vault);
    fd = open(journal, O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++) {
        cut = lseek(fd, 0, SEEK_END);
        put_file(path, &scratch, "f", 'a' + i, 300);
        assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
    }
    vault_close(vault);
    end = lseek(fd, 0, SEEK_END);
    for (off_t at = end - 1; at >= cut; at--) {
        assert_int_equal(ftruncate(fd, at), 0);
        assert_int_equal(count_versions(&scratch, &damaged), 2);
        assert_int_equal(damaged, 0);
        if ((end - at) % 37 == 0) { /* a torn record, then a good one behind it */
            vault = scratch_open(&scratch, QUOTA);
            assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
            vault_close(vault);
            assert_int_equal(count_versions(&scratch, &damaged), 3);
            assert_int_equal(damaged, 0);
        }
    }
    assert_int_equal(pread(fd, &byte, 1, 40), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, 40), 1);
    assert_int_equal(count_versions(&scratch, &damaged), 1);
    assert_int_equal(damaged, 1);
    close(fd);
    scratch_remove(&scratch);
}

static void test_spoiled_object(void **state)
{
    struct scratch scratch;
    struct vault *vault;
    char path[PATH_SIZE + 64];
    char object[PATH_SIZE + 64];
    uint64_t id;
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, NULL, false));
    vault = scratch_open(&scratch, QUOTA);
    put_file(path, &scratch, "f", 'f', 3000);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
    tend_all(vault);
    snprintf(object, sizeof(object), "%s/objects/%02x/%016llx", scratch.vault,
             (unsigned)(id >> 10 & 0xff), (unsigned long long)id);
    fd = open(object, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "?", 1, 2999), 1);
    close(fd);
    assert_int_equal(vault_verify(vault, id), -ERR_CORRUPT);
    assert_int_equal(unlink(object), 0);
    assert_int_equal(vault_verify(vault, id), -ERR_CORRUPT);
    vault_close(vault);
    scratch_remove(&scratch);
}

/* What a killed process left without a record goes after an hour; what a record names stays. */
static void test_sweep(void **state)
{
    static const char *const names[] = {"0000000000000001", "00000000000000ff",
                                        "0000000000000001.new"};
    const struct vault_limits limits = {
        .bytes = QUOTA, .retention_ns = 24 * 3600 * NS_PER_S, .whole_bytes = QUOTA};
    struct scratch scratch;
    struct vault *vault;
    char path[PATH_SIZE + 64];
    uint64_t id;

    (void)state;
    fake_now = clock_wall(&clock_real);
    assert_true(scratch_make(&scratch, NULL, false));
    vault = open_with(&scratch, &limits);
    put_file(path, &scratch, "f", 'f', 30);
    assert_int_equal(save_path(vault, path, VAULT_KIND_BEFORE, &id), 0);
    assert_int_equal(id, 1);
    for (int hours = 0; hours < 3; hours += 2) {
        for (size_t i = 1; i < 3 && hours == 0; i++) {
            snprintf(path, sizeof(path), "%s/objects/00/%s", scratch.vault, names[i]);
            close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        }
        tend_all(vault);
        for (size_t i = 0; i < 3; i++) {
            snprintf(path, sizeof(path), "%s/objects/00/%s", scratch.vault, names[i]);
            assert_int_equal(access(path, F_OK) == 0, i == 0 || hours == 0);
        }
        assert_int_equal(vault_verify(vault, id), 0);
        vault_close(vault);
        fake_now += 2 * 3600 * NS_PER_S;
        vault = open_with(&scratch, &limits);
    }
    vault_close(vault);
    scratch_remove(&scratch);
}

struct saver {
    struct vault *vault;
    const struct scratch *scratch;
    int number;
    uint64_t last;
};

static void *save_many(void *context)
{
    struct saver *saver = context;
    char path[PATH_SIZE + 64];
    char name[16];

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%d", saver->number);
        put_file(path, saver->scratch, name, saver->number * 31 + i, 2000);
        if (save_path(saver->vault, path, VAULT_KIND_BEFORE, &saver->last) != 0) {
            saver->last = 0;
            break;
        }
    }
    return NULL;
}

/* Threads of two openings save while a third tends and the journal is written anew. */
static void test_compaction(void **state)
{
    const struct vault_limits limits = {
        .bytes = QUOTA, .retention_ns = 24 * 3600 * NS_PER_S, .whole_bytes = QUOTA};
    struct scratch scratch;
    struct vault *vaults[3];
    struct saver savers[4];
    pthread_t threads[4];
    struct vault_usage usage;
    struct stat before;
    struct stat after;
    char path[PATH_SIZE + 64];
    char journal[PATH_SIZE + 64];
    uint64_t id;
    uint64_t damaged;

    (void)state;
    fake_now = 1000 * 24 * 3600 * NS_PER_S;
    assert_true(scratch_make(&scratch, NULL, false));
    for (int i = 0; i < 3; i++) {
        vaults[i] = open_with(&scratch, &limits);
    }
    put_file(path, &scratch, "same", 's', 100);
    wait_until_settled();
    for (int i = 0; i < 40000; i++) { /* a journal of little else than touches */
        assert_int_equal(save_path(vaults[0], path, VAULT_KIND_BEFORE, &id), 0);
    }
    snprintf(journal, sizeof(journal), "%s/journal", scratch.vault);
    assert_int_equal(stat(journal, &before), 0);
    for (int i = 0; i < 4; i++) {
        savers[i] = (struct saver){.vault = vaults[i % 2], .scratch = &scratch, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, save_many, &savers[i]), 0);
    }
    tend_all(vaults[2]);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(savers[i].last != 0);
    }
    tend_all(vaults[2]);
    assert_int_equal(stat(journal, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_true(after.st_size < before.st_size);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(vault_usage(vaults[i], &usage), 0);
        assert_int_equal(usage.versions, 1201);
        for (int k = 0; k < 4; k++) {
            assert_int_equal(vault_verify(vaults[i], savers[k].last), 0);
        }
    }
    assert_int_equal(count_versions(&scratch, &damaged), 1201);
    assert_int_equal(damaged, 0);
    for (int i = 0; i < 3; i++) {
        vault_close(vaults[i]);
    }
    scratch_remove(&scratch);
}

struct scarce {
    const struct scratch *scratch;
    const char *path;
};

static int with_little_memory(void *context)
{
    const struct vault_limits limits = {
        .bytes = QUOTA, .retention_ns = 24 * 3600 * NS_PER_S, .whole_bytes = QUOTA};
    const struct id mine = {{1, 2, 3}};
    struct scarce *scarce = context;
    struct vault_damage damage = {.outcome = FILE_OUTCOME_ENCRYPTED};
    struct vault_report report = {};
    CLEANUP(vault_closep) struct vault *vault = NULL;
    bool is_idle;
    struct stat st;
    char journal[2048];
    int r;

    snprintf(journal, sizeof(journal), "%s/journal", scarce->scratch->vault);
    (void)unlink(journal); /* else each round would have more to read than the one before */
    r = vault_open(scarce->scratch->vault, &limits, &clock_real, &vault, NULL);
    r = r < 0 ? r : save_path(vault, scarce->path, VAULT_KIND_BEFORE, &damage.version);
    if (r < 0 || stat(scarce->path, &st) != 0) {
        return r;
    }
    damage.path = damage.path_now = str_from(scarce->path);
    damage.dev_now = st.st_dev;
    damage.ino_now = st.st_ino;
    r = vault_case_open(vault, &mine);
    r = r < 0 ? r : vault_case_add(vault, &mine, &damage, 1);
    r = r < 0 ? r : vault_case_restore(vault, &mine, NULL, NULL, &report);
    r = r < 0 ? r : vault_case_undo(vault, &mine, NULL, NULL, &report);
    r = r < 0 ? r : vault_case_close(vault, &mine);
    return r < 0 ? r : vault_tend(vault, &is_idle);
}

static void test_no_memory(void **state)
{
    struct scratch scratch;
    struct scarce scarce = {.scratch = &scratch};
    char path[PATH_SIZE + 64];
    char bytes[4] = "";
    int fd;

    (void)state;
    assert_true(scratch_make(&scratch, "memory", false));
    put_file(path, &scratch, "f", 'f', 3000);
    scarce.path = path;
    assert_survives_no_memory(with_little_memory, &scarce);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes, 3), 3);
    assert_string_equal(bytes, "fff");
    close(fd);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_save),           cmocka_unit_test(test_save_racy),
        cmocka_unit_test(test_dedup),          cmocka_unit_test(test_quota_and_retention),
        cmocka_unit_test(test_share),          cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_old_format),     cmocka_unit_test(test_torn_journal),
        cmocka_unit_test(test_spoiled_object), cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_compaction),     cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
