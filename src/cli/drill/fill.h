/* Fills the scratch folder with an office's files. */
#ifndef CLI_DRILL_FILL_H
#define CLI_DRILL_FILL_H

#include "base/arena.h"
#include "cli/drill/folder.h"
#include "cli/drill/manifest.h"

#include <stddef.h>
#include <stdint.h>

#define DRILL_DOCS "docs" /* the folder that is attacked, below the scratch folder */

/* Writes count files of log-normal size (1 KB to 1 MB) under DRILL_DOCS: nested folders with dấu in
 * their names, and on some files extended attributes, ACLs, hard links, holes, odd modes, other
 * owners (as root). The same seed makes the same files. The manifest lives in the arena. -errno. */
[[nodiscard]] int drill_fill(const struct drill_folder *folder, uint64_t seed, size_t count,
                             struct arena *arena, struct drill_manifest *ret_manifest);

#endif
