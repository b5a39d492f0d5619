/* Whether it is the sites that fail or our own network: when more than one in twenty of those that
 * were reachable fail within a short while, it is us. Pure: the time is given. */
#ifndef CENTRE_FETCH_NETWORK_H
#define CENTRE_FETCH_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#define FETCH_NETWORK_SPANS 6

struct fetch_network {
    struct fetch_network_span {
        int64_t number; /* of ten seconds since boot */
        unsigned looked;
        unsigned failed;
    } spans[FETCH_NETWORK_SPANS];
};

/* One request to a site that had been reachable; now: monotonic ns. */
void fetch_network_note(struct fetch_network *network, int64_t now, bool has_failed);
bool fetch_network_is_down(const struct fetch_network *network, int64_t now);

#endif
