/* One datagram, one event. Only the kernel may send to the group: others are refused by address. */
#include "sys/proc_events.h"

#include "base/banned.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#define PROC_EVENTS_QUEUE (8 << 20) /* bytes; about 20,000 events */

static int proc_events_subscribe(int fd)
{
    struct {
        struct nlmsghdr head;
        struct cn_msg message;
        enum proc_cn_mcast_op op;
    } __attribute__((packed)) ask = {
        .head = {.nlmsg_len = sizeof(ask), .nlmsg_type = NLMSG_DONE},
        .message = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC}, .len = sizeof(ask.op)},
        .op = PROC_CN_MCAST_LISTEN,
    };

    return send(fd, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask) ? 0 : -errno;
}

int proc_events_open(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
    CLEANUP(closep)
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    int size = PROC_EVENTS_QUEUE;
    int r;

    if (fd < 0) {
        return -errno;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        return -errno;
    }
    r = proc_events_subscribe(fd);
    return r < 0 ? r : TAKE_FD(fd);
}

static void proc_events_decode(const struct proc_event *event, struct proc_change *change)
{
    switch ((uint32_t)event->what) {
    case PROC_EVENT_FORK:
        if (event->event_data.fork.child_pid == event->event_data.fork.child_tgid) {
            change->kind = PROC_EVENT_KIND_FORK;
            change->pid = event->event_data.fork.child_tgid;
            change->parent = event->event_data.fork.parent_tgid;
        }
        break;
    case PROC_EVENT_EXEC:
        change->kind = PROC_EVENT_KIND_EXEC;
        change->pid = event->event_data.exec.process_tgid;
        break;
    case PROC_EVENT_EXIT:
        if (event->event_data.exit.process_pid == event->event_data.exit.process_tgid) {
            change->kind = PROC_EVENT_KIND_EXIT;
            change->pid = event->event_data.exit.process_tgid;
            change->exit_code = (int32_t)event->event_data.exit.exit_code;
        }
        break;
    default:
        break;
    }
}

int proc_events_read(int fd, struct proc_change *ret_change)
{
    uint8_t bytes[512];
    struct sockaddr_nl from = {0};
    socklen_t from_len = sizeof(from);
    size_t head = NLMSG_HDRLEN + sizeof(struct cn_msg);
    struct proc_event event = {0};
    ssize_t got = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_len);

    *ret_change = (struct proc_change){.kind = PROC_EVENT_KIND_NONE};
    if (got < 0) {
        return errno == ENOBUFS ? -ERR_LIMIT : -errno;
    }
    if (from.nl_pid != 0 || (size_t)got <= head) {
        return 0;
    }
    memcpy(&event, bytes + head,
           (size_t)got - head < sizeof(event) ? (size_t)got - head : sizeof(event));
    proc_events_decode(&event, ret_change);
    return 0;
}
