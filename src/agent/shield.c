/* The shield's life, and who is who: from a thread id to an actor the judge knows, with everyone
 * above it. */
#include "agent/shield.h"

#include "agent/shield/private.h"
#include "agent/watchdog.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/thread.h"

#define SHIELD_ACTORS   8192
#define SHIELD_ROWS     32768
#define SHIELD_ALIASES  1024
#define SHIELD_FACTS    196608 /* files; 8 MB */
#define SHIELD_CHANGES  4096
#define SHIELD_FOLDERS  16384
#define ANCESTORS_DEPTH 12
#define CALM_NS         (10 * NS_PER_S)
#define FORK_LATE_NS    (5 * NS_PER_S) /* that a fork may be told later than it was */

int64_t shield_now(void)
{
    return clock_mono(&clock_real);
}

static int shield_init(struct shield *shield, const struct shield_config *config)
{
    int r;

    shield->look_room = mem_alloc(1, sizeof(*shield->look_room));
    if (shield->look_room == NULL) {
        return -ERR_NOMEM;
    }
    r = judge_new(&judge_limits_default, &shield->judge);
    if (r == 0) {
        r = actors_new(SHIELD_ACTORS, &shield->actors);
    }
    if (r == 0) {
        r = shelf_new(SHIELD_ROWS, config->holds_max, &shield->shelf);
    }
    if (r == 0) {
        r = aliases_new(SHIELD_ALIASES, &shield->aliases);
    }
    if (r == 0) {
        r = facts_new(SHIELD_FACTS, SHIELD_CHANGES, &shield->facts);
    }
    if (r == 0) {
        r = folders_new(SHIELD_FOLDERS, &shield->folders);
    }
    if (r == 0) {
        r = openers_new(&shield->openers);
    }
    return r;
}

int shield_new(const struct shield_config *config, struct shield **ret_shield)
{
    struct shield *shield = mem_alloc(1, sizeof(*shield));
    int r;

    if (shield == NULL) {
        return -ERR_NOMEM;
    }
    shield->pid = getpid();
    shield->settings = config->settings;
    shield->mode = agent_settings_mode(config->settings);
    shield->page = config->page;
    shield->port = config->port;
    shield->scanner = config->scanner;
    shield->leash = config->leash;
    shield->wake_fd = config->wake_fd;
    shield->watch_fd = config->watch_fd;
    shield_know_own_program(shield);
    list_init(&shield->jobs);
    thread_mutex_init(&shield->lock);
    thread_mutex_init(&shield->look_lock);
    pthread_mutex_init(&shield->jobs_lock, NULL);
    pthread_mutex_init(&shield->keeper_lock, NULL);
    pthread_cond_init(&shield->keeper_wake, NULL);
    r = shield_init(shield, config);
    if (r < 0) {
        shield_free(shield);
        return r;
    }
    *ret_shield = shield;
    return 0;
}

void shield_stop(struct shield *shield)
{
    shield_walk_stop(shield);
    shield_keeper_stop(shield);
}

void shield_free(struct shield *shield)
{
    if (shield == NULL) {
        return;
    }
    shield_stop(shield);
    LIST_EACH (node, &shield->jobs) {
        list_remove(node);
        shield_job_free(LIST_ENTRY(node, struct shield_job, link));
    }
    for (size_t i = 0; i < shield->case_count; i++) {
        shield_case_free(shield->cases[i]);
    }
    judge_free(shield->judge);
    actors_free(shield->actors);
    shelf_free(shield->shelf);
    aliases_free(shield->aliases);
    facts_free(shield->facts);
    folders_free(shield->folders);
    openers_free(shield->openers);
    mem_free(shield->look_room);
    pthread_mutex_destroy(&shield->lock);
    pthread_mutex_destroy(&shield->look_lock);
    pthread_mutex_destroy(&shield->jobs_lock);
    pthread_mutex_destroy(&shield->keeper_lock);
    pthread_cond_destroy(&shield->keeper_wake);
    mem_free(shield);
}

static void shield_stir_owner(struct shield *shield, int64_t now)
{
    uint64_t one = 1;

    atomic_store(&shield->stirred, now); /* before the look at is_resting, as shield_rests has it */
    if (atomic_load(&shield->is_resting) && atomic_exchange(&shield->is_resting, false)) {
        (void)!write(shield->wake_fd, &one, sizeof(one));
    }
}

void shield_stir(struct shield *shield, int64_t now)
{
    shield_stir_owner(shield, now);
    atomic_store(&shield->files_stirred, now); /* before the look, as keeper_may_rest has it */
    if (atomic_load(&shield->is_keeper_resting) &&
        atomic_exchange(&shield->is_keeper_resting, false)) {
        shield_keeper_wake(shield);
    }
}

