/* Starts and ends of processes, from the kernel's process connector. Where it is refused (some
 * containers), processes are known only from the files they open. */
#ifndef SENSE_PROCESSES_H
#define SENSE_PROCESSES_H

#include "sense/sensor.h"

#include <stdint.h>
#include <sys/types.h>

/* Called for each change, in order. */
struct processes_port {
    void *context;
    void (*forked)(void *context, pid_t pid, pid_t parent);
    void (*executed)(void *context, pid_t pid);
    void (*ended)(void *context, pid_t pid, int wait_status);
};

/* Hands on all that waits, at most a bound, and returns how many the kernel had to drop (0 or 1
 * here, the kernel does not count them). fd -1 is harmless. */
unsigned processes_drain(int fd, const struct processes_port *port);

extern const struct sensor processes_sensor;

#endif
