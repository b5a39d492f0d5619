/* TLS contexts and connections over OpenSSL: see sys/tls.h. Used by centre/front.c (server),
 * agent/link.c and cli/agent_enrol.c (client). Nobody else speaks to OpenSSL's SSL objects. */
#include "sys/tls.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "sys/loop.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#define TLS_CERTIFICATE_DEPTH 2

struct tls_context {
    SSL_CTX *ssl;
    const struct tls_alpn *alpn; /* of a server */
    const char *wanted;          /* of a client */
};

struct tls {
    SSL *ssl;
    unsigned wants;
    char failure[160];
};

static void tls_bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

static void tls_x509_freep(X509 **certificate)
{
    X509_free(*certificate);
}

static int tls_add_chain(SSL_CTX *ssl, struct str pem)
{
    CLEANUP(tls_bio_freep) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate;
    int count = 0;

    if (bio == NULL) {
        return -ERR_NOMEM;
    }
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        int done = count == 0 ? SSL_CTX_use_certificate(ssl, certificate)
                              : (int)SSL_CTX_add1_chain_cert(ssl, certificate);

        X509_free(certificate);
        if (done != 1) {
            return -ERR_SYNTAX;
        }
        count++;
    }
    ERR_clear_error(); /* the end of the file counts as an error there */
    return count != 0 ? 0 : -ERR_SYNTAX;
}

static int tls_add_key(SSL_CTX *ssl, struct str pem)
{
    CLEANUP(tls_bio_freep) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    int r = 0;

    if (key == NULL || SSL_CTX_use_PrivateKey(ssl, key) != 1 ||
        SSL_CTX_check_private_key(ssl) != 1) {
        r = -ERR_CONFLICT;
    }
    EVP_PKEY_free(key);
    return r;
}

static int tls_add_authority(SSL_CTX *ssl, struct str pem, bool is_server)
{
    CLEANUP(tls_bio_freep) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    CLEANUP(tls_x509_freep)
    X509 *authority = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);

    if (authority == NULL || X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), authority) != 1) {
        return -ERR_SYNTAX;
    }
    if (is_server && SSL_CTX_add_client_CA(ssl, authority) != 1) {
        return -ERR_NOMEM;
    }
    SSL_CTX_set_verify_depth(ssl, TLS_CERTIFICATE_DEPTH);
    return 0;
}

static int tls_context_alloc(const SSL_METHOD *method, struct tls_context **ret_context)
{
    CLEANUP(tls_context_freep) struct tls_context *context = mem_alloc(1, sizeof(*context));

    if (context == NULL) {
        return -ERR_NOMEM;
    }
    context->ssl = SSL_CTX_new(method);
    if (context->ssl == NULL || SSL_CTX_set_min_proto_version(context->ssl, TLS1_3_VERSION) != 1) {
        return -ERR_NOMEM;
    }
    SSL_CTX_set_options(context->ssl,
                        SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_num_tickets(context->ssl, 0);
    *ret_context = TAKE_PTR(context);
    return 0;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL) {
        return;
    }
    SSL_CTX_free(context->ssl);
    mem_free(context);
}

void tls_context_freep(struct tls_context **context)
{
    tls_context_free(*context);
    *context = NULL;
}

/* Runs before the certificate request is written: whether the client must prove itself depends on
 * what it came for. */
