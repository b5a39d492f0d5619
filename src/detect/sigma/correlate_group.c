/* Groups: see correlate_part.h. They are found by a seeded hash, so that nobody who writes logs can
 * make the chains long; each plan's stand in the order in which they were touched, and at the bound
 * the one of all plans that was touched longest ago goes. */
#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "detect/sigma/correlate_part.h"

#define CHUNK_GROUPS 256U
#define SLOTS_FIRST  256U
#define SWEEP_MAX    2 /* groups a match: more than it can make */
#define BLOCK_COST   8 /* what the heap adds to a block, and */
#define BLOCK_GRAIN  16U
#define NUMBER_BITS  24U
#define NUMBER_MAX   ((1U << NUMBER_BITS) - 1)
#define PLAN_MIX     0x9e3779b97f4a7c15ULL

struct group *group_at(const struct sigma_correlator *correlator, uint32_t number)
{
    return &correlator->chunks[(number - 1) / CHUNK_GROUPS][(number - 1) % CHUNK_GROUPS];
}

static size_t block_cost(size_t size)
{
    return (size + BLOCK_COST + BLOCK_GRAIN - 1) / BLOCK_GRAIN * BLOCK_GRAIN;
}

static void order_unlink(struct sigma_correlator *correlator, const struct group *group)
{
    struct plan *plan = &correlator->plans[group->plan];

    *(group->older != 0 ? &group_at(correlator, group->older)->newer : &plan->oldest) =
        group->newer;
    *(group->newer != 0 ? &group_at(correlator, group->newer)->older : &plan->newest) =
        group->older;
}

static void order_append(struct sigma_correlator *correlator, uint32_t number)
{
    struct group *group = group_at(correlator, number);
    struct plan *plan = &correlator->plans[group->plan];

    group->touched = ++correlator->touches;
    group->older = plan->newest;
    group->newer = 0;
    *(plan->newest != 0 ? &group_at(correlator, plan->newest)->newer : &plan->oldest) = number;
    plan->newest = number;
}

/* The group touched longest ago, but for keep; 0: there is no other. */
static uint32_t group_longest(const struct sigma_correlator *correlator, const struct group *keep)
{
    uint32_t longest = 0;

    for (size_t i = 0; i < correlator->set->correlation_count; i++) {
        uint32_t number = correlator->plans[i].oldest;

        if (number != 0 && group_at(correlator, number) == keep) {
            number = group_at(correlator, number)->newer;
        }
        if (number != 0 && (longest == 0 || group_at(correlator, number)->touched <
                                                group_at(correlator, longest)->touched)) {
            longest = number;
        }
    }
    return longest;
}

static bool is_room(const struct sigma_correlator *correlator, size_t size)
{
    return block_cost(size) <= correlator->limit - correlator->used;
}

static bool group_evict(struct sigma_correlator *correlator, const struct group *keep)
{
    uint32_t longest = group_longest(correlator, keep);

    if (longest == 0) {
        return false;
    }
    group_drop(correlator, longest);
    correlator->stats.evicted++;
    return true;
}

static int group_bound(struct sigma_correlator *correlator, const struct group *keep, size_t size)
{
    while (!is_room(correlator, size)) {
        if (!group_evict(correlator, keep)) {
            return -ERR_LIMIT;
        }
    }
    return 0;
}

int group_memory(struct sigma_correlator *correlator, const struct group *keep, size_t size,
                 void **ret_block)
{
    int r = group_bound(correlator, keep, size);
    void *block = r == 0 ? mem_alloc(1, size) : NULL;

    if (block == NULL) {
        return r < 0 ? r : -ERR_NOMEM;
    }
    correlator->used += block_cost(size);
    *ret_block = block;
    return 0;
}

void group_release(struct sigma_correlator *correlator, void *block, size_t size)
{
    if (block != NULL) {
        mem_free(block);
        correlator->used -= block_cost(size);
    }
}

static uint32_t slot_make(uint32_t hash, uint32_t number)
{
    return (hash & ~NUMBER_MAX) | number;
}

