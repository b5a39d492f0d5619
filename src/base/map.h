/* A hash map from byte strings to pointers, open addressing with linear probing, seeded against
 * hash floods. It owns neither keys nor values: a key must outlive its entry (most often it lies in
 * the value). The most entries it may hold are given at creation. Not thread-safe. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Three words: the tables are a fifth of an agent's memory. */
struct map_slot {
    uint32_t hash; /* 0: never used; 1: removed */
    uint32_t key_len;
    const char *key;
    void *value;
};

struct map {
    struct map_slot *slots;
    size_t room; /* power of two, or 0 */
    size_t used; /* live entries and removed ones */
    size_t live;
    size_t limit;
    uint64_t seed;
};

/* Allocates nothing yet. */
void map_init(struct map *map, size_t limit, uint64_t seed);
void map_done(struct map *map);

/* The value, or NULL. */
void *map_get(const struct map *map, struct str key);
/* Adds or replaces. -ERR_LIMIT, also for a key of 4 GiB; -ERR_NOMEM. */
[[nodiscard]] int map_put(struct map *map, struct str key, void *value);
/* Removes and returns the value, or NULL. */
void *map_remove(struct map *map, struct str key);

/* Walks the entries in no order: start with *cursor = 0; NULL at the end. Removing the entry just
 * returned is allowed meanwhile, adding is not. */
void *map_next(const struct map *map, size_t *cursor);

static inline size_t map_count(const struct map *map)
{
    return map->live;
}

/* The map's own hash, for others who need a seeded one. */
uint64_t map_hash(struct str key, uint64_t seed);

#define MAP_KEY(object) str_of((const char *)&(object), sizeof(object))

#endif
