/* libmicrohttpd inside our loop: front's descriptors go in as connections, its epoll descriptor is
 * one of our sources. Neighbours: api/http.c handles requests, api/ask.c hears core, api/stream.c
 * pushes. Invariant: MHD_run is never entered from inside itself. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/api/private.h"
#include "sys/fd.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#define API_TICK   NS_PER_S
#define API_IDLE_S 30U
#define API_MEMORY                                                                                 \
    (32U << 10) /* of one connection: request line, headers, a block of the answer                 \
                 */
#define API_ROUNDS       32
#define API_HEALTH_TICKS 5U

/* Wrong tokens of senders of logs. */
#define SENDERS_MAX          4096
#define SENDER_FREE_FAILURES 20
#define SENDER_WAIT          (60 * NS_PER_S)

static void api_set_timer(struct api *api)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    int64_t delay = 0;

    if (MHD_get_timeout(api->daemon, &ms) == MHD_YES) {
        delay = ms == 0 ? 1 : (int64_t)ms * NS_PER_MS;
    }
    if (loop_source_set_timer(api->http_timer, delay, 0) < 0) {
        log_error("the timer of the HTTP server could not be set");
    }
}

void api_serve(struct api *api)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;

    if (api->is_serving) {
        return;
    }
    api->is_serving = true;
    for (int round = 0; round < API_ROUNDS; round++) {
        (void)MHD_run(api->daemon);
        if (MHD_get_timeout(api->daemon, &ms) != MHD_YES || ms != 0) {
            break;
        }
    }
    api->is_serving = false;
    api_set_timer(api);
}

static void api_on_http(void *context, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    api_serve(context);
}

static void api_on_http_timer(void *context)
{
    api_serve(context);
}

/* The browser's address travels in the socket address that MHD keeps for us. */
static int api_add_connection(struct api *api, int fd, struct str address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int r;

    if (address.len > API_ADDRESS_MAX) {
        return -ERR_RANGE;
    }
    memcpy(name.sun_path, address.ptr, address.len);
    r = fd_set_nonblocking(fd, true);
    if (r < 0) {
        return r;
    }
    return MHD_add_connection(api->daemon, fd, (const struct sockaddr *)&name, sizeof(name)) ==
                   MHD_YES
               ? 0
               : -ERR_LIMIT;
}

static void api_on_front(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct api *api = context;

    (void)events;
    if (channel_receive(fd, &packet) < 0) {
        return;
    }
    if (packet.msg.type == CENTRE_MESSAGE_BROWSER) {
        struct str address = msg_get_str(&packet.msg);
        int browser = channel_packet_take(&packet, 0);

        /* MHD closes the descriptor itself, also when it refuses it. */
        if (msg_close(&packet.msg) < 0 || browser < 0) {
            closep(&browser);
        } else if (api_add_connection(api, browser, address) < 0) {
            log_warn("a browser was turned away address=%.*s", STR_ARG(address));
        }
        api_serve(api);
    }
    channel_packet_done(&packet);
}

static void api_on_supervisor(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct api *api = context;
    int r = channel_receive(fd, &packet);

    (void)events;
    if (r == 0) {
        channel_packet_done(&packet);
    } else if (r != -ERR_AGAIN) {
        loop_stop(api->options.loop, 0);
    }
}

static void api_on_tick(void *context)
{
    struct api *api = context;

    if (api->ticks % API_HEALTH_TICKS == 0) {
        api_health_ask(api);
    }
    api->ticks++;
    api_asks_watch(api);
    api_posts_watch(api);
    api_hub_tick(api);
    api_serve(api);
}

static void api_discard_log(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

static int api_start_http(struct api *api)
{
    const union MHD_DaemonInfo *info;
    unsigned flags = MHD_USE_NO_LISTEN_SOCKET | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    int r;

    api->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, api_on_access, api, MHD_OPTION_EXTERNAL_LOGGER, api_discard_log, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, api_on_completed, api, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)API_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, API_IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)API_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    if (api->daemon == NULL) {
        return -ERR_NOMEM;
    }
    info = MHD_get_daemon_info(api->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL) {
        return -ERR_OPNOTSUPP;
    }
    r = loop_add_fd(api->options.loop, info->epoll_fd, LOOP_READ, api_on_http, api,
                    &api->http_source);
    return r < 0 ? r : loop_add_timer(api->options.loop, api_on_http_timer, api, &api->http_timer);
}

