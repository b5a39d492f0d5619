/* One open at the gate. Order matters: the original is safe before the judge hears of the write,
 * the judge has ruled and the brake has worked before the answer, and the ignore mark stands before
 * the answer too, so that the opener's own next open is free until it has changed something. */
#include "agent/numbers.h"
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>

#define SYSCALL_TRIES 40 /* 6.1 says "running" for some microseconds */
/* Others may take the processor from a thread that is about to stand: it is waited for. */
#define SYSCALL_NAPS   200
#define SYSCALL_NAP_NS (200 * 1000L)
/* A program's own files above this size are not saved at each open. */
#define OWN_OUTPUT_SIZE (1 << 20)

bool shield_is_write(pid_t tid, struct files *files, const struct files_open *open)
{
    const struct timespec nap = {.tv_nsec = SYSCALL_NAP_NS};
    struct process_syscall call;
    int r = -ERR_AGAIN;

    for (int i = 0; r == -ERR_AGAIN && i < SYSCALL_TRIES + SYSCALL_NAPS; i++) {
        r = process_read_syscall(tid, &call);
        if (r == -ERR_AGAIN && i < SYSCALL_TRIES) {
            (void)sched_yield();
        } else if (r == -ERR_AGAIN) {
            if (files != NULL && !files_may_linger(files, open)) {
                break;
            }
            (void)nanosleep(&nap, NULL);
        }
    }
    return r < 0 || process_syscall_is_write_open(&call) != 0;
}

struct held_open {
    struct files *files;
    struct files_open *open;
};

static bool shield_is_waiting(void *context)
{
    const struct held_open *held = context;

    return files_progress(held->files, held->open);
}

uint64_t shield_save(struct shield *shield, int fd, struct str path, struct actor_key who,
                     struct files_open *waiter)
{
    struct held_open held = {shield->files, waiter};
    struct vault_waiter vault_waiter = {.context = &held, .is_held = shield_is_waiting};
    struct vault_origin origin = {.path = path, .kind = VAULT_KIND_BEFORE};
    char exe[SHIELD_PATH_MAX / 8];
    char cmdline[SHIELD_PATH_MAX / 8];
    const struct actor_row *row;
    uint64_t version = 0;
    int r;

    if (waiter != NULL) {
        vault_waiter.stat = &waiter->stat;
        origin.waiter = &vault_waiter;
    }
    pthread_mutex_lock(&shield->lock);
    row = actors_get(shield->actors, who);
    if (row != NULL) {
        (void)snprintf(exe, sizeof(exe), "%s", row->exe);
        (void)snprintf(cmdline, sizeof(cmdline), "%s", row->cmdline);
        origin.process = (struct finding_process){.pid = who.pid,
                                                  .start = who.start,
                                                  .uid = row->actor.uid,
                                                  .exe = str_from(exe),
                                                  .cmdline = str_from(cmdline)};
    }
    pthread_mutex_unlock(&shield->lock);
    r = vault_save(shield->vault, fd, &origin, &version);
    if (r < 0) {
        atomic_store(&shield->save_error, r);
        atomic_fetch_add(&shield->save_failures, 1);
        return 0;
    }
    return version;
}

/* A large file that the same program wrote last, and of which a version is kept, is not saved at
 * each open: databases open theirs all the time. */
static bool shield_is_own_output(struct shield *shield, const struct visit *visit,
                                 const struct file_row *row)
{
    return row->version != 0 && row->writer.pid != 0 && visit->state.size > OWN_OUTPUT_SIZE &&
           !judge_is_stopped(shield->judge, visit->who) &&
           actor_key_is(row->instance, actors_instance(shield->actors, visit->who));
}

/* Whether the original must be saved now; otherwise visit->version is the one to use. */
static bool shield_needs_save(struct shield *shield, struct visit *visit)
{
    const struct file_row *row;
    bool is_needed = true;

    if (!visit->is_write || visit->state.size == 0) {
        return false;
    }
    pthread_mutex_lock(&shield->lock);
    row = shelf_by_handle(shield->shelf, &visit->handle);
    if (row != NULL && row->version != 0 &&
        (file_state_is(&row->saved, &visit->state) || shield_is_own_output(shield, visit, row))) {
        visit->version = row->version;
        is_needed = false;
    }
    pthread_mutex_unlock(&shield->lock);
    return is_needed;
}

