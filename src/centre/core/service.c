/* Core as a thing on a loop: its timers, its channels, its beginning and end. Neighbours: core.c is
 * the process around it, core/stream.c serves agents, core/request.c the api process. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "centre/core/receive.h"
#include "centre/core/source.h"
#include "sys/fd.h"

#include <sys/random.h>

#define CORE_ARENA_LIMIT  (16U << 20)
#define CORE_LIMITER_KEYS 16384

/* Failures that cost nothing, and the longest wait. A user under attack from elsewhere must still
 * get in. */
#define CORE_PAIR_TRIES    5
#define CORE_PAIR_WAIT     (900 * NS_PER_S)
#define CORE_ADDRESS_TRIES 20
#define CORE_ADDRESS_WAIT  (900 * NS_PER_S)
#define CORE_USER_TRIES    50
#define CORE_USER_WAIT     (60 * NS_PER_S)
#define CORE_TICK          NS_PER_S
#define CORE_TICKS_WATCH   5U
#define CORE_TICKS_SILENCE 30U
#define CORE_TICKS_EXPIRE  3600U
#define CORE_CRASH_LOOP    3

static void core_on_commit(void *context)
{
    (void)core_batch_commit(context); /* a failure has been dealt with: agents send again */
}

static void core_on_tick(void *context)
{
    struct core *core = context;

    core->ticks++;
    if (core->ticks % CORE_TICKS_WATCH == 0) {
        core_disk_watch(core);
        core_streams_watch(core);
        if (!core->is_full) {
            core_hosts_watch(core);
            core_actions_expire(core);
            core_archive_watch(core);
        }
    }
    if (core->ticks % CORE_TICKS_SILENCE == CORE_TICKS_SILENCE / 2 && !core->is_full) {
        core_silence_watch(core);
    }
    core_actions_release(core);
    core_watch_tick(core);
    if (core->receive != NULL) {
        core_receive_tick(core->receive);
    }
    if (core->detect != NULL) {
        core_detect_tick(core->detect);
    }
    if (core->ticks % CORE_TICKS_EXPIRE == 2) {
        core_watch_expire(core);
    }
    if (core->options.event_life != 0 && core->ticks % CORE_TICKS_EXPIRE == 1) {
        core_expire(core);
    }
    if (core->changed != 0 && !core->is_batch) {
        core_tell(core, 0);
    }
}

static void core_on_front(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct core *core = context;

    (void)events;
    if (channel_receive(fd, &packet) < 0) {
        return;
    }
    if (packet.msg.type == CENTRE_MESSAGE_AGENT) {
        core_stream_accept(core, &packet);
    }
    channel_packet_done(&packet);
}

static void core_on_api(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct core *core = context;

    (void)events;
    if (channel_receive(fd, &packet) < 0) {
        return;
    }
    if (packet.msg.type == CENTRE_MESSAGE_REQUEST) {
        core_request_receive(core, fd, &packet);
    }
    channel_packet_done(&packet);
}

/* A child of the supervisor died: kept in the audit log, and told when it happens again and again.
 */
static void core_child_died(struct core *core, struct msg_reader *msg)
{
    static const struct id centre_itself;
    struct str name = msg_get_str(msg);
    int64_t status = msg_get_i64(msg);
    uint64_t deaths = msg_get_u64(msg);
    char detail[96];
    uint64_t number;
    int r = msg_close(msg);

    if (r == 0) {
        r = core_batch_begin(core);
    }
    (void)snprintf(detail, sizeof(detail), "{\"status\":%lld,\"deaths\":%llu}", (long long)status,
                   (unsigned long long)deaths);
    if (r == 0) {
        r = store_audit_add(core->options.store, STR("canhgac"), STR("process.died"), name,
                            str_from(detail));
    }
    if (r == 0 && deaths >= CORE_CRASH_LOOP) {
        log_error("a process of the centre dies again and again name=%.*s deaths=%llu",
                  STR_ARG(name), (unsigned long long)deaths);
        r = core_raise(core, &centre_itself, SEVERITY_HIGH,
                       N_("A process of the centre itself dies again and again"), &number);
    }
    if (r < 0) {
        log_warn("the death of a process could not be written error=%s", err_name(r));
    }
}

static void core_on_supervisor(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct core *core = context;
    int r = channel_receive(fd, &packet);

    (void)events;
    if (r == -ERR_AGAIN) {
        return;
    }
    if (r < 0) {
        loop_stop(core->options.loop, 0);
        return;
    }
    if (packet.msg.type == CENTRE_MESSAGE_OPERATOR) {
        core_operator_accept(core, &packet);
    } else if (packet.msg.type == CENTRE_MESSAGE_DIED) {
        core_child_died(core, &packet.msg);
    }
    channel_packet_done(&packet);
}

static int core_listen(struct core *core, int fd, loop_fd_fn *fn, struct loop_source **ret_source)
{
    int r;

    if (fd < 0) {
        return 0; /* a test that has no such neighbour */
    }
    r = fd_set_nonblocking(fd, true);
    return r < 0 ? r : loop_add_fd(core->options.loop, fd, LOOP_READ, fn, core, ret_source);
}

/* Who edits centre.conf and sees no change must find out why. */
static void core_log_overlay(const struct core *core)
{
    for (const struct setting *row = centre_rows; core->overlay.base != NULL && row->name != NULL;
         row++) {
        if (centre_source_of(&core->overlay.now, row) == CENTRE_SOURCE_CONSOLE) {
            log_info("a setting of the console counts over centre.conf name=%s", row->name);
        }
    }
}

