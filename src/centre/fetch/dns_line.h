/* One c-ares channel on our loop: its sockets, its timer, its name servers. Neighbours: dns.c asks
 * for addresses over one, survey.c asks each name server over its own. c-ares reads hostile bytes
 * here, in a process that holds nothing but the network. */
#ifndef CENTRE_FETCH_DNS_LINE_H
#define CENTRE_FETCH_DNS_LINE_H

#include "base/diag.h"
#include "sys/loop.h"

/* what c-ares 1.34 (Debian 13) would have instead, 1.18 (Debian 12) does not have yet */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <stdbool.h>

struct dns_line;

struct dns_line_options {
    struct loop *loop;
    const char *servers; /* as net_parse_servers; NULL: those of /etc/resolv.conf */
    int try_ms;          /* until a server is asked anew, or the next one */
    int tries;
    bool has_errors; /* a server's SERVFAIL and REFUSED are answers, else the next one is asked */
};

/* Before the sandbox: c-ares makes the secret of its questions' numbers here. */
[[nodiscard]] int dns_line_new(const struct dns_line_options *options, struct dns_line **ret_line,
                               struct diag *diag);
/* Every question under way is answered with ARES_EDESTRUCTION. Takes NULL. */
void dns_line_free(struct dns_line *line);
ares_channel dns_line_channel(struct dns_line *line);
/* After a question was put. */
void dns_line_arm(struct dns_line *line);

#endif
