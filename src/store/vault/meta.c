/* Owner, mode, times, attributes and the file handle of an inode. Neighbours: vault.c reads them at
 * a save, vault/place.c applies them at a restore. Invariant: a missing right to read or set one
 * attribute never costs the content. */
#include "store/vault/meta.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#define XATTR_VALUE_MAX (64U << 10)
#define XATTR_NAMES_MAX (64U << 10)

void vault_meta_room_init(struct vault_meta_room *room)
{
    buf_init(&room->xattrs, VAULT_XATTRS_MAX);
}

void vault_meta_room_done(struct vault_meta_room *room)
{
    buf_done(&room->xattrs);
}

int64_t vault_time_of(struct timespec time)
{
    return (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
}

static struct timespec meta_timespec(int64_t time)
{
    struct timespec ts = {.tv_sec = time / NS_PER_S, .tv_nsec = time % NS_PER_S};

    if (ts.tv_nsec < 0) {
        ts.tv_nsec += NS_PER_S;
        ts.tv_sec--;
    }
    return ts;
}

/* The list of names, each ended by a NUL. Empty where the file system keeps none. */
static int meta_list_names(int fd, char **ret_names, size_t *ret_len)
{
    CLEANUP(mem_freep) char *names = NULL;
    ssize_t len = flistxattr(fd, NULL, 0);

    *ret_len = 0;
    if (len <= 0) {
        return len == 0 || errno == ENOTSUP ? 0 : -errno;
    }
    names = mem_alloc(XATTR_NAMES_MAX, 1);
    if (names == NULL) {
        return -ERR_NOMEM;
    }
    len = flistxattr(fd, names, XATTR_NAMES_MAX);
    if (len < 0) {
        return -errno;
    }
    *ret_names = TAKE_PTR(names);
    *ret_len = (size_t)len;
    return 0;
}

struct xattr_head {
    uint16_t name_len;
    uint16_t pad;
    uint32_t value_len;
};

static bool meta_put_xattr(struct buf *xattrs, const char *name, const void *value,
                           size_t value_len)
{
    struct xattr_head head = {.name_len = (uint16_t)strlen(name), .value_len = (uint32_t)value_len};

    if (xattrs->limit - xattrs->len < sizeof(head) + head.name_len + value_len) {
        return false;
    }
    buf_put(xattrs, &head, sizeof(head));
    buf_put(xattrs, name, head.name_len);
    buf_put(xattrs, value, value_len);
    return true;
}

static int meta_read_xattrs(int fd, struct buf *xattrs, bool *ret_is_cut)
{
    CLEANUP(mem_freep) char *names = NULL;
    CLEANUP(mem_freep) char *value = NULL;
    size_t len;
    int r = meta_list_names(fd, &names, &len);

    *ret_is_cut = false;
    if (r < 0 || len == 0) {
        return r;
    }
    value = mem_alloc(XATTR_VALUE_MAX, 1);
    if (value == NULL) {
        return -ERR_NOMEM;
    }
    for (const char *name = names; name < names + len; name += strlen(name) + 1) {
        ssize_t got = fgetxattr(fd, name, value, XATTR_VALUE_MAX);

        if (got < 0 || !meta_put_xattr(xattrs, name, value, (size_t)got)) {
            *ret_is_cut = true;
        }
    }
    return buf_error(xattrs);
}

/* A handle finds the inode again when its name is gone but another link keeps it alive. */
static struct str meta_read_handle(int fd, char out[VAULT_HANDLE_MAX])
{
    struct {
        struct file_handle head;
        unsigned char bytes[MAX_HANDLE_SZ];
    } handle = {.head = {.handle_bytes = VAULT_HANDLE_MAX - sizeof(int32_t)}};
    int mount;

    if (name_to_handle_at(fd, "", &handle.head, &mount, AT_EMPTY_PATH) != 0) {
        return (struct str){};
    }
    memcpy(out, &handle.head.handle_type, sizeof(int32_t));
    memcpy(out + sizeof(int32_t), handle.bytes, handle.head.handle_bytes);
    return str_of(out, sizeof(int32_t) + handle.head.handle_bytes);
}

int vault_meta_read(int fd, const struct stat *st, struct vault_meta_room *room,
                    struct vault_version *version, struct vault_meta *meta)
{
    bool is_cut;
    int r = meta_read_xattrs(fd, &room->xattrs, &is_cut);

    if (r == -ERR_NOMEM) {
        return r;
    }
    version->dev = st->st_dev;
    version->ino = st->st_ino;
    version->mode = st->st_mode;
    version->uid = st->st_uid;
    version->gid = st->st_gid;
    version->links = (uint32_t)st->st_nlink;
    version->size = (uint64_t)st->st_size;
    version->mtime = vault_time_of(st->st_mtim);
    version->atime = vault_time_of(st->st_atim);
    meta->changed = vault_time_of(st->st_ctim);
    meta->is_cut = is_cut || r < 0;
    meta->xattrs = buf_str(&room->xattrs);
    meta->handle = meta_read_handle(fd, room->handle);
    return 0;
}

/* Next of a packed list; false at its end. */
static bool meta_next_xattr(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct xattr_head head;

    if (rest->len < sizeof(head)) {
        return false;
    }
    memcpy(&head, rest->ptr, sizeof(head));
    *ret_name = str_slice(*rest, sizeof(head), sizeof(head) + head.name_len);
    *rest = str_slice(*rest, sizeof(head) + head.name_len, rest->len);
    *ret_value = str_slice(*rest, 0, head.value_len);
    *rest = str_slice(*rest, head.value_len, rest->len);
    return ret_value->len == head.value_len;
}

static bool meta_has_xattr(struct str xattrs, const char *wanted)
{
    struct str name;
    struct str value;

    while (meta_next_xattr(&xattrs, &name, &value)) {
        if (str_is_text(name, wanted)) {
            return true;
        }
    }
    return false;
}

static bool meta_has_pair(struct str xattrs, struct str wanted, struct str wanted_value)
{
    struct str name;
    struct str value;

    while (meta_next_xattr(&xattrs, &name, &value)) {
        if (str_is(name, wanted) && str_is(value, wanted_value)) {
            return true;
        }
    }
    return false;
}

bool vault_meta_is_same(struct str one, struct str other)
{
    struct str rest = one;
    struct str name;
    struct str value;

    while (one.len == other.len && meta_next_xattr(&rest, &name, &value)) {
        if (!meta_has_pair(other, name, value)) {
            return false;
        }
    }
    return one.len == other.len; /* names are unique: as many, all found, are the same */
}

/* Labels that the security module sets by itself come and go with it. */
static int meta_drop_strange(int fd, const struct vault_meta *meta)
{
    CLEANUP(mem_freep) char *names = NULL;
    size_t len;
    int r = meta_list_names(fd, &names, &len);

    if (r < 0 || meta->is_cut) {
        return r;
    }
    for (const char *name = names; len != 0 && name < names + len; name += strlen(name) + 1) {
        if (!meta_has_xattr(meta->xattrs, name) &&
            !str_has_prefix(str_from(name), STR("security.selinux")) &&
            fremovexattr(fd, name) != 0 && errno != ENODATA) {
            return -errno;
        }
    }
    return 0;
}

static int meta_set_all(int fd, struct str xattrs)
{
    char text[256];
    struct str name;
    struct str value;

    while (meta_next_xattr(&xattrs, &name, &value)) {
        if (name.len == 0 || name.len >= sizeof(text)) {
            return -ERR_CORRUPT;
        }
        memcpy(text, name.ptr, name.len);
        text[name.len] = '\0';
        if (fsetxattr(fd, text, value.ptr, value.len, 0) != 0) {
            return -errno;
        }
    }
    return 0;
}

int vault_meta_read_xattrs(int fd, struct buf *xattrs)
{
    bool is_cut;
    int r = meta_read_xattrs(fd, xattrs, &is_cut);

    return r == 0 && is_cut ? -ERR_LIMIT : r;
}

bool vault_meta_confine(struct str *xattrs, struct buf *room, bool has_capabilities)
{
    struct str rest = *xattrs;
    bool is_taken = false;
    struct str name;
    struct str value;

    buf_reset(room);
    while (meta_next_xattr(&rest, &name, &value)) {
        bool is_fit = str_has_prefix(name, STR("user.")) ||
                      str_has_prefix(name, STR("system.posix_acl_")) ||
                      (has_capabilities && str_is(name, STR("security.capability")));
        struct xattr_head head = {.name_len = (uint16_t)name.len, .value_len = (uint32_t)value.len};

        if (is_fit) {
            buf_put(room, &head, sizeof(head));
            buf_put_str(room, name);
            buf_put_str(room, value);
        }
        is_taken = is_taken || !is_fit;
    }
    *xattrs = buf_str(room);
    return is_taken;
}

int vault_meta_apply(int fd, const struct vault_version *version, const struct vault_meta *meta,
                     bool has_times)
{
    struct timespec times[2] = {meta_timespec(version->atime), meta_timespec(version->mtime)};
    int r;

    /* Changing the owner clears set-id bits and capabilities, so it comes first; an ACL corrects
     * the group's bits, so it comes behind the mode. */
    if (fchown(fd, version->uid, version->gid) != 0 || fchmod(fd, version->mode & 07777) != 0) {
        return -errno;
    }
    r = meta_drop_strange(fd, meta);
    r = r < 0 ? r : meta_set_all(fd, meta->xattrs);
    if (r < 0) {
        return r;
    }
    return !has_times || futimens(fd, times) == 0 ? 0 : -errno;
}
