/* What the requests about rules share: core/rule.c and core/filter.c. */
#ifndef CENTRE_CORE_RULE_H
#define CENTRE_CORE_RULE_H

#include "centre/catalogue.h"
#include "centre/core/detect.h"
#include "centre/core/private.h"
#include "store/rulebook.h"

/* The rules in force, as the detector told last. */
struct rule_book {
    struct arena *arena;
    struct catalogue catalogue;
};

/* -ERR_NOENT with a diag for people when the detector has not told yet. */
[[nodiscard]] int rule_book_open(struct core_call *call, struct rule_book *ret_book);
void rule_book_done(struct rule_book *book);
/* The detector and the screens are to know after the commit. */
void rule_changed(struct core_call *call);

#endif
