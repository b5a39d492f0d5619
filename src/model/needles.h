/* What an event must hold to be worth looking at: folded texts under AND and OR. An archive asks it
 * of a block's filter first and of each event's texts then; whatever a search finds fulfils its
 * needles, and more may. Pure. */
#ifndef MODEL_NEEDLES_H
#define MODEL_NEEDLES_H

#include "base/str.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEEDLES_MAX 256 /* nodes */

enum needle_kind {
    NEEDLE_ANY,   /* whatever it is: nothing is chosen by it */
    NEEDLE_TEXT,  /* stands in a text of the event */
    NEEDLE_RUN,   /* so many digits in a row, or more, stand in a text of it */
    NEEDLE_CODED, /* its entry may say what does not stand in it (model/coded.h) */
    NEEDLE_AND,
    NEEDLE_OR,
};

/* Where a text stands for a value's own end, so that no digit stands beside it in the event's. */
#define NEEDLE_END_FRONT 1U
#define NEEDLE_END_BACK  2U

struct needle {
    enum needle_kind kind;
    unsigned ends; /* of TEXT: bits */
    unsigned run;  /* of RUN */
    uint16_t left; /* of AND, OR: places before this one */
    uint16_t right;
    struct str text; /* folded */
};

struct needles {
    struct needle list[NEEDLES_MAX];
    size_t count;
    uint16_t root; /* when there are any; none: everything */
};

/* Where needles are looked for. */
struct needle_place {
    bool (*holds)(void *context, const struct needle *needle); /* TEXT, RUN */
    bool (*is_coded)(void *context);
    void *context;
};

/* Before blocks noted what is coded in them, it was looked for in their filters: escapes and names
 * of formats, each a folded text; ends with an empty one. */
extern const struct str needles_codes[];

void needles_init(struct needles *needles);
/* Adds a node and gives its place. What can choose nothing becomes ANY, whose place is 0: an empty
 * text, an OR with ANY in it, everything past NEEDLES_MAX. */
uint16_t needles_text(struct needles *needles, struct str text, unsigned ends);
uint16_t needles_run(struct needles *needles, unsigned digits);
uint16_t needles_coded(struct needles *needles);
uint16_t needles_join(struct needles *needles, enum needle_kind kind, uint16_t left,
                      uint16_t right);
/* Whether there is anything to choose by. */
bool needles_choose(const struct needles *needles);
bool needles_hold(const struct needles *needles, const struct needle_place *place);
/* TEXT or RUN in a folded text. */
bool needle_stands_in(const struct needle *needle, struct str text);
/* In the texts of one event, folded. */
bool needles_stand_in(const struct needles *needles, const struct event *event,
                      const struct str *texts, size_t count);

#endif
