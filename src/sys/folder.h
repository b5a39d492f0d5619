/* The names in a folder, sorted, so that a walk over it is the same each time. */
#ifndef SYS_FOLDER_H
#define SYS_FOLDER_H

#include "base/cleanup.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

struct folder_names {
    char **items;
    size_t count;
    size_t room;
};

/* Those that is_wanted, "." and ".." never. fd stays the caller's, its place in the folder too.
 * What was read before a failure is in ret_names, sorted: release it in any case.
 * -ERR_LIMIT when there are more than limit, -ERR_NOMEM, -errno of reading. */
[[nodiscard]] int folder_names_read(int fd, bool (*is_wanted)(const struct dirent *entry),
                                    size_t limit, struct folder_names *ret_names);
/* For CLEANUP. */
void folder_names_done(struct folder_names *names);

#endif
