/* What is counted of each source of logs, and who is told when one falls silent. A source is a host
 * (an agent's or a sender's) and the name under which it writes: the path of a file, a unit, what a
 * sender calls itself; of each host as many as SOURCES_EACH, the others together. Counts are
 * written in the transaction that the entries are acknowledged with, so they hold over a kill. See
 * core/source.c and core/silence.c. */
#ifndef CENTRE_CORE_SOURCE_H
#define CENTRE_CORE_SOURCE_H

#include "base/arena.h"
#include "base/list.h"
#include "detect/silence/silence.h"
#include "model/event.h"
#include "store/logsources.h"

#include <stdbool.h>
#include <stdint.h>

#define SOURCES_EACH    64
#define SOURCES_MAX     65536
#define SOURCES_SENDERS 49152 /* of them senders': what they make up leaves agents' room */

struct core;
struct core_host;
struct core_source;
struct core_sources;

[[nodiscard]] int core_sources_new(struct core *core, uint64_t seed,
                                   struct core_sources **ret_sources);
void core_sources_free(struct core_sources *sources);
/* At core's start, when the hosts are there. */
[[nodiscard]] int core_sources_load(struct core *core);

/* Counts an entry of a log that came from a host, for the open batch. Negative only when memory is
 * short. */
[[nodiscard]] int core_source_count(struct core *core, struct core_host *host,
                                    const struct event *event);
/* The store would not take this one: it is passed over. */
[[nodiscard]] int core_source_dropped(struct core *core, struct core_host *host,
                                      const struct event *event);
/* The source that an entry was counted for last; NULL when it was not. */
struct core_source *core_source_of(struct core *core, const struct core_host *host,
                                   const struct event *event);
/* What became of one of its entries. source may be NULL. */
void core_source_unjudged(struct core_source *source);
void core_source_matched(struct core_source *source);
void core_source_faulty(struct core_source *source);

/* Writes what was counted into the open transaction; then it came to something, or to nothing. */
[[nodiscard]] int core_sources_settle(struct core *core);
void core_sources_keep(struct core *core);
void core_sources_forget(struct core *core);
/* Forgets those of hosts that are gone. No batch is open. */
void core_sources_sweep(struct core_sources *sources);

/* core/silence.c: tells of sources that are silent; called twice a minute. */
void core_silence_watch(struct core *core);

#endif
