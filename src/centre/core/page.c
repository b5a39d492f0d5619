/* What a person says about a change that was found: it is ours, or it is an incident. "Ours" closes
 * the alert and, after the time in which it can be taken back, teaches the page's profile: fetch
 * looks again and learns what it sees. Neighbours: core/request.c calls, core/watch.c teaches. */
#include "centre/core/site.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"

static int page_read(struct core_call *call, struct store_site *site, struct store_change *change)
{
    uint64_t number = (uint64_t)arguments_number(&call->arguments, "change", 0);
    int r = core_site_read(call, site);

    r = r < 0 ? r : store_change_get(call->core->options.store, number, call->arena, change);
    return r == 0 && change->site != site->number ? -ERR_NOENT : r;
}

static int page_decide(struct core_call *call, const struct store_site *site,
                       struct store_change *change, enum change_decision decision, const char *act)
{
    uint64_t number;
    int r;

    change->decision = decision;
    change->decided = clock_wall(call->core->options.clock);
    change->decided_by = call->actor;
    change->decided_why = str_trim(arguments_text(&call->arguments, "reason"));
    call->changed |= CENTRE_CHANGED_SITES | CENTRE_CHANGED_ALERTS;
    r = store_change_put(call->core->options.store, change, &number);
    return r < 0 ? r
                 : core_call_audit(call, act, change->url, "site", site->name, "reason",
                                   change->decided_why, NULL);
}

/* Moves the change's alert where that is a legal move; somebody may have been faster. */
static int page_move_alert(struct core_call *call, const struct store_change *change,
                           enum alert_state state, struct str reason)
{
    int r = change->alert == 0 ? 0
                               : store_alert_move(call->core->options.store, change->alert, state,
                                                  call->actor, reason);

    return r == -ERR_CONFLICT || r == -ERR_NOENT ? 0 : r;
}

int core_page_ours(struct core_call *call)
{
    struct store_site site;
    struct store_change change;
    uint64_t left = 0;
    int r = page_read(call, &site, &change);

    if (r == 0 && change.decision != CHANGE_DECISION_NONE) {
        r = diag_set(&call->diag, -ERR_CONFLICT,
                     _("%.*s has decided on this already: take that back first"),
                     STR_ARG(change.decided_by));
    }
    r = r < 0 ? r : page_decide(call, &site, &change, CHANGE_DECISION_HELD, "page.ours");
    call->core->watch.is_holding = true;
    r = r < 0 ? r : store_change_undecided(call->core->options.store, change.alert, &left);
    if (r == 0 && left == 0) {
        r = page_move_alert(call, &change, ALERT_STATE_CLOSED, STR("false-alarm"));
    }
    return r;
}

int core_page_incident(struct core_call *call)
{
    struct store_site site;
    struct store_change change;
    int r = page_read(call, &site, &change);

    if (r == 0 && change.decision != CHANGE_DECISION_NONE) {
        r = diag_set(&call->diag, -ERR_CONFLICT,
                     _("%.*s has decided on this already: take that back first"),
                     STR_ARG(change.decided_by));
    }
    r = r < 0 ? r : page_decide(call, &site, &change, CHANGE_DECISION_INCIDENT, "page.incident");
    return r < 0 ? r : page_move_alert(call, &change, ALERT_STATE_TAKEN, STR(""));
}

/* The alert goes back to where the decision found it, as far as a person can say. */
int core_page_undecide(struct core_call *call)
{
    struct store_site site;
    struct store_change change;
    enum change_decision was;
    int r = page_read(call, &site, &change);

    if (r < 0) {
        return r;
    }
    was = change.decision;
    if (was == CHANGE_DECISION_NONE || was == CHANGE_DECISION_OURS) {
        return diag_set(&call->diag, -ERR_CONFLICT,
                        was == CHANGE_DECISION_NONE
                            ? _("nobody has decided on this")
                            : _("it has been learned already: the page as it is now counts as its "
                                "editors' work"));
    }
    r = page_decide(call, &site, &change, CHANGE_DECISION_NONE, "page.undecide");
    if (r == 0 && was == CHANGE_DECISION_HELD) {
        r = page_move_alert(call, &change, ALERT_STATE_TAKEN, STR(""));
    } else if (r == 0) {
        r = page_move_alert(call, &change, ALERT_STATE_NEW, STR(""));
    }
    return r;
}
