/* fd, loop, channel, process, spawn, sandbox: against the real kernel. */
#include "harness.h"

#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char scratch[] = "/tmp/canhgac-test-XXXXXX";

static int make_scratch(void **state)
{
    (void)state;
    return mkdtemp(scratch) != NULL ? 0 : -1;
}

static int remove_scratch(void **state)
{
    char path[128];

    (void)state;
    static const char *const names[] = {"a", "b", "link", "sparse"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", scratch, names[i]);
        (void)unlink(path);
    }
    return rmdir(scratch);
}

static void test_atomic_write_and_read(void **state)
{
    CLEANUP(closep) int dir = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct buf buf;

    (void)state;
    assert_int_equal(file_write_atomic(dir, "a", STR("một"), 0600), 0);
    assert_int_equal(file_write_atomic(dir, "a", STR("hai"), 0640), 0);
    buf_init(&buf, 100);
    assert_int_equal(file_read_all(dir, "a", &buf), 0);
    assert_str(buf_str(&buf), "hai");
    buf_done(&buf);
    buf_init(&buf, 2);
    assert_int_equal(file_read_all(dir, "a", &buf), -ERR_LIMIT);
    buf_done(&buf);
    assert_int_equal(file_read_all(dir, "none", &buf), -ERR_NOENT);
}

static void test_open_beneath_follows_nothing(void **state)
{
    CLEANUP(closep) int dir = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(symlinkat("/etc/passwd", dir, "link"), 0);
    assert_int_equal(fd_open_beneath(dir, "link", O_RDONLY, 0), -ERR_LOOP);
    assert_int_equal(fd_open_beneath(dir, "../etc", O_RDONLY, 0), -ERR_XDEV);
    assert_int_equal(fd_open_beneath(dir, "/etc/passwd", O_RDONLY, 0), -ERR_XDEV);
}

/* The kernel may be busy with the way just then, and says so. */
static int open_known(const char *path)
{
    int fd = -ERR_AGAIN;

    for (int i = 0; i < 1000 && fd == -ERR_AGAIN; i++) {
        struct stat stat;

        (void)!lstat(path, &stat);
        fd = fd_open_known_folder(path);
    }
    return fd;
}

static void test_open_known_folder(void **state)
{
    CLEANUP(closep) int dir = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int known = open_known(scratch);
    struct stat one;
    struct stat other;
    char path[256];
    char byte;

    (void)state;
    assert_true(known >= 0);
    assert_int_equal(fstat(dir, &one), 0);
    assert_int_equal(fstat(known, &other), 0);
    assert_int_equal(one.st_ino, other.st_ino);
    assert_int_equal(read(known, &byte, 1), -1); /* it is for looking at only */
    assert_int_equal(symlinkat(scratch, dir, "way"), 0);
    (void)snprintf(path, sizeof(path), "%s/way", scratch);
    assert_int_equal(open_known(path), -ERR_NOTDIR);
    assert_int_equal(unlinkat(dir, "way", 0), 0);
    assert_int_equal(open_known("/etc/passwd"), -ERR_NOTDIR);
}

