/* What people do to alerts, hosts and tokens. Each function runs in one transaction with its audit
 * row. Neighbours: core/request.c calls; core/action.c carries actions on to the hosts. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/cbor.h"
#include "link/token.h"

/* An action that reaches its host later than this is not what the person meant any more. */
#define ACTION_LIFE    (600 * NS_PER_S)
#define REINSTATE_TIME (60 * NS_PER_S)

static struct str core_number_text(struct core_call *call, uint64_t number)
{
    return arena_printf(call->arena, "%llu", (unsigned long long)number);
}

static int core_alert_move(struct core_call *call, enum alert_state state, const char *act,
                           struct str reason)
{
    uint64_t number = (uint64_t)arguments_number(&call->arguments, "number", 0);
    int r = store_alert_move(call->core->options.store, number, state, call->actor, reason);

    call->changed = CENTRE_CHANGED_ALERTS;
    if (r == -ERR_CONFLICT) {
        return diag_set(&call->diag, r,
                        _("the alert has another state by now; somebody may have been faster"));
    }
    return r < 0
               ? r
               : core_call_audit(call, act, core_number_text(call, number), "reason", reason, NULL);
}

int core_alert_take(struct core_call *call)
{
    return core_alert_move(call, ALERT_STATE_TAKEN, "alert.take", STR(""));
}

int core_alert_release(struct core_call *call)
{
    return core_alert_move(call, ALERT_STATE_NEW, "alert.release", STR(""));
}

int core_alert_reopen(struct core_call *call)
{
    return core_alert_move(call, ALERT_STATE_TAKEN, "alert.reopen", STR(""));
}

int core_alert_close(struct core_call *call)
{
    struct str verdict = arguments_text(&call->arguments, "verdict");
    struct str words = str_trim(arguments_text(&call->arguments, "reason"));
    struct str reason =
        words.len == 0 ? verdict
                       : arena_printf(call->arena, "%.*s: %.*s", STR_ARG(verdict), STR_ARG(words));

    return reason.ptr == NULL ? -ERR_NOMEM
                              : core_alert_move(call, ALERT_STATE_CLOSED, "alert.close", reason);
}

static int core_act_fill(struct core_call *call, struct store_action *action)
{
    int64_t now = clock_wall(call->core->options.clock);

    if (!action_parse(arguments_text(&call->arguments, "action"), &action->request.action)) {
        return -ERR_RANGE;
    }
    if (call->account.user.role < action_row(action->request.action)->role) {
        return -ERR_ACCES;
    }
    action->request.asked = now;
    action->request.expires = now + ACTION_LIFE;
    action->request.actor = call->actor;
    action->request.reason = arguments_text(&call->arguments, "reason");
    action->state = ACTION_STATE_WAITING;
    return id_new(&action->request.id);
}

/* The finding that is meant: the alert's last, or another of the alert's. */
static int core_act_finding(struct core_call *call, const struct store_alert *alert,
                            struct id *ret_finding)
{
    const struct argument_value *wanted = arguments_get(&call->arguments, "finding");
    struct store_finding *findings;
    size_t count;
    int r;

    *ret_finding = alert->finding;
    if (!wanted->is_given || id_is(&wanted->id, &alert->finding)) {
        return 0;
    }
    r = store_alert_findings(call->core->options.store, alert->number, 0, call->arena, &findings,
                             &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (id_is(&findings[i].id, &wanted->id)) {
            *ret_finding = wanted->id;
            return 0;
        }
    }
    return r < 0 ? r : -ERR_NOENT;
}

int core_alert_act(struct core_call *call)
{
    struct core *core = call->core;
    uint64_t number = (uint64_t)arguments_number(&call->arguments, "number", 0);
    struct store_action action = {0};
    struct store_alert alert;
    char id[ID_TEXT_SIZE];
    int r = store_alert_get(core->options.store, number, call->arena, &alert);

    if (r == 0) {
        r = core_act_fill(call, &action);
    }
    if (r == 0) {
        r = core_act_finding(call, &alert, &action.request.finding);
    }
    if (r < 0) {
        return r;
    }
    action.host = alert.host;
    call->deliver = core_host_by_id(core, &alert.host);
    if (call->deliver == NULL || call->deliver->is_revoked) {
        return diag_set(&call->diag, -ERR_REVOKED,
                        _("this host is not one of the centre's any more"));
    }
    if (call->deliver->via != NULL) {
        return diag_set(&call->diag, -ERR_OPNOTSUPP,
                        _("this host only sends its logs: there is no agent on it that could act"));
    }
    r = store_action_put(core->options.store, &action);
    if (r == 0) {
        r = core_call_audit(call, "alert.act", core_number_text(call, number), "action",
                            arguments_text(&call->arguments, "action"), "reason",
                            action.request.reason, "host", alert.host_name, NULL);
    }
    id_format(&action.request.id, id);
    cbor_put_map(&call->reply, 1);
    cbor_put_text(&call->reply, STR("id"));
    cbor_put_text(&call->reply, str_from(id));
    call->changed = CENTRE_CHANGED_ACTIONS;
    return r;
}