bool shield_rests(struct shield *shield, int64_t now)
{
    atomic_store(&shield->is_resting, true);
    if (now - atomic_load(&shield->stirred) < SHIELD_STIR_NS || shield_is_restoring(shield)) {
        atomic_store(&shield->is_resting, false);
    }
    return atomic_load(&shield->is_resting);
}

static bool shield_is_exempt(void *context, pid_t tid)
{
    const struct shield *shield = context;

    return tid == shield->pid || thread_is_own(tid) || page_is_own(shield->page, tid);
}

static void shield_begins(void *context, int64_t now)
{
    struct shield *shield = context;

    atomic_store(&shield->page->busy, now);
    watchdog_stir(shield->page, shield->watch_fd);
}

static void shield_beat(void *context, int64_t now, int64_t oldest)
{
    struct shield *shield = context;

    atomic_store(&shield->page->oldest, oldest);
    atomic_store(&shield->page->beat, now);
    atomic_store(&shield->page->busy, 0);
}

/* While files are being destroyed, each name event counts; otherwise they are taken in handfuls. */
static bool shield_is_calm(void *context)
{
    struct shield *shield = context;
    bool is_calm;

    pthread_mutex_lock(&shield->lock);
    is_calm = judge_is_calm(shield->judge, shield_now(), CALM_NS);
    pthread_mutex_unlock(&shield->lock);
    return is_calm;
}

struct files_port shield_files_port(struct shield *shield)
{
    struct files_port port = {.context = shield,
                              .is_exempt = shield_is_exempt,
                              .begins = shield_begins,
                              .beat = shield_beat,
                              .glanced = shield_glanced,
                              .opened = shield_opened,
                              .weighed = shield_weighed,
                              .held = shield_held,
                              .named = shield_named,
                              .asked = shield_asked,
                              .is_calm = shield_is_calm,
                              .processes = {shield, shield_process_changed}};

    return port;
}

int shield_attach(struct shield *shield, struct files *files, struct vault *vault)
{
    shield->files = files;
    shield->vault = vault;
    return shield_keeper_start(shield);
}

void shield_step(struct shield *shield, struct judge_step *step, struct shield_job **ret_job)
{
    bool was_stopped = judge_is_stopped(shield->judge, step->who);
    bool is_ruling = false;

    step->time = shield_now();
    if (judge_step(shield->judge, step, &is_ruling) < 0) {
        atomic_fetch_add(&shield->unjudged, 1);
    }
    if (!is_ruling) {
        return;
    }
    /* more damage by a group at rest is no news for the brake; the owner adds it up */
    if (!was_stopped && *ret_job == NULL) {
        (void)!shield_job_new(shield, ret_job); /* without memory it is news too */
    }
}

void shield_note_news(struct shield *shield, struct actor_key who)
{
    pthread_mutex_lock(&shield->lock);
    (void)judge_announce(shield->judge, who);
    pthread_mutex_unlock(&shield->lock);
}

static void shield_tell_actor(struct shield *shield, const struct actor_row *row)
{
    struct judge_step step = {
        .kind = JUDGE_STEP_ACTOR, .who = row->actor.key, .actor = &row->actor};
    struct shield_job *job = NULL;

    shield_step(shield, &step, &job);
    shield_job_free(job); /* a process that only came to be does no harm */
}

/* With the lock: the process and those above it, topmost first, so that each finds its parent. */
static int shield_put_actors(struct shield *shield, const struct process_info *infos, size_t count,
                             struct actor_key *ret_who)
{
    struct actor_key parent = {0};
    int r = 0;

    if (count != 0) {
        const struct actor_row *above = actors_get_pid(shield->actors, infos[count - 1].ppid);

        parent = above != NULL ? above->actor.key : parent;
    }
    for (size_t i = count; r == 0 && i > 0; i--) {
        struct actor_row *row;

        r = actors_put(shield->actors, &infos[i - 1], parent, &row);
        if (r == 0) {
            parent = row->actor.key;
            shield_tell_actor(shield, row);
        }
    }
    *ret_who = parent;
    return r;
}

/* Reads a process and what is above it and not known yet. Slow, and without the lock: reading a
 * command line waits for that process's memory map. */
static int shield_meet(struct shield *shield, pid_t pid, struct actor_key *ret_who)
{
    CLEANUP(mem_freep) struct process_info *infos = mem_alloc(ANCESTORS_DEPTH, sizeof(*infos));
    size_t count = 0;
    bool is_known = false;
    int r;

    if (infos == NULL) {
        return -ERR_NOMEM;
    }
    r = process_read(pid, &infos[0]);
    if (r < 0) {
        return r;
    }
    for (count = 1; count < ANCESTORS_DEPTH && infos[count - 1].ppid > 1 && !is_known;) {
        pid_t parent = infos[count - 1].ppid;
        const struct actor_row *row;

        if (process_read_stat(parent, &infos[count]) < 0) {
            break;
        }
        pthread_mutex_lock(&shield->lock);
        row = actors_get(shield->actors, (struct actor_key){parent, infos[count].start});
        is_known = row != NULL && strcmp(row->comm, infos[count].comm) == 0;
        pthread_mutex_unlock(&shield->lock);
        if (!is_known && process_read(parent, &infos[count]) == 0) {
            count++;
        } else if (!is_known) {
            break;
        }
    }
    pthread_mutex_lock(&shield->lock);
    r = shield_put_actors(shield, infos, count, ret_who);
    pthread_mutex_unlock(&shield->lock);
    return r;
}

