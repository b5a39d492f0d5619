/* The centre's side of one agent's connection: a pure machine between bytes and records. Core feeds
 * it what arrived on the stream, takes items out, commits, and tells it what to say; it holds no
 * clock and no socket.
 *
 *     bytes ─▶ link_server_feed ─▶ link_server_next ─▶ HELLO · RECORD … · BATCH_END
 *     commit ─▶ link_server_acknowledge ─▶ link_server_output ─▶ bytes
 *
 * Order of a connection: HELLO first (the answer is link_server_acknowledge with what the store
 * has), then RECORDs. PING is answered inside. An enrolment connection carries ENROL only. */
#ifndef LINK_SERVER_H
#define LINK_SERVER_H

#include "base/buf.h"
#include "base/str.h"
#include "link/message.h"

#include <stdbool.h>
#include <stdint.h>

struct link_server;

enum link_item_kind {
    LINK_ITEM_HELLO,
    LINK_ITEM_RECORD,
    LINK_ITEM_BATCH_END, /* all records of a batch were given: a good place to commit */
    LINK_ITEM_ENROL,
    LINK_ITEM_BYE, /* the agent ends the connection */
};

/* Borrowed until the next call on the server. */
struct link_item {
    enum link_item_kind kind;
    struct link_hello hello; /* HELLO */
    struct link_enrol enrol; /* ENROL */
    uint64_t
        sequence; /* HELLO: last record the agent holds; RECORD: its own; BATCH_END: the last one */
    struct str record; /* RECORD: encoded (model/record.h), not yet looked into */
};

/* is_enrolment: as front says. -ERR_NOMEM. */
[[nodiscard]] int link_server_new(bool is_enrolment, struct link_server **ret_server);
void link_server_free(struct link_server *server);
void link_server_freep(struct link_server **server);

/* How many bytes may be fed now: read no more than that from the stream (0: take items out first).
 */
size_t link_server_room(const struct link_server *server);
/* -ERR_LIMIT past the room, -ERR_NOMEM. */
[[nodiscard]] int link_server_feed(struct link_server *server, struct str bytes);
/* 1 with an item, 0 when more bytes are needed, or a negative error: the agent broke the protocol
 * (a BYE is then in the output; send it and close). */
[[nodiscard]] int link_server_next(struct link_server *server, struct link_item *ret_item);

/* Says that everything up to sequence is durable. clock: the centre's wall clock now. */
[[nodiscard]] int link_server_acknowledge(struct link_server *server, uint64_t sequence,
                                          int64_t clock);
/* Sends an encoded action_request. */
[[nodiscard]] int link_server_action(struct link_server *server, struct str request);
[[nodiscard]] int link_server_enrolled(struct link_server *server,
                                       const struct link_enrolled *enrolled);
[[nodiscard]] int link_server_ping(struct link_server *server);
/* The last word; nothing else is put out after it. */
[[nodiscard]] int link_server_bye(struct link_server *server, enum link_bye bye);

/* Bytes to write to the stream, and how many of them were written. */
struct str link_server_output(const struct link_server *server);
void link_server_sent(struct link_server *server, size_t len);

#endif
