/* Descriptors: all are close-on-exec from birth; reads and writes go on after signals and short
 * counts. */
#ifndef SYS_FD_H
#define SYS_FD_H

#include "base/buf.h"
#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* For CLEANUP(closep). Keeps errno. */
void closep(int *fd);

/* All of len bytes; -ERR_TRUNCATED at an early end, -errno. */
[[nodiscard]] int fd_read_full(int fd, void *out, size_t len);
[[nodiscard]] int fd_write_full(int fd, const void *bytes, size_t len);
/* The whole of a (small or /proc) file into buf; its limit is the ceiling. */
[[nodiscard]] int fd_read_all(int fd, struct buf *buf);
[[nodiscard]] int file_read_all(int dir_fd, const char *path, struct buf *buf);
/* Writes a temporary sibling, syncs it, renames it over path, syncs the folder. mode: of the new
 * file. */
[[nodiscard]] int file_write_atomic(int dir_fd, const char *path, struct str bytes, mode_t mode);

/* Told of a copy after each piece, of 256 KiB at most: all before `upto` is in the target.
 * Negative ends the copy, which then returns it. */
struct fd_progress {
    void *context;
    int (*step)(void *context, uint64_t upto);
};

/* Clones (FICLONE) where the file system can, else copies with copy_file_range, else by hand; keeps
 * holes where the source has them. Source offset is not used nor moved. progress may be NULL; a
 * clone is one piece. */
[[nodiscard]] int fd_clone(int source, int target, uint64_t size,
                           const struct fd_progress *progress);
/* For copies made elsewhere; takes NULL. */
[[nodiscard]] int fd_progress_step(const struct fd_progress *progress, uint64_t upto);

/* Opens a path strictly below dir_fd: no symbolic link, no "..", no other mount (openat2). */
[[nodiscard]] int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);
/* The folder at a path, for looking at it only (O_PATH), if the kernel knows the way without asking
 * a disk or another machine, and no link is on it; -ERR_AGAIN otherwise. Never blocks. */
[[nodiscard]] int fd_open_known_folder(const char *path);
/* Re-opens what fd refers to, with other flags, through /proc/self/fd. */
[[nodiscard]] int fd_reopen(int fd, int flags);
/* The path the kernel knows for fd now; a deleted file's ends in " (deleted)". Writes a NUL. */
[[nodiscard]] int fd_path(int fd, char *out, size_t size);
/* For one thread that asks for many paths. The kernel keeps at hand what it needs for a number that
 * was asked about before, so that what is new is asked about by a number of ours. */
struct fd_paths {
    int folder; /* of this process's descriptors; -1: none */
    int place;  /* our number */
    int last;   /* was asked about last */
};
[[nodiscard]] int fd_paths_init(struct fd_paths *paths);
void fd_paths_done(struct fd_paths *paths);
/* As fd_path. */
[[nodiscard]] int fd_paths_find(struct fd_paths *paths, int fd, char *out, size_t size);

[[nodiscard]] int fd_set_nonblocking(int fd, bool is_nonblocking);
/* Makes a folder (and its missing parents) of mode, owned by uid:gid when they are not -1. */
[[nodiscard]] int folder_make(const char *path, mode_t mode, uid_t uid, gid_t gid);

#endif
