/* Who asks, and whether it is our own page that asks: cookie, origin, language. Neighbours:
 * api/http.c before each route; account.c looks sessions up. */
#include "base/banned.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/mem.h"
#include "centre/api/private.h"
#include "codec/cbor.h"

#define SESSION_HEX (2 * ACCOUNT_SESSION_BYTES)

static const char *session_header(const struct api_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

void api_tell(struct api_request *request, const char *verb, struct str body)
{
    static struct msg_writer msg;

    msg_begin(&msg, CENTRE_MESSAGE_REQUEST);
    msg_put_u64(&msg, 0);
    msg_put_str(&msg, request->secret);
    msg_put_str(&msg, str_from(verb));
    msg_put_str(&msg, body);
    msg_put_str(&msg, request->address);
    msg_put_u32(&msg, (uint32_t)request->language);
    if (msg_end(&msg) == 0) {
        (void)channel_send(request->api->options.channels.core, &msg, NULL, 0);
    }
    mem_wipe(msg.bytes, msg.len); /* a secret may stand in it */
}

/* A session in use lasts: its last use is written now and then. Nobody waits for the answer. */
static void api_touch(struct api_request *request)
{
    if (clock_wall(request->api->options.clock) - request->account.session.used >= ACCOUNT_TOUCH) {
        api_tell(request, "session.touch", STR("\xa0")); /* the empty map */
    }
}

int api_identify(struct api_request *request)
{
    const char *cookie =
        MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, API_COOKIE);
    uint8_t secret[ACCOUNT_SESSION_BYTES];
    int r;

    if (cookie == NULL || hex_decode(str_from(cookie), secret, sizeof(secret)) < 0) {
        return 0;
    }
    request->secret = arena_copy(request->arena, str_of((const char *)secret, sizeof(secret)));
    if (request->secret.ptr == NULL) {
        return -ERR_NOMEM;
    }
    r = account_find(request->api->options.store, request->secret,
                     clock_wall(request->api->options.clock), request->arena, &request->account);
    if (r < 0) {
        return r == -ERR_DENIED ? 0 : r;
    }
    request->is_known = true;
    request->language = request->account.user.language;
    api_touch(request);
    return 0;
}

bool api_is_own_origin(struct api_request *request)
{
    const char *mark = session_header(request, "X-Canhgac");
    const char *site = session_header(request, "Sec-Fetch-Site");
    const char *host = session_header(request, MHD_HTTP_HEADER_HOST);
    struct str origin = str_from(session_header(request, MHD_HTTP_HEADER_ORIGIN));

    if (mark == NULL || strcmp(mark, "1") != 0 ||
        (site != NULL && strcmp(site, "same-origin") != 0)) {
        return false;
    }
    if (origin.len == 0) {
        return true; /* no browser: those send it with every write */
    }
    return host != NULL && str_has_prefix(origin, STR("https://")) &&
           str_is_nocase(str_slice(origin, 8, origin.len), str_from(host));
}

/* The first of the list that we speak: browsers order it by preference. */
enum language api_choose_language(const char *accept, enum language fallback)
{
    struct str rest = str_from(accept);
    struct str item;

    while (str_cut(&rest, ',', &item)) {
        enum language language;
        struct str tag;

        if (str_cut(&item, ';', &tag) &&
            text_parse_language(str_slice(str_trim(tag), 0, 2), &language) &&
            !str_is_text(str_trim(item), "q=0")) {
            return language;
        }
    }
    return fallback;
}

bool api_is_local(struct str address)
{
    return str_is_text(address, "127.0.0.1") || str_is_text(address, "::1") ||
           str_has_prefix(address, STR("127.")) || str_is_text(address, "::ffff:127.0.0.1");
}

