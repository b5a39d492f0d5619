/* `canhgac agent enrol HOST[:PORT] TOKEN`: a verb of cli/agent.c. */
#ifndef CLI_AGENT_ENROL_H
#define CLI_AGENT_ENROL_H

#include "cli/command.h"

struct agent_enrol_settings {
    const char *folder;
    const char *name; /* of this host, NULL: as the system calls it */
    bool is_forced;
};

extern const struct setting agent_enrol_rows[];

int agent_enrol_run(const struct command_call *call);

#endif
