/* The gate's reader and workers. An open is one of a fixed pool of slots; its state goes WAITING →
 * ANSWERED exactly once, whoever comes first: the worker, or the reader when the deadline has
 * passed. */
#include "sense/files.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sense/files_private.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#define READER_REST_MS  100 /* between signs of life when nothing happens */
#define READER_CHECK_MS 20  /* while opens wait */

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

static struct files_open *files_slot_take(struct files *files)
{
    struct files_open *slot = NULL;

    pthread_mutex_lock(&files->lock);
    if (files->free_count != 0) {
        slot = files->free_slots[--files->free_count];
    }
    pthread_mutex_unlock(&files->lock);
    return slot;
}

static void files_slot_give(struct files *files, struct files_open *slot)
{
    closep(&slot->fd);
    pthread_mutex_lock(&files->lock);
    atomic_store(&slot->state, OPEN_STATE_FREE);
    files->free_slots[files->free_count++] = slot;
    pthread_mutex_unlock(&files->lock);
}

static void files_queue_put(struct files *files, struct files_open *slot)
{
    pthread_mutex_lock(&files->lock);
    files->queue[(files->queue_head + files->queue_count++) % FILES_SLOTS] = slot;
    pthread_cond_signal(&files->has_work);
    pthread_mutex_unlock(&files->lock);
}

/* NULL when the sensor ends: what still waits then is let go by the reader. */
static struct files_open *files_queue_take(struct files *files)
{
    struct files_open *slot = NULL;

    pthread_mutex_lock(&files->lock);
    while (files->queue_count == 0 && !atomic_load(&files->is_ending)) {
        pthread_cond_wait(&files->has_work, &files->lock);
    }
    if (!atomic_load(&files->is_ending)) {
        slot = files->queue[files->queue_head];
        files->queue_head = (files->queue_head + 1) % FILES_SLOTS;
        files->queue_count--;
    }
    pthread_mutex_unlock(&files->lock);
    return slot;
}

/* Seen through a mount of another namespace, or a bind mount, a protected file has a foreign path.
 * The handle leads to the one it has below our folder. */
static void files_find_own_path(struct files *files, struct files_open *open)
{
    struct file_handle_id handle;
    CLEANUP(closep) int fd = -1;
    char path[FILES_PATH_MAX];

    if (handle_of(open->fd, open->fsid, &handle) < 0) {
        return;
    }
    fd = files_open_handle(files, &handle);
    if (fd >= 0 && fd_path(fd, path, sizeof(path)) == 0 && files_holds(files, str_from(path))) {
        memcpy(open->path, path, strlen(path) + 1);
    }
}

/* Whether a worker must look at it. A file with several links may be protected by another name, and
 * which cannot be asked: it is treated as protected. */
static bool files_is_wanted(struct files *files, struct files_open *open)
{
    if (fstat(open->fd, &open->stat) != 0 || !S_ISREG(open->stat.st_mode)) {
        return false;
    }
    if (fd_path(open->fd, open->path, sizeof(open->path)) < 0) {
        open->path[0] = '\0';
    }
    if (!files_holds(files, str_from(open->path))) {
        const struct files_root *root = files_root_of_dev(files, open->stat.st_dev);

        if (root == NULL || files_is_private(files, str_from(open->path))) {
            return false;
        }
        open->fsid = root->fsid;
        files_find_own_path(files, open);
    }
    open->path_len = strlen(open->path);
    return open->stat.st_nlink > 1 || files_holds(files, str_of(open->path, open->path_len));
}

static void files_sort(struct files *files, const struct gate_open *gate_open, int64_t arrived,
                       struct files_open *slot)
{
    const struct files_root *root;

    slot->fd = gate_open->fd;
    slot->number = (uint32_t)gate_open->fd;
    slot->tid = gate_open->tid;
    slot->arrived = arrived;
    slot->fsid = 0;
    atomic_store(&slot->state, OPEN_STATE_WAITING);
    if (!files_is_wanted(files, slot)) {
        (void)!fanotify_ignore(files->gate, slot->fd, true);
        files_allow(files, slot);
        files_slot_give(files, slot);
        return;
    }
    root = files_root_of_dev(files, slot->stat.st_dev);
    slot->fsid = root != NULL ? root->fsid : 0;
    files_queue_put(files, slot);
}

/* Lets go what has waited too long; returns the arrival of the oldest that still waits. */
static int64_t files_check_deadlines(struct files *files, int64_t now)
{
    int64_t most = atomic_load(&files->is_ending) ? -1 : FILES_DEADLINE_NS;
    int64_t oldest = 0;

    for (size_t i = 0; i < FILES_SLOTS; i++) {
        struct files_open *slot = &files->slots[i];

        if (atomic_load(&slot->state) != OPEN_STATE_WAITING) {
            continue;
        }
        if (now - slot->arrived > most) {
            atomic_fetch_add(&files->late, 1);
            files_allow(files, slot);
        } else if (oldest == 0 || slot->arrived < oldest) {
            oldest = slot->arrived;
        }
    }
    return oldest;
}

