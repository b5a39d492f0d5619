/* The table of actions, and requests and answers on the wire. Neighbours: centre/core encodes a
 * request that a person asked for, link/ carries it, agent/supervisor decodes it and does nothing
 * that is not in the table. Invariant: what is decoded names its actor and cannot expire before it
 * was asked. */
#include "model/action.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "model/wire.h"

#include <assert.h>

#define REQUEST_MEMBERS 7
#define ANSWER_MEMBERS  4

static const struct action_row action_rows[] = {
#define ACTION(constant, action_name, least_role, can_undo, words)                                 \
    [ACTION_##constant] = {.name = (action_name),                                                  \
                           .role = ROLE_##least_role,                                              \
                           .is_undoable = (can_undo),                                              \
                           .sentence = (words)},
#include "model/actions.def"
#undef ACTION
};

static const char *const role_names[] = {
    [ROLE_VIEWER] = "viewer",
    [ROLE_DUTY] = "duty",
    [ROLE_ADMIN] = "admin",
};
static_assert(sizeof(role_names) / sizeof(role_names[0]) == ROLE_COUNT);

const struct action_row *action_row(enum action action)
{
    return &action_rows[action];
}

int64_t action_held_until(const struct action_request *request)
{
    return request->asked + (action_row(request->action)->is_undoable ? 0 : ACTION_HOLD);
}

bool action_parse(struct str name, enum action *ret_action)
{
    for (int i = 0; i < ACTION_COUNT; i++) {
        if (str_is_text(name, action_rows[i].name)) {
            *ret_action = (enum action)i;
            return true;
        }
    }
    return false;
}

const char *role_name(enum role role)
{
    return role_names[role];
}

bool role_parse(struct str name, enum role *ret_role)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (str_is_text(name, role_names[i])) {
            *ret_role = (enum role)i;
            return true;
        }
    }
    return false;
}

void action_request_encode(const struct action_request *request, struct buf *buf)
{
    cbor_put_array(buf, REQUEST_MEMBERS);
    wire_put_id(buf, &request->id);
    cbor_put_u64(buf, request->action);
    wire_put_id(buf, &request->finding);
    cbor_put_i64(buf, request->asked);
    cbor_put_i64(buf, request->expires);
    cbor_put_text(buf, request->actor);
    cbor_put_text(buf, request->reason);
}

int action_request_decode(struct cbor_reader *reader, struct action_request *ret_request)
{
    struct action_request request = {0};
    uint64_t action;

    wire_open(reader, REQUEST_MEMBERS);
    request.id = wire_get_id(reader);
    action = cbor_get_u64(reader);
    request.finding = wire_get_id(reader);
    request.asked = cbor_get_i64(reader);
    request.expires = cbor_get_i64(reader);
    request.actor = cbor_get_text(reader);
    request.reason = cbor_get_text(reader);
    if (action >= ACTION_COUNT || request.actor.len == 0 || request.expires < request.asked) {
        cbor_fail(reader, -ERR_INVAL);
    }
    if (reader->error != 0) {
        return reader->error;
    }
    request.action = (enum action)action;
    *ret_request = request;
    return 0;
}

void action_answer_encode(const struct action_answer *answer, struct buf *buf)
{
    cbor_put_array(buf, ANSWER_MEMBERS);
    wire_put_id(buf, &answer->id);
    cbor_put_i64(buf, answer->time);
    cbor_put_i64(buf, answer->result);
    cbor_put_text(buf, answer->detail);
}

int action_answer_decode(struct cbor_reader *reader, struct action_answer *ret_answer)
{
    struct action_answer answer = {0};

    wire_open(reader, ANSWER_MEMBERS);
    answer.id = wire_get_id(reader);
    answer.time = cbor_get_i64(reader);
    answer.result = wire_get_result(reader);
    answer.detail = cbor_get_text(reader);
    if (reader->error != 0) {
        return reader->error;
    }
    *ret_answer = answer;
    return 0;
}
