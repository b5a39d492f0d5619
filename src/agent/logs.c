/* The body: opens the logs, gives up every right, then reads by the clock. Neighbours: the files
 * and the outlet. */
#include "agent/logs.h"

#include "agent/logs/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "model/record.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/sandbox.h"

#include <linux/sockios.h>
#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>

#define LOGS_USER      "canhgac-scanner"
#define LOGS_SOURCES   8
#define LOGS_OUTBOX    (64U << 10)
#define LOGS_NICE      5
#define LOGS_MEMORY    (256ULL << 20)
#define LOGS_TICK_NS   (200 * NS_PER_MS)
#define LOGS_REOPEN_NS (2 * NS_PER_S) /* a writer writes on to the old log for a moment */
#define DRAIN_NS       (10 * NS_PER_S)
#define DRAIN_STEP_MS  20

static void logs_take_turn(struct logs *logs)
{
    bool has_more = logs_read(logs);
    unsigned wanted = logs->is_full ? LOOP_WRITE : 0;

    if (loop_source_set_events(logs->outlet_source, wanted) < 0) {
        loop_stop(logs->loop, -ERR_IO);
    } else if (logs->reopen != 0 && !has_more && clock_mono(&clock_real) >= logs->reopen) {
        loop_stop(logs->loop, 0);
    }
}

static void logs_on_outlet(void *context, int fd, unsigned events)
{
    struct logs *logs = context;

    (void)fd;
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(logs->loop, 0);
        return;
    }
    logs->is_full = false;
    logs_take_turn(logs);
}

static void logs_on_supervisor(void *context, int fd, unsigned events)
{
    struct logs *logs = context;

    (void)fd;
    if ((events & LOOP_WRITE) != 0) {
        outbox_flush(&logs->supervisor);
    }
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(logs->loop, 0);
    }
}

static void logs_on_end(void *context, int signal)
{
    struct logs *logs = context;

    (void)signal;
    (void)logs_read(logs);
    loop_stop(logs->loop, 0);
}

static void logs_on_rotation(void *context, int fd, unsigned events)
{
    struct logs *logs = context;

    (void)fd;
    (void)events;
    if (rotation_heard(&logs->rotation) && logs->reopen == 0) {
        logs->reopen = clock_mono(&clock_real) + LOGS_REOPEN_NS;
    }
}

static void logs_on_tick(void *context)
{
    struct logs *logs = context;

    if (!logs->is_full) {
        logs_take_turn(logs);
    }
}

static int logs_listen(struct logs *logs)
{
    struct loop_source *tick = NULL;
    int r = loop_new(LOGS_SOURCES, &logs->loop);

    if (r == 0) {
        r = loop_add_fd(logs->loop, logs->config->supervisor, LOOP_READ, logs_on_supervisor, logs,
                        &logs->supervisor.source);
    }
    if (r == 0) {
        r = loop_add_fd(logs->loop, logs->config->outlet, 0, logs_on_outlet, logs,
                        &logs->outlet_source);
    }
    if (r == 0 && logs->rotation.fd >= 0) {
        r = loop_add_fd(logs->loop, logs->rotation.fd, LOOP_READ, logs_on_rotation, logs, NULL);
    }
    if (r == 0) {
        r = loop_add_timer(logs->loop, logs_on_tick, logs, &tick);
    }
    if (r == 0) {
        r = loop_source_set_timer(tick, LOGS_TICK_NS, LOGS_TICK_NS);
    }
    return r == 0 ? loop_add_signal(logs->loop, SIGTERM, logs_on_end, logs) : r;
}

/* What the process before this one sent may still be in the channel: only when the outlet has taken
 * it is it noted how far the logs were read. */
static void logs_wait_for_outlet(const struct logs *logs)
{
    int64_t until = clock_mono(&clock_real) + DRAIN_NS;
    int waiting = 0;

    while (ioctl(logs->config->outlet, SIOCOUTQ, &waiting) == 0 && waiting != 0 &&
           clock_mono(&clock_real) < until) {
        (void)!loop_step(logs->loop, DRAIN_STEP_MS);
    }
}

static void logs_say_ready(struct logs *logs, unsigned missing)
{
    msg_begin(&logs->msg, AGENT_MESSAGE_READY);
    msg_put_str(&logs->msg, STR("logs"));
    msg_put_u32(&logs->msg, missing);
    outbox_send(&logs->supervisor, &logs->msg);
}

static int logs_start(struct logs *logs, struct diag *diag)
{
    struct sandbox sandbox = {.calls = SANDBOX_CALLS_IO, .memory_more = LOGS_MEMORY};
    unsigned missing = 0;
    int r = log_reading_init(&logs->reading, NULL);

    (void)!process_set_nice(LOGS_NICE);
    if (geteuid() == 0) {
        sandbox.user = getpwnam(LOGS_USER) != NULL ? LOGS_USER : "nobody";
    }
    logs->piece = mem_alloc(1, LOGS_PIECE);
    r = logs->piece == NULL ? -ERR_NOMEM : r;
    r = r < 0 ? r : loop_new(1, &logs->loop);
    if (r == 0) {
        logs_wait_for_outlet(logs);
        loop_freep(&logs->loop);
        r = logs_open(logs, diag);
    }
    r = r < 0 ? r : logs_listen(logs);
    r = r < 0 ? r : sandbox_enter(&sandbox, &missing, diag);
    if (r == 0) {
        logs_say_ready(logs, missing);
    }
    return r;
}

static void logs_done(struct logs *logs)
{
    logs_close(logs);
    rotation_done(&logs->rotation);
    outbox_done(&logs->supervisor);
    outbox_done(&logs->numbers);
    loop_free(logs->loop);
    log_reading_done(&logs->reading);
    buf_done(&logs->record);
    mem_free(logs->piece);
    mem_free(logs);
}

int logs_run(const struct logs_config *config)
{
    struct logs *logs = mem_alloc(1, sizeof(*logs));
    struct diag diag = {0};
    int r;

    log_init("logs", LOG_LEVEL_INFO);
    if (logs == NULL) {
        return EXIT_STATUS_FAILED;
    }
    logs->config = config;
    logs->rotation.fd = -1;
    buf_init(&logs->record, RECORD_SIZE_MAX);
    outbox_init(&logs->supervisor, config->supervisor, LOGS_OUTBOX, NULL);
    outbox_init(&logs->numbers, -1, 0, NULL);
    r = logs_start(logs, &diag);
    if (r == 0) {
        r = loop_run(logs->loop);
    }
    if (r < 0) {
        log_error("%s", diag_text(&diag, r));
    }
    logs_done(logs);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
