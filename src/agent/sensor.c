/* Neighbours: the kernel before; the supervisor, the scanner and the outlet behind. The reader of
 * the gate starts before anything else that opens files here, because only it lets us through our
 * own gate. */
#include "agent/sensor.h"

#include "agent/numbers.h"
#include "agent/outbox.h"
#include "agent/process_feed.h"
#include "agent/protocol.h"
#include "agent/shield.h"
#include "agent/watchdog.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/host.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#define SENSOR_TICK_NS    (100 * NS_PER_MS)
#define SENSOR_REST_NS    NS_PER_S /* between ticks while nothing happens */
#define SENSOR_NICE       (-10)
#define SENSOR_STATUS_NS  (60 * NS_PER_S)
#define SENSOR_END_NS     (3 * NS_PER_S)
#define SENSOR_OUTBOX     (4U << 20)
#define SENSOR_SOURCES    16
#define SENSOR_TEXT_MAX   1024
#define SENSOR_FILES_MAX  65536U
#define SENSOR_HOLDS_PART 2U /* of all descriptors, this part holds files */

struct sensor_body {
    const struct sensor_config *config;
    struct loop *loop;
    struct loop_source *tick;
    bool is_resting; /* ticks are seldom */
    struct shield *shield;
    struct files *files;
    struct vault *vault;
    struct procwatch *processes; /* NULL: none */
    struct process_feed *feed;
    struct processes_port shield_processes;
    struct host_facts host;
    uint64_t stopped_told; /* groups, in the last status */
    struct outbox outlet;
    struct outbox supervisor;
    int wake_fd;
    int64_t status_at;
    int64_t ending_since; /* 0: it is not to end */
    struct channel_packet packet;
    struct msg_writer msg;
};

static void sensor_name_process_sensor(const struct sensor_body *body, struct buf *out)
{
    (void)buf_put_text(out, body->processes != NULL ? procwatch_name(body->processes) : "none");
    if (body->config->processes_lack[0] != '\0') {
        (void)buf_putf(out, ": %s", body->config->processes_lack);
    }
}

static void sensor_send_status(struct sensor_body *body)
{
    const struct agent_settings *settings = body->config->settings;
    struct record record = {.kind = RECORD_KIND_STATUS};
    struct status *status = &record.status;
    struct utsname name = {0};
    struct buf paths;
    struct buf sensor;

    buf_init(&sensor, SENSOR_TEXT_MAX);
    buf_init(&paths, RECORD_SIZE_MAX / 4);
    for (size_t i = 0; i < body->config->place_count; i++) {
        if (!body->config->places[i].is_left_out) {
            buf_putf(&paths, "%s%s", paths.len != 0 ? "\n" : "", body->config->places[i].path);
        }
    }
    (void)uname(&name);
    status->time = clock_wall(&clock_real);
    status->version = STR(CANHGAC_VERSION);
    status->kernel = str_from(name.release);
    status->os = str_from(body->host.os);
    status->address = str_from(body->host.address);
    sensor_name_process_sensor(body, &sensor);
    status->process_sensor = buf_str(&sensor);
    status->shield = str_from(settings->mode);
    status->protected_paths = buf_str(&paths);
    status->dropped = outbox_dropped(&body->outlet) + process_feed_dropped(body->feed);
    status->restarts = atomic_load(&body->config->page->restarts);
    shield_fill_status(body->shield, status);
    outbox_send_record(&body->outlet, &record);
    body->status_at = clock_mono(&clock_real);
    body->stopped_told = status->stopped_groups;
    buf_done(&sensor);
    buf_done(&paths);
}

static void sensor_record(void *context, const struct record *record)
{
    struct sensor_body *body = context;

    outbox_send_record(&body->outlet, record);
}

static void sensor_put_finding(struct msg_writer *msg, const struct id *finding)
{
    msg_put_str(msg, str_of((const char *)finding->bytes, sizeof(finding->bytes)));
}

