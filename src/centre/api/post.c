/* Entries of logs that shippers post. Nothing of a body is read here: pieces go on to the receiver
 * as they come, and the answer waits until it says that all of them are on disk. A token of a
 * sender lets in, nothing else does, and a session's cookie is not looked at. Neighbours:
 * api/http.c for all other requests; centre/receiver.c takes the pieces. */
#include "centre/api/post.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "codec/cbor.h"

#define POST_PIECE      (48U << 10) /* bytes that go on at a time */
#define POST_SKIP_MAX   (1U << 20) /* of a body from nobody we know, before the connection is cut */
#define POST_OVER_MAX   (64U << 20) /* of one from a sender: he shall hear why */
#define POST_PATIENCE   (45 * NS_PER_S)
#define POST_POSTS_MAX  256 /* each costs the receiver up to a MiB */
#define POST_POSTS_EACH 192 /* of one token, so that another finds room */
#define POST_RETRY      5U
#define POST_TOLD_REST  (60 * NS_PER_S)
#define POST_WORD_MAX   256 /* bytes of a key or channel */

static const char *post_header(const struct api_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool api_is_post(struct api_request *request)
{
    const struct route *route;
    unsigned allowed;

    if (request->method == METHOD_GET &&
        (str_is_text(request->path, "/") || str_is_text(request->path, API_POST_LICENCE))) {
        return request->is_method_known && api_has_authorization(request);
    }
    route = route_find(request->method, request->path, &allowed);
    return request->is_method_known && route != NULL && route->access == ACCESS_SENDER;
}

int api_post_events(struct api_request *request)
{
    struct str type = str_from(post_header(request, MHD_HTTP_HEADER_CONTENT_TYPE));
    struct str media = STR("");

    (void)str_cut(&type, ';', &media);
    request->post->kind = API_POST_EVENTS;
    request->post->form = str_is_nocase(str_trim(media), STR("text/plain")) ? RECEIVER_FORM_RAW
                                                                            : RECEIVER_FORM_NDJSON;
    return 0;
}

int api_post_bulk(struct api_request *request)
{
    request->post->kind = API_POST_BULK;
    request->post->form = RECEIVER_FORM_BULK;
    return 0;
}

int api_post_collector(struct api_request *request)
{
    request->post->kind = API_POST_COLLECTOR;
    request->post->form = RECEIVER_FORM_HEC;
    return 0;
}

int api_post_raw(struct api_request *request)
{
    request->post->kind = API_POST_COLLECTOR;
    request->post->form = RECEIVER_FORM_RAW;
    return 0;
}

void api_post_finish(struct api_post *post, int result)
{
    if (post->stage != API_POST_DONE) {
        post->stage = API_POST_DONE;
        post->result = result;
        if (result == -ERR_FULL || result == -ERR_TIMEDOUT) {
            post->retry_after = POST_RETRY;
        }
    }
    api_post_resume(post);
}

/* The token's last use is written now and then. Nobody waits for the answer. */
static void post_touch(struct api_request *request, const struct store_sender_token *token,
                       struct str text)
{
    struct buf body;

    if (clock_wall(request->api->options.clock) - token->used < SENDER_TOUCH) {
        return;
    }
    buf_init(&body, API_BODY_MAX);
    cbor_put_map(&body, 1);
    cbor_put_text(&body, STR("token"));
    cbor_put_text(&body, text);
    if (buf_error(&body) == 0) {
        api_tell(request, "sender.touch", buf_str(&body));
    }
    buf_done(&body);
}

/* A wrong token. Who sends many is told to wait; a right one from the same address is let in all
 * the same, for many machines may stand behind one. */
static int post_turn_away(struct api_request *request)
{
    struct api *api = request->api;
    int64_t now = clock_mono(api->options.clock);
    int64_t wait;

    if (limiter_fail(&api->senders, request->address, now) < 0) {
        return -ERR_NOMEM;
    }
    if (now - api->sender_told > POST_TOLD_REST || api->sender_told == 0) {
        api->sender_told = now;
        log_warn(
            "a sender of logs was refused: its token is missing, wrong or revoked address=%.*s",
            STR_ARG(request->address));
    }
    wait = limiter_wait(&api->senders, request->address, now);
    if (wait > 0) {
        request->post->retry_after = (unsigned)(wait / NS_PER_S) + 1;
    }
    return wait > 0 ? -ERR_BUSY : -ERR_DENIED;
}

static int post_identify(struct api_request *request)
{
    struct api_post *post = request->post;
    struct str header = str_from(post_header(request, MHD_HTTP_HEADER_AUTHORIZATION));
    struct store_sender_token token;
    struct str text;
    int r = sender_authorization(header, request->arena, &text);

    if (r < 0) {
        return r;
    }
    post->has_token = text.len != 0;
    r = sender_find(request->api->options.store, text, request->arena, &token);
    if (r == -ERR_DENIED) {
        return post_turn_away(request);
    }
    if (r == 0) {
        post->token = token.name;
        post_touch(request, &token, text);
    }
    return r;
}

/* How the body is packed. */
static int post_packing(struct api_request *request)
{
    struct str coding = str_from(post_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING));

    if (coding.len == 0 || str_is_nocase(coding, STR("identity"))) {
        return 0;
    }
    request->post->is_packed = str_is_nocase(coding, STR("gzip")) ||
                               str_is_nocase(coding, STR("x-gzip")) ||
                               str_is_nocase(coding, STR("deflate"));
    if (!request->post->is_packed) {
        request->post->detail = N_("of packed bodies only gzip and deflate are taken");
        return -ERR_OPNOTSUPP;
    }
    return 0;
}

