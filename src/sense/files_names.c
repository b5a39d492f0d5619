/* The names thread: handles become paths, and changes go to the port in the order of the kernel.
 * Before each batch the process events that preceded it are handed on, so that the port knows who
 * acted. */
#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "sense/files_private.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define NAMES_REST_MS 10000
/* Whoever changes many names wakes this thread for each of them, unless it naps in between: then a
 * few dozen come together, or a few when a file was destroyed lately. The first of a row are always
 * heard at once. */
#define NAMES_NAP_NS  (400 * 1000L)
#define NAMES_WINK_NS (100 * 1000L)
#define NAMES_ROW     64
#define NAMES_ROW_GAP (2 * NS_PER_MS)

const struct files_root *files_root_of_dev(const struct files *files, dev_t dev)
{
    for (size_t i = 0; i < files->root_count; i++) {
        if (files->roots[i].dev == dev) {
            return &files->roots[i];
        }
    }
    return NULL;
}

bool files_is_private(const struct files *files, struct str path)
{
    for (size_t i = 0; i < files->place_count; i++) {
        struct str place = str_from(files->places[i].path);

        if (files->places[i].is_left_out && path.len > place.len && str_has_prefix(path, place) &&
            path.ptr[place.len] == '/') {
            return true;
        }
    }
    return false;
}

/* What a descriptor's path is worth; the kernel tells one of what lies beside the mount too, but it
 * leads elsewhere. */
enum path_worth {
    PATH_WORTH_NONE,
    PATH_WORTH_REACHED,
    PATH_WORTH_HELD, /* and protected */
};

static enum path_worth files_path_worth(const struct files *files, int fd)
{
    char text[FILES_PATH_MAX];
    char room[FILES_PATH_MAX];
    struct stat there;
    struct stat stat;
    struct str path;
    bool is_gone;

    if (fd_path(fd, text, sizeof(text)) < 0 || fstat(fd, &stat) != 0) {
        return PATH_WORTH_NONE;
    }
    is_gone = stat.st_nlink == 0;
    if (!is_gone &&
        (lstat(text, &there) != 0 || there.st_dev != stat.st_dev || there.st_ino != stat.st_ino)) {
        return PATH_WORTH_NONE;
    }
    path = files_plain_path(text, is_gone);
    text[path.len] = '\0';
    return files_holds(files, files_home(files, path, room)) ? PATH_WORTH_HELD : PATH_WORTH_REACHED;
}

int files_open_handle(struct files *files, const struct file_handle_id *handle)
{
    CLEANUP(closep) int best = -1;
    enum path_worth most = PATH_WORTH_NONE;
    int r = -ERR_NOENT;

    for (size_t i = 0; i < files->root_count && most != PATH_WORTH_HELD; i++) {
        CLEANUP(closep) int fd = -1;
        enum path_worth worth;

        if (files->roots[i].fsid != handle->fsid) {
            continue;
        }
        r = handle_open(files->roots[i].fd, handle);
        if (r < 0) {
            continue;
        }
        fd = r;
        if (!files->roots[i].has_twin) {
            return TAKE_FD(fd);
        }
        worth = files_path_worth(files, fd);
        if (best < 0 || worth > most) {
            closep(&best);
            best = TAKE_FD(fd);
            most = worth;
        }
    }
    return best >= 0 ? TAKE_FD(best) : r;
}

int files_named_fd(struct files *files, const struct files_name *name)
{
    if (!files->is_named_sought) {
        int r = files_open_handle(files, name->file);

        files->named_fd = r >= 0 ? r : -1;
        files->is_named_sought = true;
    }
    return files->named_fd;
}

static void files_forget_named(struct files *files)
{
    closep(&files->named_fd);
    files->is_named_sought = false;
}

static void files_forget_folders(struct files *files)
{
    for (size_t i = 0; i < FOLDER_CACHE_ROWS; i++) {
        mem_free(files->folders[i].path);
        files->folders[i].path = NULL;
    }
}

struct str files_plain_path(const char *path, bool is_gone)
{
    struct str plain = str_from(path);

    if (is_gone && str_has_suffix(plain, STR(" (deleted)"))) {
        plain.len -= STR(" (deleted)").len;
    }
    return plain;
}

