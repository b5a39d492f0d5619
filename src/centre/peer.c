/* See centre/peer.h. */
#include "centre/peer.h"

#include "base/banned.h"
#include "base/mem.h"

#include <stdio.h>

struct peer *peer_find(struct map *peers, struct str address, size_t size)
{
    char room[NET_ADDRESS_SIZE];
    struct str network = net_network_of(address, room);
    struct peer *peer = map_get(peers, network);

    if (peer != NULL) {
        return peer;
    }
    peer = mem_alloc(1, size);
    if (peer == NULL) {
        return NULL;
    }
    (void)snprintf(peer->network, sizeof(peer->network), "%.*s", STR_ARG(network));
    if (map_put(peers, str_from(peer->network), peer) < 0) {
        mem_free(peer);
        return NULL;
    }
    return peer;
}

void peer_forget(struct map *peers, struct peer *peer)
{
    (void)map_remove(peers, str_from(peer->network));
    mem_free(peer);
}

void peers_done(struct map *peers)
{
    size_t cursor = 0;
    struct peer *peer;

    while ((peer = map_next(peers, &cursor)) != NULL) {
        peer_forget(peers, peer);
    }
    map_done(peers);
}
