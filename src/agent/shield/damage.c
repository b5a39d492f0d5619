/* From a ruling's damage to what the vault is to undo. The judge speaks of one name a file; here
 * each piece is followed to its inode as it is now: one that was moved aside comes back by itself,
 * one that lives under another name is mended there, and every name that the group took from it is
 * given back. Neighbours: shield/case.c calls, store/vault/case.c keeps. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"

#include <fcntl.h>

#define DAMAGE_BATCH 64
#define DAMAGE_SEED  0x64616d61U
#define CHANGES_NS   (60 * NS_PER_S) /* before the first destructive step */
#define FOLDER_MARK  UINT64_MAX      /* for a device: the mark is a folder's */

struct binder {
    struct shield *shield;
    struct shield_case *known;
    struct arena *arena;
    bool is_heard; /* all that was done to names */
    int64_t since; /* changes of attributes count from here on */
    struct shield_guilty guilty;
    struct vault_damage batch[DAMAGE_BATCH];
    size_t count;
    size_t bound;
};

/* The inode that held an original. */
struct origin {
    uint64_t serial; /* of its row in the shelf; 0: not known any more */
    struct file_key key;
    bool has_many; /* names, now or before */
    bool is_alive;
    struct str path; /* a protected name that it has now; empty: none is known */
};

static bool damage_is_known(const struct shield_case *known, const struct damage_mark *mark)
{
    return map_get(&known->marks, MAP_KEY(*mark)) != NULL;
}

/* Without memory it is taken up once more, which is harmless. */
static void damage_mark(struct shield_case *known, const struct damage_mark *mark)
{
    struct damage_mark *copy = damage_is_known(known, mark) ? NULL : mem_alloc(1, sizeof(*copy));

    if (copy == NULL) {
        return;
    }
    *copy = *mark;
    if (map_put(&known->marks, MAP_KEY(*copy), copy) < 0) {
        mem_free(copy);
    }
}

static struct damage_mark mark_of(const struct vault_damage *damage, uint64_t token)
{
    struct str path = damage->path.len != 0 ? damage->path : damage->path_now;

    return (struct damage_mark){token, damage->dev_now, damage->ino_now,
                                map_hash(path, DAMAGE_SEED)};
}

/* Of anything at all that belongs there. */
static struct damage_mark mark_of_path(struct str path)
{
    return (struct damage_mark){.path = map_hash(path, DAMAGE_SEED)};
}

static void damage_list(struct shield *shield, struct shield_case *known,
                        const struct vault_damage *damage)
{
    struct finding_file *file;
    struct vault_version version;

    if (known->file_count == FINDING_FILES_MAX) {
        return;
    }
    file = &known->files[known->file_count];
    file->path = arena_copy(known->arena, damage->path.len != 0 ? damage->path : damage->path_now);
    file->outcome = damage->outcome;
    file->is_partial = damage->version != 0 &&
                       vault_version(shield->vault, damage->version, known->arena, &version) == 0 &&
                       version.is_partial;
    known->file_count += file->path.ptr != NULL ? 1 : 0;
}

static void binder_flush(struct binder *binder)
{
    struct shield_case *known = binder->known;
    int r = binder->count != 0
                ? vault_case_add(binder->shield->vault, &known->id, binder->batch, binder->count)
                : 0;

    known->result = r < 0 ? r : known->result;
    binder->bound += r == 0 ? binder->count : 0;
    binder->count = 0;
}

/* Outside the protected folders nothing is put right: what lies there stays, and the original comes
 * back beside it. */
static void damage_keep_inside(struct shield *shield, struct vault_damage *damage)
{
    if (damage->path_now.len != 0 && !files_holds(shield->files, damage->path_now)) {
        damage->path_now = STR("");
        damage->dev_now = damage->ino_now = 0;
    }
}

