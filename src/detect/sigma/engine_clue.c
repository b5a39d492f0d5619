/* Clues: what can be seen of an entry by one look-up, or while its values are scanned. Each atom
 * that cannot hold without one gets the best; atoms with the same clue share it. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_compile.h"
#include "detect/sigma/text.h"
#include "detect/sigma/value.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define NUMBER_EXACT 1e15 /* whole numbers below it are told apart */
#define CLUE_FACTOR  0x9fb21c651e98df25ULL
#define COMMON_COST  100 /* to be seen in one of 1,000 */
#define BASE_MAX     64  /* bytes of a name behind the last slash */
#define SPAN_MAX     64  /* bytes that are hashed; of longer texts half of them at each end */

const char clue_bytes[CLUE_BYTES] = "`^~{}$%@#!;|&<>?";
const uint8_t clue_lengths[CLUE_LENGTHS] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32};

/* Up to eight bytes as a number: the same for the same bytes and length. */
static inline uint64_t short_word(const char *bytes, size_t len)
{
    uint64_t word = 0;
    uint32_t low;
    uint32_t high;

    if (len >= 8) {
        memcpy(&word, bytes, 8);
    } else if (len >= 4) {
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + len - 4, 4);
        word = (uint64_t)high << 32 | low;
    } else if (len > 0) {
        word = (uint64_t)(unsigned char)bytes[0] << 16 |
               (uint64_t)(unsigned char)bytes[len / 2] << 8 | (unsigned char)bytes[len - 1];
    }
    return word;
}

static inline uint64_t hash_step(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * CLUE_FACTOR;
    return hash ^ hash >> 29;
}

static inline uint64_t hash_span(uint64_t hash, const char *bytes, size_t len)
{
    size_t at = 0;

    for (; at + 8 < len; at += 8) {
        hash = hash_step(hash, short_word(bytes + at, 8));
    }
    return hash_step(hash, len >= 8 ? short_word(bytes + len - 8, 8) : short_word(bytes, len));
}

uint64_t clue_hash(enum clue_kind kind, uint32_t field, struct str text)
{
    uint64_t hash = hash_step((uint64_t)field << 8 | kind, text.len);

    if (text.len <= SPAN_MAX) {
        return hash_span(hash, text.ptr, text.len);
    }
    hash = hash_span(hash, text.ptr, SPAN_MAX / 2);
    return hash_span(hash, text.ptr + text.len - SPAN_MAX / 2, SPAN_MAX / 2);
}

uint64_t clue_hash_number(uint32_t field, double number)
{
    uint64_t bits;

    number += 0.0; /* -0 is 0 */
    memcpy(&bits, &number, sizeof(bits));
    return hash_step(hash_step((uint64_t)field << 8 | CLUE_NUMBER, sizeof(bits)), bits);
}

struct str clue_base(struct str text)
{
    size_t least = text.len > BASE_MAX ? text.len - BASE_MAX : 0;

    for (size_t at = text.len; at > least; at--) {
        char c = text.ptr[at - 1];

        if (c == '\\' || c == '/') {
            return str_of(text.ptr + at - 1, text.len - at + 1);
        }
    }
    return STR("");
}

/* ---- making them ---- */

static bool clue_is(const struct clue *a, const struct clue *b)
{
    return a->hash == b->hash && a->kind == b->kind && a->field == b->field &&
           str_is(a->text, b->text);
}

static int clues_grow(struct compiler *compiler)
{
    size_t room = compiler->clue_slot_room == 0 ? 4096 : compiler->clue_slot_room * 2;
    uint32_t *slots = mem_alloc(room, sizeof(*slots));

    if (slots == NULL) {
        return -ERR_NOMEM;
    }
    for (uint32_t i = 0; i < compiler->engine->clue_count; i++) {
        size_t at = compiler->engine->clues[i].hash & (room - 1);

        while (slots[at] != 0) {
            at = (at + 1) & (room - 1);
        }
        slots[at] = i + 1;
    }
    mem_free(compiler->clue_slots);
    compiler->clue_slots = slots;
    compiler->clue_slot_room = room;
    return 0;
}

