/* What was protected where it lay and has been moved elsewhere. Protection follows the inode: a
 * file that left by itself is known by its handle, a folder by the path it has now. Both lead home:
 * to the protected path by which everyone behind this speaks of them.
 *
 * Bounded. Whoever makes it forget what left within the last hour has made it crowded: for an hour
 * from then on everything on the protected file systems should be taken for a stray.
 *
 * Thread-safe; its lock is held for a few instructions only. Neighbours: files_names.c writes,
 * files_gate.c asks. */
#ifndef SENSE_STRAYS_H
#define SENSE_STRAYS_H

#include "base/str.h"
#include "sys/notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRAYS_PATH_MAX 4096

struct strays;

[[nodiscard]] int strays_new(size_t files_max, size_t folders_max, struct strays **ret_strays);
void strays_free(struct strays *strays);

/* Neither file nor folder is away. Wait-free. */
bool strays_is_none(const struct strays *strays);
bool strays_is_crowded(const struct strays *strays, int64_t now);

/* A file has left home, which it keeps if it had left before. is_certain: it was protected; else it
 * gives way to others without making a crowd. */
void strays_add(struct strays *strays, const struct file_handle_id *file, struct str home,
                bool is_certain, int64_t now);
void strays_drop(struct strays *strays, const struct file_handle_id *file);
/* Whether the file is one; its home then. */
bool strays_find(struct strays *strays, const struct file_handle_id *file,
                 char ret_home[STRAYS_PATH_MAX]);

/* A folder that is known at home is at path now. */
void strays_add_folder(struct strays *strays, struct str path, struct str home, int64_t now);
/* What is known of the folder at that path and of those in it is forgotten. */
void strays_drop_folder(struct strays *strays, struct str path);
/* A folder was moved, and those that are known in it with it. True when it is known itself. */
bool strays_move_folder(struct strays *strays, struct str from, struct str to, int64_t now);
/* Whether path lies in a folder that has left; where it would lie at home then, the folder's own
 * home where that is longer than a path can be. */
bool strays_lead_home(struct strays *strays, struct str path, char ret_home[STRAYS_PATH_MAX]);

#endif
