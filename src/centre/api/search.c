/* Events by what people type. The handler is called twice: the first time it hands the question to
 * the searcher's thread and waits, the second time it writes what that found. Neighbours:
 * centre/searcher.h, model/terms.h. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/api/private.h"

#define SEARCH_LIMIT 100
#define SEARCH_DAY   (86400 * NS_PER_S)

void api_take_found(void *context, void *job, const struct searcher_answer *answer)
{
    struct api_request *request = job;
    struct api *api = context;
    int r = answer->result;

    if (answer->diag != NULL && answer->diag->text[0] != '\0') {
        request->diag = *answer->diag;
    }
    if (r == 0) {
        r = buf_put_str(&request->out, answer->json);
    }
    request->is_searched = true;
    api_wake(request, r);
    api_serve(api);
}

/* fallback: when the argument was left out. */
static int search_take_time(struct api_request *request, const char *name, int64_t fallback,
                            int64_t *ret_time)
{
    struct str text = arguments_text(&request->arguments, name);

    *ret_time = fallback;
    if (text.len == 0) {
        return 0;
    }
    return time_parse(text, ret_time) < 0
               ? diag_set(&request->diag, -ERR_SYNTAX,
                          _("'%s' is no time; write 2026-11-23T19:30:00+07:00"), name)
               : 0;
}

static int search_take_cursor(struct api_request *request, struct searcher_query *query)
{
    struct str text = arguments_text(&request->arguments, "cursor");

    if (text.len != 0 && find_cursor_parse(text, &query->cursor) < 0) {
        return diag_set(&request->diag, -ERR_SYNTAX,
                        _("this is no cursor; hand in next of the answer before"));
    }
    return 0;
}

static int search_ask(struct api_request *request, bool is_draft)
{
    struct api *api = request->api;
    int64_t now = clock_wall(api->options.clock);
    struct searcher_query query = {
        .typed = arguments_text(&request->arguments, "q"),
        .is_draft = is_draft,
        .rule = arguments_text(&request->arguments, "rule"),
        .limit = (size_t)arguments_number(&request->arguments, "limit", SEARCH_LIMIT),
        .step = arguments_number(&request->arguments, "step", 0) * NS_PER_S};
    int r = search_take_time(request, "from", 0, &query.from);

    r = r < 0 ? r : search_take_time(request, "to", now + SEARCH_DAY, &query.cursor.time);
    r = r < 0 ? r : search_take_cursor(request, &query);
    if (r == 0 && query.limit == 0 && query.step == 0) {
        r = diag_set(&request->diag, -ERR_SYNTAX,
                     _("nothing is asked for: give a limit of events, or a step to count by"));
    }
    if (r == 0 && api->searcher == NULL) {
        r = -ERR_NOENT;
    }
    r = r < 0 ? r : searcher_ask(api->searcher, &query, request, &request->diag);
    if (r < 0) {
        return r;
    }
    api_wait(request);
    return API_LATER;
}

/* Serves /rules/try too: there a rule takes the place of what is typed. */
int api_event_search(struct api_request *request)
{
    return request->is_searched ? 0 : search_ask(request, false);
}

int api_rule_draft(struct api_request *request)
{
    return request->is_searched ? 0 : search_ask(request, true);
}
