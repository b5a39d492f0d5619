/* Actions on their way down: what a person asked for goes to the host as soon as it is connected,
 * and expires when it does not come in time. Neighbours: core/act.c puts actions in, core/ingest.c
 * takes their answers. Invariant: an action is sent again on each new connection until it is
 * answered or expires; agents answer one that they have done already without doing it twice. What
 * cannot be undone is held first (action_held_until), so that it can be called off. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"

#define ACTION_BYTES_MAX    (8U << 10)
#define RELEASE_ARENA_LIMIT (8U << 20)
#define ACTION_GRACE                                                                               \
    (60 * NS_PER_S) /* for the answer of one that was sent just before it expired */

static int core_action_send(struct core *core, struct core_host *host, struct store_action *action)
{
    struct buf bytes;
    int r;

    buf_init(&bytes, ACTION_BYTES_MAX);
    action_request_encode(&action->request, &bytes);
    r = buf_error(&bytes);
    if (r == 0) {
        r = link_server_action(host->stream->server, buf_str(&bytes));
    }
    buf_done(&bytes);
    if (r == 0 && action->state == ACTION_STATE_WAITING) {
        action->state = ACTION_STATE_SENT;
        core->changed |= CENTRE_CHANGED_ACTIONS;
        r = core_batch_begin(core);
        r = r == 0 ? store_action_put(core->options.store, action) : r;
    }
    return r;
}

/* A clock that was set back must not hold it for longer. */
static bool core_action_is_held(const struct store_action *action, int64_t now)
{
    return action->state == ACTION_STATE_WAITING && now >= action->request.asked &&
           now < action_held_until(&action->request);
}

static int core_actions_deliver_state(struct core *core, struct core_host *host,
                                      enum action_state state)
{
    const struct store_action_filter filter = {.host = &host->id, .state = (int)state};
    int64_t now = clock_wall(core->options.clock);
    struct store_action *actions;
    size_t count;
    int r;

    arena_reset(core->arena);
    r = store_action_list(core->options.store, &filter, core->arena, &actions, &count);
    for (size_t i = count;
         r == 0 && i-- > 0;) { /* newest first is how they come; oldest first they go */
        if (core_action_is_held(&actions[i], now)) {
            core->is_holding = true;
        } else if (actions[i].request.expires > now) {
            r = core_action_send(core, host, &actions[i]);
        }
    }
    return r;
}

void core_actions_deliver(struct core *core, struct core_host *host)
{
    int r;

    if (host->stream == NULL || !host->stream->is_open || host->stream->is_ending) {
        return;
    }
    r = core_actions_deliver_state(core, host, ACTION_STATE_SENT);
    if (r == 0) {
        r = core_actions_deliver_state(core, host, ACTION_STATE_WAITING);
    }
    if (r < 0) {
        log_warn("actions could not be sent host=%s error=%s", host->name, err_name(r));
        core_stream_end(host->stream, LINK_BYE_END);
        return;
    }
    core_stream_flush(host->stream);
}

/* Each host once that has a request whose time has come. */
static int core_actions_release_due(struct core *core)
{
    const struct store_action_filter filter = {.state = ACTION_STATE_WAITING};
    int64_t now = clock_wall(core->options.clock);
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_action *actions;
    size_t count = 0;
    int r = arena_new(RELEASE_ARENA_LIMIT, &arena);

    if (r == 0) {
        r = store_action_list(core->options.store, &filter, arena, &actions, &count);
    }
    core->is_holding = false;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct core_host *host = core_host_by_id(core, &actions[i].host);

        if (core_action_is_held(&actions[i], now)) {
            core->is_holding = true;
        } else if (host != NULL) {
            core_actions_deliver(core, host);
        }
    }
    return r;
}

void core_actions_release(struct core *core)
{
    if (core->is_holding && core_actions_release_due(core) < 0) {
        core->is_holding = true;
        log_warn("held actions could not be read: tried again in a second");
    }
}

static int core_actions_expire_state(struct core *core, enum action_state state, int64_t before)
{
    const struct store_action_filter filter = {.state = (int)state};
    struct store_action *actions;
    size_t count;
    int r;

    arena_reset(core->arena);
    r = store_action_list(core->options.store, &filter, core->arena, &actions, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (actions[i].request.expires >= before) {
            continue;
        }
        actions[i].state = ACTION_STATE_EXPIRED;
        core->changed |= CENTRE_CHANGED_ACTIONS;
        r = core_batch_begin(core);
        r = r == 0 ? store_action_put(core->options.store, &actions[i]) : r;
    }
    return r;
}

void core_actions_expire(struct core *core)
{
    int64_t now = clock_wall(core->options.clock);
    int r = core_actions_expire_state(core, ACTION_STATE_WAITING, now);

    if (r == 0) {
        r = core_actions_expire_state(core, ACTION_STATE_SENT, now - ACTION_GRACE);
    }
    if (r < 0) {
        core_fail(core, r);
    }
}
