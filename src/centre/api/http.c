/* One request from its first byte to its answer: receive the body, find the route, see who asks,
 * read the arguments, ask core where the route says so, let the handler write. Neighbours:
 * api/server.c owns the daemon, api/reply.c sends, routes.def says what there is. Invariant:
 * nothing is answered in the first call for a request, which would cost the connection, but a body
 * that is too long, which shall. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/api/private.h"
#include "codec/cbor.h"

#include <sys/un.h>

#define REQUEST_ARENA_LIMIT (48U << 20)
#define REQUEST_OUT_LIMIT   (32U << 20)
#define REQUEST_PATH_MAX    1024
#define REQUEST_SKIP_MAX                                                                           \
    (1U << 20) /* of a body that is too long, read before the connection is cut */

static struct str api_request_address(struct api_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_un *name;

    if (info == NULL || info->client_addr == NULL) {
        return STR("");
    }
    name = (const struct sockaddr_un *)(const void *)info->client_addr;
    return arena_copy(request->arena, str_from(name->sun_path));
}

static int api_request_new(struct api *api, struct MHD_Connection *connection, const char *url,
                           const char *method, struct api_request **ret_request)
{
    struct api_request *request = mem_alloc(1, sizeof(*request));
    int r;

    if (request == NULL) {
        return -ERR_NOMEM;
    }
    request->api = api;
    request->connection = connection;
    request->status = MHD_HTTP_OK;
    request->type = "application/json";
    list_init(&request->ask_node);
    buf_init(&request->body, API_BODY_MAX);
    buf_init(&request->out, REQUEST_OUT_LIMIT);
    json_begin(&request->json, &request->out);
    r = arena_new(REQUEST_ARENA_LIMIT, &request->arena);
    if (r < 0) {
        mem_free(request);
        return r;
    }
    request->is_method_known = method_parse(method, &request->method);
    request->path = arena_copy(request->arena, str_slice(str_from(url), 0, REQUEST_PATH_MAX));
    request->address = api_request_address(request);
    *ret_request = request;
    return 0;
}

