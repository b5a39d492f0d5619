/* Forks, starts and ends of processes. Where the kernel refuses to tell (some containers),
 * processes are known only from the files they open. */
#ifndef SENSE_PROCESSES_H
#define SENSE_PROCESSES_H

#include "sense/sensor.h"
#include "sys/procwatch.h"

/* Called for each change, in order. */
struct processes_port {
    void *context;
    procwatch_fn *changed;
};

/* Hands on all that waits, at most a bound, and returns how many the kernel had to drop since the
 * last time, *known being what it had dropped by then. watch NULL is harmless. */
unsigned processes_drain(struct procwatch *watch, uint64_t *known,
                         const struct processes_port *port);

extern const struct sensor processes_sensor;

#endif