/* NULL when the folder is gone and its inode too. */
static const char *files_folder_path(struct files *files, const struct file_handle_id *handle)
{
    struct folder_row *row = &files->folders[map_hash(handle_str(handle), 0) % FOLDER_CACHE_ROWS];
    CLEANUP(closep) int fd = -1;
    char path[FILES_PATH_MAX];
    struct stat stat;

    if (row->path != NULL && str_is(handle_str(&row->handle), handle_str(handle))) {
        return row->path;
    }
    fd = files_open_handle(files, handle);
    if (fd < 0 || fd_path(fd, path, sizeof(path)) < 0) {
        return NULL;
    }
    mem_free(row->path);
    row->path =
        mem_dup(path, files_plain_path(path, fstat(fd, &stat) == 0 && stat.st_nlink == 0).len);
    row->handle = *handle;
    return row->path;
}

static struct str files_join(struct files *files, const struct file_handle_id *folder,
                             struct str name, char out[FILES_PATH_MAX])
{
    const char *path = folder->len != 0 ? files_folder_path(files, folder) : NULL;
    int len;

    if (path == NULL) {
        return str_of("", 0);
    }
    len = snprintf(out, FILES_PATH_MAX, "%s/%.*s", strlen(path) == 1 ? "" : path, STR_ARG(name));
    return len > 0 && len < FILES_PATH_MAX ? str_of(out, (size_t)len) : str_of("", 0);
}

struct str files_home(const struct files *files, struct str path, char room[FILES_PATH_MAX])
{
    return strays_lead_home(files->strays, path, room) ? str_from(room) : path;
}

/* What comes into a protected folder from outside may carry a lasting mark from there. */
static void files_admit(struct files *files, const struct name_event *event,
                        const struct files_name *name)
{
    int fd;

    strays_drop(files->strays, &event->file);
    if (event->is_folder) {
        (void)!fanotify_ignore_none(files->gate);
        return;
    }
    fd = files_named_fd(files, name);
    if (fd >= 0) {
        files_unsettle(files, fd);
    }
}

void files_follow_link(struct files *files, const struct file_handle_id *file, struct str path)
{
    strays_add(files->strays, file, path, false, clock_mono(&clock_real));
}

/* A file was moved out. Whence cannot be told when that folder has gone meanwhile: then it counts
 * as protected where it is. */
static void files_note_leaving(struct files *files, const struct name_event *event,
                               struct files_name *name)
{
    int fd = files_named_fd(files, name);
    bool is_certain = name->path.len != 0;

    strays_add(files->strays, &event->file, is_certain ? name->path : name->target_path, is_certain,
               clock_mono(&clock_real));
    name->is_left = fd >= 0 && is_certain;
    if (fd >= 0) {
        files_unsettle(files, fd);
    }
}

/* It lives on when it has another name, which may lie outside. */
static void files_note_deleted(struct files *files, const struct name_event *event,
                               struct files_name *name)
{
    struct stat stat;
    int fd;

    if (files->port.held(files->port.context, &event->file, &stat) && stat.st_nlink == 0) {
        strays_drop(files->strays, &event->file);
        return; /* most are: to look for its handle would cost more than all the rest */
    }
    fd = files_named_fd(files, name);
    if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_nlink == 0) {
        strays_drop(files->strays, &event->file);
    } else if (name->is_inside) {
        strays_add(files->strays, &event->file, name->path, true, clock_mono(&clock_real));
        files_unsettle(files, fd);
        name->is_left = true;
    }
}

/* Also a folder that holds protected ones takes them with it. */
static void files_note_places_leaving(struct files *files, struct str from, struct str to)
{
    char path[FILES_PATH_MAX];

    for (size_t i = 0; i < files->place_count; i++) {
        struct str place = str_from(files->places[i].path);
        int len = snprintf(path, sizeof(path), "%.*s%.*s", STR_ARG(to),
                           STR_ARG(str_slice(place, from.len, place.len)));

        if (!files->places[i].is_left_out && place.len > from.len && str_has_prefix(place, from) &&
            place.ptr[from.len] == '/' && len > 0 && (size_t)len < sizeof(path)) {
            strays_add_folder(files->strays, str_of(path, (size_t)len), place,
                              clock_mono(&clock_real));
        }
    }
}

