/* Keys and PEM texts for link/authority.c and link/identity.c. */
#include "link/x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static void x509_bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

void x509_freep(X509 **certificate)
{
    X509_free(*certificate);
}

void x509_req_freep(X509_REQ **request)
{
    X509_REQ_free(*request);
}

void x509_key_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

EVP_PKEY *x509_key_new(void)
{
    return EVP_EC_gen("P-256");
}

bool x509_is_p256(const EVP_PKEY *key)
{
    char group[32] = {0};
    size_t len = 0;

    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                          &len) == 1 &&
           (str_is_text(str_from(group), "prime256v1") || str_is_text(str_from(group), "P-256"));
}

int x509_key_sha256(const EVP_PKEY *key, uint8_t ret_sha256[32])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    int done;

    if (len <= 0) {
        return -ERR_NOMEM;
    }
    done = EVP_Digest(der, (size_t)len, ret_sha256, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return done == 1 ? 0 : -ERR_NOMEM;
}

X509 *x509_read(struct str pem)
{
    CLEANUP(x509_bio_freep) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);

    ERR_clear_error();
    return certificate;
}

EVP_PKEY *x509_read_key(struct str pem)
{
    CLEANUP(x509_bio_freep) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    ERR_clear_error();
    return key;
}

static int x509_hand_out(BIO *bio, int done, struct buf *buf)
{
    char *bytes = NULL;
    long len = done == 1 ? BIO_get_mem_data(bio, &bytes) : 0;

    return len > 0 ? buf_put(buf, bytes, (size_t)len) : -ERR_NOMEM;
}

int x509_write(const X509 *certificate, struct buf *buf)
{
    CLEANUP(x509_bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    return bio == NULL ? -ERR_NOMEM : x509_hand_out(bio, PEM_write_bio_X509(bio, certificate), buf);
}

int x509_write_key(const EVP_PKEY *key, struct buf *buf)
{
    CLEANUP(x509_bio_freep) BIO *bio = BIO_new(BIO_s_secmem());

    if (bio == NULL) {
        return -ERR_NOMEM;
    }
    return x509_hand_out(bio, PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), buf);
}
