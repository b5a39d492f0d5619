/* The children: what each is given, and what happens when one dies. A first death is repaired
 * at once, and one that had been serving or was killed is back within a second however often it
 * dies; one that does not even come up is waited for longer and longer. Both are told. */
#include "agent/guard.h"
#include "agent/inspector.h"
#include "agent/journal.h"
#include "agent/leash.h"
#include "agent/logs.h"
#include "agent/scanner.h"
#include "agent/sensor.h"
#include "agent/supervisor/private.h"
#include "agent/visits.h"
#include "agent/watchdog.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/doze.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <signal.h>
#include <sys/wait.h>

#define CHILD_YOUNG_NS    (10 * NS_PER_S)
#define CHILD_SERVED_NS   NS_PER_S /* lived so long: it had begun its work */
#define CHILD_SOON_NS     (500 * NS_PER_MS)
#define CHILD_DELAY_FIRST (100 * NS_PER_MS)
#define CHILD_DELAY_MAX   (60 * NS_PER_S)
#define CHILD_KEEP_MAX    10
#define CHILD_END_NS      (10 * NS_PER_S)
#define CHILD_LOOP_DEATH  3 /* in a row: told as a finding */

const char *const child_names[CHILD_COUNT] = {
    [CHILD_WATCHDOG] = "watchdog", [CHILD_SCANNER] = "scanner", [CHILD_OUTLET] = "outlet",
    [CHILD_LEASH] = "leash",       [CHILD_SENSOR] = "sensor",   [CHILD_INSPECTOR] = "inspector",
    [CHILD_GUARD] = "guard",       [CHILD_VISITS] = "visits",   [CHILD_LOGS] = "logs",
    [CHILD_JOURNAL] = "journal"};

/* The shared pages say who belongs to us: a child that reads hostile bytes must not have them
 * mapped. Ctrl+C reaches the whole group of a terminal; only the supervisor acts on it, in order.
 */
static const struct supervisor *child_begin(void *context)
{
    (void)signal(SIGINT, SIG_IGN);
    return context;
}

static int child_run_watchdog(void *context)
{
    const struct supervisor *supervisor = child_begin(context);

    return watchdog_run(supervisor->page, supervisor->fds[SENSOR_KIND_FILES][0],
                        supervisor->watch_fd);
}

static int child_run_scanner(void *context)
{
    const struct supervisor *supervisor = child_begin(context);

    page_free(supervisor->page);
    intake_page_free(supervisor->intake);
    return scanner_run(supervisor->pairs[PAIR_SENSOR_SCANNER][1]);
}

static int child_run_outlet(void *context)
{
    const struct supervisor *supervisor = child_begin(context);
    const struct agent_outlet outlet = {.settings = supervisor->settings,
                                        .sensor = supervisor->pairs[PAIR_SENSOR_OUTLET][1],
                                        .supervisor = supervisor->pairs[PAIR_OUTLET_SUPERVISOR][0],
                                        .logs = supervisor->pairs[PAIR_LOGS_OUTLET][1],
                                        .journal = supervisor->pairs[PAIR_JOURNAL_OUTLET][1],
                                        .intake = supervisor->intake};

    page_free(supervisor->page);
    return supervisor->outlet_body(&outlet);
}

static int child_run_leash(void *context)
{
    const struct supervisor *supervisor = child_begin(context);
    const struct leash_config config = {.sensor = supervisor->pairs[PAIR_SENSOR_LEASH][1],
                                        .user = supervisor->sensor_user};

    page_free(supervisor->page);
    return leash_run(&config);
}

static int child_run_sensor(void *context)
{
    const struct supervisor *supervisor = child_begin(context);
    const struct sensor_config config = {.settings = supervisor->settings,
                                         .page = supervisor->page,
                                         .gate = supervisor->fds[SENSOR_KIND_FILES][0],
                                         .names = supervisor->fds[SENSOR_KIND_FILES][1],
                                         .doze = supervisor->fds[SENSOR_KIND_FILES][2],
                                         .processes = supervisor->fds[SENSOR_KIND_PROCESSES],
                                         .processes_lack =
                                             supervisor->lacks[SENSOR_KIND_PROCESSES].text,
                                         .supervisor = supervisor->pairs[PAIR_SENSOR_SUPERVISOR][0],
                                         .outlet = supervisor->pairs[PAIR_SENSOR_OUTLET][0],
                                         .scanner = supervisor->pairs[PAIR_SENSOR_SCANNER][0],
                                         .leash = supervisor->pairs[PAIR_SENSOR_LEASH][0],
                                         .watch_fd = supervisor->watch_fd,
                                         .places = supervisor->places.list,
                                         .place_count = supervisor->places.count,
                                         .vault_folder = supervisor->places.vault,
                                         .user = supervisor->sensor_user};

    return sensor_run(&config);
}

