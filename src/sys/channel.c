/* One packet, one message, a few descriptors (SCM_RIGHTS). */
#include "sys/channel.h"

#include "base/banned.h"
#include "base/err.h"
#include "sys/fd.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

union channel_control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

int channel_pair(int ret_fds[2])
{
    int room = 4 * MSG_SIZE_MAX;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) != 0) {
        return -errno;
    }
    for (int i = 0; i < 2; i++) { /* best effort: the default holds three packets already */
        (void)setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    }
    return 0;
}

static int channel_error(int number)
{
    if (number == EPIPE || number == ECONNRESET || number == ENOTCONN) {
        return -ERR_PIPE;
    }
    return number == EWOULDBLOCK ? -ERR_AGAIN : -number;
}

int channel_send(int channel, const struct msg_writer *msg, const int *fds, unsigned count)
{
    union channel_control control = {0};
    /* sendmsg does not write through iov_base; its type only cannot say so */
    struct iovec part = {.iov_base = (void *)(uintptr_t)msg->bytes, .iov_len = msg->len};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    int r = msg_end(msg);

    if (r < 0) {
        return r;
    }
    if (count > CHANNEL_FDS_MAX) {
        return -ERR_LIMIT;
    }
    if (count != 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    while (sendmsg(channel, &header, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            return channel_error(errno);
        }
    }
    return 0;
}

static void channel_take_fds(struct msghdr *header, struct channel_packet *packet)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        size_t count;

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(packet->fds, CMSG_DATA(part), count * sizeof(int));
        packet->fd_count = (unsigned)count;
    }
}

static int channel_take(int channel, int flags, struct channel_packet *ret_packet)
{
    union channel_control control = {0};
    struct iovec part = {.iov_base = ret_packet->bytes, .iov_len = sizeof(ret_packet->bytes)};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control)};
    ssize_t got;

    ret_packet->fd_count = 0;
    for (unsigned i = 0; i < CHANNEL_FDS_MAX; i++) {
        ret_packet->fds[i] = -1;
    }
    do {
        got = recvmsg(channel, &header, MSG_CMSG_CLOEXEC | flags);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return channel_error(errno);
    }
    channel_take_fds(&header, ret_packet);
    if (got == 0) {
        channel_packet_done(ret_packet);
        return -ERR_PIPE;
    }
    msg_open(&ret_packet->msg, str_of((const char *)ret_packet->bytes, (size_t)got));
    if (ret_packet->msg.error != 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        channel_packet_done(ret_packet);
        return -ERR_PROTO;
    }
    return 0;
}

int channel_receive(int channel, struct channel_packet *ret_packet)
{
    return channel_take(channel, 0, ret_packet);
}

int channel_peek(int channel, struct channel_packet *ret_packet)
{
    return channel_take(channel, MSG_PEEK, ret_packet);
}

int channel_skip(int channel)
{
    ssize_t got;

    do {
        got = recv(channel, NULL, 0, 0); /* the rest of a packet goes with it */
    } while (got < 0 && errno == EINTR);
    return got < 0 ? channel_error(errno) : 0;
}

int channel_receive_within(int channel, int timeout_ms, struct channel_packet *ret_packet)
{
    struct pollfd wait = {.fd = channel, .events = POLLIN};
    int ready;

    do {
        ready = poll(&wait, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) {
        return -errno;
    }
    return ready == 0 ? -ERR_TIMEDOUT : channel_receive(channel, ret_packet);
}

void channel_packet_done(struct channel_packet *packet)
{
    for (unsigned i = 0; i < packet->fd_count; i++) {
        closep(&packet->fds[i]);
    }
    packet->fd_count = 0;
}

int channel_packet_take(struct channel_packet *packet, unsigned i)
{
    return i < packet->fd_count ? TAKE_FD(packet->fds[i]) : -1;
}
