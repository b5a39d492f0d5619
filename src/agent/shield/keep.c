/* The keeper: a thread for what nobody waits for. Files that were deleted while held, and files
 * that many read, become versions; old holds make room for new ones; the vault is tended. It takes
 * no more than half of the vault for what no ruling has asked for. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <fcntl.h>

#define KEEPER_REST_NS    (200 * NS_PER_MS)
#define KEEPER_IDLE_NS    (10 * NS_PER_S) /* nothing happens to files, and nothing is left to do */
#define KEEPER_BATCH      64
#define KEEPER_DELETED_NS (10 * NS_PER_S) /* most deletes are judged by then */

/* What the keeper works on, standing apart from the shelf. */
struct keep {
    struct file_key key;
    uint64_t token;
    struct actor_key who;
    struct file_state state;
    int fd;
    char path[SHIELD_PATH_MAX];
};

/* With the lock: a duplicate of the hold and all that saving needs. */
static bool keep_begin(struct file_row *row, struct keep *keep)
{
    struct stat stat;

    keep->fd = fcntl(row->fd, F_DUPFD_CLOEXEC, 0);
    if (keep->fd < 0 || fstat(keep->fd, &stat) != 0 ||
        fd_path(keep->fd, keep->path, sizeof(keep->path)) < 0) {
        closep(&keep->fd);
        return false;
    }
    keep->path[files_plain_path(keep->path, stat.st_nlink == 0).len] = '\0';
    file_state_of(&stat, &keep->state);
    keep->key = row->key;
    keep->token = shelf_token(row);
    keep->who = row->writer;
    row->is_kept = true;
    return true;
}

/* Saves and writes the version into the row, if it still is there. Without the lock. */
static uint64_t keep_finish(struct shield *shield, struct keep *keep)
{
    uint64_t version = shield_save(shield, keep->fd, str_from(keep->path), keep->who, NULL);
    struct file_row *row;

    pthread_mutex_lock(&shield->lock);
    row = shelf_by_token(shield->shelf, keep->token);
    if (row != NULL) {
        row->is_kept = false;
        if (version != 0) {
            row->version = version;
            row->saved = keep->state;
        }
        shelf_let_go(shield->shelf, row);
    }
    pthread_mutex_unlock(&shield->lock);
    return version;
}

uint64_t shield_resolve(struct shield *shield, uint64_t version, struct str path)
{
    struct keep keep = {.fd = -1};
    struct file_row *row;
    bool is_begun = false;
    uint64_t saved = 0;

    if (!shelf_is_token(version)) {
        return version;
    }
    pthread_mutex_lock(&shield->lock);
    row = shelf_by_token(shield->shelf, version);
    if (row != NULL && row->fd >= 0) {
        is_begun = keep_begin(row, &keep);
    } else if (row != NULL) {
        saved = row->version;
    }
    pthread_mutex_unlock(&shield->lock);
    if (is_begun) {
        if (path.len != 0 && path.len < sizeof(keep.path)) {
            memcpy(keep.path, path.ptr, path.len);
            keep.path[path.len] = '\0';
        }
        saved = keep_finish(shield, &keep);
        closep(&keep.fd);
    }
    return saved;
}

/* One file that was deleted some time ago, or that crowds. False when there is none. */
static bool keeper_save_hold(struct shield *shield, bool has_budget)
{
    struct keep keep = {.fd = -1};
    struct file_row *row;
    bool is_begun = false;

    pthread_mutex_lock(&shield->lock);
    row = shelf_oldest_deleted(shield->shelf, shield_now() - KEEPER_DELETED_NS);
    if (row == NULL && shelf_is_crowded(shield->shelf)) {
        row = shelf_oldest_hold(shield->shelf);
    }
    if (row != NULL && has_budget && (row->version == 0 || row->is_deleted)) {
        is_begun = keep_begin(row, &keep);
    }
    if (row != NULL && !is_begun) {
        shelf_let_go(shield->shelf, row);
    }
    pthread_mutex_unlock(&shield->lock);
    if (is_begun) {
        (void)!keep_finish(shield, &keep);
        closep(&keep.fd);
    }
    return row != NULL;
}

