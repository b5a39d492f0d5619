/* What machines ask: counters in Prometheus text form (version 0.0.4), and whether the centre
 * works. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/api/private.h"

#define HEALTH_LATE (15 * NS_PER_S) /* core is asked every five seconds */

static void metric_put(struct buf *out, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    buf_putf(out, "# HELP canhgac_%s %s\n# TYPE canhgac_%s %s\ncanhgac_%s %llu\n", name, help, name,
             type, name, (unsigned long long)value);
}

static void metrics_put_store(struct buf *out, const struct store_counts *counts)
{
    metric_put(out, "hosts", "gauge", "Enrolled hosts", counts->hosts);
    metric_put(out, "hosts_silent", "gauge", "Hosts without a word for too long",
               counts->hosts_silent);
    metric_put(out, "hosts_revoked", "gauge", "Hosts that were cut off", counts->hosts_revoked);
    metric_put(out, "senders", "gauge", "Hosts that send logs without an agent", counts->senders);
    metric_put(out, "alerts_new", "gauge", "Open alerts that nobody has taken", counts->alerts_new);
    metric_put(out, "alerts_taken", "gauge", "Open alerts that somebody has taken",
               counts->alerts_taken);
    metric_put(out, "events_total", "counter", "Events committed", counts->events);
    metric_put(out, "findings_total", "counter", "Findings committed", counts->findings);
    metric_put(out, "duplicates_total", "counter", "Records that came again", counts->duplicates);
    metric_put(out, "dropped_total", "counter", "Events that agents could not keep",
               counts->dropped);
    metric_put(out, "log_sources", "gauge", "Sources of logs", counts->sources);
    metric_put(out, "log_sources_silent", "gauge", "Of them silent for longer than usual",
               counts->sources_silent);
}

static void metrics_put_api(struct buf *out, const struct api *api)
{
    buf_put_text(out, "# HELP canhgac_http_requests_total Answers by class of status\n"
                      "# TYPE canhgac_http_requests_total counter\n");
    for (size_t i = 2; i < sizeof(api->counters.requests) / sizeof(api->counters.requests[0]);
         i++) {
        buf_putf(out, "canhgac_http_requests_total{status=\"%zuxx\"} %llu\n", i,
                 (unsigned long long)api->counters.requests[i]);
    }
    metric_put(out, "core_asks_total", "counter", "Questions to core", api->counters.asks);
    metric_put(out, "core_asks_late_total", "counter", "Questions that core did not answer in time",
               api->counters.late_asks);
    metric_put(out, "streams", "gauge", "Browsers that listen", api->hub.count);
    metric_put(out, "stream_messages_total", "counter", "Messages sent to them",
               api->counters.stream_messages);
    metric_put(out, "disk_full", "gauge", "Whether the centre's disk is full",
               api->is_full ? 1 : 0);
}

/* entries = judged + unjudged + those under way; judged = matched + unmatched. */
static void metrics_put_logs(struct buf *out, const struct detector_counts *logs)
{
    metric_put(out, "log_entries_total", "counter", "Entries of logs handed to the rules",
               logs->entries);
    metric_put(out, "log_entries_judged_total", "counter", "Of them judged", logs->judged);
    metric_put(out, "log_entries_faulty_total", "counter", "Of those judged, not well formed",
               logs->faulty);
    metric_put(out, "log_entries_unjudged_total", "counter",
               "Of them put aside: the detector did not answer", logs->unjudged);
    metric_put(out, "log_entries_matched_total", "counter",
               "Of those judged, entries that a rule or correlation held for", logs->matched);
    metric_put(out, "log_entries_unmatched_total", "counter", "Of those judged, the others",
               detector_unmatched(logs));
    metric_put(out, "log_hits_total", "counter", "Rules and correlations that held", logs->hits);
}

