/* See cli/watch/keep.h. The files' names are hashes: an address may hold what a name may not. */
#include "cli/watch/keep.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "centre/fetch/wire.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>

#define KEEP_NAME_SIZE (2 * 32 + sizeof(".profile"))

int watch_keep_open(struct watch_keep *keep, const char *path, struct diag *diag)
{
    int r;

    keep->folder = -1;
    if (path == NULL) {
        return 0;
    }
    r = folder_make(path, 0700, (uid_t)-1, (gid_t)-1);
    if (r == 0) {
        keep->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = keep->folder >= 0 ? 0 : -errno;
    }
    if (r == 0 && faccessat(keep->folder, ".", W_OK, 0) != 0) {
        r = -errno;
    }
    return r < 0 ? diag_set(diag, r, _("the folder %s cannot be used: %s"), path, err_text(r)) : 0;
}

void watch_keep_close(struct watch_keep *keep)
{
    closep(&keep->folder);
}

static int watch_keep_name(struct str site, struct str page, char out[KEEP_NAME_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[32];
    bool is_done = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                   EVP_DigestUpdate(context, site.ptr, site.len) == 1 &&
                   EVP_DigestUpdate(context, "", 1) == 1 &&
                   EVP_DigestUpdate(context, page.ptr, page.len) == 1 &&
                   EVP_DigestFinal_ex(context, digest, NULL) == 1;

    EVP_MD_CTX_free(context);
    if (!is_done) {
        return -ERR_NOMEM;
    }
    hex_encode(digest, sizeof(digest), out);
    memcpy(out + 2 * sizeof(digest), ".profile", sizeof(".profile"));
    return 0;
}

int watch_keep_get(const struct watch_keep *keep, struct str site, struct str page)
{
    char name[KEEP_NAME_SIZE];

    if (keep->folder < 0 || watch_keep_name(site, page, name) < 0) {
        return -1;
    }
    return openat(keep->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int watch_keep_put(const struct watch_keep *keep, struct str site, struct str page, int bytes_fd)
{
    CLEANUP(buf_done) struct buf bytes;
    char name[KEEP_NAME_SIZE];
    int r;

    if (keep->folder < 0) {
        return 0;
    }
    buf_init(&bytes, FETCH_PROFILE_MAX);
    r = watch_keep_name(site, page, name);
    if (r == 0 && lseek(bytes_fd, 0, SEEK_SET) != 0) {
        r = -errno;
    }
    if (r == 0) {
        r = fd_read_all(bytes_fd, &bytes);
    }
    return r < 0 ? r : file_write_atomic(keep->folder, name, buf_str(&bytes), 0600);
}
