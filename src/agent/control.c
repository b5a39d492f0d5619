/* Addresses go through /proc/self/fd, so that a long path fits and no link is followed. */
#include "agent/control.h"

#include "agent/page.h"
#include "agent/protocol.h"
#include "agent/supervisor/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ANSWER_MS 120000 /* a restore may be on its way */

static int control_socket(int folder, struct sockaddr_un *ret_address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
                   "/proc/self/fd/%d/" CONTROL_NAME, folder);
    return fd >= 0 ? fd : -errno;
}

static void control_drop(struct control_client *client)
{
    loop_source_free(client->source);
    client->source = NULL;
    closep(&client->fd);
    client->fd = -1;
    client->request = (struct id){0};
}

static int control_take(struct control_client *client)
{
    struct supervisor *supervisor = client->supervisor;
    struct action_request request;
    struct cbor_reader reader;
    int r = channel_receive(client->fd, &supervisor->packet);

    if (r < 0) {
        return r;
    }
    cbor_open(&reader, msg_get_str(&supervisor->packet.msg));
    r = supervisor->packet.msg.type == AGENT_MESSAGE_ACTION && supervisor->packet.msg.error == 0
            ? action_request_decode(&reader, &request)
            : -ERR_PROTO;
    if (r == 0 && id_is_none(&client->request)) {
        client->request = request.id;
        supervisor_take_action(supervisor, &request);
    }
    channel_packet_done(&supervisor->packet);
    return r;
}

static void control_on_client(void *context, int fd, unsigned events)
{
    struct control_client *client = context;
    int r;

    (void)fd;
    (void)events;
    r = control_take(client);
    if (r < 0 && r != -ERR_AGAIN) {
        control_drop(client);
    }
}

static bool control_may_ask(const struct supervisor *supervisor, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == 0 &&
           !page_is_own(supervisor->page, peer.pid);
}

static void control_on_listen(void *context, int fd, unsigned events)
{
    struct supervisor *supervisor = context;
    CLEANUP(closep) int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (peer < 0 || !control_may_ask(supervisor, peer)) {
        return;
    }
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct control_client *client = &supervisor->control.clients[i];

        if (client->fd < 0 && loop_add_fd(supervisor->loop, peer, LOOP_READ, control_on_client,
                                          client, &client->source) == 0) {
            client->supervisor = supervisor;
            client->fd = TAKE_FD(peer);
            return;
        }
    }
}

int control_listen(struct supervisor *supervisor, const char *folder)
{
    CLEANUP(closep) int at = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct control *control = &supervisor->control;
    struct sockaddr_un address;

    if (at < 0) {
        return -errno;
    }
    control->fd = control_socket(at, &address);
    if (control->fd < 0) {
        return control->fd;
    }
    (void)unlinkat(at, CONTROL_NAME, 0);
    if (bind(control->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        fchmodat(at, CONTROL_NAME, 0600, 0) != 0 || listen(control->fd, CONTROL_CLIENTS_MAX) != 0) {
        return -errno;
    }
    return loop_add_fd(supervisor->loop, control->fd, LOOP_READ, control_on_listen, supervisor,
                       NULL);
}

void control_done(struct control *control)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        closep(&control->clients[i].fd);
    }
    closep(&control->fd);
}

void control_answer(struct control *control, const struct id *request, const struct msg_writer *msg)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct control_client *client = &control->clients[i];

        if (client->fd >= 0 && id_is(&client->request, request)) {
            (void)!channel_send(client->fd, msg, NULL, 0); /* gone: it will ask again */
            client->request = (struct id){0};
        }
    }
}

int control_ask(const char *folder, const struct msg_writer *msg, struct channel_packet *ret_packet)
{
    CLEANUP(closep) int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int fd = -1;
    struct sockaddr_un address;
    int r;

    if (at < 0) {
        return -errno;
    }
    fd = control_socket(at, &address);
    if (fd < 0) {
        return fd;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        return errno == ECONNREFUSED ? -ERR_NOENT : -errno;
    }
    r = channel_send(fd, msg, NULL, 0);
    r = r < 0 ? r : channel_receive_within(fd, ANSWER_MS, ret_packet);
    return r == 0 && ret_packet->msg.type != AGENT_MESSAGE_ANSWER ? -ERR_PROTO : r;
}
