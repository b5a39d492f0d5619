/* A walk through all that is protected, as it lies on disk. Links are not followed. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "sys/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#define WALK_DEPTH 64

static void walk_take(const struct shield *shield, const struct shield_walker *walker,
                      const char *path, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than WALK_DEPTH */
static void walk_take_item(const struct shield *shield, const struct shield_walker *walker,
                           int folder, const struct dirent *item, const char *below, unsigned depth)
{
    if (!files_is_protected(shield->walk_places, shield->walk_place_count, str_from(below))) {
        return;
    }
    if (item->d_type == DT_DIR && depth < WALK_DEPTH) {
        walk_take(shield, walker, below, depth + 1);
    } else if (item->d_type == DT_REG || item->d_type == DT_UNKNOWN) {
        walker->file(walker->context, folder, item, str_from(below));
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than WALK_DEPTH */
static void walk_take(const struct shield *shield, const struct shield_walker *walker,
                      const char *path, unsigned depth)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *item;
    char below[SHIELD_PATH_MAX];

    if (dir == NULL) {
        closep(&fd);
        return;
    }
    if (walker->folder != NULL) {
        walker->folder(walker->context, str_from(path));
    }
    while (!walker->is_over(walker->context) && (item = readdir(dir)) != NULL) {
        bool is_dots = strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0;
        int len = snprintf(below, sizeof(below), "%s/%s", path, item->d_name);

        if (!is_dots && len < (int)sizeof(below)) {
            walk_take_item(shield, walker, fd, item, below, depth);
        }
    }
    (void)closedir(dir);
}

void shield_walk_places(const struct shield *shield, const struct shield_walker *walker)
{
    for (size_t i = 0; i < shield->walk_place_count; i++) {
        if (!shield->walk_places[i].is_left_out) {
            walk_take(shield, walker, shield->walk_places[i].path, 0);
        }
    }
}