static bool post_is_announced_too_large(const struct api_request *request)
{
    const char *length = post_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes;

    return length != NULL && (str_to_u64(str_from(length), &bytes) < 0 || bytes > POST_BODY_MAX);
}

static int post_new(struct api_request *request)
{
    struct api *api = request->api;
    struct api_post *post = arena_alloc(request->arena, 1, sizeof(*post));

    if (post == NULL) {
        return -ERR_NOMEM;
    }
    post->request = request;
    post->number = ++api->next_post;
    post->kind = API_POST_HELLO;
    post->begun = clock_mono(api->options.clock);
    post->until = post->begun + POST_PATIENCE;
    list_append(&api->posts, &post->node);
    request->post = post;
    return 0;
}

/* Whether it has, or may come to have, something at the receiver. */
static bool post_is_held(const struct api_post *post)
{
    return post->is_begun ||
           (post->token.len != 0 && post->kind != API_POST_HELLO && post->stage != API_POST_DONE);
}

/* Those who were turned away, and may take their time to send, leave no sender without room. */
static bool post_has_room(const struct api_post *post)
{
    unsigned all = 0;
    unsigned of_token = 0;

    LIST_EACH (node, &post->request->api->posts) {
        const struct api_post *other = LIST_ENTRY(node, struct api_post, node);

        all += post_is_held(other);
        of_token += post_is_held(other) && str_is(other->token, post->token);
    }
    return all <= POST_POSTS_MAX && of_token <= POST_POSTS_EACH; /* it is among them */
}

/* A key is the poster's own word for "the same"; a channel tells machines behind one address apart.
 */
static int post_name_poster(struct api_request *request)
{
    struct api_post *post = request->post;
    const char *key = post_header(request, "Idempotency-Key");
    const char *channel = post_header(request, "X-Splunk-Request-Channel");

    post->is_keyed = key != NULL;
    post->poster = key != NULL
                       ? arena_printf(request->arena, "key %.*s", POST_WORD_MAX, key)
                       : arena_printf(request->arena, "%.*s %.*s", STR_ARG(request->address),
                                      POST_WORD_MAX, channel != NULL ? channel : "");
    return post->poster.ptr == NULL ? -ERR_NOMEM : 0;
}

