/* The sensor's life: what it watches, its threads, its marks. Neighbours: files_gate.c answers
 * opens, files_names.c tells of names. */
#include "sense/files.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sense/files_private.h"
#include "sys/doze.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>

bool files_is_protected(const struct files_place *places, size_t count, struct str path)
{
    size_t longest = 0;
    bool is_protected = false;

    for (size_t i = 0; i < count; i++) {
        struct str place = str_from(places[i].path);

        if (place.len >= longest && str_has_prefix(path, place) &&
            (path.len == place.len || path.ptr[place.len] == '/' || place.len == 1)) {
            longest = place.len;
            is_protected = !places[i].is_left_out;
        }
    }
    return is_protected;
}

bool files_holds(const struct files *files, struct str path)
{
    return files_is_protected(files->places, files->place_count, path);
}

void files_allow(struct files *files, struct files_open *open)
{
    int waiting = OPEN_STATE_WAITING;

    if (atomic_compare_exchange_strong(&open->state, &waiting, OPEN_STATE_ANSWERED)) {
        (void)!fanotify_allow(files->gate, (int)open->number);
    }
}

void files_settle(struct files *files, int fd)
{
    (void)!fanotify_ignore(files->gate, fd, false); /* without the mark opens only cost more */
}

void files_unsettle(struct files *files, int fd)
{
    (void)!fanotify_unignore(files->gate, fd);
}

struct files_counts files_counts(struct files *files)
{
    return (struct files_counts){.opens = atomic_load(&files->opens),
                                 .late = atomic_load(&files->late),
                                 .names_lost = atomic_load(&files->names_lost)};
}

static int files_read_root(struct files_root *root)
{
    struct statx stx;

    if (statx(root->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) != 0) {
        return -errno;
    }
    root->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
    root->mount = stx.stx_mnt_id;
    root->has_twin = false;
    return handle_fsid(root->fd, &root->fsid);
}

static bool files_has_mount(const struct files *files, const struct files_root *root)
{
    for (size_t i = 0; i < files->root_count; i++) {
        if (files->roots[i].dev == root->dev && files->roots[i].mount == root->mount) {
            return true;
        }
    }
    return false;
}

static int files_add_root(struct files *files, const char *path)
{
    struct files_root *root = &files->roots[files->root_count];
    int r;

    root->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0) {
        return -errno;
    }
    r = files_read_root(root);
    if (r < 0 || files_has_mount(files, root)) {
        closep(&root->fd);
        return r;
    }
    for (size_t i = 0; i < files->root_count; i++) {
        if (files->roots[i].fsid == root->fsid) {
            files->roots[i].has_twin = root->has_twin = true;
        }
    }
    files->root_count++;
    return 0;
}

static int files_init(struct files *files, const struct files_config *config)
{
    int r = 0;

    files->gate = config->gate;
    files->names = config->names;
    files->doze = config->doze;
    files->asked_fd = config->asked_fd;
    files->processes = config->processes;
    files->places = config->places;
    files->place_count = config->place_count;
    files->free_count = 0;
    for (size_t i = 0; i < FILES_SLOTS; i++) {
        files->slots[i].fd = -1;
        files->free_slots[files->free_count++] = &files->slots[i];
    }
    for (size_t i = 0; r == 0 && i < config->place_count; i++) {
        r = config->places[i].is_left_out ? 0 : files_add_root(files, config->places[i].path);
    }
    if (r == 0) {
        r = fd_paths_init(&files->paths);
    }
    files->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r >= 0 && files->end_fd < 0) {
        return -errno;
    }
    return r < 0 ? r : 0;
}

int files_new(const struct files_config *config, const struct files_port *port,
              struct files **ret_files)
{
    struct files *files;
    int r;

    if (config->place_count > FILES_PLACES_MAX) {
        return -ERR_LIMIT;
    }
    files = mem_alloc(1, sizeof(*files));
    if (files == NULL) {
        return -ERR_NOMEM;
    }
    files->port = *port;
    files->end_fd = files->named_fd = files->paths.folder = files->paths.place = -1;
    r = strays_new(STRAY_FILES, STRAY_FOLDERS, &files->strays);
    if (r < 0) {
        mem_free(files);
        return r;
    }
    pthread_mutex_init(&files->lock, NULL);
    pthread_cond_init(&files->unsafe.has_work, NULL);
    pthread_cond_init(&files->safe.has_work, NULL);
    pthread_mutex_init(&files->names_lock, NULL);
    pthread_cond_init(&files->names_rest, NULL);
    r = files_init(files, config);
    if (r < 0) {
        files_free(files);
        return r;
    }
    *ret_files = files;
    return 0;
}

