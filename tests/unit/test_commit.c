/* The order of commits, as core keeps it: archive, then store, then the acknowledgement. Held
 * against kill -9 at any point and against a full disk: what was acknowledged is in, once, and the
 * counters say so. */
#include "store_fixture.h"

#include "base/prng.h"
#include "store/archive.h"
#include "store/store.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#define HOSTS  3
#define ROUNDS 100
#define DAY    (86400 * NS_PER_S)

struct centre {
    struct store *store;
    struct archive *archive;
};

static int centre_open(const char *folder, struct centre *centre)
{
    struct store_options store = {.folder = folder};
    struct archive_options archive = {.folder = folder, .block_events = 64};
    int r = store_open(&store, &centre->store, NULL);

    return r < 0 ? r : archive_open(&archive, &centre->archive, NULL);
}

static void centre_close(struct centre *centre)
{
    archive_closep(&centre->archive);
    store_closep(&centre->store);
}

static struct event make_event(uint64_t sequence)
{
    struct event event;
    int64_t now = clock_wall(&clock_real);

    /* Every fifth comes late, so that a batch touches two days. */
    event_init(&event, EVENT_KIND_FILE_CHANGE, now - (sequence % 5 == 0 ? DAY : 0));
    assert_int_equal(
        event_add_text(&event, EVENT_FIELD_FILE_PATH, STR("/srv/du-lieu/bao-cao.docx")), 0);
    assert_int_equal(event_add_number(&event, EVENT_FIELD_FILE_SIZE, (int64_t)sequence), 0);
    return event;
}

static int acknowledged(struct centre *centre, unsigned host, uint64_t *ret_sequence)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_host row;
    struct id id = fixture_id(host);
    int r = arena_new(1 << 20, &arena);

    r = r < 0 ? r : store_host_get(centre->store, &id, arena, &row);
    if (r == 0) {
        *ret_sequence = row.acknowledged;
    }
    return r;
}

/* A batch as core takes it: count events of a host, from the first that is not acknowledged. */
static int centre_take(struct centre *centre, unsigned host, unsigned count)
{
    struct store_counts more = {.events = count};
    struct id id = fixture_id(host);
    uint64_t sequence = 0;
    int r = acknowledged(centre, host, &sequence);

    for (unsigned i = 0; i < count && r == 0; i++) {
        struct event event = make_event(++sequence);

        r = archive_add(centre->archive, &id, sequence, &event);
        r = r == -ERR_EXIST ? 0 : r; /* in from a life that died before it could acknowledge */
    }
    r = r < 0 ? r : archive_commit(centre->archive);
    r = r < 0 ? r : store_begin(centre->store);
    if (r < 0) {
        archive_rollback(centre->archive);
        return r;
    }
    r = store_counts_add(centre->store, &more);
    r = r < 0 ? r : store_host_acknowledge(centre->store, &id, sequence);
    r = r < 0 ? r
              : store_audit_add(centre->store, STR("canhgac"), STR("test"), STR("o"), STR("{}"));
    r = r < 0 ? r : store_commit(centre->store);
    if (r < 0) {
        store_rollback(centre->store);
    }
    return r;
}

static int enrol(struct centre *centre)
{
    int r = store_begin(centre->store);

    for (unsigned i = 0; i < HOSTS && r == 0; i++) {
        char name[16];
        struct store_host host = {.id = fixture_id(i)};

        (void)snprintf(name, sizeof(name), "may-%u", i);
        host.name = str_from(name);
        r = store_host_put(centre->store, &host);
    }
    return r < 0 ? r : store_commit(centre->store);
}

/* ---- what must hold */

struct seen {
    uint8_t sequences[100000];
    uint64_t high;
};

static int see(void *context, const struct archive_key *key, const struct event *event)
{
    struct seen *seen = context;
    const struct event_field *field = event_find(event, EVENT_FIELD_FILE_SIZE);

    (void)key;
    assert_non_null(field);
    assert_in_range(field->number, 1, sizeof(seen->sequences) - 1);
    assert_int_equal(seen->sequences[field->number], 0); /* once */
    seen->sequences[field->number] = 1;
    seen->high = (uint64_t)field->number > seen->high ? (uint64_t)field->number : seen->high;
    return 0;
}

