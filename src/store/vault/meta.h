/* What an inode is beyond its content: read before a copy, put back after a restore. Extended
 * attributes are carried as the kernel gives them; POSIX ACLs are among them
 * (system.posix_acl_access). Pure but for the calls on the descriptor; thread-safe. */
#ifndef STORE_VAULT_META_H
#define STORE_VAULT_META_H

#include "store/vault/record.h"

/* Bytes that a struct vault_meta borrows. */
struct vault_meta_room {
    struct buf xattrs;
    char handle[VAULT_HANDLE_MAX];
};

void vault_meta_room_init(struct vault_meta_room *room);
void vault_meta_room_done(struct vault_meta_room *room);

/* Fills dev … atime of version and all of meta but pool, from fd and what stat said of it. */
[[nodiscard]] int vault_meta_read(int fd, const struct stat *st, struct vault_meta_room *room,
                                  struct vault_version *version, struct vault_meta *meta);
/* Owner, mode, attributes, and last the times if has_times. Attributes that the version had not are
 * taken away.
 */
[[nodiscard]] int vault_meta_apply(int fd, const struct vault_version *version,
                                   const struct vault_meta *meta, bool has_times);
/* All attributes of an open file or folder, packed, behind what is in the buffer. -ERR_LIMIT. */
[[nodiscard]] int vault_meta_read_xattrs(int fd, struct buf *xattrs);
/* Whether two packed lists hold the same attributes, in whatever order. */
bool vault_meta_is_same(struct str one, struct str other);
/* Takes away, in the packed list itself, what only root may give: all but user attributes, ACLs,
 * and capabilities if has_capabilities. True when something was taken. */
bool vault_meta_confine(struct str *xattrs, struct buf *room, bool has_capabilities);

int64_t vault_time_of(struct timespec time);

#endif