static int files_start(struct files *files, const char *name, void *(*body)(void *))
{
    int r = thread_start(name, body, files, &files->threads[files->thread_count]);

    if (r == 0) {
        files->thread_count++;
    }
    return r;
}

int files_start_reader(struct files *files)
{
    int r = thread_start("gate", files_reader_run, files, &files->reader);

    files->has_reader = r == 0;
    return r;
}

int files_start_workers(struct files *files)
{
    int r = files_start(files, "names", files_names_run);

    if (r == 0) {
        r = files_start(files, "weigher", files_weigher_run);
    }
    for (int i = 0; r == 0 && i < FILES_WORKERS; i++) {
        r = files_start(files, "worker", files_worker_run);
    }
    return r;
}

void files_stop_workers(struct files *files)
{
    uint64_t one = 1;

    pthread_mutex_lock(&files->lock);
    atomic_store(&files->is_ending, true);
    pthread_cond_broadcast(&files->unsafe.has_work);
    pthread_cond_broadcast(&files->safe.has_work);
    pthread_mutex_unlock(&files->lock);
    atomic_store(&files->is_names_ending, true);
    if (files->end_fd >= 0) {
        (void)!write(files->end_fd, &one, sizeof(one));
    }
    for (size_t i = 0; i < files->thread_count; i++) {
        pthread_join(files->threads[i], NULL);
    }
    files->thread_count = 0;
}

void files_free(struct files *files)
{
    if (files == NULL) {
        return;
    }
    files_stop_workers(files);
    atomic_store(&files->is_reader_ending, true);
    if (files->has_reader) {
        pthread_join(files->reader, NULL);
    }
    (void)files_serve_parked(files, INT64_MAX);
    (void)files_check_deadlines(files, INT64_MAX);
    for (size_t i = 0; i < FILES_SLOTS; i++) {
        closep(&files->slots[i].fd);
    }
    for (size_t i = 0; i < files->root_count; i++) {
        closep(&files->roots[i].fd);
    }
    for (size_t i = 0; i < FOLDER_CACHE_ROWS; i++) {
        mem_free(files->folders[i].path);
    }
    strays_free(files->strays);
    closep(&files->end_fd);
    fd_paths_done(&files->paths);
    pthread_cond_destroy(&files->unsafe.has_work);
    pthread_cond_destroy(&files->safe.has_work);
    pthread_cond_destroy(&files->names_rest);
    pthread_mutex_destroy(&files->names_lock);
    pthread_mutex_destroy(&files->lock);
    mem_free(files);
}

int files_mark(int gate, int names, const char *folder, struct diag *diag)
{
    CLEANUP(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0) {
        return diag_set(diag, -errno, _("'%s' cannot be protected: %s"), folder, err_text(errno));
    }
    r = fanotify_gate_mark(gate, fd);
    if (r < 0) {
        return diag_set(
            diag, r,
            _("the file system of '%s' cannot be gated: %s; choose folders on ext4, xfs, "
              "btrfs or tmpfs"),
            folder, err_text(r));
    }
    r = fanotify_names_mark(names, fd);
    if (r < 0) {
        return diag_set(diag, r, _("the file system of '%s' does not tell of names: %s"), folder,
                        err_text(r));
    }
    return 0;
}

static int files_acquire(int ret_fds[SENSOR_FDS_MAX], struct diag *diag)
{
    ret_fds[0] = fanotify_gate_new();
    if (ret_fds[0] < 0) {
        return diag_set(diag, ret_fds[0],
                        _("the kernel offers no gate for opens (fanotify permission events): %s; "
                          "Linux 6.1 or later is needed, and root"),
                        err_text(ret_fds[0]));
    }
    ret_fds[1] = fanotify_names_new();
    if (ret_fds[1] < 0) {
        closep(&ret_fds[0]);
        return diag_set(diag, ret_fds[1],
                        _("the kernel does not tell of changed names (fanotify): %s; Linux 6.1 or "
                          "later is needed, and root"),
                        err_text(ret_fds[1]));
    }
    ret_fds[2] = doze_open(); /* without it everything only takes longer */
    return 0;
}

const struct sensor files_sensor = {.name = "files", .acquire = files_acquire, .is_required = true};