/* A file that many open to read: once it is saved, nobody has to wait for it any more. */
static void keeper_settle_hot(struct shield *shield, struct file_key key)
{
    struct keep keep = {.fd = -1};
    struct file_row *row;
    bool is_begun = false;

    pthread_mutex_lock(&shield->lock);
    row = shelf_by_key(shield->shelf, key);
    if (row != NULL && row->fd >= 0 && !row->is_kept && !row->is_deleted && !row->has_many) {
        is_begun = keep_begin(row, &keep);
    }
    pthread_mutex_unlock(&shield->lock);
    if (!is_begun) {
        return;
    }
    if (keep_finish(shield, &keep) != 0) {
        shield_settle(shield, keep.fd, &keep.state);
    }
    closep(&keep.fd);
}

/* Without the lock, which everybody waits for. */
static void keeper_close_drops(struct shield *shield)
{
    int drops[KEEPER_BATCH];
    size_t count;

    do {
        count = 0;
        pthread_mutex_lock(&shield->lock);
        while (count < KEEPER_BATCH && (drops[count] = shelf_take_drop(shield->shelf)) >= 0) {
            count++;
        }
        pthread_mutex_unlock(&shield->lock);
        for (size_t i = 0; i < count; i++) {
            closep(&drops[i]);
        }
    } while (count == KEEPER_BATCH);
}

/* Whatever happens to files from here on wakes it. */
static bool keeper_may_rest(struct shield *shield)
{
    bool has_deleted;

    pthread_mutex_lock(&shield->lock);
    has_deleted = shelf_oldest_deleted(shield->shelf, INT64_MAX) != NULL;
    pthread_mutex_unlock(&shield->lock);
    atomic_store(&shield->is_keeper_resting, true);
    if (has_deleted || shield_now() - atomic_load(&shield->files_stirred) < SHIELD_STIR_NS) {
        atomic_store(&shield->is_keeper_resting, false);
    }
    return atomic_load(&shield->is_keeper_resting);
}

/* How long to rest afterwards. */
static int64_t keeper_work(struct shield *shield)
{
    struct file_key hot[SHIELD_HOT_MAX];
    bool has_budget = !vault_is_half_full(shield->vault);
    bool is_idle = false;
    size_t hot_count;

    pthread_mutex_lock(&shield->lock);
    hot_count = shield->hot_count;
    memcpy(hot, shield->hot, hot_count * sizeof(hot[0]));
    shield->hot_count = 0;
    pthread_mutex_unlock(&shield->lock);
    for (size_t i = 0; has_budget && i < hot_count; i++) {
        keeper_settle_hot(shield, hot[i]);
    }
    for (int i = 0; i < KEEPER_BATCH && keeper_save_hold(shield, has_budget); i++) {
    }
    keeper_close_drops(shield);
    shield_keep_folders(shield);
    (void)!vault_tend(shield->vault, &is_idle); /* what fails is tried again, and shows in saves */
    return is_idle && keeper_may_rest(shield) ? KEEPER_IDLE_NS : KEEPER_REST_NS;
}

static void *keeper_run(void *context)
{
    struct shield *shield = context;
    int64_t rest = KEEPER_REST_NS;
    bool is_ending = false;

    (void)!thread_lower_priority();
    while (!is_ending) {
        struct timespec until;

        pthread_mutex_lock(&shield->keeper_lock);
        if (!atomic_load(&shield->is_keeper_resting)) { /* something has happened since the work */
            rest = KEEPER_REST_NS;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (until.tv_nsec + rest) / NS_PER_S;
        until.tv_nsec = (until.tv_nsec + rest) % NS_PER_S;
        if (!shield->is_keeper_ending) {
            (void)pthread_cond_clockwait(&shield->keeper_wake, &shield->keeper_lock,
                                         CLOCK_MONOTONIC, &until);
        }
        is_ending = shield->is_keeper_ending;
        pthread_mutex_unlock(&shield->keeper_lock);
        if (!is_ending) {
            rest = keeper_work(shield);
        }
    }
    return NULL;
}

int shield_keeper_start(struct shield *shield)
{
    int r = thread_start("keeper", keeper_run, shield, &shield->keeper);

    shield->has_keeper = r == 0;
    return r;
}

void shield_keeper_stop(struct shield *shield)
{
    if (!shield->has_keeper) {
        return;
    }
    pthread_mutex_lock(&shield->keeper_lock);
    shield->is_keeper_ending = true;
    pthread_cond_signal(&shield->keeper_wake);
    pthread_mutex_unlock(&shield->keeper_lock);
    pthread_join(shield->keeper, NULL);
    shield->has_keeper = false;
}

void shield_keeper_wake(struct shield *shield)
{
    pthread_mutex_lock(&shield->keeper_lock);
    pthread_cond_signal(&shield->keeper_wake);
    pthread_mutex_unlock(&shield->keeper_lock);
}
