/* The guard's side of refusing: starts the refuser before rights are given up, hands it each signed
 * file, says when a publish window is open, and tells of what was refused. On its way: guard/look.c
 * → here → guard/refuser.c and back to guard/tell.c. */
#include "agent/guard/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <fcntl.h>

void guard_refuse_start(struct guard *guard)
{
    struct guard_refuser config = {
        .channel = -1, .guard = getpid(), .supervisor = getppid(), .root_count = guard->root_count};
    int pair[2];
    pid_t pid;
    int r;

    if (!guard->config->settings->webroot_deny) {
        return;
    }
    for (size_t i = 0; i < guard->root_count; i++) {
        config.roots[i] = guard->roots[i].config.path;
    }
    r = channel_pair(pair);
    if (r == 0) {
        config.channel = pair[1];
        r = spawn_body("refuser", &pair[1], 1, guard_refuser_run, &config, &pid);
        (void)close(pair[1]);
        guard->refuser = pair[0];
    }
    if (r < 0) {
        closep(&guard->refuser);
        log_warn("writes to signed files are not refused: %s", err_text(r));
    }
}

static size_t root_index(const struct guard *guard, const struct guard_root *root)
{
    return (size_t)(root - guard->roots);
}

/* Beyond the limit files are put back as ever: each mark keeps an inode in memory. */
void guard_refuse_file(struct guard *guard, struct guard_root *root,
                       const struct manifest_entry *entry)
{
    CLEANUP(closep) int fd = -1;
    char text[MANIFEST_PATH_MAX];

    if (guard->refuser < 0 || entry->kind != MANIFEST_KIND_FILE ||
        entry->class != MANIFEST_CLASS_FIXED || root->marked >= GUARD_FILES_MAX) {
        return;
    }
    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(entry->path));
    fd = fd_open_beneath(root->webroot.fd, text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME, 0);
    if (fd < 0) {
        return;
    }
    msg_begin(&guard->msg, AGENT_MESSAGE_FIXED);
    (void)!channel_send(guard->refuser, &guard->msg, &fd, 1); /* its end is heard of by the loop */
    root->marked++;
}

/* The kernel forgets all marks or none: other roots get theirs again. */
void guard_refuse_anew(struct guard *guard, const struct guard_root *root)
{
    if (guard->refuser < 0) {
        return;
    }
    msg_begin(&guard->msg, AGENT_MESSAGE_FIXED);
    (void)!channel_send(guard->refuser, &guard->msg, NULL, 0);
    for (size_t i = 0; i < guard->root_count; i++) {
        if (&guard->roots[i] != root && guard->roots[i].scan != NULL) {
            guard_scan(guard, &guard->roots[i], false);
        }
    }
}

void guard_refuse_window(struct guard *guard, const struct guard_root *root)
{
    if (guard->refuser >= 0) {
        msg_begin(&guard->msg, AGENT_MESSAGE_WINDOW);
        msg_put_u32(&guard->msg, (uint32_t)root_index(guard, root));
        msg_put_u32(&guard->msg, root->window.is_open ? 1 : 0);
        (void)!channel_send(guard->refuser, &guard->msg, NULL, 0);
    }
}

/* A link elsewhere to a signed file: told of the first root. */
static struct guard_root *root_of(struct guard *guard, struct str path, struct str *ret_path)
{
    for (size_t i = 0; i < guard->root_count; i++) {
        struct str root = str_from(guard->roots[i].config.path);

        if (str_has_prefix(path, root) && path.len > root.len && path.ptr[root.len] == '/') {
            *ret_path = str_slice(path, root.len + 1, path.len);
            return &guard->roots[i];
        }
    }
    *ret_path = path;
    return &guard->roots[0];
}

static void guard_take_refused(struct guard *guard, struct msg_reader *msg)
{
    pid_t pid = (pid_t)msg_get_u32(msg);
    struct str whole = msg_get_str(msg);
    struct guard_incident *incident;
    struct guard_root *root;
    struct str path = STR("");

    if (msg_close(msg) < 0) {
        return;
    }
    root = root_of(guard, whole, &path);
    guard->heard = clock_mono(&clock_real);
    incident = guard_incident(guard, root, pid, false);
    if (incident != NULL) {
        guard_incident_add(guard, incident, path, GUARD_REASON_REFUSED, 0);
    }
}

/* Another refuser can only be started by a guard that still has its rights. */
static void guard_lose_refuser(struct guard *guard)
{
    log_warn("the process that refuses writes has ended; the guard starts anew");
    loop_stop(guard->loop, 0);
}

void guard_on_refuser(void *context, int fd, unsigned events)
{
    struct guard *guard = context;

    if ((events & LOOP_READ) != 0 && channel_receive(fd, &guard->packet) == 0) {
        if (guard->packet.msg.type == AGENT_MESSAGE_REFUSED) {
            guard_take_refused(guard, &guard->packet.msg);
        }
        channel_packet_done(&guard->packet);
        return;
    }
    if ((events & LOOP_HANGUP) != 0) {
        guard_lose_refuser(guard);
    }
}
