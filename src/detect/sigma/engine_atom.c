/* Atoms: what rules ask, each kept once however many rules ask it, in the form in which it is asked
 * fastest. */
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_compile.h"
#include "detect/sigma/engine_regex.h"

#include <string.h>

void *items_grow(void *items, size_t count, size_t *room, size_t size)
{
    size_t more;
    void *grown;

    if (count < *room) {
        return items;
    }
    more = *room == 0 ? 64 : *room * 2;
    if (more >= ENGINE_NO) {
        return NULL;
    }
    grown = mem_resize(items, more, size);
    if (grown != NULL) {
        *room = more;
    }
    return grown;
}

int list_u32_add(struct list_u32 *list, uint32_t item)
{
    uint32_t *items = items_grow(list->items, list->count, &list->room, sizeof(*items));

    if (items == NULL) {
        return -ERR_NOMEM;
    }
    list->items = items;
    items[list->count++] = item;
    return 0;
}

void list_u32_done(struct list_u32 *list)
{
    mem_free(list->items);
    *list = (struct list_u32){0};
}

/* ---- the same atom ---- */

static bool parts_are(const struct sigma_atom *a, const struct sigma_atom *b)
{
    if (a->part_count != b->part_count) {
        return false;
    }
    for (size_t i = 0; i < a->part_count; i++) {
        if (a->parts[i].kind != b->parts[i].kind || !str_is(a->parts[i].text, b->parts[i].text)) {
            return false;
        }
    }
    return true;
}

static bool details_are(const struct sigma_atom *a, const struct sigma_atom *b)
{
    return a->is_cased == b->is_cased && a->regex_flags == b->regex_flags &&
           a->number == b->number && a->order == b->order && a->affix == b->affix &&
           a->clock == b->clock && a->want == b->want && a->network.bits == b->network.bits &&
           memcmp(a->network.address, b->network.address, sizeof(a->network.address)) == 0;
}

/* A pattern's text is for people only. */
static bool atom_is(const struct sigma_atom *a, const struct sigma_atom *b)
{
    return a->match == b->match && str_is(a->field, b->field) && details_are(a, b) &&
           parts_are(a, b) && (a->match == SIGMA_MATCH_PATTERN || str_is(a->text, b->text));
}

static uint64_t atom_hash(const struct sigma_atom *atom)
{
    uint64_t hash = clue_hash(CLUE_NONE, (uint32_t)atom->match, atom->field);

    for (size_t i = 0; i < atom->part_count; i++) {
        hash = hash * 0x9fb21c651e98df25ULL +
               clue_hash(CLUE_NONE, (uint32_t)atom->parts[i].kind, atom->parts[i].text);
    }
    if (atom->match != SIGMA_MATCH_PATTERN) {
        hash = hash * 0x9fb21c651e98df25ULL + clue_hash(CLUE_NONE, 0, atom->text);
    }
    return hash ^ hash >> 31;
}

/* ---- compiling one ---- */

static bool part_is(const struct sigma_atom *atom, size_t at, enum sigma_part_kind kind)
{
    return at < atom->part_count && atom->parts[at].kind == kind;
}

/* What is common in logs, the most common first: of a text that byte is looked for which stands
 * last here, or not at all. */
static void rare_choose(struct engine_atom *compiled)
{
    static const char common[] = "e\\ tsoairnlcmpd./u0-123:456789wyhgf\"=_bvkxjzq";
    size_t best = 0;

    for (size_t at = 0; at < compiled->text.len && at <= UINT8_MAX; at++) {
        const char *found = memchr(common, compiled->text.ptr[at], sizeof(common) - 1);
        size_t rank = found != NULL ? (size_t)(found - common) + 1 : sizeof(common);

        if (rank > best) {
            best = rank;
            compiled->rare_at = (uint8_t)at;
        }
    }
    compiled->rare = compiled->text.ptr[compiled->rare_at];
}

static void pattern_compile(struct engine_atom *compiled, const struct sigma_atom *atom)
{
    bool is_open = part_is(atom, 0, SIGMA_PART_ANY);
    size_t literal = is_open ? 1 : 0;
    size_t rest = atom->part_count - literal;

    compiled->ask = ASK_PATTERN;
    for (size_t i = 0; i < atom->part_count; i++) {
        compiled->is_dear |= atom->parts[i].kind == SIGMA_PART_ONE;
    }
    if (atom->part_count == 0) {
        compiled->ask = ASK_EQUAL;
        compiled->text = STR("");
    } else if (is_open && rest == 0) {
        compiled->ask = ASK_THERE;
    } else if (part_is(atom, literal, SIGMA_PART_LITERAL) && rest == 1) {
        compiled->ask = is_open ? ASK_END : ASK_EQUAL;
        compiled->text = atom->parts[literal].text;
    } else if (part_is(atom, literal, SIGMA_PART_LITERAL) && rest == 2 &&
               part_is(atom, literal + 1, SIGMA_PART_ANY)) {
        compiled->ask = is_open ? ASK_INSIDE : ASK_START;
        compiled->text = atom->parts[literal].text;
        rare_choose(compiled);
    }
}

