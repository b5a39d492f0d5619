/* How long the gate holds an open: while the work for it goes on, within bounds. And whose path it
 * asks for. */
#include "harness.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "sense/files_private.h"
#include "sys/thread.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
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

/* The kernel of a names thread: a pipe, in which a name comes up whenever one is told. */
struct noise {
    struct files *files;
    int ends[2];
    atomic_bool is_over;
};

static bool is_never_calm(void *context)
{
    (void)context;
    return false;
}

static void change_a_name(struct noise *noise)
{
    const struct fanotify_event_metadata event = {.event_len = sizeof(event),
                                                  .vers = FANOTIFY_METADATA_VERSION,
                                                  .metadata_len = sizeof(event),
                                                  .mask = FAN_CREATE,
                                                  .fd = FAN_NOFD};

    assert_int_equal(write(noise->ends[1], &event, sizeof(event)), sizeof(event));
}

static void change_another(void *context, const struct files_name *name)
{
    struct noise *noise = context;

    (void)name;
    if (!atomic_load(&noise->is_over)) {
        change_a_name(noise);
    }
}

/* What was there when it was asked for is heard, however much comes after it. */
static void test_names_are_heard_amid_noise(void **state)
{
    const struct files_config nowhere = {.gate = -1, .names = -1, .doze = -1, .asked_fd = -1};
    struct noise noise = {0};
    const struct files_port port = {
        .context = &noise, .is_calm = is_never_calm, .named = change_another};
    pthread_t names;

    (void)state;
    assert_int_equal(pipe2(noise.ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(noise.ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(files_new(&nowhere, &port, &noise.files), 0);
    noise.files->names = noise.ends[0];
    change_a_name(&noise);
    assert_int_equal(pthread_create(&names, NULL, files_names_run, noise.files), 0);
    for (int times = 0; times < 20; times++) {
        assert_true(files_hear_names(noise.files, clock_mono(&clock_real) + 10 * NS_PER_S));
    }
    atomic_store(&noise.is_over, true);
    atomic_store(&noise.files->is_names_ending, true);
    (void)!write(noise.files->end_fd, &(uint64_t){1}, sizeof(uint64_t));
    pthread_join(names, NULL);
    noise.files->names = -1;
    files_free(noise.files);
    assert_int_equal(close(noise.ends[0]) + close(noise.ends[1]), 0);
}

#define CHANGED 300

/* Names of such length that an event is many times its head; unprivileged groups may do this. */
static void change_names(int folder)
{
    for (int i = 0; i < CHANGED; i++) {
        char name[NAME_MAX];
        int fd;

        (void)snprintf(name, sizeof(name), "%03d-%0200d", i, 0);
        fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        (void)close(fd);
        assert_int_equal(unlinkat(folder, name, 0), 0);
    }
}

/* What waits and what was read are counted alike, as the running kernel counts. */
static void test_waiting_names_are_counted(void **state)
{
    static struct name_reader batch;
    char path[] = "/tmp/canhgac-names-XXXXXX";
    int group = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME,
                              O_RDONLY);
    size_t before;
    size_t told = 0;
    int folder;

    (void)state;
    assert_non_null(mkdtemp(path));
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0 ||
        fanotify_mark(group, FAN_MARK_ADD, FAN_CREATE | FAN_DELETE, folder, NULL) != 0) {
        (void)close(folder);
        (void)rmdir(path);
        skip();
    }
    change_names(folder);
    before = name_events_waiting(group);
    assert_true(before >= CHANGED);
    while (name_reader_fill(&batch, group) == 0) {
        told += name_reader_count(&batch);
        assert_int_equal(told + name_events_waiting(group), before);
        assert_true(batch.len >
                    2 * sizeof(struct fanotify_event_metadata) * name_reader_count(&batch));
    }
    assert_int_equal(told, before);
    (void)close(group);
    (void)close(folder);
    assert_int_equal(rmdir(path), 0);
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
        cmocka_unit_test(test_names_are_heard_amid_noise),
        cmocka_unit_test(test_waiting_names_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
