/* One sentence for a person: what happened, to what, and what to do. Filled by the function that
 * knows, printed by the process that talks. The first sentence stays: it is nearest to the cause.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stddef.h>

struct diag {
    char text[512];
};

/* Keeps a sentence that stands there already; takes NULL. Returns code, so that
 * `return diag_set(diag, -ERR_SYNTAX, _("…"), …);` reads as one thought. */
int diag_set(struct diag *diag, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The sentence, or the code's own when none was set. */
const char *diag_text(const struct diag *diag, int code);

#endif
