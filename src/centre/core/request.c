/* What the api process asks for: looked up in requests.def, checked again (who, role, arguments),
 * run in a transaction of its own, audited, answered. Neighbours: api/ask.c sends, the functions
 * live in core/login.c, core/user.c and core/act.c. Invariants: a reply leaves after its commit; a
 * request whose commit failed is answered with that failure and leaves nothing behind. */
#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "centre/core/receive.h"
#include "centre/core/source.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/cbor.h"

#include <stdarg.h>

#define CALL_ARENA_LIMIT (4U << 20)
#define CALL_REPLY_LIMIT (32U << 10)

static const struct core_request core_requests[] = {
#define REQUEST(verb, access, arguments, function) {verb, access, arguments, function},
#include "centre/requests.def"
#undef REQUEST
};

static const struct core_request *core_request_find(struct str verb)
{
    for (size_t i = 0; i < sizeof(core_requests) / sizeof(core_requests[0]); i++) {
        if (str_is_text(verb, core_requests[i].verb)) {
            return &core_requests[i];
        }
    }
    return NULL;
}

int core_call_new(struct core *core, int channel, uint64_t number, struct core_call **ret_call)
{
    struct core_call *call;
    int r;

    if (core->call_count >= CORE_CALLS_MAX) {
        return -ERR_BUSY;
    }
    call = mem_alloc(1, sizeof(*call));
    if (call == NULL) {
        return -ERR_NOMEM;
    }
    r = arena_new(CALL_ARENA_LIMIT, &call->arena);
    if (r < 0) {
        mem_free(call);
        return r;
    }
    call->core = core;
    call->channel = channel;
    call->number = number;
    call->language = LANGUAGE_VI;
    buf_init(&call->reply, CALL_REPLY_LIMIT);
    list_append(&core->calls, &call->node);
    core->call_count++;
    *ret_call = call;
    return 0;
}

void core_call_free(struct core_call *call)
{
    list_remove(&call->node);
    call->core->call_count--;
    if (call->reply.room != 0) {
        mem_wipe(call->reply.ptr,
                 call->reply.len); /* sessions and one-time passwords go through here */
    }
    buf_done(&call->reply);
    arena_free(call->arena);
    mem_free(call);
}

static void core_reply(int channel, uint64_t number, int result, const char *diag, struct str body)
{
    static struct msg_writer msg;
    int r;

    if (channel < 0) {
        return;
    }
    msg_begin(&msg, CENTRE_MESSAGE_REPLY);
    msg_put_u64(&msg, number);
    msg_put_i64(&msg, result);
    msg_put_str(&msg, str_from(diag));
    msg_put_str(&msg, body);
    r = msg_end(&msg);
    if (r == 0) {
        r = channel_send(channel, &msg, NULL, 0);
    }
    if (r < 0) {
        log_warn("a reply could not be sent error=%s", err_name(r));
    }
    mem_wipe(msg.bytes, msg.len);
}

static void core_call_finish(struct core_call *call, int result)
{
    struct core *core = call->core;

    core_reply(call->channel, call->number, result,
               result < 0 ? diag_text(&call->diag, result) : "", buf_str(&call->reply));
    if (result == 0 && call->is_setting && core_settings_apply(core) < 0) {
        log_warn("the settings could not be read anew: they count from the next start");
    }
    if (result == 0 && call->is_watch) {
        core_watch_renew(core);
    }
    if (result == 0 && call->is_rules && core->detect != NULL) {
        core_detect_renew(core->detect);
    }
    if (result == 0 && call->deliver != NULL) {
        core_actions_deliver(core, call->deliver);
    }
    core_call_free(call);
}

/* One step of a call: what was ingested is committed first, so that a failure here takes nothing
 * with it. */
static int core_call_begin(struct core_call *call)
{
    int r = core_batch_commit(call->core);

    text_set_language(call->language);
    return r < 0 ? r : core_batch_begin(call->core);
}

static void core_call_end(struct core_call *call, int result)
{
    struct core *core = call->core;
    int r = result;

    if (r == 0) {
        r = buf_error(&call->reply);
    }
    if (r == 0 || call->is_kept) {
        int committed;

        core->changed |= call->changed;
        committed = core_batch_commit(core);
        r = committed < 0 ? committed : r;
    } else if (core->is_batch) {
        store_rollback(core->options.store);
        core_sources_forget(core);
        core->is_batch = false;
    }
    if (r == -ERR_NOSPC) {
        core_fail(core, r);
    }
    if (result != CORE_LATER) {
        core_call_finish(call, r);
    }
}

void core_call_run(struct core_call *call, core_request_fn *function)
{
    int r = core_call_begin(call);

    core_call_end(call, r < 0 ? r : function(call));
}

int core_call_work(struct core_call *call, struct str password, struct str encoded,
                   struct str fresh, core_then_fn *then)
{
    int r;

