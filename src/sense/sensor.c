/* The table of sensors. */
#include "sense/sensor.h"

#include "base/banned.h"

#define SENSOR(constant, name) extern const struct sensor name##_sensor;
#include "sense/sensors.def"
#undef SENSOR

const struct sensor *const sensors[SENSOR_KIND_COUNT] = {
#define SENSOR(constant, name) [SENSOR_KIND_##constant] = &name##_sensor,
#include "sense/sensors.def"
#undef SENSOR
};
