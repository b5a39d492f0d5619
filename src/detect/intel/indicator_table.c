/* Open addressing over a room that need not be a power of two, so that it can be nearly full: see
 * indicator_table.h. */
#include "detect/intel/indicator_table.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define XXH_INLINE_ALL /* values of a few bytes: a call costs more than the hash */
#include <xxhash.h>

#define TABLE_SEED 0x63616e68676163U
#define ROOM_MIN   1024
#define SIEVE_WORD 8 /* slots to a word of it */

void indicator_table_done(struct indicator_table *table)
{
    mem_free(table->slots);
    mem_free(table->sieve);
    *table = (struct indicator_table){0};
}

uint64_t indicator_hash(unsigned kind, struct str value)
{
    uint64_t hash = XXH3_64bits_withSeed(value.ptr, value.len, TABLE_SEED + kind);

    return hash != 0 ? hash : 1;
}

static size_t home_of(uint64_t hash, size_t room)
{
    return (size_t)((hash >> 32) * room >> 32);
}

/* The word by the hash's lower half, the bits by the end of its upper one: what decides the slot
 * decides neither. */
static uint64_t *sieve_word(const struct indicator_table *table, uint64_t hash, uint64_t *ret_bits)
{
    *ret_bits = 1ULL << (hash >> 32 & 63) | 1ULL << (hash >> 38 & 63);
    return &table->sieve[(size_t)((hash & UINT32_MAX) * (table->room / SIEVE_WORD) >> 32)];
}

static struct indicator_slot *slot_of(const struct indicator_table *table, uint64_t hash)
{
    uint32_t low = (uint32_t)hash;
    uint32_t high = (uint32_t)(hash >> 32);
    size_t at = home_of(hash, table->room);

    for (;;) {
        struct indicator_slot *slot = &table->slots[at];

        if ((slot->low == low && slot->high == high) || (slot->low == 0 && slot->high == 0)) {
            return slot;
        }
        at = at + 1 == table->room ? 0 : at + 1;
    }
}

struct indicator_slot *indicator_table_find(const struct indicator_table *table, uint64_t hash)
{
    struct indicator_slot *slot;
    uint64_t bits;

    if (table->room == 0 || (*sieve_word(table, hash, &bits) & bits) != bits) {
        return NULL;
    }
    slot = slot_of(table, hash);
    return slot->low != 0 || slot->high != 0 ? slot : NULL;
}

static void slot_put(struct indicator_table *table, struct indicator_slot slot)
{
    uint64_t hash = (uint64_t)slot.high << 32 | slot.low;
    uint64_t bits;

    *sieve_word(table, hash, &bits) |= bits;
    *slot_of(table, hash) = slot;
}

/* By a quarter: at rest a table is between two thirds and five sixths full. */
static int table_grow(struct indicator_table *table)
{
    size_t room =
        table->room != 0 ? (table->room + table->room / 4) / SIEVE_WORD * SIEVE_WORD : ROOM_MIN;
    struct indicator_table grown = {.room = room, .count = table->count};

    grown.slots = mem_alloc(room, sizeof(*grown.slots));
    grown.sieve = mem_alloc(room / SIEVE_WORD, sizeof(*grown.sieve));
    if (grown.slots == NULL || grown.sieve == NULL) {
        indicator_table_done(&grown);
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < table->room; i++) {
        if (table->slots[i].low != 0 || table->slots[i].high != 0) {
            slot_put(&grown, table->slots[i]);
        }
    }
    indicator_table_done(table);
    *table = grown;
    return 0;
}

int indicator_table_add(struct indicator_table *table, uint64_t hash,
                        struct indicator_slot **ret_slot, bool *ret_is_new)
{
    int r = (table->count + 1) * 6 > table->room * 5 ? table_grow(table) : 0;

    if (r < 0) {
        return r;
    }
    *ret_slot = slot_of(table, hash);
    *ret_is_new = (*ret_slot)->low == 0 && (*ret_slot)->high == 0;
    if (*ret_is_new) {
        slot_put(table, (struct indicator_slot){(uint32_t)hash, (uint32_t)(hash >> 32), 0, 0});
        table->count++;
    }
    return 0;
}

size_t indicator_table_size(const struct indicator_table *table)
{
    return table->room * sizeof(*table->slots) + table->room / SIEVE_WORD * sizeof(*table->sieve);
}
