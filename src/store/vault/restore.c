/* Restoring one file of a case. The way: keep the damage → clear the place → put the original
 * there. Neighbours: vault/case.c goes through the files, vault/work.c sets things aside,
 * vault/undo.c is the reverse. Invariant: whatever the stage at which a run was killed, the next
 * run goes on to the same end. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/vault/copy.h"
#include "store/vault/meta.h"
#include "store/vault/work.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

/* The damaged inode: where it was last seen, at its old name, or by its handle. *ret_place.folder
 * is -1 when no name is known. */
static int restore_open_damaged(const struct vault_work *work, int flags,
                                struct vault_place *ret_place)
{
    CLEANUP(vault_place_done) struct vault_place parent = {.folder = -1};
    struct vault_inode inode = vault_work_original_inode(work);
    int fd = vault_place_find(work->vault, work->damage.path_now, inode, flags, ret_place);

    if (fd == -ERR_NOENT) {
        fd = vault_place_find(work->vault, work->damage.path, inode, flags, ret_place);
    }
    if (fd == -ERR_NOENT && vault_place_open(work->vault, work->damage.path, &parent) == 0) {
        fd = vault_place_open_handle(work->vault, parent.folder, work->original.meta.handle, inode,
                                     flags);
    }
    return fd;
}

static int restore_keep(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = -1;
    struct vault_aside evidence = vault_work_evidence(work);
    int r;

    if (work->is_in_place && work->step.stage == VAULT_STAGE_DAMAGED) {
        fd = restore_open_damaged(work, O_RDONLY, &place);
        if (fd >= 0) {
            work->step.manner = VAULT_MANNER_INPLACE;
            r = vault_work_is_leader(work)
                    ? vault_work_keep(work, fd, work->damage.path_now, VAULT_KIND_EVIDENCE,
                                      &work->step.evidence)
                    : 0;
            return r < 0 ? r : vault_work_reach(work, VAULT_STAGE_KEPT);
        }
        if (fd != -ERR_NOENT) {
            return fd;
        }
    }
    work->step.manner =
        work->damage.outcome == FILE_OUTCOME_PRODUCT ? VAULT_MANNER_NONE : VAULT_MANNER_CREATED;
    return vault_work_set_aside(work, work->damage.path_now, vault_work_damaged_inode(work),
                                &evidence);
}

/* Whether an open file has the original's content. */
static int restore_is_original(const struct vault_work *work, int fd)
{
    CLEANUP(closep) int object = -1;
    struct vault_entry entry;
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    object = vault_open_object(work->vault, work->damage.version, &entry);
    if (object < 0) {
        return object;
    }
    return entry.size == (uint64_t)st.st_size ? vault_copy_compare(fd, object, entry.size) : 0;
}

/* Whether that inode stands at the place, unharmed. */
static int restore_stands(const struct vault_work *work, const struct vault_place *place,
                          struct vault_inode inode)
{
    CLEANUP(closep) int fd = -1;

    if (inode.ino == 0) {
        return 0;
    }
    fd = vault_place_open_inode(place, inode, O_RDONLY);
    if (fd < 0) {
        return fd == -ERR_NOENT ? 0 : fd;
    }
    return restore_is_original(work, fd);
}

/* What this restore has put there, or is about to. */
static struct vault_inode restore_result(const struct vault_work *work)
{
    return (struct vault_inode){work->step.dev, work->step.ino};
}

static int restore_clear(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    struct vault_aside occupant = vault_work_occupant(work);
    struct stat st;
    int r = vault_place_open(work->vault, work->damage.path, &place);

    r = r < 0 ? r : vault_place_stat(&place, &st);
    if (work->step.stage == VAULT_STAGE_CLEARING) {
        const struct vault_inode inode = {st.st_dev, st.st_ino};

        return vault_work_set_aside(work, work->damage.path,
                                    r == 0 ? inode : (struct vault_inode){}, &occupant);
    }
    if (r < 0) {
        work->step.stage = r == -ERR_NOENT ? VAULT_STAGE_CLEARED : work->step.stage;
        return r == -ERR_NOENT ? 0 : r;
    }
    if (work->step.manner == VAULT_MANNER_INPLACE) {
        r = vault_place_holds(&place, vault_work_original_inode(work));
    } else {
        r = restore_stands(work, &place, vault_work_original_inode(work));
    }
    if (r != 0) {
        work->step.stage = r < 0 ? work->step.stage : VAULT_STAGE_CLEARED;
        return r < 0 ? r : 0;
    }
    if (!S_ISREG(st.st_mode)) {
        return -ERR_EXIST; /* a folder, a link or a device has taken the name: a person must decide
                            */
    }
    return vault_work_set_aside(work, work->damage.path, (struct vault_inode){st.st_dev, st.st_ino},
                                &occupant);
}

static int restore_finish(struct vault_work *work, int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    work->step.dev = st.st_dev;
    work->step.ino = st.st_ino;
    work->step.changed = vault_time_of(st.st_ctim);
    return vault_work_reach(work, VAULT_STAGE_RESTORED);
}

/* Gives the inode its old name back, from the new one or beside names that nobody told us. */
static int restore_rename(struct vault_work *work, int fd, const struct vault_place *from)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    int r = vault_place_make(work->vault, work->damage.path, &work->original.version, &place,
                             &work->step.folders);

    r = r < 0 ? r : vault_place_holds(&place, vault_work_original_inode(work));
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    if (from->folder >= 0) {
        r = vault_place_rename(from, &place);
        if (r != -ERR_XDEV) {
            return r;
        }
    }
    work->step.is_stray = true;
    return vault_place_link(&place, fd);
}

