/* How high the numbers of a sensor's descriptors may go. Whoever answers the opens that a dead
 * sensor had in its hands must try each number there may have been, before the next one may read
 * the gate (agent/watchdog.h): 65,536 of them take a processor's time that an emulated machine does
 * not have. So few are allowed at first, and more as they are needed; the shared page says how
 * many. */
#ifndef AGENT_NUMBERS_H
#define AGENT_NUMBERS_H

#include "agent/page.h"

#define NUMBERS_MAX   65536U /* that any sensor may have */
#define NUMBERS_FIRST 8192U

/* In a new sensor, before it reads the gate. */
void numbers_begin(struct page *page);
/* For each descriptor that is kept: from half the way on twice as many are allowed, so that at any
 * time thousands are left for what is not kept. Nothing before numbers_begin. Calls must not
 * overlap. */
void numbers_widen(struct page *page, int fd);
/* How many the last sensor may have had. */
unsigned numbers_of_dead(const struct page *page);

#endif
