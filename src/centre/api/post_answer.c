/* What a shipper hears of its post, in the words of the server it takes us for: Elasticsearch's
 * _bulk, Splunk's collector, or our own. Neighbour: api/post.c. Source: Elasticsearch 8 "Bulk API";
 * Splunk Enterprise 9 "Troubleshoot HTTP Event Collector", table of codes. */
#include "centre/api/post.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"

/* The version whose shape of answers this is: shippers refuse to speak to an older one. */
#define ELASTIC_VERSION "8.19.0"
#define BULK_INDEX_MAX  64          /* bytes of an index that are said again, for each item */
#define BULK_PIECE      (16U << 10) /* bytes of items at hand */
#define BULK_PIECE_MAX  (BULK_PIECE + (4U << 10)) /* with the item that goes beyond it */

static const char *fault_text(const struct post_refusal *refusal)
{
    static const char *const texts[] = {
#define FAULT(name, text) [POST_FAULT_##name] = (text),
#include "centre/post_faults.def"
#undef FAULT
    };

    return refusal->fault < POST_FAULT_COUNT ? text_get(texts[refusal->fault]) : "";
}

/* Of the first entry that was refused, when no more is known. */
static const char *post_why(const struct api_post *post)
{
    if (post->detail != NULL) {
        return text_get(post->detail);
    }
    if (post->result == -ERR_FBIG) {
        return _(
            "a post may have 16 MiB at most, 128 MiB when it is unpacked, and 262,144 entries");
    }
    return post->refused != 0 ? fault_text(&post->refusals[0]) : err_text(post->result);
}

static void post_put(struct json_writer *json, const char *key, const char *value)
{
    json_put_key(json, key);
    json_put_text(json, value);
}

/* {"error":{"type":…,"reason":…},"status":…} */
static void bulk_put_error(struct json_writer *json, const char *type, const char *reason)
{
    json_put_key(json, "error");
    json_open_object(json);
    post_put(json, "type", type);
    post_put(json, "reason", reason);
    json_close_object(json);
}

static void bulk_refuse(struct api_post *post)
{
    static const struct {
        int error;
        unsigned status;
        const char *type;
    } rows[] = {
        {ERR_DENIED, MHD_HTTP_UNAUTHORIZED, "security_exception"},
        {ERR_BUSY, MHD_HTTP_TOO_MANY_REQUESTS, "security_exception"},
        {ERR_FULL, MHD_HTTP_TOO_MANY_REQUESTS, "es_rejected_execution_exception"},
        {ERR_TIMEDOUT, MHD_HTTP_SERVICE_UNAVAILABLE, "process_cluster_event_timeout_exception"},
        {ERR_FBIG, MHD_HTTP_CONTENT_TOO_LARGE, "content_too_long_exception"},
        {ERR_OPNOTSUPP, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "illegal_argument_exception"},
        {ERR_SYNTAX, MHD_HTTP_BAD_REQUEST, "illegal_argument_exception"},
    };
    struct json_writer *json = &post->request->json;
    const char *type = "exception";

    post->request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].error == -post->result) {
            post->request->status = rows[i].status;
            type = rows[i].type;
        }
    }
    json_open_object(json);
    bulk_put_error(json, type, post_why(post));
    json_put_key(json, "status");
    json_put_u64(json, post->request->status);
    json_close_object(json);
}

/* What stands before "/_bulk"; "logs" when nothing does. */
static struct str bulk_index(const struct api_post *post)
{
    struct str path = post->request->path;
    struct str index = str_slice(path, 1, path.len - (sizeof("/_bulk") - 1));

    return path.len <= sizeof("/_bulk") ? STR("logs") : str_slice(index, 0, BULK_INDEX_MAX);
}

static void bulk_put_item(struct api_post *post)
{
    struct bulk_answer *bulk = &post->bulk;
    struct json_writer *json = &bulk->json;
    bool is_refused =
        bulk->refused < post->refused && post->refusals[bulk->refused].number == bulk->number;

    json_open_object(json);
    json_add_object(json, "create");
    json_add_str(json, "_index", bulk_index(post));
    json_add_u64(json, "status", is_refused ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_CREATED);
    if (is_refused) {
        bulk_put_error(json, "document_parsing_exception",
                       fault_text(&post->refusals[bulk->refused]));
        bulk->refused++;
    }
    json_close_object(json);
    json_close_object(json);
    bulk->number++;
}