static void sensor_stopped(void *context, const struct id *finding,
                           const struct freeze_group *group)
{
    struct sensor_body *body = context;

    msg_begin(&body->msg, AGENT_MESSAGE_FREEZE);
    sensor_put_finding(&body->msg, finding);
    msg_put_u32(&body->msg, (uint32_t)group->count);
    for (size_t i = 0; i < group->count; i++) {
        msg_put_u32(&body->msg, (uint32_t)group->members[i].pid);
        msg_put_u64(&body->msg, group->members[i].start);
    }
    outbox_send(&body->supervisor, &body->msg);
}

static void sensor_restore(void *context, const struct id *finding)
{
    struct sensor_body *body = context;

    msg_begin(&body->msg, AGENT_MESSAGE_RESTORE);
    sensor_put_finding(&body->msg, finding);
    outbox_send(&body->supervisor, &body->msg);
}

static int sensor_get_finding(struct msg_reader *msg, struct id *ret_finding)
{
    struct str bytes = msg_get_str(msg);

    if (bytes.len != sizeof(ret_finding->bytes)) {
        return -ERR_PROTO;
    }
    memcpy(ret_finding->bytes, bytes.ptr, bytes.len);
    return 0;
}

static void sensor_take_done(struct sensor_body *body, struct msg_reader *msg)
{
    struct shield_done done = {0};
    int r = sensor_get_finding(msg, &done.finding);

    done.action = (enum action)msg_get_u32(msg);
    done.result = (int)msg_get_i64(msg);
    done.report.restored = msg_get_u64(msg);
    done.report.partial = msg_get_u64(msg);
    done.report.failed = msg_get_u64(msg);
    if (r == 0 && msg->error == 0) {
        shield_done(body->shield, &done);
    }
}

static void sensor_take_decision(struct sensor_body *body, struct msg_reader *msg)
{
    struct freeze_group group = {0};
    enum action action = (enum action)msg_get_u32(msg);
    struct id finding;
    int r = sensor_get_finding(msg, &finding);
    uint32_t count = msg_get_u32(msg);

    for (uint32_t i = 0; i < count && i < FREEZE_GROUP_MAX; i++) {
        pid_t pid = (pid_t)msg_get_u32(msg);

        group.members[group.count++] = (struct freeze_member){pid, msg_get_u64(msg)};
    }
    if (r == 0 && msg->error == 0) {
        shield_decide(body->shield, action, &finding, &group);
    }
}

static void sensor_on_channel(void *context, int fd, unsigned events)
{
    struct sensor_body *body = context;
    struct outbox *outbox = fd == body->outlet.channel ? &body->outlet : &body->supervisor;

    if ((events & LOOP_WRITE) != 0) {
        outbox_flush(outbox);
    }
    while (channel_receive(fd, &body->packet) == 0) {
        switch (body->packet.msg.type) {
        case AGENT_MESSAGE_STATUS:
            sensor_send_status(body);
            break;
        case AGENT_MESSAGE_DONE:
            sensor_take_done(body, &body->packet.msg);
            break;
        case AGENT_MESSAGE_DECISION:
            sensor_take_decision(body, &body->packet.msg);
            break;
        default:
            break;
        }
        channel_packet_done(&body->packet);
    }
    if ((events & LOOP_HANGUP) != 0 && fd == body->supervisor.channel) {
        loop_stop(body->loop, 0); /* nobody is left who could restart us */
    }
}

static void sensor_set_rest(struct sensor_body *body, bool is_resting)
{
    int64_t interval = is_resting ? SENSOR_REST_NS : SENSOR_TICK_NS;

    if (body->is_resting != is_resting &&
        loop_source_set_timer(body->tick, interval, interval) == 0) {
        body->is_resting = is_resting;
    }
}

static void sensor_on_wake(void *context, int fd, unsigned events)
{
    struct sensor_body *body = context;
    uint64_t count;

    (void)events;
    (void)!read(fd, &count, sizeof(count));
    sensor_set_rest(body, false);
    shield_turn(body->shield);
}

/* Its last findings say what became of the files, so it waits for that a while. */
static void sensor_end_if_told(struct sensor_body *body, int64_t now)
{
    if (shield_is_restoring(body->shield) && now - body->ending_since < SENSOR_END_NS) {
        return;
    }
    outbox_flush(&body->outlet);
    loop_stop(body->loop, 0);
}

