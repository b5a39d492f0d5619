/* Steps in. Each step kind is one function in a table; a file's row carries its
 * state. On its way: sensor → judge_step → judge_answer.c, judge_match.c, judge_ruling.c →
 * judge_ruling → sensor; the questions go out through judge_question.c.
 * Invariants: a step by our own or a trusted process opens no question; every open question is
 * counted against the session and the executable of whoever raised it; nothing is decided by name,
 * rate or time. */
#include "detect/ransom/judge.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "detect/ransom/judge_part.h"

#include <limits.h>

#define RELEASE_MAX 256 /* files given up at once when processes need the room */
#define AWAIT_MAX   8

typedef int judge_step_fn(struct judge *judge, const struct judge_step *step, struct relative *who,
                          bool *ret_is_ruling);

const struct judge_limits judge_limits_default = {
    .stop_score = 3.0,
    .undecided_max = 2,
    .files_max = 65536,
    .actors_max = 16384,
};

int judge_new(const struct judge_limits *limits, struct judge **ret_judge)
{
    struct judge *judge = mem_alloc(1, sizeof(*judge));

    if (judge == NULL) {
        return -ERR_NOMEM;
    }
    judge->limits = *limits;
    kin_init(&judge->kin, limits->actors_max);
    ledger_init(&judge->ledger, limits->files_max, &judge->kin);
    list_init(&judge->rulings);
    *ret_judge = judge;
    return 0;
}

void judge_free(struct judge *judge)
{
    if (judge == NULL) {
        return;
    }
    LIST_EACH (node, &judge->rulings) {
        mem_free(LIST_ENTRY(node, struct ruling, node));
    }
    for (size_t i = 0; i < JUDGE_TAKERS; i++) {
        relative_unref(&judge->kin, judge->takers[i]);
    }
    ledger_done(&judge->ledger);
    kin_done(&judge->kin);
    mem_free(judge);
}

void judge_ask(struct judge *judge, struct row *row, enum judge_look look, struct relative *who)
{
    if (row->state != ROW_STATE_WATCHED) {
        row->looks = 0;
    }
    ledger_own(&judge->ledger, row, who);
    row->is_due = false;
    row->look = look;
    row->time_look = judge->now;
    if (row->time_first == 0) {
        row->time_first = judge->now;
    }
    ledger_move(&judge->ledger, row, ROW_STATE_ASKED);
}

static void scope_add_read(struct scope *scope)
{
    if (scope != NULL) {
        scope->reads += scope->reads < UINT_MAX;
    }
}

/* Also long after it was looked at and found whole, when nobody is named in the row any more. */
static bool row_is_made_by(const struct row *row, const struct relative *who)
{
    return row->is_made && row->made_by.pid == who->key.pid && row->made_by.start == who->key.start;
}

static bool row_is_settled(const struct row *row)
{
    return row->state == ROW_STATE_SEEN || row->state == ROW_STATE_MADE ||
           row->state == ROW_STATE_PRODUCT;
}

/* The row of a file about to be changed. One that a ruling holds is left to that ruling unless
 * somebody else has come: then the restored file is a new victim. */
static int judge_victim_row(struct judge *judge, struct file_key key, struct relative *who,
                            struct row **ret_row)
{
    struct row *row = ledger_find(&judge->ledger, key);

    if (row != NULL && row->state == ROW_STATE_RULED && relative_ruling(who) != row->ruling) {
        ledger_unindex(&judge->ledger, row);
    }
    return ledger_get(&judge->ledger, key, ret_row);
}

static int judge_on_read(struct judge *judge, const struct judge_step *step, struct relative *who,
                         bool *ret_is_ruling)
{
    struct row *row;
    int r;

    (void)ret_is_ruling;
    r = ledger_get(&judge->ledger, step->file, &row);
    if (r < 0) {
        return r;
    }
    row_add_reader(row, who, step->time);
    scope_add_read(who->session);
    scope_add_read(who->exe);
    if (row->state == ROW_STATE_SEEN) {
        row->size = step->size;
        ledger_move(&judge->ledger, row, ROW_STATE_SEEN); /* youngest again */
    }
    return 0;
}

/* A new file without content: CREATE and the gate's WRITE may come in either order. */
static int judge_made(struct judge *judge, struct row *row, const struct judge_step *step,
                      struct relative *who)
{
    int r = row_set_path(&row->path, step->path);

    if (r < 0) {
        return r;
    }
    row->is_made = true;
    row->is_closed = false;
    row->made_session = (uint32_t)who->actor.session;
    row->made_exe = reader_of(who).exe;
    row->made_by = who->key;
    relative_note_folder(who, step->path);
    row->time_first = step->time;
    ledger_own(&judge->ledger, row, who);
    ledger_move(&judge->ledger, row, ROW_STATE_MADE);
    return 0;
}

