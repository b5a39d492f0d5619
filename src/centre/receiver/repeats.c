/* See receiver/repeats.h. */
#include "centre/receiver/repeats.h"

#include "base/banned.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"

#include <string.h>

void repeats_init(struct repeats *repeats, uint64_t seed)
{
    *repeats = (struct repeats){.seed = seed};
    list_init(&repeats->posts);
}

void repeat_free(struct repeat *repeat)
{
    if (repeat != NULL) {
        buf_done(&repeat->hashes);
        mem_free(repeat);
    }
}

static void repeats_remove(struct repeats *repeats, struct repeat *repeat)
{
    list_remove(&repeat->node);
    repeats->count--;
    repeats->size -= repeat->hashes.len;
}

void repeats_done(struct repeats *repeats)
{
    LIST_EACH (node, &repeats->posts) {
        struct repeat *repeat = LIST_ENTRY(node, struct repeat, node);

        repeats_remove(repeats, repeat);
        repeat_free(repeat);
    }
}

uint64_t repeats_hash(const struct repeats *repeats, struct str poster,
                      const struct receiver_entry *entry)
{
    uint64_t hash = map_hash(poster, repeats->seed);

    hash = map_hash(entry->via, hash ^ repeats->seed);
    hash = map_hash(entry->host, hash ^ repeats->seed);
    hash = map_hash(entry->source, hash ^ repeats->seed);
    return map_hash(entry->raw, hash ^ repeats->seed);
}

/* Oldest first, so that the first that stays ends it. */
static void repeats_expire(struct repeats *repeats, size_t more, int64_t now)
{
    LIST_EACH (node, &repeats->posts) {
        struct repeat *repeat = LIST_ENTRY(node, struct repeat, node);

        if (now - repeat->kept <= REPEATS_KEPT && repeats->count < REPEATS_MAX &&
            repeats->size + more <= REPEATS_SIZE_MAX) {
            return;
        }
        repeats_remove(repeats, repeat);
        repeat_free(repeat);
    }
}

void repeats_keep(struct repeats *repeats, const struct repeat *post, int64_t now)
{
    struct repeat *repeat = post->hashes.len != 0 ? mem_alloc(1, sizeof(*repeat)) : NULL;
    struct buf hashes = post->hashes;

    if (repeat == NULL) {
        buf_done(&hashes);
        return;
    }
    repeats_expire(repeats, hashes.len, now);
    *repeat = *post;
    repeat->kept = now;
    list_init(&repeat->node);
    list_append(&repeats->posts, &repeat->node);
    repeats->count++;
    repeats->size += hashes.len;
}

void repeats_unanswered(struct repeats *repeats, uint64_t number)
{
    LIST_EACH (node, &repeats->posts) {
        struct repeat *repeat = LIST_ENTRY(node, struct repeat, node);

        if (repeat->number == number) {
            repeat->is_answered = false;
        }
    }
}

struct repeat *repeats_take(struct repeats *repeats, uint64_t first, int64_t now)
{
    struct repeat *found = NULL;

    repeats_expire(repeats, 0, now);
    LIST_EACH (node, &repeats->posts) {
        struct repeat *repeat = LIST_ENTRY(node, struct repeat, node);

        if (!repeat->is_answered && repeat_has(repeat, 0, first)) {
            found = repeat;
        }
    }
    if (found != NULL) {
        repeats_remove(repeats, found);
    }
    return found;
}

struct repeat *repeat_copy(const struct buf *hashes, uint64_t batch)
{
    struct repeat *repeat = mem_alloc(1, sizeof(*repeat));

    if (repeat == NULL) {
        return NULL;
    }
    repeat->batch = batch;
    list_init(&repeat->node);
    buf_init(&repeat->hashes, hashes->len);
    if (buf_put_str(&repeat->hashes, buf_str(hashes)) < 0) {
        repeat_free(repeat);
        return NULL;
    }
    return repeat;
}

size_t repeat_count(const struct repeat *repeat)
{
    return repeat->hashes.len / sizeof(uint64_t);
}

bool repeat_has(const struct repeat *repeat, size_t place, uint64_t hash)
{
    return place < repeat_count(repeat) &&
           memcmp(repeat->hashes.ptr + place * sizeof(hash), &hash, sizeof(hash)) == 0;
}
