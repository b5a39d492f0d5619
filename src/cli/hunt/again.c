/* See again.h. A reader that ends tells by its hands (hands.h) what it was at. With one thread that
 * is the culprit, or the block whose lines the next reader tries one by one (reader_skip.c); each
 * reader that ends so leaves one more thing known, and past HUNT_SKIPS_MAX the hunt is given up. */
#include "cli/hunt/again.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/hunt/reader.h"
#include "cli/hunt/relay.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <sys/wait.h>
#include <unistd.h>

#define RUNS_MAX (2 * HUNT_SKIPS_MAX)

struct again {
    struct hunt_order *order;
    struct relay relay;
    struct porter porter;
    int status; /* of the reader, as waitpid gives it */
    unsigned runs;
};

/* ---- what a reader that ended was at */

static uint64_t hand_get(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static enum hand_phase hand_phase(const struct hand *hand)
{
    return (enum hand_phase)atomic_load_explicit(&hand->phase, memory_order_relaxed);
}

static void put_skip(struct buf *line, const struct hunt_skip *skip)
{
    unsigned long long number = skip->number;

    switch (skip->kind) {
    case HUNT_SKIP_READ:
        (void)buf_putf(line, _("not read from record %llu on"), number);
        break;
    case HUNT_SKIP_LINE:
        (void)buf_putf(line, _("line %llu is not judged"), number);
        break;
    case HUNT_SKIP_ENTRY:
        (void)buf_putf(line, _("record %llu is not judged"), number);
        break;
    case HUNT_SKIP_BLOCK:
        (void)buf_putf(line, _("the records of the mebibyte from %llu on are not judged"), number);
        break;
    }
}

static void again_tell(const struct again *again, const struct hunt_skip *skip, struct str path)
{
    CLEANUP(buf_done) struct buf line;

    buf_init(&line, 64 << 10);
    (void)buf_put_plain(&line, path);
    (void)buf_put_text(&line, ": ");
    put_skip(&line, skip);
    (void)buf_put_text(&line, ": ");
    if (again->relay.is_hung) {
        (void)buf_putf(&line, _("it held up the process that reads for more than %d s"),
                       (int)(again->order->patience / NS_PER_S));
    } else {
        (void)buf_putf(&line, _("it ended the process that reads by signal %d"),
                       WTERMSIG(again->status));
    }
    (void)command_fail(EXIT_STATUS_FAILED, "%.*s", STR_ARG(buf_str(&line)));
}

static bool again_skip(struct again *again, enum hunt_skip_kind kind, const struct hand *hand,
                       uint64_t number)
{
    struct hunt_order *order = again->order;
    const struct hunt_skip skip = {.kind = kind, .file = hand_get(&hand->file), .number = number};

    if (order->skip_count == HUNT_SKIPS_MAX || order_skips(order, kind, skip.file, number)) {
        return false;
    }
    order->skips[order->skip_count++] = skip;
    again_tell(again, &skip, hand_path(hand));
    return true;
}

static bool again_suspect(struct hunt_order *order, const struct hand *hand)
{
    const struct hunt_suspect suspect = {hand_get(&hand->file), hand_get(&hand->block)};

    if (order->suspect_count == HUNT_SUSPECTS_MAX) {
        return false;
    }
    order->suspects[order->suspect_count++] = suspect;
    return true;
}

/* One thread was at it. False: that it ends there is all that can be known. */
static bool again_learn_one(struct again *again, const struct hand *hand)
{
    struct hunt_order *order = again->order;
    uint64_t block = hand_get(&hand->block);

    switch (hand_phase(hand)) {
    case HAND_PHASE_READ:
        return again_skip(again, HUNT_SKIP_READ, hand, hand_get(&hand->at));
    case HAND_PHASE_TEAR:
        return again_skip(again, HUNT_SKIP_LINE, hand, hand_get(&hand->at));
    case HAND_PHASE_JUDGE:
        return again_skip(again, HUNT_SKIP_ENTRY, hand, hand_get(&hand->at));
    case HAND_PHASE_PARSE:
        return order_suspects(order, hand_get(&hand->file), block)
                   ? again_skip(again, HUNT_SKIP_BLOCK, hand, block)
                   : again_suspect(order, hand);
    case HAND_PHASE_NONE:
        break;
    }
    return false;
}

/* Several threads were at something, any of which may have done it. */
static bool again_learn(struct again *again)
{
    const struct hands *hands = again->porter.hands;
    bool is_known = false;

    for (size_t i = 0; hands != NULL && i < HANDS_MAX; i++) {
        const struct hand *hand = &hands->hands[i];
        enum hand_phase phase = hand_phase(hand);

        if (again->order->jobs == 1 && phase != HAND_PHASE_NONE) {
            return again_learn_one(again, hand);
        }
        if (phase == HAND_PHASE_PARSE || phase == HAND_PHASE_JUDGE) {
            is_known |= again_suspect(again->order, hand);
        }
        is_known |= phase == HAND_PHASE_READ;
    }
    return is_known;
}

/* ---- one reader after the other */

static int again_begin(struct again *again)
{
    const int64_t patience = again->order->patience * (int64_t)again->order->jobs;
    struct porter *porter = &again->porter;
    const uint64_t told = porter->told > porter->failed ? porter->told : porter->failed;
    int ends[2] = {-1, -1};
    int r = channel_pair(ends);

    if (r < 0) {
        return diag_set(&porter->diag, r, _("cannot start a worker: %s"), err_text(r));
    }
    again->order->is_again = again->runs != 0;
    r = porter_start(porter, "canhgac-hunt", hunt_reader_run, again->order, ends[1]);
    closep(&ends[1]);
    porter->told = told;
    if (r < 0) {
        closep(&ends[0]);
        return r;
    }
    again->relay.is_left_out = order_skips(again->order, HUNT_SKIP_BLOCK, again->relay.mark.file,
                                           again->relay.mark.record);
    r = relay_start(&again->relay, ends[0], porter->pid, porter->hands, patience);
    if (r < 0) {
        porter_kill(porter);
        (void)porter_wait(porter);
        porter_done(porter);
        return diag_set(&porter->diag, r, _("cannot start a worker: %s"), err_text(r));
    }
    return 0;
}

static bool again_is_due(struct again *again)
{
    if (WIFEXITED(again->status) || again->relay.is_changed || again->relay.error < 0 ||
        porter_is_stopped() || again->porter.is_once || again->runs >= RUNS_MAX ||
        !again_learn(again)) {
        return false;
    }
    if (again->order->jobs != 1) {
        again->order->jobs = 1;
        (void)command_fail(EXIT_STATUS_FAILED,
                           _("the process that reads ended over an entry; all is read again, with "
                             "one thread, to find it"));
    }
    return true;
}

/* An enum exit_status of the last reader. */
static int again_end(struct again *again)
{
    if (again->relay.is_changed) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("the files changed while they were read, and the process that reads "
                              "had ended: not all was told; run the hunt again"));
    }
    if (again->relay.error < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("what was found cannot be written to the standard output: %s"),
                            err_text(again->relay.error));
    }
    if (!WIFEXITED(again->status)) {
        return porter_tell_ended(&again->porter, again->status);
    }
    return again->order->skip_count != 0 ? EXIT_STATUS_FAILED : WEXITSTATUS(again->status);
}

