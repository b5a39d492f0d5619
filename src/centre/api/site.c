/* Watched sites as JSON: lists, one with its pages, and what has changed with the page's text
 * before and after. A page's words leave here as text inside JSON and in no other form. Neighbours:
 * routes.def names the handlers, store/ gives the rows. */
#include "model/site.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/api/private.h"
#include "model/passage.h"

#define SITE_PAGE   50
#define CHANGE_PAGE 50
#define VERDICT_ALL (-1)

static const char *const site_state_names[SITE_STATE_COUNT] = {
    [SITE_STATE_WATCHED] = "watched",
    [SITE_STATE_PAUSED] = "paused",
    [SITE_STATE_DROPPED] = "dropped",
};
static const char *const decision_names[CHANGE_DECISION_COUNT] = {
    [CHANGE_DECISION_NONE] = "none",
    [CHANGE_DECISION_HELD] = "held",
    [CHANGE_DECISION_OURS] = "ours",
    [CHANGE_DECISION_INCIDENT] = "incident",
};

static void site_put_views(struct json_writer *json, uint32_t views)
{
    json_add_array(json, "views");
    for (int i = 0; i < SITE_VIEW_COUNT; i++) {
        if (views == 0 || (views & 1U << i) != 0) {
            json_put_text(json, site_view_name((enum site_view)i));
        }
    }
    json_close_array(json);
}

/* Milliseconds; null: nothing was asked then, -1: it did not answer. */
static void site_put_series(struct json_writer *json, const struct series *series)
{
    api_put_time(json, "series_end", series->last == 0 ? 0 : (series->last + 1) * SERIES_SPAN_NS);
    json_add_array(json, "series");
    for (size_t i = 0; i < SERIES_COUNT && series->last != 0; i++) {
        if (series->ms[i] == SERIES_NONE) {
            json_put_null(json);
        } else {
            json_put_i64(json, series->ms[i] == SERIES_FAILED ? -1 : series->ms[i]);
        }
    }
    json_close_array(json);
}

static void site_put_said(struct json_writer *json, const struct store_site *site)
{
    json_add_u64(json, "number", site->number);
    json_add_str(json, "name", site->name);
    json_add_str(json, "url", site->url);
    json_add_str(json, "unit", site->unit);
    json_add_text(json, "service", site_service_name(site->service));
    json_add_str(json, "permission", site->permission);
    json_add_str(json, "permitted_by", site->permitted_by);
    api_put_time(json, "permitted", site->permitted);
    json_add_i64(json, "interval", site->interval / NS_PER_S);
    site_put_views(json, site->views);
    json_add_text(json, "state", site_state_names[site->state]);
    api_put_time(json, "created", site->created);
}

static void site_put_seen(struct json_writer *json, const struct store_site *site)
{
    json_add_text(json, "verdict", site_verdict_name(site->verdict));
    json_add_text(json, "failure", site_failure_name(site->failure));
    json_add_text(
        json, "failure_text",
        site->failure == SITE_FAILURE_NONE ? "" : text_get(site_failure_sentence(site->failure)));
    api_put_time(json, "since", site->since);
    api_put_time(json, "checked", site->checked);
    api_put_time(json, "changed", site->changed);
    api_put_time(json, "certificate_end", site->certificate_end);
    json_add_u64(json, "open_alerts", site->open_alerts);
    site_put_series(json, &site->series);
}

static int site_verdict_of(struct str name)
{
    for (int i = 0; i < SITE_VERDICT_COUNT; i++) {
        if (str_is_text(name, site_verdict_name((enum site_verdict)i))) {
            return i;
        }
    }
    return VERDICT_ALL;
}

int api_site_list(struct api_request *request)
{
    const struct arguments *arguments = &request->arguments;
    enum site_service service;
    struct store_site_filter filter = {
        .unit = arguments_text(arguments, "unit"),
        .service =
            site_service_parse(arguments_text(arguments, "service"), &service) ? (int)service : -1,
        .verdict = site_verdict_of(arguments_text(arguments, "verdict")),
        .is_grave = str_is_text(arguments_text(arguments, "verdict"), "grave"),
        .words = arguments_text(arguments, "q"),
        .after = (uint64_t)arguments_number(arguments, "cursor", 0),
        .limit = (size_t)arguments_number(arguments, "limit", SITE_PAGE),
    };
    struct store_site *sites;
    size_t count;
    int r = store_site_list(request->api->options.store, &filter, request->arena, &sites, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&request->json);
        site_put_said(&request->json, &sites[i]);
        site_put_seen(&request->json, &sites[i]);
        json_close_object(&request->json);
    }
    api_close_page(&request->json, count == filter.limit ? sites[count - 1].place : 0);
    return 0;
}

int api_unit_list(struct api_request *request)
{
    struct json_writer *json = &request->json;
    struct store_unit *units;
    size_t count;
    int r = store_unit_list(request->api->options.store, request->arena, &units, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json);
        json_add_str(json, "name", units[i].name);
        json_add_u64(json, "sites", units[i].sites);
        for (int verdict = 0; verdict < SITE_VERDICT_COUNT; verdict++) {
            json_add_u64(json, site_verdict_name((enum site_verdict)verdict),
                         units[i].verdicts[verdict]);
        }
        json_add_u64(json, "unreachable", units[i].unreachable);
        json_add_u64(json, "unseen", units[i].unseen);
        json_close_object(json);
    }
    api_close_items(json);
    return 0;
}

/* A check that this build cannot read is shown as what it is, not left out. */
static void site_put_check(struct api_request *request, struct str body)
{
    struct cbor_reader reader;
    struct site_check check;

    json_put_key(&request->json, "check");
    cbor_open(&reader, body);
    if (site_check_decode(&reader, request->arena, &check) == 0) {
        site_check_write_json(&check, &request->json);
    } else {
        json_put_null(&request->json);
    }
}

