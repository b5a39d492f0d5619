/* Folders of objects. Neighbours: vault.c creates and opens objects, vault/tend.c shares and
 * removes them, vault/place.c moves damaged inodes in and out. Invariant: nothing here follows a
 * symbolic link below a pool's folder. */
#include "store/vault/pool.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#define SUBFOLDERS      256U
#define MOUNTINFO_LIMIT (4U << 20)
#define XFS_SUPER_MAGIC 0x58465342
#define BCACHEFS_MAGIC  0xca451a4e

void vault_object_name(uint64_t id, char out[VAULT_OBJECT_NAME_SIZE])
{
    (void)snprintf(out, VAULT_OBJECT_NAME_SIZE, "objects/%02x/%016" PRIx64,
                   (unsigned)(id >> 10 & 0xff), id);
}

static bool pool_can_clone(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) != 0) {
        return false;
    }
    return (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC || (uint32_t)fs.f_type == XFS_SUPER_MAGIC ||
           (uint32_t)fs.f_type == BCACHEFS_MAGIC;
}

/* One folder, owned as the vault is: root may make it for the sensor's user. */
static int pool_make_folder(int at, const char *name, const struct stat *owner)
{
    if (mkdirat(at, name, 0700) != 0) {
        return errno == EEXIST ? 0 : -errno;
    }
    if (geteuid() == 0 && owner != NULL &&
        fchownat(at, name, owner->st_uid, owner->st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    return 0;
}

static int pool_make_objects(int fd, const struct stat *owner)
{
    char name[32];
    int r = pool_make_folder(fd, "objects", owner);

    (void)snprintf(name, sizeof(name), "objects/%02x", SUBFOLDERS - 1);
    if (r < 0 || faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return r;
    }
    for (unsigned i = 0; r == 0 && i < SUBFOLDERS; i++) {
        (void)snprintf(name, sizeof(name), "objects/%02x", i);
        r = pool_make_folder(fd, name, owner);
    }
    return r;
}

static int pool_insert(struct vault_pools *pools, uint64_t number, int *fd, const char *path)
{
    struct vault_pool *pool;
    struct stat st;

    if (pools->count == VAULT_POOLS_MAX) {
        return -ERR_LIMIT;
    }
    if (fstat(*fd, &st) != 0) {
        return -errno;
    }
    pool = mem_alloc(1, sizeof(*pool));
    if (pool == NULL) {
        return -ERR_NOMEM;
    }
    pool->path = mem_dup(path, strlen(path));
    if (pool->path == NULL) {
        mem_free(pool);
        return -ERR_NOMEM;
    }
    pool->number = number;
    pool->dev = st.st_dev;
    pool->can_clone = pool_can_clone(*fd);
    pool->fd = TAKE_FD(*fd);
    pools->pools[pools->count++] = pool;
    pools->settled_count = 0; /* what went to the vault's own folder may have a nearer place now */
    return 0;
}

int vault_pools_open(struct vault_pools *pools, int folder, const char *path, uint64_t secret)
{
    CLEANUP(closep) int fd = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    struct stat owner;
    int r;

    *pools = (struct vault_pools){};
    (void)snprintf(pools->name, sizeof(pools->name), "%016" PRIx64, secret);
    if (fd < 0 || fstat(folder, &owner) != 0) {
        return -errno;
    }
    r = pool_make_objects(folder, &owner);
    return r < 0 ? r : pool_insert(pools, 0, &fd, path);
}

void vault_pools_close(struct vault_pools *pools)
{
    for (size_t i = 0; i < pools->count; i++) {
        closep(&pools->pools[i]->fd);
        mem_free(pools->pools[i]->path);
        mem_free(pools->pools[i]);
    }
    pools->count = 0;
}

struct vault_pool *vault_pool_by_number(const struct vault_pools *pools, uint64_t number)
{
    for (size_t i = 0; i < pools->count; i++) {
        if (pools->pools[i]->number == number) {
            return pools->pools[i];
        }
    }
    return NULL;
}

struct vault_pool *vault_pool_by_dev(const struct vault_pools *pools, uint64_t dev)
{
    for (size_t i = 0; i < pools->count; i++) {
        if (pools->pools[i]->dev == dev) {
            return pools->pools[i];
        }
    }
    return NULL;
}

struct vault_pool *vault_pool_known(const struct vault_pools *pools, uint64_t dev)
{
    struct vault_pool *pool = vault_pool_by_dev(pools, dev);

    if (pool != NULL) {
        return pool;
    }
    for (size_t i = 0; i < pools->settled_count; i++) {
        if (pools->settled[i] == dev) {
            return pools->pools[0];
        }
    }
    return NULL;
}

void vault_pool_settle(struct vault_pools *pools, uint64_t dev)
{
    if (pools->settled_count < VAULT_POOLS_MAX) {
        pools->settled[pools->settled_count++] = dev;
    }
}

/* Undoes mountinfo's \040 for a space and its like. */
static void mount_unescape(struct str text, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 3 < text.len) {
            out[len++] = (char)((text.ptr[i + 1] - '0') << 6 | (text.ptr[i + 2] - '0') << 3 |
                                (text.ptr[i + 3] - '0'));
            i += 3;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    out[len] = '\0';
}

/* Field 1 of a line is the mount's id, field 5 where it is mounted (proc(5)). */
static bool mount_match(struct str line, uint64_t wanted, struct str *ret_point)
{
    struct str field = {};
    uint64_t id;

    if (!str_cut(&line, ' ', &field) || str_to_u64(field, &id) < 0 || id != wanted) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (!str_cut(&line, ' ', &field)) {
            return false;
        }
    }
    *ret_point = field;
    return true;
}

static int mount_point_of(int fd, char *out, size_t size)
{
    CLEANUP(buf_done) struct buf table;
    struct statx stx;
    struct str rest;
    struct str line;
    int r;

    buf_init(&table, MOUNTINFO_LIMIT);
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) != 0) {
        return -errno;
    }
    r = file_read_all(AT_FDCWD, "/proc/self/mountinfo", &table);
    if (r < 0) {
        return r;
    }
    rest = buf_str(&table);
    while (str_cut(&rest, '\n', &line)) {
        struct str point;

        if (mount_match(line, stx.stx_mnt_id, &point)) {
            if (point.len >= size) {
                return -ERR_NAMETOOLONG;
            }
            mount_unescape(point, out);
            return 0;
        }
    }
    return -ERR_NOENT;
}