static int judge_on_write(struct judge *judge, const struct judge_step *step, struct relative *who,
                          bool *ret_is_ruling)
{
    struct row *row;
    int r;

    (void)ret_is_ruling;
    r = judge_victim_row(judge, step->file, who, &row);
    if (r < 0) {
        return r;
    }
    if (step->size != 0) { /* who may write may have read: openat2's flags are not told */
        row_add_reader(row, who, step->time);
    }
    row->writers = (uint16_t)(row->writers + (row->writers < UINT16_MAX));
    row->is_closed = false;
    if (row->state == ROW_STATE_RULED || row->state == ROW_STATE_CHARGED) {
        return 0; /* its first original is the one that counts */
    }
    if (row->state == ROW_STATE_MADE && step->version == 0) {
        return 0;
    }
    if (row_is_settled(row) && step->version == 0 && step->size == 0) {
        return judge_made(judge, row, step, who);
    }
    if (row_is_settled(row)) {
        r = row_set_path(&row->path, step->path);
        if (r < 0) {
            return r;
        }
        row->version = step->version;
        row->size = step->size;
        row->time_first = step->time;
        row->is_self_made = row_is_made_by(row, who);
        row->cover = 0;
    }
    judge_ask(judge, row, row->version != 0 ? JUDGE_LOOK_CHANGE : JUDGE_LOOK_PRODUCT, who);
    return 0;
}

static int judge_on_create(struct judge *judge, const struct judge_step *step, struct relative *who,
                           bool *ret_is_ruling)
{
    struct row *row = ledger_find(&judge->ledger, step->file);
    struct str name = step->path;
    int r;

    (void)ret_is_ruling;
    if (row != NULL && row->version != 0) { /* a second name for a file that is known */
        row->links = (uint8_t)(row->links + (row->links < UINT8_MAX));
        return 0;
    }
    if (row != NULL && row->is_made && row->who == who) {
        return row_set_path(&row->path, step->path);
    }
    if (row != NULL) { /* the number of an inode that went unseen */
        ledger_forget(&judge->ledger, row);
    }
    r = ledger_get(&judge->ledger, step->file, &row);
    if (r < 0) {
        return r;
    }
    for (size_t at = str_find_byte(name, '/'); at < name.len; at = str_find_byte(name, '/')) {
        name = str_slice(name, at + 1, name.len);
    }
    row->is_note = content_is_note_name(name);
    return judge_made(judge, row, step, who);
}

/* A group that reads much makes much, a build above all: its first new file is looked at, the
 * second, the fourth, the eighth. */
static bool relative_is_due(struct relative *who)
{
    struct scope *scope = who->session != NULL ? who->session : who->exe;

    if (scope == NULL || scope->reads < JUDGE_ARM_READS) {
        return false;
    }
    scope->made++;
    return (scope->made & (scope->made - 1)) == 0;
}

static int judge_on_close(struct judge *judge, const struct judge_step *step, struct relative *who,
                          bool *ret_is_ruling)
{
    struct row *row = ledger_find(&judge->ledger, step->file);

    (void)ret_is_ruling;
    if (row == NULL) {
        return 0;
    }
    row->writers = (uint16_t)(row->writers - (row->writers > 0));
    row->is_stale = row->is_out;
    row->is_closed = true; /* whoever closed has done what it meant to do, others may still write */
    if (row->state == ROW_STATE_MADE) {
        row->size = step->size;
        row->writers = 0;
        judge_match_made(judge, row);
        if (row->state == ROW_STATE_MADE && relative_is_due(who)) {
            judge_ask(judge, row, JUDGE_LOOK_PRODUCT, who);
            row->is_due = true;
        }
    } else if (row->state == ROW_STATE_WATCHED) {
        judge_ask(judge, row, row->look, row->who);
    }
    return 0;
}

/* Takes over what the victim was, and asks whether the newcomer is its content still. */
static int judge_replace(struct judge *judge, const struct judge_step *step, struct row *row,
                         struct relative *who)
{
    struct row *victim = ledger_find(&judge->ledger, step->victim);
    bool is_older_kept = victim != NULL && victim->version != 0 &&
                         (victim->state == ROW_STATE_ASKED || victim->state == ROW_STATE_WATCHED);
    int r;

