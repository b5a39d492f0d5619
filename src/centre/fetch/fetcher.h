/* Fetches pages over HTTP for the website watch: libcurl's multi interface on our loop. One fetch
 * follows redirects within the site, is bounded in time, bytes, headers and hops, and tells what
 * came as facts: it reads no page. On the data's way: fetch/look.c → fetcher → readers.c.
 *
 * A certificate that cannot be trusted does not end a fetch, since a defaced page behind an expired
 * one must be seen too; it is told. What leads to another site or to a private network is not
 * followed. */
#ifndef CENTRE_FETCHER_H
#define CENTRE_FETCHER_H

#include "base/diag.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/charset.h"
#include "model/site.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCHER_HOPS_MAX    8
#define FETCHER_ETAG_MAX    256
#define FETCHER_NAME_MAX    255
#define FETCHER_SIZE_MAX    (8U << 20)  /* decoded bytes of a body */
#define FETCHER_PACKED_MAX  (2U << 20)  /* bytes of one that came pressed: undone in one call */
#define FETCHER_HEADERS_MAX (64U << 10) /* bytes of headers, of one answer */
#define FETCHER_RATIO_MAX   200         /* decoded bytes to one that came, from 1 MiB on */

struct fetcher;
struct fetcher_get; /* one fetch under way */

struct fetcher_options {
    struct loop *loop;
    const struct clock *clock;
    const char *servers;    /* name servers, see dns.h */
    struct str authorities; /* PEM: who is trusted beside the system's; empty: nobody */
    unsigned limit;         /* most fetches at a time; what is over waits, untimed */
    unsigned connections;   /* most that are kept open for later */
    int64_t connect_time;   /* ns until a connection stands, TLS included */
    int64_t whole_time;     /* ns for all of one answer */
};

struct fetcher_request {
    struct str url; /* as url_canonical gave it */
    enum site_view view;
    struct str etag;        /* send If-None-Match; empty: do not */
    int64_t modified;       /* seconds since 1970: send If-Modified-Since; 0: do not */
    bool is_fresh;          /* over a connection of its own */
    bool is_plain;          /* over HTTP/1.1 only: FETCHER_FACT_PLAIN was said of the site */
    bool is_private_own;    /* the site itself stands in a private network: so may its redirects */
    bool is_private_barred; /* it never did: a private address now is somebody's trick */
};

/* Bits of what stood out on the way. */
enum fetcher_fact {
    FETCHER_FACT_DOWNGRADED = 1, /* a redirect led from https to http */
    FETCHER_FACT_ELSEWHERE = 2,  /* one led to another site: not followed */
    FETCHER_FACT_PRIVATE = 4,    /* the site itself answered from a private address */
    FETCHER_FACT_UNTRUSTED = 8,  /* its certificate proves nothing: certificate_error */
    FETCHER_FACT_UNCHANGED = 16, /* 304 */
    FETCHER_FACT_OURS = 32,      /* a time-out, but it was we who were late: no word on the site */
    FETCHER_FACT_REUSED = 64,    /* over a connection that stood */
    FETCHER_FACT_STRICT = 128,   /* it told browsers to come by https only (RFC 6797) */
    FETCHER_FACT_PLAIN = 256,    /* only over HTTP/1.1 does it say where its answers end, and there
                                    it shows the same page as far as HTTP/2 told */
};

struct fetcher_certificate { /* of the last answer; end 0: no TLS */
    int64_t end;             /* ns since 1970 UTC */
    char issuer[FETCHER_NAME_MAX + 1];
    uint8_t key_sha256[32]; /* of its public key (SubjectPublicKeyInfo) */
    const char *error;      /* why it is not to be trusted, NULL: it is */
};

struct fetcher_answer {
    enum site_failure failure; /* NONE, NAME, REFUSED, TIMEOUT, TLS, PROTOCOL, REDIRECTS, SIZE */
    const char *why;           /* libcurl's sentence, "" when there is none */
    uint32_t status;
    unsigned facts;       /* enum fetcher_fact, or'ed */
    struct str url_final; /* where it ended, or where it was not to go */
    struct site_timing timing;
    int body_fd;        /* a sealed memfd, or -1; taken by TAKE_FD, else closed */
    uint64_t size;      /* of the decoded body */
    uint8_t sha256[32]; /* of the same */
    struct str alias;   /* the name of another site that its own name leads to (CNAME), or empty */
    struct str etag;
    struct str charset;  /* that its Content-Type names; empty: none */
    int64_t modified;    /* seconds since 1970, 0: not said */
    int64_t retry_after; /* seconds, 0: not said */
    struct fetcher_certificate certificate;
};
/* The answer lives until this returns. */
typedef void fetcher_done_fn(void *context, struct fetcher_answer *answer);

/* Reads the system's certificate authorities: before the sandbox. */
[[nodiscard]] int fetcher_new(const struct fetcher_options *options, struct fetcher **ret_fetcher,
                              struct diag *diag);
void fetcher_free(struct fetcher *fetcher);

/* Whether an ETag may stand in a request as it came: a line end inside would begin a header of the
 * site's choosing. */
bool fetcher_is_tag(struct str tag);

/* Calls done once, never before it returns. */
[[nodiscard]] int fetcher_get(struct fetcher *fetcher, const struct fetcher_request *request,
                              fetcher_done_fn *done, void *context, struct fetcher_get **ret_get);
/* done is not called any more; takes NULL. */
void fetcher_cancel(struct fetcher_get *get);
/* Whether it still waits for its name's address; false for NULL. */
bool fetcher_is_resolving(const struct fetcher_get *get);
/* Whether we are why it is not here yet: it waits for room, or we were too busy. NULL: only that.
 */
bool fetcher_is_ours(const struct fetcher *fetcher, const struct fetcher_get *get);
/* Under way and waiting. */
unsigned fetcher_active(const struct fetcher *fetcher);
unsigned fetcher_waiting(const struct fetcher *fetcher);

/* An address as people write it ("example.vn") to one that is fetched: scheme, host in ASCII, path,
 * no user, no fragment. Only http and https. -ERR_SYNTAX with a sentence. out: SITE_URL_MAX + 1. */
[[nodiscard]] int url_canonical(struct str url, char *out, struct diag *diag);
/* The host of a canonical URL, and all before its path. */
struct str url_host(struct str url);
struct str url_origin(struct str url);
/* Whether two hosts are one site: the same, one below the other, with or without "www", or both
 * below one domain that is not itself a registry's (three labels, or two with a generic end). */
bool url_is_same_site(struct str host, struct str other);
/* What hosts of one owner share: the widest domain above it that is not itself a registry's. */
struct str url_domain(struct str host);

#endif
