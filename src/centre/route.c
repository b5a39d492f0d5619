/* Finds routes. Neighbours: api/http.c asks; the handlers live in api/. Pure. */
#include "centre/route.h"

#include "base/banned.h"
#include "base/text.h"
#include "centre/api/private.h"

const struct route routes[] = {
#define ROUTE(method, path, access, arguments, verb, handler, answer, summary)                     \
    {METHOD_##method, path, access, arguments, verb, handler, answer, summary},
#include "centre/routes.def"
#undef ROUTE
};
const size_t route_count = sizeof(routes) / sizeof(routes[0]);

static const char *const method_names[METHOD_COUNT] = {[METHOD_GET] = "GET",
                                                       [METHOD_POST] = "POST",
                                                       [METHOD_PATCH] = "PATCH",
                                                       [METHOD_DELETE] = "DELETE"};

const char *method_name(enum method method)
{
    return method_names[method];
}

bool method_parse(const char *name, enum method *ret_method)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (strcmp(name, method_names[i]) == 0) {
            *ret_method = (enum method)i;
            return true;
        }
    }
    *ret_method = METHOD_GET;
    return strcmp(name, "HEAD") == 0;
}

static bool route_part_is_open(struct str part)
{
    return part.len > 2 && part.ptr[0] == '{';
}

static bool route_is(const struct route *route, struct str path)
{
    struct str wanted = str_from(route->path);
    struct str part;
    struct str given;

    while (str_cut(&wanted, '/', &part)) {
        if (!str_cut(&path, '/', &given)) {
            return false;
        }
        if (route_part_is_open(part) ? given.len == 0 : !str_is(part, given)) {
            return false;
        }
    }
    return !str_cut(&path, '/', &given);
}

const struct route *route_find(enum method method, struct str path, unsigned *ret_allowed)
{
    *ret_allowed = 0;
    if (path.len != 0 && path.ptr[path.len - 1] == '/') {
        return NULL;
    }
    for (size_t i = 0; i < route_count; i++) {
        if (!route_is(&routes[i], path)) {
            continue;
        }
        if (routes[i].method == method) {
            return &routes[i];
        }
        *ret_allowed |= 1U << routes[i].method;
    }
    return NULL;
}

unsigned route_methods(struct str path)
{
    unsigned methods = 0;

    for (size_t i = 0; i < route_count; i++) {
        methods |= route_is(&routes[i], path) ? 1U << routes[i].method : 0U;
    }
    return methods;
}

int route_take_path(const struct route *route, struct str path, struct arguments *arguments,
                    struct diag *diag)
{
    struct str wanted = str_from(route->path);
    struct str part;
    struct str given;
    int r = 0;

    while (r == 0 && str_cut(&wanted, '/', &part) && str_cut(&path, '/', &given)) {
        if (route_part_is_open(part)) {
            r = arguments_set(arguments, ARGUMENT_PLACE_PATH, str_slice(part, 1, part.len - 1),
                              given, diag);
        }
    }
    return r;
}
