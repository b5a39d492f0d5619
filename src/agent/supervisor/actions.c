/* What a person, or the sensor, may have done about a group that was stopped: one row an action,
 * with the states in which it is legal. Restores run in a process of their own, so that the
 * supervisor stays awake; one that is killed is run again, since restoring is idempotent. */
#include "agent/protocol.h"
#include "agent/supervisor/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>

#define WORKER_TRIES  3
#define RETRIES_MAX   2
#define LEASE_BREAK_S 45 /* the kernel's default */

struct worker_result {
    int result;
    struct vault_report report;
};

/* 0 when it is done or under way; the answer is given here unless a worker gives it later. */
typedef int action_fn(struct supervisor *supervisor, struct held *held,
                      const struct action_request *request);

struct action_rule {
    unsigned states; /* enum held_state, or'ed; 0: needs no finding */
    action_fn *fn;
};

static void supervisor_answer(struct supervisor *supervisor, const struct id *request, int result,
                              const char *detail)
{
    struct action_answer answer = {.id = *request,
                                   .time = clock_wall(&clock_real),
                                   .result = result,
                                   .detail = str_from(detail)};
    struct buf buf;

    if (id_is_none(request)) {
        return;
    }
    buf_init(&buf, MSG_SIZE_MAX / 2);
    action_answer_encode(&answer, &buf);
    msg_begin(&supervisor->msg, AGENT_MESSAGE_ANSWER);
    msg_put_u64(&supervisor->msg, outbox_number(&supervisor->outlet));
    msg_put_str(&supervisor->msg, buf_str(&buf));
    if (buf_error(&buf) == 0) {
        control_answer(&supervisor->control, request, &supervisor->msg);
        outbox_send(&supervisor->outlet, &supervisor->msg);
    }
    buf_done(&buf);
}

static void supervisor_put_finding(struct msg_writer *msg, const struct id *finding)
{
    msg_put_str(msg, str_of((const char *)finding->bytes, sizeof(finding->bytes)));
}

static void supervisor_send_decision(struct supervisor *supervisor, enum action action,
                                     const struct held *held)
{
    msg_begin(&supervisor->msg, AGENT_MESSAGE_DECISION);
    msg_put_u32(&supervisor->msg, (uint32_t)action);
    supervisor_put_finding(&supervisor->msg, &held->finding);
    msg_put_u32(&supervisor->msg, (uint32_t)held->group.count);
    for (size_t i = 0; i < held->group.count; i++) {
        msg_put_u32(&supervisor->msg, (uint32_t)held->group.members[i].pid);
        msg_put_u64(&supervisor->msg, held->group.members[i].start);
    }
    outbox_send(&supervisor->sensor, &supervisor->msg);
}

static int worker_body(void *context)
{
    struct worker *worker = context;
    struct supervisor *supervisor = worker->supervisor;
    const struct agent_settings *settings = supervisor->settings;
    const struct vault_limits limits = {.bytes = (uint64_t)settings->vault_bytes,
                                        .retention_ns = settings->vault_retention,
                                        .whole_bytes = (uint64_t)settings->whole_bytes,
                                        .edge_bytes = (uint64_t)settings->edge_bytes};
    const struct vault_confines confines = confines_of(&supervisor->confines);
    unsigned place = page_worker_enter(supervisor->page, getpid());
    struct worker_result result = {0};
    struct vault *vault = NULL;
    struct diag diag = {0};

    log_init("restorer", LOG_LEVEL_INFO);
    result.result = vault_open(supervisor->places.vault, &limits, &clock_real, &vault, &diag);
    if (result.result == 0) {
        vault_confine(vault, &confines);
    }
    if (result.result == 0 && worker->action == ACTION_RESTORE) {
        result.result = vault_case_restore(vault, &worker->finding, NULL, NULL, &result.report);
    } else if (result.result == 0) {
        result.result = vault_case_undo(vault, &worker->finding, NULL, NULL, &result.report);
    }
    if (result.result < 0) {
        log_error("%s", diag_text(&diag, result.result));
    }
    if (result.report.unset != 0) {
        log_warn("set-id bits or capabilities were not given back to %llu files: nothing but the "
                 "sensor's word told of them",
                 (unsigned long long)result.report.unset);
    }
    vault_close(vault);
    page_worker_leave(supervisor->page, place, clock_mono(&clock_real));
    return fd_write_full(worker->pipe, &result, sizeof(result)) == 0 ? EXIT_STATUS_CLEAN
                                                                     : EXIT_STATUS_FAILED;
}

