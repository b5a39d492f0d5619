/* How the centre's processes give up their rights. Above sys/sandbox.h, which does it. */
#ifndef CENTRE_CONFINE_H
#define CENTRE_CONFINE_H

#include "base/diag.h"
#include "sys/sandbox.h"

/* What this kernel lacks of it is logged. Errors: those of sandbox_enter. */
[[nodiscard]] int confine(const struct sandbox *sandbox, struct diag *diag);
/* For a process that parses: no path, no right; user may be NULL (kept) or one that this machine
 * lacks ("nobody" then). sandbox: its calls and limits. An error is logged under name. */
[[nodiscard]] int confine_parser(const char *name, const char *user, const struct sandbox *sandbox);

#endif
