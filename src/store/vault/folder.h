/* Folders in memory and on the disk: what they were, made again when an attack removed them. Maps
 * of struct vault_folder_row are owned by the vault and by its cases. */
#ifndef STORE_VAULT_FOLDER_H
#define STORE_VAULT_FOLDER_H

#include "store/vault/state.h"

/* A record's folder into a map; later facts replace earlier ones. Full: it is passed over. */
[[nodiscard]] int vault_folders_put(struct map *folders, const struct vault_record *record);
void vault_folders_done(struct map *folders);
/* Borrowed; NULL when it is not known. With the vault's mutex. */
const struct vault_folder *vault_folder_known(const struct map *folders, struct str path);

/* Owner, mode and attributes, and the times if has_times. */
[[nodiscard]] int vault_folder_apply(int fd, const struct vault_folder *folder, bool has_times);

/* The folders of a case, before its files are put back: those that are missing are made. */
[[nodiscard]] int vault_case_make_folders(struct vault *vault, const struct id *finding);
/* Behind its files: each is as it was. *ret_count: how many. */
[[nodiscard]] int vault_case_mend_folders(struct vault *vault, const struct id *finding,
                                          uint64_t *ret_count);
/* The reverse, behind the undoing of its files. */
[[nodiscard]] int vault_case_undo_folders(struct vault *vault, const struct id *finding);

#endif