int shield_who(struct shield *shield, pid_t tid, struct actor_key *ret_who)
{
    struct process_info info;
    const struct actor_row *row;
    bool is_known;
    int r = process_read_stat(tid, &info);

    if (r < 0) {
        return r;
    }
    *ret_who = (struct actor_key){info.pid, info.start};
    pthread_mutex_lock(&shield->lock);
    row = actors_get(shield->actors, *ret_who);
    is_known = row != NULL && strcmp(row->comm, info.comm) == 0; /* exec changes it */
    pthread_mutex_unlock(&shield->lock);
    return is_known ? 0 : shield_meet(shield, info.pid, ret_who);
}

int shield_who_was(struct shield *shield, pid_t pid, struct actor_key *ret_who)
{
    struct actor_row *row;
    int r = 0;

    pthread_mutex_lock(&shield->lock);
    row = actors_get_pid(shield->actors, pid);
    if (row != NULL) {
        *ret_who = row->actor.key;
    }
    if (row != NULL && row->is_gone) { /* the judge may have forgotten it: its end is told first */
        shield_tell_actor(shield, row);
    }
    pthread_mutex_unlock(&shield->lock);
    if (row != NULL || shield_meet(shield, pid, ret_who) == 0) {
        return 0;
    }
    pthread_mutex_lock(&shield->lock);
    r = actors_put_unseen(shield->actors, pid, &row);
    if (r == 0) {
        *ret_who = row->actor.key;
        shield_tell_actor(shield, row);
    }
    pthread_mutex_unlock(&shield->lock);
    return r;
}

static void shield_forked(struct shield *shield, pid_t pid, pid_t parent)
{
    int64_t oldest = (shield_now() - FORK_LATE_NS) / (NS_PER_S / sysconf(_SC_CLK_TCK));

    pthread_mutex_lock(&shield->lock);
    actors_forked(shield->actors, pid, parent, oldest > 0 ? (uint64_t)oldest : 0);
    pthread_mutex_unlock(&shield->lock);
}

static void shield_ended(struct shield *shield, pid_t pid)
{
    struct judge_step step = {.kind = JUDGE_STEP_EXIT};
    struct shield_job *job = NULL;
    const struct actor_row *row;

    pthread_mutex_lock(&shield->lock);
    row = actors_ended(shield->actors, pid);
    if (row != NULL) {
        step.who = row->actor.key;
        shield_step(shield, &step, &job);
    }
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
}

void shield_process_changed(void *context, const struct procwatch_event *event)
{
    struct shield *shield = context;
    struct actor_key who;

    shield_stir_owner(shield, shield_now());
    switch (event->kind) {
    case PROCWATCH_FORK:
        shield_forked(shield, event->pid, event->ppid);
        break;
    case PROCWATCH_START:
        if (!page_is_own(shield->page, event->pid) &&
            shield_meet(shield, event->pid, &who) == 0) { /* else its fork is remembered */
            shield_brake(shield, who);
        }
        break;
    case PROCWATCH_END:
        shield_ended(shield, event->pid);
        break;
    default:
        break;
    }
}

void shield_describe(struct shield *shield, struct actor_key who, struct arena *arena,
                     struct finding_process *ret_process)
{
    pthread_mutex_lock(&shield->lock);
    actors_describe(shield->actors, who, arena, ret_process);
    pthread_mutex_unlock(&shield->lock);
}

uint64_t shield_stopped_groups(const struct shield *shield)
{
    uint64_t count = 0;

    for (size_t i = 0; i < shield->case_count; i++) {
        const struct shield_case *known = shield->cases[i];

        count += known->action == FINDING_ACTION_PAUSED ||
                         known->action == FINDING_ACTION_STOPPED ||
                         known->action == FINDING_ACTION_RESTORED
                     ? 1U
                     : 0U;
    }
    return count;
}

void shield_fill_status(struct shield *shield, struct status *status)
{
    struct files_counts counts = files_counts(shield->files);
    struct vault_usage usage;

    status->gate_opens = counts.opens;
    status->gate_late = counts.late + atomic_load(&shield->page->let_go);
    if (vault_usage(shield->vault, &usage) == 0) {
        status->vault_bytes = usage.bytes;
        status->vault_limit = usage.limit;
        status->vault_versions = usage.versions;
    }
    status->stopped_groups = shield_stopped_groups(shield);
}
