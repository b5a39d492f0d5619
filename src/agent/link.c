/* The link process: see agent/link.h. Between agent/sensor.c and the centre's front. Invariants: a
 * message leaves its channel when the spool has its record or has counted it as refused, and not
 * before; whatever the connection does, taking records never waits for it. */
#include "agent/link.h"

#include "agent/link/private.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "link/segment.h"
#include "sys/fd.h"
#include "sys/sandbox.h"

#include <pwd.h>
#include <signal.h>

#define LINK_SOURCES      32
#define LINK_ARENA_LIMIT  (4U << 20)
#define LINK_TICK         (200 * NS_PER_MS)
#define LINK_RECEIVE_MOST 64 /* messages in one go; then the network has its turn */
#define LINK_RUN_MAX      512
#define LINK_PING_AFTER   (30 * NS_PER_S)
#define LINK_SILENCE      (90 * NS_PER_S)
#define LINK_LOGS_SHARE   2 /* beyond this part of the spool, entries of logs wait */
#define LINK_TELL_PAUSE   (10 * NS_PER_S)

static int link_append(struct link *link, enum record_kind kind, struct str bytes)
{
    int r = spool_append(link->spool, kind, bytes);

    if (r == 0) {
        return 0;
    }
    if (r != link->trouble) {
        log_error(r == -ERR_FULL
                      ? "records are being dropped: the spool is full; they are counted reason=%s"
                      : "the spool takes nothing at present; records wait reason=%s",
                  err_text(r));
        link->trouble = r;
    }
    return r == -ERR_FULL ? 0 : r;
}

int link_keep(struct link *link, const struct record *record)
{
    buf_reset(&link->record);
    record_encode(record, &link->record);
    if (buf_error(&link->record) < 0) {
        log_error("a record is too large to be kept kind=%s", record_kind_name(record->kind));
        return 0;
    }
    return link_append(link, record->kind, buf_str(&link->record));
}

/* The sensor's state, completed with what only the spool knows. */
static int link_keep_status(struct link *link, struct str bytes)
{
    struct spool_counters counters;
    struct cbor_reader reader;
    struct record record;
    int r;

    cbor_open(&reader, bytes);
    arena_reset(link->arena);
    r = record_decode(&reader, link->arena, &record);
    if (r < 0) {
        log_error("a state was not understood reason=%s", err_text(r));
        return 0;
    }
    spool_count(link->spool, &counters);
    record.status.events = counters.appended;
    record.status.dropped += counters.dropped; /* the sensor has told what it could not send */
    return link_keep(link, &record);
}

/* The kind stands in front: [kind, body]. */
static int link_peek_kind(struct str bytes, enum record_kind *ret_kind)
{
    struct cbor_reader reader;
    uint64_t kind;

    cbor_open(&reader, bytes);
    if (cbor_get_array(&reader) != 2) {
        return -ERR_SYNTAX;
    }
    kind = cbor_get_u64(&reader);
    if (reader.error < 0 || kind >= RECORD_KIND_COUNT) {
        return -ERR_SYNTAX;
    }
    *ret_kind = (enum record_kind)kind;
    return 0;
}

static int link_take_record(struct link *link, struct str bytes)
{
    enum record_kind kind;
    int r = link_peek_kind(bytes, &kind);

    if (r < 0) {
        log_error("a record was not understood reason=%s", err_text(r));
        return 0;
    }
    return kind == RECORD_KIND_STATUS ? link_keep_status(link, bytes)
                                      : link_append(link, kind, bytes);
}

/* Entries of a log in a message, one after another. */
struct link_run {
    uint64_t number; /* of the first */
    struct str records[LINK_RUN_MAX];
    size_t count;
};

/* Takes the first of a run, as many as go together; the rest remains. Entries that find no room
 * wait, since their file keeps them. */
static int link_append_run(struct link *link, enum link_channel from, struct link_run *run)
{
    struct spool_counters counters;
    size_t taken = 0;
    int r;

    spool_count(link->spool, &counters);
    if (counters.bytes > (uint64_t)link->settings->spool_bytes / LINK_LOGS_SHARE) {
        return -ERR_AGAIN; /* more would push older entries out of the spool */
    }
    intake_begin(&link->intake, from, run->number, run->count, counters.appended);
    r = spool_append_some(link->spool, RECORD_KIND_EVENT, run->records, run->count, &taken);
    if (r < 0) {
        intake_cancel(&link->intake, from);
        return r;
    }
    run->number += taken;
    run->count -= taken;
    memmove(run->records, run->records + taken, run->count * sizeof(run->records[0]));
    intake_end(&link->intake, from, run->number - 1);
    return 0;
}

