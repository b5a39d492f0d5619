/* Scores summed from the narrowest group to the widest, and the ruling when one passes its
 * threshold. On its way: judge_answer.c, judge_match.c → judge_charge → judge_tell.c. Invariants:
 * evidence counts in one ruling only; only what a process did itself never grows old; a ruling
 * never reaches above one session unless one user's process, not started by init, stands above all.
 */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "detect/ransom/judge_part.h"

#define CHARGE_AGE_MAX  (24 * 3600 * NS_PER_S)
#define RULING_FRESH_NS (600 * NS_PER_S)
#define ROUNDING        1e-9
/* An executable most of whose processes harm nothing (a shell, rm) needs twice as much. */
#define UBIQUITOUS 4

static const struct {
    const char *name;
    double factor; /* of judge_limits.stop_score */
} breadths[BREADTH_COUNT] = {
    [BREADTH_PROCESS] = {"process", 1}, [BREADTH_ANCESTOR] = {"ancestor", 1},
    [BREADTH_SESSION] = {"session", 1}, [BREADTH_EXE] = {"exe", 4.0 / 3},
    [BREADTH_CGROUP] = {"cgroup", 2},   [BREADTH_UID] = {"uid", 10.0 / 3},
};

const char *breadth_name(enum breadth breadth)
{
    return breadths[breadth].name;
}

/* One sum: which charged rows belong to it. */
struct sum {
    enum breadth breadth;
    struct relative *who;
    const struct relative *top; /* BREADTH_ANCESTOR */
};

static bool sum_holds(const struct judge *judge, const struct sum *sum, const struct row *row)
{
    const struct relative *who = sum->who;

    if (sum->breadth == BREADTH_PROCESS) {
        return row->who == who;
    }
    if (judge->now - row->time_look > CHARGE_AGE_MAX) {
        return false;
    }
    switch (sum->breadth) {
    case BREADTH_ANCESTOR:
        return row->session == who->session && relative_is_below(row->who, sum->top);
    case BREADTH_SESSION:
        return row->session != NULL && row->session == who->session;
    case BREADTH_EXE:
        return row->exe != NULL && row->exe == who->exe;
    case BREADTH_CGROUP:
        return who->actor.cgroup != 0 && row->who->actor.cgroup == who->actor.cgroup;
    case BREADTH_UID:
        return who->is_known && row->who->is_known && row->who->actor.uid == who->actor.uid;
    case BREADTH_PROCESS:
    case BREADTH_COUNT:
        break;
    }
    return false;
}

static bool judge_is_passed(struct judge *judge, const struct sum *sum)
{
    double threshold = judge->limits.stop_score * breadths[sum->breadth].factor;
    const struct scope *exe = sum->who->exe;
    double total = 0;

    if (sum->breadth == BREADTH_EXE && exe != NULL && exe->members > UBIQUITOUS * exe->charged) {
        threshold *= 2;
    }
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_CHARGED]) {
        const struct row *row = LIST_ENTRY(node, struct row, node);

        if (sum_holds(judge, sum, row)) {
            total += row->score;
        }
    }
    return total + ROUNDING >= threshold;
}

/* The narrowest sum that passes; false when none does. */
static bool judge_find_sum(struct judge *judge, struct relative *who, struct sum *ret_sum)
{
    struct sum sum = {BREADTH_PROCESS, who, NULL};

    if (judge_is_passed(judge, &sum)) {
        *ret_sum = sum;
        return true;
    }
    sum.breadth = BREADTH_ANCESTOR;
    sum.top = who->parent;
    for (unsigned depth = 0; sum.top != NULL && depth < KIN_DEPTH_MAX; depth++) {
        if (who->session == NULL || sum.top->session != who->session) {
            break;
        }
        if (judge_is_passed(judge, &sum)) {
            *ret_sum = sum;
            return true;
        }
        sum.top = sum.top->parent;
    }
    for (sum.breadth = BREADTH_SESSION; sum.breadth < BREADTH_COUNT; sum.breadth++) {
        if (judge_is_passed(judge, &sum)) {
            *ret_sum = sum;
            return true;
        }
    }
    return false;
}

