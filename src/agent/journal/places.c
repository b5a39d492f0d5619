/* How far each chain was handed on, in memory and in the outlet's notes. A chain is noted under the
 * number of its slot, so that chains of old, whose files are gone, do not fill the notes. */
#include "agent/journal/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/time.h"

static uint64_t slot_log(size_t slot)
{
    char name[32];

    (void)snprintf(name, sizeof(name), JOURNAL_NAME "/%zu", slot);
    return position_log(str_from(name));
}

static void chain_load(struct journal_chain *chain, const struct position *noted)
{
    *chain = (struct journal_chain){
        .chain = noted->dev, .boot = noted->ino, .number = noted->offset, .time = noted->mark};
}

int journal_load(struct journal *journal, struct diag *diag)
{
    const struct agent_settings *settings = journal->config->settings;
    CLEANUP(positions_done) struct positions positions;
    const struct position *noted;
    char path[4096];
    int r;

    (void)snprintf(path, sizeof(path), "%s/spool/" POSITIONS_FILE, settings->folder);
    r = positions_open(&positions, path, false);
    if (r < 0 && r != -ERR_NOENT) {
        return diag_set(diag, r, _("cannot read how far the logs were read (%s): %s"), path,
                        err_text(r));
    }
    noted = positions_find(&positions, position_log(STR(JOURNAL_NAME)));
    journal->is_since_noted = noted != NULL;
    journal->since =
        noted != NULL ? noted->mark
                      : (uint64_t)((clock_wall(&clock_real) - settings->journal_since) / NS_PER_US);
    for (size_t i = 0; i < JOURNAL_CHAINS_MAX; i++) {
        noted = positions_find(&positions, slot_log(i));
        if (noted != NULL) {
            chain_load(&journal->chains[i], noted);
        }
    }
    return 0;
}

int journal_note_since(struct journal *journal)
{
    const struct position position = {.log = position_log(STR(JOURNAL_NAME)),
                                      .mark = journal->since};
    int r = journal->is_since_noted ? 0 : follower_send(&journal->follower, NULL, &position);

    journal->is_since_noted = r == 0;
    return r;
}

static int parse_half(struct str id, uint64_t *ret_half)
{
    uint8_t bytes[16];
    int r = hex_decode(id, bytes, sizeof(bytes));

    for (size_t i = 0; r == 0 && i < sizeof(*ret_half); i++) {
        *ret_half = *ret_half << 8 | bytes[i];
    }
    return r;
}

static int parse_number(struct str text, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (text.len == 0 || text.len > 16) {
        return -ERR_SYNTAX;
    }
    for (size_t i = 0; i < text.len; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, text.ptr[i]);

        if (digit == NULL || *digit == '\0') {
            return -ERR_SYNTAX;
        }
        number = number << 4 | (uint64_t)(digit - digits);
    }
    *ret_number = number;
    return 0;
}

/* "s=ID;i=NUMBER;b=BOOT;m=MONOTONIC;t=REALTIME;x=HASH", numbers in hexadecimal; the library of
 * Debian 12 gives an entry's number in no other way. */
int journal_parse_cursor(struct str cursor, struct journal_place *ret_place)
{
    struct journal_place place = {0};
    struct str part;
    int r = 0;

    while (r == 0 && str_cut(&cursor, ';', &part)) {
        struct str value = str_slice(part, 2, part.len);

        if (str_has_prefix(part, STR("s="))) {
            r = parse_half(value, &place.chain);
            (void)snprintf(place.id, sizeof(place.id), "%.*s", STR_ARG(value));
        } else if (str_has_prefix(part, STR("b="))) {
            r = parse_half(value, &place.boot);
        } else if (str_has_prefix(part, STR("i="))) {
            r = parse_number(value, &place.number);
        } else if (str_has_prefix(part, STR("t="))) {
            r = parse_number(value, &place.time);
        } else if (str_has_prefix(part, STR("x="))) {
            r = parse_number(value, &place.hash);
        }
    }
    if (r < 0 || place.chain == 0 || place.number == 0) {
        return -ERR_SYNTAX;
    }
    *ret_place = place;
    return 0;
}

struct journal_chain *journal_find_chain(struct journal *journal, uint64_t chain)
{
    struct journal_chain *best = NULL;

    for (size_t i = 0; i < JOURNAL_CHAINS_MAX; i++) {
        struct journal_chain *other = &journal->chains[i];

        if (other->chain == chain) {
            return other;
        }
        if (other->files == 0 && (best == NULL || other->time < best->time)) {
            best = other; /* a free one has no time */
        }
    }
    if (best != NULL) {
        *best = (struct journal_chain){.chain = chain, .is_whole = true};
    }
    return best;
}

bool journal_is_copy(const struct journal *journal, const struct journal_file *file)
{
    if (file->chain->number != 0) {
        return false;
    }
    for (size_t i = 0; i < JOURNAL_CHAINS_MAX; i++) {
        const struct journal_chain *other = &journal->chains[i];

        if (other->named != NULL && other->named != file->folder->named &&
            other->boot == file->place.boot &&
            (file->place.time < other->time ||
             (file->place.time == other->time && file->place.hash == other->hash))) {
            return true;
        }
    }
    return false;
}

struct position journal_position(const struct journal *journal, const struct journal_chain *chain,
                                 const struct journal_place *place)
{
    return (struct position){.log = slot_log((size_t)(chain - journal->chains)),
                             .dev = place->chain,
                             .ino = place->boot,
                             .offset = place->number,
                             .mark = place->time};
}
