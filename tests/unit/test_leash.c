/* The leash on real processes: what is held does not happen until it is let go, and happens then.
 */
#include "harness.h"

#include "agent/leash.h"
#include "agent/protocol.h"
#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/spawn.h"
#include "sys/thread.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES   6
#define WAIT_MS 60000 /* only what hangs waits so long */

struct stage {
    char folder[64];
    int channel;  /* ours */
    int far;      /* the leash's */
    int begin[2]; /* a byte lets the child begin */
    pid_t leash;
    pid_t child;
    uint64_t start;
};

static struct channel_packet packet;
static struct msg_writer msg;

static void file_path(const struct stage *stage, int number, char out[96])
{
    (void)snprintf(out, 96, "%s/%d", stage->folder, number);
}

static int leash_body(void *context)
{
    const struct stage *stage = context;
    const struct leash_config config = {.sensor = stage->far};

    return leash_run(&config);
}

static int stage_begin(struct stage *stage, spawn_body_fn *body)
{
    struct process_info info;
    int pair[2];
    int keep[2];

    (void)snprintf(stage->folder, sizeof(stage->folder), "/tmp/canhgac-leash-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    for (int i = 0; i < FILES; i++) {
        char path[96];

        file_path(stage, i, path);
        (void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    }
    assert_int_equal(channel_pair(pair), 0);
    stage->channel = pair[0];
    stage->far = pair[1];
    assert_int_equal(fd_set_nonblocking(pair[1], true), 0);
    assert_int_equal(pipe2(stage->begin, O_CLOEXEC), 0);
    keep[0] = stage->far;
    assert_int_equal(spawn_body("leash", keep, 1, leash_body, stage, &stage->leash), 0);
    keep[0] = stage->begin[0];
    assert_int_equal(spawn_body("worker", keep, 1, body, stage, &stage->child), 0);
    assert_int_equal(process_read_stat(stage->child, &info), 0);
    stage->start = info.start;
    /* What waits for our word goes on without it soon: on a crowded machine we would fall silent.
     */
    (void)!thread_raise_priority(1);
    return 0;
}

static void stage_end(struct stage *stage)
{
    char path[96];

    (void)!thread_ordinary_priority();
    (void)kill(stage->child, SIGKILL);
    (void)waitpid(stage->child, NULL, 0);
    (void)kill(stage->leash, SIGTERM);
    (void)waitpid(stage->leash, NULL, 0);
    for (int i = 0; i < FILES; i++) {
        file_path(stage, i, path);
        (void)unlink(path);
    }
    (void)rmdir(stage->folder);
    (void)close(stage->channel);
    (void)close(stage->far);
    (void)close(stage->begin[0]);
    (void)close(stage->begin[1]);
}

static void tell(const struct stage *stage, enum agent_message type, pid_t id)
{
    msg_begin(&msg, (uint16_t)type);
    msg_put_u32(&msg, (uint32_t)id);
    if (type != AGENT_MESSAGE_GO) {
        msg_put_u64(&msg, stage->start);
    }
    assert_int_equal(channel_send(stage->channel, &msg, NULL, 0), 0);
}

/* The thread that stands, or 0 when the process is loose. */
static pid_t hear(const struct stage *stage)
{
    pid_t tid = 0;

    assert_int_equal(channel_receive_within(stage->channel, WAIT_MS, &packet), 0);
    if (packet.msg.type == AGENT_MESSAGE_STANDS) {
        tid = (pid_t)msg_get_u32(&packet.msg);
    } else {
        assert_int_equal(packet.msg.type, AGENT_MESSAGE_IS_LOOSE);
    }
    channel_packet_done(&packet);
    return tid;
}

static int files_left(const struct stage *stage)
{
    int count = 0;

    for (int i = 0; i < FILES; i++) {
        char path[96];

        file_path(stage, i, path);
        count += access(path, F_OK) == 0 ? 1 : 0;
    }
    return count;
}

/* Holds the child and lets it begin; it stands once before it does anything. */
static pid_t stage_hold(const struct stage *stage)
{
    pid_t tid;

    tell(stage, AGENT_MESSAGE_HOLD, stage->child);
    tid = hear(stage);
    if (tid != 0) {
        tell(stage, AGENT_MESSAGE_GO, tid);
        assert_int_equal(write(stage->begin[1], "gggggggg", 8), 8);
    }
    return tid;
}

static bool wait_for(bool (*is_so)(const struct stage *stage), const struct stage *stage)
{
    int64_t deadline = clock_mono(&clock_real) + WAIT_MS * NS_PER_MS;

    while (!is_so(stage)) {
        struct timespec rest = {.tv_nsec = NS_PER_MS};

        if (clock_mono(&clock_real) > deadline) {
            return false;
        }
        (void)nanosleep(&rest, NULL);
    }
    return true;
}

static void child_wait(const struct stage *stage)
{
    char byte;

    (void)!read(stage->begin[0], &byte, 1);
}

static int remove_all(void *context)
{
    const struct stage *stage = context;

    child_wait(stage);
    for (int i = 0; i < FILES; i++) {
        char path[96];

        file_path(stage, i, path);
        if (unlink(path) != 0) {
            return 1;
        }
    }
    return 7;
}

#define NOT_WITHOUT_TRACING(stage)                                                                 \
    if (stage_hold(stage) == 0) {                                                                  \
        stage_end(stage);                                                                          \
        print_message("not tried: this kernel or container refuses ptrace\n");                     \
        skip();                                                                                    \
    }

/* One file a permission, and its own exit status at the end. */
static void test_one_at_a_time(void **state)
{
    struct stage stage = {0};
    int status = 0;

    (void)state;
    stage_begin(&stage, remove_all);
    NOT_WITHOUT_TRACING(&stage);
    for (int left = FILES; left > 0; left--) {
        pid_t tid = hear(&stage);

        assert_int_equal(tid, stage.child);
        assert_int_equal(files_left(&stage), left);
        tell(&stage, AGENT_MESSAGE_GO, tid);
    }
    assert_int_equal(hear(&stage), 0);
    assert_int_equal(waitpid(stage.child, &status, 0), stage.child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    stage.child = 0x3fffffff; /* no process */
    stage_end(&stage);
}

static bool is_at_rest(const struct stage *stage)
{
    return process_is_at_rest(stage->child);
}

static bool has_removed_all(const struct stage *stage)
{
    return files_left(stage) == 0;
}

/* Stopped before the call, not after it; and when a person lets it go on, the call is made. */
static void test_stop_comes_before_the_call(void **state)
{
    struct stage stage = {0};
    int status = 0;

    (void)state;
    stage_begin(&stage, remove_all);
    NOT_WITHOUT_TRACING(&stage);
    tell(&stage, AGENT_MESSAGE_GO, hear(&stage));
    assert_int_equal(hear(&stage), stage.child);
    assert_int_equal(kill(stage.child, SIGSTOP), 0);
    assert_false(is_at_rest(&stage)); /* let through now, it would still make the call */
    tell(&stage, AGENT_MESSAGE_LOOSE, stage.child);
    assert_int_equal(hear(&stage), 0);
    assert_true(wait_for(is_at_rest, &stage));
    assert_int_equal(waitpid(stage.child, &status, WUNTRACED), stage.child);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    assert_int_equal(files_left(&stage), FILES - 1);
    assert_int_equal(kill(stage.child, SIGCONT), 0);
    assert_int_equal(waitpid(stage.child, &status, 0), stage.child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(files_left(&stage), 0);
    stage.child = 0x3fffffff;
    stage_end(&stage);
}

/* A sensor that died answers nobody: the process goes on by itself. */
static void test_nobody_answers(void **state)
{
    struct stage stage = {0};

    (void)state;
    stage_begin(&stage, remove_all);
    NOT_WITHOUT_TRACING(&stage);
    assert_int_equal(hear(&stage), stage.child);
    assert_int_equal(hear(&stage), 0);
    assert_true(wait_for(has_removed_all, &stage));
    stage_end(&stage);
}

/* Longer than an unanswered one stands, while the sensor tells that it is at work. */
static void test_weighed_for_long(void **state)
{
    struct stage stage = {0};
    int64_t until;

    (void)state;
    stage_begin(&stage, remove_all);
    NOT_WITHOUT_TRACING(&stage);
    assert_int_equal(hear(&stage), stage.child);
    until = clock_mono(&clock_real) + NS_PER_S;
    while (clock_mono(&clock_real) < until) {
        tell(&stage, AGENT_MESSAGE_WEIGHS, stage.child);
        assert_true(channel_receive_within(stage.channel, 50, &packet) < 0);
    }
    assert_int_equal(files_left(&stage), FILES);
    assert_int_equal(hear(&stage), 0); /* told nothing more, it goes on by itself */
    assert_true(wait_for(has_removed_all, &stage));
    stage_end(&stage);
}

static int compute(void *context)
{
    child_wait(context);
    while (getppid() != 1) {
        (void)access("/", F_OK);
    }
    return 0;
}

/* What only computes is not slowed for long. */
static void test_no_removals(void **state)
{
    struct stage stage = {0};

    (void)state;
    stage_begin(&stage, compute);
    NOT_WITHOUT_TRACING(&stage);
    assert_int_equal(hear(&stage), 0);
    stage_end(&stage);
}

static int fork_and_remove(void *context)
{
    const struct stage *stage = context;
    int left = FILES;

    child_wait(stage);
    for (int i = 0; i < FILES; i++) {
        if (fork() == 0) {
            char path[96];

            file_path(stage, i, path);
            (void)execl("/bin/rm", "rm", path, (char *)NULL);
            _exit(1);
        }
    }
    while (left > 0 && wait(NULL) > 0) {
        left--;
    }
    return 0;
}

/* Children come along, and however many there are, one is let through at a time. */
static void test_children(void **state)
{
    struct stage stage = {0};

    (void)state;
    stage_begin(&stage, fork_and_remove);
    NOT_WITHOUT_TRACING(&stage);
    for (int left = FILES; left > 0;) {
        pid_t tid = hear(&stage);

        if (tid != 0) {
            assert_int_not_equal(tid, stage.child);
            assert_int_equal(files_left(&stage), left--);
            tell(&stage, AGENT_MESSAGE_GO, tid);
        }
    }
    assert_true(wait_for(has_removed_all, &stage));
    stage_end(&stage);
}

static void *remove_one(void *context)
{
    (void)unlink(context);
    return NULL;
}

static int thread_and_remove(void *context)
{
    const struct stage *stage = context;
    char paths[FILES][96];
    pthread_t threads[FILES];

    child_wait(stage);
    for (int i = 0; i < FILES; i++) {
        file_path(stage, i, paths[i]);
        if (pthread_create(&threads[i], NULL, remove_one, paths[i]) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < FILES; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return 0;
}

static void test_threads(void **state)
{
    struct stage stage = {0};

    (void)state;
    stage_begin(&stage, thread_and_remove);
    NOT_WITHOUT_TRACING(&stage);
    for (int left = FILES; left > 0; left--) {
        pid_t tid = hear(&stage);

        assert_int_not_equal(tid, 0);
        assert_int_equal(files_left(&stage), left);
        tell(&stage, AGENT_MESSAGE_GO, tid);
    }
    assert_int_equal(hear(&stage), 0);
    stage_end(&stage);
}

/* The leash's death lets everything go: the kernel sees to it. */
static void test_leash_dies(void **state)
{
    struct stage stage = {0};

    (void)state;
    stage_begin(&stage, remove_all);
    NOT_WITHOUT_TRACING(&stage);
    assert_int_equal(hear(&stage), stage.child);
    assert_int_equal(kill(stage.leash, SIGKILL), 0);
    assert_true(wait_for(has_removed_all, &stage));
    stage_end(&stage);
}

/* A number that was given to another process since: that one is not touched. */
static void test_another_process(void **state)
{
    struct stage stage = {0};

    (void)state;
    stage_begin(&stage, remove_all);
    stage.start++;
    tell(&stage, AGENT_MESSAGE_HOLD, stage.child);
    assert_int_equal(hear(&stage), 0);
    assert_int_equal(write(stage.begin[1], "g", 1), 1);
    assert_true(wait_for(has_removed_all, &stage));
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time),   cmocka_unit_test(test_stop_comes_before_the_call),
        cmocka_unit_test(test_nobody_answers),  cmocka_unit_test(test_weighed_for_long),
        cmocka_unit_test(test_no_removals),     cmocka_unit_test(test_children),
        cmocka_unit_test(test_threads),         cmocka_unit_test(test_leash_dies),
        cmocka_unit_test(test_another_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