static int child_run_inspector(void *context)
{
    const struct supervisor *supervisor = child_begin(context);

    page_free(supervisor->page);
    intake_page_free(supervisor->intake);
    return inspector_run(supervisor->pairs[PAIR_GUARD_INSPECTOR][1]);
}

static int child_run_guard(void *context)
{
    const struct supervisor *supervisor = child_begin(context);
    const struct guard_config config = {.settings = supervisor->settings,
                                        .supervisor = supervisor->pairs[PAIR_GUARD_SUPERVISOR][0],
                                        .inspector = supervisor->pairs[PAIR_GUARD_INSPECTOR][0]};

    page_free(supervisor->page);
    intake_page_free(supervisor->intake);
    return guard_run(&config);
}

static int child_run_visits(void *context)
{
    const struct supervisor *supervisor = child_begin(context);
    const struct visits_config config = {.settings = supervisor->settings,
                                         .supervisor =
                                             supervisor->pairs[PAIR_VISITS_SUPERVISOR][0]};

    page_free(supervisor->page);
    intake_page_free(supervisor->intake);
    return visits_run(&config);
}

/* By the clock of now: one that is set right only after boot makes no old log a new one. */
static int64_t logs_wall(int64_t mono)
{
    return clock_wall(&clock_real) - (clock_mono(&clock_real) - mono);
}

static int child_run_logs(void *context)
{
    const struct supervisor *supervisor = child_begin(context);
    int64_t since = supervisor->logs_since;
    const struct logs_config config = {.settings = supervisor->settings,
                                       .supervisor = supervisor->pairs[PAIR_LOGS_SUPERVISOR][0],
                                       .outlet = supervisor->pairs[PAIR_LOGS_OUTLET][0],
                                       .since = since != 0 ? logs_wall(since) : 0};

    page_free(supervisor->page);
    intake_page_free(supervisor->intake);
    return logs_run(&config);
}

static int child_run_journal(void *context)
{
    const struct supervisor *supervisor = child_begin(context);
    const struct journal_config config = {.settings = supervisor->settings,
                                          .supervisor =
                                              supervisor->pairs[PAIR_JOURNAL_SUPERVISOR][0],
                                          .outlet = supervisor->pairs[PAIR_JOURNAL_OUTLET][0]};

    page_free(supervisor->page);
    intake_page_free(supervisor->intake);
    return journal_run(&config);
}

static spawn_body_fn *const child_bodies[CHILD_COUNT] = {
    [CHILD_WATCHDOG] = child_run_watchdog, [CHILD_SCANNER] = child_run_scanner,
    [CHILD_OUTLET] = child_run_outlet,     [CHILD_LEASH] = child_run_leash,
    [CHILD_SENSOR] = child_run_sensor,     [CHILD_INSPECTOR] = child_run_inspector,
    [CHILD_GUARD] = child_run_guard,       [CHILD_VISITS] = child_run_visits,
    [CHILD_LOGS] = child_run_logs,         [CHILD_JOURNAL] = child_run_journal};

