/* Putting back and taking out. What is put back is made whole under a name of its own first (in the
 * store, or beside its place where that lies on another mount, then readable by nobody but us), and
 * takes its place by an exchange: at every moment a reader sees the one or the other, and the
 * attacker's version is in our hands in the same stroke, even while he still writes to it. */
#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/id.h"
#include "base/time.h"
#include "store/vault/meta.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define EXCHANGE_TRIES 16

/* Where one path's last part lies. */
struct place {
    int folder; /* owned */
    char name[256];
};

static void place_done(struct place *place)
{
    closep(&place->folder);
}

static int place_of(const struct webroot *webroot, struct str path, struct place *ret_place)
{
    char text[MANIFEST_PATH_MAX];
    const char *slash;
    const char *last;
    size_t len;
    int folder;

    ret_place->folder = -1;
    if (path.len == 0 || path.len >= sizeof(text)) {
        return -ERR_INVAL;
    }
    memcpy(text, path.ptr, path.len);
    text[path.len] = '\0';
    slash = strrchr(text, '/');
    last = slash != NULL ? slash + 1 : text;
    len = strlen(last);
    if (len >= sizeof(ret_place->name)) {
        return -ERR_NAMETOOLONG;
    }
    memcpy(ret_place->name, last, len + 1);
    if (slash != NULL) {
        text[slash - text] = '\0';
    }
    folder = fd_open_beneath(webroot->fd, slash != NULL ? text : ".", O_RDONLY | O_DIRECTORY, 0);
    if (folder < 0) {
        return folder;
    }
    ret_place->folder = folder;
    return 0;
}

/* Nobody can guess it, so nobody can stand in its way. */
static int stage_name(char out[WEBROOT_STAGE_NAME])
{
    char text[ID_TEXT_SIZE];
    struct id id;
    int r = id_new(&id);

    if (r == 0) {
        id_format(&id, text);
        (void)snprintf(out, WEBROOT_STAGE_NAME, ".canhgac-%s", text);
    }
    return r;
}

static struct vault_version entry_version(const struct manifest_entry *entry)
{
    return (struct vault_version){.mode = entry->mode,
                                  .uid = entry->uid,
                                  .gid = entry->gid,
                                  .mtime = entry->mtime,
                                  .atime = entry->mtime};
}

static int entry_apply(int fd, const struct manifest_entry *entry)
{
    struct vault_version version = entry_version(entry);
    struct vault_meta meta = {.xattrs = entry->xattrs};

    return vault_meta_apply(fd, &version, &meta, entry->kind == MANIFEST_KIND_FILE);
}

static int stage_file(const struct webroot *webroot, const struct manifest_entry *entry, int folder,
                      const char *name)
{
    CLEANUP(closep) int base = blobs_get(&webroot->base, entry->sha256);
    CLEANUP(closep) int fd = -1;
    uint8_t sha256[32];
    int r;

    if (base < 0) {
        return base == -ERR_NOENT ? -ERR_CORRUPT : base;
    }
    fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    r = fd_clone(base, fd, entry->size, NULL);
    r = r < 0 ? r : blob_digest(fd, sha256);
    if (r == 0 && memcmp(sha256, entry->sha256, sizeof(sha256)) != 0) {
        r = -ERR_CORRUPT;
    }
    return r < 0 ? r : entry_apply(fd, entry);
}

static int stage_folder(const struct manifest_entry *entry, int folder, const char *name)
{
    CLEANUP(closep) int fd = -1;

    if (mkdirat(folder, name, 0700) != 0) {
        return -errno;
    }
    fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? entry_apply(fd, entry) : -errno;
}

static int stage_link(const struct webroot *webroot, const struct manifest_entry *entry, int folder,
                      const char *name)
{
    CLEANUP(closep) int base = blobs_get(&webroot->base, entry->sha256);
    struct timespec times[2] = {
        {.tv_sec = entry->mtime / NS_PER_S, .tv_nsec = entry->mtime % NS_PER_S}};
    char target[MANIFEST_PATH_MAX] = "";
    int r;

    if (base < 0 || entry->size >= sizeof(target)) {
        return -ERR_CORRUPT;
    }
    times[1] = times[0];
    r = fd_read_full(base, target, entry->size);
    if (r < 0) {
        return -ERR_CORRUPT;
    }
    if (symlinkat(target, folder, name) != 0 ||
        fchownat(folder, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) != 0 ||
        utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    return 0;
}

static int stage(const struct webroot *webroot, const struct manifest_entry *entry, int folder,
                 const char *name)
{
    switch (entry->kind) {
    case MANIFEST_KIND_FILE:
        return stage_file(webroot, entry, folder, name);
    case MANIFEST_KIND_FOLDER:
        return stage_folder(entry, folder, name);
    case MANIFEST_KIND_LINK:
        return stage_link(webroot, entry, folder, name);
    case MANIFEST_KIND_COUNT:
    default:
        return -ERR_INVAL;
    }
}

static void unstage(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) != 0 && (errno == EISDIR || errno == EPERM)) {
        (void)unlinkat(folder, name, AT_REMOVEDIR);
    }
}

