/* Trigram filters: which blocks of the archive can hold a word. A Bloom filter (B. H. Bloom, CACM
 * 13/7, 1970) over the distinct three-byte pieces of all folded texts of a block, ten bits for each
 * piece, seven probes: one word in a hundred of three bytes passes by mistake, a longer one hardly
 * ever. Addresses are made of trigrams that every block has, so theirs go in by five bytes as well:
 * of digits with a dot among them. Pure. */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIGRAM_SIZE 3
#define ADDRESS_SIZE 5          /* of a piece of digits and dots */
#define TRIGRAMS_MAX (1U << 17) /* distinct ones in a block; a fuller block is closed */

/* A set of distinct trigrams and pieces of addresses: a bit for each that there can be, of which
 * texts touch few pages, and the list of those that are in. Logs repeat themselves: words of eight
 * bytes that came lately are known by one look. */
struct trigrams {
    uint64_t *bits;   /* NULL: none is in */
    uint64_t *lately; /* words whose trigrams are in, by hash; 0: none */
    uint32_t *list;
    size_t room; /* of the list */
    size_t count;
};

void trigrams_init(struct trigrams *set);
void trigrams_done(struct trigrams *set);
void trigrams_reset(struct trigrams *set);
/* Adds the trigrams of one folded text. -ERR_NOMEM, and some of them are in. */
[[nodiscard]] int trigrams_add(struct trigrams *set, struct str folded);

/* Appends the filter's bytes; none for an empty set. Errors stick in buf. */
void filter_write(const struct trigrams *set, struct buf *buf);
/* False: no text of the block holds the folded word. Words shorter than a trigram are always
 * admitted. has_addresses: its pieces of addresses are in (blocks of before have none). */
bool filter_admits(struct str filter, struct str word, bool has_addresses);

#endif