static int restore_in_place(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = restore_open_damaged(work, O_RDWR, &place);
    int r = 0;

    if (fd < 0) {
        return fd;
    }
    if (vault_work_is_leader(work)) {
        r = vault_work_fill(work->vault, fd, true, work->damage.version, &work->damage.facts);
    }
    r = r < 0 ? r : restore_rename(work, fd, &place);
    return r < 0 ? r : restore_finish(work, fd);
}

/* An inode that another name of the same file has kept, or this restore has made for one. */
static int restore_open_living(const struct vault_work *work, const struct vault_place *place)
{
    CLEANUP(closep) int fd = -1;
    struct vault_work other;
    int r;

    if (work->group->restored != 0) {
        vault_work_init(&other, work->vault, &work->finding);
        r = vault_work_load(&other, work->group->restored - 1);
        fd = r < 0 ? r
                   : vault_place_find(work->vault, other.damage.path, restore_result(&other),
                                      O_RDONLY, NULL);
        vault_work_done(&other);
    } else { /* no matter how many names it had: some may have gone before it was saved */
        fd = vault_place_open_handle(work->vault, place->folder, work->original.meta.handle,
                                     vault_work_original_inode(work), O_RDONLY);
    }
    r = fd < 0 ? fd : restore_is_original(work, fd);
    if (r <= 0) {
        return r < 0 && fd >= 0 ? r : -ERR_NOENT;
    }
    return TAKE_FD(fd);
}

/* The inode is written down before it gets the name: that tells a killed run's file from a
 * stranger's. */
static int restore_announce(struct vault_work *work, int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    work->step.dev = st.st_dev;
    work->step.ino = st.st_ino;
    return vault_work_reach(work, VAULT_STAGE_CLEARED);
}

/* 1 when the original stands there already: it was never away, or a killed run had just put it
 * there. */
static int restore_put_again(struct vault_work *work, const struct vault_place *place)
{
    const struct vault_inode candidates[] = {restore_result(work), vault_work_original_inode(work)};

    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        CLEANUP(closep) int fd = -1;
        int r = restore_stands(work, place, candidates[i]);

        if (r == 0) {
            continue;
        }
        fd = r < 0 ? r : vault_place_open_inode(place, candidates[i], O_RDONLY);
        if (fd < 0) {
            return fd;
        }
        if (candidates[i].ino == work->original.version.ino) {
            work->step.manner = VAULT_MANNER_LINKED;
        }
        r = restore_finish(work, fd);
        return r < 0 ? r : 1;
    }
    return 0;
}

static int restore_new(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = -1;
    int r = vault_place_make(work->vault, work->damage.path, &work->original.version, &place,
                             &work->step.folders);

    r = r < 0 ? r : restore_put_again(work, &place);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    fd = restore_open_living(work, &place);
    work->step.manner = fd >= 0 ? VAULT_MANNER_LINKED : VAULT_MANNER_CREATED;
    if (fd == -ERR_NOENT) {
        fd = vault_work_create(work->vault, &place, work->damage.version, &work->damage.facts);
    }
    r = fd < 0 ? fd : restore_announce(work, fd);
    r = r < 0 ? r : vault_place_link(&place, fd);
    if (r == -ERR_EXIST) { /* somebody took the name this moment: clear it at the next try */
        r = vault_work_reach(work, VAULT_STAGE_KEPT);
        return r < 0 ? r : -ERR_CONFLICT;
    }
    return r < 0 ? r : restore_finish(work, fd);
}

static int restore_put(struct vault_work *work)
{
    int r;

    if (work->step.manner == VAULT_MANNER_NONE) {
        return vault_work_reach(work, VAULT_STAGE_RESTORED);
    }
    if (work->step.manner == VAULT_MANNER_INPLACE) {
        r = restore_in_place(work);
        if (r != -ERR_NOENT) {
            return r;
        }
        /* An inode that vanished since its ciphertext was kept is made anew. */
    }
    return restore_new(work);
}

/* Done before, but the machine lost power before it was on the disk: see that it truly is. */
static int restore_again(struct vault_work *work)
{
    CLEANUP(closep) int fd = -1;
    int r;

    if (work->step.manner == VAULT_MANNER_NONE) {
        return 0;
    }
    fd = vault_place_find(work->vault, work->damage.path, restore_result(work), O_RDWR, NULL);
    r = fd < 0 ? fd : restore_is_original(work, fd);
    if (r == 0) {
        r = vault_work_fill(work->vault, fd, true, work->damage.version, &work->damage.facts);
    }
    if (r == -ERR_NOENT) {
        work->step.manner = VAULT_MANNER_CREATED;
        return restore_clear(work);
    }
    return r < 0 ? r : restore_finish(work, fd);
}

int vault_restore_file(struct vault_work *work, bool is_doubted)
{
    int r = 0;

    if (work->step.stage == VAULT_STAGE_RESTORED && is_doubted) {
        r = restore_again(work);
    }
    if (work->step.stage == VAULT_STAGE_UNDOING) {
        r = vault_undo_file(work);
    }
    if (r == 0 && work->step.stage < VAULT_STAGE_KEPT) {
        r = restore_keep(work);
    }
    if (r == 0 && work->step.manner == VAULT_MANNER_NONE && work->step.stage == VAULT_STAGE_KEPT) {
        return restore_put(work);
    }
    if (r == 0 &&
        (work->step.stage == VAULT_STAGE_KEPT || work->step.stage == VAULT_STAGE_CLEARING)) {
        r = restore_clear(work);
    }
    if (r == 0 && work->step.stage == VAULT_STAGE_CLEARED) {
        r = restore_put(work);
    }
    return r;
}
