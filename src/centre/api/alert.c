/* Alerts and actions as JSON. Neighbours: routes.def names the handlers, store/ gives the rows,
 * api/stream.c sends the same objects as they change. */
#include "base/banned.h"
#include "base/err.h"
#include "base/utf8.h"
#include "centre/api/private.h"

#define ALERT_PAGE     50
#define ALERT_FINDINGS 50 /* on one sheet, the newest */
#define WORDS_MAX      512

static const char *const alert_state_names[ALERT_STATE_COUNT] = {
    [ALERT_STATE_NEW] = "new", [ALERT_STATE_TAKEN] = "taken", [ALERT_STATE_CLOSED] = "closed"};
static const char *const action_state_names[ACTION_STATE_COUNT] = {
    [ACTION_STATE_WAITING] = "waiting", [ACTION_STATE_SENT] = "sent",
    [ACTION_STATE_DONE] = "done",       [ACTION_STATE_FAILED] = "failed",
    [ACTION_STATE_EXPIRED] = "expired", [ACTION_STATE_CANCELED] = "canceled",
};

static void api_put_sentence(struct json_writer *json, const char *key, struct str sentence,
                             struct arena *arena)
{
    struct str copy = arena_copy(arena, sentence);

    json_add_text(json, key, copy.ptr != NULL ? text_get(copy.ptr) : NULL);
}

/* How it stands and what was done, out of the last finding: lists tell it without a second
 * question. The topic is how it began, which is what searching and folding go by. */
static void api_put_last(struct json_writer *json, const struct store_alert *alert,
                         struct arena *arena)
{
    struct finding finding = {0};
    struct cbor_reader reader;

    cbor_open(&reader, alert->body);
    (void)!finding_decode(&reader, arena, &finding); /* unreadable: all zero, as nothing done */
    api_put_sentence(json, "title", finding.title.len != 0 ? finding.title : alert->title, arena);
    api_put_sentence(json, "topic", alert->title, arena);
    json_add_text(json, "action", finding_action_name(finding.action));
    json_add_u64(json, "files_total", finding.files_total);
    json_add_u64(json, "files_restored", finding.files_restored);
    json_add_str(json, "subject", finding.subject);
    json_add_u64(json, "change", finding.change);
}

static void api_put_alert_members(struct json_writer *json, const struct store_alert *alert,
                                  struct arena *arena)
{
    json_add_u64(json, "number", alert->number);
    json_add_u64(json, "site", alert->site);
    api_put_last(json, alert, arena);
    json_add_text(json, "severity", severity_name(alert->severity));
    json_add_text(json, "state", alert_state_names[alert->state]);
    json_add_bool(json, "drill", alert->is_drill);
    api_put_id(json, "finding", &alert->finding);
    api_put_id(json, "host", &alert->host);
    json_add_str(json, "host_name", alert->host_name);
    json_add_str(json, "detector", alert->detector);
    api_put_time(json, "first", alert->first);
    api_put_time(json, "last", alert->last);
    json_add_u64(json, "count", alert->count);
    json_add_str(json, "taken_by", alert->taken_by);
    json_add_str(json, "close_reason", alert->close_reason);
    json_add_u64(json, "changed", alert->changed);
}

void api_put_alert(struct json_writer *json, const struct store_alert *alert, struct arena *arena)
{
    json_open_object(json);
    api_put_alert_members(json, alert, arena);
    json_close_object(json);
}

static int alert_filter_state(struct str state)
{
    if (str_is_text(state, "all")) {
        return -1;
    }
    for (int i = 0; i < ALERT_STATE_COUNT; i++) {
        if (str_is_text(state, alert_state_names[i])) {
            return i;
        }
    }
    return -2;
}

static int alert_filter_drill(struct str drill)
{
    if (str_is_text(drill, "all")) {
        return -1;
    }
    return str_is_text(drill, "yes") ? 1 : 0;
}

int api_alert_list(struct api_request *request)
{
    const struct arguments *arguments = &request->arguments;
    const struct argument_value *host = arguments_get(arguments, "host");
    enum severity severity;
    char words[WORDS_MAX];
    struct store_alert_filter filter = {
        .state = alert_filter_state(arguments_text(arguments, "state")),
        .severity_least =
            severity_parse(arguments_text(arguments, "severity"), &severity) ? (int)severity : -1,
        .is_drill = alert_filter_drill(arguments_text(arguments, "drill")),
        .host = host->is_given ? &host->id : NULL,
        .site = (uint64_t)arguments_number(arguments, "site", 0),
        .before = (uint64_t)arguments_number(arguments, "cursor", 0),
        .limit = (size_t)arguments_number(arguments, "limit", ALERT_PAGE),
    };
    size_t words_len = utf8_fold(str_trim(arguments_text(arguments, "q")), words, sizeof(words));
    struct store_alert *alerts;
    size_t count;
    int r;

    filter.words = str_of(words, words_len < sizeof(words) ? words_len : sizeof(words) - 1);
    r = store_alert_list(request->api->options.store, &filter, request->arena, &alerts, &count);
    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        api_put_alert(&request->json, &alerts[i], request->arena);
    }
    api_close_page(&request->json, count == filter.limit ? alerts[count - 1].number : 0);
    return 0;
}

