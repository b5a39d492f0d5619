/* The inside of the fetcher, shared by fetcher*.c only. */
#ifndef CENTRE_FETCHER_INSIDE_H
#define CENTRE_FETCHER_INSIDE_H

#include "base/buf.h"
#include "base/list.h"
#include "centre/fetch/dns.h"
#include "centre/fetch/fetcher.h"
#include "centre/fetch/unpack.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define FETCHER_WHY_SIZE  CURL_ERROR_SIZE
#define FETCHER_SPARE_MAX 256
#define FETCHER_IDLE_MAX  (1U << 20) /* bytes of TLS without one of a header or a body */

struct fetcher {
    struct fetcher_options options;
    struct dns *dns;
    CURLM *multi;
    X509_STORE *trusted;
    struct unpacker *unpacker;
    struct loop_source *timer;
    struct loop_source *pulse; /* beats to see how late we are */
    int64_t pulse_due;         /* monotonic ns */
    int64_t late_at;           /* when we were last so late that a time-out may be our own */
    struct list waiting;
    struct list active;
    CURL *spare[FETCHER_SPARE_MAX]; /* handles that have done their work keep their memory */
    unsigned waiting_count;
    unsigned active_count;
    unsigned spare_count;
};

struct fetcher_get {
    struct list node;
    struct fetcher *fetcher;
    fetcher_done_fn *done;
    void *context;
    enum site_view view;
    bool is_fresh;
    bool is_private_own;
    bool is_private_barred;
    bool is_plain;  /* over HTTP/1.1 only: what came over HTTP/2 may have been half of it */
    bool is_active; /* no longer waiting for room */
    bool is_added;  /* to the multi handle */
    char url[SITE_URL_MAX + 1];
    char etag[FETCHER_ETAG_MAX + 1];
    int64_t modified;
    int64_t started;  /* monotonic ns, of the first hop */
    int64_t hop_time; /* the same, of this one */
    int64_t resolved; /* ns that this hop's name took */
    unsigned hops;
    struct dns_wait *wait;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *addresses;
    struct buf packed; /* the body as it comes */
    enum unpack_encoding encoding;
    size_t header_bytes;
    bool has_certificate;
    enum site_failure refusal; /* by one of our own limits */
    char error[FETCHER_WHY_SIZE];
    char answer_etag[FETCHER_ETAG_MAX + 1];
    char alias[DNS_HOST_MAX + 1];
    char answer_charset[CHARSET_LABEL_MAX + 1];
    struct fetcher_answer answer;
    struct fetcher_answer doubtful; /* what is_plain doubts; told when nothing better comes */
    char doubtful_charset[CHARSET_LABEL_MAX + 1];
    bool is_rest_known; /* what came since begins with all of it */
};

/* fetcher_transfer.c: sets up the handle for the next hop, and reads out what became of it. */
[[nodiscard]] int fetcher_transfer_begin(struct fetcher_get *get,
                                         const struct dns_answer *addresses);
void fetcher_transfer_end(struct fetcher_get *get, CURLcode code);
/* Whether nothing tells that the answer's body came whole. */
bool fetcher_transfer_is_unsure(const struct fetcher_get *get);
void fetcher_transfer_done(struct fetcher_get *get);
/* Where the answer that came leads, in `out` (SITE_URL_MAX + 1); false when it leads nowhere. */
bool fetcher_transfer_redirect(struct fetcher_get *get, char *out);

/* fetch/fetcher_brake.c: a connection is ended once FETCHER_IDLE_MAX bytes came on it since it was
 * eased last, which every header and every piece of a body does. */
[[nodiscard]] int fetcher_brake_load(void);
void fetcher_brake_set(SSL_CTX *context);
void fetcher_brake_ease(struct fetcher_get *get);

/* fetch/fetcher_trust.c */
[[nodiscard]] int fetcher_trust_load(struct fetcher *fetcher, struct diag *diag);
void fetcher_trust_set(struct fetcher_get *get);
void fetcher_trust_read(struct fetcher_get *get);

#endif
