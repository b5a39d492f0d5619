/* See centre/fetch/dns.h. */
#include "centre/fetch/dns.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "centre/fetch/dns_line.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/random.h>

#define DNS_ASKED_MAX 64 /* names at a time: more, and a burst of answers is lost on its way */
#define DNS_TRY_MS    3000
#define DNS_TRIES     2
#define DNS_KEPT_MIN  (30 * NS_PER_S)
#define DNS_KEPT_MAX  (300 * NS_PER_S)

struct dns_host {
    struct list waits;
    struct dns *dns;
    char name[DNS_HOST_MAX + 1];
    struct list node; /* in the queue */
    bool is_asked;    /* under way, or in the queue */
    int64_t expires;  /* monotonic ns */
    struct dns_answer answer;
};

struct dns_wait {
    struct list node;
    dns_done_fn *done;
    void *context;
};

struct dns {
    struct dns_options options;
    struct dns_line *line;
    struct map hosts;
    struct list queue;
    unsigned asked;
    bool is_ending;
};

int dns_new(const struct dns_options *options, struct dns **ret_dns, struct diag *diag)
{
    const struct dns_line_options line = {.loop = options->loop,
                                          .servers = options->servers,
                                          .try_ms = DNS_TRY_MS,
                                          .tries = DNS_TRIES};
    struct dns *dns = mem_alloc(1, sizeof(*dns));
    uint64_t seed = 0;
    int r;

    if (dns == NULL) {
        return -ERR_NOMEM;
    }
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        mem_free(dns);
        return -ERR_IO;
    }
    dns->options = *options;
    map_init(&dns->hosts, options->host_limit, seed);
    list_init(&dns->queue);
    r = dns_line_new(&line, &dns->line, diag);
    if (r < 0) {
        dns_free(dns);
        return r;
    }
    *ret_dns = dns;
    return 0;
}

static void dns_host_free(struct dns_host *host)
{
    LIST_EACH (node, &host->waits) {
        list_remove(node);
        mem_free(LIST_ENTRY(node, struct dns_wait, node));
    }
    mem_free(host);
}

void dns_free(struct dns *dns)
{
    size_t cursor = 0;
    struct dns_host *host;

    if (dns == NULL) {
        return;
    }
    dns->is_ending = true; /* c-ares answers every question with "cancelled" */
    dns_line_free(dns->line);
    while ((host = map_next(&dns->hosts, &cursor)) != NULL) {
        dns_host_free(host);
    }
    map_done(&dns->hosts);
    mem_free(dns);
}

static int dns_error(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return 0;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
    case ARES_ENONAME:
        return -ERR_NOENT;
    case ARES_ETIMEOUT:
        return -ERR_TIMEDOUT;
    case ARES_ECONNREFUSED:
        return -ERR_CONNREFUSED;
    case ARES_ENOMEM:
        return -ERR_NOMEM;
    default:
        return -ERR_IO;
    }
}

/* Adds what the resolver gave; the shortest life counts. */
static int64_t dns_take(struct dns_answer *answer, const struct ares_addrinfo *info)
{
    int64_t kept = DNS_KEPT_MAX;

    for (const struct ares_addrinfo_node *node = info->nodes;
         node != NULL && answer->count < DNS_ADDRESSES_MAX; node = node->ai_next) {
        dns_address_text(node->ai_addr, answer->addresses[answer->count]);
        if (answer->addresses[answer->count][0] != '\0') {
            answer->count++;
            kept = node->ai_ttl * NS_PER_S < kept ? node->ai_ttl * NS_PER_S : kept;
        }
    }
    return kept > DNS_KEPT_MIN ? kept : DNS_KEPT_MIN;
}

static void dns_take_alias(struct dns_answer *answer, const struct ares_addrinfo *info)
{
    const struct ares_addrinfo_cname *last = info->cnames;

    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    if (last == NULL || last->name == NULL) {
        return;
    }
    (void)snprintf(answer->alias, sizeof(answer->alias), "%s", last->name);
    for (char *at = answer->alias; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    }
}

static void dns_ask_next(struct dns *dns);

/* Whoever is told may ask anew, or make room: nothing of the host is touched after that. */
static void dns_tell(struct dns_host *host)
{
    const struct dns_answer answer = host->answer;
    struct list waits;

    list_insert_before(host->waits.next, &waits);
    list_remove(&host->waits);
    while (!list_is_empty(&waits)) {
        struct dns_wait *wait = LIST_ENTRY(waits.next, struct dns_wait, node);
        dns_done_fn *done = wait->done;
        void *context = wait->context;

        list_remove(&wait->node);
        mem_free(wait);
        done(context, &answer);
    }
}

