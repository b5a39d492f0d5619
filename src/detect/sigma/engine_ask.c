/* Asking a way as a whole: from step to step, each atom's answer kept for the entry, since rules
 * share them. What scans have seen needs no second look. */
#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/engine_run.h"
#include "detect/sigma/text.h"
#include "detect/sigma/value.h"

#include <string.h>

#define LONG_VALUE  2048 /* bytes from which all needles of a field are looked for at once, */
#define MANY_ASKED  2    /* or when more than these have been asked for, */
#define SHORT_ASKED 16   /* or these, of a value that is no longer than */
#define SHORT_VALUE 256
#define SCAN_BYTES  4   /* scanned for the price of one value, */
#define SEEN_WORK   100 /* and for each clue that was seen: where many are, scanning is slower */

/* By the rarest byte of what is looked for: most values do not have it. */
static bool has_inside(struct str text, const struct engine_atom *atom)
{
    struct str want = atom->text;
    const char *at = text.ptr + atom->rare_at;
    const char *end;

    if (text.len < want.len) {
        return false;
    }
    if (text.len >= LONG_VALUE) {
        return str_find(text, want) != text.len;
    }
    end = at + (text.len - want.len) + 1;
    while ((at = memchr(at, atom->rare, (size_t)(end - at))) != NULL) {
        if (memcmp(at - atom->rare_at, want.ptr, want.len) == 0) {
            return true;
        }
        at++;
    }
    return false;
}

/* By a byte in the middle first, at which most texts differ. */
static inline bool bytes_are(const char *a, const char *b, size_t len)
{
    return len == 0 || (a[len / 2] == b[len / 2] && memcmp(a, b, len) == 0);
}

static inline bool has_text(struct str text, const struct engine_atom *atom)
{
    struct str want = atom->text;

    switch ((int)atom->ask) {
    case ASK_THERE:
        return true;
    case ASK_EQUAL:
        return text.len == want.len && bytes_are(text.ptr, want.ptr, want.len);
    case ASK_START:
        return text.len >= want.len && bytes_are(text.ptr, want.ptr, want.len);
    case ASK_END:
        return text.len >= want.len &&
               bytes_are(text.ptr + (text.len - want.len), want.ptr, want.len);
    case ASK_INSIDE:
        return has_inside(text, atom);
    default:
        return sigma_pattern_matches(atom->atom->parts, atom->atom->part_count, text);
    }
}

static bool regex_holds(struct sigma_matcher *matcher, const struct engine_atom *atom,
                        struct str text)
{
    bool is_found = false;
    int r = regex_find(atom->regex, &matcher->bench, text, &matcher->work, &is_found);

    matcher->stats.regexes++;
    if (r == -ERR_LIMIT) {
        matcher->stats.regex_limits++;
    }
    if (r < 0) {
        matcher->error = matcher->error == -ERR_NOMEM ? matcher->error : r;
    }
    return is_found;
}

static inline size_t value_len(const struct sigma_matcher *matcher, uint32_t place)
{
    const struct entry *entry = matcher->entry;

    return place < entry->count ? entry->fields[place].value.len : entry->raw.len;
}

/* Whether the regex need be run: its byte stands in the value, which is long enough. With escapes
 * values are longer than without. */
static bool regex_may_hold(struct sigma_matcher *matcher, const struct engine_atom *atom,
                           uint32_t place)
{
    struct str folded;

    if (value_len(matcher, place) < atom->least) {
        return false;
    }
    if (atom->rare == '\0') {
        return true;
    }
    folded = value_folded(matcher, place);
    return folded.len > 0 && memchr(folded.ptr, atom->rare, folded.len) != NULL;
}

static inline bool value_holds(struct sigma_matcher *matcher, const struct engine_atom *atom,
                               uint32_t place)
{
    if (value_is_null(matcher, place)) {
        return false;
    }
    if (atom->ask == ASK_REGEX) {
        return regex_may_hold(matcher, atom, place) &&
               regex_holds(matcher, atom, value_text(matcher, place));
    }
    if (atom->ask == ASK_VALUE) {
        return sigma_value_holds(atom->atom, value_text(matcher, place));
    }
    return has_text(atom->is_cased ? value_text(matcher, place) : value_folded(matcher, place),
                    atom);
}

/* Keywords look in every value of a structured entry, else in all of its bytes. */
static uint32_t place_first(const struct sigma_matcher *matcher, uint32_t field)
{
    if (field != 0) {
        return field_first(matcher, field);
    }
    if (!matcher->entry->is_structured) {
        return (uint32_t)matcher->entry->count;
    }
    return matcher->entry->count == 0 ? ENGINE_NONE : 0;
}

static uint32_t place_next(const struct sigma_matcher *matcher, uint32_t field, uint32_t place)
{
    if (field != 0) {
        return matcher->values[place].next;
    }
    return place + 1 < matcher->entry->count ? place + 1 : ENGINE_NONE;
}

