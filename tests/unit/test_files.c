/* How long the gate holds an open: while the work for it goes on, within bounds. And whose path it
 * asks for. */
#include "harness.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "sense/files_private.h"
#include "sys/thread.h"

#include <fcntl.h>
#include <unistd.h>

#define ARRIVED (100 * NS_PER_S)
#define MS      NS_PER_MS

/* A sensor without threads and without a gate: answers go nowhere, their state is what counts. */
static struct files *files_make(void)
{
    struct files *files = mem_alloc(1, sizeof(*files));

    assert_non_null(files);
    files->gate = -1;
    atomic_store(&files->waiting, 1);
    files->slots[0].arrived = ARRIVED;
    atomic_store(&files->slots[0].state, OPEN_STATE_WAITING);
    return files;
}

static bool is_held(struct files *files, int64_t at)
{
    (void)files_check_deadlines(files, ARRIVED + at);
    return atomic_load(&files->slots[0].state) == OPEN_STATE_WAITING;
}

static void note_progress(struct files *files, int64_t at, bool is_own)
{
    atomic_store(&files->progress, ARRIVED + at);
    if (is_own) {
        atomic_store(&files->slots[0].progress, ARRIVED + at);
    }
}

static void test_without_progress(void **state)
{
    struct files *files = files_make();

    (void)state;
    assert_true(is_held(files, FILES_SAVE_NS - MS));
    assert_false(is_held(files, FILES_SAVE_NS + MS));
    assert_int_equal(atomic_load(&files->late), 1);
    assert_false(files_progress(files, &files->slots[0]));
    mem_free(files);
}

static void test_with_progress(void **state)
{
    struct files *files = files_make();

    (void)state;
    for (int64_t at = 0; at < FILES_BOUND_NS; at += 150 * MS) {
        note_progress(files, at, true);
        assert_true(is_held(files, at + 140 * MS < FILES_BOUND_NS ? at + 140 * MS : at));
        assert_int_equal(files_check_deadlines(files, ARRIVED + at), ARRIVED + at);
    }
    assert_true(files_progress(files, &files->slots[0]));
    note_progress(files, FILES_BOUND_NS, true);
    assert_false(is_held(files, FILES_BOUND_NS + 1));
    mem_free(files);
}

static void test_stall_after_progress(void **state)
{
    struct files *files = files_make();

    (void)state;
    note_progress(files, 150 * MS, true);
    assert_true(is_held(files, FILES_SAVE_NS + 140 * MS));
    note_progress(files, 340 * MS, false); /* of another open: this one stands still */
    assert_false(is_held(files, FILES_SAVE_NS + 160 * MS));
    mem_free(files);
}

static void test_in_line(void **state)
{
    struct files *files = files_make();

    (void)state;
    for (int64_t at = 0; at < FILES_LINE_NS; at += 150 * MS) {
        note_progress(files, at, false);
        assert_true(is_held(files, at));
    }
    note_progress(files, FILES_LINE_NS, false);
    assert_false(is_held(files, FILES_LINE_NS + 1));
    mem_free(files);
}

/* This thread stands for a worker: as long as it computes, what it has in hand is held. */
static void test_with_work(void **state)
{
    struct files *files = files_make();
    int64_t at = 0;

    (void)state;
    atomic_store(&files->worker_clocks[0], thread_clock());
    while (at < FILES_LINE_NS - 150 * MS) {
        int64_t until = thread_clock_read(atomic_load(&files->worker_clocks[0])) + 2 * MS;

        while (thread_clock_read(atomic_load(&files->worker_clocks[0])) < until) {
            /* computes */
        }
        at += 150 * MS;
        assert_true(is_held(files, at));
    }
    assert_false(is_held(files, FILES_LINE_NS + 1)); /* but not for ever */
    mem_free(files);
}

static void test_safe(void **state)
{
    struct files *files = files_make();

    (void)state;
    atomic_store(&files->slots[0].is_safe, true);
    for (int64_t at = 0; at < FILES_LINE_NS; at += 150 * MS) {
        note_progress(files, at, false); /* looks go on, perhaps for others */
        assert_true(is_held(files, at + 40 * MS < FILES_LINE_NS ? at + 40 * MS : at));
    }
    assert_false(is_held(files, FILES_LINE_NS + 1));
    assert_int_equal(atomic_load(&files->late), 0); /* nothing can be lost by it */
    mem_free(files);
}

