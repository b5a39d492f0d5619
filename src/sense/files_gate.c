/* The gate's reader, workers and weigher. An open is one of a fixed pool of slots; its state goes
 * WAITING → ANSWERED exactly once, whoever comes first: reader, worker, weigher, or the reader
 * again when the deadline has passed.
 *
 * The opener sleeps until it is answered, and waking another thread for it costs more than all that
 * most opens need. So the reader answers by itself what port.glanced can settle at once, and only
 * the rest goes to a worker. What must be looked at as well goes on to the weigher: a look takes
 * longer than the deadline when the machine is slow, and while the workers looked, those in line
 * were let go before their originals were safe. */
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sense/files_private.h"
#include "sys/doze.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <poll.h>

#define READER_CHECK_MS 20              /* while opens wait */
#define ROW_LEN         32U             /* opens */
#define ROW_GAP_NS      NS_PER_MS       /* between two of a row */
#define ROW_CHECK_MS    2               /* whether it is over */
#define AWAKE_MAX_NS    (10 * NS_PER_S) /* of processors, less their rest between */
#define WORK_NS         NS_PER_MS /* of processor time: so much means that a worker is not stuck */
/* Since it arrived. An open that still is in doubt then is taken for a protected one, and is in
 * time for all that this means. */
#define DOUBT_NS (FILES_DEADLINE_NS / 2)

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

static void files_line_put(struct files *files, struct files_line *line, struct files_open *slot)
{
    pthread_mutex_lock(&files->lock);
    line->slots[(line->head + line->count++) % FILES_SLOTS] = slot;
    pthread_cond_signal(&line->has_work);
    pthread_mutex_unlock(&files->lock);
}

/* NULL when the sensor ends: what still waits then is let go by the reader. */
static struct files_open *files_line_take(struct files *files, struct files_line *line)
{
    struct files_open *slot = NULL;

    pthread_mutex_lock(&files->lock);
    while (line->count == 0 && !atomic_load(&files->is_ending)) {
        pthread_cond_wait(&line->has_work, &files->lock);
    }
    if (!atomic_load(&files->is_ending)) {
        slot = line->slots[line->head];
        line->head = (line->head + 1) % FILES_SLOTS;
        line->count--;
    }
    pthread_mutex_unlock(&files->lock);
    return slot;
}

/* Seen through a mount of another namespace, or a bind mount, a protected file has a foreign path.
 * The handle leads to the one it has below our folder. */
static void files_find_own_path(struct files *files, const struct file_handle_id *handle,
                                struct files_open *open)
{
    CLEANUP(closep) int fd = files_open_handle(files, handle);
    char home[FILES_PATH_MAX];
    char path[FILES_PATH_MAX];
    struct str own;

    if (fd < 0 || fd_path(fd, path, sizeof(path)) < 0) {
        return;
    }
    own = files_home(files, str_from(path), home);
    if (files_holds(files, own)) {
        memcpy(open->path, own.ptr, own.len + 1);
    }
}

/* Its path as the kernel tells it; in a folder that was moved, the one at home. paths: the
 * reader's, or NULL. */
static void files_find_path(struct files *files, struct files_open *open, struct fd_paths *paths)
{
    char home[FILES_PATH_MAX];
    struct str path;
    int r = paths != NULL ? fd_paths_find(paths, open->fd, open->path, sizeof(open->path))
                          : fd_path(open->fd, open->path, sizeof(open->path));

    if (r < 0) {
        open->path[0] = '\0';
    }
    path = files_home(files, str_from(open->path), home);
    if (path.ptr == home) {
        memcpy(open->path, home, path.len + 1);
    }
    open->path_len = path.len;
}

/* Whether it must be looked at although it does not lie in a protected folder. A file with several
 * links may be protected by another name, and which cannot be asked: it is treated as protected. */
static bool files_is_wanted_outside(struct files *files, struct files_open *open)
{
    struct file_handle_id handle;
    bool has_handle = handle_of(open->fd, open->fsid, &handle) == 0;
    bool is_stray = has_handle && strays_find(files->strays, &handle, open->path);

    if (!is_stray && files_is_private(files, str_of(open->path, open->path_len))) {
        return false;
    }
    if (!is_stray && has_handle) {
        files_find_own_path(files, &handle, open);
    }
    open->path_len = strlen(open->path);
    return is_stray || open->stat.st_nlink > 1 ||
           files_holds(files, str_of(open->path, open->path_len)) ||
           strays_is_crowded(files->strays, open->arrived);
}

static bool files_is_wanted(struct files *files, struct files_open *open, struct fd_paths *paths)
{
    const struct files_root *root;

    open->fsid = 0;
    if (fstat(open->fd, &open->stat) != 0 || !S_ISREG(open->stat.st_mode)) {
        return false;
    }
    files_find_path(files, open, paths);
    root = files_root_of_dev(files, open->stat.st_dev);
    open->fsid = root != NULL ? root->fsid : 0;
    return files_holds(files, str_of(open->path, open->path_len)) ||
           (root != NULL && files_is_wanted_outside(files, open));
}

