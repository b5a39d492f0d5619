/* Cases: what the owner's thread makes of rulings. All that the stopped group has done to names is
 * heard first; then its damage is bound in the vault (shield/damage.c), before anything is
 * restored, so that nothing of it can be evicted; the finding is told before the restore and again
 * after it. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/process.h"

#include <fcntl.h>
#include <sys/stat.h>

#define CASE_ARENA_LIMIT (8U << 20)
#define CASE_MARKS_MAX   (2U << 20)
#define CASE_REST_MS     1500 /* of one try; the leash may let one stand for several */
#define CASE_RESTLESS    8    /* times a restore is put off */
#define CASE_NEWS_NS     (50 * NS_PER_MS)
#define CASE_HEAR_NS     (1500 * NS_PER_MS) /* what is heard later cannot mend what was bound */
#define LOOK_OVERDUE_NS  (NS_PER_S)

void shield_case_free(struct shield_case *shield_case)
{
    if (shield_case != NULL) {
        size_t cursor = 0;
        struct damage_mark *mark;

        while ((mark = map_next(&shield_case->marks, &cursor)) != NULL) {
            mem_free(mark);
        }
        map_done(&shield_case->marks);
        arena_free(shield_case->arena);
        mem_free(shield_case);
    }
}

struct shield_case *shield_case_find(struct shield *shield, const struct id *id)
{
    for (size_t i = 0; i < shield->case_count; i++) {
        if (id_is(&shield->cases[i]->id, id)) {
            return shield->cases[i];
        }
    }
    return NULL;
}

static bool case_shares(const struct shield_case *known, const struct judge_ruling *ruling)
{
    for (size_t i = 0; i < known->group.count; i++) {
        for (size_t j = 0; j < ruling->group_count; j++) {
            if (known->group.members[i].pid == ruling->group[j].pid &&
                known->group.members[i].start == ruling->group[j].start) {
                return true;
            }
        }
    }
    return actor_key_is(known->root, ruling->root) || actor_key_is(known->culprit, ruling->culprit);
}

/* The one that began with it, else the newest that it has come into. */
static struct shield_case *case_of_ruling(struct shield *shield, const struct judge_ruling *ruling)
{
    for (size_t i = shield->case_count; i > 0; i--) {
        struct shield_case *known = shield->cases[i - 1];

        if (!known->is_forgiven && actor_key_is(known->culprit, ruling->culprit)) {
            return known;
        }
    }
    for (size_t i = shield->case_count; i > 0; i--) {
        struct shield_case *known = shield->cases[i - 1];

        if (!known->is_forgiven && case_shares(known, ruling)) {
            return known;
        }
    }
    return NULL;
}

/* Room for one more: the oldest that nobody waits for goes. */
static void case_make_room(struct shield *shield)
{
    size_t at = 0;

    if (shield->case_count < SHIELD_CASES_MAX) {
        return;
    }
    while (at + 1 < shield->case_count && !shield->cases[at]->is_forgiven &&
           shield->cases[at]->action != FINDING_ACTION_KILLED) {
        at++;
    }
    at = at + 1 < shield->case_count ? at : 0;
    shield_case_free(shield->cases[at]);
    memmove(&shield->cases[at], &shield->cases[at + 1],
            (shield->case_count - at - 1) * sizeof(shield->cases[0]));
    shield->case_count--;
}

static void case_describe(struct shield *shield, struct shield_case *made,
                          const struct judge_ruling *ruling)
{
    struct actor_key above = ruling->culprit;

    made->root = ruling->root;
    made->culprit = ruling->culprit;
    shield_describe(shield, ruling->culprit, made->arena, &made->process);
    while (made->ancestor_count < FINDING_ANCESTORS_MAX) {
        const struct actor_row *row;

        pthread_mutex_lock(&shield->lock);
        row = actors_get(shield->actors, above);
        if (row != NULL) {
            shield_case_meet(shield, made, row);
        }
        above = row != NULL ? row->actor.parent : (struct actor_key){0};
        pthread_mutex_unlock(&shield->lock);
        if (above.pid == 0) {
            break;
        }
        shield_describe(shield, above, made->arena, &made->ancestors[made->ancestor_count++]);
    }
}

static int case_new(struct shield *shield, const struct judge_ruling *ruling,
                    struct shield_case **ret_case)
{
    struct shield_case *made = mem_alloc(1, sizeof(*made));
    int r;

