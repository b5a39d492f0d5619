/* The way back of a defaced demo portal: its folder is signed as a document root under a key of
 * this drill alone, and a defaced file is put back from the signed copy by the functions of the
 * webroot guard. The store lies in a folder of its own and goes with the drill. */
#ifndef CLI_DRILL_WAYBACK_H
#define CLI_DRILL_WAYBACK_H

#include "agent/webroot.h"
#include "cli/drill/folder.h"

struct drill_wayback {
    struct drill_folder store;
    struct webroot_config config;
    struct webroot webroot;
    bool is_open;
};

/* Signs the folder as it stands. wayback must not be moved afterwards. */
[[nodiscard]] int drill_wayback_open(struct drill_wayback *wayback,
                                     const struct drill_folder *folder, struct diag *diag);
/* Puts one file back, or takes it out where it was not signed. What stood there is removed. */
[[nodiscard]] int drill_wayback_restore(struct drill_wayback *wayback, struct str file);
/* Removes the store. */
void drill_wayback_close(struct drill_wayback *wayback);

#endif