/* The descriptors each may have. */
static size_t child_keep(const struct supervisor *supervisor, enum child_kind kind,
                         int keep[CHILD_KEEP_MAX])
{
    size_t count = 0;

    switch (kind) {
    case CHILD_WATCHDOG:
        keep[count++] = supervisor->fds[SENSOR_KIND_FILES][0];
        keep[count++] = supervisor->watch_fd;
        break;
    case CHILD_SCANNER:
        keep[count++] = supervisor->pairs[PAIR_SENSOR_SCANNER][1];
        break;
    case CHILD_OUTLET:
        keep[count++] = supervisor->pairs[PAIR_SENSOR_OUTLET][1];
        keep[count++] = supervisor->pairs[PAIR_OUTLET_SUPERVISOR][0];
        keep[count++] = supervisor->pairs[PAIR_LOGS_OUTLET][1];
        keep[count++] = supervisor->pairs[PAIR_JOURNAL_OUTLET][1];
        break;
    case CHILD_LEASH:
        keep[count++] = supervisor->pairs[PAIR_SENSOR_LEASH][1];
        break;
    case CHILD_SENSOR:
        keep[count++] = supervisor->fds[SENSOR_KIND_FILES][0];
        keep[count++] = supervisor->fds[SENSOR_KIND_FILES][1];
        if (supervisor->fds[SENSOR_KIND_FILES][2] >= 0) {
            keep[count++] = supervisor->fds[SENSOR_KIND_FILES][2];
        }
        for (size_t i = 0; i < 2; i++) { /* what keeps the tracepoints attached stays here */
            if (supervisor->fds[SENSOR_KIND_PROCESSES][i] >= 0) {
                keep[count++] = supervisor->fds[SENSOR_KIND_PROCESSES][i];
            }
        }
        keep[count++] = supervisor->pairs[PAIR_SENSOR_SUPERVISOR][0];
        keep[count++] = supervisor->pairs[PAIR_SENSOR_OUTLET][0];
        keep[count++] = supervisor->pairs[PAIR_SENSOR_SCANNER][0];
        keep[count++] = supervisor->pairs[PAIR_SENSOR_LEASH][0];
        keep[count++] = supervisor->watch_fd;
        break;
    case CHILD_GUARD:
        keep[count++] = supervisor->pairs[PAIR_GUARD_SUPERVISOR][0];
        keep[count++] = supervisor->pairs[PAIR_GUARD_INSPECTOR][0];
        break;
    case CHILD_INSPECTOR:
        keep[count++] = supervisor->pairs[PAIR_GUARD_INSPECTOR][1];
        break;
    case CHILD_VISITS:
        keep[count++] = supervisor->pairs[PAIR_VISITS_SUPERVISOR][0];
        break;
    case CHILD_LOGS:
        keep[count++] = supervisor->pairs[PAIR_LOGS_SUPERVISOR][0];
        keep[count++] = supervisor->pairs[PAIR_LOGS_OUTLET][0];
        break;
    case CHILD_JOURNAL:
        keep[count++] = supervisor->pairs[PAIR_JOURNAL_SUPERVISOR][0];
        keep[count++] = supervisor->pairs[PAIR_JOURNAL_OUTLET][0];
        break;
    case CHILD_COUNT:
    default:
        break;
    }
    return count;
}

/* Whoever kills a part of us again and again must not get pauses for it. */
static bool child_was_killed(int wait_status)
{
    return WIFSIGNALED(wait_status) &&
           (WTERMSIG(wait_status) == SIGKILL || WTERMSIG(wait_status) == SIGTERM);
}

static int64_t child_delay(const struct child *child, bool is_soon)
{
    int64_t most = is_soon ? CHILD_SOON_NS : CHILD_DELAY_MAX;
    int64_t delay = CHILD_DELAY_FIRST;

    if (child->failures <= 1) {
        return 0;
    }
    for (unsigned i = 2; i < child->failures && delay < most; i++) {
        delay *= 2;
    }
    return delay < most ? delay : most;
}

static void child_describe_death(int wait_status, char *out, size_t size)
{
    if (WIFSIGNALED(wait_status)) {
        (void)snprintf(out, size, _("ended by signal %d"), WTERMSIG(wait_status));
    } else {
        (void)snprintf(out, size, _("ended with status %d"), WEXITSTATUS(wait_status));
    }
}

static void child_tell_death(struct child *child, int wait_status)
{
    struct supervisor *supervisor = child->supervisor;
    unsigned stalls = atomic_load(&supervisor->page->stalls);
    char how[80];
    char value[160];

    child_describe_death(wait_status, how, sizeof(how));
    (void)snprintf(value, sizeof(value), "%s: %s", child_names[child->kind], how);
    log_warn("%s", value);
    if (child->kind == CHILD_SENSOR && stalls != supervisor->stalls_told) {
        supervisor->stalls_told = stalls;
        supervisor_tell(supervisor,
                        N_("The gate did not answer for a second; what waited was let go and a new "
                           "sensor was started"),
                        value);
    } else if (child->kind == CHILD_SENSOR) {
        supervisor_tell(supervisor, N_("The sensor was ended by somebody else and started again"),
                        value);
    } else if (child->kind == CHILD_GUARD && child_was_killed(wait_status)) {
        supervisor_tell(supervisor,
                        N_("The webroot guard was ended by somebody else and started again"),
                        value);
    } else if (child->failures == CHILD_LOOP_DEATH) {
        supervisor_tell(supervisor, N_("A part of the agent dies again and again"), value);
    }
}

