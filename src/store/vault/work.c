/* What restoring and undoing share: setting files aside and bringing them back. Neighbours:
 * vault/restore.c and vault/undo.c call it, vault/place.c does the walking. Invariants: a stage is
 * written before the act it announces; each act, repeated, does nothing more; a file leaves its
 * place only when it is in the vault. */
#include "store/vault/work.h"
#include "sys/fd.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/vault/copy.h"
#include "store/vault/meta.h"
#include "store/vault/tend.h"

#include <errno.h>
#include <fcntl.h>

#define WORK_TEXT_MAX 16384U

void vault_work_init(struct vault_work *work, struct vault *vault, const struct id *finding)
{
    *work = (struct vault_work){.vault = vault, .finding = *finding};
    buf_init(&work->text, WORK_TEXT_MAX);
    buf_init(&work->bytes, VAULT_RECORD_MAX);
}

void vault_work_done(struct vault_work *work)
{
    buf_done(&work->text);
    buf_done(&work->bytes);
}

static int work_copy_file(struct vault_work *work, uint32_t index)
{
    const struct vault_case *item;
    int r = -ERR_NOENT;

    buf_reset(&work->text);
    pthread_mutex_lock(&work->vault->mutex);
    item = vault_case_locked(work->vault, &work->finding);
    if (item != NULL && index < item->count) {
        const struct vault_case_file *file = &item->files[index];

        buf_put_str(&work->text, file->damage.path);
        buf_put_str(&work->text, file->damage.path_now);
        work->damage = file->damage;
        work->step = file->step;
        r = buf_error(&work->text);
    }
    pthread_mutex_unlock(&work->vault->mutex);
    if (r == 0) {
        struct str text = buf_str(&work->text);
        size_t cut = work->damage.path.len;

        work->damage.path = str_slice(text, 0, cut);
        work->damage.path_now = str_slice(text, cut, text.len);
    }
    return r;
}

static void work_set_facts(struct vault_version *version, const struct vault_facts *facts)
{
    if (facts != NULL && facts->is_set) {
        version->mode = (version->mode & ~07777U) | (facts->mode & 07777);
        version->uid = facts->uid;
        version->gid = facts->gid;
        version->mtime = facts->mtime;
    }
}

int vault_work_load(struct vault_work *work, uint32_t index)
{
    int r = work_copy_file(work, index);

    work->index = index;
    work->is_in_place = false;
    work->group = NULL;
    work->original = (struct vault_record){};
    if (r < 0 || work->damage.outcome == FILE_OUTCOME_PRODUCT) {
        return r;
    }
    r = vault_describe(work->vault, work->damage.version, &work->bytes, &work->original);
    if (r == 0) {
        work_set_facts(&work->original.version, &work->damage.facts);
        work->is_in_place = work->damage.ino_now != 0 &&
                            work->damage.ino_now == work->original.version.ino &&
                            work->damage.dev_now == work->original.version.dev;
    }
    return r;
}

int vault_work_join(struct vault_work *work, struct vault_group *group)
{
    int r;

    work->group = group;
    if (group->version == work->damage.version) {
        return 0;
    }
    work->damage.version = group->version;
    r = vault_describe(work->vault, group->version, &work->bytes, &work->original);
    work_set_facts(&work->original.version, &work->damage.facts);
    return r;
}

bool vault_work_is_leader(const struct vault_work *work)
{
    return work->group != NULL && work->group->leader == work->index + 1;
}

struct str vault_work_key(const struct vault_work *work)
{
    struct str handle = work->original.meta.handle;

    return handle.len != 0
               ? handle
               : str_of((const char *)&work->original.version.dev, 2 * sizeof(uint64_t));
}

int vault_work_reach(struct vault_work *work, enum vault_stage stage)
{
    struct vault_record record = {
        .kind = VAULT_RECORD_CASE_STEP, .finding = work->finding, .index = work->index};

    work->step.stage = stage;
    record.step = work->step;
    return vault_write(work->vault, &record);
}

struct vault_inode vault_work_original_inode(const struct vault_work *work)
{
    return (struct vault_inode){work->original.version.dev, work->original.version.ino};
}

struct vault_inode vault_work_damaged_inode(const struct vault_work *work)
{
    return (struct vault_inode){work->damage.dev_now, work->damage.ino_now};
}