static void files_let_go(struct files *files, const struct gate_open *gate_open)
{
    (void)!fanotify_allow(files->gate, gate_open->fd);
    (void)close(gate_open->fd);
}

static struct files_parked files_unpark(struct files *files)
{
    struct files_parked parked = files->parked[files->parked_head];

    files->parked_head = (files->parked_head + 1) % FILES_PARKED;
    files->parked_count--;
    return parked;
}

/* The oldest first: into slots that have come free, or let go when it has waited too long. Returns
 * the arrival of the oldest that still is parked. */
static int64_t files_serve_parked(struct files *files, int64_t now)
{
    int64_t most = atomic_load(&files->is_ending) ? -1 : FILES_DEADLINE_NS;

    while (files->parked_count != 0) {
        bool is_late = now - files->parked[files->parked_head].arrived > most;
        struct files_open *slot = is_late ? NULL : files_slot_take(files);
        struct files_parked parked;

        if (!is_late && slot == NULL) {
            return files->parked[files->parked_head].arrived;
        }
        parked = files_unpark(files);
        if (slot != NULL) {
            files_sort(files, &parked.open, parked.arrived, slot);
        } else {
            atomic_fetch_add(&files->late, 1);
            files_let_go(files, &parked.open);
        }
    }
    return 0;
}

static void files_park(struct files *files, const struct gate_open *gate_open, int64_t now)
{
    if (files->parked_count == FILES_PARKED) {
        struct files_parked oldest = files_unpark(files);

        atomic_fetch_add(&files->late, 1);
        files_let_go(files, &oldest.open);
    }
    files->parked[(files->parked_head + files->parked_count++) % FILES_PARKED] =
        (struct files_parked){*gate_open, now};
}

/* The gate is read whether there are slots or not: behind those that wait for one may stand our own
 * threads, without which no slot comes free. */
static void files_read_batch(struct files *files, int64_t now)
{
    struct gate_open opens[16];
    int got = fanotify_read_opens(files->gate, opens, ARRAY_LEN(opens));

    for (int i = 0; i < got; i++) {
        struct files_open *slot = NULL;

        atomic_fetch_add(&files->opens, 1);
        if (atomic_load(&files->is_ending) ||
            files->port.is_exempt(files->port.context, opens[i].tid)) {
            files_let_go(files, &opens[i]);
            continue;
        }
        if (files->parked_count == 0) {
            slot = files_slot_take(files);
        }
        if (slot != NULL) {
            files_sort(files, &opens[i], now, slot);
        } else {
            files_park(files, &opens[i], now);
        }
    }
}

static int64_t files_older(int64_t one, int64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

static void *files_reader_run(void *context)
{
    struct files *files = context;
    struct pollfd waits[2] = {{.fd = files->gate, .events = POLLIN},
                              {.fd = files->end_fd, .events = POLLIN}};
    int64_t oldest = 0;

    (void)!thread_raise_priority(2);
    while (!atomic_load(&files->is_reader_ending)) {
        bool is_ending = atomic_load(&files->is_ending); /* end_fd stays readable then */
        int64_t now;

        (void)poll(waits, is_ending ? 1 : 2,
                   oldest != 0 || is_ending ? READER_CHECK_MS : READER_REST_MS);
        now = clock_mono(&clock_real);
        oldest = files_serve_parked(files, now);
        files_read_batch(files, now);
        oldest = files_older(oldest, files_check_deadlines(files, now));
        files->port.beat(files->port.context, now, oldest);
    }
    return NULL;
}

static void *files_worker_run(void *context)
{
    struct files *files = context;
    struct files_open *open;

    while ((open = files_queue_take(files)) != NULL) {
        files->port.opened(files->port.context, open);
        files_allow(files, open);
        files_slot_give(files, open);
    }
    return NULL;
}

static int files_add_root(struct files *files, const char *path)
{
    struct files_root *root = &files->roots[files->root_count];
    struct stat stat;
    int r;

    root->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0) {
        return -errno;
    }
    r = fstat(root->fd, &stat) == 0 ? handle_fsid(root->fd, &root->fsid) : -errno;
    if (r < 0 || files_root_of_dev(files, stat.st_dev) != NULL) {
        closep(&root->fd);
        return r;
    }
    root->dev = stat.st_dev;
    files->root_count++;
    return 0;
}

static int files_init(struct files *files, const struct files_config *config)
{
    int r = 0;

    files->gate = config->gate;
    files->names = config->names;
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
    files->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return r == 0 && files->end_fd < 0 ? -errno : r;
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
    files->end_fd = -1;
    pthread_mutex_init(&files->lock, NULL);
    pthread_cond_init(&files->has_work, NULL);
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
    pthread_cond_broadcast(&files->has_work);
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
    closep(&files->end_fd);
    pthread_cond_destroy(&files->has_work);
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
    return 0;
}

const struct sensor files_sensor = {.name = "files", .acquire = files_acquire, .is_required = true};
