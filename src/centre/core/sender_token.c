/* What people do to tokens of senders of logs, and when one was used. Each function runs in one
 * transaction with its audit row. Neighbours: core/request.c calls; api/post.c lets tokens in. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/sender_token.h"
#include "codec/cbor.h"

#define REINSTATE_TIME (60 * NS_PER_S)

int core_sender_make(struct core_call *call, struct str name, char ret_text[], uint64_t *ret_number)
{
    struct store_sender_token row = {
        .name = name, .created = clock_wall(call->core->options.clock), .created_by = call->actor};
    int r;

    if (!sender_is_name(name)) {
        return diag_set(&call->diag, -ERR_RANGE,
                        _("a sender's name has 1 to 64 letters without diacritics, digits, dots, "
                          "dashes and underscores, with a letter among them"));
    }
    r = sender_token_new(ret_text);
    if (r == 0) {
        sender_token_sha256(str_from(ret_text), row.secret_sha256);
        r = store_sender_token_put(call->core->options.store, &row, ret_number);
    }
    if (r == -ERR_EXIST) {
        return diag_set(&call->diag, r,
                        _("there is a sender '%.*s' already; revoke its token first, or choose "
                          "another name"),
                        STR_ARG(name));
    }
    if (r == 0) {
        r = core_call_audit(call, "sender.create", name, NULL);
    }
    call->changed = CENTRE_CHANGED_SETTINGS;
    return r;
}

int core_sender_create(struct core_call *call)
{
    char text[SENDER_TOKEN_SIZE] = "";
    uint64_t number = 0;
    int r = core_sender_make(call, arguments_text(&call->arguments, "name"), text, &number);

    if (r == 0) {
        cbor_put_map(&call->reply, 2);
        cbor_put_text(&call->reply, STR("number"));
        cbor_put_u64(&call->reply, number);
        cbor_put_text(&call->reply, STR("token"));
        cbor_put_text(&call->reply, str_from(text));
    }
    mem_wipe(text, sizeof(text));
    return r;
}

static int core_sender_get(struct core_call *call, struct store_sender_token *ret_token)
{
    return store_sender_token_get(call->core->options.store,
                                  (uint64_t)arguments_number(&call->arguments, "number", 0),
                                  call->arena, ret_token);
}

int core_sender_revoke(struct core_call *call)
{
    struct store_sender_token token;
    int r = core_sender_get(call, &token);

    if (r < 0) {
        return r;
    }
    if (token.revoked != 0) {
        return diag_set(&call->diag, -ERR_CONFLICT, _("that token was revoked already"));
    }
    r = store_sender_token_revoke(call->core->options.store, token.number,
                                  clock_wall(call->core->options.clock));
    call->changed = CENTRE_CHANGED_SETTINGS;
    return r < 0 ? r
                 : core_call_audit(call, "sender.revoke", token.name, "reason",
                                   arguments_text(&call->arguments, "reason"), NULL);
}

/* A slip of the hand only: a token that was stolen must not come back later. */
int core_sender_reinstate(struct core_call *call)
{
    struct store_sender_token token;
    int r = core_sender_get(call, &token);

    if (r < 0) {
        return r;
    }
    if (token.revoked == 0 ||
        clock_wall(call->core->options.clock) - token.revoked > REINSTATE_TIME) {
        return diag_set(&call->diag, -ERR_CONFLICT,
                        _("a token comes back only within a minute of being revoked: make a new "
                          "one"));
    }
    r = store_sender_token_revoke(call->core->options.store, token.number, 0);
    call->changed = CENTRE_CHANGED_SETTINGS;
    return r < 0 ? r : core_call_audit(call, "sender.reinstate", token.name, NULL);
}

/* Asked by the api process, which nobody need be logged in to: the token itself is the proof. */
int core_sender_touch(struct core_call *call)
{
    struct store *store = call->core->options.store;
    int64_t now = clock_wall(call->core->options.clock);
    struct store_sender_token token;
    int r = sender_find(store, arguments_text(&call->arguments, "token"), call->arena, &token);

    if (r < 0 || now - token.used < SENDER_TOUCH) {
        return r;
    }
    call->changed = CENTRE_CHANGED_SETTINGS;
    return store_sender_token_used(store, token.number, now);
}
