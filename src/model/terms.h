/* What people type to find events, as the console and `canhgac search` take it: terms that must all
 * hold, parted by spaces.
 *
 *     word  "some words"     stands in a text of the event; without case and dấu
 *     field:value            of that field; * and ? as in file names, quotes for spaces
 *     field:>5  field:<=10   of a number
 *     -term  NOT term        does not hold
 *
 * Fields have their ECS names, or the short ones of term_aliases. Pure. */
#ifndef MODEL_TERMS_H
#define MODEL_TERMS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMS_MAX      32
#define TERMS_TEXT_MAX 1000 /* bytes */

enum term_field {
    TERM_FIELD_ANY,   /* every text of the event */
    TERM_FIELD_HOST,  /* the host's name */
    TERM_FIELD_KIND,  /* event_kind_name */
    TERM_FIELD_EVENT, /* one of the event's own */
};

enum term_relation {
    TERM_RELATION_HOLDS, /* text is a part of the value */
    TERM_RELATION_LIKE,  /* text is the value, with * and ? */
    TERM_RELATION_LT,
    TERM_RELATION_LTE,
    TERM_RELATION_GT,
    TERM_RELATION_GTE,
    TERM_RELATION_EQ, /* of numbers */
};

struct term {
    bool is_negated;
    enum term_field field;
    enum event_field_id id; /* of TERM_FIELD_EVENT */
    enum term_relation relation;
    struct str text; /* folded */
    int64_t number;
};

struct terms {
    struct term list[TERMS_MAX];
    size_t count;
};

/* Short names of fields, for help: name and what it stands for. Ends with an empty row. */
struct term_alias {
    const char *name;
    const char *field;
};
extern const struct term_alias term_aliases[];

/* Texts of the terms lie in the arena. -ERR_SYNTAX, -ERR_LIMIT, -ERR_NOENT for a field that is not
 * known, each with a sentence. Nothing typed: no term, which every event fulfils. */
[[nodiscard]] int terms_parse(struct str typed, struct arena *arena, struct terms *ret_terms,
                              struct diag *diag);
bool terms_match(const struct terms *terms, const struct event *event, struct str host);
/* Folded texts parted by spaces, which every event that matches holds: what an archive may look for
 * first (struct archive_query). */
void terms_put_needles(const struct terms *terms, struct buf *buf);

#endif
