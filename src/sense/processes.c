/* Neighbours: sys/procwatch.c before, sense/files_names.c behind. Bounded per call, so that a fork
 * storm cannot keep the names thread from its other work. */
#include "sense/processes.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"

#include <assert.h>

#define PROCESSES_BATCH 4096

static_assert(SENSOR_FDS_MAX >= PROCWATCH_FDS);

unsigned processes_drain(struct procwatch *watch, uint64_t *known,
                         const struct processes_port *port)
{
    uint64_t before = *known;

    if (watch == NULL) {
        return 0;
    }
    (void)!procwatch_read(watch, PROCESSES_BATCH, port->changed, port->context);
    *known = procwatch_lost(watch);
    return (unsigned)(*known - before);
}

static int processes_acquire(int ret_fds[SENSOR_FDS_MAX], struct diag *diag)
{
    return procwatch_acquire(ret_fds, diag);
}

const struct sensor processes_sensor = {.name = "processes", .acquire = processes_acquire};
