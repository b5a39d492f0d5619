/* Patterns in which several processes share the work, so that none of them does much. On its way:
 * drill/attack.c → here → drill/native.c → the files. Invariant: all members stay in the attacker's
 * session, and the leader waits for them. */
#include "cli/drill/attack.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define WORKER_COUNT 18

static const struct drill_pattern team_one = {.name = "one", .file = drill_inplace};

/* Waits for all children of the attacker. */
static void team_wait(void)
{
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
}

int drill_workers(struct drill_attack *attack)
{
    for (int i = 0; i < WORKER_COUNT; i++) {
        pid_t pid = fork();

        if (pid < 0) {
            return -errno;
        }
        if (pid == 0) {
            size_t number;

            while ((number = atomic_fetch_add(&attack->counter->next, 1)) < attack->victim_count) {
                drill_attack_file(attack, &team_one, number);
            }
            _exit(EXIT_SUCCESS);
        }
    }
    team_wait();
    return 0;
}

int drill_fork_each(struct drill_attack *attack)
{
    for (size_t number = 0; number < attack->victim_count; number++) {
        pid_t pid = fork();

        if (pid < 0) {
            return -errno;
        }
        if (pid == 0) {
            drill_attack_file(attack, &team_one, number);
            _exit(EXIT_SUCCESS);
        }
        team_wait();
    }
    return 0;
}

struct relay_frame {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    size_t number;
    struct iovec part;
    struct msghdr message;
};

static void relay_frame_init(struct relay_frame *frame)
{
    *frame = (struct relay_frame){.part = {&frame->number, sizeof(frame->number)}};
    frame->message = (struct msghdr){.msg_iov = &frame->part,
                                     .msg_iovlen = 1,
                                     .msg_control = &frame->control,
                                     .msg_controllen = sizeof(frame->control)};
}

static int relay_send(int channel, size_t number, int fd)
{
    struct relay_frame frame;
    struct cmsghdr *head;

    relay_frame_init(&frame);
    frame.number = number;
    head = CMSG_FIRSTHDR(&frame.message);
    *head = (struct cmsghdr){CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    return sendmsg(channel, &frame.message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The descriptor, or negative at the end. */
static int relay_receive(int channel, size_t *ret_number)
{
    struct relay_frame frame;
    const struct cmsghdr *head;
    int fd;

    relay_frame_init(&frame);
    if (recvmsg(channel, &frame.message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(frame.number)) {
        return -ERR_PIPE;
    }
    head = CMSG_FIRSTHDR(&frame.message);
    if (head == NULL || head->cmsg_type != SCM_RIGHTS) {
        return -ERR_PROTO;
    }
    memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    *ret_number = frame.number;
    return fd;
}

/* The half that writes into what the other half has opened. */
static void relay_write(struct drill_attack *attack, int channel)
{
    size_t number = 0;
    int fd;

    while ((fd = relay_receive(channel, &number)) >= 0) {
        const struct drill_victim victim = {.number = number};

        if (drill_inplace_fd(attack, &victim, fd) < 0) {
            (void)atomic_fetch_add(&attack->counter->refused, 1);
        }
        (void)close(fd);
    }
}

static int relay_open(struct drill_attack *attack, const struct drill_victim *victim, int channel)
{
    CLEANUP(closep) int fd = fd_open_beneath(victim->dir_fd, victim->name, O_RDWR, 0);

    (void)attack;
    return fd < 0 ? fd : relay_send(channel, victim->number, fd);
}

int drill_relay(struct drill_attack *attack)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return -errno;
    }
    pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        relay_write(attack, ends[1]);
        _exit(EXIT_SUCCESS);
    }
    (void)close(ends[1]);
    for (size_t number = 0; pid > 0 && number < attack->victim_count; number++) {
        struct drill_victim victim;

        if (drill_victim_open(attack, number, &victim) == 0) {
            if (relay_open(attack, &victim, ends[0]) < 0) {
                (void)atomic_fetch_add(&attack->counter->refused, 1);
            }
            (void)close(victim.dir_fd);
        }
    }
    (void)close(ends[0]);
    team_wait();
    return pid < 0 ? -ERR_AGAIN : 0;
}
