/* fork and its bookkeeping. Foreign programs see a clean environment, no descriptor and no terminal
 * of ours. */
#include "sys/spawn.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool spawn_is_kept(int fd, const int *keep, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (keep[i] == fd) {
            return true;
        }
    }
    return fd <= STDERR_FILENO;
}

/* Closes every descriptor but the kept ones: the gaps between them, then all above. */
static void spawn_close_others(const int *keep, size_t count)
{
    int highest = STDERR_FILENO;

    for (size_t i = 0; i < count; i++) {
        highest = keep[i] > highest ? keep[i] : highest;
    }
    for (int fd = STDERR_FILENO + 1; fd < highest; fd++) {
        if (!spawn_is_kept(fd, keep, count)) {
            (void)close(fd);
        }
    }
    (void)syscall(SYS_close_range, (unsigned)highest + 1, ~0U, 0);
}

static void spawn_reset_signals(void)
{
    sigset_t none;

    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action = {.sa_handler = signal == SIGPIPE ? SIG_IGN : SIG_DFL};

        (void)sigaction(signal, &action, NULL);
    }
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int spawn_body(const char *name, const int *keep, size_t count, spawn_body_fn *body, void *context,
               pid_t *ret_pid)
{
    pid_t parent = getpid();
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        spawn_reset_signals();
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) {
            _exit(EXIT_FAILURE); /* the parent died before the line above */
        }
        (void)prctl(PR_SET_NAME, name);
        spawn_close_others(keep, count);
        _exit(body(context));
    }
    *ret_pid = pid;
    return 0;
}

static void spawn_exec(const char *const *argv, int in, int out)
{
    static char path_entry[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char lang_entry[] = "LANG=C.UTF-8";
    static char home_entry[] = "HOME=/";
    char *environment[] = {path_entry, lang_entry, home_entry, NULL};

    spawn_reset_signals();
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) {
        _exit(127);
    }
    spawn_close_others(NULL, 0);
    /* execvpe does not write through argv; its type only cannot say so */
    (void)execvpe(argv[0], (char *const *)(uintptr_t)argv, environment);
    _exit(127);
}

struct spawn_pump {
    int in;
    int out;
    struct str input;
    struct buf *output;
};

/* One round of feeding and gathering; *ret_is_done once stdout has ended. */
static int spawn_pump_step(struct spawn_pump *pump, int timeout_ms, bool *ret_is_done)
{
    struct pollfd waits[2] = {{.fd = pump->out, .events = POLLIN},
                              {.fd = pump->in, .events = POLLOUT}};
    int ready = poll(waits, 2, timeout_ms);

    if (ready < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    if (ready == 0) {
        return -ERR_TIMEDOUT;
    }
    if (pump->in >= 0 && waits[1].revents != 0) {
        ssize_t put = pump->input.len != 0 ? write(pump->in, pump->input.ptr, pump->input.len) : -1;

        if (put > 0) {
            pump->input = str_slice(pump->input, (size_t)put, pump->input.len);
        }
        if (put < 0 || pump->input.len == 0) {
            closep(&pump->in);
        }
    }
    if (waits[0].revents != 0) {
        size_t left = pump->output->limit - pump->output->len;
        size_t want = left < 4096 ? left : 4096;
        void *where = buf_reserve(pump->output, want);
        ssize_t got;

        if (where == NULL || want == 0) {
            return -ERR_LIMIT;
        }
        got = read(pump->out, where, want);
        if (got > 0) {
            buf_commit(pump->output, (size_t)got);
        }
        *ret_is_done = got == 0;
    }
    return 0;
}

int spawn_run(const char *const *argv, struct str input, int timeout_ms, struct buf *out,
              int *ret_status)
{
    int64_t deadline = clock_mono(&clock_real) + timeout_ms * NS_PER_MS;
    CLEANUP(closep) int child_in = -1;
    CLEANUP(closep) int child_out = -1;
    CLEANUP(closep) int own_in = -1;
    CLEANUP(closep) int own_out = -1;
    struct spawn_pump pump;
    bool is_done = false;
    int pipe_fds[2];
    pid_t pid;
    int r = 0;

    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    child_in = pipe_fds[0];
    own_in = pipe_fds[1];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    own_out = pipe_fds[0];
    child_out = pipe_fds[1];
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        spawn_exec(argv, child_in, child_out);
    }
    closep(&child_in);
    closep(&child_out);
    pump = (struct spawn_pump){TAKE_FD(own_in), own_out, input, out};
    while (r == 0 && !is_done) {
        int64_t left = deadline - clock_mono(&clock_real);

        r = left > 0 ? spawn_pump_step(&pump, (int)(left / NS_PER_MS) + 1, &is_done)
                     : -ERR_TIMEDOUT;
    }
    closep(&pump.in);
    if (r < 0) {
        (void)kill(pid, SIGKILL);
    }
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR) {
    }
    return r;
}