static void child_on_death(void *context, pid_t pid, int wait_status)
{
    struct child *child = context;
    struct supervisor *supervisor = child->supervisor;
    int64_t lived = clock_mono(&clock_real) - child->started;
    bool is_soon = lived >= CHILD_SERVED_NS || child_was_killed(wait_status);

    if (child->pid != pid) {
        return;
    }
    child->pid = 0;
    atomic_store(&supervisor->page->own[1 + child->kind], 0);
    if (child->kind == CHILD_SENSOR) {
        atomic_store(&supervisor->page->sensor, 0);
        atomic_store(&supervisor->page->oldest, 0);
        atomic_store(&supervisor->page->busy, 0);
        atomic_store(&supervisor->page->beat, 0);
        watchdog_stir(supervisor->page, supervisor->watch_fd);
        if (supervisor->fds[SENSOR_KIND_FILES][0] >= 0) { /* the next may be there before the
                                                           * watchdog looks */
            watchdog_answer_dead(supervisor->page, supervisor->fds[SENSOR_KIND_FILES][0]);
        }
        if (supervisor->fds[SENSOR_KIND_FILES][2] >= 0) { /* it may have died in a row of opens */
            (void)!doze_allow(supervisor->fds[SENSOR_KIND_FILES][2], true);
        }
    }
    if (child->kind == CHILD_OUTLET && WIFEXITED(wait_status)) {
        supervisor->status = WEXITSTATUS(wait_status);
    }
    if (supervisor->state == AGENT_STATE_ENDING) {
        supervisor_end(supervisor);
        return;
    }
    if (supervisor->state == AGENT_STATE_STARTING && child->kind == CHILD_SENSOR) {
        supervisor->result = diag_set(&supervisor->diag, -ERR_CANCELED,
                                      _("the sensor could not start; the line above says why"));
        loop_stop(supervisor->loop, 0);
        return;
    }
    if (supervisor->state == AGENT_STATE_STARTING && child->kind == CHILD_GUARD &&
        supervisor->settings->is_guard_only) {
        supervisor->result =
            diag_set(&supervisor->diag, -ERR_CANCELED,
                     _("the webroot guard could not start; the line above says why"));
        loop_stop(supervisor->loop, 0);
        return;
    }
    if ((child->kind == CHILD_GUARD || child->kind == CHILD_VISITS || child->kind == CHILD_LOGS ||
         child->kind == CHILD_JOURNAL) &&
        WIFEXITED(wait_status) &&
        WEXITSTATUS(wait_status) == EXIT_SUCCESS) { /* what it had open was replaced: opens anew */
        if (child->kind == CHILD_LOGS) {
            supervisor->logs_since = supervisor->logs_started;
        }
        (void)!loop_source_set_timer(child->timer, CHILD_DELAY_FIRST, 0);
        return;
    }
    atomic_fetch_add(&supervisor->page->restarts, 1);
    child->failures = lived < CHILD_YOUNG_NS ? child->failures + 1 : 1;
    child_tell_death(child, wait_status);
    if (loop_source_set_timer(child->timer, child_delay(child, is_soon) + 1, 0) < 0) {
        log_error("%s cannot be started again", child_names[child->kind]);
    }
}

static void child_on_timer(void *context)
{
    struct child *child = context;

    if (child->pid != 0 || child->supervisor->state == AGENT_STATE_ENDING) {
        return;
    }
    if (supervisor_start_child(child->supervisor, child->kind) < 0) {
        (void)!loop_source_set_timer(child->timer, NS_PER_S, 0);
    }
}

int supervisor_start_child(struct supervisor *supervisor, enum child_kind kind)
{
    struct child *child = &supervisor->children[kind];
    int keep[CHILD_KEEP_MAX];
    size_t count = child_keep(supervisor, kind, keep);
    int64_t now = clock_mono(&clock_real);
    pid_t pid = 0;
    int r = kind < CHILD_COUNT ? 0 : -ERR_INVAL;

    if (r < 0) {
        return r;
    }
    child->supervisor = supervisor;
    child->kind = kind;
    if (child->timer == NULL) {
        r = loop_add_timer(supervisor->loop, child_on_timer, child, &child->timer);
    }
    if (r == 0) {
        r = spawn_body(child_names[kind], keep, count, child_bodies[kind], supervisor, &pid);
    }
    if (r < 0) {
        return r;
    }
    child->pid = pid;
    child->started = now;
    if (kind == CHILD_LOGS) {
        supervisor->logs_started = now;
        supervisor->logs_since = supervisor->logs_since != 0 ? supervisor->logs_since : now;
    }
    atomic_store(&supervisor->page->own[1 + kind], pid);
    if (kind == CHILD_SENSOR) {
        atomic_store(&supervisor->page->sensor, pid);
        atomic_store(&supervisor->page->ending, 0);
    }
    return loop_add_child(supervisor->loop, pid, child_on_death, child);
}