/* The clue's number, now or before. */
static int clue_intern(struct compiler *compiler, const struct clue *clue, uint32_t *ret_clue)
{
    struct sigma_engine *engine = compiler->engine;
    size_t at;
    void *clues;
    int r;

    if (engine->clue_count >= compiler->clue_slot_room / 2) {
        r = clues_grow(compiler);
        if (r < 0) {
            return r;
        }
    }
    at = clue->hash & (compiler->clue_slot_room - 1);
    while (compiler->clue_slots[at] != 0) {
        if (clue_is(&engine->clues[compiler->clue_slots[at] - 1], clue)) {
            *ret_clue = compiler->clue_slots[at] - 1;
            return 0;
        }
        at = (at + 1) & (compiler->clue_slot_room - 1);
    }
    clues = items_grow(engine->clues, engine->clue_count, &engine->clue_room, sizeof(*clue));
    if (clues == NULL) {
        return -ERR_NOMEM;
    }
    engine->clues = clues;
    engine->clues[engine->clue_count] = *clue;
    *ret_clue = (uint32_t)engine->clue_count++;
    compiler->clue_slots[at] = *ret_clue + 1;
    return 0;
}

static size_t text_slot(struct str text)
{
    return clue_hash(CLUE_NONE, 0, text) >> (64 - GRAM_BITS);
}

void text_count(struct compiler *compiler, struct str text)
{
    uint16_t *count = &compiler->grams.words[text_slot(text)];

    *count = (uint16_t)(*count + (*count < UINT16_MAX));
}

static bool is_high(struct str text)
{
    for (size_t at = 0; at < text.len; at++) {
        if ((unsigned char)text.ptr[at] >= 0x80) {
            return true;
        }
    }
    return false;
}

static unsigned needle_rank(size_t len)
{
    return len >= 8 ? 40 : 400 / (unsigned)len;
}

/* Rank of a clue by what it is alone: the lower, the rarer it is seen. */
static unsigned clue_rank(const struct clue *clue)
{
    switch (clue->kind) {
    case CLUE_EQUAL:
    case CLUE_BASE:
        return 20;
    case CLUE_NUMBER:
        return 100;
    case CLUE_START:
    case CLUE_END:
        return clue->text.len >= 8 ? 60 : 800 / (unsigned)clue->text.len;
    case CLUE_NEEDLE:
        return is_high(clue->text) ? 15 : needle_rank(clue->text.len);
    case CLUE_HIGH:
        return 200;
    case CLUE_BYTE:
        return 400;
    case CLUE_THERE:
        return 100000;
    case CLUE_NONE:
        break;
    }
    return CLUE_COST_NONE;
}

/* ---- what they cost ---- */

struct common {
    enum clue_kind kind;
    uint32_t often;
    struct str text;
};

static const struct common commons[] = {
#define COMMON(kind, often, text) {CLUE_##kind, often, {text, sizeof(text) - 1}},
#include "detect/sigma/engine_common.def"
#undef COMMON
};

/* The slot that holds it, or the free one where it would stand. */
static size_t common_slot(const struct compiler *compiler, uint64_t hash)
{
    size_t at = hash >> (64 - COMMON_BITS);

    while (compiler->common[at].often != 0 && compiler->common[at].hash != hash) {
        at = (at + 1) % ARRAY_LEN(compiler->common);
    }
    return at;
}

void common_learn(struct compiler *compiler)
{
    static_assert(ARRAY_LEN(commons) < ARRAY_LEN(compiler->common) / 2);
    for (size_t i = 0; i < ARRAY_LEN(commons); i++) {
        uint64_t hash = clue_hash(commons[i].kind, 0, commons[i].text);

        compiler->common[common_slot(compiler, hash)] =
            (struct common_slot){hash, commons[i].often};
    }
}

