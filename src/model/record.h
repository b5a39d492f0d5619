/* What an agent says to its centre, in the order in which it happened: one record each. A record
 * has a sequence number that the spool gives and the centre acknowledges; (host, sequence) is
 * counted once. */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/cbor.h"
#include "model/action.h"
#include "model/event.h"
#include "model/finding.h"

#define RECORD_SIZE_MAX (60 * 1024) /* encoded; one fits into a msg */

enum record_kind {
    RECORD_KIND_EVENT,
    RECORD_KIND_FINDING,
    RECORD_KIND_ANSWER, /* to an action */
    RECORD_KIND_STATUS, /* health and counters, once a minute and on change */
    RECORD_KIND_COUNT,
};

/* Health of an agent. Counters grow from the start of the agent's life and survive restarts in the
 * spool. */
struct status {
    int64_t time;
    struct str version;
    struct str kernel;
    struct str os;
    struct str address;         /* as the agent sees itself */
    struct str process_sensor;  /* "ebpf", "proc-connector", "none: reason" */
    struct str shield;          /* "stop-and-restore", …, "off: reason" */
    struct str protected_paths; /* parted by newlines */
    uint64_t events;            /* put into the spool */
    uint64_t dropped;           /* not put into it: the bound was reached */
    uint64_t gate_opens;        /* permission events answered */
    uint64_t gate_late;         /* of them, let go by the deadline or the watchdog */
    uint64_t vault_bytes;
    uint64_t vault_limit;
    uint64_t vault_versions;
    uint64_t stopped_groups; /* waiting for a person now */
    uint64_t restarts;       /* of child processes */
};

struct record {
    enum record_kind kind;
    struct event event;
    struct finding finding;
    struct action_answer answer;
    struct status status;
};

/* CBOR array [kind, body]; a status is the array of its members in the order above. A finding is
 * made to fit RECORD_SIZE_MAX (finding_fit). Decoding allocates from the arena and borrows the
 * reader's bytes; what stands behind is the caller's (cbor_close). */
void record_encode(const struct record *record, struct buf *buf);
[[nodiscard]] int record_decode(struct cbor_reader *reader, struct arena *arena,
                                struct record *ret_record);
/* The body's bytes in those of a record that was decoded. */
struct str record_body(struct str record);
const char *record_kind_name(enum record_kind kind);
void status_write_json(const struct status *status, struct json_writer *json);

#endif
