/* Words as a reader sees them, however they are written: lower-case ASCII without dấu, look-alike
 * letters of other scripts as the letters they pose as, invisible characters gone, letters that
 * stand apart ("n.h.à c á i") together again, digits inside words as the letters they stand for. On
 * the data's way: page blocks → fold_add → content.c. Pure; hostile text: bounded by the words
 * asked for. An ideograph is a word of its own. */
#ifndef DETECT_DEFACE_FOLD_H
#define DETECT_DEFACE_FOLD_H

#include "base/arena.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define FOLD_WORD_SIZE 32 /* bytes of a word; what is longer is cut */

enum fold_trick { /* how a word was written so that machines miss it or people marvel; bits */
                  FOLD_TRICK_POSE = 1 << 0,   /* other alphabets' letters among Latin ones */
                  FOLD_TRICK_APART = 1 << 1,  /* its letters stand apart */
                  FOLD_TRICK_UNSEEN = 1 << 2, /* invisible characters inside */
                  FOLD_TRICK_MARKS = 1 << 3,  /* heaps of marks on a letter */
                  FOLD_TRICK_SIGNS = 1 << 4,  /* digits for letters */
};

struct fold_word {
    char text[FOLD_WORD_SIZE];
    uint8_t len;
    uint8_t tricks; /* enum fold_trick */
    uint32_t from;  /* bytes of the text it was read from */
    uint32_t upto;
};

struct fold {
    struct fold_word *words;
    size_t count;
    size_t room;
};

/* room: most words it takes. -ERR_NOMEM, -ERR_LIMIT of the arena. */
[[nodiscard]] int fold_init(struct fold *fold, struct arena *arena, size_t room);
/* Adds the words of UTF-8 text; those past the room are left out. base is added to from and upto.
 */
void fold_add(struct fold *fold, struct str text, uint32_t base);
struct str fold_word_str(const struct fold_word *word);

#endif