/* {"wait": seconds}: somebody guesses. */
static unsigned api_reply_wait(const struct api_request *request)
{
    struct cbor_reader reader;
    int64_t seconds = 0;

    cbor_open(&reader, request->reply);
    if (cbor_get_map(&reader) == 1 && str_is_text(cbor_get_text(&reader), "wait")) {
        seconds = cbor_get_i64(&reader);
    }
    return cbor_close(&reader) == 0 && seconds > 0 && seconds < 86400 ? (unsigned)seconds : 0;
}

enum problem api_core_problem(struct api_request *request, int error)
{
    if (error == -ERR_BUSY && request->reply.len != 0) {
        request->retry_after = api_reply_wait(request);
        return PROBLEM_WAIT;
    }
    if (error == -ERR_BUSY) {
        request->retry_after = 1;
    }
    if (error == -ERR_DENIED && request->route->access == ACCESS_OPEN) {
        return PROBLEM_LOG_IN_WRONG;
    }
    return problem_of(error);
}

void api_put_person(struct json_writer *json, const struct store_user *user)
{
    json_add_str(json, "name", user->name);
    json_add_str(json, "full_name", user->full_name);
    json_add_text(json, "role", role_name(user->role));
    json_add_text(json, "language", text_language_name(user->language));
    json_add_bool(json, "must_change_password", user->must_change_password);
    json_add_bool(json, "totp", user->totp_secret.len != 0);
}

static void api_put_me(struct api_request *request, const struct store_user *user)
{
    struct json_writer *json = &request->json;

    json_open_object(json);
    api_put_person(json, user);
    json_add_text(json, "centre",
                  request->api->overlay.base != NULL ? request->api->overlay.now.name : "");
    json_close_object(json);
}

int api_me(struct api_request *request)
{
    api_put_me(request, &request->account.user);
    return 0;
}

static void api_set_cookie(struct api_request *request, const char *value, int64_t life)
{
    (void)snprintf(request->cookie, sizeof(request->cookie),
                   API_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%lld", value,
                   (long long)(life / NS_PER_S));
}

int api_login(struct api_request *request)
{
    struct cbor_reader reader;
    struct store_user user;
    struct str secret = STR("");
    char hex[SESSION_HEX + 1];
    int r;

    cbor_open(&reader, request->reply);
    if (cbor_get_map(&reader) == 1 && str_is_text(cbor_get_text(&reader), "session")) {
        secret = cbor_get_text(&reader);
    }
    if (cbor_close(&reader) < 0 || secret.len != ACCOUNT_SESSION_BYTES) {
        return -ERR_PROTO;
    }
    r = store_user_get(request->api->options.store, arguments_text(&request->arguments, "user"),
                       request->arena, &user);
    if (r < 0) {
        return r;
    }
    hex_encode((const uint8_t *)secret.ptr, secret.len, hex);
    api_set_cookie(request, hex, ACCOUNT_LIFE);
    api_put_me(request, &user);
    return 0;
}

int api_logout(struct api_request *request)
{
    api_set_cookie(request, "", 0);
    return 0;
}

/* Core's answer as JSON: a flat map of texts, numbers and truths; nothing when core said nothing.
 */
int api_forward(struct api_request *request)
{
    struct json_writer *json = &request->json;
    struct cbor_reader reader;
    size_t count;

    if (request->reply.len == 0) {
        return 0;
    }
    cbor_open(&reader, request->reply);
    count = cbor_get_map(&reader);
    json_open_object(json);
    for (size_t i = 0; i < count; i++) {
        struct str name = arena_copy(request->arena, cbor_get_text(&reader));

        json_put_key(json, name.ptr != NULL ? name.ptr : "");
        if (cbor_peek(&reader) == CBOR_TYPE_BOOL) {
            json_put_bool(json, cbor_get_bool(&reader));
        } else if (cbor_peek(&reader) == CBOR_TYPE_TEXT) {
            json_put_str(json, cbor_get_text(&reader));
        } else {
            json_put_i64(json, cbor_get_i64(&reader));
        }
    }
    json_close_object(json);
    return cbor_close(&reader);
}
