/* Sources of logs as JSON: of a host, and all of them, the longest silent first. Neighbours:
 * routes.def names the handlers, store/logsources.h gives the rows, core/source.c wrote them. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/api/private.h"
#include "store/logsources.h"

#define SOURCE_PAGE 50

static void source_put(struct json_writer *json, const char *key, struct str value)
{
    json_put_key(json, key);
    json_put_str(json, value);
}

static void source_put_number(struct json_writer *json, const char *key, uint64_t value)
{
    json_put_key(json, key);
    json_put_u64(json, value);
}

/* Entries in each hour of the last week, the present one last. */
static void source_put_series(struct json_writer *json, struct tally *tally, int64_t now)
{
    tally_turn(tally, now);
    json_put_key(json, "series");
    json_open_array(json);
    for (size_t i = 0; i < TALLY_COUNT && tally->last != 0; i++) {
        json_put_u64(json, tally->counts[i]);
    }
    json_close_array(json);
}

static void source_put_counts(struct json_writer *json, const struct store_logsource *source)
{
    source_put_number(json, "entries", source->entries);
    source_put_number(json, "bytes", source->bytes);
    source_put_number(json, "judged", source->entries - source->unjudged);
    source_put_number(json, "unjudged", source->unjudged);
    source_put_number(json, "matched", source->matched);
    source_put_number(json, "unmatched", source->entries - source->unjudged - source->matched);
    source_put_number(json, "faulty", source->faulty);
    source_put_number(json, "dropped", source->dropped);
}

static void source_put_row(struct api_request *request, struct store_logsource_row *row)
{
    struct json_writer *json = &request->json;
    struct store_logsource *source = &row->source;

    json_open_object(json);
    source_put_number(json, "number", source->number);
    api_put_id(json, "host", &source->host);
    source_put(json, "host_name", row->host_name);
    source_put(json, "name", source->name);
    source_put(json, "format", source->format);
    json_put_key(json, "state");
    json_put_text(json, logsource_state_name(logsource_state_of(source)));
    source_put_number(json, "alert", source->alert);
    api_put_time(json, "first", source->first);
    api_put_time(json, "last", source->last);
    json_put_key(json, "gap");
    json_put_i64(json, source->gap / NS_PER_S);
    source_put_counts(json, source);
    source_put_series(json, &source->tally, clock_wall(request->api->options.clock));
    api_put_time(json, "muted", source->muted);
    source_put(json, "muted_by", source->muted_by);
    source_put(json, "muted_why", source->muted_why);
    json_close_object(json);
}

static int source_put_list(struct api_request *request, const struct store_logsource_filter *filter)
{
    struct json_writer *json = &request->json;
    struct store_logsource_row *rows;
    char cursor[LOGSOURCE_CURSOR_SIZE];
    size_t count;
    int r =
        store_logsource_list(request->api->options.store, filter, request->arena, &rows, &count);

    if (r < 0) {
        return r;
    }
    json_open_object(json);
    json_put_key(json, "items");
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        source_put_row(request, &rows[i]);
    }
    json_close_array(json);
    json_put_key(json, "next");
    if (count == filter->limit) {
        logsource_cursor(&rows[count - 1], cursor);
        json_put_text(json, cursor);
    } else {
        json_put_null(json);
    }
    json_close_object(json);
    return 0;
}

static int source_state_of(struct str name)
{
    for (int i = 0; i < LOGSOURCE_STATE_COUNT; i++) {
        if (str_is_text(name, logsource_state_name((enum logsource_state)i))) {
            return i;
        }
    }
    return -1;
}

int api_source_list(struct api_request *request)
{
    const struct arguments *arguments = &request->arguments;
    const struct store_logsource_filter filter = {
        .state = source_state_of(arguments_text(arguments, "state")),
        .words = arguments_text(arguments, "q"),
        .after = arguments_text(arguments, "cursor"),
        .limit = (size_t)arguments_number(arguments, "limit", SOURCE_PAGE),
    };

    return source_put_list(request, &filter);
}

/* All of them: core keeps few of one host. */
int api_source_host(struct api_request *request)
{
    const struct store_logsource_filter filter = {
        .host = &arguments_get(&request->arguments, "id")->id,
        .state = -1,
        .limit = STORE_PAGE_MAX,
    };

    return source_put_list(request, &filter);
}
