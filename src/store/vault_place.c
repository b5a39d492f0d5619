/* Walking to a file without following links. Neighbours: vault_work.c, vault_restore.c and
 * vault_undo.c put files into places and take them out. */
#include "store/vault_place.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

void vault_place_done(struct vault_place *place)
{
    closep(&place->folder);
}

static int place_open_at(int at, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));

    return fd >= 0 ? (int)fd : -errno;
}

/* Splits "/a/b/c" into "/a/b" and "c". */
static int place_split(struct str path, char folder[4096], char name[256])
{
    size_t cut = path.len;

    if (path.len == 0 || path.ptr[0] != '/' || path.len >= 4096 ||
        memchr(path.ptr, '\0', path.len) != NULL) {
        return -ERR_INVAL;
    }
    while (path.ptr[cut - 1] != '/') {
        cut--;
    }
    if (path.len - cut >= 256) {
        return -ERR_NAMETOOLONG;
    }
    if (cut == path.len || str_is(str_slice(path, cut, path.len), STR("..")) ||
        str_is(str_slice(path, cut, path.len), STR("."))) {
        return -ERR_INVAL;
    }
    memcpy(folder, path.ptr, cut);
    folder[cut > 1 ? cut - 1 : 1] = '\0';
    memcpy(name, path.ptr + cut, path.len - cut);
    name[path.len - cut] = '\0';
    return 0;
}

int vault_place_open(struct str path, struct vault_place *ret_place)
{
    struct vault_place place = {.folder = -1};
    char folder[4096];
    int r = place_split(path, folder, place.name);

    if (r < 0) {
        return r;
    }
    place.folder = place_open_at(AT_FDCWD, folder, FOLDER_FLAGS);
    if (place.folder < 0) {
        return place.folder;
    }
    *ret_place = place;
    return 0;
}

/* One missing folder below at; somebody else may have made it meanwhile. */
static int place_make_one(int at, const char *name, const struct vault_version *version,
                          uint32_t *made)
{
    CLEANUP(closep) int fd = -1;
    struct stat model;

    if (fstat(at, &model) != 0) {
        return -errno;
    }
    if (mkdirat(at, name, 0700) != 0) {
        return errno == EEXIST ? 0 : -errno;
    }
    (*made)++;
    fd = openat(at, name, FOLDER_FLAGS | O_NOFOLLOW);
    if (fd < 0 || fchown(fd, version->uid, version->gid) != 0 ||
        fchmod(fd, (model.st_mode & 0755) | 0700) != 0) {
        return -errno;
    }
    return 0;
}

int vault_place_make(struct str path, const struct vault_version *version,
                     struct vault_place *ret_place, uint32_t *made)
{
    CLEANUP(closep) int at = -1;
    char folder[4096];
    char name[256];
    struct str rest;
    struct str part;
    int r = vault_place_open(path, ret_place);

    if (r != -ERR_NOENT) {
        return r;
    }
    r = place_split(path, folder, name);
    if (r < 0) {
        return r;
    }
    rest = str_from(folder + 1);
    at = open("/", FOLDER_FLAGS);
    if (at < 0) {
        return -errno;
    }
    while (r == 0 && str_cut(&rest, '/', &part)) {
        int next;

        memcpy(name, part.ptr, part.len < sizeof(name) ? part.len : 0);
        name[part.len < sizeof(name) ? part.len : 0] = '\0';
        if (part.len == 0) {
            continue;
        }
        next = place_open_at(at, name, FOLDER_FLAGS);
        if (next == -ERR_NOENT) {
            r = place_make_one(at, name, version, made);
            next = r < 0 ? r : place_open_at(at, name, FOLDER_FLAGS);
        }
        if (next < 0) {
            return next;
        }
        closep(&at);
        at = next;
    }
    return r < 0 ? r : vault_place_open(path, ret_place);
}

