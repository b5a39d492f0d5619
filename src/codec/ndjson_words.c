/* See codec/ndjson_words.h. Spellings differ in the case of a letter, in blanks and in the '_' for
 * them (ndjson_shapes.c, call_spell): none of these counts here. */
#include "codec/ndjson_words.h"

#include "base/banned.h"
#include "codec/ndjson_shapes.h"

#include <string.h>

/* Which bit stands for the name. */
static uint32_t word_bit(struct str name)
{
    const char *dot = name.len > 0 ? memrchr(name.ptr, '.', name.len) : NULL;
    const char *end = name.ptr + name.len;
    uint64_t hash = 0;

    for (const char *at = dot != NULL ? dot + 1 : name.ptr; at < end; at++) {
        if (*at != ' ' && *at != '_') {
            hash = (hash ^ (unsigned char)(*at | 0x20)) * 0x9e3779b97f4a7c15ULL;
            hash ^= hash >> 29;
        }
    }
    return (uint32_t)(hash >> 32) % NDJSON_WORDS_BITS;
}

static void words_add(void *context, struct str name)
{
    struct ndjson_words *words = context;
    uint32_t bit = word_bit(name);

    words->bits[bit / 64] |= 1ULL << (bit % 64);
}

void ndjson_words_init(struct ndjson_words *words, const struct entry_names *names)
{
    *words = (struct ndjson_words){0};
    ndjson_shapes_each(words_add, words);
    for (uint32_t id = 1; names != NULL && id <= entry_names_count(names); id++) {
        words_add(words, entry_names_get(names, id));
    }
}

bool ndjson_words_has(const struct ndjson_words *words, struct str name)
{
    uint32_t bit = name.len <= ENTRY_NAME_MAX ? word_bit(name) : 0;

    return name.len <= ENTRY_NAME_MAX && (words->bits[bit / 64] >> (bit % 64) & 1) != 0;
}
