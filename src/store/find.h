/* Events that fulfil what a person typed, newest first: the archive is asked for what its filters
 * can choose by, then every term is looked at. Goes on from a cursor, so that no event is shown
 * twice and none left out, however many have the same time. */
#ifndef STORE_FIND_H
#define STORE_FIND_H

#include "model/terms.h"
#include "store/archive.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIND_PASS_MAX 8000 /* events of one time behind which a cursor may stand */

/* Where a search stands: of the events at `time`, newest first, so many were looked at. */
struct find_cursor {
    int64_t time; /* wall, ns; at first the latest time that is asked for */
    uint64_t pass;
};

struct find_query {
    const struct terms *terms;
    int64_t from;
    struct find_cursor cursor;
    size_t limit;
};

/* host: its name, empty when it is not known. The event borrows, until fn returns. Negative from fn
 * ends the search and is returned. */
typedef int find_fn(void *context, const struct id *id, struct str host, const struct event *event);

/* arena: for names of hosts. 1 when there may be more behind *ret_next, 0 when that was all;
 * -ERR_LIMIT for a cursor beyond FIND_PASS_MAX. */
[[nodiscard]] int find_events(struct archive *archive, struct store *store, struct arena *arena,
                              const struct find_query *query, struct find_cursor *ret_next,
                              find_fn *fn, void *context);

#endif
