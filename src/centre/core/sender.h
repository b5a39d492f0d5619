/* Hosts that send logs without an agent: found by the name that their entries give and the way that
 * they come by, made when there is none. Nothing proves such a name, so a sender never mixes with
 * an enrolled host, and of made-up ones there is a bound: past it entries count as their way's. A
 * name keeps its place as long as it is wont to be heard: one that is silent for four times as long
 * as it ever was heard over, an hour at least and core's sender_keep at most, gives its place up
 * when another needs it. It stays a host, with all that is known of it, and is the same when it
 * speaks again and there is room; until none of its entries is stored any more, and nothing else
 * needs it. */
#ifndef CENTRE_CORE_SENDER_H
#define CENTRE_CORE_SENDER_H

#include "base/str.h"

#include <stdint.h>

#define SENDERS_NAMED_MAX 4096 /* that have a name beside their way */
#define SENDERS_NAMES_MAX 256  /* of one way */
#define SENDERS_MAX       8192 /* with the ways themselves; all others count as one */
/* Hosts in all, from which on no sender is made: agents have room. */
#define SENDERS_ROWS_MAX 49152

struct core;
struct core_host;
struct senders;

/* Core's hosts are loaded. -ERR_NOMEM. */
[[nodiscard]] int senders_new(struct core *core, uint64_t seed, struct senders **ret_senders);
void senders_free(struct senders *senders);
/* In the open transaction. via: an address or a token's name; host: "" where the entry names
 * nobody. Negative for failures of the store and of memory. */
[[nodiscard]] int senders_find(struct senders *senders, struct str via, struct str host,
                               struct core_host **ret_host);
/* Takes away some of the hosts whose names have lapsed, which nothing needs and which were heard
 * last before `before`: none of their entries is stored. No transaction is open. */
void senders_expire(struct senders *senders, int64_t before);
/* What senders_find made is durable, or came to nothing. */
void senders_commit(struct senders *senders);
void senders_forget(struct senders *senders);
/* Entries that counted as their way's, since core started. */
uint64_t senders_merged(const struct senders *senders);
/* Names that gave their place up, since core started. */
uint64_t senders_lapsed(const struct senders *senders);

#endif