static void sensor_on_tick(void *context)
{
    struct sensor_body *body = context;
    int64_t now = clock_mono(&clock_real);

    shield_tick(body->shield, now);
    process_feed_send(body->feed);
    if (body->ending_since != 0) {
        sensor_end_if_told(body, now);
    }
    if (now - body->status_at > SENSOR_STATUS_NS ||
        shield_stopped_groups(body->shield) != body->stopped_told) {
        sensor_send_status(body);
    }
    sensor_set_rest(body, body->ending_since == 0 && shield_rests(body->shield, now));
}

static void sensor_on_end(void *context, int signal)
{
    struct sensor_body *body = context;

    (void)signal;
    if (body->ending_since == 0) {
        body->ending_since = clock_mono(&clock_real);
    }
    sensor_on_channel(body, body->supervisor.channel, LOOP_READ);
    sensor_on_tick(body);
}

static int sensor_listen(struct sensor_body *body)
{
    int r = loop_new(SENSOR_SOURCES, &body->loop);

    body->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r == 0 && body->wake_fd < 0) {
        r = -errno;
    }
    if (r == 0) {
        r = loop_add_fd(body->loop, body->wake_fd, LOOP_READ, sensor_on_wake, body, NULL);
    }
    if (r == 0) {
        r = loop_add_fd(body->loop, body->outlet.channel, LOOP_READ, sensor_on_channel, body,
                        &body->outlet.source);
    }
    if (r == 0) {
        r = loop_add_fd(body->loop, body->supervisor.channel, LOOP_READ, sensor_on_channel, body,
                        &body->supervisor.source);
    }
    if (r == 0) {
        r = loop_add_timer(body->loop, sensor_on_tick, body, &body->tick);
    }
    if (r == 0) {
        r = loop_source_set_timer(body->tick, SENSOR_TICK_NS, SENSOR_TICK_NS);
    }
    if (r == 0) {
        r = loop_add_signal(body->loop, SIGTERM, sensor_on_end, body);
    }
    return r;
}

static size_t sensor_holds_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > SENSOR_FILES_MAX) {
        return SENSOR_FILES_MAX / SENSOR_HOLDS_PART;
    }
    return limit.rlim_cur / SENSOR_HOLDS_PART;
}

/* Landlock is off: a process inside it may not read /proc of one outside, and that is what this one
 * is for. Capabilities and the filter of calls hold it instead. */
static int sensor_drop(const struct sensor_config *config, unsigned *ret_missing, struct diag *diag)
{
    static const int capabilities[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SYS_NICE};
    const struct sandbox sandbox = {.user = config->user,
                                    .capabilities = capabilities,
                                    .capability_count = ARRAY_LEN(capabilities),
                                    .is_landlock_off = true,
                                    .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_FILES |
                                             SANDBOX_CALLS_SIGNAL | SANDBOX_CALLS_FANOTIFY |
                                             SANDBOX_CALLS_OWNERSHIP | SANDBOX_CALLS_THREADS,
                                    .file_limit = SENSOR_FILES_MAX};

    return sandbox_enter(&sandbox, ret_missing, diag);
}

static int sensor_open_vault(struct sensor_body *body, struct diag *diag)
{
    const struct agent_settings *settings = body->config->settings;
    const struct vault_limits limits = {.bytes = (uint64_t)settings->vault_bytes,
                                        .retention_ns = settings->vault_retention,
                                        .whole_bytes = (uint64_t)settings->whole_bytes,
                                        .edge_bytes = (uint64_t)settings->edge_bytes};

    return vault_open(body->config->vault_folder, &limits, &clock_real, &body->vault, diag);
}

/* The shield first: what it does is urgent. */
static void sensor_process_changed(void *context, const struct procwatch_event *event)
{
    struct sensor_body *body = context;

    body->shield_processes.changed(body->shield_processes.context, event);
    process_feed_put(body->feed, event);
}

/* Before the sandbox: the kernel's tables cannot be mapped, nor addresses asked for, from inside
 * it. */
static int sensor_open_world(struct sensor_body *body)
{
    struct process_feed_config feed = {
        .page = body->config->page, .clock = &clock_real, .context = body, .record = sensor_record};
    int r = 0;

    host_read(&body->host);
    if (body->config->processes[0] >= 0) {
        r = procwatch_open(body->config->processes, &body->processes);
    }
    feed.watch = body->processes;
    return r == 0 ? process_feed_new(&feed, &body->feed) : r;
}