bool files_is_guarded(struct files *files, struct files_open *open)
{
    return files_is_wanted(files, open, NULL);
}

/* What lies outside is asked about once, by a mark that lasts. It may not stand on a file that was
 * moved there, or back, while it was looked at: then the mark goes again, and the answer is false.
 * named: read before the look. What is empty has nothing to lose. */
static bool files_pass_by(struct files *files, const struct files_open *open, uint64_t named)
{
    (void)!fanotify_ignore(files->gate, open->fd, true);
    if (open->fsid == 0 || open->stat.st_size == 0 || files_is_quiet(files, named)) {
        return true;
    }
    files_unsettle(files, open->fd);
    return false;
}

static void files_sort(struct files *files, const struct gate_open *gate_open, int64_t arrived,
                       struct files_open *slot)
{
    uint64_t named = atomic_load(&files->named);
    bool is_wanted;

    slot->fd = gate_open->fd;
    slot->number = (uint32_t)gate_open->fd;
    slot->tid = gate_open->tid;
    slot->arrived = arrived;
    atomic_store(&slot->progress, 0);
    atomic_store(&slot->is_safe, false);
    atomic_store(&slot->state, OPEN_STATE_WAITING);
    is_wanted = files_is_wanted(files, slot, &files->paths);
    slot->is_doubtful = !is_wanted && !files_pass_by(files, slot, named);
    if (slot->is_doubtful || (is_wanted && !files->port.glanced(files->port.context, slot))) {
        atomic_fetch_add(&files->waiting, 1);
        files_line_put(files, &files->unsafe, slot);
        return;
    }
    files_allow(files, slot);
    files_slot_give(files, slot);
}

/* Once the names have been heard that came before it, whether it lies outside. */
static bool files_is_outside(struct files *files, struct files_open *open)
{
    bool is_heard = files_hear_names(files, open->arrived + DOUBT_NS);
    uint64_t named = atomic_load(&files->named);

    if (!is_heard || files_is_wanted(files, open, NULL)) {
        return false;
    }
    (void)files_pass_by(files, open, named);
    return true;
}

struct files_wait {
    int64_t arrived;
    int64_t own; /* progress of the open itself, 0 while it stands in line */
    bool is_safe;
};

/* A worker that computes is not stuck: where processors are scarce, or only pretended, a copy may
 * take its time, and what waits for it must not be lost. */
static void files_note_work(struct files *files, int64_t now)
{
    int64_t work = 0;

    if (now - files->work_asked < READER_CHECK_MS * NS_PER_MS) {
        return;
    }
    files->work_asked = now;
    for (size_t i = 0; i < FILES_WORKERS; i++) {
        work += thread_clock_read(atomic_load(&files->worker_clocks[i]));
    }
    if (work - files->work >= WORK_NS) {
        files->work = work;
        files->worked_at = now;
    }
}

/* Since when it waits without progress. */
static int64_t files_waits_since(struct files *files, const struct files_wait *wait)
{
    int64_t last = wait->own != 0 ? wait->own : atomic_load(&files->progress);

    if (!wait->is_safe && files->worked_at > last) {
        last = files->worked_at;
    }
    return last > wait->arrived ? last : wait->arrived;
}

static bool files_is_late(struct files *files, const struct files_wait *wait, int64_t now)
{
    int64_t patience = wait->is_safe ? FILES_DEADLINE_NS : FILES_SAVE_NS;

    return atomic_load(&files->is_ending) || now - files_waits_since(files, wait) > patience ||
           now - wait->arrived > (wait->own != 0 ? FILES_BOUND_NS : FILES_LINE_NS);
}

void files_advance(struct files *files)
{
    atomic_store(&files->progress, clock_mono(&clock_real));
}

bool files_progress(struct files *files, struct files_open *open)
{
    atomic_store(&open->progress, clock_mono(&clock_real));
    files_advance(files);
    return atomic_load(&open->state) == OPEN_STATE_WAITING;
}

