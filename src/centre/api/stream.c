/* Server-sent events: each change of an alert reaches every browser that listens. The cursor of a
 * message is the alert's change number; who was away says the last one it saw and gets what came
 * since, or is told to load anew when that is too much. Neighbours: core tells that something
 * changed, store/ says what. Invariants: a stream's messages come in order of change and none is
 * left out between two cursors; a stream that does not read costs a bounded buffer and falls back
 * on the store. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/api/private.h"

#define STREAM_OUT_MAX    (256U << 10)
#define STREAM_BLOCK      4096
#define STREAM_PAGE       100
#define STREAM_BEHIND_MAX 5000 /* changes; beyond it the browser loads anew */
#define STREAM_BEAT_TICKS 15U
#define STREAM_HINT       NS_PER_S /* hints are told no more often */
#define HUB_ARENA_LIMIT   (32U << 20)
#define HUB_MESSAGE_MAX   (1U << 20)

struct api_stream {
    struct list node;
    struct api *api;
    struct MHD_Connection *connection;
    bool is_suspended;
    bool is_ended; /* the session is over: says so and closes */
    enum language language;
    uint64_t cursor; /* the last change that stands in out or was sent */
    uint64_t user;
    uint8_t secret[ACCOUNT_SESSION_BYTES];
    struct buf out;
};

static int hub_list(struct api *api, uint64_t after, size_t limit, struct store_alert **ret_alerts,
                    size_t *ret_count)
{
    struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = -1, .changed_after = after, .limit = limit};

    arena_reset(api->hub.arena);
    return store_alert_list(api->options.store, &filter, api->hub.arena, ret_alerts, ret_count);
}

/* The highest change there is: doubling, then halving; forty questions of one row each at most
 * twice. */
static int hub_find_cursor(struct api *api, uint64_t *ret_cursor)
{
    struct store_alert *alerts;
    uint64_t low = 0; /* a change that exists, or 0 */
    uint64_t step = 1U << 16;
    size_t count = 0;

    while (step != 0) {
        int r = hub_list(api, low + step - 1, 1, &alerts, &count);

        if (r < 0) {
            return r;
        }
        if (count != 0) {
            low = alerts[0].changed;
            step *= 2;
        } else {
            step /= 2;
        }
    }
    *ret_cursor = low;
    return 0;
}

int api_hub_start(struct api *api)
{
    int r = arena_new(HUB_ARENA_LIMIT, &api->hub.arena);

    buf_init(&api->hub.message, HUB_MESSAGE_MAX);
    return r < 0 ? r : hub_find_cursor(api, &api->hub.cursor);
}

static void hub_put_alert(struct buf *out, const struct store_alert *alert, struct arena *arena)
{
    struct json_writer json;

    buf_putf(out, "id: %llu\nevent: alert\ndata: ", (unsigned long long)alert->changed);
    json_begin(&json, out);
    api_put_alert(&json, alert, arena);
    buf_put_text(out, "\n\n");
}

static void stream_wake(struct api_stream *stream)
{
    if (stream->is_suspended) {
        stream->is_suspended = false;
        MHD_resume_connection(stream->connection);
    }
}

/* Adds a message that stands for changes up to cursor, where there is room; else the stream stays
 * behind. */
static void stream_put(struct api_stream *stream, struct str message, uint64_t cursor)
{
    if (buf_put_str(&stream->out, message) < 0) {
        stream->out.error = 0; /* a failed put has left the buffer as it was */
        return;
    }
    stream->cursor = cursor;
    stream->api->counters.stream_messages++;
    stream_wake(stream);
}

/* What the stream missed, out of the store, one page. */
static void stream_catch_up(struct api_stream *stream)
{
    struct api *api = stream->api;
    struct store_alert *alerts;
    size_t count = 0;

    if (stream->cursor >= api->hub.cursor) {
        return;
    }
    if (api->hub.cursor - stream->cursor > STREAM_BEHIND_MAX) {
        buf_reset(&api->hub.message);
        buf_putf(&api->hub.message, "id: %llu\nevent: reset\ndata: {}\n\n",
                 (unsigned long long)api->hub.cursor);
        stream_put(stream, buf_str(&api->hub.message), api->hub.cursor);
        return;
    }
    if (hub_list(api, stream->cursor, STREAM_PAGE, &alerts, &count) < 0) {
        log_warn("a browser's missed changes could not be read");
        return;
    }
    text_set_language(stream->language);
    for (size_t i = 0; i < count && alerts[i].changed <= api->hub.cursor; i++) {
        buf_reset(&api->hub.message);
        hub_put_alert(&api->hub.message, &alerts[i], api->hub.arena);
        stream_put(stream, buf_str(&api->hub.message), alerts[i].changed);
    }
    if (count == 0) {
        stream->cursor =
            api->hub.cursor; /* alerts that changed again have moved on behind the cursor */
    }
}

