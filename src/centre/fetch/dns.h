/* Names to addresses for the website watch, without blocking and without threads: c-ares on our
 * loop, since libcurl's own resolver starts a thread for each name. Answers are kept for as long as
 * they say, within bounds; a question under way is asked once however many wait for it. On the
 * data's way: fetcher.c asks before each connection. */
#ifndef CENTRE_DNS_H
#define CENTRE_DNS_H

#include "base/diag.h"
#include "base/str.h"
#include "base/time.h"
#include "sys/loop.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DNS_HOST_MAX      255
#define DNS_ADDRESSES_MAX 8
#define DNS_ADDRESS_SIZE  INET6_ADDRSTRLEN

struct dns;
struct dns_wait; /* one who waits for an answer */

struct dns_answer {
    int error; /* 0, -ERR_NOENT (there is no such name, or it has no address), -ERR_TIMEDOUT, … */
    size_t count;
    char addresses[DNS_ADDRESSES_MAX][DNS_ADDRESS_SIZE]; /* as text, in the order given */
    char alias[DNS_HOST_MAX + 1]; /* where the last CNAME on the way led, in small letters; or "" */
};
typedef void dns_done_fn(void *context, const struct dns_answer *answer);

struct dns_options {
    struct loop *loop;
    const struct clock *clock;
    const char *servers; /* as net_parse_servers; NULL: those of /etc/resolv.conf */
    size_t host_limit;   /* most names kept at a time */
};

[[nodiscard]] int dns_new(const struct dns_options *options, struct dns **ret_dns,
                          struct diag *diag);
void dns_free(struct dns *dns);

/* name: a host in ASCII or an address in figures. Calls done once, perhaps before it returns;
 * *ret_wait is set before that and must not be used after it. */
[[nodiscard]] int dns_resolve(struct dns *dns, struct str name, dns_done_fn *done, void *context,
                              struct dns_wait **ret_wait);
/* done is not called any more; takes NULL. */
void dns_cancel(struct dns_wait *wait);

/* Whether an address, as text, is one that the Internet does not carry: this host, a local network,
 * a test net, multicast … also when it is written as IPv4 inside IPv6. What is no address counts as
 * private. */
bool dns_is_private(const char *address);
/* An internet socket's address as text; "" for another kind. out: DNS_ADDRESS_SIZE. */
void dns_address_text(const struct sockaddr *address, char *out);

#endif