static struct group *slot_group(const struct sigma_correlator *correlator, size_t at)
{
    return group_at(correlator, correlator->slots[at] & NUMBER_MAX);
}

static size_t slot_find(const struct sigma_correlator *correlator, uint32_t hash, uint32_t plan,
                        struct str key)
{
    size_t at = hash & (correlator->slot_room - 1);

    for (; correlator->slots[at] != 0; at = (at + 1) & (correlator->slot_room - 1)) {
        const struct group *group;

        if (((correlator->slots[at] ^ hash) & ~NUMBER_MAX) != 0) {
            continue;
        }
        group = slot_group(correlator, at);
        if (group->hash == hash && group->plan == plan &&
            str_is(group_key(&correlator->plans[plan], group), key)) {
            break;
        }
    }
    return at;
}

/* At the bound one group goes rather than the many that a larger table would cost. */
static int slots_grow(struct sigma_correlator *correlator)
{
    size_t room = correlator->slot_room != 0 ? correlator->slot_room * 2 : SLOTS_FIRST;
    uint32_t *slots;
    void *block;
    int r;

    if (!is_room(correlator, room * sizeof(*slots)) && group_evict(correlator, NULL)) {
        return 0;
    }
    r = group_memory(correlator, NULL, room * sizeof(*slots), &block);
    if (r < 0) {
        return r;
    }
    slots = block;
    for (size_t i = 0; i < correlator->slot_room; i++) {
        size_t at;

        if (correlator->slots[i] == 0) {
            continue;
        }
        at = slot_group(correlator, i)->hash & (room - 1);
        while (slots[at] != 0) {
            at = (at + 1) & (room - 1);
        }
        slots[at] = correlator->slots[i];
    }
    group_release(correlator, correlator->slots,
                  correlator->slot_room * sizeof(*correlator->slots));
    correlator->slots = slots;
    correlator->slot_room = room;
    return 0;
}

/* Closes the gap: whatever stands behind it and would be looked for across it moves up. */
static void slot_clear(struct sigma_correlator *correlator, size_t at)
{
    size_t mask = correlator->slot_room - 1;

    for (size_t next = (at + 1) & mask; correlator->slots[next] != 0; next = (next + 1) & mask) {
        size_t home = slot_group(correlator, next)->hash & mask;

        if (((next - home) & mask) >= ((next - at) & mask)) {
            correlator->slots[at] = correlator->slots[next];
            at = next;
        }
    }
    correlator->slots[at] = 0;
}

static int chunk_add(struct sigma_correlator *correlator)
{
    size_t count = correlator->group_fresh / CHUNK_GROUPS;
    void *block;
    int r;

    if (count == correlator->chunk_room) {
        size_t room = correlator->chunk_room * 2 + 4;
        struct group **chunks = mem_resize(correlator->chunks, room, sizeof(struct group *));

        if (chunks == NULL) {
            return -ERR_NOMEM;
        }
        correlator->chunks = chunks;
        correlator->chunk_room = room;
    }
    r = group_memory(correlator, NULL, CHUNK_GROUPS * sizeof(struct group), &block);
    if (r == 0) {
        correlator->chunks[count] = block;
    }
    return r;
}

static bool is_number_left(const struct sigma_correlator *correlator)
{
    return is_room(correlator, CHUNK_GROUPS * sizeof(struct group)) &&
           correlator->group_fresh <= NUMBER_MAX - CHUNK_GROUPS;
}

/* An unused number. At the bound one is made free by a group that goes. */
static int number_take(struct sigma_correlator *correlator, uint32_t *ret_number)
{
    int r = 0;

    if (correlator->group_free == 0 && correlator->group_fresh % CHUNK_GROUPS == 0 &&
        (is_number_left(correlator) || !group_evict(correlator, NULL))) {
        r = chunk_add(correlator);
    }
    if (correlator->group_free != 0) {
        *ret_number = correlator->group_free;
        correlator->group_free = group_at(correlator, *ret_number)->older;
        return 0;
    }
    if (r == 0) {
        *ret_number = ++correlator->group_fresh;
    }
    return r;
}

