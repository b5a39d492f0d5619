/* The brake: what a ruling does at once, on the thread that met it. The rest (case, finding,
 * restore) is the owner's. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <signal.h>

#define RULING_LIMIT (32U << 20)

bool shield_is_spared(void *context, pid_t pid)
{
    const struct shield *shield = context;

    return pid == getpid() || page_is_own(shield->page, pid);
}

int shield_job_new(struct shield *shield, struct shield_job **ret_job)
{
    struct shield_job *job = mem_alloc(1, sizeof(*job));
    int r;

    if (job == NULL) {
        return -ERR_NOMEM;
    }
    list_init(&job->link);
    r = arena_new(RULING_LIMIT, &job->arena);
    if (r == 0) {
        r = judge_ruling(shield->judge, job->arena, &job->ruling);
    }
    if (r < 0) {
        shield_job_free(job);
        return r;
    }
    *ret_job = job;
    return 0;
}

void shield_job_free(struct shield_job *job)
{
    if (job != NULL) {
        arena_free(job->arena);
        mem_free(job);
    }
}

void shield_act(struct shield *shield, struct shield_job *job)
{
    const struct freeze_port port = {shield, shield_is_spared};
    uint64_t one = 1;

    if (job == NULL) {
        return;
    }
    for (size_t i = 0; i < job->ruling.group_count; i++) {
        (void)freeze_add(&job->group, &port, job->ruling.group[i].pid, job->ruling.group[i].start);
    }
    if (shield->mode != AGENT_MODE_DETECT_ONLY) {
        (void)freeze_stop(&job->group, &port);
        shield_let_loose(shield, &job->group);
        job->stopped = shield_now();
    }
    pthread_mutex_lock(&shield->jobs_lock);
    list_append(&shield->jobs, &job->link);
    pthread_mutex_unlock(&shield->jobs_lock);
    (void)!write(shield->wake_fd, &one, sizeof(one));
}

/* A member that runs although its group was stopped: born while the others were being stopped, or
 * let go by somebody else. It is not refused, so that a false alarm leaves it unharmed. */
void shield_stop_straggler(struct shield *shield, struct actor_key who)
{
    CLEANUP(closep) int pidfd = -1;

    if (shield->mode == AGENT_MODE_DETECT_ONLY || shield_is_spared(shield, who.pid)) {
        return;
    }
    pidfd = process_open(who.pid, who.start);
    if (pidfd >= 0) {
        (void)!process_signal(pidfd, SIGSTOP);
    }
    shield_note_news(shield, who);
}
