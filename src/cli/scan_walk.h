/* Walks what a person named: files themselves, folders with all below them, in the order of
 * names. Symbolic links are followed where they were named, never below; other kinds of files are
 * passed over. */
#ifndef CLI_SCAN_WALK_H
#define CLI_SCAN_WALK_H

#include <sys/types.h>

#define SCAN_DEPTH_MAX 128

struct scan_walk {
    void *context;
    /* A regular file, open for reading and closed afterwards. Negative ends the walk. */
    int (*file)(void *context, int fd, const char *path);
    /* What could not be opened or read, and why. */
    void (*failed)(void *context, const char *path, int code);
};

/* 0, or what file() returned. Nothing else ends it. */
[[nodiscard]] int scan_walk(const struct scan_walk *walk, const char *path);

#endif
