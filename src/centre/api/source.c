/* Sources of logs as JSON: of a host, and all of them, the longest silent first. Neighbours:
 * routes.def names the handlers, store/logsources.h gives the rows, core/source.c wrote them. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/api/private.h"
#include "store/logsources.h"

#define SOURCE_PAGE 50

/* Entries in each hour of the last week, the present one last. */
static void source_put_series(struct json_writer *json, struct tally *tally, int64_t now)
{
    tally_turn(tally, now);
    json_add_array(json, "series");
    for (size_t i = 0; i < TALLY_COUNT && tally->last != 0; i++) {
        json_put_u64(json, tally->counts[i]);
    }
    json_close_array(json);
}

static void source_put_counts(struct json_writer *json, const struct store_logsource *source)
{
    json_add_u64(json, "entries", source->entries);
    json_add_u64(json, "bytes", source->bytes);
    json_add_u64(json, "judged", source->entries - source->unjudged);
    json_add_u64(json, "unjudged", source->unjudged);
    json_add_u64(json, "matched", source->matched);
    json_add_u64(json, "unmatched", source->entries - source->unjudged - source->matched);
    json_add_u64(json, "faulty", source->faulty);
    json_add_u64(json, "dropped", source->dropped);
}

static void source_put_row(struct api_request *request, struct store_logsource_row *row)
{
    struct json_writer *json = &request->json;
    struct store_logsource *source = &row->source;

    json_open_object(json);
    json_add_u64(json, "number", source->number);
    api_put_id(json, "host", &source->host);
    json_add_str(json, "host_name", row->host_name);
    json_add_str(json, "name", source->name);
    json_add_str(json, "format", source->format);
    json_add_text(json, "state", logsource_state_name(logsource_state_of(source)));
    json_add_u64(json, "alert", source->alert);
    api_put_time(json, "first", source->first);
    api_put_time(json, "last", source->last);
    json_add_i64(json, "gap", source->gap / NS_PER_S);
    source_put_counts(json, source);
    source_put_series(json, &source->tally, clock_wall(request->api->options.clock));
    api_put_time(json, "muted", source->muted);
    json_add_str(json, "muted_by", source->muted_by);
    json_add_str(json, "muted_why", source->muted_why);
    json_close_object(json);
}

static int source_put_list(struct api_request *request, const struct store_logsource_filter *filter)
{
    struct json_writer *json = &request->json;
    struct store_logsource_row *rows;
    char cursor[LOGSOURCE_CURSOR_SIZE] = "";
    size_t count;
    int r =
        store_logsource_list(request->api->options.store, filter, request->arena, &rows, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(json);
    for (size_t i = 0; i < count; i++) {
        source_put_row(request, &rows[i]);
    }
    if (count == filter->limit) {
        logsource_cursor(&rows[count - 1], cursor);
    }
    api_close_page_str(json, str_from(cursor));
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

/* entries = matched + unmatched + unjudged + waiting; received, by all ways without an agent, is
 * committed, refused, sent again after it was committed, lost with its receiver or under way. */
int api_source_account(struct api_request *request)
{
    const struct detector_counts *logs = &request->api->logs;
    const struct core_receive_counts *received = &request->api->received;
    struct json_writer *json = &request->json;
    uint64_t known = received->taken + received->refused + received->again;
    struct store_counts counts;
    uint64_t came = 0;
    int r = api_read_counts(request->api, &counts);

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < RECEIVER_WAY_COUNT; i++) {
        came += received->receiver.of[RECEIVER_COUNT_RECEIVED + i];
    }
    if (came < known) { /* the receiver tells its counts later */
        came = known;
    }
    json_open_object(json);
    json_add_u64(json, "received", came);
    json_add_u64(json, "committed", received->taken);
    json_add_u64(json, "refused", received->refused);
    json_add_u64(json, "again", received->again);
    json_add_u64(json, "datagrams_dropped", received->receiver.of[RECEIVER_COUNT_DROPPED]);
    json_add_u64(json, "dropped", counts.dropped);
    json_add_u64(json, "entries", logs->entries);
    json_add_u64(json, "matched", logs->matched);
    json_add_u64(json, "unmatched", detector_unmatched(logs));
    json_add_u64(json, "unjudged", logs->unjudged);
    json_add_u64(json, "waiting", logs->entries - logs->judged - logs->unjudged);
    json_close_object(json);
    return 0;
}