static int group_new(struct sigma_correlator *correlator, uint32_t place, struct str key,
                     uint32_t *ret_number)
{
    const struct plan *plan = &correlator->plans[place];
    struct group *group;
    void *block;
    uint32_t number = 0;
    int r = group_memory(correlator, NULL, plan->stride + key.len, &block);

    if (r < 0) {
        return r;
    }
    r = number_take(correlator, &number);
    if (r < 0) {
        group_release(correlator, block, plan->stride + key.len);
        return r;
    }
    group = group_at(correlator, number);
    *group = (struct group){
        .plan = place, .key_len = (uint32_t)key.len, .said = NEVER, .block = block, .room = 1};
    if (key.len != 0) {
        memcpy(group->block + plan->stride, key.ptr, key.len);
    }
    order_append(correlator, number);
    correlator->stats.groups++;
    *ret_number = number;
    return 0;
}

int group_take(struct sigma_correlator *correlator, uint32_t plan, struct str key,
               uint32_t *ret_group)
{
    uint32_t hash = (uint32_t)map_hash(key, correlator->seed ^ (plan + 1) * PLAN_MIX);
    uint32_t number;
    size_t at;
    int r = 0;

    if ((correlator->stats.groups + 1) * 4 > correlator->slot_room * 3) {
        r = slots_grow(correlator);
        if (r < 0) {
            return r;
        }
    }
    number = correlator->slots[slot_find(correlator, hash, plan, key)] & NUMBER_MAX;
    if (number != 0) {
        order_unlink(correlator, group_at(correlator, number));
        order_append(correlator, number);
        *ret_group = number;
        return 0;
    }
    r = group_new(correlator, plan, key, &number);
    if (r < 0) {
        return r;
    }
    at = slot_find(correlator, hash, plan, key); /* others may have gone meanwhile */
    correlator->slots[at] = slot_make(hash, number);
    group_at(correlator, number)->hash = hash;
    *ret_group = number;
    return 0;
}

void group_drop(struct sigma_correlator *correlator, uint32_t number)
{
    struct group *group = group_at(correlator, number);
    const struct plan *plan = &correlator->plans[group->plan];

    slot_clear(correlator, slot_find(correlator, group->hash, group->plan, group_key(plan, group)));
    order_unlink(correlator, group);
    group_release(correlator, group->extra, window_extra_size(plan, group));
    group_release(correlator, group->block, (size_t)group->room * plan->stride + group->key_len);
    *group = (struct group){.older = correlator->group_free};
    correlator->group_free = number;
    correlator->stats.groups--;
}

void group_sweep(struct sigma_correlator *correlator, uint32_t place)
{
    const struct plan *plan = &correlator->plans[place];
    int64_t end =
        time_less(time_less(correlator->newest, correlator->lateness), plan->rule->timespan);

    for (unsigned i = 0; i < SWEEP_MAX && plan->oldest != 0; i++) {
        if (window_end(plan, group_at(correlator, plan->oldest)) > end) {
            break;
        }
        group_drop(correlator, plan->oldest);
    }
}

void groups_done(struct sigma_correlator *correlator)
{
    for (size_t i = 0; correlator->plans != NULL && i < correlator->set->correlation_count; i++) {
        while (correlator->plans[i].oldest != 0) {
            group_drop(correlator, correlator->plans[i].oldest);
        }
    }
    for (size_t i = 0; i * CHUNK_GROUPS < correlator->group_fresh; i++) {
        group_release(correlator, correlator->chunks[i], CHUNK_GROUPS * sizeof(struct group));
    }
    mem_free(correlator->chunks);
    group_release(correlator, correlator->slots,
                  correlator->slot_room * sizeof(*correlator->slots));
    correlator->chunks = NULL;
    correlator->chunk_room = 0;
    correlator->slots = NULL;
    correlator->slot_room = 0;
    correlator->group_fresh = 0;
    correlator->group_free = 0;
}
