/* Facts of files and folders on their way into what is known: from a walk at the start, from visits
 * at the gate and from the names thread; and out of it, into a case. The way of a folder: whoever's
 * session comes first finds it as it was, and that stands until another session comes. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define FOLDER_XATTRS_MAX (64U << 10)
#define FOLDER_FRESH_NS                                                                            \
    (2 * NS_PER_S) /* what changed just now was perhaps changed by the visitor */

static struct str folder_of(struct str path)
{
    while (path.len != 0 && path.ptr[path.len - 1] != '/') {
        path.len--;
    }
    path.len -= path.len != 0 ? 1 : 0;
    return path;
}

static int folder_text(struct str path, char text[SHIELD_PATH_MAX])
{
    if (path.len == 0 || path.len >= SHIELD_PATH_MAX) {
        return -ERR_INVAL;
    }
    memcpy(text, path.ptr, path.len);
    text[path.len] = '\0';
    return 0;
}

static int folder_open(struct str path)
{
    char text[SHIELD_PATH_MAX];
    int fd = folder_text(path, text);

    if (fd < 0) {
        return fd;
    }
    fd = open(text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? fd : -ERR_NOENT;
}

/* Without the lock. is_fresh: not what changed a moment ago, if anything is known. */
static void shield_put_folder(struct shield *shield, const struct vault_folder *folder,
                              struct timespec changed, int32_t session, bool is_fresh)
{
    bool is_now =
        clock_wall(&clock_real) - (changed.tv_sec * NS_PER_S + changed.tv_nsec) < FOLDER_FRESH_NS;
    struct folder_row *row;

    pthread_mutex_lock(&shield->lock);
    row = folders_find(shield->folders, folder->path);
    if (row == NULL || row->removed_by.pid != 0 || is_fresh || !is_now) {
        folders_put(shield->folders, folder, session);
    } else {
        row->session = session;
    }
    pthread_mutex_unlock(&shield->lock);
}

/* Without the lock. */
static void shield_read_folder(struct shield *shield, struct str path, int32_t session,
                               bool is_fresh)
{
    CLEANUP(closep) int fd = folder_open(path);
    CLEANUP(buf_done) struct buf room;
    struct vault_folder folder;
    struct stat stat;

    buf_init(&room, FOLDER_XATTRS_MAX);
    if (fd >= 0 && fstat(fd, &stat) == 0 && vault_folder_read(fd, path, &room, &folder) == 0) {
        shield_put_folder(shield, &folder, stat.st_ctim, session, is_fresh);
    }
}

static int32_t shield_session(struct shield *shield, struct actor_key who)
{
    const struct actor_row *row = actors_get(shield->actors, who);

    return row != NULL ? row->actor.session : 0;
}

/* With the lock. */
static bool shield_is_new_folder(struct shield *shield, struct str path, int32_t session)
{
    const struct folder_row *row = folders_find(shield->folders, path);

    return row == NULL || row->session != session || row->removed_by.pid != 0;
}

bool shield_knows_folder(struct shield *shield, struct str file_path, struct actor_key who)
{
    struct str path = folder_of(file_path);

    return !files_holds(shield->files, path) ||
           !shield_is_new_folder(shield, path, shield_session(shield, who));
}

void shield_visit_folder(struct shield *shield, struct str file_path, struct actor_key who)
{
    struct str path = folder_of(file_path);
    int32_t session;
    bool is_new;

    if (!files_holds(shield->files, path)) {
        return;
    }
    pthread_mutex_lock(&shield->lock);
    session = shield_session(shield, who);
    is_new = shield_is_new_folder(shield, path, session);
    pthread_mutex_unlock(&shield->lock);
    if (is_new) {
        shield_read_folder(shield, path, session, false);
    }
}

/* A path may lead elsewhere than it did for the opener, to a mount that does not answer: only the
 * file's own file system is asked for anything that the kernel does not have at hand. */
static bool folder_is_plain(int fd, dev_t dev, struct stat *ret_stat)
{
    char link[64];
    struct statx known;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return fd >= 0 &&
           statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &known) == 0 &&
           makedev(known.stx_dev_major, known.stx_dev_minor) == dev && fstat(fd, ret_stat) == 0 &&
           listxattr(link, NULL, 0) == 0;
}

bool shield_glance_folder(struct shield *shield, const struct visit *visit)
{
    struct str path = folder_of(visit->path);
    char text[SHIELD_PATH_MAX];
    CLEANUP(closep) int fd = folder_text(path, text) == 0 ? fd_open_known_folder(text) : -1;
    struct vault_folder folder;
    struct stat stat;
    int32_t session;

    if (!folder_is_plain(fd, visit->open->stat.st_dev, &stat)) {
        return false;
    }
    vault_folder_of(&stat, path, &folder);
    pthread_mutex_lock(&shield->lock);
    session = shield_session(shield, visit->who);
    pthread_mutex_unlock(&shield->lock);
    shield_put_folder(shield, &folder, stat.st_ctim, session, false);
    return true;
}

