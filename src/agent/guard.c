/* The guard's body: opens what it needs, gives up the rest, listens. Neighbours: the kernel and the
 * supervisor. */
#include "agent/guard.h"

#include "agent/guard/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/sandbox.h"
#include "sys/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>

#define GUARD_NICE (-10) /* where there is no real-time */
#define GUARD_PRIORITY                                                                             \
    1 /* real-time: what is planted is served meanwhile, however busy the host                     \
       */
#define GUARD_OUTBOX    (4U << 20)
#define GUARD_SOURCES   16
#define GUARD_TICK_NS   (100 * NS_PER_MS)
#define GUARD_FILES_CAP 4096

void guard_store(const struct agent_settings *settings, char *out, size_t size)
{
    if (settings->webroot_store != NULL) {
        (void)snprintf(out, size, "%s", settings->webroot_store);
    } else {
        (void)snprintf(out, size, "%s/webroot", settings->folder);
    }
}

static void guard_on_channel(void *context, int fd, unsigned events)
{
    struct guard *guard = context;

    if ((events & LOOP_WRITE) != 0) {
        outbox_flush(&guard->supervisor);
    }
    while (channel_receive(fd, &guard->packet) == 0) {
        if (guard->packet.msg.type == AGENT_MESSAGE_WHOSE) {
            guard_take_whose(guard, &guard->packet.msg);
        }
        channel_packet_done(&guard->packet);
    }
    if ((events & LOOP_HANGUP) != 0) {
        loop_stop(guard->loop, 0); /* nobody is left who could restart us */
    }
}

/* Whoever makes changes without end must not have the processor kept from all others for it, and a
 * comparison of everything takes long. What is short stays urgent: an event may wait behind it. */
void guard_hurry(struct guard *guard, bool is_urgent)
{
    if (guard->is_urgent != is_urgent) {
        guard->is_urgent = is_urgent;
        (void)!(is_urgent ? thread_raise_priority(GUARD_PRIORITY) : thread_ordinary_priority());
    }
}

/* What is due by the clock; the loop comes here between events. */
static void guard_on_tick(void *context)
{
    struct guard *guard = context;
    int64_t now = clock_mono(&clock_real);

    guard->events = 0;
    for (size_t i = 0; i < guard->root_count; i++) {
        guard_tend_root(guard, &guard->roots[i], now);
    }
    guard_do_waiting(guard, now);
    guard_do_asked(guard, now);
    guard_do_burials(guard, now);
    guard_tell_due(guard, now, false);
    guard_keep_reserve(guard);
    guard_hurry(guard, true);
}

static void guard_on_work(void *context)
{
    struct guard *guard = context;
    bool was_urgent = guard->is_urgent;

    guard_hurry(guard, was_urgent && !guard_is_hasty(guard));
    guard_scan_some(guard);
    guard_hurry(guard, was_urgent);
}

static void guard_on_more(void *context)
{
    guard_do_burials(context, clock_mono(&clock_real));
}

static void guard_on_end(void *context, int signal)
{
    struct guard *guard = context;

    (void)signal;
    guard_do_burials(guard, INT64_MAX);
    guard_tell_due(guard, clock_mono(&clock_real), true);
    outbox_flush(&guard->supervisor);
    loop_stop(guard->loop, 0);
}

static int guard_listen(struct guard *guard)
{
    struct loop_source *tick = NULL;
    int r = loop_new(GUARD_SOURCES, &guard->loop);

    if (r == 0) {
        r = loop_add_fd(guard->loop, guard->supervisor.channel, LOOP_READ, guard_on_channel, guard,
                        &guard->supervisor.source);
    }
    if (r == 0 && guard->group >= 0) {
        r = loop_add_fd(guard->loop, guard->group, LOOP_READ, guard_on_events, guard, NULL);
    }
    if (r == 0 && guard->watches >= 0) {
        r = loop_add_fd(guard->loop, guard->watches, LOOP_READ, guard_on_events, guard, NULL);
    }
    if (r == 0 && guard->refuser >= 0) {
        r = loop_add_fd(guard->loop, guard->refuser, LOOP_READ, guard_on_refuser, guard, NULL);
    }
    if (r == 0) {
        r = loop_add_fd(guard->loop, guard->config->inspector, LOOP_READ, guard_on_inspector, guard,
                        NULL);
    }
    if (r == 0) {
        r = loop_add_timer(guard->loop, guard_on_work, guard, &guard->work);
    }
    if (r == 0) {
        r = loop_add_timer(guard->loop, guard_on_more, guard, &guard->more);
    }
    if (r == 0) {
        r = loop_add_timer(guard->loop, guard_on_tick, guard, &tick);
    }
    if (r == 0) {
        r = loop_source_set_timer(tick, GUARD_TICK_NS, GUARD_TICK_NS);
    }
    return r == 0 ? loop_add_signal(guard->loop, SIGTERM, guard_on_end, guard) : r;
}

/* Capabilities: to read and change what others own, to give it back to them with its set-id bits,
 * and to set attributes that only the system may. */
