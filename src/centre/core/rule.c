/* Rules as people change them: their own, switched off and on again, and filters taken back. Each
 * change is a row with who and why. Neighbours: core/request.c and core/operator.c call;
 * core/filter.c makes filters. */
#include "centre/core/rule.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/cbor.h"
#include "store/log_states.h"

#define BOOK_ARENA_LIMIT (4 * CATALOGUE_SIZE_MAX)

int rule_book_open(struct core_call *call, struct rule_book *ret_book)
{
    struct rule_book book = {0};
    struct store_log_state state;
    int r = arena_new(BOOK_ARENA_LIMIT, &book.arena);

    r = r < 0 ? r
              : store_log_state_get(call->core->options.store, CATALOGUE_STATE, book.arena, &state);
    r = r < 0 ? r : catalogue_read(state.body, book.arena, &book.catalogue);
    if (r < 0) {
        rule_book_done(&book);
        return r == -ERR_NOENT ? diag_set(&call->diag, -ERR_BUSY,
                                          _("the rules are being read; try again in a few seconds"))
                               : r;
    }
    *ret_book = book;
    return 0;
}

void rule_book_done(struct rule_book *book)
{
    arena_free(book->arena);
    book->arena = NULL;
}

void rule_changed(struct core_call *call)
{
    call->is_rules = true;
    call->changed |= CENTRE_CHANGED_RULES;
}

/* ---- off and on ---- */

static int rule_switch(struct core_call *call, bool is_off)
{
    struct str id = arguments_text(&call->arguments, "id");
    struct store_document document = {.kind = RULE_DOCUMENT_OFF,
                                      .id = id,
                                      .rule = id,
                                      .is_on = is_off,
                                      .actor = call->actor,
                                      .reason =
                                          str_trim(arguments_text(&call->arguments, "reason"))};
    CLEANUP(rule_book_done) struct rule_book book = {0};
    const struct catalogue_rule *rule;
    int r = rule_book_open(call, &book);

    if (r < 0) {
        return r;
    }
    rule = catalogue_find(&book.catalogue, id);
    if (rule == NULL) {
        return diag_set(&call->diag, -ERR_NOENT, _("there is no rule “%.*s”"),
                        STR_ARG(str_slice(id, 0, 100)));
    }
    document.title = rule->title;
    rule_changed(call);
    r = store_document_put(call->core->options.store, &document);
    return r < 0 ? r
                 : core_call_audit(call, is_off ? "rule.off" : "rule.on", id, "title", rule->title,
                                   "reason", document.reason, NULL);
}

int core_rule_off(struct core_call *call)
{
    return rule_switch(call, true);
}

int core_rule_on(struct core_call *call)
{
    return rule_switch(call, false);
}

/* ---- documents taken back, and laid down again ---- */

static int document_switch(struct core_call *call, enum rule_document_kind kind, bool is_on)
{
    struct store *store = call->core->options.store;
    struct str id = arguments_text(&call->arguments, "id");
    struct store_document document;
    int r = store_document_get(store, kind, id, call->arena, &document);

    if (r < 0) {
        return r;
    }
    if (document.is_on == is_on) {
        return diag_set(&call->diag, -ERR_CONFLICT,
                        _("somebody may have been faster: it is so already"));
    }
    document.is_on = is_on;
    document.actor = call->actor;
    document.reason = str_trim(arguments_text(&call->arguments, "reason"));
    rule_changed(call);
    r = store_document_put(store, &document);
    return r < 0 ? r
                 : core_call_audit(call, call->request->verb, id, "title", document.title, "reason",
                                   document.reason, NULL);
}

int core_filter_drop(struct core_call *call)
{
    return document_switch(call, RULE_DOCUMENT_FILTER, false);
}

int core_filter_restore(struct core_call *call)
{
    return document_switch(call, RULE_DOCUMENT_FILTER, true);
}

int core_rule_drop(struct core_call *call)
{
    return document_switch(call, RULE_DOCUMENT_RULE, false);
}

/* ---- rules of the user's own ---- */

static int rule_put_checked(struct core_call *call, const struct detect_answer *answer)
{
    struct str wanted = arguments_text(&call->arguments, "id");
    struct store_document document = {.kind = RULE_DOCUMENT_RULE,
                                      .id = str_from(answer->id),
                                      .title = str_from(answer->title),
                                      .text = arguments_text(&call->arguments, "text"),
                                      .rule = str_from(answer->id),
                                      .is_on = true,
                                      .actor = call->actor,
                                      .reason =
                                          str_trim(arguments_text(&call->arguments, "reason"))};
    int r;

    if (answer->result < 0) {
        return answer->result;
    }
    if (answer->why[0] != '\0') {
        return diag_set(&call->diag, -ERR_INVAL, _("the rule was not taken: %s"), answer->why);
    }
    if (document.id.len == 0) {
        return diag_set(&call->diag, -ERR_INVAL,
                        _("the rule was not taken: write “id:” with a UUID of its own"));
    }
    if (wanted.len != 0 && !str_is(wanted, document.id)) {
        return diag_set(&call->diag, -ERR_INVAL,
                        _("the rule was not taken: its id is not that of the rule it replaces"));
    }
    rule_changed(call);
    r = store_document_put(call->core->options.store, &document);
    r = r < 0 ? r
              : core_call_audit(call, "rule.put", document.id, "title", document.title, "reason",
                                document.reason, NULL);
    cbor_put_map(&call->reply, 2);
    cbor_put_text(&call->reply, STR("id"));
    cbor_put_text(&call->reply, document.id);
    cbor_put_text(&call->reply, STR("title"));
    cbor_put_text(&call->reply, document.title);
    return r;
}

int core_rule_put(struct core_call *call)
{
    struct str id = arguments_text(&call->arguments, "id");
    struct str name = arena_printf(call->arena, DETECTOR_OWN_PREFIX "%.*s",
                                   STR_ARG(id.len != 0 ? id : STR("new")));

    return name.ptr == NULL
               ? -ERR_NOMEM
               : core_detect_check(call->core->detect, call, name,
                                   arguments_text(&call->arguments, "text"), rule_put_checked);
}

/* ---- files read anew ---- */

static int rule_reloaded(struct core_call *call, const struct detect_answer *answer)
{
    const struct detect_ready *before = call->kept;
    const struct detect_ready *now = &answer->ready;

    cbor_put_map(&call->reply, 5);
    cbor_put_u64(&call->reply, 0);
    cbor_put_u64(&call->reply, before->version);
    cbor_put_u64(&call->reply, 1);
    cbor_put_u64(&call->reply, now->version);
    cbor_put_u64(&call->reply, 2);
    cbor_put_u64(&call->reply, now->rules);
    cbor_put_u64(&call->reply, 3);
    cbor_put_u64(&call->reply, now->correlations);
    cbor_put_u64(&call->reply, 4);
    cbor_put_u64(&call->reply, now->refused);
    return answer->result < 0 ? answer->result
                              : core_call_audit(call, "rule.reload", STR(""), NULL);
}

int core_rule_reload(struct core_call *call)
{
    struct detect_ready *before = arena_alloc(call->arena, 1, sizeof(*before));

    if (before == NULL) {
        return -ERR_NOMEM;
    }
    if (call->core->detect != NULL) {
        core_detect_ready(call->core->detect, before);
    }
    call->kept = before;
    return core_detect_reload(call->core->detect, call, rule_reloaded);
}
