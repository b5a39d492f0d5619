/* Who runs `canhgac centre VERB` on the centre's own machine: the supervisor has checked the system
 * account and passes on the socket. Rights of an admin, named "local:USER" in the audit log. The
 * verbs and their numbered arguments stand in centre/protocol.h. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/sender_token.h"
#include "codec/cbor.h"
#include "link/token.h"
#include "sys/fd.h"

#define OPERATOR_LIFE       (30 * NS_PER_S)
#define OPERATOR_HOSTS_PAGE 200

/* One who is connected; thirty seconds at most. */
struct core_operator {
    struct list node;
    struct core *core;
    int fd;
    struct loop_source *source;
    struct loop_source *timer;
    char actor[128];
};

/* What a call was asked with. */
struct core_operator_question {
    struct str text;
    int64_t number;
};

/* A call that still waits for the password thread must not answer on a number that somebody else
 * has by then. */
static void core_operator_free(struct core_operator *who)
{
    LIST_EACH (node, &who->core->calls) {
        struct core_call *call = LIST_ENTRY(node, struct core_call, node);

        if (call->channel == who->fd) {
            call->channel = -1;
        }
    }
    list_remove(&who->node);
    loop_source_free(who->source);
    loop_source_free(who->timer);
    closep(&who->fd);
    mem_free(who);
}

void core_operators_done(struct core *core)
{
    LIST_EACH (node, &core->operators) {
        core_operator_free(LIST_ENTRY(node, struct core_operator, node));
    }
}

static void core_operator_on_timer(void *context)
{
    core_operator_free(context);
}

/* {0: text, 1: number}, either missing. */
static int core_operator_arguments(struct core_call *call, struct str body, struct str *ret_text,
                                   int64_t *ret_number)
{
    struct cbor_reader reader;
    size_t count;

    *ret_text = STR("");
    *ret_number = 0;
    cbor_open(&reader, body);
    count = cbor_get_map(&reader);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = cbor_get_u64(&reader);

        if (key == 0) {
            *ret_text = arena_copy(call->arena, cbor_get_text(&reader));
        } else if (key == 1) {
            *ret_number = cbor_get_i64(&reader);
        } else {
            cbor_skip(&reader);
        }
    }
    if (ret_text->ptr == NULL) {
        return -ERR_NOMEM;
    }
    return cbor_close(&reader);
}

static int core_operator_token(struct core_call *call)
{
    const struct core_operator_question *asked = call->state;
    char text[TOKEN_TEXT_SIZE];
    int64_t expires;
    int r = core_token_make(call, asked->text,
                            asked->number > 0 ? asked->number : call->core->options.token_life,
                            text, &expires);

    if (r == 0) {
        cbor_put_map(&call->reply, 2);
        cbor_put_u64(&call->reply, 0);
        cbor_put_text(&call->reply, str_from(text));
        cbor_put_u64(&call->reply, 1);
        cbor_put_i64(&call->reply, expires);
    }
    return r;
}

static int core_operator_sender(struct core_call *call)
{
    const struct core_operator_question *asked = call->state;
    char text[SENDER_TOKEN_SIZE];
    uint64_t number;
    int r = core_sender_make(call, asked->text, text, &number);

    if (r == 0) {
        cbor_put_map(&call->reply, 1);
        cbor_put_u64(&call->reply, 0);
        cbor_put_text(&call->reply, str_from(text));
    }
    return r;
}

static struct core_host *core_operator_find(const struct core *core, struct str name)
{
    struct core_host *host;
    size_t cursor = 0;
    struct id id;

    if (id_parse(name, &id) == 0) {
        return core_host_by_id(core, &id);
    }
    while ((host = map_next(&core->hosts_by_id, &cursor)) != NULL) {
        if (str_is_nocase(str_from(host->name), name)) {
            return host;
        }
    }
    return NULL;
}

static int core_operator_revoke(struct core_call *call)
{
    const struct core_operator_question *asked = call->state;
    struct core_host *host = core_operator_find(call->core, asked->text);

    if (host == NULL) {
        return diag_set(&call->diag, -ERR_NOENT,
                        _("there is no host '%.*s'; canhgac centre hosts lists them"),
                        STR_ARG(asked->text));
    }
    cbor_put_map(&call->reply, 0);
    return core_host_cut(call, host, STR(""));
}