/* from and to: as they are; name: as they are told. */
static void files_note_folder_moved(struct files *files, struct str from, struct str to,
                                    const struct files_name *name)
{
    bool is_known;

    if (from.len == 0 || to.len == 0) {
        return;
    }
    is_known = strays_move_folder(files->strays, from, to, clock_mono(&clock_real));
    if (files_holds(files, to)) {
        strays_drop_folder(files->strays, to);
    } else if (name->is_inside && !name->is_target_inside && !is_known) {
        strays_add_folder(files->strays, to, name->path, clock_mono(&clock_real));
    } else if (!name->is_inside) {
        files_note_places_leaving(files, from, to);
    }
}

/* Where the name is, told as of home; the kernel's word for it in *ret_path. */
static struct str files_name_path(struct files *files, const struct file_handle_id *folder,
                                  struct str name, char path[FILES_PATH_MAX],
                                  char home[FILES_PATH_MAX], struct str *ret_path)
{
    *ret_path = files_join(files, folder, name, path);
    return files_home(files, *ret_path, home);
}

/* Remembers who leaves and who comes back. A file that is away is told of by its home. */
static void files_follow(struct files *files, const struct name_event *event,
                         struct files_name *name, struct str from, struct str to)
{
    bool is_renamed = (event->changes & NAME_CHANGE_RENAME) != 0;
    bool was_inside = name->is_inside;

    if (event->is_folder) {
        if (is_renamed) {
            files_note_folder_moved(files, from, to, name);
        } else if ((event->changes & NAME_CHANGE_DELETE) != 0 && from.len != 0) {
            strays_drop_folder(files->strays, from);
        }
    } else if (!was_inside && strays_find(files->strays, &event->file, files->home_path)) {
        name->path = str_from(files->home_path);
        name->is_inside = true;
    } else if (is_renamed && (was_inside || from.len == 0) && !name->is_target_inside) {
        files_note_leaving(files, event, name);
    }
    if (!event->is_folder && (event->changes & NAME_CHANGE_DELETE) != 0) {
        files_note_deleted(files, event, name);
    }
    if (is_renamed && !was_inside && name->is_target_inside) {
        name->is_back = name->is_inside;
        files_admit(files, event, name);
    }
}

static void files_tell(struct files *files, const struct name_event *event)
{
    static const enum name_change order[] = {NAME_CHANGE_CREATE, NAME_CHANGE_ATTRIB,
                                             NAME_CHANGE_RENAME, NAME_CHANGE_CLOSE,
                                             NAME_CHANGE_DELETE};
    struct files_name name = {
        .is_folder = event->is_folder, .pid = event->pid, .file = &event->file};
    struct str from;
    struct str to = STR("");

    if ((event->changes & NAME_CHANGE_LOST) != 0) {
        atomic_fetch_add(&files->names_lost, 1);
    }
    name.path =
        files_name_path(files, &event->folder, event->name, files->path, files->home_path, &from);
    name.is_inside = files_holds(files, name.path);
    if ((event->changes & NAME_CHANGE_RENAME) != 0) {
        name.target_path = files_name_path(files, &event->target_folder, event->target_name,
                                           files->target_path, files->target_home_path, &to);
        name.is_target_inside = files_holds(files, name.target_path);
    }
    files_follow(files, event, &name, from, to);
    atomic_fetch_add(&files->named, 1);
    if (event->is_folder && (event->changes & (NAME_CHANGE_RENAME | NAME_CHANGE_DELETE)) != 0) {
        files_forget_folders(files);
    }
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        /* a file whose folder is gone already has no path here; the port may know it by its handle
         */
        if ((event->changes & order[i]) != 0 &&
            (name.is_inside || name.is_target_inside ||
             (name.path.len == 0 && order[i] != NAME_CHANGE_ATTRIB))) {
            name.change = order[i];
            files->port.named(files->port.context, &name);
        }
    }
    files_forget_named(files);
}

static void files_set_naming(struct files *files, bool is_naming)
{
    pthread_mutex_lock(&files->names_lock);
    files->is_naming = is_naming;
    if (!is_naming) {
        atomic_fetch_add(&files->namings, 1);
        pthread_cond_broadcast(&files->names_rest);
    }
    pthread_mutex_unlock(&files->names_lock);
}

static bool files_has_names(const struct files *files)
{
    struct pollfd wait = {.fd = files->names, .events = POLLIN};

    return files->is_naming || poll(&wait, 1, 0) > 0;
}

bool files_is_quiet(struct files *files, uint64_t named)
{
    bool is_quiet;

    pthread_mutex_lock(&files->names_lock);
    is_quiet = !files_has_names(files) && atomic_load(&files->named) == named;
    pthread_mutex_unlock(&files->names_lock);
    return is_quiet;
}

