/* Prints the table of routes as OpenAPI. Neighbours: route.c holds the rows, argument.c and
 * schema.c their shapes, problem.c the refusals. Pure. */
#include "centre/openapi.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "centre/problem.h"
#include "centre/route.h"
#include "centre/schema.h"
#include "codec/json.h"

static void openapi_put_parameters(const struct route *route, struct json_writer *json)
{
    json_add_array(json, "parameters");
    for (const struct argument *row = route->arguments; row != NULL && row->name != NULL; row++) {
        if (row->place == ARGUMENT_PLACE_BODY) {
            continue;
        }
        json_open_object(json);
        json_add_text(json, "name", row->name);
        json_add_text(json, "in", row->place == ARGUMENT_PLACE_PATH ? "path" : "query");
        json_add_bool(json, "required", row->is_required);
        json_put_key(json, "schema");
        argument_write_schema(row, json);
        json_close_object(json);
    }
    if (route->method != METHOD_GET && route->access != ACCESS_SENDER) {
        json_open_object(json);
        json_add_text(json, "$ref", "#/components/parameters/mark");
        json_close_object(json);
    }
    json_close_array(json);
}

static void openapi_put_body(const struct route *route, struct json_writer *json)
{
    if (!arguments_has_place(route->arguments, ARGUMENT_PLACE_BODY)) {
        return;
    }
    json_add_object(json, "requestBody");
    json_add_bool(json, "required", true);
    json_add_object(json, "content");
    json_add_object(json, "application/json");
    json_put_key(json, "schema");
    arguments_write_schema(route->arguments, json);
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
}

static void openapi_put_content(const char *type, const char *schema, struct json_writer *json)
{
    char reference[80];

    json_add_object(json, "content");
    json_add_object(json, type);
    if (schema != NULL) {
        (void)snprintf(reference, sizeof(reference), "#/components/schemas/%s", schema);
        json_add_object(json, "schema");
        json_add_text(json, "$ref", reference);
        json_close_object(json);
    }
    json_close_object(json);
    json_close_object(json);
}

/* Who speaks to senders in another server's words refuses in them too. */
static const struct {
    const char *answer; /* schema; NULL: all others */
    const char *name;   /* of the response */
    const char *type;
    const char *schema;
    const char *description;
} openapi_refusals[] = {
    {"BulkTaken", "refused-bulk", "application/json", "BulkRefused",
     "refused, as Elasticsearch has it"},
    {"CollectorTaken", "refused-collector", "application/json", "CollectorTaken",
     "refused, as Splunk's collector has it"},
    {NULL, "refused", "application/problem+json", "Problem", "refused, as RFC 9457 has it"},
};

static const char *openapi_refusal(const struct route *route)
{
    size_t at = 0;

    while (openapi_refusals[at].answer != NULL &&
           (route->answer == NULL || strcmp(openapi_refusals[at].answer, route->answer) != 0)) {
        at++;
    }
    return openapi_refusals[at].name;
}

static void openapi_put_refusals(struct json_writer *json)
{
    json_add_object(json, "responses");
    for (size_t i = 0; i < ARRAY_LEN(openapi_refusals); i++) {
        json_add_object(json, openapi_refusals[i].name);
        json_add_text(json, "description", openapi_refusals[i].description);
        openapi_put_content(openapi_refusals[i].type, openapi_refusals[i].schema, json);
        json_close_object(json);
    }
    json_close_object(json);
}

static void openapi_put_responses(const struct route *route, struct json_writer *json)
{
    char reference[80];
    bool is_media = route->answer != NULL && strchr(route->answer, '/') != NULL;

    json_add_object(json, "responses");
    json_add_object(json, route->answer == NULL ? "204" : "200");
    json_add_text(json, "description", "done");
    if (is_media) {
        openapi_put_content(route->answer, NULL, json);
    } else if (route->answer != NULL) {
        openapi_put_content("application/json", route->answer, json);
    }
    json_close_object(json);
    json_add_object(json, "default");
    (void)snprintf(reference, sizeof(reference), "#/components/responses/%s",
                   openapi_refusal(route));
    json_add_text(json, "$ref", reference);
    json_close_object(json);
    json_close_object(json);
}

