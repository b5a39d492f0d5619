/* The disk ring: what it promises at a clean end, at a kill -9, at every torn tail, at its bound
 * and on a full disk. Counters must add up always. */
#include "harness.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "base/time.h"
#include "link/segment.h"
#include "link/spool.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RECORD_LEN 1000
#define SOME_MAX   100 /* more than a segment of a small spool takes */

struct place {
    char path[64];
    uint64_t limit;
};

static int64_t fixed_wall(void *context)
{
    (void)context;
    return 1000 * NS_PER_S;
}

static const struct clock fixed_clock = {.wall = fixed_wall, .mono = fixed_wall};
#define FIRST ((1000ULL << 20) + 1)

static void folder_empty(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
}

static int setup(void **state)
{
    struct place *place = mem_alloc(1, sizeof(*place));

    assert_non_null(place);
    memcpy(place->path, "/tmp/canhgac-spool-XXXXXX", 26);
    assert_non_null(mkdtemp(place->path));
    place->limit = SPOOL_LIMIT_MIN;
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    folder_empty(place->path);
    assert_int_equal(rmdir(place->path), 0);
    mem_free(place);
    return 0;
}

static struct spool *open_at(const struct place *place)
{
    struct spool_options options = {
        .folder = place->path, .limit = place->limit, .clock = &fixed_clock};
    struct spool *spool = NULL;
    struct diag diag = {0};
    int r = spool_open(&options, &spool, &diag);

    if (r < 0) {
        fail_msg("%s", diag_text(&diag, r));
    }
    return spool;
}

static void fill(char *bytes, size_t len, uint64_t number)
{
    memset(bytes, (int)('a' + number % 26), len);
    memcpy(bytes, &number, sizeof(number));
}

static int put(struct spool *spool, enum record_kind kind, uint64_t number)
{
    char bytes[RECORD_LEN];

    fill(bytes, sizeof(bytes), number);
    return spool_append(spool, kind, str_of(bytes, sizeof(bytes)));
}

/* Offers up to that many together; how many were taken. */
static size_t put_some(struct spool *spool, uint64_t number, size_t many)
{
    static char bytes[SOME_MAX][RECORD_LEN];
    struct str records[SOME_MAX];
    size_t taken = 0;

    for (size_t i = 0; i < many; i++) {
        fill(bytes[i], RECORD_LEN, number + i);
        records[i] = str_of(bytes[i], RECORD_LEN);
    }
    return spool_append_some(spool, RECORD_KIND_EVENT, records, many, &taken) == 0 ? taken : 0;
}

static struct spool_counters count(const struct spool *spool)
{
    struct spool_counters counters;

    spool_count(spool, &counters);
    assert_int_equal(counters.appended,
                     counters.acknowledged + counters.waiting + counters.dropped);
    return counters;
}

/* Reads everything above from; checks order and bytes; returns how many of each kind. */
static uint64_t read_all(struct spool *spool, uint64_t from, uint64_t ret_kinds[RECORD_KIND_COUNT])
{
    struct spool_cursor cursor = {.sequence = from};
    struct spool_record record;
    uint64_t before = from;
    uint64_t n = 0;
    int r;

    memset(ret_kinds, 0, RECORD_KIND_COUNT * sizeof(*ret_kinds));
    while ((r = spool_next(spool, &cursor, &record)) == 1) {
        char expected[RECORD_LEN];
        uint64_t number;

        assert_true(record.sequence > before);
        assert_int_equal(record.bytes.len, RECORD_LEN);
        memcpy(&number, record.bytes.ptr, sizeof(number));
        fill(expected, sizeof(expected), number);
        assert_memory_equal(record.bytes.ptr, expected, sizeof(expected));
        before = record.sequence;
        ret_kinds[record.kind]++;
        n++;
    }
    assert_int_equal(r, 0);
    return n;
}