/* What it costs at worst to look at a value; regexes see to theirs. */
static inline uint64_t value_work(const struct sigma_matcher *matcher,
                                  const struct engine_atom *atom, uint32_t place)
{
    switch ((int)atom->ask) {
    case ASK_INSIDE:
    case ASK_PATTERN:
        return 1 + value_len(matcher, place) / (atom->is_dear ? 1 : WORK_BYTES);
    default:
        return 1;
    }
}

static bool any_value_holds(struct sigma_matcher *matcher, const struct engine_atom *atom)
{
    for (uint32_t place = place_first(matcher, atom->field); place != ENGINE_NONE;
         place = place_next(matcher, atom->field, place)) {
        if (!work_take(matcher, value_work(matcher, atom, place))) {
            return false;
        }
        if (value_holds(matcher, atom, place)) {
            return true;
        }
    }
    return false;
}

/* How many needles of the field may be asked for, one by one. */
static uint32_t asks_of(const struct sigma_matcher *matcher, uint32_t field)
{
    size_t total = 0;

    for (uint32_t place = place_first(matcher, field); place != ENGINE_NONE && total < LONG_VALUE;
         place = place_next(matcher, field, place)) {
        total += VALUE_PAD + value_len(matcher, place);
    }
    if (total >= LONG_VALUE) {
        return 0;
    }
    return total < SHORT_VALUE + VALUE_PAD ? SHORT_ASKED : MANY_ASKED;
}

static void see_broad(void *context, uint32_t clue)
{
    struct sigma_matcher *matcher = context;

    if (matcher->seen[clue] != matcher->stamp) {
        matcher->seen[clue] = matcher->stamp;
        matcher->seen_list[matcher->seen_count++] = clue;
    }
}

static void scan_broad(struct sigma_matcher *matcher, uint32_t field)
{
    const struct sigma_engine *engine = matcher->engine;
    const struct scan_teller teller = {
        see_broad, matcher, matcher->places, matcher->seen, matcher->stamp,
    };

    for (uint32_t place = place_first(matcher, field); place != ENGINE_NONE;
         place = place_next(matcher, field, place)) {
        if (!value_is_null(matcher, place)) {
            struct str text = value_folded(matcher, place);

            if (!work_take(matcher, text.len / SCAN_BYTES + matcher->seen_count * SEEN_WORK)) {
                break;
            }
            scan_text(engine->broad[field], text, &teller);
        }
    }
    matcher->heads[field].broad = matcher->stamp;
}

/* How many needles of the field may still be asked for; then they are looked for all at once. */
static uint32_t *asks_left(struct sigma_matcher *matcher, uint32_t field)
{
    struct head *head = &matcher->heads[field];

    if (head->asks_stamp != matcher->stamp) {
        head->asks_stamp = matcher->stamp;
        head->asks = asks_of(matcher, field);
    }
    return &head->asks;
}

/* A needle that no scan has looked for. */
static bool inside_holds(struct sigma_matcher *matcher, const struct engine_atom *atom)
{
    uint32_t *asks = asks_left(matcher, atom->field);

    if (*asks > 0) {
        *asks -= 1;
        return any_value_holds(matcher, atom);
    }
    scan_broad(matcher, atom->field);
    return matcher->seen[atom->clue] == matcher->stamp;
}

/* Not there, or not one value that is not null. */
static bool null_holds(const struct sigma_matcher *matcher, uint32_t field)
{
    for (uint32_t place = field_first(matcher, field); place != ENGINE_NONE;
         place = matcher->values[place].next) {
        if (!value_is_null(matcher, place)) {
            return false;
        }
    }
    return true;
}

static struct str value_of(struct sigma_matcher *matcher, const struct engine_atom *atom,
                           uint32_t place)
{
    return atom->is_cased ? value_text(matcher, place) : value_folded(matcher, place);
}

static bool field_holds(struct sigma_matcher *matcher, const struct engine_atom *atom)
{
    for (uint32_t place = field_first(matcher, atom->field); place != ENGINE_NONE;
         place = matcher->values[place].next) {
        for (uint32_t other = field_first(matcher, atom->other); other != ENGINE_NONE;
             other = matcher->values[other].next) {
            if (!work_take(matcher, 1 + matcher->entry->fields[place].value.len / WORK_BYTES)) {
                return false;
            }
            if (!value_is_null(matcher, place) && !value_is_null(matcher, other) &&
                sigma_value_affix(atom->atom->affix, value_of(matcher, atom, place),
                                  value_of(matcher, atom, other))) {
                return true;
            }
        }
    }
    return false;
}

/* Whether the atom's clue was looked for in this entry, so that it has been seen if it is there. */
static inline bool is_looked_for(const struct sigma_matcher *matcher,
                                 const struct engine_atom *atom)
{
    return probe_looks_for(&matcher->plan->probes[atom->field], &atom->wanted) ||
           (atom->is_needle && matcher->heads[atom->field].broad == matcher->stamp);
}