static int site_put_windows(struct api_request *request, uint64_t site)
{
    struct json_writer *json = &request->json;
    int64_t now = clock_wall(request->api->options.clock);
    struct store_window *windows;
    size_t count = 0;
    int r = store_window_list(request->api->options.store, site, request->arena, &windows, &count);

    json_add_array(json, "windows");
    for (size_t i = 0; r == 0 && i < count; i++) {
        json_open_object(json);
        json_add_u64(json, "number", windows[i].number);
        api_put_time(json, "begins", windows[i].begins);
        api_put_time(json, "ends", windows[i].ends);
        json_add_str(json, "actor", windows[i].actor);
        json_add_str(json, "reason", windows[i].reason);
        json_add_bool(json, "open", windows[i].begins <= now && now < windows[i].ends);
        json_close_object(json);
    }
    json_close_array(json);
    return r;
}

static int site_put_looks(struct api_request *request, uint64_t site)
{
    struct json_writer *json = &request->json;
    struct store_look *looks;
    size_t count = 0;
    int r = store_look_list(request->api->options.store, site, request->arena, &looks, &count);

    json_add_array(json, "looks");
    for (size_t i = 0; r == 0 && i < count; i++) {
        json_open_object(json);
        json_add_str(json, "url", looks[i].url);
        json_add_text(json, "page", site_page_name(looks[i].kind));
        api_put_time(json, "since", looks[i].since);
        json_add_u64(json, "failures", looks[i].failures);
        json_add_u64(json, "change", looks[i].change);
        site_put_check(request, looks[i].body);
        json_close_object(json);
    }
    json_close_array(json);
    return r;
}

static int site_read(struct api_request *request, struct store_site *ret_site)
{
    int r = store_site_get(request->api->options.store,
                           (uint64_t)arguments_number(&request->arguments, "number", 0),
                           request->arena, ret_site);

    return r == 0 && ret_site->state == SITE_STATE_DROPPED ? -ERR_NOENT : r;
}

int api_site_get(struct api_request *request)
{
    struct store_site site;
    int r = site_read(request, &site);

    if (r < 0) {
        return r;
    }
    json_open_object(&request->json);
    site_put_said(&request->json, &site);
    site_put_seen(&request->json, &site);
    r = site_put_windows(request, site.number);
    r = r < 0 ? r : site_put_looks(request, site.number);
    json_close_object(&request->json);
    return r;
}

static void change_put(struct api_request *request, const struct store_change *change)
{
    struct json_writer *json = &request->json;

    json_add_u64(json, "number", change->number);
    json_add_u64(json, "site", change->site);
    json_add_str(json, "url", change->url);
    api_put_time(json, "time", change->time);
    json_add_text(json, "verdict", site_verdict_name(change->verdict));
    site_put_check(request, change->body);
    json_add_u64(json, "alert", change->alert);
    json_add_text(json, "decision", decision_names[change->decision]);
    api_put_time(json, "decided", change->decided);
    json_add_str(json, "decided_by", change->decided_by);
    json_add_str(json, "decided_why", change->decided_why);
    json_add_bool(json, "has_before", change->has_before);
    json_add_bool(json, "has_after", change->has_after);
}

int api_change_list(struct api_request *request)
{
    const struct arguments *arguments = &request->arguments;
    size_t limit = (size_t)arguments_number(arguments, "limit", CHANGE_PAGE);
    struct store_change_filter filter;
    struct store_site site;
    struct store_change *changes;
    size_t count = 0;
    int r = site_read(request, &site);

    filter = (struct store_change_filter){
        .site = r == 0 ? site.number : 0,
        .before = (uint64_t)arguments_number(arguments, "cursor", 0),
        .limit = limit,
    };
    r = r < 0 ? r
              : store_change_list(request->api->options.store, &filter, request->arena, &changes,
                                  &count);
    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&request->json);
        change_put(request, &changes[i]);
        json_close_object(&request->json);
    }
    api_close_page(&request->json, count == limit ? changes[count - 1].number : 0);
    return 0;
}

/* What was kept may have been dropped since, or not be readable: an empty list then. */
static int change_put_text(struct api_request *request, const char *key, bool has,
                           const uint8_t hash[32])
{
    struct json_writer *json = &request->json;
    struct passage *passages = NULL;
    struct str bytes;
    size_t count = 0;
    int r = has ? store_evidence_get(request->api->options.store, hash, request->arena, &bytes)
                : -ERR_NOENT;

    if (r == 0) {
        r = passages_decode(bytes, request->arena, &passages, &count);
    }
    json_add_array(json, key);
    for (size_t i = 0; r == 0 && i < count; i++) {
        json_open_object(json);
        json_add_str(json, "text", passages[i].text);
        json_add_u64(json, "offset", passages[i].offset);
        json_add_bool(json, "hidden", passages[i].hiding != 0);
        json_add_bool(json, "link", passages[i].is_link);
        json_close_object(json);
    }
    json_close_array(json);
    return r == -ERR_NOMEM ? r : 0;
}

int api_change_get(struct api_request *request)
{
    struct store_site site;
    struct store_change change;
    int r = site_read(request, &site);

    r = r < 0 ? r
              : store_change_get(request->api->options.store,
                                 (uint64_t)arguments_number(&request->arguments, "change", 0),
                                 request->arena, &change);
    if (r < 0 || change.site != site.number) {
        return r < 0 ? r : -ERR_NOENT;
    }
    json_open_object(&request->json);
    change_put(request, &change);
    r = change_put_text(request, "before", change.has_before, change.before);
    r = r < 0 ? r : change_put_text(request, "after", change.has_after, change.after);
    json_close_object(&request->json);
    return r;
}