static void worker_on_end(void *context, pid_t pid, int wait_status);

static int worker_start(struct worker *worker)
{
    struct supervisor *supervisor = worker->supervisor;
    CLEANUP(closep) int in = -1;
    CLEANUP(closep) int out = -1;
    int keep[FILES_PLACES_MAX + 1];
    size_t count = confines_fds(&supervisor->confines, keep);
    int pipe_fds[2];
    pid_t pid;
    int r;

    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    in = pipe_fds[0];
    out = pipe_fds[1];
    worker->pipe = out;
    worker->tries++;
    keep[count] = out;
    confines_refresh(&supervisor->confines);
    r = spawn_body("restorer", keep, count + 1, worker_body, worker, &pid);
    if (r < 0) {
        return r;
    }
    worker->pid = pid;
    worker->pipe = TAKE_FD(in);
    return loop_add_child(supervisor->loop, pid, worker_on_end, worker);
}

/* held: its row is busy then; NULL when it found no place in the list. */
static int supervisor_start_worker(struct supervisor *supervisor, struct held *held,
                                   const struct worker *wanted)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *worker = &supervisor->workers[i];

        if (worker->pid == 0) {
            int r;

            *worker = *wanted;
            worker->supervisor = supervisor;
            worker->pipe = -1;
            r = worker_start(worker);
            if (held != NULL) {
                held->is_busy = r == 0;
            }
            return r;
        }
    }
    return -ERR_BUSY;
}

static void worker_set_state(const struct worker *worker, struct held *held)
{
    bool is_killed = held->state == HELD_STATE_KILLED || held->state == HELD_STATE_KILLED_RESTORED;

    if (worker->action == ACTION_RESTORE) {
        held->state = is_killed ? HELD_STATE_KILLED_RESTORED : HELD_STATE_RESTORED;
    } else if (worker->action == ACTION_UNDO_RESTORE) {
        held->state = is_killed ? HELD_STATE_KILLED : HELD_STATE_STOPPED;
    } else {
        held->state = HELD_STATE_RESUMED;
    }
}

static void worker_tell(const struct worker *worker, const struct worker_result *result)
{
    struct supervisor *supervisor = worker->supervisor;

    msg_begin(&supervisor->msg, AGENT_MESSAGE_DONE);
    supervisor_put_finding(&supervisor->msg, &worker->finding);
    msg_put_u32(&supervisor->msg, (uint32_t)worker->action);
    msg_put_i64(&supervisor->msg, result->result);
    msg_put_u64(&supervisor->msg, result->report.restored);
    msg_put_u64(&supervisor->msg, result->report.partial);
    msg_put_u64(&supervisor->msg, result->report.failed);
    msg_put_i64(&supervisor->msg, clock_mono(&clock_real));
    outbox_send(&supervisor->sensor, &supervisor->msg);
}

/* How long whoever holds a lease on a file may keep others waiting. */
static int64_t lease_break_ns(void)
{
    CLEANUP(buf_done) struct buf text;
    int64_t seconds = LEASE_BREAK_S;

    buf_init(&text, 64);
    if (file_read_all(AT_FDCWD, "/proc/sys/fs/lease-break-time", &text) < 0 ||
        str_to_i64(str_trim(buf_str(&text)), &seconds) < 0) {
        seconds = LEASE_BREAK_S;
    }
    return seconds * NS_PER_S;
}

