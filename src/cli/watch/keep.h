/* What `canhgac watch --state DIR` keeps of pages between two runs: one file each, written whole or
 * not at all. Without a folder everything is kept for the run only. */
#ifndef CLI_WATCH_KEEP_H
#define CLI_WATCH_KEEP_H

#include "base/diag.h"
#include "base/str.h"

struct watch_keep {
    int folder; /* -1: none */
};

/* path: NULL for none; made when it does not exist. */
[[nodiscard]] int watch_keep_open(struct watch_keep *keep, const char *path, struct diag *diag);
void watch_keep_close(struct watch_keep *keep);
/* page: empty for what is kept of the site. A descriptor to hand on, or -1 when there is nothing.
 */
int watch_keep_get(const struct watch_keep *keep, struct str site, struct str page);
/* bytes_fd: what is to be kept from now on. */
[[nodiscard]] int watch_keep_put(const struct watch_keep *keep, struct str site, struct str page,
                                 int bytes_fd);

#endif
