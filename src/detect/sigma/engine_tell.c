/* What a rule waits for, told to people. Neighbours: engine_tree.c chose it. */
#include "base/banned.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/engine_part.h"

static enum sigma_wait_kind wait_kind(enum clue_kind kind)
{
    switch (kind) {
    case CLUE_BASE:
    case CLUE_END:
        return SIGMA_WAIT_ENDS;
    case CLUE_START:
        return SIGMA_WAIT_BEGINS;
    case CLUE_NEEDLE:
    case CLUE_BYTE:
        return SIGMA_WAIT_CONTAINS;
    case CLUE_THERE:
        return SIGMA_WAIT_THERE;
    case CLUE_HIGH:
        return SIGMA_WAIT_WIDE;
    case CLUE_NONE:
    case CLUE_EQUAL:
    case CLUE_NUMBER:
    default:
        return SIGMA_WAIT_IS;
    }
}

static bool clue_is_of_rule(const struct sigma_engine *engine, const struct clue *clue, size_t rule)
{
    for (uint32_t i = 0; i < clue->count; i++) {
        if (engine->ways[engine->waiting[clue->first + i].way].rule == rule) {
            return true;
        }
    }
    return false;
}

bool sigma_engine_waits(const struct sigma_engine *engine, size_t rule,
                        void (*fn)(void *context, const struct sigma_wait *wait), void *context)
{
    for (size_t i = 0; i < engine->clue_count; i++) {
        const struct clue *clue = &engine->clues[i];

        if (clue_is_of_rule(engine, clue, rule)) {
            const struct sigma_wait wait = {
                .kind = wait_kind(clue->kind),
                .field = clue->field != 0 ? entry_names_get(engine->names, clue->field) : STR(""),
                .text = clue->text};

            fn(context, &wait);
        }
    }
    for (size_t i = 0; i < engine->way_count; i++) {
        if (engine->ways[i].rule == rule && engine->ways[i].is_always) {
            return false;
        }
    }
    return true;
}
