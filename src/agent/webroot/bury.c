/* From what was taken out of a root to evidence: each file's content and facts, a folder with all
 * that is in it. */
#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/vault/meta.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#define BURY_DEPTH 64
#define BURY_FILES 10000

struct burial {
    struct evidence *evidence;
    struct evidence_record record; /* of what is buried; path grows with the depth */
    char path[MANIFEST_PATH_MAX];
    bool is_patient;
    uint64_t first;
    unsigned files;
};

static int burial_take(struct burial *burial, const struct stat *st, int fd)
{
    struct evidence_record record = burial->record;
    int r;

    record.path = str_from(burial->path);
    record.mode = st->st_mode;
    record.uid = st->st_uid;
    record.gid = st->st_gid;
    record.mtime = vault_time_of(st->st_mtim);
    record.changed = vault_time_of(st->st_ctim);
    if (burial->files++ >= BURY_FILES) {
        return 0;
    }
    r = evidence_take(burial->evidence, fd, &record);
    if (r == -ERR_NOSPC && !burial->is_patient) {
        r = evidence_take(burial->evidence, -1, &record);
    }
    burial->first = r == 0 && burial->first == 0 ? record.number : burial->first;
    return burial->is_patient ? r : 0;
}

/* A link's target is its content. */
static int link_content(int folder, const char *name)
{
    char target[MANIFEST_PATH_MAX];
    ssize_t len = readlinkat(folder, name, target, sizeof(target));
    int fd = len >= 0 ? memfd_create("link", MFD_CLOEXEC) : -1;

    if (fd >= 0 && fd_write_full(fd, target, (size_t)len) < 0) {
        closep(&fd);
    }
    return fd;
}

static int bury_folder(struct burial *burial, int folder, const char *name, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than BURY_DEPTH */
static int bury_one(struct burial *burial, int folder, const char *name, unsigned depth)
{
    CLEANUP(closep) int fd = -1;
    struct stat st;
    int r;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (S_ISDIR(st.st_mode)) {
        r = burial_take(burial, &st, -1);
        return r < 0 ? r : bury_folder(burial, folder, name, depth);
    }
    if (S_ISREG(st.st_mode)) {
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    } else if (S_ISLNK(st.st_mode)) {
        fd = link_content(folder, name);
    }
    r = burial_take(burial, &st, fd);
    if (r < 0) {
        return r;
    }
    return unlinkat(folder, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

/* NOLINTNEXTLINE(misc-no-recursion): as above */
static int bury_items(struct burial *burial, DIR *dir, unsigned depth)
{
    size_t len = strlen(burial->path);
    const struct dirent *item;
    int r = 0;

    while (r == 0 && (item = readdir(dir)) != NULL) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(burial->path + len, sizeof(burial->path) - len, "/%s", item->d_name);
        r = bury_one(burial, dirfd(dir), item->d_name, depth + 1);
        burial->path[len] = '\0';
    }
    return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): as above */
static int bury_folder(struct burial *burial, int folder, const char *name, unsigned depth)
{
    int fd;
    DIR *dir;
    int r;

    if (depth >= BURY_DEPTH) {
        return -ERR_LIMIT;
    }
    fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        r = -errno;
        closep(&fd);
        return r;
    }
    r = bury_items(burial, dir, depth);
    (void)closedir(dir);
    if (r == 0 && unlinkat(folder, name, AT_REMOVEDIR) != 0) {
        r = -errno;
    }
    return r;
}

int webroot_bury(struct evidence *evidence, int folder, const char *name, bool is_patient,
                 const struct evidence_record *record, uint64_t *ret_number)
{
    struct burial burial = {.evidence = evidence, .record = *record, .is_patient = is_patient};
    int r;

    (void)snprintf(burial.path, sizeof(burial.path), "%.*s", STR_ARG(record->path));
    r = bury_one(&burial, folder, name, 0);
    *ret_number = burial.first;
    return r;
}

int webroot_bury_open(struct evidence *evidence, int fd, const struct evidence_record *record,
                      uint64_t *ret_number)
{
    struct burial burial = {.evidence = evidence, .record = *record, .is_patient = true};
    struct stat st;
    int r = fstat(fd, &st) == 0 ? 0 : -errno;

    (void)snprintf(burial.path, sizeof(burial.path), "%.*s", STR_ARG(record->path));
    r = r < 0 ? r : burial_take(&burial, &st, fd);
    *ret_number = burial.first;
    return r;
}
