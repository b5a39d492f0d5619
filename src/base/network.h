/* Addresses and networks as people and logs write them. Both versions have one form: an IPv4
 * address is the IPv6 address that it is mapped to (RFC 4291 §2.5.5.2), so that 203.0.113.9 and
 * ::ffff:203.0.113.9 are the same. Pure. */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_BITS        128
#define NETWORK_MAPPED_BITS 96 /* in front of an IPv4 address */

struct network {
    uint8_t address[16]; /* in network order; zero behind its bits */
    uint8_t bits;        /* of NETWORK_BITS */
};

/* "203.0.113.9" or "2001:db8::1"; false for all else, *ret_address is then undefined. */
bool network_address(struct str text, uint8_t ret_address[16]);
bool network_is_mapped(const uint8_t address[16]);
/* Sets to zero what stands behind so many bits. */
void network_mask(uint8_t address[16], unsigned bits);

/* "203.0.113.0/24" or "fe80::/10"; an address alone is a network of its own. False for all else. */
bool network_parse(struct str text, struct network *ret_network);
bool network_holds(const struct network *network, const uint8_t address[16]);

#endif
