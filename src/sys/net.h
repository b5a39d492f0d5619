/* TCP and UDP sockets: listening, connecting without blocking, and addresses as people write them.
 */
#ifndef SYS_NET_H
#define SYS_NET_H

#include "base/diag.h"
#include "base/str.h"

#include <stdint.h>
#include <sys/socket.h>

#define NET_ADDRESS_SIZE 64 /* of an address as text, with its NUL */
#define NET_TARGETS_MAX  8  /* addresses of one name that are tried */
#define NET_SERVERS_MAX  16 /* of a list */

/* Whether net_listen could read it: -ERR_SYNTAX with its sentence, else 0. */
[[nodiscard]] int net_check(struct str where, struct diag *diag);
/* "PORT" (all addresses), "ADDRESS:PORT" or "[ADDRESS]:PORT"; close-on-exec, non-blocking. diag
 * names the address and the remedy. */
[[nodiscard]] int net_listen(struct str where, struct diag *diag);
/* The same for datagrams, with room for room bytes in the kernel (as many as the rights to ask for
 * them give), counting what it drops. */
[[nodiscard]] int net_listen_datagrams(struct str where, int room, struct diag *diag);
/* Datagrams that the kernel had no room for since the socket was made. */
[[nodiscard]] int net_dropped(int fd, uint32_t *ret_count);
/* A peer's address; one of version 4 on a socket of version 6 as the former. */
void net_address_text(const struct sockaddr *address, socklen_t size,
                      char ret_address[NET_ADDRESS_SIZE]);
/* One connection, close-on-exec, non-blocking; its peer's address. -ERR_AGAIN when there is none.
 */
[[nodiscard]] int net_accept(int listener, char ret_address[NET_ADDRESS_SIZE]);

/* By what somebody is told from others: all of a version 4 address; of version 6 the first 64 bits,
 * since whoever has them may take any of 2^64 addresses. address: as net_accept writes it. The
 * result borrows from either. */
struct str net_network_of(struct str address, char room[NET_ADDRESS_SIZE]);

struct net_target {
    struct sockaddr_storage address;
    socklen_t size;
};
/* Addresses of a name; may block for the time that the resolver takes. *ret_count: 1 …
 * NET_TARGETS_MAX. -ERR_NOENT. */
[[nodiscard]] int net_resolve(const char *host, uint16_t port,
                              struct net_target ret_targets[NET_TARGETS_MAX], size_t *ret_count);
/* The same for an address in figures, never blocking. -ERR_SYNTAX when it is a name. */
[[nodiscard]] int net_parse(const char *host, uint16_t port, struct net_target *ret_target);
/* A list of servers by their addresses, parted by commas, blanks around them: "ADDRESS",
 * "ADDRESS:PORT", "[ADDRESS]" or "[ADDRESS]:PORT"; port: of those that name none. An address of a
 * link is refused. *ret_count: 1 … NET_SERVERS_MAX. -ERR_SYNTAX, -ERR_LIMIT, with a sentence. */
[[nodiscard]] int net_parse_servers(struct str list, uint16_t port,
                                    struct net_target ret_targets[NET_SERVERS_MAX],
                                    size_t *ret_count, struct diag *diag);
/* Whether net_parse_servers takes it. */
[[nodiscard]] int net_check_servers(struct str list, struct diag *diag);
/* Begins to connect: the descriptor, which turns writable when it is decided. */
[[nodiscard]] int net_connect(const struct net_target *target);
/* What became of it: 0 or -errno. */
[[nodiscard]] int net_connected(int fd);

#endif
