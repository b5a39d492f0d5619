/* Answers in: what the content of a file that the judge has asked about says, and what follows:
 * nothing, another look, a charge, or a ciphertext to be matched with what was removed. Doubt
 * never charges: an answer without the scanner's word is asked for again. Neighbours: judge.c,
 * which hands the step over; verdict.h, which reads the signs. */
#include "base/banned.h"
#include "base/time.h"
#include "detect/ransom/judge_part.h"

#define LOOKS_MAX   10
#define UNASKED_MAX 3 /* answers without the scanner's word before one makes do without it */
#define UNSURE_NS   (600 * NS_PER_S) /* from its first step on: so long a file stays in doubt */
#define OPEN_MAX    4 /* looks at a new file that is never closed before it counts as it is */

static void row_note_look(struct row *row, int64_t now)
{
    row->time_look = now;
    row->looks = (uint8_t)(row->looks + (row->looks < LOOKS_MAX));
}

static void scope_arm(struct scope *scope, int64_t now)
{
    if (scope != NULL) {
        scope->armed = now;
    }
}

/* The question that an answer belongs to. Only a removed original is not in the index, and it is
 * asked about until it is answered. */
static struct row *judge_asked(struct judge *judge, const struct judge_step *step)
{
    struct row *row = ledger_find(&judge->ledger, step->file);

    if (row != NULL && (row->state == ROW_STATE_ASKED || row->state == ROW_STATE_WATCHED) &&
        row->version == step->version) {
        return row;
    }
    LIST_EACH (node, &judge->ledger.states[ROW_STATE_ASKED]) {
        row = LIST_ENTRY(node, struct row, node);
        if (!row->is_indexed && row->key.ino == step->file.ino && row->key.dev == step->file.dev &&
            row->version == step->version) {
            return row;
        }
    }
    return NULL;
}

/* Nothing wrong so far: done with when nobody writes any more, else watched. is_unsure: the
 * scanner's word was needed and did not come; what was let pass without it is asked about again,
 * and at once when its group is ruled against. */
static void judge_pass(struct judge *judge, struct row *row, bool is_unsure)
{
    bool is_over = (row->is_closed && row->writers == 0) || row->who == NULL || row->who->is_dead;
    bool is_done = is_over && !(is_unsure && judge->now - row->time_first < UNSURE_NS);
    bool is_stale = row->is_stale; /* what was seen may be what it was before the last write */

    row->is_out = row->is_stale = false;
    row->is_unsure = is_unsure;
    if (is_unsure) {
        row->time_look = judge->now;
    } else {
        row_note_look(row, judge->now);
    }
    if (is_stale) {
        ledger_move(&judge->ledger, row, ROW_STATE_ASKED);
        return;
    }
    ledger_move(&judge->ledger, row, is_done ? ROW_STATE_SEEN : ROW_STATE_WATCHED);
}

/* Whether the scanner's word was needed and did not come. */
static bool judge_lacks_word(const struct row *row, const struct content_signs *signs,
                             const struct judge_step *step)
{
    bool is_known = row->look == JUDGE_LOOK_ORIGINAL ? step->format_before != CONTENT_FORMAT_UNASKED
                                                     : step->format != CONTENT_FORMAT_UNASKED;

    return !is_known && content_needs_format(signs) && !signs->is_after_encrypted_magic;
}

/* Too little for a verdict, as when its writer was stopped at the first bytes. */
static bool signs_are_changed(const struct content_signs *signs)
{
    return signs->size_before != signs->size_after || signs->equal != signs->compared;
}

static int judge_answer_change(struct judge *judge, struct row *row,
                               const struct content_signs *signs, const struct judge_step *step,
                               bool *ret_is_ruling)
{
    struct verdict verdict =
        verdict_of_change(signs, step->format, step->format_before, row->is_closed);

    if (verdict.outcome == FILE_OUTCOME_INTACT && !row->is_self_made &&
        relative_ruling(row->who) != NULL && signs_are_changed(signs)) {
        verdict = (struct verdict){FILE_OUTCOME_OVERWRITTEN, VERDICT_REASON_WIPED, 0};
    }
    if (verdict.outcome == FILE_OUTCOME_INTACT || row->is_self_made) {
        judge_pass(judge, row, !row->is_self_made && judge_lacks_word(row, signs, step));
        return 0;
    }
    if (verdict.reason == VERDICT_REASON_WIPED && judge_match_wiped(judge, row)) {
        verdict.score = VERDICT_SCORE_REMOVED;
    }
    if (row->is_replacing && verdict.outcome == FILE_OUTCOME_ENCRYPTED) {
        verdict.outcome = FILE_OUTCOME_REPLACED;
    }
    return judge_charge(judge, row, &verdict, ret_is_ruling);
}

