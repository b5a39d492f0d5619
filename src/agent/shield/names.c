/* What became of names: a delete or a rename over a file turns what was saved or held into a
 * version (or its token) that the judge can name. Runs on the names thread, also in the middle of a
 * burst of unlinks, and stops from there. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <fcntl.h>

#define PLACE_LOOKS 16 /* at files that were seen at one path */

/* Whether no name is left of a file: its held descriptor tells, or its handle leads nowhere. */
static bool shield_is_gone(struct shield *shield, const struct file_row *row,
                           const struct file_handle_id *handle)
{
    CLEANUP(closep) int fd = -1;
    struct stat stat;

    if (row != NULL && row->fd >= 0) {
        return fstat(row->fd, &stat) == 0 && stat.st_nlink == 0;
    }
    fd = handle != NULL ? files_open_handle(shield->files, handle) : -1;
    return fd < 0 || (fstat(fd, &stat) == 0 && stat.st_nlink == 0);
}

/* With the lock: whether a process made the file itself and nobody else knows of it. */
static bool shield_is_scratch(const struct file_row *row, struct actor_key who)
{
    return row->is_product && row->version == 0 && actor_key_is(row->writer, who);
}

/* With the lock: the version to name a file by. The saved one if the file has not changed since,
 * else the inode that is held, else the saved one all the same. held: what its descriptor tells,
 * NULL when there is none. */
static uint64_t shield_version_of(struct shield *shield, struct file_row *row,
                                  const struct stat *held)
{
    if (held == NULL) {
        return row->version;
    }
    if (row->version != 0 && row->saved.size == row->size &&
        row->saved.modified == held->st_mtim.tv_sec * NS_PER_S + held->st_mtim.tv_nsec) {
        shelf_let_go(shield->shelf, row);
        return row->version;
    }
    return row->size != 0 ? shelf_token(row) : row->version;
}

/* With the lock: the same for one that has lost a name, perhaps its last. What a process made
 * itself and removes again is not kept. */
static uint64_t shield_version_of_gone(struct shield *shield, struct file_row *row,
                                       struct actor_key who)
{
    struct stat stat;
    bool is_held = shelf_is_held(row, &stat);
    bool is_scratch = shield_is_scratch(row, who);
    uint64_t version;

    if (is_scratch) {
        shelf_let_go(shield->shelf, row);
    } else if (!is_held && row->version == 0) {
        atomic_fetch_add(&shield->unheld, 1);
    }
    version = shield_version_of(shield, row, is_held && !is_scratch ? &stat : NULL);
    if (!row->is_deleted &&
        (is_held ? stat.st_nlink == 0 : !aliases_has(shield->aliases, row->serial))) {
        shelf_set_deleted(shield->shelf, row, shield_now());
        shelf_leave_path(shield->shelf, row);
    }
    return version;
}

/* Whether the name by which a file is held is gone, though it may have others. */
static bool shield_has_lost_name(const struct file_row *row)
{
    char path[SHIELD_PATH_MAX];

    return row->fd >= 0 && fd_path(row->fd, path, sizeof(path)) == 0 &&
           str_has_suffix(str_from(path), STR(" (deleted)"));
}

/* With the lock: a file that may have more names loses one, or (target) has it moved. */
static void shield_take_name(struct shield *shield, struct file_row *row, struct str path,
                             struct str target, struct actor_key who)
{
    struct judge_step step = {.kind = JUDGE_STEP_UNLINK, .who = who, .file = row->key};
    struct shield_job *job = NULL;

    if (target.len == 0 && shelf_is_at(row, path)) { /* whoever comes there next displaces others */
        shelf_leave_path(shield->shelf, row);
    }
    aliases_move(shield->aliases, row->serial, path, target, who);
    shield_step(shield, &step, &job);
    shield_job_free(job); /* it is no damage by itself */
}

bool shield_held(void *context, const struct file_handle_id *file, struct stat *ret_stat)
{
    struct shield *shield = context;
    struct file_row *row;
    bool is_held;

    pthread_mutex_lock(&shield->lock);
    row = shelf_by_handle(shield->shelf, file);
    is_held = row != NULL && shelf_is_held(row, ret_stat);
    pthread_mutex_unlock(&shield->lock);
    return is_held;
}

