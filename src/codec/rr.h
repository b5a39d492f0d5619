/* The resource records of a DNS answer (RFC 1035 §4, RFC 3596): what a name is, in the order the
 * server gave it. Pure; borrows the message. Neighbours: fetch/survey.c hands in what c-ares
 * brought, which is what whoever serves the zone wrote. */
#ifndef CODEC_RR_H
#define CODEC_RR_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define RR_NAME_MAX    254 /* bytes of a name as text */
#define RR_ADDRESS_MAX 16

enum rr_type { /* as on the wire */
               RR_TYPE_A = 1,
               RR_TYPE_NS = 2,
               RR_TYPE_CNAME = 5,
               RR_TYPE_MX = 15,
               RR_TYPE_AAAA = 28,
};

enum rr_code { /* the same; there are others */
               RR_CODE_NONE = 0,
               RR_CODE_BROKEN = 2, /* SERVFAIL */
               RR_CODE_ABSENT = 3, /* NXDOMAIN: of the last name, when an alias led there */
};

struct rr_reader {
    struct str message;
    size_t at;
    unsigned code; /* enum rr_code, or another */
    unsigned left; /* records of the answer section to come */
};

struct rr {
    char owner[RR_NAME_MAX + 1]; /* small letters, without the last dot; "" is the root */
    unsigned type;
    uint32_t ttl;               /* seconds */
    char name[RR_NAME_MAX + 1]; /* of NS, CNAME, MX */
    uint8_t address[RR_ADDRESS_MAX];
    size_t address_len; /* 4 of A, 16 of AAAA, else 0 */
};

/* -ERR_TRUNCATED, -ERR_SYNTAX: it is no answer. */
[[nodiscard]] int rr_open(struct str message, struct rr_reader *ret_reader);
/* 1: the next one, of whatever type; 0: there is none; -ERR_TRUNCATED, -ERR_SYNTAX, which end the
 * reading. A byte of a label that is no letter, digit, "-" or "_" becomes "?". */
[[nodiscard]] int rr_next(struct rr_reader *reader, struct rr *ret_record);

#endif
