/* Where the bytes lie. A pool is a folder of objects, each named by its version's id in one of 256
 * subfolders; a thousand ids in a row share one, so that an attack's saves find its blocks and
 * inode tables warm. Pool 0 is in the vault; a file system that can clone and is not the vault's
 * own may have one more, `.canhgac/VAULT` at its mount point, so that a copy there is a clone. Not
 * thread-safe, but an object call needs no lock once it has its pool, which stays where it is until
 * the vault closes. */
#ifndef STORE_VAULT_POOL_H
#define STORE_VAULT_POOL_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define VAULT_POOLS_MAX   32
#define VAULT_POOL_FOLDER ".canhgac"

struct vault_pool {
    uint64_t number;
    uint64_t dev;
    int fd;
    bool can_clone;
    char *path;
};

struct vault_pools {
    struct vault_pool *pools[VAULT_POOLS_MAX]; /* [0] is the vault's own */
    size_t count;
    char name[17];                     /* of this vault's folder in foreign pools */
    uint64_t settled[VAULT_POOLS_MAX]; /* devices whose files the vault's own folder takes */
    size_t settled_count;
};

/* folder stays the caller's; secret names the vault in foreign pools. */
[[nodiscard]] int vault_pools_open(struct vault_pools *pools, int folder, const char *path,
                                   uint64_t secret);
void vault_pools_close(struct vault_pools *pools);

struct vault_pool *vault_pool_by_number(const struct vault_pools *pools, uint64_t number);
struct vault_pool *vault_pool_by_dev(const struct vault_pools *pools, uint64_t dev);
/* The pool for a file on dev when that is known without a system call, else NULL. */
struct vault_pool *vault_pool_known(const struct vault_pools *pools, uint64_t dev);
/* Remembers that files on dev go to the vault's own folder. */
void vault_pool_settle(struct vault_pools *pools, uint64_t dev);
/* Where a pool for what fd refers to would lie. Writes a NUL-terminated path. -ERR_OPNOTSUPP when
 * its file system cannot clone. */
[[nodiscard]] int vault_pool_place(const struct vault_pools *pools, int fd, char *out, size_t size);
/* Opens (and makes, when may_make) the pool at a path and adds it. owner: of the vault's folder. */
[[nodiscard]] int vault_pool_add(struct vault_pools *pools, uint64_t number, const char *path,
                                 bool may_make, const struct stat *owner);

/* An object's path in its pool; enough room for any. */
#define VAULT_OBJECT_NAME_SIZE 32
void vault_object_name(uint64_t id, char out[VAULT_OBJECT_NAME_SIZE]);
[[nodiscard]] int vault_object_create(const struct vault_pool *pool, uint64_t id);
[[nodiscard]] int vault_object_open(const struct vault_pool *pool, uint64_t id);
[[nodiscard]] int vault_object_stat(const struct vault_pool *pool, uint64_t id,
                                    struct stat *ret_stat);
/* Gone already is no failure. */
[[nodiscard]] int vault_object_remove(const struct vault_pool *pool, uint64_t id);
/* Makes id's object another name of from's, in one step. -EMLINK when that has too many. */
[[nodiscard]] int vault_object_share(const struct vault_pool *pool, uint64_t from, uint64_t id);

#endif