/* until: of clock_mono, which goes on while the machine sleeps; no condition waits by that one. */
static struct timespec names_deadline(int64_t until)
{
    struct timespec now;
    int64_t at;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    at = now.tv_sec * NS_PER_S + now.tv_nsec + (until - clock_mono(&clock_real));
    at = at > 0 ? at : 0;
    return (struct timespec){.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};
}

/* With names_lock: as far as the kernel has names now, counted from the first one on. */
static uint64_t files_names_end(const struct files *files)
{
    return files->names_read + name_events_waiting(files->names);
}

bool files_hear_names(struct files *files, int64_t until)
{
    struct timespec deadline = names_deadline(until);
    uint64_t end;
    bool is_heard;
    bool is_over = false;

    pthread_mutex_lock(&files->names_lock);
    end = files_names_end(files);
    while (!(is_heard = files->names_told >= end || !files_has_names(files)) && !is_over) {
        is_over = pthread_cond_clockwait(&files->names_rest, &files->names_lock, CLOCK_MONOTONIC,
                                         &deadline) == ETIMEDOUT;
    }
    pthread_mutex_unlock(&files->names_lock);
    return is_heard;
}

void files_await_silence(struct files *files, int64_t until)
{
    struct timespec deadline = names_deadline(until);
    bool is_over = false;

    pthread_mutex_lock(&files->names_lock);
    while (files_has_names(files) && !is_over) {
        is_over = pthread_cond_clockwait(&files->names_rest, &files->names_lock, CLOCK_MONOTONIC,
                                         &deadline) == ETIMEDOUT;
    }
    pthread_mutex_unlock(&files->names_lock);
}

uint64_t files_hearings(const struct files *files)
{
    return atomic_load(&files->namings);
}

/* The next batch, and how far it goes, in one: whoever asks meanwhile misses none of it. */
static int files_read_names(struct files *files)
{
    int r;

    pthread_mutex_lock(&files->names_lock);
    r = name_reader_fill(&files->name_batch, files->names);
    files->names_read += r == 0 ? name_reader_count(&files->name_batch) : 0;
    pthread_mutex_unlock(&files->names_lock);
    return r;
}

static void files_note_told(struct files *files)
{
    pthread_mutex_lock(&files->names_lock);
    files->names_told = files->names_read;
    pthread_cond_broadcast(&files->names_rest);
    pthread_mutex_unlock(&files->names_lock);
}

/* Tells all that the kernel has, in its order, and before each batch the process events that
 * preceded it. Returns how many. */
static unsigned files_tell_all(struct files *files)
{
    struct name_event event;
    unsigned count = 0;
    int got = 0;

    while (got == 0) {
        got = files_read_names(files);
        atomic_fetch_add(
            &files->names_lost,
            processes_drain(files->processes, &files->processes_lost, &files->port.processes));
        while (got == 0 && name_reader_next(&files->name_batch, &event)) {
            files_tell(files, &event);
            count++;
        }
        files_note_told(files);
    }
    return count;
}

void *files_names_run(void *context)
{
    struct files *files = context;
    struct pollfd waits[4] = {
        {.fd = files->names, .events = POLLIN},
        {.fd = files->end_fd, .events = POLLIN},
        {.fd = files->processes != NULL ? procwatch_fd(files->processes) : -1, .events = POLLIN},
        {.fd = files->asked_fd, .events = POLLIN}};
    int64_t rested = clock_mono(&clock_real);
    unsigned row = 0;

    (void)!thread_raise_priority(1);
    while (!atomic_load(&files->is_names_ending)) {
        (void)poll(waits, 4, NAMES_REST_MS);
        row = clock_mono(&clock_real) - rested < NAMES_ROW_GAP ? row : 0;
        files_set_naming(files, true);
        row += files_tell_all(files);
        files_set_naming(files, false);
        if ((waits[3].revents & POLLIN) != 0) {
            files->port.asked(files->port.context);
        } else if (row > NAMES_ROW) {
            const struct timespec nap = {
                .tv_nsec = files->port.is_calm(files->port.context) ? NAMES_NAP_NS : NAMES_WINK_NS};

            row = NAMES_ROW;
            (void)nanosleep(&nap, NULL);
        }
        rested = clock_mono(&clock_real);
    }
    return NULL;
}
