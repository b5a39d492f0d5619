/* What stands at a path, held against its entry. Content is hashed on the very descriptor whose
 * facts were read; size and time are looked at first, since they answer sooner. */
#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"
#include "store/vault/meta.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

static int path_text(struct str path, char out[MANIFEST_PATH_MAX])
{
    if (path.len >= MANIFEST_PATH_MAX) {
        return -ERR_NAMETOOLONG;
    }
    memcpy(out, path.len != 0 ? path.ptr : ".", path.len != 0 ? path.len : 1);
    out[path.len != 0 ? path.len : 1] = '\0';
    return 0;
}

static int webroot_look(const struct webroot *webroot, struct str path)
{
    char text[MANIFEST_PATH_MAX];
    int r = path_text(path, text);

    return r < 0 ? r : fd_open_beneath(webroot->fd, text, O_PATH | O_NOFOLLOW, 0);
}

static bool is_kind(const struct stat *st, enum manifest_kind kind)
{
    switch (kind) {
    case MANIFEST_KIND_FILE:
        return S_ISREG(st->st_mode);
    case MANIFEST_KIND_FOLDER:
        return S_ISDIR(st->st_mode);
    case MANIFEST_KIND_LINK:
        return S_ISLNK(st->st_mode);
    case MANIFEST_KIND_COUNT:
    default:
        return false;
    }
}

static unsigned compare_facts(const struct stat *st, const struct manifest_entry *entry)
{
    unsigned differences = 0;

    if (entry->kind != MANIFEST_KIND_LINK && (st->st_mode & 07777) != entry->mode) {
        differences |= WEBROOT_MODE;
    }
    if (st->st_uid != entry->uid || st->st_gid != entry->gid) {
        differences |= WEBROOT_OWNER;
    }
    if (entry->kind != MANIFEST_KIND_FOLDER && vault_time_of(st->st_mtim) != entry->mtime) {
        differences |= WEBROOT_MTIME;
    }
    return differences;
}

static int compare_xattrs(int fd, const struct manifest_entry *entry)
{
    CLEANUP(buf_done) struct buf xattrs;
    int r;

    buf_init(&xattrs, MANIFEST_XATTRS_MAX);
    r = vault_meta_read_xattrs(fd, &xattrs);
    if (r == -ERR_NOMEM) {
        return r;
    }
    return r == 0 && vault_meta_is_same(buf_str(&xattrs), entry->xattrs) ? 0 : WEBROOT_XATTRS;
}

/* Folders and files: what needs more than O_PATH. */
static int compare_inside(int path_fd, const struct stat *st, const struct manifest_entry *entry,
                          bool is_read)
{
    CLEANUP(closep) int fd = -1;
    uint8_t sha256[32];
    int differences;
    int r;

    if (entry->kind == MANIFEST_KIND_FILE && (uint64_t)st->st_size != entry->size) {
        return WEBROOT_CONTENT;
    }
    fd = fd_reopen(path_fd, O_RDONLY | O_NONBLOCK | O_NOATIME);
    if (fd < 0) {
        return fd;
    }
    differences = compare_xattrs(fd, entry);
    if (differences < 0 || entry->kind == MANIFEST_KIND_FOLDER) {
        return differences;
    }
    if (!is_read) {
        return differences != 0 ? differences : WEBROOT_UNREAD;
    }
    r = blob_digest(fd, sha256);
    if (r < 0) {
        return r;
    }
    return differences | (memcmp(sha256, entry->sha256, sizeof(sha256)) == 0 ? 0 : WEBROOT_CONTENT);
}

static int compare_link(int path_fd, const struct manifest_entry *entry)
{
    char target[MANIFEST_PATH_MAX];
    ssize_t len = readlinkat(path_fd, "", target, sizeof(target));
    uint8_t sha256[32];

    if (len < 0) {
        return -errno;
    }
    seal_digest(str_of(target, (size_t)len), sha256);
    return memcmp(sha256, entry->sha256, sizeof(sha256)) == 0 ? 0 : WEBROOT_CONTENT;
}

int webroot_compare(const struct webroot *webroot, struct str path,
                    const struct manifest_entry *entry, uint64_t most, struct stat *ret_stat)
{
    CLEANUP(closep) int fd = webroot_look(webroot, path);
    unsigned differences;
    struct stat st;
    int r;

    if (fd == -ERR_NOENT || fd == -ERR_NOTDIR || fd == -ERR_LOOP) {
        return WEBROOT_MISSING; /* not there, or not to be reached without a stranger's link */
    }
    if (fd < 0) {
        return fd;
    }
    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    if (ret_stat != NULL) {
        *ret_stat = st;
    }
    if (entry == NULL) {
        return WEBROOT_ADDED;
    }
    if (!is_kind(&st, entry->kind)) {
        return WEBROOT_KIND;
    }
    differences = compare_facts(&st, entry);
    r = entry->kind == MANIFEST_KIND_LINK ? compare_link(fd, entry)
                                          : compare_inside(fd, &st, entry, entry->size <= most);
    if (r < 0) {
        return r;
    }
    return differences != 0 ? (int)(differences | ((unsigned)r & ~(unsigned)WEBROOT_UNREAD)) : r;
}

int webroot_read(const struct webroot *webroot, struct str path)
{
    CLEANUP(closep) int fd = webroot_look(webroot, path);

    return fd >= 0 ? fd_reopen(fd, O_RDONLY | O_NONBLOCK | O_NOATIME) : fd;
}

int webroot_plants(const struct webroot *webroot, struct str path, const struct stat *st)
{
    unsigned plants = plant_of_name(path);
    CLEANUP(closep) int fd = -1;
    char head[PLANT_HEAD_SIZE];
    struct str seen;
    ssize_t got;

    if (!S_ISREG(st->st_mode)) {
        return 0;
    }
    plants |= plant_of_times(vault_time_of(st->st_mtim), vault_time_of(st->st_ctim));
    fd = webroot_read(webroot, path);
    if (fd < 0) {
        return fd == -ERR_NOENT ? 0 : fd;
    }
    got = pread(fd, head, sizeof(head), 0);
    seen = str_of(head, got > 0 ? (size_t)got : 0);
    plants |= plant_of_head(path, seen) | plant_of_mode(st->st_mode, seen);
    return (int)plants;
}