static int guard_drop(struct guard *guard, unsigned *ret_missing, struct diag *diag)
{
    static const int capabilities[] = {CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_CHOWN,
                                       CAP_FSETID,       CAP_SETFCAP, CAP_SYS_NICE};
    struct sandbox_path paths[WEBROOT_MAX + 2];
    struct sandbox sandbox = {.capabilities = capabilities,
                              .capability_count = ARRAY_LEN(capabilities),
                              .paths = paths,
                              .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_FILES |
                                       SANDBOX_CALLS_FANOTIFY | SANDBOX_CALLS_OWNERSHIP |
                                       SANDBOX_CALLS_THREADS,
                              .file_limit = GUARD_FILES_CAP};

    for (size_t i = 0; i < guard->root_count; i++) {
        if (guard->roots[i].is_open) {
            paths[sandbox.path_count++] =
                (struct sandbox_path){guard->roots[i].config.path, SANDBOX_WRITE};
        }
    }
    paths[sandbox.path_count++] = (struct sandbox_path){guard->store, SANDBOX_WRITE};
    paths[sandbox.path_count++] = (struct sandbox_path){"/etc/passwd", SANDBOX_READ};
    return sandbox_enter(&sandbox, ret_missing, diag);
}

static void guard_say_ready(struct guard *guard, unsigned missing)
{
    msg_begin(&guard->msg, AGENT_MESSAGE_READY);
    msg_put_str(&guard->msg, STR("guard"));
    msg_put_u32(&guard->msg, missing);
    outbox_send(&guard->supervisor, &guard->msg);
}

static int guard_open_store(struct guard *guard)
{
    uint64_t limit = (uint64_t)guard->config->settings->webroot_evidence;
    int r;

    guard_store(guard->config->settings, guard->store, sizeof(guard->store));
    r = folder_make(guard->store, 0700, (uid_t)-1, (gid_t)-1);
    if (r < 0) {
        return r;
    }
    guard->store_fd = open(guard->store, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return guard->store_fd >= 0 ? evidence_open(guard->store_fd, limit, &guard->evidence) : -errno;
}

static int guard_start(struct guard *guard, struct diag *diag)
{
    unsigned missing = 0;
    int r = guard_open_store(guard);

    guard->judged = mem_alloc(GUARD_JUDGED_MAX, sizeof(*guard->judged));
    if (guard->judged == NULL) {
        return diag_set(diag, -ERR_NOMEM, "%s", err_text(-ERR_NOMEM));
    }
    if (r < 0) {
        return diag_set(diag, r, _("the store '%s' cannot be opened: %s; run as root"),
                        guard->store, err_text(r));
    }
    guard->group = fanotify_folders_new();
    r = guard_open_roots(guard, diag);
    (void)!process_set_nice(GUARD_NICE);
    if (r == 0) {
        guard_refuse_start(guard);
    }
    r = r < 0 ? r : guard_drop(guard, &missing, diag);
    r = r < 0 ? r : guard_listen(guard);
    if (r < 0) {
        return r;
    }
    guard_keep_reserve(guard);
    for (size_t i = 0; i < guard->root_count; i++) {
        guard_bury_left(guard, &guard->roots[i]);
        guard_scan(guard, &guard->roots[i], true);
    }
    guard_say_ready(guard, missing);
    return 0;
}

static void guard_done(struct guard *guard)
{
    guard_forget_waiting(guard);
    guard_forget_asked(guard);
    guard_close_roots(guard);
    guard_forget_all(guard);
    guard_incidents_done(guard);
    evidence_close(&guard->evidence);
    outbox_done(&guard->supervisor);
    loop_free(guard->loop);
    closep(&guard->refuser);
    closep(&guard->watches);
    closep(&guard->group);
    closep(&guard->store_fd);
    mem_free(guard);
}

int guard_run(const struct guard_config *config)
{
    struct guard *guard = mem_alloc(1, sizeof(*guard));
    struct diag diag = {0};
    int r;

    log_init("guard", LOG_LEVEL_INFO);
    mem_return_whole();
    if (guard == NULL) {
        return EXIT_STATUS_FAILED;
    }
    guard->config = config;
    guard->store_fd = guard->group = guard->watches = guard->refuser = -1;
    guard->evidence = (struct evidence){.folder = -1, .records = -1, .blobs = {.folder = -1}};
    list_init(&guard->waiting);
    list_init(&guard->burials);
    list_init(&guard->asked);
    guard->asked_last = (uint64_t)clock_mono(&clock_real);
    map_init(&guard->waiting_keys, GUARD_WAITING_MAX, (uint64_t)clock_mono(&clock_real));
    map_init(&guard->known, GUARD_FOLDERS_MAX + GUARD_FILES_MAX, (uint64_t)clock_mono(&clock_real));
    outbox_init(&guard->supervisor, config->supervisor, GUARD_OUTBOX, NULL);
    r = guard_start(guard, &diag);
    if (r == 0) {
        r = loop_run(guard->loop);
    }
    if (r < 0) {
        log_error("%s", diag_text(&diag, r));
    }
    guard_done(guard);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
