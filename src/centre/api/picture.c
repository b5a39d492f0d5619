/* What watched pages looked like: lists as JSON, and the small pictures as the one kind of file
 * that they can be. Neighbours: routes.def names the handlers, store/pictures.h gives the rows. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/api/private.h"
#include "store/pictures.h"

#define PICTURE_PAGE 50

static const char *const picture_state_names[PICTURE_STATE_COUNT] = {
    [PICTURE_STATE_SEEN] = "seen",
    [PICTURE_STATE_LEARNED] = "learned",
    [PICTURE_STATE_ODD] = "odd",
};

static void picture_put(struct json_writer *json, const struct store_picture *picture)
{
    json_open_object(json);
    json_add_u64(json, "number", picture->number);
    json_add_str(json, "url", picture->url);
    json_add_text(json, "view", site_view_name(picture->view));
    api_put_time(json, "first", picture->first);
    api_put_time(json, "last", picture->last);
    json_add_u64(json, "count", picture->count);
    json_add_text(json, "state", picture_state_names[picture->state]);
    json_add_double(json, "score", picture->score);
    json_close_object(json);
}

static uint64_t picture_site(const struct api_request *request)
{
    return (uint64_t)arguments_number(&request->arguments, "number", 0);
}

/* A site that was dropped shows nothing any more. */
static int picture_read_site(struct api_request *request)
{
    struct store_site site;
    int r =
        store_site_get(request->api->options.store, picture_site(request), request->arena, &site);

    return r == 0 && site.state == SITE_STATE_DROPPED ? -ERR_NOENT : r;
}

int api_picture_list(struct api_request *request)
{
    const struct centre_settings *settings = request->api->options.settings;
    struct json_writer *json = &request->json;
    struct store_picture *pictures;
    size_t count = 0;
    int r = picture_read_site(request);

    r = r < 0 ? r
              : store_picture_list(request->api->options.store, picture_site(request), PICTURE_PAGE,
                                   request->arena, &pictures, &count);
    if (r < 0) {
        return r;
    }
    json_open_object(json);
    json_add_bool(json, "browser", settings != NULL && settings->has_browser);
    json_add_array(json, "items");
    for (size_t i = 0; i < count; i++) {
        if (pictures[i].has_png) {
            picture_put(json, &pictures[i]);
        }
    }
    api_close_items(json);
    return 0;
}

int api_picture_alerts(struct api_request *request)
{
    struct json_writer *json = &request->json;
    struct store_alert_picture *rows;
    size_t count = 0;
    int r = store_picture_alerts(request->api->options.store, request->arena, &rows, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json);
        json_add_u64(json, "alert", rows[i].alert);
        json_add_u64(json, "site", rows[i].site);
        json_add_u64(json, "picture", rows[i].picture);
        json_close_object(json);
    }
    api_close_items(json);
    return 0;
}

int api_picture_get(struct api_request *request)
{
    struct store *store = request->api->options.store;
    struct store_picture picture = {0};
    struct str png;
    int r = picture_read_site(request);

    r = r < 0 ? r
              : store_picture_get(store,
                                  (uint64_t)arguments_number(&request->arguments, "picture", 0),
                                  request->arena, &picture);
    if (r == 0 && (picture.site != picture_site(request) || !picture.has_png)) {
        r = -ERR_NOENT;
    }
    r = r < 0 ? r : store_evidence_get(store, picture.png, request->arena, &png);
    if (r < 0) {
        return r;
    }
    request->type = "image/png";
    return buf_put(&request->out, png.ptr, png.len);
}