/* A product of a group that is ruled against already is put aside with the rest of what it did. */
static void judge_tell_product(struct judge *judge, const struct row *row, bool *ret_is_ruling)
{
    struct ruling *ruling = relative_ruling(row->who);

    if (ruling != NULL) {
        judge_announced(judge, ruling);
        *ret_is_ruling = true;
    }
}

static int judge_answer_product(struct judge *judge, struct row *row,
                                const struct content_signs *signs, const struct judge_step *step,
                                bool *ret_is_ruling)
{
    bool is_half = !row->is_closed && row->looks < OPEN_MAX; /* any format looks broken half-way */
    bool is_ruled = relative_ruling(row->who) != NULL;
    uint64_t cover = verdict_of_product(signs, step->format, is_half);
    struct verdict verdict = {FILE_OUTCOME_REPLACED, VERDICT_REASON_REPLACED,
                              VERDICT_SCORE_REMOVED};

    if (cover == 0 && row->is_made && (row->is_note || (is_ruled && signs->size_after == 0))) {
        /* no ciphertext, but theirs: a note, or what a stopped program had just begun */
        ledger_move(&judge->ledger, row, ROW_STATE_PRODUCT);
        judge_tell_product(judge, row, ret_is_ruling);
        return 0;
    }
    if (cover == 0) {
        /* what went into it may be removed next, or has been */
        judge_pass(judge, row, judge_lacks_word(row, signs, step));
        return 0;
    }
    if (row->is_replacing && row->is_victim_read) {
        return judge_charge(judge, row, &verdict, ret_is_ruling);
    }
    if (!row->is_made && !row->is_replacing) { /* an existing file of which nothing could be kept */
        verdict = (struct verdict){FILE_OUTCOME_ENCRYPTED, VERDICT_REASON_REPLACED, 0.5};
        return judge_charge(judge, row, &verdict, ret_is_ruling);
    }
    row->size = signs->size_after;
    row->cover = cover;
    if (row->who != NULL && row->path != NULL) {
        relative_drop_folder(row->who, str_from(row->path));
    }
    ledger_move(&judge->ledger, row, ROW_STATE_PRODUCT);
    scope_arm(row->session, judge->now);
    scope_arm(row->exe, judge->now);
    judge_tell_product(judge, row, ret_is_ruling);
    return judge_match_product(judge, row, ret_is_ruling);
}

int judge_answer(struct judge *judge, const struct judge_step *step, bool *ret_is_ruling)
{
    struct row *row = judge_asked(judge, step);
    struct verdict removed = {FILE_OUTCOME_DELETED, VERDICT_REASON_REMOVED, VERDICT_SCORE_REMOVED};
    struct content_signs signs;
    bool is_blind;

    if (row == NULL) {
        return 0;
    }
    if (step->change == NULL && row->look == JUDGE_LOOK_ORIGINAL) { /* the benefit of no doubt */
        return judge_charge(judge, row, &removed, ret_is_ruling);
    }
    if (step->change == NULL) {
        row->is_unsure = false; /* it cannot be opened any more: asked for ever more seldom */
        row_note_look(row, judge->now);
        ledger_move(&judge->ledger, row, ROW_STATE_WATCHED);
        return 0;
    }
    content_change_signs(step->change, &signs);
    is_blind = judge_lacks_word(row, &signs, step);
    if (is_blind && row->looks < UNASKED_MAX) { /* no knowledge: every archive has such bytes too */
        row_note_look(row, judge->now);
        ledger_move(&judge->ledger, row, ROW_STATE_ASKED);
        return 0;
    }
    switch (row->look) {
    case JUDGE_LOOK_CHANGE:
        return judge_answer_change(judge, row, &signs, step, ret_is_ruling);
    case JUDGE_LOOK_PRODUCT:
        return judge_answer_product(judge, row, &signs, step, ret_is_ruling);
    case JUDGE_LOOK_ORIGINAL:
        break;
    }
    if (is_blind || verdict_is_readable(&signs, step->format_before)) {
        return judge_charge(judge, row, &removed, ret_is_ruling);
    }
    ledger_forget(&judge->ledger, row);
    return 0;
}
