/* Composition of letters; the rows are generated. */
#include "base/compose.h"

#include "base/banned.h"
#include "base/cleanup.h"

#define COMPOSE_KEY(letter, mark) ((uint32_t)(letter) << 16 | (mark))

struct compose_pair {
    uint32_t key;
    uint16_t composed;
};

static const struct compose_pair compose_pairs[] = {
#define PAIR(letter, mark, composed) {COMPOSE_KEY(letter, mark), composed},
#include "base/compose.def"
#undef PAIR
};

uint32_t compose_rune(uint32_t letter, uint32_t mark)
{
    size_t low = 0;
    size_t high = ARRAY_LEN(compose_pairs);
    uint32_t key = COMPOSE_KEY(letter, mark);

    if (letter > 0xffff || mark > 0xffff) {
        return 0;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compose_pairs[middle].key == key) {
            return compose_pairs[middle].composed;
        }
        if (compose_pairs[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}
