/* Neighbours: sys/proc_events.c before, agent/sensor.c behind. Bounded per call, so that a fork
 * storm cannot keep the names thread from its other work. */
#include "sense/processes.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "sys/proc_events.h"

#define PROCESSES_BATCH 4096

static void processes_hand_on(const struct proc_change *change, const struct processes_port *port)
{
    switch (change->kind) {
    case PROC_EVENT_KIND_FORK:
        port->forked(port->context, change->pid, change->parent);
        break;
    case PROC_EVENT_KIND_EXEC:
        port->executed(port->context, change->pid);
        break;
    case PROC_EVENT_KIND_EXIT:
        port->ended(port->context, change->pid, change->exit_code);
        break;
    case PROC_EVENT_KIND_NONE:
    default:
        break;
    }
}

unsigned processes_drain(int fd, const struct processes_port *port)
{
    unsigned lost = 0;

    for (int i = 0; fd >= 0 && i < PROCESSES_BATCH; i++) {
        struct proc_change change;
        int r = proc_events_read(fd, &change);

        if (r == -ERR_LIMIT) {
            lost = 1;
            continue;
        }
        if (r < 0) {
            break;
        }
        processes_hand_on(&change, port);
    }
    return lost;
}

static int processes_acquire(int ret_fds[SENSOR_FDS_MAX], struct diag *diag)
{
    int fd = proc_events_open();

    if (fd < 0) {
        return diag_set(diag, fd,
                        _("the kernel does not tell of starting processes here (%s); who deleted a "
                          "file may stay unknown"),
                        err_text(fd));
    }
    ret_fds[0] = fd;
    return 0;
}

const struct sensor processes_sensor = {.name = "processes", .acquire = processes_acquire};
