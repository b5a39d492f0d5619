/* Distinct values of a window: each stands once, at the last time that it was seen. A value that is
 * seen again leaves its old moment dead, and the block is packed when half of it is. */
#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/correlate_window.h"

uint32_t distinct_dead(const struct group *group)
{
    return group->extra != NULL ? ((const struct distinct *)group->extra)->dead : 0;
}

static size_t slot_count(const struct group *group)
{
    return 2 * (size_t)group->room; /* a power of two, as all rooms are */
}

/* The slot of a value that stands, or the free one for it. A slot whose moment has left or died is
 * free as well, but what was looked for may stand behind it. */
static size_t slot_of(const struct plan *plan, const struct group *group, uint64_t hash)
{
    const struct distinct *distinct = group->extra;
    size_t mask = slot_count(group) - 1;
    size_t at = hash & mask;

    for (; distinct->slots[at] != 0; at = (at + 1) & mask) {
        uint32_t place = distinct->slots[at] - 1;

        if (place >= group->first && valued_at(plan, group, place - group->first)->hash == hash) {
            break;
        }
    }
    return at;
}

void distinct_index(const struct plan *plan, struct group *group)
{
    struct distinct *distinct = group->extra;

    if (distinct == NULL) {
        return;
    }
    memset(distinct->slots, 0, slot_count(group) * sizeof(distinct->slots[0]));
    distinct->dead = 0;
    for (size_t i = 0; i < group->len; i++) {
        const struct moment_valued *moment = valued_at(plan, group, i);

        if (moment->moment.count != 0) {
            distinct->slots[slot_of(plan, group, moment->hash)] = group->first + (uint32_t)i + 1;
        } else {
            distinct->dead++;
        }
    }
}

/* Where the value's moment is; group->len when there is none. */
static size_t distinct_find(const struct plan *plan, const struct group *group, uint64_t hash)
{
    const struct distinct *distinct = group->extra;
    size_t at = 0;

    if (distinct != NULL) {
        uint32_t slot = distinct->slots[slot_of(plan, group, hash)];

        return slot != 0 ? slot - 1 - group->first : group->len;
    }
    while (at < group->len && valued_at(plan, group, at)->hash != hash) {
        at++;
    }
    return at;
}

int distinct_put(struct sigma_correlator *correlator, struct group *group,
                 const struct moment_valued *moment)
{
    const struct plan *plan = &correlator->plans[group->plan];
    struct distinct *distinct;
    size_t old;
    size_t at;
    int r = window_reserve(correlator, group);

    if (r < 0) {
        return r;
    }
    distinct = group->extra;
    old = distinct_find(plan, group, moment->hash);
    if (old != group->len) {
        if (valued_at(plan, group, old)->moment.time > moment->moment.time) {
            return 0;
        }
        if (distinct == NULL) {
            window_remove(plan, group, old);
        } else {
            valued_at(plan, group, old)->moment.count = 0;
            distinct->dead++;
        }
    }
    if (distinct == NULL) {
        window_insert(plan, group, window_place(plan, group, moment->moment.time), moment);
        return 0;
    }
    at = window_place(plan, group, moment->moment.time);
    window_insert(plan, group, at, moment);
    if (at + 1 == group->len) {
        distinct->slots[slot_of(plan, group, moment->hash)] = group->first + group->len;
    } else {
        distinct_index(plan, group);
    }
    return 0;
}