/* With the lock. */
static bool shield_has_many(struct shield *shield, struct file_row *row,
                            const struct files_name *name)
{
    struct stat stat;

    if (!shelf_is_held(row, &stat) && fstat(files_named_fd(shield->files, name), &stat) != 0) {
        return false;
    }
    return stat.st_nlink > 1;
}

/* With the lock: the name it is held by, unless it is told already that the file has lost it. */
static void shield_note_held_name(struct shield *shield, const struct file_row *row)
{
    char path[SHIELD_PATH_MAX];
    struct str plain;

    if (row->fd < 0 || fd_path(row->fd, path, sizeof(path)) < 0) {
        return;
    }
    plain = files_plain_path(path, true);
    if (plain.len == strlen(path) || !aliases_is_lost(shield->aliases, row->serial, plain)) {
        aliases_see(shield->aliases, row->serial, plain);
    }
}

/* Whether the gate has seen it made already. What is new then is that it may have another name:
 * from now on each open is to be seen, also of one that was settled before. */
static bool shield_note_link(struct shield *shield, const struct files_name *name)
{
    struct file_row *row;
    bool has_many;

    pthread_mutex_lock(&shield->lock);
    row = shelf_by_handle(shield->shelf, name->file);
    has_many = row != NULL && shield_has_many(shield, row, name);
    if (has_many) {
        row->has_many = true;
        shield_note_held_name(shield, row);
        aliases_see(shield->aliases, row->serial, name->path);
    }
    pthread_mutex_unlock(&shield->lock);
    if (has_many) {
        files_unsettle(shield->files, files_named_fd(shield->files, name));
    }
    return row != NULL;
}

/* A link made to a file that came about without an open here: O_TMPFILE, or from outside. */
static void shield_created(struct shield *shield, const struct files_name *name,
                           struct actor_key who, struct shield_job **ret_job)
{
    struct judge_step step = {.kind = JUDGE_STEP_CREATE, .who = who, .path = name->path};
    int fd = files_named_fd(shield->files, name);
    struct file_row *row;
    struct stat stat;

    if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size == 0) {
        return; /* still empty: made by an open, which the gate sees */
    }
    step.file = (struct file_key){stat.st_dev, stat.st_ino};
    step.size = (uint64_t)stat.st_size;
    pthread_mutex_lock(&shield->lock);
    if (shelf_by_handle(shield->shelf, name->file) == NULL &&
        shelf_take(shield->shelf, name->file, step.file, &row) == 0) {
        shelf_set_path(shield->shelf, row, name->path, files_hearings(shield->files));
        row->size = step.size;
        if (stat.st_nlink > 1) { /* a second name for what may be anybody's: not made by whoever
                                  * gave it */
            row->has_many = true;
            aliases_see(shield->aliases, row->serial, name->path);
        } else {
            row->is_product = true;
            row->writer = who;
            shield_step(shield, &step, ret_job);
        }
    }
    pthread_mutex_unlock(&shield->lock);
}

/* With the lock, at a close: whether it is neither what was saved of it nor what it was at the
 * close before. Most closes find one of the two, and cost nobody a look. */
static bool shield_has_changed(struct shield *shield, struct file_row *row,
                               const struct files_name *name)
{
    struct file_state state;
    struct stat stat;
    bool is_new;

    if (!shelf_is_held(row, &stat) && fstat(files_named_fd(shield->files, name), &stat) != 0) {
        return false;
    }
    file_state_of(&stat, &state);
    is_new = !file_state_is(&state, &row->saved) && !file_state_is(&state, &row->closed);
    row->closed = state;
    return row->version != 0 && is_new;
}

/* When the judge wants to look at a new file, whoever closed it waits for that: it may be about to
 * remove what went into it. */
static void shield_closed(struct shield *shield, const struct files_name *name,
                          struct actor_key who, struct shield_job **ret_job)
{
    bool is_asked = false;
    bool is_due = false;
    bool is_armed = false;
    struct judge_step step = {.kind = JUDGE_STEP_CLOSE, .who = who, .path = name->path};
    struct file_row *row;

