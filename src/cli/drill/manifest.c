/* The truth a drill is judged by. On its way: drill/fill.c adds entries, drill.c asks what still
 * holds. Invariant: reading attributes opens files by O_PATH only, so that a watcher gains nothing
 * from being tested. */
#include "cli/drill/manifest.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/map.h"
#include "codec/json.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define XATTR_NAMES_MAX  4096
#define XATTR_VALUE_MAX  65536
#define MANIFEST_BYTES   (256U << 20)
#define HASH_CHUNK_BYTES (256U << 10)

int drill_manifest_init(struct drill_manifest *manifest, struct arena *arena, size_t room)
{
    *manifest = (struct drill_manifest){.room = room};
    manifest->entries = arena_alloc(arena, room, sizeof(*manifest->entries));
    return manifest->entries != NULL ? 0 : -ERR_NOMEM;
}

int drill_manifest_add(struct drill_manifest *manifest, struct arena *arena, const char *path,
                       const uint8_t sha256[32])
{
    struct drill_entry *entry = &manifest->entries[manifest->count];

    if (manifest->count == manifest->room) {
        return -ERR_LIMIT;
    }
    *entry = (struct drill_entry){.path = arena_copy(arena, str_from(path)).ptr,
                                  .is_folder = sha256 == NULL};
    if (entry->path == NULL) {
        return -ERR_NOMEM;
    }
    if (sha256 != NULL) {
        memcpy(entry->sha256, sha256, sizeof(entry->sha256));
        manifest->file_count++;
    }
    manifest->count++;
    return 0;
}

void drill_sha256(const void *bytes, size_t len, uint8_t out[32])
{
    /* Fails only where SHA-256 is missing; the zero digest then differs from none it is compared
     * with, and sizes and attributes still tell. */
    if (EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) != 1) {
        memset(out, 0, 32);
    }
}

static void digest_freep(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

static int manifest_hash_file(int fd, uint8_t out[32])
{
    CLEANUP(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    static char chunk[HASH_CHUNK_BYTES];
    ssize_t got;

    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
        return -ERR_NOMEM;
    }
    while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
        if (EVP_DigestUpdate(digest, chunk, (size_t)got) != 1) {
            return -ERR_IO;
        }
    }
    if (got < 0) {
        return -errno;
    }
    return EVP_DigestFinal_ex(digest, out, NULL) == 1 ? 0 : -ERR_IO;
}

static int manifest_compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* Names that the kernel keeps for itself say nothing about the user's file. */
static bool manifest_is_own_xattr(const char *name)
{
    return str_has_prefix(str_from(name), STR("user.")) ||
           str_has_prefix(str_from(name), STR("system.posix_acl_"));
}

/* fd may be O_PATH: attributes are read through its name in /proc. */
static int manifest_hash_xattrs(int fd, uint8_t out[32])
{
    static char value[XATTR_VALUE_MAX];
    char names[XATTR_NAMES_MAX];
    const char *sorted[XATTR_NAMES_MAX / 8];
    size_t count = 0;
    char path[64];
    struct buf all;
    ssize_t len;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    len = listxattr(path, names, sizeof(names));
    if (len < 0 && errno != EOPNOTSUPP) {
        return -errno;
    }
    for (ssize_t at = 0; at < len && count < ARRAY_LEN(sorted);
         at += (ssize_t)strlen(names + at) + 1) {
        if (manifest_is_own_xattr(names + at)) {
            sorted[count++] = names + at;
        }
    }
    qsort(sorted, count, sizeof(sorted[0]), manifest_compare_names);
    buf_init(&all, 16U * XATTR_VALUE_MAX);
    for (size_t i = 0; i < count; i++) {
        len = getxattr(path, sorted[i], value, sizeof(value));
        buf_putf(&all, "%s=%zd:", sorted[i], len);
        buf_put(&all, value, len > 0 ? (size_t)len : 0);
    }
    drill_sha256(all.ptr != NULL ? all.ptr : "", all.len, out);
    len = buf_error(&all);
    buf_done(&all);
    return (int)len;
}

