/* One picture of one page, as a conversation with the browser: see centre/browser.h. A tab is
 * opened, every request of its page is answered by us, and when it has loaded or time is nearly up
 * the picture is asked for. Neighbours: browser.c carries the messages; DevTools protocol 1.3
 * (Target, Fetch, Page). */
#include "centre/browser_inside.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/base64.h"

#include <inttypes.h>

#define SHOOT_ID_MAX   80
#define SHOOT_TYPE_MAX 128
#define SHOOT_SETTLE   (300 * NS_PER_MS) /* after the load event: fonts, late scripts */
#define SHOOT_RESERVE  4                 /* a share of the time is kept for the picture itself */

struct shoot {
    struct browser *browser;
    const struct browser_page *page;
    struct buf *png;
    char target[SHOOT_ID_MAX];
    char session[SHOOT_ID_MAX];
    int64_t deadline;
    int64_t settle; /* the picture is taken then */
    uint64_t picture_id;
    unsigned resources;
    bool has_document; /* the page itself was given */
    bool is_done;
};

static struct str shoot_session(const struct shoot *shoot)
{
    return str_from(shoot->session);
}

/* Keeps an id that the browser gave; -ERR_PROTO when it is none. */
static int shoot_keep_id(struct str id, char out[SHOOT_ID_MAX])
{
    if (id.len == 0 || id.len >= SHOOT_ID_MAX) {
        return -ERR_PROTO;
    }
    memcpy(out, id.ptr, id.len);
    out[id.len] = '\0';
    return 0;
}

/* Waits for the answer to a call of our own; events in between are passed over. */
static int shoot_await(struct shoot *shoot, uint64_t id, const struct json_value **ret_result)
{
    for (;;) {
        const struct json_value *message;
        int r = browser_receive(shoot->browser, shoot->deadline, &message);

        if (r < 0) {
            return r;
        }
        if (json_member_i64(message, "id", 0) == (int64_t)id) {
            *ret_result = json_member(message, "result");
            return *ret_result != NULL ? 0 : -ERR_PROTO;
        }
    }
}

static int shoot_open_tab(struct shoot *shoot)
{
    const struct json_value *result;
    struct json_writer json;
    uint64_t id = browser_begin(shoot->browser, &json, "Target.createTarget", STR(""));
    int r;

    json_put_key(&json, "url");
    json_put_text(&json, "about:blank");
    r = browser_send(shoot->browser, &json);
    r = r < 0 ? r : shoot_await(shoot, id, &result);
    r = r < 0 ? r : shoot_keep_id(json_member_str(result, "targetId", STR("")), shoot->target);
    if (r < 0) {
        return r;
    }
    id = browser_begin(shoot->browser, &json, "Target.attachToTarget", STR(""));
    json_put_key(&json, "targetId");
    json_put_text(&json, shoot->target);
    json_put_key(&json, "flatten");
    json_put_bool(&json, true);
    r = browser_send(shoot->browser, &json);
    r = r < 0 ? r : shoot_await(shoot, id, &result);
    return r < 0 ? r : shoot_keep_id(json_member_str(result, "sessionId", STR("")), shoot->session);
}

static int shoot_call(struct shoot *shoot, const char *method)
{
    struct json_writer json;

    (void)browser_begin(shoot->browser, &json, method, shoot_session(shoot));
    return browser_send(shoot->browser, &json);
}

static int shoot_set_size(struct shoot *shoot)
{
    struct json_writer json;

    (void)browser_begin(shoot->browser, &json, "Emulation.setDeviceMetricsOverride",
                        shoot_session(shoot));
    json_put_key(&json, "width");
    json_put_u64(&json, shoot->page->width);
    json_put_key(&json, "height");
    json_put_u64(&json, shoot->page->height);
    json_put_key(&json, "deviceScaleFactor");
    json_put_u64(&json, 1);
    json_put_key(&json, "mobile");
    json_put_bool(&json, false);
    return browser_send(shoot->browser, &json);
}

static int shoot_navigate(struct shoot *shoot)
{
    struct json_writer json;

    (void)browser_begin(shoot->browser, &json, "Page.navigate", shoot_session(shoot));
    json_put_key(&json, "url");
    json_put_str(&json, shoot->page->url);
    return browser_send(shoot->browser, &json);
}

static int shoot_refuse(struct shoot *shoot, struct str request)
{
    struct json_writer json;

    (void)browser_begin(shoot->browser, &json, "Fetch.failRequest", shoot_session(shoot));
    json_put_key(&json, "requestId");
    json_put_str(&json, request);
    json_put_key(&json, "errorReason");
    json_put_text(&json, "BlockedByClient");
    return browser_send(shoot->browser, &json);
}

static int shoot_fulfil(struct shoot *shoot, struct str request, unsigned status, struct str type,
                        struct str body)
{
    struct json_writer json;
    struct buf text;
    int r;

    buf_init(&text, 2 * BROWSER_BODY_MAX);
    base64_encode(body, &text);
    (void)browser_begin(shoot->browser, &json, "Fetch.fulfillRequest", shoot_session(shoot));
    json_put_key(&json, "requestId");
    json_put_str(&json, request);
    json_put_key(&json, "responseCode");
    json_put_u64(&json, status);
    json_put_key(&json, "responseHeaders");
    json_open_array(&json);
    json_open_object(&json);
    json_put_key(&json, "name");
    json_put_text(&json, "Content-Type");
    json_put_key(&json, "value");
    json_put_str(&json, type);
    json_close_object(&json);
    json_close_array(&json);
    json_put_key(&json, "body");
    json_put_str(&json, buf_str(&text));
    r = buf_error(&text) < 0 ? buf_error(&text) : browser_send(shoot->browser, &json);
    buf_done(&text);
    return r;
}