static void shield_folder_removed(struct shield *shield, struct str path, struct actor_key who)
{
    struct folder_row *row;

    pthread_mutex_lock(&shield->lock);
    row = folders_find(shield->folders, path);
    if (row != NULL) {
        row->removed_by = who;
    }
    pthread_mutex_unlock(&shield->lock);
}

/* A change by the session that is at work there is its own doing. */
static bool shield_is_at_work(struct shield *shield, struct str path, struct actor_key who)
{
    const struct folder_row *row;
    bool is_at_work;

    pthread_mutex_lock(&shield->lock);
    row = folders_find(shield->folders, path);
    is_at_work = row != NULL && row->session != 0 && row->session == shield_session(shield, who);
    pthread_mutex_unlock(&shield->lock);
    return is_at_work;
}

void shield_folder_named(struct shield *shield, const struct files_name *name, struct actor_key who)
{
    switch (name->change) {
    case NAME_CHANGE_CREATE:
        shield_read_folder(shield, name->path, 0, true);
        break;
    case NAME_CHANGE_ATTRIB:
        if (!shield_is_at_work(shield, name->path, who)) {
            shield_read_folder(shield, name->path, 0, true);
        }
        break;
    case NAME_CHANGE_DELETE:
    case NAME_CHANGE_RENAME:
        shield_folder_removed(shield, name->path, who);
        break;
    case NAME_CHANGE_CLOSE:
    case NAME_CHANGE_MODIFY:
    case NAME_CHANGE_LOST:
    default:
        break;
    }
}

static uint64_t key_of(const struct file_handle_id *handle)
{
    return facts_key(handle->type, str_of((const char *)handle->bytes, handle->len));
}

void shield_visit_facts(struct shield *shield, const struct file_handle_id *handle,
                        const struct stat *stat)
{
    facts_see(shield->facts, key_of(handle), stat);
}

/* Without the lock. */
static bool shield_stat_named(struct shield *shield, const struct files_name *name,
                              struct stat *ret_stat)
{
    int fd;

    if (shield_held(shield, name->file, ret_stat)) {
        return true;
    }
    fd = files_named_fd(shield->files, name);
    return fd >= 0 && fstat(fd, ret_stat) == 0;
}

void shield_file_named(struct shield *shield, const struct files_name *name, struct actor_key who,
                       bool is_own)
{
    bool is_change = name->change == NAME_CHANGE_ATTRIB && !is_own;
    struct stat stat;
    bool is_gone = !shield_stat_named(shield, name, &stat) || stat.st_nlink == 0;

    pthread_mutex_lock(&shield->lock);
    if (is_gone) {
        facts_forget(shield->facts, key_of(name->file));
    } else if (is_change) {
        const struct fact_event event = {key_of(name->file), who, shield_now(), name->path};

        facts_change(shield->facts, &event, &stat);
    } else if (S_ISREG(stat.st_mode) && name->change != NAME_CHANGE_DELETE) {
        facts_set(shield->facts, key_of(name->file), &stat);
    }
    pthread_mutex_unlock(&shield->lock);
}

/* ---- the walk of the start: files into the census, folders into the list ---- */

static bool walk_is_over(void *context)
{
    struct shield *shield = context;

    return atomic_load(&shield->is_walk_ending);
}

static void walk_folder(void *context, struct str path)
{
    shield_read_folder(context, path, 0, true);
}