static int manifest_stat(int root_fd, const char *path, struct drill_entry *ret_entry)
{
    CLEANUP(closep) int fd = fd_open_beneath(root_fd, path, O_PATH | O_NOFOLLOW, 0);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        return fd < 0 ? fd : -errno;
    }
    ret_entry->mode = st.st_mode;
    ret_entry->uid = st.st_uid;
    ret_entry->gid = st.st_gid;
    ret_entry->links = (uint32_t)st.st_nlink;
    ret_entry->ino = st.st_ino;
    if (S_ISREG(st.st_mode)) {
        ret_entry->size = (uint64_t)st.st_size;
        ret_entry->mtime = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
        ret_entry->is_sparse = st.st_size >= 65536 && st.st_blocks * 512 < st.st_size;
    }
    return manifest_hash_xattrs(fd, ret_entry->xattrs);
}

int drill_manifest_stat(struct drill_manifest *manifest, int root_fd)
{
    for (size_t i = 0; i < manifest->count; i++) {
        struct drill_entry *entry = &manifest->entries[i];
        int r = manifest_stat(root_fd, entry->path, entry);

        if (r < 0) {
            return r;
        }
        entry->leader = i;
        for (size_t j = 0; !entry->is_folder && entry->links > 1 && j < i; j++) {
            if (manifest->entries[j].ino == entry->ino) {
                entry->leader = j;
                break;
            }
        }
    }
    return 0;
}

static bool manifest_has_content(const struct drill_entry *entry, int root_fd)
{
    CLEANUP(closep)
    int fd = fd_open_beneath(root_fd, entry->path, O_RDONLY | O_NOFOLLOW | O_NOATIME, 0);
    uint8_t sha256[32];

    return fd >= 0 && manifest_hash_file(fd, sha256) == 0 &&
           memcmp(sha256, entry->sha256, sizeof(sha256)) == 0;
}

static bool manifest_is_same(const struct drill_manifest *manifest, const struct drill_entry *entry,
                             int root_fd)
{
    struct drill_entry now = {0};
    struct drill_entry leader = {0};

    if (manifest_stat(root_fd, entry->path, &now) < 0 || now.mode != entry->mode ||
        now.uid != entry->uid || now.gid != entry->gid ||
        memcmp(now.xattrs, entry->xattrs, sizeof(now.xattrs)) != 0) {
        return false;
    }
    if (entry->is_folder) {
        return true;
    }
    if (now.size != entry->size || now.mtime != entry->mtime || now.links != entry->links ||
        (entry->is_sparse && !now.is_sparse)) {
        return false;
    }
    if (manifest_stat(root_fd, manifest->entries[entry->leader].path, &leader) < 0 ||
        leader.ino != now.ino) {
        return false;
    }
    return manifest_has_content(entry, root_fd);
}

size_t drill_manifest_check(const struct drill_manifest *manifest, int root_fd, bool *is_same)
{
    size_t different = 0;

    for (size_t i = 0; i < manifest->count; i++) {
        is_same[i] = is_same[i] || manifest_is_same(manifest, &manifest->entries[i], root_fd);
        different += is_same[i] ? 0 : 1;
    }
    return different;
}

static void manifest_write_entry(const struct drill_entry *entry, struct json_writer *json)
{
    char hex[65];

    json_open_object(json);
    json_add_text(json, "path", entry->path);
    json_add_bool(json, "folder", entry->is_folder);
    json_add_u64(json, "size", entry->size);
    json_add_u64(json, "mode", entry->mode);
    json_add_u64(json, "uid", entry->uid);
    json_add_u64(json, "gid", entry->gid);
    json_add_i64(json, "mtime", entry->mtime);
    json_add_u64(json, "links", entry->links);
    json_add_u64(json, "leader", entry->leader);
    json_add_bool(json, "sparse", entry->is_sparse);
    json_put_key(json, "sha256");
    hex_encode(entry->sha256, sizeof(entry->sha256), hex);
    json_put_text(json, hex);
    json_put_key(json, "xattrs");
    hex_encode(entry->xattrs, sizeof(entry->xattrs), hex);
    json_put_text(json, hex);
    json_close_object(json);
}

int drill_manifest_save(const struct drill_manifest *manifest, const char *path)
{
    struct buf buf;
    int r;

    buf_init(&buf, MANIFEST_BYTES);
    for (size_t i = 0; i < manifest->count; i++) {
        struct json_writer json;

        json_begin(&json, &buf);
        manifest_write_entry(&manifest->entries[i], &json);
        buf_put_byte(&buf, '\n');
    }
    r = buf_error(&buf) != 0 ? buf_error(&buf)
                             : file_write_atomic(AT_FDCWD, path, buf_str(&buf), 0600);
    buf_done(&buf);
    return r;
}
