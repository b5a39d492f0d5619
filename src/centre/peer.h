/* Addresses that have connections, each network of version 6 as one (sys/net.h): what front and
 * receiver count by. A process keeps more of each in a struct that begins with this one. */
#ifndef CENTRE_PEER_H
#define CENTRE_PEER_H

#include "base/map.h"
#include "sys/net.h"

struct peer {
    char network[NET_ADDRESS_SIZE];
    unsigned count; /* connections now */
};

/* Its entry, made when there is none: size bytes, all but the front of them zeroes. NULL past the
 * map's bound, or without memory. */
struct peer *peer_find(struct map *peers, struct str address, size_t size);
void peer_forget(struct map *peers, struct peer *peer);
/* All of them, and the map. */
void peers_done(struct map *peers);

#endif
