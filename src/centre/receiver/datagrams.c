/* Syslog over UDP (RFC 5426): a datagram is an entry. The sockets are read whatever happens behind:
 * what finds no room in memory goes into the file, and what finds none there either is counted as
 * dropped. What waits in the file goes first: entries of a sender stay in their order. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "centre/receiver/body.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define DATAGRAM_MAX    65536
#define DATAGRAMS_ROUND 32
#define DRAIN_ROUND     4096 /* datagrams from the file; then the sockets have their turn */

/* What recvmmsg fills. */
static struct {
    struct mmsghdr headers[DATAGRAMS_ROUND];
    struct iovec parts[DATAGRAMS_ROUND];
    struct sockaddr_storage senders[DATAGRAMS_ROUND];
    char bytes[DATAGRAMS_ROUND][DATAGRAM_MAX];
} round_of;

/* The address of the datagram before: senders come in runs. */
static struct {
    struct sockaddr_storage sender;
    socklen_t size;
    char address[NET_ADDRESS_SIZE];
} last;

static struct str sender_address(const struct msghdr *header)
{
    if (header->msg_namelen != last.size || last.size > sizeof(last.sender) ||
        memcmp(header->msg_name, &last.sender, last.size) != 0) {
        last.size = header->msg_namelen;
        memcpy(&last.sender, header->msg_name, sizeof(last.sender));
        net_address_text(header->msg_name, header->msg_namelen, last.address);
    }
    return str_from(last.address);
}

static int datagram_put(struct receiver *receiver, const struct overflow_item *item)
{
    struct receiver_entry entry = {.via = item->via, .arrival = item->arrival, .raw = item->raw};
    int r;

    if (!receiver_queue_has_room(&receiver->queue)) {
        return -ERR_FULL;
    }
    receiver_say(&entry, item->arrival);
    r = receiver_put(&receiver->queue, &entry);
    if (r == 0) {
        receiver->counts.of[RECEIVER_COUNT_RECEIVED + RECEIVER_WAY_UDP]++;
        receiver_hurry(receiver);
    }
    return r;
}

static void datagram_take(struct receiver *receiver, const struct overflow_item *item)
{
    int r = overflow_is_empty(&receiver->overflow) ? datagram_put(receiver, item) : -ERR_FULL;

    if (r == 0) {
        return;
    }
    r = overflow_put(&receiver->overflow, item);
    if (r == 0) {
        receiver->counts.of[RECEIVER_COUNT_WAITED]++;
        return;
    }
    receiver->counts.of[RECEIVER_COUNT_DROPPED] += r == -ERR_FULL || r == -ERR_LIMIT;
    if (r != -ERR_FULL && r != -ERR_LIMIT) {
        log_error("datagrams could not be kept on the disk reason=%s", err_text(r));
    }
}

/* Newlines and zeroes at the end are the sender's way to end it. */
static struct str datagram_trim(struct str raw)
{
    while (raw.len != 0 && (raw.ptr[raw.len - 1] == '\n' || raw.ptr[raw.len - 1] == '\r' ||
                            raw.ptr[raw.len - 1] == '\0')) {
        raw.len--;
    }
    return raw;
}

static void on_datagrams(void *context, int fd, unsigned events)
{
    const struct receiver_socket *socket = context;
    struct receiver *receiver = socket->receiver;
    int64_t now = clock_wall(receiver->queue.clock);
    int count;

    (void)events;
    for (size_t i = 0; i < DATAGRAMS_ROUND; i++) {
        round_of.parts[i] = (struct iovec){round_of.bytes[i], DATAGRAM_MAX};
        round_of.headers[i].msg_hdr = (struct msghdr){.msg_name = &round_of.senders[i],
                                                      .msg_namelen = sizeof(round_of.senders[i]),
                                                      .msg_iov = &round_of.parts[i],
                                                      .msg_iovlen = 1};
    }
    count = recvmmsg(fd, round_of.headers, DATAGRAMS_ROUND, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        const struct mmsghdr *header = &round_of.headers[i];
        struct overflow_item item = {.via = sender_address(&header->msg_hdr),
                                     .arrival = now,
                                     .raw =
                                         datagram_trim(str_of(round_of.bytes[i], header->msg_len))};

        if (item.raw.len != 0) {
            datagram_take(receiver, &item);
        }
    }
}

/* Half of the room is left to streams and posts, which wait until there is some: else whoever sends
 * datagrams faster than they are kept would shut out those who sign in. */
void receiver_datagrams_drain(struct receiver *receiver)
{
    const struct receiver_queue *queue = &receiver->queue;
    size_t kept = receiver_queue_kept(queue);
    size_t most = kept + (queue->max - (kept < queue->max ? kept : queue->max)) / 2;
    struct overflow_item item;
    int r = 0;

    for (int i = 0; r == 0 && i < DRAIN_ROUND && (i == 0 || receiver_queue_kept(queue) < most);
         i++) {
        r = overflow_peek(&receiver->overflow, &item);
        r = r < 0 ? r : datagram_put(receiver, &item);
        if (r == 0) {
            overflow_skip(&receiver->overflow);
        }
    }
    if (r < 0 && r != -ERR_NOENT && r != -ERR_FULL && r != -ERR_NOMEM) {
        log_error("datagrams that waited on the disk are lost reason=%s", err_text(r));
    }
    if (r == 0 && !overflow_is_empty(&receiver->overflow) &&
        loop_source_set_timer(receiver->drain, 1, 0) < 0) {
        loop_stop(receiver->loop, -ERR_IO);
    }
}

void receiver_datagrams_count(struct receiver *receiver)
{
    for (size_t i = 0; i < receiver->options->listeners->counts[LISTENER_SYSLOG_UDP]; i++) {
        struct receiver_socket *socket = &receiver->sockets[i];
        uint32_t dropped = 0;

        if (net_dropped(socket->fd, &dropped) == 0) { /* the counter may go round */
            receiver->counts.of[RECEIVER_COUNT_DROPPED] += dropped - socket->dropped;
            socket->dropped = dropped;
        }
    }
    receiver->counts.of[RECEIVER_COUNT_DROPPED] += receiver->overflow.lost;
    receiver->overflow.lost = 0;
}

int receiver_datagrams_start(struct receiver *receiver)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < receiver->options->listeners->counts[LISTENER_SYSLOG_UDP];
         i++) {
        struct receiver_socket *socket = &receiver->sockets[i];

        *socket = (struct receiver_socket){
            .receiver = receiver, .fd = receiver->options->listeners->fds[LISTENER_SYSLOG_UDP][i]};
        (void)net_dropped(socket->fd, &socket->dropped); /* those before are another's loss */
        r = loop_add_fd(receiver->loop, socket->fd, LOOP_READ, on_datagrams, socket,
                        &socket->source);
    }
    return r;
}

void receiver_datagrams_stop(struct receiver *receiver)
{
    for (size_t i = 0; i < receiver->options->listeners->counts[LISTENER_SYSLOG_UDP]; i++) {
        loop_source_free(receiver->sockets[i].source);
        receiver->sockets[i].source = NULL;
    }
}
