/* The shield's memory: shelf, actors, page, places, and the sensor's pure parts. */
#include "harness.h"

#include "agent/actors.h"
#include "agent/facts.h"
#include "agent/numbers.h"
#include "agent/openers.h"
#include "agent/page.h"
#include "agent/places.h"
#include "agent/shelf.h"
#include "agent/shield/private.h"
#include "agent/watchdog.h"
#include "base/banned.h"
#include "base/time.h"
#include "sense/files.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct file_handle_id handle_for(uint32_t number)
{
    struct file_handle_id handle = {.fsid = 7, .type = 1, .len = sizeof(number)};

    memcpy(handle.bytes, &number, sizeof(number));
    return handle;
}

static struct file_row *take(struct shelf *shelf, uint32_t number)
{
    struct file_handle_id handle = handle_for(number);
    struct file_row *row = NULL;

    assert_int_equal(shelf_take(shelf, &handle, (struct file_key){1, number}, &row), 0);
    return row;
}

static int held_file(void)
{
    int fd = memfd_create("held", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "content", 7), 7);
    return fd;
}

static void test_shelf_finds_by_every_key(void **state)
{
    struct file_handle_id handle = handle_for(5);
    struct file_handle_id copy = {0};
    struct shelf *shelf = NULL;
    struct file_row *row;

    (void)state;
    assert_int_equal(shelf_new(4, 2, &shelf), 0);
    row = take(shelf, 5);
    shelf_set_path(shelf, row, STR("/data/a"), 1);
    assert_ptr_equal(shelf_by_handle(shelf, &handle), row);
    assert_ptr_equal(shelf_by_key(shelf, (struct file_key){1, 5}), row);
    assert_ptr_equal(shelf_by_path(shelf, STR("/data/a")), row);
    assert_ptr_equal(shelf_by_token(shelf, shelf_token(row)), row);
    assert_true(shelf_is_token(shelf_token(row)));
    assert_false(shelf_is_token(1));
    shelf_handle(row, &copy);
    assert_memory_equal(copy.bytes, handle.bytes, handle.len);
    shelf_set_path(shelf, row, STR("/data/b"), 1);
    assert_null(shelf_by_path(shelf, STR("/data/a")));
    shelf_free(shelf);
}

/* Whoever leaves a place, or is forgotten, leaves the others there in their order. */
static void test_shelf_goes_through_a_place(void **state)
{
    const struct str path = STR("/data/a");
    struct shelf *shelf = NULL;
    struct file_row *rows[4];

    (void)state;
    assert_int_equal(shelf_new(4, 2, &shelf), 0);
    for (uint32_t i = 0; i < 4; i++) {
        rows[i] = take(shelf, 5 + i);
        shelf_set_path(shelf, rows[i], path, i);
    }
    assert_ptr_equal(shelf_next_at(shelf, path, NULL, NULL), rows[3]);
    assert_ptr_equal(shelf_next_at(shelf, path, NULL, rows[3]), rows[2]);
    assert_null(shelf_next_at(shelf, path, NULL, rows[0]));
    assert_ptr_equal(shelf_next_at(shelf, path, rows[1], NULL), rows[0]);
    assert_ptr_equal(shelf_next_at(shelf, path, rows[1], rows[0]), rows[3]);
    assert_null(shelf_next_at(shelf, path, rows[1], rows[2]));
    shelf_leave_path(shelf, rows[2]);
    shelf_leave_path(shelf, rows[3]);
    assert_ptr_equal(shelf_by_path(shelf, path), rows[1]);
    (void)take(shelf, 9); /* rows[0] gives way */
    assert_null(shelf_next_at(shelf, path, rows[1], NULL));
    assert_null(shelf_next_at(shelf, path, NULL, rows[1]));
    shelf_free(shelf);
}