    if (made == NULL) {
        return -ERR_NOMEM;
    }
    map_init(&made->marks, CASE_MARKS_MAX, shield->seed);
    r = arena_new(CASE_ARENA_LIMIT, &made->arena);
    if (r == 0) {
        made->files = arena_alloc(made->arena, FINDING_FILES_MAX, sizeof(*made->files));
        r = made->files != NULL ? id_new(&made->id) : -ERR_NOMEM;
    }
    if (r < 0) {
        shield_case_free(made);
        return r;
    }
    case_describe(shield, made, ruling);
    case_make_room(shield);
    shield->cases[shield->case_count++] = made;
    *ret_case = made;
    return 0;
}

static void case_take_reasons(struct shield_case *known, const struct judge_ruling *ruling)
{
    known->score = ruling->score;
    known->reason_count = 0;
    for (size_t i = 0; i < ruling->reason_count && i < FINDING_WHY_MAX; i++) {
        struct finding_reason *reason = &known->reasons[known->reason_count++];

        reason->what = arena_copy(known->arena, ruling->reasons[i].what);
        reason->value = arena_copy(known->arena, ruling->reasons[i].value);
        reason->score = ruling->reasons[i].score;
    }
}

/* A file that a stopped process has open for writing is laid to it, whoever opened it: the
 * descriptor may have been handed over, and the last write cut short. */
static void case_meet_writable(void *context, pid_t pid, const char *link)
{
    struct shield *shield = context;
    struct judge_step step = {.kind = JUDGE_STEP_WRITE};
    struct shield_job *job = NULL;
    const struct file_row *row;
    struct stat stat;

    if (fstatat(AT_FDCWD, link, &stat, 0) != 0 || !S_ISREG(stat.st_mode) ||
        shield_who_was(shield, pid, &step.who) < 0) {
        return;
    }
    step.file = (struct file_key){stat.st_dev, stat.st_ino};
    step.size = (uint64_t)stat.st_size;
    pthread_mutex_lock(&shield->lock);
    row = shelf_by_key(shield->shelf, step.file);
    if (row != NULL && row->version != 0) {
        step.version = row->version;
        shield_step(shield, &step, &job);
    }
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
}

/* What was destroyed up to the moment of rest is asked for once more: the last file was half-way.
 */
static void case_refresh(struct shield *shield, struct shield_job *job)
{
    struct shield_job *fresh = NULL;

    for (size_t i = 0; i < job->group.count && job->stopped != 0; i++) {
        process_each_writable(job->group.members[i].pid, case_meet_writable, shield);
    }
    pthread_mutex_lock(&shield->lock);
    judge_ask_stopped(shield->judge, job->ruling.culprit);
    pthread_mutex_unlock(&shield->lock);
    shield_look_all(shield, job->ruling.culprit);
    pthread_mutex_lock(&shield->lock);
    if (judge_announce(shield->judge, job->ruling.culprit) && shield_job_new(shield, &fresh) == 0) {
        struct arena *arena = job->arena;

        job->arena = fresh->arena;
        job->ruling = fresh->ruling;
        fresh->arena = arena;
    }
    pthread_mutex_unlock(&shield->lock);
    shield_job_free(fresh);
}

static void case_add_members(struct shield *shield, struct shield_case *known,
                             const struct shield_job *job)
{
    const struct freeze_port port = {shield, shield_is_spared};
    size_t before = known->group.count;

    for (size_t i = 0; i < job->group.count; i++) {
        (void)freeze_add(&known->group, &port, job->group.members[i].pid,
                         job->group.members[i].start);
    }
    if (job->stopped != 0 && known->group.count != before) {
        shield->port.stopped(shield->port.context, &known->id, &known->group);
    }
}

/* Not while a member is still inside a call, as on a slow disk: what it writes then would go over
 * what was put back, and nobody opens anything to be seen by. Who never rests is not waited for. */
static void case_restore(struct shield *shield, struct shield_case *known, bool has_more,
                         bool is_at_rest)
{
    bool is_wanted =
        known->action == FINDING_ACTION_STOPPED || known->action == FINDING_ACTION_RESTORED ||
        (known->action == FINDING_ACTION_KILLED && shield->mode == AGENT_MODE_STOP_AND_RESTORE);

    known->is_restore_due = is_wanted && (known->is_restore_due || has_more);
    if (!is_at_rest && known->restless < CASE_RESTLESS) {
        known->restless++;
        shield_note_news(shield, known->root);
        return;
    }
    if (known->is_restore_due) {
        known->is_restore_due = false;
        known->is_restoring = true;
        shield->port.restore(shield->port.context, &known->id);
    }
}

