/* A folder of 256 folders of blobs. A blob comes to be by rename, so that one with its name is
 * whole. */
#include "store/blobs.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/id.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define BLOB_CHUNK    (64U << 10)
#define BLOB_NAME     (3 + 64 + 1) /* "ab/" and the digits */
#define BLOB_PARTIAL  "new-"
#define PARTIAL_OLD_S 3600

int blobs_open(int parent, const char *name, struct blobs *ret_blobs)
{
    int folder;

    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
        return -errno;
    }
    ret_blobs->folder = folder;
    return 0;
}

void blobs_close(struct blobs *blobs)
{
    closep(&blobs->folder);
}

static void blob_name(const uint8_t sha256[32], char out[BLOB_NAME])
{
    char digits[65];

    hex_encode(sha256, 32, digits);
    (void)snprintf(out, BLOB_NAME, "%.2s/%s", digits, digits);
}

static void digest_freep(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

int blob_digest(int fd, uint8_t ret_sha256[32])
{
    CLEANUP(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    char chunk[BLOB_CHUNK];
    off_t at = 0;

    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
        return -ERR_NOMEM;
    }
    for (;;) {
        ssize_t got = pread(fd, chunk, sizeof(chunk), at);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            break;
        }
        if (EVP_DigestUpdate(digest, chunk, (size_t)got) != 1) {
            return -ERR_NOMEM;
        }
        at += got;
    }
    return EVP_DigestFinal_ex(digest, ret_sha256, NULL) == 1 ? 0 : -ERR_NOMEM;
}

static int blobs_create(const struct blobs *blobs, char name[64])
{
    char text[ID_TEXT_SIZE];
    struct id id;
    int fd = id_new(&id);

    if (fd < 0) {
        return fd;
    }
    id_format(&id, text);
    (void)snprintf(name, 64, BLOB_PARTIAL "%s", text);
    fd = openat(blobs->folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    return fd >= 0 ? fd : -errno;
}

/* The copy becomes the blob, or goes when there is one. */
static int blobs_settle(const struct blobs *blobs, const char *partial, const uint8_t sha256[32])
{
    char name[BLOB_NAME];
    char folder[3];

    blob_name(sha256, name);
    (void)snprintf(folder, sizeof(folder), "%.2s", name);
    if (renameat(blobs->folder, partial, blobs->folder, name) == 0) {
        return 0;
    }
    if (errno != ENOENT || (mkdirat(blobs->folder, folder, 0700) != 0 && errno != EEXIST)) {
        return -errno;
    }
    return renameat(blobs->folder, partial, blobs->folder, name) == 0 ? 0 : -errno;
}

int blobs_put(struct blobs *blobs, int fd, uint8_t ret_sha256[32], uint64_t *ret_size)
{
    CLEANUP(closep) int copy = -1;
    char partial[64];
    struct stat st;
    int r;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    copy = blobs_create(blobs, partial);
    if (copy < 0) {
        return copy;
    }
    r = fd_clone(fd, copy, (uint64_t)st.st_size, NULL);
    if (r == 0 && fstat(copy, &st) != 0) {
        r = -errno;
    }
    if (r == 0) {
        r = blob_digest(copy, ret_sha256);
    }
    if (r == 0) {
        *ret_size = (uint64_t)st.st_size;
        r = blobs_settle(blobs, partial, ret_sha256);
    }
    if (r < 0) {
        (void)unlinkat(blobs->folder, partial, 0);
    }
    return r;
}

int blobs_put_bytes(struct blobs *blobs, const void *bytes, uint64_t size, uint8_t ret_sha256[32])
{
    CLEANUP(closep) int copy = -1;
    char partial[64];
    int r;

    copy = blobs_create(blobs, partial);
    if (copy < 0) {
        return copy;
    }
    r = fd_write_full(copy, bytes, (size_t)size);
    if (r == 0) {
        r = blob_digest(copy, ret_sha256);
    }
    if (r == 0) {
        r = blobs_settle(blobs, partial, ret_sha256);
    }
    if (r < 0) {
        (void)unlinkat(blobs->folder, partial, 0);
    }
    return r;
}

int blobs_get(const struct blobs *blobs, const uint8_t sha256[32])
{
    char name[BLOB_NAME];
    int fd;

    blob_name(sha256, name);
    fd = openat(blobs->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

bool blobs_has(const struct blobs *blobs, const uint8_t sha256[32])
{
    char name[BLOB_NAME];

    blob_name(sha256, name);
    return faccessat(blobs->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Another process may be at work on it: only what is old was left by one that was killed. */
static void sweep_partial(const struct blobs *blobs, const char *name)
{
    struct stat st;

    if (fstatat(blobs->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        time(NULL) - st.st_ctim.tv_sec > PARTIAL_OLD_S) {
        (void)unlinkat(blobs->folder, name, 0);
    }
}

/* Takes the descriptor over. */
static int sweep_folder(int folder, blobs_wanted_fn *fn, void *context, uint64_t *bytes)
{
    DIR *dir = fdopendir(folder);
    const struct dirent *item;

    if (dir == NULL) {
        closep(&folder);
        return -errno;
    }
    while ((item = readdir(dir)) != NULL) {
        uint8_t sha256[32];
        struct stat st;

        if (hex_decode(str_from(item->d_name), sha256, sizeof(sha256)) < 0) {
            continue;
        }
        if (!fn(context, sha256)) {
            (void)unlinkat(folder, item->d_name, 0);
        } else if (fstatat(folder, item->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            *bytes += (uint64_t)st.st_size;
        }
    }
    (void)closedir(dir);
    return 0;
}

int blobs_sweep(struct blobs *blobs, blobs_wanted_fn *fn, void *context, uint64_t *ret_bytes)
{
    int own = openat(blobs->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    const struct dirent *item;
    uint64_t bytes = 0;
    int r = 0;

    if (dir == NULL) {
        r = -errno;
        closep(&own);
        return r;
    }
    while (r == 0 && (item = readdir(dir)) != NULL) {
        if (str_has_prefix(str_from(item->d_name), STR(BLOB_PARTIAL))) {
            sweep_partial(blobs, item->d_name);
        } else if (strlen(item->d_name) == 2 && item->d_name[0] != '.') {
            int folder = openat(blobs->folder, item->d_name,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            r = folder >= 0 ? sweep_folder(folder, fn, context, &bytes) : -errno;
        }
    }
    (void)closedir(dir);
    if (r == 0) {
        *ret_bytes = bytes;
    }
    return r;
}
