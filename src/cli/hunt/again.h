/* A hunt whose reader may end over what it reads, or not go on: another begins anew, with one
 * thread, until the entry or file is known that does it. That one is told and left out, all else is
 * judged, and what was printed already is not printed again. */
#ifndef CLI_HUNT_AGAIN_H
#define CLI_HUNT_AGAIN_H

#include "cli/hunt/order.h"
#include "cli/hunt/porter.h"

/* Hands a reader all that it is to read, each time the same. Negative: see porter_carry. */
typedef int again_carry_fn(void *context, struct porter *porter);

/* An enum exit_status: EXIT_STATUS_FAILED when anything was left out. */
int hunt_again_run(struct hunt_order *order, again_carry_fn *carry, void *context);

#endif
