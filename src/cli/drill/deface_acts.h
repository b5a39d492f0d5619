/* How a drill defaces its own demo portal: one row each, written into the scratch folder as an
 * attacker writes into a document root. */
#ifndef CLI_DRILL_DEFACE_ACTS_H
#define CLI_DRILL_DEFACE_ACTS_H

#include "base/buf.h"
#include "cli/drill/folder.h"

struct deface_act {
    const char *name;
    const char *sentence; /* translate with text_get */
    const char *page;     /* that is watched for it, below the portal's root */
    const char *file;     /* that is written; not there before when it is a cloak */
    /* From the page as it was to the page as the attacker leaves it. */
    void (*make)(struct str before, struct buf *out);
};

/* Ended by a row without a name. */
extern const struct deface_act deface_acts[];

const struct deface_act *deface_act_find(const char *name);
/* Writes it, after the marker was checked. *ret_before: the file's bytes, for the way back; empty
 * when it was not there. */
[[nodiscard]] int deface_act_do(const struct deface_act *act, const struct drill_folder *folder,
                                struct buf *ret_before);
/* Puts the file back as it was. */
[[nodiscard]] int deface_act_undo(const struct deface_act *act, const struct drill_folder *folder,
                                  struct str before);
/* Whether the file is as it was. */
bool deface_act_is_undone(const struct deface_act *act, const struct drill_folder *folder,
                          struct str before);

#endif
