/* What an enrolled host holds: its key, its certificate, its centre's authority, and where the
 * centre is. Four small files in one folder of mode 0700; the key never leaves it. */
#ifndef LINK_IDENTITY_H
#define LINK_IDENTITY_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/id.h"
#include "base/str.h"

#include <stdint.h>

#define IDENTITY_FILE_LIMIT (16U << 10)
#define IDENTITY_HOST_MAX   256

struct identity {
    struct buf key;         /* PEM */
    struct buf certificate; /* PEM */
    struct buf authority;   /* PEM */
    struct id host;
    char centre[IDENTITY_HOST_MAX]; /* name or address */
    uint16_t port;
};

void identity_init(struct identity *identity);
/* Wipes the key. */
void identity_done(struct identity *identity);

/* A fresh key and a request for it (PKCS #10, DER). */
[[nodiscard]] int identity_request(struct identity *identity, struct buf *ret_request);
/* Whether certificate is for this identity's key. */
[[nodiscard]] int identity_check(const struct identity *identity, struct str certificate);

/* The times between which the certificate is good. -ERR_CORRUPT. */
[[nodiscard]] int identity_validity(const struct identity *identity, int64_t *ret_from,
                                    int64_t *ret_until);

/* Writes all of it; the file that says "enrolled" last. diag names the file. */
[[nodiscard]] int identity_save(const struct identity *identity, const char *folder,
                                struct diag *diag);
/* -ERR_NOENT with a sentence when the host is not enrolled. */
[[nodiscard]] int identity_load(struct identity *identity, const char *folder, struct diag *diag);

/* "HOST", "HOST:PORT", "[V6]:PORT", "[V6]" into an identity; LINK_PORT without one. -ERR_SYNTAX. */
[[nodiscard]] int identity_set_centre(struct identity *identity, struct str text);

#endif
