/* The centre's archive as commands read it: the files here, the entries in a process without rights
 * (centre/sifter.h). */
#ifndef CLI_ARCHIVES_H
#define CLI_ARCHIVES_H

#include "base/diag.h"
#include "centre/sifter.h"
#include "store/find.h"

#include <sys/types.h>

#define ARCHIVES_CENTRE "/var/lib/canhgac/centre"
#define ARCHIVES_ZONE   25200 /* seconds: Viet Nam has one time zone and no summer time */

struct archives {
    struct archive *archive;
    struct store *store;
    struct arena *arena; /* of one call of find_events */
    struct find_reader reader;
    struct sifter *sifter;
    pid_t pid;
    struct archive_damages damages; /* met so far */
};

/* folder: of the centre. On failure nothing stays open. */
[[nodiscard]] int archives_open(const char *folder, struct archives *ret_archives,
                                struct diag *diag);
void archives_close(struct archives *archives);
/* find_events from the query's cursor, which it moves: 1 while there may be more. */
[[nodiscard]] int archives_find(struct archives *archives, struct find_query *query, find_fn *fn,
                                void *context);
/* Says on stderr what could not be read. Whether there was anything. */
bool archives_tell_damages(const struct archives *archives);

#endif
