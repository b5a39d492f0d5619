/* The protected names of files that were met by others. A file with several names is guarded by
 * whichever it is opened, but only what is protected is put right: when a group is stopped that has
 * written by an unprotected name, one walk through the protected places finds the inodes there. On
 * its way: shield/damage.c asks. The owner's thread only. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "sys/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#define HOMES_DEPTH 64
#define HOMES_NS    (10 * NS_PER_S) /* longest walk; who waits for it stands still */

struct homes_walk {
    struct shield *shield;
    struct shield_home *homes;
    size_t count;
    size_t missing;
    struct arena *arena;
    int64_t until;
};

static void homes_note(struct homes_walk *walk, struct shield_home *home, int folder,
                       const char *name, struct str path)
{
    struct stat stat;

    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode) &&
        stat.st_dev == home->key.dev && stat.st_ino == home->key.ino) {
        struct str copy = arena_copy(walk->arena, path);

        home->path = copy.ptr != NULL ? copy : STR("");
        walk->missing -= home->path.len != 0 ? 1 : 0;
    }
}

static void homes_take(struct homes_walk *walk, int folder, const struct dirent *item,
                       struct str path)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->homes[i].path.len == 0 && walk->homes[i].key.ino == item->d_ino) {
            homes_note(walk, &walk->homes[i], folder, item->d_name, path);
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than HOMES_DEPTH */
static void homes_walk(struct homes_walk *walk, const char *path, unsigned depth)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *item;
    char below[SHIELD_PATH_MAX];

    if (dir == NULL) {
        closep(&fd);
        return;
    }
    while (walk->missing != 0 && (item = readdir(dir)) != NULL) {
        bool is_dots = strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0;
        int len = snprintf(below, sizeof(below), "%s/%s", path, item->d_name);

        if (is_dots || len >= (int)sizeof(below)) {
            continue;
        }
        if (item->d_type == DT_DIR && depth < HOMES_DEPTH && shield_now() < walk->until) {
            homes_walk(walk, below, depth + 1);
        } else if ((item->d_type == DT_REG || item->d_type == DT_UNKNOWN) &&
                   files_holds(walk->shield->files, str_from(below))) {
            homes_take(walk, fd, item, str_from(below));
        }
    }
    (void)closedir(dir);
}

void shield_find_homes(struct shield *shield, struct shield_home *homes, size_t count,
                       struct arena *arena)
{
    struct homes_walk walk = {.shield = shield,
                              .homes = homes,
                              .count = count,
                              .missing = count,
                              .arena = arena,
                              .until = shield_now() + HOMES_NS};

    for (size_t i = 0; i < shield->walk_place_count && walk.missing != 0; i++) {
        if (!shield->walk_places[i].is_left_out) {
            homes_walk(&walk, shield->walk_places[i].path, 0);
        }
    }
}
