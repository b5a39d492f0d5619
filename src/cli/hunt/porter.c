/* Both ends of the channel: see porter.h. Invariants: rights are given up before the first byte of
 * a file is read; files come in the order in which they were named and, below a folder, of their
 * names, so that what is printed is the same each time. */
#include "cli/hunt/porter.h"

#include "agent/scan_unpack.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/hunt/relay.h"
#include "cli/scan_walk.h"
#include "sys/fd.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define READER_MEMORY (4ULL << 30)
#define READER_FILES  64

static atomic_bool porter_stopped;

static void porter_stop(int signal)
{
    (void)signal;
    atomic_store(&porter_stopped, true);
}

bool porter_is_stopped(void)
{
    return atomic_load(&porter_stopped);
}

/* Without SA_RESTART: a read that waits for a pipe ends with it. */
static void porter_heed_signals(void)
{
    const struct sigaction action = {.sa_handler = porter_stop};

    (void)sigaction(SIGINT, &action, NULL);
}

/* ---- the reader's side */

struct porter_start {
    porter_body_fn *body;
    void *context;
    struct hands *hands;
    int channel;
    int voice;
};

static int porter_body(void *context)
{
    const struct porter_start *start = context;
    const struct sandbox sandbox = {
        .user = geteuid() == 0 ? "nobody" : NULL,
        .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_THREADS,
        .memory_more = READER_MEMORY,
        .file_limit = READER_FILES,
    };
    struct diag diag = {0};
    int r;

    hands_use(start->hands);
    relay_use(start->voice);
    porter_heed_signals();
    scan_unpack_prepare();
    (void)mallopt(M_ARENA_MAX, 1); /* a thread's own heap reads a file of /proc when it shrinks */
    r = sandbox_enter(&sandbox, NULL, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("cannot give up rights: %s"),
                            diag_text(&diag, r));
    }
    r = start->body(start->context, start->channel);
    fflush(stdout);
    return r;
}

int porter_receive(int channel, struct parcel *ret_parcel)
{
    int r;

    do {
        r = channel_receive(channel, &ret_parcel->packet);
    } while (r == -EINTR && !porter_is_stopped());
    if (r < 0) {
        return r == -EINTR ? -ERR_PIPE : r;
    }
    ret_parcel->kind = (enum porter_kind)ret_parcel->packet.msg.type;
    ret_parcel->path = msg_get_str(&ret_parcel->packet.msg);
    ret_parcel->fd = channel_packet_take(&ret_parcel->packet, 0);
    if (msg_close(&ret_parcel->packet.msg) < 0 || ret_parcel->fd < 0 || ret_parcel->kind < 1 ||
        ret_parcel->kind >= PORTER_KIND_COUNT) {
        closep(&ret_parcel->fd);
        return -ERR_PROTO;
    }
    return 0;
}

/* ---- the opener's side */

void porter_done(struct porter *porter)
{
    closep(&porter->channel);
    hands_free(porter->hands);
    porter->hands = NULL;
}

/* Each path once, parted by commas. */
static void porter_put_held(const struct porter *porter, struct buf *line)
{
    for (size_t i = 0; porter->hands != NULL && i < HANDS_MAX; i++) {
        struct str path = hand_path(&porter->hands->hands[i]);
        bool is_first = path.len != 0;

        for (size_t k = 0; is_first && k < i; k++) {
            is_first = !str_is(path, hand_path(&porter->hands->hands[k]));
        }
        if (is_first) {
            (void)buf_put_text(line, line->len != 0 ? ", " : "");
            (void)buf_put_plain(line, path);
        }
    }
}

