/* The seccomp half of sandbox.c: families of system calls as lists of names. */
#ifndef SYS_SANDBOX_CALLS_H
#define SYS_SANDBOX_CALLS_H

#include "base/diag.h"

/* Loads a filter that ends the process (SIGSYS) at any call outside the families (enum
 * sandbox_calls). */
[[nodiscard]] int sandbox_filter_calls(unsigned families, struct diag *diag);

#endif