static int core_call_off_write(struct core_call *call, struct store_action *action)
{
    uint64_t number = (uint64_t)arguments_number(&call->arguments, "number", 0);
    int r;

    if (action->state != ACTION_STATE_WAITING) {
        return diag_set(&call->diag, -ERR_CONFLICT,
                        _("it was sent to the host already and cannot be called off any more"));
    }
    action->state = ACTION_STATE_CANCELED;
    r = store_action_put(call->core->options.store, action);
    if (r == 0) {
        r = core_call_audit(call, "alert.call-off", core_number_text(call, number), "action",
                            str_from(action_row(action->request.action)->name), NULL);
    }
    call->changed = CENTRE_CHANGED_ACTIONS;
    return r;
}

int core_alert_call_off(struct core_call *call)
{
    struct store *store = call->core->options.store;
    uint64_t number = (uint64_t)arguments_number(&call->arguments, "number", 0);
    const struct id *id = &arguments_get(&call->arguments, "id")->id;
    struct store_alert alert;
    struct store_action_filter filter = {.host = &alert.host, .state = -1};
    struct store_action *actions;
    size_t count = 0;
    int r = store_alert_get(store, number, call->arena, &alert);

    if (r == 0) {
        r = store_action_list(store, &filter, call->arena, &actions, &count);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (id_is(&actions[i].request.id, id)) {
            return core_call_off_write(call, &actions[i]);
        }
    }
    return r < 0 ? r : -ERR_NOENT;
}

int core_host_cut(struct core_call *call, struct core_host *host, struct str reason)
{
    int r;

    host->cut = clock_mono(call->core->options.clock);
    host->is_revoked = true; /* stays when the write fails: rather cut than not */
    r = core_host_store(call->core, host);
    if (r == 0) {
        r = core_call_audit(call, "host.revoke", str_from(host->name), "reason", reason, NULL);
    }
    if (host->stream != NULL) {
        core_stream_end(host->stream, LINK_BYE_REVOKED);
    }
    call->changed = CENTRE_CHANGED_HOSTS;
    return r;
}

int core_host_revoke(struct core_call *call)
{
    struct core_host *host =
        core_host_by_id(call->core, &arguments_get(&call->arguments, "id")->id);

    return host == NULL ? -ERR_NOENT
                        : core_host_cut(call, host, arguments_text(&call->arguments, "reason"));
}

/* A slip of the hand only: a key that was stolen must not come back later. */
int core_host_reinstate(struct core_call *call)
{
    struct core *core = call->core;
    struct core_host *host = core_host_by_id(core, &arguments_get(&call->arguments, "id")->id);
    int r;

    if (host == NULL) {
        return -ERR_NOENT;
    }
    if (!host->is_revoked || host->cut == 0 ||
        clock_mono(core->options.clock) - host->cut > REINSTATE_TIME) {
        return diag_set(&call->diag, -ERR_CONFLICT,
                        _("a host comes back only within a minute of being revoked: enrol it anew "
                          "with a token"));
    }
    host->is_revoked = false;
    r = core_host_store(core, host);
    if (r == 0) {
        r = core_call_audit(call, "host.reinstate", str_from(host->name), NULL);
    }
    if (r < 0) {
        host->is_revoked = true;
    }
    call->changed = CENTRE_CHANGED_HOSTS;
    return r;
}

int core_token_make(struct core_call *call, struct str note, int64_t life, char ret_text[],
                    int64_t *ret_expires)
{
    struct core *core = call->core;
    int64_t now = clock_wall(core->options.clock);
    struct store_token row = {
        .note = note, .created_by = call->actor, .created = now, .expires = now + life};
    uint8_t pin[32];
    struct token token;
    int r = authority_fingerprint(core->options.authority, pin);

    if (r == 0) {
        r = token_new(pin, &token);
    }
    if (r == 0) {
        r = token_secret_sha256(str_of((const char *)token.secret, sizeof(token.secret)),
                                row.secret_sha256);
    }
    if (r == 0) {
        r = store_token_put(core->options.store, &row);
    }
    if (r == 0) {
        r = core_call_audit(call, "token.create", STR(""), "note", note, NULL);
    }
    if (r == 0) {
        token_format(&token, ret_text);
        *ret_expires = row.expires;
        call->changed = CENTRE_CHANGED_SETTINGS;
    }
    return r;
}

int core_token_create(struct core_call *call)
{
    int64_t hours = arguments_number(&call->arguments, "hours", 0);
    char text[TOKEN_TEXT_SIZE] = "";
    int64_t expires = 0;
    int r = core_token_make(call, arguments_text(&call->arguments, "note"),
                            hours == 0 ? call->core->options.token_life : hours * 3600 * NS_PER_S,
                            text, &expires);
    char until[TIME_TEXT_SIZE];

    if (r < 0) {
        return r;
    }
    time_format_utc(expires, until);
    cbor_put_map(&call->reply, 2);
    cbor_put_text(&call->reply, STR("token"));
    cbor_put_text(&call->reply, str_from(text));
    cbor_put_text(&call->reply, STR("expires"));
    cbor_put_text(&call->reply, str_from(until));
    return 0;
}
