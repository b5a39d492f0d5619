/* Why a judge concluded what it did, as words: one list for findings and for checks of pages. */
#ifndef MODEL_REASON_H
#define MODEL_REASON_H

#include "base/str.h"

/* The sentence of a word of model/reasons.def in the process's language; a word that is not there,
 * as from a newer program, is given back as it is. */
struct str reason_text(struct str what);

#endif