int porter_start(struct porter *porter, const char *name, porter_body_fn *body, void *context,
                 int voice)
{
    struct porter_start start = {.body = body, .context = context, .voice = voice};
    int ends[2] = {-1, -1};
    int r = channel_pair(ends);

    *porter = (struct porter){.channel = -1, .hands = hands_new()};
    start.hands = porter->hands;
    if (r == 0) {
        const int keep[] = {ends[1], voice};

        start.channel = ends[1];
        r = spawn_body(name, keep, voice >= 0 ? 2 : 1, porter_body, &start, &porter->pid);
        (void)close(ends[1]);
    }
    if (r < 0) {
        closep(&ends[0]);
        porter_done(porter);
        return diag_set(&porter->diag, r, _("cannot start a worker: %s"), err_text(r));
    }
    porter->channel = ends[0];
    porter_heed_signals();
    return 0;
}

static void carry_failed(void *context, const char *path, int code)
{
    struct porter *porter = context;
    CLEANUP(buf_done) struct buf line;

    if (porter->failed++ < porter->told) {
        return;
    }
    buf_init(&line, 64 << 10);
    (void)buf_put_plain(&line, str_from(path));
    (void)command_fail(EXIT_STATUS_FAILED, _("not read: %.*s: %s"), STR_ARG(buf_str(&line)),
                       err_text(code));
}

static int carry_open(struct porter *porter, int fd, const char *path)
{
    static struct msg_writer msg;

    if (porter_is_stopped()) {
        return -ERR_CANCELED;
    }
    msg_begin(&msg, (uint16_t)porter->kind);
    msg_put_str(&msg, str_from(path));
    porter->carried++;
    return channel_send(porter->channel, &msg, &fd, 1);
}

static bool is_rule_file(struct str path)
{
    return str_has_suffix(path, STR(".yml")) || str_has_suffix(path, STR(".yaml"));
}

static bool is_sample(struct str path)
{
    return str_find(path, STR(".hit.")) < path.len || str_find(path, STR(".miss.")) < path.len;
}

/* Below a folder of rules lie readmes and samples too. */
static int carry_file(void *context, int fd, const char *path)
{
    struct porter *porter = context;

    if ((porter->kind == PORTER_KIND_RULES && !is_rule_file(str_from(path))) ||
        (porter->kind == PORTER_KIND_SAMPLE && !is_sample(str_from(path)))) {
        return 0;
    }
    return carry_open(porter, fd, path);
}

static bool is_once(int fd)
{
    struct stat info;

    return fstat(fd, &info) < 0 || !S_ISREG(info.st_mode);
}

/* Pipes: "<(zcat …)" of a shell is one. */
static int carry_stream(struct porter *porter, const char *path)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        carry_failed(porter, path, -errno);
        return 0;
    }
    porter->is_once |= is_once(fd);
    return carry_open(porter, fd, path);
}

int porter_carry(struct porter *porter, enum porter_kind kind, const char *path)
{
    const struct scan_walk walk = {porter, carry_file, carry_failed};
    struct stat info;

    porter->kind = kind;
    if (str_is_text(str_from(path), "-")) {
        porter->is_once |= is_once(STDIN_FILENO);
        return carry_open(porter, STDIN_FILENO, "-");
    }
    if (stat(path, &info) < 0) {
        carry_failed(porter, path, -errno);
        return 0;
    }
    return !S_ISDIR(info.st_mode) ? carry_stream(porter, path) : scan_walk(&walk, path);
}

void porter_close(struct porter *porter)
{
    closep(&porter->channel);
}

void porter_kill(struct porter *porter)
{
    (void)kill(porter->pid, SIGKILL);
}

int porter_wait(struct porter *porter)
{
    int status = 0;

    while (waitpid(porter->pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

int porter_tell_ended(const struct porter *porter, int status)
{
    CLEANUP(buf_done) struct buf line;

    buf_init(&line, 64 << 10);
    porter_put_held(porter, &line);
    return command_fail(EXIT_STATUS_FAILED,
                        _("the process that reads ended by signal %d; what it had in hand is "
                          "not judged, nor what would have followed: %.*s"),
                        WIFSIGNALED(status) ? WTERMSIG(status) : 0, STR_ARG(buf_str(&line)));
}

int porter_end(struct porter *porter)
{
    int status;

    porter_close(porter);
    status = porter_wait(porter);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : porter_tell_ended(porter, status);
    porter_done(porter);
    return status;
}