static void openapi_put_security(const struct route *route, struct json_writer *json)
{
    json_add_array(json, "security");
    if (route->access != ACCESS_OPEN) {
        json_open_object(json);
        json_add_array(json, route->access == ACCESS_SENDER ? "sender" : "session");
        json_close_array(json);
        json_close_object(json);
    }
    json_close_array(json);
    json_add_text(json, "x-role", access_name(route->access));
}

static void openapi_put_operation(const struct route *route, struct json_writer *json)
{
    static const char *const keys[METHOD_COUNT] = {[METHOD_GET] = "get",
                                                   [METHOD_POST] = "post",
                                                   [METHOD_PATCH] = "patch",
                                                   [METHOD_DELETE] = "delete"};

    json_add_object(json, keys[route->method]);
    json_add_text(json, "summary", route->summary);
    openapi_put_security(route, json);
    openapi_put_parameters(route, json);
    openapi_put_body(route, json);
    openapi_put_responses(route, json);
    json_close_object(json);
}

static bool openapi_is_first(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(routes[i].path, routes[at].path) == 0) {
            return false;
        }
    }
    return true;
}

static void openapi_put_paths(struct json_writer *json)
{
    json_add_object(json, "paths");
    for (size_t i = 0; i < route_count; i++) {
        if (!openapi_is_first(i)) {
            continue;
        }
        json_add_object(json, routes[i].path);
        for (size_t k = i; k < route_count; k++) {
            if (strcmp(routes[i].path, routes[k].path) == 0) {
                openapi_put_operation(&routes[k], json);
            }
        }
        json_close_object(json);
    }
    json_close_object(json);
}

static void openapi_put_mark(struct json_writer *json)
{
    json_add_object(json, "parameters");
    json_add_object(json, "mark");
    json_add_text(json, "name", "X-Canhgac");
    json_add_text(json, "in", "header");
    json_add_bool(json, "required", true);
    json_add_object(json, "schema");
    json_add_text(json, "const", "1");
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
}

static void openapi_put_components(struct json_writer *json)
{
    json_add_object(json, "components");
    json_add_object(json, "securitySchemes");
    json_add_object(json, "session");
    json_add_text(json, "type", "apiKey");
    json_add_text(json, "in", "cookie");
    json_add_text(json, "name", "__Host-canhgac");
    json_close_object(json);
    json_add_object(json, "sender");
    json_add_text(json, "type", "http");
    json_add_text(json, "scheme", "bearer");
    json_close_object(json);
    json_close_object(json);
    openapi_put_mark(json);
    openapi_put_refusals(json);
    json_add_object(json, "schemas");
    for (const struct schema *schema = schemas; schema->name != NULL; schema++) {
        json_put_key(json, schema->name);
        schema_write(schema, json);
    }
    json_close_object(json);
    json_close_object(json);
}

static void openapi_put_problems(struct json_writer *json)
{
    json_add_array(json, "x-problems");
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        json_open_object(json);
        json_add_text(json, "code", problem_code((enum problem)i));
        json_add_u64(json, "status", problem_status((enum problem)i));
        json_close_object(json);
    }
    json_close_array(json);
}

void openapi_write(struct buf *buf)
{
    struct json_writer json;

    json_begin(&json, buf);
    json_open_object(&json);
    json_add_text(&json, "openapi", "3.1.0");
    json_add_object(&json, "info");
    json_add_text(&json, "title", "Canh Gác");
    json_add_text(&json, "version", CANHGAC_VERSION);
    json_add_text(&json, "description",
                  "The centre's API. Lists go on with the `next` of the answer before.");
    json_close_object(&json);
    openapi_put_paths(&json);
    openapi_put_components(&json);
    openapi_put_problems(&json);
    json_close_object(&json);
    buf_put_byte(buf, '\n');
}