/* The page in one language, in the hub's message. */
static int hub_make_page(struct api *api, enum language language, const struct store_alert *alerts,
                         size_t count)
{
    text_set_language(language);
    buf_reset(&api->hub.message);
    for (size_t i = 0; i < count; i++) {
        hub_put_alert(&api->hub.message, &alerts[i], api->hub.arena);
    }
    return buf_error(&api->hub.message);
}

/* To the streams of one language that are level with `from`; those that are not read the store
 * later. */
static void hub_send_language(struct api *api, enum language language, uint64_t from,
                              const struct store_alert *alerts, size_t count)
{
    bool is_made = false;

    LIST_EACH (node, &api->hub.streams) {
        struct api_stream *stream = LIST_ENTRY(node, struct api_stream, node);

        if (stream->language != language || stream->cursor != from) {
            continue;
        }
        if (!is_made && hub_make_page(api, language, alerts, count) < 0) {
            return;
        }
        is_made = true;
        stream_put(stream, buf_str(&api->hub.message), alerts[count - 1].changed);
    }
}

/* One page of changes to all streams that are level with the hub. */
static void hub_send_page(struct api *api, const struct store_alert *alerts, size_t count)
{
    uint64_t from = api->hub.cursor;

    api->hub.cursor = alerts[count - 1].changed;
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        hub_send_language(api, (enum language)language, from, alerts, count);
    }
}

static void hub_send_alerts(struct api *api)
{
    struct store_alert *alerts;
    size_t count = STREAM_PAGE;

    while (count == STREAM_PAGE) {
        if (hub_list(api, api->hub.cursor, STREAM_PAGE, &alerts, &count) < 0) {
            log_warn("changes could not be read for the browsers");
            return;
        }
        if (count != 0) {
            hub_send_page(api, alerts, count);
        }
    }
}

/* To every stream, without a cursor: losing one costs nothing. */
static void hub_send_text(struct api *api, struct str message)
{
    LIST_EACH (node, &api->hub.streams) {
        struct api_stream *stream = LIST_ENTRY(node, struct api_stream, node);

        stream_put(stream, message, stream->cursor);
    }
}

/* "Look again" for what is not an alert. */
static void hub_send_hints(struct api *api)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {{CENTRE_CHANGED_HOSTS, "hosts"},       {CENTRE_CHANGED_ACTIONS, "actions"},
                 {CENTRE_CHANGED_SETTINGS, "settings"}, {CENTRE_CHANGED_DISK, "disk"},
                 {CENTRE_CHANGED_SITES, "sites"},       {CENTRE_CHANGED_RULES, "rules"},
                 {CENTRE_CHANGED_SOURCES, "sources"}};
    struct json_writer json;

    buf_reset(&api->hub.message);
    buf_put_text(&api->hub.message, "event: changed\ndata: ");
    json_begin(&json, &api->hub.message);
    json_open_object(&json);
    json_add_array(&json, "what");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((api->hub.hints & names[i].bit) != 0) {
            json_put_text(&json, names[i].name);
        }
    }
    json_close_array(&json);
    json_close_object(&json);
    buf_put_text(&api->hub.message, "\n\n");
    hub_send_text(api, buf_str(&api->hub.message));
    api->hub.hints = 0;
    api->hub.hinted = clock_mono(api->options.clock);
}

/* Whoever has been logged out or locked out hears nothing more. */
static void hub_check_sessions(struct api *api)
{
    int64_t now = clock_wall(api->options.clock);

    LIST_EACH (node, &api->hub.streams) {
        struct api_stream *stream = LIST_ENTRY(node, struct api_stream, node);
        struct account account;
        int r;

        arena_reset(api->hub.arena);
        r = account_find(api->options.store,
                         str_of((const char *)stream->secret, sizeof(stream->secret)), now,
                         api->hub.arena, &account);
        if (r == -ERR_DENIED || (r == 0 && account_check(&account, ACCESS_VIEWER) < 0)) {
            stream->is_ended = true;
            stream_wake(stream);
        }
    }
}