static int api_listen(struct api *api, int fd, loop_fd_fn *fn, struct loop_source **ret_source)
{
    int r;

    if (fd < 0) {
        return 0; /* a test that has no such neighbour */
    }
    r = fd_set_nonblocking(fd, true);
    return r < 0 ? r : loop_add_fd(api->options.loop, fd, LOOP_READ, fn, api, ret_source);
}

static int api_start(struct api *api)
{
    int r = api->options.settings == NULL ? 0 : overlay_init(&api->overlay, api->options.settings);

    if (r == 0) {
        r = api_settings_apply(api);
    }
    if (r == 0) {
        r = api_start_http(api);
    }
    if (r == 0) {
        r = api_hub_start(api);
    }
    if (r == 0) {
        r = api_listen(api, api->options.channels.front, api_on_front, &api->channel_sources[0]);
    }
    if (r == 0) {
        r = api_listen(api, api->options.channels.core, api_on_core, &api->channel_sources[1]);
    }
    if (r == 0) {
        r = api_listen(api, api->options.channels.supervisor, api_on_supervisor,
                       &api->channel_sources[2]);
    }
    if (r == 0) {
        r = api_listen(api, api->options.channels.receiver, api_on_receiver,
                       &api->channel_sources[3]);
    }
    if (r == 0) {
        r = loop_add_timer(api->options.loop, api_on_tick, api, &api->tick_timer);
    }
    return r < 0 ? r : loop_source_set_timer(api->tick_timer, 1, API_TICK);
}

int api_new(const struct api_options *options, struct api **ret_api, struct diag *diag)
{
    struct api *api = mem_alloc(1, sizeof(*api));
    uint64_t numbers[3]; /* of the first question and post; the limiter's seed */
    int r;

    if (api == NULL) {
        return -ERR_NOMEM;
    }
    api->options = *options;
    list_init(&api->asks);
    list_init(&api->posts);
    list_init(&api->hub.streams);
    if (getrandom(numbers, sizeof(numbers), 0) != (ssize_t)sizeof(numbers)) {
        mem_free(api);
        return -ERR_IO;
    }
    api->next_ask = numbers[0];
    api->next_post = numbers[1];
    limiter_init(&api->senders, SENDERS_MAX, SENDER_FREE_FAILURES, SENDER_WAIT, numbers[2]);
    r = api_start(api);
    if (r == 0) {
        api_posts_begin(api);
    }
    if (r == 0 && options->folder != NULL) {
        r = searcher_new(options->loop,
                         &(struct searcher_options){.folder = options->folder,
                                                    .sifter = options->channels.sifter,
                                                    .clock = options->clock,
                                                    .done = api_take_found,
                                                    .context = api},
                         &api->searcher);
    }
    if (r < 0) {
        api_free(api);
        return diag_set(diag, r, _("the console's server could not start: %s"), err_text(r));
    }
    *ret_api = api;
    return 0;
}

void api_free(struct api *api)
{
    if (api == NULL) {
        return;
    }
    loop_source_free(api->tick_timer);
    for (size_t i = 0; i < ARRAY_LEN(api->channel_sources); i++) {
        loop_source_free(api->channel_sources[i]);
    }
    loop_source_free(api->http_source);
    loop_source_free(api->http_timer);
    if (api->daemon != NULL) {
        api_hub_done(api); /* wakes all streams, so that the daemon may end them */
        LIST_EACH (node, &api->asks) {
            MHD_resume_connection(LIST_ENTRY(node, struct api_request, ask_node)->connection);
        }
        api_posts_done(api);
        MHD_stop_daemon(api->daemon);
    }
    searcher_free(api->searcher); /* after the daemon: requests that end ask it to forget them */
    limiter_done(&api->senders);
    overlay_done(&api->overlay);
    arena_free(api->hub.arena);
    buf_done(&api->hub.message);
    mem_free(api);
}
