/* Rules as they come out of parcels, with those that are built in. In a process without rights. */
#ifndef CLI_HUNT_RULEBOOK_H
#define CLI_HUNT_RULEBOOK_H

#include "base/buf.h"
#include "cli/hunt/porter.h"
#include "detect/sigma/load.h"

struct rulebook {
    struct sigma_loader *loader;
    const struct sigma_set *set; /* after rulebook_finish */
    size_t refused;              /* documents, without mere warnings */
    size_t unread;               /* files */
    bool is_quiet;               /* they are not told; set after rulebook_init */
};

/* is_bare: without the rules that are built in. -ERR_NOMEM. */
[[nodiscard]] int rulebook_init(struct rulebook *book, bool is_bare);
void rulebook_done(struct rulebook *book);
/* Takes rules or a pipeline, and closes the file. What cannot be read is told on stderr and
 * counted. -ERR_NOMEM, -ERR_LIMIT with diag. */
[[nodiscard]] int rulebook_take(struct rulebook *book, struct parcel *parcel, struct diag *diag);
[[nodiscard]] int rulebook_finish(struct rulebook *book, struct diag *diag);
/* The whole of a parcel's file; closes it. */
[[nodiscard]] int rulebook_read(struct parcel *parcel, struct buf *ret_text);

#endif