/* Every folder above the path, as it was. */
static void binder_put_folders(struct binder *binder, struct str path)
{
    struct shield_case *known = binder->known;
    struct vault_folder folder;

    for (;;) {
        struct damage_mark mark;

        while (path.len != 0 && path.ptr[path.len - 1] != '/') {
            path.len--;
        }
        path.len -= path.len != 0 ? 1 : 0;
        mark = (struct damage_mark){.dev = FOLDER_MARK, .path = map_hash(path, DAMAGE_SEED)};
        if (!files_holds(binder->shield->files, path) || damage_is_known(known, &mark)) {
            return;
        }
        damage_mark(known, &mark);
        if (shield_folder_facts(binder->shield, path, binder->arena, &folder)) {
            int r = vault_case_add_folder(binder->shield->vault, &known->id, &folder);

            known->result = r < 0 ? r : known->result;
        }
    }
}

/* Also those that held nothing: they come back as if there had been a file in them. */
static void binder_put_removed(struct binder *binder)
{
    size_t cursor = 0;
    struct str path;

    while (shield_next_removed(binder->shield, &binder->guilty, &cursor, binder->arena, &path)) {
        struct str inside = arena_printf(binder->arena, "%.*s/.", STR_ARG(path));

        if (inside.ptr != NULL) {
            binder_put_folders(binder, inside);
        }
    }
}

/* The row that a version or token was made of. With the lock. */
static struct file_row *origin_row(struct shield *shield, uint64_t version,
                                   const struct vault_version *saved)
{
    struct file_handle_id handle;
    struct file_row *row;
    struct str bytes = str_slice(saved->handle, sizeof(int32_t), saved->handle.len);

    if (shelf_is_token(version)) {
        return shelf_by_token(shield->shelf, version);
    }
    row = shelf_by_key(shield->shelf, (struct file_key){saved->dev, saved->ino});
    if (row == NULL) {
        return NULL;
    }
    shelf_handle(row, &handle);
    return str_is(str_of((const char *)handle.bytes, handle.len), bytes) ? row : NULL;
}

static struct str origin_path(struct binder *binder, int fd)
{
    char path[SHIELD_PATH_MAX];

    if (fd_path(fd, path, sizeof(path)) < 0 ||
        !files_holds(binder->shield->files, str_from(path)) ||
        str_has_suffix(str_from(path), STR(" (deleted)"))) {
        return STR("");
    }
    return arena_copy(binder->arena, str_from(path));
}

/* Where the inode is now. By its held descriptor, whose path follows renames; by its handle when
 * the name it was held by is gone. */
static void origin_locate(struct binder *binder, const struct file_handle_id *handle, int held,
                          struct origin *origin)
{
    CLEANUP(closep) int fd = -1;
    struct stat stat;

    if (held >= 0 && fstat(held, &stat) == 0) {
        origin->is_alive = stat.st_nlink != 0;
        origin->has_many = origin->has_many || stat.st_nlink > 1;
        origin->path = origin->is_alive ? origin_path(binder, held) : STR("");
    }
    if (origin->path.len != 0 || (held >= 0 && !origin->is_alive)) {
        return;
    }
    fd = files_open_handle(binder->shield->files, handle);
    if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_nlink == 0) {
        origin->is_alive = false;
        return;
    }
    origin->is_alive = true;
    origin->has_many = origin->has_many || stat.st_nlink > 1;
    origin->path = origin_path(binder, fd);
}

static void origin_find(struct binder *binder, uint64_t version, struct origin *origin)
{
    struct shield *shield = binder->shield;
    struct vault_version saved = {0};
    struct file_handle_id handle;
    CLEANUP(closep) int held = -1;
    struct file_row *row;

    *origin = (struct origin){.path = STR("")};
    if (!shelf_is_token(version) &&
        (version == 0 || vault_version(shield->vault, version, binder->arena, &saved) < 0)) {
        return;
    }
    pthread_mutex_lock(&shield->lock);
    row = origin_row(shield, version, &saved);
    if (row != NULL) {
        origin->serial = row->serial;
        origin->key = row->key;
        origin->has_many = aliases_has(shield->aliases, row->serial);
        shelf_handle(row, &handle);
        held = row->fd >= 0 ? fcntl(row->fd, F_DUPFD_CLOEXEC, 0) : -1;
    }
    pthread_mutex_unlock(&shield->lock);
    if (origin->serial != 0) {
        origin_locate(binder, &handle, held, origin);
    }
}