/* Fills the run with what comes next in the message and was not taken; false at its end. */
static bool link_read_run(struct link *link, enum link_channel from, struct msg_reader *msg,
                          uint64_t *number, struct link_run *run)
{
    *run = (struct link_run){0};
    while (run->count < LINK_RUN_MAX) {
        struct str bytes;

        if (msg_get_u32(msg) != 1) {
            return false;
        }
        bytes = msg_get_str(msg);
        if (msg->error == 0 && !intake_is_past(&link->intake, from, *number)) {
            run->number = run->count == 0 ? *number : run->number;
            run->records[run->count++] = bytes;
        }
        ++*number;
    }
    return true;
}

/* How far a log was read is noted behind its entries; a note that fails makes them come twice after
 * a kill, and loses none. */
static void link_note_position(struct link *link, struct msg_reader *msg)
{
    struct position position = {.log = msg_get_u64(msg)};
    int r;

    position.dev = msg_get_u64(msg);
    position.ino = msg_get_u64(msg);
    position.offset = msg_get_u64(msg);
    position.mark = msg_get_u64(msg);
    r = msg_close(msg) < 0 ? -ERR_PROTO : positions_note(&link->positions, &position);
    if (r < 0 && r != link->trouble) {
        log_error("it cannot be noted how far a log was read reason=%s", err_text(r));
        link->trouble = r;
    }
}

/* Each entry counts for itself, so that a kill between two of them loses and doubles none. */
static int link_take_logs(struct link *link, enum link_channel from, struct msg_reader *msg)
{
    uint64_t number = msg_get_u64(msg);
    struct link_run run;
    bool is_more = true;

    while (is_more) {
        is_more = link_read_run(link, from, msg, &number, &run);
        while (run.count != 0) {
            int r = link_append_run(link, from, &run);

            if (r < 0) {
                return r;
            }
        }
    }
    link_note_position(link, msg);
    return 0;
}

static int link_take_other(struct link *link, enum link_channel from, struct msg_reader *msg)
{
    uint64_t number = msg_get_u64(msg);
    struct str bytes = msg_get_str(msg);
    struct spool_counters counters;
    int r = 0;

    if (msg_close(msg) < 0) {
        log_error("a message was not understood type=%u", (unsigned)msg->type);
        return 0;
    }
    if (intake_is_taken(&link->intake, from, number)) {
        return 0;
    }
    spool_count(link->spool, &counters);
    intake_begin(&link->intake, from, number, 1, counters.appended);
    if (msg->type == AGENT_MESSAGE_RECORD) {
        r = link_take_record(link, bytes);
    } else if (msg->type == AGENT_MESSAGE_ANSWER && from == LINK_CHANNEL_SUPERVISOR) {
        r = link_take_answer(link, bytes);
    }
    if (r < 0) {
        intake_cancel(&link->intake, from);
    }
    return r;
}

/* 0 when the message is done with, for good or as one that nobody understands. */
static int link_take(struct link *link, enum link_channel from, struct msg_reader *msg)
{
    if (from != LINK_CHANNEL_LOGS && from != LINK_CHANNEL_JOURNAL) {
        return link_take_other(link, from, msg);
    }
    return msg->type == AGENT_MESSAGE_LOG ? link_take_logs(link, from, msg) : 0;
}

/* Until the spool takes something again, only the tick looks: the channels would wake us for ever.
 */
static void link_set_waiting(struct link *link, enum link_channel from, bool is_waiting)
{
    int r;

    if (link->is_waiting[from] == is_waiting) {
        return;
    }
    link->is_waiting[from] = is_waiting;
    r = loop_source_set_events(link->sources[from], is_waiting ? 0 : LOOP_READ);
    if (r < 0) {
        loop_stop(link->loop, r);
    }
}

/* 1 while more may wait, 0 when the channel is empty, negative when nothing can be taken now or
 * ever again (-ERR_PIPE). */
static int link_take_some(struct link *link, enum link_channel from)
{
    int fd = link->channels[from];
    int r = 0;

    for (int i = 0; r == 0 && i < LINK_RECEIVE_MOST; i++) {
        r = channel_peek(fd, &link->packet);
        if (r == -ERR_PROTO) {
            r = channel_skip(fd);
            continue;
        }
        if (r < 0) {
            return r == -ERR_AGAIN ? 0 : r;
        }
        r = link_take(link, from, &link->packet.msg);
        channel_packet_done(&link->packet);
        if (r < 0) {
            link_set_waiting(link, from, true);
            return r;
        }
        r = channel_skip(fd);
    }
    return r < 0 ? r : 1;
}

static void link_on_channel(void *context, int fd, unsigned events)
{
    struct link *link = context;
    enum link_channel from = LINK_CHANNEL_SENSOR;

    (void)events;
    while (from + 1 < LINK_CHANNEL_COUNT && fd != link->channels[from]) {
        from++;
    }
    if (link_take_some(link, from) == -ERR_PIPE) {
        log_info("the link ends: its neighbour has gone");
        loop_stop(link->loop, 0);
        return;
    }
    link_send(link, false);
}

