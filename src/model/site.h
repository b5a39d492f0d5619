/* A watched website and what one look at one of its pages told. Sites are entered by people
 * (console, API, CSV, command line); a check is made by detect/deface/ from what the fetcher
 * brought, kept by store/, shown by the console. Everything borrowed: texts live in the arena of
 * whoever made them. */
#ifndef MODEL_SITE_H
#define MODEL_SITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/cbor.h"
#include "codec/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SITE_URL_MAX     2048
#define SITE_NAME_MAX    255
#define SITE_SNIPPET_MAX 240 /* bytes of a reason's snippet */
#define SITE_REASONS_MAX 16

/* What the site is for: decides what is watched first and how an alarm is worded. */
enum site_service {
    SITE_SERVICE_PORTAL,
    SITE_SERVICE_ONE_STOP, /* administrative procedures */
    SITE_SERVICE_MAIL,
    SITE_SERVICE_DOCUMENT,
    SITE_SERVICE_OTHER,
    SITE_SERVICE_COUNT,
};

/* As whom a page is fetched. */
enum site_view {
    SITE_VIEW_DESKTOP,
    SITE_VIEW_CRAWLER, /* a search engine's robot */
    SITE_VIEW_SEARCH,  /* a person who comes from a search result */
    SITE_VIEW_MOBILE,
    SITE_VIEW_COUNT,
};

/* Why a page is fetched at all. */
enum site_page {
    SITE_PAGE_LISTED,  /* a person named it */
    SITE_PAGE_LINKED,  /* a listed page links it */
    SITE_PAGE_MISSING, /* a made-up path that must not exist */
    SITE_PAGE_ROBOTS,
    SITE_PAGE_SITEMAP,
    SITE_PAGE_HIDDEN, /* only the crawler's view or the sitemap links it */
    SITE_PAGE_UPLOADS,
    SITE_PAGE_COUNT,
};

/* UNKNOWN is neither fine nor changed: blank, captcha, firewall's page, 5xx, torn, unreachable. */
enum site_verdict {
    SITE_VERDICT_UNKNOWN,
    SITE_VERDICT_OK,
    SITE_VERDICT_CHANGED, /* as its editors change it */
    SITE_VERDICT_YELLOW,  /* one layer speaks: a person should look when there is time */
    SITE_VERDICT_RED,     /* two independent layers or one impossible event, seen twice */
    SITE_VERDICT_COUNT,
};

enum site_layer {
#define LAYER(constant, word, sentence) SITE_LAYER_##constant,
#include "model/layers.def"
#undef LAYER
    SITE_LAYER_COUNT,
};

/* Why there is nothing to judge: the page as it came is no page. */
enum site_failure {
    SITE_FAILURE_NONE,
    SITE_FAILURE_NAME,    /* its name does not resolve */
    SITE_FAILURE_REFUSED, /* nobody listens there */
    SITE_FAILURE_TIMEOUT,
    SITE_FAILURE_TLS,       /* handshake or certificate */
    SITE_FAILURE_PROTOCOL,  /* what answers does not speak HTTP */
    SITE_FAILURE_REDIRECTS, /* too many, or to where one must not go */
    SITE_FAILURE_SIZE,      /* larger than the limit, or a decompression bomb */
    SITE_FAILURE_STATUS,    /* 4xx or 5xx where a page should be */
    SITE_FAILURE_BLANK,
    SITE_FAILURE_CAPTCHA,
    SITE_FAILURE_FIREWALL,    /* a firewall's or a provider's own page */
    SITE_FAILURE_PARTIAL,     /* far fewer words than ever */
    SITE_FAILURE_OWN_NETWORK, /* nothing can be reached: it is us */
    SITE_FAILURE_COUNT,
};

struct site_timing { /* ns since the start of the request; 0: not reached */
    int64_t resolved;
    int64_t connected;
    int64_t secured;
    int64_t first_byte;
    int64_t done;
};

struct site_reason {
    enum site_layer layer;
    enum site_view view;
    struct str what;    /* machine word of model/reasons.def */
    struct str value;   /* the figure, host or phrase behind it */
    double score;       /* its part of the log-odds */
    struct str snippet; /* what is new, in its place: printable UTF-8, SITE_SNIPPET_MAX at most */
    uint64_t offset;    /* of the snippet in the decoded body */
};

/* One look at one page, judged. */
struct site_check {
    uint64_t site;  /* its number in the store; 0 for the hand tool */
    struct str url; /* as asked */
    struct str url_final;
    enum site_page page;
    enum site_view view;
    int64_t time; /* ns since 1970 UTC */
    enum site_verdict verdict;
    enum site_failure failure;
    bool is_confirmed; /* a second fetch over another connection said the same */
    bool is_learning;  /* the profile has too few looks behind it to speak */
    double score;      /* log-odds of an attack */
    uint32_t layers;   /* bit set of those that spoke */
    uint32_t status;   /* of HTTP, 0: none */
    struct site_timing timing;
    uint64_t size;           /* of the decoded body, bytes */
    int64_t certificate_end; /* ns since 1970 UTC, 0: no TLS */
    uint8_t body_sha256[32];
    struct str title; /* the page's own */
    const struct site_reason *reasons;
    size_t reason_count;
};

const char *site_service_name(enum site_service service);
bool site_service_parse(struct str name, enum site_service *ret_service);
const char *site_view_name(enum site_view view);
bool site_view_parse(struct str name, enum site_view *ret_view);
const char *site_page_name(enum site_page page);
const char *site_verdict_name(enum site_verdict verdict);
const char *site_layer_name(enum site_layer layer);
const char *site_layer_sentence(enum site_layer layer); /* translate with text_get */
const char *site_failure_name(enum site_failure failure);
const char *site_failure_sentence(enum site_failure failure);

/* An array of the members in the order above; enums as their numbers. Texts of the result borrow
 * the reader's bytes, the reasons the arena. -ERR_LIMIT past the limits above, -ERR_VERSION for a
 * member or an enum of a newer program. */
void site_check_encode(const struct site_check *check, struct buf *buf);
[[nodiscard]] int site_check_decode(struct cbor_reader *reader, struct arena *arena,
                                    struct site_check *ret_check);
/* The object of `canhgac watch --json`: page url final_url view time verdict failure confirmed
 * learning score layers[] why[{layer,view,what,text,value,score,snippet,offset}] status
 * timing{resolved,connected,secured,first_byte,done}(ms) size title certificate_end body_sha256. */
void site_check_write_json(const struct site_check *check, struct json_writer *json);
/* Its members "layers" and "why" alone. */
void site_layers_write_json(uint32_t layers, struct json_writer *json);
void site_reasons_write_json(const struct site_reason *reasons, size_t count,
                             struct json_writer *json);

#endif
