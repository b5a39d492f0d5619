/* Actions from the centre: see agent/link/private.h. Only what decodes, is in the table, has not
 * expired by the centre's clock and was not done already goes on to the supervisor; every action is
 * answered, through the spool like everything else, so that an answer survives what the connection
 * does not. */
#include "agent/link/private.h"

#include "agent/protocol.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"

static void link_forget_done(struct link *link, const struct id *id)
{
    for (size_t i = 0; i < LINK_DONE_MAX; i++) {
        if (id_is(&link->done[i], id)) {
            link->done[i] = (struct id){0};
        }
    }
}

static void link_answer(struct link *link, const struct id *id, int result, struct str detail)
{
    struct record record = {
        .kind = RECORD_KIND_ANSWER,
        .answer = {.id = *id, .time = link_centre_time(link), .result = result, .detail = detail}};

    if (link_keep(link, &record) < 0) { /* the centre asks again on the next connection */
        link_forget_done(link, id);
        return;
    }
    link_send(link, true);
}

static bool link_is_done(const struct link *link, const struct id *id)
{
    for (size_t i = 0; i < LINK_DONE_MAX; i++) {
        if (id_is(&link->done[i], id)) {
            return true;
        }
    }
    return false;
}

/* Asks the sensor for its state; the record comes as any other. */
static int link_ask_status(struct link *link)
{
    msg_begin(&link->msg, AGENT_MESSAGE_STATUS);
    return channel_send(link->channels[LINK_CHANNEL_SENSOR], &link->msg, NULL, 0);
}

static int link_hand_on(struct link *link, struct str request)
{
    msg_begin(&link->msg, AGENT_MESSAGE_ACTION);
    msg_put_str(&link->msg, request);
    return channel_send(link->channels[LINK_CHANNEL_SUPERVISOR], &link->msg, NULL, 0);
}

void link_take_action(struct link *link, struct str request)
{
    struct action_request action;
    struct cbor_reader reader;
    int r;

    cbor_open(&reader, request);
    r = action_request_decode(&reader, &action);
    if (r == 0) {
        r = cbor_close(&reader);
    }
    if (r < 0) { /* it has no name by which to answer */
        log_error("an action from the centre was not understood reason=%s", err_text(r));
        return;
    }
    if (link_is_done(link, &action.id)) {
        return; /* its answer is on the way */
    }
    link->done[link->done_next++ % LINK_DONE_MAX] = action.id;
    log_info("action asked=%s by=%.*s", action_row(action.action)->name, STR_ARG(action.actor));
    if (link_centre_time(link) > action.expires) {
        link_answer(link, &action.id, -ERR_EXPIRED, STR("it came after its time"));
    } else if (action.action == ACTION_STATUS) {
        r = link_ask_status(link);
        link_answer(link, &action.id, r, r < 0 ? STR("the sensor does not listen") : STR("asked"));
    } else {
        r = link_hand_on(link, request);
        if (r < 0) {
            link_answer(link, &action.id, r, STR("the supervisor does not listen"));
        }
    }
}

int link_take_answer(struct link *link, struct str answer)
{
    struct record record = {.kind = RECORD_KIND_ANSWER};
    struct cbor_reader reader;

    cbor_open(&reader, answer);
    if (action_answer_decode(&reader, &record.answer) < 0) {
        log_error("an answer of the supervisor was not understood");
        return 0;
    }
    return link_keep(link, &record);
}
