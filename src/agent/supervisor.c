/* Neighbours: the command line before; sensor, scanner, watchdog and outlet behind. What it holds
 * open, it holds for them: both ends of every channel, and the sensors' descriptors. */
#include "agent/supervisor.h"

#include "agent/supervisor/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "sys/fd.h"
#include "sys/service.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SUPERVISOR_SOURCES 64
#define SUPERVISOR_OUTBOX  (1U << 20)
#define SENSOR_USER        "canhgac-sensor"

static void supervisor_on_signal(void *context, int signal)
{
    (void)signal;
    service_notify("STOPPING=1");
    supervisor_end(context);
}

static int supervisor_acquire(struct supervisor *supervisor)
{
    for (size_t i = 0; i < SENSOR_KIND_COUNT; i++) {
        struct diag *diag = &supervisor->lacks[i];
        int r = sensors[i]->acquire(supervisor->fds[i], diag);

        if (r < 0 && sensors[i]->is_required) {
            return diag_set(&supervisor->diag, r, "%s", diag_text(diag, r));
        }
        if (r < 0 || diag->text[0] != '\0') {
            log_warn("%s", diag_text(diag, r));
        }
    }
    return 0;
}

static int supervisor_make_pairs(struct supervisor *supervisor)
{
    for (size_t i = 0; i < PAIR_COUNT; i++) {
        int r = channel_pair(supervisor->pairs[i]);

        /* nobody may be made to wait by a peer that died; a scanner's end waits for questions */
        for (int end = 0; r == 0 && end < 2; end++) {
            if (i != PAIR_SENSOR_SCANNER && (i != PAIR_GUARD_INSPECTOR || end == 0)) {
                r = fd_set_nonblocking(supervisor->pairs[i][end], true);
            }
        }
        if (r < 0) {
            return r;
        }
    }
    outbox_init(&supervisor->sensor, supervisor->pairs[PAIR_SENSOR_SUPERVISOR][1],
                SUPERVISOR_OUTBOX, NULL);
    outbox_init(&supervisor->outlet, supervisor->pairs[PAIR_OUTLET_SUPERVISOR][1],
                SUPERVISOR_OUTBOX, NULL);
    outbox_init(&supervisor->guard, supervisor->pairs[PAIR_GUARD_SUPERVISOR][1], SUPERVISOR_OUTBOX,
                NULL);
    return 0;
}

static int supervisor_listen(struct supervisor *supervisor)
{
    int r = loop_new(SUPERVISOR_SOURCES, &supervisor->loop);

    if (r == 0) {
        r = loop_add_fd(supervisor->loop, supervisor->sensor.channel, LOOP_READ,
                        supervisor_on_sensor, supervisor, &supervisor->sensor.source);
    }
    if (r == 0) {
        r = loop_add_fd(supervisor->loop, supervisor->outlet.channel, LOOP_READ,
                        supervisor_on_outlet, supervisor, &supervisor->outlet.source);
    }
    if (r == 0) {
        r = loop_add_fd(supervisor->loop, supervisor->guard.channel, LOOP_READ, supervisor_on_guard,
                        supervisor, &supervisor->guard.source);
    }
    if (r == 0) { /* nothing is ever sent there */
        r = loop_add_fd(supervisor->loop, supervisor->pairs[PAIR_VISITS_SUPERVISOR][1], LOOP_READ,
                        supervisor_on_visits, supervisor, NULL);
    }
    if (r == 0) {
        r = loop_add_fd(supervisor->loop, supervisor->pairs[PAIR_LOGS_SUPERVISOR][1], LOOP_READ,
                        supervisor_on_logs, supervisor, NULL);
    }
    if (r == 0) {
        r = loop_add_fd(supervisor->loop, supervisor->pairs[PAIR_JOURNAL_SUPERVISOR][1], LOOP_READ,
                        supervisor_on_journal, supervisor, NULL);
    }
    if (r == 0) {
        r = loop_add_signal(supervisor->loop, SIGTERM, supervisor_on_signal, supervisor);
    }
    return r == 0 ? loop_add_signal(supervisor->loop, SIGINT, supervisor_on_signal, supervisor) : r;
}

/* The sensor holds many files; its limit is inherited. */
static void supervisor_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int supervisor_make_folders(struct supervisor *supervisor)
{
    const struct passwd *user = supervisor->settings->is_standalone ? NULL : getpwnam(SENSOR_USER);
    struct stat vault;
    int r;

    supervisor->sensor_user = user != NULL ? SENSOR_USER : NULL;
    r = folder_make(supervisor->places.vault, 0700, user != NULL ? user->pw_uid : (uid_t)-1,
                    user != NULL ? user->pw_gid : (gid_t)-1);
    if (r < 0) {
        return diag_set(&supervisor->diag, r, _("the vault '%s' cannot be made: %s"),
                        supervisor->places.vault, err_text(r));
    }
    if (user == NULL && stat(supervisor->places.vault, &vault) == 0 && vault.st_uid != geteuid()) {
        return diag_set(&supervisor->diag, -ERR_ACCES,
                        _("the vault %s is an installed agent's; name another with --vault"),
                        supervisor->places.vault);
    }
    return vault_check(supervisor->places.vault, &supervisor->diag);
}

