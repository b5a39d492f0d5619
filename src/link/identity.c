/* An enrolled host's files: see link/identity.h. Written by cli/agent_enrol.c, read by agent/link.c
 * before it drops its rights. */
#include "link/identity.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "link/message.h"
#include "link/x509.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/asn1.h>
#include <openssl/err.h>

#define IDENTITY_KEY         "host.key"
#define IDENTITY_CERTIFICATE "host.crt"
#define IDENTITY_AUTHORITY   "centre.crt"
#define IDENTITY_CENTRE      "centre" /* HOST PORT HOST-ID; written last */

static void asn1_time_freep(ASN1_TIME **time)
{
    ASN1_TIME_free(*time);
}

void identity_init(struct identity *identity)
{
    *identity = (struct identity){0};
    buf_init(&identity->key, IDENTITY_FILE_LIMIT);
    buf_init(&identity->certificate, IDENTITY_FILE_LIMIT);
    buf_init(&identity->authority, IDENTITY_FILE_LIMIT);
}

void identity_done(struct identity *identity)
{
    if (identity->key.ptr != NULL) {
        mem_wipe(identity->key.ptr, identity->key.room);
    }
    buf_done(&identity->key);
    buf_done(&identity->certificate);
    buf_done(&identity->authority);
}

int identity_request(struct identity *identity, struct buf *ret_request)
{
    CLEANUP(x509_key_freep) EVP_PKEY *key = x509_key_new();
    CLEANUP(x509_req_freep) X509_REQ *request = X509_REQ_new();
    unsigned char *der = NULL;
    int len;
    int r;

    if (key == NULL || request == NULL || X509_REQ_set_pubkey(request, key) != 1 ||
        X509_REQ_sign(request, key, EVP_sha256()) == 0) {
        return -ERR_NOMEM;
    }
    len = i2d_X509_REQ(request, &der);
    if (len <= 0) {
        return -ERR_NOMEM;
    }
    r = buf_put(ret_request, der, (size_t)len);
    OPENSSL_free(der);
    if (r < 0) {
        return r;
    }
    buf_reset(&identity->key);
    return x509_write_key(key, &identity->key);
}

int identity_check(const struct identity *identity, struct str certificate)
{
    CLEANUP(x509_freep) X509 *given = x509_read(certificate);
    CLEANUP(x509_key_freep) EVP_PKEY *key = x509_read_key(buf_str(&identity->key));
    bool is_ours = given != NULL && key != NULL && X509_check_private_key(given, key) == 1;

    ERR_clear_error();
    return is_ours ? 0 : -ERR_UNTRUSTED;
}

static int identity_time(const ASN1_TIME *time, int64_t *ret_ns)
{
    int days = 0;
    int seconds = 0;
    CLEANUP(asn1_time_freep) ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);

    if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, time) != 1) {
        return -ERR_CORRUPT;
    }
    *ret_ns = ((int64_t)days * 86400 + seconds) * NS_PER_S;
    return 0;
}

int identity_validity(const struct identity *identity, int64_t *ret_from, int64_t *ret_until)
{
    CLEANUP(x509_freep) X509 *certificate = x509_read(buf_str(&identity->certificate));
    int64_t from = 0;
    int r =
        certificate != NULL ? identity_time(X509_get0_notBefore(certificate), &from) : -ERR_CORRUPT;

    r = r < 0 ? r : identity_time(X509_get0_notAfter(certificate), ret_until);
    if (r == 0) {
        *ret_from = from;
    }
    return r;
}

static int identity_open_folder(const char *folder, struct diag *diag)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        int r = -errno;

        return diag_set(diag, r, _("cannot open the folder %s: %s"), folder, err_text(r));
    }
    return fd;
}

