/* Opening a document root and its part of the store. */
#include "agent/webroot.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/time.h"
#include "codec/json.h"
#include "sys/fd.h"
#include "sys/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#define WEBROOT_ARENA      (1ULL << 30)
#define WEBROOT_LINE       16384
#define WEBROOT_NAME_BYTES 8

/* Two roots whose names differ never share a folder, whatever is in the names. */
static void webroot_name(const char *path, char out[2 * WEBROOT_NAME_BYTES + 1])
{
    uint8_t digest[32];

    seal_digest(str_from(path), digest);
    hex_encode(digest, WEBROOT_NAME_BYTES, out);
}

void webroot_folder(const struct webroot_config *config, char *out, size_t size)
{
    char name[2 * WEBROOT_NAME_BYTES + 1];

    webroot_name(config->path, name);
    (void)snprintf(out, size, "%s/%s", config->store, name);
}

static int webroot_mount_of(int fd, const char *path, struct statx *ret_stat)
{
    return statx(fd, path, path[0] == '\0' ? AT_EMPTY_PATH : 0, STATX_BASIC_STATS | STATX_MNT_ID,
                 ret_stat) == 0
               ? 0
               : -errno;
}

static int webroot_open_root(struct webroot *webroot, struct diag *diag)
{
    struct statx stx;
    struct stat st;
    int r;

    webroot->fd = open(webroot->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (webroot->fd < 0 || fstat(webroot->fd, &st) != 0) {
        r = -errno;
        return diag_set(diag, r, _("the document root '%s' cannot be opened: %s"), webroot->path,
                        err_text(r));
    }
    r = webroot_mount_of(webroot->fd, "", &stx);
    if (r < 0) {
        return r;
    }
    webroot->dev = st.st_dev;
    webroot->ino = st.st_ino;
    webroot->mount = stx.stx_mnt_id;
    return 0;
}

static int webroot_subfolder(int parent, const char *name)
{
    int fd;

    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

/* The path in clear, for whoever looks into the store. */
static int webroot_write_name(const struct webroot *webroot)
{
    if (faccessat(webroot->folder, "root", F_OK, 0) == 0) {
        return 0;
    }
    return file_write_atomic(webroot->folder, "root", str_from(webroot->path), 0600);
}

static int webroot_open_store(struct webroot *webroot)
{
    char path[MANIFEST_PATH_MAX + 64];
    struct statx stx;
    int r;

    webroot_folder(webroot->config, path, sizeof(path));
    r = folder_make(path, 0700, (uid_t)-1, (gid_t)-1);
    if (r < 0) {
        return r;
    }
    webroot->folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (webroot->folder < 0) {
        return -errno;
    }
    if (mkdirat(webroot->folder, "manifests", 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    webroot->stage = webroot_subfolder(webroot->folder, "stage");
    r = webroot->stage < 0 ? webroot->stage : blobs_open(webroot->folder, "base", &webroot->base);
    r = r < 0 ? r : webroot_write_name(webroot);
    r = r < 0 ? r : webroot_mount_of(webroot->stage, "", &stx);
    webroot->is_apart = r == 0 && stx.stx_mnt_id != webroot->mount;
    return r;
}

/* Whom manifests must be signed by; none yet is no error. */
static int webroot_read_key(struct webroot *webroot, struct diag *diag)
{
    char path[MANIFEST_PATH_MAX + 64];
    int r;

    (void)snprintf(path, sizeof(path), "%s/key.pub", webroot->config->store);
    r = seal_public_read(path, webroot->public);
    webroot->has_key = r == 0;
    return r == 0 || r == -ERR_NOENT
               ? 0
               : diag_set(diag, r, _("the key '%s' cannot be read: %s"), path, err_text(r));
}

int webroot_open(struct webroot *webroot, const struct webroot_config *config, struct diag *diag)
{
    int r;

    *webroot = (struct webroot){.config = config,
                                .path = config->path,
                                .fd = -1,
                                .folder = -1,
                                .stage = -1,
                                .base = {.folder = -1}};
    buf_init(&webroot->bytes, MANIFEST_SIZE_MAX + GRANT_SIZE_MAX + 1024);
    r = arena_new(WEBROOT_ARENA, &webroot->arena);
    r = r < 0 ? r : webroot_open_root(webroot, diag);
    if (r == 0) {
        r = webroot_open_store(webroot);
        if (r < 0) {
            (void)diag_set(diag, r, _("the store '%s' cannot be opened: %s; run as root"),
                           config->store, err_text(r));
        }
    }
    r = r < 0 ? r : webroot_read_key(webroot, diag);
    if (r < 0) {
        webroot_close(webroot);
    }
    return r;
}

void webroot_close(struct webroot *webroot)
{
    blobs_close(&webroot->base);
    closep(&webroot->stage);
    closep(&webroot->folder);
    closep(&webroot->fd);
    buf_done(&webroot->bytes);
    arena_freep(&webroot->arena);
}

int webroot_is_in_place(const struct webroot *webroot)
{
    struct statx stx;
    struct stat st;
    int r = webroot_mount_of(AT_FDCWD, webroot->path, &stx);

    if (r < 0) {
        return r;
    }
    if (stx.stx_mnt_id != webroot->mount) {
        return -ERR_XDEV;
    }
    if (stat(webroot->path, &st) != 0) {
        return -errno;
    }
    return st.st_ino == webroot->ino && st.st_dev == webroot->dev ? 0 : -ERR_CONFLICT;
}

int webroot_claim(const struct webroot *webroot)
{
    CLEANUP(closep)
    int fd = openat(webroot->folder, "guarded", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        return -errno;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? -ERR_BUSY : -errno;
    }
    return TAKE_FD(fd);
}

bool webroot_is_guarded(const struct webroot *webroot)
{
    CLEANUP(closep) int fd = webroot_claim(webroot);

    return fd == -ERR_BUSY;
}

void webroot_note_hearing(int claim, const char *what)
{
    if (claim >= 0 && ftruncate(claim, 0) == 0) {
        (void)!pwrite(claim, what, strlen(what), 0);
    }
}

void webroot_hearing(const struct webroot *webroot, char *out, size_t size)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, size - 1);
    out[0] = '\0';
    if (webroot_is_guarded(webroot) && file_read_all(webroot->folder, "guarded", &text) == 0) {
        (void)snprintf(out, size, "%.*s", STR_ARG(buf_str(&text)));
    }
}

static int place_text(int fd, char out[32])
{
    uint64_t fsid = 0;
    int r = handle_fsid(fd, &fsid);

    (void)snprintf(out, 32, "%016llx\n", (unsigned long long)fsid);
    return r;
}

bool webroot_is_home(const struct webroot_config *config, int fd)
{
    char path[MANIFEST_PATH_MAX + 96];
    char folder[MANIFEST_PATH_MAX + 64];
    CLEANUP(buf_done) struct buf noted;
    char now[32];

    buf_init(&noted, sizeof(now));
    webroot_folder(config, folder, sizeof(folder));
    (void)snprintf(path, sizeof(path), "%s/place", folder);
    return file_read_all(AT_FDCWD, path, &noted) < 0 || place_text(fd, now) < 0 ||
           str_is_text(buf_str(&noted), now);
}

int webroot_note_home(const struct webroot *webroot)
{
    char now[32];
    int r = place_text(webroot->fd, now);

    return r < 0 ? r : file_write_atomic(webroot->folder, "place", str_from(now), 0600);
}

void webroot_note(const struct webroot *webroot, const char *what, uint64_t version, struct str who,
                  struct str why)
{
    CLEANUP(closep)
    int fd = openat(webroot->folder, "journal",
                    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    CLEANUP(buf_done) struct buf line;
    char when[TIME_TEXT_SIZE];
    struct json_writer json;

    buf_init(&line, WEBROOT_LINE);
    time_format_utc(clock_wall(&clock_real), when);
    json_begin(&json, &line);
    json_open_object(&json);
    json_put_key(&json, "time");
    json_put_text(&json, when);
    json_put_key(&json, "what");
    json_put_text(&json, what);
    json_put_key(&json, "version");
    json_put_u64(&json, version);
    json_put_key(&json, "who");
    json_put_str(&json, who);
    json_put_key(&json, "why");
    json_put_str(&json, why);
    json_close_object(&json);
    (void)buf_put_byte(&line, '\n');
    if (fd >= 0 && buf_error(&line) == 0 && fd_write_full(fd, line.ptr, line.len) == 0) {
        (void)fsync(fd);
    }
}
