/* Questions to core and their answers. A connection that waits is suspended: it costs no thread.
 * Neighbours: api/http.c asks and goes on, core/request.c answers. Invariant: numbers are never
 * used twice within one life and begin at random, so that an answer to a process before this one
 * fits nothing. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/api/private.h"

#define ASK_LIFE     (20 * NS_PER_S)
#define COUNTS_REST  (200 * NS_PER_MS)
#define ASK_MESSAGES 64 /* taken in one go */

static int api_send(struct api *api, uint64_t number, const struct api_request *request,
                    const char *verb, struct str body)
{
    static struct msg_writer msg;
    int r;

    msg_begin(&msg, CENTRE_MESSAGE_REQUEST);
    msg_put_u64(&msg, number);
    msg_put_str(&msg, request != NULL ? request->secret : STR(""));
    msg_put_str(&msg, str_from(verb));
    msg_put_str(&msg, body);
    msg_put_str(&msg, request != NULL ? request->address : STR(""));
    msg_put_u32(&msg, (uint32_t)(request != NULL ? request->language : api->options.language));
    r = msg_end(&msg);
    if (r == 0) {
        r = channel_send(api->options.channels.core, &msg, NULL, 0);
    }
    mem_wipe(msg.bytes, msg.len); /* passwords go through here */
    return r == -ERR_AGAIN ? -ERR_BUSY : r;
}

int api_ask(struct api_request *request, const char *verb, struct str body)
{
    struct api *api = request->api;
    int r;

    if (api->ask_count >= API_ASKS_MAX) {
        return -ERR_BUSY;
    }
    request->ask = ++api->next_ask;
    r = api_send(api, request->ask, request, verb, body);
    if (r < 0) {
        return r;
    }
    api->counters.asks++;
    api_wait(request);
    return 0;
}

void api_wait(struct api_request *request)
{
    struct api *api = request->api;

    request->is_replied = false;
    request->ask_until = clock_mono(api->options.clock) + ASK_LIFE;
    list_append(&api->asks, &request->ask_node);
    api->ask_count++;
    MHD_suspend_connection(request->connection);
}

void api_ask_forget(struct api_request *request)
{
    if (!list_is_empty(&request->ask_node)) {
        list_remove(&request->ask_node);
        request->api->ask_count--;
    }
    if (request->api->searcher != NULL) {
        searcher_forget(request->api->searcher, request);
    }
}

void api_wake(struct api_request *request, int result)
{
    api_ask_forget(request);
    request->result = result;
    request->is_replied = true;
    MHD_resume_connection(request->connection);
}

void api_asks_watch(struct api *api)
{
    int64_t now = clock_mono(api->options.clock);

    LIST_EACH (node, &api->asks) {
        struct api_request *request = LIST_ENTRY(node, struct api_request, ask_node);

        if (now > request->ask_until) {
            api->counters.late_asks++;
            api_wake(request, -ERR_TIMEDOUT);
        }
    }
}

void api_health_ask(struct api *api)
{
    api->health_ask = ++api->next_ask;
    if (api_send(api, api->health_ask, NULL, "health", STR("\xa0")) < 0) {
        log_warn("core could not be asked how it is");
    }
}

/* What core's detector has done since core started (core_health). */
static void api_take_health(struct api *api, struct str body)
{
    struct cbor_reader reader;
    uint64_t counts[6];
    struct core_receive_counts received;

    cbor_open(&reader, body);
    if (cbor_get_map(&reader) != 3) {
        return;
    }
    (void)cbor_get_text(&reader);
    (void)cbor_get_bool(&reader);
    (void)cbor_get_text(&reader);
    if (cbor_get_array(&reader) != ARRAY_LEN(counts)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        counts[i] = cbor_get_u64(&reader);
    }
    (void)cbor_get_text(&reader);
    if (receive_counts_get(&reader, &received) == 0 && cbor_close(&reader) == 0) {
        api->received = received;
        api->logs = (struct detector_counts){.entries = counts[0],
                                             .judged = counts[1],
                                             .faulty = counts[2],
                                             .hits = counts[3],
                                             .unjudged = counts[4],
                                             .matched = counts[5]};
    }
}

static void api_take_reply(struct api *api, struct msg_reader *msg)
{
    uint64_t number = msg_get_u64(msg);
    int64_t result = msg_get_i64(msg);
    struct str diag = msg_get_str(msg);
    struct str body = msg_get_str(msg);

    if (msg_close(msg) < 0 || result > 0 || result < INT32_MIN) {
        return;
    }
    api->core_heard = clock_mono(api->options.clock);
    if (number == api->health_ask && result == 0) {
        api_take_health(api, body);
        return;
    }
    LIST_EACH (node, &api->asks) {
        struct api_request *request = LIST_ENTRY(node, struct api_request, ask_node);

        if (request->ask != number) {
            continue;
        }
        request->reply = arena_copy(request->arena, body);
        (void)diag_set(&request->diag, (int)result, "%.*s", STR_ARG(diag));
        api_wake(request, request->reply.ptr == NULL ? -ERR_NOMEM : (int)result);
        return;
    }
}

static void api_take_changed(struct api *api, struct msg_reader *msg)
{
    uint32_t changed = msg_get_u32(msg);
    bool is_full = msg_get_u32(msg) != 0;

    if (msg_close(msg) == 0) {
        api->is_full = is_full;
        if (clock_mono(api->options.clock) - api->counted > COUNTS_REST) {
            api->counted =
                0; /* what was counted is no longer so; in a storm it is counted anew at rest */
        }
        api_hub_changed(api, changed);
    }
}

void api_on_core(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct api *api = context;

    (void)events;
    for (int i = 0; i < ASK_MESSAGES && channel_receive(fd, &packet) == 0; i++) {
        if (packet.msg.type == CENTRE_MESSAGE_REPLY) {
            api_take_reply(api, &packet.msg);
        } else if (packet.msg.type == CENTRE_MESSAGE_CHANGED) {
            api_take_changed(api, &packet.msg);
        }
        channel_packet_done(&packet);
    }
    api_serve(api);
}