/* The centre learns of what was lost as soon as it can be told. */
static void link_tell_dropped(struct link *link)
{
    struct record record = {.kind = RECORD_KIND_EVENT};
    struct spool_counters counters;
    int64_t now = clock_mono(link->settings->clock);

    spool_count(link->spool, &counters);
    if (counters.dropped == link->told_dropped || now - link->told_at < LINK_TELL_PAUSE ||
        !link->is_resolved || uplink_client(link->uplink) == NULL) {
        return;
    }
    event_init(&record.event, EVENT_KIND_AGENT, clock_wall(link->settings->clock));
    (void)event_add_text(&record.event, EVENT_FIELD_EVENT_SOURCE, STR("link"));
    (void)event_add_number(&record.event, EVENT_FIELD_EVENT_COUNT_LOST,
                           (int64_t)(counters.dropped - link->told_dropped));
    (void)event_add_text(&record.event, EVENT_FIELD_MESSAGE,
                         STR("records were dropped: the spool had reached its bound"));
    if (link_keep(link, &record) == 0) {
        link->told_dropped = counters.dropped;
        link->told_at = now;
    }
}

static void link_look_after_connection(struct link *link)
{
    struct link_client *client = uplink_client(link->uplink);
    int64_t now = clock_mono(link->settings->clock);

    if (client == NULL) {
        return;
    }
    if (now - link->heard > LINK_SILENCE) {
        uplink_cut(link->uplink, "the centre has been silent for too long");
    } else if (now - link->heard > LINK_PING_AFTER && now - link->asked > LINK_PING_AFTER) {
        link->asked = now;
        if (link_client_ping(client) == 0) {
            uplink_push(link->uplink);
        }
    }
}

static void link_on_tick(void *context)
{
    struct link *link = context;
    int r = spool_tend(link->spool);

    if (r < 0 && r != link->trouble) {
        log_error("the spool's state cannot be noted reason=%s", err_text(r));
        link->trouble = r;
    }
    for (int i = 0; i < LINK_CHANNEL_COUNT && link->channels[i] >= 0; i++) {
        link_set_waiting(link, (enum link_channel)i, false); /* found again, if it is still so */
    }
    link_tell_dropped(link);
    link_send(link, true);
    link_look_after_connection(link);
}

static void link_on_opened(void *context)
{
    link_greet(context);
}

static void link_on_answer(void *context, const struct link_answer *answer)
{
    struct link *link = context;

    link->heard = clock_mono(link->settings->clock);
    switch (answer->kind) {
    case LINK_ANSWER_ACK:
        link_take_ack(link, answer->sequence, answer->clock);
        break;
    case LINK_ANSWER_ACTION:
        link_take_action(link, answer->request);
        break;
    case LINK_ANSWER_BYE:
        uplink_cut(link->uplink, link_bye_sentence(answer->bye));
        break;
    case LINK_ANSWER_PONG:
        break;
    case LINK_ANSWER_ENROLLED:
        uplink_cut(link->uplink, "the centre broke the protocol");
        break;
    }
}

static void link_on_drained(void *context)
{
    link_send(context, false);
}

static void link_on_closed(void *context)
{
    struct link *link = context;

    link->is_resolved = false;
    link->flight_count = 0;
}

static void link_on_signal(void *context, int signal)
{
    struct link *link = context;

    (void)signal;
    for (int i = 0; i < LINK_CHANNEL_COUNT && link->channels[i] >= 0; i++) {
        while (link_take_some(link, (enum link_channel)i) == 1) {
            /* last words */
        }
    }
    loop_stop(link->loop, 0);
}

static int link_make_spool_folder(const struct link_settings *settings, struct diag *diag)
{
    const struct passwd *user =
        settings->user != NULL && geteuid() == 0 ? getpwnam(settings->user) : NULL;
    int r = folder_make(settings->spool, 0700, user != NULL ? user->pw_uid : (uid_t)-1,
                        user != NULL ? user->pw_gid : (gid_t)-1);

    return r < 0
               ? diag_set(diag, r, _("cannot make the folder %s: %s"), settings->spool, err_text(r))
               : 0;
}

static int link_make_loop(struct link *link)
{
    struct loop_source *tick;
    int r = loop_new(LINK_SOURCES, &link->loop);

    if (r == 0) {
        r = loop_add_signal(link->loop, SIGTERM, link_on_signal, link);
    }
    if (r == 0) {
        r = loop_add_timer(link->loop, link_on_tick, link, &tick);
    }
    if (r == 0) {
        r = loop_source_set_timer(tick, LINK_TICK, LINK_TICK);
    }
    for (int i = 0; r == 0 && i < LINK_CHANNEL_COUNT && link->channels[i] >= 0; i++) {
        r = fd_set_nonblocking(link->channels[i], true);
        if (r == 0) {
            r = loop_add_fd(link->loop, link->channels[i], LOOP_READ, link_on_channel, link,
                            &link->sources[i]);
        }
    }
    return r;
}