int vault_pool_place(const struct vault_pools *pools, int fd, char *out, size_t size)
{
    char point[4096];
    int len;
    int r;

    if (!pool_can_clone(fd)) {
        return -ERR_OPNOTSUPP;
    }
    r = mount_point_of(fd, point, sizeof(point));
    if (r < 0) {
        return r;
    }
    len = snprintf(out, size, "%s/" VAULT_POOL_FOLDER "/%s", strcmp(point, "/") == 0 ? "" : point,
                   pools->name);
    return len > 0 && (size_t)len < size ? 0 : -ERR_NAMETOOLONG;
}

static bool pool_is_ours(int at, const char *name, const struct stat *owner)
{
    struct stat st;

    return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
           (st.st_uid == owner->st_uid || st.st_uid == 0) && (st.st_mode & 077) == 0;
}

/* path is ROOT/.canhgac/VAULT: the last two are made here, of mode 0700; the root must exist. */
static int pool_open_folder(const char *path, bool may_make, const struct stat *owner, int *ret_fd)
{
    CLEANUP(closep) int root = -1;
    CLEANUP(closep) int fd = -1;
    CLEANUP(mem_freep) char *copy = mem_dup(path, strlen(path));
    char *name = copy != NULL ? strstr(copy, "/" VAULT_POOL_FOLDER "/") : NULL;
    int r = 0;

    if (name == NULL) {
        return copy == NULL ? -ERR_NOMEM : -ERR_INVAL;
    }
    *name++ = '\0';
    root = open(copy[0] != '\0' ? copy : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (root < 0) {
        return -errno;
    }
    if (may_make) {
        r = pool_make_folder(root, VAULT_POOL_FOLDER, owner);
        r = r < 0 ? r : pool_make_folder(root, name, owner);
    }
    if (r < 0) {
        return r;
    }
    fd = fd_open_beneath(root, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        return fd;
    }
    if (!pool_is_ours(root, VAULT_POOL_FOLDER, owner) || !pool_is_ours(fd, ".", owner)) {
        return -ERR_FOREIGN;
    }
    r = may_make ? pool_make_objects(fd, owner) : 0;
    if (r == 0) {
        *ret_fd = TAKE_FD(fd);
    }
    return r;
}

int vault_pool_add(struct vault_pools *pools, uint64_t number, const char *path, bool may_make,
                   const struct stat *owner)
{
    CLEANUP(closep) int fd = -1;
    int r;

    for (size_t i = 0; i < pools->count; i++) {
        if (strcmp(pools->pools[i]->path, path) == 0 && pools->pools[i]->number == number) {
            return 0;
        }
    }
    r = pool_open_folder(path, may_make, owner, &fd);
    return r < 0 ? r : pool_insert(pools, number, &fd, path);
}

int vault_object_create(const struct vault_pool *pool, uint64_t id)
{
    char name[VAULT_OBJECT_NAME_SIZE];
    int fd;

    vault_object_name(id, name);
    fd = openat(pool->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd >= 0 ? fd : -errno;
}

int vault_object_open(const struct vault_pool *pool, uint64_t id)
{
    char name[VAULT_OBJECT_NAME_SIZE];

    int fd;

    vault_object_name(id, name);
    fd = fd_open_beneath(pool->fd, name, O_RDONLY | O_NOFOLLOW | O_NOATIME, 0);
    /* A damaged inode that was moved in keeps its owner, and only an owner may ask for O_NOATIME.
     */
    return fd == -ERR_PERM ? fd_open_beneath(pool->fd, name, O_RDONLY | O_NOFOLLOW, 0) : fd;
}

int vault_object_stat(const struct vault_pool *pool, uint64_t id, struct stat *ret_stat)
{
    char name[VAULT_OBJECT_NAME_SIZE];

    vault_object_name(id, name);
    return fstatat(pool->fd, name, ret_stat, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
}

int vault_object_remove(const struct vault_pool *pool, uint64_t id)
{
    char name[VAULT_OBJECT_NAME_SIZE];

    vault_object_name(id, name);
    return unlinkat(pool->fd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

int vault_object_share(const struct vault_pool *pool, uint64_t from, uint64_t id)
{
    char source[VAULT_OBJECT_NAME_SIZE];
    char target[VAULT_OBJECT_NAME_SIZE];
    char temporary[VAULT_OBJECT_NAME_SIZE + 4];

    vault_object_name(from, source);
    vault_object_name(id, target);
    (void)snprintf(temporary, sizeof(temporary), "%s.new", target);
    (void)unlinkat(pool->fd, temporary, 0);
    if (linkat(pool->fd, source, pool->fd, temporary, 0) != 0) {
        return -errno;
    }
    if (renameat(pool->fd, temporary, pool->fd, target) != 0) {
        return -errno;
    }
    /* When both were one inode already, rename does nothing and leaves the temporary name. */
    (void)unlinkat(pool->fd, temporary, 0);
    return 0;
}
