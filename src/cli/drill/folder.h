/* The scratch folder of a drill: the only place where a drill writes, removes or attacks. It is new
 * or was empty, carries the marker file from its first moment, and nothing touches it without the
 * marker. */
#ifndef CLI_DRILL_FOLDER_H
#define CLI_DRILL_FOLDER_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <sys/stat.h>

#define DRILL_MARKER   ".canhgac-drill"
#define DRILL_PATH_MAX 4096

struct drill_folder {
    int fd;         /* -1: none */
    bool was_there; /* given empty by the caller: emptied again, not removed */
    char path[DRILL_PATH_MAX];
};

/* path: must be empty or not exist; NULL: a new folder under the first of the protected places that
 * exists. -ERR_EXIST when something is in it, -errno; diag says which. */
[[nodiscard]] int drill_folder_make(const char *path, struct drill_folder *ret_folder,
                                    struct diag *diag);
/* -ERR_FOREIGN when the marker is not there, or is no plain file of ours. */
[[nodiscard]] int drill_folder_check(const struct drill_folder *folder);

struct drill_place {
    const char *path; /* below the scratch folder; "" is itself */
    struct drill_place *next;
};

/* One name; dir_fd: the folder it lies in, opened O_PATH. A negative result ends the walk. */
typedef int drill_visit_fn(void *context, int dir_fd, const char *dir, const char *name,
                           const struct stat *st);

/* Visits everything but folders, parents before children, following no link and leaving no mount.
 * Names that vanish meanwhile are passed over. *ret_places (may be NULL): all folders, children
 * before parents. */
[[nodiscard]] int drill_folder_walk(const struct drill_folder *folder, struct arena *arena,
                                    drill_visit_fn *visit, void *context,
                                    struct drill_place **ret_places);
/* Removes all but the marker. Checks the marker first. */
[[nodiscard]] int drill_folder_clear(const struct drill_folder *folder);
/* Has rm remove what it can of that, ours but the marker; what is left is drill_folder_remove's. */
void drill_folder_sweep(const struct drill_folder *folder);
/* Clears, removes the marker and, unless it was there before, the folder; closes. */
[[nodiscard]] int drill_folder_remove(struct drill_folder *folder);

#endif