void shield_case_take(struct shield *shield, struct shield_job *job)
{
    static const enum finding_action actions[AGENT_MODE_COUNT] = {
        [AGENT_MODE_STOP_AND_RESTORE] = FINDING_ACTION_STOPPED,
        [AGENT_MODE_PAUSE_AND_ASK] = FINDING_ACTION_PAUSED,
        [AGENT_MODE_DETECT_ONLY] = FINDING_ACTION_NONE,
    };
    struct shield_case *known;
    bool is_at_rest = true;
    bool is_heard = true;
    bool is_new;
    size_t bound;

    if (job->stopped != 0) {
        int64_t until;

        is_at_rest = freeze_wait(&job->group, CASE_REST_MS) == 0;
        until = shield_now() + CASE_HEAR_NS;
        is_heard = files_hear_names(shield->files, until);
        files_await_silence(shield->files, until); /* one whose fork is told late may still run */
    }
    case_refresh(shield, job);
    if (!is_heard) {
        shield_note_news(shield, job->ruling.culprit);
    }
    known = case_of_ruling(shield, &job->ruling);
    is_new = known == NULL;
    if (is_new && case_new(shield, &job->ruling, &known) < 0) {
        atomic_fetch_add(&shield->unjudged, 1);
        return;
    }
    if (is_new) {
        known->action_ns = job->stopped != 0 ? job->stopped - job->ruling.first_time : 0;
        known->action = actions[shield->mode];
    }
    case_add_members(shield, known, job);
    case_take_reasons(known, &job->ruling);
    bound = shield_case_bind(shield, known, job, is_heard);
    if (is_new || bound != 0) {
        shield_case_tell(shield, known);
    }
    case_restore(shield, known, bound != 0, is_at_rest);
}

bool shield_is_restoring(const struct shield *shield)
{
    for (size_t i = 0; i < shield->case_count; i++) {
        if (shield->cases[i]->is_restoring || shield->cases[i]->is_restore_due) {
            return true;
        }
    }
    return false;
}

void shield_turn(struct shield *shield)
{
    for (;;) {
        struct shield_job *job = NULL;

        pthread_mutex_lock(&shield->jobs_lock);
        if (!list_is_empty(&shield->jobs)) {
            job = LIST_ENTRY(shield->jobs.next, struct shield_job, link);
            list_remove(&job->link);
        }
        pthread_mutex_unlock(&shield->jobs_lock);
        if (job == NULL) {
            return;
        }
        shield_case_take(shield, job);
        shield_job_free(job);
    }
}

/* Late steps of a group that is stopped, added up; others have their turn at the next tick. */
static void shield_take_news(struct shield *shield)
{
    struct shield_job *job = NULL;

    pthread_mutex_lock(&shield->lock);
    if (judge_announce_news(shield->judge)) {
        (void)!shield_job_new(shield, &job);
    }
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
}

void shield_tick(struct shield *shield, int64_t now)
{
    shield_take_news(shield);
    shield_look_overdue(shield, LOOK_OVERDUE_NS);
    shield_tell_failures(shield, now);
    shield_turn(shield);
}

void shield_done(struct shield *shield, const struct shield_done *done)
{
    struct shield_case *known = shield_case_find(shield, &done->finding);
    bool is_undo = done->action == ACTION_UNDO_RESTORE || done->action == ACTION_RESUME;

    if (known == NULL) {
        return;
    }
    known->is_restoring = false;
    known->result = done->result == 0 && done->report.failed != 0 ? -ERR_BUSY : done->result;
    known->restored = is_undo ? 0 : done->report.restored + done->report.partial;
    if (!is_undo && known->action == FINDING_ACTION_PAUSED) {
        known->action = FINDING_ACTION_RESTORED;
    }
    for (size_t i = 0; i < known->file_count; i++) {
        known->files[i].is_restored = !is_undo && done->report.failed == 0 && done->result == 0 &&
                                      known->files[i].outcome != FILE_OUTCOME_PRODUCT;
    }
    if (done->action != ACTION_RESUME) {
        shield_case_tell(shield, known);
    }
}

void shield_decide(struct shield *shield, enum action action, const struct id *finding,
                   const struct freeze_group *group)
{
    struct shield_case *known = shield_case_find(shield, finding);

    if (action == ACTION_RESUME) {
        pthread_mutex_lock(&shield->lock);
        for (size_t i = 0; i < group->count; i++) {
            judge_forgive(shield->judge,
                          (struct actor_key){group->members[i].pid, group->members[i].start});
        }
        if (known != NULL) {
            judge_forgive(shield->judge, known->root);
            judge_forgive(shield->judge, known->culprit);
        }
        pthread_mutex_unlock(&shield->lock);
        (void)freeze_continue(group);
    }
    if (known == NULL) {
        return;
    }
    known->action = action == ACTION_RESUME ? FINDING_ACTION_RESUMED : FINDING_ACTION_KILLED;
    known->is_forgiven = action == ACTION_RESUME;
    if (known->is_forgiven) {
        (void)!vault_case_close(shield->vault, &known->id); /* at worst its copies stay longer */
    }
    shield_case_tell(shield, known);
}
