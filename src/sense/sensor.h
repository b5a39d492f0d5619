/* What every sensor has in common: descriptors that only root can get and that outlive the process
 * which reads them. The supervisor acquires them once; a sensor process that dies is replaced on
 * the same ones, so that nothing passes unseen in between. One line per sensor in sensors.def. */
#ifndef SENSE_SENSOR_H
#define SENSE_SENSOR_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>

#define SENSOR_FDS_MAX 5

enum sensor_kind {
#define SENSOR(constant, name) SENSOR_KIND_##constant,
#include "sense/sensors.def"
#undef SENSOR
    SENSOR_KIND_COUNT,
};

struct sensor {
    const char *name;
    /* With all rights. Unused places stay -1. diag: what the kernel lacks and what that costs, also
     * when the sensor makes do with less. */
    int (*acquire)(int ret_fds[SENSOR_FDS_MAX], struct diag *diag);
    bool is_required; /* without it the agent does not start */
};

extern const struct sensor *const sensors[SENSOR_KIND_COUNT];

#endif