/* What can be said before the first byte of the body. */
static int post_open(struct api_request *request)
{
    struct api_post *post = request->post;
    unsigned allowed;
    int r = 0;

    request->route = route_find(request->method, request->path, &allowed);
    if (request->route != NULL) {
        r = request->route->handler(request);
    }
    r = r < 0 ? r : post_identify(request);
    if (r < 0 || post->kind == API_POST_HELLO) {
        return r;
    }
    post->host = arena_copy(
        request->arena,
        str_from(MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "host")));
    r = post->host.ptr == NULL ? -ERR_NOMEM : post_name_poster(request);
    r = r < 0 ? r : post_packing(request);
    if (r == 0 && post_is_announced_too_large(request)) {
        r = -ERR_FBIG;
    }
    if (r == 0 && (request->api->options.channels.receiver < 0 || !post_has_room(post))) {
        r = -ERR_FULL;
    }
    return r;
}

enum MHD_Result api_post_begin(struct api_request *request)
{
    int r =
        request->path.ptr == NULL || request->address.ptr == NULL ? -ERR_NOMEM : post_new(request);

    if (r < 0) {
        return MHD_NO;
    }
    r = post_open(request);
    if (r < 0) {
        api_post_finish(request->post, r);
    }
    /* who waits for 100 Continue is answered before he sends, others when they have sent */
    if (r < 0 && post_header(request, MHD_HTTP_HEADER_EXPECT) != NULL) {
        return api_post_answer(request->post);
    }
    return MHD_YES;
}

static enum MHD_Result post_skip(struct api_post *post, size_t *upload_size)
{
    size_t most = post->token.len != 0 ? POST_OVER_MAX : POST_SKIP_MAX;

    post->came += *upload_size;
    *upload_size = 0;
    return post->came > most ? MHD_NO : MHD_YES;
}

static enum MHD_Result post_take(struct api_post *post, const char *upload, size_t *upload_size)
{
    size_t at = 0;

    while (at < *upload_size && post->stage == API_POST_COMING) {
        struct str piece = str_slice(str_of(upload, *upload_size), at, at + POST_PIECE);
        int r =
            post->came + piece.len > POST_BODY_MAX ? -ERR_FBIG : api_post_send(post, piece, false);

        if (r == -ERR_AGAIN) {
            *upload_size -= at; /* MHD offers the rest again */
            api_post_suspend(post);
            return MHD_YES;
        }
        if (r < 0) {
            api_post_leave(post);
            api_post_finish(post, r);
            break;
        }
        at += piece.len;
        post->came += piece.len;
        post->until = clock_mono(post->request->api->options.clock) + POST_PATIENCE;
    }
    *upload_size -= at;
    return *upload_size == 0 ? MHD_YES : post_skip(post, upload_size);
}

enum MHD_Result api_post_go_on(struct api_request *request, const char *upload, size_t *upload_size)
{
    struct api_post *post = request->post;
    int r;

    if (request->stage == API_STAGE_ANSWERED) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (*upload_size != 0) {
        return post->stage == API_POST_COMING ? post_take(post, upload, upload_size)
                                              : post_skip(post, upload_size);
    }
    if (post->kind == API_POST_HELLO || post->stage == API_POST_DONE) {
        return api_post_answer(post);
    }
    r = post->stage == API_POST_WAITING ? 0 : api_post_send(post, STR(""), true);
    if (r < 0 && r != -ERR_AGAIN) {
        api_post_finish(post, r);
        return api_post_answer(post);
    }
    if (r == 0) {
        post->stage = API_POST_WAITING;
    }
    api_post_suspend(post);
    return MHD_YES;
}

void api_post_forget(struct api_request *request, bool has_answer)
{
    struct api_post *post = request->post;

    if (post != NULL) {
        api_post_leave(post);
        api_post_tell(post, has_answer);
        list_remove(&post->node);
        buf_done(&post->bulk.piece);
        request->post = NULL;
    }
}