static void binder_set_facts(struct binder *binder, struct vault_damage *damage)
{
    struct vault_version copy;

    if (damage->version == 0 ||
        vault_version(binder->shield->vault, damage->version, binder->arena, &copy) < 0 ||
        !shield_facts_before(binder->shield, &copy, binder->since, &damage->facts)) {
        damage->facts = (struct vault_facts){0};
    }
}

/* token: the judge's word for the version, which tells it from others for good. */
static void binder_put(struct binder *binder, const struct vault_damage *damage, uint64_t token)
{
    const struct damage_mark mark = mark_of(damage, token);

    struct str path = damage->path.len != 0 ? damage->path : damage->path_now;
    const struct damage_mark place = mark_of_path(damage->path);

    if (damage_is_known(binder->known, &mark)) {
        return;
    }
    damage_mark(binder->known, &mark);
    damage_mark(binder->known, &place);
    binder->known->damage_count++;
    damage_list(binder->shield, binder->known, damage);
    binder_put_folders(binder, path);
    if (damage->outcome != FILE_OUTCOME_PRODUCT && damage->version == 0) {
        return;
    }
    binder->batch[binder->count] = *damage;
    binder_set_facts(binder, &binder->batch[binder->count++]);
    if (binder->count == DAMAGE_BATCH) {
        binder_flush(binder);
    }
}

/* With the lock: what is to come back under a name that was taken from a file. What a stopped
 * group has written since is not it, also where nobody has looked at that yet. */
static uint64_t binder_version_of(const struct shield *shield, const struct file_row *row)
{
    uint64_t original = judge_original(shield->judge, row->key);

    if (original != 0) {
        return original;
    }
    return row->fd >= 0 || row->version == 0 ? shelf_token(row) : row->version;
}

/* The next name that the case's group took from a file with several, with what it stood for. */
static bool binder_next_lost(struct binder *binder, size_t *cursor, struct vault_damage *ret_damage)
{
    struct shield *shield = binder->shield;
    const struct alias *alias;
    bool is_found = false;

    pthread_mutex_lock(&shield->lock);
    while (!is_found && (alias = aliases_next(shield->aliases, 0, cursor)) != NULL) {
        struct file_row *row =
            alias->lost_by.pid != 0 && shield_is_guilty(shield, &binder->guilty, alias->lost_by)
                ? shelf_by_serial(shield->shelf, alias->serial)
                : NULL;
        bool is_moved = row != NULL && alias->moved_to != NULL;

        is_found = row != NULL;
        if (is_found) {
            *ret_damage = (struct vault_damage){
                .outcome = FILE_OUTCOME_DELETED,
                .version = binder_version_of(shield, row),
                .path = arena_copy(binder->arena, str_from(alias->path)),
                .path_now =
                    arena_copy(binder->arena, is_moved ? str_from(alias->moved_to) : STR("")),
                .dev_now = is_moved ? row->key.dev : 0,
                .ino_now = is_moved ? row->key.ino : 0};
        }
    }
    pthread_mutex_unlock(&shield->lock);
    return is_found && ret_damage->path.ptr != NULL && ret_damage->path_now.ptr != NULL;
}

/* The judge tells of files that are gone or changed; a name less is damage too. */
static void binder_put_lost(struct binder *binder)
{
    struct vault_damage lost;
    size_t cursor = 0;

    while (binder_next_lost(binder, &cursor, &lost)) {
        const struct damage_mark mark = mark_of_path(lost.path);

        damage_keep_inside(binder->shield, &lost);
        if (!damage_is_known(binder->known, &mark)) {
            lost.version = shield_resolve(binder->shield, lost.version, STR(""));
            binder_put(binder, &lost, lost.version);
        }
    }
}

/* Whether the original is where it belongs, or where a name of that place was moved to. */
static bool origin_was_at(struct binder *binder, const struct origin *origin, struct str path)
{
    struct shield *shield = binder->shield;
    bool was_there = str_is(origin->path, path);
    const struct alias *alias;
    size_t cursor = 0;

    pthread_mutex_lock(&shield->lock);
    while (!was_there && (alias = aliases_next(shield->aliases, origin->serial, &cursor)) != NULL) {
        was_there = alias->moved_to != NULL && str_is_text(path, alias->path) &&
                    str_is_text(origin->path, alias->moved_to);
    }
    pthread_mutex_unlock(&shield->lock);
    return was_there;
}

