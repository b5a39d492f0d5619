/* Undoing the restore of one file, for a false alarm: the exact reverse of vault/restore.c.
 * The way: keep what the file has become since → take the original away → put back what had been
 * set aside. Invariant: from the stage VAULT_STAGE_UNDOING on, every act can be repeated. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/vault/meta.h"
#include "store/vault/work.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

static struct vault_inode undo_result(const struct vault_work *work)
{
    return (struct vault_inode){work->step.dev, work->step.ino};
}

/* Somebody may have worked on the file since it was restored: that work becomes a version. */
static int undo_keep_changes(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = -1;
    struct stat st;
    uint64_t id;
    int r = vault_place_open(work->vault, work->damage.path, &place);

    r = r < 0 ? r : vault_place_stat(&place, &st);
    if (r < 0 || !S_ISREG(st.st_mode)) {
        return r == -ERR_NOENT || r == 0 ? 0 : r;
    }
    if (st.st_dev == work->step.dev && st.st_ino == work->step.ino &&
        vault_time_of(st.st_ctim) == work->step.changed) {
        return 0;
    }
    fd = vault_place_open_inode(&place, (struct vault_inode){st.st_dev, st.st_ino}, O_RDONLY);
    return fd < 0 ? fd : vault_work_keep(work, fd, work->damage.path, VAULT_KIND_BEFORE, &id);
}

static int undo_open(const struct vault_work *work, struct vault_place *ret_place)
{
    struct vault_inode inode = undo_result(work);
    CLEANUP(vault_place_done) struct vault_place parent = {.folder = -1};
    int fd = vault_place_find(work->vault, work->damage.path, inode, O_RDWR, ret_place);

    if (fd == -ERR_NOENT) {
        fd = vault_place_find(work->vault, work->damage.path_now, inode, O_RDWR, ret_place);
    }
    if (fd == -ERR_NOENT && vault_place_open(work->vault, work->damage.path, &parent) == 0) {
        fd = vault_place_open_handle(work->vault, parent.folder, work->original.meta.handle, inode,
                                     O_RDWR);
    }
    return fd;
}

/* The name the program had given it. */
static int undo_rename(const struct vault_work *work, const struct vault_place *from)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    uint32_t made = 0;
    int r;

    if (work->step.is_stray) {
        return vault_place_unlink(from);
    }
    if (work->damage.path_now.len == 0 || str_is(work->damage.path_now, work->damage.path)) {
        return 0;
    }
    r = vault_place_make(work->vault, work->damage.path_now, &work->original.version, &place,
                         &made);
    r = r < 0 ? r : vault_place_holds(&place, undo_result(work));
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    return vault_place_rename(from, &place);
}

static int undo_in_place(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = undo_open(work, &place);
    int r;

    if (fd == -ERR_NOENT) {
        struct vault_aside evidence = vault_work_evidence(work);

        return vault_work_bring_back(work, work->damage.path_now, &evidence); /* removed since */
    }
    if (fd < 0) {
        return fd;
    }
    r = work->step.evidence != 0 ? vault_work_fill(work->vault, fd, true, work->step.evidence, NULL)
                                 : 0;
    return r < 0 || place.folder < 0 ? r : undo_rename(work, &place);
}

/* Takes away the name that the restore had made. Another inode there is somebody's later work, kept
 * above. */
static int undo_created(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    int r = vault_place_open(work->vault, work->damage.path, &place);

    r = r < 0 ? r : vault_place_holds(&place, undo_result(work));
    if (r <= 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    return vault_place_unlink(&place);
}

/* A damaged file that had been copied comes back as another inode: the case must know it for the
 * next restore. */
static int undo_learn_inode(struct vault_work *work)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    struct vault_record record = {
        .kind = VAULT_RECORD_CASE_FILE, .finding = work->finding, .damage = work->damage};
    struct stat st;
    int r = vault_place_open(work->vault, work->damage.path_now, &place);

    r = r < 0 ? r : vault_place_stat(&place, &st);
    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    record.damage.dev_now = st.st_dev;
    record.damage.ino_now = st.st_ino;
    return vault_write(work->vault, &record);
}

static int undo_bring_back(struct vault_work *work)
{
    struct vault_aside evidence = vault_work_evidence(work);
    struct vault_aside occupant = vault_work_occupant(work);
    int r = vault_work_bring_back(work, work->damage.path, &occupant);

    if (r < 0 || work->step.manner == VAULT_MANNER_INPLACE || work->step.evidence == 0) {
        return r;
    }
    r = vault_work_bring_back(work, work->damage.path_now, &evidence);
    return r < 0 || work->step.has_moved ? r : undo_learn_inode(work);
}

int vault_undo_file(struct vault_work *work)
{
    int r = 0;

    if (work->step.stage == VAULT_STAGE_DAMAGED) {
        return 0;
    }
    if (work->step.stage != VAULT_STAGE_UNDOING) {
        r = work->step.manner != VAULT_MANNER_NONE ? undo_keep_changes(work) : 0;
        r = r < 0 ? r : vault_work_reach(work, VAULT_STAGE_UNDOING);
    }
    if (r == 0 && work->step.manner == VAULT_MANNER_INPLACE) {
        r = undo_in_place(work);
    } else if (r == 0 && work->step.manner != VAULT_MANNER_NONE) {
        r = undo_created(work);
    }
    r = r < 0 ? r : undo_bring_back(work);
    if (r < 0) {
        return r;
    }
    vault_place_unmake(work->vault, work->damage.path, work->step.folders);
    work->step = (struct vault_step){};
    return vault_work_reach(work, VAULT_STAGE_DAMAGED);
}