static bool supervisor_wants(const struct supervisor *supervisor, enum child_kind kind)
{
    const struct agent_settings *settings = supervisor->settings;

    switch (kind) {
    case CHILD_OUTLET:
        return true;
    case CHILD_INSPECTOR:
    case CHILD_GUARD:
        return settings->webroots.count != 0;
    case CHILD_VISITS:
        return settings->access_logs.count != 0;
    case CHILD_LOGS:
        return !settings->is_standalone;
    case CHILD_JOURNAL:
        return !settings->is_standalone && agent_settings_journal(settings);
    case CHILD_WATCHDOG:
    case CHILD_SCANNER:
    case CHILD_LEASH:
    case CHILD_SENSOR:
    case CHILD_COUNT:
    default:
        return !settings->is_guard_only;
    }
}

/* What keeps files from encryption: places, vault, gate, and the one who decides about programs
 * that were stopped. */
static int supervisor_prepare_shield(struct supervisor *supervisor)
{
    int r = places_init(&supervisor->places, supervisor->settings, &supervisor->diag);

    if (r == 0) {
        r = supervisor_make_folders(supervisor);
    }
    r = r < 0 ? r : supervisor_acquire(supervisor);
    if (r == 0) {
        r = confines_init(&supervisor->confines, &supervisor->places, supervisor->loop);
    }
    if (r == 0 && supervisor->settings->is_standalone) {
        r = control_listen(supervisor, supervisor->places.vault);
    }
    return r;
}

static int supervisor_start(struct supervisor *supervisor)
{
    int r;

    supervisor_raise_limit();
    supervisor->page = page_new();
    supervisor->intake = intake_page_new();
    if (supervisor->page == NULL || supervisor->intake == NULL) {
        return -ERR_NOMEM;
    }
    supervisor->watch_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (supervisor->watch_fd < 0) {
        return -errno;
    }
    r = supervisor_make_pairs(supervisor);
    r = r < 0 ? r : supervisor_listen(supervisor);
    if (r == 0 && !supervisor->settings->is_guard_only) {
        r = supervisor_prepare_shield(supervisor);
    }
    atomic_store(&supervisor->page->own[0], getpid());
    for (int kind = 0; r == 0 && kind < CHILD_COUNT; kind++) {
        if (supervisor_wants(supervisor, (enum child_kind)kind)) {
            r = supervisor_start_child(supervisor, (enum child_kind)kind);
        }
    }
    return r;
}

static void supervisor_done(struct supervisor *supervisor)
{
    outbox_done(&supervisor->sensor);
    outbox_done(&supervisor->outlet);
    outbox_done(&supervisor->guard);
    loop_free(supervisor->loop);
    confines_done(&supervisor->confines);
    control_done(&supervisor->control);
    for (size_t i = 0; i < SENSOR_KIND_COUNT; i++) {
        for (size_t j = 0; j < SENSOR_FDS_MAX; j++) {
            closep(&supervisor->fds[i][j]);
        }
    }
    for (size_t i = 0; i < PAIR_COUNT; i++) {
        closep(&supervisor->pairs[i][0]);
        closep(&supervisor->pairs[i][1]);
    }
    closep(&supervisor->watch_fd);
    places_done(&supervisor->places);
    page_free(supervisor->page);
    intake_page_free(supervisor->intake);
    mem_free(supervisor);
}

/* Whatever still lives gets its SIGTERM by the death of this process at the latest (spawn_body). */
int agent_supervise(const struct agent_settings *settings, agent_outlet_fn *outlet,
                    struct diag *diag)
{
    struct supervisor *supervisor = mem_alloc(1, sizeof(*supervisor));
    int r;

    if (supervisor == NULL) {
        return -ERR_NOMEM;
    }
    supervisor->settings = settings;
    supervisor->outlet_body = outlet;
    supervisor->state = AGENT_STATE_STARTING;
    outbox_init(&supervisor->sensor, -1, 0, NULL);
    outbox_init(&supervisor->outlet, -1, 0, NULL);
    outbox_init(&supervisor->guard, -1, 0, NULL);
    memset(supervisor->fds, -1, sizeof(supervisor->fds));
    memset(supervisor->pairs, -1, sizeof(supervisor->pairs));
    supervisor->control.fd = supervisor->watch_fd = -1;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        supervisor->control.clients[i].fd = -1;
    }
    supervisor->confines.watch = supervisor->confines.walk = -1;
    r = supervisor_start(supervisor);
    if (r == 0) {
        r = loop_run(supervisor->loop);
    }
    if (r == 0) {
        r = supervisor->result;
    }
    if (r < 0) {
        r = diag_set(diag, r, "%s", diag_text(&supervisor->diag, r));
    } else {
        r = supervisor->status;
    }
    supervisor_done(supervisor);
    return r;
}