static int tls_choose_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                           const unsigned char *offered, unsigned offered_len, void *argument)
{
    const struct tls_context *context = argument;
    struct str rest = str_of((const char *)offered, offered_len);

    while (rest.len != 0) {
        size_t len = (unsigned char)rest.ptr[0];
        struct str name = str_slice(rest, 1, 1 + len);

        for (const struct tls_alpn *row = context->alpn; row->name != NULL; row++) {
            if (!str_is_text(name, row->name)) {
                continue;
            }
            if (row->needs_client_certificate) {
                SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
            }
            *ret_name = (const unsigned char *)name.ptr;
            *ret_len = (unsigned char)name.len;
            return SSL_TLSEXT_ERR_OK;
        }
        rest = str_slice(rest, 1 + len, rest.len);
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int tls_allow_older(SSL_CTX *ssl)
{
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1
               ? 0
               : -ERR_NOMEM;
}

int tls_context_new_server(const struct tls_server_options *options,
                           struct tls_context **ret_context, struct diag *diag)
{
    CLEANUP(tls_context_freep) struct tls_context *context = NULL;
    int r = tls_context_alloc(TLS_server_method(), &context);

    if (r == 0 && options->is_older_allowed) {
        r = tls_allow_older(context->ssl);
    }
    if (r < 0) {
        return r;
    }
    r = tls_add_chain(context->ssl, options->certificate);
    if (r < 0) {
        return diag_set(diag, r, _("the server's certificate cannot be read"));
    }
    r = tls_add_key(context->ssl, options->key);
    if (r < 0) {
        return diag_set(diag, r,
                        _("the server's key cannot be read or does not belong to its certificate"));
    }
    r = tls_add_authority(context->ssl, options->client_authority, true);
    if (r < 0) {
        return diag_set(diag, r, _("the authority's certificate cannot be read"));
    }
    context->alpn = options->alpn;
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_alpn_select_cb(context->ssl, tls_choose_alpn, context);
    *ret_context = TAKE_PTR(context);
    return 0;
}

static int tls_offer_alpn(struct tls_context *context, const char *name)
{
    unsigned char wire[64];
    size_t len = strlen(name);

    if (len + 1 > sizeof(wire)) {
        return -ERR_LIMIT;
    }
    wire[0] = (unsigned char)len;
    memcpy(wire + 1, name, len);
    return SSL_CTX_set_alpn_protos(context->ssl, wire, (unsigned)(len + 1)) == 0 ? 0 : -ERR_NOMEM;
}

int tls_context_new_client(const struct tls_client_options *options,
                           struct tls_context **ret_context, struct diag *diag)
{
    CLEANUP(tls_context_freep) struct tls_context *context = NULL;
    int r = tls_context_alloc(TLS_client_method(), &context);

    if (r == 0) {
        r = tls_offer_alpn(context, options->alpn);
    }
    if (r < 0) {
        return r;
    }
    context->wanted = options->alpn;
    SSL_CTX_set_verify(context->ssl,
                       options->authority.len != 0 ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (options->authority.len != 0 &&
        tls_add_authority(context->ssl, options->authority, false) < 0) {
        return diag_set(diag, -ERR_SYNTAX,
                        _("the centre's certificate that was kept at enrolment cannot be "
                          "read; enrol this host anew"));
    }
    if (options->certificate.len != 0 && (tls_add_chain(context->ssl, options->certificate) < 0 ||
                                          tls_add_key(context->ssl, options->key) < 0)) {
        return diag_set(diag, -ERR_SYNTAX,
                        _("this host's certificate or key cannot be read; enrol it anew"));
    }
    *ret_context = TAKE_PTR(context);
    return 0;
}

int tls_new(struct tls_context *context, int fd, struct tls **ret_tls)
{
    CLEANUP(tls_freep) struct tls *tls = mem_alloc(1, sizeof(*tls));

    if (tls == NULL) {
        return -ERR_NOMEM;
    }
    tls->ssl = SSL_new(context->ssl);
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1) {
        return -ERR_NOMEM;
    }
    if (context->alpn != NULL) {
        SSL_set_accept_state(tls->ssl);
    } else {
        SSL_set_connect_state(tls->ssl);
    }
    *ret_tls = TAKE_PTR(tls);
    return 0;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_free(tls->ssl);
    mem_free(tls);
}

void tls_freep(struct tls **tls)
{
    tls_free(*tls);
    *tls = NULL;
}

/* The verification result of our own side, as an error. */
static int tls_verdict(long verified)
{
    switch (verified) {
    case X509_V_OK:
        return 0;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return -ERR_EXPIRED;
    default:
        return -ERR_UNTRUSTED;
    }
}

/* What the peer's alert or our refusal means. */
static int tls_reason(const struct tls *tls, unsigned long error)
{
    int reason = ERR_GET_REASON(error);

    if (ERR_GET_LIB(error) != ERR_LIB_SSL) {
        return -ERR_PROTO;
    }
    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return tls_verdict(SSL_get_verify_result(tls->ssl));
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return -ERR_EXPIRED;
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        return -ERR_REVOKED;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return -ERR_UNTRUSTED;
    default:
        return -ERR_PROTO;
    }
}

static int tls_result(struct tls *tls, int done)
{
    int number = errno;
    unsigned long error;

    switch (SSL_get_error(tls->ssl, done)) {
    case SSL_ERROR_WANT_READ:
        tls->wants = LOOP_READ;
        return -ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        tls->wants = LOOP_WRITE;
        return -ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return -ERR_PIPE;
    case SSL_ERROR_SYSCALL:
        (void)snprintf(tls->failure, sizeof(tls->failure), "%s", err_text(number));
        return number == 0 || number == EPIPE ? -ERR_PIPE : -number;
    default:
        error = ERR_peek_error();
        ERR_error_string_n(error, tls->failure, sizeof(tls->failure));
        return tls_reason(tls, error);
    }
}

int tls_handshake(struct tls *tls)
{
    int done;

    ERR_clear_error();
    errno = 0;
    done = SSL_do_handshake(tls->ssl);
    return done == 1 ? 0 : tls_result(tls, done);
}

int tls_read(struct tls *tls, void *out, size_t len, size_t *ret_len)
{
    int done;

    ERR_clear_error();
    errno = 0;
    done = SSL_read_ex(tls->ssl, out, len, ret_len);
    return done == 1 ? 0 : tls_result(tls, done);
}

int tls_write(struct tls *tls, const void *bytes, size_t len, size_t *ret_len)
{
    int done;

    ERR_clear_error();
    errno = 0;
    done = SSL_write_ex(tls->ssl, bytes, len, ret_len);
    return done == 1 ? 0 : tls_result(tls, done);
}

void tls_close(struct tls *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl)) {
        (void)SSL_shutdown(tls->ssl);
    }
}