static void test_safe_without_progress(void **state)
{
    struct files *files = files_make();

    (void)state;
    atomic_store(&files->slots[0].is_safe, true);
    assert_true(is_held(files, FILES_DEADLINE_NS - MS));
    assert_false(is_held(files, FILES_DEADLINE_NS + MS));
    mem_free(files);
}

static void assert_path(struct fd_paths *paths, int fd)
{
    char wanted[FILES_PATH_MAX];
    char found[FILES_PATH_MAX];

    assert_int_equal(fd_path(fd, wanted, sizeof(wanted)), 0);
    assert_int_equal(fd_paths_find(paths, fd, found, sizeof(found)), 0);
    assert_string_equal(found, wanted);
}

/* Numbers come and go, and mean other files then. */
static void test_paths(void **state)
{
    static const char *const places[] = {"/", "/proc", "/dev/null", "/", "/dev"};
    struct fd_paths paths;
    char path[FILES_PATH_MAX];
    int kept = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(fd_paths_init(&paths), 0);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        int fd = open(places[i], O_RDONLY | O_CLOEXEC);

        assert_path(&paths, fd);
        assert_path(&paths, fd);
        assert_path(&paths, i % 2 == 0 ? kept : fd);
        (void)close(fd);
        assert_true(fd_paths_find(&paths, fd, path, sizeof(path)) < 0);
    }
    assert_path(&paths, kept);
    (void)close(kept);
    fd_paths_done(&paths);
}

/* What the kernel is told on the descriptor: 1 sleep, 0 do not, -1 nothing. */
static int told(int fd)
{
    int32_t latency;

    return read(fd, &latency, sizeof(latency)) == (ssize_t)sizeof(latency) ? latency != 0 : -1;
}

static void test_processors_stay_awake_in_a_row(void **state)
{
    struct files *files = files_make();
    int64_t now = ARRIVED;
    unsigned awake = 0;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    files->doze = ends[1];
    for (int i = 0; i < 100; i++) { /* one now and then */
        files_note_row(files, 1, now += 3 * MS);
    }
    assert_int_equal(told(ends[0]), -1);
    for (int i = 0; i < 100; i++) {
        files_note_row(files, 1, now += MS / 10);
    }
    assert_int_equal(told(ends[0]), 0);
    assert_int_equal(told(ends[0]), -1); /* once */
    files_note_row(files, -ERR_AGAIN, now += MS / 2);
    assert_int_equal(told(ends[0]), -1);
    files_note_row(files, -ERR_AGAIN, now += 2 * MS);
    assert_int_equal(told(ends[0]), 1);
    files_note_row(files, 1, now += 2 * MS); /* the next row begins anew */
    assert_int_equal(told(ends[0]), -1);
    for (int64_t i = 0; i < 35000; i++) { /* one without an end, but for a breath now and then */
        files_note_row(files, 1, now += i % 5000 == 4999 ? 2 * MS : MS - 1);
        awake += files->is_awake;
    }
    assert_in_range(awake, 15000, 25000);
    (void)told(ends[0]);
    files_note_row(files, -ERR_AGAIN, now += 2 * MS);
    files_note_row(files, -ERR_AGAIN, now += 60000 * MS);
    for (int row = 0; row < 2; row++) { /* a short one, and another one later: both are helped */
        for (int i = 0; i < 100; i++) {
            files_note_row(files, 1, now += MS / 10);
        }
        assert_true(files->is_awake);
        files_note_row(files, -ERR_AGAIN, now += 2 * MS);
        assert_false(files->is_awake);
        files_note_row(files, -ERR_AGAIN, now += 15000 * MS);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    mem_free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_progress),
        cmocka_unit_test(test_with_progress),
        cmocka_unit_test(test_stall_after_progress),
        cmocka_unit_test(test_in_line),
        cmocka_unit_test(test_with_work),
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_safe_without_progress),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_processors_stay_awake_in_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