static void test_copy_keeps_holes(void **state)
{
    CLEANUP(closep) int dir = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int from = openat(dir, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CLEANUP(closep) int to = openat(dir, "b", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat before;
    struct stat after;
    char tail[4];

    (void)state;
    assert_int_equal(ftruncate(from, 8 << 20), 0);
    assert_int_equal(pwrite(from, "tail", 4, (8 << 20) - 4), 4);
    assert_int_equal(fd_clone(from, to, 8 << 20, NULL), 0);
    assert_int_equal(fstat(from, &before), 0);
    assert_int_equal(fstat(to, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_true(after.st_blocks * 512 < 1 << 20);
    assert_int_equal(pread(to, tail, 4, (8 << 20) - 4), 4);
    assert_memory_equal(tail, "tail", 4);
}

static void test_channel_carries_message_and_fd(void **state)
{
    static struct msg_writer out;
    static struct channel_packet in;
    CLEANUP(closep) int taken = -1;
    int ends[2];
    int pipe_ends[2];
    char byte = 0;

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    msg_begin(&out, 3);
    msg_put_u64(&out, 77);
    assert_int_equal(channel_send(ends[0], &out, &pipe_ends[0], 1), 0);
    assert_int_equal(channel_receive(ends[1], &in), 0);
    assert_int_equal(in.msg.type, 3);
    assert_int_equal(msg_get_u64(&in.msg), 77);
    assert_int_equal(msg_close(&in.msg), 0);
    taken = channel_packet_take(&in, 0);
    assert_true(taken >= 0);
    assert_int_equal(channel_packet_take(&in, 1), -1);
    assert_int_equal(write(pipe_ends[1], "x", 1), 1);
    assert_int_equal(read(taken, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_true((fcntl(taken, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(channel_receive_within(ends[1], 10, &in), -ERR_TIMEDOUT);
    assert_int_equal(write(ends[0], "x", 1), 1); /* one byte is no message */
    assert_int_equal(channel_receive(ends[1], &in), -ERR_PROTO);
    close(ends[0]);
    assert_int_equal(channel_receive(ends[1], &in), -ERR_PIPE);
    close(ends[1]);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

struct loop_seen {
    struct loop *loop;
    struct loop_source *reader;
    int reads;
    int ticks;
    int signals;
    int child_status;
};

static void on_read(void *context, int fd, unsigned events)
{
    struct loop_seen *seen = context;
    char byte;

    assert_true((events & LOOP_READ) != 0);
    assert_int_equal(read(fd, &byte, 1), 1);
    seen->reads++;
    loop_source_free(seen->reader); /* inside its own callback */
}

static void on_tick(void *context)
{
    struct loop_seen *seen = context;

    if (++seen->ticks == 3) {
        kill(getpid(), SIGUSR1);
    }
}

static void on_signal(void *context, int number)
{
    struct loop_seen *seen = context;

    assert_int_equal(number, SIGUSR1);
    seen->signals++;
}

static void on_child(void *context, pid_t pid, int status)
{
    struct loop_seen *seen = context;

    (void)pid;
    seen->child_status = status;
    if (seen->signals != 0) {
        loop_stop(seen->loop, 42);
    }
}

static int child_body(void *context)
{
    struct timespec wait = {.tv_nsec = 50000000};

    (void)context;
    nanosleep(&wait, NULL);
    return 7;
}

static void test_loop(void **state)
{
    struct loop_seen seen = {0};
    struct loop_source *timer;
    int ends[2];
    pid_t pid;

    (void)state;
    assert_int_equal(loop_new(4, &seen.loop), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "ab", 2), 2);
    assert_int_equal(loop_add_fd(seen.loop, ends[0], LOOP_READ, on_read, &seen, &seen.reader), 0);
    assert_int_equal(loop_add_timer(seen.loop, on_tick, &seen, &timer), 0);
    assert_int_equal(loop_source_set_timer(timer, NS_PER_MS, NS_PER_MS), 0);
    assert_int_equal(loop_add_signal(seen.loop, SIGUSR1, on_signal, &seen), 0);
    assert_int_equal(spawn_body("child", NULL, 0, child_body, NULL, &pid), 0);
    assert_int_equal(loop_add_child(seen.loop, pid, on_child, &seen), 0);
    assert_int_equal(loop_add_timer(seen.loop, on_tick, &seen, NULL), -ERR_LIMIT);
    assert_int_equal(loop_run(seen.loop), 42);
    assert_int_equal(seen.reads, 1);
    assert_int_equal(seen.signals, 1);
    assert_true(WIFEXITED(seen.child_status) && WEXITSTATUS(seen.child_status) == 7);
    loop_free(seen.loop);
    close(ends[0]);
    close(ends[1]);
}

struct rings {
    struct loop *loop;
    unsigned early;
    unsigned late;
    int64_t late_at;
};

static void on_early(void *context)
{
    ((struct rings *)context)->early++;
}

static void on_late(void *context)
{
    struct rings *rings = context;

    rings->late++;
    rings->late_at = clock_mono(&clock_real);
    loop_stop(rings->loop, 0);
}

/* Dropped, put off, brought forward, and after a period. */
static void test_timers_are_set_anew(void **state)
{
    struct rings rings = {0};
    struct loop_source *dropped;
    struct loop_source *moved;
    struct loop_source *stopped;
    int64_t begun = clock_mono(&clock_real);

    (void)state;
    assert_int_equal(loop_new(4, &rings.loop), 0);
    assert_int_equal(loop_add_timer(rings.loop, on_early, &rings, &dropped), 0);
    assert_int_equal(loop_add_timer(rings.loop, on_late, &rings, &moved), 0);
    assert_int_equal(loop_add_timer(rings.loop, on_early, &rings, &stopped), 0);
    assert_int_equal(loop_source_set_timer(dropped, 2 * NS_PER_MS, 0), 0);
    assert_int_equal(loop_source_set_timer(dropped, 0, 0), 0);
    assert_int_equal(loop_source_set_timer(stopped, 2 * NS_PER_MS, 2 * NS_PER_MS), 0);
    assert_int_equal(loop_source_set_timer(stopped, 0, 0), 0);
    assert_int_equal(loop_source_set_timer(moved, 5 * NS_PER_MS, 0), 0);
    assert_int_equal(loop_source_set_timer(moved, 60 * NS_PER_MS, 0), 0);
    assert_int_equal(loop_run(rings.loop), 0);
    assert_true(rings.late_at - begun >= 60 * NS_PER_MS);
    begun = clock_mono(&clock_real);
    assert_int_equal(loop_source_set_timer(moved, 3600 * NS_PER_S, 0), 0);
    assert_int_equal(loop_source_set_timer(moved, NS_PER_MS, 0), 0);
    assert_int_equal(loop_run(rings.loop), 0);
    assert_true(rings.late_at - begun < 60 * NS_PER_S);
    assert_int_equal(rings.late, 2);
    assert_int_equal(rings.early, 0);
    loop_free(rings.loop);
}

static void test_process_reads_itself(void **state)
{
    static struct process_info info;
    CLEANUP(closep) int pidfd = -1;

    (void)state;
    assert_int_equal(process_read(getpid(), &info), 0);
    assert_int_equal(info.pid, getpid());
    assert_int_equal(info.ppid, getppid());
    assert_int_equal(info.session, getsid(0));
    assert_int_equal(info.uid, geteuid());
    assert_non_null(strstr(info.exe, "test_sys"));
    assert_non_null(strstr(info.cmdline, "test_sys"));
    pidfd = process_open(info.pid, info.start);
    assert_true(pidfd >= 0);
    assert_int_equal(process_open(info.pid, info.start + 1), -ERR_NOENT);
    assert_int_equal(process_read(0x3fffffff, &info), -ERR_NOENT);
}

static void test_write_open_is_told_from_flags(void **state)
{
    struct process_syscall call = {.number = SYS_openat, .args = {0, 0, O_RDONLY}};

    (void)state;
    assert_int_equal(process_syscall_is_write_open(&call), 0);
    call.args[2] = O_RDONLY | O_TRUNC;
    assert_int_equal(process_syscall_is_write_open(&call), 1);
    call.args[2] = O_RDWR;
    assert_int_equal(process_syscall_is_write_open(&call), 1);
    call.number = 437; /* openat2: the flags lie in user memory */
    assert_int_equal(process_syscall_is_write_open(&call), -ERR_OPNOTSUPP);
}

static void test_spawn_run(void **state)
{
    static const char *const cat[] = {"cat", NULL};
    static const char *const slow[] = {"sleep", "30", NULL};
    static const char *const loud[] = {"yes", NULL};
    static const char *const absent[] = {"no-such-program-here", NULL};
    struct buf out;
    int status = 0;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(spawn_run(cat, STR("vào rồi ra"), 5000, &out, &status), 0);
    assert_str(buf_str(&out), "vào rồi ra");
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    buf_reset(&out);
    assert_int_equal(spawn_run(slow, STR(""), 50, &out, &status), -ERR_TIMEDOUT);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(spawn_run(loud, STR(""), 5000, &out, &status), -ERR_LIMIT);
    buf_reset(&out);
    assert_int_equal(spawn_run(absent, STR(""), 5000, &out, &status), 0);
    assert_int_equal(WEXITSTATUS(status), 127);
    buf_done(&out);
}

enum attempt {
    ATTEMPT_READ_IN,
    ATTEMPT_READ_OUT,
    ATTEMPT_WRITE_IN,
    ATTEMPT_SOCKET,
    ATTEMPT_FORK,
    ATTEMPT_EXEC,
    ATTEMPT_CHOWN,
    ATTEMPT_TYPE, /* into the terminal, as if somebody did */
    ATTEMPT_COUNT_UNSENT,
    ATTEMPT_NOTHING,
};

static int attempt_open(const char *folder, const char *name, int flags)
{
    char path[128];
    CLEANUP(closep) int fd = -1;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, flags | O_CLOEXEC, 0600);
    return fd >= 0 ? 0 : errno;
}

static int attempt_count_unsent(void)
{
    struct msg_writer msg;
    int waiting = 0;
    int pair[2];

    if (channel_pair(pair) < 0) {
        return 101;
    }
    msg_begin(&msg, 1);
    return channel_send(pair[0], &msg, NULL, 0) == 0 && ioctl(pair[0], SIOCOUTQ, &waiting) == 0 &&
                   waiting > 0
               ? 0
               : 102;
}

static int attempt_body(void *context)
{
    struct sandbox_path paths[] = {{scratch, SANDBOX_READ}};
    struct sandbox sandbox = {
        .paths = paths, .path_count = 1, .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_FILES};
    const char *const argv[] = {"/bin/true", NULL};
    unsigned missing = 0;

    if (sandbox_enter(&sandbox, &missing, NULL) < 0 || missing != 0) {
        return 100;
    }
    switch (*(enum attempt *)context) {
    case ATTEMPT_READ_IN:
        return attempt_open(scratch, "a", O_RDONLY);
    case ATTEMPT_READ_OUT:
        return attempt_open("/etc", "passwd", O_RDONLY);
    case ATTEMPT_WRITE_IN:
        return attempt_open(scratch, "c", O_WRONLY | O_CREAT);
    case ATTEMPT_SOCKET:
        return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
    case ATTEMPT_FORK:
        return fork() >= 0 ? 0 : errno;
    case ATTEMPT_EXEC:
        return execv(argv[0], (char *const *)(uintptr_t)argv);
    case ATTEMPT_CHOWN:
        return chown(scratch, 1, 1) == 0 ? 0 : errno;
    case ATTEMPT_TYPE:
        return ioctl(STDIN_FILENO, TIOCSTI, "x") == 0 ? 0 : errno;
    case ATTEMPT_COUNT_UNSENT:
        return attempt_count_unsent();
    case ATTEMPT_NOTHING:
        break;
    }
    return 0;
}

static int attempt_status(enum attempt attempt)
{
    int status = 0;
    pid_t pid;

    assert_int_equal(spawn_body("attempt", NULL, 0, attempt_body, &attempt, &pid), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int run_body(void *context)
{
    const struct sandbox_path paths[] = {{"/usr", *(const enum sandbox_access *)context}};
    const struct sandbox sandbox = {.paths = paths, .path_count = 1};
    const char *const argv[] = {"/usr/bin/true", NULL};

    if (sandbox_enter(&sandbox, NULL, NULL) < 0) {
        return 100;
    }
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    return errno;
}

/* A program runs where that was said, and is not even started where it may only be read. */
static void test_sandbox_runs_programs(void **state)
{
    static const enum sandbox_access accesses[] = {SANDBOX_RUN, SANDBOX_READ};
    static const int ends[] = {0, EACCES};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        enum sandbox_access access = accesses[i];
        int status = 0;
        pid_t pid;

        assert_int_equal(spawn_body("run", NULL, 0, run_body, &access, &pid), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ends[i]);
    }
}

/* One that only looks: reads anything, changes nothing, sends no signal, takes no descriptor. */
static int look_body(void *context)
{
    const struct sandbox sandbox = {.is_landlock_off = true,
                                    .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_LOOK};
    CLEANUP(closep) int pidfd = -1;

    if (sandbox_enter(&sandbox, NULL, NULL) < 0) {
        return 100;
    }
    switch (*(int *)context) {
    case 0:
        pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        return pidfd < 0 ? errno : attempt_open("/proc/self", "stat", O_RDONLY);
    case 1:
        return attempt_open(scratch, "a", O_RDWR);
    case 2:
        return attempt_open(scratch, "d", O_RDONLY | O_CREAT);
    case 3:
        return unlinkat(AT_FDCWD, scratch, AT_REMOVEDIR);
    case 4:
        return kill(getppid(), 0);
    default:
        return (int)syscall(SYS_pidfd_getfd, -1, 0, 0);
    }
}

static void test_looking_changes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        int status = 0;
        pid_t pid;

        assert_int_equal(spawn_body("look", NULL, 0, look_body, &i, &pid), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                         i == 0 ? 0 : SIGSYS);
        assert_int_equal(WIFSIGNALED(status), i != 0);
    }
}

/* What a sandboxed process may not do either fails or ends it. */
static void test_sandbox_holds(void **state)
{
    static const enum attempt deadly[] = {ATTEMPT_SOCKET, ATTEMPT_FORK, ATTEMPT_EXEC, ATTEMPT_CHOWN,
                                          ATTEMPT_TYPE};

    (void)state;
    if (WEXITSTATUS(attempt_status(ATTEMPT_NOTHING)) == 100) {
        print_message("this kernel has no Landlock or seccomp: not tried\n");
        skip();
    }
    assert_int_equal(attempt_status(ATTEMPT_READ_IN), 0);
    assert_int_equal(attempt_status(ATTEMPT_COUNT_UNSENT), 0);
    assert_int_equal(WEXITSTATUS(attempt_status(ATTEMPT_READ_OUT)), EACCES);
    assert_int_equal(WEXITSTATUS(attempt_status(ATTEMPT_WRITE_IN)), EACCES);
    for (size_t i = 0; i < ARRAY_LEN(deadly); i++) {
        int status = attempt_status(deadly[i]);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
    }
}

static int spin_body(void *context)
{
    volatile unsigned turns = 0;

    (void)context;
    process_limit_work(1);
    while (getppid() != 0) {
        turns = turns + 1;
    }
    return 0;
}

/* A parser that loops is ended by the kernel. */
static void test_work_is_limited(void **state)
{
    struct rusage before;
    struct rusage after;
    int status = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &before), 0);
    assert_int_equal(spawn_body("spin", NULL, 0, spin_body, NULL, &pid), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &after), 0);
    assert_in_range(after.ru_utime.tv_sec - before.ru_utime.tv_sec, 0, 2);
}

#define HEAP_SOME (8U << 20)

/* 1: more memory of its own is given than may be; 2: a file that is read counts as such. */
static int heap_body(void *context)
{
    const struct sandbox sandbox = {.is_landlock_off = true, .heap_more = HEAP_SOME};
    CLEANUP(closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *block;

    (void)context;
    if (sandbox_enter(&sandbox, NULL, NULL) < 0) {
        return 100;
    }
    block = mem_alloc(8, HEAP_SOME);
    if (block != NULL) {
        return 1;
    }
    block = mmap(NULL, 8 * (size_t)HEAP_SOME, PROT_READ, MAP_SHARED, fd, 0);
    return block == MAP_FAILED ? 2 : 0;
}

static void test_heap_is_limited(void **state)
{
    int status = 0;
    pid_t pid;

    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its shadow is memory of its own */
#endif
    assert_int_equal(spawn_body("heap", NULL, 0, heap_body, NULL, &pid), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int group_body(void *context)
{
    const struct sandbox sandbox = {
        .is_landlock_off = true, .user = "nobody", .group = (const char *)context};
    gid_t others[4];

    if (sandbox_enter(&sandbox, NULL, NULL) < 0) {
        return 100;
    }
    return getuid() == 0 || getgroups(ARRAY_LEN(others), others) != 0 ? 101 : (int)getgid() % 100;
}

/* The group that was asked for, or the user's own when there is none of that name; no other. */
static void test_group_is_kept(void **state)
{
    static const char *const asked[] = {"mail", "khong-co-nhom-nay"};
    const struct group *mail = getgrnam("mail");
    const struct passwd *nobody = getpwnam("nobody");
    unsigned expected[2];

    (void)state;
    if (geteuid() != 0 || mail == NULL || nobody == NULL) {
        skip();
    }
    expected[0] = mail->gr_gid;
    expected[1] = nobody->pw_gid;
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        int status = 0;
        pid_t pid;

        assert_int_equal(
            spawn_body("group", NULL, 0, group_body, (void *)(uintptr_t)asked[i], &pid), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), expected[i] % 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_is_limited),
        cmocka_unit_test(test_heap_is_limited),
        cmocka_unit_test(test_group_is_kept),
        cmocka_unit_test(test_atomic_write_and_read),
        cmocka_unit_test(test_open_beneath_follows_nothing),
        cmocka_unit_test(test_open_known_folder),
        cmocka_unit_test(test_copy_keeps_holes),
        cmocka_unit_test(test_channel_carries_message_and_fd),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_timers_are_set_anew),
        cmocka_unit_test(test_process_reads_itself),
        cmocka_unit_test(test_write_open_is_told_from_flags),
        cmocka_unit_test(test_spawn_run),
        cmocka_unit_test(test_sandbox_holds),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_sandbox_runs_programs),
    };

    return cmocka_run_group_tests_name("sys", tests, make_scratch, remove_scratch);
}
