/* Names of files that have more than one. What an inode's handle finds is the file; which names it
 * had, and who took one away, is known only from here. Bounded; the oldest entries are forgotten.
 * Not thread-safe: the shield's lock guards it. Neighbours: shield/open.c sees names,
 * shield/names.c loses them, shield/damage.c gives them back. */
#ifndef AGENT_ALIASES_H
#define AGENT_ALIASES_H

#include "base/str.h"
#include "detect/ransom/judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aliases;

struct alias {
    uint64_t serial;          /* of the file's row in the shelf; 0: empty */
    struct actor_key lost_by; /* pid 0: the name stands */
    char *path;               /* owned */
    char *moved_to;           /* owned; where the name has gone; NULL: nowhere */
};

[[nodiscard]] int aliases_new(size_t limit, struct aliases **ret_aliases);
void aliases_free(struct aliases *aliases);

/* The file has that name now. Without memory it is not remembered. */
void aliases_see(struct aliases *aliases, uint64_t serial, struct str path);
/* The file has lost that name, which need not be known. target: the name it has instead, empty:
 * none. */
void aliases_move(struct aliases *aliases, uint64_t serial, struct str path, struct str target,
                  struct actor_key who);
bool aliases_has(const struct aliases *aliases, uint64_t serial);
/* The file had that name, and somebody took it away. */
bool aliases_is_lost(const struct aliases *aliases, uint64_t serial, struct str path);
/* The file that has this name, 0 when none is known. */
uint64_t aliases_at(const struct aliases *aliases, struct str path);
/* The next one of a file, or of all with serial 0, or NULL. *cursor: 0 at first. Borrowed until the
 * next change. */
const struct alias *aliases_next(const struct aliases *aliases, uint64_t serial, size_t *cursor);

#endif
