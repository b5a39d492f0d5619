/* Names to addresses beside the link: the C library's resolver blocks and reads files, so it runs
 * in a process of its own that can do nothing else. Not started for a centre that is named by its
 * address. */
#ifndef AGENT_RESOLVER_H
#define AGENT_RESOLVER_H

#include "sys/net.h"

/* Forks it: the channel to ask on. user: system account, NULL: stay. Ends when the channel does. */
[[nodiscard]] int resolver_start(const char *user, int *ret_channel);
/* Asks; the answer arrives on the channel, read it with resolver_take. */
[[nodiscard]] int resolver_ask(int channel, const char *host, uint16_t port);
/* One answer: 0, -ERR_NOENT when the name is unknown, -ERR_AGAIN, -ERR_PIPE when the resolver has
 * gone. */
[[nodiscard]] int resolver_take(int channel, struct net_target ret_targets[NET_TARGETS_MAX],
                                size_t *ret_count);

#endif
