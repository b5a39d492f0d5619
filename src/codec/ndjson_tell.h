/* Tells what a record of a JSON log is and means, once it was walked: its fields get the names that
 * Sigma's rules use and their numbers, the entry its time, host and log source. Pure. */
#ifndef CODEC_NDJSON_TELL_H
#define CODEC_NDJSON_TELL_H

#include "codec/ndjson_line.h"
#include "codec/ndjson_paths.h"
#include "codec/ndjson_walk.h"

/* What telling remembers from record to record. */
struct ndjson_teller {
    struct ndjson_paths paths;
    struct ndjson_line line;
};

/* names may be NULL and must outlive it. -ERR_NOMEM. */
[[nodiscard]] int ndjson_teller_init(struct ndjson_teller *teller, const struct entry_names *names);
void ndjson_teller_done(struct ndjson_teller *teller);

/* The entry's fields' ids are numbers of the teller's paths; tells: of all its names. -ERR_NOMEM.
 */
[[nodiscard]] int ndjson_tell(struct log_reading *reading, struct ndjson_teller *teller,
                              const struct ndjson_tells *tells);

#endif
