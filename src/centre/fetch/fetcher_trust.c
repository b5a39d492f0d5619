/* What a site's certificate is worth. Verified against our own store with every error noted and
 * none fatal: the page behind a bad certificate must be seen, and the certificate be told of. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/fetch/fetcher_inside.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static int fetcher_trust_add(struct fetcher *fetcher, struct str pem, struct diag *diag)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate;
    int count = 0;

    while (bio != NULL && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(fetcher->trusted, certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
    return count > 0
               ? 0
               : diag_set(diag, -ERR_SYNTAX,
                          _("the file of certificate authorities holds no certificate (PEM)"));
}

/* The folder of hashed names that OpenSSL would look into later is of no use in a sandbox: the
 * bundle is read whole, now. */
int fetcher_trust_load(struct fetcher *fetcher, struct diag *diag)
{
    fetcher->trusted = X509_STORE_new();
    if (fetcher->trusted == NULL) {
        return -ERR_NOMEM;
    }
    if (X509_STORE_load_file(fetcher->trusted, "/etc/ssl/certs/ca-certificates.crt") != 1 &&
        X509_STORE_load_file(fetcher->trusted, X509_get_default_cert_file()) != 1) {
        return diag_set(diag, -ERR_NOENT,
                        _("no certificate authorities are installed: apt install ca-certificates"));
    }
    return fetcher->options.authorities.len == 0
               ? 0
               : fetcher_trust_add(fetcher, fetcher->options.authorities, diag);
}

static int fetcher_trust_on_verify(int is_good, X509_STORE_CTX *context)
{
    (void)is_good;
    (void)context; /* the error stays in it, and from there in the session's verify result */
    return 1;
}

static CURLcode fetcher_trust_on_context(CURL *easy, void *context, void *data)
{
    const struct fetcher_get *get = data;

    (void)easy;
    SSL_CTX_set1_cert_store(context, get->fetcher->trusted);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, fetcher_trust_on_verify);
    fetcher_brake_set(context);
    return CURLE_OK;
}

void fetcher_trust_set(struct fetcher_get *get)
{
    curl_easy_setopt(get->easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(get->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(get->easy, CURLOPT_SSL_CTX_FUNCTION, fetcher_trust_on_context);
    curl_easy_setopt(get->easy, CURLOPT_SSL_CTX_DATA, get);
}

static int64_t fetcher_trust_time(const ASN1_TIME *time)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0;
    int seconds = 0;

    if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, time) != 1) {
        days = seconds = 0;
    }
    ASN1_TIME_free(epoch);
    return (days * 86400LL + seconds) * NS_PER_S;
}

static bool fetcher_trust_is_for(X509 *certificate, struct str host)
{
    char name[FETCHER_NAME_MAX + 1];

    (void)snprintf(name, sizeof(name), "%.*s", STR_ARG(host));
    return X509_check_ip_asc(certificate, name, 0) == 1 ||
           X509_check_host(certificate, host.ptr, host.len, 0, NULL) == 1;
}

static void fetcher_trust_read_names(X509 *certificate, struct fetcher_certificate *facts)
{
    unsigned size = 0;
    X509_NAME *issuer = X509_get_issuer_name(certificate);

    if (X509_NAME_get_text_by_NID(issuer, NID_organizationName, facts->issuer,
                                  sizeof(facts->issuer)) <= 0 &&
        X509_NAME_get_text_by_NID(issuer, NID_commonName, facts->issuer, sizeof(facts->issuer)) <=
            0) {
        facts->issuer[0] = '\0';
    }
    facts->end = fetcher_trust_time(X509_get0_notAfter(certificate));
    (void)ASN1_item_digest(ASN1_ITEM_rptr(X509_PUBKEY), EVP_sha256(),
                           X509_get_X509_PUBKEY(certificate), facts->key_sha256, &size);
}

void fetcher_trust_read(struct fetcher_get *get)
{
    struct fetcher_certificate *facts = &get->answer.certificate;
    const struct curl_tlssessioninfo *session = NULL;
    X509 *certificate;
    SSL *ssl;
    long result;

    if (curl_easy_getinfo(get->easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK ||
        session == NULL || session->backend != CURLSSLBACKEND_OPENSSL ||
        session->internals == NULL) {
        return;
    }
    ssl = session->internals;
    certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == NULL) {
        return;
    }
    get->has_certificate = true;
    fetcher_trust_read_names(certificate, facts);
    result = SSL_get_verify_result(ssl);
    if (result != X509_V_OK) {
        facts->error = X509_verify_cert_error_string(result);
    } else if (!fetcher_trust_is_for(certificate, url_host(str_from(get->url)))) {
        facts->error = X509_verify_cert_error_string(X509_V_ERR_HOSTNAME_MISMATCH);
    }
    get->answer.facts |= facts->error != NULL ? (unsigned)FETCHER_FACT_UNTRUSTED : 0;
}
