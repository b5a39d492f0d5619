/* An agent's connection to its centre, kept up for ever: resolve, connect, prove both sides, carry
 * bytes for a link_client; when it breaks, again after a pause that doubles (1 s to 60 s) with
 * jitter, so that a centre that comes back is not run over by a province. Never blocks. */
#ifndef AGENT_UPLINK_H
#define AGENT_UPLINK_H

#include "base/diag.h"
#include "base/time.h"
#include "link/client.h"
#include "link/identity.h"
#include "sys/loop.h"

#include <stdbool.h>

struct uplink;

/* Whose connection it is. */
struct uplink_owner {
    void (*opened)(void *context); /* TLS stands: say HELLO */
    void (*answered)(void *context, const struct link_answer *answer);
    void (*drained)(void *context); /* what was put out has been sent: there is room for more */
    void (*closed)(void *context);
    void *context;
};

struct uplink_options {
    struct loop *loop;
    const struct identity *identity;
    const struct clock *clock;
    const char *resolver_user;
    struct uplink_owner owner;
};

/* Starts to connect at once. The resolver is forked here: call before the sandbox. */
[[nodiscard]] int uplink_new(const struct uplink_options *options, struct uplink **ret_uplink,
                             struct diag *diag);
void uplink_free(struct uplink *uplink);
void uplink_freep(struct uplink **uplink);

/* The machine to speak through; NULL while not connected. After putting something out call
 * uplink_push. */
struct link_client *uplink_client(struct uplink *uplink);
/* Sends what stands in the machine's output as far as the socket takes it. */
void uplink_push(struct uplink *uplink);
/* Cuts; connects again after the usual pause. why: for the log. */
void uplink_cut(struct uplink *uplink, const char *why);
/* The centre took us in: the next pause is short again. */
void uplink_is_well(struct uplink *uplink);

#endif