static void supervisor_on_retry(void *context)
{
    struct supervisor *supervisor = context;
    int64_t now = clock_mono(&clock_real);
    int64_t next = INT64_MAX;

    if (supervisor->state == AGENT_STATE_ENDING) {
        return;
    }
    for (size_t i = 0; i < supervisor->held_count; i++) {
        struct held *held = &supervisor->held[i];

        if (held->retry_at != 0 && held->retry_at <= now) {
            bool is_restored =
                (held->state & (HELD_STATE_RESTORED | HELD_STATE_KILLED_RESTORED)) != 0;

            held->retry_at = 0;
            if (is_restored && !held->is_busy) { /* nobody has taken it back meanwhile */
                supervisor_restore(supervisor, &held->finding);
            }
        } else if (held->retry_at != 0 && held->retry_at < next) {
            next = held->retry_at;
        }
    }
    if (next != INT64_MAX) {
        (void)!loop_source_set_timer(supervisor->retry_timer, next - now, 0);
    }
}

/* A lease keeps a restore out and is broken by it: the kernel takes it away after a while. */
static void supervisor_retry_later(struct supervisor *supervisor, struct held *held)
{
    int64_t delay = lease_break_ns() + NS_PER_S;

    if (held->retries == RETRIES_MAX ||
        (supervisor->retry_timer == NULL &&
         loop_add_timer(supervisor->loop, supervisor_on_retry, supervisor,
                        &supervisor->retry_timer) < 0)) {
        return;
    }
    held->retries++;
    held->retry_at = clock_mono(&clock_real) + delay;
    supervisor_on_retry(supervisor);
}

/* Those that came while their own group, or every worker, was busy. */
static void supervisor_restore_wanted(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->held_count; i++) {
        struct held *held = &supervisor->held[i];

        if (held->is_wanted && !held->is_busy) {
            held->is_wanted = false;
            supervisor_restore(supervisor, &held->finding);
        }
    }
}

static void worker_finish(struct worker *worker, const struct worker_result *result)
{
    struct supervisor *supervisor = worker->supervisor;
    struct held *held = supervisor_held(supervisor, &worker->finding, false);

    worker->pid = 0;
    worker_tell(worker, result);
    if (held != NULL) {
        held->is_busy = false;
        if (result->result == 0) {
            worker_set_state(worker, held);
        }
        if (result->result == 0 && result->report.failed != 0 && worker->action == ACTION_RESTORE) {
            supervisor_retry_later(supervisor, held);
        }
        if (result->result == 0 && worker->action == ACTION_RESUME) {
            supervisor_send_decision(supervisor, ACTION_RESUME, held);
        }
    }
    supervisor_answer(supervisor, &worker->request, result->result,
                      result->result == 0 ? "done" : err_text(result->result));
    supervisor_restore_wanted(supervisor);
    if (supervisor->state == AGENT_STATE_ENDING) {
        supervisor_end(supervisor);
    }
}

static void worker_on_end(void *context, pid_t pid, int wait_status)
{
    struct worker *worker = context;
    struct worker_result result;

    (void)wait_status;
    page_worker_ended(worker->supervisor->page, pid, clock_mono(&clock_real));
    if (fd_read_full(worker->pipe, &result, sizeof(result)) < 0) {
        closep(&worker->pipe);
        if (worker->tries < WORKER_TRIES && worker_start(worker) == 0) {
            return;
        }
        result = (struct worker_result){.result = -ERR_CANCELED};
    }
    closep(&worker->pipe);
    worker_finish(worker, &result);
}

bool supervisor_has_workers(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        if (supervisor->workers[i].pid != 0) {
            return true;
        }
    }
    return false;
}

void supervisor_restore(struct supervisor *supervisor, const struct id *finding)
{
    const struct worker wanted = {.finding = *finding, .action = ACTION_RESTORE};
    struct held *held = supervisor_held(supervisor, finding, true);
    int r = 0;

    if (held != NULL && held->state == HELD_STATE_RESUMED) {
        return;
    }
    if (held != NULL && held->is_busy) {
        held->is_wanted = true;
        return;
    }
    r = supervisor_start_worker(supervisor, held, &wanted);
    if (r == -ERR_BUSY && held != NULL) {
        held->is_wanted = true; /* its turn comes when a worker ends */
        return;
    }
    if (r < 0) {
        log_error("files could not be restored: %s", err_text(r));
    }
}

