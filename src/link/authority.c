/* The centre's certificate authority: see link/authority.h. Made by centre/keys.c, used by
 * centre/core.c for enrolments. Certificates begin a day before now, so that a host whose clock is
 * slow still takes them, and none outlives the authority. */
#include "link/authority.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "link/x509.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define AUTHORITY_DAY  86400L
#define AUTHORITY_LIFE (20 * 365 * AUTHORITY_DAY)
#define AUTHORITY_HOST_LIFE                                                                        \
    (5 * 365 * AUTHORITY_DAY)                        /* revocation is by key at every connection   \
                                                      */
#define AUTHORITY_SERVER_LIFE  (397 * AUTHORITY_DAY) /* the most that browsers take */
#define AUTHORITY_SERVER_STALE (30 * AUTHORITY_DAY)
#define AUTHORITY_FILE_LIMIT   (64U << 10)
#define AUTHORITY_NAMES_LIMIT  (16U << 10)

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

struct authority_plan {
    EVP_PKEY *key;   /* of the subject */
    struct str name; /* its common name */
    long life;       /* seconds */
    int64_t now;
    bool is_authority;
    const char *key_usage;
    const char *extended; /* NULL: none */
    const char *names;    /* subjectAltName, NULL: none */
};

static int authority_add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX context;
    int done;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL) {
        ERR_clear_error();
        return -ERR_INVAL;
    }
    done = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return done == 1 ? 0 : -ERR_NOMEM;
}

static int authority_add_extensions(X509 *certificate, X509 *issuer,
                                    const struct authority_plan *plan)
{
    const struct {
        int nid;
        const char *value;
    } rows[] = {
        {NID_basic_constraints,
         plan->is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE"},
        {NID_key_usage, plan->key_usage},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, plan->is_authority ? NULL : "keyid:always"},
        {NID_ext_key_usage, plan->extended},
        {NID_subject_alt_name, plan->names},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int r = rows[i].value != NULL
                    ? authority_add_extension(certificate, issuer, rows[i].nid, rows[i].value)
                    : 0;

        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int authority_set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    BIGNUM *number;
    int r = -ERR_NOMEM;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return -ERR_IO;
    }
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive and of full length */
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    if (number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL) {
        r = 0;
    }
    BN_free(number);
    return r;
}

static int authority_set_subject(X509 *certificate, struct str name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);

    if (X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)"Canh Gác",
                                   -1, -1, 0) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name.ptr,
                                   (int)(name.len < 60 ? name.len : 60), -1, 0) != 1) {
        ERR_clear_error();
        return -ERR_INVAL;
    }
    return 0;
}

/* authority: NULL for a certificate that signs itself. */
static int authority_issue(const struct authority *authority, const struct authority_plan *plan,
                           X509 **ret_certificate)
{
    CLEANUP(x509_freep) X509 *certificate = X509_new();
    X509 *issuer = authority != NULL ? authority->certificate : certificate;
    time_t now = (time_t)(plan->now / NS_PER_S);
    int r;

    if (certificate == NULL || X509_set_version(certificate, X509_VERSION_3) != 1) {
        return -ERR_NOMEM;
    }
    r = authority_set_serial(certificate);
    if (r == 0) {
        r = authority_set_subject(certificate, plan->name);
    }
    if (r < 0) {
        return r;
    }
    if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
        X509_set_pubkey(certificate, plan->key) != 1 ||
        X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -AUTHORITY_DAY, &now) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(certificate), 0, plan->life, &now) == NULL) {
        return -ERR_NOMEM;
    }
    if (authority != NULL &&
        ASN1_TIME_compare(X509_get0_notAfter(certificate), X509_get0_notAfter(issuer)) > 0 &&
        X509_set1_notAfter(certificate, X509_get0_notAfter(issuer)) != 1) {
        return -ERR_NOMEM;
    }
    r = authority_add_extensions(certificate, issuer, plan);
    if (r == 0 &&
        X509_sign(certificate, authority != NULL ? authority->key : plan->key, EVP_sha256()) == 0) {
        r = -ERR_NOMEM;
    }
    if (r == 0) {
        *ret_certificate = TAKE_PTR(certificate);
    }
    return r;
}