/* An inode that lives although the judge knows another file, or none, in its place. */
static void binder_put_living(struct binder *binder, const struct origin *origin,
                              struct vault_damage *damage, uint64_t token)
{
    struct vault_damage other = *damage;

    if (origin->path.len == 0) {
        return;
    }
    if (damage->ino_now == 0 && origin_was_at(binder, origin, damage->path)) {
        damage->path_now = origin->path; /* opened anew since it was judged: mended where it is */
        damage->dev_now = origin->key.dev;
        damage->ino_now = origin->key.ino;
        return;
    }
    if (str_is(origin->path, damage->path)) {
        return;
    }
    if (origin->has_many) { /* another name of it: mended there, and linked to */
        other.path = other.path_now = origin->path;
        other.dev_now = origin->key.dev;
        other.ino_now = origin->key.ino;
        binder_put(binder, &other, token);
        return;
    }
    if (damage->ino_now != 0 && !str_is(damage->path_now, damage->path)) {
        other = (struct vault_damage){.outcome = FILE_OUTCOME_PRODUCT,
                                      .path_now = damage->path_now,
                                      .dev_now = damage->dev_now,
                                      .ino_now = damage->ino_now};
        binder_put(binder, &other, token);
    }
    damage->path_now = origin->path;
    damage->dev_now = origin->key.dev;
    damage->ino_now = origin->key.ino;
}

/* A file of which nothing but owner, mode or times was changed: the group was stopped before it
 * wrote.
 */
static void binder_take_changed(struct binder *binder, struct str path)
{
    struct vault_damage damage = {.outcome = FILE_OUTCOME_INTACT, .path = path, .path_now = path};
    CLEANUP(closep) int fd = -1;
    char text[SHIELD_PATH_MAX];
    struct vault_version copy;
    struct stat stat;

    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(path));
    fd = open(text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        return;
    }
    damage.version = shield_save(binder->shield, fd, path, (struct actor_key){0}, NULL);
    damage.dev_now = stat.st_dev;
    damage.ino_now = stat.st_ino;
    if (damage.version != 0 &&
        vault_version(binder->shield->vault, damage.version, binder->arena, &copy) == 0 &&
        shield_facts_before(binder->shield, &copy, binder->since, &damage.facts)) {
        binder_put(binder, &damage, damage.version);
    }
}

static void binder_put_changed(struct binder *binder)
{
    size_t cursor = 0;
    struct str path;

    while (shield_next_changed(binder->shield, &binder->guilty, binder->since, &cursor,
                               binder->arena, &path)) {
        const struct damage_mark mark = mark_of_path(path);

        if (!damage_is_known(binder->known, &mark)) {
            binder_take_changed(binder, path);
        }
    }
}

/* Where a file was protected that a stopped group has moved out, and opened before that was heard:
 * path as it is when that is not known. */
static struct str binder_home(struct binder *binder, const struct origin *origin, struct str path)
{
    struct shield *shield = binder->shield;
    struct str home = STR("");
    const struct alias *alias;
    size_t cursor = 0;

    if (origin->serial == 0 || files_holds(shield->files, path)) {
        return path;
    }
    pthread_mutex_lock(&shield->lock);
    while (home.len == 0 &&
           (alias = aliases_next(shield->aliases, origin->serial, &cursor)) != NULL) {
        if (judge_is_stopped(shield->judge, alias->lost_by) &&
            files_holds(shield->files, str_from(alias->path))) {
            home = arena_copy(binder->arena, str_from(alias->path));
        }
    }
    pthread_mutex_unlock(&shield->lock);
    return home.len != 0 ? home : path;
}

static struct shield_home *case_home(struct shield_case *known, struct file_key key)
{
    for (size_t i = 0; i < known->home_count; i++) {
        if (known->homes[i].key.dev == key.dev && known->homes[i].key.ino == key.ino) {
            return &known->homes[i];
        }
    }
    return NULL;
}

