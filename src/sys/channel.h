/* A pair of connected SOCK_SEQPACKET sockets between two processes of ours; one msg a packet, with
 * up to CHANNEL_FDS_MAX descriptors. A file travels as an open descriptor, never as a path. */
#ifndef SYS_CHANNEL_H
#define SYS_CHANNEL_H

#include "base/msg.h"

#include <stddef.h>
#include <stdint.h>

#define CHANNEL_FDS_MAX 5

struct channel_packet {
    int fds[CHANNEL_FDS_MAX]; /* close-on-exec; owned by whoever received, -1 where none */
    unsigned fd_count;
    struct msg_reader msg; /* borrows bytes */
    uint8_t bytes[MSG_SIZE_MAX];
};

/* Both ends close-on-exec, blocking. */
[[nodiscard]] int channel_pair(int ret_fds[2]);

/* Sends; the descriptors stay the caller's. -ERR_AGAIN when it would block on a non-blocking end,
 * -ERR_PIPE when the other side is gone. */
[[nodiscard]] int channel_send(int channel, const struct msg_writer *msg, const int *fds,
                               unsigned count);
/* Receives one packet. -ERR_PIPE at the end, -ERR_AGAIN, -ERR_PROTO for a packet that is not a
 * message. On success the packet's descriptors must be taken or closed: channel_packet_done. */
[[nodiscard]] int channel_receive(int channel, struct channel_packet *ret_packet);
/* The same, and the packet stays where it is: for whoever may be killed before it has done what the
 * packet asks. Its descriptors are duplicates. */
[[nodiscard]] int channel_peek(int channel, struct channel_packet *ret_packet);
/* Takes the packet at the head away. */
[[nodiscard]] int channel_skip(int channel);
/* Waits timeout_ms at most for a packet; -ERR_TIMEDOUT. */
[[nodiscard]] int channel_receive_within(int channel, int timeout_ms,
                                         struct channel_packet *ret_packet);
void channel_packet_done(struct channel_packet *packet);
/* Takes descriptor i out of the packet; -1 when there is none. */
int channel_packet_take(struct channel_packet *packet, unsigned i);

#endif