static void test_shelf_forgets_the_oldest(void **state)
{
    struct shelf *shelf = NULL;

    (void)state;
    assert_int_equal(shelf_new(3, 2, &shelf), 0);
    for (uint32_t number = 1; number <= 3; number++) {
        (void)take(shelf, number);
    }
    (void)take(shelf, 1); /* youngest again */
    (void)take(shelf, 4);
    assert_null(shelf_by_key(shelf, (struct file_key){1, 2}));
    assert_non_null(shelf_by_key(shelf, (struct file_key){1, 1}));
    assert_non_null(shelf_by_key(shelf, (struct file_key){1, 4}));
    shelf_free(shelf);
}

static void test_shelf_holds(void **state)
{
    struct shelf *shelf = NULL;
    struct file_row *first;
    struct file_row *second;
    struct stat stat;

    (void)state;
    assert_int_equal(shelf_new(8, 1, &shelf), 0);
    first = take(shelf, 1);
    second = take(shelf, 2);
    assert_false(shelf_is_held(first, &stat));
    shelf_hold(shelf, first, held_file());
    assert_true(shelf_is_held(first, &stat));
    assert_int_equal(first->size, 7);
    assert_false(shelf_is_crowded(shelf));
    shelf_hold(shelf, second, held_file());
    assert_true(shelf_is_crowded(shelf));
    assert_ptr_equal(shelf_oldest_hold(shelf), first);
    shelf_set_deleted(shelf, first, 100);
    assert_ptr_equal(shelf_oldest_hold(shelf), second);
    assert_null(shelf_oldest_deleted(shelf, 100));
    assert_ptr_equal(shelf_oldest_deleted(shelf, 101), first);
    shelf_let_go(shelf, first);
    assert_null(shelf_oldest_deleted(shelf, 101));
    assert_false(shelf_is_crowded(shelf));
    shelf_free(shelf);
}

static int fill_shelf(void *context)
{
    struct file_handle_id handle = handle_for(1);
    struct shelf *shelf = NULL;
    struct file_row *row;
    int r = shelf_new(4, 2, &shelf);

    (void)context;
    if (r == 0) {
        r = shelf_take(shelf, &handle, (struct file_key){1, 1}, &row);
    }
    shelf_free(shelf);
    return r;
}

static void test_shelf_without_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(fill_shelf, NULL);
}

static struct process_info process(pid_t pid, pid_t parent, uint64_t exe)
{
    struct process_info info = {
        .pid = pid, .ppid = parent, .start = 10, .session = 1, .exe_dev = 1, .exe_ino = exe};

    (void)snprintf(info.exe, sizeof(info.exe), "/bin/%d", (int)exe);
    return info;
}

static void put(struct actors *actors, pid_t pid, pid_t parent, uint64_t exe)
{
    struct process_info info = process(pid, parent, exe);
    struct actor_row *row = NULL;

    assert_int_equal(
        actors_put(actors, &info, (struct actor_key){parent, parent != 0 ? 10 : 0}, &row), 0);
}

static void test_actors_instance_is_the_topmost_of_one_program(void **state)
{
    struct actors *actors = NULL;
    struct actor_key found;

    (void)state;
    assert_int_equal(actors_new(8, &actors), 0);
    put(actors, 10, 0, 1);
    put(actors, 11, 10, 2);
    put(actors, 12, 11, 2);
    put(actors, 13, 12, 2);
    found = actors_instance(actors, (struct actor_key){13, 10});
    assert_int_equal(found.pid, 11);
    found = actors_instance(actors, (struct actor_key){99, 1});
    assert_int_equal(found.pid, 99);
    actors_free(actors);
}

