/* See engine_memo.h. */
#include "detect/sigma/engine_memo.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "detect/sigma/engine_part.h"

#include <string.h>

#define MEMO_SLOTS 2048

struct memo_slot {
    uint64_t hash;  /* of the value that is kept */
    uint64_t other; /* of the last one that was not */
    uint32_t plan;
    uint32_t field;
    uint32_t clues[MEMO_CLUES];
    uint16_t len;
    uint8_t count;
    bool is_escaped;
    char text[MEMO_TEXT];
};

struct memo {
    struct memo_slot slots[MEMO_SLOTS];
};

int memo_new(struct memo **ret_memo)
{
    struct memo *memo = mem_alloc(1, sizeof(*memo));

    if (memo == NULL) {
        return -ERR_NOMEM;
    }
    *ret_memo = memo;
    return 0;
}

void memo_free(struct memo *memo)
{
    mem_free(memo);
}

struct memo_slot *memo_find(struct memo *memo, struct memo_key *key)
{
    key->hash = clue_hash(CLUE_NONE, key->field << 8 ^ key->plan, key->text) | 1;
    return &memo->slots[(key->hash >> 32) % MEMO_SLOTS];
}

const uint32_t *memo_clues(const struct memo_slot *slot, const struct memo_key *key,
                           size_t *ret_count)
{
    if (slot->hash != key->hash || slot->plan != key->plan || slot->field != key->field ||
        slot->is_escaped != key->is_escaped || slot->len != key->text.len ||
        memcmp(slot->text, key->text.ptr, key->text.len) != 0) {
        return NULL;
    }
    *ret_count = slot->count;
    return slot->clues;
}

void memo_learn(struct memo_slot *slot, const struct memo_key *key, const uint32_t *clues,
                size_t count)
{
    if (slot->other != key->hash || count > MEMO_CLUES) {
        slot->other = key->hash;
        return;
    }
    slot->hash = key->hash;
    slot->plan = key->plan;
    slot->field = key->field;
    slot->is_escaped = key->is_escaped;
    slot->len = (uint16_t)key->text.len;
    slot->count = (uint8_t)count;
    memcpy(slot->clues, clues, count * sizeof(*clues));
    memcpy(slot->text, key->text.ptr, key->text.len);
}
