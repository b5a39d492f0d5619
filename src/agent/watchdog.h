/* The watchdog process: keeps a second descriptor of the gate and does nothing but look at the
 * shared page: five times a second while there is something to time, else when it is told to, or
 * when an open waits unread. When an open waits for a second without progress, or the reader is
 * silent so long, it ends the sensor. While there is none, it holds what comes, lets our own
 * processes through, and lets everybody through as soon as a new sensor reads the gate or a second
 * has passed: never is the machine held up longer. */
#ifndef AGENT_WATCHDOG_H
#define AGENT_WATCHDOG_H

#include "agent/page.h"

/* What a dead sensor had read but not answered waits under numbers of its descriptors: lets all of
 * it go. Only while no sensor reads the gate: a new one's descriptors have such numbers too. */
void watchdog_answer_dead(struct page *page, int gate);
/* Whoever begins what the watchdog times tells so: first in the page, then by this. wake_fd: an
 * eventfd that both have. Waits for nobody, and costs a look at the page unless the watchdog rests.
 */
void watchdog_stir(struct page *page, int wake_fd);
/* Process body; returns the exit status. */
int watchdog_run(struct page *page, int gate, int wake_fd);

#endif
