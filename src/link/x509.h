/* What the centre's authority and an agent's identity both need of OpenSSL: P-256 keys and PEM. */
#ifndef LINK_X509_H
#define LINK_X509_H

#include "base/buf.h"
#include "base/str.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

void x509_freep(X509 **certificate);
void x509_req_freep(X509_REQ **request);
void x509_key_freep(EVP_PKEY **key);

/* A new P-256 key; NULL when there is none. */
[[nodiscard]] EVP_PKEY *x509_key_new(void);
/* Whether it is a P-256 key. */
bool x509_is_p256(const EVP_PKEY *key);
/* SHA-256 of SubjectPublicKeyInfo. */
[[nodiscard]] int x509_key_sha256(const EVP_PKEY *key, uint8_t ret_sha256[32]);

/* NULL when the text is not one. */
[[nodiscard]] X509 *x509_read(struct str pem);
[[nodiscard]] EVP_PKEY *x509_read_key(struct str pem);
/* Append PEM. -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int x509_write(const X509 *certificate, struct buf *buf);
[[nodiscard]] int x509_write_key(const EVP_PKEY *key, struct buf *buf);

#endif
