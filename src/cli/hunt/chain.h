/* Correlations over what a hunt found. Matches that a correlation asks for are packed by the
 * threads that found them, kept in order, sorted by their time over all files, and only then handed
 * to the correlator: files of several hosts that lie one behind the other are one stream. Of a
 * stream that has no end, each goes on at once. */
#ifndef CLI_HUNT_CHAIN_H
#define CLI_HUNT_CHAIN_H

#include "base/buf.h"
#include "cli/hunt/crew.h"
#include "detect/sigma/correlate.h"

struct hunt_chain;

/* What a correlation says, with the places of its causes. */
struct chain_port {
    void *context;
    int (*told)(void *context, const struct sigma_correlated *correlated, const char *const *paths,
                const uint64_t *lines);
};

/* names: the readers'. */
[[nodiscard]] int hunt_chain_new(const struct sigma_set *set, const struct entry_names *names,
                                 const struct chain_port *port, struct hunt_chain **ret_chain);
void hunt_chain_free(struct hunt_chain *chain);
void hunt_chain_freep(struct hunt_chain **chain);
/* Any thread: adds the entry to links when a correlation asks for one of the rules. -ERR_NOMEM,
 * -ERR_LIMIT. */
[[nodiscard]] int hunt_chain_pack(const struct hunt_chain *chain, const struct entry *entry,
                                  struct arena *arena, const uint32_t *rules, size_t count,
                                  struct buf *links);
/* In order. is_live: correlate at once. Past CHAIN_KEEP_MAX what is kept is correlated, and what
 * then comes with an older time may be too late. */
[[nodiscard]] int hunt_chain_take(struct hunt_chain *chain, struct str links,
                                  const struct hunt_file *file, bool is_live);
[[nodiscard]] int hunt_chain_finish(struct hunt_chain *chain);
/* Only after hunt_chain_finish. */
void hunt_chain_stats(const struct hunt_chain *chain, struct sigma_correlator_stats *ret_stats);

#endif