static int core_start(struct core *core)
{
    struct loop *loop = core->options.loop;
    int r = loop_add_timer(loop, core_on_commit, core, &core->commit_timer);

    if (r == 0) {
        r = loop_add_timer(loop, core_on_tick, core, &core->tick_timer);
    }
    if (r == 0) {
        r = worker_new(loop, core_call_answer, core, &core->worker);
    }
    if (r == 0 && core->options.settings != NULL) {
        r = overlay_init(&core->overlay, core->options.settings);
    }
    if (r == 0) {
        r = core_settings_apply(core);
    }
    if (r == 0) {
        core_log_overlay(core);
        r = core_hosts_load(core);
    }
    if (r == 0) {
        r = core_sources_load(core);
    }
    if (r == 0) {
        r = core_batch_commit(core);
    }
    if (r == 0) {
        r = core_listen(core, core->options.channels.front, core_on_front,
                        &core->channel_sources[0]);
    }
    if (r == 0) {
        r = core_listen(core, core->options.channels.api, core_on_api, &core->channel_sources[1]);
    }
    if (r == 0) {
        r = core_listen(core, core->options.channels.supervisor, core_on_supervisor,
                        &core->channel_sources[2]);
    }
    if (r == 0) {
        r = core_listen(core, core->options.channels.fetch, core_on_fetch,
                        &core->channel_sources[CORE_SOURCE_FETCH]);
    }
    if (r == 0) {
        r = core_listen(core, core->options.channels.receiver, core_on_receiver,
                        &core->channel_sources[4]);
    }
    if (r == 0) {
        r = core_listen(core, core->options.channels.detector, core_on_detector,
                        &core->channel_sources[5]);
    }
    if (r == 0 && core->options.channels.receiver >= 0) {
        r = core_receive_new(core, core->seed, &core->receive);
    }
    return r < 0 ? r : loop_source_set_timer(core->tick_timer, CORE_TICK, CORE_TICK);
}

int core_new(const struct core_options *options, struct core **ret_core, struct diag *diag)
{
    struct core *core = mem_alloc(1, sizeof(*core));
    uint64_t seed = 0;
    int r;

    if (core == NULL) {
        return -ERR_NOMEM;
    }
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        mem_free(core);
        return -ERR_IO;
    }
    core->options = *options;
    core->seed = seed;
    core->started = clock_wall(options->clock);
    core->begun = clock_mono(options->clock);
    core->expire_stepped = clock_mono(options->clock);
    core->is_holding = true; /* perhaps, from the life before */
    core->watch.is_holding = true;
    core->watch.is_stale = true; /* fetch may have outlived an earlier core */
    core->watch.turned = core->started;
    map_init(&core->hosts_by_key, CORE_HOSTS_MAX, seed);
    map_init(&core->hosts_by_id, CORE_HOSTS_MAX, seed);
    limiter_init(&core->pairs, CORE_LIMITER_KEYS, CORE_PAIR_TRIES, CORE_PAIR_WAIT, seed);
    limiter_init(&core->addresses, CORE_LIMITER_KEYS, CORE_ADDRESS_TRIES, CORE_ADDRESS_WAIT, seed);
    limiter_init(&core->users, CORE_LIMITER_KEYS, CORE_USER_TRIES, CORE_USER_WAIT, seed);
    list_init(&core->streams);
    list_init(&core->dirty);
    list_init(&core->calls);
    list_init(&core->operators);
    r = arena_new(CORE_ARENA_LIMIT, &core->arena);
    r = r < 0 ? r : core_sources_new(core, seed, &core->sources);
    if (r == 0 && options->channels.detector >= 0) {
        r = fd_set_nonblocking(options->channels.detector, true);
        r = r < 0 ? r : core_detect_new(core, seed, &core->detect);
    }
    if (r == 0) {
        r = core_start(core);
    }
    if (r < 0) {
        core_free(core);
        if (r == -ERR_CORRUPT) { /* a page that opening it did not touch */
            return diag_set(diag, r,
                            _("the centre's database in '%s' is damaged; put state.db aside and "
                              "restore it from a backup"),
                            options->folder);
        }
        return diag_set(diag, r, _("the centre's core could not start: %s"), err_text(r));
    }
    *ret_core = core;
    return 0;
}

void core_free(struct core *core)
{
    if (core == NULL) {
        return;
    }
    (void)core_batch_commit(core);
    worker_free(core->worker);
    core_operators_done(core);
    LIST_EACH (node, &core->calls) {
        core_call_free(LIST_ENTRY(node, struct core_call, node));
    }
    LIST_EACH (node, &core->streams) {
        struct core_stream *stream = LIST_ENTRY(node, struct core_stream, node);

        core_stream_end(stream, LINK_BYE_END);
        core_stream_free(stream);
    }
    (void)core_batch_commit(core);
    core_sources_free(core->sources);
    core_hosts_done(core);
    core_detect_free(core->detect);
    core_receive_free(core->receive);
    limiter_done(&core->pairs);
    limiter_done(&core->users);
    limiter_done(&core->addresses);
    loop_source_free(core->commit_timer);
    loop_source_free(core->tick_timer);
    for (size_t i = 0; i < ARRAY_LEN(core->channel_sources); i++) {
        loop_source_free(core->channel_sources[i]);
    }
    overlay_done(&core->overlay);
    arena_free(core->arena);
    mem_free(core);
}
