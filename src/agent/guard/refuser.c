/* Refuses to open signed files for writing: a process of its own, since whoever answers for a file
 * must never wait for a file. On its way: guard/refuse.c hands over files → the kernel asks here →
 * EPERM for the writer, and word to the guard. Invariants: nobody else holds the group, so that
 * with this process's end the kernel lets all go that wait; only what surely writes is refused,
 * since a wrong yes shuts out visitors, and what a wrong no lets through is put back. */
#include "agent/guard/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"
#include "sys/fd.h"
#include "sys/sandbox.h"
#include "sys/thread.h"

#include <linux/capability.h>
#include <poll.h>

#define REFUSER_PRIORITY 1 /* real-time: visitors wait for it */
#define REFUSER_BATCH    16

struct refuser {
    const struct guard_refuser *config;
    int group;
    bool is_open[WEBROOT_MAX]; /* a publish window of that root */
    struct channel_packet packet;
    struct msg_writer msg;
};

static bool is_within(struct str path, struct str root)
{
    return str_has_prefix(path, root) && path.len > root.len && path.ptr[root.len] == '/';
}

/* Under a name outside all roots a signed file stands too, by a link: then any window will do. */
static bool refuser_has_window(const struct refuser *refuser, struct str path)
{
    bool has_any = false;

    for (size_t i = 0; i < refuser->config->root_count; i++) {
        if (is_within(path, str_from(refuser->config->roots[i]))) {
            return refuser->is_open[i];
        }
        has_any = has_any || refuser->is_open[i];
    }
    return has_any;
}

/* Our own put files back: the guard, and what the agent starts for the vault. */
static bool refuser_is_own(const struct refuser *refuser, const struct process_info *info)
{
    return info->pid == refuser->config->guard || info->pid == refuser->config->supervisor ||
           info->ppid == refuser->config->supervisor;
}

static void refuser_tell(struct refuser *refuser, pid_t pid, struct str path)
{
    msg_begin(&refuser->msg, AGENT_MESSAGE_REFUSED);
    msg_put_u32(&refuser->msg, (uint32_t)pid);
    msg_put_str(&refuser->msg, path);
    (void)!channel_send(refuser->config->channel, &refuser->msg, NULL, 0); /* full: told enough */
}

static bool refuser_refuses(struct refuser *refuser, const struct gate_open *open)
{
    struct process_syscall call;
    struct process_info info;
    char text[PROCESS_PATH_MAX];

    if (process_read_syscall(open->tid, &call) < 0 || process_syscall_is_write_open(&call) != 1 ||
        process_read_group(open->tid, &info) < 0 || refuser_is_own(refuser, &info) ||
        fd_path(open->fd, text, sizeof(text)) < 0 || refuser_has_window(refuser, str_from(text))) {
        return false;
    }
    refuser_tell(refuser, info.pid, str_from(text));
    return true;
}

static void refuser_answer(struct refuser *refuser)
{
    struct gate_open opens[REFUSER_BATCH];
    int count = fanotify_read_opens(refuser->group, opens, REFUSER_BATCH);

    for (int i = 0; i < count; i++) {
        (void)!(refuser_refuses(refuser, &opens[i]) ? fanotify_refuse(refuser->group, opens[i].fd)
                                                    : fanotify_allow(refuser->group, opens[i].fd));
        (void)close(opens[i].fd);
    }
}

static void refuser_take(struct refuser *refuser)
{
    struct msg_reader *msg = &refuser->packet.msg;
    uint32_t root;
    bool is_open;

    switch (msg->type) {
    case AGENT_MESSAGE_FIXED:
        (void)!(refuser->packet.fd_count == 1
                    ? fanotify_gate_mark_file(refuser->group, refuser->packet.fds[0])
                    : fanotify_ignore_none(refuser->group));
        break;
    case AGENT_MESSAGE_WINDOW:
        root = msg_get_u32(msg);
        is_open = msg_get_u32(msg) != 0;
        if (msg_close(msg) == 0 && root < WEBROOT_MAX) {
            refuser->is_open[root] = is_open;
        }
        break;
    default:
        break;
    }
}

static int refuser_drop(void)
{
    static const int capabilities[] = {CAP_SYS_PTRACE};
    const struct sandbox sandbox = {.capabilities = capabilities,
                                    .capability_count = ARRAY_LEN(capabilities),
                                    .is_landlock_off = true, /* /proc of whoever opens */
                                    .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_LOOK |
                                             SANDBOX_CALLS_FANOTIFY};

    return sandbox_enter(&sandbox, NULL, NULL);
}

static int refuser_loop(struct refuser *refuser)
{
    struct pollfd waits[2] = {{.fd = refuser->group, .events = POLLIN},
                              {.fd = refuser->config->channel, .events = POLLIN}};
    int r = 0;

    while (r == 0 || r == -ERR_AGAIN) {
        (void)poll(waits, ARRAY_LEN(waits), -1);
        refuser_answer(refuser);
        r = channel_receive(refuser->config->channel, &refuser->packet);
        if (r == 0) {
            refuser_take(refuser);
            channel_packet_done(&refuser->packet);
        }
    }
    return r;
}

int guard_refuser_run(void *context)
{
    struct refuser *refuser = mem_alloc(1, sizeof(*refuser));
    int r;

    log_init("refuser", LOG_LEVEL_INFO);
    if (refuser == NULL) {
        return EXIT_STATUS_FAILED;
    }
    refuser->config = context;
    refuser->group = fanotify_gate_new();
    r = refuser->group < 0 ? refuser->group : fd_set_nonblocking(refuser->config->channel, true);
    (void)!thread_raise_priority(REFUSER_PRIORITY);
    r = r < 0 ? r : refuser_drop();
    r = r < 0 ? r : refuser_loop(refuser);
    if (r != -ERR_PIPE) {
        log_error("writes to signed files are not refused: %s", err_text(r));
    }
    closep(&refuser->group);
    mem_free(refuser);
    return r == -ERR_PIPE ? EXIT_STATUS_CLEAN : EXIT_STATUS_FAILED;
}