/* What the page asks for besides itself: asked of the caller, a bounded number of times. */
static int shoot_give(struct shoot *shoot, struct str request, struct str url)
{
    const struct browser_page *page = shoot->page;
    char type[SHOOT_TYPE_MAX] = "application/octet-stream";
    struct buf body;
    int r = -ERR_NOENT;

    buf_init(&body, BROWSER_BODY_MAX);
    if (page->give != NULL && shoot->resources < BROWSER_RESOURCES_MAX &&
        (str_has_prefix(url, STR("http://")) || str_has_prefix(url, STR("https://")))) {
        shoot->resources++;
        r = page->give(page->context, url, &body, type, sizeof(type));
    }
    r = r < 0 ? shoot_refuse(shoot, request)
              : shoot_fulfil(shoot, request, 200, str_from(type), buf_str(&body));
    buf_done(&body);
    return r;
}

static int shoot_on_request(struct shoot *shoot, const struct json_value *params)
{
    struct str request = json_member_str(params, "requestId", STR(""));
    struct str type = json_member_str(params, "resourceType", STR(""));
    struct str url = json_member_str(json_member(params, "request"), "url", STR(""));

    if (!str_is(type, STR("Document"))) {
        return shoot_give(shoot, request, url);
    }
    if (shoot->has_document) { /* a frame, or leaving: "no content" keeps the page where it is */
        return shoot_fulfil(shoot, request, 204, STR("text/plain"), STR(""));
    }
    shoot->has_document = true;
    return shoot_fulfil(shoot, request, 200, shoot->page->type, shoot->page->body);
}

static int shoot_ask_picture(struct shoot *shoot)
{
    struct json_writer json;

    shoot->picture_id =
        browser_begin(shoot->browser, &json, "Page.captureScreenshot", shoot_session(shoot));
    json_put_key(&json, "format");
    json_put_text(&json, "png");
    return browser_send(shoot->browser, &json);
}

static int shoot_take_picture(struct shoot *shoot, const struct json_value *message)
{
    struct str data = json_member_str(json_member(message, "result"), "data", STR(""));

    shoot->is_done = true;
    return data.len == 0 ? -ERR_PROTO : base64_decode(data, shoot->png);
}

static int shoot_on_message(struct shoot *shoot, const struct json_value *message)
{
    struct str method = json_member_str(message, "method", STR(""));
    int64_t now = clock_mono(&clock_real);

    if (!str_is(json_member_str(message, "sessionId", STR("")), shoot_session(shoot))) {
        return 0;
    }
    if (shoot->picture_id != 0 && json_member_i64(message, "id", 0) == (int64_t)shoot->picture_id) {
        return shoot_take_picture(shoot, message);
    }
    if (str_is(method, STR("Fetch.requestPaused"))) {
        return shoot_on_request(shoot, json_member(message, "params"));
    }
    if (str_is(method, STR("Page.loadEventFired")) && now + SHOOT_SETTLE < shoot->settle) {
        shoot->settle = now + SHOOT_SETTLE;
    }
    if (str_is(method, STR("Inspector.targetCrashed"))) {
        return -ERR_PIPE;
    }
    return 0;
}

static int shoot_run(struct shoot *shoot)
{
    while (!shoot->is_done) {
        const struct json_value *message;
        bool is_asked = shoot->picture_id != 0;
        int r =
            browser_receive(shoot->browser, is_asked ? shoot->deadline : shoot->settle, &message);

        if (r == -ERR_TIMEDOUT && !is_asked) {
            r = shoot_ask_picture(shoot);
        } else if (r == 0) {
            r = shoot_on_message(shoot, message);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int shoot_close_tab(struct shoot *shoot)
{
    struct json_writer json;
    const struct json_value *result;
    uint64_t id = browser_begin(shoot->browser, &json, "Target.closeTarget", STR(""));
    int r;

    json_put_key(&json, "targetId");
    json_put_text(&json, shoot->target);
    r = browser_send(shoot->browser, &json);
    return r < 0 ? r : shoot_await(shoot, id, &result);
}

int browser_greet(struct browser *browser, int64_t timeout_ns)
{
    struct shoot shoot = {.browser = browser, .deadline = clock_mono(&clock_real) + timeout_ns};
    const struct json_value *result;
    struct json_writer json;
    uint64_t id = browser_begin(browser, &json, "Browser.getVersion", STR(""));
    int r = browser_send(browser, &json);

    return r < 0 ? r : shoot_await(&shoot, id, &result);
}

int browser_shoot(struct browser *browser, const struct browser_page *page, int64_t timeout_ns,
                  struct buf *png)
{
    int64_t now = clock_mono(&clock_real);
    struct shoot shoot = {.browser = browser,
                          .page = page,
                          .png = png,
                          .deadline = now + timeout_ns,
                          .settle = now + timeout_ns - timeout_ns / SHOOT_RESERVE};
    int r = shoot_open_tab(&shoot);

    r = r < 0 ? r : shoot_set_size(&shoot);
    r = r < 0 ? r : shoot_call(&shoot, "Page.enable");
    r = r < 0 ? r : shoot_call(&shoot, "Fetch.enable"); /* all requests, before they are sent */
    r = r < 0 ? r : shoot_navigate(&shoot);
    r = r < 0 ? r : shoot_run(&shoot);
    return r < 0 ? r : shoot_close_tab(&shoot);
}
