/* The sensor stops by itself, holding CAP_KILL, rather than ask the supervisor: a message and a
 * wake-up in between cost about as much as the encryption of one more file. The supervisor is told
 * afterwards and can let go or kill even when the sensor has died. */
#include "respond/freeze.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <dirent.h>
#include <signal.h>

#define FREEZE_ROUNDS  8 /* of looking for children */
#define KTHREADD_PID   2
#define FREEZE_REST_NS (200 * NS_PER_US)

static bool freeze_has(const struct freeze_group *group, pid_t pid)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->members[i].pid == pid) {
            return true;
        }
    }
    return false;
}

bool freeze_add(struct freeze_group *group, const struct freeze_port *port, pid_t pid,
                uint64_t start)
{
    if (pid <= KTHREADD_PID || group->count == FREEZE_GROUP_MAX || freeze_has(group, pid) ||
        port->is_spared(port->context, pid)) {
        return false;
    }
    group->members[group->count++] = (struct freeze_member){pid, start};
    return true;
}

static bool freeze_signal(const struct freeze_member *member, int signal)
{
    CLEANUP(closep) int pidfd = process_open(member->pid, member->start);

    return pidfd >= 0 && process_signal(pidfd, signal) == 0;
}

/* Adds children of members; kernel threads have no user-space parent and so never come up. */
static size_t freeze_add_children(struct freeze_group *group, const struct freeze_port *port)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    size_t before = group->count;

    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        struct process_info info;
        int64_t pid;

        if (str_to_i64(str_from(entry->d_name), &pid) == 0 &&
            process_read_stat((pid_t)pid, &info) == 0 && freeze_has(group, info.ppid)) {
            (void)freeze_add(group, port, info.pid, info.start);
        }
    }
    if (proc != NULL) {
        (void)closedir(proc);
    }
    return group->count - before;
}

size_t freeze_stop(struct freeze_group *group, const struct freeze_port *port)
{
    size_t signalled = 0;
    size_t from = 0;

    for (int round = 0; round < FREEZE_ROUNDS; round++) {
        for (; from < group->count; from++) {
            signalled += freeze_signal(&group->members[from], SIGSTOP) ? 1U : 0U;
        }
        if (freeze_add_children(group, port) == 0) {
            break;
        }
    }
    for (; from < group->count; from++) {
        signalled += freeze_signal(&group->members[from], SIGSTOP) ? 1U : 0U;
    }
    return signalled;
}

int freeze_wait(const struct freeze_group *group, int timeout_ms)
{
    int64_t deadline = clock_mono(&clock_real) + timeout_ms * NS_PER_MS;
    size_t at = 0;

    while (at < group->count) {
        struct timespec rest = {.tv_nsec = FREEZE_REST_NS};

        if (process_is_at_rest(group->members[at].pid)) {
            at++;
            continue;
        }
        if (clock_mono(&clock_real) > deadline) {
            return -ERR_TIMEDOUT;
        }
        (void)nanosleep(&rest, NULL);
    }
    return 0;
}

static size_t freeze_signal_all(const struct freeze_group *group, int signal)
{
    size_t reached = 0;

    for (size_t i = 0; i < group->count; i++) {
        reached += freeze_signal(&group->members[i], signal) ? 1U : 0U;
    }
    return reached;
}

size_t freeze_continue(const struct freeze_group *group)
{
    return freeze_signal_all(group, SIGCONT);
}

size_t freeze_kill(const struct freeze_group *group)
{
    return freeze_signal_all(group, SIGKILL);
}
