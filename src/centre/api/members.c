/* What the answers share: times, ids, and the two ends of a list. */
#include "base/banned.h"
#include "centre/api/private.h"

void api_put_time(struct json_writer *json, const char *key, int64_t wall)
{
    char text[TIME_TEXT_SIZE];

    json_put_key(json, key);
    if (wall == 0) {
        json_put_null(json);
        return;
    }
    time_format_utc(wall, text);
    json_put_text(json, text);
}

void api_put_id(struct json_writer *json, const char *key, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    json_put_key(json, key);
    if (id_is_none(id)) {
        json_put_null(json);
        return;
    }
    id_format(id, text);
    json_put_text(json, text);
}

void api_open_items(struct json_writer *json)
{
    json_open_object(json);
    json_add_array(json, "items");
}

void api_close_items(struct json_writer *json)
{
    json_close_array(json);
    json_close_object(json);
}

void api_close_page(struct json_writer *json, uint64_t next)
{
    json_close_array(json);
    json_put_key(json, "next");
    if (next != 0) {
        json_put_u64(json, next);
    } else {
        json_put_null(json);
    }
    json_close_object(json);
}

void api_close_page_str(struct json_writer *json, struct str next)
{
    json_close_array(json);
    json_put_key(json, "next");
    if (next.len != 0) {
        json_put_str(json, next);
    } else {
        json_put_null(json);
    }
    json_close_object(json);
}
