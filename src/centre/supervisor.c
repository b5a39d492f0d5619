/* The centre's supervisor: see centre/supervisor.h. Between `canhgac centre` and the process
 * bodies, which supervisor/children.c names. Invariants: the channels between children are made
 * once and both ends are kept here, so a child that comes back takes up the same ones; a child's
 * own channel to here is made anew at each start, and its end tells the child that the supervisor
 * has gone. */
#include "centre/supervisor.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/browser.h"
#include "centre/keys.h"
#include "centre/protocol.h"
#include "centre/supervisor/private.h"
#include "cli/command.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/service.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define SUPERVISOR_SOURCES     64
#define SUPERVISOR_FIRST_DELAY (100 * NS_PER_MS)
#define SUPERVISOR_READY_DELAY (800 * NS_PER_MS)
#define SUPERVISOR_LAST_DELAY  (60 * NS_PER_S)
#define SUPERVISOR_CALM        (60 * NS_PER_S) /* alive for so long: deaths before do not count */
#define SUPERVISOR_FREE_DEATHS 3 /* within a minute, before a child has to wait longer */
#define SUPERVISOR_END_TIME    (10 * NS_PER_S)
#define SUPERVISOR_DAY         (86400 * NS_PER_S)

static void supervisor_on_child_end(void *context, pid_t pid, int wait_status);
static void supervisor_on_child_message(void *context, int fd, unsigned events);

static int supervisor_start_child(struct child *child)
{
    struct supervisor *supervisor = child->supervisor;
    const char *name = supervisor_name(child->which);
    int keep[SUPERVISOR_KEEP_MAX];
    int pair[2];
    size_t count;
    int r = channel_pair(pair);

    if (r < 0) {
        return r;
    }
    child->channel = pair[0];
    child->far_channel = pair[1];
    count = supervisor_keep(child, keep);
    r = spawn_body(name, keep, count, supervisor_body, child, &child->pid);
    closep(&child->far_channel);
    if (r == 0) {
        r = loop_add_child(supervisor->loop, child->pid, supervisor_on_child_end, child);
    }
    if (r == 0) {
        r = loop_add_fd(supervisor->loop, child->channel, LOOP_READ, supervisor_on_child_message,
                        child, &child->source);
    }
    child->started = clock_mono(&clock_real);
    return r;
}

/* One that had been serving is back within a second however often it dies, and core makes a finding
 * of it; one that does not even come up waits longer each time. */
static void supervisor_start_later(struct child *child, bool was_ready)
{
    int64_t most = was_ready ? SUPERVISOR_READY_DELAY : SUPERVISOR_LAST_DELAY;
    int64_t delay = SUPERVISOR_FIRST_DELAY;
    int r;

    for (uint64_t i = SUPERVISOR_FREE_DEATHS; i < child->deaths && delay < most; i++) {
        delay *= 2;
    }
    r = loop_source_set_timer(child->timer, delay < most ? delay : most, 0);
    if (r < 0) {
        loop_stop(child->supervisor->loop, r);
    }
}

static void supervisor_on_child_timer(void *context)
{
    struct child *child = context;
    int r = child->supervisor->is_ending ? 0 : supervisor_start_child(child);

    if (r < 0) {
        log_error("cannot start a process name=%s reason=%s", supervisor_name(child->which),
                  err_text(r));
        child->deaths++;
        supervisor_start_later(child, false);
    }
}

/* Core makes a finding of it when it happens again and again. */
static void supervisor_tell_core(struct supervisor *supervisor, const struct child *dead,
                                 int wait_status)
{
    const struct child *core = &supervisor->children[SUPERVISOR_CORE];

    if (core->channel < 0 || dead == core) {
        return;
    }
    msg_begin(&supervisor->msg, CENTRE_MESSAGE_DIED);
    msg_put_str(&supervisor->msg, str_from(supervisor_name(dead->which)));
    msg_put_i64(&supervisor->msg, wait_status);
    msg_put_u64(&supervisor->msg, dead->deaths);
    if (channel_send(core->channel, &supervisor->msg, NULL, 0) < 0) {
        log_warn("core could not be told of a death name=%s", supervisor_name(dead->which));
    }
}

static bool supervisor_is_empty(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < SUPERVISOR_COUNT; i++) {
        if (supervisor->children[i].pid != 0) {
            return false;
        }
    }
    return true;
}

static void supervisor_signal_children(const struct supervisor *supervisor, int signal)
{
    for (size_t i = 0; i < SUPERVISOR_COUNT; i++) {
        if (supervisor->children[i].pid != 0) {
            (void)kill(supervisor->children[i].pid,
                       signal); /* not reaped yet: the number is still theirs */
        }
    }
}