/* Whether its protected name is to be found among all that there are. */
static bool origin_is_homeless(const struct binder *binder, const struct origin *origin)
{
    return origin->serial != 0 && origin->is_alive && origin->has_many && origin->path.len == 0 &&
           case_home(binder->known, origin->key) == NULL;
}

/* One walk for all that the ruling tells of. */
static void binder_seek_homes(struct binder *binder, const struct judge_ruling *ruling)
{
    struct shield_case *known = binder->known;
    size_t first = known->home_count;

    for (size_t i = 0; i < ruling->damage_count && known->home_count < SHIELD_HOMES_MAX; i++) {
        const struct judge_damage *judged = &ruling->damage[i];
        struct origin origin;

        if (files_holds(binder->shield->files, judged->path)) {
            continue;
        }
        origin_find(binder, judged->version, &origin);
        if (origin_is_homeless(binder, &origin)) {
            known->homes[known->home_count++] =
                (struct shield_home){.key = origin.key, .path = STR("")};
        }
    }
    if (known->home_count != first) {
        shield_find_homes(binder->shield, &known->homes[first], known->home_count - first,
                          known->arena);
    }
}

/* What was written by an unprotected name is mended by the protected one. */
static void binder_bring_home(struct binder *binder, const struct origin *origin,
                              struct vault_damage *damage)
{
    const struct shield_home *found =
        origin->serial != 0 ? case_home(binder->known, origin->key) : NULL;
    struct str home = origin->path.len == 0 && found != NULL ? found->path : origin->path;

    if (!origin->has_many || home.len == 0 || files_holds(binder->shield->files, damage->path)) {
        return;
    }
    damage->path = home;
    if (damage->ino_now == origin->key.ino && damage->dev_now == origin->key.dev) {
        damage->path_now = home;
    }
}

static void binder_take(struct binder *binder, const struct judge_damage *judged)
{
    struct origin origin;
    struct vault_damage damage = {.outcome = judged->outcome,
                                  .path = judged->path,
                                  .path_now = judged->path_now,
                                  .dev_now = judged->file_now.dev,
                                  .ino_now = judged->file_now.ino};

    bool is_inside = files_holds(binder->shield->files, damage.path);
    struct damage_mark mark;

    if (!is_inside) {
        origin_find(binder, judged->version, &origin);
        damage.path = binder_home(binder, &origin, damage.path);
        binder_bring_home(binder, &origin, &damage);
        if (!binder->is_heard && !files_holds(binder->shield->files, damage.path)) {
            return; /* what is yet to be heard may tell where it belongs */
        }
    }
    mark = mark_of(&damage, judged->version);
    if (damage_is_known(binder->known, &mark)) {
        return;
    }
    if (is_inside) {
        origin_find(binder, judged->version, &origin);
    }
    damage.version = shield_resolve(binder->shield, judged->version, damage.path);
    if (origin.is_alive &&
        (origin.key.ino != judged->file_now.ino || origin.key.dev != judged->file_now.dev)) {
        binder_put_living(binder, &origin, &damage, judged->version);
    }
    damage_keep_inside(binder->shield, &damage);
    binder_put(binder, &damage, judged->version);
    damage_mark(binder->known, &mark); /* as the judge tells it, if it was moved aside */
}

size_t shield_case_bind(struct shield *shield, struct shield_case *known,
                        const struct shield_job *job, bool is_heard)
{
    const struct judge_ruling *ruling = &job->ruling;
    struct binder binder = {.shield = shield,
                            .known = known,
                            .arena = job->arena,
                            .is_heard = is_heard,
                            .since = ruling->first_time - CHANGES_NS,
                            .guilty = {known->culprit, ruling->culprit}};

    if (!known->is_open) {
        known->result = vault_case_open(shield->vault, &known->id);
        known->is_open = known->result == 0;
    }
    if (known->is_open) {
        binder_seek_homes(&binder, ruling);
    }
    for (size_t i = 0; known->is_open && i < ruling->damage_count; i++) {
        binder_take(&binder, &ruling->damage[i]);
    }
    if (known->is_open) {
        binder_put_lost(&binder);
        binder_put_removed(&binder);
        binder_put_changed(&binder);
    }
    binder_flush(&binder);
    return binder.bound;
}