/* What stands in many rules, in whichever of their fields, or is made of what does, is common in
 * logs too; of some it is known. */
unsigned clue_cost(const struct compiler *compiler, const struct clue *clue)
{
    uint64_t hash = clue_hash(clue->kind, 0, clue->text);
    unsigned cost =
        clue_rank(clue) + COMMON_COST * compiler->common[common_slot(compiler, hash)].often;

    switch ((int)clue->kind) {
    case CLUE_EQUAL:
    case CLUE_BASE:
        return cost + 6 * compiler->grams.words[text_slot(clue->text)];
    case CLUE_NEEDLE:
        if (is_high(clue->text)) {
            return cost;
        }
        return cost + 6 * grams_rarest(&compiler->grams, clue->text, &(uint32_t){0}) +
               6 * clue->uses;
    case CLUE_HIGH:
    case CLUE_THERE:
        return cost;
    default:
        return cost + 20 * (clue->uses < 4096 ? clue->uses : 4096);
    }
}

static size_t length_for(size_t len)
{
    size_t i = CLUE_LENGTHS;

    while (i > 0 && clue_lengths[i - 1] > len) {
        i--;
    }
    return i == 0 ? 0 : clue_lengths[i - 1];
}

static void clue_better(struct clue *best, enum clue_kind kind, struct str text)
{
    struct clue clue = {.kind = kind, .field = best->field, .text = text};

    if (clue_rank(&clue) < clue_rank(best)) {
        *best = clue;
    }
}

static void clue_of_start(struct clue *best, struct str text)
{
    clue_better(best, CLUE_START, str_slice(text, 0, length_for(text.len)));
}

static void clue_of_end(struct clue *best, struct str text)
{
    struct str base = clue_base(text);
    size_t len = length_for(text.len);

    if (base.len > 1 && base.len == text.len) {
        clue_better(best, CLUE_BASE, text);
    } else {
        clue_better(best, CLUE_END, str_slice(text, text.len - len, text.len));
    }
}

/* The rarest of the bytes that may stand for a text. */
static void clue_of_byte(struct clue *best, struct str text)
{
    for (size_t i = 0; i < CLUE_BYTES; i++) {
        size_t at = str_find_byte(text, clue_bytes[i]);

        if (at < text.len) {
            clue_better(best, CLUE_BYTE, str_slice(text, at, at + 1));
            return;
        }
    }
}

static void clue_of_inside(struct clue *best, struct str text)
{
    if (text.len >= NEEDLE_MIN) {
        clue_better(best, CLUE_NEEDLE, text);
    } else if (is_high(text)) {
        clue_better(best, CLUE_HIGH, STR(""));
    } else {
        clue_of_byte(best, text);
    }
}

static void clue_of_parts(struct clue *best, const struct sigma_atom *atom)
{
    const struct sigma_part *parts = atom->parts;
    size_t last = atom->part_count - 1;

    for (size_t i = 0; i <= last; i++) {
        if (parts[i].kind == SIGMA_PART_LITERAL) {
            clue_of_inside(best, parts[i].text);
        }
    }
    if (parts[0].kind == SIGMA_PART_LITERAL) {
        clue_of_start(best, parts[0].text);
    }
    if (parts[last].kind == SIGMA_PART_LITERAL) {
        clue_of_end(best, parts[last].text);
    }
}

static int clue_fold(struct compiler *compiler, struct clue *clue)
{
    char *folded = arena_alloc(compiler->engine->arena, clue->text.len + 1, SIGMA_FOLD_GROWTH);

    if (folded == NULL) {
        return -ERR_NOMEM;
    }
    clue->text = str_of(folded, sigma_fold(clue->text, folded));
    return 0;
}

/* Cased texts are looked for in folded values: their clues are folded, and since a text's part and
 * the same part of the folded text need not be as long, only ASCII ones are cut. */