void api_hub_changed(struct api *api, uint32_t changed)
{
    int64_t now = clock_mono(api->options.clock);

    if ((changed & CENTRE_CHANGED_SETTINGS) != 0) {
        if (api_settings_apply(api) < 0) {
            log_warn("the settings could not be read anew");
        }
        hub_check_sessions(api);
    }
    if ((changed & CENTRE_CHANGED_ALERTS) != 0) {
        hub_send_alerts(api);
    }
    api->hub.hints |= changed & ~(uint32_t)CENTRE_CHANGED_ALERTS;
    if (api->hub.hints != 0 && (api->hub.hinted == 0 || now - api->hub.hinted >= STREAM_HINT)) {
        hub_send_hints(api);
    }
}

void api_hub_tick(struct api *api)
{
    if (api->hub.hints != 0) {
        hub_send_hints(api);
    }
    if (api->ticks % STREAM_BEAT_TICKS == 0) {
        hub_check_sessions(api);
        hub_send_alerts(api); /* should a message of core's have been lost */
        hub_send_text(api, STR("event: beat\ndata: {}\n\n"));
    }
}

void api_hub_done(struct api *api)
{
    LIST_EACH (node, &api->hub.streams) {
        struct api_stream *stream = LIST_ENTRY(node, struct api_stream, node);

        stream->is_ended = true;
        stream_wake(stream);
    }
}

static ssize_t stream_read(void *context, uint64_t position, char *out, size_t max)
{
    struct api_stream *stream = context;
    size_t len;

    (void)position;
    if (stream->is_ended) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (stream->out.len == 0) {
        stream_catch_up(stream);
    }
    if (stream->out.len == 0) {
        stream->is_suspended = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    len = stream->out.len < max ? stream->out.len : max;
    memcpy(out, stream->out.ptr, len);
    buf_consume(&stream->out, len);
    return (ssize_t)len;
}

static void stream_free(void *context)
{
    struct api_stream *stream = context;

    list_remove(&stream->node);
    stream->api->hub.count--;
    buf_done(&stream->out);
    mem_wipe(stream->secret, sizeof(stream->secret));
    mem_free(stream);
}

/* Where the browser was: Last-Event-ID after a broken connection, ?after= after a page was loaded.
 */
static uint64_t stream_start(const struct api_request *request)
{
    const char *last =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
    uint64_t cursor = request->api->hub.cursor;
    uint64_t asked = (uint64_t)arguments_number(&request->arguments, "after", INT64_MAX);

    if (last != NULL && str_to_u64(str_from(last), &asked) < 0) {
        asked = 0; /* nonsense: load anew */
    }
    return asked < cursor ? asked : cursor;
}

static int stream_check_limits(const struct api_request *request)
{
    const struct api_hub *hub = &request->api->hub;
    unsigned own = 0;

    LIST_EACH (node, &hub->streams) {
        own +=
            LIST_ENTRY(node, struct api_stream, node)->user == request->account.user.number ? 1 : 0;
    }
    return hub->count >= API_STREAMS_MAX || own >= API_STREAMS_EACH ? -ERR_BUSY : 0;
}

static struct api_stream *stream_new(struct api_request *request)
{
    struct api_stream *stream = mem_alloc(1, sizeof(*stream));

    if (stream == NULL) {
        return NULL;
    }
    stream->api = request->api;
    stream->connection = request->connection;
    stream->language = request->language;
    stream->user = request->account.user.number;
    memcpy(stream->secret, request->secret.ptr, sizeof(stream->secret));
    buf_init(&stream->out, STREAM_OUT_MAX);
    stream->cursor = stream_start(request);
    buf_putf(&stream->out, "retry: 2000\nid: %llu\nevent: hello\ndata: {}\n\n",
             (unsigned long long)stream->cursor);
    list_append(&request->api->hub.streams, &stream->node);
    request->api->hub.count++;
    return stream;
}

int api_stream(struct api_request *request)
{
    struct api_stream *stream;
    int r = stream_check_limits(request);

    if (r < 0) {
        return r;
    }
    stream = stream_new(request);
    if (stream == NULL) {
        return -ERR_NOMEM;
    }
    request->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
                                                          stream_read, stream, stream_free);
    if (request->response == NULL) {
        stream_free(stream);
        return -ERR_NOMEM;
    }
    (void)MHD_add_response_header(request->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "text/event-stream");
    (void)MHD_add_response_header(request->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    return 0;
}