int identity_save(const struct identity *identity, const char *folder, struct diag *diag)
{
    CLEANUP(buf_done) struct buf centre;
    CLEANUP(closep) int fd = identity_open_folder(folder, diag);
    char host[ID_TEXT_SIZE];

    if (fd < 0) {
        return fd;
    }
    buf_init(&centre, IDENTITY_FILE_LIMIT);
    id_format(&identity->host, host);
    buf_putf(&centre, "%s %u %s\n", identity->centre, identity->port, host);
    const struct {
        const char *name;
        struct str bytes;
        mode_t mode;
    } files[] = {
        {IDENTITY_KEY, buf_str(&identity->key), 0600},
        {IDENTITY_CERTIFICATE, buf_str(&identity->certificate), 0644},
        {IDENTITY_AUTHORITY, buf_str(&identity->authority), 0644},
        {IDENTITY_CENTRE, buf_str(&centre), 0644},
    };

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        int r = file_write_atomic(fd, files[i].name, files[i].bytes, files[i].mode);

        if (r < 0) {
            return diag_set(diag, r, _("cannot write %s/%s: %s"), folder, files[i].name,
                            err_text(r));
        }
    }
    return buf_error(&centre);
}

static int identity_parse_centre(struct identity *identity, struct str line)
{
    struct str parts[3];
    uint64_t port;

    line = str_trim(line);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (!str_cut(&line, ' ', &parts[i])) {
            return -ERR_SYNTAX;
        }
    }
    if (parts[0].len == 0 || parts[0].len >= sizeof(identity->centre) ||
        str_to_u64(parts[1], &port) < 0 || port == 0 || port > 65535 ||
        id_parse(parts[2], &identity->host) < 0) {
        return -ERR_SYNTAX;
    }
    memcpy(identity->centre, parts[0].ptr, parts[0].len);
    identity->centre[parts[0].len] = '\0';
    identity->port = (uint16_t)port;
    return 0;
}

int identity_load(struct identity *identity, const char *folder, struct diag *diag)
{
    CLEANUP(buf_done) struct buf centre;
    CLEANUP(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : 0;

    buf_init(&centre, IDENTITY_FILE_LIMIT);
    const struct {
        const char *name;
        struct buf *buf;
    } files[] = {
        {IDENTITY_CENTRE, &centre},
        {IDENTITY_KEY, &identity->key},
        {IDENTITY_CERTIFICATE, &identity->certificate},
        {IDENTITY_AUTHORITY, &identity->authority},
    };

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++) {
        r = file_read_all(fd, files[i].name, files[i].buf);
        if (r < 0 && r != -ERR_NOENT) {
            return diag_set(diag, r, _("cannot read %s/%s: %s"), folder, files[i].name,
                            err_text(r));
        }
    }
    if (r == -ERR_NOENT) {
        return diag_set(
            diag, r,
            _("this host is not enrolled; make a token on the centre with 'canhgac centre "
              "token', then run 'canhgac agent enrol HOST TOKEN' here"));
    }
    if (r == 0) {
        r = identity_parse_centre(identity, buf_str(&centre));
    }
    if (r < 0) {
        return diag_set(diag, r, _("%s/%s is damaged; enrol this host anew"), folder,
                        IDENTITY_CENTRE);
    }
    return 0;
}

int identity_set_centre(struct identity *identity, struct str text)
{
    struct str host = text;
    struct str port = STR("");
    uint64_t number = LINK_PORT;
    size_t end;

    if (text.len != 0 && text.ptr[0] == '[') {
        end = str_find_byte(text, ']');
        host = str_slice(text, 1, end);
        port = str_slice(text, end + 1, text.len);
        if (end == text.len || (port.len != 0 && port.ptr[0] != ':')) {
            return -ERR_SYNTAX;
        }
        port = str_slice(port, 1, port.len);
    } else {
        end = str_find_byte(text, ':');
        if (end < text.len &&
            str_find_byte(str_slice(text, end + 1, text.len), ':') == text.len - end - 1) {
            host = str_slice(text, 0, end);
            port = str_slice(text, end + 1, text.len);
        } /* two colons and no bracket: an address of version 6 without a port */
    }
    if (port.len != 0 && str_to_u64(port, &number) < 0) {
        return -ERR_SYNTAX;
    }
    if (host.len == 0 || host.len >= sizeof(identity->centre) || number == 0 || number > 65535 ||
        str_find_byte(host, ' ') != host.len) {
        return -ERR_SYNTAX;
    }
    memcpy(identity->centre, host.ptr, host.len);
    identity->centre[host.len] = '\0';
    identity->port = (uint16_t)number;
    return 0;
}
