/* The event archive of a centre: one SQLite file a day under events/, each row a zstd block of
 * events with its time range, its hosts and a trigram filter over all texts (folded), so that a
 * search opens only blocks that can hold the answer. Retention is deleting a day. A port like
 * struct store; core writes, api reads. */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive;

struct archive_options {
    const char *folder;
    bool is_read_only;
    const struct clock *clock;
    size_t block_events; /* events a block is closed at; 0: default 4096 */
};

[[nodiscard]] int archive_open(const struct archive_options *options, struct archive **ret_archive,
                               struct diag *diag);
void archive_close(struct archive *archive);
void archive_closep(struct archive **archive);

/* Adds one encoded event (event_encode) of a host. In memory until archive_commit; a block that is
 * not full yet is written too, and rewritten as it grows, so that commit means durable. sequence
 * orders events of one host: adding one that is in already is -ERR_EXIST and harmless. */
[[nodiscard]] int archive_add(struct archive *archive, const struct id *host, uint64_t sequence,
                              const struct event *event);
[[nodiscard]] int archive_commit(struct archive *archive);

struct archive_query {
    int64_t from; /* ns since 1970 UTC */
    int64_t to;
    const struct id *host; /* NULL: all */
    struct str
        words; /* folded substrings, parted by spaces, all of which must stand in the event */
    size_t limit;
};
/* Newest first. Negative from fn ends the walk and is returned. */
typedef int archive_event_fn(void *context, const struct id *host, const struct event *event);
[[nodiscard]] int archive_search(struct archive *archive, const struct archive_query *query,
                                 archive_event_fn *fn, void *context);
/* Deletes days that ended before `before`. */
[[nodiscard]] int archive_expire(struct archive *archive, int64_t before, unsigned *ret_days);

#endif
