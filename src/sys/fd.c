/* Descriptors and whole files. */
#include "sys/fd.h"

#include "base/banned.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FD_COPY_CHUNK (32U << 10)
#define FD_COPY_PIECE (256U << 10) /* between two words of progress */

void closep(int *fd)
{
    int saved = errno;

    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    errno = saved;
}

int fd_read_full(int fd, void *out, size_t len)
{
    char *at = out;

    while (len != 0) {
        ssize_t got = read(fd, at, len);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            return -ERR_TRUNCATED;
        }
        at += got;
        len -= (size_t)got;
    }
    return 0;
}

int fd_write_full(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len != 0) {
        ssize_t put = write(fd, at, len);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return -errno;
        }
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

int fd_read_all(int fd, struct buf *buf)
{
    for (;;) {
        size_t left = buf->limit - buf->len;
        size_t want = left < 4096 ? left : 4096;
        char beyond;
        void *where = buf_reserve(buf, want);
        ssize_t got;

        if (where == NULL) {
            return buf_error(buf);
        }
        got = want != 0 ? read(fd, where, want) : read(fd, &beyond, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            return 0;
        }
        if (want == 0) {
            return -ERR_LIMIT;
        }
        buf_commit(buf, (size_t)got);
    }
}

int file_read_all(int dir_fd, const char *path, struct buf *buf)
{
    CLEANUP(closep) int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    return fd >= 0 ? fd_read_all(fd, buf) : -errno;
}

static int file_sync_folder_of(int dir_fd, const char *path)
{
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    CLEANUP(closep) int fd = -1;

    if (slash != NULL) {
        size_t len = slash == path ? 1 : (size_t)(slash - path);

        if (len >= sizeof(folder)) {
            return -ERR_NAMETOOLONG;
        }
        memcpy(folder, path, len);
        folder[len] = '\0';
    }
    fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

int file_write_atomic(int dir_fd, const char *path, struct str bytes, mode_t mode)
{
    CLEANUP(closep) int fd = -1;
    char temporary[4096];
    int len = snprintf(temporary, sizeof(temporary), "%s.%d.new", path, (int)getpid());
    int r;

    if (len < 0 || (size_t)len >= sizeof(temporary)) {
        return -ERR_NAMETOOLONG;
    }
    fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return -errno;
    }
    r = fd_write_full(fd, bytes.ptr, bytes.len);
    if (r == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0)) {
        r = -errno;
    }
    if (r == 0 && renameat(dir_fd, temporary, dir_fd, path) != 0) {
        r = -errno;
    }
    if (r < 0) {
        (void)unlinkat(dir_fd, temporary, 0);
        return r;
    }
    return file_sync_folder_of(dir_fd, path);
}

