/* canhgac drill deface: see drill/deface.c. */
#ifndef CLI_DRILL_DEFACE_H
#define CLI_DRILL_DEFACE_H

#include "cli/command.h"

struct drill_deface_settings {
    const char *act;
    const char *folder;
    int64_t seed;
    int64_t limit_ns;
    bool keep;
    bool list;
    bool json;
};

extern const struct setting drill_deface_rows[];

int drill_deface_run(const struct command_call *call);

#endif
