/* The table of requests: who may ask what, and when. Anything else is a broken protocol and is
 * logged. */
#include "agent/protocol.h"
#include "agent/supervisor/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/process.h"
#include "sys/service.h"

#include <unistd.h>

typedef void request_fn(struct supervisor *supervisor, struct msg_reader *msg);

struct request_row {
    enum agent_message message;
    enum child_kind from;
    unsigned states; /* enum agent_state, or'ed */
    request_fn *fn;
};

static int request_get_finding(struct msg_reader *msg, struct id *ret_finding)
{
    struct str bytes = msg_get_str(msg);

    if (bytes.len != sizeof(ret_finding->bytes)) {
        return -ERR_PROTO;
    }
    memcpy(ret_finding->bytes, bytes.ptr, bytes.len);
    return 0;
}

/* One line that scripts wait for, and the word that systemd waits for. */
static void supervisor_say_ready(const struct supervisor *supervisor)
{
    const struct agent_settings *settings = supervisor->settings;
    const struct setting_list *roots = &settings->webroots;
    char line[1024];
    int len = snprintf(line, sizeof(line), "ready: %s",
                       settings->is_guard_only ? "guard-only" : settings->mode);

    for (size_t i = 0; settings->is_guard_only && i < roots->count && len < (int)sizeof(line) - 1;
         i++) {
        len += snprintf(line + len, sizeof(line) - (size_t)len, " %s", roots->items[i]);
    }
    for (size_t i = 0; i < supervisor->places.count && len < (int)sizeof(line) - 1; i++) {
        if (!supervisor->places.list[i].is_left_out) {
            len += snprintf(line + len, sizeof(line) - (size_t)len, " %s",
                            supervisor->places.list[i].path);
        }
    }
    fprintf(stderr, "%s\n", line);
    service_notify("READY=1");
}

/* Only now may the gate stand: its reader is there. */
static void request_sensor_ready(struct supervisor *supervisor, struct msg_reader *msg)
{
    int r = 0;

    (void)msg;
    for (size_t i = 0; !supervisor->has_marks && r == 0 && i < supervisor->places.count; i++) {
        if (!supervisor->places.list[i].is_left_out) {
            r = files_mark(supervisor->fds[SENSOR_KIND_FILES][0],
                           supervisor->fds[SENSOR_KIND_FILES][1], supervisor->places.list[i].path,
                           &supervisor->diag);
        }
    }
    if (r < 0) {
        supervisor->result = r;
        supervisor_end(supervisor);
        return;
    }
    if (!supervisor->has_marks) {
        supervisor_say_ready(supervisor);
    }
    supervisor->has_marks = true;
    supervisor->state = AGENT_STATE_WATCHING;
}

static void request_other_ready(struct supervisor *supervisor, struct msg_reader *msg)
{
    (void)supervisor;
    (void)msg_get_str(msg);
}

/* Where it is all that there is, the agent watches from now on. */
static void request_guard_ready(struct supervisor *supervisor, struct msg_reader *msg)
{
    (void)msg_get_str(msg);
    if (supervisor->settings->is_guard_only && supervisor->state == AGENT_STATE_STARTING) {
        supervisor_say_ready(supervisor);
        supervisor->state = AGENT_STATE_WATCHING;
    }
}

static void request_freeze(struct supervisor *supervisor, struct msg_reader *msg)
{
    struct id finding;
    int r = request_get_finding(msg, &finding);
    uint32_t count = msg_get_u32(msg);
    struct held *held =
        r == 0 && msg->error == 0 ? supervisor_held(supervisor, &finding, true) : NULL;

    if (held == NULL) {
        return;
    }
    held->group.count = 0;
    for (uint32_t i = 0; i < count && i < FREEZE_GROUP_MAX && msg->error == 0; i++) {
        pid_t pid = (pid_t)msg_get_u32(msg);
        uint64_t start = msg_get_u64(msg);

        if (pid > 1) {
            held->group.members[held->group.count++] = (struct freeze_member){pid, start};
        }
    }
}

static void request_restore(struct supervisor *supervisor, struct msg_reader *msg)
{
    struct id finding;

    if (request_get_finding(msg, &finding) == 0) {
        supervisor_restore(supervisor, &finding);
    }
}

static void request_action(struct supervisor *supervisor, struct msg_reader *msg)
{
    struct action_request request;
    struct cbor_reader reader;

    cbor_open(&reader, msg_get_str(msg));
    if (msg->error != 0 || action_request_decode(&reader, &request) < 0) {
        log_warn("an action that cannot be read was passed over");
        return;
    }
    supervisor_take_action(supervisor, &request);
}

/* Handed on as it is: a record is read where it is shown. */
static void request_record(struct supervisor *supervisor, struct msg_reader *msg)
{
    struct str record;

    (void)msg_get_u64(msg);
    record = msg_get_str(msg);
    if (msg_close(msg) < 0) {
        log_warn("a record that cannot be read was passed over");
        return;
    }
    msg_begin(&supervisor->msg, AGENT_MESSAGE_RECORD);
    msg_put_u64(&supervisor->msg, outbox_number(&supervisor->outlet));
    msg_put_str(&supervisor->msg, record);
    outbox_send(&supervisor->outlet, &supervisor->msg);
}

