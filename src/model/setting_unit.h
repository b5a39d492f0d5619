/* Units of numbers in settings: shared by what reads them (setting.c) and what writes them
 * (setting_write.c). */
#ifndef MODEL_SETTING_UNIT_H
#define MODEL_SETTING_UNIT_H

#include "model/setting.h"

struct setting_unit {
    const char *suffix;
    int64_t factor;
};

/* Those of a type, from the smallest up, ended by a row without suffix. */
const struct setting_unit *setting_units(enum setting_type type);

#endif