/* What a process that never served says of its folder holds for the next one too: whoever started
 * the centre gets to hear of it. Killed ones are started again. */
static bool supervisor_is_hopeless(const struct child *child, int wait_status)
{
    return !child->supervisor->is_announced && child->which < SUPERVISOR_FETCH &&
           WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == CENTRE_EXIT_HOPELESS;
}

static void supervisor_end(struct supervisor *supervisor)
{
    const struct child *receiver = &supervisor->children[SUPERVISOR_RECEIVER];

    service_notify("STOPPING=1");
    supervisor->is_ending = true;
    if (receiver->pid != 0) {
        (void)kill(receiver->pid, SIGTERM); /* hands over what it has, while core still takes it */
    } else {
        supervisor_signal_children(supervisor, SIGTERM);
    }
    if (supervisor_is_empty(supervisor) ||
        loop_source_set_timer(supervisor->end_timer, SUPERVISOR_END_TIME, 0) < 0) {
        loop_stop(supervisor->loop, supervisor->result);
    }
}

static void supervisor_on_child_end(void *context, pid_t pid, int wait_status)
{
    struct child *child = context;
    struct supervisor *supervisor = child->supervisor;
    bool was_calm = clock_mono(&clock_real) - child->started > SUPERVISOR_CALM;
    bool was_ready = child->is_ready;
    bool is_orderly = child->which == SUPERVISOR_DETECTOR && WIFEXITED(wait_status) &&
                      WEXITSTATUS(wait_status) == 0; /* core has asked for it */

    (void)pid;
    child->pid = 0;
    child->is_ready = false;
    loop_source_free(child->source);
    child->source = NULL;
    closep(&child->channel);
    if (supervisor->is_ending) {
        if (child->which == SUPERVISOR_RECEIVER) {
            supervisor_signal_children(supervisor, SIGTERM);
        }
        if (supervisor_is_empty(supervisor)) {
            loop_stop(supervisor->loop, supervisor->result);
        }
        return;
    }
    if (is_orderly) {
        supervisor_start_later(child, was_ready);
        return;
    }
    if (supervisor_is_hopeless(child, wait_status)) {
        supervisor->result = diag_set(supervisor->diag, -ERR_CANCELED,
                                      _("the centre could not start; the line above says why"));
        supervisor_end(supervisor);
        return;
    }
    child->deaths = was_calm ? 1 : child->deaths + 1;
    log_warn("a process died and is started again name=%s %s=%d deaths=%llu",
             supervisor_name(child->which), WIFSIGNALED(wait_status) ? "signal" : "status",
             WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status),
             (unsigned long long)child->deaths);
    supervisor_tell_core(supervisor, child, wait_status);
    supervisor_start_later(child, was_ready);
}

/* Agents are served and people let in whether or not websites can be watched; that they cannot is a
 * finding of core's. */
static void supervisor_announce(struct supervisor *supervisor)
{
    for (size_t i = 0; i < SUPERVISOR_FETCH; i++) {
        if (!supervisor->children[i].is_ready) {
            return;
        }
    }
    if (!supervisor->is_announced) {
        supervisor->is_announced = true;
        log_info("the centre is on watch folder=%s listen=%s", supervisor->settings->folder,
                 supervisor->settings->listen.count != 0 ? supervisor->settings->listen.items[0]
                                                         : "");
        service_notify("READY=1");
    }
}

/* Once, when core has made the store. */
static void supervisor_start_others(struct supervisor *supervisor)
{
    for (size_t i = 0; i < SUPERVISOR_COUNT; i++) {
        struct child *child = &supervisor->children[i];

        if (child->pid == 0 && child->started == 0 &&
            (i != SUPERVISOR_RENDER || supervisor->next.has_browser)) {
            supervisor_on_child_timer(child);
        }
    }
}

/* Core is not believed: only whole numbers within their rows' bounds are taken. */
static void supervisor_take_setting(struct supervisor *supervisor, struct str name,
                                    struct str value)
{
    const struct setting *row = setting_find(centre_rows, name);

    if (row == NULL || row->type != SETTING_NUMBER ||
        centre_effect_of(row) != CENTRE_EFFECT_START ||
        settings_set(centre_rows, &supervisor->next, name, value, NULL, NULL) < 0) {
        log_warn("a setting of the console was not taken name=%.*s", STR_ARG(name));
    }
}

