/* A turn: which entry comes next, and the place behind it. Neighbours: files.c before, entry.c
 * behind. */
#include "agent/journal/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/process.h"

#define ENTRIES_A_TURN 1024 /* then signals are heard */

/* Between chains the older entry comes first, as far as the clock tells; within one the lower
 * number, always. */
static struct journal_file *journal_pick(const struct journal *journal)
{
    struct journal_file *best = NULL;

    LIST_EACH (node, &journal->files) {
        struct journal_file *file = LIST_ENTRY(node, struct journal_file, link);

        if (file->has_entry && (best == NULL || file->place.time < best->place.time)) {
            best = file;
        }
    }
    LIST_EACH (node, &journal->files) {
        struct journal_file *file = LIST_ENTRY(node, struct journal_file, link);

        if (file->has_entry && file->chain == best->chain &&
            file->place.number < best->place.number) {
            best = file;
        }
    }
    return best;
}

static bool is_next(const struct journal_file *file)
{
    return file->chain->number == 0 || file->place.number == file->chain->number + 1;
}

/* Numbers are given in the order of writing: once an entry is seen, those before it can be seen
 * too, be it in a file that was made meanwhile. */
static struct journal_file *journal_pick_surely(struct journal *journal)
{
    struct journal_file *file = journal_pick(journal);

    if (file == NULL || is_next(file)) {
        return file;
    }
    if (!journal_list(journal)) {
        follower_end(&journal->follower);
    }
    journal_look(journal);
    return journal_pick(journal);
}

static int journal_hand_on(struct journal *journal, struct journal_file *file)
{
    struct journal_chain *chain = file->chain;
    uint64_t missing = 0;
    int r = 0;

    if (file->place.number <= chain->number) { /* another file of the chain had it too */
        return 0;
    }
    if (chain->number != 0 && (!chain->is_whole || file->is_late)) {
        missing = file->place.number - chain->number - 1;
    }
    if (missing != 0) {
        r = journal_send_missing(journal, file, missing);
    }
    if (r == 0) {
        chain->is_whole = true;
        file->is_late = false;
        r = journal_send(journal, file);
    }
    if (r == 0) {
        chain->number = file->place.number;
        chain->boot = file->place.boot;
        chain->time = file->place.time;
        chain->hash = file->place.hash;
        chain->named = file->folder->named;
        file->tries = 0;
    }
    return r;
}

bool journal_read(void *context)
{
    struct journal *journal = context;
    int r = journal_note_since(journal);

    process_limit_work(FOLLOWER_WORK);
    if (!journal_list(journal)) {
        follower_end(&journal->follower);
        return false;
    }
    journal_look(journal);
    for (unsigned i = 0; r == 0 && i < ENTRIES_A_TURN; i++) {
        struct journal_file *file = journal_pick_surely(journal);

        if (file == NULL) {
            journal->has_waited = false;
            return false;
        }
        r = journal_hand_on(journal, file);
        if (r == 0) {
            journal_step(journal, file);
        }
    }
    if (r == -ERR_AGAIN) {
        journal->follower.is_full = true;
        journal->has_waited = true;
    } else if (r < 0) {
        log_error(_("an entry of the journal cannot be handed on: %s"), err_text(r));
        loop_stop(journal->follower.loop, r);
    }
    return true;
}
