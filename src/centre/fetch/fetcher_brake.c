/* Ends a connection on which much comes and nothing of an answer. Within one call libcurl reads
 * HTTP/2 for as long as frames without content lie ready, and OpenSSL tickets: a server that is
 * quick enough would hold the process, and with it the watch over every other site. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/fetch/fetcher_inside.h"

#include <openssl/ssl.h>

static int brake_index = -1; /* where a session keeps the bytes that came since the last content */

int fetcher_brake_load(void)
{
    if (brake_index < 0) {
        brake_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    }
    return brake_index < 0 ? -ERR_NOMEM : 0;
}

/* Told the five bytes before each record; what it marks as shut is read no further. */
static void fetcher_brake_on_record(int is_sent, int version, int kind, const void *bytes,
                                    size_t len, SSL *ssl, void *context)
{
    const uint8_t *head = bytes;
    size_t idle;

    (void)version;
    (void)context;
    if (is_sent != 0 || kind != SSL3_RT_HEADER || len != SSL3_RT_HEADER_LENGTH) {
        return;
    }
    idle = (size_t)SSL_get_ex_data(ssl, brake_index);
    idle += SSL3_RT_HEADER_LENGTH + ((size_t)head[3] << 8 | head[4]);
    (void)SSL_set_ex_data(ssl, brake_index, (void *)idle);
    if (idle > FETCHER_IDLE_MAX) {
        SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
    }
}

void fetcher_brake_set(SSL_CTX *context)
{
    SSL_CTX_set_msg_callback(context, fetcher_brake_on_record);
}

void fetcher_brake_ease(struct fetcher_get *get)
{
    const struct curl_tlssessioninfo *session = NULL;

    if (curl_easy_getinfo(get->easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK &&
        session != NULL && session->backend == CURLSSLBACKEND_OPENSSL &&
        session->internals != NULL) {
        (void)SSL_set_ex_data(session->internals, brake_index, NULL);
    }
}