static void walk_file(void *context, int folder, const struct dirent *item, struct str path)
{
    struct shield *shield = context;
    struct file_handle_id handle;
    struct stat stat;

    (void)path;
    if (fstatat(folder, item->d_name, &stat, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(stat.st_mode) ||
        handle_of_name(folder, item->d_name, &handle) < 0) {
        return;
    }
    pthread_mutex_lock(&shield->lock);
    facts_see(shield->facts, key_of(&handle), &stat);
    pthread_mutex_unlock(&shield->lock);
}

static void *walk_run(void *context)
{
    struct shield *shield = context;

    (void)!thread_lower_priority();
    shield_walk_places(shield, &(struct shield_walker){.context = shield,
                                                       .is_over = walk_is_over,
                                                       .folder = walk_folder,
                                                       .file = walk_file});
    return NULL;
}

int shield_walk(struct shield *shield, const struct files_place *places, size_t place_count)
{
    int r;

    shield->walk_places = places;
    shield->walk_place_count = place_count;
    r = thread_start("walker", walk_run, shield, &shield->walker);
    shield->has_walker = r == 0;
    return r;
}

void shield_walk_stop(struct shield *shield)
{
    if (shield->has_walker) {
        atomic_store(&shield->is_walk_ending, true);
        pthread_join(shield->walker, NULL);
        shield->has_walker = false;
    }
}

/* The next folder that the vault does not know, copied into room. */
static bool shield_next_unkept(struct shield *shield, size_t *cursor, struct buf *room,
                               struct vault_folder *ret_folder)
{
    struct folder_row *row;

    pthread_mutex_lock(&shield->lock);
    while ((row = folders_next(shield->folders, cursor)) != NULL &&
           (row->is_kept || row->removed_by.pid != 0)) {
    }
    if (row != NULL) {
        row->is_kept = true;
        *ret_folder = row->folder;
        buf_reset(room);
        buf_put_str(room, row->folder.path);
        buf_put_str(room, row->folder.xattrs);
    }
    pthread_mutex_unlock(&shield->lock);
    if (row == NULL || buf_error(room) < 0) {
        return false;
    }
    ret_folder->xattrs = str_slice(buf_str(room), ret_folder->path.len, room->len);
    ret_folder->path = str_slice(buf_str(room), 0, ret_folder->path.len);
    return true;
}

void shield_keep_folders(struct shield *shield)
{
    CLEANUP(buf_done) struct buf room;
    struct vault_folder folder;
    size_t cursor = 0;

    buf_init(&room, FOLDER_XATTRS_MAX + SHIELD_PATH_MAX);
    while (shield_next_unkept(shield, &cursor, &room, &folder)) {
        (void)!vault_folder_keep(shield->vault, &folder); /* tried again when it changes */
    }
}

bool shield_folder_facts(struct shield *shield, struct str path, struct arena *arena,
                         struct vault_folder *ret_folder)
{
    const struct folder_row *row;
    bool is_copied = false;

    pthread_mutex_lock(&shield->lock);
    row = folders_find(shield->folders, path);
    if (row != NULL) {
        *ret_folder = row->folder;
        ret_folder->path = arena_copy(arena, row->folder.path);
        ret_folder->xattrs = arena_copy(arena, row->folder.xattrs);
        is_copied = ret_folder->path.ptr != NULL && ret_folder->xattrs.ptr != NULL;
    }
    pthread_mutex_unlock(&shield->lock);
    return is_copied;
}

bool shield_is_guilty(const struct shield *shield, const struct shield_guilty *guilty,
                      struct actor_key who)
{
    return judge_is_one_group(shield->judge, who, guilty->first) ||
           judge_is_one_group(shield->judge, who, guilty->now);
}

bool shield_next_removed(struct shield *shield, const struct shield_guilty *guilty, size_t *cursor,
                         struct arena *arena, struct str *ret_path)
{
    const struct folder_row *row;

    pthread_mutex_lock(&shield->lock);
    while ((row = folders_next(shield->folders, cursor)) != NULL &&
           (row->removed_by.pid == 0 || !shield_is_guilty(shield, guilty, row->removed_by))) {
    }
    *ret_path = row != NULL ? arena_copy(arena, row->folder.path) : STR("");
    pthread_mutex_unlock(&shield->lock);
    return row != NULL && ret_path->ptr != NULL;
}

static bool shield_is_stopped(void *context, struct actor_key who)
{
    const struct shield *shield = context;

    return judge_is_stopped(shield->judge, who);
}

static uint64_t key_of_copy(const struct vault_version *copy)
{
    int32_t type;

    if (copy->handle.len <= sizeof(type)) {
        return 0;
    }
    memcpy(&type, copy->handle.ptr, sizeof(type));
    return facts_key(type, str_slice(copy->handle, sizeof(type), copy->handle.len));
}

bool shield_facts_before(struct shield *shield, const struct vault_version *copy, int64_t since,
                         struct vault_facts *ret_facts)
{
    const struct facts_query query = {shield_is_stopped, shield, since};
    uint64_t key = key_of_copy(copy);
    bool is_known;

    pthread_mutex_lock(&shield->lock);
    is_known = key != 0 && facts_before(shield->facts, key, copy, &query, ret_facts);
    pthread_mutex_unlock(&shield->lock);
    return is_known;
}

struct guilty_of {
    const struct shield *shield;
    const struct shield_guilty *guilty;
};

static bool guilty_is_member(void *context, struct actor_key who)
{
    const struct guilty_of *of = context;

    return shield_is_guilty(of->shield, of->guilty, who);
}

bool shield_next_changed(struct shield *shield, const struct shield_guilty *guilty, int64_t since,
                         size_t *cursor, struct arena *arena, struct str *ret_path)
{
    struct guilty_of of = {shield, guilty};
    const struct facts_query query = {guilty_is_member, &of, since};
    struct fact_event event;
    bool is_found;

    pthread_mutex_lock(&shield->lock);
    is_found = facts_next(shield->facts, &query, cursor, &event);
    *ret_path = is_found ? arena_copy(arena, event.path) : STR("");
    pthread_mutex_unlock(&shield->lock);
    return is_found && ret_path->ptr != NULL;
}
