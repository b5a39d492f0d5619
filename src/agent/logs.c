/* The body: opens the logs, gives up every right, then reads by the clock. Neighbours: the files
 * and agent/follower.h. */
#include "agent/logs.h"

#include "agent/logs/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"

#define LOGS_MEMORY    (256ULL << 20)
#define LOGS_REOPEN_NS (2 * NS_PER_S) /* a writer writes on to the old log for a moment */

static bool logs_take_turn(void *context)
{
    struct logs *logs = context;
    bool has_more = logs_read(logs);

    if (logs->reopen != 0 && !has_more && clock_mono(&clock_real) >= logs->reopen) {
        follower_end(&logs->follower);
    }
    return has_more;
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

static int logs_start(struct logs *logs, struct diag *diag)
{
    struct sandbox sandbox = {.calls = SANDBOX_CALLS_IO, .memory_more = LOGS_MEMORY};
    int r = log_reading_init(&logs->reading, NULL);

    logs->piece = mem_alloc(1, LOGS_PIECE);
    r = logs->piece == NULL ? -ERR_NOMEM : r;
    r = r < 0 ? r : follower_wait_for_outlet(&logs->follower);
    r = r < 0 ? r : logs_open(logs, diag);
    r = r < 0 ? r : follower_start(&logs->follower, &sandbox, diag);
    if (r == 0 && logs->rotation.fd >= 0) {
        r = loop_add_fd(logs->follower.loop, logs->rotation.fd, LOOP_READ, logs_on_rotation, logs,
                        NULL);
    }
    return r;
}

static void logs_done(struct logs *logs)
{
    logs_close(logs);
    rotation_done(&logs->rotation);
    follower_done(&logs->follower);
    log_reading_done(&logs->reading);
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
    follower_init(&logs->follower, "logs", config->supervisor, config->outlet);
    logs->follower.read = logs_take_turn;
    logs->follower.context = logs;
    r = logs_start(logs, &diag);
    if (r == 0) {
        r = follower_run(&logs->follower);
    }
    if (r < 0) {
        log_error("%s", diag_text(&diag, r));
    }
    logs_done(logs);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
