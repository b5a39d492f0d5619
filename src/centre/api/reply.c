/* Answers and refusals on their way out; every one carries the same security headers. Neighbours:
 * api/http.c decides what to say, problem.c words refusals. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "centre/api/private.h"

static const struct {
    const char *name;
    const char *value;
} api_headers[] = {
    {"Content-Security-Policy", API_CSP},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
    {"Strict-Transport-Security", "max-age=31536000"},
};

void api_add_headers(struct MHD_Response *response)
{
    for (size_t i = 0; i < sizeof(api_headers) / sizeof(api_headers[0]); i++) {
        (void)MHD_add_response_header(response, api_headers[i].name, api_headers[i].value);
    }
}

enum MHD_Result api_queue(struct api_request *request, unsigned status,
                          struct MHD_Response *response)
{
    enum MHD_Result queued;

    if (response == NULL) {
        return MHD_NO;
    }
    api_add_headers(response);
    queued = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    request->stage = API_STAGE_ANSWERED;
    request->api->counters.requests[status / 100]++;
    return queued;
}

/* An answer out of request->out that nobody may keep. */
static struct MHD_Response *api_response(struct api_request *request, const char *type)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(request->out.len, request->out.ptr, MHD_RESPMEM_MUST_COPY);

    if (response == NULL) {
        return NULL;
    }
    if (request->out.len != 0) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (request->retry_after != 0) {
        char seconds[16];

        (void)snprintf(seconds, sizeof(seconds), "%u", request->retry_after);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    if (request->cookie[0] != '\0') {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, request->cookie);
    }
    return response;
}

enum MHD_Result api_reply(struct api_request *request)
{
    struct MHD_Response *response = request->response;

    if (response != NULL) {
        request->response = NULL;
        return api_queue(request, request->status, response);
    }
    if (request->out.len == 0 && request->status == MHD_HTTP_OK) {
        request->status = MHD_HTTP_NO_CONTENT;
    }
    return api_queue(request, request->status, api_response(request, request->type));
}

static struct MHD_Response *api_problem(struct api_request *request, enum problem problem,
                                        const char *detail)
{
    struct MHD_Response *response;

    buf_reset(&request->out);
    problem_write(problem,
                  &(struct problem_words){.detail = detail,
                                          .field = request->arguments.wrong,
                                          .instance = request->path},
                  &request->out);
    response =
        buf_error(&request->out) < 0 ? NULL : api_response(request, "application/problem+json");
    if (response == NULL) {
        return NULL;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_LANGUAGE,
                                  text_language_name(request->language));
    return response;
}

enum MHD_Result api_refuse(struct api_request *request, enum problem problem, const char *detail)
{
    if (problem == PROBLEM_INTERNAL) {
        log_error("a request failed path=%.*s detail=%s", STR_ARG(request->path),
                  detail != NULL ? detail : "");
    }
    return api_queue(request, problem_status(problem), api_problem(request, problem, detail));
}

enum MHD_Result api_refuse_method(struct api_request *request, unsigned allowed)
{
    struct MHD_Response *response = api_problem(request, PROBLEM_METHOD, NULL);
    char allow[64] = "";
    size_t len = 0;

    for (int i = 0; i < METHOD_COUNT; i++) {
        if ((allowed & (1U << i)) != 0) {
            len += (size_t)snprintf(allow + len, sizeof(allow) - len, "%s%s", len == 0 ? "" : ", ",
                                    method_name((enum method)i));
        }
    }
    if (response != NULL) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    }
    return api_queue(request, problem_status(PROBLEM_METHOD), response);
}