    pthread_mutex_lock(&shield->lock);
    row = shelf_by_handle(shield->shelf, name->file);
    if (row != NULL) {
        bool is_changed = shield_has_changed(shield, row, name);

        step.file = row->key;
        step.version = row->version;
        step.size = row->size;
        if (row->writer.pid != 0 && !judge_is_akin(shield->judge, row->writer, who)) {
            /* a descriptor that was handed to a stranger: whoever opened it answers for it */
            step.who = row->writer;
        }
        if (!actor_key_is(row->writer, step.who) ||
            (is_changed && !judge_is_changed(shield->judge, row->key))) {
            /* opened while an open before had settled it: the gate did not see this one */
            struct judge_step write = step;

            write.kind = JUDGE_STEP_WRITE;
            row->writer = step.who;
            row->instance = actors_instance(shield->actors, step.who);
            shield_step(shield, &write, ret_job);
        }
        shield_step(shield, &step, ret_job);
        is_asked = row->is_product && judge_has_question(shield->judge, step.file);
        is_due = is_asked && judge_is_due(shield->judge, step.file);
        is_armed = row->is_product && judge_is_armed(shield->judge, who, shield_now());
    }
    pthread_mutex_unlock(&shield->lock);
    if (is_due || is_armed) { /* an armed one may empty next what it has read, past every gate */
        shield_tether(shield, who); /* before its bytes are read: forty removals take no longer */
    }
    if (is_asked) {
        shield_look_holding(shield, who);
    } else if (is_armed) { /* it may empty next what it has read, and no gate sees that */
        shield_tether(shield, who);
    }
}

/* With the lock, when it has lost one: whether it had more. */
static bool shield_has_other_names(struct shield *shield, struct file_row *row)
{
    struct stat stat;

    return row->is_deleted || aliases_has(shield->aliases, row->serial) ||
           (shelf_is_held(row, &stat) && stat.st_nlink != 0);
}

/* A readable descriptor of a file that has left for where nothing is protected; -1: none. Without
 * the lock: the gate's reader may wait for it, and answers this open. */