static void test_order_and_reopening(void **state)
{
    uint64_t kinds[RECORD_KIND_COUNT];
    struct spool *spool = open_at(*state);
    struct spool_counters counters;

    for (uint64_t i = 0; i < 300; i++) { /* several segments of 64 KiB */
        assert_int_equal(put(spool, RECORD_KIND_EVENT, i), 0);
    }
    assert_int_equal(read_all(spool, 0, kinds), 300);
    assert_int_equal(spool_prepare(spool, FIRST + 149), 0);
    assert_int_equal(spool_resolve(spool, FIRST + 99), 0);
    spool_free(spool);

    spool = open_at(*state);
    counters = count(spool);
    assert_int_equal(counters.appended, 300);
    assert_int_equal(counters.waiting, 200);
    assert_int_equal(counters.acknowledged, 100);
    assert_int_equal(counters.last, FIRST + 299);
    assert_int_equal(read_all(spool, 0, kinds), 200);
    assert_int_equal(spool_acknowledge(spool, FIRST + 299), 0);
    assert_int_equal(count(spool).waiting, 0);
    assert_int_equal(spool_acknowledge(spool, FIRST + 300), -ERR_PROTO);
    assert_true(count(spool).bytes < 70 * 1024);
    spool_free(spool);
    spool = open_at(*state);
    assert_int_equal(put(spool, RECORD_KIND_EVENT, 1), 0);
    assert_int_equal(count(spool).last, FIRST + 300); /* never restarts */
    spool_free(spool);
}

static void test_one_owner(void **state)
{
    const struct place *place = *state;
    struct spool_options options = {
        .folder = place->path, .limit = place->limit, .clock = &fixed_clock};
    struct spool *spool = open_at(place);
    struct spool *second = NULL;
    struct diag diag = {0};

    assert_int_equal(spool_open(&options, &second, &diag), -ERR_BUSY);
    assert_non_null(strstr(diag.text, place->path));
    spool_free(spool);
}

static void test_bound_drops_events_first(void **state)
{
    uint64_t kinds[RECORD_KIND_COUNT];
    struct spool *spool = open_at(*state);
    struct spool_counters counters;
    uint64_t findings = 0;

    for (uint64_t i = 0; i < 5000; i++) { /* five times the bound */
        bool is_finding = i % 50 == 0;

        assert_int_equal(put(spool, is_finding ? RECORD_KIND_FINDING : RECORD_KIND_EVENT, i), 0);
        findings += is_finding;
    }
    counters = count(spool);
    assert_true(counters.dropped > 3000);
    assert_true(counters.bytes <= SPOOL_LIMIT_MIN);
    assert_int_equal(read_all(spool, 0, kinds), counters.waiting);
    assert_int_equal(kinds[RECORD_KIND_FINDING], findings);
    spool_free(spool);

    spool = open_at(*state);
    assert_int_equal(count(spool).torn, 0);
    assert_int_equal(count(spool).dropped, counters.dropped);
    assert_int_equal(count(spool).waiting, counters.waiting);
    assert_int_equal(spool_acknowledge(spool, counters.last), 0);
    assert_int_equal(count(spool).acknowledged, counters.waiting);
    assert_int_equal(count(spool).dropped, counters.dropped);
    spool_free(spool);
}

/* The descriptor by which this process holds the segment that begins with the first record. */
static int segment_fd(const char *folder)
{
    char name[SEGMENT_NAME_SIZE];
    char wanted[sizeof(((struct place *)NULL)->path) + SEGMENT_NAME_SIZE + 1];
    char path[256];

    segment_name(FIRST, name);
    (void)snprintf(wanted, sizeof(wanted), "%s/%s", folder, name);
    for (int fd = 3; fd < 256; fd++) {
        if (fd_path(fd, path, sizeof(path)) == 0 && strcmp(path, wanted) == 0) {
            return fd;
        }
    }
    return -1;
}

/* A disk that takes a write and does not sync it: nothing may be sent, however often it is asked
 * for, until the disk does. */
static void test_failed_sync(void **state)
{
    const struct place *place = *state;
    struct spool *spool = open_at(*state);
    CLEANUP(closep) int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    CLEANUP(closep) int kept = -1;
    int fd;

    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(put(spool, RECORD_KIND_EVENT, i), 0);
    }
    fd = segment_fd(place->path);
    assert_true(fd >= 0 && nowhere >= 0);
    kept = dup(fd);
    assert_int_equal(dup2(nowhere, fd), fd); /* takes writes, has no sync */
    assert_true(spool_prepare(spool, FIRST + 4) < 0);
    assert_true(spool_prepare(spool, FIRST + 4) < 0);
    assert_int_equal(dup2(kept, fd), fd);
    assert_int_equal(spool_prepare(spool, FIRST + 4), 0);
    assert_int_equal(spool_resolve(spool, FIRST + 4), 0);
    assert_int_equal(count(spool).acknowledged, 5);
    spool_free(spool);
}

