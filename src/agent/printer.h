/* The outlet of an agent that works alone: findings go to standard output, for people or as one
 * JSON object a line; what else the sensor says is not shown. */
#ifndef AGENT_PRINTER_H
#define AGENT_PRINTER_H

#include "agent/supervisor.h"

/* Process body. Ends on SIGTERM, after what waits has been printed. Returns EXIT_STATUS_FOUND when
 * a finding was printed. One killed while it prints is followed by one that prints the same again.
 */
int printer_run(const struct agent_outlet *outlet);

#endif
