/* Walking to a file without following links. Neighbours: vault/work.c, vault/restore.c and
 * vault/undo.c put files into places and take them out. */
#include "store/vault/place.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/vault/folder.h"
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

static int place_resolve(int at, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | resolve,
    };
    long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));

    return fd >= 0 ? (int)fd : -errno;
}

static int place_open_at(int at, const char *path, int flags)
{
    return place_resolve(at, path, flags, 0);
}

static bool place_is_below(struct str path, struct str place)
{
    bool is_root = place.len == 1;

    return path.len > place.len && str_has_prefix(path, place) &&
           (is_root || path.ptr[place.len] == '/');
}

/* The innermost place that holds path; NULL when there is none, or it is left out. */
static const struct vault_allowed *place_allowed(const struct vault *vault, struct str path)
{
    const struct vault_allowed *found = NULL;

    for (size_t i = 0; i < vault->confines.count; i++) {
        const struct vault_allowed *place = &vault->confines.places[i];

        if (place_is_below(path, str_from(place->path)) &&
            (found == NULL || strlen(place->path) >= strlen(found->path))) {
            found = place;
        }
    }
    return found != NULL && found->folder >= 0 ? found : NULL;
}

/* Whether the place's path still leads to the folder that was opened for it. */
static int place_is_there(const struct vault_allowed *place)
{
    CLEANUP(closep) int fd = place_open_at(AT_FDCWD, place->path, O_PATH | O_DIRECTORY);
    struct stat now;
    struct stat was;

    if (fd < 0) {
        return fd == -ERR_NOENT || fd == -ERR_LOOP ? -ERR_CONFLICT : fd;
    }
    if (fstat(fd, &now) != 0 || fstat(place->folder, &was) != 0) {
        return -errno;
    }
    return now.st_dev == was.st_dev && now.st_ino == was.st_ino ? 0 : -ERR_CONFLICT;
}

/* Where the walk to a folder begins, and the rest of its way. */
struct place_way {
    int at;
    const char *rest;
    uint64_t resolve;
};

static int place_way_to(const struct vault *vault, const char *folder, struct place_way *ret_way)
{
    const struct vault_allowed *place;
    size_t len;
    int r;

    if (vault->confines.count == 0) {
        *ret_way = (struct place_way){AT_FDCWD, folder, 0};
        return 0;
    }
    place = place_allowed(vault, str_from(folder));
    if (place == NULL) { /* the place itself */
        for (size_t i = 0; i < vault->confines.count; i++) {
            const struct vault_allowed *other = &vault->confines.places[i];

            place = other->folder >= 0 && strcmp(other->path, folder) == 0 ? other : place;
        }
    }
    if (place == NULL) {
        return -ERR_PERM;
    }
    r = place_is_there(place);
    if (r < 0) {
        return r;
    }
    len = strlen(place->path);
    folder += len < strlen(folder) && len > 1 ? len + 1 : len;
    *ret_way = (struct place_way){place->folder, *folder != '\0' ? folder : ".", RESOLVE_BENEATH};
    return 0;
}

static bool place_climbs(struct str path)
{
    struct str part;

    while (str_cut(&path, '/', &part)) {
        if (str_is(part, STR("..")) || str_is(part, STR("."))) {
            return true;
        }
    }
    return false;
}

/* Splits "/a/b/c" into "/a/b" and "c". */
static int place_split(struct str path, char folder[4096], char name[256])
{
    size_t cut = path.len;

    if (path.len == 0 || path.ptr[0] != '/' || path.len >= 4096 ||
        memchr(path.ptr, '\0', path.len) != NULL || place_climbs(path)) {
        return -ERR_INVAL;
    }
    while (path.ptr[cut - 1] != '/') {
        cut--;
    }
    if (path.len - cut >= 256) {
        return -ERR_NAMETOOLONG;
    }
    if (cut == path.len) {
        return -ERR_INVAL;
    }
    memcpy(folder, path.ptr, cut);
    folder[cut > 1 ? cut - 1 : 1] = '\0';
    memcpy(name, path.ptr + cut, path.len - cut);
    name[path.len - cut] = '\0';
    return 0;
}

int vault_place_open(const struct vault *vault, struct str path, struct vault_place *ret_place)
{
    struct vault_place place = {.folder = -1};
    struct place_way way;
    char folder[4096];
    int r = place_split(path, folder, place.name);

    if (r == 0 && vault->confines.count != 0 && place_allowed(vault, path) == NULL) {
        r = -ERR_PERM;
    }
    r = r < 0 ? r : place_way_to(vault, folder, &way);
    if (r < 0) {
        return r;
    }
    place.folder = place_resolve(way.at, way.rest, FOLDER_FLAGS, way.resolve);
    if (place.folder < 0) {
        return place.folder == -ERR_XDEV ? -ERR_PERM : place.folder;
    }
    *ret_place = place;
    return 0;
}

