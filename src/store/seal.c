/* Ed25519 by OpenSSL, its keys in PEM. */
#include "store/seal.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#define SEAL_FILE_MAX   4096
#define SEAL_DOMAIN_MAX 64

static void key_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

static void digest_freep(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

/* Both halves as bytes; private may be NULL. */
static int key_halves(const EVP_PKEY *key, uint8_t *private, uint8_t *public)
{
    size_t len = SEAL_KEY_SIZE;

    if (key == NULL || EVP_PKEY_is_a(key, "ED25519") != 1 ||
        EVP_PKEY_get_raw_public_key(key, public, &len) != 1 || len != SEAL_KEY_SIZE) {
        return -ERR_SYNTAX;
    }
    len = SEAL_KEY_SIZE;
    if (private != NULL &&
        (EVP_PKEY_get_raw_private_key(key, private, &len) != 1 || len != SEAL_KEY_SIZE)) {
        return -ERR_SYNTAX;
    }
    return 0;
}

int seal_key_new(struct seal_key *ret_key)
{
    CLEANUP(key_freep) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    return key != NULL ? key_halves(key, ret_key->private, ret_key->public) : -ERR_NOMEM;
}

void seal_key_done(struct seal_key *key)
{
    mem_wipe(key, sizeof(*key));
}

static int key_write_file(const char *path, mode_t mode, int flags, BIO *pem)
{
    CLEANUP(closep) int fd = -1;
    char *bytes = NULL;
    long len = BIO_get_mem_data(pem, &bytes);
    int r;

    if (len <= 0) {
        return -ERR_NOMEM;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, mode);
    if (fd < 0) {
        return -errno;
    }
    r = fd_write_full(fd, bytes, (size_t)len);
    return r < 0 || fsync(fd) == 0 ? r : -errno;
}

int seal_key_write(const struct seal_key *key, const char *path)
{
    CLEANUP(key_freep)
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, key->private, sizeof(key->private));
    CLEANUP(bio_freep) BIO *pem = BIO_new(BIO_s_secmem());

    if (pkey == NULL || pem == NULL ||
        PEM_write_bio_PrivateKey(pem, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
        return -ERR_NOMEM;
    }
    return key_write_file(path, 0600, O_EXCL, pem);
}

int seal_public_write(const uint8_t public[SEAL_KEY_SIZE], const char *path)
{
    CLEANUP(key_freep)
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public, SEAL_KEY_SIZE);
    CLEANUP(bio_freep) BIO *pem = BIO_new(BIO_s_mem());

    if (pkey == NULL || pem == NULL || PEM_write_bio_PUBKEY(pem, pkey) != 1) {
        return -ERR_NOMEM;
    }
    return key_write_file(path, 0644, O_TRUNC, pem);
}

/* What others may read is no secret any more. */
static int key_read_file(const char *path, bool is_secret, struct buf *text)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        return -errno;
    }
    if (is_secret && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return -ERR_UNTRUSTED;
    }
    return fd_read_all(fd, text);
}

int seal_key_read(const char *path, struct seal_key *ret_key)
{
    struct buf text;
    int r;

    buf_init(&text, SEAL_FILE_MAX);
    r = key_read_file(path, true, &text);
    if (r == 0) {
        CLEANUP(bio_freep) BIO *pem = BIO_new_mem_buf(text.ptr, (int)text.len);
        CLEANUP(key_freep)
        EVP_PKEY *key = pem != NULL ? PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL) : NULL;

        r = key_halves(key, ret_key->private, ret_key->public);
        ERR_clear_error();
        mem_wipe(text.ptr, text.len);
    }
    buf_done(&text);
    return r;
}

int seal_public_read(const char *path, uint8_t ret_public[SEAL_KEY_SIZE])
{
    CLEANUP(buf_done) struct buf text;
    int r;

    buf_init(&text, SEAL_FILE_MAX);
    r = key_read_file(path, false, &text);
    if (r == 0) {
        CLEANUP(bio_freep) BIO *pem = BIO_new_mem_buf(text.ptr, (int)text.len);
        CLEANUP(key_freep)
        EVP_PKEY *key = pem != NULL ? PEM_read_bio_PUBKEY(pem, NULL, NULL, NULL) : NULL;

        r = key_halves(key, NULL, ret_public);
        ERR_clear_error();
    }
    return r;
}

void seal_digest(struct str bytes, uint8_t ret_sha256[32])
{
    if (EVP_Digest(bytes.ptr != NULL ? bytes.ptr : "", bytes.len, ret_sha256, NULL, EVP_sha256(),
                   NULL) != 1) {
        memset(ret_sha256, 0, 32); /* equals no digest: what is compared with it differs */
    }
}

void seal_key_id(const uint8_t public[SEAL_KEY_SIZE], uint8_t ret_id[32])
{
    seal_digest(str_of((const char *)public, SEAL_KEY_SIZE), ret_id);
}

/* The domain, a NUL, the digest. */
static size_t seal_message(const char *domain, struct str text, uint8_t out[SEAL_DOMAIN_MAX + 33])
{
    size_t len = strnlen(domain, SEAL_DOMAIN_MAX);

    memcpy(out, domain, len);
    out[len] = '\0';
    seal_digest(text, out + len + 1);
    return len + 33;
}

int seal_sign(const struct seal_key *key, const char *domain, struct str text,
              uint8_t ret_signature[SEAL_SIGNATURE_SIZE])
{
    CLEANUP(key_freep)
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, key->private, sizeof(key->private));
    CLEANUP(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint8_t message[SEAL_DOMAIN_MAX + 33];
    size_t len = SEAL_SIGNATURE_SIZE;
    size_t message_len = seal_message(domain, text, message);

    if (pkey == NULL || digest == NULL || EVP_DigestSignInit(digest, NULL, NULL, NULL, pkey) != 1 ||
        EVP_DigestSign(digest, ret_signature, &len, message, message_len) != 1) {
        return -ERR_NOMEM;
    }
    return 0;
}

bool seal_is_genuine(const uint8_t public[SEAL_KEY_SIZE], const char *domain, struct str text,
                     const uint8_t signature[SEAL_SIGNATURE_SIZE])
{
    CLEANUP(key_freep)
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public, SEAL_KEY_SIZE);
    CLEANUP(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint8_t message[SEAL_DOMAIN_MAX + 33];
    size_t len = seal_message(domain, text, message);
    bool is_genuine = pkey != NULL && digest != NULL &&
                      EVP_DigestVerifyInit(digest, NULL, NULL, NULL, pkey) == 1 &&
                      EVP_DigestVerify(digest, signature, SEAL_SIGNATURE_SIZE, message, len) == 1;

    ERR_clear_error();
    return is_genuine;
}
