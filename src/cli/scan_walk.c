/* Folders by their own descriptors, so that nothing that is renamed meanwhile leads elsewhere. */
#include "cli/scan_walk.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int walk_open(const struct scan_walk *walk, int folder, const char *name, const char *path,
                     unsigned depth);

static void dir_close(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

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
    bool is_dots =
        str_is_text(str_from(entry->d_name), ".") || str_is_text(str_from(entry->d_name), "..");

    return !is_dots &&
           (entry->d_type == DT_REG || entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

struct walk_names {
    char **items;
    size_t count;
    size_t room;
};

static void names_done(struct walk_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        mem_free(names->items[i]);
    }
    mem_free(names->items);
}

static int names_add(struct walk_names *names, const char *name)
{
    char *copy;

    if (names->count == names->room) {
        size_t room = names->room != 0 ? names->room * 2 : 64;
        char **items = mem_resize(names->items, room, sizeof(*items));

        if (items == NULL) {
            return -ERR_NOMEM;
        }
        names->items = items;
        names->room = room;
    }
    copy = mem_dup(name, strlen(name));
    if (copy == NULL) {
        return -ERR_NOMEM;
    }
    names->items[names->count++] = copy;
    return 0;
}

static int names_compare(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

/* Sorted, so that a walk is the same each time. What was read before a failure is walked. */
static int names_read(const struct scan_walk *walk, DIR *dir, const char *path,
                      struct walk_names *names)
{
    struct dirent *entry;
    int r = 0;

    errno = 0;
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        r = entry_is_walked(entry) ? names_add(names, entry->d_name) : 0;
        errno = 0;
    }
    if (r == 0 && errno != 0) {
        walk->failed(walk->context, path, -errno);
    }
    if (names->count > 1) {
        qsort(names->items, names->count, sizeof(*names->items), names_compare);
    }
    return r;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than SCAN_DEPTH_MAX */
static int walk_folder(const struct scan_walk *walk, int fd, const char *path, unsigned depth)
{
    CLEANUP(dir_close) DIR *dir = fdopendir(fd);
    CLEANUP(names_done) struct walk_names names = {0};
    int r;

    if (dir == NULL) {
        walk->failed(walk->context, path, -errno);
        (void)close(fd);
        return 0;
    }
    r = names_read(walk, dir, path, &names);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        CLEANUP(mem_freep) char *below = path_join(path, names.items[i]);

        r = below == NULL ? -ERR_NOMEM
                          : walk_open(walk, dirfd(dir), names.items[i], below, depth + 1);
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
    return walk_folder(walk, TAKE_FD(fd), path, depth);
}

int scan_walk(const struct scan_walk *walk, const char *path)
{
    return walk_open(walk, AT_FDCWD, path, path, 0);
}
