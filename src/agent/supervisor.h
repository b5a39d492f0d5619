/* The agent's supervisor: root, parses nothing foreign. It acquires what only root can get, forks
 * sensor, scanner, watchdog and outlet, restarts what dies, and carries out the requests of its
 * table, each only in the states in which it is legal. */
#ifndef AGENT_SUPERVISOR_H
#define AGENT_SUPERVISOR_H

#include "agent/intake.h"
#include "agent/settings.h"
#include "base/diag.h"

/* The process that takes records: channels to its neighbours, and what the one before it noted. */
struct agent_outlet {
    const struct agent_settings *settings;
    int sensor;
    int supervisor;
    int logs;    /* -1: none is followed; then no journal either */
    int journal; /* -1: not followed */
    struct intake_page *intake;
};

/* Its body: printer_run when the agent works alone, else link_run. */
typedef int agent_outlet_fn(const struct agent_outlet *outlet);

/* Runs until SIGTERM or SIGINT; returns an enum exit_status, FOUND when the outlet found something.
 * A negative error when it could not begin; diag tells. */
[[nodiscard]] int agent_supervise(const struct agent_settings *settings, agent_outlet_fn *outlet,
                                  struct diag *diag);

#endif
