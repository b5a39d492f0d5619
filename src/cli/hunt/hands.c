/* See hands.h. */
#include "cli/hunt/hands.h"

#include "base/banned.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static struct hands *hands_used;

struct hands *hands_new(void)
{
    void *hands =
        mmap(NULL, sizeof(struct hands), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return hands != MAP_FAILED ? hands : NULL;
}

void hands_free(struct hands *hands)
{
    if (hands != NULL) {
        (void)munmap(hands, sizeof(*hands));
    }
}

struct str hand_path(const struct hand *hand)
{
    return str_of(hand->path, strnlen(hand->path, sizeof(hand->path)));
}

void hands_use(struct hands *hands)
{
    hands_used = hands;
}

static struct hand *hand_of(size_t hand)
{
    return hands_used != NULL && hand < HANDS_MAX ? &hands_used->hands[hand] : NULL;
}

void hand_hold(size_t number, struct str path, uint64_t file, uint64_t block)
{
    struct hand *hand = hand_of(number);

    if (hand != NULL) {
        atomic_store_explicit(&hand->phase, HAND_PHASE_NONE, memory_order_relaxed);
        (void)snprintf(hand->path, sizeof(hand->path), "%.*s", STR_ARG(path));
        atomic_store_explicit(&hand->file, file, memory_order_relaxed);
        atomic_store_explicit(&hand->block, block, memory_order_relaxed);
    }
}

/* Nobody else writes them: there is no need to add atomically. */
void hand_turn(size_t number, enum hand_phase phase, uint64_t at)
{
    struct hand *hand = hand_of(number);
    uint64_t turns;

    if (hand != NULL) {
        turns = atomic_load_explicit(&hand->turns, memory_order_relaxed);
        atomic_store_explicit(&hand->at, at, memory_order_relaxed);
        atomic_store_explicit(&hand->phase, phase, memory_order_relaxed);
        atomic_store_explicit(&hand->turns, turns + 1, memory_order_relaxed);
    }
}

void hand_drop(size_t number)
{
    hand_hold(number, STR(""), 0, 0);
}
