/* Open addressing; grows at three quarters. The hash is SipHash-1-3 (Aumasson, Bernstein), so that
 * keys chosen by an enemy cannot pile up in one place. */
#include "base/map.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define MAP_NEVER   0
#define MAP_REMOVED 1

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t sip_rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = sip_rotate(s->v1, 13) ^ s->v0;
    s->v0 = sip_rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = sip_rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = sip_rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = sip_rotate(s->v1, 17) ^ s->v2;
    s->v2 = sip_rotate(s->v2, 32);
}

uint64_t map_hash(struct str key, uint64_t seed)
{
    struct sip s = {seed ^ 0x736f6d6570736575U, seed ^ 0x646f72616e646f6dU,
                    seed ^ 0x6c7967656e657261U, seed ^ 0x7465646279746573U};
    size_t at = 0;
    uint64_t word;

    for (; key.len - at >= 8; at += 8) {
        memcpy(&word, key.ptr + at, 8);
        s.v3 ^= word;
        sip_round(&s);
        s.v0 ^= word;
    }
    word = 0;
    if (key.len != at) {
        memcpy(&word, key.ptr + at, key.len - at);
    }
    word |= (uint64_t)key.len << 56;
    s.v3 ^= word;
    sip_round(&s);
    s.v0 ^= word;
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static uint32_t map_hash_key(const struct map *map, struct str key)
{
    uint32_t hash = (uint32_t)map_hash(key, map->seed);

    return hash <= MAP_REMOVED ? hash + 2 : hash;
}

void map_init(struct map *map, size_t limit, uint64_t seed)
{
    *map = (struct map){.limit = limit, .seed = seed};
}

void map_done(struct map *map)
{
    mem_free(map->slots);
    *map = (struct map){.limit = map->limit, .seed = map->seed};
}

static struct map_slot *map_find(const struct map *map, struct str key, uint32_t hash)
{
    if (map->room == 0) {
        return NULL;
    }
    for (size_t i = hash & (map->room - 1);; i = (i + 1) & (map->room - 1)) {
        struct map_slot *slot = &map->slots[i];

        if (slot->hash == MAP_NEVER) {
            return NULL;
        }
        if (slot->hash == hash && str_is(str_of(slot->key, slot->key_len), key)) {
            return slot;
        }
    }
}

/* Whether the place had never been used. */
static bool map_place(struct map_slot *slots, size_t room, struct map_slot entry)
{
    size_t i = entry.hash & (room - 1);
    bool is_new;

    while (slots[i].hash > MAP_REMOVED) {
        i = (i + 1) & (room - 1);
    }
    is_new = slots[i].hash == MAP_NEVER;
    slots[i] = entry;
    return is_new;
}

/* Makes room for one more entry and sweeps removed ones out. */
static int map_grow(struct map *map)
{
    size_t room = map->room != 0 ? map->room : 16;
    struct map_slot *slots;

    if (map->room != 0 && map->live * 2 >= map->room) {
        room = map->room * 2;
    }
    slots = mem_alloc(room, sizeof(*slots));
    if (slots == NULL) {
        return -ERR_NOMEM;
    }
    /* a page that is read before it is written comes twice, the second time to all processors */
    mem_wipe(slots, room * sizeof(*slots));
    for (size_t i = 0; i < map->room; i++) {
        if (map->slots[i].hash > MAP_REMOVED) {
            (void)map_place(slots, room, map->slots[i]);
        }
    }
    mem_free(map->slots);
    map->slots = slots;
    map->room = room;
    map->used = map->live;
    return 0;
}

void *map_get(const struct map *map, struct str key)
{
    struct map_slot *slot = map_find(map, key, map_hash_key(map, key));

    return slot != NULL ? slot->value : NULL;
}

int map_put(struct map *map, struct str key, void *value)
{
    const struct map_slot entry = {map_hash_key(map, key), (uint32_t)key.len, key.ptr, value};
    struct map_slot *slot = map_find(map, key, entry.hash);
    int r;

    if (slot != NULL) {
        *slot = entry;
        return 0;
    }
    if (map->live >= map->limit || key.len > UINT32_MAX) {
        return -ERR_LIMIT;
    }
    if (map->room == 0 || (map->used + 1) * 4 > map->room * 3) {
        r = map_grow(map);
        if (r < 0) {
            return r;
        }
    }
    map->used += map_place(map->slots, map->room, entry) ? 1 : 0;
    map->live++;
    return 0;
}

/* Removed slots that no search has to go past are as if never used: a table in which as much comes
 * as goes need not be swept. */
static void map_give_back(struct map *map, size_t i)
{
    while (map->slots[(i + 1) & (map->room - 1)].hash == MAP_NEVER &&
           map->slots[i].hash == MAP_REMOVED) {
        map->slots[i].hash = MAP_NEVER;
        map->used--;
        i = (i - 1) & (map->room - 1);
    }
}

void *map_remove(struct map *map, struct str key)
{
    struct map_slot *slot = map_find(map, key, map_hash_key(map, key));
    void *value;

    if (slot == NULL) {
        return NULL;
    }
    value = slot->value;
    *slot = (struct map_slot){.hash = MAP_REMOVED};
    map->live--;
    map_give_back(map, (size_t)(slot - map->slots));
    return value;
}

void *map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->room) {
        const struct map_slot *slot = &map->slots[(*cursor)++];

        if (slot->hash > MAP_REMOVED) {
            return slot->value;
        }
    }
    return NULL;
}
