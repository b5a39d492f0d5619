/* The protected names of files that were met by others. A file with several names is guarded by
 * whichever it is opened, but only what is protected is put right: when a group is stopped that has
 * written by an unprotected name, one walk through the protected places finds the inodes there. On
 * its way: shield/damage.c asks. The owner's thread only. */
#include "agent/shield/private.h"
#include "base/banned.h"

#include <dirent.h>
#include <fcntl.h>

#define HOMES_NS (10 * NS_PER_S) /* longest walk; who waits for it stands still */

struct search {
    struct shield_home *homes;
    size_t count;
    size_t missing;
    struct arena *arena;
    int64_t until;
};

static bool search_is_over(void *context)
{
    const struct search *search = context;

    return search->missing == 0 || shield_now() >= search->until;
}

static void search_note(struct search *search, struct shield_home *home, int folder,
                        const char *name, struct str path)
{
    struct stat stat;

    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode) &&
        stat.st_dev == home->key.dev && stat.st_ino == home->key.ino) {
        struct str copy = arena_copy(search->arena, path);

        home->path = copy.ptr != NULL ? copy : STR("");
        search->missing -= home->path.len != 0 ? 1 : 0;
    }
}

static void search_take(void *context, int folder, const struct dirent *item, struct str path)
{
    struct search *search = context;

    for (size_t i = 0; i < search->count; i++) {
        if (search->homes[i].path.len == 0 && search->homes[i].key.ino == item->d_ino) {
            search_note(search, &search->homes[i], folder, item->d_name, path);
        }
    }
}

void shield_find_homes(struct shield *shield, struct shield_home *homes, size_t count,
                       struct arena *arena)
{
    struct search search = {.homes = homes,
                            .count = count,
                            .missing = count,
                            .arena = arena,
                            .until = shield_now() + HOMES_NS};

    shield_walk_places(shield, &(struct shield_walker){.context = &search,
                                                       .is_over = search_is_over,
                                                       .file = search_take});
}
