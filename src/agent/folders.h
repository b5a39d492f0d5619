/* What protected folders are: owner, mode, attributes and times, as they were before the session
 * that works in them now came. Bounded; what does not fit is not known. Not thread-safe: the
 * shield's lock guards it. Neighbours: shield/facts.c fills it, shield/damage.c asks. */
#ifndef AGENT_FOLDERS_H
#define AGENT_FOLDERS_H

#include "base/str.h"
#include "detect/ransom/judge.h"
#include "store/vault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct folders;

struct folder_row {
    struct vault_folder folder;  /* its texts lie behind the row */
    int32_t session;             /* whose visit it was read at; 0: nobody's */
    struct actor_key removed_by; /* pid 0: it stands */
    bool is_kept;                /* the vault knows */
};

[[nodiscard]] int folders_new(size_t limit, struct folders **ret_folders);
void folders_free(struct folders *folders);

/* Each NULL when there is none; borrowed until the next folders_put. */
struct folder_row *folders_find(const struct folders *folders, struct str path);
struct folder_row *folders_next(const struct folders *folders, size_t *cursor);
/* Adds it or takes the facts for the new ones. Without memory or room it is not remembered. */
void folders_put(struct folders *folders, const struct vault_folder *folder, int32_t session);

#endif