int vault_work_keep(struct vault_work *work, int fd, struct str path, enum vault_kind kind,
                    uint64_t *ret_id)
{
    const struct vault_origin origin = {.path = path, .kind = kind};
    const struct vault_version *version = &work->original.version;
    bool is_covered = version->is_partial && !version->is_torn &&
                      (!version->is_head || version->stored <= work->vault->limits.edge_bytes);
    enum vault_share share = is_covered ? VAULT_SHARE_EDGES : VAULT_SHARE_WHOLE;

    return vault_keep(work->vault, fd, &origin, share, ret_id);
}

struct vault_aside vault_work_evidence(struct vault_work *work)
{
    return (struct vault_aside){&work->step.evidence, &work->step.has_moved, VAULT_STAGE_MOVING,
                                VAULT_STAGE_KEPT};
}

struct vault_aside vault_work_occupant(struct vault_work *work)
{
    return (struct vault_aside){&work->step.occupant, &work->step.has_moved_occupant,
                                VAULT_STAGE_CLEARING, VAULT_STAGE_CLEARED};
}

/* An object's place in its pool. */
static int work_object_place(const struct vault_pool *pool, uint64_t id,
                             struct vault_place *ret_place)
{
    char name[VAULT_OBJECT_NAME_SIZE];
    char *slash;

    vault_object_name(id, name);
    slash = strrchr(name, '/');
    *slash = '\0';
    ret_place->folder = openat(pool->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    (void)snprintf(ret_place->name, sizeof(ret_place->name), "%s", slash + 1);
    return ret_place->folder >= 0 ? 0 : -errno;
}

/* The pool that holds an object, whether or not a record names it. */
static struct vault_pool *work_find_object(const struct vault *vault, uint64_t id,
                                           struct stat *ret_stat)
{
    for (size_t i = 0; i < vault->pools.count; i++) {
        if (vault_object_stat(vault->pools.pools[i], id, ret_stat) == 0) {
            return vault->pools.pools[i];
        }
    }
    return NULL;
}

/* Lists an inode that was moved in, unless that was done before. */
static int work_register(struct vault_work *work, const struct vault_pool *pool, uint64_t id,
                         struct str path)
{
    struct vault_record record = {.kind = VAULT_RECORD_VERSION, .id = id};
    struct vault_version *version = &record.version;
    struct vault_meta_room room;
    CLEANUP(closep) int fd = -1;
    struct vault_entry known;
    struct stat st;
    int r;

    if (vault_entry_copy(work->vault, id, &known) == 0) {
        return 0;
    }
    fd = vault_object_open(pool, id);
    if (fd < 0 || fstat(fd, &st) != 0) {
        return fd < 0 ? fd : -errno;
    }
    vault_meta_room_init(&room);
    r = vault_meta_read(fd, &st, &room, version, &record.meta);
    version->id = id;
    version->kind = VAULT_KIND_EVIDENCE;
    version->path = path;
    version->time = clock_wall(&work->vault->clock);
    version->stored = (uint64_t)st.st_blocks * 512;
    version->stored = version->stored < version->size ? version->stored : version->size;
    record.meta.pool = pool->number;
    record.meta.is_inode = true;
    r = r < 0 ? r : vault_write(work->vault, &record);
    vault_meta_room_done(&room);
    return r;
}

/* -ERR_XDEV when no pool lies on that file system. */
static int work_move_in(struct vault_work *work, const struct vault_place *place,
                        struct vault_inode inode, uint64_t id, struct str path)
{
    CLEANUP(vault_place_done) struct vault_place object = {.folder = -1};
    const struct vault_pool *pool;
    int r;