/* received = taken + refused + again + kept + what died with a receiver. */
static void metrics_put_received(struct buf *out, const struct core_receive_counts *received)
{
    static const char *const ways[RECEIVER_WAY_COUNT] = {[RECEIVER_WAY_UDP] = "udp",
                                                         [RECEIVER_WAY_TCP] = "tcp",
                                                         [RECEIVER_WAY_TLS] = "tls",
                                                         [RECEIVER_WAY_POST] = "post"};
    static const struct {
        enum receiver_count count;
        const char *name;
        const char *help;
    } rows[] = {
        {RECEIVER_COUNT_CUT, "received_cut_total", "Of them cut: longer than 60 KiB"},
        {RECEIVER_COUNT_DROPPED, "received_datagrams_dropped_total",
         "Datagrams that found no room, in the kernel or here"},
        {RECEIVER_COUNT_WAITED, "received_datagrams_waited_total",
         "Datagrams that waited on the disk for room"},
        {RECEIVER_COUNT_REPEATED, "received_repeated_total",
         "Entries posted again and passed over: they had been taken, and the post not answered"},
        {RECEIVER_COUNT_REFUSED, "received_connections_refused_total",
         "Connections of senders over a limit"},
        {RECEIVER_COUNT_YIELDED, "received_connections_yielded_total",
         "Connections closed, all being taken, for senders that have fewer"},
        {RECEIVER_COUNT_STREAMS, "received_connections", "Connections of senders now"},
        {RECEIVER_COUNT_KEPT, "received_kept_bytes", "Received, in memory, not committed yet"},
        {RECEIVER_COUNT_KEPT_FILE, "received_kept_file_bytes", "Datagrams that wait on the disk"},
    };

    buf_put_text(out, "# HELP canhgac_received_total Entries of logs that came without an agent\n"
                      "# TYPE canhgac_received_total counter\n");
    for (size_t i = 0; i < RECEIVER_WAY_COUNT; i++) {
        buf_putf(out, "canhgac_received_total{by=\"%s\"} %llu\n", ways[i],
                 (unsigned long long)received->receiver.of[RECEIVER_COUNT_RECEIVED + i]);
    }
    metric_put(out, "received_committed_total", "counter", "Of them committed", received->taken);
    metric_put(out, "received_refused_total", "counter", "Of them that the store would not take",
               received->refused);
    metric_put(out, "received_again_total", "counter",
               "Lines of streams sent again and passed over: a receiver that died had taken them",
               received->again);
    metric_put(out, "received_unnamed_total", "counter",
               "Of them counted as their address's: too many names", received->merged);
    metric_put(out, "received_names_lapsed_total", "counter",
               "Names of senders, not heard any more, that gave their place up", received->lapsed);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        metric_put(out, rows[i].name, rows[i].count < RECEIVER_COUNT_NOW ? "counter" : "gauge",
                   rows[i].help, received->receiver.of[rows[i].count]);
    }
}

int api_metrics(struct api_request *request)
{
    struct store_counts counts;
    int r = api_read_counts(request->api, &counts);

    if (r < 0) {
        return r;
    }
    request->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_put_store(&request->out, &counts);
    metrics_put_api(&request->out, request->api);
    metrics_put_logs(&request->out, &request->api->logs);
    metrics_put_received(&request->out, &request->api->received);
    return 0;
}

/* Works means: the store can be read, core has answered lately, and there is room on its disk. */
int api_healthz(struct api_request *request)
{
    struct api *api = request->api;
    struct store_counts counts;
    bool is_store = api_read_counts(api, &counts) == 0;
    bool is_core =
        api->core_heard != 0 && clock_mono(api->options.clock) - api->core_heard < HEALTH_LATE;

    request->status =
        is_store && is_core && !api->is_full ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    json_open_object(&request->json);
    json_add_text(&request->json, "store", is_store ? "ok" : "cannot be read");
    json_add_text(&request->json, "core", is_core ? "ok" : "does not answer");
    json_add_text(&request->json, "disk", api->is_full ? "full" : "ok");
    json_put_key(&request->json, "pictures"); /* the watch does without: no part of the status */
    json_put_text(&request->json,
                  api->options.settings != NULL && api->options.settings->has_browser
                      ? "ok"
                      : "no browser is installed");
    json_close_object(&request->json);
    return 0;
}