static int shield_open_leaver(struct shield *shield, const struct file_handle_id *handle)
{
    CLEANUP(closep) int fd = files_open_handle(shield->files, handle);
    char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return fd < 0 ? -1 : open(link, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
}

/* With the lock. It is held as after a read, so that it can be given back as it is; what is known
 * of its name tells who took it. */
static struct file_row *shield_left(struct shield *shield, const struct files_name *name,
                                    struct actor_key who, int *fd)
{
    struct file_row *row = shelf_by_handle(shield->shelf, name->file);
    struct stat stat;

    if (*fd < 0 || fstat(*fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        return row;
    }
    if (row == NULL) {
        struct file_key key = {stat.st_dev, stat.st_ino};

        if (shelf_take(shield->shelf, name->file, key, &row) < 0) {
            return NULL;
        }
        row->size = (uint64_t)stat.st_size;
    }
    if (!shield_is_scratch(row, who)) {
        shield_hold(shield, row, fd);
        if (name->change == NAME_CHANGE_RENAME) {
            shield_take_name(shield, row, name->path, name->target_path, who);
        }
    }
    return row;
}

/* With the lock: whether the name that a delete tells of was the last, or the one it is held by. */
static bool shield_is_name_gone(struct shield *shield, const struct file_row *row,
                                const struct files_name *name)
{
    int fd = row->fd >= 0 ? row->fd : files_named_fd(shield->files, name);
    struct stat stat;

    if (fd < 0 || (fstat(fd, &stat) == 0 && stat.st_nlink == 0)) {
        return true;
    }
    /* what was done to it before lives on by another name, and is not undone by the loss of one */
    return !judge_is_changed(shield->judge, row->key) && shield_has_lost_name(row);
}

static void shield_deleted(struct shield *shield, const struct files_name *name,
                           struct actor_key who, struct shield_job **ret_job)
{
    struct judge_step step = {.kind = JUDGE_STEP_DELETE, .who = who, .path = name->path};
    CLEANUP(closep) int fd = name->is_left ? shield_open_leaver(shield, name->file) : -1;
    char path[SHIELD_PATH_MAX];
    struct file_row *row;

    pthread_mutex_lock(&shield->lock);
    row = name->is_left ? shield_left(shield, name, who, &fd)
                        : shelf_by_handle(shield->shelf, name->file);
    if (row != NULL && shield_has_other_names(shield, row)) {
        shield_take_name(shield, row, name->path, STR(""), who);
    }
    if (row != NULL && shield_is_name_gone(shield, row, name)) {
        if (step.path.len == 0 && row->fd >= 0 && fd_path(row->fd, path, sizeof(path)) == 0) {
            step.path = files_plain_path(path, true);
        }
        step.file = row->key;
        step.version = shield_version_of_gone(shield, row, who);
        step.size = row->size;
        shield_step(shield, &step, ret_job);
    }
    pthread_mutex_unlock(&shield->lock);
}

/* With the lock: whether it was told already that the file has lost that name. Told late, all names
 * of a file are gone when the first is told of: what counts is whether this one was told of. */
static bool shield_was_told(struct shield *shield, const struct file_row *row, struct str path)
{
    return aliases_has(shield->aliases, row->serial)
               ? aliases_is_lost(shield->aliases, row->serial, path)
               : row->is_deleted;
}

static bool shield_is_displaced(struct shield *shield, const struct file_row *row)
{
    struct file_handle_id handle;

    shelf_handle(row, &handle);
    return aliases_has(shield->aliases, row->serial) || shield_has_lost_name(row) ||
           shield_is_gone(shield, row, &handle);
}

/* With the lock: of those who came to path before a file that is there itself, the newest. Its own
 * maker may have left any number of its files there meanwhile: those are passed over. */
static struct file_row *shield_displaced_before(struct shield *shield, struct str path,
                                                const struct file_row *comer, struct actor_key who)
{
    struct file_row *row = NULL;
    struct file_row *scratch = NULL;
    unsigned looks = 0;

    while (looks < PLACE_LOOKS && (row = shelf_next_at(shield->shelf, path, comer, row)) != NULL) {
        if (shield_is_scratch(row, who)) {
            scratch = scratch == NULL ? row : scratch;
            continue;
        }
        looks++;
        if (!shield_was_told(shield, row, path) && shield_is_displaced(shield, row)) {
            return row;
        }
    }
    return scratch != NULL && !shield_was_told(shield, scratch, path) &&
                   shield_is_displaced(shield, scratch)
               ? scratch
               : NULL;
}

/* With the lock: the newest of those who were seen at path before the last time that all had been
 * heard, else the oldest: whoever came after it, and has gone too, has displaced nobody else. */
static struct file_row *shield_displaced_first(struct shield *shield, struct str path)
{
    uint64_t heard = files_hearings(shield->files);
    struct file_row *first = NULL;
    struct file_row *row = NULL;

    for (unsigned i = 0; i < PLACE_LOOKS; i++) {
        row = shelf_after_at(shield->shelf, path, row);
        if (row == NULL) {
            break;
        }
        if (shield_was_told(shield, row, path) || !shield_is_displaced(shield, row)) {
            continue;
        }
        if (row->seen + 1 >= heard) { /* one may have been past its last read */
            return first != NULL ? first : row;
        }
        first = row;
    }
    return first;
}

/* With the lock: whom a file that came to path has displaced there; NULL: nobody that is known.
 * Told late, others may have come there after it, and gone again. */
static struct file_row *shield_displaced(struct shield *shield, struct str path,
                                         const struct file_row *comer, struct actor_key who)
{
    bool is_there = comer != NULL && shelf_is_at(comer, path);
    struct file_row *row = is_there ? shield_displaced_before(shield, path, comer, who)
                                    : shield_displaced_first(shield, path);
    uint64_t serial = aliases_at(shield->aliases, path);
    struct file_row *named = serial != 0 ? shelf_by_serial(shield->shelf, serial) : NULL;

    if (row != NULL && (is_there || row->seen + 1 < files_hearings(shield->files))) {
        return row;
    }
    return named != NULL && named != comer ? named : row;
}

/* The first half of an exchange looks like a rename over a file that still lives. */
static void shield_begin_swap(struct shield *shield, const struct files_name *name,
                              struct file_key file, const struct file_row *holder)
{
    struct shield_swap *swap = &shield->swap;

    if (holder == NULL || name->path.len >= sizeof(swap->path) ||
        name->target_path.len >= sizeof(swap->target_path)) {
        return;
    }
    swap->pid = name->pid;
    swap->file = file;
    swap->victim = holder->serial;
    (void)snprintf(swap->path, sizeof(swap->path), "%.*s", STR_ARG(name->path));
    (void)snprintf(swap->target_path, sizeof(swap->target_path), "%.*s",
                   STR_ARG(name->target_path));
}

/* With the lock: its second half, told next, gives that file the other's old name. The judge hears
 * of the replacement. */
static bool shield_end_swap(struct shield *shield, const struct files_name *name,
                            struct actor_key who, struct file_row *row, struct shield_job **ret_job)
{
    struct shield_swap *swap = &shield->swap;
    bool is_swap = row != NULL && swap->pid == name->pid && swap->victim == row->serial &&
                   str_is_text(name->path, swap->target_path) &&
                   str_is_text(name->target_path, swap->path);
    struct judge_step step = {.kind = JUDGE_STEP_RENAME,
                              .who = who,
                              .file = swap->file,
                              .path = str_from(swap->path),
                              .target_path = str_from(swap->target_path)};
    struct stat stat;

    swap->pid = 0;
    if (is_swap && !shield_is_scratch(row, who)) {
        step.victim = row->key;
        step.victim_version =
            shield_version_of(shield, row, shelf_is_held(row, &stat) ? &stat : NULL);
        shield_step(shield, &step, ret_job);
    }
    return is_swap;
}

static struct file_key shield_key_of(struct shield *shield, const struct file_handle_id *handle)
{
    CLEANUP(closep) int fd = files_open_handle(shield->files, handle);
    struct stat stat;

    if (fd < 0 || fstat(fd, &stat) != 0) {
        return (struct file_key){0};
    }
    return (struct file_key){stat.st_dev, stat.st_ino};
}

/* With the lock, of a file that comes back: when it is not what was saved of it, whoever brings it
 * answers for that. */
static void shield_came_back(struct shield *shield, const struct files_name *name,
                             struct actor_key who, struct file_row *row,
                             struct shield_job **ret_job)
{
    CLEANUP(closep) int fd = files_open_handle(shield->files, name->file);
    struct judge_step step = {.kind = JUDGE_STEP_WRITE,
                              .who = who,
                              .file = row->key,
                              .version = row->version,
                              .path = name->path};
    struct file_state state;
    struct stat stat;

    if (row->version == 0 || fd < 0 || fstat(fd, &stat) != 0) {
        return;
    }
    file_state_of(&stat, &state);
    if (state.size != row->saved.size || state.modified != row->saved.modified) {
        step.size = state.size;
        shield_step(shield, &step, ret_job);
        step.kind = JUDGE_STEP_CLOSE;
        shield_step(shield, &step, ret_job);
    }
}

static void shield_renamed(struct shield *shield, const struct files_name *name,
                           struct actor_key who, struct shield_job **ret_job)
{
    struct judge_step step = {.kind = JUDGE_STEP_RENAME,
                              .who = who,
                              .path = name->path,
                              .target_path = name->target_path};
    CLEANUP(closep) int fd = name->is_left ? shield_open_leaver(shield, name->file) : -1;
    struct file_row *displaced;
    struct file_row *row;

    pthread_mutex_lock(&shield->lock);
    row = name->is_left ? shield_left(shield, name, who, &fd)
                        : shelf_by_handle(shield->shelf, name->file);
    if (name->is_back && row != NULL) {
        shield_came_back(shield, name, who, row, ret_job);
    }
    if (!shield_end_swap(shield, name, who, row, ret_job)) {
        step.file = row != NULL ? row->key : shield_key_of(shield, name->file);
        step.version = row != NULL ? row->version : 0;
        displaced = shield_displaced(shield, name->target_path, row, who);
        if (displaced != NULL) {
            step.victim = displaced->key;
            step.victim_version = shield_version_of_gone(shield, displaced, who);
            shield_take_name(shield, displaced, name->target_path, STR(""), who);
        } else {
            shield_begin_swap(shield, name, step.file,
                              shelf_next_at(shield->shelf, name->target_path, row, NULL));
        }
        if (displaced != NULL && step.file.ino == 0) { /* what came from outside has gone again */
            bool lives_on =
                !displaced->is_deleted && judge_is_changed(shield->judge, displaced->key);

            step = (struct judge_step){.kind = lives_on ? JUDGE_STEP_UNLINK : JUDGE_STEP_DELETE,
                                       .who = who,
                                       .file = displaced->key,
                                       .version = step.victim_version,
                                       .size = displaced->size,
                                       .path = name->target_path};
        }
        shield_step(shield, &step, ret_job);
    }
    if (row != NULL && name->target_path.len != 0) {
        shelf_set_path(shield->shelf, row, name->target_path, files_hearings(shield->files));
        if (!name->is_left && aliases_has(shield->aliases, row->serial)) {
            shield_take_name(shield, row, name->path, name->target_path, who);
        }
    }
    pthread_mutex_unlock(&shield->lock);
}

/* Whom our own rename displaced is nobody's damage, and is not to be taken for another's later. */
static void shield_own_renamed(struct shield *shield, const struct files_name *name)
{
    const struct actor_key taker = {.pid = name->pid}; /* nobody who could be ruled against */
    struct file_row *displaced;

    pthread_mutex_lock(&shield->lock);
    displaced = shield_displaced(shield, name->target_path,
                                 shelf_by_handle(shield->shelf, name->file), (struct actor_key){0});
    if (displaced != NULL && shelf_is_at(displaced, name->target_path)) {
        shelf_leave_path(shield->shelf, displaced);
    }
    if (displaced != NULL && aliases_at(shield->aliases, name->target_path) == displaced->serial) {
        aliases_move(shield->aliases, displaced->serial, name->target_path, STR(""), taker);
    }
    pthread_mutex_unlock(&shield->lock);
}

void shield_named(void *context, const struct files_name *name)
{
    struct shield *shield = context;
    bool is_own = page_is_own(shield->page, name->pid);
    struct shield_job *job = NULL;
    struct actor_key who = {0};

    shield_stir(shield, shield_now());
    if (!is_own && shield_who_was(shield, name->pid, &who) < 0) {
        return;
    }
    if (name->is_folder) {
        shield_folder_named(shield, name, who);
        return;
    }
    if (name->change == NAME_CHANGE_CREATE && shield_note_link(shield, name)) {
        return;
    }
    if (name->change != NAME_CHANGE_RENAME) {
        shield_file_named(shield, name, who, is_own);
    }
    if (is_own) {
        if (name->change == NAME_CHANGE_RENAME) {
            shield_own_renamed(shield, name);
        }
        return;
    }
    if (name->change == NAME_CHANGE_DELETE || name->change == NAME_CHANGE_RENAME) {
        shield_brake(shield, who);
    }
    switch (name->change) {
    case NAME_CHANGE_CREATE:
        shield_created(shield, name, who, &job);
        break;
    case NAME_CHANGE_CLOSE:
        shield_closed(shield, name, who, &job);
        break;
    case NAME_CHANGE_DELETE:
        shield_deleted(shield, name, who, &job);
        break;
    case NAME_CHANGE_RENAME:
        shield_renamed(shield, name, who, &job);
        break;
    case NAME_CHANGE_ATTRIB:
    case NAME_CHANGE_MODIFY:
    case NAME_CHANGE_LOST:
    default:
        break;
    }
    shield_act(shield, job);
    if (name->change == NAME_CHANGE_DELETE || name->change == NAME_CHANGE_RENAME) {
        /* no open may follow that could wait for the answers: unlinks come in bursts */
        shield_look_all(shield, who);
    }
}