    pthread_mutex_lock(&work->vault->mutex);
    pool = vault_pool_by_dev(&work->vault->pools, inode.dev);
    pthread_mutex_unlock(&work->vault->mutex);
    if (pool == NULL) {
        return -ERR_XDEV;
    }
    r = work_object_place(pool, id, &object);
    r = r < 0 ? r : vault_place_rename(place, &object);
    if (r < 0) {
        return r;
    }
    if (vault_place_holds(&object, inode) != 1) { /* the name was given to another file just then */
        return vault_place_rename(&object, place) == 0 ? -ERR_CONFLICT : -ERR_IO;
    }
    return work_register(work, pool, id, path);
}

/* Where a rename cannot reach: a copy first, its announcement, then the removal. */
static int work_copy_aside(struct vault_work *work, const struct vault_place *place,
                           struct vault_inode inode, struct str path,
                           const struct vault_aside *aside)
{
    CLEANUP(closep) int fd = vault_place_open_inode(place, inode, O_RDONLY);
    int r;

    if (fd < 0) {
        return fd;
    }
    *aside->has_moved = false;
    r = vault_work_keep(work, fd, path, VAULT_KIND_EVIDENCE, aside->id);
    r = r < 0 ? r : vault_work_reach(work, aside->moving);
    return r < 0 ? r : vault_place_unlink(place);
}

static int work_start_aside(struct vault_work *work, const struct vault_place *place,
                            struct vault_inode inode, struct str path,
                            const struct vault_aside *aside)
{
    int r;

    *aside->id = vault_journal_next_id(&work->vault->journal);
    *aside->has_moved = true;
    r = vault_work_reach(work, aside->moving);
    r = r < 0 ? r : work_move_in(work, place, inode, *aside->id, path);
    return r == -ERR_XDEV ? work_copy_aside(work, place, inode, path, aside) : r;
}

/* Goes on behind the stage `moving`. */
static int work_finish_aside(struct vault_work *work, struct str path, struct vault_inode inode,
                             const struct vault_aside *aside)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    const struct vault_pool *pool;
    struct vault_entry copy;
    struct stat st;
    int r;

    pool = *aside->has_moved ? work_find_object(work->vault, *aside->id, &st) : NULL;
    if (pool != NULL) {
        return work_register(work, pool, *aside->id, path);
    }
    if (!*aside->has_moved) { /* only what was copied may be removed */
        r = vault_entry_copy(work->vault, *aside->id, &copy);
        if (r < 0) {
            return r;
        }
        inode = copy.inode;
    }
    r = vault_place_open(work->vault, path, &place);
    r = r < 0 ? r : vault_place_holds(&place, inode);
    if (r <= 0) {
        *aside->id = *aside->has_moved ? 0 : *aside->id; /* gone before it could be moved */
        return r == -ERR_NOENT ? 0 : r;
    }
    if (!*aside->has_moved) {
        return vault_place_unlink(&place);
    }
    r = work_move_in(work, &place, inode, *aside->id, path);
    return r == -ERR_XDEV ? work_copy_aside(work, &place, inode, path, aside) : r;
}

int vault_work_set_aside(struct vault_work *work, struct str path, struct vault_inode inode,
                         const struct vault_aside *aside)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = -1;
    int r;

    if (work->step.stage == aside->moving) {
        r = work_finish_aside(work, path, inode, aside);
    } else {
        fd = vault_place_find(work->vault, path, inode, O_RDONLY, &place);
        if (fd == -ERR_NOENT) {
            work->step.stage = aside->done;
            return 0;
        }
        r = fd < 0 ? fd : work_start_aside(work, &place, inode, path, aside);
    }
    return r < 0 ? r : vault_work_reach(work, aside->done);
}

/* Frees a place for what belongs there; what stands in it is kept first. */
static int work_free_place(struct vault_work *work, const struct vault_place *place,
                           struct str path)
{
    CLEANUP(closep) int fd = -1;
    struct stat st;
    uint64_t id;
    int r = vault_place_stat(place, &st);

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r;
    }
    if (!S_ISREG(st.st_mode)) {
        return -ERR_EXIST;
    }
    fd = vault_place_open_inode(place, (struct vault_inode){st.st_dev, st.st_ino}, O_RDONLY);
    if (fd < 0) {
        return fd;
    }
    r = vault_work_keep(work, fd, path, VAULT_KIND_BEFORE, &id);
    return r < 0 ? r : vault_place_unlink(place);
}

static int work_move_out(struct vault_work *work, const struct vault_place *place, struct str path,
                         uint64_t id)
{
    CLEANUP(vault_place_done) struct vault_place object = {.folder = -1};
    const struct vault_pool *pool;
    struct vault_entry entry;
    struct stat st;
    int r;

    pool = work_find_object(work->vault, id, &st);
    if (pool != NULL) {
        r = work_object_place(pool, id, &object);
        r = r < 0 ? r : work_free_place(work, place, path);
        r = r < 0 ? r : vault_place_rename(&object, place);
        if (r < 0) {
            return r;
        }
    }
    r = vault_entry_copy(work->vault, id, &entry);
    if (r == -ERR_NOENT) {
        return 0; /* dropped by the run that was killed */
    }
    return r < 0 ? r : vault_remove(work->vault, &entry);
}