/* Windows of time, each below the limit of a search. */
static void see_all(struct archive *archive, const struct id *host, struct seen *seen)
{
    int64_t now = clock_wall(&clock_real);
    struct archive_query query = {.host = host, .limit = ARCHIVE_SEARCH_MAX};

    query.from = now - DAY / 2;
    query.to = INT64_MAX;
    assert_int_equal(archive_search(archive, &query, see, seen), 0);
    query.from = 0;
    query.to = now - DAY / 2 - 1;
    assert_int_equal(archive_search(archive, &query, see, seen), 0);
}

/* Returns how many events are acknowledged. */
static uint64_t check(struct centre *centre, bool is_thorough)
{
    static struct seen seen;
    struct store_counts counts;
    uint64_t total = 0;
    uint64_t rows;
    uint8_t head[32];

    for (unsigned i = 0; i < HOSTS; i++) {
        struct id id = fixture_id(i);
        uint64_t sequence = 0;

        assert_int_equal(acknowledged(centre, i, &sequence), 0);
        total += sequence;
        if (!is_thorough) {
            continue;
        }
        memset(&seen, 0, sizeof(seen));
        see_all(centre->archive, &id, &seen);
        assert_true(seen.high >= sequence);
        for (uint64_t s = 1; s <= sequence; s++) {
            assert_int_equal(seen.sequences[s], 1);
        }
    }
    assert_int_equal(store_counts(centre->store, &counts), 0);
    assert_true(counts.events == total);
    assert_int_equal(store_audit_verify(centre->store, &rows, head, NULL), 0);
    return total;
}

/* ---- kill -9 */

static void writer(const char *folder, int pipe_fd, uint64_t seed)
{
    struct centre centre = {0};
    struct prng prng;
    int r = centre_open(folder, &centre);

    prng_init(&prng, seed);
    while (r == 0) {
        unsigned count = 1 + (unsigned)prng_below(&prng, 20);

        r = centre_take(&centre, (unsigned)prng_below(&prng, HOSTS), count);
        if (r == 0 && write(pipe_fd, &(uint64_t){count}, sizeof(uint64_t)) != sizeof(uint64_t)) {
            break;
        }
    }
    _exit(1);
}

/* is_late: only after the writer has told of a commit, however slow the machine is. */
static void kill_round(const char *folder, struct prng *prng, bool is_late,
                       uint64_t *acknowledged_total)
{
    uint64_t count;
    int ends[2];
    int status;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        writer(folder, ends[1], prng_next(prng));
    }
    close(ends[1]);
    if (is_late) {
        assert_int_equal(read(ends[0], &count, sizeof(count)), sizeof(count));
        *acknowledged_total += count;
    }
    nanosleep(&(struct timespec){.tv_nsec =
                                     (long)(NS_PER_MS + (int64_t)prng_below(prng, 20 * NS_PER_MS))},
              NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(waitpid(pid, &status, 0) == pid);
    assert_true(WIFSIGNALED(status)); /* it had not failed by itself */
    while (read(ends[0], &count, sizeof(count)) == sizeof(count)) {
        *acknowledged_total += count;
    }
    close(ends[0]);
}

static void test_kill(void **state)
{
    struct fixture fixture;
    struct centre centre = {0};
    struct prng prng;
    uint64_t told = 0;
    uint64_t total = 0;

    (void)state;
    fixture_init(&fixture);
    prng_init(&prng, 20261123);
    assert_int_equal(centre_open(fixture.folder, &centre), 0);
    assert_int_equal(enrol(&centre), 0);
    centre_close(&centre);
    for (unsigned round = 0; round < ROUNDS; round++) {
        kill_round(fixture.folder, &prng, round % 2 == 0, &told);
        assert_int_equal(centre_open(fixture.folder, &centre), 0);
        total = check(&centre, round % 20 == 19);
        centre_close(&centre);
        assert_true(total >= told);
        told = total; /* a commit whose report was cut off counts too */
    }
    assert_true(total >= ROUNDS / 2);
    fixture_done(&fixture);
}

/* ---- a reader alongside */

