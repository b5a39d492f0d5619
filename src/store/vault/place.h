/* Places in people's file systems: a folder held open and a name in it. No symbolic link is ever
 * followed, so that nobody who owns a folder on the way can lead a restore elsewhere; what
 * vault_confine set is held to: -ERR_PERM outside, -ERR_CONFLICT when a place is not the folder any
 * more that it was. */
#ifndef STORE_VAULT_PLACE_H
#define STORE_VAULT_PLACE_H

#include "store/vault/state.h"

struct vault_place {
    int folder; /* owned; -1: none */
    char name[256];
};

void vault_place_done(struct vault_place *place);
/* -ERR_NOENT when a folder on the way is missing, -ERR_LOOP when one is a link, -ERR_INVAL for a
 * path that is not absolute or names no file. */
[[nodiscard]] int vault_place_open(const struct vault *vault, struct str path,
                                   struct vault_place *ret_place);
/* The same, making missing folders: as the vault knows them, else of the mode of the nearest one
 * that is there and of the file's owner. *made counts them. */
[[nodiscard]] int vault_place_make(struct vault *vault, struct str path,
                                   const struct vault_version *version,
                                   struct vault_place *ret_place, uint32_t *made);
/* Removes `count` folders above path again, while they are empty. */
void vault_place_unmake(const struct vault *vault, struct str path, uint32_t count);

/* Opens the folder that has this name. -ERR_NOENT. */
[[nodiscard]] int vault_place_open_folder(const struct vault_place *place);

/* 1 when the place holds that regular file, 0 when it holds something else or nothing. */
[[nodiscard]] int vault_place_holds(const struct vault_place *place, struct vault_inode inode);
/* -ERR_NOENT when nothing is there. */
[[nodiscard]] int vault_place_stat(const struct vault_place *place, struct stat *ret_stat);
/* Opens the file if it is that inode; -ERR_NOENT when it is not. */
[[nodiscard]] int vault_place_open_inode(const struct vault_place *place, struct vault_inode inode,
                                         int flags);
/* Opens path for one act: place and inode at once. -ERR_NOENT. */
[[nodiscard]] int vault_place_find(const struct vault *vault, struct str path,
                                   struct vault_inode inode, int flags,
                                   struct vault_place *ret_place);
/* An inode by its kernel handle while any name keeps it; -ERR_NOENT when it has gone. at: any
 * folder of its file system. */
[[nodiscard]] int vault_place_open_handle(const struct vault *vault, int at, struct str handle,
                                          struct vault_inode inode, int flags);

/* Gives an open inode this name; -ERR_EXIST. */
[[nodiscard]] int vault_place_link(const struct vault_place *place, int fd);
/* A new nameless file on the place's file system, to be filled and then linked. */
[[nodiscard]] int vault_place_new(const struct vault_place *place);
/* Moves without replacing anything; -ERR_EXIST, -ERR_XDEV. */
[[nodiscard]] int vault_place_rename(const struct vault_place *from, const struct vault_place *to);
[[nodiscard]] int vault_place_unlink(const struct vault_place *place);

#endif