static void supervisor_take_settings(struct supervisor *supervisor, struct msg_reader *msg)
{
    uint32_t count = msg_get_u32(msg);

    for (uint32_t i = 0; i < count && i < CENTRE_SETTINGS_MAX; i++) {
        struct str name = msg_get_str(msg);

        supervisor_take_setting(supervisor, name, msg_get_str(msg));
    }
}

/* Fetch may be in other hands: it can have those ended that see its pages, and nobody else. */
static void supervisor_end_reader(const struct supervisor *supervisor, uint32_t which)
{
    if (which <= SUPERVISOR_RENDER - SUPERVISOR_READER &&
        supervisor->children[SUPERVISOR_READER + which].pid != 0) {
        (void)kill(supervisor->children[SUPERVISOR_READER + which].pid, SIGKILL);
    }
}

static void supervisor_on_child_message(void *context, int fd, unsigned events)
{
    struct child *child = context;
    struct supervisor *supervisor = child->supervisor;
    int r = channel_receive(fd, &supervisor->packet);

    (void)events;
    if (r == 0) {
        if (supervisor->packet.msg.type == CENTRE_MESSAGE_READY) {
            child->is_ready = true;
            supervisor_start_others(supervisor);
        } else if (supervisor->packet.msg.type == CENTRE_MESSAGE_SETTINGS &&
                   child->which == SUPERVISOR_CORE) {
            supervisor_take_settings(supervisor, &supervisor->packet.msg);
        } else if (supervisor->packet.msg.type == CENTRE_MESSAGE_HUNG &&
                   child->which == SUPERVISOR_FETCH) {
            supervisor_end_reader(supervisor, msg_get_u32(&supervisor->packet.msg));
        }
        channel_packet_done(&supervisor->packet);
        supervisor_announce(supervisor);
    } else if (r !=
               -ERR_AGAIN) { /* its end: the child is going; its pidfd tells when it has gone */
        loop_source_free(child->source);
        child->source = NULL;
    }
}

/* Who runs `canhgac centre VERB`: root and the account of the centre itself only. */
static void supervisor_on_control(void *context, int fd, unsigned events)
{
    struct supervisor *supervisor = context;
    const struct child *core = &supervisor->children[SUPERVISOR_CORE];
    CLEANUP(closep) int operator_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t size = sizeof(who);
    const struct passwd *user;

    (void)events;
    if (operator_fd < 0 || getsockopt(operator_fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 ||
        (who.uid != 0 && who.uid != geteuid()) || core->channel < 0) {
        return;
    }
    user = getpwuid(who.uid);
    msg_begin(&supervisor->msg, CENTRE_MESSAGE_OPERATOR);
    msg_put_str(&supervisor->msg, str_from(user != NULL ? user->pw_name : "root"));
    if (channel_send(core->channel, &supervisor->msg, &operator_fd, 1) < 0) {
        log_warn("an operator's call could not be handed on uid=%u", who.uid);
    }
}

static void supervisor_on_signal(void *context, int signal)
{
    struct supervisor *supervisor = context;

    if (!supervisor->is_ending) {
        log_info("the centre ends signal=%d", signal);
        supervisor_end(supervisor);
    }
}

static void supervisor_on_end_timer(void *context)
{
    struct supervisor *supervisor = context;

    log_warn("a process did not end in time");
    supervisor_signal_children(supervisor, SIGKILL);
}

static void supervisor_on_day(void *context)
{
    struct supervisor *supervisor = context;
    const struct child *front = &supervisor->children[SUPERVISOR_FRONT];
    struct diag diag = {0};
    int r = centre_make_keys(supervisor->settings, &clock_real, &diag);

    if (r < 0) {
        log_error("the server certificate could not be looked after reason=%s",
                  diag_text(&diag, r));
    } else if (r == 1 && front->pid != 0) {
        (void)kill(front->pid, SIGTERM); /* it comes back with the new one */
    }
}

static int supervisor_open_control(struct supervisor *supervisor, struct diag *diag)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
                       supervisor->settings->folder, CENTRE_CONTROL);

    if (len < 0 || (size_t)len >= sizeof(address.sun_path)) {
        return diag_set(diag, -ERR_NAMETOOLONG,
                        _("the path of the folder %s is too long for a socket in it"),
                        supervisor->settings->folder);
    }
    supervisor->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlink(address.sun_path); /* the pid file's lock says that nobody serves it */
    if (supervisor->control < 0 ||
        bind(supervisor->control, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(address.sun_path, 0600) != 0 || listen(supervisor->control, 16) != 0) {
        int r = -errno;

        return diag_set(diag, r, _("cannot open %s: %s"), address.sun_path, err_text(r));
    }
    return loop_add_fd(supervisor->loop, supervisor->control, LOOP_READ, supervisor_on_control,
                       supervisor, NULL);
}

