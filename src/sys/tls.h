/* TLS 1.3 over a non-blocking socket (OpenSSL 3), no older version unless a server asks for it, no
 * session tickets: every connection proves itself anew, so that a revocation holds at the next one.
 * One thread per context. */
#ifndef SYS_TLS_H
#define SYS_TLS_H

#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_context; /* keys and rules, shared by connections */
struct tls;         /* one connection */

#define TLS_ALPN_MAX 8

struct tls_alpn {
    const char *name; /* "http/1.1" */
    bool needs_client_certificate;
};

struct tls_server_options {
    struct str certificate;      /* PEM: the server's, then its authority's */
    struct str key;              /* PEM */
    struct str client_authority; /* PEM: who signs client certificates */
    const struct tls_alpn
        *alpn; /* ended by a row without a name; a client that offers none of them is refused, one
                * that offers nothing at all is let in without a certificate */
    bool is_older_allowed; /* TLS 1.2 too, with forward secrecy and authenticated ciphers only */
};
[[nodiscard]] int tls_context_new_server(const struct tls_server_options *options,
                                         struct tls_context **ret_context, struct diag *diag);

struct tls_client_options {
    const char *alpn;
    struct str authority; /* PEM: who must have signed the server; empty: nobody is trusted yet, see
                             tls_pin */
    struct str certificate; /* PEM of our own, empty: none */
    struct str key;         /* PEM */
};
[[nodiscard]] int tls_context_new_client(const struct tls_client_options *options,
                                         struct tls_context **ret_context, struct diag *diag);
void tls_context_free(struct tls_context *context);
void tls_context_freep(struct tls_context **context);

/* fd: connected, non-blocking; stays the caller's. */
[[nodiscard]] int tls_new(struct tls_context *context, int fd, struct tls **ret_tls);
void tls_free(struct tls *tls);
void tls_freep(struct tls **tls);

/* Each does what it can and returns 0, the bytes moved, or negative: -ERR_AGAIN (wait for
 * tls_wants), -ERR_PIPE (the peer has closed), -ERR_UNTRUSTED (a certificate was refused, by us or
 * by the peer), -ERR_EXPIRED (that, because its time has passed), -ERR_REVOKED, -ERR_PROTO, -errno.
 * After any but -ERR_AGAIN the connection is only to be freed. */
[[nodiscard]] int tls_handshake(struct tls *tls);
[[nodiscard]] int tls_read(struct tls *tls, void *out, size_t len, size_t *ret_len);
[[nodiscard]] int tls_write(struct tls *tls, const void *bytes, size_t len, size_t *ret_len);
/* Tells the peer that this side sends no more. Best effort. */
void tls_close(struct tls *tls);
/* LOOP_READ or LOOP_WRITE (sys/loop.h): what the last -ERR_AGAIN waits for. */
unsigned tls_wants(const struct tls *tls);
/* Decrypted bytes that a poll on the descriptor does not show. */
bool tls_has_pending(const struct tls *tls);
/* What OpenSSL says about the last failure, for logs; never NULL. */
const char *tls_failure(const struct tls *tls);

/* The protocol agreed upon; "" when the client named none. */
struct str tls_alpn_name(const struct tls *tls);
/* SHA-256 of the peer's public key (SubjectPublicKeyInfo, DER). -ERR_NOENT without a certificate.
 */
[[nodiscard]] int tls_peer_key_sha256(const struct tls *tls, uint8_t ret_sha256[32]);

/* For a client that knows its server only by a fingerprint: finds the authority in the chain that
 * the server sent whose certificate's SHA-256 begins with pin, and checks the chain against it
 * alone, for use as a server. ret_authority: its PEM, at most size bytes with the NUL.
 * -ERR_UNTRUSTED, -ERR_EXPIRED. */
[[nodiscard]] int tls_pin(const struct tls *tls, struct str pin, char *ret_authority, size_t size);

#endif