/* Everything that needs more rights than the link keeps. */
static int link_open(struct link *link, struct diag *diag)
{
    const struct link_settings *settings = link->settings;
    const struct uplink_options uplink = {.loop = link->loop,
                                          .identity = &link->identity,
                                          .clock = settings->clock,
                                          .resolver_user = settings->user,
                                          .owner = {.opened = link_on_opened,
                                                    .answered = link_on_answer,
                                                    .drained = link_on_drained,
                                                    .closed = link_on_closed,
                                                    .context = link}};
    int r = identity_load(&link->identity, settings->identity, diag);

    if (r == 0) {
        r = uplink_new(&uplink, &link->uplink, diag);
    }
    return r < 0 ? r : link_make_spool_folder(settings, diag);
}

static int link_seal(struct link *link, struct intake_page *page, struct diag *diag)
{
    const struct link_settings *settings = link->settings;
    const struct sandbox_path paths[] = {{settings->spool, SANDBOX_WRITE}};
    const struct sandbox sandbox = {.user = settings->user,
                                    .paths = paths,
                                    .path_count = ARRAY_LEN(paths),
                                    .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_FILES |
                                             SANDBOX_CALLS_NETWORK};
    const struct spool_options spool = {.folder = settings->spool,
                                        .limit = (uint64_t)settings->spool_bytes,
                                        .clock = settings->clock};
    struct spool_counters counters;
    char path[4096];
    unsigned missing = 0;
    int r = sandbox_enter(&sandbox, &missing, diag);

    if (r == 0) {
        r = spool_open(&spool, &link->spool, diag);
    }
    if (r < 0) {
        return r;
    }
    (void)snprintf(path, sizeof(path), "%s/" POSITIONS_FILE, settings->spool);
    if (positions_open(&link->positions, path, true) < 0) {
        log_error("it cannot be kept how far logs were read path=%s", path);
    }
    spool_count(link->spool, &counters);
    intake_open(&link->intake, page, counters.appended);
    msg_begin(&link->msg, AGENT_MESSAGE_READY);
    msg_put_str(&link->msg, STR("link"));
    msg_put_u32(&link->msg, missing);
    return channel_send(link->channels[LINK_CHANNEL_SUPERVISOR], &link->msg, NULL, 0);
}

static void link_done(struct link *link)
{
    struct link_client *client = link->uplink != NULL ? uplink_client(link->uplink) : NULL;

    if (client != NULL && link_client_bye(client) == 0) {
        uplink_push(link->uplink);
    }
    uplink_freep(&link->uplink);
    spool_freep(&link->spool);
    positions_done(&link->positions);
    loop_freep(&link->loop);
    identity_done(&link->identity);
    arena_freep(&link->arena);
    buf_done(&link->record);
    buf_done(&link->items);
    buf_done(&link->content);
    mem_free(link);
}

int link_serve(const struct link_settings *settings, const struct agent_outlet *outlet)
{
    struct link *link = mem_alloc(1, sizeof(*link));
    struct diag diag = {0};
    int r;

    log_init("link", LOG_LEVEL_INFO);
    if (link == NULL) {
        return EXIT_FAILURE;
    }
    link->settings = settings;
    link->channels[LINK_CHANNEL_SENSOR] = outlet->sensor;
    link->channels[LINK_CHANNEL_SUPERVISOR] = outlet->supervisor;
    link->channels[LINK_CHANNEL_LOGS] = outlet->logs;
    link->channels[LINK_CHANNEL_JOURNAL] = outlet->journal;
    link->positions.fd = -1;
    identity_init(&link->identity);
    buf_init(&link->record, RECORD_SIZE_MAX);
    buf_init(&link->items, LINK_BATCH_BYTES + 2 * RECORD_SIZE_MAX);
    buf_init(&link->content, LINK_BATCH_BYTES + 2 * RECORD_SIZE_MAX + 16);
    r = arena_new(LINK_ARENA_LIMIT, &link->arena);
    if (r == 0) {
        r = link_make_loop(link);
    }
    if (r == 0) {
        r = link_open(link, &diag);
    }
    if (r == 0) {
        r = link_seal(link, outlet->intake, &diag);
    }
    if (r == 0) {
        r = loop_run(link->loop);
    }
    if (r < 0) {
        log_error("the link ends reason=%s", diag_text(&diag, r));
    }
    link_done(link);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