    call->then = then;
    r = worker_ask(call->core->worker, password, encoded, fresh, call);
    if (r == -ERR_BUSY) {
        return diag_set(&call->diag, r,
                        _("too many people log in at this moment; try again in a few seconds"));
    }
    return r < 0 ? r : CORE_LATER;
}

void core_call_answer(void *context, void *job, const struct worker_answer *answer)
{
    struct core_call *call = job;
    int r = core_call_begin(call);

    (void)context;
    core_call_end(call, r < 0 ? r : call->then(call, answer));
}

static int core_call_identify(struct core_call *call)
{
    struct core *core = call->core;
    int r;

    if (call->request->access == ACCESS_OPEN) {
        return 0;
    }
    r = account_find(core->options.store, call->session, clock_wall(core->options.clock),
                     call->arena, &call->account);
    if (r < 0) {
        return r;
    }
    call->actor = call->account.user.name;
    r = account_check(&call->account, call->request->access);
    if (r == -ERR_EXPIRED && str_is_text(str_from(call->request->verb), "me.password")) {
        return 0;
    }
    return r;
}

/* Everything borrowed from the packet is copied: a call may outlive it. */
static int core_call_fill(struct core_call *call, struct str body, struct str session,
                          struct str address)
{
    body = arena_copy(call->arena, body);
    call->session = arena_copy(call->arena, session);
    call->address = arena_copy(call->arena, address);
    if (body.ptr == NULL || call->session.ptr == NULL || call->address.ptr == NULL) {
        return -ERR_NOMEM;
    }
    arguments_init(&call->arguments, call->request->arguments);
    return arguments_decode(&call->arguments, body, &call->diag);
}

void core_request_receive(struct core *core, int channel, struct channel_packet *packet)
{
    uint64_t number = msg_get_u64(&packet->msg);
    struct str session = msg_get_str(&packet->msg);
    struct str verb = msg_get_str(&packet->msg);
    struct str body = msg_get_str(&packet->msg);
    struct str address = msg_get_str(&packet->msg);
    uint32_t language = msg_get_u32(&packet->msg);
    const struct core_request *request = core_request_find(verb);
    struct core_call *call;
    int r = msg_close(&packet->msg);

    if (r < 0 || request == NULL || language >= LANGUAGE_COUNT) {
        core_reply(channel, number, -ERR_PROTO, err_text(-ERR_PROTO), STR(""));
        return;
    }
    r = core_call_new(core, channel, number, &call);
    if (r < 0) {
        core_reply(channel, number, r, err_text(r), STR(""));
        return;
    }
    call->request = request;
    call->language = (enum language)language;
    text_set_language(call->language);
    r = core_call_fill(call, body, session, address);
    if (r == 0) {
        r = core_call_identify(call);
    }
    if (r < 0) {
        core_call_finish(call, r);
        return;
    }
    core_call_run(call, request->function);
}

int core_call_audit(struct core_call *call, const char *act, struct str object, ...)
{
    struct json_writer json;
    struct buf detail;
    va_list args;
    const char *name;
    int r;

    buf_init(&detail, CALL_REPLY_LIMIT);
    json_begin(&json, &detail);
    json_open_object(&json);
    va_start(args, object);
    while ((name = va_arg(args, const char *)) != NULL) {
        json_add_str(&json, name, va_arg(args, struct str));
    }
    va_end(args);
    if (call->address.len != 0) {
        json_add_str(&json, "address", call->address);
    }
    json_close_object(&json);
    r = buf_error(&detail);
    if (r == 0) {
        r = store_audit_add(call->core->options.store, call->actor, str_from(act), object,
                            buf_str(&detail));
    }
    buf_done(&detail);
    return r;
}

static void core_put_received(struct core_call *call)
{
    struct core_receive_counts counts = {0};

    if (call->core->receive != NULL) {
        core_receive_count(call->core->receive, &counts);
    }
    receive_counts_put(&call->reply, &counts);
}

int core_health(struct core_call *call)
{
    struct detector_counts logs = {0};

    if (call->core->detect != NULL) {
        core_detect_count(call->core->detect, &logs);
    }
    cbor_put_map(&call->reply, 3);
    cbor_put_text(&call->reply, STR("full"));
    cbor_put_bool(&call->reply, call->core->is_full);
    cbor_put_text(&call->reply, STR("logs"));
    cbor_put_array(&call->reply, 6);
    cbor_put_u64(&call->reply, logs.entries);
    cbor_put_u64(&call->reply, logs.judged);
    cbor_put_u64(&call->reply, logs.faulty);
    cbor_put_u64(&call->reply, logs.hits);
    cbor_put_u64(&call->reply, logs.unjudged);
    cbor_put_u64(&call->reply, logs.matched);
    cbor_put_text(&call->reply, STR("received"));
    core_put_received(call);
    return 0;
}

/* A privileged read is told before it is done: the api process reads after this has been answered.
 */
int core_read_note(struct core_call *call)
{
    return core_call_audit(call, call->request->verb, STR(""), NULL);
}
