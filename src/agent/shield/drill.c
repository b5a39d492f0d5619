/* Whether a case is an exercise. Two proofs together, since a file can be put anywhere by anybody:
 * a process of our own program runs `canhgac drill` above the culprit (or is it), and all damage
 * lies below one folder that carries the marker of the same user. One file elsewhere makes it a
 * real attack for good. Neighbours: shield/case.c before, shield/finding.c behind. Owner's thread
 * only. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "cli/drill/folder.h"

#include <stdio.h>
#include <sys/stat.h>

static bool drill_is_asked_for(struct str cmdline)
{
    return str_find(cmdline, STR(" drill ")) < cmdline.len ||
           str_has_suffix(cmdline, STR(" drill"));
}

void shield_case_meet(struct shield *shield, struct shield_case *known, const struct actor_row *row)
{
    if (shield->own_ino != 0 && row->actor.exe_ino == shield->own_ino &&
        row->actor.exe_dev == shield->own_dev && drill_is_asked_for(str_from(row->cmdline))) {
        known->is_drill = true;
        known->drill_uid = row->actor.uid;
    }
}

void shield_know_own_program(struct shield *shield)
{
    struct stat stat_own;

    if (stat("/proc/self/exe", &stat_own) == 0) {
        shield->own_dev = stat_own.st_dev;
        shield->own_ino = stat_own.st_ino;
    }
}

/* The folder above path that has the marker; its length, 0 when there is none. */
static size_t drill_folder_above(const struct shield_case *known, struct str path)
{
    char marker[SHIELD_PATH_MAX];
    struct stat found;

    for (size_t len = path.len; len > 1; len--) {
        int written;

        if (path.ptr[len - 1] != '/') {
            continue;
        }
        written = snprintf(marker, sizeof(marker), "%.*s" DRILL_MARKER, (int)len, path.ptr);
        if (written > 0 && (size_t)written < sizeof(marker) && lstat(marker, &found) == 0 &&
            S_ISREG(found.st_mode) && found.st_nlink == 1 && found.st_uid == known->drill_uid &&
            (found.st_mode & (S_IWGRP | S_IWOTH)) == 0) {
            return len;
        }
    }
    return 0;
}

/* The folder is looked for once: the drill removes it when it ends, and late damage is told after
 * that. */
static bool drill_holds(struct shield_case *known, struct str path)
{
    if (known->drill_folder.len == 0) {
        size_t len = drill_folder_above(known, path);

        known->drill_folder = arena_copy(known->arena, str_of(path.ptr, len));
    }
    return known->drill_folder.len != 0 && str_has_prefix(path, known->drill_folder);
}

bool shield_case_is_drill(struct shield_case *known)
{
    if (known->damage_count > known->file_count) {
        known->is_drill = false; /* there is damage that is not named, so it could be anywhere */
    }
    while (known->is_drill && known->drill_checked < known->file_count) {
        known->is_drill = drill_holds(known, known->files[known->drill_checked++].path);
    }
    return known->is_drill && known->file_count != 0;
}
