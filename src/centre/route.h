/* The table of routes and how a request finds its row. */
#ifndef CENTRE_ROUTE_H
#define CENTRE_ROUTE_H

#include "base/diag.h"
#include "base/str.h"
#include "centre/account.h"
#include "centre/argument.h"

#include <stdbool.h>
#include <stddef.h>

enum method {
    METHOD_GET,
    METHOD_POST,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_COUNT,
};

struct api_request;
/* Writes the answer; negative: refused. */
typedef int route_fn(struct api_request *request);

struct route {
    enum method method;
    const char *path; /* parts in braces are arguments */
    enum access access;
    const struct argument *arguments;
    const char *verb;
    route_fn *handler;
    const char *answer;
    const char *summary;
};

extern const struct route routes[];
extern const size_t route_count;

const char *method_name(enum method method);
/* HEAD is GET. False for a method that no route has. */
bool method_parse(const char *name, enum method *ret_method);

/* The row of a method and a path. NULL: *ret_allowed then has a bit for each method that the path
 * does take, 0 when there is no such path. */
const struct route *route_find(enum method method, struct str path, unsigned *ret_allowed);
/* A bit for each method that the path takes. */
unsigned route_methods(struct str path);
/* Puts the parts in braces into arguments. */
[[nodiscard]] int route_take_path(const struct route *route, struct str path,
                                  struct arguments *arguments, struct diag *diag);

#endif