    r = row_set_path(&row->path, step->target_path);
    if (r < 0) {
        return r;
    }
    row->version = is_older_kept ? victim->version : step->victim_version;
    row->is_replacing = true;
    row->is_victim_read = victim != NULL && row_was_read_by(victim, who);
    row->time_first = step->time;
    row->is_closed = row->writers == 0;
    if (victim != NULL) {
        row->size = victim->size != 0 ? victim->size : row->size;
        if (victim->state == ROW_STATE_RULED || victim->state == ROW_STATE_CHARGED) {
            ledger_unindex(&judge->ledger, victim);
        } else {
            ledger_forget(&judge->ledger, victim);
        }
    }
    judge_ask(judge, row, row->version != 0 ? JUDGE_LOOK_CHANGE : JUDGE_LOOK_PRODUCT, who);
    return 0;
}

/* A file that the same process made is its own to replace. */
static bool judge_is_own(const struct judge *judge, struct file_key key, const struct relative *who)
{
    const struct row *row = ledger_find(&judge->ledger, key);

    return row != NULL && row_is_made_by(row, who) && row->version == 0;
}

static int judge_on_rename(struct judge *judge, const struct judge_step *step, struct relative *who,
                           bool *ret_is_ruling)
{
    bool has_victim = step->victim.ino != 0 &&
                      !(step->victim.ino == step->file.ino && step->victim.dev == step->file.dev);
    struct row *row = ledger_find(&judge->ledger, step->file);
    int r;

    (void)ret_is_ruling;
    if (has_victim && judge_is_own(judge, step->victim, who)) {
        ledger_forget(&judge->ledger, ledger_find(&judge->ledger, step->victim));
        has_victim = false;
    }
    if (row == NULL && !has_victim) {
        return 0;
    }
    r = ledger_get(&judge->ledger, step->file, &row);
    if (r < 0) {
        return r;
    }
    if (row->state == ROW_STATE_MADE || row->state == ROW_STATE_PRODUCT) {
        r = row_set_path(&row->path, step->target_path);
    } else if (row->state != ROW_STATE_SEEN) {
        r = row_set_path(&row->path_now, step->target_path);
    }
    if (r < 0 || !has_victim || (!row_is_settled(row) && row->version != 0)) {
        return r;
    }
    return judge_replace(judge, step, row, who);
}

/* Created by the group itself after it had begun: scratch, not a victim. What somebody else has
 * made is none, also when the group has overwritten it before. */
static bool row_is_scratch(const struct row *row, const struct relative *who)
{
    if (!row->is_made || (row->version != 0 && !row->is_self_made)) {
        return false;
    }
    return row_is_made_by(row, who) ||
           (who->session != NULL && row->made_session == who->session->key.first &&
            who->session->first_charge != 0 && row->time_first > who->session->first_charge);
}

/* Took the name of an original, of which nothing else tells. */
static bool row_stands_for_original(const struct row *row)
{
    return row->is_replacing && row->version != 0;
}

/* That the file is removed afterwards undoes nothing. A file that was overwritten where it lay and
 * then removed is shredded: no ransom is asked for it unless there is a ciphertext. */
static bool row_is_damage(const struct row *row)
{
    bool is_charged = row->state == ROW_STATE_CHARGED || row->state == ROW_STATE_WIPED;

    return row->state == ROW_STATE_RULED || (is_charged && row_stands_for_original(row));
}

static int judge_on_delete(struct judge *judge, const struct judge_step *step, struct relative *who,
                           bool *ret_is_ruling)
{
    struct row *row = ledger_find(&judge->ledger, step->file);
    bool is_original;
    int r;

    if (row == NULL) {
        return 0;
    }
    if (row->links != 0) {
        row->links--;
        return 0;
    }
    ledger_unindex(&judge->ledger, row);
    if (row_is_damage(row)) {
        mem_free(row->path_now);
        row->path_now = NULL;
        return 0;
    }
    is_original = !row_stands_for_original(row);
    if (!is_original && row->is_victim_read) {
        row_add_reader(row, row->who, step->time);
    }
    if (row->readers[0].session + row->readers[0].exe == 0 || row_is_scratch(row, who) ||
        row->state == ROW_STATE_PRODUCT || relative_is_trusted(who)) {
        ledger_forget(&judge->ledger, row);
        return 0;
    }
    r = row_set_path(&row->path, row->path != NULL ? STR("") : step->path);
    if (r < 0) {
        ledger_forget(&judge->ledger, row);
        return r;
    }
    row->version = row->version != 0 ? row->version : step->version;
    row->size = step->size != 0 && is_original ? step->size : row->size;
    row->time_first = row->time_first != 0 && !row->is_made ? row->time_first : step->time;
    ledger_own(&judge->ledger, row, who);
    ledger_move(&judge->ledger, row, ROW_STATE_GONE);
    return judge_match_gone(judge, row, ret_is_ruling);
}