static bool has_high_bytes(const struct sigma_atom *atom)
{
    for (size_t i = 0; i < atom->part_count; i++) {
        if (is_high(atom->parts[i].text)) {
            return true;
        }
    }
    return false;
}

static void clue_of_text(struct clue *best, const struct engine_atom *atom)
{
    switch ((int)atom->ask) {
    case ASK_EQUAL:
        clue_better(best, CLUE_EQUAL, atom->text);
        break;
    case ASK_START:
        clue_of_start(best, atom->text);
        break;
    case ASK_END:
        clue_of_end(best, atom->text);
        break;
    case ASK_INSIDE:
        clue_of_inside(best, atom->text);
        break;
    default:
        clue_of_parts(best, atom->atom);
    }
}

static int clue_of_pattern(struct compiler *compiler, struct clue *best,
                           const struct engine_atom *atom)
{
    if (atom->atom->is_cased && has_high_bytes(atom->atom)) {
        return 0;
    }
    clue_of_text(best, atom);
    if (best->kind == CLUE_NONE || best->kind == CLUE_THERE) {
        return 0;
    }
    if (best->field == 0 && best->kind != CLUE_NEEDLE) {
        best->kind = CLUE_NONE; /* keywords have no look-ups of their own */
        return 0;
    }
    return atom->atom->is_cased ? clue_fold(compiler, best) : 0;
}

static int clue_of_regex(struct compiler *compiler, struct clue *best,
                         const struct sigma_atom *atom)
{
    char must = '\0';
    struct str needle = regex_needle(atom->text, &must);

    if (needle.len >= NEEDLE_MIN) {
        clue_better(best, CLUE_NEEDLE, needle);
        return clue_fold(compiler, best);
    }
    if (best->field == 0) {
        return 0;
    }
    clue_of_byte(best, str_of(&must, 1));
    return best->kind == CLUE_BYTE ? clue_fold(compiler, best) : 0;
}

/* What is compared as a number: see the oracle's predicate for those that are not. */
bool atom_is_number(const struct sigma_atom *atom)
{
    double number;

    return atom->match == SIGMA_MATCH_NUMBER && sigma_value_number(atom->text, &number) &&
           number == atom->number && fabs(number) < NUMBER_EXACT;
}

static int clue_choose(struct compiler *compiler, const struct engine_atom *atom,
                       struct clue *ret_clue)
{
    struct clue best = {.kind = CLUE_NONE, .field = atom->field};
    int r = 0;

    if (atom->ask == ASK_NULL || (atom->ask == ASK_EXISTS && !atom->atom->want)) {
        *ret_clue = best;
        return 0;
    }
    if (atom->field != 0) {
        best.kind = CLUE_THERE;
    }
    if (atom->atom->match == SIGMA_MATCH_PATTERN && atom->ask != ASK_THERE) {
        r = clue_of_pattern(compiler, &best, atom);
    } else if (atom->ask == ASK_REGEX) {
        r = clue_of_regex(compiler, &best, atom->atom);
    } else if (atom->field != 0 && atom_is_number(atom->atom)) {
        best.kind = CLUE_NUMBER;
    }
    *ret_clue = best;
    return r;
}

int clue_make(struct compiler *compiler, const struct engine_atom *atom, uint32_t *ret_clue)
{
    struct clue clue;
    int r;

    r = clue_choose(compiler, atom, &clue);
    if (r < 0) {
        return r;
    }
    if (clue.kind == CLUE_NONE) {
        *ret_clue = ENGINE_NONE;
        return 0;
    }
    clue.hash = clue.kind == CLUE_NUMBER ? clue_hash_number(clue.field, atom->atom->number)
                                         : clue_hash(clue.kind, clue.field, clue.text);
    r = clue_intern(compiler, &clue, ret_clue);
    if (r == 0 && atom->ask == ASK_INSIDE && !atom->atom->is_cased && clue.kind == CLUE_NEEDLE) {
        compiler->engine->clues[*ret_clue].is_whole = true;
    }
    return r;
}