static bool ruling_has_member(const struct ruling *ruling, const struct relative *who)
{
    for (size_t i = 0; i < ruling->member_count; i++) {
        if (ruling->members[i] == who) {
            return true;
        }
    }
    return false;
}

static void ruling_set_root(struct judge *judge, struct ruling *ruling, struct relative *root)
{
    struct relative *old = ruling->root;

    relative_ref(root);
    ruling->root = root;
    if (root->ruling == NULL) {
        root->ruling = ruling;
    }
    if (old->ruling == ruling && !ruling_has_member(ruling, old)) {
        old->ruling = NULL;
    }
    relative_unref(&judge->kin, old);
}

/* Names one who took part; raises the root to hold it where one process may hold both. */
static void ruling_add_member(struct judge *judge, struct ruling *ruling, struct relative *who)
{
    struct relative *common;

    if (who == NULL || relative_is_trusted(who)) {
        return;
    }
    common = relative_common(ruling->root, who);
    if (common != NULL && common != ruling->root) {
        ruling_set_root(judge, ruling, common);
    }
    if (relative_is_below(who, ruling->root) || ruling_has_member(ruling, who) ||
        ruling->member_count == MEMBERS_MAX) {
        return;
    }
    relative_ref(who);
    ruling->members[ruling->member_count++] = who;
    who->ruling = ruling;
}

static void ruling_take(struct judge *judge, struct ruling *ruling, struct row *row)
{
    ruling_add_member(judge, ruling, row->who);
    ruling_add_member(judge, ruling, row->maker);
    ruling->time = judge->now;
    ledger_move_to(&judge->ledger, row, &ruling->rows, ruling);
}

void ruling_free(struct judge *judge, struct ruling *ruling)
{
    struct relative *root = ruling->root;

    LIST_EACH (node, &ruling->rows) {
        ledger_forget(&judge->ledger, LIST_ENTRY(node, struct row, node));
    }
    if (root->ruling == ruling) {
        root->ruling = NULL;
    }
    for (size_t i = 0; i < ruling->member_count; i++) {
        if (ruling->members[i]->ruling == ruling) {
            ruling->members[i]->ruling = NULL;
        }
        relative_unref(&judge->kin, ruling->members[i]);
    }
    relative_unref(&judge->kin, root);
    list_remove(&ruling->node);
    judge->ruling_count--;
    if (judge->announced == ruling) {
        judge->announced = NULL;
    }
    mem_free(ruling);
}

static int ruling_new(struct judge *judge, struct relative *culprit, struct ruling **ret_ruling)
{
    struct ruling *ruling;

    if (judge->ruling_count >= RULINGS_MAX) {
        ruling_free(judge, LIST_ENTRY(judge->rulings.next, struct ruling, node));
    }
    ruling = mem_alloc(1, sizeof(*ruling));
    if (ruling == NULL) {
        return -ERR_NOMEM;
    }
    list_init(&ruling->rows);
    ruling->culprit = culprit;
    ruling->root = culprit;
    ruling->members[ruling->member_count++] = culprit;
    relative_ref(culprit); /* as member */
    relative_ref(culprit); /* as root */
    culprit->ruling = ruling;
    list_append(&judge->rulings, &ruling->node);
    judge->ruling_count++;
    *ret_ruling = ruling;
    return 0;
}

void judge_announced(struct judge *judge, struct ruling *ruling)
{
    judge->announced = ruling;
    ruling->has_news = true;
}

static int judge_rule(struct judge *judge, const struct sum *sum)
{
    struct ruling *ruling;
    int r;

    r = ruling_new(judge, sum->who, &ruling);
    if (r < 0) {
        return r;
    }
    ruling->breadth = sum->breadth;
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_CHARGED]) {
        struct row *row = LIST_ENTRY(node, struct row, node);

        if (sum_holds(judge, sum, row)) {
            ruling_take(judge, ruling, row);
        }
    }
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_WIPED]) {
        struct row *row = LIST_ENTRY(node, struct row, node);

        if (relative_ruling(row->who) == ruling) {
            ruling_take(judge, ruling, row);
        }
    }
    judge_announced(judge, ruling);
    return 0;
}

/* The fresh ruling against one below in the same job, or NULL: one half opens, the other half was
 * ruled against for what it did with those descriptors. */