void vault_place_unmake(struct str path, uint32_t count)
{
    for (; count != 0; count--) {
        CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};

        while (path.len != 0 && path.ptr[path.len - 1] != '/') {
            path.len--;
        }
        path.len -= path.len != 0 ? 1 : 0;
        if (vault_place_open(path, &place) < 0 ||
            unlinkat(place.folder, place.name, AT_REMOVEDIR) != 0) {
            return;
        }
    }
}

int vault_place_stat(const struct vault_place *place, struct stat *ret_stat)
{
    return fstatat(place->folder, place->name, ret_stat, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
}

static bool place_is_inode(const struct stat *st, struct vault_inode inode)
{
    return S_ISREG(st->st_mode) && st->st_dev == inode.dev && st->st_ino == inode.ino;
}

int vault_place_holds(const struct vault_place *place, struct vault_inode inode)
{
    struct stat st;
    int r = vault_place_stat(place, &st);

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    return place_is_inode(&st, inode) ? 1 : 0;
}

static int place_check(int fd, struct vault_inode inode)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    return place_is_inode(&st, inode) ? 0 : -ERR_NOENT;
}

int vault_place_open_inode(const struct vault_place *place, struct vault_inode inode, int flags)
{
    CLEANUP(closep) int fd = -1;
    int r = vault_place_holds(place, inode); /* first: opening a FIFO or device would do things */

    if (r <= 0) {
        return r < 0 ? r : -ERR_NOENT;
    }
    fd = place_open_at(place->folder, place->name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return fd;
    }
    r = place_check(fd, inode);
    return r < 0 ? r : TAKE_FD(fd);
}

int vault_place_find(struct str path, struct vault_inode inode, int flags,
                     struct vault_place *ret_place)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    int fd;
    int r;

    if (path.len == 0) {
        return -ERR_NOENT;
    }
    r = vault_place_open(path, &place);
    if (r < 0) {
        return r;
    }
    fd = vault_place_open_inode(&place, inode, flags);
    if (fd >= 0 && ret_place != NULL) {
        *ret_place = place;
        place.folder = -1;
    }
    return fd;
}

int vault_place_open_handle(int at, struct str handle, struct vault_inode inode, int flags)
{
    CLEANUP(closep) int fd = -1;
    struct {
        struct file_handle head;
        unsigned char bytes[MAX_HANDLE_SZ];
    } whole = {};
    struct stat st;
    int r;

    if (handle.len <= sizeof(int32_t) || handle.len - sizeof(int32_t) > MAX_HANDLE_SZ) {
        return -ERR_NOENT;
    }
    if (fstat(at, &st) != 0 || st.st_dev != inode.dev) {
        return -ERR_NOENT;
    }
    whole.head.handle_bytes = (unsigned)(handle.len - sizeof(int32_t));
    memcpy(&whole.head.handle_type, handle.ptr, sizeof(int32_t));
    memcpy(whole.bytes, handle.ptr + sizeof(int32_t), whole.head.handle_bytes);
    fd = open_by_handle_at(at, &whole.head, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return errno == ESTALE || errno == EPERM ? -ERR_NOENT : -errno;
    }
    r = place_check(fd, inode);
    if (r == 0 && (fstat(fd, &st) != 0 || st.st_nlink == 0)) {
        r = -ERR_NOENT; /* only an open descriptor keeps it: it cannot get a name again */
    }
    return r < 0 ? r : TAKE_FD(fd);
}

int vault_place_link(const struct vault_place *place, int fd)
{
    char link[64];

    if (linkat(fd, "", place->folder, place->name, AT_EMPTY_PATH) == 0) {
        return 0;
    }
    if (errno != ENOENT && errno != EPERM) {
        return -errno;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd); /* without CAP_DAC_READ_SEARCH */
    return linkat(AT_FDCWD, link, place->folder, place->name, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

int vault_place_new(const struct vault_place *place)
{
    int fd = openat(place->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : -errno;
}

int vault_place_rename(const struct vault_place *from, const struct vault_place *to)
{
    return renameat2(from->folder, from->name, to->folder, to->name, RENAME_NOREPLACE) == 0
               ? 0
               : -errno;
}

int vault_place_unlink(const struct vault_place *place)
{
    return unlinkat(place->folder, place->name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}
