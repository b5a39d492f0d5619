/* The moments of a group within its window: see correlate_part.h. They stand in the order of time,
 * those of one time in the order of their coming; nearly all come at the end and go at the front,
 * so a block that is full is either packed to its front or doubled. */
#include "detect/sigma/correlate_window.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define PACK_ALWAYS 64 /* room of a block that is packed for the sake of one moment */

size_t window_place(const struct plan *plan, const struct group *group, int64_t time)
{
    size_t low = 0;
    size_t high = group->len;

    if (high == 0 || moment_at(plan, group, high - 1)->time <= time) {
        return high;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (moment_at(plan, group, middle)->time <= time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void window_insert(const struct plan *plan, struct group *group, size_t at,
                   const struct moment_valued *moment)
{
    char *place = (char *)moment_at(plan, group, at);

    if (at != group->len) {
        memmove(place + plan->stride, place, (group->len - at) * plan->stride);
    }
    memcpy(place, moment, plan->stride);
    group->len++;
}

void window_remove(const struct plan *plan, struct group *group, size_t at)
{
    char *place = (char *)moment_at(plan, group, at);

    group->len--;
    if (at == 0) {
        group->first++;
    } else {
        memmove(place, place + plan->stride, (group->len - at) * plan->stride);
    }
}

static size_t extra_size(const struct plan *plan, uint32_t room)
{
    switch (plan->kind) {
    case WINDOW_TALLY:
        return sizeof(struct tally);
    case WINDOW_DISTINCT:
        return room <= DISTINCT_PLAIN
                   ? 0
                   : sizeof(struct distinct) + 2 * (size_t)room * sizeof(uint32_t);
    case WINDOW_SORTED:
        return sizeof(struct sorted) + room * sizeof(double);
    case WINDOW_ROW:
    case WINDOW_PARTS:
    case WINDOW_EDGE:
        break;
    }
    return 0;
}

size_t window_extra_size(const struct plan *plan, const struct group *group)
{
    return group->extra == NULL ? 0 : extra_size(plan, group->room);
}

/* Moves the moments to the front of the block; what no longer stands goes. */
static void window_pack(const struct plan *plan, struct group *group)
{
    uint32_t kept = 0;

    for (size_t i = 0; i < group->len; i++) {
        const struct moment *moment = moment_at(plan, group, i);

        if (moment->count != 0) {
            memmove(group->block + (size_t)kept++ * plan->stride, moment, plan->stride);
        }
    }
    group->first = 0;
    group->len = kept;
    if (plan->kind == WINDOW_DISTINCT) {
        distinct_index(plan, group);
    }
}

/* A larger block, and the extra that goes with it. */
static int window_grow(struct sigma_correlator *correlator, struct group *group, uint32_t room)
{
    const struct plan *plan = &correlator->plans[group->plan];
    size_t extra = extra_size(plan, room);
    size_t old_extra = window_extra_size(plan, group);
    size_t size = (size_t)room * plan->stride;
    void *block = NULL;
    void *more = NULL;
    int r = group_memory(correlator, group, size + group->key_len, &block);

    if (r == 0 && extra != old_extra) {
        r = group_memory(correlator, group, extra, &more);
    }
    if (r < 0) {
        group_release(correlator, block, size + group->key_len);
        return r;
    }
    memcpy(block, moment_at(plan, group, 0), (size_t)group->len * plan->stride);
    memcpy((char *)block + size, group_key(plan, group).ptr, group->key_len);
    group_release(correlator, group->block, (size_t)group->room * plan->stride + group->key_len);
    group->block = block;
    group->first = 0;
    group->room = room;
    if (more != NULL) {
        if (group->extra != NULL) {
            memcpy(more, group->extra, old_extra);
        }
        group_release(correlator, group->extra, old_extra);
        group->extra = more;
    }
    if (plan->kind == WINDOW_DISTINCT) {
        window_pack(plan, group);
    }
    return 0;
}

/* Tallies and sorted copies are there from the first moment on. */
static int extra_reserve(struct sigma_correlator *correlator, struct group *group)
{
    const struct plan *plan = &correlator->plans[group->plan];
    size_t size = extra_size(plan, group->room);

    return group->extra != NULL || size == 0 ? 0
                                             : group_memory(correlator, group, size, &group->extra);
}

int window_reserve(struct sigma_correlator *correlator, struct group *group)
{
    const struct plan *plan = &correlator->plans[group->plan];
    uint32_t pack_always = plan->kind == WINDOW_DISTINCT ? DISTINCT_PLAIN : PACK_ALWAYS;
    uint32_t live = window_live(plan, group);
    int r = extra_reserve(correlator, group);

    if (r < 0 || group->first + group->len < group->room) {
        return r;
    }
    if (live <= group->room / 2 || (live < group->room && group->room <= pack_always)) {
        window_pack(plan, group);
        return 0;
    }
    r = window_grow(correlator, group, group->room * 2);
    if (r != -ERR_LIMIT) {
        return r;
    }
    for (uint32_t wanted = group->room / 2; group->len > wanted;) { /* it alone fills the memory */
        window_leave(plan, group);
        correlator->stats.clipped++;
    }
    window_pack(plan, group);
    return group->len < group->room ? 0 : -ERR_LIMIT;
}

/* Lets go what a window that ends there does not hold, and what stands no more. */
static void window_expire(const struct plan *plan, struct group *group, int64_t end)
{
    int64_t behind = time_less(end, plan->rule->timespan);

    while (group->len != 0 &&
           (moment_at(plan, group, 0)->time <= behind || moment_at(plan, group, 0)->count == 0)) {
        window_leave(plan, group);
    }
}

static int window_take(struct sigma_correlator *correlator, struct group *group,
                       const struct moment_valued *moment)
{
    const struct plan *plan = &correlator->plans[group->plan];
    int r;

    if (plan->kind == WINDOW_DISTINCT) {
        return distinct_put(correlator, group, moment);
    }
    r = window_reserve(correlator, group);
    if (r == 0) {
        moment_put(correlator, group, moment);
    }
    return r;
}

int window_put(struct sigma_correlator *correlator, struct group *group,
               const struct moment_valued *moment, bool *ret_is_late)
{
    const struct plan *plan = &correlator->plans[group->plan];
    int64_t end = window_end(plan, group);
    int64_t time = moment->moment.time;
    int r;

    *ret_is_late = group->len != 0 && time <= time_less(end, plan->rule->timespan);
    if (*ret_is_late) {
        return 0;
    }
    window_expire(plan, group, time > end ? time : end);
    r = window_take(correlator, group, moment);
    if (r == 0 && window_live(plan, group) > plan->cap) {
        window_leave(plan, group);
        window_expire(plan, group, window_end(plan, group));
        correlator->stats.clipped += !plan->is_enough;
    }
    return r;
}
