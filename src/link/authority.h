/* The centre's own certificate authority: one P-256 key, made at the first start, that signs the
 * server's certificate and the certificates of enrolled hosts. Held by the supervisor while it
 * makes keys, and by core. */
#ifndef LINK_AUTHORITY_H
#define LINK_AUTHORITY_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/id.h"
#include "base/str.h"

#include <stdint.h>

struct authority;

/* Makes a new one. name: of the centre; now: wall clock, ns. */
[[nodiscard]] int authority_new(struct str name, int64_t now, struct authority **ret_authority);
/* From PEM texts. -ERR_SYNTAX, -ERR_CONFLICT when the key is not the certificate's. */
[[nodiscard]] int authority_read(struct str certificate, struct str key,
                                 struct authority **ret_authority);
/* From the two files. diag names the file and the remedy. */
[[nodiscard]] int authority_load(const char *certificate_path, const char *key_path,
                                 struct authority **ret_authority, struct diag *diag);
void authority_free(struct authority *authority);
void authority_freep(struct authority **authority);
/* PEM, for the two files. */
[[nodiscard]] int authority_write(const struct authority *authority, struct buf *certificate,
                                  struct buf *key);
/* SHA-256 of the certificate's DER: what a token pins. */
[[nodiscard]] int authority_fingerprint(const struct authority *authority, uint8_t ret_sha256[32]);

/* Signs a host's request (PKCS #10, DER), checking its own signature and that the key is P-256. The
 * certificate names the host by id only and is good for client authentication only. key_sha256: of
 * the public key (SubjectPublicKeyInfo), as front will report it. -ERR_SYNTAX, -ERR_INVAL. */
[[nodiscard]] int authority_sign_host(const struct authority *authority, struct str request,
                                      const struct id *host, int64_t now,
                                      struct buf *ret_certificate, uint8_t ret_key_sha256[32]);

struct authority_server {
    const char *const *names; /* host names and addresses, as texts */
    size_t name_count;
    int64_t now;
};
/* A new key and certificate of the server, PEM; the certificate is followed by the authority's. */
[[nodiscard]] int authority_sign_server(const struct authority *authority,
                                        const struct authority_server *server,
                                        struct buf *ret_certificate, struct buf *ret_key);
/* Whether a server certificate should be made anew: signed by another, ends within 30 days, or
 * lacks a name. */
[[nodiscard]] int authority_is_server_stale(const struct authority *authority,
                                            struct str certificate,
                                            const struct authority_server *server);

#endif
