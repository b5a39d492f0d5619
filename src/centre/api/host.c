/* Hosts and the overview as JSON. Neighbours: routes.def names the handlers, store/ gives the rows.
 */
#include "base/banned.h"
#include "base/err.h"
#include "centre/api/private.h"

#define COUNTS_LIFE     NS_PER_S
#define HOST_PAGE       50
#define OVERVIEW_ALERTS 20
#define OVERVIEW_SILENT 20
#define OVERVIEW_SCAN   STORE_PAGE_MAX
#define OVERVIEW_QUIET  20 /* newest alerts, one of which is the last that spoke */

int api_read_counts(struct api *api, struct store_counts *ret_counts)
{
    int64_t now = clock_mono(api->options.clock);

    if (api->counted == 0 || now - api->counted >= COUNTS_LIFE) {
        int r = store_counts(api->options.store, &api->counts);

        if (r < 0) {
            return r;
        }
        api->counted = now;
    }
    *ret_counts = api->counts;
    return 0;
}

bool api_host_is_silent(const struct api *api, const struct store_host *host)
{
    int64_t since = host->seen > host->enrolled ? host->seen : host->enrolled;

    return host->kind == STORE_HOST_AGENT && !host->is_revoked &&
           clock_wall(api->options.clock) - since > api->options.silent_after;
}

static const char *api_host_state(const struct api *api, const struct store_host *host)
{
    if (host->is_revoked) {
        return "revoked";
    }
    if (host->kind == STORE_HOST_SENDER) {
        return "sender";
    }
    if (api_host_is_silent(api, host)) {
        return "silent";
    }
    return host->is_connected ? "connected" : "away";
}

static void api_put_host(struct api_request *request, const struct store_host *host)
{
    struct json_writer *json = &request->json;

    json_open_object(json);
    api_put_id(json, "id", &host->id);
    json_add_str(json, "name", host->name);
    json_add_text(json, "state", api_host_state(request->api, host));
    api_put_time(json, "enrolled", host->enrolled);
    api_put_time(json, "seen", host->seen);
    json_add_i64(json, "clock_offset_ms", host->clock_offset / NS_PER_MS);
    json_add_u64(json, "acknowledged", host->acknowledged);
    json_add_u64(json, "open_alerts", host->open_alerts);
    json_put_key(json, "status");
    if (host->status.time != 0) {
        status_write_json(&host->status, json);
    } else {
        json_put_null(json);
    }
    json_close_object(json);
}

int api_host_list(struct api_request *request)
{
    size_t limit = (size_t)arguments_number(&request->arguments, "limit", HOST_PAGE);
    struct store_host *hosts;
    size_t count;
    int r =
        store_host_list(request->api->options.store, arguments_text(&request->arguments, "cursor"),
                        limit, request->arena, &hosts, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        api_put_host(request, &hosts[i]);
    }
    api_close_page_str(&request->json, count == limit ? hosts[count - 1].name : STR(""));
    return 0;
}

int api_host_get(struct api_request *request)
{
    struct store_host host;
    int r = store_host_get(request->api->options.store,
                           &arguments_get(&request->arguments, "id")->id, request->arena, &host);

    if (r == 0) {
        api_put_host(request, &host);
    }
    return r;
}

/* When something last spoke: the screen says "quiet since". */
static int overview_put_quiet(struct api_request *request)
{
    struct store_alert_filter filter = {
        .state = -1, .severity_least = -1, .is_drill = 0, .limit = OVERVIEW_QUIET};
    struct store_alert *alerts;
    size_t count;
    int64_t last = 0;
    int r = store_alert_list(request->api->options.store, &filter, request->arena, &alerts, &count);

    for (size_t i = 0; r == 0 && i < count; i++) {
        last = alerts[i].last > last ? alerts[i].last : last;
    }
    api_put_time(&request->json, "quiet_since", last);
    return r;
}

static void overview_put_counts(struct json_writer *json, const struct store_counts *counts)
{
    json_add_object(json, "counts");
    json_add_u64(json, "hosts", counts->hosts);
    json_add_u64(json, "hosts_silent", counts->hosts_silent);
    json_add_u64(json, "hosts_revoked", counts->hosts_revoked);
    json_add_u64(json, "senders", counts->senders);
    json_add_u64(json, "alerts_new", counts->alerts_new);
    json_add_u64(json, "alerts_taken", counts->alerts_taken);
    json_add_u64(json, "sites", counts->sites);
    json_add_u64(json, "sites_grave", counts->sites_grave);
    json_add_u64(json, "events", counts->events);
    json_add_u64(json, "findings", counts->findings);
    json_add_u64(json, "duplicates", counts->duplicates);
    json_add_u64(json, "dropped", counts->dropped);
    json_add_u64(json, "sources", counts->sources);
    json_add_u64(json, "sources_silent", counts->sources_silent);
    json_close_object(json);
}

static int overview_put_alerts(struct api_request *request)
{
    struct store_alert_filter filter = {
        .state = -2, .severity_least = -1, .is_drill = -1, .limit = OVERVIEW_ALERTS};
    struct store_alert *alerts;
    size_t count;
    int r = store_alert_list(request->api->options.store, &filter, request->arena, &alerts, &count);

    json_add_array(&request->json, "alerts");
    for (size_t i = 0; r == 0 && i < count; i++) {
        api_put_alert(&request->json, &alerts[i], request->arena);
    }
    json_close_array(&request->json);
    return r;
}

/* The first silent hosts by name; the count says how many there are in all. */
static int overview_put_silent(struct api_request *request)
{
    struct str after = STR("");
    size_t count = OVERVIEW_SCAN;
    unsigned found = 0;
    int r = 0;

    json_add_array(&request->json, "silent");
    while (r == 0 && count == OVERVIEW_SCAN && found < OVERVIEW_SILENT) {
        struct store_host *hosts;

        r = store_host_list(request->api->options.store, after, OVERVIEW_SCAN, request->arena,
                            &hosts, &count);
        for (size_t i = 0; r == 0 && i < count && found < OVERVIEW_SILENT; i++) {
            if (api_host_is_silent(request->api, &hosts[i])) {
                api_put_host(request, &hosts[i]);
                found++;
            }
            after = hosts[i].name;
        }
    }
    json_close_array(&request->json);
    return r;
}

int api_overview(struct api_request *request)
{
    struct store_counts counts;
    struct json_writer *json = &request->json;
    int r = api_read_counts(request->api, &counts);

    if (r < 0) {
        return r;
    }
    json_open_object(json);
    api_put_time(json, "now", clock_wall(request->api->options.clock));
    json_add_bool(json, "is_disk_full", request->api->is_full);
    overview_put_counts(json, &counts);
    r = overview_put_quiet(request);
    if (r == 0) {
        r = overview_put_alerts(request);
    }
    if (r == 0 && counts.hosts_silent != 0) {
        r = overview_put_silent(request);
    } else if (r == 0) {
        json_add_array(json, "silent");
        json_close_array(json);
    }
    json_close_object(json);
    return r;
}