unsigned tls_wants(const struct tls *tls)
{
    return tls->wants;
}

bool tls_has_pending(const struct tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

const char *tls_failure(const struct tls *tls)
{
    return tls->failure;
}

struct str tls_alpn_name(const struct tls *tls)
{
    const unsigned char *name = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return str_of((const char *)name, len);
}

int tls_peer_key_sha256(const struct tls *tls, uint8_t ret_sha256[32])
{
    const X509 *peer = SSL_get0_peer_certificate(tls->ssl);
    unsigned char *der = NULL;
    int len;

    if (peer == NULL) {
        return -ERR_NOENT;
    }
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(peer), &der);
    if (len <= 0) {
        return -ERR_NOMEM;
    }
    len = EVP_Digest(der, (size_t)len, ret_sha256, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return len == 1 ? 0 : -ERR_NOMEM;
}

/* The certificate of the chain whose fingerprint begins with pin; borrowed. */
static X509 *tls_find_pinned(STACK_OF(X509) * chain, struct str pin)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *certificate = sk_X509_value(chain, i);
        unsigned char digest[32];
        unsigned len = sizeof(digest);

        if (X509_digest(certificate, EVP_sha256(), digest, &len) == 1 && pin.len <= len &&
            memcmp(digest, pin.ptr, pin.len) == 0) {
            return certificate;
        }
    }
    return NULL;
}

static int tls_verify_chain(STACK_OF(X509) * chain, X509 *leaf, X509 *authority)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int r = -ERR_NOMEM;

    if (store != NULL && context != NULL && X509_STORE_add_cert(store, authority) == 1 &&
        X509_STORE_CTX_init(context, store, leaf, chain) == 1 &&
        X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER) == 1) {
        r = X509_verify_cert(context) == 1 ? 0 : tls_verdict(X509_STORE_CTX_get_error(context));
        if (r == 0 && X509_STORE_CTX_get_error(context) != X509_V_OK) {
            r = -ERR_UNTRUSTED;
        }
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return r;
}

int tls_pin(const struct tls *tls, struct str pin, char *ret_authority, size_t size)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);
    X509 *authority = chain == NULL ? NULL : tls_find_pinned(chain, pin);
    CLEANUP(tls_bio_freep) BIO *bio = NULL;
    char *pem;
    long len;
    int r;

    if (authority == NULL) {
        return -ERR_UNTRUSTED;
    }
    r = tls_verify_chain(chain, sk_X509_value(chain, 0), authority);
    if (r < 0) {
        return r;
    }
    bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, authority) != 1) {
        return -ERR_NOMEM;
    }
    len = BIO_get_mem_data(bio, &pem);
    if (len <= 0 || (size_t)len >= size) {
        return -ERR_LIMIT;
    }
    memcpy(ret_authority, pem, (size_t)len);
    ret_authority[len] = '\0';
    return 0;
}