static void core_operator_put_host(struct buf *reply, const struct store_host *row)
{
    cbor_put_map(reply, 7);
    cbor_put_u64(reply, 0);
    cbor_put_bytes(reply, str_of((const char *)row->id.bytes, sizeof(row->id.bytes)));
    cbor_put_u64(reply, 1);
    cbor_put_text(reply, row->name);
    cbor_put_u64(reply, 2);
    cbor_put_bool(reply, row->is_connected);
    cbor_put_u64(reply, 3);
    cbor_put_bool(reply, row->is_revoked);
    cbor_put_u64(reply, 4);
    cbor_put_i64(reply, row->seen);
    cbor_put_u64(reply, 5);
    cbor_put_u64(reply, row->acknowledged);
    cbor_put_u64(reply, 6);
    cbor_put_u64(reply, row->status.dropped);
}

/* One page, as much as a message holds; the rest after the name given. */
static int core_operator_hosts(struct core_call *call)
{
    const struct core_operator_question *asked = call->state;
    struct store_host *rows;
    size_t count;
    int r = store_host_list(call->core->options.store, asked->text, OPERATOR_HOSTS_PAGE,
                            call->arena, &rows, &count);

    if (r < 0) {
        return r;
    }
    cbor_put_array(&call->reply, count);
    for (size_t i = 0; i < count; i++) {
        core_operator_put_host(&call->reply, &rows[i]);
    }
    return core_call_audit(call, "host.list", STR(""), NULL);
}

static int core_operator_password(struct core_call *call)
{
    const struct core_operator_question *asked = call->state;

    return core_user_reset(call, asked->text);
}

static core_request_fn *core_operator_function(struct str verb)
{
    static const struct {
        const char *verb;
        core_request_fn *function;
    } rows[] = {{"token.create", core_operator_token},     {"sender.create", core_operator_sender},
                {"host.list", core_operator_hosts},        {"host.revoke", core_operator_revoke},
                {"user.password", core_operator_password}, {"rule.reload", core_rule_reload}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_is_text(verb, rows[i].verb)) {
            return rows[i].function;
        }
    }
    return NULL;
}

static int core_operator_take(struct core_operator *who, struct channel_packet *packet)
{
    uint64_t number = msg_get_u64(&packet->msg);
    struct core_operator_question *asked;
    struct core_call *call;
    core_request_fn *function;
    uint32_t language;
    struct str body;
    int r;

    (void)msg_get_str(&packet->msg);
    function = core_operator_function(msg_get_str(&packet->msg));
    body = msg_get_str(&packet->msg);
    language = msg_get_u32(&packet->msg);
    if (msg_close(&packet->msg) < 0 || function == NULL || language >= LANGUAGE_COUNT) {
        return -ERR_PROTO;
    }
    r = core_call_new(who->core, who->fd, number, &call);
    if (r < 0) {
        return r;
    }
    asked = arena_alloc(call->arena, 1, sizeof(*asked));
    call->actor = arena_copy(call->arena, str_from(who->actor));
    call->state = asked;
    call->language = (enum language)language;
    if (asked == NULL || call->actor.ptr == NULL) {
        core_call_free(call);
        return -ERR_NOMEM;
    }
    r = core_operator_arguments(call, body, &asked->text, &asked->number);
    if (r < 0) {
        core_call_free(call);
        return r;
    }
    core_call_run(call, function);
    return 0;
}

static void core_operator_on_events(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct core_operator *who = context;
    int r = channel_receive(fd, &packet);

    (void)events;
    if (r == 0) {
        r = packet.msg.type == CENTRE_MESSAGE_REQUEST ? core_operator_take(who, &packet)
                                                      : -ERR_PROTO;
        channel_packet_done(&packet);
    }
    if (r < 0 && r != -ERR_AGAIN) {
        core_operator_free(who);
    }
}

static int core_operator_start(struct core_operator *who)
{
    struct loop *loop = who->core->options.loop;
    int r = fd_set_nonblocking(who->fd, true);

    if (r == 0) {
        r = loop_add_fd(loop, who->fd, LOOP_READ, core_operator_on_events, who, &who->source);
    }
    if (r == 0) {
        r = loop_add_timer(loop, core_operator_on_timer, who, &who->timer);
    }
    return r < 0 ? r : loop_source_set_timer(who->timer, OPERATOR_LIFE, 0);
}

void core_operator_accept(struct core *core, struct channel_packet *packet)
{
    struct str user = msg_get_str(&packet->msg);
    struct core_operator *who = mem_alloc(1, sizeof(*who));
    int fd = channel_packet_take(packet, 0);

    if (who == NULL || fd < 0 || msg_close(&packet->msg) < 0) {
        closep(&fd);
        mem_free(who);
        return;
    }
    list_append(&core->operators, &who->node);
    who->core = core;
    who->fd = fd;
    (void)snprintf(who->actor, sizeof(who->actor), "local:%.*s", STR_ARG(user));
    if (core_operator_start(who) < 0) {
        log_warn("an operator could not be served");
        core_operator_free(who);
    }
}