static void test_actors_know_whom_nobody_saw(void **state)
{
    struct actors *actors = NULL;
    struct actor_row *row = NULL;

    (void)state;
    assert_int_equal(actors_new(8, &actors), 0);
    put(actors, 10, 0, 1);
    actors_forked(actors, 20, 10, 0);
    assert_int_equal(actors_put_unseen(actors, 20, &row), 0);
    assert_int_equal(row->actor.parent.pid, 10);
    assert_int_equal(row->actor.exe_ino, 1);
    assert_ptr_equal(actors_get_pid(actors, 20), row);
    actors_forked(actors, 20, 10, 0); /* the number is somebody else's now */
    assert_null(actors_get_pid(actors, 20));
    assert_int_equal(actors_put_unseen(actors, 33, &row), -ERR_NOENT);
    actors_free(actors);
}

/* The gate may meet a process before its fork is told: that is no second one. */
static void test_actors_forked_late(void **state)
{
    struct actors *actors = NULL;

    (void)state;
    assert_int_equal(actors_new(8, &actors), 0);
    put(actors, 10, 0, 1);
    put(actors, 20, 10, 2);
    actors_forked(actors, 20, 10, 0);
    assert_non_null(actors_get_pid(actors, 20));
    assert_int_equal(actors_get_pid(actors, 20)->actor.exe_ino, 2);
    assert_non_null(actors_ended(actors, 20));
    assert_non_null(actors_get_pid(actors, 20)); /* its late events are its own */
    actors_forked(actors, 20, 10, 0);
    assert_null(actors_get_pid(actors, 20));
    actors_free(actors);
}

/* The end of one was not heard, and its number is somebody else's now. */
static void test_actors_end_unheard(void **state)
{
    struct actors *actors = NULL;
    uint64_t start;

    (void)state;
    assert_int_equal(actors_new(8, &actors), 0);
    put(actors, 10, 0, 1);
    put(actors, 20, 10, 2);
    start = actors_get_pid(actors, 20)->actor.key.start;
    actors_forked(actors, 20, 10, start);
    assert_non_null(actors_get_pid(actors, 20));
    actors_forked(actors, 20, 10, start + 1);
    assert_null(actors_get_pid(actors, 20));
    actors_free(actors);
}

static void test_actors_forget_the_dead_first(void **state)
{
    struct actors *actors = NULL;

    (void)state;
    assert_int_equal(actors_new(3, &actors), 0);
    put(actors, 10, 0, 1);
    put(actors, 11, 10, 1);
    put(actors, 12, 10, 1);
    assert_non_null(actors_ended(actors, 11));
    put(actors, 13, 10, 1);
    assert_null(actors_get(actors, (struct actor_key){11, 10}));
    assert_non_null(actors_get(actors, (struct actor_key){10, 10}));
    actors_free(actors);
}

/* A child that waits in a system call, under another name once it is sent SIGUSR1. */
static void rename_self(int signal)
{
    (void)signal;
    (void)prctl(PR_SET_NAME, "other");
}

static pid_t waiting_child(void)
{
    int ready[2];
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        (void)signal(SIGUSR1, rename_self);
        (void)!write(ready[1], &byte, 1);
        for (;;) {
            (void)pause();
        }
    }
    assert_true(pid > 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
}

static void wait_for_name(pid_t pid, const char *name)
{
    struct process_info info = {0};
    const struct timespec rest = {.tv_nsec = NS_PER_MS};

    for (int i = 0; i < 60000 && strcmp(info.comm, name) != 0; i++) {
        assert_int_equal(process_read_stat(pid, &info), 0);
        (void)nanosleep(&rest, NULL);
    }
    assert_string_equal(info.comm, name);
}

static void test_openers_know_a_thread_while_it_lives(void **state)
{
    struct process_syscall call = {0};
    struct openers *openers = NULL;
    struct opener *opener = NULL;
    struct process_info info;
    pid_t pid = waiting_child();

    (void)state;
    assert_int_equal(openers_new(&openers), 0);
    assert_null(openers_find(openers, pid));
    assert_int_equal(openers_meet(openers, pid, &info, &opener), 0);
    assert_int_equal(opener->who.pid, pid);
    assert_int_equal(opener->who.start, info.start);
    assert_ptr_equal(openers_find(openers, pid), opener);
    while (process_thread_syscall(&opener->thread, &call) == -ERR_AGAIN) {
    }
    assert_true(call.number == SYS_pause || call.number == SYS_ppoll);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_null(openers_find(openers, pid));
    assert_int_equal(openers_meet(openers, pid, &info, &opener), -ERR_NOENT);
    openers_free(openers);
}

