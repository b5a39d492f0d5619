/* Sets: rules list hundreds of names and phrases of which one must stand in a field. Asked one by
 * one they would cost more than all else; but each has its clue, and of the clues few are seen. */
#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/engine_compile.h"

#include <stdlib.h>

uint64_t set_kin(const struct sigma_engine *engine, const struct engine_atom *atom)
{
    const struct clue *clue;

    if (atom->field == 0 || atom->clue == ENGINE_NONE || atom->atom->is_cased) {
        return 0;
    }
    clue = &engine->clues[atom->clue];
    if ((atom->ask == ASK_INSIDE && clue->kind == CLUE_NEEDLE) ||
        (atom->ask == ASK_EQUAL && clue->kind == CLUE_EQUAL) ||
        (atom->ask == ASK_END && clue->kind == CLUE_BASE)) {
        return (uint64_t)atom->field << 8 | clue->kind;
    }
    return 0;
}

static int member_compare(const void *a, const void *b)
{
    const struct set_member *left = a;
    const struct set_member *right = b;

    return (left->clue > right->clue) - (left->clue < right->clue);
}

static int member_add(struct sigma_engine *engine, uint32_t atom)
{
    struct set_member *members =
        items_grow(engine->members, engine->member_count, &engine->member_room, sizeof(*members));

    if (members == NULL) {
        return -ERR_NOMEM;
    }
    engine->members = members;
    members[engine->member_count++] = (struct set_member){engine->atoms[atom].clue, atom};
    return 0;
}

int set_add(struct compiler *compiler, const struct twig *twigs, size_t count, uint32_t *ret_atom)
{
    struct sigma_engine *engine = compiler->engine;
    struct engine_atom set = {.ask = ASK_SET, .clue = ENGINE_NONE};

    set.field = engine->atoms[twigs[0].atom].field;
    set.first = (uint32_t)engine->member_count;
    set.count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        int r = member_add(engine, twigs[i].atom);

        if (r < 0) {
            return r;
        }
    }
    qsort(&engine->members[set.first], count, sizeof(*engine->members), member_compare);
    return atom_add(compiler, &set, ret_atom);
}

static void atom_settle(const struct sigma_engine *engine, struct engine_atom *atom)
{
    const struct clue *clue = &engine->clues[atom->clue];

    atom->is_needle = atom->ask == ASK_INSIDE && !atom->is_cased && clue->kind == CLUE_NEEDLE;
    if (clue->count != 0) {
        probe_add(&atom->wanted, clue);
    }
}

void atoms_settle(struct sigma_engine *engine)
{
    for (size_t i = 0; i < engine->atom_count; i++) {
        struct engine_atom *atom = &engine->atoms[i];

        if (atom->clue != ENGINE_NONE) {
            atom_settle(engine, atom);
        }
        atom->is_waited = atom->ask == ASK_SET;
        for (uint32_t k = 0; k < atom->count; k++) {
            const struct clue *clue = &engine->clues[engine->members[atom->first + k].clue];

            atom->is_waited = atom->is_waited && clue->count != 0;
        }
    }
}