static struct ruling *judge_ruling_below(struct judge *judge, const struct relative *who)
{
    LIST_EACH (node, &judge->rulings) {
        struct ruling *ruling = LIST_ENTRY(node, struct ruling, node);
        const struct relative *root = ruling->root;

        if (who != NULL && who->session != NULL && root->session == who->session &&
            root->actor.uid == who->actor.uid && relative_is_below(root, who) &&
            judge->now - ruling->time <= RULING_FRESH_NS) {
            return ruling;
        }
    }
    return NULL;
}

int judge_charge(struct judge *judge, struct row *row, const struct verdict *verdict,
                 bool *ret_is_ruling)
{
    struct ruling *ruling = relative_ruling(row->who);
    struct ruling *below;
    struct sum sum;
    int r;

    if (relative_is_trusted(row->who)) {
        ledger_move(&judge->ledger, row, ROW_STATE_SEEN);
        return 0;
    }
    if (ruling == NULL && row->maker != NULL) {
        ruling = relative_ruling(row->maker);
    }
    row->outcome = verdict->outcome;
    row->reason = verdict->reason;
    row->score = verdict->score;
    row->time_look = judge->now;
    below = ruling == NULL && verdict->score > 0 ? judge_ruling_below(judge, row->who) : NULL;
    if (below != NULL) { /* put right with the rest; whoever is above is not stopped for it */
        below->time = judge->now;
        ledger_move_to(&judge->ledger, row, &below->rows, below);
        judge_announced(judge, below);
        *ret_is_ruling = true;
        return 0;
    }
    if (ruling != NULL) {
        ruling_take(judge, ruling, row);
        ruling->culprit = row->who;
        judge_announced(judge, ruling);
        *ret_is_ruling = true;
        return 0;
    }
    ledger_move(&judge->ledger, row, verdict->score > 0 ? ROW_STATE_CHARGED : ROW_STATE_WIPED);
    if (verdict->score <= 0) {
        return 0;
    }
    if (row->session != NULL && row->session->first_charge == 0) {
        row->session->first_charge = judge->now;
    }
    if (!judge_find_sum(judge, row->who, &sum)) {
        return 0;
    }
    r = judge_rule(judge, &sum);
    *ret_is_ruling = r == 0;
    return r;
}

bool judge_is_stopped(const struct judge *judge, struct actor_key who)
{
    const struct relative *relative = kin_find(&judge->kin, who);

    return relative != NULL && !relative_is_trusted(relative) && relative_ruling(relative) != NULL;
}

bool judge_is_one_group(const struct judge *judge, struct actor_key a, struct actor_key b)
{
    const struct relative *other = kin_find(&judge->kin, b);

    return judge_is_stopped(judge, a) && other != NULL &&
           relative_ruling(other) == relative_ruling(kin_find(&judge->kin, a));
}

uint64_t judge_original(const struct judge *judge, struct file_key file)
{
    const struct row *row = ledger_find(&judge->ledger, file);

    return row != NULL && row->who != NULL && relative_ruling(row->who) != NULL ? row->version : 0;
}

void judge_forgive(struct judge *judge, struct actor_key who)
{
    const struct relative *relative = kin_find(&judge->kin, who);
    struct ruling *ruling = relative != NULL ? relative_ruling(relative) : NULL;

    if (ruling == NULL) {
        return;
    }
    ruling->root->is_trusted = true;
    for (size_t i = 0; i < ruling->member_count; i++) {
        ruling->members[i]->is_trusted = true;
    }
    ruling_free(judge, ruling);
}

bool judge_announce(struct judge *judge, struct actor_key who)
{
    const struct relative *relative = kin_find(&judge->kin, who);
    struct ruling *ruling = relative != NULL ? relative_ruling(relative) : NULL;

    if (ruling != NULL) {
        judge_announced(judge, ruling);
    }
    return ruling != NULL;
}

bool judge_announce_news(struct judge *judge)
{
    LIST_EACH (node, &judge->rulings) {
        struct ruling *ruling = LIST_ENTRY(node, struct ruling, node);

        if (ruling->has_news) {
            judge->announced = ruling;
            return true;
        }
    }
    return false;
}
