/* Folders by their own descriptors, so that nothing that is renamed meanwhile leads elsewhere. */
#include "cli/scan_walk.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "sys/fd.h"
#include "sys/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int walk_open(const struct scan_walk *walk, int folder, const char *name, const char *path,
                     unsigned depth);

static char *path_join(const char *path, const char *name)
{
    size_t len = strlen(path) + strlen(name) + 2;
    char *joined = mem_alloc(1, len);

    if (joined != NULL) {
        snprintf(joined, len, "%s%s%s", path, str_has_suffix(str_from(path), STR("/")) ? "" : "/",
                 name);
    }
    return joined;
}

static bool entry_is_walked(const struct dirent *entry)
{
    return entry->d_type == DT_REG || entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than SCAN_DEPTH_MAX */
static int walk_folder(const struct scan_walk *walk, int fd, const char *path, unsigned depth)
{
    CLEANUP(folder_names_done) struct folder_names names = {0};
    int r = folder_names_read(fd, entry_is_walked, SIZE_MAX, &names);

    if (r < 0 && r != -ERR_NOMEM) { /* what was read before is walked */
        walk->failed(walk->context, path, r);
        r = 0;
    }
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        CLEANUP(mem_freep) char *below = path_join(path, names.items[i]);

        r = below == NULL ? -ERR_NOMEM : walk_open(walk, fd, names.items[i], below, depth + 1);
    }
    return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than SCAN_DEPTH_MAX */
static int walk_open(const struct scan_walk *walk, int folder, const char *name, const char *path,
                     unsigned depth)
{
    CLEANUP(closep) int fd = openat(folder, name, OPEN_FLAGS | (depth != 0 ? O_NOFOLLOW : 0));
    struct stat info;

    if (fd < 0 || fstat(fd, &info) < 0) {
        walk->failed(walk->context, path, -errno);
        return 0;
    }
    if (S_ISREG(info.st_mode)) {
        return walk->file(walk->context, fd, path);
    }
    if (!S_ISDIR(info.st_mode)) {
        return 0;
    }
    if (depth == SCAN_DEPTH_MAX) {
        walk->failed(walk->context, path, -ERR_LIMIT);
        return 0;
    }
    return walk_folder(walk, fd, path, depth);
}

int scan_walk(const struct scan_walk *walk, const char *path)
{
    return walk_open(walk, AT_FDCWD, path, path, 0);
}
