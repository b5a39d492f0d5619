/* SHA-256 of an object's content, as much at a time as the caller likes. */
#ifndef STORE_VAULT_HASH_H
#define STORE_VAULT_HASH_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

struct vault_hashing {
    uint64_t id; /* of the version; 0: nothing under way */
    uint64_t at;
    uint64_t size;
    bool skips_holes; /* a very sparse file is hashed by its data alone: a terabyte of holes takes
                         an hour */
    int fd;           /* owned */
    EVP_MD_CTX *digest;
};

/* Takes fd over on success only. */
[[nodiscard]] int vault_hashing_start(struct vault_hashing *hashing, uint64_t id, int *fd);
/* 1 when the end is reached, 0 when there is more. */
[[nodiscard]] int vault_hashing_go(struct vault_hashing *hashing, uint64_t most);
[[nodiscard]] int vault_hashing_end(struct vault_hashing *hashing, uint8_t ret_sha256[32]);
void vault_hashing_drop(struct vault_hashing *hashing);

#endif