/* Whether a killed run has already put a copy of that version there. */
static int work_has_copy(struct vault *vault, const struct vault_place *place, uint64_t id)
{
    CLEANUP(closep) int fd = -1;
    CLEANUP(closep) int object = -1;
    struct vault_entry entry;
    struct stat st;

    if (vault_place_stat(place, &st) < 0 || !S_ISREG(st.st_mode)) {
        return 0;
    }
    object = vault_open_object(vault, id, &entry);
    fd = vault_place_open_inode(place, (struct vault_inode){st.st_dev, st.st_ino}, O_RDONLY);
    if (object < 0 || fd < 0 || entry.size != (uint64_t)st.st_size) {
        return object < 0 ? object : 0;
    }
    return vault_copy_compare(fd, object, entry.size);
}

int vault_work_bring_back(struct vault_work *work, struct str path, const struct vault_aside *aside)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    uint32_t made = 0;
    int r;

    if (*aside->id == 0) {
        return 0;
    }
    r = vault_place_make(work->vault, path, &work->original.version, &place, &made);
    if (r < 0 || *aside->has_moved) {
        return r < 0 ? r : work_move_out(work, &place, path, *aside->id);
    }
    r = work_has_copy(work->vault, &place, *aside->id);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    r = work_free_place(work, &place, path);
    if (r == 0) {
        CLEANUP(closep) int fd = vault_work_create(work->vault, &place, *aside->id, NULL);

        r = fd < 0 ? fd : vault_place_link(&place, fd);
    }
    return r;
}

static int work_fill_part(int object, int target, const struct vault_version *version)
{
    uint64_t edge = version->is_head ? version->stored : version->stored / 2;
    int r;

    if (ftruncate(target, (off_t)version->size) != 0) {
        return -errno;
    }
    r = vault_copy_range(object, target, 0, edge, NULL);
    return r < 0 || version->is_head
               ? r
               : vault_copy_range(object, target, version->size - edge, edge, NULL);
}

/* What a journal that others write may not do: make programs that run with more rights than their
 * file has now, unless root knows that it had them. */
static int work_confine(struct vault *vault, int target, struct vault_record *record,
                        struct buf *room)
{
    struct vault_version *version = &record->version;
    const struct vault_confines *confines = &vault->confines;
    bool is_known = confines->set_id != NULL && confines->set_id(confines->context, version);
    uint32_t bits = version->mode & (S_ISUID | S_ISGID);
    struct stat st;
    bool is_held;

    if (confines->count == 0) {
        return 0;
    }
    if (fstat(target, &st) != 0) {
        return -errno;
    }
    is_held = (st.st_mode & bits) == bits && st.st_uid == version->uid && st.st_gid == version->gid;
    if (bits != 0 && !is_held && !is_known) {
        version->mode &= ~bits;
        vault->unset++;
    }
    if (vault_meta_confine(&record->meta.xattrs, room, is_known)) {
        vault->unset++;
    }
    return buf_error(room);
}

int vault_work_fill(struct vault *vault, int target, bool is_old, uint64_t id,
                    const struct vault_facts *facts)
{
    CLEANUP(buf_done) struct buf bytes;
    CLEANUP(buf_done) struct buf room;
    CLEANUP(closep) int object = -1;
    struct vault_record record;
    struct vault_entry entry;
    int r;

    buf_init(&bytes, VAULT_RECORD_MAX);
    buf_init(&room, VAULT_XATTRS_MAX);
    r = vault_describe(vault, id, &bytes, &record);
    if (r < 0) {
        return r;
    }
    work_set_facts(&record.version, facts);
    r = work_confine(vault, target, &record, &room);
    if (r < 0) {
        return r;
    }
    object = vault_open_object(vault, id, &entry);
    if (object < 0) {
        return object;
    }
    if (!is_old) {
        r = vault_copy_file(object, target, record.version.size, NULL);
    } else if (record.version.is_partial && !record.version.is_torn) {
        r = work_fill_part(object, target, &record.version);
    } else {
        r = vault_copy_over(object, target, record.version.size);
    }
    return r < 0 ? r : vault_meta_apply(target, &record.version, &record.meta, true);
}

int vault_work_create(struct vault *vault, const struct vault_place *place, uint64_t id,
                      const struct vault_facts *facts)
{
    CLEANUP(closep) int fd = vault_place_new(place);
    int r = fd;

    r = r < 0 ? r : vault_work_fill(vault, fd, false, id, facts);
    return r < 0 ? r : TAKE_FD(fd);
}