int authority_new(struct str name, int64_t now, struct authority **ret_authority)
{
    CLEANUP(authority_freep) struct authority *authority = mem_alloc(1, sizeof(*authority));
    struct authority_plan plan = {.name = name,
                                  .life = AUTHORITY_LIFE,
                                  .now = now,
                                  .is_authority = true,
                                  .key_usage = "critical,keyCertSign,cRLSign"};
    int r;

    if (authority == NULL) {
        return -ERR_NOMEM;
    }
    authority->key = x509_key_new();
    if (authority->key == NULL) {
        return -ERR_NOMEM;
    }
    plan.key = authority->key;
    r = authority_issue(NULL, &plan, &authority->certificate);
    if (r == 0) {
        *ret_authority = TAKE_PTR(authority);
    }
    return r;
}

int authority_read(struct str certificate, struct str key, struct authority **ret_authority)
{
    CLEANUP(authority_freep) struct authority *authority = mem_alloc(1, sizeof(*authority));

    if (authority == NULL) {
        return -ERR_NOMEM;
    }
    authority->certificate = x509_read(certificate);
    authority->key = x509_read_key(key);
    if (authority->certificate == NULL || authority->key == NULL) {
        return -ERR_SYNTAX;
    }
    if (X509_check_private_key(authority->certificate, authority->key) != 1) {
        ERR_clear_error();
        return -ERR_CONFLICT;
    }
    *ret_authority = TAKE_PTR(authority);
    return 0;
}

int authority_load(const char *certificate_path, const char *key_path,
                   struct authority **ret_authority, struct diag *diag)
{
    CLEANUP(buf_done) struct buf certificate;
    CLEANUP(buf_done) struct buf key;
    int r;

    buf_init(&certificate, AUTHORITY_FILE_LIMIT);
    buf_init(&key, AUTHORITY_FILE_LIMIT);
    r = file_read_all(AT_FDCWD, certificate_path, &certificate);
    if (r < 0) {
        return diag_set(diag, r, _("cannot read %s: %s"), certificate_path, err_text(r));
    }
    r = file_read_all(AT_FDCWD, key_path, &key);
    if (r < 0) {
        return diag_set(diag, r, _("cannot read %s: %s"), key_path, err_text(r));
    }
    r = authority_read(buf_str(&certificate), buf_str(&key), ret_authority);
    mem_wipe(key.ptr, key.len);
    if (r < 0) {
        return diag_set(
            diag, r, _("%s and %s are not a certificate and its key; restore both from a backup"),
            certificate_path, key_path);
    }
    return 0;
}

void authority_free(struct authority *authority)
{
    if (authority == NULL) {
        return;
    }
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    mem_free(authority);
}

void authority_freep(struct authority **authority)
{
    authority_free(*authority);
    *authority = NULL;
}

int authority_write(const struct authority *authority, struct buf *certificate, struct buf *key)
{
    int r = x509_write(authority->certificate, certificate);

    return r < 0 ? r : x509_write_key(authority->key, key);
}

int authority_fingerprint(const struct authority *authority, uint8_t ret_sha256[32])
{
    return X509_digest(authority->certificate, EVP_sha256(), ret_sha256, NULL) == 1 ? 0
                                                                                    : -ERR_NOMEM;
}

static int authority_open_request(struct str request, X509_REQ **ret_request, EVP_PKEY **ret_key)
{
    const unsigned char *der = (const unsigned char *)request.ptr;
    CLEANUP(x509_req_freep) X509_REQ *opened = d2i_X509_REQ(NULL, &der, (long)request.len);
    EVP_PKEY *key;

    if (opened == NULL || der != (const unsigned char *)request.ptr + request.len) {
        ERR_clear_error();
        return -ERR_SYNTAX;
    }
    key = X509_REQ_get0_pubkey(opened);
    if (key == NULL || !x509_is_p256(key) || X509_REQ_verify(opened, key) != 1) {
        ERR_clear_error();
        return -ERR_INVAL;
    }
    *ret_key = key;
    *ret_request = TAKE_PTR(opened);
    return 0;
}

