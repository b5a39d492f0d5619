/* What people type to find events, as the console and `canhgac search` take it.
 *
 *     word  "some words"     stands in a text of the event; without case and dấu
 *     field:value            of that field; * and ? as in file names, quotes for spaces
 *     field:>5  field:<=10   of a number
 *     field:203.0.113.0/24   of an address, which lies in that network
 *     -term  NOT term        does not hold (KHÔNG)
 *     a b  a AND b           both hold (VÀ)
 *     a OR b                 one of them holds (HOẶC)
 *     ( … )                  as one term
 *
 * NOT binds closest, then AND, then OR: "a b OR -c d" is (a and b) or (not c, and d). The words are
 * written in capitals. Fields have their ECS names, or the short ones of term_aliases; in an entry
 * they are also found by what its reader calls them (term_ecs.def). Any other name is a field that
 * a reader of logs finds in the entry, in whatever case. Pure. */
#ifndef MODEL_TERMS_H
#define MODEL_TERMS_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/network.h"
#include "base/str.h"
#include "codec/entry.h"
#include "model/event.h"
#include "model/needles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMS_MAX       32
#define TERMS_DEPTH_MAX 8    /* parentheses in parentheses */
#define TERMS_TEXT_MAX  1000 /* bytes */

enum term_field {
    TERM_FIELD_ANY,   /* every text of the event */
    TERM_FIELD_HOST,  /* the host's name */
    TERM_FIELD_KIND,  /* event_kind_name */
    TERM_FIELD_EVENT, /* one of the event's own */
    TERM_FIELD_ENTRY, /* of the log's entry only */
};

enum term_relation {
    TERM_RELATION_HOLDS, /* text is a part of the value */
    TERM_RELATION_LIKE,  /* text is the value, with * and ? */
    TERM_RELATION_LT,
    TERM_RELATION_LTE,
    TERM_RELATION_GT,
    TERM_RELATION_GTE,
    TERM_RELATION_EQ,     /* of numbers */
    TERM_RELATION_WITHIN, /* an address of the network, or text is the value */
};

struct term {
    bool is_negated;
    bool is_in_entry; /* an entry's field of that name may hold it too */
    enum term_field field;
    enum event_field_id id; /* of TERM_FIELD_EVENT */
    enum term_relation relation;
    struct str name;              /* of the field, as it was typed; empty: none was */
    const struct term_alias *own; /* what readers call it besides */
    size_t own_count;
    struct str typed; /* the text as it was typed */
    struct str text;  /* folded */
    int64_t number;
    struct network network; /* of WITHIN */
    struct str octets;      /* what all its IPv4 addresses begin with; empty: not known */
};

/* Short names of fields, for help, and readers' names: a name and what it stands for. */
struct term_alias {
    const char *name;
    const char *field;
};
extern const struct term_alias term_aliases[]; /* ends with an empty row */

enum terms_kind { TERMS_KIND_TERM, TERMS_KIND_AND, TERMS_KIND_OR };

/* Negations stand at the terms only: NOT (a OR b) is -a AND -b. */
struct terms_node {
    enum terms_kind kind;
    uint8_t left; /* TERM: its place in the list; else a node before this one */
    uint8_t right;
};

struct terms {
    struct term list[TERMS_MAX];
    size_t count;
    struct terms_node nodes[2 * TERMS_MAX];
    size_t node_count;
    uint8_t root;     /* when there are any */
    struct str typed; /* all of it */
};

/* Texts of the terms lie in the arena. -ERR_SYNTAX, -ERR_LIMIT, each with a sentence. Nothing
 * typed: no term, which every event fulfils. */
[[nodiscard]] int terms_parse(struct str typed, struct arena *arena, struct terms *ret_terms,
                              struct diag *diag);

enum terms_verdict {
    TERMS_NO,
    TERMS_YES,
    TERMS_UNREAD, /* it depends on fields of the entry, and that was not read */
};

/* entry: what a reader made of the event's entry, NULL when nobody read it; arena: for texts of its
 * fields. */
enum terms_verdict terms_judge(const struct terms *terms, const struct event *event,
                               struct str host, const struct entry *entry, struct arena *arena);
/* Whether an entry's field of that name is one that the term asks of. */
bool term_is_of(const struct term *term, struct str name);
/* What every event that matches holds: what an archive may look for first. Texts are borrowed. */
void terms_needles(const struct terms *terms, struct needles *ret_needles);

#endif