static void shield_note_hot(struct shield *shield, const struct file_row *row)
{
    if (shield->hot_count < SHIELD_HOT_MAX) {
        shield->hot[shield->hot_count++] = row->key;
    }
}

void shield_hold(struct shield *shield, struct file_row *row, int *fd)
{
    if (row->fd < 0 && shelf_is_crowded(shield->shelf)) {
        struct file_row *oldest = shelf_oldest_hold(shield->shelf);

        shield_keeper_wake(shield);
        if (oldest == NULL) {
            return;
        }
        if (oldest->version == 0 && oldest != row) {
            atomic_fetch_add(&shield->unheld, 1);
        }
        shelf_let_go(shield->shelf, oldest);
    }
    if (row->fd < 0) {
        numbers_widen(shield->page, *fd);
        shelf_hold(shield->shelf, row, TAKE_FD(*fd));
    }
}

static void shield_note_write(struct shield *shield, struct visit *visit, struct file_row *row,
                              struct judge_step *step)
{
    if (visit->version != 0) {
        if (row->version != visit->version) {
            row->saved = visit->state;
        }
        row->version = visit->version;
    } else if (visit->state.size == 0 && row->version == 0) {
        row->is_product = true;
    }
    step->kind = row->is_product && visit->state.size == 0 ? JUDGE_STEP_CREATE : JUDGE_STEP_WRITE;
    step->version = row->version;
    row->writer = visit->who;
    row->instance = actors_instance(shield->actors, visit->who);
}

/* Whether the kernel tells of a name that is gone. */
static bool path_is_lost(struct str path)
{
    return str_has_suffix(path, STR(" (deleted)"));
}

/* With the lock. Where it is remembered: it may have been renamed while it was saved, and that told
 * already. One that is opened anew by a descriptor, without its name, stays where it was, so that
 * whoever took that name is known to have displaced it. */
static void shield_note_place(struct shield *shield, const struct visit *visit,
                              struct file_row *row)
{
    char now[SHIELD_PATH_MAX];
    struct str path = visit->path;

    if (visit->waiter != NULL && fd_path(visit->open->fd, now, sizeof(now)) == 0 &&
        !path_is_lost(str_from(now)) && files_holds(shield->files, str_from(now))) {
        path = str_from(now);
    }
    if ((visit->open->stat.st_nlink == 0 || path_is_lost(path)) &&
        (row->path_hash != 0 || row->is_deleted || aliases_has(shield->aliases, row->serial))) {
        return;
    }
    shelf_set_path(shield->shelf, row, path, files_hearings(shield->files));
    if (row->has_many) {
        aliases_see(shield->aliases, row->serial, path);
    }
}

void shield_note_visit(struct shield *shield, struct visit *visit, struct shield_job **ret_job)
{
    struct judge_step step = {.kind = JUDGE_STEP_READ,
                              .who = visit->who,
                              .file = visit->file,
                              .size = visit->state.size,
                              .path = visit->path};
    struct file_row *row;

    if (shelf_take(shield->shelf, &visit->handle, visit->file, &row) < 0) {
        return;
    }
    row->size = visit->state.size;
    row->has_many = row->has_many || visit->open->stat.st_nlink > 1;
    shield_note_place(shield, visit, row);
    shield_visit_facts(shield, &visit->handle, &visit->open->stat);
    if (visit->is_write) {
        shield_note_write(shield, visit, row, &step);
        shield_hold(shield, row, &visit->open->fd);
    } else if (visit->state.size != 0) {
        shield_hold(shield, row, &visit->open->fd);
        if (++row->reads == SHIELD_HOT_READS && !row->is_product) {
            shield_note_hot(shield, row);
        }
    }
    shield_step(shield, &step, ret_job);
}

int shield_visit_init(struct visit *visit, struct files_open *open)
{
    visit->open = open;
    visit->file = (struct file_key){open->stat.st_dev, open->stat.st_ino};
    visit->path = str_of(open->path, open->path_len);
    file_state_of(&open->stat, &visit->state);
    return handle_of(open->fd, open->fsid, &visit->handle);
}