/* Items up to about BULK_PIECE bytes; behind the last, the end. */
static void bulk_fill(struct api_post *post)
{
    struct bulk_answer *bulk = &post->bulk;

    buf_reset(&bulk->piece);
    bulk->sent = 0;
    while (bulk->number <= (uint64_t)post->taken + post->refused && bulk->piece.len < BULK_PIECE) {
        bulk_put_item(post);
    }
    if (bulk->number > (uint64_t)post->taken + post->refused && !bulk->is_over) {
        json_close_array(&bulk->json);
        json_close_object(&bulk->json);
        bulk->is_over = true;
    }
}

/* What the client has room for; who reads slowly costs one piece, however many items there are. */
static ssize_t bulk_read(void *context, uint64_t place, char *out, size_t max)
{
    struct api_post *post = context;
    struct bulk_answer *bulk = &post->bulk;
    size_t size;

    (void)place;
    if (bulk->sent == bulk->piece.len && !bulk->is_over) {
        text_set_language(post->request->language);
        bulk_fill(post);
    }
    if (buf_error(&bulk->piece) < 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (bulk->sent == bulk->piece.len) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size = bulk->piece.len - bulk->sent < max ? bulk->piece.len - bulk->sent : max;
    memcpy(out, bulk->piece.ptr + bulk->sent, size);
    bulk->sent += size;
    return (ssize_t)size;
}

/* An item for each action, as its clients count on, made as they are read. */
static void bulk_tell(struct api_post *post)
{
    struct bulk_answer *bulk = &post->bulk;
    struct json_writer *json = &bulk->json;
    int64_t took = clock_mono(post->request->api->options.clock) - post->begun;

    if (post->result < 0) {
        bulk_refuse(post);
        return;
    }
    *bulk = (struct bulk_answer){.number = 1};
    buf_init(&bulk->piece, BULK_PIECE_MAX);
    json_begin(json, &bulk->piece);
    json_open_object(json);
    json_add_i64(json, "took", took / NS_PER_MS);
    json_add_bool(json, "errors", post->refused != 0);
    json_add_array(json, "items");
    post->request->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BULK_PIECE, bulk_read, post, NULL);
    if (post->request->response == NULL) {
        post->request->out.error = -ERR_NOMEM;
        return;
    }
    (void)MHD_add_response_header(post->request->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  post->request->type);
    (void)MHD_add_response_header(post->request->response, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  "no-store");
}

/* Beats send nothing before they have read one of Elasticsearch's kinds here. */
static void licence_tell(struct json_writer *json)
{
    json_open_object(json);
    json_put_key(json, "license");
    json_open_object(json);
    post_put(json, "uid", "canhgac");
    post_put(json, "type", "basic");
    post_put(json, "status", "active");
    json_close_object(json);
    json_close_object(json);
}

/* We say who we are; the version is of the shape that is spoken. */
static void hello_tell(struct api_post *post)
{
    struct json_writer *json = &post->request->json;

    if (post->result < 0) {
        bulk_refuse(post);
        return;
    }
    if (str_is_text(post->request->path, API_POST_LICENCE)) {
        licence_tell(json);
        return;
    }
    json_open_object(json);
    post_put(json, "name", "canhgac");
    post_put(json, "cluster_name", "canhgac");
    post_put(json, "cluster_uuid", "_na_");
    json_put_key(json, "version");
    json_open_object(json);
    post_put(json, "number", ELASTIC_VERSION);
    post_put(json, "build_flavor", "default");
    post_put(json, "canhgac", CANHGAC_VERSION);
    json_close_object(json);
    post_put(json, "tagline", "Canh Gác takes logs in the shape of Elasticsearch's _bulk");
    json_close_object(json);
}

static void collector_put(struct api_request *request, unsigned status, unsigned code,
                          const char *text)
{
    struct json_writer *json = &request->json;

    request->status = status;
    json_open_object(json);
    post_put(json, "text", text);
    json_put_key(json, "code");
    json_put_u64(json, code);
}