static void test_sent_is_never_dropped(void **state)
{
    uint64_t kinds[RECORD_KIND_COUNT];
    struct spool *spool = open_at(*state);

    for (uint64_t i = 0; i < 200; i++) {
        assert_int_equal(put(spool, RECORD_KIND_EVENT, i), 0);
    }
    assert_int_equal(spool_prepare(spool, FIRST + 149),
                     0); /* may be with the centre from here on */
    for (uint64_t i = 200; i < 3000; i++) {
        assert_int_equal(put(spool, RECORD_KIND_EVENT, i), 0);
    }
    assert_true(count(spool).dropped > 1000);
    (void)read_all(spool, 0, kinds);
    assert_int_equal(spool_resolve(spool, FIRST + 120), 0); /* the centre has 121 of them */
    assert_int_equal(count(spool).acknowledged, 121);
    spool_free(spool);
}

static void test_full_of_findings(void **state)
{
    struct spool *spool = open_at(*state);
    uint64_t kept = 0;
    uint64_t kinds[RECORD_KIND_COUNT];

    for (uint64_t i = 0; i < 2000; i++) {
        kept += put(spool, RECORD_KIND_FINDING, i) == 0;
    }
    assert_true(kept > 700 && kept < 1100);
    assert_int_equal(count(spool).dropped, 2000 - kept);
    assert_int_equal(read_all(spool, 0, kinds), kept);
    assert_int_equal(put(spool, RECORD_KIND_EVENT, 1), -ERR_FULL);
    assert_int_equal(spool_tend(spool), 0);
    assert_int_equal(spool_acknowledge(spool, FIRST + kept - 1), 0); /* room again */
    assert_int_equal(put(spool, RECORD_KIND_EVENT, 2), 0);
    assert_int_equal(count(spool).dropped, 2001 - kept);
    spool_free(spool);
}

/* A folder that was lost and made anew while the clock stood lower: numbers go on above the
 * centre's. */
static void test_renumbering(void **state)
{
    uint64_t kinds[RECORD_KIND_COUNT];
    struct spool *spool = open_at(*state);
    uint64_t far = FIRST + 1000000;

    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(put(spool, i % 2 == 0 ? RECORD_KIND_EVENT : RECORD_KIND_FINDING, i), 0);
    }
    assert_int_equal(spool_resolve(spool, far), 0);
    assert_int_equal(count(spool).appended, 100);
    assert_int_equal(count(spool).waiting, 100);
    assert_int_equal(count(spool).last, far + 100);
    assert_int_equal(read_all(spool, 0, kinds), 100);
    assert_int_equal(kinds[RECORD_KIND_FINDING], 50);
    spool_free(spool);
    spool = open_at(*state);
    assert_int_equal(count(spool).waiting, 100);
    assert_int_equal(count(spool).dropped, 0);
    spool_free(spool);
}

static void newest_name(const char *path, char *out, size_t size)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    uint64_t best = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        uint64_t first;

        if (segment_parse_name(entry->d_name, &first) && first >= best) {
            best = first;
            (void)snprintf(out, size, "%s/%s", path, entry->d_name);
        }
    }
    closedir(folder);
    assert_true(best != 0);
}