static int action_by_worker(struct supervisor *supervisor, struct held *held,
                            const struct action_request *request)
{
    const struct worker wanted = {
        .finding = held->finding, .action = request->action, .request = request->id};

    return supervisor_start_worker(supervisor, held, &wanted);
}

static int action_resume(struct supervisor *supervisor, struct held *held,
                         const struct action_request *request)
{
    if (held->state == HELD_STATE_RESTORED) {
        return action_by_worker(supervisor, held, request);
    }
    held->state = HELD_STATE_RESUMED;
    supervisor_send_decision(supervisor, ACTION_RESUME, held);
    supervisor_answer(supervisor, &request->id, 0, "the processes go on");
    return 0;
}

static int action_kill(struct supervisor *supervisor, struct held *held,
                       const struct action_request *request)
{
    size_t reached = freeze_kill(&held->group);
    char detail[64];

    held->state =
        held->state == HELD_STATE_RESTORED ? HELD_STATE_KILLED_RESTORED : HELD_STATE_KILLED;
    supervisor_send_decision(supervisor, ACTION_KILL, held);
    (void)snprintf(detail, sizeof(detail), "%zu processes ended", reached);
    supervisor_answer(supervisor, &request->id, 0, detail);
    return 0;
}

static int action_status(struct supervisor *supervisor, struct held *held,
                         const struct action_request *request)
{
    (void)held;
    msg_begin(&supervisor->msg, AGENT_MESSAGE_STATUS);
    outbox_send(&supervisor->sensor, &supervisor->msg);
    supervisor_answer(supervisor, &request->id, 0, "the state follows");
    return 0;
}

static const struct action_rule action_rules[ACTION_COUNT] = {
    [ACTION_RESUME] = {HELD_STATE_STOPPED | HELD_STATE_RESTORED, action_resume},
    [ACTION_KILL] = {HELD_STATE_STOPPED | HELD_STATE_RESTORED, action_kill},
    [ACTION_RESTORE] = {HELD_STATE_STOPPED | HELD_STATE_RESTORED | HELD_STATE_KILLED |
                            HELD_STATE_KILLED_RESTORED,
                        action_by_worker},
    [ACTION_UNDO_RESTORE] = {HELD_STATE_RESTORED | HELD_STATE_KILLED_RESTORED, action_by_worker},
    [ACTION_STATUS] = {0, action_status},
};

/* Its answer is on the way, or comes when its worker ends: a link that was killed asks again. */
static bool supervisor_is_asked(struct supervisor *supervisor, const struct id *request)
{
    for (size_t i = 0; i < ASKED_MAX; i++) {
        if (id_is(&supervisor->asked[i], request)) {
            return true;
        }
    }
    supervisor->asked[supervisor->asked_next++ % ASKED_MAX] = *request;
    return false;
}

void supervisor_take_action(struct supervisor *supervisor, const struct action_request *request)
{
    const struct action_rule *rule = &action_rules[request->action];
    struct held *held = supervisor_held(supervisor, &request->finding, false);
    int r;

    if (supervisor_is_asked(supervisor, &request->id)) {
        return;
    }
    if (clock_wall(&clock_real) > request->expires) {
        supervisor_answer(supervisor, &request->id, -ERR_EXPIRED, "it came too late");
        return;
    }
    if (rule->states != 0 && held == NULL) {
        supervisor_answer(supervisor, &request->id, -ERR_NOENT, "no such finding is open here");
        return;
    }
    if (rule->states != 0 && ((rule->states & held->state) == 0 || held->is_busy)) {
        supervisor_answer(supervisor, &request->id, held->is_busy ? -ERR_BUSY : -ERR_CONFLICT,
                          "not in the present state of the finding");
        return;
    }
    log_info("%s, asked by %.*s", action_row(request->action)->name, STR_ARG(request->actor));
    r = rule->fn(supervisor, held, request);
    if (r < 0) {
        supervisor_answer(supervisor, &request->id, r, err_text(r));
    }
}