static void collector_tell(struct api_post *post)
{
    struct api_request *request = post->request;

    if (post->result == -ERR_DENIED && !post->has_token) {
        collector_put(request, MHD_HTTP_UNAUTHORIZED, 2, "Token is required");
    } else if (post->result == -ERR_DENIED || post->result == -ERR_BUSY) {
        collector_put(request, MHD_HTTP_FORBIDDEN, 4, "Invalid token");
    } else if (post->result == -ERR_FULL || post->result == -ERR_TIMEDOUT) {
        collector_put(request, MHD_HTTP_SERVICE_UNAVAILABLE, 9, "Server is busy");
    } else if (post->result == -ERR_FBIG) {
        collector_put(request, MHD_HTTP_CONTENT_TOO_LARGE, 6, "Invalid data format");
    } else if (post->result == -ERR_OPNOTSUPP) {
        collector_put(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, 6, "Invalid data format");
    } else if (post->result < 0 && post->result != -ERR_SYNTAX) {
        collector_put(request, MHD_HTTP_INTERNAL_SERVER_ERROR, 8, "Internal server error");
    } else if (post->result < 0 || post->refused != 0) {
        collector_put(request, MHD_HTTP_BAD_REQUEST, 6, "Invalid data format");
        if (post->refused != 0) {
            json_put_key(&request->json, "invalid-event-number");
            json_put_u64(&request->json, post->refusals[0].number - 1);
        }
        post_put(&request->json, "why", post_why(post));
    } else if (post->taken == 0) {
        collector_put(request, MHD_HTTP_BAD_REQUEST, 5, "No data");
    } else {
        collector_put(request, MHD_HTTP_OK, 0, "Success");
    }
    json_close_object(&request->json);
}

int api_collector_health(struct api_request *request)
{
    if (request->api->is_full || request->api->is_receiver_full) {
        collector_put(request, MHD_HTTP_SERVICE_UNAVAILABLE, 18,
                      "HEC is unhealthy, queues are full");
    } else {
        collector_put(request, MHD_HTTP_OK, 17, "HEC is healthy");
    }
    json_close_object(&request->json);
    return 0;
}

static enum problem events_problem(const struct api_post *post)
{
    switch (post->result) {
    case 0:
    case -ERR_SYNTAX:
        return PROBLEM_POST;
    case -ERR_DENIED:
        return PROBLEM_SENDER;
    case -ERR_BUSY:
        return PROBLEM_WAIT;
    case -ERR_FULL:
    case -ERR_TIMEDOUT:
        return PROBLEM_BUSY;
    case -ERR_FBIG:
        return PROBLEM_TOO_LARGE;
    case -ERR_OPNOTSUPP:
        return PROBLEM_MEDIA_TYPE;
    default:
        return PROBLEM_INTERNAL;
    }
}

static void events_tell(struct api_post *post)
{
    struct json_writer *json = &post->request->json;

    json_open_object(json);
    json_put_key(json, "taken");
    json_put_u64(json, post->taken);
    json_put_key(json, "refused");
    json_put_u64(json, post->refused);
    if (post->refused != 0) {
        json_put_key(json, "first_refused");
        json_put_u64(json, post->refusals[0].number);
        post_put(json, "why", post_why(post));
    }
    json_close_object(json);
}

static enum MHD_Result events_answer(struct api_post *post)
{
    struct api_request *request = post->request;
    bool is_said = post->result == -ERR_FBIG || post->result == -ERR_OPNOTSUPP ||
                   post->result == -ERR_SYNTAX || post->refused != 0 || post->detail != NULL;

    if (post->result == 0 && (post->taken != 0 || post->refused == 0)) {
        events_tell(post);
        return api_reply(request);
    }
    return api_refuse(request, events_problem(post), is_said ? post_why(post) : NULL);
}

enum MHD_Result api_post_answer(struct api_post *post)
{
    struct api_request *request = post->request;

    request->retry_after = post->retry_after;
    request->language =
        api_choose_language(MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                        MHD_HTTP_HEADER_ACCEPT_LANGUAGE),
                            request->api->options.language);
    text_set_language(request->language);
    if (post->kind == API_POST_EVENTS) {
        return events_answer(post);
    }
    if (post->kind == API_POST_BULK) {
        bulk_tell(post);
    } else if (post->kind == API_POST_HELLO) {
        hello_tell(post);
    } else {
        collector_tell(post);
    }
    if (buf_error(&request->out) < 0) {
        return MHD_NO;
    }
    return api_reply(request);
}