static int count_one(void *context, const struct archive_key *key, const struct event *event)
{
    (void)key;
    (void)event;
    ++*(uint64_t *)context;
    return 0;
}

/* What api does, as a user who may read the files through their group and write nothing. Ends when
 * the file "stop" stands there; nothing it reads may fail or go back. */
static int read_along(const char *folder, const char *stop)
{
    struct store_options store_options = {.folder = folder, .is_read_only = true};
    struct archive_options archive_options = {.folder = folder, .is_read_only = true};
    struct archive_query query = {.from = 0, .to = INT64_MAX, .limit = ARCHIVE_SEARCH_MAX};
    struct store_counts before = {0};
    struct centre centre = {0};
    uint64_t seen_before = 0;
    uint8_t head[32];
    int r;

    if ((geteuid() == 0 && setuid(65534) < 0) ||
        store_open(&store_options, &centre.store, NULL) < 0 ||
        archive_open(&archive_options, &centre.archive, NULL) < 0) {
        return 2;
    }
    while (access(stop, F_OK) != 0) {
        struct store_counts counts;
        uint64_t rows;
        uint64_t seen = 0;

        if (store_counts(centre.store, &counts) < 0 || counts.events < before.events) {
            return 4;
        }
        r = archive_search(centre.archive, &query, count_one, &seen);
        if (r < 0) {
            fprintf(stderr, "archive_search: %s\n", err_name(r));
            return 5;
        }
        if (seen < seen_before || seen < counts.events) {
            return 6;
        }
        if (store_audit_verify(centre.store, &rows, head, NULL) < 0) {
            return 7;
        }
        before = counts;
        seen_before = seen;
    }
    centre_close(&centre);
    return seen_before != 0 ? 0 : 3;
}

static void test_reader(void **state)
{
    struct fixture fixture;
    struct centre centre = {0};
    char stop[128];
    int status;
    pid_t pid;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(chmod(fixture.folder, 0750), 0);
    (void)snprintf(stop, sizeof(stop), "%s/stop", fixture.folder);
    assert_int_equal(centre_open(fixture.folder, &centre), 0);
    assert_int_equal(enrol(&centre), 0);
    assert_int_equal(centre_take(&centre, 0, 5), 0);
    centre_close(&centre); /* no connection may cross a fork */
    pid = fork();
    if (pid == 0) {
        _exit(read_along(fixture.folder, stop));
    }
    assert_int_equal(centre_open(fixture.folder, &centre), 0);
    for (unsigned i = 0; i < 150; i++) {
        assert_int_equal(centre_take(&centre, i % HOSTS, 20), 0);
    }
    close(open(stop, O_WRONLY | O_CREAT, 0644));
    assert_true(waitpid(pid, &status, 0) == pid);
    centre_close(&centre);
    fixture_done(&fixture);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- full disk */

static void fill_and_go_on(const char *folder)
{
    struct centre centre = {0};
    unsigned batches = 0;
    uint64_t before;
    int r;

    assert_int_equal(centre_open(folder, &centre), 0);
    assert_int_equal(enrol(&centre), 0);
    while ((r = centre_take(&centre, batches % HOSTS, 40)) == 0) {
        assert_true(++batches < 100000);
    }
    assert_int_equal(r, -ERR_NOSPC);
    assert_true(batches > 3);
    before = check(&centre, true);
    assert_true(before == 40ULL * batches); /* the refused batch left nothing behind */
    assert_int_equal(centre_take(&centre, 0, 40), -ERR_NOSPC);

    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(centre_take(&centre, i % HOSTS, 40), 0);
    }
    assert_true(check(&centre, true) == before + 30 * 40);
    centre_close(&centre);
    assert_int_equal(centre_open(folder, &centre), 0);
    assert_true(check(&centre, true) == before + 30 * 40);
    centre_close(&centre);
}

static void test_full_disk(void **state)
{
    struct fixture fixture;
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    fixture_init(&fixture);
    pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", fixture.folder, "tmpfs", 0, "size=1536k") < 0) {
            _exit(77);
        }
        fill_and_go_on(fixture.folder); /* a failed assertion ends the child with another status */
        _exit(0);
    }
    assert_true(waitpid(pid, &status, 0) == pid);
    fixture_done(&fixture);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