static int fd_write_at(int fd, const char *bytes, size_t len, off_t at)
{
    while (len != 0) {
        ssize_t put = pwrite(fd, bytes, len, at);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return -errno;
        }
        bytes += put;
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

int fd_progress_step(const struct fd_progress *progress, uint64_t upto)
{
    return progress != NULL ? progress->step(progress->context, upto) : 0;
}

static int fd_copy_by_hand(int source, int target, off_t from, off_t to,
                           const struct fd_progress *progress)
{
    char chunk[FD_COPY_CHUNK];

    while (from < to) {
        size_t want = (size_t)(to - from);
        ssize_t got = pread(source, chunk, want < sizeof(chunk) ? want : sizeof(chunk), from);
        int r;

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? 0 : -errno; /* 0: the source shrank; what there was is kept */
        }
        r = fd_write_at(target, chunk, (size_t)got, from);
        from += got;
        r = r < 0 ? r : fd_progress_step(progress, (uint64_t)from);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Copies [from, to) by copy_file_range, and by hand what the kernel will not. */
static int fd_copy_extent(int source, int target, off_t from, off_t to,
                          const struct fd_progress *progress)
{
    off_t target_at = from;
    int r = 0;

    while (r == 0 && from < to) {
        size_t want = to - from < FD_COPY_PIECE ? (size_t)(to - from) : FD_COPY_PIECE;
        ssize_t got = copy_file_range(source, &from, target, &target_at, want, 0);

        if (got == 0) {
            return 0;
        }
        if (got < 0 && errno != EINTR) {
            return fd_copy_by_hand(source, target, from, to, progress);
        }
        r = got > 0 ? fd_progress_step(progress, (uint64_t)from) : 0;
    }
    return r;
}

static int fd_copy_sparse(int source, int target, uint64_t size, const struct fd_progress *progress)
{
    off_t at = 0;
    off_t end = (off_t)size;

    while (at < end) {
        off_t data = lseek(source, at, SEEK_DATA);
        off_t hole;
        int r;

        if (data < 0 && errno == ENXIO) {
            break; /* nothing but a hole up to the end */
        }
        if (data < 0) {
            return fd_copy_extent(source, target, at, end, progress);
        }
        hole = lseek(source, data, SEEK_HOLE);
        if (hole < 0 || hole > end) {
            hole = end;
        }
        if (data >= end) {
            break;
        }
        r = fd_copy_extent(source, target, data, hole, progress);
        if (r < 0) {
            return r;
        }
        at = hole;
    }
    return ftruncate(target, end) == 0 ? 0 : -errno;
}

int fd_clone(int source, int target, uint64_t size, const struct fd_progress *progress)
{
    if (ioctl(target, FICLONE, source) == 0) {
        return fd_progress_step(progress, size);
    }
    return fd_copy_sparse(source, target, size, progress);
}

int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
        .mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

    return fd >= 0 ? (int)fd : -errno;
}

int fd_open_known_folder(const char *path)
{
    const struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

    return fd >= 0 ? (int)fd : -errno;
}

int fd_reopen(int fd, int flags)
{
    char link[64];
    int reopened;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    reopened = open(link, flags | O_CLOEXEC);
    return reopened >= 0 ? reopened : -errno;
}

static int fd_path_at(int folder, const char *link, char *out, size_t size)
{
    ssize_t len = readlinkat(folder, link, out, size);

    if (len < 0) {
        return -errno;
    }
    if ((size_t)len >= size) {
        return -ERR_NAMETOOLONG;
    }
    out[len] = '\0';
    return 0;
}

int fd_path(int fd, char *out, size_t size)
{
    char link[64];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return fd_path_at(AT_FDCWD, link, out, size);
}

int fd_paths_init(struct fd_paths *paths)
{
    paths->folder = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    paths->last = -1;
    paths->place = paths->folder >= 0 ? fcntl(paths->folder, F_DUPFD_CLOEXEC, 0) : -1;
    return paths->place >= 0 ? 0 : -errno;
}

void fd_paths_done(struct fd_paths *paths)
{
    closep(&paths->folder);
    closep(&paths->place);
}

int fd_paths_find(struct fd_paths *paths, int fd, char *out, size_t size)
{
    bool is_new = fd != paths->last;
    char link[16];
    int r;

    paths->last = fd;
    if (is_new && dup3(fd, paths->place, O_CLOEXEC) < 0) {
        return -errno;
    }
    (void)snprintf(link, sizeof(link), "%d", is_new ? paths->place : fd);
    r = fd_path_at(paths->folder, link, out, size);
    if (is_new) {
        (void)dup3(paths->folder, paths->place, O_CLOEXEC); /* the file may be closed for good */
    }
    return r;
}

int fd_set_nonblocking(int fd, bool is_nonblocking)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0) {
        return -errno;
    }
    flags = is_nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
}

int folder_make(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
    char part[4096];
    size_t len = strlen(path);
    bool is_new;

    if (len == 0 || len >= sizeof(part)) {
        return -ERR_NAMETOOLONG;
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (part[i] != '/') {
            continue;
        }
        part[i] = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST) {
            return -errno;
        }
        part[i] = '/';
    }
    is_new = mkdir(path, mode) == 0;
    if (!is_new && errno != EEXIST) {
        return -errno;
    }
    if (is_new && chmod(path, mode) != 0) {
        return -errno;
    }
    if ((uid != (uid_t)-1 || gid != (gid_t)-1) && lchown(path, uid, gid) != 0) {
        return -errno;
    }
    return 0;
}
