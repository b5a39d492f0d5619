/* The agent's side of its connection: a pure machine, the mirror of link/server.h. The link process
 * feeds it what TLS gave, takes items out, and hands it batches from the spool. */
#ifndef LINK_CLIENT_H
#define LINK_CLIENT_H

#include "base/buf.h"
#include "base/str.h"
#include "link/message.h"

#include <stdint.h>

struct link_client;

enum link_answer_kind {
    LINK_ANSWER_ACK,
    LINK_ANSWER_ACTION,
    LINK_ANSWER_ENROLLED,
    LINK_ANSWER_PONG,
    LINK_ANSWER_BYE,
};

/* Borrowed until the next call on the client. */
struct link_answer {
    enum link_answer_kind kind;
    uint64_t sequence;             /* ACK */
    int64_t clock;                 /* ACK: the centre's */
    struct str request;            /* ACTION: encoded */
    struct link_enrolled enrolled; /* ENROLLED */
    enum link_bye bye; /* BYE; LINK_BYE_PROTOCOL for a reason this program does not know */
};

[[nodiscard]] int link_client_new(struct link_client **ret_client);
void link_client_free(struct link_client *client);
void link_client_freep(struct link_client **client);

/* Room and feed as in link/server.h. */
size_t link_client_room(const struct link_client *client);
[[nodiscard]] int link_client_feed(struct link_client *client, struct str bytes);
/* 1, 0 when more bytes are needed, negative when the centre broke the protocol. */
[[nodiscard]] int link_client_next(struct link_client *client, struct link_answer *ret_answer);

/* last: highest sequence in the spool. */
[[nodiscard]] int link_client_hello(struct link_client *client, uint64_t last,
                                    const struct link_hello *hello);
/* Much is unsent: no batch is taken. */
bool link_client_is_busy(const struct link_client *client);
/* content: from link_batch_encode. -ERR_AGAIN while it is busy. */
[[nodiscard]] int link_client_batch(struct link_client *client, uint64_t last, struct str content);
[[nodiscard]] int link_client_enrol(struct link_client *client, const struct link_enrol *enrol);
[[nodiscard]] int link_client_ping(struct link_client *client);
[[nodiscard]] int link_client_bye(struct link_client *client);

struct str link_client_output(const struct link_client *client);
void link_client_sent(struct link_client *client, size_t len);

#endif
