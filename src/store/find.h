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

#define FIND_BATCH_MAX   256 /* events that are handed to a reader together */
#define FIND_CURSOR_SIZE 80  /* of its text */

/* Where a search stands: all that is newer was looked at, and of the events at `time` those up to
 * `behind`. */
struct find_cursor {
    int64_t time;              /* wall, ns; at first the latest time that is asked for */
    struct archive_key behind; /* none of them when its host is none */
};

/* An event that may match. */
struct find_candidate {
    struct archive_key key;
    struct str host;  /* its name */
    struct str event; /* encoded (event_encode) */
    enum terms_verdict verdict;
};

/* Whoever reads the entries of logs: hostile bytes, so it is another process (centre/sifter.h).
 * judge settles the verdict of those that are TERMS_UNREAD; what it cannot read it leaves, and that
 * does not match. Negative ends the search. */
struct find_reader {
    int (*judge)(void *context, const struct terms *terms, struct find_candidate *candidates,
                 size_t count);
    void *context;
    bool is_rule;     /* every entry of a log is shown to it, and nothing else matches */
    bool is_thorough; /* it is shown also what matches without it */
};

struct find_query {
    const struct terms *terms;
    const struct find_reader *reader; /* NULL: entries are not read */
    int64_t from;
    struct find_cursor cursor;
    size_t limit;
    int64_t until; /* monotonic, ns: a good time to answer with what there is; 0: none */
    const _Atomic bool *is_canceled; /* NULL: it never is */
    struct archive_damages *damages; /* see struct archive_query */
};

/* host: its name, empty when it is not known. The event borrows, until fn returns. Negative from fn
 * ends the search and is returned. */
typedef int find_fn(void *context, const struct id *id, struct str host, const struct event *event);

/* arena: for names of hosts. 1 when there may be more behind *ret_next, 0 when that was all;
 * -ERR_CANCELED. An event that fn refused is looked at again from *ret_next. */
[[nodiscard]] int find_events(struct archive *archive, struct store *store, struct arena *arena,
                              const struct find_query *query, struct find_cursor *ret_next,
                              find_fn *fn, void *context);

/* A cursor as text, for those who ask page by page. -ERR_SYNTAX. */
void find_cursor_format(const struct find_cursor *cursor, char out[FIND_CURSOR_SIZE]);
[[nodiscard]] int find_cursor_parse(struct str text, struct find_cursor *ret_cursor);

#endif