bool shield_take_visit(struct shield *shield, struct visit *visit)
{
    struct shield_job *job = NULL;
    bool is_stopped;
    bool has_excess;

    shield_visit_folder(shield, visit->path, visit->who);
    if (shield_needs_save(shield, visit)) {
        visit->version =
            shield_save(shield, visit->open->fd, visit->path, visit->who, visit->waiter);
    }
    pthread_mutex_lock(&shield->lock);
    is_stopped = judge_is_stopped(shield->judge, visit->who);
    shield_note_visit(shield, visit, &job);
    has_excess = judge_excess(shield->judge, visit->who) != 0;
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
    if (is_stopped) {
        shield_stop_straggler(shield, visit->who);
    }
    return has_excess;
}

void shield_settle(struct shield *shield, int fd, const struct file_state *saved)
{
    struct file_state state;
    struct stat stat;

    files_settle(shield->files, fd);
    if (fstat(fd, &stat) != 0) {
        stat = (struct stat){.st_size = -1};
    }
    file_state_of(&stat, &state);
    if (stat.st_nlink > 1 || !file_state_is(&state, saved)) {
        files_unsettle(shield->files, fd);
    }
}

bool shield_opened(void *context, struct files_open *open)
{
    struct shield *shield = context;
    struct visit visit = {.waiter = open};
    CLEANUP(closep) int mark_fd = -1;
    bool is_weighed;

    shield_stir(shield, shield_now());
    if (shield_who(shield, open->tid, &visit.who) < 0 || shield_visit_init(&visit, open) < 0) {
        return false; /* whoever waited has been killed */
    }
    visit.is_write = shield_is_write(open->tid, shield->files, open);
    if (visit.is_write && open->stat.st_nlink > 1 && !files_holds(shield->files, visit.path)) {
        files_follow_link(shield->files, &visit.handle, visit.path);
    }
    if (visit.is_write && visit.state.size != 0 && open->stat.st_nlink == 1) {
        /* with more names, each is to be seen: the next open may be by another */
        mark_fd = fcntl(open->fd, F_DUPFD_CLOEXEC, 0);
    }
    is_weighed = shield_take_visit(shield, &visit);
    if (mark_fd >= 0) {
        shield_settle(shield, mark_fd, &visit.state);
    }
    if (!is_weighed) {
        files_allow(shield->files, open);
    }
    return is_weighed;
}

void shield_weighed(void *context, struct files_open *open)
{
    struct shield *shield = context;
    struct actor_key who;
    bool is_stopped;

    if (shield_who(shield, open->tid, &who) != 0) {
        return;
    }
    pthread_mutex_lock(&shield->lock);
    is_stopped = judge_is_stopped(shield->judge, who);
    pthread_mutex_unlock(&shield->lock);
    if (!is_stopped) { /* else its case looks at all, and waits until it has left the gate */
        shield_look(shield, who);
    }
}

struct open_files {
    struct shield *shield;
    const struct files_place *places;
    size_t place_count;
};

/* Descriptors that were open for writing before the gate was: their files are saved as they are. */
static void shield_save_open_file(void *context, pid_t pid, const char *link)
{
    const struct open_files *open_files = context;
    char path[SHIELD_PATH_MAX];
    CLEANUP(closep) int fd = -1;
    struct stat stat;
    ssize_t len = readlink(link, path, sizeof(path) - 1);

    if (len <= 0 || !files_is_protected(open_files->places, open_files->place_count,
                                        str_of(path, (size_t)len))) {
        return;
    }
    fd = open(link, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size != 0) {
        (void)!shield_save(open_files->shield, fd, str_of(path, (size_t)len),
                           (struct actor_key){pid, 0}, NULL);
    }
}

void shield_save_open_files(struct shield *shield, const struct files_place *places,
                            size_t place_count)
{
    struct open_files open_files = {shield, places, place_count};
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        int64_t pid;

        if (str_to_i64(str_from(entry->d_name), &pid) == 0 &&
            !page_is_own(shield->page, (pid_t)pid)) {
            process_each_writable((pid_t)pid, shield_save_open_file, &open_files);
        }
    }
    if (proc != NULL) {
        (void)closedir(proc);
    }
}