static int64_t files_older(int64_t one, int64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

/* Lets go what has waited too long; returns since when the rest has waited without progress, the
 * longest such time. */
int64_t files_check_deadlines(struct files *files, int64_t now)
{
    int64_t oldest = 0;

    if (atomic_load(&files->waiting) == 0) {
        return 0;
    }
    files_note_work(files, now);
    for (size_t i = 0; i < FILES_SLOTS; i++) {
        struct files_open *slot = &files->slots[i];
        const struct files_wait wait = {slot->arrived, atomic_load(&slot->progress),
                                        atomic_load(&slot->is_safe)};

        if (atomic_load(&slot->state) != OPEN_STATE_WAITING) {
            continue;
        }
        if (files_is_late(files, &wait, now)) {
            atomic_fetch_add(&files->late, wait.is_safe ? 0U : 1U);
            files_allow(files, slot);
        } else {
            oldest = files_older(oldest, files_waits_since(files, &wait));
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
 * since when the oldest that still is parked has waited without progress. */
int64_t files_serve_parked(struct files *files, int64_t now)
{
    while (files->parked_count != 0) {
        const struct files_wait wait = {.arrived = files->parked[files->parked_head].arrived};
        bool is_late = files_is_late(files, &wait, now);
        struct files_open *slot = is_late ? NULL : files_slot_take(files);
        struct files_parked parked;

        if (!is_late && slot == NULL) {
            return files_waits_since(files, &wait);
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
static int files_read_batch(struct files *files, int64_t now)
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
    return got;
}

static void files_keep_awake(struct files *files, bool is_awake)
{
    files->is_awake = is_awake;
    if (files->doze >= 0) {
        (void)!doze_allow(files->doze, !is_awake);
    }
}

/* Rows without an end, which anybody can make, would keep all processors awake for ever: what was
 * spent awake comes back only with rest, and when too much was spent, all of it. */
static bool files_may_keep_awake(struct files *files, int64_t now)
{
    int64_t since = now - files->awake_at;

    files->awake_spent += files->is_awake ? since : -since;
    files->awake_spent = files->awake_spent < 0 ? 0 : files->awake_spent;
    files->awake_at = now;
    if (files->awake_spent > AWAKE_MAX_NS) {
        files->is_awake_spent = true;
    } else if (files->awake_spent == 0) {
        files->is_awake_spent = false;
    }
    return !files->is_awake_spent;
}

void files_note_row(struct files *files, int count, int64_t now)
{
    bool is_on = now - files->row_at < ROW_GAP_NS;
    bool is_awake;

    if (count > 0) {
        files->row = is_on ? files->row + (unsigned)count : 0;
        files->row_at = now;
    }
    is_awake = files_may_keep_awake(files, now) && is_on && files->row >= ROW_LEN;
    if (is_awake != files->is_awake) {
        files_keep_awake(files, is_awake);
    }
}

/* How long the reader may rest. */
static int files_rest(const struct files *files, int64_t oldest)
{
    if (files->is_awake) {
        return ROW_CHECK_MS;
    }
    return oldest != 0 || files->parked_count != 0 ? READER_CHECK_MS : FILES_REST_MS;
}

void *files_reader_run(void *context)
{
    struct files *files = context;
    struct pollfd waits[2] = {{.fd = files->gate, .events = POLLIN},
                              {.fd = files->end_fd, .events = POLLIN}};
    int rest = 0; /* its first sign of life comes at once: until then the watchdog stands in */

    (void)!thread_raise_priority(2);
    files_keep_awake(files, false); /* the reader before this one may have been killed in a row */
    while (!atomic_load(&files->is_reader_ending)) {
        bool is_ending = atomic_load(&files->is_ending); /* end_fd stays readable then */
        int64_t oldest = 0;
        bool is_idle = poll(waits, is_ending ? 1 : 2, is_ending ? READER_CHECK_MS : rest) == 0 &&
                       rest == FILES_REST_MS && !is_ending;
        int64_t now = clock_mono(&clock_real);

        if (!is_idle) {
            files->port.begins(files->port.context, now);
            oldest = files_serve_parked(files, now);
            files_note_row(files, files_read_batch(files, now), now);
            oldest = files_older(oldest, files_check_deadlines(files, now));
        }
        files->port.beat(files->port.context, now, oldest);
        rest = files_rest(files, oldest);
    }
    files_keep_awake(files, false);
    return NULL;
}

static void files_finish(struct files *files, struct files_open *open)
{
    files_allow(files, open);
    files_slot_give(files, open);
    atomic_fetch_sub(&files->waiting, 1);
}

bool files_may_linger(struct files *files, const struct files_open *open)
{
    bool is_line_empty;

    pthread_mutex_lock(&files->lock);
    is_line_empty = files->unsafe.count == 0;
    pthread_mutex_unlock(&files->lock);
    return is_line_empty && atomic_load(&open->state) == OPEN_STATE_WAITING;
}

void *files_worker_run(void *context)
{
    struct files *files = context;
    int number = atomic_fetch_add(&files->workers_begun, 1);
    struct files_open *open;

    atomic_store(&files->worker_clocks[number], thread_clock());
    while ((open = files_line_take(files, &files->unsafe)) != NULL) {
        (void)!files_progress(files, open);
        if ((open->is_doubtful && files_is_outside(files, open)) ||
            !files->port.opened(files->port.context, open)) {
            files_finish(files, open);
            continue;
        }
        atomic_store(&open->is_safe, true);
        files_advance(files);
        atomic_store(&open->progress, 0); /* in line again */
        files_line_put(files, &files->safe, open);
    }
    return NULL;
}

void *files_weigher_run(void *context)
{
    struct files *files = context;
    struct files_open *open;

    while ((open = files_line_take(files, &files->safe)) != NULL) {
        if (atomic_load(&open->state) == OPEN_STATE_WAITING) {
            files->port.weighed(files->port.context, open);
        }
        files_finish(files, open);
    }
    return NULL;
}
