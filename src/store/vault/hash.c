/* Hashing of content for vault_tend (in slices) and vault_verify (at one go). */
#include "store/vault/hash.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define HASH_CHUNK     (256U << 10)
#define HASH_HOLES_MAX (1ULL << 30)

void vault_hashing_drop(struct vault_hashing *hashing)
{
    closep(&hashing->fd);
    EVP_MD_CTX_free(hashing->digest);
    *hashing = (struct vault_hashing){.fd = -1};
}

int vault_hashing_start(struct vault_hashing *hashing, uint64_t id, int *fd)
{
    EVP_MD_CTX *digest;
    struct stat st;

    if (fstat(*fd, &st) != 0) {
        return -errno;
    }
    digest = EVP_MD_CTX_new();
    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(digest);
        return -ERR_NOMEM;
    }
    *hashing = (struct vault_hashing){
        .id = id,
        .size = (uint64_t)st.st_size,
        .skips_holes = (uint64_t)st.st_size > (uint64_t)st.st_blocks * 512 + HASH_HOLES_MAX,
        .fd = TAKE_FD(*fd),
        .digest = digest,
    };
    return 0;
}

int vault_hashing_go(struct vault_hashing *hashing, uint64_t most)
{
    CLEANUP(mem_freep) char *chunk = mem_alloc(HASH_CHUNK, 1);

    if (chunk == NULL) {
        return -ERR_NOMEM;
    }
    for (uint64_t done = 0; done < most;) {
        ssize_t got;

        if (hashing->skips_holes) {
            off_t data = lseek(hashing->fd, (off_t)hashing->at, SEEK_DATA);

            hashing->at = data >= 0 ? (uint64_t)data : hashing->size;
        }
        got = pread(hashing->fd, chunk, HASH_CHUNK, (off_t)hashing->at);
        if (got <= 0) {
            return got == 0 ? 1 : -errno;
        }
        if (EVP_DigestUpdate(hashing->digest, chunk, (size_t)got) != 1) {
            return -ERR_NOMEM;
        }
        hashing->at += (uint64_t)got;
        done += (uint64_t)got;
    }
    return 0;
}

int vault_hashing_end(struct vault_hashing *hashing, uint8_t ret_sha256[32])
{
    return EVP_DigestFinal_ex(hashing->digest, ret_sha256, NULL) == 1 ? 0 : -ERR_NOMEM;
}
