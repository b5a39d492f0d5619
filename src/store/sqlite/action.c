/* Actions that people asked for, on their way to a host and answered. A host answers its own only.
 */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

int store_action_put(struct store *store, const struct store_action *action)
{
    CLEANUP(query_done) struct query query = {0};
    const struct action_request *request = &action->request;
    int r = store_may_write(store);

    if (r == 0 && (id_is_none(&request->id) || request->action >= ACTION_COUNT ||
                   action->state >= ACTION_STATE_COUNT || request->actor.len == 0)) {
        return -ERR_INVAL;
    }
    if (r < 0) {
        return r;
    }
    query_init(
        &query, store->database,
        "INSERT INTO actions (id, host, action, finding, asked, expires, actor, reason, state,"
        " answered, result, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        " ON CONFLICT (id) DO UPDATE SET state = ?9, answered = ?10, result = ?11, detail = ?12");
    query_bind_id(&query, 1, &request->id);
    query_bind_id(&query, 2, &action->host);
    query_bind_i64(&query, 3, request->action);
    query_bind_id(&query, 4, &request->finding);
    query_bind_i64(&query, 5, request->asked);
    query_bind_i64(&query, 6, request->expires);
    query_bind_text(&query, 7, request->actor);
    query_bind_text(&query, 8, request->reason);
    query_bind_i64(&query, 9, action->state);
    query_bind_i64(&query, 10, action->answer.time);
    query_bind_i64(&query, 11, action->answer.result);
    query_bind_text(&query, 12, action->answer.detail);
    return store_written(store, query_run(&query));
}

/* Whether the host was asked this and has not answered yet. */
static int action_is_awaited(struct store *store, const struct id *host, const struct id *id)
{
    CLEANUP(query_done) struct query query = {0};
    int64_t state;
    int r;

    query_init(&query, store->database, "SELECT state FROM actions WHERE id = ?1 AND host = ?2");
    query_bind_id(&query, 1, id);
    query_bind_id(&query, 2, host);
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    state = query_i64(&query, 0);
    return state == ACTION_STATE_DONE || state == ACTION_STATE_FAILED ? -ERR_EXIST : 0;
}

int store_action_answer(struct store *store, const struct id *host,
                        const struct action_answer *answer)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    r = r < 0 ? r : action_is_awaited(store, host, &answer->id);
    if (r < 0) {
        return r;
    }
    query_init(
        &query, store->database,
        "UPDATE actions SET state = ?2, answered = ?3, result = ?4, detail = ?5 WHERE id = ?1");
    query_bind_id(&query, 1, &answer->id);
    query_bind_i64(&query, 2, answer->result < 0 ? ACTION_STATE_FAILED : ACTION_STATE_DONE);
    query_bind_i64(&query, 3, answer->time);
    query_bind_i64(&query, 4, answer->result);
    query_bind_text(&query, 5, answer->detail);
    return store_written(store, query_run(&query));
}

/* ?1 host, ?2 finding, ?3 state or -1; NULL: all. */
#define ACTION_SELECT                                                                              \
    "SELECT id, host, action, finding, asked, expires, actor, reason, state, answered, result,"    \
    " detail FROM actions "
#define ACTION_WHERE                                                                               \
    " (?1 IS NULL OR +host = ?1) AND (?2 IS NULL OR +finding = ?2) AND (?3 < 0 OR +state = ?3)"    \
    " ORDER BY asked DESC, rowid DESC LIMIT ?4"

static const char action_list_finding[] =
    ACTION_SELECT "INDEXED BY actions_finding WHERE finding = ?2 AND" ACTION_WHERE;
static const char action_list_state[] =
    ACTION_SELECT "INDEXED BY actions_state WHERE state = ?3 AND" ACTION_WHERE;
static const char action_list_host[] =
    ACTION_SELECT "INDEXED BY actions_host WHERE host = ?1 AND" ACTION_WHERE;
static const char action_list_all[] = ACTION_SELECT "INDEXED BY actions_asked WHERE" ACTION_WHERE;

static const char *action_choose(const struct store_action_filter *filter)
{
    if (filter->finding != NULL) {
        return action_list_finding;
    }
    if (filter->state == ACTION_STATE_WAITING || filter->state == ACTION_STATE_SENT) {
        return action_list_state; /* few at any time */
    }
    return filter->host != NULL ? action_list_host : action_list_all;
}

static int action_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_action *action = ret_row;
    struct action_request *request = &action->request;
    struct action_answer *answer = &action->answer;

    query_copy(query, 0, request->id.bytes, sizeof(request->id.bytes));
    query_copy(query, 1, action->host.bytes, sizeof(action->host.bytes));
    request->action = (enum action)query_i64(query, 2);
    query_copy(query, 3, request->finding.bytes, sizeof(request->finding.bytes));
    request->asked = query_i64(query, 4);
    request->expires = query_i64(query, 5);
    request->actor = query_text(query, 6, arena);
    request->reason = query_text(query, 7, arena);
    action->state = (enum action_state)query_i64(query, 8);
    if (action->state == ACTION_STATE_DONE || action->state == ACTION_STATE_FAILED) {
        answer->id = request->id;
        answer->time = query_i64(query, 9);
        answer->result = (int)query_i64(query, 10);
        answer->detail = query_text(query, 11, arena);
    }
    return query->error;
}

int store_action_list(struct store *store, const struct store_action_filter *filter,
                      struct arena *arena, struct store_action **ret_actions, size_t *ret_count)
{
    static const struct query_rows rows = {sizeof(**ret_actions), STORE_PAGE_MAX, action_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, action_choose(filter));
    query_bind_id(&query, 1, filter->host);
    query_bind_id(&query, 2, filter->finding);
    query_bind_i64(&query, 3, filter->state);
    query_bind_u64(&query, 4, STORE_PAGE_MAX);
    *ret_actions = query_list(&query, &rows, arena, ret_count);
    return query.error;
}