void api_on_completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode code)
{
    struct api_request *request = *slot;

    (void)context;
    (void)connection;
    if (request == NULL) {
        return;
    }
    *slot = NULL;
    api_ask_forget(request);
    api_post_forget(request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    if (request->body.room != 0) {
        mem_wipe(request->body.ptr, request->body.room); /* may hold a password */
    }
    buf_done(&request->body);
    buf_done(&request->out);
    arena_free(request->arena);
    mem_free(request);
}

static const char *api_header(const struct api_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result api_take_query(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct api_request *request = context;

    (void)kind;
    if (request->result == 0) {
        request->result = arguments_set(&request->arguments, ARGUMENT_PLACE_QUERY, str_from(name),
                                        str_from(value), &request->diag);
        request->result = request->result == -ERR_NOENT ? -ERR_SYNTAX : request->result;
    }
    return request->result == 0 ? MHD_YES : MHD_NO;
}

static bool api_is_json(const struct api_request *request)
{
    struct str type = str_from(api_header(request, MHD_HTTP_HEADER_CONTENT_TYPE));
    struct str media;

    return str_cut(&type, ';', &media) && str_is_nocase(str_trim(media), STR("application/json"));
}

static int api_take_body(struct api_request *request)
{
    struct json_value *value;
    int r;

    if (!arguments_has_place(request->route->arguments, ARGUMENT_PLACE_BODY)) {
        return request->body.len == 0
                   ? 0
                   : diag_set(&request->diag, -ERR_SYNTAX, _("this request takes no body"));
    }
    r = json_parse(buf_str(&request->body), request->arena, &value, &request->diag);
    if (r == 0) {
        r = arguments_set_json(&request->arguments, value, &request->diag);
    }
    return r == -ERR_LIMIT || r == -ERR_NOENT ? -ERR_SYNTAX : r;
}

static int api_take_arguments(struct api_request *request)
{
    int r;

    arguments_init(&request->arguments, request->route->arguments);
    r = route_take_path(request->route, request->path, &request->arguments, &request->diag);
    if (r < 0) {
        return -ERR_NOENT; /* no path that could name anything */
    }
    request->result = 0;
    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, api_take_query,
                                    request);
    if (request->result < 0) {
        return request->result;
    }
    r = api_take_body(request);
    return r < 0 ? r : arguments_check(&request->arguments, &request->diag);
}

static enum MHD_Result api_finish(struct api_request *request, int r)
{
    if (r == 0) {
        r = request->route->handler(request);
    }
    if (r == API_LATER) {
        return MHD_YES;
    }
    if (r == 0 && request->response == NULL) {
        r = buf_error(&request->out);
    }
    return r < 0 ? api_refuse(request, api_core_problem(request, r), request->diag.text)
                 : api_reply(request);
}

/* Core wants the arguments of a write; of a privileged read it is only told. */
static int api_ask_core(struct api_request *request)
{
    struct buf body;
    int r;

    buf_init(&body, API_BODY_MAX);
    if (request->method == METHOD_GET || request->route->arguments == NULL) {
        cbor_put_map(&body, 0);
    } else {
        arguments_encode(&request->arguments, &body);
    }
    r = buf_error(&body);
    if (r == 0) {
        r = api_ask(request, request->route->verb, buf_str(&body));
    }
    if (body.room != 0) {
        mem_wipe(body.ptr, body.room);
    }
    buf_done(&body);
    return r;
}

static enum MHD_Result api_run_route(struct api_request *request)
{
    int r = api_take_arguments(request);

    if (r < 0) {
        return api_refuse(request, problem_of(r), request->diag.text);
    }
    if (request->route->verb == NULL) {
        return api_finish(request, 0);
    }
    r = api_ask_core(request);
    if (r < 0) {
        return api_refuse(request, problem_of(r), request->diag.text);
    }
    request->stage = API_STAGE_ASKING;
    return MHD_YES;
}

/* 0 when who asks may. */
static int api_check_access(struct api_request *request)
{
    enum access access = request->route->access;

    if (access == ACCESS_OPEN || (access == ACCESS_LOCAL && api_is_local(request->address))) {
        return 0;
    }
    return request->is_known ? account_check(&request->account, access) : -ERR_DENIED;
}

static enum MHD_Result api_route(struct api_request *request)
{
    unsigned allowed = 0;
    bool is_write = request->method != METHOD_GET;
    int r;

    request->route = route_find(request->method, request->path, &allowed);
    if (request->route == NULL || !request->is_method_known) {
        allowed = request->is_method_known ? allowed : route_methods(request->path);
        request->route = NULL;
        return allowed != 0 ? api_refuse_method(request, allowed)
                            : api_refuse(request, PROBLEM_NOT_FOUND, NULL);
    }
    if (is_write && !api_is_own_origin(request)) {
        return api_refuse(request, PROBLEM_ORIGIN, NULL);
    }
    r = api_check_access(request);
    if (r < 0) {
        return api_refuse(request, problem_of(r), NULL);
    }
    if (is_write && request->body.len != 0 && !api_is_json(request)) {
        return api_refuse(request, PROBLEM_MEDIA_TYPE, NULL);
    }
    return api_run_route(request);
}

/* Browsers say how they fetch, and send such a header only for a proxy before us. */
bool api_has_authorization(const struct api_request *request)
{
    return api_header(request, MHD_HTTP_HEADER_AUTHORIZATION) != NULL &&
           api_header(request, "Sec-Fetch-Mode") == NULL;
}

/* Who wants no page. */
static bool api_is_program(const struct api_request *request)
{
    struct str path = request->path;

    return api_has_authorization(request) || str_has_prefix(path, STR("/services/")) ||
           str_has_prefix(path, STR("/api/")) || str_is_text(path, "/api") ||
           str_is_text(path, "/metrics") || str_is_text(path, "/healthz");
}

static enum MHD_Result api_start_answer(struct api_request *request)
{
    int r = 0;

    request->language = api_choose_language(api_header(request, MHD_HTTP_HEADER_ACCEPT_LANGUAGE),
                                            request->api->options.language);
    if (request->path.ptr == NULL || request->address.ptr == NULL) {
        r = -ERR_NOMEM;
    } else if (api_is_program(request)) {
        r = api_identify(request);
    }
    text_set_language(request->language);
    if (r < 0) {
        return api_refuse(request, problem_of(r), NULL);
    }
    if (request->is_too_large) {
        return api_refuse(request, PROBLEM_TOO_LARGE, NULL);
    }
    return api_is_program(request) ? api_route(request) : api_asset(request);
}

static enum MHD_Result api_receive(struct api_request *request, const char *upload,
                                   size_t *upload_size)
{
    if (request->is_too_large || buf_put(&request->body, upload, *upload_size) < 0) {
        request->is_too_large = true;
        request->skipped += *upload_size;
    }
    *upload_size = 0;
    return request->skipped > REQUEST_SKIP_MAX ? MHD_NO : MHD_YES;
}

static bool api_is_announced_too_large(const struct api_request *request)
{
    const char *length = api_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes;

    return length != NULL && (str_to_u64(str_from(length), &bytes) < 0 || bytes > API_BODY_MAX);
}

/* libmicrohttpd wants eight. NOLINTNEXTLINE(readability-function-size) */
enum MHD_Result api_on_access(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **slot)
{
    struct api_request *request = *slot;

    (void)version;
    if (request == NULL) {
        if (api_request_new(context, connection, url, method, &request) < 0) {
            return MHD_NO;
        }
        *slot = request;
        if (api_is_post(request)) {
            return api_post_begin(request);
        }
        request->is_too_large = api_is_announced_too_large(request);
        return request->is_too_large ? api_start_answer(request) : MHD_YES;
    }
    if (request->post != NULL) {
        return api_post_go_on(request, upload, upload_size);
    }
    if (request->stage == API_STAGE_ANSWERED) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (*upload_size != 0) {
        return api_receive(request, upload, upload_size);
    }
    if (request->stage == API_STAGE_RECEIVING) {
        return api_start_answer(request);
    }
    if (!request->is_replied) {
        return MHD_YES;
    }
    text_set_language(request->language);
    return api_finish(request, request->result);
}
