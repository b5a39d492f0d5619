/* Which names of JSON logs may mean anything: whoever writes logs can make up names by the hundred
 * thousand in one entry, and all that shapes and judges know is told from a name's last part (what
 * stands behind its last dot). A filter of those parts: it may be wrong in saying that a name is
 * known, never in saying that it is not. Pure once it is made. */
#ifndef CODEC_NDJSON_WORDS_H
#define CODEC_NDJSON_WORDS_H

#include "codec/entry.h"

#define NDJSON_WORDS_BITS (1u << 16) /* rules ask for some three thousand names */

struct ndjson_words {
    uint64_t bits[NDJSON_WORDS_BITS / 64];
};

/* The names of the tables (codec/ndjson_shapes) and of the asker, who may be NULL. */
void ndjson_words_init(struct ndjson_words *words, const struct entry_names *names);
/* False: in no family is the name, or what is left of it when fronts are taken off, a row of the
 * tables, and nobody asks for it in any spelling. */
bool ndjson_words_has(const struct ndjson_words *words, struct str name);

#endif
