/* Goes through the blocks of a day that may hold what a search wants. A second thread joins in when
 * there are several to open: taking a block (rows, filters) and keeping what is found are done
 * under one lock, unpacking and looking outside of it. Neighbours: archive/search.c walks the days.
 */
#ifndef STORE_ARCHIVE_SCAN_H
#define STORE_ARCHIVE_SCAN_H

#include "store/archive/matches.h"

#include <pthread.h>

struct scan {
    struct archive *archive;
    const struct archive_query *query;
    bool is_choosy;   /* there are needles */
    bool is_scanning; /* that an entry's bytes can be asked for as a whole */
    struct matches matches;
    int64_t other_last; /* of the days that come after the one in hand; INT64_MIN: none */
    int64_t until;      /* as the query has it, but no sooner than the walk has had its time */
    int64_t reached;
    uint64_t taken; /* blocks */
    int error;
    pthread_mutex_t lock;
    int64_t day;        /* in hand */
    struct query *rows; /* of it */
    bool is_walked;     /* there are no more */
};

[[nodiscard]] int scan_init(struct scan *scan, struct archive *archive,
                            const struct archive_query *query);
void scan_done(struct scan *scan);
/* Whether events up to this time can no longer get into the answer. */
bool scan_is_beyond(const struct scan *scan, int64_t last);
[[nodiscard]] int scan_day(struct scan *scan, int64_t day, struct database *database);
/* Notes the damage and makes 0 of the error that met it; every other error stays. block 0: of the
 * day in hand, whatever was not read yet. */
[[nodiscard]] int scan_pass_over(struct scan *scan, const struct archive_damage *damage, int error);

#endif
