/* The glance: what the gate's reader settles by itself, so that nobody else must be woken for it.
 * That is an open for reading, or the first of a file that was made this moment, by a thread that
 * is known and whose group has no open questions beyond what it may. Nothing is saved, looked at or
 * waited for here; whatever is in doubt is a worker's (shield/open.c). */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "sys/thread.h"

#include <fcntl.h>

#define NEWBORN_NS (100 * NS_PER_MS)
#define FOLLOW_MAX 2048U /* opens between two looks at where the opener runs */

/* The thread's process, if it is one that the shield has met as it is now. */
static struct opener *glance_who(struct shield *shield, pid_t tid)
{
    struct opener *opener = openers_find(shield->openers, tid);
    struct process_info info;
    const struct actor_row *row;
    bool is_known;

    if (opener != NULL || openers_meet(shield->openers, tid, &info, &opener) < 0) {
        return opener;
    }
    pthread_mutex_lock(&shield->lock);
    row = actors_get(shield->actors, opener->who);
    is_known = row != NULL && strcmp(row->comm, info.comm) == 0; /* exec changes it */
    pthread_mutex_unlock(&shield->lock);
    return is_known ? opener : NULL;
}

/* Two threads that wait for each other do so fastest on one processor: the reader goes where a
 * thread is that opens much. It looks ever more seldom after one that does not stay. */
static void glance_follow(struct opener *opener)
{
    if (opener->opens < opener->follow_at) {
        return;
    }
    if (thread_visit_cpu(process_thread_cpu(&opener->thread)) != 1) {
        opener->follow_step = OPENER_STEP;
    } else if (opener->follow_step < FOLLOW_MAX) {
        opener->follow_step *= 2;
    }
    opener->follow_at = opener->opens + opener->follow_step;
}

/* Empty, and made this moment: there is nothing in it that could be lost. */
static bool glance_is_newborn(const struct files_open *open)
{
    struct statx born;
    int64_t age;

    if (open->stat.st_size != 0 || open->stat.st_nlink != 1 ||
        statx(open->fd, "", AT_EMPTY_PATH, STATX_BTIME, &born) != 0 ||
        (born.stx_mask & STATX_BTIME) == 0) {
        return false;
    }
    age = clock_wall(&clock_real) -
          ((int64_t)born.stx_btime.tv_sec * NS_PER_S + born.stx_btime.tv_nsec);
    return age >= -NEWBORN_NS && age < NEWBORN_NS;
}

/* For certain an open for reading. */
static bool glance_is_read(const struct opener *opener)
{
    struct process_syscall call;

    return process_thread_syscall(&opener->thread, &call) == 0 &&
           process_syscall_is_write_open(&call) == 0;
}

/* With the lock. */
static bool glance_may_pass(struct shield *shield, const struct visit *visit)
{
    if (actors_get(shield->actors, visit->who) == NULL ||
        judge_is_stopped(shield->judge, visit->who)) {
        return false;
    }
    return visit->is_write ? shelf_by_handle(shield->shelf, &visit->handle) == NULL
                           : judge_excess(shield->judge, visit->who) == 0;
}

bool shield_glanced(void *context, struct files_open *open)
{
    struct shield *shield = context;
    struct opener *opener = glance_who(shield, open->tid);
    struct visit visit = {0};
    struct shield_job *job = NULL;
    bool is_known;
    bool may_pass;

    shield_stir(shield, open->arrived);
    if (opener == NULL || shield_visit_init(&visit, open) < 0) {
        return false;
    }
    visit.who = opener->who;
    glance_follow(opener);
    visit.is_write = glance_is_newborn(open);
    if (!visit.is_write && !glance_is_read(opener)) {
        return false;
    }
    thread_mutex_lock_soon(&shield->lock);
    is_known = shield_knows_folder(shield, visit.path, visit.who);
    if (!is_known) {
        pthread_mutex_unlock(&shield->lock);
        is_known = shield_glance_folder(shield, &visit);
        thread_mutex_lock_soon(&shield->lock);
    }
    may_pass = is_known && glance_may_pass(shield, &visit);
    if (may_pass) {
        shield_note_visit(shield, &visit, &job);
    }
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
    return may_pass;
}