static int sensor_start(struct sensor_body *body, struct diag *diag)
{
    const struct sensor_config *config = body->config;
    const struct shield_config shield_config = {
        .settings = config->settings,
        .page = config->page,
        .scanner = config->scanner,
        .leash = config->leash,
        .wake_fd = body->wake_fd,
        .watch_fd = config->watch_fd,
        .holds_max = sensor_holds_max(),
        .port = {body, sensor_record, sensor_stopped, sensor_restore}};
    const struct files_config files_config = {.gate = config->gate,
                                              .names = config->names,
                                              .doze = config->doze,
                                              .asked_fd = config->leash,
                                              .processes = body->processes,
                                              .places = config->places,
                                              .place_count = config->place_count};
    struct files_port port;
    int r = shield_new(&shield_config, &body->shield);

    if (r < 0) {
        return r;
    }
    numbers_begin(config->page); /* only now, for holds_max goes by what it may have in the end */
    port = shield_files_port(body->shield);
    body->shield_processes = port.processes;
    port.processes = (struct processes_port){body, sensor_process_changed};
    r = files_new(&files_config, &port, &body->files);
    if (r == 0) {
        r = files_start_reader(body->files);
    }
    if (r == 0) {
        r = sensor_open_vault(body, diag);
    }
    if (r == 0) {
        r = shield_attach(body->shield, body->files, body->vault);
    }
    if (r == 0) {
        shield_save_open_files(body->shield, config->places, config->place_count);
        r = shield_walk(body->shield, config->places, config->place_count);
    }
    if (r == 0) {
        r = files_start_workers(body->files);
    }
    if (r == 0) {
        shield_recall(body->shield);
    }
    return r;
}

/* The gate's reader outlives everything that may open files behind the gate; then the watchdog
 * stands in, which also ends us when we take too long: a thread may wait for a disk. */
static void sensor_close(struct sensor_body *body)
{
    atomic_store(&body->config->page->ending, clock_mono(&clock_real));
    watchdog_stir(body->config->page, body->config->watch_fd);
    if (body->files != NULL) {
        files_stop_workers(body->files);
    }
    if (body->shield != NULL) {
        shield_stop(body->shield);
    }
    vault_close(body->vault);
    files_free(body->files);
    atomic_store(&body->config->page->beat, 0);
    shield_free(body->shield);
}

static void sensor_say_ready(struct sensor_body *body, unsigned missing)
{
    msg_begin(&body->msg, AGENT_MESSAGE_READY);
    msg_put_str(&body->msg, STR("sensor"));
    msg_put_u32(&body->msg, missing);
    outbox_send(&body->supervisor, &body->msg);
}

int sensor_run(const struct sensor_config *config)
{
    struct sensor_body *body = mem_alloc(1, sizeof(*body));
    struct diag diag = {0};
    unsigned missing = 0;
    int r = -ERR_NOMEM;

    mem_return_whole();
    log_init("sensor", LOG_LEVEL_INFO);
    if (body != NULL) {
        body->config = config;
        body->wake_fd = -1;
        outbox_init(&body->outlet, config->outlet, SENSOR_OUTBOX, &config->page->records);
        outbox_init(&body->supervisor, config->supervisor, SENSOR_OUTBOX, NULL);
        r = sensor_open_world(body);
    }
    (void)!process_set_nice(SENSOR_NICE); /* all its threads: openers wait for them */
    if (body != NULL && r == 0) {
        r = sensor_drop(config, &missing, &diag);
    }
    if (r == 0) {
        r = sensor_listen(body);
    }
    if (r == 0) {
        r = sensor_start(body, &diag);
    }
    if (r == 0) {
        sensor_say_ready(body, missing);
        r = loop_run(body->loop);
    }
    if (r < 0) {
        log_error("%s", diag_text(&diag, r));
    }
    if (body != NULL) {
        sensor_close(body);
        process_feed_free(body->feed);
        procwatch_close(body->processes);
        outbox_done(&body->outlet);
        outbox_done(&body->supervisor);
        loop_free(body->loop);
        closep(&body->wake_fd);
    }
    mem_free(body);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