static bool atom_ask(struct sigma_matcher *matcher, const struct engine_atom *atom);
static bool atom_holds(struct sigma_matcher *matcher, const struct engine_atom *atom);

/* A member whose clue was seen; of those with the clue, any may hold.
 * NOLINTNEXTLINE(misc-no-recursion): a set's members are no sets */
static bool member_holds(struct sigma_matcher *matcher, const struct engine_atom *set,
                         const struct set_member *member)
{
    const struct sigma_engine *engine = matcher->engine;
    const struct set_member *end = &engine->members[set->first + set->count];
    uint32_t clue = member->clue;

    for (; member < end && member->clue == clue; member++) {
        if (atom_holds(matcher, &engine->atoms[member->atom])) {
            return true;
        }
    }
    return false;
}

static const struct set_member *member_find(const struct sigma_engine *engine,
                                            const struct engine_atom *set, uint32_t clue)
{
    const struct set_member *members = &engine->members[set->first];
    size_t low = 0;
    size_t high = set->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (members[middle].clue < clue) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set->count && members[low].clue == clue ? &members[low] : NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): a set's members are no sets */
static bool any_member_holds(struct sigma_matcher *matcher, const struct engine_atom *set)
{
    const struct set_member *members = &matcher->engine->members[set->first];

    for (uint32_t i = 0; i < set->count; i++) {
        if (atom_holds(matcher, &matcher->engine->atoms[members[i].atom])) {
            return true;
        }
    }
    return false;
}

/* Whether all clues of the set have been looked for; needles now, if not before and if they are
 * many. */
static bool set_is_looked_for(struct sigma_matcher *matcher, const struct engine_atom *set)
{
    const struct sigma_engine *engine = matcher->engine;
    const struct engine_atom *member = &engine->atoms[engine->members[set->first].atom];

    if (set->is_waited && probe_looks_for(&matcher->plan->probes[set->field], &member->wanted)) {
        return true;
    }
    if (!member->is_needle) {
        return false;
    }
    if (matcher->heads[set->field].broad == matcher->stamp) {
        return true;
    }
    if (set->count <= *asks_left(matcher, set->field)) {
        return false;
    }
    scan_broad(matcher, set->field);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): a set's members are no sets */
static bool set_holds(struct sigma_matcher *matcher, const struct engine_atom *set)
{
    uint32_t least = matcher->engine->members[set->first].clue;
    uint32_t most = matcher->engine->members[set->first + set->count - 1].clue;

    if (field_first(matcher, set->field) == ENGINE_NONE) {
        return false;
    }
    if (!set_is_looked_for(matcher, set) || matcher->seen_count > set->count) {
        return any_member_holds(matcher, set);
    }
    for (size_t i = 0; i < matcher->seen_count; i++) {
        uint32_t clue = matcher->seen_list[i];
        const struct set_member *member =
            clue < least || clue > most ? NULL : member_find(matcher->engine, set, clue);

        if (member != NULL && member_holds(matcher, set, member)) {
            return true;
        }
    }
    return false;
}

/* What its clue does not say. NOLINTNEXTLINE(misc-no-recursion): a set's members are no sets */
static bool atom_ask(struct sigma_matcher *matcher, const struct engine_atom *atom)
{
    switch ((int)atom->ask) {
    case ASK_EXISTS:
        return (field_first(matcher, atom->field) != ENGINE_NONE) == atom->atom->want;
    case ASK_NULL:
        return null_holds(matcher, atom->field);
    case ASK_FIELD:
        return field_holds(matcher, atom);
    case ASK_SET:
        return set_holds(matcher, atom);
    default:
        return any_value_holds(matcher, atom);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): a set's members are no sets */
static inline bool atom_holds(struct sigma_matcher *matcher, const struct engine_atom *atom)
{
    if (is_looked_for(matcher, atom)) {
        bool is_seen = matcher->seen[atom->clue] == matcher->stamp;

        return is_seen && (atom->is_needle || atom_ask(matcher, atom));
    }
    return atom->is_needle ? inside_holds(matcher, atom) : atom_ask(matcher, atom);
}

bool way_holds(struct sigma_matcher *matcher, const struct engine_way *way)
{
    const struct sigma_engine *engine = matcher->engine;
    uint32_t at = way->start;

    while (at < ENGINE_NO) {
        const struct step *step = &engine->steps[at];
        uint32_t answer = matcher->answers[step->atom];

        if (answer >> 1 != matcher->stamp) {
            answer =
                matcher->stamp << 1 | (uint32_t)atom_holds(matcher, &engine->atoms[step->atom]);
            matcher->answers[step->atom] = answer;
        }
        at = (answer & 1) != 0 ? step->yes : step->no;
    }
    return at == ENGINE_YES;
}