static void test_openers_forget_who_runs_another_program(void **state)
{
    struct openers *openers = NULL;
    struct opener *opener = NULL;
    struct process_info info;
    pid_t pid = waiting_child();

    (void)state;
    assert_int_equal(openers_new(&openers), 0);
    assert_int_equal(openers_meet(openers, pid, &info, &opener), 0);
    assert_int_equal(kill(pid, SIGUSR1), 0);
    wait_for_name(pid, "other");
    assert_null(openers_find(openers, pid));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    openers_free(openers);
}

static void test_openers_name_the_process_of_a_thread(void **state)
{
    struct openers *openers = NULL;
    struct opener *opener = NULL;
    struct process_info info;

    (void)state;
    assert_int_equal(openers_new(&openers), 0);
    assert_int_equal(openers_meet(openers, (pid_t)syscall(SYS_gettid), &info, &opener), 0);
    assert_int_equal(opener->who.pid, getpid());
    openers_free(openers);
}

static void test_page_knows_our_own(void **state)
{
    struct page *page = page_new();
    unsigned place;

    (void)state;
    assert_non_null(page);
    atomic_store(&page->own[0], 100);
    atomic_store(&page->sensor, 101);
    assert_true(page_is_own(page, 100));
    assert_true(page_is_own(page, 101));
    assert_false(page_is_own(page, 102));
    place = page_worker_enter(page, 102);
    assert_true(page_is_own(page, 102));
    page_worker_leave(page, place, clock_mono(&clock_real));
    assert_true(page_is_own(page, 102)); /* its name events are still on their way */
    page_worker_leave(page, place, clock_mono(&clock_real) - 60 * NS_PER_S);
    assert_false(page_is_own(page, 102));
    place = page_worker_enter(page, getpid());
    assert_true(page_is_own(page, getpid()));
    page_worker_ended(page, getpid(), clock_mono(&clock_real) - 60 * NS_PER_S); /* killed */
    assert_false(page_is_own(page, getpid()));
    page_worker_leave(page, place, clock_mono(&clock_real));
    assert_true(page_is_own(page, getpid()));
    atomic_fetch_sub(&page->workers[place].start, 1); /* the number was given to another */
    assert_false(page_is_own(page, getpid()));
    page_free(page);
}

