/* The body: opens the logs, gives up every right, then reads and judges by the clock. Neighbours:
 * the files and the supervisor. */
#include "agent/visits.h"

#include "agent/protocol.h"
#include "agent/visits/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/sandbox.h"

#include <pwd.h>
#include <signal.h>

#define VISITS_USER      "canhgac-scanner"
#define VISITS_SOURCES   8
#define VISITS_OUTBOX    (1U << 20)
#define VISITS_TOLD_MAX  4096
#define VISITS_NICE      10
#define VISITS_MEMORY    (1ULL << 30)
#define VISITS_TICK_NS   NS_PER_S
#define VISITS_JUDGE_NS  (10 * NS_PER_S)
#define VISITS_REOPEN_NS (5 * NS_PER_S) /* a server writes on to the old log for a moment */

static void visits_on_channel(void *context, int fd, unsigned events)
{
    struct visits *visits = context;

    (void)fd;
    if ((events & LOOP_WRITE) != 0) {
        outbox_flush(&visits->supervisor);
    }
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(visits->loop, 0);
    }
}

static void visits_on_end(void *context, int signal)
{
    struct visits *visits = context;

    (void)signal;
    outbox_flush(&visits->supervisor);
    loop_stop(visits->loop, 0);
}

static void visits_on_watch(void *context, int fd, unsigned events)
{
    struct visits *visits = context;

    (void)fd;
    (void)events;
    if (rotation_heard(&visits->rotation) && visits->reopen == 0) {
        visits->reopen = clock_mono(&clock_real) + VISITS_REOPEN_NS;
    }
}

/* All that there is, but in pieces: the channel must not wait for a long log. */
static void visits_on_tick(void *context)
{
    struct visits *visits = context;
    int64_t now = clock_mono(&clock_real);
    bool has_more = visits_read(visits);
    bool is_ending = visits->reopen != 0 && now >= visits->reopen && !has_more;

    if (now - visits->judged >= VISITS_JUDGE_NS || is_ending) {
        visits->judged = now;
        visits_judge(visits);
    }
    if (is_ending) {
        outbox_flush(&visits->supervisor);
        loop_stop(visits->loop, 0);
    }
}

static int visits_listen(struct visits *visits)
{
    struct loop_source *tick = NULL;
    int r = loop_new(VISITS_SOURCES, &visits->loop);

    if (r == 0) {
        r = loop_add_fd(visits->loop, visits->supervisor.channel, LOOP_READ, visits_on_channel,
                        visits, &visits->supervisor.source);
    }
    if (r == 0 && visits->rotation.fd >= 0) {
        r = loop_add_fd(visits->loop, visits->rotation.fd, LOOP_READ, visits_on_watch, visits,
                        NULL);
    }
    if (r == 0) {
        r = loop_add_timer(visits->loop, visits_on_tick, visits, &tick);
    }
    if (r == 0) {
        r = loop_source_set_timer(tick, 1, VISITS_TICK_NS);
    }
    return r == 0 ? loop_add_signal(visits->loop, SIGTERM, visits_on_end, visits) : r;
}

static void visits_say_ready(struct visits *visits, unsigned missing)
{
    msg_begin(&visits->msg, AGENT_MESSAGE_READY);
    msg_put_str(&visits->msg, STR("visits"));
    msg_put_u32(&visits->msg, missing);
    outbox_send(&visits->supervisor, &visits->msg);
}

static int visits_start(struct visits *visits, struct diag *diag)
{
    struct sandbox sandbox = {.calls = SANDBOX_CALLS_IO, .memory_more = VISITS_MEMORY};
    unsigned missing = 0;
    int r = visits_open(visits, diag);

    (void)!process_set_nice(VISITS_NICE);
    if (geteuid() == 0) {
        sandbox.user = getpwnam(VISITS_USER) != NULL ? VISITS_USER : "nobody";
    }
    r = r < 0 ? r : visits_listen(visits);
    r = r < 0 ? r : sandbox_enter(&sandbox, &missing, diag);
    if (r < 0) {
        return r;
    }
    visits_say_ready(visits, missing);
    return 0;
}

static void visits_done(struct visits *visits)
{
    visits_close(visits);
    visits_forget_told(visits);
    outbox_done(&visits->supervisor);
    loop_free(visits->loop);
    rotation_done(&visits->rotation);
    mem_free(visits);
}

int visits_run(const struct visits_config *config)
{
    struct visits *visits = mem_alloc(1, sizeof(*visits));
    struct diag diag = {0};
    int r;

    log_init("visits", LOG_LEVEL_INFO);
    if (visits == NULL) {
        return EXIT_STATUS_FAILED;
    }
    visits->config = config;
    visits->rotation.fd = -1;
    map_init(&visits->told, VISITS_TOLD_MAX, (uint64_t)clock_mono(&clock_real));
    outbox_init(&visits->supervisor, config->supervisor, VISITS_OUTBOX, NULL);
    r = visits_start(visits, &diag);
    if (r == 0) {
        r = loop_run(visits->loop);
    }
    if (r < 0) {
        log_error("%s", diag_text(&diag, r));
    }
    visits_done(visits);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