/* A power cut leaves the last file at any length behind what was durable. */
static void test_torn_at_every_byte(void **state)
{
    const struct place *place = *state;
    struct spool *spool = open_at(place);
    uint64_t kinds[RECORD_KIND_COUNT];
    char name[384];
    uint64_t one = RECORD_LEN + SEGMENT_HEAD_SIZE;
    uint64_t torn = 0;

    assert_int_equal(put(spool, RECORD_KIND_EVENT, 0), 0);
    assert_int_equal(put(spool, RECORD_KIND_EVENT, 1), 0);
    spool_free(spool);
    newest_name(place->path, name, sizeof(name));
    for (uint64_t cut = 1; cut < one; cut += cut < 40 || cut > one - 3 ? 1 : 97) {
        assert_int_equal(truncate(name, (off_t)(SEGMENT_HEADER_SIZE + 2 * one - cut)), 0);
        spool = open_at(place);
        assert_int_equal(read_all(spool, 0, kinds), 1);
        torn++;
        assert_int_equal(count(spool).torn, torn);
        assert_int_equal(put(spool, RECORD_KIND_EVENT, 1),
                         0); /* the number was never seen by anybody */
        assert_int_equal(count(spool).last, FIRST + 1);
        spool_free(spool);
    }
}

static void test_flipped_bytes_are_counted(void **state)
{
    const struct place *place = *state;
    struct spool *spool = open_at(place);
    uint64_t kinds[RECORD_KIND_COUNT];
    char name[384];
    int fd;

    for (uint64_t i = 0; i < 150; i++) { /* three segments */
        assert_int_equal(put(spool, RECORD_KIND_EVENT, i), 0);
    }
    spool_free(spool);
    (void)snprintf(name, sizeof(name), "%s/%020llu.seg", place->path, (unsigned long long)FIRST);
    fd = open(name, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(
        pwrite(fd, "X", 1, SEGMENT_HEADER_SIZE + 10 * (RECORD_LEN + SEGMENT_HEAD_SIZE) + 500), 1);
    (void)close(fd);
    spool = open_at(place);
    assert_int_equal(read_all(spool, 0, kinds), count(spool).waiting);
    assert_int_equal(count(spool).appended, 150);
    assert_true(count(spool).dropped > 10 && count(spool).dropped < 80);
    spool_free(spool);
}

static void test_foreign_file(void **state)
{
    const struct place *place = *state;
    struct spool_options options = {
        .folder = place->path, .limit = place->limit, .clock = &fixed_clock};
    struct spool *spool = NULL;
    struct diag diag = {0};
    char name[384];
    int fd;

    (void)snprintf(name, sizeof(name), "%s/%020llu.seg", place->path, 7ULL);
    fd = open(name, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, "somebody else's file", 20), 20);
    (void)close(fd);
    assert_int_equal(spool_open(&options, &spool, &diag), -ERR_FOREIGN);
    assert_null(spool);
}

struct shared {
    volatile uint64_t offered; /* appended or refused, by the child's own count */
    volatile uint64_t given;   /* highest sequence handed out for sending */
    volatile uint64_t acked;   /* what the centre has said */
};

/* Appends, sends, acknowledges at random until it is killed. Numbers grow through all rounds. */
static void child_body(const struct place *place, struct shared *shared, uint64_t seed)
{
    struct spool *spool = open_at(place);
    struct spool_cursor cursor = {0};
    struct spool_record record;
    struct prng prng;

    prng_init(&prng, seed);
    if (spool_resolve(spool, shared->acked) < 0) {
        _exit(9);
    }
    for (;;) {
        uint64_t what = prng_below(&prng, 10);

        if (what == 0) {
            shared->offered += put_some(spool, shared->offered, 1 + prng_below(&prng, SOME_MAX));
        } else if (what < 7) {
            enum record_kind kind =
                prng_below(&prng, 20) == 0 ? RECORD_KIND_FINDING : RECORD_KIND_EVENT;

            (void)put(spool, kind, shared->offered);
            shared->offered++;
        } else if (what < 9 && spool_next(spool, &cursor, &record) == 1) {
            if (spool_prepare(spool, record.sequence) < 0) {
                _exit(8);
            }
            shared->given = record.sequence;
        } else if (shared->given > shared->acked && prng_below(&prng, 4) == 0) {
            shared->acked = shared->given;
            if (spool_acknowledge(spool, shared->acked) < 0) {
                _exit(7);
            }
        }
    }
}

/* kill -9 at any point: every record handed in is there, was acknowledged, or is counted as
 * dropped; only of those that were under way together some may be missing, the last ones. */