/* The watchdog ends a sensor that does not end; this is for the day when it cannot either. */
static void supervisor_on_end_timer(void *context)
{
    struct supervisor *supervisor = context;

    for (int kind = 0; kind < CHILD_COUNT; kind++) {
        const struct child *child = &supervisor->children[kind];

        if (child->pid != 0 && child->is_ending) {
            log_warn("%s does not end and is killed", child_names[kind]);
            (void)kill(child->pid, SIGKILL);
        }
    }
}

void supervisor_end_child(struct supervisor *supervisor, enum child_kind kind)
{
    struct child *child = &supervisor->children[kind];
    int r = 0;

    if (child->pid == 0) {
        return;
    }
    (void)kill(child->pid, SIGTERM);
    if (child->is_ending) {
        return;
    }
    child->is_ending = true;
    if (supervisor->end_timer == NULL) {
        r = loop_add_timer(supervisor->loop, supervisor_on_end_timer, supervisor,
                           &supervisor->end_timer);
    }
    if (r == 0) {
        r = loop_source_set_timer(supervisor->end_timer, CHILD_END_NS, CHILD_END_NS);
    }
    if (r < 0) {
        log_error("the end cannot be timed: %s", err_text(r));
    }
}

/* The next step of an orderly end, taken again after each death: restores under way first, so that
 * their outcome is told; then the sensor; then the restores that it asked for with its last words;
 * then the gate is closed, so that nobody waits at it; the outlet last, which prints what is left.
 */
void supervisor_end(struct supervisor *supervisor)
{
    supervisor->state = AGENT_STATE_ENDING;
    if (supervisor_has_workers(supervisor)) {
        return;
    }
    if (supervisor->children[CHILD_SENSOR].pid != 0 || supervisor->children[CHILD_GUARD].pid != 0 ||
        supervisor->children[CHILD_VISITS].pid != 0 || supervisor->children[CHILD_LOGS].pid != 0 ||
        supervisor->children[CHILD_JOURNAL].pid != 0) {
        supervisor_end_child(supervisor, CHILD_SENSOR);
        supervisor_end_child(supervisor, CHILD_GUARD);
        supervisor_end_child(supervisor, CHILD_VISITS);
        supervisor_end_child(supervisor, CHILD_LOGS);
        supervisor_end_child(supervisor, CHILD_JOURNAL);
        return;
    }
    supervisor_on_guard(supervisor, supervisor->guard.channel, LOOP_READ);
    supervisor_on_visits(supervisor, supervisor->pairs[PAIR_VISITS_SUPERVISOR][1], LOOP_READ);
    supervisor_on_logs(supervisor, supervisor->pairs[PAIR_LOGS_SUPERVISOR][1], LOOP_READ);
    supervisor_on_journal(supervisor, supervisor->pairs[PAIR_JOURNAL_SUPERVISOR][1], LOOP_READ);
    supervisor_on_sensor(supervisor, supervisor->sensor.channel, LOOP_READ);
    if (supervisor_has_workers(supervisor)) {
        return;
    }
    closep(&supervisor->fds[SENSOR_KIND_FILES][0]);
    closep(&supervisor->fds[SENSOR_KIND_FILES][1]);
    closep(&supervisor->fds[SENSOR_KIND_FILES][2]);
    supervisor_end_child(supervisor, CHILD_WATCHDOG);
    supervisor_end_child(supervisor, CHILD_SCANNER);
    supervisor_end_child(supervisor, CHILD_INSPECTOR);
    supervisor_end_child(supervisor, CHILD_LEASH);
    supervisor_end_child(supervisor, CHILD_OUTLET);
    for (int kind = 0; kind < CHILD_COUNT; kind++) {
        if (supervisor->children[kind].pid != 0) {
            return;
        }
    }
    loop_stop(supervisor->loop, 0);
}