static int judge_on_unlink(struct judge *judge, const struct judge_step *step, struct relative *who,
                           bool *ret_is_ruling)
{
    size_t last = (judge->next_taker + JUDGE_TAKERS - 1) % JUDGE_TAKERS;

    (void)step;
    (void)ret_is_ruling;
    if (judge->takers[last] == who) {
        return 0;
    }
    relative_ref(who);
    relative_unref(&judge->kin, judge->takers[judge->next_taker]);
    judge->takers[judge->next_taker] = who;
    judge->next_taker = (judge->next_taker + 1) % JUDGE_TAKERS;
    return 0;
}

/* The oldest row that keeps a process in memory though nobody asks about it, or NULL. */
static struct row *judge_least(struct judge *judge)
{
    static const enum row_state states[] = {ROW_STATE_MADE, ROW_STATE_GONE, ROW_STATE_PRODUCT,
                                            ROW_STATE_WIPED};
    struct row *least = NULL;

    for (unsigned i = 0; i < ARRAY_LEN(states); i++) {
        struct list *head = &judge->ledger.states[states[i]];
        struct row *row = LIST_ENTRY(head->next, struct row, node);

        if (!list_is_empty(head) && (least == NULL || row->time_first < least->time_first)) {
            least = row;
        }
    }
    return least;
}

/* Finds whoever made the step; files that nobody asks about give way when there are too many
 * processes. */
static int judge_who(struct judge *judge, struct actor_key key, struct relative **ret_who)
{
    int r = kin_get(&judge->kin, key, ret_who);

    for (unsigned i = 0; r == -ERR_LIMIT && i < RELEASE_MAX; i++) {
        struct row *row = judge_least(judge);

        if (row == NULL) {
            break;
        }
        ledger_move(&judge->ledger, row, ROW_STATE_SEEN);
        r = kin_get(&judge->kin, key, ret_who);
    }
    return r;
}

int judge_step(struct judge *judge, const struct judge_step *step, bool *ret_is_ruling)
{
    static judge_step_fn *const table[JUDGE_STEP_COUNT] = {
        [JUDGE_STEP_READ] = judge_on_read,     [JUDGE_STEP_WRITE] = judge_on_write,
        [JUDGE_STEP_CREATE] = judge_on_create, [JUDGE_STEP_CLOSE] = judge_on_close,
        [JUDGE_STEP_RENAME] = judge_on_rename, [JUDGE_STEP_DELETE] = judge_on_delete,
        [JUDGE_STEP_UNLINK] = judge_on_unlink,
    };
    struct relative *who = NULL;
    int r;

    *ret_is_ruling = false;
    judge->now = step->time;
    if (step->kind >= JUDGE_STEP_COUNT) {
        return -ERR_INVAL;
    }
    if (step->kind == JUDGE_STEP_EXIT) {
        kin_exit(&judge->kin, step->who);
        return 0;
    }
    if (step->kind == JUDGE_STEP_CONTENT) {
        return judge_answer(judge, step, ret_is_ruling);
    }
    r = judge_who(judge, step->kind == JUDGE_STEP_ACTOR ? step->actor->key : step->who, &who);
    if (r < 0) {
        return r;
    }
    if (step->kind == JUDGE_STEP_ACTOR) {
        return kin_learn(&judge->kin, step->actor);
    }
    if (who->actor.is_exempt || (relative_is_trusted(who) && step->kind != JUDGE_STEP_DELETE)) {
        return 0;
    }
    relative_ref(who); /* a step may forget the last row that held it */
    r = table[step->kind](judge, step, who, ret_is_ruling);
    relative_unref(&judge->kin, who);
    return r;
}

/* Whether somebody who has read much writes a file that will be looked at when it is closed. */
static bool judge_awaits_close(const struct judge *judge)
{
    const struct list *made = &judge->ledger.states[ROW_STATE_MADE];
    unsigned seen = 0;

    for (struct list *node = made->prev; node != made && seen < AWAIT_MAX;
         node = node->prev, seen++) {
        const struct row *row = LIST_ENTRY(node, const struct row, node);
        const struct scope *scope = row->session != NULL ? row->session : row->exe;

        if (!row->is_closed && scope != NULL && scope->reads >= JUDGE_ARM_READS &&
            (scope->made & (scope->made + 1)) == 0) {
            return true;
        }
    }
    return false;
}

bool judge_is_calm(const struct judge *judge, int64_t now, int64_t age_ns)
{
    const struct list *charged = &judge->ledger.states[ROW_STATE_CHARGED];
    const struct row *youngest = LIST_ENTRY(charged->prev, const struct row, node);

    return (list_is_empty(charged) || now - youngest->time_look >= age_ns) &&
           !judge_awaits_close(judge);
}
