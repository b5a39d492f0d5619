/* The centre's settings, row by row, as the console's form needs them: what counts now, where it is
 * from, what stood before, whether and when a change counts. Neighbours: core/setting.c writes. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/api/private.h"

#define SETTING_TEXT_LIMIT 8192

int api_settings_apply(struct api *api)
{
    int r;

    if (api->overlay.base == NULL) {
        return 0;
    }
    r = overlay_read(&api->overlay, api->options.store);
    if (r == 0) {
        api->options.silent_after = api->overlay.now.silent_after;
        (void)text_parse_language(str_from(api->overlay.now.language), &api->options.language);
    }
    return r;
}

static void setting_put_text(struct json_writer *json, const char *key, const struct setting *row,
                             const struct centre_settings *settings)
{
    struct buf text;

    buf_init(&text, SETTING_TEXT_LIMIT);
    setting_write_text(row, settings, &text);
    json_add_str(json, key, buf_str(&text));
    buf_done(&text);
}

/* Nulls when nobody ever changed it here. */
static void setting_put_change(struct json_writer *json, const struct store_setting *change)
{
    json_add_u64(json, "seen", change != NULL ? change->number : 0);
    api_put_time(json, "changed", change != NULL ? change->time : 0);
    json_add_str(json, "changed_by", change != NULL ? change->actor : STR(""));
    json_add_str(json, "reason", change != NULL ? change->reason : STR(""));
    json_put_key(json, "before");
    if (change != NULL && change->was_set) {
        json_put_str(json, change->before);
    } else {
        json_put_null(json);
    }
}

static void setting_put(struct api *api, const struct setting *row,
                        const struct store_setting *change, struct json_writer *json)
{
    const char *why = centre_effect_why(row);

    json_open_object(json);
    setting_write_members(row, &api->overlay.now, json);
    setting_put_text(json, "text", row, &api->overlay.now);
    setting_put_text(json, "below", row, api->overlay.base);
    json_add_text(json, "source", centre_source_name(centre_source_of(&api->overlay.now, row)));
    json_add_text(json, "effect", centre_effect_name(centre_effect_of(row)));
    json_add_text(json, "why", why != NULL ? text_get(why) : NULL);
    setting_put_change(json, change);
    json_close_object(json);
}

static const struct store_setting *setting_change(const struct store_setting *changes, size_t count,
                                                  const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is_text(changes[i].name, name)) {
            return &changes[i];
        }
    }
    return NULL;
}

int api_settings(struct api_request *request)
{
    struct api *api = request->api;
    struct store_setting *changes;
    size_t count;
    int r = store_setting_list(api->options.store, request->arena, &changes, &count);

    if (r < 0) {
        return r;
    }
    json_open_object(&request->json);
    json_add_text(&request->json, "version", CANHGAC_VERSION);
    json_add_array(&request->json, "settings");
    for (const struct setting *row = centre_rows; api->overlay.base != NULL && row->name != NULL;
         row++) {
        setting_put(api, row, setting_change(changes, count, row->name), &request->json);
    }
    json_close_array(&request->json);
    json_close_object(&request->json);
    return 0;
}
