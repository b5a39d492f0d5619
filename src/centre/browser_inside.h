/* What browser.c (the process and its pipes) and browser_shoot.c (the conversation) share. */
#ifndef CENTRE_BROWSER_INSIDE_H
#define CENTRE_BROWSER_INSIDE_H

#include "base/arena.h"
#include "centre/browser.h"
#include "codec/json.h"

#include <sys/types.h>

struct browser {
    pid_t pid; /* leads a session of its own; 0: none */
    int in;    /* we write */
    int out;   /* we read */
    struct buf received;
    struct buf sent;
    struct arena *arena; /* of the message under way */
    uint64_t last_id;
};

/* The only folder that the browser can write: memory, gone with it. */
#define BROWSER_CELL_FOLDER "/tmp"
/* Called in the browser's process before the program: gives up the user, the network, every folder
 * but the system's for reading, and goes with its parent. */
[[nodiscard]] int browser_cell_enter(const char *user, struct diag *diag);

/* A message is written between these two; the writer stands inside "params". session: empty for the
 * browser itself. */
uint64_t browser_begin(struct browser *browser, struct json_writer *json, const char *method,
                       struct str session);
[[nodiscard]] int browser_send(struct browser *browser, struct json_writer *json);
/* The next message, in browser->arena until the next call. deadline: monotonic ns. -ERR_TIMEDOUT,
 * -ERR_PIPE, -ERR_PROTO, -ERR_LIMIT. */
[[nodiscard]] int browser_receive(struct browser *browser, int64_t deadline,
                                  const struct json_value **ret_message);

#endif