/* The staged thing at its place; what stood there under the staged name. 1 when something stood
 * there, 0 when nothing did. Whoever removes and makes the name again and again only makes us try
 * again. */
static int exchange(int folder, const char *name, const struct place *place)
{
    for (int i = 0; i < EXCHANGE_TRIES; i++) {
        if (renameat2(folder, name, place->folder, place->name, RENAME_EXCHANGE) == 0) {
            return 1;
        }
        if (errno != ENOENT) {
            return -errno;
        }
        if (renameat2(folder, name, place->folder, place->name, RENAME_NOREPLACE) == 0) {
            return 0;
        }
        if (errno != EEXIST) {
            return -errno;
        }
    }
    return -ERR_BUSY;
}

static int put_back_whole(struct webroot *webroot, const struct manifest_entry *entry,
                          const struct webroot_taker *taker)
{
    CLEANUP(place_done) struct place place;
    char name[WEBROOT_STAGE_NAME];
    int folder;
    int r = place_of(webroot, entry->path, &place);

    r = r < 0 ? r : stage_name(name);
    if (r < 0) {
        return r;
    }
    folder = webroot->is_apart ? place.folder : webroot->stage;
    r = stage(webroot, entry, folder, name);
    r = r < 0 ? r : exchange(folder, name, &place);
    if (r < 0) {
        unstage(folder, name);
    } else if (r == 1) {
        taker->fn(taker->context, entry->path, folder, name);
    }
    return r < 0 ? r : 0;
}

/* A folder keeps its inode: what is in it must not be moved for the sake of a mode. */
static int put_back_attributes(const struct webroot *webroot, const struct manifest_entry *entry)
{
    CLEANUP(closep) int fd = -1;
    char text[MANIFEST_PATH_MAX];

    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(entry->path));
    fd = fd_open_beneath(webroot->fd, text[0] != '\0' ? text : ".",
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd >= 0 ? entry_apply(fd, entry) : fd;
}

/* From the root on down: what stands in the way of the path is put back first. */
static int put_back_folders(struct webroot *webroot, struct str path,
                            const struct webroot_taker *taker)
{
    for (size_t i = 0; i < path.len; i++) {
        const struct manifest_entry *entry;
        int differences;
        int r = 0;

        if (path.ptr[i] != '/') {
            continue;
        }
        entry = manifest_find(&webroot->manifest, str_slice(path, 0, i));
        if (entry == NULL) {
            return -ERR_CORRUPT;
        }
        differences = webroot_compare(webroot, entry->path, entry, 0, NULL);
        if (differences > 0 && (differences & (WEBROOT_MISSING | WEBROOT_KIND)) != 0) {
            r = put_back_whole(webroot, entry, taker);
        }
        if (differences < 0 || r < 0) {
            return differences < 0 ? differences : r;
        }
    }
    return 0;
}

int webroot_put_back(struct webroot *webroot, const struct manifest_entry *entry,
                     unsigned differences, const struct webroot_taker *taker)
{
    int r;

    if ((differences & ~(unsigned)WEBROOT_ATTRIBUTES) == 0 && entry->kind == MANIFEST_KIND_FOLDER) {
        return put_back_attributes(webroot, entry);
    }
    r = put_back_whole(webroot, entry, taker);
    if (r != -ERR_NOENT && r != -ERR_NOTDIR && r != -ERR_LOOP) {
        return r;
    }
    r = put_back_folders(webroot, entry->path, taker);
    r = r < 0 ? r : put_back_whole(webroot, entry, taker);
    return r < 0 ? r : 1;
}

int webroot_take_out(struct webroot *webroot, struct str path, const struct webroot_taker *taker)
{
    CLEANUP(place_done) struct place place;
    char name[WEBROOT_STAGE_NAME];
    int r = place_of(webroot, path, &place);
    int folder;

    r = r < 0 ? r : stage_name(name);
    if (r < 0) {
        return r;
    }
    folder = webroot->is_apart ? place.folder : webroot->stage;
    if (renameat2(place.folder, place.name, folder, name, RENAME_NOREPLACE) != 0) {
        return -errno;
    }
    taker->fn(taker->context, path, folder, name);
    return 0;
}

int webroot_move_back(struct webroot *webroot, struct str now, struct str before)
{
    CLEANUP(place_done) struct place from = {.folder = -1};
    CLEANUP(place_done) struct place to = {.folder = -1};
    int r = place_of(webroot, now, &from);

    r = r < 0 ? r : place_of(webroot, before, &to);
    if (r == 0 && renameat2(from.folder, from.name, to.folder, to.name, RENAME_NOREPLACE) != 0) {
        r = -errno;
    }
    return r;
}