static int supervisor_make_channels(struct supervisor *supervisor)
{
    int(*pairs[SUPERVISOR_PAIRS])[2];
    int r = 0;

    supervisor_list_pairs(supervisor, pairs);
    for (size_t i = 0; r == 0 && i < SUPERVISOR_PAIRS; i++) {
        r = channel_pair(*pairs[i]);
    }
    return r;
}

static int supervisor_make_loop(struct supervisor *supervisor)
{
    struct loop_source *day;
    int r = loop_new(SUPERVISOR_SOURCES, &supervisor->loop);

    if (r == 0) {
        r = loop_add_signal(supervisor->loop, SIGTERM, supervisor_on_signal, supervisor);
    }
    if (r == 0) {
        r = loop_add_signal(supervisor->loop, SIGINT, supervisor_on_signal, supervisor);
    }
    if (r == 0) {
        r = loop_add_timer(supervisor->loop, supervisor_on_end_timer, supervisor,
                           &supervisor->end_timer);
    }
    if (r == 0) {
        r = loop_add_timer(supervisor->loop, supervisor_on_day, supervisor, &day);
    }
    if (r == 0) {
        r = loop_source_set_timer(day, SUPERVISOR_DAY, SUPERVISOR_DAY);
    }
    return r;
}

static int supervisor_make_children(struct supervisor *supervisor)
{
    for (int which = 0; which < SUPERVISOR_COUNT; which++) {
        struct child *child = &supervisor->children[which];
        int r;

        *child = (struct child){.supervisor = supervisor,
                                .which = (enum supervisor_child)which,
                                .channel = -1,
                                .far_channel = -1};
        r = loop_add_timer(supervisor->loop, supervisor_on_child_timer, child, &child->timer);
        if (r < 0) {
            return r;
        }
    }
    return supervisor_start_child(&supervisor->children[SUPERVISOR_CORE]);
}

static void supervisor_done(struct supervisor *supervisor)
{
    int(*pairs[SUPERVISOR_PAIRS])[2];

    supervisor_signal_children(supervisor, SIGTERM);
    loop_freep(&supervisor->loop);
    for (size_t i = 0; i < SUPERVISOR_COUNT; i++) {
        closep(&supervisor->children[i].channel);
    }
    listeners_close(&supervisor->listeners);
    closep(&supervisor->control);
    supervisor_list_pairs(supervisor, pairs);
    for (size_t i = 0; i < SUPERVISOR_PAIRS; i++) {
        closep(&(*pairs[i])[0]);
        closep(&(*pairs[i])[1]);
    }
}

static int supervisor_prepare(struct supervisor *supervisor, struct diag *diag)
{
    int r = centre_make_keys(supervisor->settings, &clock_real, diag);

    if (r >= 0) {
        r = supervisor_make_loop(supervisor);
    }
    if (r == 0) {
        r = listeners_open(&supervisor->listeners, supervisor->settings, diag);
    }
    if (r == 0) {
        r = supervisor_make_channels(supervisor);
    }
    return r < 0 ? r : supervisor_open_control(supervisor, diag);
}

int centre_supervise(const struct centre_settings *settings, struct diag *diag)
{
    static struct supervisor supervisor = {.control = -1};
    int(*pairs[SUPERVISOR_PAIRS])[2];
    CLEANUP(closep) int claim = -1;
    int r;

    log_init("centre", LOG_LEVEL_INFO);
    supervisor_list_pairs(&supervisor, pairs);
    for (size_t i = 0; i < SUPERVISOR_PAIRS; i++) {
        (*pairs[i])[0] = (*pairs[i])[1] = -1;
    }
    r = centre_make_folder(settings, diag);
    if (r < 0) {
        return r;
    }
    (void)umask(0027); /* not before: its users must pass through the folders above */
    claim = service_claim(settings->folder, diag);
    if (claim < 0) {
        return claim;
    }
    supervisor.settings = settings;
    supervisor.diag = diag;
    supervisor.next = *settings;
    supervisor.next.has_browser = access(BROWSER_PROGRAM, X_OK) == 0;
    if (!supervisor.next.has_browser) {
        log_info("pages are not pictured: no browser program=%s", BROWSER_PROGRAM);
    }
    r = supervisor_prepare(&supervisor, diag);
    if (r == 0) {
        r = supervisor_make_children(&supervisor);
    }
    if (r == 0) {
        r = loop_run(supervisor.loop);
    }
    supervisor_done(&supervisor);
    return r;
}