static int api_read_alert(struct api_request *request, struct store_alert *ret_alert)
{
    return store_alert_get(request->api->options.store,
                           (uint64_t)arguments_number(&request->arguments, "number", 0),
                           request->arena, ret_alert);
}

int api_alert_after(struct api_request *request)
{
    struct store_alert alert;
    int r = api_read_alert(request, &alert);

    if (r == 0) {
        api_put_alert(&request->json, &alert, request->arena);
    }
    return r;
}

/* A finding that this build cannot read is shown as what it is, not left out. */
static void api_put_finding(struct api_request *request, struct str body)
{
    struct cbor_reader reader;
    struct finding finding;

    cbor_open(&reader, body);
    if (finding_decode(&reader, request->arena, &finding) == 0) {
        finding_write_json(&finding, &request->json);
    } else {
        json_put_null(&request->json);
    }
}

int api_alert_get(struct api_request *request)
{
    struct store_alert alert;
    struct store_finding *findings;
    size_t count = 0;
    int r = api_read_alert(request, &alert);

    if (r == 0) {
        r = store_alert_findings(request->api->options.store, alert.number, ALERT_FINDINGS,
                                 request->arena, &findings, &count);
    }
    if (r < 0) {
        return r;
    }
    json_open_object(&request->json);
    api_put_alert_members(&request->json, &alert, request->arena);
    json_add_array(&request->json, "findings");
    for (size_t i = 0; i < count; i++) {
        api_put_finding(request, findings[i].body);
    }
    json_close_array(&request->json);
    json_close_object(&request->json);
    return 0;
}

/* NULL: not answered yet. */
static const char *api_action_result(const struct store_action *action)
{
    if (action->answer.time == 0) {
        return NULL;
    }
    return action->answer.result == 0 ? "OK" : err_name(action->answer.result);
}

/* What agents say when they could not. */
static const char *const api_action_details[] = {
    N_("it came too late"),
    N_("it came after its time"),
    N_("no such finding is open here"),
    N_("not in the present state of the finding"),
    N_("the sensor does not listen"),
    N_("the supervisor does not listen"),
};

static void api_put_detail(struct json_writer *json, struct str detail)
{
    json_put_key(json, "detail");
    for (size_t i = 0; i < ARRAY_LEN(api_action_details); i++) {
        if (str_is_text(detail, api_action_details[i])) {
            json_put_text(json, text_get(api_action_details[i]));
            return;
        }
    }
    json_put_str(json, detail);
}

static void api_put_action(struct json_writer *json, const struct store_action *action)
{
    json_open_object(json);
    api_put_id(json, "id", &action->request.id);
    json_add_text(json, "action", action_row(action->request.action)->name);
    json_add_text(json, "state", action_state_names[action->state]);
    api_put_id(json, "finding", &action->request.finding);
    api_put_time(json, "asked", action->request.asked);
    api_put_time(json, "held_until", action_held_until(&action->request));
    api_put_time(json, "expires", action->request.expires);
    json_add_str(json, "actor", action->request.actor);
    json_add_str(json, "reason", action->request.reason);
    api_put_time(json, "answered", action->answer.time);
    json_add_text(json, "result", api_action_result(action));
    api_put_detail(json, action->answer.detail);
    json_close_object(json);
}

static bool api_is_finding_of(const struct id *id, const struct store_finding *findings,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (id_is(id, &findings[i].id)) {
            return true;
        }
    }
    return false;
}

/* The actions on any finding of the alert, newest first. */
int api_action_list(struct api_request *request)
{
    struct store *store = request->api->options.store;
    struct store_alert alert;
    struct store_finding *findings;
    struct store_action *actions;
    struct store_action_filter filter = {.host = &alert.host, .state = -1};
    size_t finding_count = 0;
    size_t count = 0;
    int r = api_read_alert(request, &alert);

    if (r == 0) {
        r = store_alert_findings(store, alert.number, 0, request->arena, &findings, &finding_count);
    }
    if (r == 0) {
        r = store_action_list(store, &filter, request->arena, &actions, &count);
    }
    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        if (api_is_finding_of(&actions[i].request.finding, findings, finding_count)) {
            api_put_action(&request->json, &actions[i]);
        }
    }
    api_close_items(&request->json);
    return 0;
}
