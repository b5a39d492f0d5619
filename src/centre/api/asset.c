/* The console's files out of the program itself: precompressed, with strong tags. A path of the
 * console's own screens, which is no file, is answered with its one page. */
#include "base/banned.h"
#include "centre/api/private.h"

#define ASSET_YEAR "public, max-age=31536000, immutable"

/* Whether a list such as "gzip, br;q=0.8" takes the coding; q=0 refuses. */
static bool asset_is_accepted(const char *accept, const char *encoding)
{
    struct str rest = str_from(accept);
    struct str item;

    while (str_cut(&rest, ',', &item)) {
        struct str name;

        if (str_cut(&item, ';', &name) && str_is_nocase(str_trim(name), str_from(encoding))) {
            struct str weight = str_trim(item);

            return !str_is_text(weight, "q=0") && !str_has_prefix(weight, STR("q=0.0"));
        }
    }
    return false;
}

static const struct asset *asset_find(const struct asset *rows, struct str path, const char *accept)
{
    for (const struct asset *row = rows; row != NULL && row->path != NULL; row++) {
        if (str_is_text(path, row->path) &&
            (row->encoding == NULL || asset_is_accepted(accept, row->encoding))) {
            return row;
        }
    }
    return NULL;
}

static bool asset_is_match(const char *header, const char *etag)
{
    struct str rest = str_from(header);
    struct str item;

    while (str_cut(&rest, ',', &item)) {
        item = str_trim(item);
        if (str_has_prefix(item, STR("W/"))) {
            item = str_slice(item, 2, item.len);
        }
        if (str_is_text(item, etag) || str_is_text(item, "*")) {
            return true;
        }
    }
    return false;
}

static enum MHD_Result asset_send(struct api_request *request, const struct asset *row)
{
    const char *known = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool is_known = asset_is_match(known, row->etag);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(is_known ? 0 : (size_t)(row->end - row->start),
                                        (void *)(uintptr_t)row->start, MHD_RESPMEM_PERSISTENT);

    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, row->etag);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  row->is_immutable ? ASSET_YEAR : "no-cache");
    if (!is_known) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, row->type);
        if (row->encoding != NULL) {
            (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING,
                                          row->encoding);
        }
    }
    return api_queue(request, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

enum MHD_Result api_asset(struct api_request *request)
{
    const char *accept = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_ACCEPT_ENCODING);
    const struct asset *rows = request->api->options.assets;
    const struct asset *row;

    if (request->method != METHOD_GET || !request->is_method_known) {
        return api_refuse_method(request, 1U << METHOD_GET);
    }
    row = asset_find(rows, request->path, accept);
    if (row == NULL && str_find_byte(request->path, '.') == request->path.len) {
        row = asset_find(rows, STR("/"), accept);
    }
    return row == NULL ? api_refuse(request, PROBLEM_NOT_FOUND, NULL) : asset_send(request, row);
}