static void request_who(struct supervisor *supervisor, struct msg_reader *msg)
{
    pid_t pid = (pid_t)msg_get_u32(msg);
    struct process_info info = {0};

    if (msg_close(msg) < 0) {
        return;
    }
    (void)!process_read(pid, &info);
    msg_begin(&supervisor->msg, AGENT_MESSAGE_WHOSE);
    msg_put_u32(&supervisor->msg, (uint32_t)pid);
    msg_put_u64(&supervisor->msg, info.start);
    msg_put_u32(&supervisor->msg, (uint32_t)info.uid);
    msg_put_str(&supervisor->msg, str_from(info.exe));
    msg_put_str(&supervisor->msg, str_from(info.cmdline));
    outbox_send(&supervisor->guard, &supervisor->msg);
}

static const struct request_row request_rows[] = {
    {AGENT_MESSAGE_READY, CHILD_SENSOR, AGENT_STATE_STARTING | AGENT_STATE_WATCHING,
     request_sensor_ready},
    {AGENT_MESSAGE_FREEZE, CHILD_SENSOR, AGENT_STATE_WATCHING | AGENT_STATE_ENDING, request_freeze},
    {AGENT_MESSAGE_RESTORE, CHILD_SENSOR, AGENT_STATE_WATCHING | AGENT_STATE_ENDING,
     request_restore},
    {AGENT_MESSAGE_READY, CHILD_OUTLET, AGENT_STATE_STARTING | AGENT_STATE_WATCHING,
     request_other_ready},
    {AGENT_MESSAGE_ACTION, CHILD_OUTLET, AGENT_STATE_WATCHING, request_action},
    {AGENT_MESSAGE_READY, CHILD_GUARD, AGENT_STATE_STARTING | AGENT_STATE_WATCHING,
     request_guard_ready},
    {AGENT_MESSAGE_RECORD, CHILD_GUARD,
     AGENT_STATE_STARTING | AGENT_STATE_WATCHING | AGENT_STATE_ENDING, request_record},
    {AGENT_MESSAGE_READY, CHILD_VISITS, AGENT_STATE_STARTING | AGENT_STATE_WATCHING,
     request_other_ready},
    {AGENT_MESSAGE_RECORD, CHILD_VISITS,
     AGENT_STATE_STARTING | AGENT_STATE_WATCHING | AGENT_STATE_ENDING, request_record},
    {AGENT_MESSAGE_READY, CHILD_LOGS, AGENT_STATE_STARTING | AGENT_STATE_WATCHING,
     request_other_ready},
    {AGENT_MESSAGE_READY, CHILD_JOURNAL, AGENT_STATE_STARTING | AGENT_STATE_WATCHING,
     request_other_ready},
    {AGENT_MESSAGE_WHO, CHILD_GUARD,
     AGENT_STATE_STARTING | AGENT_STATE_WATCHING | AGENT_STATE_ENDING, request_who},
};

static void supervisor_dispatch(struct supervisor *supervisor, enum child_kind from)
{
    struct msg_reader *msg = &supervisor->packet.msg;

    for (size_t i = 0; i < ARRAY_LEN(request_rows); i++) {
        const struct request_row *row = &request_rows[i];

        if (row->message == (enum agent_message)msg->type && row->from == from) {
            if ((row->states & supervisor->state) != 0) {
                row->fn(supervisor, msg);
            }
            return;
        }
    }
    log_warn("%s asked for what it may not (%u)", child_names[from], (unsigned)msg->type);
}

static void supervisor_receive(struct supervisor *supervisor, int fd, unsigned events,
                               enum child_kind from)
{
    if ((events & LOOP_WRITE) != 0) {
        struct outbox *outbox = &supervisor->outlet;

        if (from == CHILD_SENSOR) {
            outbox = &supervisor->sensor;
        } else if (from == CHILD_GUARD) {
            outbox = &supervisor->guard;
        }
        outbox_flush(outbox);
    }
    while (channel_receive(fd, &supervisor->packet) == 0) {
        supervisor_dispatch(supervisor, from);
        channel_packet_done(&supervisor->packet);
    }
}

void supervisor_on_sensor(void *context, int fd, unsigned events)
{
    supervisor_receive(context, fd, events, CHILD_SENSOR);
}

void supervisor_on_outlet(void *context, int fd, unsigned events)
{
    supervisor_receive(context, fd, events, CHILD_OUTLET);
}

void supervisor_on_guard(void *context, int fd, unsigned events)
{
    supervisor_receive(context, fd, events, CHILD_GUARD);
}

void supervisor_on_visits(void *context, int fd, unsigned events)
{
    supervisor_receive(context, fd, events, CHILD_VISITS);
}

void supervisor_on_logs(void *context, int fd, unsigned events)
{
    supervisor_receive(context, fd, events, CHILD_LOGS);
}

void supervisor_on_journal(void *context, int fd, unsigned events)
{
    supervisor_receive(context, fd, events, CHILD_JOURNAL);
}

void supervisor_tell(struct supervisor *supervisor, const char *title, const char *value)
{
    struct record record = {.kind = RECORD_KIND_FINDING};
    struct finding_reason reason = {.what = STR("agent"), .value = str_from(value)};

    record.finding = (struct finding){.revision = 1,
                                      .time = clock_wall(&clock_real),
                                      .detector = STR("supervisor"),
                                      .severity = SEVERITY_HIGH,
                                      .title = str_from(title),
                                      .reasons = &reason,
                                      .reason_count = 1,
                                      .action = FINDING_ACTION_NONE};
    if (id_new(&record.finding.id) == 0) {
        outbox_send_record(&supervisor->outlet, &record);
    }
}
