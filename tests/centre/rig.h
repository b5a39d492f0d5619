/* A whole centre in one process and one loop, without TLS: core and api with their channels, a
 * store in a scratch folder, browsers and agents as ends of socket pairs, and a clock that can be
 * moved. */
#ifndef TESTS_CENTRE_RIG_H
#define TESTS_CENTRE_RIG_H

#include "base/buf.h"
#include "centre/api/private.h"
#include "centre/core/private.h"
#include "link/client.h"
#include "model/record.h"

#define RIG_PASSWORD "chó cắn áo rách 2026"

struct rig {
    char folder[64];
    struct loop *loop;
    struct store *store;  /* core's */
    struct store *reader; /* the api's */
    struct archive *archive;
    struct authority *authority;
    struct core *core;
    struct api *api;
    int front_core;
    int front_api;
    int supervisor;
    int fetch;     /* the end of the process that looks at websites; non-blocking */
    int middle[2]; /* core's end, the api's end */
    struct centre_settings settings;
    struct arena *settings_arena;
    struct arena *arena; /* of the test */
    struct clock clock;
    int64_t offset; /* of the wall clock, ns */
    int64_t mono_offset;
};

/* Users of every role (viewer, duty, admin) with RIG_PASSWORD, and "fresh", whose password must be
 * changed. */
void rig_start(struct rig *rig);
void rig_start_in(struct rig *rig, const char *folder);
void rig_stop(struct rig *rig);
/* Core alone goes and comes back over the same store. */
void rig_stop_core(struct rig *rig);
void rig_start_core(struct rig *rig);
void rig_restart_core(struct rig *rig);
void rig_step(struct rig *rig);

struct answer {
    int status;
    char head[4096];
    struct buf body;
    struct arena *arena;
    struct json_value *json; /* of the body, NULL when it is none */
};
void answer_done(struct answer *answer);
/* Value of a header, "" when there is none; until the next call. */
const char *answer_header(const struct answer *answer, const char *name);

/* A browser's end, non-blocking. */
int rig_browser(struct rig *rig, const char *address);
void rig_send(int fd, const char *bytes, size_t len);
/* Runs the loop until a whole answer is there. */
void rig_receive(struct rig *rig, int fd, struct answer *answer);
/* headers: lines with \r\n, or "". body NULL: none. Adds Host, X-Canhgac and Content-Type itself.
 */
void rig_http(struct rig *rig, const char *method, const char *path, const char *headers,
              const char *body, struct answer *answer);
/* Logs in; cookie: a header line. */
void rig_login(struct rig *rig, const char *user, char cookie[256]);
/* Reads from fd until text has been seen (kept in buf); fails after ten seconds. */
void rig_wait_text(struct rig *rig, int fd, struct buf *buf, const char *text);

/* A host in the store and in core; key is filled with byte. */
struct id rig_add_host(struct rig *rig, const char *name, uint8_t byte);

struct rig_agent {
    int fd;
    struct link_client *client;
    bool is_closed;
};
void rig_agent_connect(struct rig *rig, uint8_t key_byte, bool is_enrolment,
                       struct rig_agent *agent);
void rig_agent_hello(struct rig *rig, struct rig_agent *agent, uint64_t last);
/* Records [first, last] as one batch: every tenth a finding, every tenth an entry of one of two
 * logs, the rest events of processes. */
void rig_agent_batch(struct rig *rig, struct rig_agent *agent, uint64_t first, uint64_t last);
void rig_agent_record(struct rig *rig, struct rig_agent *agent, uint64_t sequence,
                      const struct record *record);
/* Runs the loop until the agent is told something; false when the stream ended. */
bool rig_agent_wait(struct rig *rig, struct rig_agent *agent, struct link_answer *answer);
/* Until everything up to sequence is acknowledged. */
void rig_agent_wait_ack(struct rig *rig, struct rig_agent *agent, uint64_t sequence);
void rig_agent_close(struct rig *rig, struct rig_agent *agent);

/* A finding of a host, folded at once. Returns the alert's number. */
uint64_t rig_add_alert(struct rig *rig, const struct id *host, const char *title,
                       enum severity severity);

#endif
