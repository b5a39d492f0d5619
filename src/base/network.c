/* Addresses and networks: see base/network.h. */
#include "base/network.h"

#include "base/banned.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped[NETWORK_MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

bool network_address(struct str text, uint8_t ret_address[16])
{
    char room[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof(room) || str_find_byte(text, '\0') != text.len) {
        return false;
    }
    memcpy(room, text.ptr, text.len);
    room[text.len] = '\0';
    if (str_find_byte(text, ':') != text.len) {
        return inet_pton(AF_INET6, room, ret_address) == 1;
    }
    memcpy(ret_address, mapped, sizeof(mapped));
    return inet_pton(AF_INET, room, ret_address + sizeof(mapped)) == 1;
}

bool network_is_mapped(const uint8_t address[16])
{
    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

void network_mask(uint8_t address[16], unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits > 8 * i ? bits - 8 * i : 0;

        address[i] = (uint8_t)(address[i] & (kept >= 8 ? 0xffU : 0xff00U >> kept));
    }
}

bool network_parse(struct str text, struct network *ret_network)
{
    size_t slash = str_find_byte(text, '/');
    struct str address = str_slice(text, 0, slash);
    unsigned front = str_find_byte(address, ':') == address.len ? NETWORK_MAPPED_BITS : 0;
    uint64_t bits = NETWORK_BITS - front;

    if (!network_address(address, ret_network->address) ||
        (slash < text.len && str_to_u64(str_slice(text, slash + 1, text.len), &bits) < 0) ||
        bits > NETWORK_BITS - front) {
        return false;
    }
    ret_network->bits = (uint8_t)(front + bits);
    network_mask(ret_network->address, ret_network->bits);
    return true;
}

bool network_holds(const struct network *network, const uint8_t address[16])
{
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8;

    return memcmp(address, network->address, whole) == 0 &&
           (rest == 0 || ((address[whole] ^ network->address[whole]) >> (8 - rest)) == 0);
}