int authority_sign_host(const struct authority *authority, struct str request,
                        const struct id *host, int64_t now, struct buf *ret_certificate,
                        uint8_t ret_key_sha256[32])
{
    CLEANUP(x509_req_freep) X509_REQ *opened = NULL;
    CLEANUP(x509_freep) X509 *certificate = NULL;
    char name[ID_TEXT_SIZE];
    struct authority_plan plan = {.life = AUTHORITY_HOST_LIFE,
                                  .now = now,
                                  .key_usage = "critical,digitalSignature",
                                  .extended = "clientAuth"};
    int r = authority_open_request(request, &opened, &plan.key);

    if (r < 0) {
        return r;
    }
    id_format(host, name);
    plan.name = str_from(name);
    r = authority_issue(authority, &plan, &certificate);
    if (r == 0) {
        r = x509_key_sha256(plan.key, ret_key_sha256);
    }
    return r < 0 ? r : x509_write(certificate, ret_certificate);
}

/* "DNS:a,IP:1.2.3.4"; names that could end an entry are left out. */
static int authority_put_names(const struct authority_server *server, struct buf *buf)
{
    for (size_t i = 0; i < server->name_count; i++) {
        const char *name = server->names[i];
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);

        ERR_clear_error();
        if (strpbrk(name, ",:\n=@ ") == NULL || address != NULL) {
            buf_putf(buf, "%s%s:%s", buf->len != 0 ? "," : "", address != NULL ? "IP" : "DNS",
                     name);
        }
        ASN1_OCTET_STRING_free(address);
    }
    if (buf_error(buf) < 0) {
        return buf_error(buf);
    }
    return buf->len == 0 ? -ERR_INVAL : 0;
}

int authority_sign_server(const struct authority *authority, const struct authority_server *server,
                          struct buf *ret_certificate, struct buf *ret_key)
{
    CLEANUP(x509_key_freep) EVP_PKEY *key = x509_key_new();
    CLEANUP(x509_freep) X509 *certificate = NULL;
    CLEANUP(buf_done) struct buf names;
    struct authority_plan plan = {.key = key,
                                  .life = AUTHORITY_SERVER_LIFE,
                                  .now = server->now,
                                  .key_usage = "critical,digitalSignature",
                                  .extended = "serverAuth"};
    int r;

    buf_init(&names, AUTHORITY_NAMES_LIMIT);
    if (key == NULL) {
        return -ERR_NOMEM;
    }
    r = authority_put_names(server, &names);
    if (r < 0) {
        return r;
    }
    plan.names = names.ptr;
    plan.name = str_from(server->names[0]);
    r = authority_issue(authority, &plan, &certificate);
    if (r == 0) {
        r = x509_write(certificate, ret_certificate);
    }
    if (r == 0) {
        r = x509_write(authority->certificate, ret_certificate);
    }
    return r < 0 ? r : x509_write_key(key, ret_key);
}

int authority_is_server_stale(const struct authority *authority, struct str certificate,
                              const struct authority_server *server)
{
    CLEANUP(x509_freep) X509 *have = x509_read(certificate);
    EVP_PKEY *key = X509_get0_pubkey(authority->certificate);
    time_t soon = (time_t)(server->now / NS_PER_S) + AUTHORITY_SERVER_STALE;

    if (have == NULL || X509_verify(have, key) != 1 ||
        X509_cmp_time(X509_get0_notAfter(have), &soon) <= 0) {
        ERR_clear_error();
        return 1;
    }
    for (size_t i = 0; i < server->name_count; i++) {
        const char *name = server->names[i];

        if (X509_check_host(have, name, 0, 0, NULL) != 1 && X509_check_ip_asc(have, name, 0) != 1) {
            return 1;
        }
    }
    return 0;
}