/* The relay goes first: it may end the reader by its number, and reads its hands. */
static void again_wait(struct again *again, bool is_whole)
{
    if (is_whole) {
        porter_close(&again->porter);
    } else {
        porter_kill(&again->porter);
    }
    relay_join(&again->relay);
    again->status = porter_wait(&again->porter);
}

/* What one reader came to. *ret_is_due: another is to begin. */
static int again_once(struct again *again, again_carry_fn *carry, void *context, bool *ret_is_due)
{
    int status;
    int r = again_begin(again);

    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&again->porter.diag, r));
    }
    again->runs++;
    r = carry(context, &again->porter);
    again_wait(again, r != -ERR_NOENT);
    if (r == -ERR_NOENT) {
        porter_done(&again->porter);
        return EXIT_STATUS_FAILED;
    }
    *ret_is_due = again_is_due(again);
    status = *ret_is_due ? 0 : again_end(again);
    if (status == EXIT_STATUS_CLEAN && (again->porter.failed != 0 || r < 0)) {
        status = EXIT_STATUS_FAILED;
    }
    porter_done(&again->porter);
    return status;
}

int hunt_again_run(struct hunt_order *order, again_carry_fn *carry, void *context)
{
    static struct again again;
    off_t input = lseek(STDIN_FILENO, 0, SEEK_CUR);
    bool is_due = true;
    int status = 0;

    again = (struct again){.order = order};
    while (is_due) {
        is_due = false;
        if (again.runs != 0 && input >= 0) {
            (void)lseek(STDIN_FILENO, input, SEEK_SET);
        }
        status = again_once(&again, carry, context, &is_due);
    }
    return status;
}