static void test_files_is_protected(void **state)
{
    static const struct files_place places[] = {
        {"/home", false}, {"/home/an/tmp", true}, {"/home/an/tmp/keep", false}};
    static const struct {
        const char *path;
        bool is_protected;
    } rows[] = {{"/home/an/a", true},    {"/home", true},
                {"/homes/a", false},     {"/home/an/tmp/a", false},
                {"/home/an/tmpx", true}, {"/home/an/tmp/keep/a", true},
                {"/home/an/tmp", false}, {"", false},
                {"/srv/a", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(files_is_protected(places, 3, str_from(rows[i].path)),
                         rows[i].is_protected);
    }
}

static void test_files_plain_path(void **state)
{
    (void)state;
    assert_str(files_plain_path("/a/b (deleted)", true), "/a/b");
    assert_str(files_plain_path("/a/b (deleted)", false), "/a/b (deleted)");
    assert_str(files_plain_path("/a/b", true), "/a/b");
}

static void test_places_want_a_folder_that_exists(void **state)
{
    struct agent_settings settings = {.folder = "/var/lib/canhgac-test-none"};
    struct places places;
    struct diag diag = {0};

    (void)state;
    settings.protect.items[settings.protect.count++] = "/no/such/folder";
    assert_int_equal(places_init(&places, &settings, &diag), -ERR_NOENT);
    assert_true(diag.text[0] != '\0');
    places_done(&places);
    settings.protect.items[settings.protect.count++] = "/tmp";
    assert_int_equal(places_init(&places, &settings, &diag), 0);
    assert_int_equal(places.protected_count, 1);
    assert_string_equal(places.vault, "/var/lib/canhgac-test-none/vault");
    assert_true(files_is_protected(places.list, places.count, STR("/tmp/a")));
    assert_false(
        files_is_protected(places.list, places.count, STR("/var/lib/canhgac-test-none/x")));
    places_done(&places);
}

/* A row's serial is its own: whoever comes after it, in the same place, has another. */
static void test_shelf_serials_are_never_given_again(void **state)
{
    struct shelf *shelf = NULL;
    uint64_t serials[40];

    (void)state;
    assert_int_equal(shelf_new(4, 2, &shelf), 0);
    for (uint32_t i = 0; i < 40; i++) {
        const struct file_row *row = take(shelf, i);

        serials[i] = row->serial;
        for (uint32_t j = 0; j < i; j++) {
            struct file_row *known = shelf_by_serial(shelf, serials[j]);

            assert_int_not_equal(serials[i], serials[j]);
            assert_true(j + 4 > i ? known != NULL && known->key.ino == j : known == NULL);
        }
        assert_ptr_equal(shelf_by_token(shelf, shelf_token(row)), row);
    }
    assert_null(shelf_by_serial(shelf, 0));
    shelf_free(shelf);
}

static size_t heap_used(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void know_file(struct shelf *shelf, struct facts *facts, struct judge *judge,
                      uint32_t number)
{
    struct file_row *row = take(shelf, number);
    const struct stat stat = {.st_mode = S_IFREG | 0644};
    struct judge_step step = {.kind = JUDGE_STEP_READ,
                              .who = {1000, 1},
                              .file = row->key,
                              .size = 4096,
                              .path = STR("/srv/file")};
    bool is_ruling;
    char path[32];

    (void)snprintf(path, sizeof(path), "/srv/%u", number);
    shelf_set_path(shelf, row, str_from(path), 1);
    facts_see(facts, facts_key(1, str_of((const char *)&number, sizeof(number))), &stat);
    assert_int_equal(judge_step(judge, &step, &is_ruling), 0);
}

/* As many as the shield's own limits let it remember (agent/shield.c). */
static void test_what_files_take(void **state)
{
    size_t before = heap_used();
    struct judge *judge = NULL;
    struct shelf *shelf = NULL;
    struct facts *facts = NULL;

    (void)state;
    assert_int_equal(judge_new(&judge_limits_default, &judge), 0);
    assert_int_equal(shelf_new(32768, 1024, &shelf), 0);
    assert_int_equal(facts_new(196608, 4096, &facts), 0);
    for (uint32_t i = 0; i < 100000; i++) {
        know_file(shelf, facts, judge, i);
    }
    assert_int_equal(facts_count(facts), 100000);
    assert_in_range(heap_used() - before, 0, 39U << 20);
    facts_free(facts);
    shelf_free(shelf);
    judge_free(judge);
}

struct late {
    const char *fifo;
    atomic_int tid;
};

/* Runs a while before it stands in an open for reading. */
static void *stand_late(void *context)
{
    struct late *late = context;
    int64_t until = clock_mono(&clock_real) + 5 * NS_PER_MS;
    int fd;

    atomic_store(&late->tid, gettid());
    while (clock_mono(&clock_real) < until) {
    }
    fd = open(late->fifo, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    (void)close(fd);
    return NULL;
}

static bool is_write_of_late(const char *fifo)
{
    struct late late = {.fifo = fifo};
    pthread_t thread;
    bool is_write;

    assert_int_equal(pthread_create(&thread, NULL, stand_late, &late), 0);
    while (atomic_load(&late.tid) == 0) {
        (void)sched_yield();
    }
    is_write = shield_is_write(atomic_load(&late.tid), NULL, NULL);
    assert_int_equal(close(open(fifo, O_WRONLY | O_CLOEXEC)), 0);
    pthread_join(thread, NULL);
    return is_write;
}

/* As where others took the processor from it on its way to the gate. More than once only where they
 * take it for longer than anybody waits. */
static void test_read_of_a_thread_that_still_runs(void **state)
{
    char folder[] = "/tmp/canhgac-late-XXXXXX";
    char fifo[64];
    bool is_write = true;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (int times = 0; is_write && times < 10; times++) {
        is_write = is_write_of_late(fifo);
    }
    assert_false(is_write);
    assert_int_equal(unlink(fifo) + rmdir(folder), 0);
}

/* What a dead sensor had in its hands is answered by number: by each that it may have had, and the
 * kernel gives it no other. */
static void test_numbers_of_descriptors_are_bounded(void **state)
{
    struct page *page = page_new();
    struct rlimit before;
    struct stat answers;
    int gate = memfd_create("gate", MFD_CLOEXEC);
    int high;

    (void)state;
    assert_true(page != NULL && gate >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    if (before.rlim_max < 2 * (rlim_t)NUMBERS_FIRST) {
        skip();
    }
    assert_int_equal(numbers_of_dead(page), NUMBERS_MAX);
    numbers_begin(page);
    assert_int_equal(numbers_of_dead(page), NUMBERS_FIRST);
    assert_int_equal(fcntl(gate, F_DUPFD_CLOEXEC, NUMBERS_FIRST), -1);
    watchdog_answer_dead(page, gate);
    assert_int_equal(fstat(gate, &answers), 0);
    assert_int_equal(answers.st_size, 8 * NUMBERS_FIRST);
    numbers_widen(page, 100);
    assert_int_equal(numbers_of_dead(page), NUMBERS_FIRST);
    numbers_widen(page, NUMBERS_FIRST / 2);
    assert_int_equal(numbers_of_dead(page), 2 * NUMBERS_FIRST);
    high = fcntl(gate, F_DUPFD_CLOEXEC, NUMBERS_FIRST);
    assert_true(high >= (int)NUMBERS_FIRST);
    assert_int_equal(fcntl(gate, F_DUPFD_CLOEXEC, 2 * NUMBERS_FIRST), -1);
    assert_int_equal(close(high) + close(gate), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    page_free(page);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shelf_finds_by_every_key),
        cmocka_unit_test(test_shelf_goes_through_a_place),
        cmocka_unit_test(test_shelf_forgets_the_oldest),
        cmocka_unit_test(test_shelf_holds),
        cmocka_unit_test(test_shelf_serials_are_never_given_again),
        cmocka_unit_test(test_what_files_take),
        cmocka_unit_test(test_read_of_a_thread_that_still_runs),
        cmocka_unit_test(test_shelf_without_memory),
        cmocka_unit_test(test_actors_instance_is_the_topmost_of_one_program),
        cmocka_unit_test(test_actors_know_whom_nobody_saw),
        cmocka_unit_test(test_actors_forked_late),
        cmocka_unit_test(test_actors_end_unheard),
        cmocka_unit_test(test_actors_forget_the_dead_first),
        cmocka_unit_test(test_openers_know_a_thread_while_it_lives),
        cmocka_unit_test(test_openers_forget_who_runs_another_program),
        cmocka_unit_test(test_openers_name_the_process_of_a_thread),
        cmocka_unit_test(test_page_knows_our_own),
        cmocka_unit_test(test_numbers_of_descriptors_are_bounded),
        cmocka_unit_test(test_files_is_protected),
        cmocka_unit_test(test_files_plain_path),
        cmocka_unit_test(test_places_want_a_folder_that_exists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
