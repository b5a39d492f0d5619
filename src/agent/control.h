/* Decisions of root on a host without a centre: a socket in the vault's folder, over which
 * `canhgac agent decide` sends one request and reads one answer. The same table of actions answers
 * as for a centre's. Only root may connect, and none of our own processes. Neighbours:
 * cli/agent_decide.c in front, supervisor/actions.c behind. */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include "base/id.h"
#include "base/msg.h"
#include "sys/loop.h"

#define CONTROL_NAME        "control"
#define CONTROL_CLIENTS_MAX 4

struct supervisor;

struct control_client {
    struct supervisor *supervisor;
    int fd; /* -1: free */
    struct id request;
    struct loop_source *source;
};

struct control {
    int fd; /* -1: none */
    struct control_client clients[CONTROL_CLIENTS_MAX];
};

/* Listens in the folder; a socket that a dead agent left there is replaced. */
[[nodiscard]] int control_listen(struct supervisor *supervisor, const char *folder);
void control_done(struct control *control);
/* Gives the answer to whoever asked here; nobody: nothing. */
void control_answer(struct control *control, const struct id *request,
                    const struct msg_writer *msg);

/* Asks: connects, sends one message and waits for the answer of a person's patience. The packet's
 * message is AGENT_MESSAGE_ANSWER. -ERR_NOENT when no agent listens there. */
struct channel_packet;
[[nodiscard]] int control_ask(const char *folder, const struct msg_writer *msg,
                              struct channel_packet *ret_packet);

#endif