static void dns_on_answer(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
    struct dns_host *host = context;
    struct dns *dns = host->dns;
    int64_t kept = 0;

    (void)timeouts;
    if (dns->is_ending) {
        return;
    }
    host->is_asked = false;
    dns->asked--;
    host->answer = (struct dns_answer){.error = dns_error(status)};
    if (info != NULL) {
        kept = dns_take(&host->answer, info);
        dns_take_alias(&host->answer, info);
        ares_freeaddrinfo(info);
    }
    if (host->answer.error == 0 && host->answer.count == 0) {
        host->answer.error = -ERR_NOENT;
    }
    /* a failure is not kept: what asks again wants to know anew */
    host->expires = host->answer.error == 0 ? clock_mono(dns->options.clock) + kept : 0;
    dns_tell(host);
    dns_ask_next(dns);
}

/* A question that waits for its turn is not timed. */
static void dns_ask_next(struct dns *dns)
{
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    while (dns->asked < DNS_ASKED_MAX && !list_is_empty(&dns->queue)) {
        struct dns_host *host = LIST_ENTRY(dns->queue.next, struct dns_host, node);

        list_remove(&host->node);
        dns->asked++;
        ares_getaddrinfo(dns_line_channel(dns->line), host->name, NULL, &hints, dns_on_answer,
                         host);
    }
    dns_line_arm(dns->line);
}

/* Makes room by dropping what has expired. */
static void dns_sweep(struct dns *dns)
{
    int64_t now = clock_mono(dns->options.clock);
    size_t cursor = 0;
    struct dns_host *host;

    while ((host = map_next(&dns->hosts, &cursor)) != NULL) {
        if (!host->is_asked && host->expires <= now && list_is_empty(&host->waits)) {
            (void)map_remove(&dns->hosts, str_from(host->name));
            dns_host_free(host);
        }
    }
}

static struct dns_host *dns_host(struct dns *dns, struct str name)
{
    struct dns_host *host = map_get(&dns->hosts, name);

    if (host != NULL) {
        return host;
    }
    if (map_count(&dns->hosts) >= dns->options.host_limit) {
        dns_sweep(dns);
    }
    host = mem_alloc(1, sizeof(*host));
    if (host == NULL) {
        return NULL;
    }
    host->dns = dns;
    list_init(&host->waits);
    list_init(&host->node);
    memcpy(host->name, name.ptr, name.len);
    if (map_put(&dns->hosts, str_from(host->name), host) < 0) {
        mem_free(host);
        return NULL;
    }
    return host;
}

int dns_resolve(struct dns *dns, struct str name, dns_done_fn *done, void *context,
                struct dns_wait **ret_wait)
{
    struct dns_host *host;
    struct dns_wait *wait;

    if (name.len == 0 || name.len > DNS_HOST_MAX) {
        return -ERR_NAMETOOLONG;
    }
    host = dns_host(dns, name);
    if (host == NULL) {
        return -ERR_LIMIT;
    }
    if (!host->is_asked && host->expires > clock_mono(dns->options.clock)) {
        *ret_wait = NULL;
        done(context, &host->answer);
        return 0;
    }
    wait = mem_alloc(1, sizeof(*wait));
    if (wait == NULL) {
        return -ERR_NOMEM;
    }
    wait->done = done;
    wait->context = context;
    *ret_wait = wait;
    list_append(&host->waits, &wait->node);
    if (!host->is_asked) {
        host->is_asked = true;
        list_append(&dns->queue, &host->node);
        dns_ask_next(dns); /* which may tell, and free whoever waits: nothing is touched after it */
    }
    return 0;
}

void dns_cancel(struct dns_wait *wait)
{
    if (wait != NULL) {
        list_remove(&wait->node);
        mem_free(wait);
    }
}

void dns_address_text(const struct sockaddr *address, char *out)
{
    const void *bytes = NULL;

    if (address->sa_family == AF_INET) {
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (address->sa_family == AF_INET6) {
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    }
    if (bytes == NULL || inet_ntop(address->sa_family, bytes, out, DNS_ADDRESS_SIZE) == NULL) {
        out[0] = '\0';
    }
}

struct dns_net {
    uint32_t net;
    unsigned bits;
};

/* IANA's special-purpose registry (RFC 6890 and its heirs): what is not globally reachable. */
static bool dns_is_private_v4(uint32_t address)
{
    static const struct dns_net nets[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
        {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
        {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4}};

    for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
        if ((address ^ nets[i].net) >> (32 - nets[i].bits) == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t dns_read_v4(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool dns_is_private_v6(const uint8_t *bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};

    if (memcmp(bytes, mapped, sizeof(mapped)) == 0 ||
        memcmp(bytes, translated, sizeof(translated)) == 0) {
        return dns_is_private_v4(dns_read_v4(bytes + 12));
    }
    if (bytes[0] == 0x20 && bytes[1] == 0x02) { /* 6to4 carries the version 4 address in front */
        return dns_is_private_v4(dns_read_v4(bytes + 2));
    }
    /* of the rest only 2000::/3 is given out; 2001::/23 is protocols, 2001:db8::/32 examples */
    return (bytes[0] & 0xe0) != 0x20 || (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02) ||
           (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8);
}

bool dns_is_private(const char *address)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, address, bytes) == 1) {
        return dns_is_private_v4(dns_read_v4(bytes));
    }
    return inet_pton(AF_INET6, address, bytes) != 1 || dns_is_private_v6(bytes);
}
