/* Trigram filters: which blocks of the archive can hold a word. A Bloom filter (B. H. Bloom, CACM
 * 13/7, 1970) over the distinct three-byte pieces of all folded texts of a block, ten bits for each
 * piece, seven probes: one word in a hundred of three bytes passes by mistake, a longer one hardly
 * ever. Addresses are made of trigrams that every block has, so theirs go in by five bytes as well:
 * of digits with a dot among them. So are numbers: each run of three digits and more goes in whole,
 * for those who ask for a value that ends where its digits do. Pure. */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include "base/buf.h"
#include "base/str.h"
#include "model/needles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIGRAM_SIZE 3
#define ADDRESS_SIZE 5          /* of a piece of digits and dots */
#define NUMBER_SIZE  3          /* of the shortest run of digits */
#define TRIGRAMS_MAX (1U << 17) /* distinct ones in a block; a fuller block is closed */

/* What is in a filter, as its row in the file says: each has what those before have. */
enum filter_pieces {
    FILTER_PIECES_TRIGRAMS,
    FILTER_PIECES_ADDRESSES,
    FILTER_PIECES_NUMBERS,
};

/* A set of distinct trigrams, pieces of addresses and numbers: a bit for each that there can be, of
 * which texts touch few pages, and the list of those that are in. Logs repeat themselves: words of
 * eight bytes that came lately are known by one look. */
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
/* Adds the pieces of one folded text. -ERR_NOMEM, and some of them are in. */
[[nodiscard]] int trigrams_add(struct trigrams *set, struct str folded);

/* Appends the filter's bytes; none for an empty set. Errors stick in buf. */
void filter_write(const struct trigrams *set, struct buf *buf);
/* False: no text of the block holds the needle's (NEEDLE_TEXT). Words shorter than a trigram are
 * always admitted. */
bool filter_admits(struct str filter, enum filter_pieces pieces, const struct needle *needle);

#endif
