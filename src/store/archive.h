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
#include "model/needles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive;

struct archive_options {
    const char *folder; /* of the centre; the days lie in events/ in it */
    bool is_read_only;
    const struct clock *clock;
    size_t block_events; /* events a block is closed at; 0: default 4096 */
};

/* Writing, a day's file that cannot be read is set aside (see archive_take_damage) and its day
 * begun anew. */
[[nodiscard]] int archive_open(const struct archive_options *options, struct archive **ret_archive,
                               struct diag *diag);
void archive_close(struct archive *archive);
void archive_closep(struct archive **archive);

/* Adds one event of a host. In memory until archive_commit; a block that is not full yet is written
 * too, and rewritten as it grows, so that commit means durable. (host, sequence) is kept once:
 * adding one that is in already is -ERR_EXIST and harmless, also after kill -9 at any point. An
 * event goes to the day of its own time, or, when that is more than a week from now, to today's; it
 * keeps its time. Any other failure makes archive_commit fail too. */
[[nodiscard]] int archive_add(struct archive *archive, const struct id *host, uint64_t sequence,
                              const struct event *event);
/* The same for an event that was decoded, whole, from those bytes. */
[[nodiscard]] int archive_add_encoded(struct archive *archive, const struct id *host,
                                      uint64_t sequence, const struct event *event,
                                      struct str encoded);
/* Durable when it returns 0. Days are committed one after another: after a failure or a death in
 * between some events are in and come back as -ERR_EXIST when added again; what is not durable is
 * dropped. Commit here before the store, acknowledge after both (see sqlite.c). */
[[nodiscard]] int archive_commit(struct archive *archive);
/* Drops what was added since the last commit; damage that was told is told again. */
void archive_rollback(struct archive *archive);

#define ARCHIVE_SEARCH_MAX  10000
#define ARCHIVE_DAMAGES_MAX 64

/* What an event is known by. Of those of one time the lower host comes first, then the later
 * sequence. */
struct archive_key {
    struct id host;
    uint64_t sequence;
};

/* A block that cannot be read, or all that is left of a day whose file cannot. */
struct archive_damage {
    int64_t day;    /* since 1970, by UTC: the name of its file */
    unsigned aside; /* which of that day's files that were set aside; 0: it stands in its place */
    int64_t block;  /* 0: of the whole day */
    int error;
    int64_t first; /* times of what it held */
    int64_t last;
    uint64_t entries; /* that it held; 0: nobody knows */
    int64_t met; /* tells it from an earlier one of that name, also after a restart; searches: 0 */
};

/* Each once, in the order in which they were met. */
struct archive_damages {
    struct archive_damage list[ARCHIVE_DAMAGES_MAX];
    size_t count;
    bool has_more; /* than there is room for */
};

struct archive_query {
    int64_t from; /* ns since 1970 UTC */
    int64_t to;
    const struct archive_key *behind; /* of the events at `to` those that come behind it; or NULL */
    const struct id *host;            /* NULL: all */
    const struct needles *needles;    /* what the event's texts must hold; NULL: anything */
    size_t limit;
    int64_t until; /* monotonic, ns: then it ends with what it has, once it has come on; 0: never */
    const _Atomic bool *is_canceled; /* NULL: it never is; -ERR_CANCELED at the next block */
    /* What is damaged is passed over and noted here, and what was set aside; NULL: what is damaged
     * ends the search with its error. */
    struct archive_damages *damages;
};
/* Newest first; sees what was committed. The event borrows, until fn returns. Negative from fn ends
 * the walk and is returned. */
typedef int archive_event_fn(void *context, const struct archive_key *key,
                             const struct event *event);
[[nodiscard]] int archive_search(struct archive *archive, const struct archive_query *query,
                                 archive_event_fn *fn, void *context);
/* The same. *ret_reached: all that is newer was looked at and nothing else was handed out;
 * ARCHIVE_REACHED_ALL when the time was enough. */
#define ARCHIVE_REACHED_ALL INT64_MIN
[[nodiscard]] int archive_search_until(struct archive *archive, const struct archive_query *query,
                                       int64_t *ret_reached, archive_event_fn *fn, void *context);
/* Deletes days that ended before `before`. -ERR_BUSY while added events wait for a commit. */
[[nodiscard]] int archive_expire(struct archive *archive, int64_t before, unsigned *ret_days);

/* What searches cost so far. */
struct archive_stats {
    uint64_t days_opened;
    uint64_t blocks_met;    /* in the time and of the host that were asked for */
    uint64_t blocks_opened; /* of them, that the filter admitted */
};
void archive_stats(const struct archive *archive, struct archive_stats *ret_stats);

/* What the writer met and did not tell yet, and at first what it met before and is still there: its
 * death may have come before anybody knew. false: nothing. A day's file that cannot be read was
 * renamed, nothing in it changed, and another takes its place; behind a block that cannot be read
 * the next one was begun, and what it holds is no longer known again when it comes twice. */
bool archive_take_damage(struct archive *archive, struct archive_damage *ret_damage);
/* Whether there were more than ARCHIVE_DAMAGES_MAX at once: those of the latest days are told. */
bool archive_has_more_damage(const struct archive *archive);

#define ARCHIVE_FILE_SIZE 48
/* The name of the file in the centre's folder. */
void archive_file(const struct archive_damage *damage, char out[ARCHIVE_FILE_SIZE]);

#endif
