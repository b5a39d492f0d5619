/* See sys/folder.h. */
#include "sys/folder.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

static int names_add(struct folder_names *names, const char *name)
{
    char *copy;

    if (names->count == names->room) {
        size_t room = names->room != 0 ? names->room * 2 : 64;
        char **items = mem_resize((void *)names->items, room, sizeof(*items));

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

static int name_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool is_dots(const char *name)
{
    return str_is_text(str_from(name), ".") || str_is_text(str_from(name), "..");
}

static int names_take(struct folder_names *names, DIR *dir,
                      bool (*is_wanted)(const struct dirent *entry), size_t limit)
{
    const struct dirent *entry;
    int r = 0;

    errno = 0;
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        if (!is_dots(entry->d_name) && is_wanted(entry)) {
            r = names->count < limit ? names_add(names, entry->d_name) : -ERR_LIMIT;
        }
        errno = 0;
    }
    return r == 0 ? -errno : r;
}

int folder_names_read(int fd, bool (*is_wanted)(const struct dirent *entry), size_t limit,
                      struct folder_names *ret_names)
{
    CLEANUP(closep) int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    int r;

    *ret_names = (struct folder_names){0};
    if (dir == NULL) {
        return -errno;
    }
    (void)TAKE_FD(own);
    r = names_take(ret_names, dir, is_wanted, limit);
    (void)closedir(dir);
    if (ret_names->count > 1) {
        qsort((void *)ret_names->items, ret_names->count, sizeof(*ret_names->items), name_compare);
    }
    return r;
}

void folder_names_done(struct folder_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        mem_free(names->items[i]);
    }
    mem_free((void *)names->items);
    *names = (struct folder_names){0};
}
