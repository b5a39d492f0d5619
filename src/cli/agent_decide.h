/* `canhgac agent decide FINDING ACTION`: a verb of cli/agent.c. */
#ifndef CLI_AGENT_DECIDE_H
#define CLI_AGENT_DECIDE_H

#include "cli/command.h"

struct agent_decide_settings {
    const char *vault;
};

extern const struct setting agent_decide_rows[];

int agent_decide_run(const struct command_call *call);

#endif
