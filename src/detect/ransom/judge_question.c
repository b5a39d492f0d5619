/* Questions out: which files must be looked at, how many a group may leave open, and whom it is
 * worth to hold meanwhile. On its way: judge.c opens questions → here → agent/shield/look.c. */
#include "base/banned.h"
#include "base/time.h"
#include "detect/ransom/judge_part.h"

#define EXE_FACTOR 2 /* an executable's open questions, against a session's */
#define ARM_NS     (30 * NS_PER_S)

static struct judge_question row_question(struct row *row)
{
    const char *path = row->path_now != NULL ? row->path_now : row->path;

    row->is_out = true;
    row->is_stale = false;
    return (struct judge_question){
        .file = row->key,
        .version = row->version,
        .look = row->look,
        .needs_format = true,
        .path = str_from(path),
    };
}

size_t judge_undecided(struct judge *judge, struct actor_key who,
                       struct judge_question *ret_questions, size_t max)
{
    const struct relative *relative = kin_find(&judge->kin, who);
    size_t count = 0;

    if (relative == NULL) {
        return 0;
    }
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_ASKED]) {
        struct row *row = LIST_ENTRY(node, struct row, node);

        if (count == max) {
            break;
        }
        if (row->who == relative || (row->session != NULL && row->session == relative->session) ||
            (row->exe != NULL && row->exe == relative->exe)) {
            ret_questions[count++] = row_question(row);
        }
    }
    return count;
}

/* Since when a ruled group destroys: of its first destructive step. */
static int64_t ruling_begin(const struct ruling *ruling)
{
    int64_t begin = INT64_MAX;

    LIST_EACH (node, &ruling->rows) {
        const struct row *row = LIST_ENTRY(node, struct row, node);

        begin = row->time_first < begin ? row->time_first : begin;
    }
    return begin;
}

void judge_ask_stopped(struct judge *judge, struct actor_key who)
{
    const struct relative *relative = kin_find(&judge->kin, who);
    const struct ruling *ruling = relative != NULL ? relative_ruling(relative) : NULL;

    if (ruling == NULL) {
        return;
    }
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_ASKED]) {
        struct row *row = LIST_ENTRY(node, struct row, node);

        row->is_closed = row->is_closed || relative_ruling(row->who) == ruling;
    }
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_WATCHED]) {
        struct row *row = LIST_ENTRY(node, struct row, node);

        if (relative_ruling(row->who) == ruling) {
            row->is_closed = true;
            judge_ask(judge, row, row->look, row->who);
        }
    }
    LIST_EACH (node,
               &judge->ledger.states[ROW_STATE_MADE]) { /* ciphertext, half of one, or scratch */
        struct row *row = LIST_ENTRY(node, struct row, node);

        if (relative_ruling(row->who) == ruling && row->time_first >= ruling_begin(ruling)) {
            row->is_closed = true;
            judge_ask(judge, row, JUDGE_LOOK_PRODUCT, row->who);
        }
    }
}

size_t judge_overdue(struct judge *judge, int64_t now, int64_t age_ns,
                     struct judge_question *ret_questions, size_t max)
{
    size_t count = 0;

    LIST_EACH (node, &judge->ledger.states[ROW_STATE_ASKED]) {
        struct row *row = LIST_ENTRY(node, struct row, node);

        if (count == max || now - row->time_look < age_ns) {
            break;
        }
        ret_questions[count++] = row_question(row);
    }
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_WATCHED]) {
        struct row *row = LIST_ENTRY(node, struct row, node);

        if (count == max) {
            break;
        }
        /* A file that was fine ten times is looked at a thousand times more seldom. */
        if ((now - row->time_look) >> (row->is_unsure ? 1 : row->looks) >= age_ns) {
            ret_questions[count++] = row_question(row);
        }
    }
    return count;
}

bool judge_has_question(const struct judge *judge, struct file_key file)
{
    const struct row *row = ledger_find(&judge->ledger, file);

    return row != NULL && row->state == ROW_STATE_ASKED;
}

bool judge_is_changed(const struct judge *judge, struct file_key file)
{
    const struct row *row = ledger_find(&judge->ledger, file);

    return row != NULL && (row->state == ROW_STATE_ASKED || row->state == ROW_STATE_WATCHED ||
                           row->state == ROW_STATE_CHARGED || row->state == ROW_STATE_WIPED);
}

bool judge_is_due(const struct judge *judge, struct file_key file)
{
    const struct row *row = ledger_find(&judge->ledger, file);

    return row != NULL && row->state == ROW_STATE_ASKED && row->is_due;
}

bool judge_is_akin(const struct judge *judge, struct actor_key a, struct actor_key b)
{
    const struct relative *one = kin_find(&judge->kin, a);
    const struct relative *other = kin_find(&judge->kin, b);

    if (one == NULL || other == NULL) {
        return a.pid == b.pid && a.start == b.start;
    }
    return one == other || relative_is_akin(one, other) ||
           (one->actor.uid == other->actor.uid &&
            (relative_is_below(one, other) || relative_is_below(other, one)));
}

static bool scope_is_armed(const struct scope *scope, int64_t now)
{
    return scope != NULL && scope->products != 0 && scope->reads >= JUDGE_ARM_READS &&
           now - scope->armed < ARM_NS;
}

bool judge_is_armed(const struct judge *judge, struct actor_key who, int64_t now)
{
    const struct relative *relative = kin_find(&judge->kin, who);

    return relative != NULL && !relative_is_trusted(relative) &&
           (scope_is_armed(relative->session, now) || scope_is_armed(relative->exe, now));
}

static unsigned scope_excess(const struct scope *scope, unsigned max)
{
    unsigned allowed = scope != NULL && scope->charged != 0 ? 0 : max;

    return scope != NULL && scope->asked > allowed ? scope->asked - allowed : 0;
}

unsigned judge_excess(const struct judge *judge, struct actor_key who)
{
    const struct relative *relative = kin_find(&judge->kin, who);
    unsigned session;
    unsigned exe;

    if (relative == NULL) {
        return 0;
    }
    session = scope_excess(relative->session, judge->limits.undecided_max);
    exe = scope_excess(relative->exe, judge->limits.undecided_max * EXE_FACTOR);
    return session > exe ? session : exe;
}
