/* Signatures under what must not be changed by whoever can write to a disk: Ed25519 (RFC 8032) over
 * a domain and the SHA-256 of a text, so that what was signed for one purpose is worth nothing for
 * another. Keys lie in PEM files, as openssl(1) makes and reads them. Thread-safe. */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define SEAL_KEY_SIZE       32
#define SEAL_SIGNATURE_SIZE 64

struct seal_key {
    uint8_t private[SEAL_KEY_SIZE]; /* wipe it: seal_key_done */
    uint8_t public[SEAL_KEY_SIZE];
};

[[nodiscard]] int seal_key_new(struct seal_key *ret_key);
void seal_key_done(struct seal_key *key);

/* Writes the private half, mode 0600, to path, which must not exist: -ERR_EXIST. */
[[nodiscard]] int seal_key_write(const struct seal_key *key, const char *path);
/* -ERR_UNTRUSTED when others may read the file; -ERR_SYNTAX when it holds no Ed25519 key. */
[[nodiscard]] int seal_key_read(const char *path, struct seal_key *ret_key);
/* The same of the public half. Replaces what stands there. */
[[nodiscard]] int seal_public_write(const uint8_t public[SEAL_KEY_SIZE], const char *path);
[[nodiscard]] int seal_public_read(const char *path, uint8_t ret_public[SEAL_KEY_SIZE]);

/* Names a public key: SHA-256 of its 32 bytes. */
void seal_key_id(const uint8_t public[SEAL_KEY_SIZE], uint8_t ret_id[32]);

[[nodiscard]] int seal_sign(const struct seal_key *key, const char *domain, struct str text,
                            uint8_t ret_signature[SEAL_SIGNATURE_SIZE]);
bool seal_is_genuine(const uint8_t public[SEAL_KEY_SIZE], const char *domain, struct str text,
                     const uint8_t signature[SEAL_SIGNATURE_SIZE]);

/* SHA-256 of bytes at hand. */
void seal_digest(struct str bytes, uint8_t ret_sha256[32]);

#endif
