/* Asks the centre that runs on this machine: over the socket in its folder to the supervisor, which
 * hands the question to core. One question, one answer, a connection each. */
#ifndef CLI_CENTRE_ASK_H
#define CLI_CENTRE_ASK_H

#include "base/buf.h"
#include "base/diag.h"
#include "sys/channel.h"

#define CENTRE_BODY_LIMIT 4096

/* What is asked: a verb of core's and its arguments. */
struct centre_question {
    const char *folder; /* of the centre */
    const char *verb;
    struct buf body; /* CBOR, at most CENTRE_BODY_LIMIT; the asker's */
    struct channel_packet reply;
    struct str answer; /* CBOR, borrowed from reply */
};

/* Asks and waits at most ten seconds; the answer lives in the question. What core refused comes
 * with its sentence in diag. */
[[nodiscard]] int centre_ask(struct centre_question *question, struct diag *diag);

#endif
