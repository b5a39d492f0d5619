/* What the payloads of frames say, as CBOR maps with small numbers as keys; unknown keys are
 * skipped, so that an older side understands a newer one. Pure. Decoded texts borrow. */
#ifndef LINK_MESSAGE_H
#define LINK_MESSAGE_H

#include "base/buf.h"
#include "base/id.h"
#include "base/str.h"
#include "codec/cbor.h"

#include <stdint.h>

#define LINK_ALPN_AGENT    "canhgac/1"
#define LINK_ALPN_ENROL    "canhgac-enrol/1"
#define LINK_ALPN_BROWSER  "http/1.1"
#define LINK_PORT          8443

#define LINK_BATCH_RECORDS 1024         /* most records in a BATCH */
#define LINK_BATCH_BYTES   (512U << 10) /* of records that close a batch */
#define LINK_SECRET_SIZE   14           /* of a token */
#define LINK_SEQUENCE_MAX                                                                          \
    (1ULL << 62) /* of a record: none comes near it, and a store counts it                         \
                  */

/* Why a side leaves. */
enum link_bye {
    LINK_BYE_END,      /* it goes away for now: come again */
    LINK_BYE_PROTOCOL, /* what was sent cannot be understood */
    LINK_BYE_VERSION,  /* a frame version this side does not know */
    LINK_BYE_UNKNOWN,  /* no host is enrolled under this key */
    LINK_BYE_REVOKED,
    LINK_BYE_FULL, /* the centre cannot keep anything at present */
    LINK_BYE_TOKEN_UNKNOWN,
    LINK_BYE_TOKEN_USED,
    LINK_BYE_TOKEN_EXPIRED,
    LINK_BYE_REQUEST,   /* the certificate request is not acceptable */
    LINK_BYE_ELSEWHERE, /* the same host has connected again */
    LINK_BYE_COUNT,
};
/* One sentence with its remedy, for the person at the agent; translate with text_get. */
const char *link_bye_sentence(enum link_bye bye);

struct link_hello {
    int64_t clock;      /* the host's, ns since 1970 UTC */
    struct str version; /* of the program */
    uint64_t waiting;   /* records in the spool that are not acknowledged */
    uint64_t dropped;   /* ever, by the bound */
};
struct link_ack {
    int64_t clock; /* the centre's */
};
struct link_enrol {
    struct str secret;  /* LINK_SECRET_SIZE bytes */
    struct str request; /* PKCS #10, DER */
    struct str name;    /* the host's own */
};
struct link_enrolled {
    struct id host;
    struct str certificate; /* PEM */
    struct str name;        /* as the centre will call it */
};

void link_hello_encode(const struct link_hello *hello, struct buf *buf);
[[nodiscard]] int link_hello_decode(struct str content, struct link_hello *ret_hello);
void link_ack_encode(const struct link_ack *ack, struct buf *buf);
[[nodiscard]] int link_ack_decode(struct str content, struct link_ack *ret_ack);
void link_enrol_encode(const struct link_enrol *enrol, struct buf *buf);
[[nodiscard]] int link_enrol_decode(struct str content, struct link_enrol *ret_enrol);
void link_enrolled_encode(const struct link_enrolled *enrolled, struct buf *buf);
[[nodiscard]] int link_enrolled_decode(struct str content, struct link_enrolled *ret_enrolled);

/* A BATCH: array of 2·n items, sequence and record (byte string) in turn, sequences growing.
 * Records are put one by one into items; link_batch_encode closes them into content. */
void link_batch_put(struct buf *items, uint64_t sequence, struct str record);
void link_batch_encode(struct str items, size_t records, struct buf *content);
/* Opens; then next gives each record, returning 1, 0 at the end, or -ERR_PROTO. */
struct link_batch {
    struct cbor_reader reader;
    size_t left;
    uint64_t sequence; /* of the record given last */
};
[[nodiscard]] int link_batch_open(struct link_batch *batch, struct str content);
[[nodiscard]] int link_batch_next(struct link_batch *batch, uint64_t *ret_sequence,
                                  struct str *ret_record);

#endif