int vault_place_open_folder(const struct vault_place *place)
{
    return place_open_at(place->folder, place->name, FOLDER_FLAGS | O_NOFOLLOW);
}

/* What is known of a folder; -ERR_NOENT when nothing is. The texts lie in room. */
static int place_known_folder(struct vault *vault, struct str path, struct buf *room,
                              struct vault_folder *ret_folder)
{
    const struct vault_folder *known;

    pthread_mutex_lock(&vault->mutex);
    known = vault_folder_known(&vault->folders, path);
    if (known != NULL) {
        *ret_folder = *known;
        buf_put_str(room, known->xattrs);
    }
    pthread_mutex_unlock(&vault->mutex);
    if (known == NULL) {
        return -ERR_NOENT;
    }
    ret_folder->xattrs = buf_str(room);
    return buf_error(room);
}

struct place_walk {
    struct vault *vault;
    const struct vault_version *version;
    uint32_t *made;
};

/* One missing folder below at; somebody else may have made it meanwhile. path: all of it. */
static int place_make_one(const struct place_walk *walk, int at, const char *name, struct str path)
{
    CLEANUP(closep) int fd = -1;
    CLEANUP(buf_done) struct buf room;
    struct vault_folder known;
    struct stat model;

    buf_init(&room, VAULT_XATTRS_MAX);
    if (fstat(at, &model) != 0) {
        return -errno;
    }
    if (mkdirat(at, name, 0700) != 0) {
        return errno == EEXIST ? 0 : -errno;
    }
    (*walk->made)++;
    fd = openat(at, name, FOLDER_FLAGS | O_NOFOLLOW);
    if (fd < 0) {
        return -errno;
    }
    if (place_known_folder(walk->vault, path, &room, &known) == 0) {
        return vault_folder_apply(fd, &known, false);
    }
    return fchown(fd, walk->version->uid, walk->version->gid) == 0 &&
                   fchmod(fd, (model.st_mode & 0755) | 0700) == 0
               ? 0
               : -errno;
}

/* Goes on from *at, folder by folder; rest is the end of whole. */
static int place_make_all(const struct place_walk *walk, int *at, struct str whole, struct str rest)
{
    struct str part;
    char name[256];
    int r = 0;

    while (r == 0 && str_cut(&rest, '/', &part)) {
        int next;

        if (part.len == 0 || str_is(part, STR("."))) {
            continue;
        }
        if (part.len >= sizeof(name)) {
            return -ERR_NAMETOOLONG;
        }
        memcpy(name, part.ptr, part.len);
        name[part.len] = '\0';
        next = place_open_at(*at, name, FOLDER_FLAGS);
        if (next == -ERR_NOENT) {
            r = place_make_one(walk, *at, name,
                               str_of(whole.ptr, (size_t)(part.ptr + part.len - whole.ptr)));
            next = r < 0 ? r : place_open_at(*at, name, FOLDER_FLAGS);
        }
        if (next < 0) {
            return next;
        }
        closep(at);
        *at = next;
    }
    return r;
}

int vault_place_make(struct vault *vault, struct str path, const struct vault_version *version,
                     struct vault_place *ret_place, uint32_t *made)
{
    const struct place_walk walk = {vault, version, made};
    CLEANUP(closep) int at = -1;
    struct place_way way;
    char folder[4096];
    char name[256];
    int r = vault_place_open(vault, path, ret_place);

    if (r != -ERR_NOENT) {
        return r;
    }
    r = place_split(path, folder, name);
    r = r < 0 ? r : place_way_to(vault, folder, &way);
    if (r < 0) {
        return r;
    }
    at = way.at == AT_FDCWD ? open("/", FOLDER_FLAGS) : openat(way.at, ".", FOLDER_FLAGS);
    if (at < 0) {
        return -errno;
    }
    r = place_make_all(&walk, &at, str_from(folder), str_from(way.rest));
    return r < 0 ? r : vault_place_open(vault, path, ret_place);
}

void vault_place_unmake(const struct vault *vault, struct str path, uint32_t count)
{
    for (; count != 0; count--) {
        CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};

        while (path.len != 0 && path.ptr[path.len - 1] != '/') {
            path.len--;
        }
        path.len -= path.len != 0 ? 1 : 0;
        if (vault_place_open(vault, path, &place) < 0 ||
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

int vault_place_find(const struct vault *vault, struct str path, struct vault_inode inode,
                     int flags, struct vault_place *ret_place)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    int fd;
    int r;

    if (path.len == 0) {
        return -ERR_NOENT;
    }
    r = vault_place_open(vault, path, &place);
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

int vault_place_open_handle(const struct vault *vault, int at, struct str handle,
                            struct vault_inode inode, int flags)
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
    if (r == 0 && vault->confines.count != 0) { /* a handle leads anywhere on its file system */
        char path[4096];

        r = fd_path(fd, path, sizeof(path));
        r = r == 0 && place_allowed(vault, str_from(path)) == NULL ? -ERR_NOENT : r;
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
