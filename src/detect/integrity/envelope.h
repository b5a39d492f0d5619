/* What carries a manifest: the signed bytes, the signature, and, where not the site's own key
 * signed but one that it appointed for a publish window, the grant that says so. Pure: whether a
 * signature is genuine, store/seal.h says. */
#ifndef DETECT_INTEGRITY_ENVELOPE_H
#define DETECT_INTEGRITY_ENVELOPE_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENVELOPE_KEY_SIZE       32
#define ENVELOPE_SIGNATURE_SIZE 64
#define GRANT_SIZE_MAX          16384
#define GRANT_REASON_MAX        1024
#define GRANT_WHO_MAX           256

/* Borrows the bytes it was read from. */
struct envelope {
    struct str body;
    uint8_t signature[ENVELOPE_SIGNATURE_SIZE];
    struct str grant; /* an envelope around a grant; empty: the site's own key signed */
};

/* The publish token: who may sign one version of one root, changes of which time, and why. */
struct grant {
    struct str root;
    uint64_t version; /* the only one it is good for */
    int64_t from;     /* ns since 1970 UTC */
    int64_t until;
    uint8_t key[ENVELOPE_KEY_SIZE]; /* public, of the window alone */
    struct str who;
    struct str reason;
};

void envelope_encode(const struct envelope *envelope, struct buf *buf);
/* -ERR_SYNTAX, -ERR_TRUNCATED, -ERR_LIMIT, -ERR_VERSION. */
[[nodiscard]] int envelope_decode(struct str bytes, struct envelope *ret_envelope);

void grant_encode(const struct grant *grant, struct buf *buf);
[[nodiscard]] int grant_decode(struct str bytes, struct grant *ret_grant);

#endif
