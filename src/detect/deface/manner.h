/* How a text is written, whatever its language: names made up as intruders make them, ornaments
 * around words, cries, capitals. On the data's way: page blocks → manner_add → content.c. Pure;
 * hostile text: one pass, no memory. */
#ifndef DETECT_DEFACE_MANNER_H
#define DETECT_DEFACE_MANNER_H

#include "base/str.h"

#include <stdbool.h>

struct manner {
    unsigned handles;   /* "k1ng_x", "xXNameXx", "Mr.Name", "@name" */
    unsigned ornaments; /* runs of signs: "-=[", "::", "★" */
    unsigned cries;     /* ! */
    unsigned letters;   /* of those alphabets that have capitals, ASCII only */
    unsigned capitals;
};

void manner_add(struct manner *manner, struct str text);
/* A word that nobody finds in a dictionary: digits or capitals inside, parts tied by signs. text:
 * between two blanks. */
bool manner_is_handle(struct str text);

#endif