static int field_number(struct compiler *compiler, struct str name, uint32_t *ret_field)
{
    if (name.len == 0) {
        *ret_field = 0;
        return 0;
    }
    return entry_names_add(compiler->engine->names, name, ret_field);
}

static int atom_compile(struct compiler *compiler, const struct sigma_atom *atom,
                        struct engine_atom *ret_atom)
{
    struct engine_atom compiled = {.atom = atom, .ask = ASK_VALUE, .is_cased = atom->is_cased};
    int r;

    r = field_number(compiler, atom->field, &compiled.field);
    if (r < 0) {
        return r;
    }
    if (atom->match == SIGMA_MATCH_PATTERN) {
        pattern_compile(&compiled, atom);
    } else if (atom->match == SIGMA_MATCH_REGEX) {
        compiled.ask = ASK_REGEX;
        (void)regex_needle(atom->text, &compiled.rare);
        r = regex_compile(atom, compiler->diag, &compiled.regex);
        compiled.least = r == 0 ? regex_least(compiled.regex) : 0;
    } else if (atom->match == SIGMA_MATCH_FIELD) {
        compiled.ask = ASK_FIELD;
        r = field_number(compiler, atom->text, &compiled.other);
    } else if (atom->match == SIGMA_MATCH_EXISTS) {
        compiled.ask = ASK_EXISTS;
    } else if (atom->match == SIGMA_MATCH_NULL) {
        compiled.ask = ASK_NULL;
    }
    if (r == 0) {
        *ret_atom = compiled;
    }
    return r;
}

/* ---- the table ---- */

static int slots_grow(struct compiler *compiler)
{
    size_t room = compiler->atom_slot_room == 0 ? 4096 : compiler->atom_slot_room * 2;
    struct atom_slot *slots = mem_alloc(room, sizeof(*slots));

    if (slots == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < compiler->atom_slot_room; i++) {
        size_t at = compiler->atom_slots[i].hash & (room - 1);

        while (compiler->atom_slots[i].number != 0 && slots[at].number != 0) {
            at = (at + 1) & (room - 1);
        }
        if (compiler->atom_slots[i].number != 0) {
            slots[at] = compiler->atom_slots[i];
        }
    }
    mem_free(compiler->atom_slots);
    compiler->atom_slots = slots;
    compiler->atom_slot_room = room;
    return 0;
}

/* The slot that holds the atom, or the free one where it would stand. */
static size_t slot_of(const struct compiler *compiler, const struct sigma_atom *atom, uint64_t hash)
{
    size_t at = hash & (compiler->atom_slot_room - 1);

    while (compiler->atom_slots[at].number != 0) {
        uint32_t number = compiler->atom_slots[at].number - 1;

        if (compiler->atom_slots[at].hash == hash &&
            atom_is(compiler->engine->atoms[number].atom, atom)) {
            break;
        }
        at = (at + 1) & (compiler->atom_slot_room - 1);
    }
    return at;
}

int atom_add(struct compiler *compiler, const struct engine_atom *atom, uint32_t *ret_atom)
{
    struct sigma_engine *engine = compiler->engine;
    struct engine_atom *atoms =
        items_grow(engine->atoms, engine->atom_count, &engine->atom_room, sizeof(*atoms));

    if (atoms == NULL) {
        return -ERR_NOMEM;
    }
    engine->atoms = atoms;
    atoms[engine->atom_count] = *atom;
    *ret_atom = (uint32_t)engine->atom_count++;
    return 0;
}

static int atom_take(struct compiler *compiler, const struct sigma_atom *atom, uint32_t *ret_atom)
{
    struct engine_atom compiled = {.ask = ASK_VALUE};
    int r;

    r = atom_compile(compiler, atom, &compiled);
    if (r < 0) {
        return r;
    }
    r = atom_add(compiler, &compiled, ret_atom); /* from here on its regex is the engine's */
    if (r < 0) {
        regex_free(compiled.regex);
        return r;
    }
    for (size_t i = 0; i < atom->part_count; i++) {
        grams_add(&compiler->grams, atom->parts[i].text);
    }
    return clue_make(compiler, &compiled, &compiler->engine->atoms[*ret_atom].clue);
}

int atom_intern(struct compiler *compiler, const struct sigma_atom *atom, uint32_t *ret_atom)
{
    uint64_t hash = atom_hash(atom);
    size_t at;
    int r;

    if (compiler->atom_slot_used >= compiler->atom_slot_room / 2) {
        r = slots_grow(compiler);
        if (r < 0) {
            return r;
        }
    }
    at = slot_of(compiler, atom, hash);
    if (compiler->atom_slots[at].number == 0) {
        uint32_t number;

        r = atom_take(compiler, atom, &number);
        if (r < 0) {
            return r;
        }
        compiler->atom_slots[at] = (struct atom_slot){hash, number + 1};
        compiler->atom_slot_used++;
    }
    *ret_atom = compiler->atom_slots[at].number - 1;
    return 0;
}