static void test_kill_9(void **state)
{
    const struct place *place = *state;
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct prng prng;
    struct spool *spool;
    uint64_t kinds[RECORD_KIND_COUNT];

    assert_ptr_not_equal(shared, MAP_FAILED);
    prng_init(&prng, 4711);
    shared->acked = FIRST - 1;
    shared->given = FIRST - 1;
    for (unsigned round = 0; round < 60; round++) {
        struct spool_counters counters;
        uint64_t target = shared->offered + prng_below(&prng, 300);
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
            child_body(place, shared, round);
        }
        for (int i = 0; i < 50000 && shared->offered < target; i++) {
            (void)nanosleep(&(struct timespec){0, 100000}, NULL);
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));

        spool = open_at(place);
        counters = count(spool);
        assert_in_range(counters.appended, shared->offered, shared->offered + SOME_MAX);
        shared->offered = counters.appended;
        assert_true(counters.last >= shared->given);
        assert_int_equal(read_all(spool, 0, kinds), counters.waiting);
        assert_true(counters.confirmed <= shared->acked);
        assert_true(counters.torn <=
                    round + 1); /* SIGKILL may cut a write short: that record never was */
        spool_free(spool);
    }
    assert_true(shared->acked > FIRST);
    (void)munmap(shared, sizeof(*shared));
}

/* A disk of 1.5 MiB under a ring of 16: what it does not take is not counted as taken, since
 * whoever handed it in still has it; it flows again with room. */
static void test_full_disk(void **state)
{
    struct place *place = *state;
    struct spool *spool;
    struct spool_counters counters;
    uint64_t kinds[RECORD_KIND_COUNT];
    uint64_t taken = 0;

    if (mount("none", place->path, "tmpfs", 0, "size=1536k,mode=700") != 0) {
        skip();
    }
    place->limit = 16U << 20;
    spool = open_at(place);
    for (uint64_t i = 0; i < 2500; i++) {
        int r = put(spool, i % 10 == 0 ? RECORD_KIND_FINDING : RECORD_KIND_EVENT, i);

        assert_true(r == 0 || r == -ERR_NOSPC);
        taken += r == 0;
    }
    counters = count(spool);
    assert_true(taken > 100 && taken < 2400);
    assert_int_equal(counters.appended, taken);
    assert_int_equal(counters.dropped, 0);
    assert_int_equal(counters.trouble, -ERR_NOSPC);
    (void)read_all(spool, 0, kinds);
    for (unsigned round = 0; round < 20;
         round++) { /* the centre takes what is on disk: it recycles files */
        assert_int_equal(spool_prepare(spool, count(spool).last), 0);
        assert_int_equal(spool_acknowledge(spool, count(spool).last), 0);
        (void)spool_tend(spool);
        taken += put(spool, RECORD_KIND_EVENT, taken) == 0;
    }
    counters = count(spool);
    assert_int_equal(counters.trouble, 0);
    assert_int_equal(counters.appended, taken);
    spool_free(spool);
    spool = open_at(place);
    assert_int_equal(count(spool).appended, taken);
    assert_int_equal(count(spool).dropped, counters.dropped);
    spool_free(spool);
    assert_int_equal(umount(place->path), 0);
}

static int no_memory_body(void *context)
{
    const struct place *place = context;
    CLEANUP(spool_freep) struct spool *spool = NULL;
    struct spool_options options = {
        .folder = place->path, .limit = place->limit, .clock = &fixed_clock};
    int r = spool_open(&options, &spool, NULL);

    return r == 0 ? put(spool, RECORD_KIND_FINDING, 1) : r;
}

static void test_no_memory(void **state)
{
    assert_survives_no_memory(no_memory_body, *state);
}

int main(void)
{
#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        SPOOL_TEST(test_order_and_reopening),
        SPOOL_TEST(test_one_owner),
        SPOOL_TEST(test_bound_drops_events_first),
        SPOOL_TEST(test_failed_sync),
        SPOOL_TEST(test_sent_is_never_dropped),
        SPOOL_TEST(test_full_of_findings),
        SPOOL_TEST(test_renumbering),
        SPOOL_TEST(test_torn_at_every_byte),
        SPOOL_TEST(test_flipped_bytes_are_counted),
        SPOOL_TEST(test_foreign_file),
        SPOOL_TEST(test_kill_9),
        SPOOL_TEST(test_full_disk),
        SPOOL_TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
