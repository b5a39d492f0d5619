/* The resolver process: see agent/resolver.h. Forked by agent/link.c before it gives up its rights.
 */
#include "agent/resolver.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/log.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

enum resolver_message {
    RESOLVER_QUESTION = 1, /* str host, u32 port */
    RESOLVER_ANSWER,       /* i64 result, u32 n, n × str sockaddr */
};

struct resolver {
    const char *user;
    int channel;
};

static int resolver_answer(int channel, struct msg_reader *question)
{
    static struct msg_writer answer;
    struct net_target targets[NET_TARGETS_MAX];
    struct str name = msg_get_str(question);
    uint32_t port = msg_get_u32(question);
    char host[256];
    size_t count = 0;
    int r;

    if (msg_close(question) < 0 || name.len >= sizeof(host)) {
        return -ERR_PROTO;
    }
    (void)snprintf(host, sizeof(host), "%.*s", STR_ARG(name));
    r = net_resolve(host, (uint16_t)port, targets, &count);
    msg_begin(&answer, RESOLVER_ANSWER);
    msg_put_i64(&answer, r);
    msg_put_u32(&answer, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        msg_put_str(&answer, str_of((const char *)&targets[i].address, targets[i].size));
    }
    return channel_send(channel, &answer, NULL, 0);
}

static int resolver_body(void *context)
{
    const struct resolver *resolver = context;
    /* which files and sockets the C library wants depends on /etc/nsswitch.conf: no list would hold
     */
    const struct sandbox sandbox = {.user = resolver->user, .is_landlock_off = true};
    static struct channel_packet packet;
    struct diag diag = {0};
    int r;

    log_init("resolver", LOG_LEVEL_INFO);
    r = sandbox_enter(&sandbox, NULL, &diag);
    while (r == 0) {
        r = channel_receive(resolver->channel, &packet);
        if (r == 0) {
            r = resolver_answer(resolver->channel, &packet.msg);
            channel_packet_done(&packet);
        }
    }
    if (r != -ERR_PIPE) {
        log_error("the resolver ends reason=%s", diag_text(&diag, r));
    }
    return EXIT_SUCCESS;
}

int resolver_start(const char *user, int *ret_channel)
{
    struct resolver resolver = {.user = user};
    int pair[2];
    pid_t pid;
    int r = channel_pair(pair);

    if (r < 0) {
        return r;
    }
    resolver.channel = pair[1];
    r = spawn_body("resolver", &pair[1], 1, resolver_body, &resolver, &pid);
    closep(&pair[1]);
    if (r < 0) {
        closep(&pair[0]);
        return r;
    }
    *ret_channel = pair[0];
    return 0;
}

int resolver_ask(int channel, const char *host, uint16_t port)
{
    static struct msg_writer question;

    msg_begin(&question, RESOLVER_QUESTION);
    msg_put_str(&question, str_from(host));
    msg_put_u32(&question, port);
    return channel_send(channel, &question, NULL, 0);
}

static int resolver_read(struct msg_reader *answer, struct net_target ret_targets[NET_TARGETS_MAX],
                         size_t *ret_count)
{
    int64_t result = msg_get_i64(answer);
    uint32_t count = msg_get_u32(answer);

    if (count > NET_TARGETS_MAX) {
        return -ERR_PROTO;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct str address = msg_get_str(answer);

        if (address.len > sizeof(ret_targets[i].address)) {
            return -ERR_PROTO;
        }
        memcpy(&ret_targets[i].address, address.ptr, address.len);
        ret_targets[i].size = (socklen_t)address.len;
    }
    if (msg_close(answer) < 0) {
        return -ERR_PROTO;
    }
    *ret_count = count;
    return result < 0 ? -ERR_NOENT : 0;
}

int resolver_take(int channel, struct net_target ret_targets[NET_TARGETS_MAX], size_t *ret_count)
{
    static struct channel_packet packet;
    int r = channel_receive(channel, &packet);

    if (r < 0) {
        return r;
    }
    r = packet.msg.type == RESOLVER_ANSWER ? resolver_read(&packet.msg, ret_targets, ret_count)
                                           : -ERR_PROTO;
    channel_packet_done(&packet);
    return r;
}
